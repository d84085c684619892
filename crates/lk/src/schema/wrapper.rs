//! The message types that stand for values which aren't messages: a number,
//! text, a list, a NumPy array.

use std::sync::Arc;

use super::{ElementType, Field, FieldType, MessageType, Primitive};

/// What a message type wraps.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wrapper<'a> {
    /// One field: `lk/msg/Float64`, or a sequence: `lk/msg/Float64Array`.
    Data(&'a FieldType),
    /// A shape and the elements: `lk/msg/Float64NdArray`.
    NdArray(Primitive),
}

impl Wrapper<'_> {
    /// What `ty` wraps, by its name and its fields.
    pub(crate) fn of(ty: &MessageType) -> Option<Wrapper<'_>> {
        match ty.fields.as_slice() {
            [data] if data.name == "data" && !data.optional => {
                (name_of_data(&data.ty)? == ty.name).then_some(Wrapper::Data(&data.ty))
            }
            [shape, data] if shape.ty == SHAPE && shape.name == "shape" && data.name == "data" => {
                match data.ty {
                    FieldType::Sequence(ElementType::Primitive(primitive), None)
                        if nd_array_name(primitive) == ty.name =>
                    {
                        Some(Wrapper::NdArray(primitive))
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

const SHAPE: FieldType = FieldType::Sequence(ElementType::Primitive(Primitive::Uint32), None);

/// The type that wraps one value or a list.
pub(crate) fn data(ty: FieldType) -> Option<MessageType> {
    let name = name_of_data(&ty)?;
    Some(MessageType { name, fields: vec![field("data", ty)], constants: Vec::new() })
}

/// The type that wraps a NumPy array.
pub(crate) fn nd_array(primitive: Primitive) -> Arc<MessageType> {
    let elements = FieldType::Sequence(ElementType::Primitive(primitive), None);
    Arc::new(MessageType {
        name: nd_array_name(primitive),
        fields: vec![field("shape", SHAPE), field("data", elements)],
        constants: Vec::new(),
    })
}

fn field(name: &str, ty: FieldType) -> Field {
    Field { name: name.to_owned(), ty, default: None, optional: false }
}

fn nd_array_name(primitive: Primitive) -> String {
    format!("lk/msg/{}NdArray", pascal(primitive.name()))
}

fn name_of_data(ty: &FieldType) -> Option<String> {
    match ty {
        FieldType::One(ElementType::Message(_)) => None,
        FieldType::One(element) => Some(format!("lk/msg/{}", name_of_element(element)?)),
        FieldType::Sequence(element, None) => {
            Some(format!("lk/msg/{}Array", name_of_element(element)?))
        }
        _ => None,
    }
}

fn name_of_element(element: &ElementType) -> Option<String> {
    match element {
        ElementType::Primitive(primitive) => Some(pascal(primitive.name())),
        ElementType::String(None) => Some("String".to_owned()),
        ElementType::Message(ty) => ty.name.strip_prefix("lk/msg/").map(str::to_owned),
        _ => None,
    }
}

fn pascal(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    format!("{}{rest}", first.to_ascii_uppercase())
}
