//! Which message of one side belongs to which of the other, worked out on
//! columns of times and sequence numbers before any payload is looked at.

use super::Alignment;

/// Times and sequence numbers of one key's messages, in reading order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Column {
    /// Nanoseconds.
    pub(crate) times: Vec<i64>,
    pub(crate) sequences: Vec<u32>,
}

impl Column {
    pub(crate) fn push(&mut self, time: i64, sequence: u32) {
        self.times.push(time);
        self.sequences.push(sequence);
    }

    pub(crate) fn len(&self) -> usize {
        self.times.len()
    }

    pub(crate) fn time(&self, index: usize) -> Option<i64> {
        self.times.get(index).copied()
    }

    pub(crate) fn sequence(&self, index: usize) -> Option<u32> {
        self.sequences.get(index).copied()
    }

    /// Messages whose time runs back, in the order in which they were
    /// recorded (which the sequence numbers keep: reading is by time).
    pub(crate) fn reordered(&self) -> u64 {
        let mut recorded: Vec<usize> = (0..self.len()).collect();
        recorded.sort_by_key(|i| self.sequences[*i]);
        let runs_back = |pair: &&[usize]| self.times[pair[1]] < self.times[pair[0]];
        recorded.windows(2).filter(runs_back).count() as u64
    }

    /// Positions ordered by what aligns, ties in reading order.
    fn order_by<K: Ord>(&self, key: impl Fn(usize) -> K) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.len()).collect();
        if !order.is_sorted_by_key(|i| key(*i)) {
            order.sort_by_key(|i| key(*i));
        }
        order
    }
}

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
    /// Positions in A and B, in ascending order of A.
    Listed(Vec<(usize, usize)>),
}

impl Pairing {
    /// As `auto` does it: by tick where the runner wrote both sides, else by
    /// exact time where times are unique on both sides and at least one is
    /// common, else by position.
    pub(crate) fn auto(a: &Column, b: &Column, both_ticks: bool) -> Pairing {
        if both_ticks {
            return Pairing::by_tick(a, b);
        }
        if !unique(&a.times) || !unique(&b.times) {
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
        let order_a = a.order_by(|i| a.sequences[i]);
        let order_b = b.order_by(|i| b.sequences[i]);
        let key_a = |i: usize| a.sequences[i];
        let key_b = |i: usize| b.sequences[i];
        Pairing::new(Alignment::Tick, a, b, merge(&order_a, &order_b, key_a, key_b))
    }

    fn by_time(a: &Column, b: &Column) -> Pairing {
        let order_a = a.order_by(|i| a.times[i]);
        let order_b = b.order_by(|i| b.times[i]);
        let key_a = |i: usize| a.times[i];
        let key_b = |i: usize| b.times[i];
        Pairing::new(Alignment::Time, a, b, merge(&order_a, &order_b, key_a, key_b))
    }

    fn by_index(a: &Column, b: &Column) -> Pairing {
        Pairing {
            alignment: Alignment::Index,
            no_common_time: false,
            pairs: Pairs::Prefix(a.len().min(b.len())),
        }
    }

    fn new(
        alignment: Alignment,
        a: &Column,
        b: &Column,
        mut pairs: Vec<(usize, usize)>,
    ) -> Pairing {
        pairs.sort_unstable();
        let is_prefix = pairs.iter().enumerate().all(|(n, pair)| *pair == (n, n));
        debug_assert!(pairs.len() <= a.len().min(b.len()));
        let pairs = if is_prefix { Pairs::Prefix(pairs.len()) } else { Pairs::Listed(pairs) };
        Pairing { alignment, no_common_time: false, pairs }
    }

    /// Number of pairs.
    pub(crate) fn len(&self) -> usize {
        match &self.pairs {
            Pairs::Prefix(n) => *n,
            Pairs::Listed(pairs) => pairs.len(),
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
            Pairs::Listed(pairs) => pairs.get(ordinal).copied(),
        }
    }

    /// Looks up the pair of each message of A.
    pub(crate) fn of_a(&self) -> Lookup<'_> {
        match &self.pairs {
            Pairs::Prefix(n) => Lookup::Prefix(*n),
            Pairs::Listed(pairs) => Lookup::Sorted(pairs),
        }
    }

    /// Looks up the pair of each message of B.
    pub(crate) fn of_b(&self) -> Lookup<'_> {
        match &self.pairs {
            Pairs::Prefix(n) => Lookup::Prefix(*n),
            Pairs::Listed(pairs) => {
                let mut inverse: Vec<(usize, usize)> =
                    pairs.iter().enumerate().map(|(ordinal, (_, b))| (*b, ordinal)).collect();
                inverse.sort_unstable();
                Lookup::Inverse(inverse)
            }
        }
    }
}

/// From a message's position on one side to its pair.
pub(crate) enum Lookup<'a> {
    Prefix(usize),
    Sorted(&'a [(usize, usize)]),
    Inverse(Vec<(usize, usize)>),
}

impl Lookup<'_> {
    /// The ordinal of the pair that the message is in.
    pub(crate) fn ordinal(&self, position: usize) -> Option<usize> {
        match self {
            Lookup::Prefix(n) => (position < *n).then_some(position),
            Lookup::Sorted(pairs) => pairs.binary_search_by_key(&position, |pair| pair.0).ok(),
            Lookup::Inverse(pairs) => pairs
                .binary_search_by_key(&position, |pair| pair.0)
                .ok()
                .and_then(|i| pairs.get(i))
                .map(|pair| pair.1),
        }
    }
}

/// Whether no time occurs twice.
fn unique(times: &[i64]) -> bool {
    if times.is_sorted() {
        return times.windows(2).all(|pair| pair[0] != pair[1]);
    }
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    unique(&sorted)
}

/// Pairs equal keys of two ordered lists: the first with the first of that
/// key, the second with the second.
fn merge<K: Ord>(
    order_a: &[usize],
    order_b: &[usize],
    key_a: impl Fn(usize) -> K,
    key_b: impl Fn(usize) -> K,
) -> Vec<(usize, usize)> {
    let mut pairs = Vec::with_capacity(order_a.len().min(order_b.len()));
    let (mut a, mut b) = (order_a.iter().copied().peekable(), order_b.iter().copied().peekable());
    while let (Some(&i), Some(&j)) = (a.peek(), b.peek()) {
        let order = key_a(i).cmp(&key_b(j));
        if order.is_eq() {
            pairs.push((i, j));
        }
        if order.is_le() {
            a.next();
        }
        if order.is_ge() {
            b.next();
        }
    }
    pairs
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
    fn a_time_that_ran_back_is_seen_in_the_sequence() {
        assert_eq!(column(&[(10, 0), (20, 2), (30, 1)]).reordered(), 1);
        assert_eq!(column(&[(10, 0), (20, 1), (20, 2)]).reordered(), 0);
        // A recorder that doesn't count says nothing about order.
        assert_eq!(column(&[(10, 0), (20, 0)]).reordered(), 0);
    }
}
