//! Verdicts, values of each type, messages without a partner.

use super::*;

fn x(value: impl Into<Json>) -> Json {
    json!({ "x": value.into() })
}

#[test]
fn the_same_is_identical() {
    let messages = [json!({"x": 1.5, "s": "a"}), json!({"x": "NaN", "s": ""})];
    let a = data("float64 x\nstring s", &messages);
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
    let a = data("float64 x", &[x(1.0), x(2.0)]);
    let b = data("float64 x", &[x(1.0), x(2.25)]);
    assert_eq!(compare(&a, &b, &["0.5"]).verdict, Verdict::Equal);
    let result = compare(&a, &b, &[]);
    assert_eq!(result.verdict, Verdict::Different);
    let divergence = result.first_divergence.unwrap();
    assert_eq!((divergence.key.as_str(), divergence.mismatch.path.as_str()), ("k", "x"));
    assert_eq!(divergence.mismatch.index, 1);
    assert_eq!(divergence.mismatch.time, Time::from_nanos(2_000));
    assert_eq!(divergence.mismatch.error, Some(0.25));
    assert_eq!(divergence.mismatch.tolerance, "abs=1e-6");
    assert_eq!(result.key_diffs["k"].max_error, Some(0.25));
    assert_eq!(result.key_diffs["k"].mean_error, Some(0.125));
}

/// Compares one message with another in field `x`; the kind of the mismatch,
/// if any, and the verdict.
fn check(msg: &str, a: Json, b: Json, rules: &[&str], expected: Result<Verdict, MismatchKind>) {
    let result = compare(&data(msg, &[json!({ "x": a })]), &data(msg, &[json!({ "x": b })]), rules);
    let found = match result.first_divergence {
        Some(divergence) => {
            assert_eq!(result.verdict, Verdict::Different);
            assert!(divergence.mismatch.path.starts_with('x'), "{}", divergence.mismatch.path);
            Err(divergence.mismatch.kind)
        }
        None => Ok(result.verdict),
    };
    assert_eq!(found, expected, "{msg}: {a} against {b} with {rules:?}");
}

#[test]
fn floats_compare_by_tolerance_and_zero_equals_negative_zero() {
    use Verdict::{Equal, Identical};
    let value = Err(MismatchKind::Value);
    for msg in ["float64 x", "float32 x"] {
        check(msg, json!(1.0), json!(1.0), &["exact"], Ok(Identical));
        check(msg, json!(0.0), json!(-0.0), &["exact"], Ok(Equal));
        check(msg, json!(1.0), json!(-1.0), &[], value);
        check(msg, json!(10.0), json!(11.0), &["rel=0.1"], Ok(Equal));
        check(msg, json!(10.0), json!(11.5), &["rel=0.1"], value);
        check(msg, json!(10.0), json!(11.5), &["abs=0.5,rel=0.1"], Ok(Equal));
    }
    check("float64 x", json!(1.0), json!(1.0_f64.next_up()), &[], Ok(Equal));
    check("float64 x", json!(1.0), json!(1.0_f64.next_up()), &["exact"], value);
    check("float32 x", json!(1.0), json!(1.0_f32.next_up()), &["1e-7"], value);
}

#[test]
fn nan_and_infinity_equal_only_themselves() {
    let (nan, inf) = (Err(MismatchKind::Nan), Err(MismatchKind::Infinity));
    let huge = ["abs=1e300,rel=1e300"];
    for msg in ["float64 x", "float32 x"] {
        check(msg, json!("NaN"), json!("NaN"), &["exact"], Ok(Verdict::Identical));
        check(msg, json!("NaN"), json!("NaN"), &["1"], Ok(Verdict::Identical));
        check(msg, json!("NaN"), json!("NaN"), &["1,nan_equal=false"], nan);
        check(msg, json!("NaN"), json!(1), &huge, nan);
        check(msg, json!(1), json!("NaN"), &huge, nan);
        check(msg, json!("Infinity"), json!("Infinity"), &["exact"], Ok(Verdict::Identical));
        check(msg, json!("Infinity"), json!("-Infinity"), &huge, inf);
        check(msg, json!("Infinity"), json!(1), &huge, inf);
        check(msg, json!(1), json!("-Infinity"), &huge, inf);
        check(msg, json!("NaN"), json!("Infinity"), &huge, nan);
    }
    // A difference that overflows is not finite.
    let value = Err(MismatchKind::Value);
    check("float64 x", json!(-1.7e308), json!(1.7e308), &["abs=1.7e308,rel=10"], value);
}

#[test]
fn integers_are_exact_and_never_go_through_a_float() {
    let value = Err(MismatchKind::Value);
    let big = 1_u64 << 53;
    check("uint64 x", json!(big), json!(big + 1), &[], value);
    check("int64 x", json!(big), json!(big + 1), &["1e9"], value);
    check("int64 x", json!(big), json!(big + 1), &["1e9", "k.x:exact"], value);
    check("int64 x", json!(big), json!(big + 1), &["k.x:abs=1"], Ok(Verdict::Equal));
    check("int64 x", json!(big), json!(big + 2), &["k.x:abs=1"], value);
    // Wrapped around: far apart, not near.
    check("uint8 x", json!(255), json!(0), &["k.x:abs=1"], value);
    check("int8 x", json!(-128), json!(127), &["k.x:abs=254"], value);
    check("int64 x", json!(i64::MIN), json!(i64::MAX), &["k.x:abs=1e18"], value);
    for ty in ["int8", "uint8", "char", "int16", "uint16", "int32", "uint32", "int64", "uint64"] {
        check(&format!("{ty} x"), json!(1), json!(2), &[], value);
        check(&format!("{ty} x"), json!(1), json!(2), &["k.x:rel=1"], Ok(Verdict::Equal));
        check(&format!("{ty} x"), json!(2), json!(2), &[], Ok(Verdict::Identical));
    }
}

#[test]
fn what_is_no_number_is_exact() {
    let value = Err(MismatchKind::Value);
    check("bool x", json!(true), json!(false), &[], value);
    check("byte x", json!(1), json!(2), &[], value);
    check("string x", json!("a"), json!("b"), &[], value);
    check("wstring x", json!("ä𝄞"), json!("ä"), &[], value);
    check("wstring x", json!("ä𝄞"), json!("ä𝄞"), &[], Ok(Verdict::Identical));
    check("string[] x", json!(["a", "b"]), json!(["a", "c"]), &[], value);
    check("string[2] x", json!(["a", "b"]), json!(["a", "b"]), &[], Ok(Verdict::Identical));
}

#[test]
fn an_element_that_differs_is_named_by_its_index() {
    let a: Vec<f64> = (0..1000).map(f64::from).collect();
    for at in [0, 1, 700, 999] {
        let mut b = a.clone();
        b[at] += 1.0;
        let result =
            compare(&data("float64[] x", &[x(a.clone())]), &data("float64[] x", &[x(b)]), &[]);
        let mismatches = &result.key_diffs["k"].mismatches;
        assert_eq!(mismatches.len(), 1);
        assert_eq!(mismatches[0].path, format!("x[{at}]"));
        assert_eq!(mismatches[0].a, Scalar::Float64(at as f64));
        let x = field(&result, "x[*]");
        assert_eq!((x.values.compared, x.values.violations, x.values.bit_equal), (1000, 1, 999));
    }
}

#[test]
fn sequences_of_different_lengths_are_a_violation_of_their_own() {
    let result = compare(
        &data("float64[] x", &[x(vec![1.0, 2.0, 3.0])]),
        &data("float64[] x", &[x(vec![1.0])]),
        &["1e9"],
    );
    let mismatch = &result.key_diffs["k"].mismatches[0];
    assert_eq!((mismatch.path.as_str(), mismatch.kind), ("x", MismatchKind::Length));
    assert_eq!((&mismatch.a, &mismatch.b), (&Scalar::Uint(3), &Scalar::Uint(1)));
    let x = field(&result, "x[*]");
    assert_eq!((x.values.compared, x.values.missing, x.shape_violations), (1, 2, 1));
    assert_eq!(x.error.unwrap().passing_abs, None);
    assert_eq!(result.key_diffs["k"].n_different, 1);
}

#[test]
fn arrays_of_messages_are_compared_element_by_element() {
    let msg = "P[] ps\n===\nMSG: test/P\nfloat64 x\nstring[] names";
    let p = |x: f64, names: &[&str]| json!({"x": x, "names": names});
    let a = data(msg, &[json!({"ps": [p(1.0, &["a"]), p(2.0, &["b", "c"])]})]);
    let b = data(msg, &[json!({"ps": [p(1.0, &["a"]), p(2.5, &["b", "d"]), p(9.0, &[])]})]);
    let result = compare(&a, &b, &[]);
    let found: Vec<_> =
        result.key_diffs["k"].mismatches.iter().map(|m| (m.path.as_str(), m.kind)).collect();
    assert_eq!(
        found,
        [
            ("ps[1].x", MismatchKind::Value),
            ("ps[1].names[1]", MismatchKind::Value),
            ("ps", MismatchKind::Length),
        ]
    );
    assert_eq!(field(&result, "ps[*].x").values.extra, 1);
    let result = compare(&a, &b, &["k.ps:ignore"]);
    assert_eq!(result.verdict, Verdict::Incomparable, "nothing is left to compare");
}

#[test]
fn how_many_messages_without_fields_there_are_is_compared() {
    let msg = "E[] es\nfloat64 x\n===\nMSG: test/E\n";
    let with = |n: usize| data(msg, &[json!({"es": vec![json!({}); n], "x": 0.0})]);
    assert_eq!(compare(&with(2), &with(2), &[]).verdict, Verdict::Identical);
    let result = compare(&with(3), &with(2), &[]);
    assert_eq!(result.verdict, Verdict::Different);
    assert_eq!(field(&result, "es[*]").values.missing, 1);
}

#[test]
fn messages_without_fields_are_compared_by_being_there() {
    let empty = || data("", &[json!({}), json!({})]);
    assert_eq!(compare(&empty(), &empty(), &[]).verdict, Verdict::Identical);
    let result = compare(&empty(), &data("", &[json!({})]), &[]);
    assert_eq!(result.verdict, Verdict::Different);
    assert_eq!(result.key_diffs["k"].messages.missing, 1);
}

#[test]
fn an_element_that_holds_nothing_is_more_than_none() {
    let msg =
        "P[] ps\n===\nMSG: test/P\nfloat64[] x\nstring[] s\nQ[] qs\n===\nMSG: test/Q\nint8[] n";
    let empty = json!({"x": [], "s": [], "qs": []});
    let of = |ps: Json| data(msg, &[json!({"ps": ps})]);
    let (none, one) = (of(json!([])), of(json!([empty])));
    for (a, b) in [(&none, &one), (&one, &none)] {
        let result = compare(a, b, &[]);
        assert_eq!(result.verdict, Verdict::Different);
        let mismatch = result.first_divergence.unwrap().mismatch;
        assert_eq!((mismatch.path.as_str(), mismatch.kind), ("ps", MismatchKind::Length));
        // Unless nothing in it counts.
        let some = ["k.ps[*].x:ignore", "k.ps[*].s:ignore"];
        assert_eq!(compare(a, b, &some).verdict, Verdict::Different);
        let all = ["k.ps:ignore"];
        assert_eq!(compare(a, b, &all).verdict, Verdict::Incomparable);
    }
}

#[test]
fn missing_and_extra_messages_are_counted_and_named() {
    let a = data("float64 x", &[x(1.0), x(2.0), x(3.0)]);
    let b = Data::new().key("k", "float64 x").at("k", 1_000, x(1.0)).at("k", 3_000, x(3.0)).at(
        "k",
        4_000,
        x(4.0),
    );
    let result = compare(&a, &b, &[]);
    let m = &result.key_diffs["k"].messages;
    assert_eq!((m.compared, m.missing, m.extra), (2, 1, 1));
    let found: Vec<_> =
        result.key_diffs["k"].mismatches.iter().map(|m| (m.index, m.kind)).collect();
    assert_eq!(found, [(1, MismatchKind::Missing), (2, MismatchKind::Extra)]);
    let divergence = result.first_divergence.unwrap();
    assert_eq!(divergence.mismatch.time, Time::from_nanos(2_000));
    assert!(!result.values_match && result.keys_match && result.timestamps_match);
}

#[test]
fn missing_and_extra_keys_are_counted_and_named() {
    let a = data("float64 x", &[x(1.0)]).key("a", "float64 x").messages("a", &[x(1.0)]);
    let b = data("float64 x", &[x(1.0)]).key("b", "float64 x").messages("b", &[x(1.0), x(2.0)]);
    let result = compare(&a, &b, &[]);
    assert_eq!(result.verdict, Verdict::Different);
    assert_eq!(
        (&result.missing_keys_in_b[..], &result.extra_keys_in_b[..]),
        (&["a".to_owned()][..], &["b".to_owned()][..])
    );
    assert_eq!(result.key_diffs["a"].messages.missing, 1);
    assert_eq!(result.key_diffs["b"].messages.extra, 2);
    assert_eq!(result.first_divergence.unwrap().mismatch.kind, MismatchKind::Missing);
    // A missing key is a difference even where it has no messages.
    let empty = data("float64 x", &[x(1.0)]).key("a", "float64 x");
    assert_eq!(compare(&empty, &data("float64 x", &[x(1.0)]), &[]).verdict, Verdict::Different);
}

#[test]
fn nothing_compared_is_incomparable_and_says_why() {
    let check = |a: &Data, b: &Data, rules: &[&str], reason: &str| {
        let result = compare(a, b, rules);
        assert_eq!(result.verdict, Verdict::Incomparable, "{reason}");
        assert_eq!(result.incomparable_reason.as_deref(), Some(reason));
    };
    let some = data("float64 x", &[x(1.0)]);
    let no_message = data("float64 x", &[]);
    check(&Data::new(), &Data::new(), &[], "both sides are empty");
    check(&some, &Data::new(), &[], "the candidate is empty");
    check(&Data::new(), &some, &[], "the reference is empty");
    check(&no_message, &no_message, &[], "there are no messages to compare");
    check(&some, &no_message, &[], "the candidate has no messages to compare");
    check(&no_message, &some, &[], "the reference has no messages to compare with");
    let other = Data::new().key("other", "float64 x").messages("other", &[x(1.0)]);
    check(&some, &other, &[], "the sides have no key in common");
    check(&some, &some, &["k.x:ignore"], "every field is left out by an ignore rule");
    let reason = "every key is left out, such as k: noisy";
    check(&some, &some, &["k:ignore,reason=noisy"], reason);
    let text = data("string y", &[json!({"y": "a"})]);
    check(&some, &text, &[], "no key has a type in common with its other side");
}

#[test]
fn timestamps_are_compared_apart_from_values() {
    let a = Data::of_ticks().key("k", "float64 x").tick("k", 0, 1_000, x(1.0));
    let b = Data::of_ticks().key("k", "float64 x").tick("k", 0, 2_500_000, x(1.0));
    let result = compare(&a, &b, &[]);
    assert_eq!(result.verdict, Verdict::Different);
    assert!(result.values_match && !result.timestamps_match);
    let divergence = result.first_divergence.unwrap().mismatch;
    assert_eq!((divergence.kind, divergence.error), (MismatchKind::Time, Some(2_499_000.0)));
    let timestamps = result.key_diffs["k"].timestamps;
    assert_eq!((timestamps.violations, timestamps.max_error.as_nanos()), (1, 2_499_000));

    let with = |policy: Policy| diff(&a.dataset, &b.dataset, &policy).unwrap().verdict;
    let loose =
        Policy { timestamp_tol: crate::Span::from_nanos(2_499_000).into(), ..Policy::default() };
    assert_eq!(with(loose), Verdict::Equal, "not identical: the times differ");
    let unchecked = Policy { check_timestamps: false, ..Policy::default() };
    assert_eq!(with(unchecked), Verdict::Equal);
    let late = |text: &str| Policy { timestamp_tol: text.parse().unwrap(), ..Policy::default() };
    assert_eq!(with(late("+3ms/-0ms")), Verdict::Equal);
    assert_eq!(with(late("+2ms/-3ms")), Verdict::Different);
}

#[test]
fn ticks_pair_whatever_the_times_and_the_tick_is_named() {
    let a = Data::of_ticks().key("k", "float64 x");
    let a = a.tick("k", 3, 1_000, x(1.0)).tick("k", 5, 2_000, x(2.0)).tick("k", 5, 2_000, x(3.0));
    let b = Data::of_ticks().key("k", "float64 x");
    let b = b.tick("k", 3, 1_000, x(1.0)).tick("k", 5, 2_000, x(2.0)).tick("k", 6, 3_000, x(9.0));
    let result = compare(&a, &b, &[]);
    let diff = &result.key_diffs["k"];
    assert_eq!(diff.alignment, Alignment::Tick);
    assert_eq!((diff.messages.compared, diff.messages.missing, diff.messages.extra), (2, 1, 1));
    let found: Vec<_> = diff.mismatches.iter().map(|m| (m.tick, m.kind)).collect();
    assert_eq!(found, [(Some(5), MismatchKind::Missing), (Some(6), MismatchKind::Extra)]);
    // One side alone with ticks aligns by time.
    let plain = Data::new().key("k", "float64 x").at("k", 1_000, x(1.0)).at("k", 2_000, x(2.0));
    assert_eq!(compare(&plain, &b, &[]).key_diffs["k"].alignment, Alignment::Time);
}

#[test]
fn repeated_and_reordered_messages_are_tagged() {
    let a = data("float64 x", &[x(1.0), x(2.0)]);
    let b = Data::new().key("k", "float64 x");
    let b = b.at("k", 1_000, x(1.0)).at("k", 1_000, x(1.0)).at("k", 2_000, x(2.0));
    let result = compare(&a, &b, &[]);
    let m = &result.key_diffs["k"].messages;
    assert_eq!((m.duplicated, m.extra), (1, 1));
    assert_eq!(result.verdict, Verdict::Different);

    let late = Data::new().key("k", "float64 x").at("k", 2_000, x(2.0)).at("k", 1_000, x(1.0));
    let result = compare(&a, &late, &[]);
    assert_eq!(result.key_diffs["k"].messages.reordered, 1);
    assert_eq!(result.verdict, Verdict::Identical, "in time order they are the same");
}

#[test]
fn the_first_divergence_is_the_earliest_over_all_keys_with_the_inputs_before_it() {
    let make = |early: f64, late: f64| {
        Data::new()
            .key_of("in", "float64 u", Role::Input)
            .key_of("other", "float64 u", Role::Input)
            .key("a", "float64 x")
            .key("b", "float64 y\nfloat64 x")
            .at("in", 0, json!({"u": 0.5}))
            .at("in", 500_000_000_000, json!({"u": 1.5}))
            .at("in", 500_000_000_001, json!({"u": 2.5}))
            .at("other", 1, json!({"u": 7.5}))
            .at("b", 500_000_000_000, json!({"y": early, "x": early}))
            .at("a", 500_000_000_007, x(late))
    };
    let result = compare(&make(1.0, 1.0), &make(2.0, 2.0), &[]);
    let divergence = result.first_divergence.unwrap();
    assert_eq!((divergence.key.as_str(), divergence.mismatch.path.as_str()), ("b", "y"));
    let inputs: Vec<_> =
        divergence.inputs.iter().map(|i| (i.key.as_str(), i.fields[0].clone())).collect();
    let u = |value| ("u".to_owned(), Scalar::Float64(value));
    assert_eq!(inputs, [("in", u(1.5)), ("other", u(7.5))]);
}

#[test]
fn only_ten_mismatches_are_kept_and_all_are_counted() {
    let zeros: Vec<Json> = (0..50).map(|_| x(0.0)).collect();
    let ones: Vec<Json> = (0..50).map(|_| x(1.0)).collect();
    let result = compare(&data("float64 x", &zeros), &data("float64 x", &ones), &[]);
    let diff = &result.key_diffs["k"];
    assert_eq!((diff.mismatches.len(), diff.n_different), (10, 50));
    assert!(diff.mismatches.iter().map(|m| m.index).eq(0..10));
}

#[test]
fn the_scope_of_outputs_leaves_inputs_out() {
    let make = |u: f64| {
        let data = Data::new().key_of("in", "float64 x", Role::Input);
        data.key_of("out", "float64 x", Role::Output)
            .messages("in", &[x(u)])
            .messages("out", &[x(1.0)])
    };
    let policy = Policy { scope: Scope::Outputs, ..Policy::default() };
    let result = diff(&make(1.0).dataset, &make(2.0).dataset, &policy).unwrap();
    assert_eq!(result.verdict, Verdict::Identical);
    assert!(result.ignored_keys.contains_key("in") && !result.key_diffs.contains_key("in"));
    let no_roles = data("float64 x", &[x(1.0)]);
    let result = diff(&no_roles.dataset, &no_roles.dataset, &policy).unwrap();
    assert_eq!(result.verdict, Verdict::Incomparable);
}

#[test]
fn messages_whose_arrays_are_all_empty_compare_nothing() {
    let empty = || data("float64[] v\nstring[] s", &[json!({"v": [], "s": []})]);
    let result = compare(&empty(), &empty(), &[]);
    assert_eq!(result.verdict, Verdict::Incomparable);
    assert!(result.incomparable_reason.unwrap().contains("no message holds a value"));
    // Beside a key that has values it is noted, and no failure.
    let beside = || empty().key("j", "bool b").messages("j", &[json!({"b": true})]);
    let result = compare(&beside(), &beside(), &[]);
    assert_eq!(result.verdict, Verdict::Identical);
    assert_eq!(result.notes, ["k: its arrays are empty in every message, on both sides"]);
    // One value on one side is a difference.
    let one = data("float64[] v\nstring[] s", &[json!({"v": [1], "s": []})]);
    assert_eq!(compare(&one, &empty(), &[]).verdict, Verdict::Different);
    // A message of a type without fields is a value of its own.
    let signal = || data("", &[json!({})]);
    assert_eq!(compare(&signal(), &signal(), &[]).verdict, Verdict::Identical);
}

#[test]
fn a_field_without_a_finite_error_has_no_largest_one() {
    let side = data("float64 x", &[json!({"x": "NaN"}), json!({"x": "Infinity"})]);
    let result = compare(&side, &side, &[]);
    assert_eq!((field(&result, "x").error, result.key_diffs["k"].max_error), (None, None));
}

#[test]
fn a_summary_is_a_few_lines_whatever_was_compared() {
    let side = |shift: f64| {
        (0..20).fold(Data::new(), |data, key| {
            let key = format!("k{key}\x1b");
            let messages = [json!({"x": 1.0}), json!({"x": 2.0 + shift})];
            data.key(&key, "float64 x").messages(&key, &messages)
        })
    };
    let result = compare(&side(0.0), &side(0.0), &[]);
    assert_eq!(result.summary(), "identical: 40 messages compared under 20 keys\n");
    let text = compare(&side(0.0), &side(0.5), &[]).summary();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "different: 40 messages compared under 20 keys");
    assert_eq!(
        lines[1],
        "first in k0\\u{1b}.x, message 1 at 2000 ns: reference 2.0, candidate 2.5, error 0.5, \
         tolerance abs=1e-6"
    );
    assert_eq!(lines[2], "k0\\u{1b}: 1 of 2 messages differ, largest error 0.5");
    assert_eq!((lines.len(), lines.last()), (13, Some(&"... 10 more keys")));
}
