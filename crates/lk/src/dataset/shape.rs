//! Message types inferred from data that has none.

use std::sync::Arc;

use crate::error::Result;
use crate::schema::{ElementType, Field, FieldType, MessageType, Primitive, Schema};

/// What is known of a value's type from examples.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape {
    /// Nothing was seen but absence.
    Unknown,
    Bool,
    /// Integers from zero up, all of which an `int64` holds.
    Natural,
    /// Integers, all of which an `int64` holds; one of them negative.
    Int,
    /// Integers, all of which a `uint64` holds; one of them no `int64`.
    Uint,
    Float,
    Text,
    List(Box<Shape>),
    /// Fields in the order in which they were met first.
    Record(Vec<Member>),
}

/// A field of a record.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) shape: Shape,
    /// Whether some record lacks it.
    pub(super) optional: bool,
}

impl Shape {
    /// What holds both; a reason, naming the field, where nothing does.
    pub(super) fn merge(self, other: Shape) -> Result<Shape, String> {
        use Shape::{Float, Int, List, Natural, Record, Uint, Unknown};
        Ok(match (self, other) {
            (Unknown, shape) | (shape, Unknown) => shape,
            (List(a), List(b)) => List(Box::new(a.merge(*b)?)),
            (Record(a), Record(b)) => Record(merge_members(a, b)?),
            (a, b) if a == b => a,
            (Natural, wider @ (Int | Uint)) | (wider @ (Int | Uint), Natural) => wider,
            (Float, Natural | Int | Uint) | (Natural | Int | Uint, Float) => Float,
            (Int, Uint) | (Uint, Int) => {
                return Err("no integer of 64 bits holds all of the numbers".to_owned());
            }
            (a, b) => {
                return Err(format!("{} comes where {} came before", b.describe(), a.describe()));
            }
        })
    }

    fn describe(&self) -> &'static str {
        match self {
            Shape::Unknown => "nothing",
            Shape::Bool => "a truth value",
            Shape::Natural | Shape::Int | Shape::Uint => "an integer",
            Shape::Float => "a number",
            Shape::Text => "text",
            Shape::List(_) => "a list",
            Shape::Record(_) => "an object",
        }
    }
}

fn merge_members(mut known: Vec<Member>, other: Vec<Member>) -> Result<Vec<Member>, String> {
    for member in &mut known {
        member.optional |= !other.iter().any(|o| o.name == member.name);
    }
    for member in other {
        match known.iter_mut().find(|k| k.name == member.name) {
            Some(k) => {
                let shape = std::mem::replace(&mut k.shape, Shape::Unknown);
                let merged = shape.merge(member.shape);
                k.shape = merged.map_err(|reason| in_field(&k.name, &reason))?;
                k.optional |= member.optional;
            }
            None => known.push(Member { optional: true, ..member }),
        }
    }
    Ok(known)
}

/// The message type of these fields, named after `key` in the package `lk`.
/// A reason where it is none, such as a list of lists.
pub(super) fn schema(key: &str, members: &[Member]) -> Result<Result<Schema, String>> {
    match message(&type_name(key), members) {
        Ok(root) => Schema::new(Arc::new(root)).map(Ok),
        Err(reason) => Ok(Err(reason)),
    }
}

fn message(name: &str, members: &[Member]) -> Result<MessageType, String> {
    let field = |member: &Member| -> Result<Field, String> {
        let nested = || format!("{name}{}", pascal(&member.name));
        let ty = match &member.shape {
            Shape::List(element) => FieldType::Sequence(
                element_type(element, &nested())
                    .map_err(|reason| in_field(&member.name, &reason))?,
                None,
            ),
            shape => {
                let element = element_type(shape, &nested())
                    .map_err(|reason| in_field(&member.name, &reason))?;
                match member.optional {
                    true => FieldType::Sequence(element, Some(1)),
                    false => FieldType::One(element),
                }
            }
        };
        // A list that is missing is an empty list.
        let optional = member.optional && !matches!(member.shape, Shape::List(_));
        Ok(Field { name: member.name.clone(), ty, default: None, optional })
    };
    let fields = members.iter().map(field).collect::<Result<_, _>>()?;
    Ok(MessageType { name: name.to_owned(), fields, constants: Vec::new() })
}

fn in_field(name: &str, reason: &str) -> String {
    format!("field {name}: {reason}")
}

fn element_type(shape: &Shape, nested: &str) -> Result<ElementType, String> {
    Ok(match shape {
        Shape::Bool => ElementType::Primitive(Primitive::Bool),
        Shape::Natural | Shape::Int => ElementType::Primitive(Primitive::Int64),
        Shape::Uint => ElementType::Primitive(Primitive::Uint64),
        Shape::Float => ElementType::Primitive(Primitive::Float64),
        Shape::Text => ElementType::String(None),
        Shape::Record(members) => ElementType::Message(Arc::new(message(nested, members)?)),
        Shape::Unknown => return Err("no value says its type".to_owned()),
        Shape::List(_) => return Err("lists of lists have no type".to_owned()),
    })
}

/// `/imu/data` is `lk/msg/ImuData`.
fn type_name(key: &str) -> String {
    let name = pascal(key);
    match name.chars().next() {
        Some(c) if c.is_ascii_alphabetic() => format!("lk/msg/{name}"),
        _ => format!("lk/msg/Key{name}"),
    }
}

fn pascal(text: &str) -> String {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let capitalised = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
    };
    words.map(|word| -> String { capitalised(word) }).collect()
}
