//! Times and sequence numbers of one key's messages, in little memory: a file
//! of gigabytes has tens of millions of them, and mostly they are regular.

use std::sync::Arc;

/// Times and sequence numbers of one key's messages, in reading order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Column {
    /// Nanoseconds.
    times: Series,
    sequences: Series,
}

impl Column {
    pub(crate) fn push(&mut self, time: i64, sequence: u32) {
        self.times.push(time);
        self.sequences.push(sequence.into());
    }

    /// Keeps what is the same in `other` once for both; to be called after
    /// each push on either.
    pub(crate) fn share(&mut self, other: &Column) {
        self.times.share(&other.times);
        self.sequences.share(&other.sequences);
    }

    pub(crate) fn len(&self) -> usize {
        self.times.len()
    }

    pub(crate) fn time(&self, index: usize) -> Option<i64> {
        self.times.get(index)
    }

    pub(crate) fn sequence(&self, index: usize) -> Option<u32> {
        self.sequences.get(index).and_then(|sequence| u32::try_from(sequence).ok())
    }

    /// The first message at this time or after it: reading is by time.
    pub(crate) fn first_at(&self, time: i64) -> usize {
        let (mut from, mut to) = (0, self.len());
        while from < to {
            let middle = from.midpoint(to);
            match self.time(middle) {
                Some(at) if at < time => from = middle + 1,
                _ => to = middle,
            }
        }
        from
    }

    /// In reading order, in nanoseconds.
    pub(crate) fn times(&self) -> impl Iterator<Item = i64> + Clone + '_ {
        self.times.iter()
    }

    /// In reading order.
    pub(crate) fn sequences(&self) -> impl Iterator<Item = i64> + Clone + '_ {
        self.sequences.iter()
    }

    /// Messages whose time runs back, in the order in which they were
    /// recorded (which the sequence numbers keep: reading is by time).
    pub(crate) fn reordered(&self) -> u64 {
        let runs_back = |times: &mut dyn Iterator<Item = i64>| {
            let mut before = i64::MIN;
            times.filter(|time| *time < std::mem::replace(&mut before, *time)).count() as u64
        };
        if self.sequences.iter().is_sorted() {
            return runs_back(&mut self.times.iter());
        }
        let mut recorded: Vec<(i64, i64)> = self.sequences.iter().zip(self.times.iter()).collect();
        // Stable: a recorder that doesn't count says nothing about order.
        recorded.sort_by_key(|(sequence, _)| *sequence);
        runs_back(&mut recorded.into_iter().map(|(_, time)| time))
    }
}

/// Numbers that are packed together.
const PACKED: usize = 1024;

/// Numbers that mostly rise by about the same.
#[derive(Clone, Debug, Default, PartialEq)]
struct Series {
    packs: Vec<Arc<Pack>>,
    /// After those.
    open: Vec<i64>,
}

/// Numbers as their distances from a straight line, each in as many bits as
/// the largest takes.
#[derive(Debug, PartialEq)]
struct Pack {
    /// The line, moved so that nothing is below it.
    first: i64,
    step: i64,
    bits: u32,
    distances: Box<[u64]>,
}

impl Series {
    fn push(&mut self, value: i64) {
        self.open.push(value);
        if self.open.len() == PACKED {
            self.packs.push(Arc::new(Pack::new(&self.open)));
            self.open.clear();
        }
    }

    /// Where the last pack is the same as that of the other at this place,
    /// takes that one.
    fn share(&mut self, other: &Series) {
        if !self.open.is_empty() {
            return;
        }
        let last = self.packs.len().wrapping_sub(1);
        if let (Some(mine), Some(theirs)) = (self.packs.get_mut(last), other.packs.get(last))
            && !Arc::ptr_eq(mine, theirs)
            && mine == theirs
        {
            *mine = theirs.clone();
        }
    }

    fn len(&self) -> usize {
        self.packs.len() * PACKED + self.open.len()
    }

    fn get(&self, index: usize) -> Option<i64> {
        match self.packs.get(index / PACKED) {
            Some(pack) => Some(pack.get(index % PACKED)),
            None => self.open.get(index - self.packs.len() * PACKED).copied(),
        }
    }

    fn iter(&self) -> impl Iterator<Item = i64> + Clone + '_ {
        let packed = self.packs.iter().flat_map(|pack| (0..PACKED).map(|index| pack.get(index)));
        packed.chain(self.open.iter().copied())
    }
}

impl Pack {
    fn new(values: &[i64]) -> Pack {
        let (first, last) = (values[0], values[values.len() - 1]);
        let step = (i128::from(last) - i128::from(first)) / (values.len() as i128 - 1).max(1);
        // Far fewer bits than it had, for the number of steps.
        let step = step as i64;
        // Wrapping both ways, so that any numbers come back.
        let off = |(n, value): (usize, &i64)| value.wrapping_sub(on_line(first, step, n));
        let least = values.iter().enumerate().map(off).min().unwrap_or(0);
        let distance = |value| (off(value).wrapping_sub(least)) as u64;
        let most = values.iter().enumerate().map(distance).max().unwrap_or(0);
        let bits = u64::BITS - most.leading_zeros();
        let mut distances = vec![0; (values.len() * bits as usize).div_ceil(64)];
        if bits > 0 {
            for (n, value) in values.iter().enumerate() {
                let (word, shift) = place(n, bits);
                let distance = distance((n, value));
                distances[word] |= distance << shift;
                if shift + bits > 64 {
                    distances[word + 1] |= distance >> (64 - shift);
                }
            }
        }
        let first = first.wrapping_add(least);
        Pack { first, step, bits, distances: distances.into() }
    }

    fn get(&self, index: usize) -> i64 {
        let on_line = on_line(self.first, self.step, index);
        if self.bits == 0 {
            return on_line;
        }
        let (word, shift) = place(index, self.bits);
        let mut distance = self.distances[word] >> shift;
        if shift + self.bits > 64 {
            distance |= self.distances[word + 1] << (64 - shift);
        }
        let mask = u64::MAX >> (64 - self.bits);
        on_line.wrapping_add((distance & mask) as i64)
    }
}

fn on_line(first: i64, step: i64, index: usize) -> i64 {
    first.wrapping_add(step.wrapping_mul(index as i64))
}

/// The word in which a number of so many bits begins, and where in it.
fn place(index: usize, bits: u32) -> (usize, u32) {
    let bit = index * bits as usize;
    (bit / 64, (bit % 64) as u32)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn column(messages: &[(i64, u32)]) -> Column {
        let mut column = Column::default();
        for (time, sequence) in messages {
            column.push(*time, *sequence);
        }
        column
    }

    #[test]
    fn the_first_at_a_time_is_found() {
        let column = column(&[(10, 0), (20, 1), (20, 2), (30, 3)]);
        for (time, first) in [(0, 0), (10, 0), (11, 1), (20, 1), (21, 3), (30, 3), (31, 4)] {
            assert_eq!(column.first_at(time), first, "{time}");
        }
    }

    #[test]
    fn a_time_that_ran_back_is_seen_in_the_sequence() {
        assert_eq!(column(&[(10, 0), (20, 2), (30, 1)]).reordered(), 1);
        assert_eq!(column(&[(10, 0), (20, 1), (20, 2)]).reordered(), 0);
        // A recorder that doesn't count says nothing about order.
        assert_eq!(column(&[(10, 0), (20, 0)]).reordered(), 0);
    }

    #[test]
    fn a_regular_column_takes_no_bits_and_two_that_agree_are_kept_once() {
        let mut columns = [Column::default(), Column::default()];
        for n in 0..10 * PACKED {
            for side in [0, 1] {
                // The second half comes with jitter.
                let jitter = if n < 5 * PACKED { 0 } else { (n as i64 * 7_919) % 1_000_000 };
                columns[side].push(10_000_000 * n as i64 + jitter, n as u32);
                let [a, b] = &mut columns;
                if side == 0 { a.share(b) } else { b.share(a) }
            }
        }
        let [a, b] = &columns;
        assert!(a.times.packs[..5].iter().all(|pack| pack.distances.is_empty()));
        // 20 bits and a few.
        assert!(a.times.packs[5..].iter().all(|pack| pack.bits <= 22));
        assert!(a.sequences.packs.iter().all(|pack| pack.distances.is_empty()));
        for (a, b) in [(&a.times, &b.times), (&a.sequences, &b.sequences)] {
            assert!(a.packs.iter().zip(&b.packs).all(|(a, b)| Arc::ptr_eq(a, b)));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_numbers_come_back(
            start: i64,
            steps in prop::collection::vec(
                prop_oneof![6 => 0..3_i64, 2 => -1_000_000..1_000_000_i64, 1 => any::<i64>()],
                0..2_200,
            ),
            extremes: bool,
        ) {
            let mut at = start;
            let values: Vec<i64> = steps.iter().map(|step| {
                at = if extremes { at.wrapping_add(*step) } else { at.saturating_add(step % 4) };
                at
            }).collect();
            let mut series = Series::default();
            values.iter().for_each(|value| series.push(*value));
            prop_assert_eq!(series.len(), values.len());
            prop_assert!(series.iter().eq(values.iter().copied()));
            for (index, value) in values.iter().enumerate() {
                prop_assert_eq!(series.get(index), Some(*value));
            }
            prop_assert_eq!(series.get(values.len()), None);
        }
    }
}
