//! Bytes that are no message: errors that say where, and memory that the
//! bytes justify.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::codec::decode;

/// The text of the error for a payload, or a panic.
#[track_caller]
fn check_error(text: &str, payload: &[u8], expected: &str) {
    let error = Plan::new(&schema(text)).decode(payload).unwrap_err();
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_payload_shorter_than_its_header_is_named() {
    check_error(
        "uint8 a",
        &[0, 1],
        "can't decode test/msg/Test at byte 0: the payload ends in its 4-byte header, after 2 bytes",
    );
}

#[test]
fn other_encapsulations_are_named() {
    let cases = [
        ([0, 3], "parameter-list CDR is not read, plain CDR is"),
        ([0, 7], "XCDR2 is not read, plain CDR (XCDR1) is"),
        ([0x7b, 0x22], "header 7b 22 is not that of CDR"),
    ];
    for (header, reason) in cases {
        let payload = [header[0], header[1], 0, 0, 7];
        let expected = format!("can't decode test/msg/Test at byte 0: {reason}");
        check_error("uint8 a", &payload, &expected);
    }
}

#[test]
fn the_field_that_does_not_fit_is_named_also_inside_a_run() {
    check_error(
        "float64 x\nfloat64 y\nfloat64 z",
        &little("0000000000000000 0000000000000000 00000000"),
        "can't decode field z of test/msg/Test at byte 20: 8 bytes wanted, 4 left",
    );
}

#[test]
fn the_element_that_does_not_fit_is_named() {
    check_error(
        "uint8 a\nfloat32[4] b",
        &little("01 000000 00000000 0000"),
        "can't decode field b[1] of test/msg/Test at byte 12: 4 bytes wanted, 2 left",
    );
}

#[test]
fn nested_fields_are_named_by_their_path() {
    check_error(
        "Inner[] points\n===\nMSG: test/Inner\ngeometry_msgs/Point at\nstring[2] names",
        &little(
            "02000000 00000000 000000000000000000000000000000000000000000000000 \
             01000000 00 000000 01000000 00 000000 000000000000000000000000000000000000000000000000 \
             01000000 00 000000 63000000 00",
        ),
        "can't decode field points[1].names[1] of test/msg/Test at byte 84: \
         text of 99 bytes doesn't fit in the 1 byte left",
    );
}

#[test]
fn bools_are_zero_or_one() {
    check_error(
        "bool a\nbool b\nbool c",
        &little("01 02 00"),
        "can't decode field b of test/msg/Test at byte 5: bool is 2, not 0 or 1",
    );
    check_error(
        "bool[] a",
        &little("02000000 01 ff"),
        "can't decode field a[1] of test/msg/Test at byte 9: bool is 255, not 0 or 1",
    );
}

#[test]
fn text_is_utf8_and_ends_in_nul() {
    check_error(
        "string a",
        &little("04000000 61 ff 62 00"),
        "can't decode field a of test/msg/Test at byte 9: text is not UTF-8",
    );
    check_error(
        "string a",
        &little("02000000 6162"),
        "can't decode field a of test/msg/Test at byte 9: text doesn't end in a NUL byte",
    );
    check_error(
        "wstring a",
        &little("02000000 6100 00d8"),
        "can't decode field a of test/msg/Test at byte 10: wide text has half of a surrogate pair",
    );
}

#[test]
fn bounds_hold_when_reading() {
    check_error(
        "uint8[<=2] a",
        &little("03000000 010203"),
        "can't decode field a of test/msg/Test at byte 4: 3 elements, at most 2 are allowed",
    );
    check_error(
        "string<=2 a",
        &little("04000000 61626300"),
        "can't decode field a of test/msg/Test at byte 4: text of 3 bytes, at most 2 are allowed",
    );
    check_error(
        "wstring<=1 a",
        &little("02000000 61006200"),
        "can't decode field a of test/msg/Test at byte 4: \
         wide text of 2 code units, at most 1 are allowed",
    );
}

#[test]
fn lengths_beyond_the_payload_are_refused_whatever_the_element() {
    let inner = "===\nMSG: test/Inner\nuint8 a\nuint64[] b";
    for element in ["uint8", "bool", "float64", "string", "wstring", "std_msgs/Empty", "Inner"] {
        let text = format!("{element}[] a\n{inner}");
        check_error(
            &text,
            &little("ffffffff 00"),
            "can't decode field a of test/msg/Test at byte 4: \
             4294967295 elements don't fit in the 1 byte left",
        );
    }
}

#[test]
fn what_follows_the_last_field_is_an_error() {
    check_error(
        "uint8 a",
        &little("07 00000000"),
        "can't decode test/msg/Test at byte 5: 4 bytes after the last field; is it of another type?",
    );
    check_error(
        "uint8 a",
        &little("07 01"),
        "can't decode test/msg/Test at byte 5: 1 byte after the last field; is it of another type?",
    );
}

#[test]
fn lengths_are_checked_against_what_their_elements_take_at_least() {
    let inner = "===\nMSG: test/Inner\nuint8 a\nuint64[] b";
    for (element, left) in [("float64", 16), ("uint16", 5), ("string", 11), ("Inner", 14)] {
        check_error(
            &format!("{element}[] a\n{inner}"),
            &[little("03000000"), vec![0; left]].concat(),
            &format!(
                "can't decode field a of test/msg/Test at byte 4: \
                 3 elements don't fit in the {left} bytes left"
            ),
        );
    }
    check_error(
        "wstring a",
        &little("03000000 6100 6200 63"),
        "can't decode field a of test/msg/Test at byte 4: \
         wide text of 3 code units doesn't fit in the 5 bytes left",
    );
}

#[test]
fn elements_that_take_the_least_are_read() {
    let texts = || vec![String::new(); 2].into();
    let empty = vec![Record { fields: vec![0_u8.into(), Vec::<u8>::new().into()] }];
    let plan = Plan::new(&schema(
        "wstring[] a\nstring[] b\nInner[] c\n===\nMSG: test/Inner\nuint8 a\nuint8[] b",
    ));
    let value = plan
        .decode(&little(
            "02000000 00000000 00000000 02000000 00000000 00000000 01000000 00 000000 00000000",
        ))
        .unwrap();
    assert_eq!(value.record().fields, [texts(), texts(), empty.into()]);
    for (text, payload) in [
        ("wstring[] a", "02000000 00000000 00000000"),
        ("string[] a", "02000000 00000000 00000000"),
        ("std_msgs/Empty[] a", "02000000 00 00"),
    ] {
        Plan::new(&schema(text)).decode(&little(payload)).unwrap();
    }
}

/// Bytes on the heap behind a record, by capacity.
fn heap(record: &Record) -> usize {
    let array = |array: &Array| match array {
        Array::Record(v) => v.capacity() * size_of::<Record>() + v.iter().map(heap).sum::<usize>(),
        Array::String(v) => {
            v.capacity() * size_of::<String>() + v.iter().map(String::capacity).sum::<usize>()
        }
        Array::Bool(v) => v.capacity(),
        Array::Int8(v) => v.capacity(),
        Array::Uint8(v) => v.capacity(),
        Array::Int16(v) => 2 * v.capacity(),
        Array::Uint16(v) => 2 * v.capacity(),
        Array::Int32(v) => 4 * v.capacity(),
        Array::Uint32(v) => 4 * v.capacity(),
        Array::Int64(v) => 8 * v.capacity(),
        Array::Uint64(v) => 8 * v.capacity(),
        Array::Float32(v) => 4 * v.capacity(),
        Array::Float64(v) => 8 * v.capacity(),
    };
    let data = record.fields.iter().map(|datum| match datum {
        Datum::String(text) => text.capacity(),
        Datum::Record(nested) => heap(nested),
        Datum::Array(a) => array(a),
        _ => 0,
    });
    record.fields.capacity() * size_of::<Datum>() + data.sum::<usize>()
}

/// Decodes whatever the bytes are, and checks the memory it took, also where
/// it fails.
fn check_memory(schema: &Schema, payload: &[u8]) -> Result<(), TestCaseError> {
    let mut record = Record::default();
    if let Ok(mut cursor) = Cursor::new(payload) {
        let _ = decode::record(&mut cursor, Plan::new(schema).layout(), &mut record);
    }
    // A datum takes 32 bytes; the generated schemas nest four messages deep,
    // and a single byte can stand for all of them.
    let fixed = heap(Value::default_of(schema).record());
    let allowed = 2 * fixed + 256 * payload.len();
    prop_assert!(heap(&record) <= allowed, "{} bytes over {}", heap(&record), allowed);
    Ok(())
}

proptest! {
    #[test]
    fn every_truncation_is_an_error(value in testing::any_value()) {
        let plan = Plan::new(value.schema());
        let payload = plan.encode(&value).unwrap();
        for len in 0..payload.len() {
            prop_assert!(plan.decode(&payload[..len]).is_err(), "{len} of {}", payload.len());
            check_memory(value.schema(), &payload[..len])?;
        }
    }

    #[test]
    fn random_bytes_do_no_harm(
        schema in testing::schema(),
        big_endian in any::<bool>(),
        body in vec(prop_oneof![3 => 0..4_u8, 1 => any::<u8>()], 0..200),
    ) {
        let payload = [vec![0, u8::from(!big_endian), 0, 0], body].concat();
        check_memory(&schema, &payload)?;
        if let Ok(value) = Plan::new(&schema).decode(&payload) {
            // What is read at all can be written, and is then read the same.
            let plan = Plan::new(&schema);
            prop_assert_eq!(plan.decode(&plan.encode(&value).unwrap()).unwrap(), value);
        }
    }

    #[test]
    fn changed_bytes_do_no_harm(
        value in testing::any_value(),
        changes in vec((any::<proptest::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let plan = Plan::new(value.schema());
        let mut payload = plan.encode(&value).unwrap();
        for (at, byte) in changes {
            let at = at.index(payload.len());
            payload[at] = byte;
        }
        check_memory(value.schema(), &payload)?;
        if let Err(error) = plan.decode(&payload) {
            let Error::Decode { offset, .. } = error else { panic!("{error}") };
            prop_assert!(offset <= payload.len());
        }
    }
}
