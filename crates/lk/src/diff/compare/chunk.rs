//! A chunk of two slices of floats: their errors, what those add up to, and
//! their extremes.

use wide::f64x4;

use super::float_bytes::FloatBytes;
use crate::diff::stats::Sums;

/// Elements that are looked at together: they stay in the nearest cache. Of 512
/// the errors of two chunks, side by side, would lie 4 KiB apart, which was
/// measured to take more than half of the speed: loads seem to need what was
/// just stored at the same place of another page ("4-KByte Memory Aliasing" in
/// Intel's Optimization Reference Manual; AMD's processors show it as well).
pub(super) const CHUNK: usize = 256;

/// Elements of one vector.
pub(super) const LANES: usize = 4;

/// Absolute errors of a chunk, where no vector of them is in two lines of the
/// cache.
#[repr(align(64))]
pub(super) struct Errors(pub(super) [f64; CHUNK]);

impl Errors {
    pub(super) const ZERO: Errors = Errors([0.0; CHUNK]);
}

/// What is found in a chunk.
#[derive(Clone, Copy)]
pub(super) struct Found {
    /// Of the errors, in a fixed order.
    pub(super) sums: Sums,
    /// The smallest absolute error, and the largest.
    pub(super) min: f64,
    pub(super) max: f64,
    /// The smallest magnitude in the reference.
    pub(super) least_reference: f64,
}

/// Puts the absolute errors of a chunk into `errors`, which must have room for
/// them; `None` where some difference is not finite. `meanwhile` is called for
/// every four elements. Two loops, so that what each of them adds up stays in
/// registers; explicit vectors, since a compiler that has to find them mixes
/// lanes of several sums.
pub(super) fn find<B: FloatBytes>(
    a: &[B],
    b: &[B],
    Errors(errors): &mut Errors,
    mut meanwhile: impl FnMut(),
) -> Option<Found> {
    debug_assert!(a.len() == b.len() && a.len() <= CHUNK);
    let ((a_fours, a_rest), (b_fours, b_rest)) = (a.as_chunks(), b.as_chunks());
    let (fours, _) = errors.as_chunks_mut::<LANES>();
    let (mut absolute, mut signed, mut square) = (f64x4::ZERO, f64x4::ZERO, f64x4::ZERO);
    for ((a, b), errors) in a_fours.iter().zip(b_fours).zip(&mut *fours) {
        let error = vector(b) - vector(a);
        let magnitude = error.abs();
        *errors = magnitude.to_array();
        absolute += magnitude;
        signed += error;
        square += error * error;
        meanwhile();
    }
    let (mut mins, mut maxs, mut references) = (f64x4::MAX, f64x4::ZERO, f64x4::MAX);
    for (a, errors) in a_fours.iter().zip(&*fours) {
        let errors = f64x4::new(*errors);
        // Not `min` and `max`, whose care for NaN costs more than the rest.
        mins = mins.fast_min(errors);
        maxs = maxs.fast_max(errors);
        references = references.fast_min(vector(a).abs());
    }
    let total = |lanes: f64x4| {
        let [a, b, c, d] = lanes.to_array();
        (a + b) + (c + d)
    };
    let mut sums = Sums { absolute: total(absolute), signed: total(signed), square: total(square) };
    let smallest = |lanes: f64x4| lanes.to_array().into_iter().fold(f64::INFINITY, f64::min);
    let (mut min, mut least_reference) = (smallest(mins), smallest(references));
    let mut max = maxs.to_array().into_iter().fold(0.0, f64::max);
    let rest = errors.iter_mut().skip(a.len() - a_rest.len());
    for ((a, b), magnitude) in a_rest.iter().zip(b_rest).zip(rest) {
        let error = b.value() - a.value();
        *magnitude = error.abs();
        sums.add(error);
        (min, max) = (min.min(error.abs()), max.max(error.abs()));
        least_reference = least_reference.min(a.value().abs());
    }
    // NaN and infinity show in the sum of squares, as overflow does.
    let is_finite = sums.square.is_finite()
        || a.iter().zip(b).all(|(a, b)| (b.value() - a.value()).is_finite());
    is_finite.then_some(Found { sums, min, max, least_reference })
}

#[inline]
fn vector<B: FloatBytes>(bytes: &[B; LANES]) -> f64x4 {
    f64x4::new(bytes.map(B::value))
}
