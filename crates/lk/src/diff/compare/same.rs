//! Payloads that are equal in every byte: one walk over one of them.

use super::{PairWalk, Slices, ordered};
use crate::codec::cursor::Cursor;
use crate::diff::plan::Op;
use crate::error::fault::Walk;

impl PairWalk<'_> {
    /// Counts what both payloads hold, as comparing them would.
    pub(super) fn same(&mut self, ops: &[Op], cursor: &mut Cursor<'_>) -> Walk<()> {
        for op in ops {
            match op {
                Op::Run { primitive, total, parts } => {
                    let size = primitive.size();
                    let bytes = ordered(cursor.run(size, *total)?, size, cursor);
                    let all = Slices { a: &bytes, b: &bytes, equal: true };
                    let mut from = 0;
                    for part in parts {
                        let len = part.count * size;
                        self.numbers(*primitive, part, all.part(from, len));
                        from += len;
                    }
                }
                Op::Sequence { primitive, bound, elements } => {
                    let size = primitive.size();
                    let n = cursor.length(*bound, size)?;
                    let bytes = ordered(cursor.run(size, n)?, size, cursor);
                    let all = Slices { a: &bytes, b: &bytes, equal: true };
                    for part in elements.parts(0, n) {
                        let (from, len) = (part.first * size, part.count * size);
                        self.numbers(*primitive, &part, all.part(from, len));
                    }
                }
                Op::Text { text, leaf } => {
                    text.step_over(cursor)?;
                    self.same_texts(*leaf, 1);
                }
                Op::Texts { text, count, elements } => {
                    let n = count.read(cursor, 4)?;
                    for _ in 0..n {
                        text.step_over(cursor)?;
                    }
                    for part in elements.parts(0, n) {
                        self.same_texts(part.leaf, part.count as u64);
                    }
                }
                // Each element is its own partner, whether or not their order
                // says something.
                Op::Records(records) => {
                    for index in 0..records.count.read(cursor, records.min_size[0])? {
                        self.indices.push(index);
                        self.same(records.ops(index), cursor)?;
                        self.indices.pop();
                        let uncounted = records.uncounted;
                        if let Some(stats) =
                            uncounted.and_then(|leaf| self.partial.leaves.get_mut(leaf))
                        {
                            stats.compared += 1;
                        }
                    }
                }
                Op::Multiset(multiset) => self.multiset(multiset, &mut cursor.clone(), cursor)?,
                Op::Empty => {
                    cursor.bytes(1)?;
                }
                // Where fields differ, the same bytes don't mean the same.
                Op::ByName(by_name) => self.by_name(by_name, &mut cursor.clone(), cursor)?,
            }
        }
        Ok(())
    }

    fn same_texts(&mut self, leaf: usize, count: u64) {
        let ignore = self.plan.leaves.get(leaf).is_some_and(|leaf| leaf.close.ignore);
        if let Some(stats) = self.partial.leaves.get_mut(leaf) {
            match ignore {
                true => stats.ignored += count,
                false => stats.compared += count,
            }
        }
    }
}
