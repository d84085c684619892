//! Reading the numbers of a payload in order.

use lk::schema::Primitive;

use crate::encode::HEADER;
use crate::kind::{Kind, Length};

/// Why a payload can't be read: expected and actual.
pub(crate) type Read<T> = Result<T, String>;

/// A place in a little-endian payload.
pub(crate) struct Cursor<'a> {
    /// What follows the header.
    body: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(payload: &'a [u8]) -> Read<Cursor<'a>> {
        match payload.split_at_checked(HEADER.len()) {
            Some((header, body)) if header[..2] == HEADER[..2] => Ok(Cursor { body, at: 0 }),
            Some((header, _)) => Err(format!("a header {header:?} is none of CDR")),
            None => Err("the payload ends within its header".to_owned()),
        }
    }

    /// Whether a payload is of the other byte order.
    pub(crate) fn is_big_endian(payload: &[u8]) -> bool {
        payload.starts_with(&[0, 0])
    }

    pub(crate) fn align(&mut self, size: usize) {
        self.at += self.at.wrapping_neg() & (size - 1);
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Read<&'a [u8]> {
        let end = self.at.checked_add(count);
        match end.and_then(|end| self.body.get(self.at..end)) {
            Some(bytes) => {
                self.at += count;
                Ok(bytes)
            }
            None => {
                let left = self.body.len().saturating_sub(self.at);
                Err(format!("{count} bytes are expected at byte {}, and {left} left", self.at + 4))
            }
        }
    }

    /// So many adjacent numbers of this size.
    pub(crate) fn numbers(&mut self, count: usize, size: usize) -> Read<&'a [u8]> {
        if count > 0 {
            self.align(size);
        }
        self.bytes(count.checked_mul(size).ok_or("a length is beyond memory")?)
    }

    pub(crate) fn number<const N: usize>(&mut self) -> Read<[u8; N]> {
        self.align(N);
        let bytes = self.bytes(N)?;
        bytes.try_into().map_err(|_| "a number is cut off".to_owned())
    }

    pub(crate) fn count(&mut self) -> Read<usize> {
        Ok(u32::from_le_bytes(self.number()?) as usize)
    }

    /// The elements of a sequence or an array.
    pub(crate) fn length(&mut self, length: Length) -> Read<usize> {
        match length {
            Length::Exactly(count) => Ok(count),
            Length::Any | Length::AtMost(_) => self.count(),
        }
    }

    /// The bytes of narrow text without its NUL.
    pub(crate) fn text(&mut self) -> Read<&'a [u8]> {
        let count = self.count()?;
        let bytes = self.bytes(count)?;
        match bytes.split_last() {
            Some((0, text)) => Ok(text),
            // Some writers have nothing at all for an empty text.
            None => Ok(bytes),
            Some(_) => Err("text doesn't end with a NUL".to_owned()),
        }
    }

    pub(crate) fn truth(&mut self) -> Read<bool> {
        match self.bytes(1)? {
            [0] => Ok(false),
            [1] => Ok(true),
            other => Err(format!("a bool is {}, not 0 or 1", other[0])),
        }
    }

    /// How many elements of a sequence of values can be there at all, for what
    /// is allocated ahead.
    pub(crate) fn at_most(&self, count: usize) -> usize {
        count.min(self.body.len().saturating_sub(self.at))
    }

    /// An absent value is none, a present one is one.
    pub(crate) fn present(&mut self) -> Read<bool> {
        match self.count()? {
            0 => Ok(false),
            1 => Ok(true),
            n => Err(format!("an optional value is there {n} times")),
        }
    }

    /// A NumPy array's shape, and the bytes of its elements.
    pub(crate) fn nd_array(&mut self, element: Primitive) -> Read<(Vec<usize>, &'a [u8])> {
        let dimensions = self.count()?;
        let extents = self.numbers(dimensions, 4)?;
        let (extents, _) = extents.as_chunks::<4>();
        let shape: Vec<usize> = extents.iter().map(|e| u32::from_le_bytes(*e) as usize).collect();
        let count = self.count()?;
        let product = shape.iter().try_fold(1_usize, |product, n| product.checked_mul(*n));
        if product != Some(count) {
            return Err(format!("an array of shape {shape:?} has {count} elements"));
        }
        Ok((shape, self.numbers(count, element.size())?))
    }

    /// Checks that nothing but padding follows the last field.
    pub(crate) fn finish(&self) -> Read<()> {
        let rest = self.body.get(self.at..).unwrap_or_default();
        if rest.len() > 3 || rest.iter().any(|byte| *byte != 0) {
            return Err(format!("{} bytes follow the last field", rest.len()));
        }
        Ok(())
    }

    /// Goes past a value.
    pub(crate) fn skip(&mut self, kind: &Kind) -> Read<()> {
        match kind {
            Kind::Bool => self.bytes(1).map(drop),
            Kind::Int(p) | Kind::Float(p) | Kind::Scalar(p, _) => {
                self.numbers(1, p.size()).map(drop)
            }
            Kind::Enum(e) => self.numbers(1, e.wire.size()).map(drop),
            Kind::Text { wide: true, .. } => {
                let count = self.count()?;
                self.bytes(count.saturating_mul(2)).map(drop)
            }
            Kind::Text { .. } | Kind::Bytes => {
                let count = self.count()?;
                self.bytes(count).map(drop)
            }
            // An empty message is one byte.
            Kind::Null => self.bytes(1).map(drop),
            Kind::Record(record) if record.fields.is_empty() => self.bytes(1).map(drop),
            Kind::Record(record) => {
                record.fields.iter().try_for_each(|member| self.skip(&member.kind))
            }
            Kind::Sequence(element, length, _) => {
                let count = self.length(*length)?;
                (0..count).try_for_each(|_| self.skip(element))
            }
            Kind::NdArray(element, _) => self.nd_array(*element).map(drop),
            Kind::Flat(element, length, _) => {
                let count = self.length(*length)?;
                self.numbers(count, element.size()).map(drop)
            }
            Kind::Shaped(element, shape, _) => {
                self.numbers(shape.iter().product(), element.size()).map(drop)
            }
            Kind::Optional(inner) => match self.present()? {
                true => self.skip(inner),
                false => Ok(()),
            },
        }
    }
}
