//! From a payload to a Rust value, as the schema says.

use std::fmt;

use serde::de::{self, DeserializeSeed, IntoDeserializer, Visitor};

use crate::codec::cursor::Cursor;
use crate::codec::fault::{Fault, Walk};
use crate::codec::layout::{Count, Layout};
use crate::schema::Primitive;

use super::slot::{HELD, Slot, What, is_tuple};
use super::variant;

/// Why reading stopped. What a type itself reports has no place at first.
#[derive(Debug)]
pub(super) struct Stop {
    fault: Box<Fault>,
}

const NO_PLACE: usize = usize::MAX;

impl Stop {
    fn new(offset: usize, reason: impl Into<String>) -> Stop {
        Stop { fault: Fault::new(offset, reason) }
    }

    /// Gives the value's offset to what has none.
    #[cold]
    pub(super) fn or_at(mut self, offset: usize) -> Stop {
        if self.fault.offset == NO_PLACE {
            self.fault.offset = offset;
        }
        self
    }

    fn in_field(self, name: &str) -> Stop {
        Stop { fault: self.fault.in_field(name) }
    }

    fn in_element(self, index: usize) -> Stop {
        Stop { fault: self.fault.in_element(index) }
    }

    pub(super) fn into_fault(self) -> Box<Fault> {
        self.fault
    }
}

impl From<Box<Fault>> for Stop {
    fn from(fault: Box<Fault>) -> Stop {
        Stop { fault }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.fault.reason)
    }
}

impl std::error::Error for Stop {}

impl de::Error for Stop {
    fn custom<T: fmt::Display>(reason: T) -> Stop {
        Stop::new(NO_PLACE, reason.to_string())
    }

    fn missing_field(field: &'static str) -> Stop {
        Stop::new(NO_PLACE, "the type wants it, and the message has no such field").in_field(field)
    }
}

/// Reads one value from one slot.
pub(super) struct Deserializer<'a, 'de, 'p> {
    cursor: &'a mut Cursor<'de>,
    slot: Slot<'p>,
}

impl<'a, 'de, 'p> Deserializer<'a, 'de, 'p> {
    pub(super) fn new(cursor: &'a mut Cursor<'de>, slot: Slot<'p>) -> Self {
        Deserializer { cursor, slot }
    }

    /// Where a type doesn't want what is in the slot: it may want what the
    /// message there holds.
    fn held_or_refused<T>(
        self,
        wanted: &str,
        read: impl FnOnce(Deserializer<'a, 'de, 'p>) -> Result<T, Stop>,
    ) -> Result<T, Stop> {
        match self.slot.held() {
            Some(slot) => {
                read(Deserializer { cursor: self.cursor, slot }).map_err(|stop| stop.in_field(HELD))
            }
            None => self.refused(wanted),
        }
    }

    #[cold]
    fn refused<T>(self, wanted: &str) -> Result<T, Stop> {
        let Deserializer { cursor, slot } = self;
        Err(Stop::new(cursor.offset(), format!("the type wants {wanted}, the message has {slot}")))
    }

    fn items<V: Visitor<'de>>(self, count: usize, visitor: V) -> Result<V::Value, Stop> {
        let slot = self.slot.element();
        let mut items = Items { cursor: self.cursor, source: Source::Elements(slot), at: 0, count };
        let value = visitor.visit_seq(&mut items)?;
        items.finish(value)
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident $($primitive:ident)|*, $name:literal;)*) => {
        $(#[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
            match (self.slot.count, self.slot.what) {
                (Count::One, What::Primitive($(Primitive::$primitive)|*)) => {
                    visitor.$visit(self.cursor.number()?)
                }
                _ => self.held_or_refused($name, |held| held.$method(visitor)),
            }
        })*
    };
}

impl<'de> de::Deserializer<'de> for Deserializer<'_, 'de, '_> {
    type Error = Stop;

    numbers! {
        deserialize_i8 visit_i8 Int8, "int8";
        deserialize_i16 visit_i16 Int16, "int16";
        deserialize_i32 visit_i32 Int32, "int32";
        deserialize_i64 visit_i64 Int64, "int64";
        deserialize_u8 visit_u8 Uint8 | Byte | Char, "uint8";
        deserialize_u16 visit_u16 Uint16, "uint16";
        deserialize_u32 visit_u32 Uint32, "uint32";
        deserialize_u64 visit_u64 Uint64, "uint64";
        deserialize_f32 visit_f32 Float32, "float32";
        deserialize_f64 visit_f64 Float64, "float64";
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        match (self.slot.count, self.slot.what) {
            (Count::One, What::Primitive(Primitive::Bool)) => {
                let byte = self.cursor.bytes(1)?;
                self.cursor.check_bools(byte)?;
                visitor.visit_bool(byte == [1])
            }
            _ => self.held_or_refused("bool", |held| held.deserialize_bool(visitor)),
        }
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        match (self.slot.count, self.slot.what) {
            (Count::One, What::Primitive(Primitive::Uint32)) => {
                let number: u32 = self.cursor.number()?;
                let offset = self.cursor.offset() - size_of::<u32>();
                let c = char::from_u32(number).ok_or_else(|| {
                    Stop::new(offset, format!("{number} is not the code point of a character"))
                })?;
                visitor.visit_char(c)
            }
            _ => self.held_or_refused("a char (uint32)", |held| held.deserialize_char(visitor)),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        match (self.slot.count, self.slot.what) {
            (Count::One, What::String(bound)) => {
                visitor.visit_borrowed_str(self.cursor.string(bound)?)
            }
            (Count::One, What::WString(bound)) => {
                let mut text = String::new();
                self.cursor.wstring(bound, &mut text)?;
                visitor.visit_string(text)
            }
            _ => self.held_or_refused("string", |held| held.deserialize_str(visitor)),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        let What::Primitive(Primitive::Uint8 | Primitive::Byte | Primitive::Char) = self.slot.what
        else {
            return self.held_or_refused("bytes", |held| held.deserialize_bytes(visitor));
        };
        let length = match self.slot.count {
            Count::One => {
                return self.held_or_refused("bytes", |held| held.deserialize_bytes(visitor));
            }
            Count::Array(length) => length,
            Count::Sequence(bound) => self.cursor.length(bound, 1)?,
        };
        visitor.visit_borrowed_bytes(self.cursor.bytes(length)?)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        match self.slot.count {
            Count::Sequence(bound @ Some(1)) => {
                match self.cursor.length(bound, self.slot.min_size())? {
                    0 => visitor.visit_none(),
                    _ => visitor.visit_some(Deserializer::new(self.cursor, self.slot.element())),
                }
            }
            _ => self.held_or_refused("an Option", |held| held.deserialize_option(visitor)),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        match self.slot.message() {
            Some(layout) if layout.fields.is_empty() => {
                self.cursor.bytes(1)?;
                visitor.visit_unit()
            }
            _ => self.held_or_refused("a unit", |held| held.deserialize_unit(visitor)),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        match self.slot.count {
            Count::One => self.held_or_refused("a sequence", |held| held.deserialize_seq(visitor)),
            Count::Array(count) => self.items(count, visitor),
            Count::Sequence(bound) => {
                let count = self.cursor.length(bound, self.slot.min_size())?;
                self.items(count, visitor)
            }
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        match (self.slot.count, self.slot.message()) {
            (Count::Array(count), _) if count == length => self.items(count, visitor),
            (_, Some(layout)) if layout.fields.len() == length && is_tuple(layout) => {
                if length == 0 {
                    self.cursor.bytes(1)?;
                }
                let source = Source::Message(layout);
                let mut items = Items { cursor: self.cursor, source, at: 0, count: length };
                let value = visitor.visit_seq(&mut items)?;
                items.finish(value)
            }
            _ => {
                let wanted = format!("{length} elements");
                self.held_or_refused(&wanted, |held| held.deserialize_tuple(length, visitor))
            }
        }
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.deserialize_tuple(length, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let Some(layout) = self.slot.message() else {
            return self.refused(&format!("struct {name}"));
        };
        if layout.fields.is_empty() {
            self.cursor.bytes(1)?;
        }
        let mut fields = Fields { cursor: self.cursor, layout, next: 0 };
        let value = visitor.visit_map(&mut fields)?;
        if fields.next < layout.fields.len() {
            let offset = fields.cursor.offset();
            return Err(Stop::new(offset, "the type stops reading before this field")
                .in_field(&layout.ty.fields[fields.next].name));
        }
        Ok(value)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let (Count::One, What::Primitive(primitive), Some((layout, field))) =
            (self.slot.count, self.slot.what, self.slot.field)
        else {
            return self
                .held_or_refused("an enum", |held| held.deserialize_enum(name, variants, visitor));
        };
        let Some(number) = read_integer(self.cursor, primitive)? else {
            return self.refused("an enum");
        };
        let offset = self.cursor.offset() - primitive.size();
        let variant = variant::name(layout, field, number, variants).ok_or_else(|| {
            let known = variant::known(layout, field);
            let reason = format!("{number} is no variant of {name}; constants here: {known}");
            Stop::new(offset, reason)
        })?;
        visitor.visit_enum(IntoDeserializer::<Stop>::into_deserializer(variant))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        skip(self.cursor, self.slot)?;
        visitor.visit_unit()
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Stop> {
        self.refused("to learn from the data what it is (untagged or internally tagged)")
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.deserialize_any(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Stop> {
        self.refused("a map (or a flattened struct)")
    }

    fn deserialize_i128<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Stop> {
        self.refused("an integer of 128 bits")
    }

    fn deserialize_u128<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Stop> {
        self.refused("an integer of 128 bits")
    }
}

fn read_integer(cursor: &mut Cursor<'_>, primitive: Primitive) -> Walk<Option<i128>> {
    Ok(Some(match primitive {
        Primitive::Int8 => i128::from(cursor.number::<i8>()?),
        Primitive::Uint8 | Primitive::Byte | Primitive::Char => i128::from(cursor.number::<u8>()?),
        Primitive::Int16 => i128::from(cursor.number::<i16>()?),
        Primitive::Uint16 => i128::from(cursor.number::<u16>()?),
        Primitive::Int32 => i128::from(cursor.number::<i32>()?),
        Primitive::Uint32 => i128::from(cursor.number::<u32>()?),
        Primitive::Int64 => i128::from(cursor.number::<i64>()?),
        Primitive::Uint64 => i128::from(cursor.number::<u64>()?),
        Primitive::Bool | Primitive::Float32 | Primitive::Float64 => return Ok(None),
    }))
}

/// Passes over a slot, with the checks that reading it would make.
fn skip(cursor: &mut Cursor<'_>, slot: Slot<'_>) -> Walk<()> {
    let count = match slot.count {
        Count::One => 1,
        Count::Array(count) => count,
        Count::Sequence(bound) => cursor.length(bound, slot.min_size())?,
    };
    let many = slot.count != Count::One;
    let at =
        |index: usize| move |fault: Box<Fault>| if many { fault.in_element(index) } else { fault };
    match slot.what {
        What::Primitive(primitive) => {
            let skipped = cursor.run(primitive.size(), count).and_then(|bytes| match primitive {
                Primitive::Bool => cursor.check_bools(bytes),
                _ => Ok(()),
            });
            skipped.map_err(|mut fault| match fault.element.take() {
                Some(index) => at(index)(fault),
                None => fault,
            })
        }
        What::String(bound) => {
            (0..count).try_for_each(|index| cursor.string(bound).map(drop).map_err(at(index)))
        }
        What::WString(bound) => {
            let mut text = String::new();
            (0..count).try_for_each(|index| {
                text.clear();
                cursor.wstring(bound, &mut text).map_err(at(index))
            })
        }
        What::Message(layout) => {
            (0..count).try_for_each(|index| skip_message(cursor, layout).map_err(at(index)))
        }
    }
}

fn skip_message(cursor: &mut Cursor<'_>, layout: &Layout) -> Walk<()> {
    if layout.fields.is_empty() {
        return cursor.bytes(1).map(drop);
    }
    for (index, field) in layout.ty.fields.iter().enumerate() {
        if let Some(slot) = Slot::field(layout, index) {
            skip(cursor, slot).map_err(|fault| fault.in_field(&field.name))?;
        }
    }
    Ok(())
}

/// The elements of an array, a sequence or a tuple.
struct Items<'a, 'de, 'p> {
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

impl Items<'_, '_, '_> {
    /// Reading on after a type that leaves elements unread would take them
    /// for something else.
    fn finish<T>(self, value: T) -> Result<T, Stop> {
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
        seed.deserialize(Deserializer::new(self.cursor, slot)).map(Some).map_err(|stop| {
            let stop = stop.or_at(start);
            match layout {
                None => stop.in_element(at),
                Some(layout) => stop.in_field(&layout.ty.fields[at].name),
            }
        })
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.count - self.at)
    }
}

/// The fields of a message, in its order.
struct Fields<'a, 'de, 'p> {
    cursor: &'a mut Cursor<'de>,
    layout: &'p Layout,
    next: usize,
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
        seed.deserialize(Deserializer::new(self.cursor, slot))
            .map_err(|stop| stop.or_at(start).in_field(&layout.ty.fields[index].name))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.layout.fields.len() - self.next)
    }
}
