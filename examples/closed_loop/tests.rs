use lk::diff::Verdict;

use super::*;

const README: &str = include_str!("README.md");

/// Blocks of one language in the README.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    README.split(&fence).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

#[test]
fn the_readme_shows_what_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let mut printed = Vec::new();
    run(folder.path(), &mut printed).unwrap();
    let printed = String::from_utf8(printed).unwrap();
    let (graph, text) = printed.split_once("\n\n").unwrap();
    assert_eq!(blocks("mermaid"), [format!("{graph}\n")]);
    assert_eq!(blocks("text"), [text]);
}

#[test]
fn a_replay_of_the_recorded_inputs_gives_identical_outputs_and_another_gain_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let [recorded, same, changed] =
        ["recorded.mcap", "same.mcap", "changed.mcap"].map(|name| folder.path().join(name));
    three_seconds(&mut closed_loop(&recorded).unwrap()).unwrap();
    three_seconds(&mut replay(&recorded, PdConfig::default(), &same).unwrap()).unwrap();
    let config = PdConfig { derivative_gain: 12.1, ..PdConfig::default() };
    three_seconds(&mut replay(&recorded, config, &changed).unwrap()).unwrap();

    let policy = Policy { scope: Scope::Outputs, ..Policy::exact() };
    let [recorded, same, changed] = [recorded, same, changed].map(|p| Dataset::open(p).unwrap());
    let result = diff(&recorded, &same, &policy).unwrap();
    assert_eq!(result.verdict, Verdict::Identical);
    assert_eq!(result.key_diffs["force"].messages.compared, 300);

    let result = diff(&recorded, &changed, &policy).unwrap();
    assert_eq!(result.verdict, Verdict::Different);
    let first = result.first_divergence.unwrap();
    assert_eq!(first.key, "force");
    // Up to there the motor gives all that it has, with either gain.
    assert_eq!(first.mismatch.time, Time::from_nanos(360_000_000));
    assert_eq!(first.mismatch.a.to_string(), "9.135999999999953");
}

#[test]
fn two_runs_record_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = ["a.mcap", "b.mcap"].map(|name| {
        let path = folder.path().join(name);
        three_seconds(&mut closed_loop(&path).unwrap()).unwrap();
        std::fs::read(path).unwrap()
    });
    assert!(bytes[0] == bytes[1]);
}
