//! Tolerances that are a fraction of what the reference ranges over.

use super::*;

fn xs(values: &[f64]) -> Data {
    let messages: Vec<Json> = values.iter().map(|x| json!({"x": x})).collect();
    data("float64 x", &messages)
}

fn verdict(a: &[f64], b: &[f64]) -> (Verdict, String) {
    let result = compare(&xs(a), &xs(b), &["k.x:range=0.01"]);
    (result.verdict, field(&result, "x").tolerance.clone())
}

#[test]
fn the_bound_is_a_fraction_of_the_references_range_and_is_said() {
    let text = "range=0.01 (= 0.035)".to_owned();
    let a = [-1.0, 2.5, 0.0];
    assert_eq!(verdict(&a, &[-1.0, 2.5, 0.03]), (Verdict::Equal, text.clone()));
    assert_eq!(verdict(&a, &[-1.0, 2.5, 0.04]), (Verdict::Different, text.clone()));
    // What the candidate ranges over has no say.
    assert_eq!(verdict(&a, &[-1.0, 2.5, 1e9]), (Verdict::Different, text.clone()));
    // A message without a partner is one of the reference's, too.
    assert_eq!(verdict(&[-1.0, 0.0, 2.5], &[-1.0, 0.03]).1, text);
}

#[test]
fn a_field_that_never_changes_is_exact_and_that_is_said() {
    let text = "range=0.01 (exact: constant in the reference)".to_owned();
    assert_eq!(verdict(&[5.0, 5.0], &[5.0, 5.0]), (Verdict::Identical, text.clone()));
    assert_eq!(verdict(&[5.0, 5.0], &[5.0, 5.0_f64.next_up()]), (Verdict::Different, text));
    assert_eq!(verdict(&[], &[]).1, "range=0.01 (exact: no finite value in the reference)");
}

#[test]
fn only_finite_values_make_a_range_and_it_never_overflows() {
    let of = |values: &[Json], rule: &str| {
        let messages: Vec<Json> = values.iter().map(|x| json!({"x": x})).collect();
        let side = data("float32 x", &messages);
        field(&compare(&side, &side, &[rule]), "x").tolerance.clone()
    };
    let special = [json!("NaN"), json!(1), json!("Infinity"), json!(3), json!("-Infinity")];
    assert_eq!(of(&special, "k.x:range=0.5"), "range=0.5 (= 1.0)");
    assert_eq!(of(&special, "range=0.5,nan_equal=false"), "range=0.5 (= 1.0),nan_equal=false");
    let none = "range=0.5 (exact: no finite value in the reference)";
    assert_eq!(of(&special[..1], "k.x:range=0.5"), none);
    assert_eq!(verdict(&[-1.7e308, 1.7e308], &[-1.7e308, 1.7e308]).0, Verdict::Identical);
}

#[test]
fn integers_have_ranges_only_where_a_rule_names_them() {
    let side =
        |n: u64| data("uint64 n", &[json!({"n": 0}), json!({"n": u64::MAX}), json!({"n": n})]);
    let tolerance = |rule: &str, n: u64| {
        let result = compare(&side(0), &side(n), &[rule]);
        (result.verdict, field(&result, "n").tolerance.clone())
    };
    let (verdict, text) = tolerance("k.n:range=0.5", 1 << 63);
    assert_eq!((verdict, text.as_str()), (Verdict::Equal, "range=0.5 (= 9.223372036854776e18)"));
    assert_eq!(tolerance("k.n:range=0.25", 1 << 63).0, Verdict::Different);
    assert_eq!(tolerance("range=0.5", 1), (Verdict::Different, "exact".to_owned()));
}

#[test]
fn elements_share_a_range_but_for_those_with_rules_of_their_own() {
    let msg = "float64[2] v\nP[] ps\n===\nMSG: test/P\nfloat64 x\nstring s";
    let message =
        |v: [f64; 2], x: f64| json!({"v": v, "ps": [{"x": x, "s": "a"}, {"x": 0, "s": "b"}]});
    let side = data(msg, &[message([0.0, 10.0], 4.0), message([2.0, 11.0], -4.0)]);
    let rules = ["range=0.5", "k.v[1]:range=0.5,reason=apart"];
    let result = compare(&side, &side, &rules);
    let tolerance = |path: &str| field(&result, path).tolerance.clone();
    assert_eq!(tolerance("v[*]"), "range=0.5 (= 1.0)");
    assert_eq!(tolerance("v[1]"), "range=0.5 (= 0.5)");
    assert_eq!(tolerance("ps[*].x"), "range=0.5 (= 4.0)");
}

#[test]
fn ranges_are_found_where_schemas_differ_and_payloads_are_broken() {
    let a = data("float64 x\nint8 gone", &[json!({"x": 0, "gone": 1}), json!({"x": 8, "gone": 1})]);
    let a = a.raw("k", 9_000, &[0, 1, 0, 0, 1]);
    let b =
        data("string more\nfloat64 x", &[json!({"more": "", "x": 1}), json!({"more": "", "x": 8})]);
    let b = b.raw("k", 9_000, &[0, 1, 0, 0, 1]);
    let result = compare(&a, &b, &["k.x:range=0.125"]);
    assert_eq!(field(&result, "x").tolerance, "range=0.125 (= 1.0)");
    assert_eq!((field(&result, "x").values.within, result.key_diffs["k"].messages.errors), (1, 1));
}
