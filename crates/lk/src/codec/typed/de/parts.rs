//! What has parts: sequences, arrays, tuples and structs.

use serde::de::{self, DeserializeSeed, IntoDeserializer, Visitor};

use crate::codec::cursor::Cursor;
use crate::codec::layout::Layout;
use crate::codec::typed::slot::Slot;

use super::{Deserializer, Stop};

/// The elements of an array, a sequence or a tuple.
pub(super) struct Items<'a, 'de, 'p> {
    cursor: &'a mut Cursor<'de>,
    source: Source<'p>,
    at: usize,
    count: usize,
}

enum Source<'p> {
    Elements(Slot<'p>),
    /// The message of a tuple with unlike elements.
    Message(&'p Layout),
}

impl<'a, 'de, 'p> Items<'a, 'de, 'p> {
    /// The elements of an array or sequence, each in `slot`.
    pub(super) fn elements(cursor: &'a mut Cursor<'de>, slot: Slot<'p>, count: usize) -> Self {
        Items { cursor, source: Source::Elements(slot), at: 0, count }
    }

    /// The elements of a tuple, each in its field.
    pub(super) fn message(cursor: &'a mut Cursor<'de>, layout: &'p Layout) -> Self {
        Items { cursor, source: Source::Message(layout), at: 0, count: layout.fields.len() }
    }

    /// Has a type read them, all of them: what it left would be taken for
    /// what comes next.
    pub(super) fn read<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Stop> {
        let value = visitor.visit_seq(&mut self)?;
        let Items { at, count, .. } = self;
        if at == count {
            return Ok(value);
        }
        let reason = format!("the type reads {at} of {count} elements");
        Err(Stop::new(self.cursor.offset(), reason))
    }
}

impl<'de> de::SeqAccess<'de> for &mut Items<'_, 'de, '_> {
    type Error = Stop;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Stop> {
        let at = self.at;
        if at == self.count {
            return Ok(None);
        }
        let (slot, layout) = match self.source {
            Source::Elements(slot) => (slot, None),
            Source::Message(layout) => match Slot::field(layout, at) {
                Some(slot) => (slot, Some(layout)),
                None => return Ok(None),
            },
        };
        self.at += 1;
        let start = self.cursor.offset();
        match seed.deserialize(Deserializer::new(self.cursor, slot)) {
            Ok(value) => Ok(Some(value)),
            Err(stop) => Err(stop.or_at(start).in_part(at, layout)),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.count - self.at)
    }
}

/// The fields of a message, in its order.
pub(super) struct Fields<'a, 'de, 'p> {
    cursor: &'a mut Cursor<'de>,
    layout: &'p Layout,
    next: usize,
}

impl<'a, 'de, 'p> Fields<'a, 'de, 'p> {
    pub(super) fn new(cursor: &'a mut Cursor<'de>, layout: &'p Layout) -> Self {
        Fields { cursor, layout, next: 0 }
    }

    /// Has a type read them, all of them, or pass over them.
    pub(super) fn read<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Stop> {
        let value = visitor.visit_map(&mut self)?;
        match self.layout.ty.fields.get(self.next) {
            None => Ok(value),
            Some(field) => {
                let offset = self.cursor.offset();
                let stop = Stop::new(offset, "the type stops reading before this field");
                Err(stop.in_field(&field.name))
            }
        }
    }
}

impl<'de> de::MapAccess<'de> for &mut Fields<'_, 'de, '_> {
    type Error = Stop;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Stop> {
        match self.layout.ty.fields.get(self.next) {
            Some(field) => seed.deserialize(field.name.as_str().into_deserializer()).map(Some),
            None => Ok(None),
        }
    }

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Stop> {
        let (layout, index) = (self.layout, self.next);
        let Some(slot) = Slot::field(layout, index) else {
            return Err(Stop::new(self.cursor.offset(), "the type reads a value without a key"));
        };
        self.next += 1;
        let start = self.cursor.offset();
        match seed.deserialize(Deserializer::new(self.cursor, slot)) {
            Ok(value) => Ok(value),
            Err(stop) => Err(stop.or_at(start).in_part(index, Some(layout))),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.layout.fields.len() - self.next)
    }
}
