//! Which message of one side belongs to which of the other, worked out on
//! columns of times and sequence numbers before any payload is looked at.

use super::Alignment;
use super::column::Column;

/// The pairs of one key. Every message of either side is in one pair, or has
/// no partner.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pairing {
    pub(crate) alignment: Alignment,
    /// Set where `auto` would have taken exact times, but no time is common.
    pub(crate) no_common_time: bool,
    pairs: Pairs,
}

#[derive(Clone, Debug, PartialEq)]
enum Pairs {
    /// The n-th with the n-th, for the first so many.
    Prefix(usize),
    /// In ascending order of A.
    Listed(Vec<Run>),
}

/// Pairs of messages that follow one another on both sides. A recording that
/// lacks a few messages has a few runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Run {
    /// Position of the first in A, and in B.
    first: [usize; 2],
    len: usize,
    /// Of the first pair.
    ordinal: usize,
}

impl Pairing {
    /// As `auto` does it: by tick where the runner wrote both sides, else by
    /// exact time where times are unique on both sides and at least one is
    /// common, else by position.
    pub(crate) fn auto(a: &Column, b: &Column, both_ticks: bool) -> Pairing {
        if both_ticks {
            return Pairing::by_tick(a, b);
        }
        if !unique(a) || !unique(b) {
            return Pairing::by_index(a, b);
        }
        let by_time = Pairing::by_time(a, b);
        if by_time.len() == 0 && a.len() > 0 && b.len() > 0 {
            return Pairing { no_common_time: true, ..Pairing::by_index(a, b) };
        }
        by_time
    }

    /// By number of the tick, then order within the tick.
    fn by_tick(a: &Column, b: &Column) -> Pairing {
        let runs = merge(sorted(a.sequences()), sorted(b.sequences()));
        Pairing::new(Alignment::Tick, runs)
    }

    fn by_time(a: &Column, b: &Column) -> Pairing {
        Pairing::new(Alignment::Time, merge(sorted(a.times()), sorted(b.times())))
    }

    fn by_index(a: &Column, b: &Column) -> Pairing {
        Pairing {
            alignment: Alignment::Index,
            no_common_time: false,
            pairs: Pairs::Prefix(a.len().min(b.len())),
        }
    }

    fn new(alignment: Alignment, mut runs: Vec<Run>) -> Pairing {
        runs.sort_unstable_by_key(|run| run.first[0]);
        let mut listed: Vec<Run> = Vec::new();
        for run in runs {
            match listed.last_mut() {
                Some(last) if run.first == last.first.map(|first| first + last.len) => {
                    last.len += run.len;
                }
                last => {
                    let ordinal = last.map_or(0, |last| last.ordinal + last.len);
                    listed.push(Run { ordinal, ..run });
                }
            }
        }
        let pairs = match listed.as_slice() {
            [] => Pairs::Prefix(0),
            [Run { first: [0, 0], len, .. }] => Pairs::Prefix(*len),
            _ => Pairs::Listed(listed),
        };
        Pairing { alignment, no_common_time: false, pairs }
    }

    /// Number of pairs.
    pub(crate) fn len(&self) -> usize {
        match &self.pairs {
            Pairs::Prefix(n) => *n,
            Pairs::Listed(runs) => runs.last().map_or(0, |last| last.ordinal + last.len),
        }
    }

    /// The number of pairs, where they are the n-th with the n-th.
    pub(crate) fn prefix(&self) -> Option<usize> {
        match &self.pairs {
            Pairs::Prefix(n) => Some(*n),
            Pairs::Listed(_) => None,
        }
    }

    /// Positions in A and B of a pair.
    #[cfg(test)]
    fn pair(&self, ordinal: usize) -> Option<(usize, usize)> {
        match &self.pairs {
            Pairs::Prefix(n) => (ordinal < *n).then_some((ordinal, ordinal)),
            Pairs::Listed(runs) => {
                let run = runs.iter().rfind(|run| run.ordinal <= ordinal)?;
                let place = ordinal - run.ordinal;
                (place < run.len).then_some((run.first[0] + place, run.first[1] + place))
            }
        }
    }

    /// Looks up the pair of each message of A.
    pub(crate) fn of_a(&self) -> Lookup {
        self.of(0)
    }

    /// Looks up the pair of each message of B.
    pub(crate) fn of_b(&self) -> Lookup {
        self.of(1)
    }

    fn of(&self, side: usize) -> Lookup {
        match &self.pairs {
            Pairs::Prefix(n) => Lookup::Prefix(*n),
            Pairs::Listed(runs) => {
                let stretch = |run: &Run| (run.first[side], run.len, run.ordinal);
                let mut stretches: Vec<_> = runs.iter().map(stretch).collect();
                stretches.sort_unstable();
                Lookup::Listed(stretches)
            }
        }
    }
}

/// From a message's position on one side to its pair.
pub(crate) enum Lookup {
    /// The n-th is in the n-th, for the first so many.
    Prefix(usize),
    /// So many messages from a position on, and the pair that the first is in;
    /// in ascending order.
    Listed(Vec<(usize, usize, usize)>),
}

impl Lookup {
    /// The ordinal of the pair that the message is in.
    pub(crate) fn ordinal(&self, position: usize) -> Option<usize> {
        match self {
            Lookup::Prefix(n) => (position < *n).then_some(position),
            Lookup::Listed(stretches) => {
                let after = stretches.partition_point(|(first, ..)| *first <= position);
                let (first, len, ordinal) = *stretches.get(after.checked_sub(1)?)?;
                (position - first < len).then_some(ordinal + position - first)
            }
        }
    }
}

/// Whether no time occurs twice.
fn unique(column: &Column) -> bool {
    let mut before = None;
    sorted(column.times()).all(|(_, time)| before.replace(time) != Some(time))
}

/// Positions and what they are aligned by, in its order; ties in reading
/// order.
fn sorted<'c>(
    keys: impl Iterator<Item = i64> + Clone + 'c,
) -> Box<dyn Iterator<Item = (usize, i64)> + 'c> {
    if keys.clone().is_sorted() {
        return Box::new(keys.enumerate());
    }
    let mut order: Vec<(usize, i64)> = keys.enumerate().collect();
    order.sort_by_key(|(_, key)| *key);
    Box::new(order.into_iter())
}

/// Pairs equal keys of two ordered lists: the first with the first of that
/// key, the second with the second.
fn merge(a: impl Iterator<Item = (usize, i64)>, b: impl Iterator<Item = (usize, i64)>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let (mut a, mut b) = (a.peekable(), b.peekable());
    while let (Some(&(i, key_a)), Some(&(j, key_b))) = (a.peek(), b.peek()) {
        if key_a == key_b {
            match runs.last_mut() {
                Some(last) if last.first.map(|first| first + last.len) == [i, j] => last.len += 1,
                _ => runs.push(Run { first: [i, j], len: 1, ordinal: 0 }),
            }
        }
        if key_a <= key_b {
            a.next();
        }
        if key_a >= key_b {
            b.next();
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(messages: &[(i64, u32)]) -> Column {
        let mut column = Column::default();
        for (time, sequence) in messages {
            column.push(*time, *sequence);
        }
        column
    }

    fn check(a: &[(i64, u32)], b: &[(i64, u32)], ticks: bool, to: (Alignment, &[(usize, usize)])) {
        let pairing = Pairing::auto(&column(a), &column(b), ticks);
        let pairs: Vec<_> = (0..pairing.len()).map(|n| pairing.pair(n).unwrap()).collect();
        assert_eq!((pairing.alignment, pairs.as_slice()), to);
        for (ordinal, (i, j)) in pairs.iter().enumerate() {
            assert_eq!(pairing.of_a().ordinal(*i), Some(ordinal));
            assert_eq!(pairing.of_b().ordinal(*j), Some(ordinal));
        }
        for i in (0..a.len()).filter(|i| pairs.iter().all(|pair| pair.0 != *i)) {
            assert_eq!(pairing.of_a().ordinal(i), None);
        }
        for j in (0..b.len()).filter(|j| pairs.iter().all(|pair| pair.1 != *j)) {
            assert_eq!(pairing.of_b().ordinal(j), None);
        }
    }

    #[test]
    fn unique_times_pair_where_they_are_equal() {
        let a = [(10, 0), (20, 1), (30, 2)];
        let b = [(10, 0), (30, 1), (40, 2)];
        check(&a, &b, false, (Alignment::Time, &[(0, 0), (2, 1)]));
        check(&a, &a, false, (Alignment::Time, &[(0, 0), (1, 1), (2, 2)]));
    }

    #[test]
    fn a_repeated_time_on_either_side_falls_back_to_position() {
        let a = [(10, 0), (10, 1), (30, 2)];
        let b = [(10, 0), (30, 1)];
        check(&a, &b, false, (Alignment::Index, &[(0, 0), (1, 1)]));
        check(&b, &a, false, (Alignment::Index, &[(0, 0), (1, 1)]));
    }

    #[test]
    fn ticks_pair_with_their_order_within_the_tick() {
        let a = [(10, 1), (10, 2), (10, 2), (10, 4)];
        let b = [(10, 2), (10, 2), (10, 2), (10, 4)];
        check(&a, &b, true, (Alignment::Tick, &[(1, 0), (2, 1), (3, 3)]));
    }

    #[test]
    fn ticks_out_of_order_still_pair() {
        let a = [(10, 1), (20, 2), (30, 3)];
        let b = [(10, 3), (20, 1), (30, 2)];
        check(&a, &b, true, (Alignment::Tick, &[(0, 1), (1, 2), (2, 0)]));
    }

    #[test]
    fn no_common_time_falls_back_to_position_and_says_so() {
        let (a, b) = ([(10, 0), (20, 1)], [(11, 0), (21, 1)]);
        check(&a, &b, false, (Alignment::Index, &[(0, 0), (1, 1)]));
        assert!(Pairing::auto(&column(&a), &column(&b), false).no_common_time);
        // An empty side is no fallback: there is nothing to pair.
        check(&a, &[], false, (Alignment::Time, &[]));
    }

    #[test]
    fn a_message_that_is_missing_parts_two_runs() {
        let a: Vec<(i64, u32)> = (0..5_000).map(|n| (i64::from(n) * 10, n)).collect();
        let b: Vec<(i64, u32)> = a.iter().copied().filter(|(_, n)| *n % 1_700 != 3).collect();
        let pairing = Pairing::auto(&column(&a), &column(&b), false);
        assert_eq!((pairing.len(), pairing.prefix()), (b.len(), None));
        assert!(matches!(&pairing.pairs, Pairs::Listed(runs) if runs.len() == 4));
        let pairs: Vec<(usize, usize)> =
            b.iter().enumerate().map(|(j, (_, n))| (*n as usize, j)).collect();
        check(&a, &b, false, (Alignment::Time, &pairs));
        check(&a, &b, true, (Alignment::Tick, &pairs));
    }
}
