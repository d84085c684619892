//! Types that differ, and rules by field.

use super::*;

fn findings(result: &DiffResult) -> Vec<(&str, SchemaFindingKind, bool)> {
    let schema = &result.key_diffs["k"].schema;
    schema.iter().map(|f| (f.path.as_str(), f.kind, f.ignored)).collect()
}

#[test]
fn a_field_of_one_side_only_is_missing_or_extra_and_the_rest_is_compared() {
    let a = data(
        "float64 x\nstring s\nfloat64[] only_a",
        &[json!({"x": 1.0, "s": "a", "only_a": [1.0, 2.0]})],
    );
    let b = data("float64 x\nint32 only_b\nstring s", &[json!({"x": 1.0, "only_b": 7, "s": "b"})]);
    let result = compare(&a, &b, &[]);
    assert_eq!(result.verdict, Verdict::Different);
    assert_eq!(
        findings(&result),
        [
            ("only_a", SchemaFindingKind::Missing, false),
            ("only_b", SchemaFindingKind::Extra, false)
        ]
    );
    assert_eq!(field(&result, "only_a[*]").values.missing, 2);
    assert_eq!(field(&result, "only_b").values.extra, 1);
    assert_eq!(field(&result, "s").values.violations, 1);
    assert_eq!(field(&result, "x").values.bit_equal, 1);
    let paths: Vec<_> = result.key_diffs["k"].fields.iter().map(|f| f.path.as_str()).collect();
    assert_eq!(paths, ["x", "s", "only_a[*]", "only_b"], "the candidate's own come last");
    let first = result.first_divergence.unwrap().mismatch;
    assert_eq!((first.path.as_str(), first.kind), ("only_a", MismatchKind::Schema));
    assert_eq!((first.a, first.b), (Scalar::Text("float64[]".into()), Scalar::Absent));
}

#[test]
fn fields_that_a_rule_sets_aside_are_no_difference_but_not_identical() {
    let a = data("float64 x\nfloat64 y", &[json!({"x": 1.0, "y": 2.0})]);
    let b = data("float64 x", &[json!({"x": 1.0})]);
    let result = compare(&a, &b, &["k.y:ignore,reason=renamed"]);
    assert_eq!(result.verdict, Verdict::Equal);
    assert_eq!(findings(&result), [("y", SchemaFindingKind::Missing, true)]);
    assert_eq!(field(&result, "y").tolerance, "ignore: renamed");
    assert_eq!(field(&result, "y").values.ignored, 1);
    assert_eq!(result.rules, [RuleUse { rule: "k.y:ignore,reason=renamed".into(), fields: 1 }]);
}

#[test]
fn another_type_is_a_finding_and_is_not_compared() {
    for (one, other) in [
        ("float64 x", "float32 x"),
        ("int32 x", "uint32 x"),
        ("float64[3] x", "float64[] x"),
        ("float64[3] x", "float64[4] x"),
        ("float64 x", "P x\n===\nMSG: test/P\nfloat64 v"),
    ] {
        let default = |msg: &str| {
            let msg = format!("float64 y\n{msg}");
            let schema = Schema::parse("test/msg/Test", &msg).unwrap();
            let payload = Plan::new(&schema).encode(&crate::Value::default_of(&schema)).unwrap();
            Data::new().key("k", &msg).raw("k", 1_000, &payload)
        };
        let result = compare(&default(one), &default(other), &[]);
        assert_eq!(result.verdict, Verdict::Different, "{one} against {other}");
        assert_eq!(findings(&result), [("x", SchemaFindingKind::Type, false)]);
        assert_eq!(field(&result, "y").values.compared, 1);
        for field in result.key_diffs["k"].fields.iter().filter(|f| f.path != "y") {
            assert_eq!(field.values.compared, 0);
            let sequence_of_none = field.path == "x[*]" && field.values.missing == 0;
            assert!(field.values.missing + field.values.extra > 0 || sequence_of_none);
        }
        let ignored = compare(&default(one), &default(other), &["k.x:ignore"]);
        assert_eq!(ignored.verdict, Verdict::Equal);
    }
}

#[test]
fn fields_in_another_order_are_compared_by_name() {
    let a = data("float64 x\nfloat64 y\nstring s", &[json!({"x": 1.0, "y": 2.0, "s": "s"})]);
    let b = data("string s\nfloat64 y\nfloat64 x", &[json!({"x": 1.0, "y": 2.0, "s": "s"})]);
    let result = compare(&a, &b, &[]);
    assert_eq!(result.verdict, Verdict::Equal, "another type, so not identical");
    assert_eq!(findings(&result), [("", SchemaFindingKind::Order, false)]);
    let b = data("float64 y\nfloat64 x\nstring s", &[json!({"x": 2.0, "y": 1.0, "s": "s"})]);
    let result = compare(&a, &b, &[]);
    let found: Vec<_> = result.key_diffs["k"].mismatches.iter().map(|m| m.path.as_str()).collect();
    assert_eq!(found, ["x", "y"], "in the order of the reference");
}

#[test]
fn nested_types_that_differ_are_compared_by_name_in_arrays_too() {
    let a = "P[] ps\nP p\n===\nMSG: test/P\nfloat64 x\nstring s\nfloat64 gone";
    let b = "P p\nP[] ps\n===\nMSG: test/P\nbyte new\nfloat64 x\nstring s";
    let (p, q) = (
        |x: f64| json!({"x": x, "s": "s", "gone": 0.0}),
        |x: f64| json!({"x": x, "s": "s", "new": 1}),
    );
    let a = data(a, &[json!({"ps": [p(1.0), p(2.0), p(3.0)], "p": p(4.0)})]);
    let b = data(b, &[json!({"ps": [q(1.0), q(2.5)], "p": q(4.5)})]);
    let result = compare(&a, &b, &[]);
    let found: Vec<_> = result.key_diffs["k"]
        .mismatches
        .iter()
        .filter(|m| m.kind != MismatchKind::Schema)
        .map(|m| (m.path.as_str(), m.kind))
        .collect();
    assert_eq!(
        found,
        [
            ("ps[1].x", MismatchKind::Value),
            ("ps", MismatchKind::Length),
            ("p.x", MismatchKind::Value)
        ]
    );
    assert_eq!(field(&result, "ps[*].x").values.missing, 1);
    assert_eq!(field(&result, "ps[*].gone").values.missing, 3);
    assert_eq!(field(&result, "ps[*].new").values.extra, 2);
    assert_eq!(
        findings(&result),
        [
            ("ps[*].gone", SchemaFindingKind::Missing, false),
            ("ps[*].new", SchemaFindingKind::Extra, false),
            ("p.gone", SchemaFindingKind::Missing, false),
            ("p.new", SchemaFindingKind::Extra, false),
            ("", SchemaFindingKind::Order, false),
        ]
    );
}

#[test]
fn another_name_for_the_same_type_is_noted_and_nothing_more() {
    let a = data("float64 x", &[json!({"x": 1.0})]);
    let mut b = Dataset::memory();
    let schema = Schema::parse("other/msg/Name", "float64 x").unwrap();
    let channel = Channel {
        key: "k".into(),
        encoding: Encoding::Cdr(schema),
        role: Role::None,
        metadata: BTreeMap::new(),
    };
    let id = b.add_channel(channel).unwrap();
    let payload = a.encode("k", &json!({"x": 1.0}));
    b.write_payload(id, payload, Time::from_nanos(1_000)).unwrap();
    let result = diff(&a.dataset, &b, &Policy::default()).unwrap();
    assert_eq!(result.verdict, Verdict::Identical);
    assert!(result.notes[0].contains("other/msg/Name"), "{:?}", result.notes);
}

#[test]
fn rules_reach_single_elements() {
    let a = data(
        "float64[] x\nfloat64[3] y",
        &[json!({"x": [0.0, 0.0, 0.0, 0.0], "y": [0.0, 0.0, 0.0]})],
    );
    let b = data(
        "float64[] x\nfloat64[3] y",
        &[json!({"x": [1.0, 1.0, 0.0, 1.0], "y": [0.0, 1.0, 1.0]})],
    );
    let result = compare(&a, &b, &["k.x[1]:abs=1", "k.x[3]:ignore", "**.y[1]:ignore", "k.y[2]:2"]);
    let found: Vec<_> = result.key_diffs["k"].mismatches.iter().map(|m| m.path.as_str()).collect();
    assert_eq!(found, ["x[0]"]);
    let counts = |path: &str| {
        let v = field(&result, path).values;
        (v.compared, v.within, v.violations, v.ignored)
    };
    assert_eq!(counts("x[*]"), (2, 0, 1, 0));
    assert_eq!(counts("x[1]"), (1, 1, 0, 0));
    assert_eq!(counts("x[3]"), (0, 0, 0, 1));
    assert_eq!(counts("y[*]"), (1, 0, 0, 0));
    assert_eq!(counts("y[1]"), (0, 0, 0, 1));
    assert_eq!(counts("y[2]"), (1, 1, 0, 0));
}

#[test]
fn rules_reach_into_single_elements_of_arrays_of_messages() {
    let msg = "P[] ps\n===\nMSG: test/P\nfloat64 x\nfloat64[2] v";
    let p = |x: f64| json!({"x": x, "v": [x, x]});
    let a = data(msg, &[json!({"ps": [p(0.0), p(0.0), p(0.0)]})]);
    let b = data(msg, &[json!({"ps": [p(0.0), p(1.0), p(1.0)]})]);
    let rules = ["k.ps[1].x:abs=1", "k.ps[1].v[0]:ignore", "k.ps[2]:ignore"];
    let result = compare(&a, &b, &rules);
    let found: Vec<_> = result.key_diffs["k"].mismatches.iter().map(|m| m.path.as_str()).collect();
    assert_eq!(found, ["ps[1].v[1]"]);
    assert!(result.rules.iter().all(|rule| rule.fields > 0), "{:?}", result.rules);
}

#[test]
fn an_element_that_is_missing_and_ignored_is_no_difference() {
    let a = data("float64[] x", &[json!({"x": [1.0, 2.0]})]);
    let b = data("float64[] x", &[json!({"x": [1.0]})]);
    assert_eq!(compare(&a, &b, &["k.x[1]:ignore"]).verdict, Verdict::Equal);
    assert_eq!(compare(&a, &b, &["k.x[0]:ignore"]).verdict, Verdict::Different);
    // One element that matters among many that don't.
    let rules = ["k.x:ignore", "k.x[1]:abs=1"];
    assert_eq!(compare(&a, &b, &rules).verdict, Verdict::Different);
}

#[test]
fn a_rule_that_matches_nothing_is_an_error_with_suggestions() {
    let a = data("float64 x", &[json!({"x": 1.0})]);
    let policy = Policy::parse_rules(&["k.y:abs=1"]).unwrap();
    let error = diff(&a.dataset, &a.dataset, &policy).unwrap_err();
    assert!(error.to_string().contains("k.y:abs=1.0"), "{error}");
    assert_eq!(error.hint().as_deref(), Some("did you mean `k.x` or `k`?"));
    // A field of the candidate alone is matched too.
    let b = data("float64 x\nfloat64 y", &[json!({"x": 1.0, "y": 1.0})]);
    assert!(diff(&a.dataset, &b.dataset, &policy).is_ok());
    // An index past a fixed array matches nothing.
    let fixed = data("float64[3] x", &[json!({"x": [1.0, 1.0, 1.0]})]);
    let policy = Policy::parse_rules(&["k.x[3]:abs=1"]).unwrap();
    assert!(diff(&fixed.dataset, &fixed.dataset, &policy).is_err());
}

#[test]
fn an_ignored_key_is_listed_with_its_reason_even_where_one_side_lacks_it() {
    let make = |keys: &[&str]| {
        let data = data("float64 x", &[json!({"x": 1.0})]);
        keys.iter()
            .fold(data, |data, key| data.key(key, "float64 x").messages(key, &[json!({"x": 2.0})]))
    };
    let rules = ["\"/debug.b\":ignore,reason=debug only"];
    let result = compare(&make(&["/debug.b"]), &make(&[]), &rules);
    assert_eq!(result.verdict, Verdict::Equal, "a rule set something aside");
    assert_eq!(result.ignored_keys["/debug.b"], "debug only");
    assert!(result.keys_match && result.missing_keys_in_b.is_empty());
}
