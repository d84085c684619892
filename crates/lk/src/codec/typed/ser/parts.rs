//! What has parts: sequences, arrays, tuples and structs.

use serde::ser::{self, Serialize};

use crate::codec::layout::Layout;
use crate::codec::typed::slot::{HELD, Slot};
use crate::codec::writer::Writer;
use crate::error::fault::Fault;

use super::{Result, Serializer};

/// The elements of an array or sequence, or of a tuple.
pub(in crate::codec::typed) struct Items<'a, 'w, 'p> {
    writer: &'a mut Writer<'w>,
    target: Target<'p>,
    at: usize,
    /// How many messages around it just hold it.
    held: u32,
}

enum Target<'p> {
    Array {
        slot: Slot<'p>,
        expected: usize,
    },
    Sequence {
        slot: Slot<'p>,
        bound: Option<usize>,
        announced: usize,
        length_end: usize,
    },
    /// The message of a tuple with unlike elements.
    Message(&'p Layout),
}

impl<'a, 'w, 'p> Items<'a, 'w, 'p> {
    /// The elements of an array, each in `slot`.
    pub(super) fn array(
        writer: &'a mut Writer<'w>,
        slot: Slot<'p>,
        expected: usize,
        length: Option<usize>,
    ) -> Result<Self> {
        check_count(expected, length.unwrap_or(expected))?;
        Ok(Items { writer, target: Target::Array { slot, expected }, at: 0, held: 0 })
    }

    /// The elements of a sequence, each in `slot`. The length need not be
    /// known yet.
    pub(super) fn sequence(
        writer: &'a mut Writer<'w>,
        slot: Slot<'p>,
        bound: Option<usize>,
        length: Option<usize>,
    ) -> Result<Self> {
        let announced = length.unwrap_or(0);
        writer.length(announced, bound)?;
        let length_end = writer.offset();
        let target = Target::Sequence { slot, bound, announced, length_end };
        Ok(Items { writer, target, at: 0, held: 0 })
    }

    /// The elements of a tuple, each in its field.
    pub(super) fn message(writer: &'a mut Writer<'w>, layout: &'p Layout) -> Self {
        Items { writer, target: Target::Message(layout), at: 0, held: 0 }
    }

    /// Says that the message around just holds it.
    pub(super) fn held(self) -> Self {
        Items { held: self.held + 1, ..self }
    }
}

impl Items<'_, '_, '_> {
    #[inline]
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let at = self.at;
        self.at += 1;
        let slot = match &self.target {
            Target::Sequence { slot, .. } => Some(*slot),
            Target::Array { slot, expected } => (at < *expected).then_some(*slot),
            Target::Message(layout) => Slot::field(layout, at),
        };
        let result = match slot {
            Some(slot) => value.serialize(Serializer { writer: self.writer, slot }),
            None => Err(Fault::new(0, format!("expected {at} elements, the value gives more"))),
        };
        match result {
            Ok(()) => Ok(()),
            Err(fault) => Err(self.within_item(at, fault)),
        }
    }

    #[cold]
    fn within_item(&self, at: usize, fault: Box<Fault>) -> Box<Fault> {
        self.within(match self.target {
            Target::Message(layout) => match layout.ty.fields.get(at) {
                Some(field) => fault.in_field(&field.name),
                None => fault,
            },
            _ => fault.in_element(at),
        })
    }

    fn finish(self) -> Result<()> {
        let finished = match self.target {
            Target::Array { expected, .. } => check_count(expected, self.at),
            Target::Sequence { announced, .. } if announced == self.at => Ok(()),
            Target::Sequence { bound, length_end, .. } => {
                self.writer.replace_length(length_end, self.at, bound)
            }
            Target::Message(layout) => check_count(layout.fields.len(), self.at)
                .map(|()| finish_message(self.writer, layout)),
        };
        finished.map_err(|fault| self.within(fault))
    }

    fn within(&self, fault: Box<Fault>) -> Box<Fault> {
        (0..self.held).fold(fault, |fault, _| fault.in_field(HELD))
    }
}

/// An empty message is one byte.
fn finish_message(writer: &mut Writer<'_>, layout: &Layout) {
    if layout.fields.is_empty() {
        writer.bytes(&[0]);
    }
}

macro_rules! items {
    ($($trait:ident $method:ident;)*) => {
        $(impl ser::$trait for Items<'_, '_, '_> {
            type Ok = ();
            type Error = Box<Fault>;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
                self.item(value)
            }

            fn end(self) -> Result<()> {
                self.finish()
            }
        })*
    };
}

items! {
    SerializeSeq serialize_element;
    SerializeTuple serialize_element;
    SerializeTupleStruct serialize_field;
}

/// The fields of a struct, which must come as they are in the message.
pub(in crate::codec::typed) struct Fields<'a, 'w, 'p> {
    writer: &'a mut Writer<'w>,
    layout: &'p Layout,
    next: usize,
}

impl<'a, 'w, 'p> Fields<'a, 'w, 'p> {
    pub(super) fn new(writer: &'a mut Writer<'w>, layout: &'p Layout) -> Self {
        Fields { writer, layout, next: 0 }
    }
}

impl Fields<'_, '_, '_> {
    #[cold]
    fn unexpected(&self, given: &str) -> Box<Fault> {
        let fields = &self.layout.ty.fields;
        let name = &self.layout.ty.name;
        match fields.get(self.next) {
            Some(expected) if fields.iter().any(|field| field.name == given) => Fault::new(
                0,
                format!(
                    "the value leaves it out, or gives it after {given}; it must serialize as it \
                     deserializes"
                ),
            )
            .in_field(&expected.name),
            _ => Fault::new(
                0,
                format!(
                    "the value gives it, and {name} has no such field here; a field must \
                     serialize as it deserializes, under one name"
                ),
            )
            .in_field(given),
        }
    }
}

impl ser::SerializeStruct for Fields<'_, '_, '_> {
    type Ok = ();
    type Error = Box<Fault>;

    #[inline]
    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<()> {
        let index = self.next;
        match self.layout.ty.fields.get(index) {
            Some(field) if field.name == name => {}
            _ => return Err(self.unexpected(name)),
        }
        let Some(slot) = Slot::field(self.layout, index) else { return Err(self.unexpected(name)) };
        self.next += 1;
        match value.serialize(Serializer { writer: self.writer, slot }) {
            Ok(()) => Ok(()),
            Err(fault) => Err(fault.in_field(name)),
        }
    }

    fn skip_field(&mut self, name: &'static str) -> Result<()> {
        Err(Fault::new(
            0,
            "the value leaves it out (skip_serializing_if), but a message has all its fields; use \
             an Option and no skip",
        )
        .in_field(name))
    }

    fn end(self) -> Result<()> {
        match self.layout.ty.fields.get(self.next) {
            None => {
                finish_message(self.writer, self.layout);
                Ok(())
            }
            Some(missing) => Err(Fault::new(
                0,
                "the value leaves it out (skip_serializing?); it must serialize as it deserializes",
            )
            .in_field(&missing.name)),
        }
    }
}

pub(super) fn check_count(expected: usize, given: usize) -> Result<()> {
    if expected == given {
        return Ok(());
    }
    Err(Fault::new(0, format!("expected {expected} elements, the value gives {given}")))
}
