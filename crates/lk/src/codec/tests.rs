use proptest::prelude::*;

use super::*;
use crate::testing;
use crate::value::{Array, Datum};

mod hostile;
mod reference;

fn schema(text: &str) -> Schema {
    Schema::parse("test/msg/Test", text).unwrap()
}

/// Payload bytes of hexadecimal digits, after the little-endian header.
fn little(hex: &str) -> Vec<u8> {
    [vec![0, 1, 0, 0], bytes(hex)].concat()
}

/// The same after the big-endian header.
fn big(hex: &str) -> Vec<u8> {
    [vec![0, 0, 0, 0], bytes(hex)].concat()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: String = hex.split_whitespace().collect();
    (0..digits.len() / 2)
        .map(|i| u8::from_str_radix(&digits[2 * i..2 * i + 2], 16).unwrap())
        .collect()
}

/// A message's fields against its bytes, both ways.
#[track_caller]
fn check(text: &str, data: Vec<Datum>, hex: &str) {
    let schema = schema(text);
    let plan = Plan::new(&schema);
    let value = Value::new(schema, Record { fields: data }).unwrap();
    assert_eq!(plan.encode(&value).unwrap(), little(hex));
    assert_eq!(plan.decode(&little(hex)).unwrap(), value);
}

fn record(fields: Vec<Datum>) -> Datum {
    Datum::Record(Record { fields })
}

#[test]
fn every_primitive_has_its_bytes() {
    check("bool a\nbool b", vec![true.into(), false.into()], "01 00");
    check("byte a", vec![0xfe_u8.into()], "fe");
    check("char a", vec![0x41_u8.into()], "41");
    check("int8 a", vec![(-2_i8).into()], "fe");
    check("uint8 a", vec![0xfe_u8.into()], "fe");
    check("int16 a", vec![(-2_i16).into()], "fe ff");
    check("uint16 a", vec![0x1234_u16.into()], "34 12");
    check("int32 a", vec![(-2_i32).into()], "fe ff ff ff");
    check("uint32 a", vec![0x1234_5678_u32.into()], "78 56 34 12");
    check("int64 a", vec![(-2_i64).into()], "fe ff ff ff ff ff ff ff");
    check("uint64 a", vec![0x0102_0304_0506_0708_u64.into()], "08 07 06 05 04 03 02 01");
    check("float32 a", vec![1.0_f32.into()], "00 00 80 3f");
    check("float64 a", vec![(-2.0_f64).into()], "00 00 00 00 00 00 00 c0");
}

#[test]
fn arrays_of_every_primitive_have_their_bytes() {
    check("bool[2] a", vec![vec![true, false].into()], "01 00");
    check("byte[] a", vec![vec![1_u8, 2].into()], "02000000 01 02");
    check("char[2] a", vec![vec![1_u8, 2].into()], "01 02");
    check("int8[2] a", vec![vec![-1_i8, 2].into()], "ff 02");
    check("int16[2] a", vec![vec![-1_i16, 2].into()], "ffff 0200");
    check("uint16[] a", vec![vec![1_u16, 2].into()], "02000000 0100 0200");
    check("int32[1] a", vec![vec![-1_i32].into()], "ffffffff");
    check("uint32[<=3] a", vec![vec![7_u32].into()], "01000000 07000000");
    check("int64[1] a", vec![vec![-1_i64].into()], "ffffffffffffffff");
    check("uint64[] a", vec![vec![1_u64].into()], "01000000 00000000 0100000000000000");
    check("float32[] a", vec![vec![1.0_f32].into()], "01000000 0000803f");
    check("float64[] a", vec![vec![1.0].into()], "01000000 00000000 000000000000f03f");
}

#[test]
fn numbers_are_aligned_to_their_size_from_the_end_of_the_header() {
    check(
        "uint8 a\nfloat64 b\nuint8 c\nuint16 d\nuint8 e\nuint32 f",
        vec![1_u8.into(), 1.0.into(), 2_u8.into(), 3_u16.into(), 4_u8.into(), 5_u32.into()],
        "01 00000000000000 000000000000f03f 02 00 0300 04 000000 05000000",
    );
}

#[test]
fn what_follows_text_is_aligned_from_where_it_ends() {
    check(
        "string a\nuint64 b\nstring c\nuint16 d",
        vec!["ab".into(), 1_u64.into(), "".into(), 2_u16.into()],
        "03000000 616200 00 0100000000000000 01000000 00 00 0200",
    );
    check(
        "wstring a\nuint32 b\nfloat64 c",
        vec!["a".into(), 7_u32.into(), 1.0.into()],
        "01000000 6100 0000 07000000 00000000 000000000000f03f",
    );
}

#[test]
fn a_value_beyond_a_bound_is_never_written() {
    for (text, datum) in [
        ("string<=2 a", Datum::from("abc")),
        ("wstring<=2 a", Datum::from("abc")),
        ("uint32[<=1] a", Datum::from(vec![1_u32, 2])),
        ("uint32[2] a", Datum::from(vec![1_u32])),
    ] {
        let refused = Value::new(schema(text), Record { fields: vec![datum] });
        assert!(refused.is_err(), "{text}");
    }
}

#[test]
fn an_empty_sequence_has_no_padding_for_its_elements() {
    // Fast-CDR aligns only where there is an element (`serialize_array`).
    check(
        "float64[] a\nuint32 b",
        vec![Vec::<f64>::new().into(), 7_u32.into()],
        "00000000 07000000",
    );
}

#[test]
fn messages_are_not_aligned_as_a_whole() {
    check(
        "uint8 a\nInner b\nuint8 c\n===\nMSG: test/Inner\nuint8 x\nuint32 y",
        vec![1_u8.into(), record(vec![2_u8.into(), 3_u32.into()]), 4_u8.into()],
        "01 02 0000 03000000 04",
    );
}

#[test]
fn an_empty_message_is_one_zero_byte() {
    check("", vec![], "00");
    check(
        "std_msgs/Empty a\nuint8 b\nstd_msgs/Empty[2] c\nstd_msgs/Empty[] d",
        vec![
            record(vec![]),
            5_u8.into(),
            vec![Record::default(); 2].into(),
            vec![Record::default(); 3].into(),
        ],
        "00 05 0000 03000000 000000",
    );
}

#[test]
fn strings_count_their_terminator() {
    check("string a\nstring b", vec!["hé".into(), "".into()], "04000000 68c3a900 01000000 00");
    check("string<=2[] a", vec![vec!["ab".to_owned()].into()], "01000000 03000000 616200");
}

#[test]
fn a_string_may_hold_a_nul() {
    check("string a", vec!["a\0b".into()], "04000000 61006200");
}

#[test]
fn length_zero_is_an_empty_string_too() {
    let plan = Plan::new(&schema("string a\nuint8 b"));
    let value = plan.decode(&little("00000000 07")).unwrap();
    assert_eq!(value.record().fields, ["".into(), Datum::Uint8(7)]);
}

#[test]
fn wide_strings_count_code_units_of_two_bytes() {
    // U+1F600 is the pair d83d de00.
    check(
        "wstring a\nuint8 b\nwstring c",
        vec!["a\u{1f600}".into(), 1_u8.into(), "".into()],
        "03000000 6100 3dd8 00de 01 00 00000000",
    );
    check("wstring<=2[1] a", vec![vec!["ab".to_owned()].into()], "02000000 6100 6200");
}

#[test]
fn big_endian_is_read() {
    let plan = Plan::new(&schema(
        "uint8 a\nuint32 b\nfloat64[] c\nstring d\nwstring e\nint16 f\nuint16[2] g",
    ));
    let payload = "01 000000 12345678 00000001 00000000 3ff0000000000000 \
                   00000003 686900 00 00000001 00e9 fffe 0001 0002";
    let expected = vec![
        1_u8.into(),
        0x1234_5678_u32.into(),
        vec![1.0].into(),
        "hi".into(),
        "\u{e9}".into(),
        Datum::Int16(-2),
        vec![1_u16, 2].into(),
    ];
    assert_eq!(plan.decode(&big(payload)).unwrap().record().fields, expected);
}

#[test]
fn zero_padding_after_the_last_field_is_taken() {
    let plan = Plan::new(&schema("uint8 a"));
    for padding in ["", "00", "0000", "000000"] {
        plan.decode(&little(&format!("07{padding}"))).unwrap();
    }
}

#[test]
fn adjacent_equal_primitives_are_one_run() {
    let plan = Plan::new(&schema(
        "float64 a\nfloat64 b\nfloat64 c\nfloat32 d\nfloat64[1] e\nfloat64 f\nstring g\nstring h",
    ));
    let runs: Vec<_> = plan.layout().fields.iter().map(|field| field.run).collect();
    assert_eq!(runs, [3, 2, 1, 1, 1, 1, 1, 1]);
}

#[test]
fn a_value_of_another_type_is_not_written() {
    let plan = Plan::new(&schema("float64 celsius"));
    let other = Value::default_of(&schema("float64 kelvin"));
    let error = plan.encode(&other).unwrap_err().to_string();
    assert!(error.starts_with("expected a message of type test/msg/Test ("), "{error}");
}

#[test]
fn a_value_of_a_type_with_other_names_of_types_is_written() {
    let plan = Plan::new(&schema("float64 celsius"));
    let other = Schema::parse("other/Reading", "float64 celsius 3.0\nint8 K=1").unwrap();
    let payload = plan.encode(&Value::default_of(&other)).unwrap();
    assert_eq!(payload, little("0000000000000840"));
}

#[test]
fn decoding_into_a_value_takes_over_the_schema() {
    let plan = Plan::new(&schema("string a\nint32[] b"));
    let mut value = Value::default_of(&schema("uint8 x\nuint8 y\nuint8 z"));
    plan.decode_into(&little("02000000 6100 0000 01000000 05000000"), &mut value).unwrap();
    assert_eq!(value.schema(), plan.schema());
    assert_eq!(value.record().fields, ["a".into(), Datum::from(vec![5_i32])]);
}

#[test]
fn after_an_error_the_value_is_the_default() {
    let plan = Plan::new(&schema("uint8 a\nfloat64[2] b"));
    let mut value = Value::default_of(plan.schema());
    plan.decode_into(&little("07"), &mut value).unwrap_err();
    assert_eq!(value, Value::default_of(plan.schema()));
}

proptest! {
    #[test]
    fn decoding_gives_back_what_was_encoded(value in testing::any_value()) {
        let plan = Plan::new(value.schema());
        let payload = plan.encode(&value).unwrap();
        prop_assert_eq!(plan.decode(&payload).unwrap(), value);
    }

    #[test]
    fn the_bytes_are_those_of_a_plain_encoder(value in testing::any_value()) {
        let plan = Plan::new(value.schema());
        let expected = reference::encode(&value, false);
        prop_assert_eq!(plan.encode(&value).unwrap(), expected);
    }

    #[test]
    fn both_byte_orders_mean_the_same(value in testing::any_value()) {
        let plan = Plan::new(value.schema());
        let payload = reference::encode(&value, true);
        prop_assert_eq!(plan.decode(&payload).unwrap(), value);
    }

    #[test]
    fn reused_values_hold_what_fresh_ones_do(
        (first, second) in testing::schema()
            .prop_flat_map(|schema| (testing::value(&schema), testing::value(&schema)))
    ) {
        let plan = Plan::new(first.schema());
        let mut reused = first;
        plan.decode_into(&plan.encode(&second).unwrap(), &mut reused).unwrap();
        prop_assert_eq!(reused, second);
    }

    #[test]
    fn values_of_other_schemas_are_overwritten(
        value in testing::any_value(),
        other in testing::any_value(),
    ) {
        let plan = Plan::new(value.schema());
        let mut reused = other;
        plan.decode_into(&plan.encode(&value).unwrap(), &mut reused).unwrap();
        prop_assert_eq!(reused, value);
    }
}
