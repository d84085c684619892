//! Messages paired with what is nearest in time, within a window.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::iter::Peekable;

use super::{Run, Sorted, push};

/// Pairs of positions in two lists of ascending times. One to one, order
/// kept, no pair further apart than `window` (nanoseconds), and no two messages
/// left alone that are within it.
///
/// What is closest is paired first, the earlier on a tie. What is left then is
/// paired as if the others weren't there, which leaves nothing alone that
/// could have a partner; and last, those that have one are paired in their
/// order, which brings no two further apart than the furthest before.
pub(super) fn runs(a: Sorted<'_>, b: Sorted<'_>, window: u64) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut cluster = Vec::new();
    for event in Timeline::new(a, b) {
        // No pair reaches over a gap that is wider than the window.
        if cluster.last().is_some_and(|last: &Event| last.until(&event) > window) {
            pair_up(&mut cluster, window, &mut runs);
        }
        cluster.push(event);
    }
    pair_up(&mut cluster, window, &mut runs);
    runs
}

/// A message of either side.
#[derive(Clone, Copy)]
struct Event {
    time: i64,
    /// 0 is the reference, 1 the candidate.
    side: usize,
    position: usize,
}

impl Event {
    fn until(&self, later: &Event) -> u64 {
        later.time.abs_diff(self.time)
    }
}

/// The messages of both sides in order of time. At one time the sides take
/// turns, so that the first of one is beside the first of the other.
struct Timeline<'t> {
    sides: [Peekable<Sorted<'t>>; 2],
    /// At the time of the event before, by side.
    at_once: [usize; 2],
    before: Option<i64>,
}

impl<'t> Timeline<'t> {
    fn new(a: Sorted<'t>, b: Sorted<'t>) -> Timeline<'t> {
        Timeline { sides: [a.peekable(), b.peekable()], at_once: [0; 2], before: None }
    }
}

impl Iterator for Timeline<'_> {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        let [a, b] = &mut self.sides;
        let side = match (a.peek(), b.peek()) {
            (Some((_, a)), Some((_, b))) if a == b => {
                usize::from(self.before == Some(*a) && self.at_once[0] > self.at_once[1])
            }
            (Some((_, a)), Some((_, b))) => usize::from(b < a),
            (a, _) => usize::from(a.is_none()),
        };
        let (position, time) = self.sides[side].next()?;
        if self.before.replace(time) != Some(time) {
            self.at_once = [0; 2];
        }
        self.at_once[side] += 1;
        Some(Event { time, side, position })
    }
}

/// Pairs up messages of which none is further than the window from the next,
/// and lets them go.
fn pair_up(cluster: &mut Vec<Event>, window: u64, runs: &mut Vec<Run>) {
    match cluster.as_slice() {
        // Most of them: jitter within the window, which the period is beyond.
        [x, y] if x.side != y.side => {
            let (a, b) = if x.side == 0 { (x, y) } else { (y, x) };
            push(runs, [a.position, b.position]);
        }
        [] | [_] => {}
        events => {
            let paired = paired(events, window);
            let of = |side: usize| {
                let own = events.iter().zip(&paired).filter(move |(e, p)| e.side == side && **p);
                own.map(|(event, _)| event.position)
            };
            of(0).zip(of(1)).for_each(|(i, j)| push(runs, [i, j]));
        }
    }
    cluster.clear();
}

/// Which of the events have a partner.
fn paired(events: &[Event], window: u64) -> Vec<bool> {
    // A list of those without, from which both of a pair are taken.
    let mut before: Vec<Option<usize>> = (0..events.len()).map(|i| i.checked_sub(1)).collect();
    let mut after: Vec<Option<usize>> =
        (1..=events.len()).map(|i| (i < events.len()).then_some(i)).collect();
    let mut paired = vec![false; events.len()];
    // The closest first, the earlier on a tie.
    let mut neighbours = BinaryHeap::new();
    let consider = |x: usize, y: usize| {
        let apart = events[x].until(&events[y]);
        let fits = events[x].side != events[y].side && apart <= window;
        fits.then_some(Reverse((apart, x, y)))
    };
    neighbours.extend((1..events.len()).filter_map(|i| consider(i - 1, i)));
    while let Some(Reverse((_, x, y))) = neighbours.pop() {
        if paired[x] || paired[y] {
            continue;
        }
        (paired[x], paired[y]) = (true, true);
        let (left, right) = (before[x], after[y]);
        if let Some(left) = left {
            after[left] = right;
        }
        if let Some(right) = right {
            before[right] = left;
        }
        if let (Some(left), Some(right)) = (left, right) {
            neighbours.extend(consider(left, right));
        }
    }
    paired
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sorted(times: &[i64]) -> Sorted<'_> {
        Box::new(times.iter().copied().enumerate())
    }

    fn pairs(a: &[i64], b: &[i64], window: u64) -> Vec<(usize, usize)> {
        let runs = runs(sorted(a), sorted(b), window);
        let pairs = |run: &Run| {
            let [i, j] = run.first;
            (0..run.len).map(move |n| (i + n, j + n)).collect::<Vec<_>>()
        };
        runs.iter().flat_map(pairs).collect()
    }

    fn check(a: &[i64], b: &[i64], window: u64, to: &[(usize, usize)]) {
        assert_eq!(pairs(a, b, window), to, "{a:?} {b:?} within {window}");
    }

    #[test]
    fn the_nearest_within_the_window_is_the_partner() {
        check(&[0, 10, 20], &[1, 9, 22], 5, &[(0, 0), (1, 1), (2, 2)]);
        check(&[0, 10, 20], &[1, 22], 5, &[(0, 0), (2, 1)]);
        check(&[0, 10, 20, 30], &[0, 20, 30], 20, &[(0, 0), (2, 1), (3, 2)]);
        check(&[0, 10], &[6, 16], 5, &[(1, 0)]);
        check(&[0], &[6], 5, &[]);
        check(&[0], &[5], 5, &[(0, 0)]);
        check(&[], &[5], 5, &[]);
    }

    #[test]
    fn the_earlier_is_taken_on_a_tie() {
        check(&[10], &[5, 15], 5, &[(0, 0)]);
        check(&[5, 15], &[10], 5, &[(0, 0)]);
    }

    #[test]
    fn what_comes_in_bursts_is_paired_in_its_order() {
        check(&[5, 5], &[5, 5], 0, &[(0, 0), (1, 1)]);
        check(&[4, 5, 5, 5], &[5, 5], 1, &[(1, 0), (2, 1)]);
        check(&[0, 0, 10, 10], &[1, 1, 11, 11], 5, &[(0, 0), (1, 1), (2, 2), (3, 3)]);
        check(&[0, 1, 2], &[3, 4, 5], 5, &[(0, 0), (1, 1), (2, 2)]);
    }

    #[test]
    fn times_at_the_ends_of_the_range_are_as_good_as_others() {
        check(&[i64::MIN, i64::MAX], &[i64::MIN, i64::MAX], u64::MAX, &[(0, 0), (1, 1)]);
        check(&[i64::MIN], &[i64::MAX], u64::MAX - 1, &[]);
    }

    fn times() -> impl Strategy<Value = Vec<i64>> {
        prop::collection::vec(0..24_i64, 0..7).prop_map(|mut times| {
            times.sort_unstable();
            times
        })
    }

    /// The most pairs within the window that any pairing has, by trying all.
    fn most(a: &[i64], b: &[i64], window: u64) -> usize {
        let (Some((x, a_rest)), Some((y, b_rest))) = (a.split_first(), b.split_first()) else {
            return 0;
        };
        let skip = most(a_rest, b, window).max(most(a, b_rest, window));
        match x.abs_diff(*y) <= window {
            true => skip.max(1 + most(a_rest, b_rest, window)),
            false => skip,
        }
    }

    proptest! {
        #[test]
        fn nothing_is_left_alone_that_has_a_free_partner_in_the_window(
            a in times(), b in times(), window in 0..12_u64,
        ) {
            let found = pairs(&a, &b, window);
            for pair in found.windows(2) {
                prop_assert!(pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1, "order: {found:?}");
            }
            for (i, j) in &found {
                prop_assert!(a[*i].abs_diff(b[*j]) <= window, "window: {found:?}");
            }
            for i in (0..a.len()).filter(|i| found.iter().all(|pair| pair.0 != *i)) {
                for j in (0..b.len()).filter(|j| found.iter().all(|pair| pair.1 != *j)) {
                    prop_assert!(a[i].abs_diff(b[j]) > window, "{i} and {j}: {found:?}");
                }
            }
            // A pairing to which none can be added has at least half of the
            // most.
            prop_assert!(2 * found.len() >= most(&a, &b, window));
        }

        #[test]
        fn jitter_below_half_a_period_pairs_each_with_its_own(
            jitter in prop::collection::vec((-4..5_i64, prop::bool::ANY), 0..12),
            window in 9..50_u64,
        ) {
            let a: Vec<i64> = (0..jitter.len() as i64).map(|n| 10 * n).collect();
            let kept = || jitter.iter().enumerate().filter(|(_, (_, kept))| *kept);
            let b: Vec<i64> = kept().map(|(n, (by, _))| 10 * n as i64 + by).collect();
            let own: Vec<(usize, usize)> =
                kept().enumerate().map(|(to, (from, _))| (from, to)).collect();
            prop_assert_eq!(pairs(&a, &b, window), own);
        }
    }
}
