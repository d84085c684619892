//! The message type for a traced shape.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::schema::{Constant, ElementType, Field, FieldType, MessageType, Primitive};
use crate::value::Datum;

use super::naming::{constant_chars, field_name_like, full_name, is_field_name, type_name};
use super::refusal::{Refusal, Segment};
use super::shape::{EnumShape, Node, Shape, StructShape};

/// The message type of a type's root, named `root_name` where one is given.
/// Nested types go to the same package.
pub(super) fn message_type(
    root: &Node,
    root_name: Option<&str>,
) -> Result<Arc<MessageType>, Refusal> {
    let (package, root_name) = match root_name {
        None => ("lk", None),
        Some(name) => match full_name(name) {
            Some((package, _)) => (package, Some(name)),
            None => {
                return Err(Refusal::fatal(format!(
                    "{name} is not a type name; it needs the form package/msg/Type"
                )));
            }
        },
    };
    Messages { package, root_name, taken: BTreeSet::new(), built: Vec::new() }.root(root)
}

/// The message types made so far.
struct Messages<'s> {
    package: &'s str,
    /// For the first message that is made, which is the root.
    root_name: Option<&'s str>,
    /// Full names in use.
    taken: BTreeSet<String>,
    built: Vec<Built<'s>>,
}

struct Built<'s> {
    shape: &'s Shape,
    own: Option<&'static str>,
    /// Whether this is the message of the shape itself, or one that holds it
    /// as its only field.
    holds: bool,
    message: Arc<MessageType>,
}

impl<'s> Messages<'s> {
    fn root(&mut self, root: &'s Node) -> Result<Arc<MessageType>, Refusal> {
        match &root.shape {
            Shape::Struct(_) | Shape::Unit(_) => self.message(root),
            Shape::Tuple(..) if root.shape.as_array().is_none() => self.message(root),
            _ => self.holder(root),
        }
    }

    /// The type of the field that holds `node`, and whether it is optional.
    fn field_type(&mut self, node: &'s Node) -> Result<(FieldType, bool), Refusal> {
        if let Some((item, length)) = node.shape.as_array() {
            let element = self.element(item).map_err(|e| e.within(Segment::Index(0)))?;
            return Ok((FieldType::Array(element, length), false));
        }
        Ok(match &node.shape {
            Shape::Optional(item) => (FieldType::Sequence(self.element(item)?, Some(1)), true),
            Shape::Sequence(item) => {
                let element = self.element(item).map_err(|e| e.within(Segment::Element))?;
                (FieldType::Sequence(element, None), false)
            }
            Shape::Bytes => {
                (FieldType::Sequence(ElementType::Primitive(Primitive::Uint8), None), false)
            }
            _ => (FieldType::One(self.element(node)?), false),
        })
    }

    /// The type of `node` where several of it stand in a row.
    fn element(&mut self, node: &'s Node) -> Result<ElementType, Refusal> {
        let primitive = match &node.shape {
            Shape::Primitive(primitive) => *primitive,
            Shape::Char => Primitive::Uint32,
            Shape::String => return Ok(ElementType::String(None)),
            Shape::Enum(shape) => shape.primitive(),
            Shape::Struct(_) | Shape::Unit(_) => {
                return self.message(node).map(ElementType::Message);
            }
            Shape::Tuple(..) if node.shape.as_array().is_none() => {
                return self.message(node).map(ElementType::Message);
            }
            Shape::Tuple(..) | Shape::Sequence(_) | Shape::Optional(_) | Shape::Bytes => {
                return self.holder(node).map(ElementType::Message);
            }
            Shape::Unknown => return Err(Refusal::fatal("its type was never seen")),
        };
        Ok(ElementType::Primitive(primitive))
    }

    /// The message for a struct, a tuple of unlike elements, or nothing.
    fn message(&mut self, node: &'s Node) -> Result<Arc<MessageType>, Refusal> {
        if let Some(message) = self.find(node, false) {
            return Ok(message);
        }
        let name = self.take_name(node, false)?;
        let mut fields = Vec::new();
        match &node.shape {
            Shape::Struct(StructShape { fields: named, .. }) => {
                for (name, node) in named {
                    let field = self.named_field(name, node);
                    fields.push(field.map_err(|e| e.within(Segment::Field(name)))?);
                }
            }
            Shape::Tuple(_, items) => {
                for (i, item) in items.iter().enumerate() {
                    let field = self.field(&format!("e{i}"), item);
                    fields.push(field.map_err(|e| e.within(Segment::Index(i)))?);
                }
            }
            _ => {}
        }
        self.finish(node, false, name, fields)
    }

    /// A message with the one field `data`, for what can't be repeated.
    fn holder(&mut self, node: &'s Node) -> Result<Arc<MessageType>, Refusal> {
        if let Some(message) = self.find(node, true) {
            return Ok(message);
        }
        let name = self.take_name(node, true)?;
        let field = self.field("data", node)?;
        self.finish(node, true, name, vec![field])
    }

    fn find(&self, node: &Node, holds: bool) -> Option<Arc<MessageType>> {
        let own = node.own_name(holds);
        let built =
            self.built.iter().find(|b| (b.holds, b.own) == (holds, own) && *b.shape == node.shape);
        built.map(|b| b.message.clone())
    }

    fn named_field(&mut self, name: &str, node: &'s Node) -> Result<FieldAndEnum<'s>, Refusal> {
        if is_field_name(name) {
            return self.field(name, node);
        }
        let like = field_name_like(name).unwrap_or_else(|| "value".to_owned());
        Err(Refusal::fatal(format!(
            "{name} is not a field name (lower case letters, digits, single underscores, a letter \
             first); use #[serde(rename = \"{like}\")]"
        )))
    }

    fn field(&mut self, name: &str, node: &'s Node) -> Result<FieldAndEnum<'s>, Refusal> {
        let (ty, optional) = self.field_type(node)?;
        let field = Field { name: name.to_owned(), ty, default: None, optional };
        Ok((field, node.shape.enum_held()))
    }

    fn finish(
        &mut self,
        node: &'s Node,
        holds: bool,
        name: String,
        fields: Vec<FieldAndEnum<'s>>,
    ) -> Result<Arc<MessageType>, Refusal> {
        let constants = constants(&fields)?;
        let fields = fields.into_iter().map(|(field, _)| field).collect();
        let message = Arc::new(MessageType { name, fields, constants });
        let own = node.own_name(holds);
        self.built.push(Built { shape: &node.shape, own, holds, message: message.clone() });
        Ok(message)
    }

    /// A full name that no other message has.
    fn take_name(&mut self, node: &Node, holds: bool) -> Result<String, Refusal> {
        let own = node.own_name(holds);
        let given = self.root_name.take().or(own.filter(|name| full_name(name).is_some()));
        if let Some(given) = given {
            if self.taken.insert(given.to_owned()) {
                return Ok(given.to_owned());
            }
            return Err(Refusal::fatal(format!(
                "two different types are named {given}; rename one with #[serde(rename = ...)]"
            )));
        }
        let base = own.map_or_else(|| node.generated_name(), type_name);
        let mut name = format!("{}/msg/{base}", self.package);
        for number in 2.. {
            if self.taken.insert(name.clone()) {
                break;
            }
            name = format!("{}/msg/{base}{number}", self.package);
        }
        Ok(name)
    }
}

/// A field, and the enum whose constants belong beside it.
type FieldAndEnum<'s> = (Field, Option<&'s EnumShape>);

/// The variants of all enums in a message's fields.
fn constants(fields: &[FieldAndEnum<'_>]) -> Result<Vec<Constant>, Refusal> {
    let mut constants = Vec::new();
    let mut origins: BTreeMap<String, String> = BTreeMap::new();
    for (field, shape) in fields {
        let Some(shape) = shape else { continue };
        for (index, variant) in shape.variants.iter().enumerate() {
            let name: String = constant_chars(&field.name, variant).collect();
            let origin = format!("variant {variant} of field {}", field.name);
            if name.ends_with('_') {
                return Err(Refusal::fatal(format!(
                    "{origin} has no letter or digit to name a constant by; use \
                     #[serde(rename = ...)]"
                )));
            }
            if let Some(other) = origins.insert(name.clone(), origin.clone()) {
                return Err(Refusal::fatal(format!(
                    "{other} and {origin} would both be the constant {name}; use \
                     #[serde(rename = ...)] on one"
                )));
            }
            let value = match shape.primitive() {
                Primitive::Uint8 => Datum::Uint8(index as u8),
                _ => Datum::Uint16(index as u16),
            };
            constants.push(Constant { name, ty: ElementType::Primitive(shape.primitive()), value });
        }
    }
    Ok(constants)
}

impl EnumShape {
    fn primitive(&self) -> Primitive {
        if self.variants.len() <= 256 { Primitive::Uint8 } else { Primitive::Uint16 }
    }
}

impl Shape {
    /// The name that serde gives the type.
    fn name(&self) -> Option<&'static str> {
        match self {
            Shape::Struct(s) => Some(s.name),
            Shape::Tuple(name, _) | Shape::Unit(name) => *name,
            _ => None,
        }
    }

    /// The enum in a field: itself, or what its elements are.
    fn enum_held(&self) -> Option<&EnumShape> {
        let held = match self {
            Shape::Optional(item) | Shape::Sequence(item) => &item.shape,
            Shape::Tuple(..) => &self.as_array()?.0.shape,
            other => other,
        };
        match held {
            Shape::Enum(shape) => Some(shape),
            _ => None,
        }
    }
}

impl Node {
    /// The name that the user gave the message: that of the struct, or of a
    /// newtype around what has none.
    fn own_name(&self, holds: bool) -> Option<&'static str> {
        if holds { self.newtype } else { self.shape.name().or(self.newtype) }
    }

    /// The name of a message that is made for what has none: `Float64Array`
    /// for a sequence of numbers, as for values without a declared type.
    fn generated_name(&self) -> String {
        if let Some((item, length)) = self.shape.as_array() {
            return format!("{}Array{length}", item.part_name());
        }
        match &self.shape {
            Shape::Sequence(item) => format!("{}Array", item.part_name()),
            Shape::Optional(item) => format!("Optional{}", item.part_name()),
            Shape::Bytes => "Uint8Array".to_owned(),
            Shape::Tuple(..) => "Tuple".to_owned(),
            _ => self.part_name(),
        }
    }

    fn part_name(&self) -> String {
        let named = |name: &str| type_name(full_name(name).map_or(name, |(_, base)| base));
        if let Some(name) = self.newtype {
            return named(name);
        }
        match &self.shape {
            Shape::Primitive(primitive) => type_name(primitive.name()),
            Shape::Char => "Char".to_owned(),
            Shape::String => "String".to_owned(),
            Shape::Enum(shape) => named(shape.name),
            Shape::Unit(None) => "Empty".to_owned(),
            Shape::Struct(_) | Shape::Unit(_) | Shape::Tuple(Some(_), _) => {
                named(self.shape.name().unwrap_or_default())
            }
            _ => self.generated_name(),
        }
    }
}
