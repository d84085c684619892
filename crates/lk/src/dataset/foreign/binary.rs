//! What MessagePack and CBOR have in common: items of a kind and a length, one
//! after the other, read strictly and without believing a length.

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

/// Lists and maps inside each other; far more than a message type may have.
const MAX_DEPTH: usize = 128;

type Error = serde::de::value::Error;

/// The head of an item, and what it holds where that is no item itself.
#[derive(Debug, PartialEq)]
pub(super) enum Item<'a> {
    Null,
    Bool(bool),
    Int(i128),
    Single(f32),
    Float(f64),
    Text(&'a str),
    Bytes(&'a [u8]),
    /// So many items, or up to an end.
    List(Option<u64>),
    /// So many pairs of items, or up to an end.
    Map(Option<u64>),
    /// Ends a list or a map whose length isn't said.
    End,
    /// Well formed, and nothing that a message type has.
    Other(&'static str),
}

/// What reads the items of one format.
pub(super) trait Items<'a> {
    /// The next one; a reason where there is none.
    fn next(&mut self, bytes: &mut Bytes<'a>) -> Result<Item<'a>, String>;
}

/// Bytes that are not read yet.
pub(super) struct Bytes<'a> {
    rest: &'a [u8],
}

impl<'a> Bytes<'a> {
    pub(super) fn take(&mut self, n: u64) -> Result<&'a [u8], String> {
        let split = usize::try_from(n).ok().and_then(|n| self.rest.split_at_checked(n));
        let Some((taken, rest)) = split else {
            return Err(format!("{n} bytes are wanted where {} are left", self.rest.len()));
        };
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let taken = self.take(N as u64)?;
        taken.try_into().map_err(|_| "too few bytes are left".to_owned())
    }

    pub(super) fn text(&mut self, n: u64) -> Result<&'a str, String> {
        let taken = self.take(n)?;
        std::str::from_utf8(taken).map_err(|_| "a text is not UTF-8".to_owned())
    }
}

/// Reads a payload that is one item; a reason, with the offset, where it isn't.
pub(super) fn read<'a, S: DeserializeSeed<'a>>(
    payload: &'a [u8],
    items: impl Items<'a>,
    seed: S,
) -> Result<S::Value, String> {
    let bytes = Bytes { rest: payload };
    let mut reader = Reader { bytes, items, depth: 0, peeked: None };
    let value = seed.deserialize(&mut reader);
    let at = payload.len() - reader.bytes.rest.len();
    let value = value.map_err(|e| format!("{e} at byte {at}"))?;
    match payload.len() - at {
        0 => Ok(value),
        n => Err(format!("{n} bytes are left over at byte {at}")),
    }
}

struct Reader<'a, I> {
    bytes: Bytes<'a>,
    items: I,
    depth: usize,
    /// Read already, to see whether it was an end.
    peeked: Option<Item<'a>>,
}

impl<'a, I: Items<'a>> Reader<'a, I> {
    fn next(&mut self) -> Result<Item<'a>, Error> {
        match self.peeked.take() {
            Some(item) => Ok(item),
            None => self.items.next(&mut self.bytes).map_err(Error::custom),
        }
    }

    /// Whether another item of a list or a map comes.
    fn more(&mut self, left: &mut Option<u64>) -> Result<bool, Error> {
        match left {
            Some(0) => Ok(false),
            Some(n) => {
                *n -= 1;
                Ok(true)
            }
            None => {
                let item = self.next()?;
                let more = item != Item::End;
                self.peeked = more.then_some(item);
                Ok(more)
            }
        }
    }

    fn enter<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        if self.depth == MAX_DEPTH {
            return Err(Error::custom(format_args!("it is nested over {MAX_DEPTH} levels deep")));
        }
        self.depth += 1;
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }
}

impl<'a, I: Items<'a>> Deserializer<'a> for &mut Reader<'a, I> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.next()? {
            Item::Null => visitor.visit_unit(),
            Item::Bool(v) => visitor.visit_bool(v),
            Item::Int(v) => match (i64::try_from(v), u64::try_from(v)) {
                (Ok(v), _) => visitor.visit_i64(v),
                (_, Ok(v)) => visitor.visit_u64(v),
                _ => visitor.visit_i128(v),
            },
            Item::Single(v) => visitor.visit_f32(v),
            Item::Float(v) => visitor.visit_f64(v),
            Item::Text(v) => visitor.visit_borrowed_str(v),
            Item::Bytes(v) => visitor.visit_borrowed_bytes(v),
            Item::List(left) => self.enter(|reader| {
                let mut members = Members { reader, left };
                let value = visitor.visit_seq(&mut members)?;
                members.finish(value)
            }),
            Item::Map(left) => self.enter(|reader| {
                let mut members = Members { reader, left };
                let value = visitor.visit_map(&mut members)?;
                members.finish(value)
            }),
            Item::End => Err(Error::custom("an end comes where nothing was begun")),
            // The visitor of shapes takes it for what has no type.
            Item::Other(what) => visitor.visit_newtype_struct(BorrowedStrDeserializer::new(what)),
        }
    }

    /// An optional field: nothing, or the item itself.
    fn deserialize_option<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.next()? {
            Item::Null => visitor.visit_none(),
            item => {
                self.peeked = Some(item);
                visitor.visit_some(self)
            }
        }
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    forward_to_deserialize_any! {
        <W: Visitor<'a>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// The items of a list, or the pairs of a map.
struct Members<'r, 'a, I> {
    reader: &'r mut Reader<'a, I>,
    left: Option<u64>,
}

impl<'a, I: Items<'a>> Members<'_, 'a, I> {
    /// The value, where all of it was read.
    fn finish<T>(self, value: T) -> Result<T, Error> {
        match self.left {
            Some(n) if n > 0 => Err(Error::custom("there are more items than are wanted")),
            _ => Ok(value),
        }
    }
}

impl<'a, I: Items<'a>> SeqAccess<'a> for Members<'_, 'a, I> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'a>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        match self.reader.more(&mut self.left)? {
            true => seed.deserialize(&mut *self.reader).map(Some),
            false => Ok(None),
        }
    }
}

impl<'a, I: Items<'a>> MapAccess<'a> for Members<'_, 'a, I> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'a>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        match self.reader.more(&mut self.left)? {
            true => seed.deserialize(&mut *self.reader).map(Some),
            false => Ok(None),
        }
    }

    fn next_value_seed<S: DeserializeSeed<'a>>(&mut self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(&mut *self.reader)
    }
}
