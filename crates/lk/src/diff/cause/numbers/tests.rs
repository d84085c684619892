use super::super::window::Window;
use super::*;
use crate::diff::Tolerance;
use crate::diff::plan::Measure;

fn cell(path: &str, a: Num, b: Num) -> Cell {
    let close = Close {
        measure: Measure::Difference,
        tolerance: Tolerance::sum(1e-6, 0.0),
        nan_equal: true,
        signed_zero: false,
        ignore: false,
    };
    Cell { path: path.to_owned(), a, b, close }
}

/// The cause of a field `x` with these values, from message `first` on.
fn cause(first: usize, pairs: &[(Num, Num)]) -> Option<CauseKind> {
    let row = |(a, b): &(Num, Num)| Row { cells: vec![cell("x", *a, *b)], target: Some(0) };
    classify(&Window::new(pairs.iter().map(row).collect(), first)).map(|cause| cause.kind)
}

fn doubles(n: usize, pair: impl Fn(f64) -> (f64, f64)) -> Vec<(Num, Num)> {
    let num = |(a, b): (f64, f64)| (Num::Double(a), Num::Double(b));
    (0..n).map(|n| num(pair(n as f64))).collect()
}

/// A signal that repeats in no short time.
fn signal(t: f64) -> f64 {
    (0.37 * t).sin() + 0.2 * (1.7 * t).cos() + 0.01 * t
}

#[test]
fn each_reading_of_a_signal_is_told_by_its_class() {
    let n = 64;
    for (kind, pairs) in [
        (CauseKind::Step, doubles(n, |t| (signal(t), signal(t) + 0.5))),
        (CauseKind::Drift, doubles(n, |t| (signal(t), signal(t) + 0.01 * (t + 1.0)))),
        (CauseKind::Sign, doubles(n, |t| (signal(t), -signal(t)))),
        (CauseKind::Unit, doubles(n, |t| (signal(t), signal(t).to_degrees()))),
        (CauseKind::Unit, doubles(n, |t| (signal(t), signal(t).to_radians()))),
        (CauseKind::Unit, doubles(n, |t| (signal(t), signal(t) * 1e-3))),
        (CauseKind::Unit, doubles(n, |t| (signal(t), signal(t) * 9.80665))),
        (CauseKind::Unit, doubles(n, |t| (signal(t), signal(t) + 273.15))),
        (CauseKind::Unit, doubles(n, |t| (signal(t), signal(t) * 2.5))),
        (CauseKind::Frozen, doubles(n, |t| (signal(t), 3.0))),
        (CauseKind::Rounding, doubles(n, |t| (1e12 + t, (1e12 + t).next_up()))),
        (CauseKind::Precision, doubles(n, |t| (1e6 + 0.1 * t, f64::from((1e6 + 0.1 * t) as f32)))),
        (
            CauseKind::Single,
            doubles(n, |t| (signal(t), signal(t) + if t == 0.0 { 0.3 } else { 0.0 })),
        ),
    ] {
        // A first value that differs, whatever the signal.
        let from = pairs.iter().position(|(a, b)| (a.as_f64() - b.as_f64()).abs() > 1e-6).unwrap();
        assert_eq!(cause(0, &pairs[from..]), Some(kind), "{kind:?}");
    }
}

#[test]
fn a_lag_is_found_from_values_before_the_divergence_and_after() {
    let late = doubles(96, |t| (signal(t), if t < 32.0 { signal(t) } else { signal(t - 3.0) }));
    assert_eq!(cause(32, &late), Some(CauseKind::Lag));
    let early = doubles(64, |t| (signal(t), signal(t + 2.0)));
    assert_eq!(cause(0, &early), Some(CauseKind::Lag));
    // A constant lags behind nothing.
    assert_eq!(cause(0, &doubles(64, |_| (1.0, 2.0))), Some(CauseKind::Step));
}

#[test]
fn saturation_is_a_bound_that_only_the_reference_passes() {
    let clipped = doubles(64, |t| (2.0 * signal(t), (2.0 * signal(t)).min(0.9)));
    let from = clipped.iter().position(|(a, b)| a != b).unwrap();
    assert_eq!(cause(from, &clipped), Some(CauseKind::Saturation));
}

#[test]
fn an_integer_that_lost_its_upper_bits_has_wrapped() {
    let wrap = |bits: u32| -> Vec<(Num, Num)> {
        (0..8_i128)
            .map(|n| (n + 3) * (1 << bits) + 7 * n)
            .map(|a| (Num::Integer(a), Num::Integer(a & ((1 << bits) - 1))))
            .collect()
    };
    for bits in [8, 16, 32] {
        assert_eq!(cause(0, &wrap(bits)), Some(CauseKind::Wrap), "{bits}");
    }
    // Neighbours beyond 2^53 are no wrap, and not equal.
    let a = 1_i128 << 53;
    assert_eq!(cause(0, &[(Num::Integer(a), Num::Integer(a + 1))]), None);
}

#[test]
fn exchanged_fields_elements_and_messages_are_told_apart() {
    let row = |t: f64| {
        let (x, y) = (signal(t), signal(t + 40.0));
        let double = Num::Double;
        let cells = vec![cell("x", double(x), double(y)), cell("y", double(y), double(x))];
        Row { cells, target: Some(0) }
    };
    let found = classify(&Window::new((0..16).map(|t| row(t.into())).collect(), 0)).unwrap();
    assert_eq!(found.kind, CauseKind::Swapped);
    assert!(found.text.contains("`x` and `y`"), "{}", found.text);

    let array = |t: f64| {
        let value = |i: usize| Num::Double(signal(t + 5.0 * i as f64));
        let cells = (0..5).map(|i| cell(&format!("v[{i}]"), value(i), value(i + 1))).collect();
        Row { cells, target: Some(0) }
    };
    let found = classify(&Window::new((0..16).map(|t| array(t.into())).collect(), 0)).unwrap();
    assert_eq!(found.kind, CauseKind::Offset);
    assert!(found.text.contains("one element early"), "{}", found.text);

    let mut pairs = doubles(16, |t| (signal(t), signal(t)));
    (pairs[4].1, pairs[5].1) = (pairs[5].1, pairs[4].1);
    assert_eq!(cause(4, &pairs), Some(CauseKind::Order));
}

#[test]
fn noise_looks_like_nothing() {
    let noise = |t: f64| ((t * 12.9898).sin() * 43758.5453).fract();
    assert_eq!(cause(0, &doubles(64, |t| (signal(t), noise(t)))), None);
}
