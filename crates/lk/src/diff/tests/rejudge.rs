//! Results judged again, held against judging anew.

use proptest::prelude::*;

use super::*;
use crate::Span;
use crate::diff::Answer::{No, Unknown, Yes};

fn xs(values: &[f64]) -> Data {
    let messages: Vec<Json> = values.iter().map(|x| json!({"x": x})).collect();
    data("float64 x", &messages)
}

/// What the comparison under one policy says about another, from its JSON.
fn rejudged(a: &Data, b: &Data, before: &[&str], after: &[&str]) -> Rejudgement {
    let result = compare(a, b, before);
    let text = serde_json::to_string(&result).unwrap();
    let read: DiffResult = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), text);
    read.rejudge(&Policy::parse_rules(after).unwrap()).unwrap()
}

#[test]
fn known_tolerances_of_known_errors() {
    // Errors of 0.5 at 2 and at 4, of 0.25 at 1.
    let (a, b) = (xs(&[2.0, 4.0, 1.0]), xs(&[2.5, 4.5, 1.25]));
    for (before, after, expected) in [
        ("1e-6", "abs=0.5", Yes),
        ("1e-6", "abs=0.499", No),
        ("exact", "rel=0.25", Yes),
        ("exact", "rel=0.249", No),
        ("exact", "rel=0.25,form=max_sym", Yes),
        ("exact", "rel=0.249,form=max_sym", Unknown),
        ("exact", "abs=0.1,rel=0.2", Unknown),
        ("abs=0.1", "abs=0.1,rel=0.2", Yes),
        ("abs=0.1,rel=0.1", "abs=0.3,rel=0.1", Yes),
        ("abs=0.1,rel=0.1", "abs=0.29,rel=0.1", No),
        ("abs=0.1,rel=0.1", "abs=0.29,rel=0.1,form=max_ref", No),
        ("abs=0.1,rel=0.1,form=max_ref", "abs=0.5,rel=0.1", Yes),
        ("abs=0.5", "exact", No),
        ("abs=0.5", "ulp=0", No),
        ("abs=0.5", "ulp=9", Unknown),
        ("ulp=4", "abs=0.5", Yes),
        ("ulp=4", "ulp=9", No),
        ("abs=1", "k.x:ignore", No),
        ("k.x:ignore", "abs=1", Unknown),
        ("abs=0.1", "k.x:angle,abs=0.5", Yes),
        ("abs=0.1", "k.x:angle,abs=0.4", Unknown),
        ("k.x:angle", "abs=0.4", No),
        ("k.x:angle", "abs=0.5", Unknown),
        ("k.x:angle", "k.x:angle,abs=0.5", Yes),
        ("range=0.1", "abs=0.5", Yes),
        ("range=0.1", "range=0.1", No),
        ("range=0.1", "range=0.2", Unknown),
        ("dtype", "abs=0.6", Yes),
    ] {
        // A field left out alone leaves the other one.
        let found = rejudged(&a, &b, &[before], &[after]);
        assert_eq!(found.passes, expected, "{before} -> {after}: {found:?}");
    }
}

#[test]
fn ulps_are_known_where_they_were_counted() {
    let (a, b) = (xs(&[1.0]), xs(&[1.0_f64.next_up().next_up()]));
    for (n, expected) in [(1, No), (2, Yes), (9, Yes)] {
        assert_eq!(rejudged(&a, &b, &["ulp=4"], &[&format!("ulp={n}")]).passes, expected);
    }
}

#[test]
fn what_no_tolerance_lets_pass_stays_a_no() {
    let side = |x: Json| data("float64 x", &[json!({"x": 1.0}), json!({"x": x})]);
    for (b, flags, expected) in [
        (json!("NaN"), "", No),
        (json!("Infinity"), "", No),
        (json!(-0.0), "", Yes),
        (json!(-0.0), ",signed_zero", No),
    ] {
        let rule = format!("abs=1e300{flags}");
        let found = rejudged(&side(json!(0.0)), &side(b.clone()), &[], &[&rule]);
        assert_eq!(found.passes, expected, "{b} {flags}");
    }
    let nan = side(json!("NaN"));
    assert_eq!(rejudged(&nan, &nan, &[], &["abs=1"]).passes, Yes);
    assert_eq!(rejudged(&nan, &nan, &[], &["abs=1,nan_equal=false"]).passes, No);
    assert_eq!(rejudged(&nan, &nan, &["abs=1,nan_equal=false"], &["abs=1"]).passes, Yes);
}

#[test]
fn an_unknown_says_which_field_leaves_it_open() {
    let side = |x: f64, y: f64| data("float64 x\nfloat64 y", &[json!({"x": x, "y": y})]);
    let (a, b) = (side(1.0, 1.0), side(1.5, 1.0));
    let found = rejudged(&a, &b, &["k.x:ignore,reason=noisy"], &["1e-6"]);
    assert_eq!(found.passes, Unknown);
    let answers: Vec<_> = found.fields.iter().map(|f| (f.path.as_str(), f.passes)).collect();
    assert_eq!(answers, [("x", Unknown), ("y", Yes)]);
    assert_eq!(found.fields[0].reason, "it was left out of the comparison");
    assert!(found.findings.is_empty());
}

#[test]
fn other_ways_to_choose_messages_and_old_results_are_unknown() {
    let a = xs(&[1.0]);
    let mut result = compare(&a, &a, &[]);
    let outputs = Policy { scope: Scope::Outputs, ..Policy::default() };
    assert_eq!(result.rejudge(&outputs).unwrap().passes, Unknown);
    let times = Policy { timestamp_tol: Span::ZERO.into(), ..Policy::default() };
    assert_eq!(result.rejudge(&times).unwrap().passes, Yes);
    result.policy = None;
    assert_eq!(result.rejudge(&times).unwrap().passes, Unknown);
}

#[test]
fn elements_that_may_meet_others_leave_every_field_unknown() {
    let side = data("float64[] v", &[json!({"v": ["NaN"]})]);
    let result = compare(&side, &side, &["k.v:unordered,abs=1", "nan_equal=false"]);
    let after = Policy::parse_rules(&["k.v:unordered,abs=1"]).unwrap();
    let found = result.rejudge(&after).unwrap();
    assert_eq!(found.passes, Unknown);
    assert!(!found.fields.is_empty());
    for field in &found.fields {
        assert_eq!(field.passes, Unknown, "{field:?}");
        assert!(field.reason.contains("unordered"), "{field:?}");
    }
}

#[test]
fn a_rule_that_matches_nothing_is_a_mistake_here_too() {
    let a = xs(&[1.0]);
    let result = compare(&a, &a, &[]);
    let error = result.rejudge(&Policy::parse_rules(&["k.z:1"]).unwrap()).unwrap_err();
    assert!(error.to_string().contains("matches no field"), "{error}");
    // A key whose fields the result doesn't have may have such a field.
    let beside = xs(&[1.0]).key("j", "float64 z").messages("j", &[json!({"z": 1.0})]);
    let result = compare(&beside, &beside, &["j:ignore,reason=later"]);
    let policy = Policy::parse_rules(&["j.z:1", "j:ignore"]).unwrap();
    assert_eq!(result.rejudge(&policy).unwrap().passes, Unknown);
}

/// Fields of every kind that a policy treats in its own way.
const MSG: &str = "float64 x\nfloat32 f\nint32 n\nuint64 u\nbool b\nstring s\nfloat64[4] q\n\
                   float64[] v\nP[] ps\nQ o\n\
                   ===\nMSG: test/P\nfloat64 x\nfloat64 y\n\
                   ===\nMSG: test/Q\nfloat64 x\nfloat64 y\nfloat64 z\nfloat64 w";

const RULES: &[&str] = &[
    "exact",
    "abs=0.25",
    "abs=0.5",
    "abs=1",
    "abs=1e300",
    "rel=0.1",
    "rel=0.5",
    "rel=1e6",
    "abs=0.1,rel=0.1",
    "abs=0.25,rel=0.5",
    "abs=0.25,rel=0.5,form=max_ref",
    "abs=0.1,rel=0.1,form=max_sym",
    "rel=0.5,form=max_sym",
    "rel=0.5,form=max_ref",
    "abs=0,form=max_sym",
    "ulp=0",
    "ulp=4",
    "ulp=4503599627370496",
    "dtype",
    "range=0.5",
    "signed_zero",
    "nan_equal=false",
    "k:ignore",
    "k.x:ignore",
    "k.x:exact",
    "k.x:abs=2",
    "k.x:angle,abs=0.25",
    "k.x:angle=deg,abs=0.5",
    "k.x:angle=deg",
    "k.f:rel=0.25",
    "k.f:ulp=8388608",
    "k.n:abs=1",
    "k.n:rel=0.5",
    "k.n:abs=1,rel=0.5,form=max_sym",
    "k.n:ignore",
    "k.u:abs=1",
    "k.u:rel=1e-16",
    "k.u:abs=4611686018427387904",
    "k.u:range=0.5",
    "k.b:ignore",
    "k.s:ignore",
    "k.v:ignore",
    "k.v:abs=4",
    "k.v:unordered,abs=1",
    "k.v[1]:abs=9",
    "k.v[*]:abs=1",
    "k.q[1]:abs=1",
    "k.q[7]:abs=1",
    "k.ps:ignore",
    "k.ps.x:ignore",
    "k.ps.y:abs=8",
    "k.ps[0].x:abs=1",
    "k.o:quaternion,abs=1",
    "k.o:quaternion,abs=4",
    "k.o:ignore",
    "k.o.x:abs=1",
    "k.q:quaternion=wxyz,abs=1",
    "k.q:quaternion=xyzw,abs=4",
    "k.q[*]:quaternion=wxyz,abs=4",
    "j:ignore",
    "j.y:abs=1",
    "j.y:ignore",
    "k.s:angle",
    "k.*:abs=1,rel=1",
    "**.x:abs=3",
    "**:ignore",
    "k.z:ignore",
    "k.extra:ignore",
];

fn policy() -> impl Strategy<Value = Policy> {
    let rules = prop::collection::vec(prop::sample::select(RULES), 0..4);
    let span = || prop::sample::select(vec![0_i64, 500, 1_000_000]).prop_map(Span::from_nanos);
    let times = (span(), span()).prop_map(|(later, earlier)| TimestampTol { later, earlier });
    (rules, times, prop::bool::weighted(0.9), prop::bool::weighted(0.8)).prop_map(
        |(rules, times, check_timestamps, nan_equal)| Policy {
            timestamp_tol: times,
            check_timestamps,
            nan_equal,
            ..Policy::parse_rules(&rules).unwrap()
        },
    )
}

/// A message and what becomes of it: the more seldom, the more there is to
/// say about the rest.
fn messages() -> impl Strategy<Value = (Json, Json)> {
    let float = || {
        prop_oneof![
            8 => prop::sample::select(vec![0.0, -0.0, 1.0, 1.25, -2.0, 4.0, 360.0, 1e-3])
                .prop_map(|v| json!(v)),
            1 => prop::sample::select(vec!["NaN", "Infinity", "-Infinity"]).prop_map(|v| json!(v)),
            1 => prop::sample::select(vec![f64::MAX, f64::MIN, 5e-324]).prop_map(|v| json!(v)),
        ]
    };
    let single = prop::sample::select(vec![0.0, -0.0, 1.0, 1.25, -2.0]).prop_map(|v| json!(v));
    let whole = prop::sample::select(vec![0, 1, (1 << 62) + 1, 1 << 62, u64::MAX]);
    let p = (float(), float()).prop_map(|(x, y)| json!({"x": x, "y": y}));
    let message = (
        (float(), single, -2..3_i32, whole, any::<bool>()),
        prop::sample::select(vec!["", "a"]),
        prop::collection::vec(float(), 4),
        prop::collection::vec(float(), 0..3),
        prop::collection::vec(p, 0..3),
        prop::collection::vec(float(), 4),
    )
        .prop_map(|((x, f, n, u, b), s, q, v, ps, o)| {
            let o = json!({"x": o[0], "y": o[1], "z": o[2], "w": o[3]});
            json!({"x": x, "f": f, "n": n, "u": u, "b": b, "s": s, "q": q, "v": v, "ps": ps, "o": o})
        })
        .boxed();
    let taken = prop::collection::vec(prop::bool::weighted(0.15), 10);
    (message.clone(), message, taken).prop_map(|(a, b, taken)| {
        let mut changed = a.clone();
        let names = ["x", "f", "n", "u", "b", "s", "q", "v", "ps", "o"];
        for (name, taken) in names.iter().zip(taken) {
            if taken {
                changed[name] = b[name].clone();
            }
        }
        (a, changed)
    })
}

/// What else may be wrong, by number: mostly nothing.
fn side(messages: &[Json], wrong: u8, shift: i64) -> Data {
    let msg = match wrong {
        1 => MSG.replace("bool b\n", "bool b\nfloat64 extra\n"),
        2 => MSG.replace("float64 x\nfloat32 f", "int64 x\nfloat32 f"),
        _ => MSG.to_owned(),
    };
    let mut data = Data::new().key("k", &msg);
    for (n, message) in messages.iter().enumerate() {
        let mut message = message.clone();
        match wrong {
            1 => message["extra"] = json!(1),
            2 => message["x"] = json!(1),
            _ => {}
        }
        // Two at one time, so that positions pair.
        data = data.at("k", 1_000 * (n as i64 / 2) + shift, message);
    }
    match wrong {
        3 => data,
        _ => data.key("j", "float64 y").messages("j", &[json!({"y": 1.0})]),
    }
}

proptest! {
    #[test]
    fn a_yes_or_a_no_is_what_judging_anew_comes_to(
        pairs in prop::collection::vec(messages(), 0..4),
        wrong in prop_oneof![8 => Just(0_u8), 1 => 1..4_u8],
        shift in prop_oneof![4 => Just(0_i64), 1 => Just(700), 1 => Just(-700)],
        before in policy(),
        after in policy(),
    ) {
        let (a, b): (Vec<Json>, Vec<Json>) = pairs.into_iter().unzip();
        let (a, b) = (side(&a, 0, 0), side(&b, wrong, shift));
        let anew = |policy: &Policy| diff(&a.dataset, &b.dataset, policy);
        let Ok(result) = anew(&before) else { return Ok(()) };
        let text = serde_json::to_string(&result).unwrap();
        let read: DiffResult = serde_json::from_str(&text).unwrap();
        let (again, anew) = match (read.rejudge(&after), anew(&after)) {
            (Ok(again), Ok(anew)) => (again, anew),
            (Ok(again), Err(error)) => {
                prop_assert_eq!(again.passes, Unknown, "{}", error);
                return Ok(());
            }
            (Err(_), Err(_)) => return Ok(()),
            (Err(error), Ok(_)) => return Err(TestCaseError::fail(error.to_string())),
        };
        let passes = matches!(anew.verdict, Verdict::Identical | Verdict::Equal);
        match again.passes {
            Yes => prop_assert!(passes, "{:?}", anew.verdict),
            No => prop_assert!(!passes, "{:?}", again),
            Unknown => {}
        }
        for answer in &again.fields {
            let paths = |result: &DiffResult| -> Option<Vec<String>> {
                let fields = &result.key_diffs.get(&answer.key)?.fields;
                Some(fields.iter().map(|f| f.path.clone()).collect())
            };
            // Elements may have been apart from their array, and not be anew.
            let Some(diff) = anew.key_diffs.get(&answer.key) else { continue };
            if paths(&read) != paths(&anew) {
                continue;
            }
            let same = diff.fields.iter().filter(|f| f.path == answer.path);
            let wrong = |f: &FieldDiff| {
                f.values.violations + f.shape_violations + f.values.missing + f.values.extra
            };
            let wrong: Vec<u64> = same.map(wrong).collect();
            let holds = match answer.passes {
                Yes => wrong.contains(&0) || wrong.is_empty(),
                No => wrong.iter().any(|n| *n > 0),
                Unknown => true,
            };
            prop_assert!(holds, "{:?}: {:?}", answer, wrong);
        }
    }

    #[test]
    fn the_policy_of_the_result_itself_is_never_unknown(
        pairs in prop::collection::vec(messages(), 1..4), policy in policy(),
    ) {
        let (a, b): (Vec<Json>, Vec<Json>) = pairs.into_iter().unzip();
        let (a, b) = (side(&a, 0, 0), side(&b, 0, 0));
        let Ok(result) = diff(&a.dataset, &b.dataset, &policy) else { return Ok(()) };
        let passes = matches!(result.verdict, Verdict::Identical | Verdict::Equal);
        let again = result.rejudge(&policy).unwrap();
        prop_assert_eq!(again.passes, if passes { Yes } else { No }, "{:?}", again);
    }
}

#[test]
fn a_policy_that_allows_violations_gets_no_answer_that_comparing_would_deny() {
    let a = xs(&[1.0; 20]);
    let mut other = [1.0; 20];
    other[7] = 2.0;
    let b = xs(&other);
    let allowing = |allowed| Policy { allowed_violations: allowed, ..Policy::default() };
    let of = |allowed| diff(&a.dataset, &b.dataset, &allowing(allowed)).unwrap();
    for (before, after, passes) in [
        (None, Some(0.5), Unknown),
        (None, None, No),
        (Some(0.5), Some(0.5), Yes),
        (Some(0.01), Some(0.01), No),
        (Some(0.01), Some(0.5), Unknown),
        (Some(0.5), None, No),
    ] {
        let found = of(before).rejudge(&allowing(after)).unwrap();
        assert_eq!(found.passes, passes, "{before:?} {after:?}: {found:?}");
    }
    // A message less is never allowed.
    let short = diff(&a.dataset, &xs(&[2.0; 19]).dataset, &Policy::default()).unwrap();
    assert_eq!(short.rejudge(&allowing(Some(0.5))).unwrap().passes, No);
}

#[test]
fn a_result_whose_counts_were_edited_is_not_judged() {
    let (a, b) = (xs(&[1.0, 2.0]), xs(&[1.0, 3.0]));
    let loose = Policy::parse_rules(&["abs=9"]).unwrap();
    let edits: [fn(&mut DiffResult); 5] = [
        |result| result.verdict = Verdict::Equal,
        |result| result.key_diffs.get_mut("k").unwrap().n_different = 0,
        |result| result.key_diffs.get_mut("k").unwrap().messages.missing = u64::MAX,
        |result| result.key_diffs.get_mut("k").unwrap().fields[0].values.violations = 0,
        |result| result.key_diffs.get_mut("k").unwrap().fields[0].values.extra = u64::MAX,
    ];
    for (n, edit) in edits.into_iter().enumerate() {
        let mut result = compare(&a, &b, &[]);
        edit(&mut result);
        assert_eq!(result.rejudge(&Policy::default()).unwrap().passes, Unknown, "{n}");
        assert_eq!(result.rejudge(&loose).unwrap().passes, Unknown, "{n}");
    }
}

/// Every value in a piece of JSON, by its place.
fn places(value: &Json, at: &str, found: &mut Vec<String>) {
    let below: Vec<(String, &Json)> = match value {
        Json::Object(map) => map.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Json::Array(all) => all.iter().enumerate().map(|(n, v)| (n.to_string(), v)).collect(),
        _ => Vec::new(),
    };
    found.push(at.to_owned());
    for (key, value) in below {
        let key = key.replace('~', "~0").replace('/', "~1");
        places(value, &format!("{at}/{key}"), found);
    }
}

#[test]
fn a_result_that_was_edited_anywhere_is_never_judged_wrongly() {
    let (a, b) = (xs(&[1.0, 2.0, 4.0]), xs(&[1.0, 2.5, 4.5]));
    let before = "abs=0.1,rel=0.05";
    let whole = serde_json::to_value(compare(&a, &b, &[before])).unwrap();
    let policies = [before, "abs=0.3,rel=0.05", "abs=0.1,rel=0.3", "abs=0.5", "exact", "ulp=4"];
    let policies = policies.map(|rule| Policy::parse_rules(&[rule]).unwrap());
    let truth = policies.each_ref().map(|policy| diff(&a.dataset, &b.dataset, policy).unwrap());
    let mut all = Vec::new();
    places(&whole, "", &mut all);
    let mut read = 0;
    for place in &all {
        for new in [json!(null), json!(0), json!(1), json!(0.01), json!("exact"), json!([])] {
            let mut edited = whole.clone();
            *edited.pointer_mut(place).unwrap() = new.clone();
            let Ok(result) = serde_json::from_value::<DiffResult>(edited) else { continue };
            read += 1;
            for (policy, truth) in policies.iter().zip(&truth) {
                let Ok(again) = result.rejudge(policy) else { continue };
                let right = match again.passes {
                    Yes => truth.passes(),
                    No => !truth.passes(),
                    Unknown => true,
                };
                assert!(right, "{place} = {new}: {again:?}");
            }
        }
    }
    assert!(read > 100, "{read} of {} edits can be read", all.len());
}

#[test]
fn edits_that_agree_with_each_other_are_noticed() {
    let (a, b) = (xs(&[1.0, 2.0]), xs(&[1.0, 3.0]));
    let loose = Policy::parse_rules(&["abs=0.5"]).unwrap();
    let field = |result: &mut DiffResult, edit: fn(&mut FieldDiff)| {
        edit(&mut result.key_diffs.get_mut("k").unwrap().fields[0]);
    };
    let edits: [fn(&mut FieldDiff); 3] = [
        |field| (field.error, field.histogram) = (None, None),
        |field| field.error.as_mut().unwrap().max = 0.0,
        |field| {
            let error = field.error.as_mut().unwrap();
            (error.max, error.passing_abs) = (0.25, Some(0.25));
        },
    ];
    let untouched = compare(&a, &b, &[]);
    assert_eq!(untouched.rejudge(&loose).unwrap().passes, No);
    for (n, edit) in edits.into_iter().enumerate() {
        let mut result = untouched.clone();
        field(&mut result, edit);
        assert_eq!(result.rejudge(&loose).unwrap().passes, Unknown, "{n}");
    }
    // What says where the datasets are, or is prose, decides nothing.
    let mut moved = untouched.clone();
    moved.candidate = "elsewhere".to_owned();
    moved.notes.push("a remark".to_owned());
    assert_eq!(moved.rejudge(&loose).unwrap().passes, No);
}

#[test]
fn a_result_of_another_version_is_not_judged() {
    let a = xs(&[1.0]);
    for version in [0, REPORT_VERSION + 1] {
        let mut result = compare(&a, &a, &[]);
        result.version = version;
        result.seal = result.sealed();
        let again = result.rejudge(&Policy::default()).unwrap();
        assert_eq!(again.passes, Unknown);
        assert!(again.findings[0].reason.contains(&format!("version {version}")), "{again:?}");
    }
}
