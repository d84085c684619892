//! One recording, broken in each way that comparison tools let pass: every
//! one is caught, by its name.

use super::*;

const MSG: &str = "float64 x\nfloat64 y\nfloat32 f\nuint64 n\nint64 huge\nuint32 big\nuint8 wrap\n\
                   float64[] v\nstring s";

fn message(n: u64) -> Json {
    let x = 0.5 + n as f64;
    json!({
        "x": x, "y": 100 - n, "f": x, "n": (1_u64 << 53) + n, "huge": 1_i64 << 60,
        "big": 300 + n, "wrap": 255 - n, "v": [x, x + 0.25, x + 0.5], "s": format!("s{n}"),
    })
}

/// The times and messages of key `k`.
fn original() -> Vec<(i64, Json)> {
    (0..12).map(|n| (1_000_000 * n as i64, message(n))).collect()
}

fn build(msg: &str, messages: &[(i64, Json)]) -> Data {
    let data = Data::new().key("k", msg).key("other", "bool b").at("other", 0, json!({"b": true}));
    messages.iter().fold(data, |data, (time, message)| data.at("k", *time, message.clone()))
}

/// Compares in memory, and through MCAP files and pickles of both: all say the
/// same.
fn compare_everywhere(a: &Data, b: &Data, rules: &[&str]) -> DiffResult {
    let in_memory = compare(a, b, rules);
    for extension in ["mcap", "pkl"] {
        let folder = tempfile::tempdir().unwrap();
        let sides = [("a", &a.dataset), ("b", &b.dataset)].map(|(name, dataset)| {
            let path = folder.path().join(name).with_extension(extension);
            let mut file = Dataset::create(&path).unwrap();
            file.copy_from(dataset).unwrap();
            file.close().unwrap();
            Dataset::open(&path).unwrap()
        });
        let policy = Policy::parse_rules(rules).unwrap();
        let from_files = DiffResult {
            reference: in_memory.reference.clone(),
            candidate: in_memory.candidate.clone(),
            ..diff(&sides[0], &sides[1], &policy).unwrap()
        };
        // Two pieces of text, since NaN equals nothing.
        let json = |result: &DiffResult| serde_json::to_string_pretty(result).unwrap();
        assert_eq!(json(&from_files), json(&in_memory), "{extension}");
    }
    in_memory
}

/// Changes the messages, and expects the first divergence to be of this kind
/// at this path and time, and to look like this.
fn check(
    name: &str,
    change: impl FnOnce(&mut Vec<(i64, Json)>),
    (kind, cause): (MismatchKind, Option<CauseKind>),
    path: &str,
    time: i64,
) -> DiffResult {
    let mut messages = original();
    change(&mut messages);
    let result = compare_everywhere(&build(MSG, &original()), &build(MSG, &messages), &["1e-6"]);
    assert_eq!(result.verdict, Verdict::Different, "{name}");
    let found = result.first_divergence.as_ref().unwrap();
    assert_eq!((found.key.as_str(), found.mismatch.path.as_str()), ("k", path), "{name}");
    assert_eq!((found.mismatch.kind, found.mismatch.time.as_nanos()), (kind, time), "{name}");
    assert_eq!(cause_of(&result), cause, "{name}: {:?}", found.cause);
    result
}

fn cause_of(result: &DiffResult) -> Option<CauseKind> {
    result.first_divergence.as_ref().unwrap().cause.as_ref().map(|cause| cause.kind)
}

#[test]
fn the_original_is_identical_to_itself() {
    let a = build(MSG, &original());
    assert_eq!(compare_everywhere(&a, &a, &["1e-6"]).verdict, Verdict::Identical);
}

#[test]
fn a_changed_value_is_caught_in_every_form() {
    let set = |at: usize, name: &'static str, value: Json| {
        move |m: &mut Vec<(i64, Json)>| m[at].1[name] = value
    };
    let t = 7_000_000;
    use CauseKind::{Shape, Sign, Single, Unit, Wrap};
    use MismatchKind::{Infinity, Length, Nan, Value};
    let special = (Nan, Some(CauseKind::Nan));
    let infinite = (Infinity, Some(CauseKind::Infinity));
    let number = |cause: CauseKind| (Value, Some(cause));
    let length = (Length, Some(Shape));
    for (name, field, value, kind, path) in [
        ("NaN", "x", json!("NaN"), special, "x"),
        ("NaN in single precision", "f", json!("NaN"), special, "f"),
        ("infinity", "x", json!("Infinity"), infinite, "x"),
        ("negative infinity", "f", json!("-Infinity"), infinite, "f"),
        ("sign", "x", json!(-7.5), number(Sign), "x"),
        ("scale", "x", json!(7500.0), number(Unit), "x"),
        ("degrees", "x", json!(7.5_f64.to_degrees()), number(Unit), "x"),
        ("just beyond tolerance", "x", json!(7.5 + 1.1e-6), number(Single), "x"),
        ("next beyond 2^53", "n", json!((1_u64 << 53) + 8), number(Single), "n"),
        ("little beyond 2^60", "huge", json!((1_i64 << 60) + 100), number(Single), "huge"),
        ("lost its upper bits", "big", json!(307 & 255), number(Wrap), "big"),
        ("wrapped to zero", "wrap", json!(0), number(Single), "wrap"),
        ("last element", "v", json!([7.5, 7.75, 9.0]), number(Single), "v[2]"),
        ("zero for a number", "v", json!([0, 7.75, 8.0]), number(Single), "v[0]"),
        ("off by one element", "v", json!([7.75, 8.0, 8.5]), number(CauseKind::Offset), "v[0]"),
        ("exchanged elements", "v", json!([7.75, 7.5, 8.0]), number(CauseKind::Swapped), "v[0]"),
        ("shorter array", "v", json!([7.5, 7.75]), length, "v"),
        ("longer array", "v", json!([7.5, 7.75, 8.0, 7.5]), length, "v"),
        ("empty array", "v", json!([]), length, "v"),
        ("text", "s", json!("S7"), (Value, None), "s"),
        ("trailing blank", "s", json!("s7 "), (Value, None), "s"),
    ] {
        let result = check(name, set(7, field, value), kind, path, t);
        assert_eq!(result.key_diffs["k"].n_different, 1, "{name}");
        assert!(!result.values_match && result.keys_match && result.timestamps_match, "{name}");
    }
}

#[test]
fn a_field_that_goes_wrong_for_good_is_named_for_what_it_looks_like() {
    // From message 2 on, `x` as a function of its number.
    let from = |wrong: fn(f64) -> f64| {
        move |m: &mut Vec<(i64, Json)>| {
            for (n, message) in m.iter_mut().enumerate().skip(2) {
                message.1["x"] = json!(wrong(n as f64));
            }
        }
    };
    for (name, cause, wrong) in [
        ("step", CauseKind::Step, (|n| n + 5000.75) as fn(f64) -> f64),
        ("lag", CauseKind::Lag, |n| n - 1.5),
        ("lead", CauseKind::Lag, |n| n + 2.5),
        ("drift", CauseKind::Drift, |n| n + 0.5 + 0.01 * (n - 1.0).powi(2)),
        ("sign", CauseKind::Sign, |n| -n - 0.5),
        ("unit", CauseKind::Unit, |n| (n + 0.5) * 1000.0),
        ("factor", CauseKind::Unit, |n| (n + 0.5) * 1.7),
        ("clipped", CauseKind::Saturation, |n| (n + 0.5).min(2.25)),
        ("kelvin", CauseKind::Unit, |n| n + 0.5 - 273.15),
    ] {
        check(name, from(wrong), (MismatchKind::Value, Some(cause)), "x", 2_000_000);
    }
    let swap = |m: &mut Vec<(i64, Json)>| {
        for (_, message) in m.iter_mut().skip(2) {
            let x = message["x"].take();
            message["x"] = message["y"].take();
            message["y"] = x;
        }
    };
    check("swapped", swap, (MismatchKind::Value, Some(CauseKind::Swapped)), "x", 2_000_000);
    let nan = |m: &mut Vec<(i64, Json)>| m[2..].iter_mut().for_each(|m| m.1["x"] = json!("NaN"));
    let result = check("onset", nan, (MismatchKind::Nan, Some(CauseKind::Nan)), "x", 2_000_000);
    let text = result.first_divergence.unwrap().cause.unwrap().text;
    assert!(text.contains("sets in") && text.contains("all 10 messages"), "{text}");
}

#[test]
fn single_precision_and_the_sign_of_zero_are_caught_where_asked() {
    let side = |x: &[f64]| {
        let messages: Vec<Json> = x.iter().map(|x| json!({"x": x})).collect();
        data("float64 x", &messages)
    };
    let x = [0.1, 0.2, 0.7, 1.1];
    let narrow = x.map(|x| f64::from(x as f32));
    let result = compare_everywhere(&side(&x), &side(&narrow), &["exact"]);
    assert_eq!(cause_of(&result), Some(CauseKind::Precision));
    let (plus, minus) = (side(&[0.0, 1.0]), side(&[-0.0, 1.0]));
    let result = compare_everywhere(&plus, &minus, &["exact,signed_zero"]);
    assert_eq!((result.verdict, cause_of(&result)), (Verdict::Different, Some(CauseKind::Sign)));
    assert_eq!(compare_everywhere(&plus, &minus, &["exact"]).verdict, Verdict::Equal);
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
        let result = compare_everywhere(&a, &b, &["exact"]);
        assert_eq!(result.verdict, Verdict::Different);
        assert_eq!(cause_of(&result), Some(CauseKind::Rounding));
        // And never called identical.
        assert_eq!(compare(&a, &b, &["1e-6"]).verdict, Verdict::Equal);
    }
}

#[test]
fn messages_that_are_gone_repeated_moved_or_late_are_caught() {
    let missing = (MismatchKind::Missing, Some(CauseKind::Missing));
    let extra = (MismatchKind::Extra, Some(CauseKind::Extra));
    let value = |cause: CauseKind| (MismatchKind::Value, Some(cause));
    let result = check("drop", |m| drop(m.remove(4)), missing, "", 4_000_000);
    assert_eq!(result.key_diffs["k"].messages.missing, 1);
    check("drop the first", |m| drop(m.remove(0)), missing, "", 0);
    check("drop the last", |m| drop(m.pop()), missing, "", 11_000_000);
    check("drop nine in ten", |m| m.truncate(1), missing, "", 1_000_000);
    let repeat = |m: &mut Vec<(i64, Json)>| m.insert(4, m[4].clone());
    let result = check("repeat", repeat, value(CauseKind::Lag), "x", 5_000_000);
    let counts = &result.key_diffs["k"].messages;
    assert_eq!((counts.extra, counts.duplicated), (1, 1));
    let swap = |m: &mut Vec<(i64, Json)>| {
        let first = std::mem::replace(&mut m[4].1, message(5));
        m[5].1 = first;
    };
    check("reorder", swap, value(CauseKind::Order), "x", 4_000_000);
    let result = check("shift one", |m| m[4].0 += 400, missing, "", 4_000_000);
    assert_eq!(result.key_diffs["k"].messages.extra, 1);
    let result =
        check("one too many", |m| m.push((11_500_000, message(11))), extra, "", 11_500_000);
    assert_eq!(result.key_diffs["k"].messages.extra, 1);
}

#[test]
fn a_shift_of_all_times_is_caught_apart_from_values() {
    let shift = |by: i64| move |m: &mut Vec<(i64, Json)>| m.iter_mut().for_each(|m| m.0 += by);
    let result = check(
        "shift all",
        shift(1_000_001 + 500),
        (MismatchKind::Time, Some(CauseKind::Time)),
        "",
        0,
    );
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
    for (name, msg, path, cause) in [
        ("precision", MSG.replace("float64 x", "float32 x"), "x", CauseKind::Width),
        ("width", MSG.replace("uint32 big", "uint16 big"), "big", CauseKind::Width),
        ("sign of integers", MSG.replace("uint64 n", "int64 n"), "n", CauseKind::Type),
        ("fixed size", MSG.replace("float64[] v", "float64[3] v"), "v", CauseKind::Shape),
        ("renamed field", MSG.replace("string s", "string t"), "s", CauseKind::Renamed),
        ("dropped field", MSG.replace("\nstring s", ""), "s", CauseKind::Missing),
        ("added field", format!("{MSG}\nbool more"), "more", CauseKind::Extra),
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
        let sides = [build(MSG, &original()), build(&msg, &messages)];
        let result = compare_everywhere(&sides[0], &sides[1], &["1e-6"]);
        assert_eq!(result.verdict, Verdict::Different, "{name}");
        assert_eq!(cause_of(&result), Some(cause), "{name}");
        let found = result.first_divergence.unwrap().mismatch;
        assert_eq!((found.kind, found.path.as_str()), (MismatchKind::Schema, path), "{name}");
        assert_eq!(result.key_diffs["k"].n_different, 0, "{name}: the other fields are equal");
    }
}

#[test]
fn another_order_of_fields_is_named_and_values_are_compared_by_name() {
    let turned = MSG.replace("float64 x\nfloat64 y", "float64 y\nfloat64 x");
    let (a, b) = (build(MSG, &original()), build(&turned, &original()));
    let result = compare_everywhere(&a, &b, &["1e-6"]);
    assert_eq!(result.verdict, Verdict::Equal);
    let kinds: Vec<_> = result.key_diffs["k"].schema.iter().map(|finding| finding.kind).collect();
    assert_eq!(kinds, [SchemaFindingKind::Order]);
}

#[test]
fn a_missing_an_extra_and_an_empty_key_are_caught() {
    let whole = build(MSG, &original());
    let lacking = Data::new().key("other", "bool b").at("other", 0, json!({"b": true}));
    let result = compare_everywhere(&whole, &lacking, &[]);
    assert_eq!(
        (result.verdict, &result.missing_keys_in_b[..]),
        (Verdict::Different, &["k".to_owned()][..])
    );
    assert_eq!(result.key_diffs["k"].messages.missing, 12);
    assert_eq!(cause_of(&result), Some(CauseKind::Missing));
    let result = compare_everywhere(&lacking, &whole, &[]);
    assert_eq!(
        (result.verdict, &result.extra_keys_in_b[..]),
        (Verdict::Different, &["k".to_owned()][..])
    );
    let empty = build(MSG, &[]);
    let result = compare_everywhere(&whole, &empty, &[]);
    assert_eq!((result.verdict, result.key_diffs["k"].messages.missing), (Verdict::Different, 12));
    let result = compare_everywhere(&whole, &Data::new(), &[]);
    assert_eq!(result.verdict, Verdict::Incomparable);
}
