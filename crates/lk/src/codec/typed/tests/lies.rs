//! Types that serialize other than they deserialize: an error with the field,
//! never wrong bytes.

use serde::{Deserialize, Serialize, Serializer};

use super::{Mode, decode_error, encode, encode_error, plan_of};
use crate::codec::Plan;
use crate::{Error, Schema};

/// Checks a type whose field `b`, within `item`, lies.
macro_rules! lie {
    ($field:literal, $reasons:expr, $value:expr, { $($(#[$attr:meta])* $name:ident: $type:ty),* $(,)? }) => {{
        #[derive(Serialize, Deserialize)]
        // Not read, where a field is left out.
        #[allow(dead_code)]
        struct Item { $($(#[$attr])* $name: $type),* }
        #[derive(Serialize, Deserialize)]
        struct Holder { list: Vec<Item> }
        let make = || -> Item { let [$($name),*] = $value; Item { $($name: $name.into()),* } };
        let holder = Holder { list: vec![make()] };
        encode_error(&plan_of::<Holder>(), &holder, $field, $reasons);
    }};
}

#[test]
fn fields_left_out_on_one_side() {
    lie!("list[0].b", &["leaves it out"], [1u8, 2, 3], {
        a: u8,
        #[serde(skip_serializing)]
        b: u8,
        c: u8,
    });
    lie!("list[0].c", &["leaves it out"], [1u8, 2, 3], {
        a: u8,
        b: u8,
        #[serde(skip_serializing)]
        c: u8,
    });
    lie!("list[0].b", &["gives it", "no such field"], [1u8, 2, 3], {
        a: u8,
        #[serde(skip_deserializing)]
        b: u8,
        c: u8,
    });
    lie!("list[0].b", &["skip_serializing_if"], [1u8, 0, 3], {
        a: u8,
        #[serde(skip_serializing_if = "is_zero", default)]
        b: u8,
        c: u8,
    });
}

fn is_zero(value: &u8) -> bool {
    *value == 0
}

#[test]
fn a_field_with_two_names() {
    lie!("list[0].sent", &["under one name"], [1u8, 2, 3], {
        a: u8,
        #[serde(rename(serialize = "sent", deserialize = "read"))]
        b: u8,
        c: u8,
    });
}

#[test]
fn fields_in_another_order() {
    #[derive(Deserialize)]
    #[expect(dead_code)]
    struct Ordered {
        a: u8,
        b: u8,
    }
    #[derive(Serialize)]
    struct Swapped {
        b: u8,
        a: u8,
    }
    encode_error(&plan_of::<Ordered>(), &Swapped { b: 1, a: 2 }, "a", &["after b"]);
}

#[test]
fn another_type_of_the_same_size() {
    fn as_bits<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        value.to_bits().serialize(serializer)
    }
    lie!("list[0].b", &["expected float64", "gives uint64"], [1.0f32, 2.0, 3.0], {
        a: f64,
        #[serde(serialize_with = "as_bits")]
        b: f64,
        c: f64,
    });
}

#[test]
fn other_types_in_each_place() {
    #[derive(Serialize, Deserialize)]
    struct One<T> {
        it: T,
    }
    #[derive(Clone, Copy, Serialize, Deserialize)]
    struct Nested {
        y: i8,
    }
    #[derive(Serialize)]
    enum Data {
        A(u8),
        B { x: u8 },
        C(u8, u8),
    }
    fn check<T: serde::de::DeserializeOwned>(it: impl Serialize, field: &str, reasons: &[&str]) {
        encode_error(&plan_of::<One<T>>(), &One { it }, field, reasons);
    }
    check::<f64>(1.0f32, "it", &["expected float64", "float32"]);
    check::<f64>(1i64, "it", &["expected float64", "int64"]);
    check::<f64>("1", "it", &["expected float64", "a string"]);
    check::<f64>(Some(1.0), "it", &["expected float64", "an Option"]);
    check::<f64>((), "it", &["a unit"]);
    check::<f64>([1.0f64], "it", &["a tuple or array"]);
    check::<f64>(1u128, "it", &["128 bits"]);
    check::<f64>(Nested { y: 1 }, "it", &["struct Nested"]);
    check::<f64>(Mode::Idle, "it", &["no constant for variant Idle"]);
    check::<f64>('c', "it", &["a char"]);
    check::<f64>(true, "it", &["bool"]);
    check::<f64>(std::collections::BTreeMap::from([(1, 2)]), "it", &["a map"]);
    check::<Vec<u8>>(vec![1i8], "it[0]", &["expected uint8", "int8"]);
    check::<Vec<u8>>(1u8, "it", &["expected uint8[]", "uint8"]);
    check::<Vec<u8>>(Some(1u8), "it", &["expected uint8[]", "an Option"]);
    check::<[f32; 2]>([1.0f32; 3], "it", &["expected 2 elements", "gives 3"]);
    check::<[f32; 2]>([1.0f32; 1], "it", &["expected 2 elements", "gives 1"]);
    check::<[f32; 2]>((1.0f32, 2.0f64), "it[1]", &["expected float32", "float64"]);
    check::<Option<u8>>(1u8, "it", &["expected uint8[<=1]"]);
    check::<Option<u8>>(vec![1u8, 2], "it", &["2 elements", "at most 1"]);
    check::<Option<Vec<u8>>>(Some(1u8), "it", &["expected lk/Uint8Array", "uint8"]);
    check::<Vec<Vec<u8>>>(vec![vec![1i8]], "it[0].data[0]", &["expected uint8", "int8"]);
    check::<Vec<[u8; 2]>>(vec![[1u8; 1]], "it[0].data", &["expected 2 elements", "gives 1"]);
    check::<Nested>(1i8, "it", &["expected lk/Nested", "int8"]);
    check::<Nested>((), "it", &["expected lk/Nested", "a unit"]);
    check::<Mode>(Data::A(1), "it", &["variant A of enum Data holds data"]);
    check::<Mode>(Data::B { x: 1 }, "it", &["variant B of enum Data holds data"]);
    check::<Mode>(Data::C(1, 2), "it", &["variant C of enum Data holds data"]);
    check::<Mode>(1u16, "it", &["expected uint8", "uint16"]);
    check::<String>('c', "it", &["expected string", "a char"]);
    check::<String>(serde_bytes::Bytes::new(b"c"), "it", &["expected string", "bytes"]);
    check::<()>(1u8, "it", &["expected lk/Empty"]);
    check::<(u8, f64)>((1.0f64, 1u8), "it.e0", &["expected uint8", "float64"]);
    check::<(u8, f64)>((1u8,), "it", &["expected lk/Tuple"]);
    check::<(u8, f64)>((1u8, 1.0f64, 1u8), "it", &["expected lk/Tuple"]);
}

#[test]
fn a_variant_that_reading_does_not_know() {
    #[derive(Deserialize)]
    enum Read {
        A,
        B,
    }
    #[derive(Serialize)]
    enum Written {
        A,
        C,
    }
    #[derive(Deserialize)]
    #[expect(dead_code)]
    struct Reader {
        mode: Read,
    }
    #[derive(Serialize)]
    struct Writer {
        mode: Written,
    }
    let _ = (Read::A, Read::B);
    let plan = plan_of::<Reader>();
    plan.encode_typed(&Writer { mode: Written::A }, &mut Vec::new()).expect("both have it");
    encode_error(
        &plan,
        &Writer { mode: Written::C },
        "mode",
        &["variant C of Written", "MODE_A, MODE_B"],
    );
}

#[test]
fn a_variant_hidden_on_both_sides_cannot_be_written() {
    let mut payload = Vec::new();
    let error = plan_of::<Mode>().encode_typed(&Mode::Hidden, &mut payload);
    assert!(matches!(error, Err(Error::Encode { .. })), "{error:?}");
}

#[test]
fn a_flattened_struct_is_refused_when_written() {
    #[derive(Serialize)]
    struct Inner {
        x: f64,
    }
    #[derive(Serialize)]
    struct Flat {
        #[serde(flatten)]
        inner: Inner,
    }
    let plan = Plan::new(&Schema::parse("a/msg/B", "float64 x").expect("parses"));
    encode_error(&plan, &Flat { inner: Inner { x: 1.0 } }, "", &["a map"]);
}

#[test]
fn what_a_type_reports_itself_comes_with_the_field() {
    #[derive(Debug, Serialize, Deserialize)]
    struct Stamped {
        before: u8,
        stamps: Vec<crate::Time>,
    }
    let stamped = Stamped { before: 1, stamps: vec![crate::Time::ZERO, crate::Time::MAX] };
    encode_error(&plan_of::<Stamped>(), &stamped, "stamps[1]", &["does not fit"]);

    #[derive(Debug, Serialize, Deserialize)]
    struct Counts {
        counts: Vec<std::num::NonZeroU16>,
    }
    let mut payload = encode(&Counts { counts: vec![std::num::NonZeroU16::MAX; 2] });
    payload[10..].fill(0);
    decode_error::<Counts>(&plan_of::<Counts>(), &payload, ("counts[1]", 10), &["nonzero"]);
}

#[test]
fn bad_bytes_come_with_path_and_offset() {
    #[derive(Debug, Serialize, Deserialize)]
    struct Item {
        flag: bool,
        name: String,
        mode: Mode,
        letter: char,
    }
    #[derive(Debug, Serialize, Deserialize)]
    struct Holder {
        items: Vec<Item>,
    }
    let item = || Item { flag: true, name: "a".to_owned(), mode: Mode::Idle, letter: 'a' };
    let good = encode(&Holder { items: vec![item(), item()] });
    let plan = plan_of::<Holder>();
    let check = |change: &dyn Fn(&mut Vec<u8>), at, reasons: &[&str]| {
        let mut payload = good.clone();
        change(&mut payload);
        decode_error::<Holder>(&plan, &payload, at, reasons);
        // The dynamic codec names the same place, where it knows the fault.
        if let Err(Error::Decode { field, offset, .. }) = plan.decode(&payload) {
            assert_eq!((field.as_str(), offset), at);
        }
    };
    // 4: count; 8: flag; 12: length; 16: text; 18: mode; 20: letter; 24: flag ...
    check(&|p| p[24] = 2, ("items[1].flag", 24), &["bool is 2"]);
    check(&|p| p[12] = 255, ("items[0].name", 12), &["text of 255 bytes"]);
    check(&|p| p[16] = 0xff, ("items[0].name", 16), &["not UTF-8"]);
    check(&|p| p[34] = 3, ("items[1].mode", 34), &["3 is no variant of Mode", "MODE_IDLE"]);
    check(&|p| p[23] = 0xff, ("items[0].letter", 20), &["not the code point"]);
    check(&|p| p.truncate(38), ("items[1].letter", 36), &["4 bytes wanted, 2 left"]);
    check(&|p| p[7] = 1, ("items", 4), &["16777218 elements"]);
    check(&|p| p.extend([0; 4]), ("", 40), &["after the last field"]);
    check(&|p| p.truncate(2), ("", 0), &["header"]);
    plan.decode_typed::<Holder>(&good).expect("the good one");
}

#[test]
fn a_type_that_reads_another_type_is_refused() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code)]
    struct Holder<T> {
        before: u8,
        it: T,
    }
    fn check<T: serde::de::DeserializeOwned + std::fmt::Debug>(
        text: &str,
        body: &[u8],
        reason: &str,
    ) {
        let schema = Schema::parse("a/msg/B", &format!("uint8 before\n{text} it"));
        let mut payload = vec![0, 1, 0, 0, 7];
        payload.extend(body);
        let plan = Plan::new(&schema.expect("parses"));
        match plan.decode_typed::<Holder<T>>(&payload) {
            Err(Error::Decode { field, reason: actual, .. }) => {
                assert!(field == "it" && actual.contains(reason), "{field}: {actual}");
            }
            other => panic!("{other:?}"),
        }
    }
    check::<f64>("float32", &[0; 7], "wants float64, the message has float32");
    check::<u64>("int64", &[0; 15], "wants uint64, the message has int64");
    check::<u8>("int8", &[0], "wants uint8");
    check::<String>("uint8[]", &[0; 7], "wants string, the message has uint8[]");
    check::<Vec<u8>>("string", &[0, 0, 0, 1, 0, 0, 0, 0], "wants a sequence");
    check::<[u8; 3]>("uint8[4]", &[0; 4], "wants 3 elements, the message has uint8[4]");
    check::<Option<u8>>("uint8", &[0], "wants an Option");
    check::<Option<u8>>("uint8[]", &[0; 7], "wants an Option");
    check::<Mode>("uint8", &[0], "0 is no variant of Mode; constants here: none");
    check::<Mode>("float64", &[0; 15], "wants an enum");
    check::<(u8, f64)>("uint8", &[0], "wants 2 elements");
    check::<()>("uint8", &[0], "wants a unit");
    check::<serde_json::Value>("uint8", &[0], "learn from the data");
    check::<std::collections::BTreeMap<u8, u8>>("uint8", &[0], "wants a map");
    check::<i128>("uint8", &[0], "128 bits");
    check::<char>("uint8", &[0], "wants a char");
    check::<bool>("uint8", &[0], "wants bool");
}

#[test]
fn a_type_that_leaves_elements_unread_is_refused() {
    #[derive(Debug)]
    struct First;
    impl<'de> Deserialize<'de> for First {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<First, D::Error> {
            struct Visit;
            impl<'de> serde::de::Visitor<'de> for Visit {
                type Value = First;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("elements")
                }
                fn visit_seq<A: serde::de::SeqAccess<'de>>(
                    self,
                    mut seq: A,
                ) -> Result<First, A::Error> {
                    seq.next_element::<u8>()?;
                    Ok(First)
                }
            }
            deserializer.deserialize_seq(Visit)
        }
    }
    let plan = Plan::new(&Schema::parse("a/msg/B", "uint8[] data").expect("parses"));
    let payload = [0, 1, 0, 0, 2, 0, 0, 0, 1, 2];
    decode_error::<First>(&plan, &payload, ("data", 9), &["reads 1 of 2 elements"]);
}
