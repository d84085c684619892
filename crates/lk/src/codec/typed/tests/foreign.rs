//! Rust types over schemas that were not made from them.

use serde::{Deserialize, Serialize};

use super::{decode_error, encode_error};
use crate::codec::Plan;
use crate::{Schema, Time};

fn plan(text: &str) -> Plan {
    Plan::new(&Schema::parse("a/msg/B", text).unwrap_or_else(|e| panic!("{e}")))
}

#[test]
fn a_ros_message_is_read_and_written_by_a_struct_of_its_fields() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Header {
        stamp: Time,
        frame_id: String,
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct PoseWithCovariance {
        header: Header,
        position: glam_like::Point,
        covariance: Vec<f64>,
    }
    mod glam_like {
        #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        pub(super) struct Point {
            pub(super) x: f64,
            pub(super) y: f64,
            pub(super) z: f64,
        }
    }
    let plan = plan("std_msgs/Header header\ngeometry_msgs/Point position\nfloat64[36] covariance");
    let mut value = PoseWithCovariance {
        header: Header { stamp: Time::from_nanos(5), frame_id: "map".to_owned() },
        position: glam_like::Point { x: 1.0, y: 2.0, z: 3.0 },
        covariance: vec![0.5; 36],
    };
    let mut payload = Vec::new();
    plan.encode_typed(&value, &mut payload).expect("encodes");
    assert_eq!(plan.decode_typed::<PoseWithCovariance>(&payload).expect("decodes"), value);
    assert_eq!(plan.encode(&plan.decode(&payload).expect("decodes")).expect("encodes"), payload);
    value.covariance.pop();
    encode_error(&plan, &value, "covariance", &["expected 36 elements", "gives 35"]);
}

#[test]
fn unknown_fields_are_skipped_whatever_they_hold() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Last {
        last: u16,
        #[serde(default)]
        gain: f64,
        note: Option<u8>,
    }
    let plan = plan(
        "bool flag\nstring text\nstring[] texts\nwstring wide\nwstring[2] wides\nfloat64[3] xs\n\
         geometry_msgs/Point[] points\nstd_msgs/Empty[2] nothing\nbool[] flags\nint8[<=1] maybe\n\
         uint16 last",
    );
    let json = r#"{"flag": true, "text": "a", "texts": ["b", "cc"], "wide": "d", "wides": ["", "ef"],
        "xs": [1, 2, 3], "points": [{"x": 1, "y": 2, "z": 3}], "nothing": [{}, {}],
        "flags": [true, false, true, true], "maybe": [1], "last": 771}"#;
    let seed = crate::value::ValueSeed::new(plan.schema());
    let value = serde::de::DeserializeSeed::deserialize(
        seed,
        &mut serde_json::Deserializer::from_str(json),
    )
    .expect("reads");
    let payload = plan.encode(&value).expect("encodes");
    let last: Last = plan.decode_typed(&payload).expect("decodes");
    assert_eq!(last, Last { last: 771, gain: 0.0, note: None });

    // Skipping checks what reading would.
    let mut bad = payload.clone();
    bad[4] = 2;
    decode_error::<Last>(&plan, &bad, ("flag", 4), &["bool is 2"]);
    let at = payload.windows(4).position(|w| w == [1, 0, 1, 1]).expect("flags");
    let mut bad = payload.clone();
    bad[at + 1] = 2;
    decode_error::<Last>(&plan, &bad, ("flags[1]", at + 1), &["bool is 2"]);
}

#[test]
fn a_field_that_the_message_lacks_is_named() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code)]
    struct Wants {
        x: f64,
        y: f64,
    }
    let payload = [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    decode_error::<Wants>(&plan("float64 x"), &payload, ("y", 4), &["no such field"]);
}

#[test]
fn enums_go_by_the_constants_of_the_message() {
    #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
    enum Status {
        Fix,
        NoFix,
        SbasFix,
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Nav {
        status: Status,
    }
    let plan =
        plan("int8 STATUS_NO_FIX=-1\nint8 STATUS_FIX=0\nint8 STATUS_SBAS_FIX=1\nint8 status");
    for (status, byte) in [(Status::NoFix, 0xff), (Status::Fix, 0), (Status::SbasFix, 1)] {
        let mut payload = Vec::new();
        plan.encode_typed(&Nav { status }, &mut payload).expect("encodes");
        assert_eq!(payload, [0, 1, 0, 0, byte]);
        assert_eq!(plan.decode_typed::<Nav>(&payload).expect("decodes"), Nav { status });
    }
    decode_error::<Nav>(&plan, &[0, 1, 0, 0, 2], ("status", 4), &["2 is no variant of Status"]);
}

#[test]
fn a_recording_of_an_older_enum_is_read_by_names() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Mode {
        Boot,
        Idle,
        Run,
    }
    let old = plan("uint8 DATA_IDLE=0\nuint8 DATA_RUN=1\nuint8 data");
    assert_eq!(old.decode_typed::<Mode>(&[0, 1, 0, 0, 1]).expect("decodes"), Mode::Run);
    encode_error(&old, &Mode::Boot, "data", &["variant Boot", "DATA_IDLE, DATA_RUN"]);
}

#[test]
fn big_endian_payloads_are_read() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Pair {
        a: u16,
        b: Vec<u16>,
    }
    let payload = [0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 1, 3, 4];
    let pair: Pair = plan("uint16 a\nuint16[] b").decode_typed(&payload).expect("decodes");
    assert_eq!(pair, Pair { a: 0x0102, b: vec![0x0304] });
}

#[test]
fn texts_keep_their_bounds_and_may_be_wide() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Texts {
        short: String,
        wide: String,
    }
    let plan = plan("string<=3 short\nwstring wide");
    let texts = |short: &str| Texts { short: short.to_owned(), wide: "grün 🚀".to_owned() };
    let mut payload = Vec::new();
    plan.encode_typed(&texts("abc"), &mut payload).expect("encodes");
    assert_eq!(plan.decode_typed::<Texts>(&payload).expect("decodes"), texts("abc"));
    encode_error(&plan, &texts("abcd"), "short", &["4 bytes", "at most 3"]);
}
