//! Messages between messages.

use serde::de::DeserializeSeed;
use serde_json::{Value as Json, json};

use super::*;
use crate::dataset::Encoding;
use crate::diff::Policy;
use crate::diff::plan::PairPlan;
use crate::diff::policy::Resolver;
use crate::value::{Scalar, ValueSeed};

/// The leaf at `path` at time 10 + `at`, between messages at 10 and 20.
fn between(msg: &str, rules: &[&str], ends: [Json; 2], at: i64, path: &str) -> Scalar {
    let schema = Schema::parse("test/msg/Test", msg).unwrap();
    let policy = Policy::parse_rules(rules).unwrap();
    let encoding = Encoding::Cdr(schema.clone());
    let plan = PairPlan::new("k", &encoding, &encoding, &mut Resolver::new(&policy));
    let interpolation = Interpolation::new(&schema, &plan.leaves);
    let [a, b] = ends.map(|end| ValueSeed::new(&schema).deserialize(&end).unwrap());
    let time = Time::from_nanos;
    let payload = interpolation.payload((time(10), &a), (time(20), &b), time(10 + at)).unwrap();
    interpolation.decode(&payload).unwrap().scalar(path).unwrap()
}

#[track_caller]
fn near(found: Scalar, expected: f64) {
    let found = match found {
        Scalar::Float64(x) => x,
        Scalar::Float32(x) => x.into(),
        other => panic!("{other:?} is no float"),
    };
    assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
}

#[test]
fn floats_are_linear_and_everything_else_holds() {
    let msg = "float64 x\nfloat32 f\nint32 n\nbool b\nstring s\nfloat64[] v\nstring[] t";
    let ends = || {
        [
            json!({"x": 1.0, "f": 1.0, "n": 1, "b": false, "s": "a", "v": [0.0, 1.0], "t": ["a"]}),
            json!({"x": 2.0, "f": 0.0, "n": 9, "b": true, "s": "b", "v": [1.0, 5.0], "t": ["b"]}),
        ]
    };
    let at = |at, path: &str| between(msg, &[], ends(), at, path);
    near(at(5, "x"), 1.5);
    near(at(1, "x"), 1.1);
    near(at(5, "f"), 0.5);
    near(at(5, "v[1]"), 3.0);
    assert_eq!(at(9, "n"), Scalar::Int(1));
    assert_eq!(at(9, "b"), Scalar::Bool(false));
    assert_eq!(at(9, "s"), Scalar::Text("a".to_owned()));
    assert_eq!(at(9, "t[0]"), Scalar::Text("a".to_owned()));
}

#[test]
fn sequences_of_different_lengths_hold() {
    let ends = [json!({"v": [0.0]}), json!({"v": [1.0, 2.0]})];
    near(between("float64[] v", &[], ends, 5, "v[0]"), 0.0);
}

#[test]
fn elements_without_an_order_hold() {
    let v = |v: [f64; 2]| json!({"v": v});
    let ends = [v([1.0, 2.0]), v([2.0, 1.0])];
    near(between("float64[] v", &["k.v:unordered"], ends, 5, "v[0]"), 1.0);
}

#[test]
fn messages_in_arrays_are_interpolated_field_by_field() {
    let msg = "P[] ps\n===\nMSG: test/P\nfloat64 x\nint8 n";
    let end = |x: f64, n: i32| json!({"ps": [{"x": 0.0, "n": 0}, {"x": x, "n": n}]});
    near(between(msg, &[], [end(1.0, 1), end(3.0, 3)], 5, "ps[1].x"), 2.0);
    assert_eq!(between(msg, &[], [end(1.0, 1), end(3.0, 3)], 5, "ps[1].n"), Scalar::Int(1));
}

#[test]
fn what_is_not_finite_has_no_way_to_it() {
    let x = |x: Json| json!({"x": x});
    near(between("float64 x", &[], [x(json!(1.0)), x(json!("NaN"))], 5, "x"), 1.0);
    near(between("float64 x", &[], [x(json!(1.0)), x(json!("Infinity"))], 5, "x"), 1.0);
    let huge = between("float64 x", &[], [x(json!(-1.5e308)), x(json!(1.5e308))], 5, "x");
    near(huge, 0.0);
}

#[test]
fn angles_go_the_shorter_way_round() {
    let x = |x: f64| json!({"x": x});
    near(between("float64 x", &["k.x:angle"], [x(3.0), x(-3.0)], 5, "x"), std::f64::consts::PI);
    near(between("float64 x", &["k.x:angle=deg"], [x(350.0), x(20.0)], 5, "x"), 365.0);
    near(between("float64 x", &[], [x(350.0), x(20.0)], 5, "x"), 185.0);
    let v = |v: f64| json!({"v": [v, v]});
    let of = |path| between("float64[2] v", &["k.v[1]:angle=deg"], [v(350.0), v(20.0)], 5, path);
    near(of("v[0]"), 185.0);
    near(of("v[1]"), 365.0);
}

#[test]
fn quaternions_go_along_the_shorter_arc() {
    // A quarter turn about z, half of it after half of the time.
    let half = std::f64::consts::FRAC_PI_8;
    let (s, c) = std::f64::consts::FRAC_PI_4.sin_cos();
    let msg = "Q q\n===\nMSG: test/Q\nfloat64 x\nfloat64 y\nfloat64 z\nfloat64 w";
    let q = |z: f64, w: f64| json!({"q": {"x": 0.0, "y": 0.0, "z": z, "w": w}});
    for sign in [1.0, -1.0, 2.0] {
        let ends = || [q(0.0, 1.0), q(sign * s, sign * c)];
        near(between(msg, &["k.q:quaternion"], ends(), 5, "q.z"), half.sin());
        near(between(msg, &["k.q:quaternion"], ends(), 5, "q.w"), half.cos());
    }
    let v = |z: f64, w: f64| json!({"q": [w, 0.0, 0.0, z]});
    let ends = || [v(0.0, 1.0), v(-s, -c)];
    near(between("float32[4] q", &["k.q:quaternion=wxyz"], ends(), 5, "q[3]"), half.sin());
    // The same twice, and what is no rotation.
    near(between(msg, &["k.q:quaternion"], [q(s, c), q(s, c)], 5, "q.z"), s);
    near(between(msg, &["k.q:quaternion"], [q(s, c), q(0.0, 0.0)], 5, "q.z"), s);
}
