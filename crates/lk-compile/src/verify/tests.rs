//! Whole verifications of a component in a folder of its own; the programs
//! are the runner tests' fake.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use lk::dataset::{Channel, Encoding, Role};
use lk::diff::Verdict;
use lk::outcome::Failure;
use lk::{Schema, Time};
use tempfile::TempDir;

use super::*;

/// A folder with inputs, a reference and these candidates, each by the
/// behaviour of the fake.
fn folder(reference: &str, candidates: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut text = "
[component]
name = \"adder\"
[inputs]
x = \"adder/X\"
[outputs]
sum = \"adder/Sum\"
[state]
count = \"adder/Count\"
[data]
inputs = \"inputs.mcap\"
seed = 1
[tolerance]
rules = [\"1e-9\"]
"
    .to_owned();
    text.push_str(reference);
    for (name, behaviour) in candidates {
        text.push_str(&format!("[candidates.{name}]\ndir = \"{name}\"\n{}", command(behaviour)));
        fs::create_dir(folder.path().join(name)).unwrap();
    }
    fs::write(folder.path().join("lk.toml"), text).unwrap();
    for sub in ["msg", "original"] {
        fs::create_dir(folder.path().join(sub)).unwrap();
    }
    // Else it would be the same program as a candidate, by content.
    fs::write(folder.path().join("original/about"), "the original").unwrap();
    for (name, text) in
        [("X", "float64 x\n"), ("Sum", "float64 sum\n"), ("Count", "uint64 count\n")]
    {
        fs::write(folder.path().join(format!("msg/{name}.msg")), text).unwrap();
    }
    write_inputs(folder.path(), 1.0);
    folder
}

fn write_inputs(folder: &Path, scale: f64) {
    let path = folder.join("inputs.mcap");
    let _ = fs::remove_file(&path);
    let schema = Schema::parse("adder/msg/X", "float64 x").unwrap();
    let channel = Channel {
        key: "x".into(),
        encoding: Encoding::Cdr(schema),
        role: Role::None,
        metadata: BTreeMap::new(),
    };
    let mut inputs = Dataset::create(path).unwrap();
    let id = inputs.add_channel(channel).unwrap();
    for n in 0..20 {
        let x = scale * f64::from(n);
        let payload = [&[0, 1, 0, 0][..], &x.to_le_bytes()].concat();
        inputs.write_payload(id, payload, Time::from_nanos(i64::from(n) * 1_000_000)).unwrap();
    }
    inputs.close().unwrap();
}

fn command(behaviour: &str) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/runner/tests/fake.py");
    format!("run = [\"python3\", \"-S\", \"-E\", {script:?}, \"{behaviour}\"]\n")
}

fn program(behaviour: &str) -> String {
    format!("[reference]\ndir = \"original\"\n{}", command(behaviour))
}

fn verify_with(folder: &TempDir, options: &VerifyOptions) -> Result<VerifyOutcome> {
    verify(&Manifest::load(folder.path())?, options, &mut |_| {})
}

fn verify_in(folder: &TempDir) -> VerifyOutcome {
    verify_with(folder, &VerifyOptions::default()).unwrap()
}

fn verdict(outcome: &VerifyOutcome, name: &str) -> Verdict {
    let candidate = outcome.candidates.iter().find(|one| one.name == name).unwrap();
    match &candidate.result {
        CandidateResult::Compared { diff, .. } => diff.verdict,
        other => panic!("{name}: {other:?}"),
    }
}

fn failure<'a>(outcome: &'a VerifyOutcome, name: &str) -> &'a Failure {
    let candidate = outcome.candidates.iter().find(|one| one.name == name).unwrap();
    match &candidate.result {
        CandidateResult::BuildFailed(failure) | CandidateResult::RunFailed(failure) => failure,
        CandidateResult::Compared { .. } => panic!("{name} was compared"),
    }
}

#[test]
fn a_port_that_agrees_passes_and_one_that_drifts_is_caught() {
    let folder = folder(&program("well"), &[("good", "well"), ("bad", "drifts")]);
    let outcome = verify_in(&folder);
    assert_eq!(outcome.component, "adder");
    assert_eq!(outcome.ticks, 20);
    assert_eq!(verdict(&outcome, "good"), Verdict::Identical);
    assert_eq!(verdict(&outcome, "bad"), Verdict::Different);
    assert_eq!(exit_code(&outcome), 1);
    let CandidateResult::Compared { diff, run } = &outcome.candidates[1].result else {
        panic!("it ran");
    };
    assert_eq!(diff.key_diffs.keys().collect::<Vec<_>>(), ["count", "sum"], "not the inputs");
    let first = diff.first_divergence.as_ref().unwrap();
    assert_eq!((first.key.as_str(), first.mismatch.tick), ("sum", Some(3)));
    assert_eq!(first.mismatch.time, Time::from_nanos(3_000_000));
    assert_eq!(first.mismatch.error, Some(0.25));
    assert_eq!(run.ticks, 20);
    assert!(outcome.reference.run.is_some() && !outcome.reference.cached);
    assert_eq!(outcome.reference.provenance["seed"], "1");

    let only = VerifyOptions { candidates: vec!["good".into()], ..VerifyOptions::default() };
    let outcome = verify_with(&folder, &only).unwrap();
    assert_eq!(outcome.candidates.len(), 1);
    assert_eq!(exit_code(&outcome), 0);
}

#[test]
fn recordings_and_report_are_left_in_the_output_folder() {
    let folder = folder(&program("well"), &[("bad", "drifts")]);
    let outcome = verify_in(&folder);
    let place = folder.path().join("target/lk");
    let report = fs::read_to_string(place.join("report.json")).unwrap();
    assert_eq!(serde_json::from_str::<VerifyOutcome>(&report).unwrap(), outcome);
    let open = |name: &str| Dataset::open(place.join(name)).unwrap();
    let (reference, candidate) = (open("reference.mcap"), open("candidate-bad.mcap"));
    let policy = Policy { scope: Scope::Outputs, ..Policy::default() };
    let diff = diff::diff(&reference, &candidate, &policy).unwrap();
    assert_eq!(diff.verdict, Verdict::Different);
    let CandidateResult::Compared { diff: ours, .. } = &outcome.candidates[0].result else {
        panic!("it ran");
    };
    assert_eq!((&diff.reference, &diff.candidate), (&ours.reference, &ours.candidate));

    // Twice the same run gives the same bytes.
    let before = fs::read(place.join("candidate-bad.mcap")).unwrap();
    verify_in(&folder);
    assert_eq!(fs::read(place.join("candidate-bad.mcap")).unwrap(), before);
}

#[test]
fn a_candidate_that_does_not_build_or_run_is_code_3_and_the_others_go_on() {
    let folder = folder(&program("well"), &[("a", "segfault"), ("b", "well"), ("c", "well")]);
    let text = fs::read_to_string(folder.path().join("lk.toml")).unwrap();
    let with_build = format!("{text}build = [\"sh\", \"-c\", \"echo oops; exit 1\"]\n");
    fs::write(folder.path().join("lk.toml"), with_build).unwrap();
    let outcome = verify_in(&folder);
    assert!(failure(&outcome, "a").message.starts_with("at tick 3, candidate a was killed by SIG"));
    assert_eq!(verdict(&outcome, "b"), Verdict::Identical);
    assert_eq!(failure(&outcome, "c").log, ["oops"]);
    assert!(matches!(outcome.candidates[2].result, CandidateResult::BuildFailed(_)));
    assert_eq!(exit_code(&outcome), 3);

    fs::remove_dir(folder.path().join("b")).unwrap();
    let outcome = verify_in(&folder);
    assert!(failure(&outcome, "b").message.starts_with("can't start candidate b: "));
}

#[test]
fn a_reference_that_fails_is_an_error_and_no_verdict() {
    let folder = folder(&program("exits"), &[("good", "well")]);
    let error = verify_with(&folder, &VerifyOptions::default()).unwrap_err();
    assert_eq!(error.to_string(), "at tick 3, the reference exited with code 7");
    assert!(matches!(error, Error::Reference(failure) if failure.log.len() == 2));
}

#[test]
fn errors_of_the_component_agree_by_tick_whatever_they_say() {
    let candidates = [("same", "raises"), ("words", "raises-otherwise"), ("none", "well")];
    let folder = folder(&program("raises"), &candidates);
    let outcome = verify_in(&folder);
    // Equal, not identical: one field, the text, is left out by a rule.
    assert_eq!(verdict(&outcome, "same"), Verdict::Equal);
    assert_eq!(verdict(&outcome, "words"), Verdict::Equal);
    assert_eq!(verdict(&outcome, "none"), Verdict::Different);

    let folder = self::folder(&program("raises-mostly"), &[("mostly", "raises-mostly")]);
    let outcome = verify_in(&folder);
    let CandidateResult::Compared { diff, .. } = &outcome.candidates[0].result else {
        panic!("it ran")
    };
    assert_eq!(diff.verdict, Verdict::Equal);
    assert!(diff.notes.iter().any(|note| note.contains("so few outputs were")), "{:?}", diff.notes);

    let folder = self::folder(&program("well"), &[("one", "raises")]);
    assert_eq!(verdict(&verify_in(&folder), "one"), Verdict::Different);
}

#[test]
fn the_reference_is_cached_by_content_and_a_damaged_cache_is_no_use() {
    let folder = folder(&program("well"), &[("good", "well")]);
    let cache = tempfile::tempdir().unwrap();
    let options =
        VerifyOptions { cache_dir: Some(cache.path().to_path_buf()), ..VerifyOptions::default() };
    let is_cached = |options: &VerifyOptions| {
        let outcome = verify_with(&folder, options).unwrap();
        assert_eq!(verdict(&outcome, "good"), Verdict::Identical);
        // What the run took is known of a cached one too.
        assert_eq!(outcome.reference.run.map(|run| run.ticks), Some(outcome.ticks));
        outcome.reference.cached
    };
    assert!(!is_cached(&options));
    assert!(is_cached(&options));
    assert!(!is_cached(&VerifyOptions::default()));
    assert!(!is_cached(&VerifyOptions { max_ticks: Some(5), ..options.clone() }));
    fs::write(folder.path().join("original/new.py"), "x = 1\n").unwrap();
    assert!(!is_cached(&options));
    assert!(is_cached(&options));
    write_inputs(folder.path(), 2.0);
    assert!(!is_cached(&options));
    assert!(is_cached(&options));

    for entry in fs::read_dir(cache.path().join("lk/references")).unwrap() {
        let path = entry.unwrap().path();
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&path, bytes).unwrap();
    }
    assert!(!is_cached(&options));
    assert!(is_cached(&options));
}

#[test]
fn a_recording_serves_as_the_reference_unless_the_candidate_made_it() {
    let maker = folder(&program("well"), &[("good", "well")]);
    verify_in(&maker);
    let made = maker.path().join("target/lk");

    let given = folder("[reference]\nrecording = \"given.mcap\"\n", &[("good", "well")]);
    let give = |name: &str| fs::copy(made.join(name), given.path().join("given.mcap")).unwrap();
    let error = verify_with(&given, &VerifyOptions::default()).unwrap_err();
    assert_eq!(error.to_string(), "can't read the reference");

    give("reference.mcap");
    let outcome = verify_in(&given);
    assert_eq!(verdict(&outcome, "good"), Verdict::Identical);
    assert!(outcome.reference.run.is_none() && !outcome.reference.cached);
    let few = VerifyOptions { max_ticks: Some(7), ..VerifyOptions::default() };
    let outcome = verify_with(&given, &few).unwrap();
    assert_eq!(verdict(&outcome, "good"), Verdict::Identical);
    assert!(outcome.notes.contains(&"only the first 7 of 20 ticks were run".to_owned()));

    give("candidate-good.mcap");
    let error = verify_with(&given, &VerifyOptions::default()).unwrap_err().to_string();
    assert!(error.starts_with("the reference is a recording of candidate good"), "{error}");

    give("reference.mcap");
    write_inputs(given.path(), 3.0);
    let error = verify_with(&given, &VerifyOptions::default()).unwrap_err().to_string();
    assert!(error.starts_with("the reference was recorded from other inputs"), "{error}");
    assert!(verify_with(&given, &few).unwrap_err().to_string().contains("other inputs"));

    // Under another name it is still the candidate's work.
    write_inputs(given.path(), 1.0);
    let mut renamed = Dataset::memory();
    renamed.copy_from(&Dataset::open(made.join("candidate-good.mcap")).unwrap()).unwrap();
    let mut facts = renamed.facts().clone();
    facts.entries.insert(provenance::PROGRAM.into(), "the reference".into());
    renamed.set_facts(facts).unwrap();
    save(&renamed, &given.path().join("given.mcap")).unwrap();
    let error = verify_with(&given, &VerifyOptions::default()).unwrap_err().to_string();
    assert!(error.starts_with("the reference is a recording of candidate good"), "{error}");

    let text = fs::read_to_string(given.path().join("lk.toml")).unwrap();
    let text = text.replace("sum = \"adder/Sum\"", "summ = \"adder/Sum\"");
    fs::write(given.path().join("lk.toml"), text).unwrap();
    give("reference.mcap");
    let error = verify_with(&given, &VerifyOptions::default()).unwrap_err();
    assert!(error.to_string().starts_with("the reference lacks key \"summ\" of summ"), "{error}");
    assert_eq!(error.hint().unwrap(), "did you mean `sum`?");
}

#[test]
fn a_recording_that_calls_an_output_an_input_is_refused() {
    let maker = folder(&program("well"), &[("good", "well")]);
    verify_in(&maker);
    let made = Dataset::open(maker.path().join("target/lk/reference.mcap")).unwrap();
    let given = folder("[reference]\nrecording = \"given.mcap\"\n", &[("bad", "drifts")]);
    let mut turned = Dataset::memory();
    for channel in made.channels() {
        let role = if channel.key == "sum" { Role::Input } else { channel.role };
        turned.add_channel(Channel { role, ..channel.clone() }).unwrap();
    }
    for item in made.samples(&Query::default()).unwrap() {
        let (id, sample) = item.unwrap();
        turned.write_sample(id, sample).unwrap();
    }
    turned.set_facts(made.facts().clone()).unwrap();
    save(&turned, &given.path().join("given.mcap")).unwrap();
    // Left out as an input, it would let the broken candidate pass.
    let error = verify_with(&given, &VerifyOptions::default()).unwrap_err();
    let expected = "the reference calls key \"sum\" an input, which is what sum writes";
    assert!(error.to_string().starts_with(expected), "{error}");
}

#[test]
fn results_never_overwrite_what_is_read() {
    let folder = folder(&program("well"), &[("good", "well")]);
    let path = folder.path().join("lk.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::create_dir(folder.path().join("results")).unwrap();
    let inputs = folder.path().join("results/reference.mcap");
    fs::rename(folder.path().join("inputs.mcap"), &inputs).unwrap();
    fs::write(&path, text.replace("inputs.mcap", "results/reference.mcap")).unwrap();
    let before = fs::read(&inputs).unwrap();
    let into = |dir: &str| VerifyOptions {
        output_dir: Some(folder.path().join(dir)),
        ..VerifyOptions::default()
    };
    let error = verify_with(&folder, &into("results")).unwrap_err();
    assert!(error.to_string().starts_with("what is read here would be overwritten"), "{error}");
    assert!(error.hint().unwrap().contains("--out"));
    assert_eq!(fs::read(&inputs).unwrap(), before);
    verify_with(&folder, &into("elsewhere")).unwrap();

    let made = folder.path().join("elsewhere/candidate-good.mcap");
    let text = text.replace("inputs.mcap", "results/reference.mcap");
    let original = program("well");
    let given = "[reference]\nrecording = \"elsewhere/candidate-good.mcap\"\n";
    fs::write(&path, text.replace(&original, given)).unwrap();
    let before = fs::read(&made).unwrap();
    let error = verify_with(&folder, &into("elsewhere")).unwrap_err();
    assert!(error.to_string().starts_with("what is read here would be overwritten"), "{error}");
    assert_eq!(fs::read(&made).unwrap(), before);
}

#[test]
fn a_harness_that_is_out_of_date_is_an_error_before_anything_runs() {
    let folder = folder(&program("exits"), &[("good", "well")]);
    let text = fs::read_to_string(folder.path().join("lk.toml")).unwrap();
    fs::write(folder.path().join("lk.toml"), format!("{text}scaffold = \"python\"\n")).unwrap();
    let error = verify_with(&folder, &VerifyOptions::default()).unwrap_err();
    assert!(matches!(error, Error::StaleScaffold { missing: true, .. }), "{error}");
    assert!(error.hint().unwrap().contains("lk init --refresh"));

    let component = Manifest::load(folder.path()).unwrap().component().unwrap();
    let files = crate::scaffold::generate(&component, crate::Language::Python).unwrap();
    crate::scaffold::write(&files, &folder.path().join("good"), false).unwrap();
    // Now it is current, and the reference's own failure is what stops it.
    let error = verify_with(&folder, &VerifyOptions::default()).unwrap_err();
    assert!(matches!(error, Error::Reference(_)), "{error}");
}

#[test]
fn what_cannot_be_verified_says_what_is_missing() {
    let none = folder("", &[("good", "well")]);
    let error = verify_with(&none, &VerifyOptions::default()).unwrap_err();
    assert!(error.to_string().starts_with("there is no reference to compare with"), "{error}");
    let named = VerifyOptions { candidates: vec!["god".into()], ..VerifyOptions::default() };
    let error = verify_with(&none, &named).unwrap_err();
    assert!(error.to_string().starts_with("no candidate god ("), "{error}");
    assert_eq!(error.hint().unwrap(), "did you mean `good`?");

    let bare = folder(&program("well"), &[]);
    let error = verify_with(&bare, &VerifyOptions::default()).unwrap_err();
    assert!(error.to_string().starts_with("there is no candidate to verify"), "{error}");

    let lost = folder(&program("well"), &[("good", "well")]);
    fs::remove_file(lost.path().join("inputs.mcap")).unwrap();
    let error = verify_with(&lost, &VerifyOptions::default()).unwrap_err();
    assert_eq!(error.to_string(), "can't read the inputs");

    let other = folder(&program("well"), &[("good", "well")]);
    fs::write(other.path().join("msg/X.msg"), "float32 x\n").unwrap();
    let error = verify_with(&other, &VerifyOptions::default()).unwrap_err().to_string();
    let expected = "key \"x\" holds adder/msg/X with other fields than adder/msg/X of port x";
    assert!(error.starts_with(expected), "{error}");
}
