//! What Python knows of a value beyond its schema, as JSON that a channel
//! keeps in its metadata, and kinds from a schema and that.

use std::sync::Arc;

use lk::Schema;
use lk::schema::{ElementType, Field, FieldType, MessageType, Primitive};
use pyo3::prelude::*;
use pyo3::types::PyType;
use serde_json::{Map, Value as Json, json};

use crate::kind::{Container, Dtype, Form, Kind, Length, Record, enumeration, member, object_form};
use crate::types;

/// The hint of a kind; null where the schema says all.
pub(crate) fn of(kind: &Kind) -> Json {
    match kind {
        Kind::Scalar(..) => json!("numpy"),
        Kind::Bytes => json!("bytes"),
        Kind::Null => json!("none"),
        Kind::Enum(e) => json!({ "enum": path_of(&e.class) }),
        Kind::Record(record) => {
            let hinted = record.fields.iter().map(|m| (m.name.clone(), of(&m.kind)));
            let fields: Map<String, Json> = hinted.filter(|(_, hint)| !hint.is_null()).collect();
            let mut hint = match &record.form {
                Form::Object { class, .. } => json!({ "class": path_of(class) }),
                Form::Dict => {
                    let missing: Vec<&String> =
                        record.fields.iter().filter(|m| m.missing).map(|m| &m.name).collect();
                    json!({ "dict": missing })
                }
            };
            if !fields.is_empty() {
                hint["fields"] = fields.into();
            }
            hint
        }
        Kind::Sequence(element, _, container) => json!({ container.name(): of(element) }),
        Kind::Shaped(_, shape, _) => json!({ "array": shape }),
        Kind::Optional(inner) => of(inner),
        _ => Json::Null,
    }
}

/// `module:Class`
fn path_of(class: &Py<PyType>) -> String {
    Python::attach(|py| {
        let class = class.bind(py);
        let text = |name: &str| class.getattr(name).and_then(|text| text.extract::<String>());
        match (text("__module__"), text("__qualname__")) {
            (Ok(module), Ok(name)) => format!("{module}:{name}"),
            _ => String::new(),
        }
    })
}

/// The kind of what a channel holds. `lists` says whether numbers without a
/// hint come as lists, rather than as arrays.
pub(crate) fn kind(py: Python<'_>, schema: &Schema, hint: &Json, lists: bool) -> PyResult<Kind> {
    let reader = Reader { py, lists };
    let root = schema.root();
    if hint == "none" && root.fields.is_empty() {
        return Ok(Kind::Null);
    }
    if let [data] = root.fields.as_slice()
        && data.optional
        && data.name == "data"
        && root.name.starts_with("lk/msg/Maybe")
    {
        return reader.field(data, hint);
    }
    reader.message(root, hint)
}

struct Reader<'py> {
    py: Python<'py>,
    lists: bool,
}

impl Reader<'_> {
    fn message(&self, ty: &Arc<MessageType>, hint: &Json) -> PyResult<Kind> {
        if let Some(element) = types::nd_array_element(ty) {
            return Ok(Kind::NdArray(element, Dtype::of(self.py, element)));
        }
        let is_record = hint.get("class").is_some() || hint.get("dict").is_some();
        match ty.fields.as_slice() {
            [data] if !is_record && types::is_wrapper(ty) => {
                Reader { lists: true, py: self.py }.field(data, hint)
            }
            _ if hint == "none" => Ok(Kind::Null),
            _ => self.record(ty, hint),
        }
    }

    fn record(&self, ty: &MessageType, hint: &Json) -> PyResult<Kind> {
        let py = self.py;
        let hints = hint.get("fields");
        let missing = hint.get("dict").and_then(Json::as_array);
        let is_missing = |name: &str| missing.is_some_and(|all| all.iter().any(|m| m == name));
        let mut fields = Vec::with_capacity(ty.fields.len());
        for field in &ty.fields {
            let hint = hints.and_then(|hints| hints.get(&field.name)).unwrap_or(&Json::Null);
            let kind = self.field(field, hint)?;
            fields.push(member(py, &field.name, kind, is_missing(&field.name)));
        }
        let form = match missing {
            Some(_) => Form::Dict,
            None => {
                let path = hint.get("class").and_then(Json::as_str);
                let names: Vec<&str> = ty.fields.iter().map(|f| f.name.as_str()).collect();
                let records = py.import("lk._records")?;
                let class = records.call_method1("class_for", (path, &ty.name, names))?;
                object_form(class.cast::<PyType>()?)?
            }
        };
        Ok(Kind::Record(Arc::new(Record { name: ty.name.clone(), form, fields })))
    }

    fn field(&self, field: &Field, hint: &Json) -> PyResult<Kind> {
        if !field.optional {
            return self.of_type(&field.ty, hint);
        }
        let inner = self.element(field.ty.element(), hint)?;
        Ok(Kind::Optional(Box::new(inner)))
    }

    fn of_type(&self, ty: &FieldType, hint: &Json) -> PyResult<Kind> {
        let (element, length) = match ty {
            FieldType::One(element) => return self.element(element, hint),
            FieldType::Sequence(element, None) => (element, Length::Any),
            FieldType::Sequence(element, Some(bound)) => (element, Length::AtMost(*bound)),
            FieldType::Array(element, count) => (element, Length::Exactly(*count)),
        };
        let container = hint.as_object().and_then(|hint| {
            hint.iter().find_map(|(name, inner)| Some((Container::named(name)?, inner)))
        });
        if let Some((container, inner)) = container {
            let element = self.element(element, inner)?;
            return Ok(Kind::Sequence(Box::new(element), length, container));
        }
        if let ElementType::Primitive(p) = element {
            if hint == "bytes" && *p == Primitive::Uint8 && length == Length::Any {
                return Ok(Kind::Bytes);
            }
            let shape = hint.get("array").and_then(Json::as_array);
            let shape = shape.and_then(|shape| {
                shape.iter().map(|n| usize::try_from(n.as_u64()?).ok()).collect::<Option<Vec<_>>>()
            });
            if let (Length::Exactly(count), Some(shape)) = (length, shape)
                && shape.iter().try_fold(1_usize, |a, b| a.checked_mul(*b)) == Some(count)
            {
                return Ok(Kind::Shaped(*p, shape, Dtype::of(self.py, *p)));
            }
            if !self.lists {
                return Ok(Kind::Flat(*p, length, Dtype::of(self.py, *p)));
            }
            if matches!(p, Primitive::Uint8) && length == Length::Any {
                return Ok(Kind::Bytes);
            }
        }
        let element = self.element(element, &Json::Null)?;
        Ok(Kind::Sequence(Box::new(element), length, Container::List))
    }

    fn element(&self, element: &ElementType, hint: &Json) -> PyResult<Kind> {
        Ok(match element {
            ElementType::Primitive(p) => self.number(*p, hint)?,
            ElementType::String(bound) => Kind::Text { wide: false, bound: *bound },
            ElementType::WString(bound) => Kind::Text { wide: true, bound: *bound },
            ElementType::Message(ty) => self.message(ty, hint)?,
        })
    }

    fn number(&self, p: Primitive, hint: &Json) -> PyResult<Kind> {
        let py = self.py;
        if hint == "numpy" {
            let name = if p == Primitive::Bool { "bool_" } else { p.name() };
            return Ok(Kind::Scalar(p, py.import("numpy")?.getattr(name)?.unbind()));
        }
        if let Some(path) = hint.get("enum").and_then(Json::as_str) {
            let class = py.import("lk._records")?.call_method1("enum_for", (path,))?;
            if let Ok(class) = class.cast::<PyType>() {
                let e = enumeration(class)?;
                if e.wire == p {
                    return Ok(Kind::Enum(e));
                }
            }
        }
        Ok(match p {
            Primitive::Bool => Kind::Bool,
            Primitive::Float32 | Primitive::Float64 => Kind::Float(p),
            p => Kind::Int(p),
        })
    }
}
