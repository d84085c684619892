//! Which elements of two multisets belong together: as many pairs as can be.

use std::collections::VecDeque;

/// A largest set of pairs that fit, as the partner of each of the first `n`.
/// Elements at the same place are paired first, so that what is in order costs
/// no search; the rest by augmenting paths of growing length (Hopcroft and
/// Karp, SIAM Journal on Computing 2, 1973).
pub(super) fn largest(
    n: usize,
    m: usize,
    mut fits: impl FnMut(usize, usize) -> bool,
) -> Vec<Option<usize>> {
    let mut found = Matching { of_a: vec![None; n], of_b: vec![None; m], layers: Vec::new() };
    for i in 0..n.min(m) {
        if fits(i, i) {
            found.join(i, i);
        }
    }
    let full = |side: &[Option<usize>]| side.iter().all(Option::is_some);
    if full(&found.of_a) || full(&found.of_b) {
        return found.of_a;
    }
    let near: Vec<Vec<usize>> = (0..n).map(|i| (0..m).filter(|j| fits(i, *j)).collect()).collect();
    while found.layer(&near) {
        for i in 0..n {
            if found.of_a[i].is_none() {
                found.augment(i, &near);
            }
        }
    }
    found.of_a
}

struct Matching {
    of_a: Vec<Option<usize>>,
    of_b: Vec<Option<usize>>,
    /// How far each of A is from one without a partner.
    layers: Vec<Option<usize>>,
}

impl Matching {
    fn join(&mut self, i: usize, j: usize) {
        self.of_a[i] = Some(j);
        self.of_b[j] = Some(i);
    }

    /// Finds the layers anew; false where no path leads to a free one of B.
    fn layer(&mut self, near: &[Vec<usize>]) -> bool {
        let free = |of_a: &Option<usize>| of_a.is_none().then_some(0);
        self.layers = self.of_a.iter().map(free).collect();
        let mut queue: VecDeque<usize> =
            (0..near.len()).filter(|i| self.of_a[*i].is_none()).collect();
        let mut leads = false;
        while let Some(i) = queue.pop_front() {
            for j in &near[i] {
                match self.of_b[*j] {
                    None => leads = true,
                    Some(next) if self.layers[next].is_none() => {
                        self.layers[next] = self.layers[i].map(|layer| layer + 1);
                        queue.push_back(next);
                    }
                    Some(_) => {}
                }
            }
        }
        leads
    }

    /// Finds `i` a partner along the layers, which may cost others theirs for
    /// another one. As deep as there are layers, at most one an element.
    fn augment(&mut self, i: usize, near: &[Vec<usize>]) -> bool {
        let Some(layer) = self.layers[i] else { return false };
        for j in near[i].iter().copied() {
            let free = match self.of_b[j] {
                None => true,
                Some(next) => self.layers[next] == Some(layer + 1) && self.augment(next, near),
            };
            if free {
                self.join(i, j);
                return true;
            }
        }
        // Nothing leads on from here.
        self.layers[i] = None;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The size of a largest matching, by trying everything.
    fn by_force(near: &[Vec<bool>], used: &mut Vec<bool>) -> usize {
        let Some((first, rest)) = near.split_first() else { return 0 };
        let mut best = by_force(rest, used);
        for j in 0..first.len() {
            if first[j] && !used[j] {
                used[j] = true;
                best = best.max(1 + by_force(rest, used));
                used[j] = false;
            }
        }
        best
    }

    #[test]
    fn a_chain_is_resolved_though_every_first_choice_is_wrong() {
        // Each fits itself and the one before; the last has no place but 0.
        let n = 1_000;
        let fits = |i: usize, j: usize| if i + 1 == n { j == 0 } else { j == i || j == i + 1 };
        let found = largest(n, n, fits);
        assert!(found.iter().all(Option::is_some));
    }

    proptest! {
        #[test]
        fn it_is_as_large_as_any_and_one_to_one(
            near in prop::collection::vec(prop::collection::vec(any::<bool>(), 5), 0..6),
        ) {
            let found = largest(near.len(), 5, |i, j| near[i][j]);
            let mut taken: Vec<usize> = found.iter().flatten().copied().collect();
            prop_assert_eq!(taken.len(), by_force(&near, &mut vec![false; 5]));
            taken.sort_unstable();
            prop_assert!(taken.windows(2).all(|pair| pair[0] != pair[1]));
            prop_assert!(found.iter().enumerate().all(|(i, j)| j.is_none_or(|j| near[i][j])));
        }
    }
}
