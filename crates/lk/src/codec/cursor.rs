//! Reading a payload: header, bounds, alignment and byte order.
//!
//! A cursor knows no schema. Every read is checked against the bytes that are
//! left before anything is allocated, and a failed read leaves the offset of
//! what didn't fit.

use super::number::Number;
use crate::error::fault::{Fault, Walk};

/// Bytes of the encapsulation header before the first field.
pub(crate) const HEADER_LEN: usize = 4;

/// Zero bytes after the last field that are taken for padding: DDS rounds a
/// payload up to a multiple of four.
const MAX_PADDING: usize = 3;

/// A position in a payload. Copying it is how to look ahead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    /// What follows the header; alignment counts from its start.
    body: &'a [u8],
    pos: usize,
    big_endian: bool,
}

impl<'a> Cursor<'a> {
    /// Reads the header of a payload and stands before its first field.
    pub(crate) fn new(payload: &'a [u8]) -> Walk<Cursor<'a>> {
        let Some((header, body)) = payload.split_first_chunk::<HEADER_LEN>() else {
            let len = payload.len();
            return Err(Fault::new(
                0,
                format!("the payload ends in its 4-byte header, after {}", bytes(len)),
            ));
        };
        // RTPS 2.5, 10.2.1.2: representation identifiers. The two bytes of
        // options carry nothing in plain CDR.
        let big_endian = match [header[0], header[1]] {
            [0, 0] => true,
            [0, 1] => false,
            [0, 2 | 3] => {
                return Err(Fault::new(0, "parameter-list CDR is not read, plain CDR is"));
            }
            [0, 6..=0x0b] => return Err(Fault::new(0, "XCDR2 is not read, plain CDR (XCDR1) is")),
            [a, b] => {
                return Err(Fault::new(0, format!("header {a:02x} {b:02x} is not that of CDR")));
            }
        };
        Ok(Cursor { body, pos: 0, big_endian })
    }

    /// Offset in the payload, its header included.
    #[inline]
    pub(crate) fn offset(&self) -> usize {
        self.pos + HEADER_LEN
    }

    /// Whether numbers lie with their highest byte first.
    #[inline]
    pub(crate) fn big_endian(&self) -> bool {
        self.big_endian
    }

    /// Bytes that are left.
    #[inline]
    pub(crate) fn remaining(&self) -> usize {
        self.body.len() - self.pos
    }

    /// Skips the padding before a number of `size` bytes (1, 2, 4 or 8). May
    /// stop short at the end of the payload, where the next read fails.
    #[inline]
    pub(crate) fn align(&mut self, size: usize) {
        let aligned = (self.pos + size - 1) & !(size - 1);
        self.pos = aligned.min(self.body.len());
    }

    /// The next `len` bytes as they are.
    #[inline]
    pub(crate) fn bytes(&mut self, len: usize) -> Walk<&'a [u8]> {
        match self.body[self.pos..].split_at_checked(len) {
            Some((bytes, _)) => {
                self.pos += len;
                Ok(bytes)
            }
            None => Err(self.too_short(len)),
        }
    }

    /// The bytes of `count` adjacent numbers of `size` bytes each, aligned.
    /// Where they don't fit, the fault names the first one that doesn't.
    #[inline]
    pub(crate) fn run(&mut self, size: usize, count: usize) -> Walk<&'a [u8]> {
        if count == 0 {
            return Ok(&[]);
        }
        self.align(size);
        let whole = self.remaining() / size;
        if whole < count {
            self.pos += whole * size;
            return Err(self.too_short(size).at_element(whole));
        }
        self.bytes(size * count)
    }

    /// The next number, aligned.
    #[inline]
    pub(crate) fn number<T: Number>(&mut self) -> Walk<T> {
        self.align(T::SIZE);
        match T::read(&self.body[self.pos..], self.big_endian) {
            Some(number) => {
                self.pos += T::SIZE;
                Ok(number)
            }
            None => Err(self.too_short(T::SIZE)),
        }
    }

    /// The length of a sequence whose elements take at least `min_size` bytes
    /// each; refused where the rest of the payload can't hold that many.
    #[inline]
    pub(crate) fn length(&mut self, bound: Option<usize>, min_size: usize) -> Walk<usize> {
        self.align(4);
        let offset = self.offset();
        let len = self.number::<u32>()? as usize;
        if let Some(bound) = bound.filter(|bound| len > *bound) {
            return Err(Fault::new(offset, format!("{len} elements, at most {bound} are allowed")));
        }
        if len > self.remaining() / min_size {
            let left = self.remaining();
            return Err(Fault::new(
                offset,
                format!("{len} elements don't fit in the {} left", bytes(left)),
            ));
        }
        Ok(len)
    }

    /// UTF-8 text: a length that counts the NUL at its end, then the bytes.
    ///
    /// Length 0 is read as empty text too: Fast-CDR writes that for a null
    /// pointer.
    #[inline]
    pub(crate) fn string(&mut self, bound: Option<usize>) -> Walk<&'a str> {
        self.align(4);
        let offset = self.offset();
        let len = self.number::<u32>()? as usize;
        if len > self.remaining() {
            let left = self.remaining();
            return Err(Fault::new(
                offset,
                format!("text of {} doesn't fit in the {} left", bytes(len), bytes(left)),
            ));
        }
        let start = self.offset();
        let text = match self.bytes(len)? {
            [] => return Ok(""),
            [text @ .., 0] => text,
            _ => {
                return Err(Fault::new(start + len - 1, "text doesn't end in a NUL byte"));
            }
        };
        if let Some(bound) = bound.filter(|bound| text.len() > *bound) {
            let len = text.len();
            return Err(Fault::new(
                offset,
                format!("text of {}, at most {bound} are allowed", bytes(len)),
            ));
        }
        std::str::from_utf8(text)
            .map_err(|e| Fault::new(start + e.valid_up_to(), "text is not UTF-8"))
    }

    /// The UTF-16 code units of wide text: their count, then two bytes each,
    /// without a terminator.
    ///
    /// That is what Fast-CDR 2 writes (`Cdr::serialize(const wchar_t*)`), and
    /// with it ROS 2 since Jazzy. Fast-CDR 1 and the legacy form of
    /// rmw_cyclonedds wrote `sizeof(wchar_t)` bytes a unit, four on Linux;
    /// nothing in a payload tells the two apart, so that one is not read.
    pub(crate) fn wide_units(&mut self, bound: Option<usize>) -> Walk<&'a [u8]> {
        self.align(4);
        let offset = self.offset();
        let units = self.number::<u32>()? as usize;
        if let Some(bound) = bound.filter(|bound| units > *bound) {
            return Err(Fault::new(
                offset,
                format!("wide text of {units} code units, at most {bound} are allowed"),
            ));
        }
        if units > self.remaining() / 2 {
            let left = self.remaining();
            return Err(Fault::new(
                offset,
                format!("wide text of {units} code units doesn't fit in the {} left", bytes(left)),
            ));
        }
        self.bytes(units * 2)
    }

    /// Wide text as UTF-8, appended to `out`.
    pub(crate) fn wstring(&mut self, bound: Option<usize>, out: &mut String) -> Walk<()> {
        let units = self.wide_units(bound)?;
        let start = self.offset() - units.len();
        let (pairs, _) = units.as_chunks::<2>();
        let big_endian = self.big_endian;
        let decoded = char::decode_utf16(pairs.iter().map(|pair| {
            if big_endian { u16::from_be_bytes(*pair) } else { u16::from_le_bytes(*pair) }
        }));
        let mut at = 0;
        for c in decoded {
            let c = c.map_err(|_| {
                Fault::new(start + 2 * at, "wide text has half of a surrogate pair")
            })?;
            at += c.len_utf16();
            out.push(c);
        }
        Ok(())
    }

    /// The first byte of a run of bools that is neither 0 nor 1.
    #[inline]
    pub(crate) fn check_bools(&self, bytes: &[u8]) -> Walk<()> {
        // Folding first keeps the common case free of branches.
        if bytes.iter().fold(0, |all, byte| all | byte) <= 1 {
            return Ok(());
        }
        let bad = bytes.iter().position(|byte| *byte > 1).unwrap_or_default();
        let offset = self.offset() - bytes.len() + bad;
        Err(Fault::new(offset, format!("bool is {}, not 0 or 1", bytes[bad])).at_element(bad))
    }

    /// Checks that nothing but padding follows the last field.
    pub(crate) fn finish(self) -> Walk<()> {
        let rest = &self.body[self.pos..];
        if rest.len() <= MAX_PADDING && rest.iter().all(|byte| *byte == 0) {
            return Ok(());
        }
        let len = rest.len();
        Err(Fault::new(
            self.offset(),
            format!("{} after the last field; is it of another type?", bytes(len)),
        ))
    }

    #[cold]
    fn too_short(&self, wanted: usize) -> Box<Fault> {
        let left = self.remaining();
        Fault::new(self.offset(), format!("{} wanted, {left} left", bytes(wanted)))
    }
}

/// `1 byte`, `2 bytes`.
fn bytes(n: usize) -> String {
    format!("{n} {}", if n == 1 { "byte" } else { "bytes" })
}
