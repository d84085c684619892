//! The message types of kinds.

use std::collections::BTreeMap;
use std::sync::Arc;

use lk::Schema;
use lk::schema::{Constant, ElementType, Field, FieldType, MessageType, Primitive};
use lk::value::Datum;
use pyo3::PyResult;

use crate::error;
use crate::kind::{Enumeration, Kind, Length, Record};

/// The type of a message of this kind; a value that is no message is wrapped
/// in one with a field `data`.
pub(crate) fn schema(kind: &Kind) -> PyResult<Schema> {
    let mut types = Types::default();
    let root = match kind {
        Kind::Record(record) => types.record(record),
        Kind::NdArray(element, _) => Ok(nd_array(*element)),
        Kind::Null => Ok(message("lk/msg/Empty".to_owned(), Vec::new(), Vec::new())),
        Kind::Optional(inner) => types.maybe(inner),
        kind => types.field_type(kind).and_then(wrapped),
    };
    let root = root.map_err(|reason| error::schema(&reason))?;
    Schema::new(root).map_err(error::from_lk)
}

/// The types that were made, by name.
#[derive(Default)]
struct Types(BTreeMap<String, Arc<MessageType>>);

impl Types {
    fn record(&mut self, record: &Record) -> Result<Arc<MessageType>, String> {
        let mut fields = Vec::with_capacity(record.fields.len());
        let mut constants = Vec::new();
        for member in &record.fields {
            let field = self.field(&member.name, &member.kind);
            fields.push(field.map_err(|reason| format!("field {}: {reason}", member.name))?);
            if let Some(names) = enum_in(&member.kind) {
                constants.extend(constants_of(&member.name, names));
            }
        }
        // Constants are for readers; where two have one name, none is written.
        let mut names: Vec<&str> = constants.iter().map(|c: &Constant| c.name.as_str()).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            constants.clear();
        }
        self.named(&record.name, fields, constants)
    }

    /// A message of this name; two of one name and different fields are told
    /// apart by a number.
    fn named(
        &mut self,
        name: &str,
        fields: Vec<Field>,
        constants: Vec<Constant>,
    ) -> Result<Arc<MessageType>, String> {
        for n in 1..=self.0.len() + 1 {
            let name = if n == 1 { name.to_owned() } else { format!("{name}{n}") };
            let ty = message(name.clone(), fields.clone(), constants.clone());
            let known = self.0.entry(name).or_insert_with(|| Arc::clone(&ty));
            if *known == ty {
                return Ok(ty);
            }
        }
        Err(format!("there are too many types {name}"))
    }

    /// A value that may be absent, as a message of its own.
    fn maybe(&mut self, inner: &Kind) -> Result<Arc<MessageType>, String> {
        let field = self.optional_field("data", inner)?;
        let name = match field.ty.element() {
            ElementType::Message(ty) => ty.name.rsplit('/').next().unwrap_or("Value").to_owned(),
            element => name_of(element).unwrap_or_else(|| "Value".to_owned()),
        };
        self.named(&format!("lk/msg/Maybe{name}"), vec![field], Vec::new())
    }

    fn field(&mut self, name: &str, kind: &Kind) -> Result<Field, String> {
        if let Kind::Optional(inner) = kind {
            return self.optional_field(name, inner);
        }
        let ty = self.field_type(kind)?;
        Ok(Field { name: name.to_owned(), ty, default: None, optional: false })
    }

    fn optional_field(&mut self, name: &str, inner: &Kind) -> Result<Field, String> {
        let element = match self.field_type(inner)? {
            FieldType::One(element) => element,
            // So that no list and an empty one are not the same.
            list => ElementType::Message(wrapped(list)?),
        };
        let ty = FieldType::Sequence(element, Some(1));
        Ok(Field { name: name.to_owned(), ty, default: None, optional: true })
    }

    fn field_type(&mut self, kind: &Kind) -> Result<FieldType, String> {
        Ok(match kind {
            Kind::Bytes => FieldType::Sequence(ElementType::Primitive(Primitive::Uint8), None),
            Kind::Sequence(element, length, _) => of_length(self.element(element)?, *length),
            Kind::Flat(element, length, _) => of_length(ElementType::Primitive(*element), *length),
            Kind::Shaped(element, shape, _) => {
                FieldType::Array(ElementType::Primitive(*element), shape.iter().product())
            }
            kind => FieldType::One(self.element(kind)?),
        })
    }

    fn element(&mut self, kind: &Kind) -> Result<ElementType, String> {
        Ok(match kind {
            Kind::Bool => ElementType::Primitive(Primitive::Bool),
            Kind::Int(p) | Kind::Float(p) | Kind::Scalar(p, _) => ElementType::Primitive(*p),
            Kind::Enum(Enumeration { wire, .. }) => ElementType::Primitive(*wire),
            Kind::Text { wide: true, bound } => ElementType::WString(*bound),
            Kind::Text { wide: false, bound } => ElementType::String(*bound),
            Kind::Record(record) => ElementType::Message(self.record(record)?),
            Kind::NdArray(element, _) => ElementType::Message(nd_array(*element)),
            Kind::Null => {
                let name = "lk/msg/Empty".to_owned();
                ElementType::Message(message(name, Vec::new(), Vec::new()))
            }
            Kind::Optional(_) => return Err("only a field can be None".to_owned()),
            list @ (Kind::Bytes | Kind::Sequence(..) | Kind::Flat(..) | Kind::Shaped(..)) => {
                ElementType::Message(wrapped(self.field_type(list)?)?)
            }
        })
    }
}

fn message(name: String, fields: Vec<Field>, constants: Vec<Constant>) -> Arc<MessageType> {
    Arc::new(MessageType { name, fields, constants })
}

fn of_length(element: ElementType, length: Length) -> FieldType {
    match length {
        Length::Any => FieldType::Sequence(element, None),
        Length::AtMost(bound) => FieldType::Sequence(element, Some(bound)),
        Length::Exactly(count) => FieldType::Array(element, count),
    }
}

/// The message that has this for its one field `data`.
fn wrapped(ty: FieldType) -> Result<Arc<MessageType>, String> {
    let name = wrapper_name(&ty).ok_or("there is no message type for it")?;
    let data = Field { name: "data".to_owned(), ty, default: None, optional: false };
    Ok(message(name, vec![data], Vec::new()))
}

/// Whether a message is one that [`wrapped`] makes.
pub(crate) fn is_wrapper(ty: &MessageType) -> bool {
    match ty.fields.as_slice() {
        [data] => {
            data.name == "data"
                && !data.optional
                && wrapper_name(&data.ty).is_some_and(|name| name == ty.name)
        }
        _ => false,
    }
}

/// The element of a message that stands for a NumPy array.
pub(crate) fn nd_array_element(ty: &MessageType) -> Option<Primitive> {
    match ty.fields.as_slice() {
        [_, data] => match data.ty.element() {
            ElementType::Primitive(element) if *ty == *nd_array(*element) => Some(*element),
            _ => None,
        },
        _ => None,
    }
}

fn nd_array(element: Primitive) -> Arc<MessageType> {
    let sequence = |p| FieldType::Sequence(ElementType::Primitive(p), None);
    let field =
        |name: &str, ty| Field { name: name.to_owned(), ty, default: None, optional: false };
    let fields =
        vec![field("shape", sequence(Primitive::Uint32)), field("data", sequence(element))];
    message(format!("lk/msg/{}NdArray", pascal(element.name())), fields, Vec::new())
}

fn wrapper_name(ty: &FieldType) -> Option<String> {
    match ty {
        FieldType::One(ElementType::Message(_)) => None,
        FieldType::One(element) => Some(format!("lk/msg/{}", name_of(element)?)),
        FieldType::Sequence(element, None) => Some(format!("lk/msg/{}Array", name_of(element)?)),
        FieldType::Sequence(..) => None,
        FieldType::Array(element, count) => Some(format!("lk/msg/{}x{count}", name_of(element)?)),
    }
}

fn name_of(element: &ElementType) -> Option<String> {
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

fn enum_in(kind: &Kind) -> Option<&Enumeration> {
    match kind {
        Kind::Enum(enumeration) => Some(enumeration),
        Kind::Optional(inner) | Kind::Sequence(inner, ..) => enum_in(inner),
        _ => None,
    }
}

/// `MODE_IDLE = 0` for field `mode`, as for an enum of Rust.
fn constants_of(field: &str, e: &Enumeration) -> impl Iterator<Item = Constant> {
    let prefix = field.to_ascii_uppercase();
    e.names.iter().enumerate().filter_map(move |(place, name)| {
        let value = match e.wire {
            Primitive::Uint8 => Datum::Uint8(u8::try_from(place).ok()?),
            _ => Datum::Uint16(u16::try_from(place).ok()?),
        };
        let name = format!("{prefix}_{}", name.to_ascii_uppercase());
        Some(Constant { name, ty: ElementType::Primitive(e.wire), value })
    })
}
