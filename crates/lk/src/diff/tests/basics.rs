//! Verdicts, and what is said about each kind of difference.

use super::*;

#[test]
fn the_same_is_identical() {
    let a =
        data("float64 x\nstring s", &[json!({"x": 1.5, "s": "a"}), json!({"x": "NaN", "s": ""})]);
    let result = compare(&a, &a, &[]);
    assert_eq!(result.verdict, Verdict::Identical);
    assert_eq!(result.first_divergence, None);
    let diff = &result.key_diffs["k"];
    assert_eq!((diff.messages.compared, diff.messages.undecoded), (2, 2));
    assert_eq!(diff.alignment, Alignment::Time);
    let x = field(&result, "x");
    assert_eq!((x.values.compared, x.values.bit_equal, x.values.nan_reference), (2, 2, 1));
}

#[test]
fn within_tolerance_is_equal_and_beyond_is_different() {
    let a = data("float64 x", &[json!({"x": 1.0}), json!({"x": 2.0})]);
    let b = data("float64 x", &[json!({"x": 1.0}), json!({"x": 2.25})]);
    assert_eq!(compare(&a, &b, &["0.5"]).verdict, Verdict::Equal);
    let result = compare(&a, &b, &[]);
    assert_eq!(result.verdict, Verdict::Different);
    let divergence = result.first_divergence.unwrap();
    assert_eq!((divergence.key.as_str(), divergence.mismatch.path.as_str()), ("k", "x"));
    assert_eq!(divergence.mismatch.index, 1);
    assert_eq!(divergence.mismatch.time, Time::from_nanos(2_000));
    assert_eq!(divergence.mismatch.error, Some(0.25));
    assert_eq!(divergence.mismatch.tolerance, "abs=1e-6");
}
