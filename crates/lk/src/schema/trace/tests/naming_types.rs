//! What nested types are called.

use serde::Deserialize;

use super::{check, message_of};

#[derive(Deserialize)]
#[expect(dead_code)]
struct G<T> {
    value: T,
}

mod left {
    #[derive(serde::Deserialize)]
    #[expect(dead_code)]
    pub(super) struct State {
        pub(super) x: f64,
    }
    #[derive(serde::Deserialize)]
    #[expect(dead_code)]
    pub(super) struct Same {
        pub(super) x: f64,
    }
}

mod right {
    #[derive(serde::Deserialize)]
    #[expect(dead_code)]
    pub(super) struct State {
        pub(super) y: f64,
    }
    #[derive(serde::Deserialize)]
    #[expect(dead_code)]
    pub(super) struct Same {
        pub(super) x: f64,
    }
}

#[test]
fn instances_of_a_generic_type_are_numbered_as_they_are_met() {
    #[derive(Deserialize)]
    #[expect(dead_code)]
    struct Holder {
        a: G<f64>,
        b: G<f32>,
        c: Vec<G<f64>>,
        d: G<G<f32>>,
    }
    check::<Holder>(
        "lk/msg/Holder
         lk/G a
         lk/G2 b
         lk/G[] c
         lk/G3 d
         lk/msg/G
         float64 value
         lk/msg/G2
         float32 value
         lk/msg/G3
         lk/G2 value",
    );
}

#[test]
fn types_of_one_name_in_two_modules_are_told_apart_unless_equal() {
    #[derive(Deserialize)]
    #[expect(dead_code)]
    struct Holder {
        left: left::State,
        right: right::State,
        same_left: left::Same,
        same_right: right::Same,
    }
    check::<Holder>(
        "lk/msg/Holder
         lk/State left
         lk/State2 right
         lk/Same same_left
         lk/Same same_right
         lk/msg/State
         float64 x
         lk/msg/State2
         float64 y
         lk/msg/Same
         float64 x",
    );
}

#[test]
fn serde_names_are_made_valid_and_full_names_kept() {
    #[derive(Deserialize)]
    #[serde(rename = "wheel_state<f64>")]
    #[expect(dead_code)]
    struct Wheel {
        speed: f64,
    }
    #[derive(Deserialize)]
    #[serde(rename = "geometry_msgs/msg/Vector3")]
    #[expect(dead_code)]
    struct Vector {
        x: f64,
        y: f64,
        z: f64,
    }
    #[derive(Deserialize)]
    #[serde(rename = "robot")]
    #[expect(dead_code)]
    struct Robot {
        wheel: Wheel,
        force: Vector,
    }
    check::<Robot>(
        "lk/msg/Robot
         lk/WheelStateF64 wheel
         geometry_msgs/Vector3 force
         lk/msg/WheelStateF64
         float64 speed
         geometry_msgs/msg/Vector3
         float64 x
         float64 y
         float64 z",
    );
}

#[test]
fn newtypes_name_what_holds_them() {
    #[derive(Deserialize)]
    #[serde(rename = "nav_msgs/msg/Path")]
    struct Path(#[expect(dead_code)] Vec<f64>);
    #[derive(Deserialize)]
    struct Pair(#[expect(dead_code)] (u8, f64));
    check::<Pair>("lk/msg/Pair\nuint8 e0\nfloat64 e1");
    #[derive(Deserialize)]
    struct Track(#[expect(dead_code)] Vec<f32>);
    #[derive(Deserialize)]
    #[expect(dead_code)]
    struct Holder {
        rows: Vec<Vec<f64>>,
        paths: Vec<Path>,
        track: Option<Track>,
        deep: Vec<Vec<Path>>,
    }
    check::<Path>("nav_msgs/msg/Path\nfloat64[] data");
    check::<Holder>(
        "lk/msg/Holder
         lk/Float64Array[] rows
         nav_msgs/Path[] paths
         lk/Track[<=1] track optional
         lk/PathArray[] deep
         lk/msg/Float64Array
         float64[] data
         nav_msgs/msg/Path
         float64[] data
         lk/msg/Track
         float32[] data
         lk/msg/PathArray
         nav_msgs/Path[] data",
    );
}

#[test]
fn a_given_name_is_that_of_the_root_and_its_package_that_of_all() {
    let root = message_of::<G<G<f32>>>(Some("robot/msg/G")).expect("a message");
    assert_eq!(root.name, "robot/msg/G");
    assert_eq!(root.fields[0].ty.to_string(), "robot/G2");
    let wrapped = message_of::<f32>(Some("robot/msg/Speed")).expect("a message");
    assert_eq!(wrapped.name, "robot/msg/Speed");
    for name in ["Speed", "robot/Speed", "robot/msg/speed", "robot/msg/"] {
        let error = message_of::<f32>(Some(name)).expect_err(name).to_string();
        assert!(error.contains(name) && error.contains("package/msg/Type"), "{error}");
    }
}

#[test]
fn one_full_name_for_two_types_is_refused() {
    #[derive(Deserialize)]
    #[serde(rename = "a/msg/P")]
    #[expect(dead_code)]
    struct One {
        x: f64,
    }
    #[derive(Deserialize)]
    #[serde(rename = "a/msg/P")]
    #[expect(dead_code)]
    struct Other {
        y: f64,
    }
    #[derive(Deserialize)]
    #[expect(dead_code)]
    struct Holder {
        one: One,
        other: Other,
    }
    let error = message_of::<Holder>(None).expect_err("one name").to_string();
    assert!(error.contains("field other") && error.contains("a/msg/P"), "{error}");
}
