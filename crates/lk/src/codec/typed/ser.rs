//! From a Rust value to a payload, each part checked against the schema.

mod parts;

use serde::ser::{self, Serialize};

use crate::codec::layout::Count;
use crate::codec::number::Number;
use crate::codec::writer::Writer;
use crate::error::fault::{Fault, Walk};
use crate::schema::Primitive;

use super::slot::{HELD, Slot, What, is_tuple};
use super::variant;
use parts::{Fields, Items, check_count};

type Result<T> = Walk<T>;

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Fault {}

impl ser::Error for Box<Fault> {
    fn custom<T: std::fmt::Display>(reason: T) -> Box<Fault> {
        Fault::new(0, reason.to_string())
    }
}

/// Writes one value to one slot.
pub(super) struct Serializer<'a, 'w, 'p> {
    writer: &'a mut Writer<'w>,
    slot: Slot<'p>,
}

impl<'a, 'w, 'p> Serializer<'a, 'w, 'p> {
    pub(super) fn new(writer: &'a mut Writer<'w>, slot: Slot<'p>) -> Self {
        Serializer { writer, slot }
    }

    /// Where a value isn't what the slot wants: it may want the message that
    /// holds such a value.
    fn held_or_refused<T>(
        self,
        given: &str,
        write: impl FnOnce(Serializer<'a, 'w, 'p>) -> Result<T>,
    ) -> Result<T> {
        match self.slot.held() {
            Some(slot) => write(Serializer { writer: self.writer, slot })
                .map_err(|fault| fault.in_field(HELD)),
            None => {
                let slot = self.slot;
                Err(Fault::new(0, format!("expected {slot}, the value gives {given}")))
            }
        }
    }

    /// Writes a number that a message just holds. Apart from writing a plain
    /// one, and not by calling that again, so that that one is inlined.
    #[cold]
    fn held_number<T: Number>(self, given: &[Primitive], value: T) -> Result<()> {
        match self.slot.held().and_then(Slot::primitive) {
            Some(primitive) if given.contains(&primitive) => {
                self.writer.number(value);
                Ok(())
            }
            _ => {
                let (slot, given) = (self.slot, given[0].name());
                Err(Fault::new(0, format!("expected {slot}, the value gives {given}")))
            }
        }
    }

    fn data_variant<T>(&self, name: &str, variant: &str) -> Result<T> {
        Err(Fault::new(
            0,
            format!("variant {variant} of enum {name} holds data, which no message can"),
        ))
    }
}

macro_rules! numbers {
    ($($method:ident $type:ty, $($primitive:ident)|*;)*) => {
        $(#[inline]
        fn $method(self, value: $type) -> Result<()> {
            match self.slot.primitive() {
                Some($(Primitive::$primitive)|*) => {
                    self.writer.number(value);
                    Ok(())
                }
                _ => self.held_number(&[$(Primitive::$primitive),*], value),
            }
        })*
    };
}

impl<'a, 'w, 'p> ser::Serializer for Serializer<'a, 'w, 'p> {
    type Ok = ();
    type Error = Box<Fault>;
    type SerializeSeq = Items<'a, 'w, 'p>;
    type SerializeTuple = Items<'a, 'w, 'p>;
    type SerializeTupleStruct = Items<'a, 'w, 'p>;
    type SerializeTupleVariant = ser::Impossible<(), Box<Fault>>;
    type SerializeMap = ser::Impossible<(), Box<Fault>>;
    type SerializeStruct = Fields<'a, 'w, 'p>;
    type SerializeStructVariant = ser::Impossible<(), Box<Fault>>;

    numbers! {
        serialize_i8 i8, Int8;
        serialize_i16 i16, Int16;
        serialize_i32 i32, Int32;
        serialize_i64 i64, Int64;
        serialize_u8 u8, Uint8 | Byte | Char;
        serialize_u16 u16, Uint16;
        serialize_u32 u32, Uint32;
        serialize_u64 u64, Uint64;
        serialize_f32 f32, Float32;
        serialize_f64 f64, Float64;
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_bool(self, value: bool) -> Result<()> {
        match self.slot.primitive() {
            Some(Primitive::Bool) => {
                self.writer.bytes(&[u8::from(value)]);
                Ok(())
            }
            _ => self.held_or_refused("bool", |held| held.serialize_bool(value)),
        }
    }

    fn serialize_char(self, value: char) -> Result<()> {
        match self.slot.primitive() {
            Some(Primitive::Uint32) => {
                self.writer.number(u32::from(value));
                Ok(())
            }
            _ => self.held_or_refused("a char (as uint32)", |held| held.serialize_char(value)),
        }
    }

    fn serialize_str(self, value: &str) -> Result<()> {
        match (self.slot.count(), self.slot.what()) {
            (Count::One, What::String(bound)) => self.writer.string(value, bound),
            (Count::One, What::WString(bound)) => self.writer.wstring(value, bound),
            _ => self.held_or_refused("a string", |held| held.serialize_str(value)),
        }
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<()> {
        let What::Primitive(Primitive::Uint8 | Primitive::Byte | Primitive::Char) =
            self.slot.what()
        else {
            return self.held_or_refused("bytes", |held| held.serialize_bytes(value));
        };
        match self.slot.count() {
            Count::One => {
                return self.held_or_refused("bytes", |held| held.serialize_bytes(value));
            }
            Count::Array(length) => check_count(length, value.len())?,
            Count::Sequence(bound) => self.writer.length(value.len(), bound)?,
        }
        self.writer.bytes(value);
        Ok(())
    }

    fn serialize_none(self) -> Result<()> {
        match self.slot.count() {
            Count::Sequence(Some(1)) => self.writer.length(0, None),
            _ => self.held_or_refused("an Option", |held| held.serialize_none()),
        }
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        match self.slot.count() {
            Count::Sequence(Some(1)) => {
                self.writer.length(1, None)?;
                value.serialize(Serializer { writer: self.writer, slot: self.slot.element() })
            }
            _ => self.held_or_refused("an Option", |held| held.serialize_some(value)),
        }
    }

    fn serialize_unit(self) -> Result<()> {
        match self.slot.message() {
            Some(layout) if layout.fields.is_empty() => {
                self.writer.bytes(&[0]);
                Ok(())
            }
            _ => self.held_or_refused("a unit", |held| held.serialize_unit()),
        }
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<()> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        name: &'static str,
        position: u32,
        variant: &'static str,
    ) -> Result<()> {
        let (Some(primitive), Some((layout, field))) = (self.slot.primitive(), self.slot.origin())
        else {
            return self.held_or_refused("an enum", |held| {
                held.serialize_unit_variant(name, position, variant)
            });
        };
        let number = variant::number(layout, field, variant, position).ok_or_else(|| {
            let known = variant::known(layout, field);
            Fault::new(
                0,
                format!("the schema has no constant for variant {variant} of {name}, but {known}"),
            )
        })?;
        write_integer(self.writer, primitive, number)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Items<'a, 'w, 'p>> {
        self.items(length, "a sequence")
    }

    fn serialize_tuple(self, length: usize) -> Result<Items<'a, 'w, 'p>> {
        match self.slot.message() {
            Some(layout) if layout.fields.len() == length && is_tuple(layout) => {
                Ok(Items::message(self.writer, layout))
            }
            _ => self.items(Some(length), "a tuple or array"),
        }
    }

    fn serialize_tuple_struct(self, _: &'static str, length: usize) -> Result<Items<'a, 'w, 'p>> {
        self.serialize_tuple(length)
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Fields<'a, 'w, 'p>> {
        match self.slot.message() {
            Some(layout) => Ok(Fields::new(self.writer, layout)),
            None => {
                let slot = self.slot;
                Err(Fault::new(0, format!("expected {slot}, the value gives struct {name}")))
            }
        }
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap> {
        let slot = self.slot;
        Err(Fault::new(0, format!("expected {slot}, the value gives a map")))
    }

    fn serialize_i128(self, _: i128) -> Result<()> {
        let slot = self.slot;
        Err(Fault::new(0, format!("expected {slot}, the value gives an integer of 128 bits")))
    }

    fn serialize_u128(self, _: u128) -> Result<()> {
        self.serialize_i128(0)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        _: &T,
    ) -> Result<()> {
        self.data_variant(name, variant)
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant> {
        self.data_variant(name, variant)
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant> {
        self.data_variant(name, variant)
    }
}

impl<'a, 'w, 'p> Serializer<'a, 'w, 'p> {
    fn items(self, length: Option<usize>, given: &str) -> Result<Items<'a, 'w, 'p>> {
        let slot = self.slot.element();
        match self.slot.count() {
            Count::One => {
                self.held_or_refused(given, |held| held.items(length, given)).map(Items::held)
            }
            Count::Array(expected) => Items::array(self.writer, slot, expected, length),
            Count::Sequence(bound) => Items::sequence(self.writer, slot, bound, length),
        }
    }
}

fn write_integer(writer: &mut Writer<'_>, primitive: Primitive, number: i128) -> Result<()> {
    macro_rules! write {
        ($type:ty) => {
            <$type>::try_from(number).map(|number| writer.number(number)).ok()
        };
    }
    let written = match primitive {
        Primitive::Int8 => write!(i8),
        Primitive::Uint8 | Primitive::Byte | Primitive::Char => write!(u8),
        Primitive::Int16 => write!(i16),
        Primitive::Uint16 => write!(u16),
        Primitive::Int32 => write!(i32),
        Primitive::Uint32 => write!(u32),
        Primitive::Int64 => write!(i64),
        Primitive::Uint64 => write!(u64),
        Primitive::Bool | Primitive::Float32 | Primitive::Float64 => None,
    };
    written.ok_or_else(|| {
        let name = primitive.name();
        Fault::new(0, format!("expected {name}, which can't be a variant's number {number}"))
    })
}
