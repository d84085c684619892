//! What only one side has: counted, never skipped.

use super::PairWalk;
use crate::codec::cursor::Cursor;
use crate::diff::MismatchKind;
use crate::diff::plan::{ByName, LeafSide, NamedField, Op, step_over};
use crate::error::fault::Walk;

impl PairWalk<'_> {
    /// Counts what only one side has. Returns the first leaf that no rule
    /// sets aside, even where nothing of it is there: a message that holds
    /// only an empty sequence is more than no message.
    pub(super) fn one_side(
        &mut self,
        ops: &[Op],
        cursor: &mut Cursor<'_>,
        side: LeafSide,
    ) -> Walk<Option<usize>> {
        let mut found = None;
        for op in ops {
            match op {
                Op::Run { primitive, total, parts } => {
                    cursor.run(primitive.size(), *total)?;
                    for part in parts {
                        let counts = self.count(part.leaf, part.count as u64, side);
                        found = self.or_unknown(found, counts.then_some(part.leaf));
                    }
                }
                Op::Sequence { primitive, bound, elements } => {
                    let len = cursor.length(*bound, primitive.size())?;
                    cursor.run(primitive.size(), len)?;
                    for part in elements.parts(0, len) {
                        let counts = self.count(part.leaf, part.count as u64, side);
                        found = self.or_unknown(found, counts.then_some(part.leaf));
                    }
                    found = self.or_unknown(found, self.open(elements.leaf));
                }
                Op::Text { text, leaf } => {
                    text.read(cursor)?;
                    let counts = self.count(*leaf, 1, side);
                    found = self.or_unknown(found, counts.then_some(*leaf));
                }
                Op::Texts { text, count, elements } => {
                    let len = count.read(cursor, 4)?;
                    for _ in 0..len {
                        text.read(cursor)?;
                    }
                    for part in elements.parts(0, len) {
                        let counts = self.count(part.leaf, part.count as u64, side);
                        found = self.or_unknown(found, counts.then_some(part.leaf));
                    }
                    found = self.or_unknown(found, self.open(elements.leaf));
                }
                Op::Records(records) => {
                    let min_size = match side {
                        LeafSide::Candidate => records.min_size[1],
                        _ => records.min_size[0],
                    };
                    for index in 0..records.count.read(cursor, min_size)? {
                        let inside = self.one_side(records.ops(index), cursor, side)?;
                        let counted = records.uncounted.filter(|leaf| self.count(*leaf, 1, side));
                        found = self.or_unknown(self.or_unknown(found, inside), counted);
                    }
                    found = found.or_else(|| self.first_open(&records.each));
                }
                Op::Multiset(multiset) => {
                    let len = multiset.step_over(cursor)?;
                    let counts = len > 0 && self.count(multiset.leaf, len as u64, side);
                    found = self.or_unknown(found, counts.then_some(multiset.leaf));
                }
                Op::Empty => {
                    cursor.bytes(1)?;
                }
                Op::ByName(by_name) => {
                    let inside = self.one_side_by_name(by_name, cursor, side)?;
                    found = self.or_unknown(found, inside);
                }
            }
        }
        Ok(found)
    }

    /// One side of an element whose type the other side has otherwise.
    fn one_side_by_name(
        &mut self,
        by_name: &ByName,
        cursor: &mut Cursor<'_>,
        side: LeafSide,
    ) -> Walk<Option<usize>> {
        let fields = match side {
            LeafSide::Candidate => &by_name.candidate,
            _ => &by_name.reference,
        };
        let starts = starts(fields, cursor)?;
        let mut found = None;
        for field in &by_name.fields {
            let Some((at, ops)) = field.on(side) else { continue };
            if let Some(start) = starts.get(at) {
                let inside = self.one_side(ops, &mut start.clone(), side)?;
                found = self.or_unknown(found, inside);
            }
        }
        Ok(found)
    }

    /// The first of two leaves, but for one whose lack is a known difference
    /// while that of the other isn't: an element is known to be missing where
    /// all of it is.
    pub(super) fn or_unknown(&self, found: Option<usize>, next: Option<usize>) -> Option<usize> {
        let known = |leaf: usize| {
            let known = self.plan.leaves.get(leaf).map_or(&[][..], |leaf| &leaf.decision.known);
            let of = |kind| self.policy.known(known, kind).is_some();
            of(MismatchKind::Length) || of(MismatchKind::Unmatched)
        };
        match (found, next) {
            (Some(first), Some(second)) if known(first) && !known(second) => next,
            _ => found.or(next),
        }
    }

    /// The leaf, unless a rule sets it aside.
    fn open(&self, leaf: usize) -> Option<usize> {
        self.plan.leaves.get(leaf).filter(|found| !found.close.ignore).map(|_| leaf)
    }

    /// The first leaf of these steps that no rule sets aside.
    pub(super) fn first_open(&self, ops: &[Op]) -> Option<usize> {
        ops.iter().find_map(|op| match op {
            Op::Run { parts, .. } => parts.iter().find_map(|part| self.open(part.leaf)),
            Op::Sequence { elements, .. } | Op::Texts { elements, .. } => self.open(elements.leaf),
            Op::Text { leaf, .. } => self.open(*leaf),
            Op::Multiset(multiset) => self.open(multiset.leaf),
            Op::Records(records) => {
                let uncounted = records.uncounted.and_then(|leaf| self.open(leaf));
                uncounted.or_else(|| self.first_open(&records.each))
            }
            Op::Empty => None,
            Op::ByName(by_name) => by_name.fields.iter().find_map(|field| match field {
                NamedField::Both { ops, .. }
                | NamedField::Reference { ops, .. }
                | NamedField::Candidate { ops, .. } => self.first_open(ops),
            }),
        })
    }

    /// Counts scalars that one side lacks; false where a rule sets them
    /// aside.
    pub(super) fn count(&mut self, leaf: usize, n: u64, side: LeafSide) -> bool {
        let (Some(leaf), Some(stats)) =
            (self.plan.leaves.get(leaf), self.partial.leaves.get_mut(leaf))
        else {
            return false;
        };
        match (leaf.close.ignore, side) {
            (true, _) => stats.ignored += n,
            (false, LeafSide::Candidate) => stats.extra += n,
            (false, _) => stats.missing += n,
        }
        !leaf.close.ignore
    }
}

/// Where each field starts; leaves the cursor behind the last.
pub(in crate::diff) fn starts<'a>(
    fields: &[Vec<Op>],
    cursor: &mut Cursor<'a>,
) -> Walk<Vec<Cursor<'a>>> {
    fields
        .iter()
        .map(|ops| {
            let start = *cursor;
            step_over(ops, cursor)?;
            Ok(start)
        })
        .collect()
}
