//! Slices of floats against slices of floats.

use super::chunk::{CHUNK, Errors, Found, LANES, find};
use super::float_bytes::FloatBytes;
use super::smallest::smallest_passing;
use super::tally::Tally;
use crate::diff::plan::{Close, Measure};
use crate::diff::policy::larger;
use crate::diff::stats::{At, LeafStats};
use crate::diff::{Form, Tolerance};

/// From so many elements on, errors are counted by [`Tally`].
const LONG: usize = 2 * CHUNK;

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
    pub(in crate::diff) fn difference(&self, a: f64, b: f64) -> f64 {
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
    let is_difference = close.measure == Measure::Difference;
    let mut long = (is_difference && a.len() >= LONG).then(Long::new);
    for (a, b) in a.chunks(CHUNK).zip(b.chunks(CHUNK)) {
        violations += match (a.len(), &mut long) {
            (..LANES, _) => each(a, b, close, leaf, at),
            _ if a == b => equal(a, close, leaf, at),
            _ if !is_difference => each(a, b, close, leaf, at),
            (_, Some(long)) => long.chunk(a, b, close, leaf, at),
            (_, None) => chunk(a, b, close, leaf, at),
        };
    }
    if let Some(long) = &mut long {
        long.finish(leaf);
    }
    violations
}

/// Counts floats that are equal bit for bit. Returns how many violate, as NaN
/// may.
#[inline]
pub(super) fn equal<B: FloatBytes>(a: &[B], close: &Close, leaf: &mut LeafStats, at: &At) -> u64 {
    if let [a] = a
        && a.value().is_finite()
    {
        leaf.compared += 1;
        leaf.zero_reference += u64::from(a.value() == 0.0);
        return 0;
    }
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
    leaf.nan_both += nan;
    leaf.inf += special - nan;
    leaf.no_error += special;
    let violations = if close.nan_equal { 0 } else { nan };
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
        let steps = match close.measure {
            Measure::Ulp(_) if a.value().is_finite() && b.value().is_finite() => {
                a.ordinal().abs_diff(b.ordinal())
            }
            _ => 0,
        };
        let (a, b) = (a.value(), b.value());
        leaf.compared += 1;
        leaf.not_bit_equal += u64::from(!bit_equal);
        leaf.zero_reference += u64::from(a == 0.0);
        leaf.nan_reference += u64::from(a.is_nan());
        leaf.nan_candidate += u64::from(b.is_nan());
        leaf.inf += u64::from(a.is_infinite() || b.is_infinite());
        let error = close.difference(a, b);
        if error.is_finite() {
            leaf.take(error, at);
            leaf.zero_signs += u64::from(a == b && !bit_equal);
            raise_passing(leaf, error.abs(), a, b, close);
        } else {
            leaf.no_error += 1;
            match (a.is_nan() && b.is_nan(), a.is_finite() && b.is_finite()) {
                (true, _) => leaf.nan_both += 1,
                (_, true) => leaf.overflow += 1,
                // Infinities of one sign have no difference, but are equal.
                _ => leaf.unbounded += u64::from(a != b),
            }
        }
        leaf.steps = leaf.steps.max(steps);
        match standing {
            Standing::Equal => {}
            Standing::Within => leaf.within += 1,
            Standing::Violation => violations += 1,
        }
    }
    leaf.violate(violations, at);
    violations
}

/// A chunk of a short array, whose differences are finite, at once.
fn chunk<B: FloatBytes>(a: &[B], b: &[B], close: &Close, leaf: &mut LeafStats, at: &At) -> u64 {
    let mut errors = Errors::ZERO;
    let Some(found) = find(a, b, &mut errors, || ()) else {
        return each(a, b, close, leaf, at);
    };
    let errors = &errors.0[..a.len()];
    errors.iter().for_each(|error| leaf.errors.add(*error));
    account(&Chunk { a, b, errors, found }, close, leaf, at)
}

/// Chunks of a long array. The errors of one are counted by size while those of
/// the next are worked out, which waits for memory.
struct Long {
    tally: Tally,
    errors: [Errors; 2],
    /// Which of the two the next chunk's are put into.
    next: usize,
    /// How many in the other one are yet to be counted.
    uncounted: usize,
}

impl Long {
    fn new() -> Long {
        Long { tally: Tally::new(), errors: [Errors::ZERO; 2], next: 0, uncounted: 0 }
    }

    fn chunk<B: FloatBytes>(
        &mut self,
        a: &[B],
        b: &[B],
        close: &Close,
        leaf: &mut LeafStats,
        at: &At,
    ) -> u64 {
        let Long { tally, errors: [first, second], next, uncounted } = self;
        let (errors, before) = if *next == 0 { (first, second) } else { (second, first) };
        // None is left over: only the last chunk of all is shorter than others.
        let mut fours = before.0[..*uncounted].as_chunks::<LANES>().0.iter();
        let found = find(a, b, errors, || {
            if let Some(errors) = fours.next() {
                tally.count(errors);
            }
        });
        fours.for_each(|errors| tally.count(errors));
        *uncounted = 0;

        let Some(found) = found else {
            return each(a, b, close, leaf, at);
        };
        let errors = &mut errors.0[..a.len()];
        let violations = account(&Chunk { a, b, errors, found }, close, leaf, at);
        tally.admit(errors, &found, &mut leaf.errors);
        *uncounted = a.len();
        *next = 1 - *next;
        violations
    }

    fn finish(&mut self, leaf: &mut LeafStats) {
        let errors = &self.errors[1 - self.next].0[..self.uncounted];
        errors.chunks(LANES).for_each(|errors| self.tally.count(errors));
        self.tally.flush(&mut leaf.errors);
    }
}

/// Floats of both sides, and what is found of them.
struct Chunk<'c, B> {
    a: &'c [B],
    b: &'c [B],
    /// Absolute errors.
    errors: &'c [f64],
    found: Found,
}

/// Takes down all of a chunk but the sizes of its errors. Returns how many
/// violate.
fn account<B: FloatBytes>(
    chunk: &Chunk<'_, B>,
    close: &Close,
    leaf: &mut LeafStats,
    at: &At,
) -> u64 {
    let Chunk { a, b, errors, found } = *chunk;
    let equal = match found.min > 0.0 {
        true => 0,
        false => errors.iter().map(|error| u64::from(*error == 0.0)).sum(),
    };
    let unequal = a.len() as u64 - equal;
    let zero = match found.least_reference > 0.0 {
        true => 0,
        false => a.iter().map(|a| u64::from(a.value() == 0.0)).sum(),
    };
    leaf.compared += a.len() as u64;
    leaf.zero_reference += zero;
    let not_bit_equal = match zero {
        // Only zeros are equal and differ in a bit.
        0 => unequal,
        _ => a.iter().zip(b).map(|(a, b)| u64::from(a != b)).sum(),
    };
    leaf.not_bit_equal += not_bit_equal;
    leaf.zero_signs += not_bit_equal - unequal;
    leaf.open.merge(found.sums);
    leaf.raise(found.max, at);

    let apart = match close.tolerance.form {
        Form::Sum => tolerate(chunk, close, leaf, |abs, rel, a, _| abs + rel * a),
        Form::MaxRef => tolerate(chunk, close, leaf, |abs, rel, a, _| larger(abs, rel * a)),
        Form::MaxSym => {
            let bound = |abs, rel, a, b| larger(abs, rel * larger(a, b));
            tolerate(chunk, close, leaf, bound)
        }
    };
    leaf.within += unequal - apart;
    let zeros_apart = if close.signed_zero { not_bit_equal - unequal } else { 0 };
    let violations = apart + zeros_apart;
    leaf.violate(violations, at);
    violations
}

/// Raises the smallest tolerances that let a chunk pass, and returns how many
/// errors are beyond that of the policy. `bound` gives the largest error that
/// passes, of an absolute and a relative tolerance and both magnitudes; a
/// function for each form, so that no loop has to choose.
#[inline]
fn tolerate<B: FloatBytes>(
    Chunk { a, b, errors, found }: &Chunk<'_, B>,
    close: &Close,
    leaf: &mut LeafStats,
    bound: impl Fn(f64, f64, f64, f64) -> f64,
) -> u64 {
    let Tolerance { abs, rel, .. } = close.tolerance;
    let (passing, passing_rel) = (leaf.passing, leaf.passing_rel);
    let pairs = || a.iter().zip(*b).map(|(a, b)| (a.value(), b.value()));
    let magnitudes = || errors.iter().zip(pairs()).map(|(e, (a, b))| (*e, a.abs(), b.abs()));
    // What the smallest passing tolerances let pass can't raise them, and
    // they let all pass where they do so for the largest error at the smallest
    // magnitude: bounds only grow with it, rounded or not.
    let lowest = |abs, rel| bound(abs, rel, found.least_reference, found.least_reference);
    // What passes at `abs` alone needs no relative tolerance.
    let may_raise_rel =
        found.max > abs && passing_rel.is_finite() && found.max > lowest(abs, passing_rel);
    let may_raise_abs = rel != 0.0 && found.max > lowest(passing, rel);
    if may_raise_rel || may_raise_abs {
        let (mut beyond_abs, mut beyond_rel) = (0_u64, 0_u64);
        for (error, a, b) in magnitudes() {
            beyond_abs += u64::from(error > bound(passing, rel, a, b));
            beyond_rel += u64::from(error > bound(abs, passing_rel, a, b));
        }
        if beyond_abs > 0 {
            pairs().for_each(|(a, b)| raise_passing_abs(leaf, (b - a).abs(), a, b, close));
        }
        if may_raise_rel && beyond_rel > 0 {
            pairs().for_each(|(a, b)| raise_passing_rel(leaf, (b - a).abs(), a, b, close));
        }
    }
    if rel == 0.0 {
        leaf.passing = leaf.passing.max(found.max);
    }
    if found.max <= abs || leaf.passing_rel <= rel {
        return 0;
    }
    magnitudes().map(|(error, a, b)| u64::from(error > bound(abs, rel, a, b))).sum()
}

/// Raises the smallest tolerances, absolute and relative, that let a finite
/// error pass.
fn raise_passing(leaf: &mut LeafStats, error: f64, a: f64, b: f64, close: &Close) {
    raise_passing_abs(leaf, error, a, b, close);
    if close.measure == Measure::Difference {
        raise_passing_rel(leaf, error, a, b, close);
    }
}

fn raise_passing_abs(leaf: &mut LeafStats, error: f64, a: f64, b: f64, close: &Close) {
    let Tolerance { rel, form, .. } = close.tolerance;
    leaf.passing = match rel {
        0.0 => leaf.passing.max(error),
        _ => {
            let passes = |abs| error <= Tolerance { abs, rel, form }.bound(a.abs(), b.abs());
            smallest_passing(leaf.passing, error - rel * a.abs(), passes)
        }
    };
}

fn raise_passing_rel(leaf: &mut LeafStats, error: f64, a: f64, b: f64, close: &Close) {
    let Tolerance { abs, form, .. } = close.tolerance;
    if error > abs && leaf.passing_rel.is_finite() {
        let passes = |rel| error <= Tolerance { abs, rel, form }.bound(a.abs(), b.abs());
        let guess = (error - if form == Form::Sum { abs } else { 0.0 }) / a.abs();
        leaf.passing_rel = smallest_passing(leaf.passing_rel, guess, passes);
    }
}

#[cfg(test)]
mod tests;
