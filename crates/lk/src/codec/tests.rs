use super::*;
use crate::value::Datum;

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

/// One field's value against its bytes, both ways.
#[track_caller]
fn check(text: &str, data: Vec<Datum>, hex: &str) {
    let schema = schema(text);
    let plan = Plan::new(&schema);
    let value = Value::new(schema, Record { fields: data }).unwrap();
    assert_eq!(plan.encode(&value).unwrap(), little(hex));
    assert_eq!(plan.decode(&little(hex)).unwrap(), value);
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
fn big_endian_is_read() {
    let plan = Plan::new(&schema("uint8 a\nuint32 b\nfloat64[] c\nstring d\nwstring e\nint16 f"));
    let value = plan
        .decode(&big("01 000000 12345678 00000001 00000000 3ff0000000000000 \
             00000003 686900 00 00000001 00e9 fffe"))
        .unwrap();
    let expected = vec![
        1_u8.into(),
        0x1234_5678_u32.into(),
        vec![1.0].into(),
        "hi".into(),
        "\u{e9}".into(),
        Datum::Int16(-2),
    ];
    assert_eq!(value.record().fields, expected);
}
