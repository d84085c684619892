//! Typed against dynamic, and every way in which a value can lie about its type.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::codec::Plan;
use crate::{Error, Schema, Time};

mod agreement;
mod foreign;
mod lies;

fn plan_of<T: DeserializeOwned>() -> Plan {
    Plan::new(&Schema::of::<T>().unwrap_or_else(|e| panic!("{e}")))
}

fn encode<T: Serialize + DeserializeOwned>(value: &T) -> Vec<u8> {
    let mut payload = vec![7; 3];
    plan_of::<T>().encode_typed(value, &mut payload).unwrap_or_else(|e| panic!("{e}"));
    payload
}

/// The four ways around: typed to typed, and both through the dynamic codec.
#[track_caller]
fn agree<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let plan = plan_of::<T>();
    let payload = encode(value);
    assert_eq!(&plan.decode_typed::<T>(&payload).expect("typed"), value);
    let dynamic = plan.decode(&payload).expect("dynamic");
    let again = plan.encode(&dynamic).expect("dynamic");
    assert_eq!(again, payload);
    assert_eq!(&plan.decode_typed::<T>(&again).expect("typed"), value);
}

#[track_caller]
fn encode_error<T: Serialize>(plan: &Plan, value: &T, field: &str, reasons: &[&str]) {
    match plan.encode_typed(value, &mut Vec::new()) {
        Err(Error::Encode { field: actual, reason, .. }) => {
            assert_eq!(actual, field, "{reason}");
            for part in reasons {
                assert!(reason.contains(part), "{reason:?} has no {part:?}");
            }
        }
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn decode_error<T: DeserializeOwned + Debug>(
    plan: &Plan,
    payload: &[u8],
    (field, offset): (&str, usize),
    reasons: &[&str],
) {
    match plan.decode_typed::<T>(payload) {
        Err(Error::Decode { field: actual, offset: at, reason, .. }) => {
            assert_eq!((actual.as_str(), at), (field, offset), "{reason}");
            for part in reasons {
                assert!(reason.contains(part), "{reason:?} has no {part:?}");
            }
        }
        other => panic!("{other:?}"),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Mode {
    Idle,
    #[serde(skip)]
    Hidden,
    InTransit,
    #[serde(rename = "manual!")]
    Manual,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Nothing {}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct G<T> {
    before: u8,
    value: T,
}

mod left {
    #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    pub(super) struct State {
        pub(super) x: f64,
    }
}

mod right {
    #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    pub(super) struct State {
        pub(super) flag: bool,
        pub(super) x: f32,
    }
}

#[test]
fn bytes_are_those_of_cdr() {
    #[derive(Serialize, Deserialize)]
    struct Small {
        flag: bool,
        x: f64,
        name: String,
        mode: Mode,
        list: Vec<u16>,
        empty: Nothing,
        maybe: Option<f64>,
        letter: char,
    }
    let payload = encode(&Small {
        flag: true,
        x: 1.0,
        name: "ab".to_owned(),
        mode: Mode::Manual,
        list: vec![1, 2],
        empty: Nothing {},
        maybe: Some(2.0),
        letter: 'z',
    });
    #[rustfmt::skip]
    let expected: &[u8] = &[
        0, 1, 0, 0,
        1, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0xf0, 0x3f,
        3, 0, 0, 0, b'a', b'b', 0,
        2,
        2, 0, 0, 0, 1, 0, 2, 0,
        0, 0, 0, 0,
        1, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0x40,
        b'z', 0, 0, 0,
    ];
    assert_eq!(payload, expected);
}

#[test]
fn instances_of_one_generic_type_and_types_of_one_name_are_kept_apart() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Holder {
        wide: G<f64>,
        narrow: G<f32>,
        nested: G<G<u16>>,
        left: left::State,
        right: right::State,
    }
    agree(&Holder {
        wide: G { before: 1, value: 0.1 },
        narrow: G { before: 2, value: 0.2 },
        nested: G { before: 3, value: G { before: 4, value: 5 } },
        left: left::State { x: 0.3 },
        right: right::State { flag: true, x: 0.4 },
    });
}

#[test]
fn containers_in_containers_agree() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Holder {
        maybe_list: Option<Vec<u8>>,
        maybe_empty: Option<Vec<u8>>,
        no_list: Option<Vec<u8>>,
        rows: Vec<Vec<f64>>,
        matrix: [[f64; 3]; 3],
        maybe_maybe: [Option<Option<f64>>; 3],
        gaps: Vec<Option<String>>,
        deep: Vec<Vec<Vec<u8>>>,
        pairs: Vec<(u8, f64)>,
        maybe_pair: Option<(u8, Option<Nothing>)>,
        arrays: [Vec<String>; 2],
    }
    agree(&Holder {
        maybe_list: Some(vec![1, 2]),
        maybe_empty: Some(vec![]),
        no_list: None,
        rows: vec![vec![1.0], vec![], vec![2.0, 3.0]],
        matrix: [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]],
        maybe_maybe: [None, Some(None), Some(Some(1.0))],
        gaps: vec![None, Some("a".to_owned()), Some(String::new())],
        deep: vec![vec![vec![1], vec![]], vec![]],
        pairs: vec![(1, 1.0), (2, 2.0)],
        maybe_pair: Some((1, Some(Nothing {}))),
        arrays: [vec!["x".to_owned()], vec![]],
    });
}

#[test]
fn empty_messages_agree_wherever_they_are() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Holder {
        before: u8,
        nothing: Nothing,
        unit: (),
        list: Vec<Nothing>,
        array: [(); 3],
        none: [f64; 0],
        after: u16,
    }
    agree(&Nothing {});
    agree(&());
    assert_eq!(encode(&()), [0, 1, 0, 0, 0]);
    agree(&Holder {
        before: 1,
        nothing: Nothing {},
        unit: (),
        list: vec![Nothing {}; 2],
        array: [(); 3],
        none: [],
        after: 2,
    });
}

#[test]
fn enums_agree_in_fields_lists_arrays_and_options() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Holder {
        mode: Mode,
        list: Vec<Mode>,
        wheels: [Mode; 3],
        next: Option<Mode>,
        rows: Vec<Vec<Mode>>,
        pair: (Mode, f64),
        many: crate::schema::many::Many,
    }
    let modes = [Mode::Idle, Mode::InTransit, Mode::Manual];
    for mode in modes {
        agree(&mode);
        agree(&Holder {
            mode,
            list: modes.to_vec(),
            wheels: modes,
            next: Some(mode),
            rows: vec![modes.to_vec(), vec![]],
            pair: (mode, 1.0),
            many: crate::schema::many::Many::V259,
        });
    }
}

#[test]
fn skipped_fields_take_their_default() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Holder {
        a: u8,
        #[serde(skip)]
        cache: Option<BTreeMap<String, f64>>,
        #[serde(default, alias = "bee")]
        b: u16,
    }
    let payload = encode(&Holder { a: 1, cache: Some(BTreeMap::new()), b: 2 });
    assert_eq!(payload, [0, 1, 0, 0, 1, 0, 2, 0]);
    let decoded: Holder = plan_of::<Holder>().decode_typed(&payload).expect("decodes");
    assert_eq!(decoded, Holder { a: 1, cache: None, b: 2 });
}

#[test]
fn times_bytes_sets_and_wrapped_values_agree() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Meters(f64);
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Holder {
        stamp: Time,
        timeout: std::time::Duration,
        start: std::time::SystemTime,
        bytes: serde_bytes::ByteBuf,
        id: serde_bytes::ByteArray<5>,
        set: BTreeSet<Mode>,
        deque: VecDeque<u8>,
        meters: Meters,
        boxed: Box<[String]>,
        address: std::net::Ipv4Addr,
        nonzero: std::num::NonZeroU8,
    }
    agree(&Holder {
        stamp: Time::from_nanos(-1),
        timeout: std::time::Duration::new(1, 2),
        start: std::time::UNIX_EPOCH + std::time::Duration::new(3, 4),
        bytes: serde_bytes::ByteBuf::from(vec![1, 2]),
        id: serde_bytes::ByteArray::new([1, 2, 3, 4, 5]),
        set: BTreeSet::from([Mode::Idle, Mode::Manual]),
        deque: VecDeque::from([1, 2]),
        meters: Meters(1.5),
        boxed: Box::new(["a".to_owned()]),
        address: std::net::Ipv4Addr::LOCALHOST,
        nonzero: std::num::NonZeroU8::MAX,
    });
    agree(&Meters(2.5));
    agree(&vec![1.0, 2.0]);
    agree(&Some(String::new()));
    agree(&Time::ZERO);
}

#[test]
fn nalgebra_and_glam_agree() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Holder {
        orientation: nalgebra::UnitQuaternion<f64>,
        inertia: nalgebra::Matrix3<f64>,
        pose: nalgebra::Isometry3<f64>,
        force: glam::DVec3,
        attitude: glam::DQuat,
        affine: glam::DAffine3,
    }
    agree(&Holder {
        orientation: nalgebra::UnitQuaternion::from_euler_angles(0.1, 0.2, 0.3),
        inertia: nalgebra::Matrix3::new(1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0),
        pose: nalgebra::Isometry3::translation(1.0, 2.0, 3.0),
        force: glam::DVec3::new(1.0, 2.0, 3.0),
        attitude: glam::DQuat::from_rotation_x(0.5),
        affine: glam::DAffine3::IDENTITY,
    });
}

#[test]
fn text_can_be_borrowed_from_the_payload() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Borrowed<'a> {
        name: &'a str,
        #[serde(with = "serde_bytes")]
        raw: &'a [u8],
    }
    let schema = Schema::parse("a/msg/B", "string name\nuint8[] raw").expect("parses");
    let payload = [0, 1, 0, 0, 3, 0, 0, 0, b'h', b'i', 0, 0, 1, 0, 0, 0, 9];
    let read: Borrowed<'_> = Plan::new(&schema).decode_typed(&payload).expect("decodes");
    assert_eq!(read, Borrowed { name: "hi", raw: &[9] });
}

#[test]
fn a_length_that_is_not_known_beforehand_is_put_in_later() {
    struct Even(Vec<u32>);
    impl Serialize for Even {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_seq(self.0.iter().filter(|v| *v % 2 == 0))
        }
    }
    #[derive(Serialize)]
    struct Holder {
        flag: u8,
        list: Even,
        after: u8,
    }
    let text = "uint8 flag\nuint32[<=2] list\nuint8 after";
    let plan = Plan::new(&Schema::parse("a/msg/B", text).expect("parses"));
    let holder = |list| Holder { flag: 1, list: Even(list), after: 9 };
    let mut payload = Vec::new();
    plan.encode_typed(&holder(vec![1, 2, 3, 4]), &mut payload).expect("encodes");
    assert_eq!(payload, [0, 1, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 9]);
    encode_error(&plan, &holder(vec![2, 4, 6]), "list", &["3 elements", "at most 2"]);
}
