//! Slices of floats against slices of floats.

use crate::diff::plan::{Close, Measure};
use crate::diff::policy::larger;
use crate::diff::stats::{At, LeafStats, Sums};
use crate::diff::{Form, Tolerance};

/// The little-endian bytes of a float.
pub(super) trait FloatBytes: Copy + PartialEq {
    /// The value; exact for single precision too.
    fn value(self) -> f64;
    /// The place among all floats of this width, which neighbours differ in by
    /// one; both zeros have 0.
    fn ordinal(self) -> i64;
}

impl FloatBytes for [u8; 8] {
    #[inline]
    fn value(self) -> f64 {
        f64::from_le_bytes(self)
    }
    fn ordinal(self) -> i64 {
        let bits = i64::from_le_bytes(self);
        if bits < 0 { i64::MIN - bits } else { bits }
    }
}

impl FloatBytes for [u8; 4] {
    #[inline]
    fn value(self) -> f64 {
        f64::from(f32::from_le_bytes(self))
    }
    fn ordinal(self) -> i64 {
        let bits = i32::from_le_bytes(self);
        i64::from(if bits < 0 { i32::MIN - bits } else { bits })
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
pub(super) fn judge<B: FloatBytes>(a: B, b: B, close: &Close) -> Standing {
    let (x, y) = (a.value(), b.value());
    if x == y {
        let zeros_apart = close.signed_zero && x.is_sign_negative() != y.is_sign_negative();
        return if zeros_apart { Standing::Violation } else { Standing::Equal };
    }
    if x.is_nan() && y.is_nan() && close.nan_equal {
        return Standing::Equal;
    }
    let within = match close.measure {
        Measure::Ulp(n) => x.is_finite() && y.is_finite() && a.ordinal().abs_diff(b.ordinal()) <= n,
        _ => {
            let error = close.difference(x, y).abs();
            error < f64::INFINITY && error <= close.tolerance.bound(x.abs(), y.abs())
        }
    };
    if within { Standing::Within } else { Standing::Violation }
}

impl Close {
    /// The signed error of the candidate; NaN or infinite where it is no
    /// number.
    #[inline]
    pub(super) fn difference(&self, a: f64, b: f64) -> f64 {
        match self.measure {
            Measure::Angle { turn } => wrap(b - a, turn),
            _ => b - a,
        }
    }
}

/// What is left of an angle after whole turns: at most half a turn, exact.
fn wrap(angle: f64, turn: f64) -> f64 {
    let rest = angle % turn;
    if rest.abs() > turn / 2.0 { rest - turn.copysign(rest) } else { rest }
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
            _ if close.measure != Measure::Difference => each(a, b, close, leaf, at),
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

/// One by one: for few, where some difference is not finite, and where it is
/// not the difference that counts.
fn each<B: FloatBytes>(a: &[B], b: &[B], close: &Close, leaf: &mut LeafStats, at: &At) -> u64 {
    let mut violations = 0;
    for (a, b) in a.iter().zip(b) {
        let standing = judge(*a, *b, close);
        let bit_equal = a == b;
        let (a, b) = (a.value(), b.value());
        leaf.compared += 1;
        leaf.not_bit_equal += u64::from(!bit_equal);
        leaf.zero_reference += u64::from(a == 0.0);
        leaf.nan_reference += u64::from(a.is_nan());
        leaf.nan_candidate += u64::from(b.is_nan());
        leaf.inf += u64::from(a.is_infinite() || b.is_infinite());
        let error = close.difference(a, b);
        if error.is_finite() {
            leaf.open.add(error);
            leaf.raise(error.abs(), at);
            raise_passing(&mut leaf.passing, error.abs(), a, b, close);
        } else {
            leaf.no_error += 1;
        }
        match standing {
            Standing::Equal => {}
            Standing::Within => leaf.within += 1,
            Standing::Violation => {
                // Equal numbers violate for the sign of a zero.
                leaf.never_passes |= !error.is_finite() || a == b;
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
    let not_bit_equal = match zero {
        // Only zeros are equal and differ in a bit.
        0 => unequal,
        _ => a.iter().zip(b).map(|(a, b)| u64::from(a != b)).sum(),
    };
    leaf.not_bit_equal += not_bit_equal;
    leaf.open.merge(sums);
    leaf.raise(max, at);

    let tolerance = close.tolerance;
    let (rel, form) = (tolerance.rel, tolerance.form);
    // A loop for each form, so that none has to choose.
    let beyond = |abs: f64| match form {
        Form::Sum => count(a, b, |a, b| (b - a).abs() > abs + rel * a.abs()),
        Form::MaxRef => count(a, b, |a, b| (b - a).abs() > larger(abs, rel * a.abs())),
        Form::MaxSym => {
            count(a, b, |a, b| (b - a).abs() > larger(abs, rel * larger(a.abs(), b.abs())))
        }
    };
    let apart = if max <= tolerance.abs { 0 } else { beyond(tolerance.abs) };
    leaf.within += unequal - apart;
    let zeros_apart = if close.signed_zero { not_bit_equal - unequal } else { 0 };
    leaf.never_passes |= zeros_apart > 0;
    let violations = apart + zeros_apart;
    leaf.violate(violations, at);
    if rel == 0.0 {
        leaf.passing = leaf.passing.max(max);
    } else if max > leaf.passing && beyond(leaf.passing) > 0 {
        for (a, b) in pairs() {
            raise_passing(&mut leaf.passing, (b - a).abs(), a, b, close);
        }
    }
    violations
}

/// Pairs of which something holds.
#[inline]
fn count<B: FloatBytes>(a: &[B], b: &[B], holds: impl Fn(f64, f64) -> bool) -> u64 {
    a.iter().zip(b).map(|(a, b)| u64::from(holds(a.value(), b.value()))).sum()
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

/// Raises the smallest absolute tolerance that lets a finite error pass at a
/// given relative one.
fn raise_passing(passing: &mut f64, error: f64, a: f64, b: f64, close: &Close) {
    let tolerance = close.tolerance;
    if tolerance.rel == 0.0 {
        *passing = passing.max(error);
    } else {
        let passes = |abs| error <= Tolerance { abs, ..tolerance }.bound(a.abs(), b.abs());
        *passing = smallest_passing(*passing, error, passes);
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
mod tests;
