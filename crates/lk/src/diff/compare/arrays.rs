//! Arrays and sequences: their elements, and their lengths.

use super::PairWalk;
use crate::codec::cursor::Cursor;
use crate::diff::plan::{Elements, LeafSide, Records};
use crate::diff::{Mismatch, MismatchKind};
use crate::error::fault::Walk;
use crate::value::Scalar;

impl PairWalk<'_> {
    /// Counts the elements that one side's array has more of.
    pub(super) fn lengths(&mut self, elements: &Elements, n: usize, m: usize) {
        if n == m {
            return;
        }
        let (from, to) = (n.min(m), n.max(m));
        let side = if n > m { LeafSide::Reference } else { LeafSide::Candidate };
        let mut shape = None;
        for part in elements.parts(from, to) {
            if self.count(part.leaf, part.count as u64, side) {
                shape = self.or_unknown(shape, Some(part.leaf));
            }
        }
        if let Some(leaf) = shape {
            let path = self
                .plan
                .leaves
                .get(leaf)
                .map_or_else(String::new, |leaf| leaf.array_path_at(&self.indices));
            self.shape_violation(leaf, path, n, m);
        }
    }

    fn shape_violation(&mut self, leaf: usize, path: String, n: usize, m: usize) {
        let plan = self.plan;
        let (Some(of), Some(stats)) = (plan.leaves.get(leaf), self.partial.leaves.get_mut(leaf))
        else {
            return;
        };
        stats.shape_violations += 1;
        stats.first_violation.get_or_insert(self.at.time);
        self.violation(leaf, MismatchKind::Length, |at| Mismatch {
            path,
            a: Scalar::Uint(n as u64),
            b: Scalar::Uint(m as u64),
            tolerance: of.decision.text.clone(),
            ..Mismatch::of_message(at, MismatchKind::Length)
        });
    }

    pub(super) fn records<'p>(
        &mut self,
        records: &Records,
        a: &mut Cursor<'p>,
        b: &mut Cursor<'p>,
    ) -> Walk<()> {
        let n = records.count.read(a, records.min_size[0])?;
        let m = records.count.read(b, records.min_size[1])?;
        for index in 0..n.min(m) {
            self.indices.push(index);
            self.ops(records.ops(index), a, b)?;
            self.indices.pop();
            if let Some(stats) = records.uncounted.and_then(|i| self.partial.leaves.get_mut(i)) {
                stats.compared += 1;
            }
        }
        let mut shape = None;
        let (cursor, side) = match n > m {
            true => (a, LeafSide::Reference),
            false => (b, LeafSide::Candidate),
        };
        for index in n.min(m)..n.max(m) {
            let found = self.one_side(records.ops(index), cursor, side)?;
            let counted = records.uncounted.filter(|leaf| self.count(*leaf, 1, side));
            shape = self.or_unknown(self.or_unknown(shape, found), counted);
        }
        if let Some(leaf) = shape {
            let path = records.path_at(&self.indices);
            self.shape_violation(leaf, path, n, m);
        }
        Ok(())
    }
}
