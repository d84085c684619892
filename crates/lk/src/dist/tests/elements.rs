//! Single elements of arrays, and stamps.

use super::*;

fn number_at(message: &Value, path: &str) -> f64 {
    match message.scalar(path) {
        Some(crate::value::Scalar::Float64(number)) => number,
        other => panic!("{path} is {other:?}"),
    }
}

#[test]
fn single_elements_of_arrays_have_distributions_of_their_own() {
    let text = "float64[3] gains\nfloat64[] ranges\ngeometry_msgs/Vector3[2] points\n\
                float64[4] covariance [1.0, 2.0, 3.0, 4.0]";
    let config: DistConfig = serde_json::from_str(
        r#"{ "gains": [1.5, {"uniform": [10, 11]}, -2],
             "ranges": {"uniform": [0, 1], "len": [0, 4]}, "ranges[2]": {"uniform": [5, 6]},
             "points[*]": {"x": 1, "y": 2, "z": 3}, "points[1].y": {"uniform": [20, 21]},
             "covariance[2]": 7, "fill": "default" }"#,
    )
    .unwrap();
    let mut dist = dist(text, &config);
    let mut lengths = std::collections::BTreeSet::new();
    for _ in 0..50 {
        let message = dist.sample();
        assert!(dist.contains(&message), "{message}");
        let number = |path: &str| number_at(&message, path);
        assert_eq!((number("gains[0]"), number("gains[2]")), (1.5, -2.0));
        assert!((10.0..=11.0).contains(&number("gains[1]")));
        let ranges = message.get("ranges").and_then(Datum::as_array).unwrap().len();
        lengths.insert(ranges);
        for n in 0..ranges {
            let expected = if n == 2 { 5.0..=6.0 } else { 0.0..=1.0 };
            assert!(expected.contains(&number(&format!("ranges[{n}]"))), "{message}");
        }
        assert_eq!((number("points[0].y"), number("points[1].x")), (2.0, 1.0));
        assert!((20.0..=21.0).contains(&number("points[1].y")));
        let covariance = [0, 1, 2, 3].map(|n| number(&format!("covariance[{n}]")));
        assert_eq!(covariance, [1.0, 2.0, 7.0, 4.0]);
    }
    assert_eq!(lengths.len(), 5);
    let float = Datum::Float64;
    assert_eq!(dist.range("gains[1]"), Some((float(10.0), float(11.0))));
    assert_eq!(dist.range("ranges[2]"), Some((float(5.0), float(6.0))));
    assert_eq!(dist.range("ranges[3]"), Some((float(0.0), float(1.0))));
    assert_eq!(dist.range("points[1].y"), Some((float(20.0), float(21.0))));
    assert_eq!(dist.range("points[0].y"), Some((float(2.0), float(2.0))));
    let mut other = dist.sample();
    other.set("gains", Datum::from(vec![1.5, 10.5, -1.0])).unwrap();
    assert!(!dist.contains(&other));

    // One that has none is named, and so are two of one element.
    let (message, _) = complaint("float64[2] gains", r#"{"gains[0]": 1}"#);
    assert_eq!(message, "field gains[1] can't be sampled: it has no distribution");
    let (message, _) = complaint("float64[2] gains", r#"{"gains": [1, 2, 3]}"#);
    assert!(message.contains("field gains[2] can't be sampled: it has 2 elements"), "{message}");
}

#[test]
fn an_element_of_its_own_leaves_the_others_as_they_were() {
    let drawn = |json: &str| -> Vec<f64> {
        let mut dist = dist("float64[3] x", &serde_json::from_str(json).unwrap());
        let mut element = || {
            let message = dist.sample();
            ["x[0]", "x[2]"].map(|path| number_at(&message, path))
        };
        (0..20).flat_map(|_| element()).collect()
    };
    let grid = r#"{"x": [{"grid": [1, 2]}, 5, {"grid": [3, 4]}]}"#;
    let mut permuted = dist("float64[3] x", &serde_json::from_str(grid).unwrap());
    assert_eq!((permuted.combinations(), permuted.permute().count()), (Some(4), 4));
    let own = r#"{"x": [{"uniform": [0, 1]}, 0, {"uniform": [0, 1]}]}"#;
    let other = r#"{"x": [{"uniform": [0, 1]}, {"uniform": [7, 8]}, {"uniform": [0, 1]}]}"#;
    assert_eq!(drawn(own), drawn(other));
    assert_ne!(drawn(own)[0], drawn(own)[1]);
}

#[test]
fn a_stamp_follows_the_time_of_its_message() {
    let json = r#"{"header.stamp": {"follow": "time"}, "header.frame_id": "imu",
                   "nanos": {"follow": "time"}, "n": {"grid": [1, 2]}}"#;
    let text = "std_msgs/Header header\nint64 nanos\nint8 n";
    let mut dist = dist(text, &serde_json::from_str(json).unwrap());
    let check = |message: &Value, time: i64, sec: i64, nanosec: i64| {
        let number = |path: &str| message.get(path).and_then(Datum::as_i64);
        let stamp = ["header.stamp.sec", "header.stamp.nanosec", "nanos"].map(number);
        assert_eq!(stamp, [Some(sec), Some(nanosec), Some(time)], "{message}");
    };
    for (time, sec, nanosec) in
        [(0, 0, 0), (3_000_000_007, 3, 7), (-1, -1, 999_999_999), (-2_000_000_000, -2, 0)]
    {
        let message = dist.sample_at(Time::from_nanos(time)).unwrap();
        check(&message, time, sec, nanosec);
        assert!(dist.contains(&message));
    }
    check(&dist.sample(), 0, 0, 0);
    let mut permuted = dist.permute();
    for time in [5, 6] {
        check(&permuted.next_at(Time::from_nanos(time)).unwrap().unwrap(), time, 0, time);
    }
    assert_eq!(permuted.next_at(Time::ZERO).unwrap(), None);
    let late = dist.sample_at(Time::MAX).unwrap_err().to_string();
    let expected = "field header.stamp can't be sampled: 9223372036.854775807 s is more than";
    assert!(late.starts_with(expected), "{late}");
    let mut wrong = dist.sample();
    wrong.set("header.stamp.nanosec", Datum::Uint32(1_000_000_000)).unwrap();
    assert!(!dist.contains(&wrong));
    let (_, hint) =
        complaint(text, &json.replace(r#"{"follow": "time"}, "header.f"#, r#"1, "header.f"#));
    assert_eq!(hint, r#"write `header.stamp = { follow = "time" }`"#);
    let both = r#"{"x": {"follow": "time", "uniform": [0, 1]}}"#;
    assert!(complaint("int64 x", both).0.contains("it follows the time, and has a distribution"));
}
