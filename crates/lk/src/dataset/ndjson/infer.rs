//! What a JSON value says of its type.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::dataset::shape::{Member, Shape};

/// The type of one value, with the fields in the order in which they stand.
pub(super) struct Inferred(pub(super) Shape);

impl<'de> Deserialize<'de> for Inferred {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Inferred, D::Error> {
        deserializer.deserialize_any(ShapeVisitor).map(Inferred)
    }
}

struct ShapeVisitor;

impl<'de> Visitor<'de> for ShapeVisitor {
    type Value = Shape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Shape, E> {
        Ok(Shape::Unknown)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Shape, E> {
        Ok(Shape::Bool)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Shape, E> {
        Ok(if number < 0 { Shape::Int } else { Shape::Natural })
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Shape, E> {
        Ok(if i64::try_from(number).is_ok() { Shape::Natural } else { Shape::Uint })
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Shape, E> {
        Ok(Shape::Float)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Shape, E> {
        Ok(match text {
            "NaN" | "Infinity" | "-Infinity" => Shape::Float,
            _ => Shape::Text,
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Shape, A::Error> {
        let mut element = Shape::Unknown;
        while let Some(Inferred(shape)) = elements.next_element()? {
            element = element.merge(shape).map_err(Error::custom)?;
        }
        Ok(Shape::List(Box::new(element)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Shape, A::Error> {
        let mut members: Vec<Member> = Vec::new();
        while let Some((name, Inferred(shape))) = fields.next_entry::<String, Inferred>()? {
            if members.iter().any(|member| member.name == name) {
                return Err(Error::custom(format_args!("field {name} comes twice")));
            }
            let optional = shape == Shape::Unknown;
            members.push(Member { name, shape, optional });
        }
        Ok(Shape::Record(members))
    }
}
