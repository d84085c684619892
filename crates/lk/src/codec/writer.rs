//! Writing a payload: header, alignment and lengths.

use super::cursor::HEADER_LEN;
use super::number::Number;
use crate::error::fault::{Fault, Walk};

/// Appends fields to a payload, always little-endian.
pub(crate) struct Writer<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> Writer<'a> {
    /// Empties `out` and writes the header into it.
    pub(crate) fn new(out: &'a mut Vec<u8>) -> Writer<'a> {
        out.clear();
        out.extend_from_slice(&[0, 1, 0, 0]);
        Writer { out }
    }

    /// Pads with zeros up to a multiple of `size` (1, 2, 4 or 8).
    #[inline]
    pub(crate) fn align(&mut self, size: usize) {
        let pos = self.out.len() - HEADER_LEN;
        let padding = pos.wrapping_neg() & (size - 1);
        if padding > 0 {
            self.out.extend_from_slice(&[0; 8][..padding]);
        }
    }

    /// Bytes as they are.
    #[inline]
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Adjacent numbers, aligned; nothing, no padding either, for none.
    #[inline]
    pub(crate) fn numbers<T: Number>(&mut self, values: &[T]) {
        if !values.is_empty() {
            self.align(T::SIZE);
            T::put(values, self.out);
        }
    }

    /// One number, aligned.
    #[inline]
    pub(crate) fn number<T: Number>(&mut self, value: T) {
        self.align(T::SIZE);
        value.write(self.out);
    }

    /// The length of a sequence.
    pub(crate) fn length(&mut self, len: usize, bound: Option<usize>) -> Walk<()> {
        if let Some(bound) = bound.filter(|bound| len > *bound) {
            return Err(Fault::new(0, format!("{len} elements, at most {bound} are allowed")));
        }
        self.count(len)
    }

    /// UTF-8 text: its length with the NUL at its end, then the bytes.
    pub(crate) fn string(&mut self, text: &str, bound: Option<usize>) -> Walk<()> {
        let len = text.len();
        if let Some(bound) = bound.filter(|bound| len > *bound) {
            return Err(Fault::new(0, format!("text of {len} bytes, at most {bound} are allowed")));
        }
        self.count(len.saturating_add(1))?;
        self.out.extend_from_slice(text.as_bytes());
        self.out.push(0);
        Ok(())
    }

    /// UTF-16 text: its code units' count, then the units, as
    /// [`Cursor::wide_units`](super::cursor::Cursor::wide_units) says.
    pub(crate) fn wstring(&mut self, text: &str, bound: Option<usize>) -> Walk<()> {
        let units = text.encode_utf16().count();
        if let Some(bound) = bound.filter(|bound| units > *bound) {
            return Err(Fault::new(
                0,
                format!("wide text of {units} code units, at most {bound} are allowed"),
            ));
        }
        self.count(units)?;
        self.out.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
        Ok(())
    }

    /// Offset in the payload, its header included.
    pub(crate) fn offset(&self) -> usize {
        self.out.len()
    }

    /// Puts another length where one was written, which ends at `end`.
    pub(crate) fn replace_length(
        &mut self,
        end: usize,
        len: usize,
        bound: Option<usize>,
    ) -> Walk<()> {
        // Written anew at the end of the payload, so that the same is checked.
        let start = self.out.len();
        self.length(len, bound)?;
        let written = self.out.len() - size_of::<u32>();
        self.out.copy_within(written.., end - size_of::<u32>());
        self.out.truncate(start);
        Ok(())
    }

    fn count(&mut self, len: usize) -> Walk<()> {
        let count = u32::try_from(len)
            .map_err(|_| Fault::new(0, format!("length {len} doesn't fit its 32 bits")))?;
        self.number(count);
        Ok(())
    }
}
