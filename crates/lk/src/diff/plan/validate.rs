//! Whether a payload can be decoded at all, found out before anything of it
//! is counted: a message is compared whole, or is an error.

use super::{Op, SidePlan};
use crate::codec::cursor::Cursor;
use crate::codec::layout::Count;
use crate::error::Error;
use crate::error::fault::Walk;
use crate::schema::Primitive;

impl SidePlan {
    /// Steps over the whole payload.
    ///
    /// # Errors
    ///
    /// [`Error::Decode`], naming the field and the offset.
    pub(in crate::diff) fn check(&self, payload: &[u8]) -> Result<(), Error> {
        let checked = Cursor::new(payload).and_then(|mut cursor| {
            step_over(&self.ops, &mut cursor)?;
            cursor.finish()
        });
        checked.map_err(|fault| {
            // The steps know no names; the decoder does.
            let named = self.codec.decode(payload).err();
            named.unwrap_or_else(|| fault.into_decode(self.codec.schema().name()))
        })
    }
}

/// Moves over fields, checking what decoding would check.
pub(in crate::diff) fn step_over(ops: &[Op], cursor: &mut Cursor<'_>) -> Walk<()> {
    for op in ops {
        match op {
            Op::Run { primitive, total, .. } => {
                let bytes = cursor.run(primitive.size(), *total)?;
                if *primitive == Primitive::Bool {
                    cursor.check_bools(bytes)?;
                }
            }
            Op::Sequence { primitive, bound, .. } => {
                let len = cursor.length(*bound, primitive.size())?;
                let bytes = cursor.run(primitive.size(), len)?;
                if *primitive == Primitive::Bool {
                    cursor.check_bools(bytes)?;
                }
            }
            Op::Text { text, .. } => text.step_over(cursor)?,
            Op::Texts { text, count, .. } => {
                for _ in 0..count.read(cursor, 4)? {
                    text.step_over(cursor)?;
                }
            }
            Op::Records(records) => {
                for index in 0..records.count.read(cursor, records.min_size[0])? {
                    step_over(records.ops(index), cursor)?;
                }
            }
            Op::Multiset(multiset) => drop(multiset.step_over(cursor)?),
            Op::Empty => {
                cursor.bytes(1)?;
            }
            // Only in the walk of pairs.
            Op::ByName(by_name) => {
                for field in &by_name.reference {
                    step_over(field, cursor)?;
                }
            }
        }
    }
    Ok(())
}

impl super::Text {
    /// Moves over it, checking that it is one.
    pub(in crate::diff) fn step_over(self, cursor: &mut Cursor<'_>) -> Walk<()> {
        if self.wide {
            return cursor.wstring(self.bound, &mut String::new());
        }
        cursor.string(self.bound).map(drop)
    }
}

impl Count {
    /// How many elements there are, each of at least `min_size` bytes.
    pub(in crate::diff) fn read(self, cursor: &mut Cursor<'_>, min_size: usize) -> Walk<usize> {
        match self {
            Count::One => Ok(1),
            Count::Array(len) => Ok(len),
            Count::Sequence(bound) => cursor.length(bound, min_size),
        }
    }
}
