//! One recording, broken in each way that comparison tools let pass: every
//! one is caught, by its name.

use super::*;

const MSG: &str = "float64 x\nfloat32 f\nuint64 n\nuint8 wrap\nfloat64[] v\nstring s";

fn message(n: u64) -> Json {
    let x = 0.5 + n as f64;
    json!({"x": x, "f": x, "n": (1_u64 << 53) + n, "wrap": 255 - n, "v": [x, x], "s": format!("s{n}")})
}

/// The times and messages of key `k`.
fn original() -> Vec<(i64, Json)> {
    (0..12).map(|n| (1_000_000 * n as i64, message(n))).collect()
}

fn build(msg: &str, messages: &[(i64, Json)]) -> Data {
    let data = Data::new().key("k", msg).key("other", "bool b").at("other", 0, json!({"b": true}));
    messages.iter().fold(data, |data, (time, message)| data.at("k", *time, message.clone()))
}

/// Changes the messages, and expects the first divergence to be of this kind
/// at this path and time.
fn check(
    name: &str,
    change: impl FnOnce(&mut Vec<(i64, Json)>),
    kind: MismatchKind,
    path: &str,
    time: i64,
) -> DiffResult {
    let mut messages = original();
    change(&mut messages);
    let result = compare(&build(MSG, &original()), &build(MSG, &messages), &["1e-6"]);
    assert_eq!(result.verdict, Verdict::Different, "{name}");
    let found = result.first_divergence.as_ref().unwrap();
    assert_eq!((found.key.as_str(), found.mismatch.path.as_str()), ("k", path), "{name}");
    assert_eq!((found.mismatch.kind, found.mismatch.time.as_nanos()), (kind, time), "{name}");
    result
}

#[test]
fn the_original_is_identical_to_itself() {
    let a = build(MSG, &original());
    assert_eq!(compare(&a, &a, &["1e-6"]).verdict, Verdict::Identical);
}

#[test]
fn a_changed_value_is_caught_in_every_form() {
    let set = |at: usize, name: &'static str, value: Json| {
        move |m: &mut Vec<(i64, Json)>| m[at].1[name] = value
    };
    let t = 7_000_000;
    use MismatchKind::{Infinity, Length, Nan, Value};
    for (name, field, value, kind, path) in [
        ("NaN", "x", json!("NaN"), Nan, "x"),
        ("NaN in single precision", "f", json!("NaN"), Nan, "f"),
        ("infinity", "x", json!("Infinity"), Infinity, "x"),
        ("negative infinity", "f", json!("-Infinity"), Infinity, "f"),
        ("sign", "x", json!(-7.5), Value, "x"),
        ("scale", "x", json!(7500.0), Value, "x"),
        ("just beyond tolerance", "x", json!(7.5 + 1.1e-6), Value, "x"),
        ("next beyond 2^53", "n", json!((1_u64 << 53) + 8), Value, "n"),
        ("wrapped integer", "wrap", json!(0), Value, "wrap"),
        ("last element", "v", json!([7.5, 8.5]), Value, "v[1]"),
        ("swapped for zero", "v", json!([0, 7.5]), Value, "v[0]"),
        ("shorter array", "v", json!([7.5]), Length, "v"),
        ("longer array", "v", json!([7.5, 7.5, 7.5]), Length, "v"),
        ("empty array", "v", json!([]), Length, "v"),
        ("text", "s", json!("S7"), Value, "s"),
        ("trailing blank", "s", json!("s7 "), Value, "s"),
    ] {
        let result = check(name, set(7, field, value), kind, path, t);
        assert_eq!(result.key_diffs["k"].n_different, 1, "{name}");
        assert!(!result.values_match && result.keys_match && result.timestamps_match, "{name}");
    }
}

#[test]
fn the_last_bit_is_caught_where_the_rule_is_exact() {
    for (field, value) in [
        ("x", json!(7.5_f64.next_up())),
        ("f", json!(f64::from(7.5_f32.next_up()))),
        ("x", json!(7.5_f64.next_down())),
    ] {
        let mut messages = original();
        messages[7].1[field] = value;
        let (a, b) = (build(MSG, &original()), build(MSG, &messages));
        assert_eq!(compare(&a, &b, &["exact"]).verdict, Verdict::Different);
        // And never called identical.
        assert_eq!(compare(&a, &b, &["1e-6"]).verdict, Verdict::Equal);
    }
}

#[test]
fn messages_that_are_gone_repeated_moved_or_late_are_caught() {
    use MismatchKind::{Extra, Missing, Value};
    let result = check("drop", |m| drop(m.remove(4)), Missing, "", 4_000_000);
    assert_eq!(result.key_diffs["k"].messages.missing, 1);
    check("drop the first", |m| drop(m.remove(0)), Missing, "", 0);
    check("drop the last", |m| drop(m.pop()), Missing, "", 11_000_000);
    check("drop nine in ten", |m| m.truncate(1), Missing, "", 1_000_000);
    let repeat = |m: &mut Vec<(i64, Json)>| m.insert(4, m[4].clone());
    let result = check("repeat", repeat, Value, "x", 5_000_000);
    let counts = &result.key_diffs["k"].messages;
    assert_eq!((counts.extra, counts.duplicated), (1, 1));
    let swap = |m: &mut Vec<(i64, Json)>| {
        let first = std::mem::replace(&mut m[4].1, message(5));
        m[5].1 = first;
    };
    check("reorder", swap, Value, "x", 4_000_000);
    let result = check("shift one", |m| m[4].0 += 400, Missing, "", 4_000_000);
    assert_eq!(result.key_diffs["k"].messages.extra, 1);
    let result =
        check("one too many", |m| m.push((11_500_000, message(11))), Extra, "", 11_500_000);
    assert_eq!(result.key_diffs["k"].messages.extra, 1);
}

#[test]
fn a_shift_of_all_times_is_caught_apart_from_values() {
    let shift = |by: i64| move |m: &mut Vec<(i64, Json)>| m.iter_mut().for_each(|m| m.0 += by);
    let result = check("shift all", shift(1_000_001 + 500), MismatchKind::Time, "", 0);
    assert!(result.values_match && !result.timestamps_match);
    assert!(result.notes.iter().any(|note| note.contains("no time is common")));
    // Within the tolerance of 1 ms it is no difference, but not identical.
    let mut messages = original();
    shift(500)(&mut messages);
    let result = compare(&build(MSG, &original()), &build(MSG, &messages), &[]);
    assert_eq!(result.verdict, Verdict::Equal);
    assert_eq!(result.key_diffs["k"].timestamps.max_error.as_nanos(), 500);
}

#[test]
fn a_changed_type_is_caught() {
    for (name, msg, path) in [
        ("precision", MSG.replace("float64 x", "float32 x"), "x"),
        ("sign of integers", MSG.replace("uint64 n", "int64 n"), "n"),
        ("fixed size", MSG.replace("float64[] v", "float64[2] v"), "v"),
        ("renamed field", MSG.replace("string s", "string t"), "s"),
        ("dropped field", MSG.replace("\nstring s", ""), "s"),
        ("added field", format!("{MSG}\nbool more"), "more"),
    ] {
        let message = |n: u64| {
            let mut message = message(n);
            let text = message["s"].take();
            let fields = message.as_object_mut().unwrap();
            fields.remove("s");
            if msg.contains("string s") {
                fields.insert("s".to_owned(), text);
            } else if msg.contains("string t") {
                fields.insert("t".to_owned(), text);
            }
            if msg.contains("more") {
                fields.insert("more".to_owned(), json!(true));
            }
            message
        };
        let messages: Vec<_> = (0..12).map(|n| (1_000_000 * n as i64, message(n))).collect();
        let result = compare(&build(MSG, &original()), &build(&msg, &messages), &["1e-6"]);
        assert_eq!(result.verdict, Verdict::Different, "{name}");
        let found = result.first_divergence.unwrap().mismatch;
        assert_eq!((found.kind, found.path.as_str()), (MismatchKind::Schema, path), "{name}");
        assert_eq!(result.key_diffs["k"].n_different, 0, "{name}: the other fields are equal");
    }
}

#[test]
fn a_missing_an_extra_and_an_empty_key_are_caught() {
    let whole = build(MSG, &original());
    let lacking = Data::new().key("other", "bool b").at("other", 0, json!({"b": true}));
    let result = compare(&whole, &lacking, &[]);
    assert_eq!(
        (result.verdict, &result.missing_keys_in_b[..]),
        (Verdict::Different, &["k".to_owned()][..])
    );
    assert_eq!(result.key_diffs["k"].messages.missing, 12);
    let result = compare(&lacking, &whole, &[]);
    assert_eq!(
        (result.verdict, &result.extra_keys_in_b[..]),
        (Verdict::Different, &["k".to_owned()][..])
    );
    let empty = build(MSG, &[]);
    let result = compare(&whole, &empty, &[]);
    assert_eq!((result.verdict, result.key_diffs["k"].messages.missing), (Verdict::Different, 12));
    let result = compare(&whole, &Data::new(), &[]);
    assert_eq!(result.verdict, Verdict::Incomparable);
}
