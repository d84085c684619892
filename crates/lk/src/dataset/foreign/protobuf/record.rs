//! From dynamic messages to records of the message type.

use std::cmp::Ordering;

use prost_reflect::{DynamicMessage, MapKey, ReflectMessage, Value};

use crate::schema::{ElementType, Field, FieldType, MessageType};
use crate::value::{Array, Datum, Record};

/// The message as a record of `ty`, which was made of its descriptor.
pub(super) fn record(message: &DynamicMessage, ty: &MessageType) -> Result<Record, String> {
    let descriptor = message.descriptor();
    let fields = descriptor.fields().zip(&ty.fields).map(|(of, field)| {
        if of.supports_presence() && !message.has_field(&of) && !descriptor.is_map_entry() {
            return match field.optional {
                true => Ok(Datum::Array(Array::default_of(field.ty.element(), 0))),
                false => Err(format!("field {} is absent, as in no message before", field.name)),
            };
        }
        field_of(&message.get_field(&of), field).map_err(|e| format!("field {}: {e}", field.name))
    });
    Ok(Record { fields: fields.collect::<Result<_, _>>()? })
}

fn field_of(value: &Value, field: &Field) -> Result<Datum, String> {
    let element = match &field.ty {
        FieldType::One(element) => return element_of(value, element),
        FieldType::Array(element, _) | FieldType::Sequence(element, _) => element,
    };
    let mut array = Array::default_of(element, 0);
    let mut push = |datum| array.push(datum).map_err(|_| OTHER.to_owned());
    match value {
        _ if field.optional => push(element_of(value, element)?)?,
        Value::Bytes(bytes) => return Ok(Datum::from(bytes.to_vec())),
        Value::List(list) => {
            for value in list {
                push(element_of(value, element)?)?;
            }
        }
        Value::Map(map) => {
            let ElementType::Message(ty) = element else { return Err(OTHER.to_owned()) };
            let [key, value] = ty.fields.as_slice() else { return Err(OTHER.to_owned()) };
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by(|(a, _), (b, _)| order(a, b));
            for (k, v) in entries {
                let k = field_of(&Value::from(k.clone()), key)?;
                push(Datum::Record(Record { fields: vec![k, field_of(v, value)?] }))?;
            }
        }
        _ => return Err(OTHER.to_owned()),
    }
    Ok(Datum::Array(array))
}

/// What can't be, since the type was made of the same descriptor.
const OTHER: &str = "it is of another type than its descriptor says";

fn element_of(value: &Value, element: &ElementType) -> Result<Datum, String> {
    Ok(match (value, element) {
        (Value::Bool(v), _) => Datum::from(*v),
        (Value::I32(v) | Value::EnumNumber(v), _) => Datum::from(*v),
        (Value::I64(v), _) => Datum::from(*v),
        (Value::U32(v), _) => Datum::from(*v),
        (Value::U64(v), _) => Datum::from(*v),
        (Value::F32(v), _) => Datum::from(*v),
        (Value::F64(v), _) => Datum::from(*v),
        (Value::String(v), _) => Datum::from(v.as_str()),
        (Value::Message(nested), ElementType::Message(ty)) => Datum::Record(record(nested, ty)?),
        (Value::Bytes(v), ElementType::Message(_)) => {
            Datum::Record(Record { fields: vec![Datum::from(v.to_vec())] })
        }
        _ => return Err(OTHER.to_owned()),
    })
}

/// By value; all keys of a map are of one kind.
fn order(a: &MapKey, b: &MapKey) -> Ordering {
    match (a, b) {
        (MapKey::Bool(a), MapKey::Bool(b)) => a.cmp(b),
        (MapKey::I32(a), MapKey::I32(b)) => a.cmp(b),
        (MapKey::I64(a), MapKey::I64(b)) => a.cmp(b),
        (MapKey::U32(a), MapKey::U32(b)) => a.cmp(b),
        (MapKey::U64(a), MapKey::U64(b)) => a.cmp(b),
        (MapKey::String(a), MapKey::String(b)) => a.cmp(b),
        _ => Ordering::Equal,
    }
}
