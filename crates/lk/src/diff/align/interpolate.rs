//! Between which messages of the candidate each one of the reference lies.

use super::Sorted;

/// A message of the reference, and the messages of the candidate at or around
/// its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bracket {
    pub(crate) a: usize,
    /// Of the candidate: the same one twice where it has the very time.
    pub(crate) b: [usize; 2],
}

impl Bracket {
    /// The message of the candidate that has the very time.
    pub(crate) fn exact(self) -> Option<usize> {
        (self.b[0] == self.b[1]).then_some(self.b[0])
    }
}

/// Brackets of positions in two lists of ascending times; nothing for what is
/// outside of the candidate's span.
///
/// What has one time on both sides is taken as it is: the first of the
/// reference with the first of the candidate, and where the candidate has
/// fewer of that time, its last with the rest.
pub(super) fn brackets(a: Sorted<'_>, b: Sorted<'_>) -> Vec<Bracket> {
    let mut brackets = Vec::with_capacity(a.size_hint().0);
    let mut b = b.peekable();
    // The last of the candidate before the time, and all that have it.
    let mut earlier = None;
    let mut at_once: Vec<usize> = Vec::new();
    // That time, and how many of the reference were at it before.
    let (mut now, mut repeats) = (None, 0);
    for (i, time) in a {
        repeats += 1;
        if now.replace(time) != Some(time) {
            repeats = 0;
            earlier = at_once.last().copied().or(earlier);
            at_once.clear();
            while let Some((j, _)) = b.next_if(|(_, at)| *at < time) {
                earlier = Some(j);
            }
            while let Some((j, _)) = b.next_if(|(_, at)| *at == time) {
                at_once.push(j);
            }
        }
        let exact = at_once.get(repeats).or(at_once.last());
        match (exact, earlier, b.peek()) {
            (Some(exact), ..) => brackets.push(Bracket { a: i, b: [*exact; 2] }),
            (None, Some(before), Some((after, _))) => {
                brackets.push(Bracket { a: i, b: [before, *after] });
            }
            _ => {}
        }
    }
    brackets
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(times: &[i64]) -> Sorted<'_> {
        Box::new(times.iter().copied().enumerate())
    }

    fn check(a: &[i64], b: &[i64], to: &[(usize, usize, usize)]) {
        let brackets = brackets(sorted(a), sorted(b));
        let found: Vec<_> = brackets.iter().map(|it| (it.a, it.b[0], it.b[1])).collect();
        assert_eq!(found, to, "{a:?} in {b:?}");
    }

    #[test]
    fn a_time_is_between_its_neighbours_and_nothing_is_extrapolated() {
        check(&[0, 10, 20, 30], &[5, 25], &[(1, 0, 1), (2, 0, 1)]);
        check(&[10], &[0, 1, 2, 15, 16], &[(0, 2, 3)]);
        check(&[10], &[], &[]);
        check(&[10], &[11], &[]);
        check(&[10], &[9], &[]);
    }

    #[test]
    fn the_very_time_is_taken_as_it_is() {
        check(&[0, 10], &[0, 10], &[(0, 0, 0), (1, 1, 1)]);
        check(&[10], &[5, 10, 15], &[(0, 1, 1)]);
    }

    #[test]
    fn a_repeated_time_pairs_in_order_and_the_last_stands_in_for_the_rest() {
        check(&[5, 5, 5], &[5, 5], &[(0, 0, 0), (1, 1, 1), (2, 1, 1)]);
        check(&[5], &[5, 5], &[(0, 0, 0)]);
        // A step at one time: what is after it goes on from its end.
        check(&[4, 6], &[3, 5, 5, 7], &[(0, 0, 1), (1, 2, 3)]);
    }
}
