//! Candidates that are late, and those that only look like it.

use super::*;

const STEP: i64 = 10_000_000;

/// Something that never repeats.
fn signal(n: usize) -> f64 {
    let n = n as f64;
    (n * 0.37).sin() + 0.5 * (n * 0.11).cos() + (n * 0.013).sin()
}

/// Messages at 100 Hz from time 0, late by `late` nanoseconds.
fn series(msg: &str, late: i64, messages: impl Iterator<Item = Json>) -> Data {
    let empty = Data::new().key("k", msg);
    messages
        .enumerate()
        .fold(empty, |data, (n, message)| data.at("k", STEP * n as i64 + late, message))
}

fn value_lag(a: &Data, b: &Data, rules: &[&str]) -> Option<ValueLag> {
    compare(a, b, rules).key_diffs["k"].value_lag.clone()
}

#[test]
fn a_lag_in_messages_is_found_with_its_time_and_fields() {
    let make = |late: usize, len: usize| {
        let value = |n: usize| {
            json!({"x": signal(n + 70 - late), "same": signal(n), "v": [
            signal(n + 170 - late), 2.0 * signal(n + 270 - late)]})
        };
        series("float64 same\nfloat64 x\nfloat32[] v", 0, (0..len).map(value))
    };
    for late in [1, 2, 7, 64] {
        let lag = value_lag(&make(0, 300), &make(late, 300), &[]).unwrap();
        assert_eq!((lag.messages, lag.span.as_nanos()), (late as i64, STEP * late as i64));
        assert_eq!(lag.fields, ["x", "v[*]"]);
        assert_eq!(lag.violations, lag.vanish);
        assert!(lag.violations > 500, "{lag:?}");
        let lead = value_lag(&make(late, 300), &make(0, 300), &[]).unwrap();
        assert_eq!((lead.messages, lead.span.as_nanos()), (-(late as i64), -STEP * late as i64));
    }
    assert_eq!(value_lag(&make(0, 100), &make(0, 100), &[]), None);
    // Beyond what is looked for.
    assert_eq!(value_lag(&make(0, 400), &make(65, 400), &[]), None);
}

#[test]
fn a_lag_from_somewhere_on_is_found_where_it_begins() {
    let make = |late: usize| {
        let value = move |n: usize| json!({"x": signal(if n < 5_000 { n } else { n - late })});
        series("float64 x", 0, (0..5_300).map(value))
    };
    let lag = value_lag(&make(0), &make(3), &[]).unwrap();
    assert_eq!((lag.messages, lag.violations, lag.vanish), (3, 300, 300));
}

#[test]
fn rotations_and_angles_lag_as_numbers_do() {
    let make = |late: usize| {
        let value = |n: usize| {
            let angle = 0.3 * (n + 9 - late) as f64;
            let (s, c) = (angle / 2.0).sin_cos();
            // The sign of a quaternion says nothing, nor does a whole turn.
            let sign = if n % 2 == late % 2 { 1.0 } else { -1.0 };
            json!({"yaw": angle.sin().atan2(angle.cos()), "q": [sign * c, 0.0, 0.0, sign * s]})
        };
        series("float64 yaw\nfloat64[4] q", 0, (0..200).map(value))
    };
    let rules = ["k.yaw:angle,abs=1e-6", "k.q:quaternion=wxyz,abs=1e-6"];
    let lag = value_lag(&make(0), &make(4), &rules).unwrap();
    assert_eq!((lag.messages, lag.fields), (4, vec!["yaw".to_owned(), "q".to_owned()]));
}

#[test]
fn what_is_wrong_otherwise_is_no_lag() {
    let float = |x: f64| if x.is_nan() { json!("NaN") } else { json!(x) };
    let make = |f: &dyn Fn(usize) -> f64| {
        series("float64 x", 0, (0..300).map(|n| json!({"x": float(f(n))})))
    };
    let a = make(&signal);
    let step = make(&|n| if n < 250 { 0.0 } else { 1.0 });
    for (what, a, b) in [
        ("noise", &a, make(&|n| signal(n) + 0.01 * ((n * n) as f64).sin())),
        ("bias", &a, make(&|n| signal(n) + 0.5)),
        ("gain", &a, make(&|n| signal(n) * 1.01)),
        ("sign", &a, make(&|n| -signal(n))),
        ("stuck", &a, make(&|n| signal(n.min(100)))),
        ("no step at the end", &step, make(&|_| 0.0)),
        ("NaN", &a, make(&|_| f64::NAN)),
    ] {
        assert_eq!(value_lag(a, &b, &[]), None, "{what}");
    }
    let late = make(&|n| if n < 253 { 0.0 } else { 1.0 });
    assert_eq!(value_lag(&step, &late, &[]).unwrap().messages, 3);
}

#[test]
fn a_lag_of_times_is_found_where_messages_pair_otherwise() {
    let make = |late: i64| series("float64 x", late, (0..100).map(|n| json!({"x": signal(n)})));
    let result = compare(&make(0), &make(20_000_003), &[]);
    let diff = &result.key_diffs["k"];
    assert_eq!(diff.alignment, Alignment::Index, "no time is common");
    let lag = diff.time_lag.unwrap();
    assert_eq!((lag.span.as_nanos(), lag.violations, lag.vanish), (20_000_003, 100, 100));
    assert!(diff.value_lag.is_none() && result.verdict == Verdict::Different, "never taken off");
    let early = compare(&make(20_000_003), &make(0), &[]);
    assert_eq!(early.key_diffs["k"].time_lag.unwrap().span.as_nanos(), -20_000_003);
    // Nothing is wrong with these.
    assert_eq!(compare(&make(0), &make(999), &[]).key_diffs["k"].time_lag, None);
}

#[test]
fn a_lag_of_times_is_found_where_nothing_pairs_at_all() {
    let make = |late: i64| series("float64 x", late, (0..100).map(|n| json!({"x": signal(n)})));
    let policy = Policy { align: AlignBy::Time, ..Policy::default() };
    let result = diff(&make(0).dataset, &make(3_000_000).dataset, &policy).unwrap();
    assert_eq!(result.verdict, Verdict::Incomparable);
    assert_eq!(result.key_diffs["k"].time_lag.unwrap().span.as_nanos(), 3_000_000);
}

#[test]
fn times_that_jitter_do_not_lag() {
    let jitter = |n: i64| (n * n * 7_919 % 11 - 5) * 1_500_000;
    let make = |jitters: bool| {
        (0..100).fold(Data::new().key("k", "float64 x"), |data, n| {
            let by = if jitters { jitter(n) } else { 1 };
            data.at("k", 50_000_000 * n + by, json!({"x": 1.0}))
        })
    };
    let policy = Policy { align: AlignBy::Index, ..Policy::default() };
    let result = diff(&make(false).dataset, &make(true).dataset, &policy).unwrap();
    assert!(result.key_diffs["k"].timestamps.violations > 50);
    assert_eq!(result.key_diffs["k"].time_lag, None);
}

#[test]
fn the_first_divergence_and_the_lag_say_the_same() {
    let make = |late: usize, wrong: usize| {
        let value = |n: usize| {
            let v = signal(n + 70 - late);
            // What a look at the next few messages takes for another lag.
            let x = if n < wrong { signal(n + 70 - 2 * late) } else { v };
            json!({"v": [0.0, x]})
        };
        series("float64[] v", 0, (0..2_000).map(value))
    };
    for (late, text) in [(1, "lags by 1 message,"), (3, "lags by 3 messages,")] {
        for wrong in [0, 80, 250] {
            let result = compare(&make(0, 0), &make(late, wrong), &[]);
            let lag = result.key_diffs["k"].value_lag.clone().unwrap();
            assert_eq!(lag.messages, late as i64);
            let cause = result.first_divergence.unwrap().cause.unwrap();
            assert_eq!(cause.kind, CauseKind::Lag);
            assert!(cause.text.contains(&format!("the candidate {text}")), "{}", cause.text);
        }
    }
    let lead = compare(&make(2, 0), &make(0, 0), &[]);
    let cause = lead.first_divergence.unwrap().cause.unwrap();
    assert!(cause.text.contains("the candidate leads by 2 messages,"), "{}", cause.text);
}
