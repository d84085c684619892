//! Which message of one side belongs to which of the other, worked out on
//! columns of times and sequence numbers before any payload is looked at.

mod interpolate;
mod lookup;
mod nearest;

use std::ops::Range;

pub(super) use interpolate::Bracket;
pub(super) use lookup::Lookup;

use super::Alignment;
use super::column::Column;
use super::policy::AlignBy;

/// The pairs of one key. Every message of either side is in one pair, or has
/// no partner; where values are interpolated, messages of the candidate can be
/// in several, or be passed over.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pairing {
    pub(crate) alignment: Alignment,
    /// Why `auto` did not take exact times, where it would have.
    pub(crate) fallback: Option<Fallback>,
    pairs: Pairs,
}

/// Why messages are paired by position rather than by exact time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fallback {
    /// No time is common to both sides.
    NothingCommon,
    /// Some time occurs more than once: in the reference, or else in the
    /// candidate.
    Repeated { side: usize },
}

#[derive(Clone, Debug, PartialEq)]
enum Pairs {
    /// The n-th with the n-th, for the first so many.
    Prefix(usize),
    /// In ascending order of A.
    Listed(Vec<Run>),
    /// Where each of A lies in B, in ascending order of A.
    Between(Vec<Bracket>),
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
    /// Pairs two columns. `ticks` says that the sequence numbers of both are
    /// those of ticks.
    pub(crate) fn new(by: AlignBy, a: &Column, b: &Column, ticks: bool) -> Pairing {
        match by {
            AlignBy::Auto => Pairing::auto(a, b, ticks),
            AlignBy::Tick => Pairing::by_sequence(Alignment::Tick, a, b),
            AlignBy::Time => Pairing::by_time(a, b),
            AlignBy::Index => Pairing::by_index(a, b),
            AlignBy::Sequence => Pairing::by_sequence(Alignment::Sequence, a, b),
            AlignBy::Nearest { window } => {
                let window = window.as_nanos().max(0).unsigned_abs();
                let runs = nearest::runs(sorted(a.times()), sorted(b.times()), window);
                Pairing::listed(Alignment::Nearest, runs)
            }
            AlignBy::Interpolate => Pairing::between(a, b),
        }
    }

    /// As `auto` does it: by tick where the runner wrote both sides, else by
    /// exact time where times are unique on both sides and at least one is
    /// common, else by position.
    fn auto(a: &Column, b: &Column, ticks: bool) -> Pairing {
        if ticks {
            return Pairing::by_sequence(Alignment::Tick, a, b);
        }
        let by_index = |why| Pairing { fallback: Some(why), ..Pairing::by_index(a, b) };
        if let Some(side) = [a, b].iter().position(|column| !unique(column)) {
            return by_index(Fallback::Repeated { side });
        }
        let by_time = Pairing::by_time(a, b);
        if by_time.len() == 0 && a.len() > 0 && b.len() > 0 {
            return by_index(Fallback::NothingCommon);
        }
        by_time
    }

    /// By sequence number, which may be the tick's, then order within it.
    fn by_sequence(alignment: Alignment, a: &Column, b: &Column) -> Pairing {
        let runs = merge(sorted(a.sequences()), sorted(b.sequences()));
        Pairing::listed(alignment, runs)
    }

    /// By exact time, then order within it.
    fn by_time(a: &Column, b: &Column) -> Pairing {
        Pairing::listed(Alignment::Time, merge(sorted(a.times()), sorted(b.times())))
    }

    fn by_index(a: &Column, b: &Column) -> Pairing {
        let pairs = Pairs::Prefix(a.len().min(b.len()));
        Pairing { alignment: Alignment::Index, fallback: None, pairs }
    }

    /// By where the times of A lie between those of B.
    fn between(a: &Column, b: &Column) -> Pairing {
        let mut brackets = interpolate::brackets(sorted(a.times()), sorted(b.times()));
        brackets.sort_unstable_by_key(|bracket| bracket.a);
        let pairs = Pairs::Between(brackets);
        Pairing { alignment: Alignment::Interpolate, fallback: None, pairs }
    }

    fn listed(alignment: Alignment, mut runs: Vec<Run>) -> Pairing {
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
        Pairing { alignment, fallback: None, pairs }
    }

    /// Number of pairs.
    pub(crate) fn len(&self) -> usize {
        match &self.pairs {
            Pairs::Prefix(n) => *n,
            Pairs::Listed(runs) => runs.last().map_or(0, |last| last.ordinal + last.len),
            Pairs::Between(brackets) => brackets.len(),
        }
    }

    /// The number of pairs, where they are the n-th with the n-th.
    pub(crate) fn prefix(&self) -> Option<usize> {
        match &self.pairs {
            Pairs::Prefix(n) => Some(*n),
            Pairs::Listed(_) | Pairs::Between(_) => None,
        }
    }

    /// Where each message of A lies in B, where values are interpolated.
    pub(crate) fn brackets(&self) -> Option<&[Bracket]> {
        match &self.pairs {
            Pairs::Between(brackets) => Some(brackets),
            Pairs::Prefix(_) | Pairs::Listed(_) => None,
        }
    }

    /// Positions in A and B of a pair; where values are interpolated, of the
    /// message before.
    pub(crate) fn pair(&self, ordinal: usize) -> Option<(usize, usize)> {
        match &self.pairs {
            Pairs::Prefix(n) => (ordinal < *n).then_some((ordinal, ordinal)),
            Pairs::Listed(runs) => {
                let after = runs.partition_point(|run| run.ordinal <= ordinal);
                let run = runs.get(after.checked_sub(1)?)?;
                let place = ordinal - run.ordinal;
                (place < run.len).then_some((run.first[0] + place, run.first[1] + place))
            }
            Pairs::Between(brackets) => brackets.get(ordinal).map(|it| (it.a, it.b[0])),
        }
    }

    /// The first pair with a message of A at this position or after it.
    pub(crate) fn first_from(&self, position: usize) -> usize {
        match &self.pairs {
            Pairs::Prefix(n) => position.min(*n),
            Pairs::Listed(runs) => {
                let after = runs.partition_point(|run| run.first[0] <= position);
                let run = after.checked_sub(1).and_then(|before| runs.get(before));
                run.map_or(0, |run| run.ordinal + run.len.min(position - run.first[0]))
            }
            Pairs::Between(brackets) => brackets.partition_point(|it| it.a < position),
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
            Pairs::Between(brackets) if side == 0 => {
                let mut stretches: Vec<(usize, usize, usize)> = Vec::new();
                for (ordinal, bracket) in brackets.iter().enumerate() {
                    match stretches.last_mut() {
                        Some((first, len, _)) if *first + *len == bracket.a => *len += 1,
                        _ => stretches.push((bracket.a, 1, ordinal)),
                    }
                }
                Lookup::Listed(stretches)
            }
            Pairs::Between(brackets) => Lookup::Span(span(brackets)),
        }
    }

    /// How many pairs have a candidate that is no message of its own but made
    /// of others, and how many messages of the candidate were only drawn on or
    /// passed over for that.
    pub(crate) fn interpolated(&self) -> (u64, u64) {
        let Pairs::Between(brackets) = &self.pairs else { return (0, 0) };
        let mut exact: Vec<usize> = brackets.iter().filter_map(|it| it.exact()).collect();
        exact.sort_unstable();
        exact.dedup();
        ((brackets.len() - exact.len()) as u64, (span(brackets).len() - exact.len()) as u64)
    }
}

/// Positions in B from the first message that is drawn on to the last.
fn span(brackets: &[Bracket]) -> Range<usize> {
    let drawn_on = || brackets.iter().flat_map(|bracket| bracket.b);
    match (drawn_on().min(), drawn_on().max()) {
        (Some(first), Some(last)) => first..last + 1,
        _ => 0..0,
    }
}

/// Whether no time occurs twice.
fn unique(column: &Column) -> bool {
    let mut before = None;
    sorted(column.times()).all(|(_, time)| before.replace(time) != Some(time))
}

/// Positions and what they are aligned by.
type Sorted<'c> = Box<dyn Iterator<Item = (usize, i64)> + 'c>;

/// Positions and what they are aligned by, in its order; ties in reading
/// order.
fn sorted<'c>(keys: impl Iterator<Item = i64> + Clone + 'c) -> Sorted<'c> {
    if keys.clone().is_sorted() {
        return Box::new(keys.enumerate());
    }
    let mut order: Vec<(usize, i64)> = keys.enumerate().collect();
    order.sort_by_key(|(_, key)| *key);
    Box::new(order.into_iter())
}

/// Adds a pair of positions, to the last run where it goes on.
fn push(runs: &mut Vec<Run>, pair: [usize; 2]) {
    match runs.last_mut() {
        Some(last) if last.first.map(|first| first + last.len) == pair => last.len += 1,
        _ => runs.push(Run { first: pair, len: 1, ordinal: 0 }),
    }
}

/// Pairs equal keys of two ordered lists: the first with the first of that
/// key, the second with the second.
fn merge(a: impl Iterator<Item = (usize, i64)>, b: impl Iterator<Item = (usize, i64)>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let (mut a, mut b) = (a.peekable(), b.peekable());
    while let (Some(&(i, key_a)), Some(&(j, key_b))) = (a.peek(), b.peek()) {
        if key_a == key_b {
            push(&mut runs, [i, j]);
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
mod tests;
