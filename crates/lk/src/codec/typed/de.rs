//! From a payload to a Rust value, as the schema says.

mod parts;
mod skip;
mod stop;

use serde::de::{self, IntoDeserializer, Visitor};

use crate::codec::cursor::Cursor;
use crate::codec::layout::Count;
use crate::codec::number::Number;
use crate::error::fault::Walk;
use crate::schema::Primitive;

use super::slot::{HELD, Slot, What, is_tuple};
use super::variant;
use parts::{Fields, Items};
use skip::skip;
use stop::Stop;

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

    /// Reads a number that a message just holds. Apart from reading a plain
    /// one, and not by calling that again, so that that one is inlined.
    #[cold]
    fn held_number<T: Number>(self, wanted: &[Primitive]) -> Result<T, Stop> {
        match self.slot.held().and_then(Slot::primitive) {
            Some(primitive) if wanted.contains(&primitive) => {
                self.cursor.number().map_err(|fault| Stop::from(fault).in_field(HELD))
            }
            _ => self.refused(wanted[0].name()),
        }
    }

    fn items<V: Visitor<'de>>(self, count: usize, visitor: V) -> Result<V::Value, Stop> {
        Items::elements(self.cursor, self.slot.element(), count).read(visitor)
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident $type:ty, $($primitive:ident)|*;)*) => {
        $(#[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
            match self.slot.primitive() {
                Some($(Primitive::$primitive)|*) => visitor.$visit(self.cursor.number()?),
                _ => {
                    let number: $type = self.held_number(&[$(Primitive::$primitive),*])?;
                    visitor.$visit(number).map_err(|stop: Stop| stop.in_field(HELD))
                }
            }
        })*
    };
}

impl<'de> de::Deserializer<'de> for Deserializer<'_, 'de, '_> {
    type Error = Stop;

    numbers! {
        deserialize_i8 visit_i8 i8, Int8;
        deserialize_i16 visit_i16 i16, Int16;
        deserialize_i32 visit_i32 i32, Int32;
        deserialize_i64 visit_i64 i64, Int64;
        deserialize_u8 visit_u8 u8, Uint8 | Byte | Char;
        deserialize_u16 visit_u16 u16, Uint16;
        deserialize_u32 visit_u32 u32, Uint32;
        deserialize_u64 visit_u64 u64, Uint64;
        deserialize_f32 visit_f32 f32, Float32;
        deserialize_f64 visit_f64 f64, Float64;
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        match self.slot.primitive() {
            Some(Primitive::Bool) => {
                let byte = self.cursor.bytes(1)?;
                self.cursor.check_bools(byte)?;
                visitor.visit_bool(byte == [1])
            }
            _ => self.held_or_refused("bool", |held| held.deserialize_bool(visitor)),
        }
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        match self.slot.primitive() {
            Some(Primitive::Uint32) => {
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
        match (self.slot.count(), self.slot.what()) {
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
        let What::Primitive(Primitive::Uint8 | Primitive::Byte | Primitive::Char) =
            self.slot.what()
        else {
            return self.held_or_refused("bytes", |held| held.deserialize_bytes(visitor));
        };
        let length = match self.slot.count() {
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
        match self.slot.count() {
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
        match self.slot.count() {
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
        match (self.slot.count(), self.slot.message()) {
            (Count::Array(count), _) if count == length => self.items(count, visitor),
            (_, Some(layout)) if layout.fields.len() == length && is_tuple(layout) => {
                if length == 0 {
                    self.cursor.bytes(1)?;
                }
                Items::message(self.cursor, layout).read(visitor)
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
        Fields::new(self.cursor, layout).read(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let (Some(primitive), Some((layout, field))) = (self.slot.primitive(), self.slot.origin())
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
