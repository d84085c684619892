//! What is kept of a comparison while it runs: counts and sums by field, in a
//! form whose parts merge to exactly what the whole gives.

use super::histogram::Counts;
use super::known::KnownCounts;
use super::plan::{Close, Measure};
use super::{ErrorHistogram, ErrorQuantiles, ErrorStats, Mismatch, TimestampDiff, ValueCounts};
use crate::time::{Span, Time};

/// Pairs of messages whose sums are added up together. Sums of floats depend
/// on their order, so it is fixed: pair by pair in a block, then block by
/// block.
pub(super) const BLOCK: u64 = 1024;

/// Violations that are kept as evidence, per key.
pub(super) const EVIDENCE: usize = 10;

/// Where a value was: the message of the reference.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct At {
    pub(super) index: u64,
    /// Nanoseconds.
    pub(super) time: i64,
    pub(super) tick: Option<u64>,
}

/// Sums over `candidate - reference`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sums {
    pub(super) absolute: f64,
    pub(super) signed: f64,
    pub(super) square: f64,
}

impl Sums {
    pub(super) fn add(&mut self, error: f64) {
        self.absolute += error.abs();
        self.signed += error;
        self.square += error * error;
    }

    pub(super) fn merge(&mut self, other: Sums) {
        self.absolute += other.absolute;
        self.signed += other.signed;
        self.square += other.square;
    }
}

/// What is known of one leaf. Counts are of what is rare where there is a
/// choice, so that an equal value costs little.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct LeafStats {
    pub(super) compared: u64,
    pub(super) within: u64,
    pub(super) violations: u64,
    pub(super) not_bit_equal: u64,
    pub(super) ignored: u64,
    pub(super) missing: u64,
    pub(super) extra: u64,
    pub(super) nan_reference: u64,
    pub(super) nan_candidate: u64,
    pub(super) inf: u64,
    pub(super) zero_reference: u64,
    /// NaN on both sides.
    pub(super) nan_both: u64,
    /// Not finite on one side, or infinite with another sign.
    pub(super) unbounded: u64,
    /// Finite, with a difference that isn't.
    pub(super) overflow: u64,
    /// Zeros of different signs.
    pub(super) zero_signs: u64,
    /// Compared numbers whose difference is no finite number.
    pub(super) no_error: u64,
    pub(super) shape_violations: u64,
    /// Of those, and of the violations, known differences.
    pub(super) known_shapes: u64,
    /// Of those that aren't, elements without a partner.
    pub(super) unmatched: u64,
    pub(super) known: u64,
    pub(super) first_violation: Option<i64>,
    /// Largest absolute error.
    pub(super) max: f64,
    pub(super) max_at: At,
    /// Smallest absolute tolerance that lets everything so far pass.
    pub(super) passing: f64,
    /// Smallest relative tolerance that does, at the absolute one given;
    /// infinite where none does.
    pub(super) passing_rel: f64,
    /// Largest number of steps between floats, where those are counted.
    pub(super) steps: u64,
    /// Absolute errors by size.
    pub(super) errors: Counts,
    /// Sums of the open block.
    pub(super) open: Sums,
    /// Sums of the blocks before it.
    blocks: Vec<Sums>,
}

impl LeafStats {
    /// Notes a violation that is no number, or no number of a tolerance.
    pub(super) fn violate(&mut self, count: u64, at: &At) {
        self.violations += count;
        if count > 0 {
            self.first_violation.get_or_insert(at.time);
        }
    }

    /// Takes a signed error: finite.
    pub(super) fn take(&mut self, error: f64, at: &At) {
        self.open.add(error);
        self.raise(error.abs(), at);
        self.errors.add(error.abs());
    }

    /// Takes an absolute error, for the largest.
    pub(super) fn raise(&mut self, error: f64, at: &At) {
        if error > self.max {
            self.max = error;
            self.max_at = *at;
        }
    }

    pub(super) fn counts(&self) -> ValueCounts {
        ValueCounts {
            compared: self.compared,
            equal: self.compared - self.within - self.violations,
            within: self.within,
            violations: self.violations,
            ignored: self.ignored,
            missing: self.missing,
            extra: self.extra,
            known: self.known,
            bit_equal: self.compared - self.not_bit_equal,
            nan_reference: self.nan_reference,
            nan_candidate: self.nan_candidate,
            inf: self.inf,
            zero_reference: self.zero_reference,
            nan_both: self.nan_both,
            unbounded: self.unbounded,
            overflow: self.overflow,
            zero_signs: self.zero_signs,
        }
    }

    /// Whether nothing was found that violates however large a tolerance is.
    fn can_pass(&self, close: &Close) -> bool {
        let steps = matches!(close.measure, Measure::Ulp(_));
        self.missing + self.extra + self.unbounded == 0
            && (self.overflow == 0 || steps)
            && (self.nan_both == 0 || close.nan_equal)
            && (self.zero_signs == 0 || !close.signed_zero)
    }

    /// Errors by their size; `None` where no difference was finite.
    pub(super) fn histogram(&self) -> Option<ErrorHistogram> {
        let count = self.n_errors();
        (count > 0).then(|| self.errors.histogram(count))
    }

    /// Numbers whose difference is finite.
    pub(super) fn n_errors(&self) -> u64 {
        self.compared - self.no_error
    }

    /// Sums over all blocks, in their order.
    pub(super) fn sums(&self) -> Sums {
        let mut sums = Sums::default();
        self.blocks.iter().for_each(|block| sums.merge(*block));
        sums.merge(self.open);
        sums
    }

    /// As the result has it; `None` where no difference was finite. `first`
    /// is where an error of 0 that is the largest was first met.
    pub(super) fn error(&self, close: &Close, first: &At) -> Option<ErrorStats> {
        let count = self.n_errors();
        if count == 0 {
            return None;
        }
        let sums = self.sums();
        let n = count as f64;
        let max_at = if self.max > 0.0 { &self.max_at } else { first };
        let histogram = self.errors.histogram(count);
        let quantile = |per_mille| histogram.quantile(per_mille).unwrap_or(0.0).min(self.max);
        let passes = self.can_pass(close);
        let steps = matches!(close.measure, Measure::Ulp(_));
        let differences = close.measure == Measure::Difference;
        Some(ErrorStats {
            count,
            max: self.max,
            max_index: max_at.index,
            max_time: Time::from_nanos(max_at.time),
            // Sums of huge errors overflow and squares of tiny ones vanish;
            // these bounds hold for every set of numbers.
            mean: (sums.absolute / n).min(self.max),
            rms: (sums.square / n).sqrt().clamp(self.max / n.sqrt(), self.max),
            // Overflow both ways leaves nothing to say but the middle.
            bias: match sums.signed.is_nan() {
                true => 0.0,
                false => (sums.signed / n).clamp(-self.max, self.max),
            },
            quantiles: Some(ErrorQuantiles {
                p50: quantile(500),
                p90: quantile(900),
                p99: quantile(990),
                p999: quantile(999),
            }),
            passing_abs: (passes && !steps).then_some(self.passing),
            passing_rel: Some(self.passing_rel)
                .filter(|rel| passes && differences && rel.is_finite()),
            passing_ulp: (passes && steps).then_some(self.steps),
        })
    }

    fn close_block(&mut self) {
        self.blocks.push(std::mem::take(&mut self.open));
    }

    /// Adds what was found in the blocks after these.
    fn merge(&mut self, later: LeafStats) {
        self.compared += later.compared;
        self.within += later.within;
        self.violations += later.violations;
        self.not_bit_equal += later.not_bit_equal;
        self.ignored += later.ignored;
        self.missing += later.missing;
        self.extra += later.extra;
        self.nan_reference += later.nan_reference;
        self.nan_candidate += later.nan_candidate;
        self.inf += later.inf;
        self.zero_reference += later.zero_reference;
        self.nan_both += later.nan_both;
        self.unbounded += later.unbounded;
        self.overflow += later.overflow;
        self.zero_signs += later.zero_signs;
        self.no_error += later.no_error;
        self.shape_violations += later.shape_violations;
        self.known_shapes += later.known_shapes;
        self.unmatched += later.unmatched;
        self.known += later.known;
        self.first_violation = self.first_violation.or(later.first_violation);
        self.raise(later.max, &later.max_at);
        self.passing = self.passing.max(later.passing);
        self.passing_rel = self.passing_rel.max(later.passing_rel);
        self.steps = self.steps.max(later.steps);
        self.errors.merge(&later.errors);
        self.blocks.extend(later.blocks);
        self.open = later.open;
    }
}

/// What is known of a key after some of its pairs.
///
/// Partials of consecutive pairs merge, where the earlier one ends with a
/// block.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Partial {
    /// One per leaf of the plan.
    pub(super) leaves: Vec<LeafStats>,
    /// Pairs that went in, those in error too.
    pub(super) pairs: u64,
    pub(super) n_matching: u64,
    pub(super) n_different: u64,
    /// Pairs whose violations are all known differences.
    pub(super) n_known: u64,
    /// Multisets whose elements come in another order.
    pub(super) moved: u64,
    pub(super) undecoded: u64,
    pub(super) errors: u64,
    /// The first texts of errors.
    pub(super) error_texts: Vec<String>,
    pub(super) timestamps: TimestampDiff,
    /// The first violations, in order of pairs.
    pub(super) mismatches: Vec<Mismatch>,
    /// Known differences that were met.
    pub(super) known: KnownCounts,
    /// The first compared pair.
    pub(super) first: Option<At>,
}

impl Partial {
    pub(super) fn new(leaves: usize) -> Partial {
        Partial { leaves: vec![LeafStats::default(); leaves], ..Partial::default() }
    }

    /// Compared pairs.
    pub(super) fn compared(&self) -> u64 {
        self.n_matching + self.n_different + self.n_known
    }

    /// Opens the next pair.
    pub(super) fn next_pair(&mut self) {
        if self.pairs > 0 && self.pairs.is_multiple_of(BLOCK) {
            self.leaves.iter_mut().for_each(LeafStats::close_block);
        }
        self.pairs += 1;
    }

    pub(super) fn wants_evidence(&self) -> bool {
        self.mismatches.len() < EVIDENCE
    }

    /// Takes the times of a pair: the reference's, and the candidate's.
    pub(super) fn time(&mut self, a: Time, b: Time, violates: bool) {
        let times = &mut self.timestamps;
        let apart = a.as_nanos().abs_diff(b.as_nanos());
        let apart = Span::from_nanos(i64::try_from(apart).unwrap_or(i64::MAX));
        times.compared += 1;
        times.equal += u64::from(a == b);
        times.violations += u64::from(violates);
        times.max_error = times.max_error.max(apart);
        let way = if b > a { &mut times.max_later } else { &mut times.max_earlier };
        *way = (*way).max(apart);
    }

    /// Adds the partial of the pairs that come next.
    ///
    /// # Panics
    ///
    /// Where this one doesn't end with a block: sums would come out other than
    /// those of the whole.
    pub(super) fn merge(&mut self, mut later: Partial) {
        if self.pairs == 0 || later.pairs == 0 {
            if self.pairs == 0 {
                *self = later;
            }
            return;
        }
        assert!(self.pairs.is_multiple_of(BLOCK), "merged in the middle of a block");
        for (leaf, other) in self.leaves.iter_mut().zip(later.leaves.drain(..)) {
            leaf.close_block();
            leaf.merge(other);
        }
        self.pairs += later.pairs;
        self.n_matching += later.n_matching;
        self.n_different += later.n_different;
        self.n_known += later.n_known;
        self.moved += later.moved;
        self.known.merge(later.known);
        self.undecoded += later.undecoded;
        self.errors += later.errors;
        self.error_texts.append(&mut later.error_texts);
        self.error_texts.truncate(EVIDENCE);
        self.timestamps.compared += later.timestamps.compared;
        self.timestamps.equal += later.timestamps.equal;
        self.timestamps.violations += later.timestamps.violations;
        self.timestamps.known += later.timestamps.known;
        self.timestamps.max_error = self.timestamps.max_error.max(later.timestamps.max_error);
        self.timestamps.max_later = self.timestamps.max_later.max(later.timestamps.max_later);
        self.timestamps.max_earlier = self.timestamps.max_earlier.max(later.timestamps.max_earlier);
        self.mismatches.append(&mut later.mismatches);
        self.mismatches.truncate(EVIDENCE);
        self.first = self.first.or(later.first);
    }
}
