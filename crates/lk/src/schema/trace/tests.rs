//! Every row of the mapping table, and every refusal.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::num::NonZeroU32;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::message_of;
use crate::schema::Schema;
use crate::value::Datum;

pub(crate) mod many;
mod naming_types;
mod refused;
mod self_checking;

/// One line per field: `name type`, nested messages below, by name.
fn text_of<T: DeserializeOwned>() -> String {
    let schema = Schema::of::<T>().unwrap_or_else(|e| panic!("{e}"));
    // What was traced can be written as text and read again.
    let parsed = Schema::parse(schema.name(), &schema.to_msg_text()).expect("its own text");
    assert_eq!(parsed.fingerprint(), schema.fingerprint());
    assert_eq!(parsed.to_msg_text(), schema.to_msg_text());
    let root = schema.root().clone();
    let mut text = String::new();
    let mut todo = vec![root];
    let mut done = BTreeSet::new();
    while !todo.is_empty() {
        let message = todo.remove(0);
        if !done.insert(message.name.clone()) {
            continue;
        }
        writeln!(text, "{}", message.name).expect("a String");
        for constant in &message.constants {
            let value = match &constant.value {
                Datum::Uint8(value) => u32::from(*value),
                Datum::Uint16(value) => u32::from(*value),
                other => panic!("{other:?}"),
            };
            writeln!(text, "  {} {}={value}", constant.ty, constant.name).expect("a String");
        }
        for field in &message.fields {
            let optional = if field.optional { " optional" } else { "" };
            writeln!(text, "  {} {}{optional}", field.ty, field.name).expect("a String");
            if let crate::schema::ElementType::Message(message) = field.ty.element() {
                todo.push(message.clone());
            }
        }
    }
    text
}

#[track_caller]
fn check<T: DeserializeOwned>(expected: &str) {
    let strip = |text: &str| {
        text.lines().map(str::trim).filter(|l| !l.is_empty()).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(strip(&text_of::<T>()), strip(expected));
}

#[test]
fn primitives_map_to_the_primitives_of_their_size() {
    #[derive(Deserialize)]
    #[expect(dead_code)]
    struct All {
        a: bool,
        b: i8,
        c: u8,
        d: i16,
        e: u16,
        f: i32,
        g: u32,
        h: i64,
        i: u64,
        j: f32,
        k: f64,
        l: char,
        m: String,
    }
    check::<All>(
        "lk/msg/All
         bool a
         int8 b
         uint8 c
         int16 d
         uint16 e
         int32 f
         uint32 g
         int64 h
         uint64 i
         float32 j
         float64 k
         uint32 l
         string m",
    );
}

#[test]
fn newtypes_are_what_is_inside() {
    #[derive(Deserialize)]
    struct Meters(#[expect(dead_code)] f64);
    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Feet {
        #[expect(dead_code)]
        value: f64,
    }
    #[derive(Deserialize)]
    #[expect(dead_code)]
    struct Height {
        meters: Meters,
        feet: Feet,
        boxed: Box<f64>,
    }
    check::<Height>("lk/msg/Height\nfloat64 meters\nfloat64 feet\nfloat64 boxed");
    check::<Meters>("lk/msg/Meters\nfloat64 data");
}

#[test]
fn what_holds_nothing_is_an_empty_message() {
    #[derive(Deserialize)]
    struct Nothing;
    #[derive(Deserialize)]
    struct Braces {}
    #[derive(Deserialize)]
    #[expect(dead_code)]
    struct Holder {
        unit: (),
        nothing: Nothing,
        braces: Braces,
        array: [f64; 0],
        many: Vec<Nothing>,
    }
    check::<Nothing>("lk/msg/Nothing");
    check::<()>("lk/msg/Empty");
    check::<Holder>(
        "lk/msg/Holder
         lk/Empty unit
         lk/Nothing nothing
         lk/Braces braces
         lk/Empty array
         lk/Nothing[] many
         lk/msg/Empty
         lk/msg/Nothing
         lk/msg/Braces",
    );
}

#[test]
fn like_elements_are_fixed_arrays_and_unlike_ones_messages() {
    #[derive(Deserialize)]
    struct Rgb(#[expect(dead_code)] u8, #[expect(dead_code)] u8, #[expect(dead_code)] u8);
    #[derive(Deserialize)]
    struct Reading(#[expect(dead_code)] f64, #[expect(dead_code)] String);
    #[derive(Deserialize)]
    #[expect(dead_code)]
    struct Holder {
        color: Rgb,
        array: [i16; 4],
        one: (f32,),
        reading: Reading,
        pair: (u8, f32),
        pairs: Vec<(u8, f32)>,
    }
    check::<Holder>(
        "lk/msg/Holder
         uint8[3] color
         int16[4] array
         float32[1] one
         lk/Reading reading
         lk/Tuple pair
         lk/Tuple[] pairs
         lk/msg/Reading
         float64 e0
         string e1
         lk/msg/Tuple
         uint8 e0
         float32 e1",
    );
}

#[test]
fn containers_in_containers_get_a_message_with_one_field() {
    #[derive(Deserialize)]
    struct Path(#[expect(dead_code)] Vec<[f64; 2]>);
    #[derive(Deserialize)]
    #[expect(dead_code)]
    struct Holder {
        rows: Vec<Vec<f64>>,
        maybe_row: Option<Vec<f64>>,
        matrix: [[f64; 3]; 3],
        maybe_maybe: Option<Option<f64>>,
        gaps: Vec<Option<u8>>,
        path: Path,
        paths: Vec<Path>,
        deep: Vec<Vec<Vec<f64>>>,
    }
    check::<Holder>(
        "lk/msg/Holder
         lk/Float64Array[] rows
         lk/Float64Array[<=1] maybe_row optional
         lk/Float64Array3[3] matrix
         lk/OptionalFloat64[<=1] maybe_maybe optional
         lk/OptionalUint8[] gaps
         lk/Float64Array2[] path
         lk/Path[] paths
         lk/Float64ArrayArray[] deep
         lk/msg/Float64Array
         float64[] data
         lk/msg/Float64Array3
         float64[3] data
         lk/msg/OptionalFloat64
         float64[<=1] data optional
         lk/msg/OptionalUint8
         uint8[<=1] data optional
         lk/msg/Float64Array2
         float64[2] data
         lk/msg/Path
         lk/Float64Array2[] data
         lk/msg/Float64ArrayArray
         lk/Float64Array[] data",
    );
}

#[test]
fn sequences_of_any_kind_are_sequences() {
    #[derive(Deserialize)]
    #[expect(dead_code)]
    struct Holder {
        set: BTreeSet<u16>,
        deque: std::collections::VecDeque<String>,
        raw: Vec<u8>,
        bytes: serde_bytes::ByteBuf,
        id: serde_bytes::ByteArray<16>,
        slice: Box<[bool]>,
    }
    check::<Holder>(
        "lk/msg/Holder
         uint16[] set
         string[] deque
         uint8[] raw
         uint8[] bytes
         uint8[] id
         bool[] slice",
    );
}

#[test]
fn a_whole_that_is_no_struct_is_wrapped() {
    #[derive(Deserialize)]
    enum Mode {
        Idle,
        InTransit,
    }
    let _ = (Mode::Idle, Mode::InTransit);
    check::<f64>("lk/msg/Float64\nfloat64 data");
    check::<String>("lk/msg/String\nstring data");
    check::<Vec<f64>>("lk/msg/Float64Array\nfloat64[] data");
    check::<[f64; 3]>("lk/msg/Float64Array3\nfloat64[3] data");
    check::<Option<i8>>("lk/msg/OptionalInt8\nint8[<=1] data optional");
    check::<(bool, i8)>("lk/msg/Tuple\nbool e0\nint8 e1");
    check::<Mode>("lk/msg/Mode\nuint8 DATA_IDLE=0\nuint8 DATA_IN_TRANSIT=1\nuint8 data");
    check::<Vec<Vec<f64>>>(
        "lk/msg/Float64ArrayArray\nlk/Float64Array[] data\nlk/msg/Float64Array\nfloat64[] data",
    );
}

#[test]
fn plain_enums_are_numbers_with_constants_where_they_are_held() {
    #[derive(Deserialize)]
    #[expect(dead_code)]
    enum Mode {
        Idle,
        #[serde(rename = "auto-pilot")]
        Auto,
        #[serde(skip)]
        Hidden,
        Manual2,
    }
    #[derive(Deserialize)]
    #[expect(dead_code)]
    struct Holder {
        mode: Mode,
        history: Vec<Mode>,
        wheels: [Mode; 4],
        next: Option<Mode>,
    }
    let constants = |field: &str, kind: &str| {
        format!("{kind} {field}_IDLE=0\n{kind} {field}_AUTO_PILOT=1\n{kind} {field}_MANUAL2=2\n")
    };
    check::<Holder>(&format!(
        "lk/msg/Holder\n{}{}{}{}
         uint8 mode
         uint8[] history
         uint8[4] wheels
         uint8[<=1] next optional",
        constants("MODE", "uint8"),
        constants("HISTORY", "uint8"),
        constants("WHEELS", "uint8"),
        constants("NEXT", "uint8"),
    ));
}

#[test]
fn an_enum_of_more_than_256_variants_is_a_uint16() {
    #[derive(Deserialize)]
    #[expect(dead_code)]
    struct Holder {
        many: many::Many,
    }
    let root = message_of::<Holder>(None).expect("a message");
    assert_eq!(root.fields[0].ty.to_string(), "uint16");
    assert_eq!(root.constants.len(), 260);
    let last = &root.constants[259];
    assert_eq!((last.name.as_str(), &last.value), ("MANY_V259", &Datum::Uint16(259)));
}

#[test]
fn times_are_builtin_and_std_times_plain_structs() {
    #[derive(Deserialize)]
    #[expect(dead_code)]
    struct Holder {
        stamp: crate::Time,
        span: crate::Span,
        timeout: std::time::Duration,
        start: std::time::SystemTime,
    }
    check::<Holder>(
        "lk/msg/Holder
         builtin_interfaces/Time stamp
         int64 span
         lk/Duration timeout
         lk/SystemTime start
         builtin_interfaces/msg/Time
         int32 sec
         uint32 nanosec
         lk/msg/Duration
         uint64 secs
         uint32 nanos
         lk/msg/SystemTime
         uint64 secs_since_epoch
         uint32 nanos_since_epoch",
    );
}

#[test]
fn nalgebra_and_glam_types_are_fixed_arrays() {
    #[derive(Deserialize)]
    #[expect(dead_code)]
    struct Holder {
        orientation: nalgebra::UnitQuaternion<f64>,
        inertia: nalgebra::Matrix3<f64>,
        force: nalgebra::Vector3<f64>,
        point: nalgebra::Point2<f32>,
        pose: nalgebra::Isometry3<f64>,
        glam_vec: glam::DVec3,
        glam_quat: glam::DQuat,
        glam_mat: glam::DMat3,
        glam_small: glam::Vec2,
    }
    check::<Holder>(
        "lk/msg/Holder
         float64[4] orientation
         float64[9] inertia
         float64[3] force
         float32[2] point
         lk/Isometry pose
         float64[3] glam_vec
         float64[4] glam_quat
         float64[9] glam_mat
         float32[2] glam_small
         lk/msg/Isometry
         float64[4] rotation
         float64[3] translation",
    );
}

#[test]
fn attributes_that_work_on_both_sides_work() {
    fn one() -> f64 {
        1.0
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    #[expect(dead_code)]
    struct Holder {
        #[serde(rename = "kp")]
        proportional: f64,
        #[serde(skip)]
        cache: Option<BTreeMap<String, f64>>,
        #[serde(default = "one")]
        gain: f64,
        #[serde(alias = "a_integral", alias = "z_integral")]
        integral: f32,
        #[serde(alias = "an_alias")]
        #[serde(alias = "another")]
        zz: u8,
        after: u16,
    }
    check::<Holder>(
        "lk/msg/Holder
         float64 kp
         float64 gain
         float32 integral
         uint8 zz
         uint16 after",
    );
}

#[test]
fn an_adjacently_tagged_enum_of_one_kind_of_data_is_a_struct() {
    #[derive(Deserialize)]
    #[serde(tag = "unit", content = "value")]
    #[expect(dead_code)]
    enum Length {
        Meters(f64),
        Feet(f64),
    }
    check::<Length>(
        "lk/msg/Length
         uint8 UNIT_METERS=0
         uint8 UNIT_FEET=1
         uint8 unit
         float64 value",
    );
}

#[test]
fn tracing_twice_gives_the_same() {
    type T = Vec<(Option<[NonZeroU32; 3]>, BTreeSet<char>)>;
    assert_eq!(text_of::<T>(), text_of::<T>());
}
