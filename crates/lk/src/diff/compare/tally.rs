//! Errors of long arrays, counted by size.

use super::chunk::{Found, LANES};
use crate::diff::histogram::Counts;
use crate::diff::policy::larger;

const SLOTS: usize = 1 << u8::BITS;

/// The last slot, counted from the first.
const LAST: u16 = u8::MAX as u16;

/// Slots that are left free above the largest error, and those below it that
/// are wanted at least: one octave, and twelve.
const MARGIN: u16 = 16;
const WANTED: u16 = 12 * 16;

/// Errors on their way to [`Counts`].
///
/// An error's slot is the uppermost two bytes of the number, which are its
/// exponent and four bits of its mantissa; no slot is in two bins. For 256
/// slots in a row the lower of these bytes says where to count, and nothing
/// has to be worked out. Each element of a vector has a lane of its own, since errors of one size follow
/// each other, and a count that was just written takes its time to be read
/// again.
pub(super) struct Tally {
    /// The first of the slots. What is counted there has no meaning: all that
    /// is too small for the others is put there.
    bottom: u16,
    lanes: [[u32; SLOTS]; LANES],
    /// Errors in the lanes, and those that are about to be.
    admitted: usize,
}

fn slot(error: f64) -> u16 {
    (error.to_bits() >> 48) as u16
}

/// The smallest number of a slot.
fn edge(slot: u16) -> f64 {
    f64::from_bits(u64::from(slot) << 48)
}

impl Tally {
    pub(super) fn new() -> Tally {
        Tally { bottom: 0, lanes: [[0; SLOTS]; LANES], admitted: 0 }
    }

    /// Makes room for finite errors, of which `found` has the extremes, and
    /// which are to be counted next. Those that are too small for that go to
    /// `counts` at once, and what makes no difference takes their place.
    pub(super) fn admit(&mut self, errors: &mut [f64], found: &Found, counts: &mut Counts) {
        let top = slot(found.max);
        let is_below = top <= self.bottom + LAST;
        let is_near =
            top >= self.bottom + WANTED || found.min >= edge(self.bottom + 1) || found.max == 0.0;
        if !(is_below && is_near) || self.admitted + errors.len() > u32::MAX as usize {
            self.flush(counts);
            self.bottom = (top + MARGIN).saturating_sub(LAST);
        }
        self.admitted += errors.len();
        let lowest = edge(self.bottom + 1);
        if found.min >= lowest {
            return;
        }
        let (mut small, mut zeros) = (0_u64, 0_u64);
        for error in errors.iter() {
            small += u64::from(*error < lowest);
            zeros += u64::from(*error == 0.0);
        }
        if small > zeros {
            errors.iter().filter(|error| **error < lowest).for_each(|error| counts.add(*error));
        }
        let bottom = edge(self.bottom);
        errors.iter_mut().for_each(|error| *error = larger(*error, bottom));
    }

    /// Counts up to four of the errors that were admitted.
    #[inline]
    pub(super) fn count(&mut self, errors: &[f64]) {
        for (lane, error) in self.lanes.iter_mut().zip(errors) {
            let slot = slot(*error);
            debug_assert!((self.bottom..=self.bottom + LAST).contains(&slot), "{error}");
            lane[usize::from(slot as u8)] += 1;
        }
    }

    /// Hands all that was counted over.
    pub(super) fn flush(&mut self, counts: &mut Counts) {
        if self.admitted == 0 {
            return;
        }
        for slot in self.bottom + 1..=self.bottom + LAST {
            let count =
                self.lanes.iter().map(|lane| u64::from(lane[usize::from(slot as u8)])).sum();
            if count > 0 {
                counts.add_many(edge(slot), count);
            }
        }
        *self = Tally::new();
    }
}

#[cfg(test)]
mod tests;
