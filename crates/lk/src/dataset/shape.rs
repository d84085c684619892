//! Message types inferred from data that has none.

mod infer;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(super) use infer::ShapeSeed;

use crate::error::Result;
use crate::schema::{ElementType, Field, FieldType, MessageType, Primitive, Schema, wrapper};

/// What is known of a value's type from examples.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape {
    /// Nothing was seen but absence.
    Unknown,
    Bool,
    Integer(Integers),
    /// Text that may stand for a float: JSON can't say NaN otherwise.
    NonFinite,
    /// Floats of 32 bits.
    Single,
    Float,
    Text,
    Bytes,
    List(Box<Shape>),
    /// Fields in the order in which they were met first.
    Record(Vec<Member>),
}

/// What is known of integers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Integers {
    /// One is below zero.
    pub(super) negative: bool,
    /// One is no `int64`.
    pub(super) beyond_int64: bool,
    /// One would be rounded as a `float64`.
    pub(super) beyond_float64: bool,
}

/// A field of a record.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) shape: Shape,
    /// Whether some record lacks it.
    pub(super) optional: bool,
}

impl Integers {
    /// What one number of 64 bits says.
    pub(super) fn of(number: i128) -> Integers {
        Integers {
            negative: number < 0,
            beyond_int64: i64::try_from(number).is_err(),
            beyond_float64: (number as f64) as i128 != number,
        }
    }

    fn merge(self, other: Integers) -> Result<Integers, String> {
        let both = Integers {
            negative: self.negative || other.negative,
            beyond_int64: self.beyond_int64 || other.beyond_int64,
            beyond_float64: self.beyond_float64 || other.beyond_float64,
        };
        if both.negative && both.beyond_int64 {
            return Err("no integer of 64 bits holds all of the numbers".to_owned());
        }
        Ok(both)
    }
}

impl Shape {
    /// What holds both; a reason, naming the field, where nothing does.
    pub(super) fn merge(self, other: Shape) -> Result<Shape, String> {
        use Shape::{Float, Integer, List, NonFinite, Record, Single, Text, Unknown};
        Ok(match (self, other) {
            (Unknown, shape) | (shape, Unknown) => shape,
            (List(a), List(b)) => List(Box::new(a.merge(*b)?)),
            (Record(a), Record(b)) => Record(merge_members(a, b)?),
            (Integer(a), Integer(b)) => Integer(a.merge(b)?),
            (a, b) if a == b => a,
            (NonFinite, Text) | (Text, NonFinite) => Text,
            (Float, Integer(integers))
            | (Integer(integers), Float | Single | NonFinite)
            | (Single | NonFinite, Integer(integers)) => {
                if integers.beyond_float64 {
                    return Err("a float64 would round an integer among the numbers".to_owned());
                }
                Float
            }
            (Float, Single | NonFinite) | (Single | NonFinite, Float) => Float,
            (Single, NonFinite) | (NonFinite, Single) => Float,
            (a, b) => {
                return Err(format!("{} comes where {} came before", b.describe(), a.describe()));
            }
        })
    }

    /// The same, where a type that nothing shows is `float64`: an empty list,
    /// a field that is always null.
    pub(super) fn settled(self) -> Shape {
        match self {
            Shape::Unknown => Shape::Float,
            Shape::List(element) => Shape::List(Box::new(element.settled())),
            Shape::Record(members) => Shape::Record(
                members.into_iter().map(|m| Member { shape: m.shape.settled(), ..m }).collect(),
            ),
            known => known,
        }
    }

    /// Fields, the nested ones included.
    pub(super) fn fields(&self) -> usize {
        match self {
            Shape::List(element) => element.fields(),
            Shape::Record(members) => members.iter().map(|m| 1 + m.shape.fields()).sum(),
            _ => 0,
        }
    }

    fn describe(&self) -> &'static str {
        match self {
            Shape::Unknown => "nothing",
            Shape::Bool => "a truth value",
            Shape::Integer(_) => "an integer",
            Shape::Single | Shape::Float | Shape::NonFinite => "a number",
            Shape::Text => "text",
            Shape::Bytes => "bytes",
            Shape::List(_) => "a list",
            Shape::Record(_) => "an object",
        }
    }
}

fn merge_members(mut known: Vec<Member>, other: Vec<Member>) -> Result<Vec<Member>, String> {
    let alike = known.len() == other.len()
        && known.iter().zip(&other).all(|(member, other)| member.name == other.name);
    let places: BTreeMap<String, usize> = match alike {
        true => BTreeMap::new(),
        false => known.iter().enumerate().map(|(n, member)| (member.name.clone(), n)).collect(),
    };
    let mut met = vec![false; known.len()];
    for (n, member) in other.into_iter().enumerate() {
        let place = if alike { Some(n) } else { places.get(&member.name).copied() };
        match place {
            Some(place) => {
                met[place] = true;
                let k = &mut known[place];
                let shape = std::mem::replace(&mut k.shape, Shape::Unknown);
                k.shape = shape.merge(member.shape).map_err(|e| in_field(&k.name, &e))?;
                k.optional |= member.optional;
            }
            None => known.push(Member { optional: true, ..member }),
        }
    }
    for (member, met) in known.iter_mut().zip(met) {
        member.optional |= !met;
    }
    Ok(known)
}

/// The message type of these values, named after `key` in the package `lk`;
/// what is no record is wrapped in one. A reason where there is no type, such
/// as for a key that can't name a field.
pub(super) fn schema(key: &str, shape: &Shape) -> Result<Result<Schema, String>> {
    let mut types = Types::default();
    let root = match shape {
        Shape::Record(members) => types.message(&type_name(key), members).map(Arc::new),
        shape => types.field_type(shape, &type_name(key)).and_then(wrapped),
    };
    match root {
        Ok(root) => Schema::new(root).map(Ok),
        Err(reason) => Ok(Err(reason)),
    }
}

/// Names of message types that are taken.
#[derive(Default)]
struct Types(BTreeSet<String>);

impl Types {
    fn message(&mut self, name: &str, members: &[Member]) -> Result<MessageType, String> {
        let numbered = |n: usize| if n == 1 { name.to_owned() } else { format!("{name}{n}") };
        let name = (1..).map(numbered).find(|name| !self.0.contains(name));
        let name = name.ok_or("there are too many types of one name")?;
        self.0.insert(name.clone());
        let mut fields = Vec::with_capacity(members.len());
        for member in members {
            let nested = format!("{name}{}", pascal(&member.name));
            let field = self.field(member, &nested);
            fields.push(field.map_err(|reason| in_field(&member.name, &reason))?);
        }
        Ok(MessageType { name, fields, constants: Vec::new() })
    }

    fn field(&mut self, member: &Member, nested: &str) -> Result<Field, String> {
        let ty = match (member.optional, self.field_type(&member.shape, nested)?) {
            (false, ty) => ty,
            (true, FieldType::One(element)) => FieldType::Sequence(element, Some(1)),
            // So that no list and an empty one are not the same.
            (true, list) => FieldType::Sequence(ElementType::Message(wrapped(list)?), Some(1)),
        };
        Ok(Field { name: member.name.clone(), ty, default: None, optional: member.optional })
    }

    fn field_type(&mut self, shape: &Shape, nested: &str) -> Result<FieldType, String> {
        Ok(match shape {
            Shape::List(element) => FieldType::Sequence(self.element(element, nested)?, None),
            Shape::Bytes => FieldType::Sequence(ElementType::Primitive(Primitive::Uint8), None),
            shape => FieldType::One(self.element(shape, nested)?),
        })
    }

    fn element(&mut self, shape: &Shape, nested: &str) -> Result<ElementType, String> {
        Ok(match shape {
            Shape::Bool => ElementType::Primitive(Primitive::Bool),
            Shape::Integer(Integers { beyond_int64: true, .. }) => {
                ElementType::Primitive(Primitive::Uint64)
            }
            Shape::Integer(_) => ElementType::Primitive(Primitive::Int64),
            Shape::Single => ElementType::Primitive(Primitive::Float32),
            Shape::Float | Shape::NonFinite => ElementType::Primitive(Primitive::Float64),
            Shape::Text => ElementType::String(None),
            Shape::Record(members) => {
                ElementType::Message(Arc::new(self.message(nested, members)?))
            }
            Shape::Unknown => return Err("no value says its type".to_owned()),
            list @ (Shape::List(_) | Shape::Bytes) => {
                ElementType::Message(wrapped(self.field_type(list, nested)?)?)
            }
        })
    }
}

/// The message that has this for its one field.
fn wrapped(ty: FieldType) -> Result<Arc<MessageType>, String> {
    wrapper::data(ty).map(Arc::new).ok_or_else(|| "there is no message type for it".to_owned())
}

fn in_field(name: &str, reason: &str) -> String {
    format!("field {name}: {reason}")
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
