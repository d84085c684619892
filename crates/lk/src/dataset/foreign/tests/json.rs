//! JSON: types, and what it means to be equal.

use super::*;

#[track_caller]
fn check_type(payloads: &[&str], expected: &str) {
    assert_eq!(type_of("json", payloads).as_deref(), Ok(expected), "{payloads:?}");
}

#[track_caller]
fn check_refused(payloads: &[&str], reason: &str) {
    assert_eq!(type_of("json", payloads), Err(reason.to_owned()), "{payloads:?}");
    // Then bytes decide, and the result says so.
    let result = compare("json", payloads, payloads, &[]);
    assert_eq!(result.verdict, Verdict::Identical, "{payloads:?}");
    assert_eq!(result.notes, [format!("k: compared as bytes, since {reason}")]);
}

#[test]
fn a_type_is_inferred_from_all_messages() {
    check_type(
        &[r#"{"x": 1, "y": 2.5, "ok": true, "name": "a"}"#],
        "int64 x\nfloat64 y\nbool ok\nstring name\n",
    );
    check_type(&[r#"{"x": 1}"#, r#"{"x": 2.5}"#], "float64 x\n");
    check_type(&[r#"{"x": 1}"#, r#"{"x": 18446744073709551615}"#], "uint64 x\n");
    check_type(&[r#"{"x": 1}"#, r#"{"x": null}"#, r#"{"x": 2}"#], "int64[<=1] x\n");
    check_type(&[r#"{"x": 1}"#, "{}"], "int64[<=1] x\n");
    check_type(
        &[r#"{"p": {"q": [1, 2.5]}}"#],
        "lk/KP p\n================================================================================\n\
         MSG: lk/KP\nfloat64[] q\n",
    );
    check_type(&[r#"{"x": [], "n": null}"#], "float64[] x\nfloat64[<=1] n\n");
    check_type(&["[1, 2]"], "int64[] data\n");
    check_type(&["1", "-2.5"], "float64 data\n");
    check_type(&[r#"{"x": 1.5}"#, r#"{"x": "NaN"}"#, r#"{"x": 3}"#], "float64 x\n");
    check_type(&[r#"{"x": "abc"}"#, r#"{"x": "NaN"}"#], "string x\n");
    // What JavaScript writes for the float 1e20.
    check_type(
        &[r#"{"x": 100000000000000000000}"#, r#"{"x": -100000000000000000000}"#],
        "float64 x\n",
    );
}

#[test]
fn what_has_no_type_is_compared_as_bytes_with_the_reason() {
    check_refused(
        &[r#"{"x": 1}"#, r#"{"x": "a"}"#],
        "field x: text comes where an integer came before",
    );
    check_refused(&[r#"{"x": [1, "a"]}"#], "text comes where an integer came before");
    check_refused(&[r#"{"x": 1}"#, "[1]"], "a list comes where an object came before");
    check_refused(&[r#"{"x": [1, null]}"#], "[1] is null");
    check_refused(
        &[r#"{"x": 9007199254740993}"#, r#"{"x": 0.5}"#],
        "field x: a float64 would round an integer among the numbers",
    );
    check_refused(
        &[r#"{"x": 0.5}"#, r#"{"x": 9007199254740993}"#],
        "field x: a float64 would round an integer among the numbers",
    );
    check_refused(
        &[r#"{"s": "\"1e", "x": 123456789012345678901}"#],
        "neither 64 bits nor a float64 holds 123456789012345678901",
    );
    check_refused(
        &[r#"{"x": -1}"#, r#"{"x": 18446744073709551615}"#],
        "field x: no integer of 64 bits holds all of the numbers",
    );
    check_refused(
        &[r#"{"a b": 1}"#],
        "type lk/msg/K is not a message type: \"a b\" is no name of a field or constant",
    );
    check_refused(&["null"], "a message is null");
    let deep = format!("{}1{}", r#"{"a":"#.repeat(70), "}".repeat(70));
    let reason = type_of("json", &[deep]).unwrap_err();
    assert!(reason.contains("it lies 64 messages deep"), "{reason}");
}

#[test]
fn whitespace_and_order_and_forms_of_numbers_are_equal() {
    let a = [r#"{"x": 1, "p": {"y": 2.50, "s": "a/"}}"#];
    verdict("json", &a, &a, Verdict::Identical);
    verdict("json", &a, &[r#"{"p":{"s":"\u0061\/","y":25e-1},"x":1}"#], Verdict::Equal);
    verdict("json", &a, &[r#"{"x": 1.0, "p": {"y": 2.5, "s": "a/"}}"#], Verdict::Equal);
    verdict("json", &[r#"{"x": null, "y": 1}"#], &[r#"{"y": 1}"#], Verdict::Equal);
    verdict("json", &[r#"{"x": 1}"#], &[r#"{"x": 1, "y": null}"#], Verdict::Equal);
}

#[test]
fn a_difference_is_named_by_its_field() {
    let a = [r#"{"p": {"y": 2.5, "s": "a"}, "l": [1, 2]}"#];
    for (b, path) in [
        (r#"{"p": {"y": 2.6, "s": "a"}, "l": [1, 2]}"#, "p.y"),
        (r#"{"p": {"y": 2.5, "s": "b"}, "l": [1, 2]}"#, "p.s"),
        (r#"{"p": {"y": 2.5, "s": "a"}, "l": [1, 3]}"#, "l[1]"),
        (r#"{"p": {"y": 2.5, "s": "a"}, "l": [1]}"#, "l"),
        (r#"{"p": {"y": 2.5}, "l": [1, 2]}"#, "p.s"),
        (r#"{"p": {"y": 2.5, "s": "a"}}"#, "l"),
        (r#"{"p": {"y": 2.5, "s": "a"}, "l": [1, 2], "new": 0}"#, "new"),
    ] {
        let result = compare("json", &a, &[b], &[]);
        assert_eq!(result.verdict, Verdict::Different, "{b}");
        let mismatch = result.first_divergence.unwrap().mismatch;
        assert_eq!(mismatch.path, path, "{b}");
    }
    // No list is not an empty one.
    verdict("json", &[r#"{"l": []}"#], &["{}"], Verdict::Different);
    let a = [r#"{"p": {"y": 2.5}}"#];
    let b = [r#"{"p": {"y": 2.6}}"#];
    assert_eq!(compare("json", &a, &b, &["k.p.y:abs=0.2"]).verdict, Verdict::Equal);
    assert_eq!(compare("json", &a, &b, &["k.p:ignore"]).verdict, Verdict::Incomparable);
}

#[test]
fn a_fraction_of_the_range_is_one_of_the_decoded_values() {
    let (a, b) = ([r#"{"x": 0}"#, r#"{"x": 10}"#], [r#"{"x": 0.9}"#, r#"{"x": 10}"#]);
    assert_eq!(compare("json", &a, &b, &["k.x:range=0.1"]).verdict, Verdict::Equal);
    assert_eq!(compare("json", &a, &b, &["k.x:range=0.01"]).verdict, Verdict::Different);
}

#[test]
fn integers_against_floats_are_no_difference_of_types() {
    let result = compare("json", &[r#"{"x": 1}"#], &[r#"{"x": 1.5}"#], &["k.x:abs=1"]);
    assert_eq!(result.verdict, Verdict::Equal);
    let diff = &result.key_diffs["k"];
    assert!(diff.schema.is_empty());
    assert_eq!(diff.fields[0].type_name, "float64");
    assert_eq!(
        result.notes,
        ["k: json is decoded by a type that is inferred from the values of both sides"]
    );
}

#[test]
fn a_malformed_message_is_an_error_with_its_index_and_never_passes() {
    let good = r#"{"x": 1}"#.to_owned();
    let deep = format!("{}{}", r#"{"x": "#.repeat(200), "}".repeat(200));
    for (bad, reason) in [
        (r#"{"x": 1, "x": 1}"#, "field x: given twice"),
        (r#"{"x": NaN}"#, "expected value"),
        (r#"{"x": 1e999}"#, "number out of range"),
        (r#"{"x": 1} x"#, "trailing characters"),
        (r#"{"x": 1"#, "EOF while parsing an object"),
        ("", "EOF while parsing a value"),
        (r#"{"x": 01}"#, "invalid number"),
        (&deep, "invalid type: map, expected int64 in field x"),
    ] {
        let payloads = [good.as_bytes(), bad.as_bytes()];
        let result = compare("json", &payloads, &payloads, &[]);
        assert_eq!(result.verdict, Verdict::Different, "{bad}");
        let diff = &result.key_diffs["k"];
        assert_eq!((diff.messages.compared, diff.messages.errors), (1, 1), "{bad}");
        assert_eq!(diff.mismatches[0].kind, MismatchKind::Decode);
        assert_eq!(diff.mismatches[0].index, 1);
        let start = format!("message 1 of the reference: can't decode json of key k: {reason}");
        assert!(diff.errors[0].starts_with(&start), "{bad}: {}", diff.errors[0]);
        assert!(shown("json", &payloads)[1].contains(reason));
    }
    let payloads = [good.as_bytes(), b"{\"x\": \"\xff\"}"];
    let result = compare("json", &payloads, &payloads, &[]);
    assert_eq!(
        result.key_diffs["k"].errors,
        ["message 1 of the reference: can't decode json of key k: \
          the text is not UTF-8 from byte 7"]
    );
}

#[test]
fn nothing_but_malformed_messages_say_no_type() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for bad in ["", "{", "{\"x\": 1} 2", "nul", &deep] {
        assert_eq!(type_of("json", &[bad]), Err("no message says its type".to_owned()));
    }
}

#[test]
fn what_is_shown_is_the_message() {
    assert_eq!(
        shown("json", &[r#"{"x": 1, "p": {"y": [true]}}"#, r#"{"p": {"y": []}}"#, "{"]),
        [
            "{x: [1], p: {y: [true]}}",
            "{x: [], p: {y: []}}",
            "can't decode json of key k at 0.000000002 s: \
             EOF while parsing an object at line 1 column 1"
        ]
    );
}

#[test]
fn other_encodings_than_the_same_are_a_finding() {
    let (a, b) = (dataset("json", &["{}"]), dataset("text", &["{}"]));
    let result = diff(&a, &b, &Policy::default()).unwrap();
    assert_eq!(result.verdict, Verdict::Incomparable);
    assert_eq!(result.key_diffs["k"].schema[0].kind, SchemaFindingKind::Encoding);
}
