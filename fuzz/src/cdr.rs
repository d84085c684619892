//! CDR payloads: what decodes encodes to the same value, and everything that
//! reads a payload agrees on whether it is one.

use lk::codec::Plan;
use lk::dataset::{Channel, Encoding, Role};
use lk::diff::{DiffOptions, Policy, Verdict, diff_with};
use lk::{Dataset, Schema, Time};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::feed::Feed;

/// A Rust type with every kind of field that one can have.
#[derive(Debug, Serialize, Deserialize)]
struct Typed {
    flag: bool,
    bytes: (u8, i8),
    small: [i16; 3],
    wide: Vec<u32>,
    name: String,
    slip: Option<f32>,
    parts: Vec<Part>,
    mode: Mode,
    time: i64,
    text: Vec<String>,
    last: f64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Part {
    id: u16,
    at: [f64; 2],
    empty: Nothing,
}

#[derive(Debug, Serialize, Deserialize)]
struct Nothing {}

#[derive(Debug, Serialize, Deserialize)]
enum Mode {
    Idle,
    Active,
    Failed,
}

/// The first byte decides between a schema made of the bytes that follow,
/// schema text, and the schema of a Rust type; the rest is the payload.
pub fn run(data: &[u8]) {
    let mut feed = Feed::new(data);
    match feed.u8() % 4 {
        0 => {
            let text = String::from_utf8_lossy(feed.block()).into_owned();
            untyped(&text, &payload(&mut feed));
        }
        1 => typed(&payload(&mut feed)),
        _ => {
            let text = message(&mut feed);
            untyped(&text, &payload(&mut feed));
        }
    }
}

/// The rest with a header that is mostly one of CDR.
fn payload(feed: &mut Feed<'_>) -> Vec<u8> {
    let mut payload = match feed.u8() % 4 {
        0 => Vec::new(),
        1 => vec![0, 0, 0, 0],
        _ => vec![0, 1, 0, 0],
    };
    payload.extend_from_slice(feed.rest());
    payload
}

/// Text of a schema with a nested type.
fn message(feed: &mut Feed<'_>) -> String {
    const ELEMENTS: [&str; 18] = [
        "bool",
        "byte",
        "char",
        "int8",
        "uint8",
        "int16",
        "uint16",
        "int32",
        "uint32",
        "int64",
        "uint64",
        "float32",
        "float64",
        "string",
        "wstring",
        "string<=3",
        "wstring<=2",
        "geometry_msgs/Vector3",
    ];
    const COUNTS: [&str; 6] = ["", "", "", "[]", "[3]", "[<=2]"];
    let mut text = String::new();
    for nested in [false, true] {
        if nested {
            text.push_str("===\nMSG: fuzz/Sub\n");
        }
        for index in 0..feed.u8() % 8 {
            let kind = feed.u8();
            let element = match kind % 20 {
                18.. if !nested => "Sub",
                kind => ELEMENTS[usize::from(kind) % ELEMENTS.len()],
            };
            let count = COUNTS[usize::from(kind / 20) % COUNTS.len()];
            text.push_str(&format!("{element}{count} f{index}\n"));
        }
    }
    text
}

fn untyped(text: &str, payload: &[u8]) {
    let Ok(schema) = Schema::parse("fuzz/msg/Root", text) else { return };
    let plan = Plan::new(&schema);
    let decoded = plan.decode(payload);
    let skipped = plan.decode_typed::<IgnoredAny>(payload);
    assert_eq!(decoded.is_ok(), skipped.is_ok(), "{decoded:?} but {skipped:?}");
    let (verdict, errors) = compared(&schema, payload);
    assert_eq!(decoded.is_err(), errors > 0, "{payload:?} is {decoded:?}");
    let Ok(value) = decoded else {
        assert_ne!(verdict, Verdict::Identical, "{payload:?} is no message");
        return;
    };
    // A message that holds nothing has nothing to compare.
    let is_itself = matches!(verdict, Verdict::Identical | Verdict::Incomparable);
    assert!(is_itself, "{payload:?} is {verdict:?}");
    let encoded = plan.encode(&value).expect("what was decoded has lengths of 32 bits");
    let again = plan.decode(&encoded).expect("lk reads what it wrote");
    assert_eq!(plan.encode(&again).expect("it did before"), encoded);
    let mut reused = value.clone();
    plan.decode_into(payload, &mut reused).expect("it did before");
    assert_eq!(plan.encode(&reused).expect("it did before"), encoded);
}

/// The payload against itself: the verdict, and how many could not be decoded.
fn compared(schema: &Schema, payload: &[u8]) -> (Verdict, u64) {
    let [a, b] = [(); 2].map(|()| {
        let mut dataset = Dataset::memory();
        let channel = Channel {
            key: "k".to_owned(),
            encoding: Encoding::Cdr(schema.clone()),
            role: Role::None,
            metadata: Default::default(),
        };
        let id = dataset.add_channel(channel).expect("it is the first");
        dataset.write_payload(id, payload.to_vec(), Time::from_nanos(1)).expect("memory takes it");
        dataset
    });
    // Starting a thread takes longer than all the rest.
    let options = DiffOptions { threads: 1 };
    let result = diff_with(&a, &b, &Policy::exact(), &options);
    let result = result.expect("an exact policy makes sense");
    (result.verdict, result.key_diffs["k"].messages.errors)
}

fn typed(payload: &[u8]) {
    let plan = Plan::new(&Schema::of::<Typed>().expect("the type is a message"));
    let value = plan.decode(payload);
    let typed = plan.decode_typed::<Typed>(payload);
    // An enum refuses numbers that no variant has.
    assert!(value.is_ok() || typed.is_err(), "{value:?} but {typed:?}");
    let (Ok(value), Ok(typed)) = (value, typed) else { return };
    let mut encoded = Vec::new();
    plan.encode_typed(&typed, &mut encoded).expect("what was decoded is of the schema");
    assert_eq!(encoded, plan.encode(&value).expect("it is of the schema"));
}
