//! Slices of floats against slices of floats.

use crate::diff::plan::Close;
use crate::diff::stats::{At, LeafStats, Sums};

/// The little-endian bytes of a float.
pub(super) trait FloatBytes: Copy + PartialEq {
    /// The value; exact for single precision too.
    fn value(self) -> f64;
}

impl FloatBytes for [u8; 8] {
    #[inline]
    fn value(self) -> f64 {
        f64::from_le_bytes(self)
    }
}

impl FloatBytes for [u8; 4] {
    #[inline]
    fn value(self) -> f64 {
        f64::from(f32::from_le_bytes(self))
    }
}

/// Elements that are looked at together.
const CHUNK: usize = 256;

/// Sums run in this many lanes, so that they compile to vectors.
const LANES: usize = 4;

/// Where a pair of numbers stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Equal,
    Within,
    Violation,
}

/// Compares two numbers as the policy has it.
#[inline]
pub(super) fn judge(a: f64, b: f64, close: &Close) -> Standing {
    if a == b || (a.is_nan() && b.is_nan() && close.nan_equal) {
        return Standing::Equal;
    }
    match is_within((b - a).abs(), a, close.tolerance.abs, close.tolerance.rel) {
        true => Standing::Within,
        false => Standing::Violation,
    }
}

/// The form of NumPy and PyTorch, with a finite difference required: an
/// infinity equals only itself, however large the tolerance.
#[inline]
fn is_within(error: f64, a: f64, abs: f64, rel: f64) -> bool {
    error < f64::INFINITY && error <= abs + rel * a.abs()
}

/// Compares floats that are not all equal bit for bit. Returns how many
/// violate.
pub(super) fn compare<B: FloatBytes>(
    a: &[B],
    b: &[B],
    close: &Close,
    leaf: &mut LeafStats,
    at: &At,
) -> u64 {
    let mut violations = 0;
    for (a, b) in a.chunks(CHUNK).zip(b.chunks(CHUNK)) {
        violations += match a.len() {
            ..LANES => each(a, b, close, leaf, at),
            _ if a == b => equal(a, close, leaf, at),
            _ => chunk(a, b, close, leaf, at),
        };
    }
    violations
}

/// Counts floats that are equal bit for bit. Returns how many violate, as NaN
/// may.
pub(super) fn equal<B: FloatBytes>(a: &[B], close: &Close, leaf: &mut LeafStats, at: &At) -> u64 {
    let (mut zero, mut special) = (0_u64, 0_u64);
    for value in a.iter().map(|a| a.value()) {
        zero += u64::from(value == 0.0);
        special += u64::from(!value.is_finite());
    }
    leaf.compared += a.len() as u64;
    leaf.zero_reference += zero;
    if special == 0 {
        return 0;
    }
    let nan = a.iter().filter(|a| a.value().is_nan()).count() as u64;
    leaf.nan_reference += nan;
    leaf.nan_candidate += nan;
    leaf.inf += special - nan;
    leaf.no_error += special;
    let violations = if close.nan_equal { 0 } else { nan };
    leaf.never_passes |= violations > 0;
    leaf.violate(violations, at);
    violations
}

/// One by one: for few, and where some difference is not finite.
fn each<B: FloatBytes>(a: &[B], b: &[B], close: &Close, leaf: &mut LeafStats, at: &At) -> u64 {
    let mut violations = 0;
    for (a, b) in a.iter().zip(b) {
        let bit_equal = a == b;
        let (a, b) = (a.value(), b.value());
        leaf.compared += 1;
        leaf.not_bit_equal += u64::from(!bit_equal);
        leaf.zero_reference += u64::from(a == 0.0);
        leaf.nan_reference += u64::from(a.is_nan());
        leaf.nan_candidate += u64::from(b.is_nan());
        leaf.inf += u64::from(a.is_infinite() || b.is_infinite());
        let error = b - a;
        if error.is_finite() {
            leaf.open.add(error);
            leaf.raise(error.abs(), at);
            raise_passing(&mut leaf.passing, error.abs(), a, close.tolerance.rel);
        } else {
            leaf.no_error += 1;
        }
        match judge(a, b, close) {
            Standing::Equal => {}
            Standing::Within => leaf.within += 1,
            Standing::Violation => {
                leaf.never_passes |= !error.is_finite();
                violations += 1;
            }
        }
    }
    leaf.violate(violations, at);
    violations
}

/// A chunk at once, whose differences are finite: loops over one thing each,
/// so that they compile to vectors, while the chunk stays in the nearest
/// cache.
fn chunk<B: FloatBytes>(a: &[B], b: &[B], close: &Close, leaf: &mut LeafStats, at: &At) -> u64 {
    let (sums, max) = sum(a, b);
    let pairs = || a.iter().zip(b).map(|(a, b)| (a.value(), b.value()));
    // NaN and infinity show in the sum of squares, as overflow does.
    if !sums.square.is_finite() && pairs().any(|(a, b)| !(b - a).is_finite()) {
        return each(a, b, close, leaf, at);
    }
    let zero = pairs().map(|(a, _)| u64::from(a == 0.0)).sum::<u64>();
    let unequal = pairs().map(|(a, b)| u64::from(a != b)).sum::<u64>();
    leaf.compared += a.len() as u64;
    leaf.zero_reference += zero;
    leaf.not_bit_equal += match zero {
        // Only zeros are equal and differ in a bit.
        0 => unequal,
        _ => a.iter().zip(b).map(|(a, b)| u64::from(a != b)).sum(),
    };
    leaf.open.merge(sums);
    leaf.raise(max, at);

    let (abs, rel) = (close.tolerance.abs, close.tolerance.rel);
    let beyond = |abs: f64| {
        pairs().map(|(a, b)| u64::from((b - a).abs() > abs + rel * a.abs())).sum::<u64>()
    };
    let violations = if max <= abs { 0 } else { beyond(abs) };
    leaf.within += unequal - violations;
    leaf.violate(violations, at);
    if rel == 0.0 {
        leaf.passing = leaf.passing.max(max);
    } else if max > leaf.passing && beyond(leaf.passing) > 0 {
        for (a, b) in pairs() {
            raise_passing(&mut leaf.passing, (b - a).abs(), a, rel);
        }
    }
    violations
}

/// Sums of the errors in a fixed order, and the largest magnitude.
fn sum<B: FloatBytes>(a: &[B], b: &[B]) -> (Sums, f64) {
    let mut lanes = [[0.0_f64; LANES]; 4];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            let error = b[lane].value() - a[lane].value();
            let magnitude = error.abs();
            lanes[0][lane] += magnitude;
            lanes[1][lane] += error;
            lanes[2][lane] += error * error;
            // Not `f64::max`, whose care for NaN costs more than the rest.
            lanes[3][lane] = if magnitude > lanes[3][lane] { magnitude } else { lanes[3][lane] };
        }
    }
    let total = |lane: [f64; LANES]| (lane[0] + lane[1]) + (lane[2] + lane[3]);
    let mut sums =
        Sums { absolute: total(lanes[0]), signed: total(lanes[1]), square: total(lanes[2]) };
    let mut max = lanes[3].iter().copied().fold(0.0, f64::max);
    for (a, b) in a_rest.iter().zip(b_rest) {
        let error = b.value() - a.value();
        sums.add(error);
        max = max.max(error.abs());
    }
    (sums, max)
}

/// Raises the smallest absolute tolerance that lets an error pass at a given
/// relative one.
fn raise_passing(passing: &mut f64, error: f64, a: f64, rel: f64) {
    if rel == 0.0 {
        *passing = passing.max(error);
    } else {
        *passing = smallest_passing(*passing, error, |abs| is_within(error, a, abs, rel));
    }
}

/// The smallest number from `low` on for which `passes` holds, known to hold
/// for `high`. Searched over bit patterns, whose order is that of positive
/// floats, so that rounding can't make it off by a bit.
pub(super) fn smallest_passing(low: f64, high: f64, passes: impl Fn(f64) -> bool) -> f64 {
    if passes(low) {
        return low;
    }
    let (mut low, mut high) = (low.to_bits(), high.to_bits());
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        match passes(f64::from_bits(middle)) {
            true => high = middle,
            false => low = middle,
        }
    }
    f64::from_bits(high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::Tolerance;
    use proptest::prelude::*;

    const AT: At = At { index: 7, time: 70, tick: None };

    fn close(abs: f64, rel: f64) -> Close {
        Close { tolerance: Tolerance { abs, rel }, nan_equal: true, ignore: false }
    }

    fn bytes(values: &[f64]) -> Vec<[u8; 8]> {
        values.iter().map(|v| v.to_le_bytes()).collect()
    }

    fn stats(a: &[f64], b: &[f64], close: &Close) -> LeafStats {
        let mut leaf = LeafStats::default();
        compare(&bytes(a), &bytes(b), close, &mut leaf, &AT);
        leaf
    }

    #[test]
    fn closeness_is_absolute_plus_relative_to_the_reference() {
        let inf = f64::INFINITY;
        let cases = [
            (1.0, 1.0, 0.0, 0.0, Standing::Equal),
            (0.0, -0.0, 0.0, 0.0, Standing::Equal),
            (10.0, 11.0, 0.0, 0.1, Standing::Within),
            // Relative to the reference, not to the larger one.
            (10.0, 11.05, 0.0, 0.1, Standing::Violation),
            (11.05, 10.0, 0.0, 0.1, Standing::Within),
            (1.0, 1.5, 0.5, 0.0, Standing::Within),
            (inf, inf, 0.0, 0.0, Standing::Equal),
            (inf, -inf, 1e300, 1e300, Standing::Violation),
            (inf, 1.0, 1e300, 1.0, Standing::Violation),
            (1.0, inf, 1e300, 1e300, Standing::Violation),
            (f64::NAN, f64::NAN, 0.0, 0.0, Standing::Equal),
            (f64::NAN, 1.0, 1e300, 0.0, Standing::Violation),
            // A difference that overflows is not finite.
            (-1e308, 1e308, 1e308, 100.0, Standing::Violation),
        ];
        for (a, b, abs, rel, expected) in cases {
            assert_eq!(judge(a, b, &close(abs, rel)), expected, "{a} {b} abs={abs} rel={rel}");
        }
        let strict = Close { nan_equal: false, ..close(1.0, 0.0) };
        assert_eq!(judge(f64::NAN, f64::NAN, &strict), Standing::Violation);
    }

    #[test]
    fn statistics_of_known_numbers() {
        let leaf = stats(&[1.0, 2.0, 0.0, 4.0], &[1.0, 2.5, -1.0, 4.25], &close(0.5, 0.0));
        let counts = leaf.counts();
        assert_eq!((counts.equal, counts.within, counts.violations), (1, 2, 1));
        assert_eq!((counts.bit_equal, counts.zero_reference), (1, 1));
        let error = leaf.error(&AT).unwrap();
        assert_eq!((error.count, error.max, error.max_index), (4, 1.0, 7));
        assert_eq!((error.mean, error.bias), (1.75 / 4.0, -0.25 / 4.0));
        assert_eq!(error.rms, (1.3125_f64 / 4.0).sqrt());
        assert_eq!(error.passing_abs, Some(1.0));
    }

    #[test]
    fn huge_errors_have_finite_statistics() {
        let leaf = stats(&[0.0; 8], &[1e308; 8], &close(0.0, 0.0));
        let error = leaf.error(&AT).unwrap();
        assert_eq!((error.mean, error.rms, error.bias), (1e308, 1e308, 1e308));
        let leaf = stats(&[0.0; 8], &[1e-200; 8], &close(0.0, 0.0));
        assert!(leaf.error(&AT).unwrap().rms > 0.0);
    }

    #[test]
    fn an_infinity_or_nan_on_one_side_never_passes() {
        for bad in [f64::NAN, f64::INFINITY] {
            let leaf = stats(&[1.0; 5], &[1.0, 1.0, bad, 1.0, 1.0], &close(1.0, 0.0));
            assert_eq!(leaf.counts().violations, 1);
            let error = leaf.error(&AT).unwrap();
            assert_eq!((error.count, error.passing_abs), (4, None));
        }
    }

    fn any_value() -> impl Strategy<Value = f64> {
        prop_oneof![
            8 => -4.0..4.0,
            2 => prop::num::f64::ANY,
            1 => prop::sample::select(vec![0.0, -0.0, f64::NAN, f64::INFINITY, -f64::INFINITY]),
        ]
    }

    proptest! {
        #[test]
        fn chunks_count_what_single_elements_count(
            mut pairs in prop::collection::vec((any_value(), any_value()), 0..600),
            equal_share in 0.0..1.0,
            abs in prop::sample::select(vec![0.0, 1e-6, 2.0]),
            rel in prop::sample::select(vec![0.0, 0.1, 1e6]),
            nan_equal: bool,
        ) {
            for (i, (a, b)) in pairs.iter_mut().enumerate() {
                if (i % 16) as f64 <= equal_share * 16.0 { *b = *a; }
            }
            let close = Close { nan_equal, ..close(abs, rel) };
            let (a, b): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
            let whole = stats(&a, &b, &close);
            let mut single = LeafStats::default();
            each(&bytes(&a), &bytes(&b), &close, &mut single, &AT);
            prop_assert_eq!(whole.counts(), single.counts());
            prop_assert_eq!(whole.n_errors(), single.n_errors());
            prop_assert_eq!((whole.max, whole.passing), (single.max, single.passing));
            prop_assert_eq!(whole.never_passes, single.never_passes);
        }

        #[test]
        fn the_passing_tolerance_passes_and_no_smaller_one_does(
            pairs in prop::collection::vec((-4.0..4.0, -4.0..4.0), 1..40),
            rel in prop::sample::select(vec![0.0, 0.1, 0.9]),
        ) {
            let (a, b): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
            let passing = stats(&a, &b, &close(0.0, rel)).passing;
            prop_assert_eq!(stats(&a, &b, &close(passing, rel)).violations, 0);
            if passing > 0.0 {
                prop_assert!(stats(&a, &b, &close(passing.next_down(), rel)).violations > 0);
            }
        }
    }
}
