//! The numbers in one side's payload, leaf by leaf.

use super::{LeafSide, Multiset, MultisetOf, NamedField, Op, Part};
use crate::codec::cursor::Cursor;
use crate::diff::compare::{ordered, starts};
use crate::error::fault::Walk;
use crate::schema::Primitive;

/// Numbers that lie side by side and belong to one leaf.
pub(in crate::diff) struct Numbers<'v> {
    pub(in crate::diff) part: Part,
    pub(in crate::diff) primitive: Primitive,
    /// Little-endian.
    pub(in crate::diff) bytes: &'v [u8],
    /// Indices of the elements that they are in.
    pub(in crate::diff) indices: &'v [usize],
}

/// A walk over one side of what is compared by pairs.
pub(in crate::diff) struct Visit<F> {
    side: LeafSide,
    indices: Vec<usize>,
    each: F,
}

impl<F: FnMut(Numbers<'_>)> Visit<F> {
    /// Calls `each` with all numbers of a payload that is the reference's, or
    /// the candidate's.
    pub(in crate::diff) fn payload(
        ops: &[Op],
        side: LeafSide,
        payload: &[u8],
        each: F,
    ) -> Walk<()> {
        let mut visit = Visit { side, indices: Vec::new(), each };
        visit.ops(ops, &mut Cursor::new(payload)?)
    }

    /// Moves over fields of one side, with all their numbers.
    fn ops(&mut self, ops: &[Op], cursor: &mut Cursor<'_>) -> Walk<()> {
        for op in ops {
            match op {
                Op::Run { primitive, total, parts } => {
                    let bytes = cursor.run(primitive.size(), *total)?;
                    let bytes = ordered(bytes, primitive.size(), cursor);
                    self.parts(*primitive, &bytes, parts.iter().copied());
                }
                Op::Sequence { primitive, bound, elements } => {
                    let len = cursor.length(*bound, primitive.size())?;
                    let bytes = cursor.run(primitive.size(), len)?;
                    let bytes = ordered(bytes, primitive.size(), cursor);
                    self.parts(*primitive, &bytes, elements.parts(0, len));
                }
                Op::Text { text, .. } => drop(text.read(cursor)?),
                Op::Texts { text, count, .. } => {
                    for _ in 0..count.read(cursor, 4)? {
                        text.read(cursor)?;
                    }
                }
                Op::Records(records) => {
                    let side = usize::from(self.side == LeafSide::Candidate);
                    for index in 0..records.count.read(cursor, records.min_size[side])? {
                        self.indices.push(index);
                        self.ops(records.ops(index), cursor)?;
                        self.indices.pop();
                    }
                }
                Op::Multiset(Multiset { of: MultisetOf::Numbers(primitive), count, leaf }) => {
                    let size = primitive.size();
                    let len = count.read(cursor, size)?;
                    let bytes = ordered(cursor.run(size, len)?, size, cursor);
                    let part = Part { leaf: *leaf, count: len, first: 0 };
                    self.parts(*primitive, &bytes, std::iter::once(part));
                }
                Op::Multiset(multiset) => drop(multiset.step_over(cursor)?),
                Op::Empty => drop(cursor.bytes(1)?),
                Op::ByName(by_name) => {
                    let starts = match self.side {
                        LeafSide::Candidate => starts(&by_name.candidate, cursor)?,
                        _ => starts(&by_name.reference, cursor)?,
                    };
                    for field in &by_name.fields {
                        let Some((at, ops)) = field.on(self.side) else { continue };
                        if let Some(start) = starts.get(at) {
                            self.ops(ops, &mut start.clone())?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn parts(&mut self, primitive: Primitive, bytes: &[u8], parts: impl Iterator<Item = Part>) {
        let mut from = 0;
        for part in parts {
            let to = from + part.count * primitive.size();
            if let Some(bytes) = bytes.get(from..to) {
                (self.each)(Numbers { part, primitive, bytes, indices: &self.indices });
            }
            from = to;
        }
    }
}

/// Moves over fields of one side.
pub(in crate::diff) fn over(ops: &[Op], side: LeafSide, cursor: &mut Cursor<'_>) -> Walk<()> {
    Visit { side, indices: Vec::new(), each: |_: Numbers<'_>| {} }.ops(ops, cursor)
}

impl NamedField {
    /// Where the field is on a side that has it, and what is done with it.
    pub(in crate::diff) fn on(&self, side: LeafSide) -> Option<(usize, &[Op])> {
        match (self, side) {
            (NamedField::Both { candidate, ops, .. }, LeafSide::Candidate)
            | (NamedField::Candidate { at: candidate, ops }, LeafSide::Candidate) => {
                Some((*candidate, ops))
            }
            (_, LeafSide::Candidate) | (NamedField::Candidate { .. }, _) => None,
            (
                NamedField::Both { reference: at, ops, .. } | NamedField::Reference { at, ops },
                _,
            ) => Some((*at, ops)),
        }
    }
}
