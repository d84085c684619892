//! `lk init`: from types to a port that runs.

use crate::fixture::{Folder, doubler, fake};

#[test]
fn a_new_candidate_runs_and_fails_cleanly_until_it_is_written() {
    let folder = doubler("");
    let ran = folder.lk(&["init", "--to", "python"]).expect(0);
    ran.shows(&["python/component.py", "lk.toml", "Next: fill in", "lk verify --candidate python"]);
    let manifest = folder.read("lk.toml");
    assert!(manifest.contains("[candidates.python]"), "{manifest}");
    let ran = folder.lk(&["verify"]);
    assert!(ran.code == 1 || ran.code == 3, "{}\n{}", ran.stdout, ran.stderr);

    folder.write(
        "python/component.py",
        "class Component:\n    def step(self, inputs):\n        \
         return {'y': {'value': 2.0 * inputs.x.value}}\n",
    );
    folder.lk(&["verify"]).expect(0).shows(&["✓ doubler python: identical"]);
}

#[test]
fn what_is_the_users_is_never_overwritten() {
    let folder = doubler("");
    folder.lk(&["init", "--to", "python"]).expect(0);
    folder.write("python/component.py", "# mine\n");
    folder.write("python/lk_types.py", "# damaged\n");
    let manifest = folder.read("lk.toml");
    folder.lk(&["verify"]).expect_mistake(&["lk_types.py", "hint: ", "lk init --refresh"]);
    folder.lk(&["init", "--refresh"]).expect(0).shows(&["written     python/lk_types.py"]);
    folder.lk(&["init", "--to", "python"]).expect(0).shows(&["kept        python/component.py"]);
    assert_eq!(folder.read("python/component.py"), "# mine\n");
    assert_eq!(folder.read("lk.toml"), manifest);
    assert_ne!(folder.read("python/lk_types.py"), "# damaged\n");
}

#[test]
fn candidates_have_names_of_their_own() {
    let folder = doubler(&fake("python", "good"));
    folder.lk(&["init", "--to", "python"]).expect_mistake(&[
        "candidate python",
        "hint: ",
        "--name",
    ]);
    folder.lk(&["init", "--to", "python", "--name", "second"]).expect(0);
    assert!(folder.path().join("second/component.py").exists());
}

#[test]
fn a_recording_is_enough_to_begin_with() {
    let folder = doubler(&fake("good", "good"));
    folder.lk(&["run", "-o", "recorded.mcap"]).expect(0);
    let init = ["init", "port", "--from", "recorded.mcap", "--to", "python"];
    folder.lk(&init).expect(0).shows(&["port/lk.toml", "port/msg", "port/python/component.py"]);
    folder.write(
        "port/python/component.py",
        "def Component(inputs):\n    return {'y': {'value': 2.0 * inputs.x.value}}\n",
    );
    folder.lk(&["verify", "port"]).expect(0).shows(&["✓ port python: identical"]);
    folder.lk(&init).expect_mistake(&["port/lk.toml", "hint: ", "--from"]);
}

#[test]
fn there_must_be_something_to_begin_with() {
    let folder = Folder::new();
    folder.lk(&["init", "--to", "cpp"]).expect_mistake(&["lk.toml", "hint: ", "--from"]);
    folder.lk(&["init"]).expect_mistake(&["--to"]);
    folder.lk(&["init", "--to", "cobol"]).expect_mistake(&["cobol", "cpp", "rust", "python"]);
    doubler("").lk(&["init", "--refresh"]).expect_mistake(&["nothing to refresh", "hint: "]);
}
