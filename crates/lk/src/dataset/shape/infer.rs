//! What a value of a self-describing format says of its type.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{Integers, Member, Shape};
use crate::value::special::is_special;

/// Keys of one object. More of them are data, such as identifiers, rather
/// than the names of fields.
const MAX_MEMBERS: usize = 4_096;

/// The type of one value, with the fields in the order in which they stand.
///
/// What has no type is an error too, but marked as refused: the value is well
/// formed, and only the type system can't hold it.
#[derive(Clone, Copy)]
pub(in crate::dataset) struct ShapeSeed<'a> {
    refused: &'a Cell<bool>,
    /// Whether the text `NaN` may stand for a number.
    text_is_float: bool,
}

impl<'a> ShapeSeed<'a> {
    /// `refused` is set where the error is of a type.
    pub(in crate::dataset) fn new(refused: &'a Cell<bool>) -> ShapeSeed<'a> {
        ShapeSeed { refused, text_is_float: false }
    }

    fn refuse<E: Error>(self, reason: impl fmt::Display) -> E {
        self.refused.set(true);
        E::custom(reason)
    }
}

impl<'de> DeserializeSeed<'de> for ShapeSeed<'_> {
    type Value = Shape;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Shape, D::Error> {
        // Binary formats have a NaN of their own.
        let text_is_float = deserializer.is_human_readable();
        deserializer.deserialize_any(ShapeSeed { text_is_float, ..self })
    }
}

impl<'de> Visitor<'de> for ShapeSeed<'_> {
    type Value = Shape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Shape, E> {
        Ok(Shape::Unknown)
    }

    fn visit_none<E: Error>(self) -> Result<Shape, E> {
        Ok(Shape::Unknown)
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Shape, D::Error> {
        self.deserialize(inner)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Shape, E> {
        Ok(Shape::Bool)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Shape, E> {
        Ok(Shape::Integer(Integers::of(number.into())))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Shape, E> {
        Ok(Shape::Integer(Integers::of(number.into())))
    }

    fn visit_i128<E: Error>(self, number: i128) -> Result<Shape, E> {
        Err(self.refuse(format_args!("no integer of 64 bits holds {number}")))
    }

    fn visit_u128<E: Error>(self, number: u128) -> Result<Shape, E> {
        Err(self.refuse(format_args!("no integer of 64 bits holds {number}")))
    }

    fn visit_f32<E: Error>(self, _: f32) -> Result<Shape, E> {
        Ok(Shape::Single)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Shape, E> {
        Ok(Shape::Float)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Shape, E> {
        Ok(match text {
            v if self.text_is_float && is_special(v) => Shape::NonFinite,
            _ => Shape::Text,
        })
    }

    fn visit_bytes<E: Error>(self, _: &[u8]) -> Result<Shape, E> {
        Ok(Shape::Bytes)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Shape, A::Error> {
        let mut element: Option<Shape> = None;
        let mut index = 0_usize;
        while let Some(shape) = elements.next_element_seed(self)? {
            if shape == Shape::Unknown {
                return Err(self.refuse(format_args!("[{index}] is null")));
            }
            element = Some(match element {
                None => shape,
                // The common case costs no merge.
                Some(known) if known == shape => known,
                Some(known) => known.merge(shape).map_err(|reason| self.refuse(reason))?,
            });
            index += 1;
        }
        Ok(Shape::List(Box::new(element.unwrap_or(Shape::Unknown))))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Shape, A::Error> {
        let mut members: Vec<Member> = Vec::new();
        let mut names: BTreeSet<String> = BTreeSet::new();
        while let Some(name) = fields.next_key_seed(KeySeed(self))? {
            if !names.insert(name.clone()) {
                return Err(Error::custom(format_args!("field {name} comes twice")));
            }
            if members.len() == MAX_MEMBERS {
                return Err(self.refuse(format_args!("an object has over {MAX_MEMBERS} keys")));
            }
            let shape = fields.next_value_seed(self)?;
            let optional = shape == Shape::Unknown;
            members.push(Member { name, shape, optional });
        }
        Ok(Shape::Record(members))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, what: D) -> Result<Shape, D::Error> {
        let what = String::deserialize(what)?;
        Err(self.refuse(format_args!("{what} has no message type")))
    }
}

/// The key of a member: text, in formats that have other keys too.
struct KeySeed<'a>(ShapeSeed<'a>);

impl KeySeed<'_> {
    fn other<E: Error>(self) -> Result<String, E> {
        Err(self.0.refuse("an object has a key that is no text"))
    }
}

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for KeySeed<'_> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<String, E> {
        Ok(name.to_owned())
    }

    fn visit_string<E: Error>(self, name: String) -> Result<String, E> {
        Ok(name)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<String, E> {
        self.other()
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<String, E> {
        self.other()
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<String, E> {
        self.other()
    }

    fn visit_i128<E: Error>(self, _: i128) -> Result<String, E> {
        self.other()
    }

    fn visit_u128<E: Error>(self, _: u128) -> Result<String, E> {
        self.other()
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<String, E> {
        self.other()
    }

    fn visit_bytes<E: Error>(self, _: &[u8]) -> Result<String, E> {
        self.other()
    }

    fn visit_unit<E: Error>(self) -> Result<String, E> {
        self.other()
    }

    fn visit_none<E: Error>(self) -> Result<String, E> {
        self.other()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<String, A::Error> {
        self.other()
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<String, A::Error> {
        self.other()
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, _: D) -> Result<String, D::Error> {
        self.other()
    }
}
