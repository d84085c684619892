use lk::diff::Verdict;

use super::*;

const README: &str = include_str!("README.md");

#[test]
fn the_readme_shows_what_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let mut printed = Vec::new();
    run(folder.path(), "reference", &mut printed).unwrap();
    let printed = String::from_utf8(printed).unwrap();
    let shown = README.split("```text\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(shown, printed);
}

#[test]
fn the_loop_with_the_controller_in_python_is_the_loop_in_rust() {
    let folder = tempfile::tempdir().unwrap();
    let [rust, mixed] = ["rust.mcap", "mixed.mcap"].map(|name| folder.path().join(name));
    three_seconds(&mut closed_loop(None, &rust).unwrap(), 1).unwrap();
    three_seconds(&mut closed_loop(Some("reference"), &mixed).unwrap(), 2).unwrap();
    let result = compare(&rust, &mixed).unwrap();
    assert!(matches!(result.verdict, Verdict::Identical | Verdict::Equal), "{}", result.summary());
    assert_eq!(result.key_diffs["state"].messages.compared, 3000);
    assert_eq!(result.key_diffs["control"].messages.compared, 300);
}

#[test]
fn a_loop_of_a_python_and_a_rust_component_records_the_same_bytes_with_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = [1, 2, 8].map(|threads| {
        let path = folder.path().join(format!("{threads}.mcap"));
        three_seconds(&mut closed_loop(Some("reference"), &path).unwrap(), threads).unwrap();
        std::fs::read(path).unwrap()
    });
    assert!(bytes[0] == bytes[1] && bytes[0] == bytes[2]);
}
