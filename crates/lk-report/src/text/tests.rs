mod known;

use std::collections::BTreeMap;

use lk::Time;
use lk::dataset::{ChannelInfo, DatasetInfo, Integrity, Role, SequenceMeaning};
use lk::diff::{
    Alignment, Answer, Cause, CauseKind, DiffResult, Divergence, ErrorHistogram, ErrorQuantiles,
    ErrorStats, FieldAnswer, FieldDiff, Finding, InputBefore, KeyDiff, MessageCounts, Mismatch,
    MismatchKind, REPORT_VERSION, Rejudgement, SchemaFinding, SchemaFindingKind, Statistical,
    TimestampDiff, ValueCounts, Verdict, ViolationBound,
};
use lk::outcome::{
    CandidateOutcome, CandidateResult, Failure, ReferenceOutcome, RunOutcome, StepTimes,
    VerifyOutcome,
};
use lk::value::Scalar;

use super::{diff, info, verify};
use crate::style::Style;
use crate::text;

const MILLI: i64 = 1_000_000;

/// 6,000 messages of four numbers, `violations` of the w outside of 1e-9.
fn compared(verdict: Verdict, max: f64, violations: u64) -> DiffResult {
    let field = |path: &str, max: f64, violations: u64| FieldDiff {
        path: path.to_owned(),
        type_name: "float64".to_owned(),
        tolerance: "abs=1e-9".to_owned(),
        values: ValueCounts {
            compared: 6_000,
            equal: if max == 0.0 { 6_000 } else { 1_200 },
            within: if max == 0.0 { 0 } else { 4_800 - violations },
            violations,
            bit_equal: if max == 0.0 { 6_000 } else { 1_200 },
            ..ValueCounts::default()
        },
        known_shape_violations: 0,
        unmatched: 0,
        shape_violations: 0,
        error: Some(ErrorStats {
            count: 6_000,
            max,
            max_index: 812,
            max_time: Time::from_nanos(8_120 * MILLI),
            mean: max / 10.0,
            rms: max / 5.0,
            bias: -max / 20.0,
            quantiles: Some(ErrorQuantiles {
                p50: max / 12.0,
                p90: max / 3.0,
                p99: max / 1.5,
                p999: max,
            }),
            passing_abs: Some(max),
            passing_rel: Some(max / 2.0),
            passing_ulp: None,
        }),
        histogram: (max > 0.0).then(|| histogram(max)),
        first_violation: (violations > 0).then(|| Time::from_nanos(4_000 * MILLI)),
    };
    let key = KeyDiff {
        length_a: 6_000,
        length_b: 6_000,
        n_matching: 6_000 - violations,
        n_different: violations,
        n_known: 0,
        alignment: Alignment::Tick,
        messages: MessageCounts {
            reference: 6_000,
            candidate: 6_000,
            compared: 6_000,
            ..MessageCounts::default()
        },
        timestamps: TimestampDiff { compared: 6_000, equal: 6_000, ..TimestampDiff::default() },
        schema: vec![],
        fields: vec![
            field("orientation.x", 0.0, 0),
            field("orientation.y", max / 3.0, violations / 2),
            field("orientation.z", 0.0, 0),
            field("orientation.w", max, violations),
        ],
        mismatches: vec![],
        max_error: Some(max),
        mean_error: Some(max / 20.0),
        time_lag: None,
        value_lag: None,
        errors: vec![],
    };
    DiffResult {
        version: REPORT_VERSION,
        verdict,
        incomparable_reason: None,
        reference: "reference.mcap".to_owned(),
        candidate: "candidate.mcap".to_owned(),
        keys_match: true,
        timestamps_match: true,
        values_match: violations == 0,
        missing_keys_in_b: vec![],
        extra_keys_in_b: vec![],
        ignored_keys: BTreeMap::new(),
        key_diffs: BTreeMap::from([("attitude".to_owned(), key)]),
        first_divergence: None,
        known_differences: vec![],
        statistical: None,
        policy: None,
        rules: vec![],
        notes: vec![],
        seal: String::new(),
    }
}

/// Errors around a tenth of `max`, some 0.
fn histogram(max: f64) -> ErrorHistogram {
    let octave = max.log2().floor() as i32;
    let counts = [40, 300, 900, 1_800, 1_500, 200, 60];
    let bins: Vec<String> = (octave - 6..=octave)
        .zip(counts)
        .map(|(octave, count)| format!("\"{:?}\": {count}", 2_f64.powi(octave)))
        .collect();
    let json = format!(r#"{{"zero": 1200, "bins": {{{}}}}}"#, bins.join(", "));
    serde_json::from_str(&json).expect("as a report has it")
}

fn passing() -> DiffResult {
    compared(Verdict::Equal, 3.3306690738754696e-16, 0)
}

fn failing() -> DiffResult {
    let mut result = compared(Verdict::Different, 0.0314159, 4_796);
    let input = |key: &str, before_ms: i64| InputBefore {
        key: key.to_owned(),
        time: Time::from_nanos((4_000 - before_ms) * MILLI),
        fields: ["x", "y", "z"]
            .into_iter()
            .zip([0.0125, -1.5, 9.81])
            .map(|(axis, v)| (format!("acceleration.{axis}"), Scalar::Float64(v)))
            .collect(),
    };
    result.first_divergence = Some(Divergence {
        cause: Some(Cause {
            kind: CauseKind::Step,
            text: "looks like a step: off by 0.5 in all 128 messages from there on".to_owned(),
        }),
        key: "attitude".to_owned(),
        mismatch: Mismatch {
            index: 400,
            tick: Some(400),
            time: Time::from_nanos(4_000 * MILLI),
            path: "orientation.w".to_owned(),
            kind: MismatchKind::Value,
            a: Scalar::Float64(0.9238795325112867),
            b: Scalar::Float64(0.9238795331112867),
            error: Some(6e-10),
            tolerance: "abs=1e-9".to_owned(),
        },
        inputs: vec![input("imu", 0), input("/mag/raw", 15)],
    });
    result
}

fn run(p50_ns: u64, harness: &str) -> RunOutcome {
    RunOutcome {
        harness: harness.to_owned(),
        ticks: 6_000,
        outputs: BTreeMap::from([("attitude".to_owned(), 6_000)]),
        component_errors: vec![],
        n_component_errors: 0,
        step: StepTimes { p50_ns, p99_ns: p50_ns * 3, max_ns: p50_ns * 50 },
        wall_ns: p50_ns * 6_000 * 2,
        peak_memory_bytes: Some(3 << 20),
        log: vec![],
    }
}

fn outcome(candidates: Vec<(&str, CandidateResult)>) -> VerifyOutcome {
    VerifyOutcome {
        version: REPORT_VERSION,
        component: "attitude_filter".to_owned(),
        inputs: "./inputs.mcap".to_owned(),
        ticks: 6_000,
        reference: ReferenceOutcome {
            recording: "reference.mcap".to_owned(),
            provenance: BTreeMap::from([
                ("harness".to_owned(), "python 1".to_owned()),
                ("inputs_hash".to_owned(), "88ab12cd".repeat(8)),
                ("program_hash".to_owned(), "3f2a19c0".repeat(8)),
                ("seed".to_owned(), "0".to_owned()),
            ]),
            run: Some(run(182_000, "python 1")),
            cached: false,
        },
        candidates: candidates
            .into_iter()
            .map(|(name, result)| CandidateOutcome { name: name.to_owned(), result })
            .collect(),
        notes: vec!["programs ran unconfined, with your rights".to_owned()],
    }
}

fn ran(diff: DiffResult, p50_ns: u64, harness: &str) -> CandidateResult {
    CandidateResult::Compared { run: run(p50_ns, harness), diff: Box::new(diff) }
}

#[test]
fn passing_verify() {
    let mut identical = compared(Verdict::Identical, 0.0, 0);
    identical.notes.push("candidate.mcap is unverified: its chunks have no checksums".to_owned());
    let outcome = outcome(vec![
        ("cpp", ran(passing(), 1_200, "c++ 1")),
        ("rust", ran(identical, 900, "rust 1")),
    ]);
    insta::assert_snapshot!(verify(&outcome, Some("out/report.json"), Style::PLAIN));
}

#[test]
fn failing_verify() {
    let outcome = outcome(vec![
        ("cpp", ran(passing(), 1_200, "c++ 1")),
        ("broken", ran(failing(), 1_100, "c++ 1")),
    ]);
    insta::assert_snapshot!(verify(&outcome, Some("out/report.json"), Style::PLAIN));
}

#[test]
fn build_failure() {
    let failure = Failure {
        message: "the build command of candidate cpp, `sh build.sh`, exited with 1".to_owned(),
        hint: Some("run `sh build.sh` in examples/attitude_filter/cpp".to_owned()),
        tick: None,
        log: vec!["component.cpp:12:5: \x1b[31merror\x1b[0m: expected ';'".to_owned()],
    };
    let outcome = outcome(vec![("cpp", CandidateResult::BuildFailed(failure))]);
    insta::assert_snapshot!(verify(&outcome, None, Style::PLAIN));
}

#[test]
fn crash_shows_the_end_of_the_log() {
    let failure = Failure {
        message: "candidate rust was killed by signal 11 (SIGSEGV) at tick 812".to_owned(),
        hint: None,
        tick: Some(812),
        log: (0..25).map(|n| format!("line {n}")).collect(),
    };
    let mut outcome = outcome(vec![("rust", CandidateResult::RunFailed(failure))]);
    outcome.reference.cached = true;
    insta::assert_snapshot!(verify(&outcome, None, Style::PLAIN));
}

#[test]
fn given_reference_tells_what_made_it() {
    let mut outcome = outcome(vec![("cpp", ran(passing(), 1_200, "c++ 1"))]);
    outcome.reference.run = None;
    insta::assert_snapshot!(verify(&outcome, None, Style::PLAIN));
}

#[test]
fn components_errors_are_counted() {
    let mut erring = run(1_200, "python 1");
    erring.n_component_errors = 12;
    erring.component_errors = vec![(3, "ZeroDivisionError: division by zero".to_owned())];
    let result = CandidateResult::Compared { run: erring, diff: Box::new(passing()) };
    let text = verify(&outcome(vec![("py", result)]), None, Style::PLAIN);
    let line = "  errors      12 ticks ended in an error of the component; the first is tick 3: \
                ZeroDivisionError: division by zero\n";
    assert!(text.contains(line), "{text}");
}

#[test]
fn run_alone() {
    let mut erring = run(182_000, "python 1");
    erring.n_component_errors = 1;
    erring.component_errors = vec![(3, "no fix yet".to_owned())];
    insta::assert_snapshot!(text::run("reference", &erring, "out.mcap", Style::PLAIN));
}

#[test]
fn no_candidate_is_no_success() {
    let text = verify(&outcome(vec![]), None, Style::PLAIN);
    assert!(text.starts_with("✗ attitude_filter: no candidate was run\n"), "{text}");
}

#[test]
fn passing_diff() {
    insta::assert_snapshot!(diff(&passing(), None, Style::PLAIN));
}

#[test]
fn failing_diff() {
    insta::assert_snapshot!(diff(&failing(), None, Style::PLAIN));
}

#[test]
fn incomparable_diff() {
    let mut result = compared(Verdict::Incomparable, 0.0, 0);
    result.incomparable_reason = Some("the sides have no key in common".to_owned());
    result.key_diffs.clear();
    result.missing_keys_in_b = vec!["attitude".to_owned()];
    result.extra_keys_in_b = vec!["/pose".to_owned()];
    insta::assert_snapshot!(diff(&result, None, Style::PLAIN));
}

#[test]
fn missing_keys_messages_and_times() {
    let mut result = failing();
    let first = result.first_divergence.as_mut().expect("failing has one");
    first.mismatch = Mismatch {
        index: 12,
        tick: None,
        path: String::new(),
        kind: MismatchKind::Missing,
        a: Scalar::Absent,
        b: Scalar::Absent,
        error: None,
        ..first.mismatch.clone()
    };
    first.inputs.clear();
    let found = result.key_diffs.get_mut("attitude").expect("compared has it");
    found.messages.missing = 1;
    found.messages.extra = 1_002;
    found.timestamps.violations = 4;
    found.timestamps.max_error = lk::Span::from_nanos(2_500_000);
    let mut bias = found.clone();
    bias.fields.clear();
    bias.messages = MessageCounts { reference: 6_000, missing: 6_000, ..MessageCounts::default() };
    result.key_diffs.insert("gyro/bias".to_owned(), bias);
    result.missing_keys_in_b.push("gyro/bias".to_owned());
    result.ignored_keys.insert("log".to_owned(), "not part of the behaviour".to_owned());
    insta::assert_snapshot!(diff(&result, Some("report.json"), Style::PLAIN));
}

#[test]
fn schema_findings_nan_and_lengths() {
    let mut result = compared(Verdict::Different, 1e-3, 20);
    let found = result.key_diffs.get_mut("attitude").expect("compared has it");
    let finding = |path: &str, kind, a: Option<&str>, b: Option<&str>| SchemaFinding {
        path: path.to_owned(),
        kind,
        reference: a.map(str::to_owned),
        candidate: b.map(str::to_owned),
        ignored: false,
        known: false,
    };
    found.schema = vec![
        finding("status", SchemaFindingKind::Type, Some("int32"), Some("int64")),
        finding("frame", SchemaFindingKind::Missing, Some("string"), None),
    ];
    found.fields[1].values.nan_candidate = 3;
    found.fields[1].error = None;
    found.fields[3].shape_violations = 2;
    found.fields[0].values.ignored = 6_000;
    found.fields[0].tolerance = "ignore: noisy".to_owned();
    insta::assert_snapshot!(diff(&result, None, Style::PLAIN));
}

fn dataset_info() -> DatasetInfo {
    let channel = |key: &str, role, samples: u64| ChannelInfo {
        key: key.to_owned(),
        role,
        type_name: "attitude_filter/msg/Imu".to_owned(),
        encoding: "cdr".to_owned(),
        opaque_reason: None,
        samples,
        first: (samples > 0).then_some(Time::ZERO),
        last: (samples > 0).then(|| Time::from_nanos(60_000 * MILLI)),
    };
    let mut note = channel("note", Role::None, 0);
    note.encoding = "json".to_owned();
    note.opaque_reason = Some("lk does not read jsonschema".to_owned());
    DatasetInfo {
        location: "inputs.mcap".to_owned(),
        samples: 6_001,
        first: Some(Time::ZERO),
        last: Some(Time::from_nanos(60_000 * MILLI)),
        sequence: SequenceMeaning::Tick,
        facts: BTreeMap::from([("producer".to_owned(), "lk 0.1.0".to_owned())]),
        channels: vec![channel("imu", Role::Input, 6_001), note],
        integrity: Integrity { verified: true, ..Integrity::default() },
    }
}

#[test]
fn info_of_a_whole_file() {
    insta::assert_snapshot!(info(&dataset_info(), false, Style::PLAIN));
}

#[test]
fn info_of_a_damaged_file() {
    let mut damaged = dataset_info();
    damaged.integrity = Integrity {
        verified: true,
        lost_bytes: 1 << 20,
        lost_samples: Some(812),
        first_bad_offset: Some(4096),
        problems: vec!["the chunk doesn't match its checksum (at byte 4096)".to_owned()],
        notes: vec!["there is no metadata.yaml".to_owned(), "bag_9.mcap is left out".to_owned()],
    };
    insta::assert_snapshot!(info(&damaged, true, Style::PLAIN));
}

#[test]
fn what_is_left_out_is_counted() {
    let mut result = compared(Verdict::Different, 1e-3, 20);
    let found = result.key_diffs.get_mut("attitude").expect("compared has it");
    let template = found.fields[3].clone();
    found.fields =
        (0..906).map(|n| FieldDiff { path: format!("f{n}"), ..template.clone() }).collect();
    let text = diff(&result, Some("report.json"), Style::PLAIN);
    assert!(text.contains("... 896 more, see report.json\n"), "{text}");
    assert!(text.lines().count() < 24, "{text}");
}

#[test]
fn colour_changes_nothing_but_colour() {
    let outcome = outcome(vec![
        ("cpp", ran(passing(), 1_200, "c++ 1")),
        ("broken", ran(failing(), 1_100, "c++ 1")),
    ]);
    let plain = verify(&outcome, None, Style::PLAIN);
    let colored = verify(&outcome, None, Style { color: true, ..Style::PLAIN });
    let mut stripped = String::new();
    let mut rest = colored.as_str();
    while let Some((before, after)) = rest.split_once('\x1b') {
        stripped.push_str(before);
        rest = after.split_once('m').expect("an escape ends with m").1;
    }
    assert_eq!(stripped + rest, plain);
    assert_ne!(colored, plain);
}

#[test]
fn text_from_files_cannot_steer_the_terminal() {
    let mut result = failing();
    let found = result.key_diffs.remove("attitude").expect("compared has it");
    result.key_diffs.insert("\x1b[2J".to_owned(), found);
    result.reference = "a\x07.mcap".to_owned();
    let text = diff(&result, None, Style::PLAIN);
    assert!(!text.contains(['\x1b', '\x07']), "{text:?}");
}

#[test]
fn json_comes_back_as_it_was() {
    let outcome = outcome(vec![("broken", ran(failing(), 1_100, "c++ 1"))]);
    let json = crate::json::verify(&outcome);
    assert!(json.starts_with("{\n  \"version\": 1,\n"), "{json}");
    let back: VerifyOutcome = serde_json::from_str(&json).expect("our own JSON");
    assert_eq!(back, outcome);
    let back: DiffResult = serde_json::from_str(&crate::json::diff(&failing())).expect("ours");
    assert_eq!(back, failing());
}

#[test]
fn allowed_violations() {
    let mut result = compared(Verdict::Different, 0.0314159, 20);
    let bound = |violating: u64, upper_bound: f64, passes: bool| ViolationBound {
        compared: 6_000,
        violating,
        fraction: violating as f64 / 6_000.0,
        upper_bound,
        passes,
    };
    let mut reading = Statistical {
        passes: true,
        allowed: 0.01,
        confidence: 0.95,
        keys: BTreeMap::from([
            ("attitude".to_owned(), bound(20, 0.004838, true)),
            ("/labels".to_owned(), bound(0, 0.000499, true)),
        ]),
        failures: vec![],
    };
    result.statistical = Some(reading.clone());
    let passing = diff(&result, None, Style::PLAIN);
    reading.passes = false;
    reading.keys.insert("wrong".to_owned(), bound(600, 0.1066, false));
    reading.failures.push("attitude.orientation.x: 1 length off".to_owned());
    result.statistical = Some(reading);
    let failing = diff(&result, None, Style::PLAIN);
    let head = |text: &str| text.lines().take(7).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(format!("{}\n\n{}", head(&passing), head(&failing)));
}

#[test]
fn judged_again() {
    let field = |path: &str, passes: Answer, reason: &str| FieldAnswer {
        key: "attitude".to_owned(),
        path: path.to_owned(),
        tolerance: "rel=1e-6".to_owned(),
        passes,
        reason: reason.to_owned(),
    };
    let open = || field("w", Answer::Unknown, "steps between floats were not counted");
    let finding = Finding {
        key: "imu".to_owned(),
        passes: Answer::No,
        reason: "3 messages missing".to_owned(),
    };
    let fields = vec![field("x", Answer::Yes, "the largest error is within"), open()];
    let unknown = Rejudgement { passes: Answer::Unknown, findings: vec![], fields };
    let beyond = field("y", Answer::No, "the largest error is beyond");
    let fields = vec![open(), beyond];
    let no = Rejudgement { passes: Answer::No, findings: vec![finding], fields };
    let page = |name, answer| text::rejudgement(name, answer, Style::PLAIN);
    let pages = [page("", Some(&unknown)), page("cpp", Some(&no)), page("rust", None)];
    insta::assert_snapshot!(pages.join("\n"));
}
