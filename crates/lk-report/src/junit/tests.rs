use lk::Dataset;
use lk::diff::{Policy, diff as compare};
use lk::outcome::{CandidateOutcome, ReferenceOutcome};
use quick_junit::TestCaseStatus as Status;

use super::*;

/// Messages `{x, s}` under `key`.
fn data(key: &str, messages: &[(f64, &str)]) -> Dataset {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Message {
        x: f64,
        s: String,
    }
    let mut dataset = Dataset::memory();
    for (n, (x, s)) in messages.iter().enumerate() {
        let message = Message { x: *x, s: (*s).to_owned() };
        dataset.write(key, &message, lk::Time::from_nanos(n as i64 * 1_000_000_000)).unwrap();
    }
    dataset
}

fn policy(toml: &str) -> Policy {
    serde_json::from_str(toml).unwrap()
}

fn suite_of(a: &Dataset, b: &Dataset, policy: &Policy) -> TestSuite {
    let report = read(&diff(&compare(a, b, policy).unwrap()));
    assert_eq!(report.test_suites.len(), 1);
    report.test_suites[0].clone()
}

/// Reads XML back; its counts are those of its cases.
fn read(xml: &str) -> Report {
    let report = Report::deserialize_from_str(xml).unwrap_or_else(|e| panic!("{e}\n{xml}"));
    for suite in &report.test_suites {
        let count = |holds: fn(&Status) -> bool| {
            suite.test_cases.iter().filter(|case| holds(&case.status)).count()
        };
        assert_eq!(suite.tests, suite.test_cases.len());
        assert_eq!(suite.skipped, count(|status| matches!(status, Status::Skipped { .. })));
        let failed = count(|status| matches!(status, Status::NonSuccess { .. }));
        assert_eq!(suite.failures + suite.errors, failed);
    }
    report
}

fn status<'s>(suite: &'s TestSuite, class: &str, name: &str) -> &'s Status {
    let is = |case: &&TestCase| {
        case.name.as_str() == name && case.classname.as_ref().is_some_and(|c| c.as_str() == class)
    };
    &suite.test_cases.iter().find(is).unwrap_or_else(|| panic!("no {class} {name}")).status
}

fn message(status: &Status) -> &str {
    match status {
        Status::NonSuccess { message, .. } | Status::Skipped { message, .. } => {
            message.as_ref().map_or("", |message| message.as_str())
        }
        _ => "",
    }
}

#[test]
fn a_comparison_is_a_suite_with_a_case_for_each_field() {
    let a = data("k", &[(1.0, "a"), (2.0, "b")]);
    let suite = suite_of(&a, &a, &Policy::default());
    assert_eq!((suite.tests, suite.failures, suite.errors, suite.skipped), (3, 0, 0, 0));
    let b = data("k", &[(1.0, "a"), (2.5, "b")]);
    let suite = suite_of(&a, &b, &Policy::default());
    assert_eq!((suite.tests, suite.failures), (3, 1));
    let failed = status(&suite, "k", "x");
    assert_eq!(message(failed), "1 of 2 values outside of abs=1e-6, largest error 0.500");
    let Status::NonSuccess { description, .. } = failed else { panic!("it failed") };
    let evidence = description.as_ref().unwrap().as_str();
    assert_eq!(evidence, "message 1, 1.000 s: x value: reference 2.0, candidate 2.5, error 0.500");
    // Nothing of when and where it ran.
    assert!(suite.timestamp.is_none() && suite.time.is_none());
}

#[test]
fn what_is_missing_left_out_or_known_is_told_as_such() {
    let a = data("k", &[(1.0, "a"), (2.0, "b")]);
    let b = data("k", &[(1.0, "other")]);
    let rules = r#"{"rules": ["k.s:ignore,reason=free text"], "known_differences": [
        {"match": "k", "kind": "missing", "reason": "stops early"},
        {"match": "k.x", "reason": "was off"}]}"#;
    let suite = suite_of(&a, &b, &policy(rules));
    assert_eq!((suite.tests, suite.failures, suite.skipped), (5, 1, 2));
    assert_eq!(message(status(&suite, "k", "s")), "ignore: free text");
    assert_eq!(message(status(&suite, "known differences", "k")), "1 times: stops early");
    let gone = message(status(&suite, "known differences", "k.x"));
    assert_eq!(gone, "it is no longer there (was off)");
    let suite = suite_of(&a, &b, &policy(r#"{"rules": ["k.s:ignore"]}"#));
    assert_eq!(message(status(&suite, "k", "messages")), "1 message missing");
}

#[test]
fn a_passing_suite_is_one_without_failures_and_errors() {
    let a = data("k", &[(1.0, "a")]);
    for b in [
        data("k", &[(1.0, "a")]),
        data("k", &[(1.0 + 1e-9, "a")]),
        data("k", &[(2.0, "a")]),
        data("k", &[(1.0, "b")]),
        data("k", &[]),
        data("k", &[(1.0, "a"), (1.0, "a")]),
        data("j", &[(1.0, "a")]),
    ] {
        let result = compare(&a, &b, &Policy::default()).unwrap();
        let passes = matches!(result.verdict, Verdict::Identical | Verdict::Equal);
        let suite = suite_of(&a, &b, &Policy::default());
        assert_eq!(suite.failures + suite.errors == 0, passes, "{:?}", result.verdict);
    }
}

#[test]
fn control_characters_and_markup_in_names_and_text_are_no_harm() {
    let evil = "<k>\x1b[2J\x00&\"\u{202e}\u{fffe}]]>";
    let (a, b) = (data(evil, &[(1.0, evil)]), data(evil, &[(1.0, "\x07</failure>")]));
    let xml = diff(&compare(&a, &b, &Policy::default()).unwrap());
    assert!(!xml.contains(['\x1b', '\x00', '\x07', '\u{202e}', '\u{fffe}']), "{xml:?}");
    let report = read(&xml);
    let class = report.test_suites[0].test_cases[0].classname.as_ref().unwrap();
    assert!(class.as_str().starts_with("<k>\\u{1b}[2J\\u{0}&\""), "{}", class.as_str());
}

#[test]
fn a_verification_has_a_suite_for_each_candidate() {
    let a = data("k", &[(1.0, "a")]);
    let failure = Failure {
        message: "candidate rust exited with 101".to_owned(),
        hint: Some("see its log".to_owned()),
        tick: None,
        log: vec!["panicked\x1b[0m".to_owned()],
    };
    let outcome = VerifyOutcome {
        version: lk::diff::REPORT_VERSION,
        component: "adder".to_owned(),
        inputs: "inputs.mcap".to_owned(),
        ticks: 1,
        reference: ReferenceOutcome {
            recording: "reference.mcap".to_owned(),
            provenance: Default::default(),
            run: None,
            cached: false,
        },
        candidates: vec![
            CandidateOutcome {
                name: "rust".to_owned(),
                result: CandidateResult::RunFailed(failure),
            },
            CandidateOutcome {
                name: "cpp".to_owned(),
                result: CandidateResult::Compared {
                    run: run(),
                    diff: Box::new(compare(&a, &a, &Policy::default()).unwrap()),
                },
            },
        ],
        notes: vec![],
    };
    let report = read(&verify(&outcome));
    let names: Vec<&str> = report.test_suites.iter().map(|suite| suite.name.as_str()).collect();
    assert_eq!(
        (report.name.as_ref().map(|name| name.as_str()), names),
        (Some("adder"), vec!["rust", "cpp"])
    );
    assert_eq!((report.test_suites[0].errors, report.test_suites[1].errors), (1, 0));
    let error = status(&report.test_suites[0], "rust", "run");
    assert_eq!(message(error), "candidate rust exited with 101");
}

fn run() -> lk::outcome::RunOutcome {
    lk::outcome::RunOutcome {
        harness: "c++ 1".to_owned(),
        ticks: 1,
        outputs: Default::default(),
        component_errors: vec![],
        n_component_errors: 0,
        step: Default::default(),
        wall_ns: 0,
        peak_memory_bytes: None,
        log: vec![],
    }
}

#[test]
fn nothing_fails_where_the_result_passes() {
    let (a, b) = (data("k", &[(1.0, "a"); 20]), {
        let mut messages = [(1.0, "a"); 20];
        messages[7].0 = 2.0;
        data("k", &messages)
    });
    let allowing = policy(r#"{"allowed_violations": 0.5}"#);
    assert!(compare(&a, &b, &allowing).unwrap().passes());
    let suite = suite_of(&a, &b, &allowing);
    assert_eq!(suite.failures + suite.errors, 0);
    let said = message(status(&suite, "k", "x"));
    assert!(said.starts_with("allowed: 1 of 20 values outside of"), "{said}");
    let never = policy(r#"{"allowed_violations": 0.01}"#);
    assert_eq!(suite_of(&a, &b, &never).failures, 1);

    // The last message of the reference is after all of the candidate.
    let short = data("k", &[(1.0, "a"); 19]);
    let known = r#"{"align": "interpolate", "known_differences":
        [{"match": "k", "kind": "unaligned", "reason": "ends early"}]}"#;
    assert!(compare(&a, &short, &policy(known)).unwrap().passes());
    assert_eq!(suite_of(&a, &short, &policy(known)).failures, 0);
}
