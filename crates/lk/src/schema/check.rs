//! The rules that a message type keeps.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{ElementType, Field, FieldType, MessageType, Schema};
use crate::error::{Error, Result};
use crate::value::{Array, Datum, fits};

/// Messages inside messages; bounds the recursion of every walk.
const MAX_DEPTH: usize = 64;

/// Fields with the nested ones counted wherever they occur; bounds the time of
/// every walk over a schema.
const MAX_FIELDS: u64 = 65_536;

/// Memory of a value with empty sequences and texts, roughly, in bytes.
const MAX_VALUE_BYTES: u64 = 256 << 20;

/// Lengths are 32 bits on the wire.
const MAX_LEN: usize = u32::MAX as usize;

/// Checks a type and everything nested in it. Returns how many fields it has,
/// nested ones counted wherever they occur.
pub(super) fn check(root: &MessageType) -> Result<u64> {
    Checker::default().message(root).map(|weight| weight.fields)
}

/// Marks just these fields, `package/msg/Type.field`, as optional.
pub(super) fn with_optional(schema: &Schema, mut names: BTreeSet<&str>) -> Result<Schema> {
    let mut done = BTreeMap::new();
    let root = mark(schema.root(), &mut names, &mut done);
    match names.first() {
        Some(name) => Err(wrong(
            schema.name(),
            format!("{name} is marked as optional, but is no field of it"),
        )),
        None => Schema::new(root),
    }
}

fn mark<'a>(
    ty: &'a Arc<MessageType>,
    names: &mut BTreeSet<&str>,
    done: &mut BTreeMap<&'a str, Arc<MessageType>>,
) -> Arc<MessageType> {
    if let Some(marked) = done.get(ty.name.as_str()) {
        return marked.clone();
    }
    let mut marked = MessageType::clone(ty);
    for (field, original) in marked.fields.iter_mut().zip(&ty.fields) {
        field.optional = names.remove(format!("{}.{}", ty.name, field.name).as_str());
        if let (
            FieldType::One(ElementType::Message(nested))
            | FieldType::Array(ElementType::Message(nested), _)
            | FieldType::Sequence(ElementType::Message(nested), _),
            ElementType::Message(original),
        ) = (&mut field.ty, original.ty.element())
        {
            *nested = mark(original, names, done);
        }
    }
    let marked = Arc::new(marked);
    done.insert(&ty.name, marked.clone());
    marked
}

/// What a type costs those who walk it or make a value of it.
#[derive(Clone, Copy, Default)]
struct Weight {
    fields: u64,
    bytes: u64,
}

#[derive(Default)]
struct Checker<'a> {
    /// Types that are checked already, by name.
    done: BTreeMap<&'a str, (&'a MessageType, Weight)>,
    /// Names of the types around the one that is being checked.
    around: Vec<&'a str>,
}

impl<'a> Checker<'a> {
    fn message(&mut self, ty: &'a MessageType) -> Result<Weight> {
        if self.around.contains(&ty.name.as_str()) {
            return Err(wrong(&ty.name, "it contains itself"));
        }
        if let Some((known, weight)) = self.done.get(ty.name.as_str()) {
            if std::ptr::eq(*known, ty) || *known == ty {
                return Ok(*weight);
            }
            return Err(wrong(&ty.name, "two different definitions of it are used"));
        }
        type_name(&ty.name)?;
        if self.around.len() == MAX_DEPTH {
            return Err(wrong(&ty.name, format!("it lies {MAX_DEPTH} messages deep")));
        }
        self.around.push(&ty.name);
        let weight = self.members(ty)?;
        self.around.pop();
        if weight.fields > MAX_FIELDS {
            return Err(wrong(
                &ty.name,
                format!("{} fields with the nested ones, over {MAX_FIELDS}", weight.fields),
            ));
        }
        if weight.bytes > MAX_VALUE_BYTES {
            return Err(wrong(
                &ty.name,
                format!("a value takes {} bytes at least, over {MAX_VALUE_BYTES}", weight.bytes),
            ));
        }
        self.done.insert(&ty.name, (ty, weight));
        Ok(weight)
    }

    fn members(&mut self, ty: &'a MessageType) -> Result<Weight> {
        let mut names = BTreeSet::new();
        for name in ty.fields.iter().map(|f| &f.name).chain(ty.constants.iter().map(|c| &c.name)) {
            if !is_identifier(name) {
                return Err(wrong(&ty.name, format!("{name:?} is no name of a field or constant")));
            }
            if !names.insert(name.as_str()) {
                return Err(wrong(&ty.name, format!("the name {name} is given twice")));
            }
        }
        for constant in &ty.constants {
            if matches!(constant.ty, ElementType::Message(_)) {
                return Err(wrong(
                    &ty.name,
                    format!(
                        "constant {} is a message; only numbers, bools and texts can be",
                        constant.name
                    ),
                ));
            }
            bound_of(&constant.ty).map_or(Ok(()), |bound| length(ty, &constant.name, bound))?;
            default(ty, &constant.name, &FieldType::One(constant.ty.clone()), &constant.value)?;
        }
        let mut sum = Weight::default();
        for field in &ty.fields {
            let weight = self.field(ty, field)?;
            sum.fields = sum.fields.saturating_add(weight.fields);
            sum.bytes = sum.bytes.saturating_add(weight.bytes);
        }
        Ok(sum)
    }

    fn field(&mut self, ty: &MessageType, field: &'a Field) -> Result<Weight> {
        let element = match field.ty.element() {
            ElementType::Message(nested) => {
                let weight = self.message(nested)?;
                Weight {
                    fields: weight.fields,
                    bytes: weight.bytes + size_of::<Vec<Datum>>() as u64,
                }
            }
            ElementType::Primitive(p) => Weight { fields: 0, bytes: p.size() as u64 },
            ElementType::String(bound) | ElementType::WString(bound) => {
                bound.map_or(Ok(()), |bound| length(ty, &field.name, bound))?;
                Weight { fields: 0, bytes: size_of::<String>() as u64 }
            }
        };
        let repeated = match field.ty {
            FieldType::One(_) => element.bytes,
            FieldType::Array(_, len) => {
                length(ty, &field.name, len)?;
                element.bytes.saturating_mul(len as u64)
            }
            FieldType::Sequence(_, bound) => {
                bound.map_or(Ok(()), |bound| length(ty, &field.name, bound))?;
                0
            }
        };
        if field.optional && !matches!(field.ty, FieldType::Sequence(_, Some(1))) {
            return Err(wrong(
                &ty.name,
                format!("optional field {} is {}, not a sequence `T[<=1]`", field.name, field.ty),
            ));
        }
        let mut default_bytes = 0;
        if let Some(value) = &field.default {
            default_bytes = bytes_of(value);
            if matches!(field.ty.element(), ElementType::Message(_)) {
                return Err(wrong(
                    &ty.name,
                    format!("field {} has a default, which messages can't have", field.name),
                ));
            }
            default(ty, &field.name, &field.ty, value)?;
        }
        Ok(Weight {
            fields: element.fields.saturating_add(1),
            bytes: repeated.saturating_add(size_of::<Datum>() as u64 + default_bytes),
        })
    }
}

fn wrong(type_name: &str, reason: impl Into<String>) -> Error {
    Error::Schema { type_name: type_name.to_owned(), reason: reason.into() }
}

fn bound_of(element: &ElementType) -> Option<usize> {
    match element {
        ElementType::String(bound) | ElementType::WString(bound) => *bound,
        _ => None,
    }
}

/// Memory of a default, roughly, in bytes; a message has none.
fn bytes_of(value: &Datum) -> u64 {
    let bytes = match value {
        Datum::String(text) => text.len(),
        Datum::Array(Array::String(texts)) => {
            texts.iter().map(|text| text.len() + size_of::<String>()).sum()
        }
        // At most; which kind of number it is doesn't matter here.
        Datum::Array(array) => array.len() * size_of::<u64>(),
        _ => 0,
    };
    bytes as u64
}

/// A length or bound of 0 would be a field that holds nothing, which ROS 2
/// doesn't have.
fn length(ty: &MessageType, name: &str, len: usize) -> Result<()> {
    if (1..=MAX_LEN).contains(&len) {
        return Ok(());
    }
    Err(wrong(&ty.name, format!("the length or bound of {name} is {len}, not in 1..={MAX_LEN}")))
}

fn default(ty: &MessageType, name: &str, field: &FieldType, value: &Datum) -> Result<()> {
    fits(field, value).map_err(|fault| {
        wrong(&ty.name, format!("the value of {name} doesn't fit: {}", fault.reason))
    })?;
    if has_odd_nan(value) {
        let reason = format!("the value of {name} is a NaN with a sign or payload");
        return Err(wrong(&ty.name, format!("{reason}, which text can't say")));
    }
    Ok(())
}

fn has_odd_nan(value: &Datum) -> bool {
    let odd = |v: f64| v.is_nan() && v.to_bits() != f64::NAN.to_bits();
    let odd_single = |v: f32| v.is_nan() && v.to_bits() != f32::NAN.to_bits();
    match value {
        Datum::Float32(v) => odd_single(*v),
        Datum::Float64(v) => odd(*v),
        Datum::Array(Array::Float32(v)) => v.iter().any(|v| odd_single(*v)),
        Datum::Array(Array::Float64(v)) => v.iter().any(|v| odd(*v)),
        _ => false,
    }
}

/// Letters, digits and underscores, no digit first. Wider than ROS 2's rule,
/// since recordings converted from ROS 1 have fields such as `K`.
pub(super) fn is_identifier(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn type_name(name: &str) -> Result<()> {
    let parts: Vec<_> = name.split('/').collect();
    match parts[..] {
        [package, "msg" | "srv" | "action", short]
            if is_identifier(package) && is_identifier(short) =>
        {
            Ok(())
        }
        _ => Err(wrong(name, "its name has not the form `package/msg/Type`")),
    }
}
