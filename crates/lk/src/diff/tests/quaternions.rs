//! Rotations, through whole datasets.

use super::*;
use crate::Error;

const POSE: &str = "string name\nQ orientation\nfloat64 yaw\n===\nMSG: test/Q\n";
const XYZW: &str = "float64 x\nfloat64 y\nfloat64 z\nfloat64 w";
const RULE: &str = "**.orientation:quaternion,abs=0.01";

fn pose(fields: &str, [w, x, y, z]: [f64; 4]) -> Data {
    pose_of(fields, json!({"w": w, "x": x, "y": y, "z": z}))
}

fn pose_of(fields: &str, orientation: Json) -> Data {
    let message = json!({"name": "a", "orientation": orientation, "yaw": 1.0});
    data(&format!("{POSE}{fields}"), &[message])
}

fn about_z(angle: f64) -> [f64; 4] {
    [(angle / 2.0).cos(), 0.0, 0.0, (angle / 2.0).sin()]
}

fn policy_error(data: &Data, rules: &[&str]) -> String {
    let policy = Policy::parse_rules(rules).unwrap();
    match diff(&data.dataset, &data.dataset, &policy) {
        Err(error @ Error::Policy { .. }) => error.to_string(),
        other => panic!("{rules:?}: {other:?}"),
    }
}

#[test]
fn a_quaternion_is_one_field_and_its_error_an_angle() {
    let single = XYZW.replace("64", "32");
    let other_order = "float64 w\nfloat64 x\nfloat64 y\nfloat64 z";
    for (fields, b_fields) in [(XYZW, XYZW), (&single, &single), (XYZW, other_order)] {
        let compare = |angle: f64, sign: f64| {
            let b = about_z(angle).map(|v| sign * v);
            compare(&pose(fields, about_z(0.5)), &pose(b_fields, b), &[RULE])
        };
        let near = compare(0.505, -1.0);
        assert_eq!(near.verdict, Verdict::Equal);
        let paths: Vec<_> = near.key_diffs["k"].fields.iter().map(|f| f.path.as_str()).collect();
        assert_eq!(paths, ["name", "orientation", "yaw"]);
        let found = field(&near, "orientation");
        assert_eq!((found.values.compared, found.values.within), (4, 4));
        assert_eq!(found.tolerance, "quaternion,abs=0.01");
        let error = found.error.unwrap();
        assert_eq!((error.count, error.passing_abs), (1, Some(error.max)));
        assert!((error.max - 0.005).abs() < 1e-7);

        let far = compare(0.6, 1.0);
        assert_eq!(field(&far, "orientation").values.violations, 4);
        let [mismatch] = far.key_diffs["k"].mismatches.as_slice() else { panic!("not one") };
        assert_eq!(mismatch.path, "orientation");
        assert!((mismatch.error.unwrap() - 0.1).abs() < 1e-7);
        assert!(matches!(&mismatch.a, Scalar::Text(text) if text.starts_with("w=0.968912")));

        let opposite = compare(0.5, -1.0);
        assert_eq!(field(&opposite, "orientation").error.unwrap().max, 0.0);
        let same = compare(0.5, 1.0);
        assert_eq!(field(&same, "orientation").values.equal, 4);
    }
}

#[test]
fn what_is_no_rotation_is_a_violation_on_both_sides_too() {
    for bad in [json!(0.0), json!("NaN"), json!("Infinity")] {
        let bad = pose_of(XYZW, json!({"w": bad, "x": 0.0, "y": 0.0, "z": 0.0}));
        for other in [&bad, &pose(XYZW, about_z(0.0))] {
            let result = compare(&bad, other, &[RULE]);
            assert_eq!(result.verdict, Verdict::Different);
            let found = field(&result, "orientation");
            assert_eq!((found.values.violations, found.error), (4, None));
        }
    }
}

#[test]
fn arrays_have_the_order_that_the_rule_gives() {
    let array = |q: [f64; 4]| data("float64[4] q\nfloat64 t", &[json!({"q": q, "t": 0.0})]);
    let (a, b) = (array([0.0, 0.0, 0.0, 1.0]), array([0.0, 0.0, 0.6, 0.8]));
    for (rule, expected) in [
        ("k.q:quaternion=xyzw", 2.0 * 0.6_f64.atan2(0.8)),
        ("k.q[*]:quaternion=wxyz", 2.0 * 0.6_f64.atan2(0.8)),
    ] {
        let result = compare(&a, &b, &[rule]);
        let mismatch = &result.key_diffs["k"].mismatches[0];
        assert_eq!(mismatch.path, "q");
        assert!((mismatch.error.unwrap() - expected).abs() < 1e-15, "{rule}");
    }
    // 90 degrees about the z axis in one order are about another in the other.
    let (a, b) = (array([1.0, 0.0, 0.0, 0.0]), array([1.0, 0.0, 0.0, 1.0]));
    let error = |rule| field(&compare(&a, &b, &[rule]), "q").error.unwrap().max;
    assert!((error("k.q:quaternion=wxyz") - std::f64::consts::FRAC_PI_2).abs() < 1e-15);
    let text = |rule| match compare(&a, &b, &[rule]).key_diffs["k"].mismatches[0].b.clone() {
        Scalar::Text(text) => text,
        other => panic!("{other:?}"),
    };
    assert_eq!(text("k.q:quaternion=wxyz"), "w=1.0 x=0.0 y=0.0 z=1.0");
    assert_eq!(text("k.q:quaternion=xyzw"), "w=1.0 x=1.0 y=0.0 z=0.0");
}

#[test]
fn sequences_of_quaternions_name_the_element() {
    let msg = format!("Q[] qs\n===\nMSG: test/Q\n{XYZW}");
    let q = |z: f64| json!({"x": 0.0, "y": 0.0, "z": z, "w": 1.0});
    let a = data(&msg, &[json!({"qs": [q(0.0), q(0.0), q(0.0)]})]);
    let b = data(&msg, &[json!({"qs": [q(0.0), q(1.0)]})]);
    let result = compare(&a, &b, &["k.qs:quaternion"]);
    let paths: Vec<_> = result.key_diffs["k"].mismatches.iter().map(|m| m.path.as_str()).collect();
    assert_eq!(paths, ["qs[1]", "qs"]);
    let values = field(&result, "qs[*]").values;
    assert_eq!((values.compared, values.equal, values.violations, values.missing), (8, 4, 4, 4));
}

#[test]
fn a_quaternion_that_can_be_none_is_an_error_with_rule_and_field() {
    let pose = pose(XYZW, about_z(0.0));
    let point = data(
        "P p\n===\nMSG: test/P\nfloat64 x\nfloat64 y\nfloat64 z",
        &[json!({"p": {"x": 0.0, "y": 0.0, "z": 0.0}})],
    );
    let mixed = XYZW.replacen("64", "32", 1);
    let mixed = pose_of(&mixed, json!({"x": 0.0, "y": 0.0, "z": 0.0, "w": 1.0}));
    let arrays = data(
        "float64[4] q\nfloat64[] s\nfloat64[3] v",
        &[json!({"q": [1.0, 0.0, 0.0, 0.0], "s": [1.0], "v": [0.0, 0.0, 0.0]})],
    );
    for (data, rules, field) in [
        (&pose, &["k.yaw:quaternion"][..], "`k.yaw`"),
        (&pose, &["k.name:quaternion"], "`k.name`"),
        (&pose, &["k:quaternion"], "`k`"),
        (&pose, &[RULE, "**.orientation.x:exact"], "`k.orientation.x`"),
        (&point, &["k.p:quaternion"], "`k.p`"),
        (&mixed, &["k.orientation:quaternion"], "`k.orientation`"),
        (&arrays, &["k.q:quaternion"], "`k.q[*]`"),
        (&arrays, &["k.q:quaternion=wxyz", "k.q[0]:1"], "`k.q[0]`"),
        (&arrays, &["k.s:quaternion=wxyz"], "`k.s[*]`"),
        (&arrays, &["k.v:quaternion=wxyz"], "`k.v[*]`"),
    ] {
        let error = policy_error(data, rules);
        assert!(error.contains(rules[0]) && error.contains(field), "{rules:?}: {error}");
        assert!(error.contains("quaternion"), "{error}");
    }
}

#[test]
fn a_candidate_whose_type_is_another_is_different_and_no_mistake() {
    let a = pose(XYZW, about_z(0.0));
    let zero = json!({"x": 0.0, "y": 0.0, "z": 0.0, "w": 0.0});
    let three = "float64 x\nfloat64 y\nfloat64 z";
    let b = pose_of(three, json!({"x": 0.0, "y": 0.0, "z": 0.0}));
    let c = pose_of(&XYZW.replace("64", "32"), zero);
    for (a, b) in [(&a, &b), (&b, &a), (&a, &c), (&c, &a)] {
        assert_eq!(compare(a, b, &[RULE]).verdict, Verdict::Different);
    }
}
