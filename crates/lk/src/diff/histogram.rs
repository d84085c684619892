//! Errors counted by size, on a logarithmic scale that is the same for all
//! fields, so that counts of parts add up to those of the whole.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

/// Bits of the mantissa below those that a bin goes by: with three left, a
/// bin's upper edge is at most an eighth above its lower one.
const SHIFT: u32 = f64::MANTISSA_DIGITS - 1 - 3;

/// The bin of a positive number: order of bins is order of numbers.
fn bin_of(error: f64) -> usize {
    (error.to_bits() >> SHIFT) as usize
}

/// The smallest number of a bin.
fn lower_edge(bin: usize) -> f64 {
    f64::from_bits((bin as u64) << SHIFT)
}

/// How many errors there are of which size.
///
/// Sizes are absolute and finite. Errors of exactly 0 are counted apart; any
/// other is in a bin from some `lower` up to and without `upper`, which is at
/// most 1/8 larger. (Below 2.3e-308, where floats have a fixed step, bins are
/// 2.8e-309 wide.) Bins are the same for every field of every comparison, so
/// that histograms can be added up.
///
/// In JSON the count of each bin that has one, by its lower edge:
/// `{"zero": 3, "bins": {"0.25": 1, "0.28125": 2}}`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorHistogram {
    zero: u64,
    /// Bins with their counts, none of them 0, in ascending order.
    bins: Vec<(usize, u64)>,
}

/// Errors of about one size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ErrorBin {
    /// The smallest error that is counted here.
    pub lower: f64,
    /// All errors here are below this.
    pub upper: f64,
    /// How many there are.
    pub count: u64,
}

impl ErrorHistogram {
    /// Errors of exactly 0.
    pub fn zero(&self) -> u64 {
        self.zero
    }

    /// All errors.
    pub fn count(&self) -> u64 {
        self.zero + self.bins.iter().map(|(_, count)| count).sum::<u64>()
    }

    /// The bins with errors in them, in ascending order.
    pub fn bins(&self) -> impl DoubleEndedIterator<Item = ErrorBin> + '_ {
        self.bins.iter().map(|&(bin, count)| ErrorBin {
            lower: lower_edge(bin),
            upper: lower_edge(bin + 1),
            count,
        })
    }

    /// What at least so many thousandths of the errors are at most: an upper
    /// bound of that quantile, which is the smallest error for which that
    /// holds, and at most 1/8 above it. `None` where there are no errors.
    ///
    /// # Panics
    ///
    /// Where `per_mille` is above 1,000.
    pub fn quantile(&self, per_mille: u32) -> Option<f64> {
        assert!(per_mille <= 1_000, "{per_mille} thousandths are more than all");
        let rank = (u128::from(self.count()) * u128::from(per_mille)).div_ceil(1_000).max(1);
        let mut seen = u128::from(self.zero);
        if seen >= rank {
            return Some(0.0);
        }
        self.bins().find_map(|bin| {
            seen += u128::from(bin.count);
            (seen >= rank).then_some(bin.upper)
        })
    }
}

impl Serialize for ErrorHistogram {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Bins<'a>(&'a ErrorHistogram);

        impl Serialize for Bins<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                // As text, which is what JSON's keys are: the shortest that
                // reads back as the same number.
                serializer.collect_map(self.0.bins().map(|b| (format!("{:?}", b.lower), b.count)))
            }
        }

        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("zero", &self.zero)?;
        map.serialize_entry("bins", &Bins(self))?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for ErrorHistogram {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ErrorHistogram, D::Error> {
        #[derive(serde::Deserialize)]
        struct Plain {
            zero: u64,
            bins: Bins,
        }

        struct Bins(Vec<(usize, u64)>);

        impl<'de> Deserialize<'de> for Bins {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Bins, D::Error> {
                deserializer.deserialize_map(BinsVisitor)
            }
        }

        struct BinsVisitor;

        impl<'de> Visitor<'de> for BinsVisitor {
            type Value = Bins;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("counts of errors by the lower edges of their bins")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Bins, A::Error> {
                let mut bins: Vec<(usize, u64)> = Vec::new();
                while let Some((edge, count)) = map.next_entry::<String, u64>()? {
                    let lower = edge.parse::<f64>().ok().filter(|lower| {
                        lower.is_finite()
                            && lower.is_sign_positive()
                            && *lower == lower_edge(bin_of(*lower))
                    });
                    let Some(lower) = lower else {
                        return Err(A::Error::custom(format!("`{edge}` is no edge of a bin")));
                    };
                    let bin = bin_of(lower);
                    if bins.last().is_some_and(|(before, _)| *before >= bin) || count == 0 {
                        let reason = "bins must have errors in them, and ascend";
                        return Err(A::Error::custom(format!("bin `{edge}`: {reason}")));
                    }
                    bins.push((bin, count));
                }
                Ok(Bins(bins))
            }
        }

        let Plain { zero, bins: Bins(bins) } = Plain::deserialize(deserializer)?;
        // What adds up to more than there can be was never counted.
        let total = bins.iter().try_fold(zero, |sum, (_, count)| sum.checked_add(*count));
        total.ok_or_else(|| D::Error::custom("the counts of the errors overflow"))?;
        Ok(ErrorHistogram { zero, bins })
    }
}

/// Bins of a page.
const PAGE: usize = 64;

/// A histogram that grows: pages of bins, where some error fell into one, so
/// that memory is bounded by the number of errors. Errors of 0 aren't in it.
#[derive(Clone, Default)]
pub(super) struct Counts {
    /// In ascending order of their numbers.
    pages: Vec<Page>,
    /// Place of the page that the last error went to; the next likely does.
    recent: usize,
}

#[derive(Clone, PartialEq)]
struct Page {
    number: usize,
    counts: Box<[u64; PAGE]>,
}

impl Counts {
    /// Counts one error: positive and finite, or 0, which doesn't count.
    #[inline]
    pub(super) fn add(&mut self, error: f64) {
        if error > 0.0 {
            self.add_to(bin_of(error), 1);
        }
    }

    /// Counts `count` errors of the bin of `error`, which is above 0.
    pub(super) fn add_many(&mut self, error: f64, count: u64) {
        self.add_to(bin_of(error), count);
    }

    #[inline]
    fn add_to(&mut self, bin: usize, count: u64) {
        let number = bin / PAGE;
        match self.pages.get_mut(self.recent) {
            Some(page) if page.number == number => page.counts[bin % PAGE] += count,
            _ => self.page(number).counts[bin % PAGE] += count,
        }
    }

    /// Looks for a page, and makes it where there is none.
    fn page(&mut self, number: usize) -> &mut Page {
        let found = self.pages.binary_search_by_key(&number, |page| page.number);
        self.recent = found.unwrap_or_else(|at| {
            self.pages.insert(at, Page { number, counts: Box::new([0; PAGE]) });
            at
        });
        &mut self.pages[self.recent]
    }

    /// Bins with errors in them.
    fn bins(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        let of_page = |page: &Page| {
            let first = page.number * PAGE;
            let counts = page.counts.iter().enumerate();
            counts.map(move |(i, n)| (first + i, *n)).collect::<Vec<_>>()
        };
        self.pages.iter().flat_map(of_page).filter(|(_, count)| *count > 0)
    }

    pub(super) fn merge(&mut self, other: &Counts) {
        other.bins().for_each(|(bin, count)| self.add_to(bin, count));
    }

    /// As a result has it, where `total` errors were counted or are 0.
    pub(super) fn histogram(&self, total: u64) -> ErrorHistogram {
        let bins: Vec<(usize, u64)> = self.bins().collect();
        let zero = total - bins.iter().map(|(_, count)| count).sum::<u64>();
        ErrorHistogram { zero, bins }
    }
}

/// Where the last error went is no part of what was counted.
impl PartialEq for Counts {
    fn eq(&self, other: &Counts) -> bool {
        self.pages == other.pages
    }
}

impl fmt::Debug for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.bins()).finish()
    }
}

#[cfg(test)]
pub(super) mod tests;
