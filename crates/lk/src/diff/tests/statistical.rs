//! Violations that a policy allows for a fraction of messages.

use super::*;

const FEW: usize = 1_000;

/// `n` messages of which every hundredth is `wrong`.
fn side(wrong: &Json) -> Data {
    let messages: Vec<Json> = (0..FEW)
        .map(|n| if n % 100 == 7 { wrong.clone() } else { json!({"x": n, "v": [1, 2]}) })
        .collect();
    data("float64 x\nfloat64[] v", &messages)
}

fn reading(wrong: &Json, allowed: f64, rules: &[&str]) -> (Verdict, Statistical) {
    let policy =
        Policy { allowed_violations: Some(allowed), ..Policy::parse_rules(rules).unwrap() };
    let a = side(&json!({"x": 7, "v": [1, 2]}));
    let result = diff(&a.dataset, &side(wrong).dataset, &policy).unwrap();
    assert_adds_up(&result);
    // As text, since NaN in the evidence equals nothing.
    let text = serde_json::to_string(&result).unwrap();
    let read: DiffResult = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), text);
    let reading = result.statistical.clone().unwrap();
    let plainly = matches!(result.verdict, Verdict::Identical | Verdict::Equal);
    assert_eq!(result.passes(), plainly || reading.passes);
    assert!(!plainly || reading.passes, "what passes plainly passes");
    (result.verdict, reading)
}

#[test]
fn the_bound_and_not_the_fraction_has_to_be_allowed() {
    // 10 of 1,000, so at most 1.69 % with 95 % confidence.
    let wrong = json!({"x": 8, "v": [1, 2]});
    for (allowed, passes) in [(0.01, false), (0.0169, false), (0.0170, true), (0.5, true)] {
        let (verdict, reading) = reading(&wrong, allowed, &[]);
        assert_eq!((verdict, reading.passes), (Verdict::Different, passes), "{allowed}");
        let bound = reading.keys["k"];
        assert_eq!((bound.compared, bound.violating, bound.fraction), (1_000, 10, 0.01));
        assert!((bound.upper_bound - 0.01690).abs() < 1e-4, "{}", bound.upper_bound);
        assert!(reading.failures.is_empty());
    }
}

#[test]
fn nothing_but_values_outside_of_tolerance_is_ever_allowed() {
    for (wrong, failure) in [
        (json!({"x": "NaN", "v": [1, 2]}), "k.x: 10 values NaN or infinite on one side alone"),
        (json!({"x": 7, "v": [1]}), "k.v[*]: 10 lengths off"),
    ] {
        let (verdict, reading) = reading(&wrong, 0.9, &[]);
        assert_eq!((verdict, reading.passes), (Verdict::Different, false));
        assert_eq!(reading.failures, [failure]);
    }
    let policy = Policy { allowed_violations: Some(0.9), ..Policy::default() };
    let failures = |a: &Data, b: &Data| {
        let result = diff(&a.dataset, &b.dataset, &policy).unwrap();
        assert!(!result.passes());
        result.statistical.unwrap().failures
    };
    let one = || data("float64 x", &[json!({"x": 1})]);
    let two = data("float64 x", &[json!({"x": 1}), json!({"x": 2})]);
    assert_eq!(failures(&two, &one()), ["k: 1 message missing"]);
    let other = data("float64 x\nint32 n", &[json!({"x": 1, "n": 1})]);
    assert_eq!(failures(&one(), &other)[0], "k: 1 difference of types");
    let extra = one().key("j", "float64 y").messages("j", &[json!({"y": 1})]);
    assert_eq!(failures(&one(), &extra), ["j: extra"]);
    let late = Data::new().key("k", "float64 x").at("k", 9_000_000, json!({"x": 1}));
    assert_eq!(failures(&one(), &late), ["k: 1 time off"]);
}

#[test]
fn known_differences_take_nothing_of_what_is_allowed() {
    let of = |a: &Data, b: &Data, known: Json| {
        let policy = Policy {
            allowed_violations: Some(0.9),
            ..serde_json::from_value(json!({"known_differences": known})).unwrap()
        };
        let result = diff(&a.dataset, &b.dataset, &policy).unwrap();
        let reading = result.statistical.clone().unwrap();
        assert_eq!(result.passes(), reading.failures.is_empty(), "{reading:?}");
        reading.failures
    };
    let known = |of: &str, kind: &str| json!([{"match": of, "kind": kind, "reason": "why"}]);
    let right = json!({"x": 7, "v": [1, 2]});
    for (wrong, kind, other) in [
        (json!({"x": "NaN", "v": [1, 2]}), "nan", "infinity"),
        (json!({"x": "Infinity", "v": [1, 2]}), "infinity", "nan"),
    ] {
        let both = json!([
            {"match": "k.x", "kind": other, "at_least": 0, "reason": "why"},
        ]);
        assert_eq!(of(&side(&right), &side(&wrong), known("k.x", kind)), [""; 0]);
        let failure = "k.x: 10 values NaN or infinite on one side alone";
        assert_eq!(of(&side(&right), &side(&wrong), both), [failure]);
    }
    let shorter = side(&json!({"x": 7, "v": [1]}));
    assert_eq!(of(&side(&right), &shorter, known("k.v", "length")), [""; 0]);

    let messages = |n: usize| data("float64 x", &vec![json!({"x": 1}); n]);
    assert_eq!(of(&messages(3), &messages(2), known("k", "missing")), [""; 0]);
    assert_eq!(of(&messages(2), &messages(3), known("k", "extra")), [""; 0]);
    let typed = data("float64 x\nint32 n", &[json!({"x": 1, "n": 1})]);
    assert_eq!(of(&messages(1), &typed, known("k.n", "schema")), [""; 0]);
    let more = || messages(1).key("j", "float64 y").messages("j", &[json!({"y": 1.0})]);
    assert_eq!(of(&more(), &messages(1), known("j", "missing")), [""; 0]);
    assert_eq!(of(&messages(1), &more(), known("j", "extra")), [""; 0]);
    let late = Data::new().key("k", "float64 x").at("k", 9_000_000, json!({"x": 1}));
    assert_eq!(of(&messages(1), &late, known("k", "time")), [""; 0]);
    // One that is gone fails, whatever is allowed.
    let gone = of(&messages(1), &messages(1), known("k", "time"));
    assert_eq!(gone, ["known differences are not as asserted"]);
}

#[test]
fn what_is_equal_passes_however_few_messages_there_are() {
    let policy = Policy { allowed_violations: Some(0.01), ..Policy::default() };
    let one = data("float64 x", &[json!({"x": 1})]);
    let reading = diff(&one.dataset, &one.dataset, &policy).unwrap().statistical.unwrap();
    assert!(reading.passes);
    // And yet one message says little of all.
    assert!((reading.keys["k"].upper_bound - 0.95).abs() < 1e-12);
    assert_eq!(diff(&one.dataset, &one.dataset, &Policy::default()).unwrap().statistical, None);
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let one = data("float64 x", &[json!({"x": 1})]);
    for (allowed, confidence) in
        [(-0.1, 0.95), (1.0, 0.95), (f64::NAN, 0.95), (0.1, 0.0), (0.1, 1.0), (0.1, f64::NAN)]
    {
        let policy = Policy { allowed_violations: Some(allowed), confidence, ..Policy::default() };
        assert!(diff(&one.dataset, &one.dataset, &policy).is_err(), "{allowed} {confidence}");
    }
}
