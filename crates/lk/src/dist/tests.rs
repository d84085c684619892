mod elements;

use super::*;
use crate::Error;

fn schema(text: &str) -> Schema {
    Schema::parse("demo/Input", text).unwrap()
}

fn dist(text: &str, config: &DistConfig) -> DataDist {
    DataDist::new(&schema(text), config, "port").unwrap()
}

/// What is said of a config, in JSON, for a message: error and hint.
fn complaint(text: &str, json: &str) -> (String, String) {
    let config: DistConfig = match serde_json::from_str(json) {
        Ok(config) => config,
        Err(error) => return (error.to_string(), String::new()),
    };
    let error = DataDist::new(&schema(text), &config, "port").expect_err("should be refused");
    assert!(matches!(error, Error::Distribution { .. }));
    (error.to_string(), error.hint().unwrap_or_default())
}

/// The first `count` numbers of a field `x` that is drawn so.
fn numbers(ty: &str, values: Distribution, count: usize) -> Vec<f64> {
    let config = DistConfig::default().with("x", values);
    let mut dist = dist(&format!("{ty} x"), &config);
    let mut draw = || {
        let message = dist.sample();
        assert!(dist.contains(&message), "{message}");
        message.get("x").and_then(Datum::as_f64).unwrap()
    };
    (0..count).map(|_| draw()).collect()
}

fn mean_and_variance(numbers: &[f64]) -> (f64, f64) {
    let count = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / count;
    (mean, numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count)
}

/// The Kolmogorov-Smirnov distance, times the root of the count.
fn kolmogorov(mut numbers: Vec<f64>, cdf: impl Fn(f64) -> f64) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let count = numbers.len() as f64;
    let distance = |(index, x): (usize, &f64)| {
        let p = cdf(*x);
        (p - index as f64 / count).abs().max(((index + 1) as f64 / count - p).abs())
    };
    numbers.iter().enumerate().map(distance).fold(0.0, f64::max) * count.sqrt()
}

/// The normal distribution function, by its series.
fn normal_cdf(x: f64) -> f64 {
    let (mut term, mut sum) = (x, x);
    for n in 1..200 {
        term *= x * x / f64::from(2 * n + 1);
        sum += term;
    }
    0.5 + sum * (-x * x / 2.0).exp() / std::f64::consts::TAU.sqrt()
}

/// With 20,000 draws, a right distribution is above 2.2 once in 8,000 seeds.
#[track_caller]
fn check(values: Distribution, cdf: impl Fn(f64) -> f64, mean: f64, variance: f64) {
    let numbers = numbers("float64", values.clone(), 20_000);
    let (actual_mean, actual_variance) = mean_and_variance(&numbers);
    let mean_error = (actual_mean - mean).abs() / (variance / 20_000.0).sqrt();
    assert!(mean_error < 4.0, "{values:?}: mean {actual_mean}, not {mean}");
    let ratio = actual_variance / variance;
    assert!((0.93..1.07).contains(&ratio), "{values:?}: variance {actual_variance}");
    let distance = kolmogorov(numbers, cdf);
    assert!(distance < 2.2, "{values:?}: distance {distance}");
}

#[test]
fn draws_have_the_distribution_that_is_asked_for() {
    check(Distribution::uniform(-1.0, 3.0), |x| (x + 1.0) / 4.0, 1.0, 16.0 / 12.0);
    check(Distribution::Normal { mean: 5.0, std: 2.0 }, |x| normal_cdf((x - 5.0) / 2.0), 5.0, 4.0);
    check(Distribution::Exponential { mean: 0.5 }, |x| 1.0 - (-2.0 * x).exp(), 0.5, 0.25);
    let (low, high) = (0.1f64, 1000.0f64);
    let (width, mean) = ((high / low).ln(), (high - low) / (high / low).ln());
    let variance = (high * high - low * low) / (2.0 * width) - mean * mean;
    let log_uniform = Distribution::LogUniform { low, high };
    check(log_uniform, |x| (x / low).ln() / width, mean, variance);
    // Beta(2, 3) and, with both shapes below one, the arc sine distribution.
    let beta = |alpha, beta, low, high| Distribution::Beta { alpha, beta, low, high };
    let cdf = |x: f64| x * x * (6.0 - 8.0 * x + 3.0 * x * x);
    check(beta(2.0, 3.0, 0.0, 1.0), cdf, 0.4, 0.04);
    let cdf = |x: f64| ((x + 1.0) / 2.0).sqrt().asin() * 2.0 / std::f64::consts::PI;
    check(beta(0.5, 0.5, -1.0, 1.0), cdf, 0.0, 0.5);
}

#[test]
fn truncated_normals_are_right_about_the_mean_in_the_tail_and_in_a_narrow_range() {
    for (low, high) in [(-2.0, 2.0), (-3.0, 0.5), (0.5, 0.7), (1.0, 6.0), (-6.0, -2.0), (-0.1, 0.3)]
    {
        let values = Distribution::TruncatedNormal { mean: 0.0, std: 1.0, low, high };
        let (below, within) = (normal_cdf(low), normal_cdf(high) - normal_cdf(low));
        let density = |x: f64| (-x * x / 2.0).exp() / std::f64::consts::TAU.sqrt();
        let mean = (density(low) - density(high)) / within;
        let variance = 1.0 + (low * density(low) - high * density(high)) / within - mean * mean;
        check(values, |x| (normal_cdf(x) - below) / within, mean, variance);
    }
    // So far out that nothing there has a probability that a float holds.
    let far = Distribution::TruncatedNormal { mean: 0.0, std: 1.0, low: 1e5, high: 2e5 };
    assert!(numbers("float64", far, 100).iter().all(|x| (1e5..1e5 + 0.01).contains(x)));
}

#[test]
fn integers_reach_both_ends_and_no_more() {
    let drawn = numbers("int8", Distribution::uniform(-2i64, 2i64), 5_000);
    for value in [-2.0, -1.0, 0.0, 1.0, 2.0] {
        let count = drawn.iter().filter(|x| **x == value).count();
        assert!((850..1150).contains(&count), "{value}: {count}");
    }
    let drawn = numbers("uint8", Distribution::Normal { mean: 250.0, std: 10.0 }, 1000);
    assert!(drawn.contains(&255.0) && drawn.iter().all(|x| x.fract() == 0.0));
    let config = DistConfig::default().with("x", Distribution::uniform(i64::MIN, i64::MAX));
    let mut dist = dist("int64 x", &config);
    let drawn: Vec<_> =
        (0..100).map(|_| dist.sample().get("x").and_then(Datum::as_i64).unwrap()).collect();
    assert!(drawn.iter().any(|x| *x < i64::MIN / 2) && drawn.iter().any(|x| *x > i64::MAX / 2));
    assert_eq!(dist.range("x"), Some((Datum::Int64(i64::MIN), Datum::Int64(i64::MAX))));
}

#[test]
fn float32_stays_inside_of_a_range_that_it_does_not_hold() {
    // 0.1 and 0.3 lie between two float32 each.
    let config = DistConfig::default().with("x", Distribution::uniform(0.1, 0.3));
    let (low, high) = dist("float32 x", &config).range("x").unwrap();
    assert!(low.as_f64().unwrap() >= 0.1 && high.as_f64().unwrap() <= 0.3);
    assert!(numbers("float32", Distribution::uniform(0.1, 0.3), 1000).iter().all(|x| *x >= 0.1));
    let config = DistConfig::default().with("x", Distribution::uniform(0.1, 0.1));
    let error = DataDist::new(&schema("float32 x"), &config, "").unwrap_err();
    assert!(error.to_string().contains("no float32 lies between"), "{error}");
}

const EVERYTHING: &str = "bool flag\nint32 count\nfloat32[3] gains\nstring<=8 name\n\
    geometry_msgs/Vector3[] points\nuint8[<=4] bytes\nfloat64 weight 0.5";

const EVERYTHING_JSON: &str = r#"{
    "flag": { "uniform": [false, true] },
    "count": { "grid": [1, 2, 3] },
    "gains": { "normal": { "mean": 0, "std": 1 } },
    "name": { "choice": ["imu", "gps"] },
    "points": { "len": [0, 3] },
    "points[*].x": { "uniform": [-1, 1] },
    "points[*]": { "y": { "log_uniform": [0.001, 10] }, "z": 7 },
    "bytes": { "uniform": [0, 255], "len": 4 },
    "fill": "default"
}"#;

#[test]
fn fields_of_every_kind_are_drawn_and_contained() {
    let config: DistConfig = serde_json::from_str(EVERYTHING_JSON).unwrap();
    let mut dist = dist(EVERYTHING, &config);
    let mut lengths = [0; 4];
    for _ in 0..200 {
        let message = dist.sample();
        assert!(dist.contains(&message), "{message}");
        // It fits its schema, which isn't checked when it is made.
        let again = Value::new(message.schema().clone(), message.record().clone()).unwrap();
        lengths[again.get("points").and_then(Datum::as_array).unwrap().len()] += 1;
        assert_eq!(again.get("weight").and_then(Datum::as_f64), Some(0.5));
    }
    assert!(lengths.iter().all(|count| *count > 20), "{lengths:?}");
    assert_eq!(dist.range("points[*].z"), Some((Datum::Float64(7.0), Datum::Float64(7.0))));
    assert_eq!(dist.range("count"), Some((Datum::Int32(1), Datum::Int32(3))));
    assert_eq!(dist.range("name"), None);

    let message = dist.sample();
    for (path, datum) in [
        ("count", Datum::Int32(4)),
        ("name", Datum::from("baro")),
        ("weight", Datum::Float64(0.25)),
        ("bytes", Datum::from(vec![0u8; 3])),
    ] {
        let mut other = message.clone();
        other.set(path, datum).unwrap();
        assert!(!dist.contains(&other), "{path}");
    }
}

#[test]
fn a_seed_gives_these_bits_on_every_machine() {
    // From another implementation, in Python.
    let config = DistConfig::default()
        .with("a", Distribution::uniform(-1.0, 1.0))
        .with("b", Distribution::Normal { mean: 0.0, std: 1.0 })
        .with("c", Distribution::Exponential { mean: 2.0 })
        .with("d", Distribution::LogUniform { low: 0.001, high: 1000.0 })
        .with("e", Distribution::uniform(0i64, 999i64));
    let mut dist = dist("float64 a\nfloat64 b\nfloat64 c\nfloat64 d\nint32 e", &config);
    dist.seed(42);
    let drawn: Vec<_> = (0..3)
        .map(|_| {
            let message = dist.sample();
            let bits = |path| message.get(path).and_then(Datum::as_f64).unwrap().to_bits();
            ["a", "b", "c", "d", "e"].map(bits)
        })
        .collect();
    assert_eq!(drawn, GOLDEN, "{drawn:#x?}");
}

const GOLDEN: [[u64; 5]; 3] = [
    [
        0xbfc3be240262ed58,
        0x3f69e7c766f03a25,
        0x3fdef1e3be81e0d2,
        0x40242e237914932d,
        0x4079b00000000000,
    ],
    [
        0xbfecb1ed5f7a9d44,
        0x3feb92411b1b1f93,
        0x400a08bf161c77be,
        0x3ff8cb312e48067e,
        0x407d200000000000,
    ],
    [
        0x3fd46668534fd1ac,
        0xbfef2057e66ae70b,
        0x3ff635812b62f335,
        0x3f81184a26cdc235,
        0x408ee00000000000,
    ],
];

#[test]
fn the_other_distributions_keep_their_bits_too() {
    let config = DistConfig::default()
        .with("a", Distribution::TruncatedNormal { mean: 0.0, std: 1.0, low: 2.0, high: 9.0 })
        .with("b", Distribution::Beta { alpha: 0.5, beta: 3.0, low: 0.0, high: 1.0 });
    let mut dist = dist("float64 a\nfloat64 b", &config);
    let mut sum = [0u64; 2];
    for _ in 0..1000 {
        let message = dist.sample();
        for (sum, path) in sum.iter_mut().zip(["a", "b"]) {
            let bits = message.get(path).and_then(Datum::as_f64).unwrap().to_bits();
            *sum = sum.rotate_left(1) ^ bits;
        }
    }
    assert_eq!(sum, [0x300955974df32380, 0xec4855ca5c4a78da], "{sum:#x?}");
}

#[test]
fn another_port_field_or_edge_case_leaves_the_others_as_they_were() {
    let values = |text: &str, config: &DistConfig, stream: &str| -> Vec<_> {
        let mut dist = DataDist::new(&schema(text), config, stream).unwrap();
        dist.seed(3);
        (0..50).map(|_| dist.sample().scalar("x").unwrap()).collect()
    };
    let config = DistConfig::default().with("x", Distribution::uniform(-1.0, 1.0));
    let alone = values("float64 x", &config, "imu");
    assert_ne!(alone, values("float64 x", &config, "gps"));
    let more = config.clone().with("a", Distribution::uniform(-1.0, 1.0));
    assert_eq!(alone, values("float64 a\nfloat64 x", &more, "imu"));
    let edges = DistConfig { edge_cases: 0.2, ..config };
    let mixed = values("float64 x", &edges, "imu");
    let same = alone.iter().zip(&mixed).filter(|(a, b)| a == b).count();
    assert!((30..50).contains(&same), "{same}");
}

#[test]
fn sampling_begins_anew_with_a_seed() {
    let config: DistConfig = serde_json::from_str(EVERYTHING_JSON).unwrap();
    let mut dist = dist(EVERYTHING, &DistConfig { edge_cases: 0.3, ..config });
    let mut drawn = |seed| -> Vec<_> {
        dist.seed(seed);
        (0..20).map(|_| dist.sample()).collect()
    };
    let first = drawn(1);
    assert_eq!(first, drawn(1));
    assert_ne!(first, drawn(2));
}

#[test]
fn edge_cases_are_all_met_and_never_outside_of_the_range() {
    let met = |text: &str, json: &str| -> Vec<f64> {
        let config: DistConfig = serde_json::from_str(json).unwrap();
        let mut dist = dist(text, &DistConfig { edge_cases: 0.5, ..config });
        let mut numbers = Vec::new();
        for _ in 0..500 {
            let message = dist.sample();
            assert!(dist.contains(&message), "{message}");
            numbers.push(message.get("x").and_then(Datum::as_f64).unwrap());
        }
        numbers
    };
    let has =
        |numbers: &[f64], wanted: f64| numbers.iter().any(|x| x.to_bits() == wanted.to_bits());

    let wide = met("float64 x", r#"{ "x": { "uniform": [-2, 3] } }"#);
    for edge in [0.0, -0.0, -2.0, 3.0, f64::MIN_POSITIVE, 5e-324, -5e-324] {
        assert!(has(&wide, edge), "{edge:e}");
    }
    assert!(wide.iter().all(|x| x.is_finite()));
    // Neither zero nor the other sign is in there.
    let high = met("float64 x", r#"{ "x": { "uniform": [2, 3] } }"#);
    assert!(has(&high, 2.0) && has(&high, 3.0) && high.iter().all(|x| (2.0..=3.0).contains(x)));
    let allowed = r#"{ "x": { "uniform": [2, 3], "allow": ["nan", "inf"] } }"#;
    for text in ["float32 x", "float64 x"] {
        let numbers = met(text, allowed);
        assert!(numbers.iter().any(|x| x.is_nan()), "{text}");
        assert!(has(&numbers, f64::INFINITY) && has(&numbers, f64::NEG_INFINITY), "{text}");
    }
    let normal = met("float32 x", r#"{ "x": { "normal": { "mean": 0, "std": 1 } } }"#);
    assert!(has(&normal, f64::from(f32::MAX)) && has(&normal, f64::from(f32::from_bits(1))));
    let whole = met("int16 x", r#"{ "x": { "uniform": [-5, 300] } }"#);
    assert!(has(&whole, -5.0) && has(&whole, 300.0) && has(&whole, -1.0));
    // A set has no edges.
    let set = met("int16 x", r#"{ "x": { "choice": [4, 9] } }"#);
    assert!(set.iter().all(|x| [4.0, 9.0].contains(x)));
}

#[test]
fn sequences_have_their_shortest_and_longest_among_edge_cases() {
    let json = r#"{ "x": { "uniform": [0, 1], "len": [1, 1000] }, "edge_cases": 0.5 }"#;
    let mut dist = dist("float64[] x", &serde_json::from_str(json).unwrap());
    let lengths: Vec<_> =
        (0..50).map(|_| dist.sample().get("x").and_then(Datum::as_array).unwrap().len()).collect();
    assert!(lengths.contains(&1) && lengths.contains(&1000), "{lengths:?}");
}

#[test]
fn permuting_visits_every_combination_once_and_the_last_field_changes_fastest() {
    let json = r#"{ "a": { "grid": [1, 2] }, "b": { "uniform": [0, 1] },
                    "c": { "grid": { "from": 0, "to": 1, "count": 3 } } }"#;
    let mut dist = dist("int8 a\nfloat64 b\nfloat64 c", &serde_json::from_str(json).unwrap());
    assert_eq!(dist.combinations(), Some(6));
    let visited: Vec<_> = dist
        .permute()
        .map(|message| ["a", "c"].map(|path| message.get(path).and_then(Datum::as_f64).unwrap()))
        .collect();
    let expected = [[1.0, 0.0], [1.0, 0.5], [1.0, 1.0], [2.0, 0.0], [2.0, 0.5], [2.0, 1.0]];
    assert_eq!(visited, expected);
}

#[test]
fn what_can_not_be_sampled_is_named_with_what_to_write() {
    let text = "geometry_msgs/Vector3 v\nfloat32[] r\nuint8 n\nstring s";
    let whole = |fields: &str| {
        format!(
            r#"{{ "v": {{"x": 0, "y": 0, "z": 0}}, "r": {{"uniform": [0, 1], "len": 2}}, "n": 1,
                 "s": "a" {fields} }}"#
        )
    };
    serde_json::from_str::<DistConfig>(&whole("")).unwrap();
    let without = |old: &str, new: &str| complaint(text, &whole("").replace(old, new));

    let (message, hint) = without(r#""y": 0, "#, "");
    assert_eq!(message, "field v.y can't be sampled: it has no distribution");
    assert!(hint.contains("`v.y = { uniform = [-1.0, 1.0] }`"), "{hint}");
    let (message, hint) = without(r#", "len": 2"#, "");
    assert_eq!(message, "field r can't be sampled: it has no number of elements");
    assert!(hint.contains("len = [0, 8]"), "{hint}");
    let cases = [
        (r#""n": 1"#, r#""n": 256"#, "field n can't be sampled: 256 is no uint8"),
        (r#""n": 1"#, r#""n": 0.5"#, "0.5 is no uint8"),
        (r#""n": 1"#, r#""n": {"uniform": [0, 1], "allow": ["nan"]}"#, "neither NaN nor"),
        (r#""n": 1"#, r#""n": {"uniform": [5, 1]}"#, "its range is from 5 to 1"),
        (r#""n": 1"#, r#""n": {"uniform": [0, 1], "len": 3}"#, "has no length"),
        (r#""n": 1"#, r#""n": {"choice": []}"#, "nothing to choose from"),
        (r#""n": 1"#, r#""n": {"uniform": [0]}"#, "expected [low, high], got 1 values"),
        (r#""n": 1"#, r#""n": {"normal": {"mean": 0}}"#, "`std` is missing"),
        (r#""n": 1"#, r#""n": {"normal": {"mean": 0, "std": -1}}"#, "std is -1.0"),
        (
            r#""n": 1"#,
            r#""n": {"unifrom": [0, 1]}"#,
            "field n can't be sampled: there is no distribution `unifrom`",
        ),
        (r#""n": 1"#, r#""n": {"uniform": [0, 1], "normla": 1}"#, "no distribution `normla`"),
        (r#""n": 1"#, r#""n": {"uniform": [0, 1], "constant": 1}"#, "two distributions"),
        (r#""s": "a""#, r#""s": {"uniform": [0, 1]}"#, "string takes `choice`"),
        (r#""n": 1"#, r#""n": 1, "m": 1"#, "field m can't be sampled: there is no such field"),
        (r#""n": 1"#, r#""n": 1, "v[*].x": 1"#, "field v[*].x can't be sampled: there is no"),
        (r#""n": 1"#, r#""n": 1, "r[2]": 1"#, "field r[2] can't be sampled: it has 2 elements"),
        (r#""n": 1"#, r#""n": 1, "r[01]": 1"#, "field r[01] can't be sampled: there is no"),
        (r#""n": 1"#, r#""n": 1, "n[0]": 1"#, "field n[0] can't be sampled: there is no"),
        (r#""n": 1"#, r#""n": {"follow": "time"}"#, "a uint8 can't follow the time"),
        (r#""n": 1"#, r#""n": {"follow": "tide"}"#, "can't be followed"),
        (r#""n": 1"#, r#""n": 1, "r[*]": 1"#, "field r[*] can't be sampled"),
        (r#""n": 1"#, r#""n": 1, "fill": "zero""#, "it can be \"default\" only"),
        (r#""n": 1"#, r#""n": 1, "edge_cases": 2"#, "2.0 is no share from 0 to 1"),
        (r#"{"x": 0, "y": 0, "z": 0}"#, r#"{"uniform": [0, 1]}"#, "it is a geometry_msgs/msg/Vec"),
    ];
    for (old, new, expected) in cases {
        let (message, _) = without(old, new);
        assert!(message.contains(expected), "{new}: {message}");
    }
    let (_, hint) = without(r#""n": 1"#, r#""n": 1, "m": 1"#);
    assert_eq!(hint, "the fields of demo/msg/Input are v, r, n, s");
}

#[test]
fn a_message_of_another_type_is_not_contained() {
    let config = DistConfig::default().with("x", Distribution::uniform(0.0, 1.0));
    assert!(!dist("float64 x", &config).contains(&Value::default_of(&schema("float32 x"))));
}

#[test]
fn nan_counts_as_contained_only_where_it_is_allowed() {
    let mut message = Value::default_of(&schema("float64 x"));
    message.set("x", f64::NAN).unwrap();
    let config = DistConfig::default().with("x", Distribution::uniform(0.0, 1.0));
    assert!(!dist("float64 x", &config).contains(&message));
    let mut allowed = config;
    allowed.fields.get_mut("x").unwrap().allow_nan = true;
    assert!(dist("float64 x", &allowed).contains(&message));
}
