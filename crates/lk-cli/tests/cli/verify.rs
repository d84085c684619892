//! `lk verify` and `lk run`: every way for a candidate to go wrong, and every
//! way to ask for the wrong thing.

use std::time::{Duration, Instant};

use crate::fixture::{Folder, Ran, TICKS, doubler, fake};

/// Verifies one candidate that is the fake in `mode`.
fn verify(mode: &str) -> Ran {
    doubler(&fake("fake", mode)).lk(&["verify"])
}

#[test]
fn a_good_candidate_passes() {
    let ran = verify("good").expect(0).shows(&[
        "✓ doubler fake: identical",
        &format!("{TICKS} values in {TICKS} messages"),
        "unconfined",
        "step p50",
    ]);
    assert!(ran.stdout.starts_with("✓ doubler fake"), "the verdict comes first\n{}", ran.stdout);
}

#[test]
fn a_wrong_value_is_named() {
    verify("wrong").expect(1).shows(&[
        "✗ doubler fake: different, 1 of 20 values outside of tolerance",
        "first at tick 3, 3.500 s in y.value: error 1.0e-4, tolerance abs=1e-9",
        "reference   6.5\n",
        "candidate   6.5001\n",
        "input x",
        "value  3.25",
    ]);
}

#[test]
fn answering_too_little_is_different() {
    verify("little").expect(1).shows(&["1 message missing", "first at tick 3, 3.500 s in y"]);
}

#[test]
fn answering_too_much_is_different() {
    verify("much").expect(1).shows(&["1 message extra", "first at tick 3, 3.500 s in y"]);
}

#[test]
fn an_error_of_the_component_is_an_outcome() {
    verify("error").expect(1).shows(&["1 tick ended in an error", "ValueError: no good"]);
}

#[test]
fn a_candidate_that_does_not_build_is_shown_with_its_log() {
    let candidate = "[candidates.fake]\nbuild = [\"sh\", \"-c\", \"echo no such header >&2; exit 4\"]\n\
                     run = [\"python3\", \"fake.py\"]\n";
    let ran = doubler(candidate).lk(&["verify"]).expect(3);
    ran.shows(&["✗ doubler fake: did not build", "error: ", "4", "| no such header"]);
}

#[test]
fn a_build_command_that_does_not_exist_is_named() {
    let candidate =
        "[candidates.fake]\nbuild = [\"no-such-compiler\"]\nrun = [\"python3\", \"fake.py\"]\n";
    doubler(candidate).lk(&["verify"]).expect(3).shows(&["did not build", "no-such-compiler"]);
}

#[test]
fn a_program_that_does_not_exist_is_named() {
    let candidate = "[candidates.fake]\nrun = [\"./build/nothing-here\"]\n";
    doubler(candidate)
        .lk(&["verify"])
        .expect(3)
        .shows(&["did not run to the end", "./build/nothing-here"]);
}

#[test]
fn a_crash_is_told_with_its_signal_tick_and_log() {
    verify("crash").expect(3).shows(&[
        "✗ doubler fake: did not run to the end",
        "tick 3",
        "SIGABRT",
        "| about to fall over",
    ]);
}

#[test]
fn an_early_exit_is_told_with_its_code() {
    verify("exit").expect(3).shows(&["did not run to the end", "tick 3", "7"]);
}

#[test]
fn a_hang_ends_at_the_limit_of_a_tick() {
    let start = Instant::now();
    verify("hang").expect(3).shows(&["did not run to the end", "tick 3", "1 s", "tick_s"]);
    assert!(start.elapsed() < Duration::from_secs(30), "the limit is one second");
}

#[test]
fn a_tick_without_an_end_is_a_hang() {
    verify("undone").expect(3).shows(&["did not run to the end", "tick"]);
}

#[test]
fn a_program_that_never_says_ready_is_told_so() {
    verify("mute").expect(3).shows(&["did not run to the end", "2 s", "start_s"]);
}

#[test]
fn printing_to_standard_output_is_named_as_that() {
    verify("print").expect(3).shows(&["did not run to the end", "standard output"]);
}

#[test]
fn frames_that_mean_nothing_are_refused() {
    verify("garbage").expect(3).shows(&["did not run to the end", "99"]);
    verify("port").expect(3).shows(&["did not run to the end", "port 5"]);
    verify("twice").expect(3).shows(&["did not run to the end", "tick 3"]);
}

#[test]
fn a_payload_of_another_type_is_refused_or_told() {
    let ran = verify("payload");
    assert!(ran.code == 1 || ran.code == 3, "{}", ran.stdout);
    ran.shows(&["✗ doubler fake", "y"]);
}

#[test]
fn the_worst_exit_code_wins() {
    let all = [fake("good", "good"), fake("wrong", "wrong"), fake("crash", "crash")].concat();
    let ran = doubler(&all).lk(&["verify"]).expect(3);
    assert!(
        ran.stdout.starts_with(
            "✗ doubler: wrong is different; crash did not run to the end; good behaves like the \
             reference\n"
        ),
        "{}",
        ran.stdout
    );
}

#[test]
fn an_unknown_candidate_is_a_mistake_that_names_the_known() {
    let folder = doubler(&fake("good", "good"));
    folder.lk(&["verify", "--candidate", "god"]).expect_mistake(&["god", "good"]);
}

#[test]
fn a_candidate_outside_of_the_default_runs_when_named() {
    let both = fake("good", "good") + &fake("wrong", "wrong") + "default = false\n";
    let folder = doubler(&both);
    folder.lk(&["verify"]).expect(0);
    folder.lk(&["verify", "--candidate", "wrong"]).expect(1);
    folder.lk(&["verify", "--candidate", "wrong", "--candidate", "good"]).expect(1);
}

#[test]
fn no_candidates_are_a_mistake() {
    doubler("").lk(&["verify"]).expect_mistake(&["candidate", "lk init"]);
}

#[test]
fn unknown_keys_of_the_manifest_have_a_suggestion() {
    let folder = doubler(&fake("good", "good"));
    let text = folder.read("lk.toml").replace("[tolerance]", "[tolerence]");
    folder.write("lk.toml", &text);
    folder.lk(&["verify"]).expect_mistake(&["tolerence", "tolerance", "lk.toml", "line"]);
}

#[test]
fn a_folder_without_a_manifest_is_named() {
    let folder = Folder::new();
    folder.lk(&["verify", "nowhere"]).expect_mistake(&["nowhere", "hint: "]);
    folder.lk(&["verify"]).expect_mistake(&["lk.toml", "hint: "]);
}

#[test]
fn a_rule_that_matches_nothing_is_a_mistake() {
    let folder = doubler(&fake("good", "good"));
    let text = folder.read("lk.toml").replace("\"1e-9\"", "\"1e-9\", \"y.valu:abs=1\"");
    folder.write("lk.toml", &text);
    folder.lk(&["verify"]).expect_mistake(&["y.valu", "y.value"]);
}

#[test]
fn missing_inputs_are_named() {
    let folder = doubler(&fake("good", "good"));
    std::fs::remove_file(folder.path().join("inputs.mcap")).expect("it is there");
    folder.lk(&["verify"]).expect_mistake(&["inputs.mcap", "caused by: ", "No such file"]);
}

#[test]
fn a_reference_that_fails_is_a_mistake() {
    let folder = doubler(&fake("good", "good"));
    let text = folder.read("lk.toml").replace("\"fake.py\"]\n\n", "\"fake.py\", \"crash\"]\n\n");
    folder.write("lk.toml", &text);
    folder.lk(&["verify"]).expect_mistake(&["reference", "tick 3", "about to fall over"]);
}

#[test]
fn json_is_alone_on_standard_output() {
    let ran = doubler(&fake("wrong", "wrong")).lk(&["verify", "--json"]).expect(1);
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(report["version"], 1);
    assert_eq!(report["component"], "doubler");
    let candidate = &report["candidates"][0];
    assert_eq!(candidate["result"], "compared");
    assert_eq!(candidate["diff"]["first_divergence"]["tick"], 3);
}

#[cfg(target_os = "linux")]
#[test]
fn an_interrupt_takes_the_programs_along() {
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Command, Stdio};

    /// Tries until something comes of it, for as long as the limits last.
    fn until<T>(mut attempt: impl FnMut() -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(found) = attempt() {
                return found;
            }
            assert!(start.elapsed() < Duration::from_secs(30), "nothing came of it");
            std::thread::yield_now();
        }
    }

    let candidate = fake("fake", "hang").replace("tick_s = 1", "tick_s = 60");
    let folder = doubler(&candidate);
    let mut lk = folder.command(&["verify"]);
    let mut lk = lk.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("lk starts");
    let hanging = folder.path().join("hanging");
    let pid = until(|| {
        let text = std::fs::read_to_string(&hanging).ok()?;
        text.strip_suffix('\n').map(str::to_owned)
    });
    let interrupt = Command::new("kill").args(["-INT", &lk.id().to_string()]).status();
    assert!(interrupt.expect("kill is there").success());
    let ended = lk.wait().expect("lk ends");
    assert_eq!(ended.signal(), Some(2), "a shell sees that a signal ended it");
    // Gone, or a zombie that nobody has taken notice of yet.
    until(|| match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
        Err(_) => Some(()),
        Ok(stat) => stat.contains(") Z ").then_some(()),
    });
}

#[test]
fn the_window_changes_nothing_but_throughput() {
    let folder = doubler(&fake("wrong", "wrong"));
    for window in ["1", "7", "1000"] {
        let ran = folder.lk(&["verify", "--no-cache", "--window", window]).expect(1);
        ran.shows(&["first at tick 3, 3.500 s in y.value: error 1.0e-4, tolerance abs=1e-9"]);
    }
    folder.lk(&["verify", "--window", "0"]).expect_mistake(&["--window", "0"]);
}

#[test]
fn the_second_verification_takes_the_reference_from_the_cache() {
    let folder = doubler(&fake("good", "good"));
    folder.lk(&["verify"]).expect(0).shows(&["run now"]);
    folder.lk(&["verify"]).expect(0).shows(&["from the cache", "--no-cache runs it anew"]);
    folder.lk(&["verify", "--no-cache"]).expect(0).shows(&["run now"]);
}

#[test]
fn recordings_and_the_report_are_kept_on_request() {
    let folder = doubler(&fake("wrong", "wrong"));
    folder.lk(&["verify", "--out", "out"]).expect(1);
    let report: serde_json::Value =
        serde_json::from_str(&folder.read("out/report.json")).expect("JSON");
    assert_eq!(report["candidates"][0]["name"], "wrong");
    folder
        .lk(&["diff", "out/reference.mcap", "out/candidate-wrong.mcap", "--tol", "1e-9"])
        .expect(1);
    folder
        .lk(&["diff", "out/reference.mcap", "out/candidate-wrong.mcap", "--tol", "1e-3"])
        .expect(0);
}

#[test]
fn run_writes_a_dataset_with_inputs_and_outputs() {
    let folder = doubler(&fake("good", "good"));
    folder.lk(&["run", "--program", "good", "-o", "good.mcap"]).expect(0);
    folder.lk(&["info", "good.mcap"]).expect(0).shows(&["x", "input", "y", "output"]);
    folder.lk(&["run", "-o", "reference.mcap"]).expect(0);
    folder.lk(&["diff", "reference.mcap", "good.mcap"]).expect(0).shows(&["✓ identical"]);
    folder.lk(&["run", "--program", "best", "-o", "b.mcap"]).expect_mistake(&["best", "good"]);
}

#[test]
fn run_of_a_program_that_fails_ends_with_3() {
    let folder = doubler(&fake("crash", "crash"));
    let ran = folder.lk(&["run", "--program", "crash", "-o", "crash.mcap"]).expect(3);
    ran.says(&["crash", "tick 3", "about to fall over"]);
}
