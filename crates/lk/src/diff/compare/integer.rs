//! Slices of integers against slices of integers, never through a float.

use crate::codec::number::Number;
use crate::diff::Tolerance;
use crate::diff::plan::Close;
use crate::diff::stats::{At, LeafStats};
use crate::value::Scalar;

use super::smallest::smallest_passing;

/// An integer of a payload.
pub(super) trait Integer: Number + Ord + Default {
    /// The difference without its sign, exact.
    fn distance(self, other: Self) -> u64;
    fn magnitude(self) -> u64;
    fn scalar(self) -> Scalar;
    /// Calls `f` with every pair of numbers in two slices of bytes.
    fn for_each_pair(a: &[u8], b: &[u8], f: impl FnMut(Self, Self));
}

macro_rules! integer {
    ($($ty:ty: $distance:expr, $magnitude:expr, $scalar:ident;)*) => {$(
        impl Integer for $ty {
            #[inline]
            fn distance(self, other: Self) -> u64 {
                u64::from(self.abs_diff(other))
            }
            #[inline]
            fn magnitude(self) -> u64 {
                let magnitude: fn($ty) -> u64 = $magnitude;
                magnitude(self)
            }
            fn scalar(self) -> Scalar {
                Scalar::$scalar(self.into())
            }
            #[inline]
            fn for_each_pair(a: &[u8], b: &[u8], mut f: impl FnMut(Self, Self)) {
                const SIZE: usize = size_of::<$ty>();
                let (a, b) = (a.as_chunks::<SIZE>().0, b.as_chunks::<SIZE>().0);
                for (a, b) in a.iter().zip(b) {
                    f(<$ty>::from_le_bytes(*a), <$ty>::from_le_bytes(*b));
                }
            }
        }
    )*};
}

integer! {
    i8: i8, |v| v.unsigned_abs().into(), Int;
    i16: i16, |v| v.unsigned_abs().into(), Int;
    i32: i32, |v| v.unsigned_abs().into(), Int;
    i64: i64, |v| v.unsigned_abs(), Int;
    u8: u8, |v| v.into(), Uint;
    u16: u16, |v| v.into(), Uint;
    u32: u32, |v| v.into(), Uint;
    u64: u64, |v| v, Uint;
}

/// Bytes that are looked at together.
const CHUNK: usize = 2048;

/// Whether a candidate is within tolerance of a reference.
#[inline]
pub(super) fn is_within<T: Integer>(a: T, b: T, tolerance: Tolerance) -> bool {
    // Casting cuts the fraction off, which whole differences can't reach, and
    // saturates.
    a.distance(b) <= tolerance.bound(a.magnitude() as f64, b.magnitude() as f64) as u64
}

/// Compares the integers in two slices of bytes. Returns how many violate.
pub(super) fn compare<T: Integer>(
    a: &[u8],
    b: &[u8],
    close: &Close,
    leaf: &mut LeafStats,
    at: &At,
) -> u64 {
    let mut violations = 0;
    for (a, b) in a.chunks(CHUNK).zip(b.chunks(CHUNK)) {
        if a == b {
            equal::<T>(a, leaf);
        } else {
            violations += each::<T>(a, b, close, leaf, at);
        }
    }
    leaf.violate(violations, at);
    violations
}

/// Counts integers that are equal.
pub(super) fn equal<T: Integer>(bytes: &[u8], leaf: &mut LeafStats) {
    let mut zero = 0_u64;
    T::for_each(bytes, false, |a| zero += u64::from(a == T::default()));
    leaf.compared += (bytes.len() / T::SIZE) as u64;
    leaf.zero_reference += zero;
}

fn each<T: Integer>(a: &[u8], b: &[u8], close: &Close, leaf: &mut LeafStats, at: &At) -> u64 {
    let tolerance = close.tolerance;
    let (mut zero, mut unequal, mut violations) = (0, 0, 0);
    T::for_each_pair(a, b, |a, b| {
        zero += u64::from(a == T::default());
        if a == b {
            return;
        }
        unequal += 1;
        violations += u64::from(!is_within(a, b, tolerance));
        let error = a.distance(b) as f64;
        leaf.take(if b > a { error } else { -error }, at);
        let magnitude = a.magnitude() as f64;
        let passes = |abs| is_within(a, b, Tolerance { abs, ..tolerance });
        let guess = error - tolerance.rel * magnitude;
        leaf.passing = smallest_passing(leaf.passing, guess, passes);
        if leaf.passing_rel.is_finite() {
            let passes = |rel| is_within(a, b, Tolerance { rel, ..tolerance });
            leaf.passing_rel = smallest_passing(leaf.passing_rel, error / magnitude, passes);
        }
    });
    leaf.compared += (a.len() / T::SIZE) as u64;
    leaf.zero_reference += zero;
    leaf.not_bit_equal += unequal;
    leaf.within += unequal - violations;
    violations
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::Form;
    use crate::diff::plan::Measure;

    fn stats<T: Integer>(a: &[T], b: &[T], abs: f64) -> LeafStats {
        stats_at(a, b, Tolerance::sum(abs, 0.0))
    }

    fn stats_at<T: Integer>(a: &[T], b: &[T], tolerance: Tolerance) -> LeafStats {
        let measure = Measure::Difference;
        let close =
            Close { measure, tolerance, nan_equal: true, signed_zero: false, ignore: false };
        let (mut x, mut y) = (Vec::new(), Vec::new());
        T::put(a, &mut x);
        T::put(b, &mut y);
        let mut leaf = LeafStats::default();
        compare::<T>(&x, &y, &close, &mut leaf, &At::default());
        leaf
    }

    #[test]
    fn neighbours_beyond_two_to_the_53_differ() {
        let a = 1_u64 << 53;
        let leaf = stats(&[a], &[a + 1], 0.0);
        assert_eq!((leaf.violations, leaf.max), (1, 1.0));
        assert_eq!(stats(&[a as i64], &[a as i64 + 1], 0.0).violations, 1);
    }

    #[test]
    fn the_whole_range_apart_is_no_wrap() {
        for tolerance in [0.0, 1.0, 254.0] {
            assert_eq!(stats(&[i8::MIN], &[i8::MAX], tolerance).violations, 1);
        }
        assert_eq!(stats(&[i8::MIN], &[i8::MAX], 255.0).violations, 0);
        let leaf = stats(&[i64::MIN], &[i64::MAX], 1e18);
        assert_eq!((leaf.violations, leaf.max), (1, u64::MAX as f64));
        assert_eq!(stats(&[u64::MAX], &[0], 1e18).violations, 1);
    }

    #[test]
    fn a_tolerance_counts_whole_steps_and_the_sign_is_kept() {
        let leaf = stats(&[10_i32, 10, 10, 0], &[9, 12, 10, 0], 1.5);
        let counts = leaf.counts();
        assert_eq!((counts.equal, counts.within, counts.violations), (2, 1, 1));
        assert_eq!((counts.bit_equal, counts.zero_reference), (2, 1));
        assert_eq!((leaf.sums().signed, leaf.sums().absolute, leaf.passing), (1.0, 3.0, 2.0));
    }

    #[test]
    fn forms_of_known_integers() {
        for (form, violations) in [(Form::Sum, 1), (Form::MaxRef, 2), (Form::MaxSym, 1)] {
            let tolerance = Tolerance { abs: 1.0, rel: 0.1, form };
            // 11 steps of 100 and of 111 apart, 20 of 100.
            let (a, b) = ([100_i32, 100], [111, 120]);
            let leaf = stats_at(&a, &b, tolerance);
            assert_eq!(leaf.violations, violations, "{form:?}");
            let passing = Tolerance { abs: leaf.passing, ..tolerance };
            assert_eq!(stats_at(&a, &b, passing).violations, 0, "{form:?}");
            let less = Tolerance { abs: leaf.passing.next_down(), ..tolerance };
            assert!(stats_at(&a, &b, less).violations > 0, "{form:?}");
        }
    }

    #[test]
    fn the_passing_tolerance_passes_where_a_float_rounds_down() {
        let (a, b) = (0_u64, (1 << 62) + 1);
        let passing = stats(&[a], &[b], 0.0).passing;
        assert_eq!(stats(&[a], &[b], passing).violations, 0);
        assert_eq!(stats(&[a], &[b], passing.next_down()).violations, 1);
    }
}
