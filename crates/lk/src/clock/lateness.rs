//! How late ticks were.

use std::fmt;

use crate::time::Span;

/// Buckets per doubling: 8, so that a quantile is at most 12.5 % too large.
const BITS: u32 = 3;

/// How late ticks were, in counts by size: constant memory, whatever the
/// number of ticks.
#[derive(Clone)]
pub struct Lateness {
    counts: Box<[u64; 64 << BITS]>,
    count: u64,
    max: u64,
}

impl Default for Lateness {
    fn default() -> Lateness {
        Lateness { counts: Box::new([0; 64 << BITS]), count: 0, max: 0 }
    }
}

impl Lateness {
    /// Counts a tick that was so late; one that was early counts as on time.
    pub fn add(&mut self, late: Span) {
        let nanos = u64::try_from(late.as_nanos()).unwrap_or(0);
        self.counts[bucket(nanos)] += 1;
        self.count += 1;
        self.max = self.max.max(nanos);
    }

    /// Ticks counted.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The largest.
    pub fn max(&self) -> Span {
        span(self.max)
    }

    /// What so large a part of the ticks was at most late, rounded up by at
    /// most 12.5 %; zero where none was counted.
    pub fn quantile(&self, part: f64) -> Span {
        let rank = ((self.count as f64 * part.clamp(0.0, 1.0)).ceil() as u64).max(1);
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return span(upper(bucket).min(self.max));
            }
        }
        Span::ZERO
    }
}

/// Numbers below 8 have a bucket of their own; above, the leading bit and the
/// three after it say which.
fn bucket(nanos: u64) -> usize {
    if nanos < 1 << BITS {
        return nanos as usize;
    }
    let top = 63 - nanos.leading_zeros();
    let rest = (nanos >> (top - BITS)) & ((1 << BITS) - 1);
    (((top - BITS + 1) << BITS) as usize) + rest as usize
}

/// The largest number in a bucket.
fn upper(bucket: usize) -> u64 {
    if bucket < 1 << BITS {
        return bucket as u64;
    }
    let shift = (bucket >> BITS) as u32 - 1;
    let first = (1 << BITS | bucket as u128 & ((1 << BITS) - 1)) << shift;
    u64::try_from(first + (1 << shift) - 1).unwrap_or(u64::MAX)
}

fn span(nanos: u64) -> Span {
    Span::from_nanos(i64::try_from(nanos).unwrap_or(i64::MAX))
}

impl fmt::Debug for Lateness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lateness")
            .field("count", &self.count)
            .field("p50", &self.quantile(0.5))
            .field("p99", &self.quantile(0.99))
            .field("max", &self.max())
            .finish()
    }
}
