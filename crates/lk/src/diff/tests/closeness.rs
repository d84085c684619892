//! Closeness other than by a plain difference, through whole datasets.

use super::*;
use crate::Error;

fn x(value: impl Into<Json>) -> Json {
    json!({ "x": value.into() })
}

fn one(msg: &str, a: impl Into<Json>, b: impl Into<Json>, rules: &[&str]) -> DiffResult {
    compare(&data(msg, &[x(a)]), &data(msg, &[x(b)]), rules)
}

fn policy_error(msg: &str, message: Json, rule: &str) -> String {
    let data = data(msg, &[message]);
    let policy = Policy::parse_rules(&[rule]).unwrap();
    match diff(&data.dataset, &data.dataset, &policy) {
        Err(error @ Error::Policy { .. }) => error.to_string(),
        other => panic!("{rule} on {msg}: {other:?}"),
    }
}

#[test]
fn forms_steps_and_the_dtype_table_decide_by_rule() {
    use Verdict::{Different, Equal};
    let up32 = |steps| f64::from(f32::from_bits(1.0_f32.to_bits() + steps));
    for (msg, a, b, rule, verdict) in [
        ("float64 x", 10.0, 11.5, "k.x:abs=0.5,rel=0.1", Equal),
        ("float64 x", 10.0, 11.5, "k.x:abs=0.5,rel=0.1,form=max_ref", Different),
        ("float64 x", 9.9, 11.0, "k.x:rel=0.1,form=max_ref", Different),
        ("float64 x", 9.9, 11.0, "k.x:rel=0.1,form=max_sym", Equal),
        ("float32 x", 1.0, up32(4), "k.x:ulp=4", Equal),
        ("float32 x", 1.0, up32(5), "k.x:ulp=4", Different),
        ("float64 x", 1.0, up32(1), "k.x:ulp=4", Different),
        ("float32 x", 1.0, 1.000_011, "dtype", Equal),
        ("float64 x", 1.0, 1.000_011, "dtype", Different),
        ("float64 x", 1.0, 1.000_000_15, "dtype", Equal),
    ] {
        let result = one(msg, a, b, &[rule]);
        assert_eq!(result.verdict, verdict, "{msg}: {a} against {b} by {rule}");
        let passing = field(&result, "x").error.unwrap().passing_abs;
        assert_eq!(passing.is_none(), rule.contains("ulp"), "{rule}");
    }
}

#[test]
fn a_policy_can_go_by_the_width_where_no_rule_decides() {
    let policy: Policy = serde_json::from_str(r#"{"policy": "dtype"}"#).unwrap();
    let msg = "float32 x\nfloat64 y\nint32 n";
    let data = data(msg, &[json!({"x": 1.0, "y": 1.0, "n": 1})]);
    let result = diff(&data.dataset, &data.dataset, &policy).unwrap();
    let texts = ["x", "y", "n"].map(|path| field(&result, path).tolerance.clone());
    assert_eq!(texts, ["abs=1e-5,rel=1.3e-6", "abs=1e-7,rel=1e-7", "exact"]);
}

#[test]
fn the_sign_of_zero_is_a_violation_only_where_a_rule_says_so() {
    for len in [1, 3, 40] {
        let (mut a, b) = (vec![json!(0.0); len], vec![json!(0.0); len]);
        a[len - 1] = json!(-0.0);
        let (msg, a, b) = ("float32[] x", x(a), x(b));
        let (a, b) = (data(msg, &[a]), data(msg, &[b]));
        assert_eq!(compare(&a, &b, &["1"]).verdict, Verdict::Equal);
        let result = compare(&a, &b, &["1", "**:signed_zero"]);
        assert_eq!(result.verdict, Verdict::Different);
        let mismatch = &result.key_diffs["k"].mismatches[0];
        assert_eq!(mismatch.path, format!("x[{}]", len - 1));
        assert_eq!(
            (mismatch.error, mismatch.tolerance.as_str()),
            (Some(0.0), "abs=1.0,signed_zero")
        );
        let found = field(&result, "x[*]");
        assert_eq!((found.values.equal, found.values.violations), (len as u64 - 1, 1));
        assert_eq!(found.error.unwrap().passing_abs, None);
    }
}

#[test]
fn angles_compare_around_the_turn() {
    use std::f64::consts::PI;
    let msg = "float64 x\nstring s";
    let at = |x: f64| json!({"x": x, "s": "a"});
    let a = data(msg, &[at(PI), at(0.0), at(1.0)]);
    let b = data(msg, &[at(-PI), at(2.0 * PI - 0.25), at(1.0)]);
    let result = compare(&a, &b, &["k.x:angle,abs=0.5"]);
    assert_eq!(result.verdict, Verdict::Equal);
    let found = field(&result, "x");
    assert_eq!((found.values.equal, found.values.within), (1, 2));
    assert_eq!(found.tolerance, "angle,abs=0.5");
    let error = found.error.unwrap();
    assert!((error.max - 0.25).abs() < 1e-15 && error.passing_abs == Some(error.max));
    let result = compare(&a, &b, &["k.x:angle,abs=0.1"]);
    let mismatch = &result.key_diffs["k"].mismatches[0];
    assert_eq!((mismatch.index, mismatch.error), (1, Some(error.max)));
    assert_eq!(one("float64 x", 179.5, -179.5, &["k.x:angle=deg,abs=1"]).verdict, Verdict::Equal);
    assert_eq!(one("float64 x", 179.5, -179.5, &["k.x:abs=1"]).verdict, Verdict::Different);
}

#[test]
fn an_angle_that_can_be_none_is_an_error_with_rule_and_field() {
    for (msg, message) in [
        ("string s", json!({"s": "a"})),
        ("int32 s", json!({"s": 1})),
        ("bool[] s", json!({"s": [true]})),
        ("float64 x\nstring s", json!({"x": 1.0, "s": "a"})),
    ] {
        for rule in ["k.s:angle", "k:angle,abs=1.0"] {
            let error = policy_error(msg, message.clone(), rule);
            assert!(error.contains(rule) && error.contains("`k.s"), "{error}");
            assert!(error.contains("angles are floats"), "{error}");
        }
    }
    // What a later rule decides is not what it means.
    let log = data("float64 x\nstring s", &[json!({"x": 1.0, "s": "a"})]);
    assert_eq!(compare(&log, &log, &["k:angle", "k.s:exact"]).verdict, Verdict::Identical);
    // A candidate of another type is a difference, no mistake in the policy.
    let (a, b) = (data("float64 x", &[x(1.0)]), data("string x", &[x("a")]));
    let (a, b) = (a.key("j", "bool y").messages("j", &[json!({"y": true})]), b);
    let b = b.key("j", "bool y").messages("j", &[json!({"y": true})]);
    assert_eq!(compare(&a, &b, &["k.x:angle"]).verdict, Verdict::Different);
}

#[test]
fn what_means_something_for_floats_alone_is_an_error_elsewhere() {
    for rule in ["k.n:ulp=4", "k.n:signed_zero", "k.s:nan_equal=false"] {
        let error = policy_error("int32 n\nstring s", json!({"n": 1, "s": "a"}), rule);
        assert!(error.contains(rule) && error.contains("covers no float"), "{error}");
    }
}
