use proptest::prelude::*;
use serde::de::DeserializeSeed;

use super::*;
use crate::testing;

fn schema(text: &str) -> Schema {
    Schema::parse("demo/msg/Test", text).unwrap()
}

fn nested() -> Schema {
    schema(
        "uint8 id 7\nInner one\nInner[] many\nfloat32[3] ranges\nstring[] names\n\
         ===\nMSG: demo/Inner\nfloat64 x 1.5\nint16[] k",
    )
}

fn from_json(schema: &Schema, json: &str) -> Result<Value, String> {
    let mut json = serde_json::Deserializer::from_str(json);
    ValueSeed::new(schema).deserialize(&mut json).map_err(|e| e.to_string())
}

const FULL: &str = r#"{
    "id": 3,
    "one": {"x": 0.5, "k": [1]},
    "many": [{"k": []}, {"x": -2, "k": [-1, 5]}],
    "ranges": [0.1, "NaN", "-Infinity"],
    "names": ["a", "b"]
}"#;

#[test]
fn defaults_are_those_of_the_schema_or_zero() {
    let value = Value::default_of(&nested());
    assert_eq!(
        value.to_string(),
        "{id: 7, one: {x: 1.5, k: []}, many: [], ranges: [0.0, 0.0, 0.0], names: []}"
    );
}

#[test]
fn fields_are_found_by_path() {
    let value = from_json(&nested(), FULL).unwrap();
    assert_eq!(value.get("id"), Some(&Datum::Uint8(3)));
    assert_eq!(value.get("one.x"), Some(&Datum::Float64(0.5)));
    assert_eq!(value.get("many[1].k"), Some(&vec![-1_i16, 5].into()));
    assert_eq!(value.get("many[1].x").and_then(Datum::as_f64), Some(-2.0));
    assert_eq!(value.get("one").and_then(Datum::as_record).map(|r| r.fields.len()), Some(2));
    assert_eq!(value.scalar("ranges[0]"), Some(Scalar::Float32(0.1)));
    assert_eq!(value.scalar("many[1].k[0]"), Some(Scalar::Int(-1)));
    assert_eq!(value.scalar("names[1]"), Some(Scalar::Text("b".to_owned())));
    assert_eq!(value.scalar("id"), Some(Scalar::Uint(3)));
    for nothing in [
        "",
        ".",
        "x",
        "id.x",
        "one.",
        "one.z",
        "many.x",
        "many[2].x",
        "many[].x",
        "id[0]",
        "one[0].x",
    ] {
        assert_eq!(value.get(nothing), None, "{nothing}");
    }
    for nothing in ["", "ranges[3]", "ranges[-1]", "ranges[]", "ranges", "many[0]", "id[0]"] {
        assert_eq!(value.scalar(nothing), None, "{nothing}");
    }
}

#[test]
fn fields_are_set_by_path_if_they_fit() {
    let mut value = from_json(&nested(), FULL).unwrap();
    value.set("many[1].x", 8.0).unwrap();
    value.set("names", vec!["c".to_owned()]).unwrap();
    assert_eq!(value.scalar("many[1].x"), Some(Scalar::Float64(8.0)));
    assert_eq!(value.scalar("names[0]"), Some(Scalar::Text("c".to_owned())));
    let before = value.clone();
    assert_eq!(
        value.set("many[1].x", 8_i32).unwrap_err().to_string(),
        "field many[1].x of demo/msg/Test can't hold the value: expected float64, got int32"
    );
    assert_eq!(
        value.set("one.y", 8.0).unwrap_err().to_string(),
        "field one.y of demo/msg/Test can't hold the value: there is no such field"
    );
    assert_eq!(value, before);
}

#[test]
fn leaves_come_in_schema_order_with_their_paths() {
    let value = from_json(&nested(), FULL).unwrap();
    let leaves: Vec<String> =
        value.leaves().iter().map(|(path, scalar)| format!("{path}={scalar}")).collect();
    assert_eq!(
        leaves,
        [
            "id=3",
            "one.x=0.5",
            "one.k[0]=1",
            "many[0].x=1.5",
            "many[1].x=-2.0",
            "many[1].k[0]=-1",
            "many[1].k[1]=5",
            "ranges[0]=0.1",
            "ranges[1]=NaN",
            "ranges[2]=-inf",
            "names[0]=\"a\"",
            "names[1]=\"b\"",
        ]
    );
    assert_eq!(value.first_leaves(3)[..], value.leaves()[..3]);
    assert!(value.first_leaves(0).is_empty());
    for (path, scalar) in value.leaves() {
        assert_eq!(value.scalar(&path).unwrap().to_string(), scalar.to_string());
    }
}

#[test]
fn display_is_one_line_or_a_line_a_field() {
    let value = from_json(&nested(), FULL).unwrap();
    assert_eq!(
        value.to_string(),
        "{id: 3, one: {x: 0.5, k: [1]}, many: [{x: 1.5, k: []}, {x: -2.0, k: [-1, 5]}], \
         ranges: [0.1, NaN, -inf], names: [\"a\", \"b\"]}"
    );
    assert_eq!(
        format!("{value:#}"),
        "id: 3\none:\n  x: 0.5\n  k: [1]\nmany:\n  [0]:\n    x: 1.5\n    k: []\n  [1]:\n    \
         x: -2.0\n    k: [-1, 5]\nranges: [0.1, NaN, -inf]\nnames: [\"a\", \"b\"]"
    );
}

#[test]
fn long_arrays_are_cut_for_display_alone() {
    let schema = schema("uint8[] data");
    let value = Value::new(schema, Record { fields: vec![vec![1_u8; 40].into()] }).unwrap();
    assert!(value.to_string().ends_with("1, 1, ... 8 more]}"), "{value}");
    assert_eq!(value.leaves().len(), 40);
}

#[test]
fn what_does_not_fit_is_refused_by_its_path() {
    let schema = schema(
        "Inner[] inner\nuint8[2] pair\nint16[<=2] few\nbool on\n===\nMSG: demo/Inner\nstring<=3 name",
    );
    let good = vec![
        vec![Record { fields: vec!["abc".into()] }].into(),
        vec![1_u8, 2].into(),
        vec![1_i16].into(),
        true.into(),
    ];
    Value::new(schema.clone(), Record { fields: good.clone() }).unwrap();
    let long = Record { fields: vec!["abcd".into()] };
    let cases: [(usize, Datum, &str); 7] = [
        (
            0,
            vec![long].into(),
            "field inner[0].name of demo/msg/Test can't hold the value: \
            expected text of up to 3 bytes, got 4",
        ),
        (
            0,
            vec![Record::default()].into(),
            "field inner[0] of demo/msg/Test can't hold the \
            value: expected 1 fields, got 0",
        ),
        (
            1,
            vec![1_u8].into(),
            "field pair of demo/msg/Test can't hold the value: \
            expected 2 elements, got 1",
        ),
        (
            1,
            vec![1_i8, 2].into(),
            "field pair of demo/msg/Test can't hold the value: \
            expected an array of uint8, got one of int8",
        ),
        (
            2,
            vec![1_i16, 2, 3].into(),
            "field few of demo/msg/Test can't hold the value: \
            expected up to 2 elements, got 3",
        ),
        (
            3,
            1_u8.into(),
            "field on of demo/msg/Test can't hold the value: \
            expected bool, got uint8",
        ),
        (
            3,
            vec![true].into(),
            "field on of demo/msg/Test can't hold the value: \
            expected bool, got an array",
        ),
    ];
    for (index, datum, expected) in cases {
        let mut fields = good.clone();
        fields[index] = datum;
        let error = Value::new(schema.clone(), Record { fields }).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    let error = Value::new(schema.clone(), Record { fields: good[..2].to_vec() }).unwrap_err();
    assert_eq!(error.to_string(), "demo/msg/Test can't hold the value: expected 4 fields, got 2");
}

#[test]
fn values_are_equal_by_bits() {
    let schema = schema("float64 a\nfloat32[] b");
    let value = |a: f64, b: f32| {
        Value::new(schema.clone(), Record { fields: vec![a.into(), vec![b].into()] }).unwrap()
    };
    assert_eq!(value(f64::NAN, f32::NAN), value(f64::NAN, f32::NAN));
    assert_ne!(value(0.0, 1.0), value(-0.0, 1.0));
    assert_ne!(value(1.0, 0.0), value(1.0, -0.0));
}

#[test]
fn json_has_every_field_in_order() {
    let value = from_json(&nested(), FULL).unwrap();
    assert_eq!(
        serde_json::to_string(&value).unwrap(),
        r#"{"id":3,"one":{"x":0.5,"k":[1]},"many":[{"x":1.5,"k":[]},{"x":-2.0,"k":[-1,5]}],"#
            .to_owned()
            + r#""ranges":[0.1,"NaN","-Infinity"],"names":["a","b"]}"#
    );
}

#[test]
fn optional_fields_are_null_or_their_element() {
    let schema = schema("int8[<=1] a\nInner[<=1] b\n===\nMSG: demo/Inner\nint8 x")
        .with_optional_fields(&["demo/msg/Test.a", "demo/msg/Test.b"])
        .unwrap();
    for json in [r#"{"a":5,"b":{"x":1}}"#, r#"{"a":null,"b":null}"#] {
        let value = from_json(&schema, json).unwrap();
        assert_eq!(serde_json::to_string(&value).unwrap(), json);
    }
    assert_eq!(from_json(&schema, "{}").unwrap(), Value::default_of(&schema));
}

#[test]
fn errors_of_reading_name_the_field() {
    let cases = [
        (r#"{"id": 256}"#, "field id: 256 is out of the range of uint8"),
        (r#"{"id": -1}"#, "field id: -1 is out of the range of uint8"),
        (r#"{"id": 1.0}"#, "field id: expected uint8, got the float 1.0"),
        (r#"{"id": true}"#, "field id: expected uint8, got true"),
        (r#"{"id": "1"}"#, "field id: expected uint8, got the text \"1\""),
        (r#"{"id": null}"#, "invalid type: null, expected uint8 in field id"),
        (r#"{"id": 1, "id": 2}"#, "field id: given twice"),
        (r#"{"idd": 1}"#, "unknown field idd; demo/msg/Test has id, one, many, ranges, names"),
        (r#"{"one": {"z": 1}}"#, "field one: unknown field z; demo/msg/Inner has x, k"),
        (r#"{"one": {"x": 1}}"#, "field one.k: missing, and it has no default"),
        (
            r#"{"many": [{"k": []}, {"k": [40000]}]}"#,
            "field many[1].k[0]: 40000 is out of the range of int16",
        ),
        (
            r#"{"many": [{"k": []}, 5]}"#,
            "invalid type: integer `5`, expected a map of the fields of demo/msg/Inner in field many[1]",
        ),
        (r#"{"ranges": [1, 2]}"#, "field ranges: expected 3 elements, got 2"),
        (r#"{"ranges": [1, 2, 3, 4]}"#, "field ranges: more than 3 elements"),
        (r#"{"ranges": [1e39, 0, 0]}"#, "field ranges[0]: 1e39 is out of the range of float32"),
        (r#"{"ranges": ["nan"]}"#, "field ranges[0]: expected float32, got the text \"nan\""),
        (
            r#"{"ranges": 1}"#,
            "invalid type: integer `1`, expected a list of float32 in field ranges",
        ),
        (r#"{"names": [1]}"#, "field names[0]: expected string, got 1"),
        (r#"[]"#, "invalid type: sequence, expected a map of the fields of demo/msg/Test"),
    ];
    for (json, expected) in cases {
        let error = from_json(&nested(), json).unwrap_err();
        assert!(error.starts_with(expected), "{json}: {error}");
    }
}

#[test]
fn bounds_hold_when_reading() {
    let schema = schema("string<=2 a \"\"\nint8[<=1] b []");
    let error = from_json(&schema, r#"{"a": "abc"}"#).unwrap_err();
    assert!(error.starts_with("field a: expected text of up to 2 bytes, got 3"), "{error}");
    let error = from_json(&schema, r#"{"b": [1, 2]}"#).unwrap_err();
    assert!(error.starts_with("field b: more than 1 elements"), "{error}");
}

#[test]
fn integers_are_exact_at_the_ends_of_their_range() {
    let schema = schema("int64 a\nuint64 b");
    let json = r#"{"a":-9223372036854775808,"b":18446744073709551615}"#;
    let value = from_json(&schema, json).unwrap();
    assert_eq!(value.record().fields, [i64::MIN.into(), Datum::Uint64(u64::MAX)]);
    assert_eq!(serde_json::to_string(&value).unwrap(), json);
}

proptest! {
    #[test]
    fn json_gives_back_the_value(value in testing::any_value()) {
        let schema = value.schema().clone();
        let Datum::Record(plain) = testing::plain_nans(Datum::Record(value.into_record())) else {
            unreachable!("a record stays one")
        };
        let value = Value::new(schema.clone(), plain).unwrap();
        let json = serde_json::to_string(&value).unwrap();
        prop_assert_eq!(from_json(&schema, &json).unwrap(), value);
    }

    #[test]
    fn defaults_fit_their_schema(schema in testing::schema()) {
        let value = Value::default_of(&schema);
        prop_assert_eq!(Value::new(schema.clone(), value.record().clone()).unwrap(), value);
    }
}
