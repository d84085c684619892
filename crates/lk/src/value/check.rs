//! Whether a datum is of its field's type.

use super::{Array, Datum, Record};
use crate::error::fault::{Fault, Walk};
use crate::schema::{ElementType, FieldType, MessageType, Primitive};

/// Checks the fields of a message.
pub(super) fn record_fits(ty: &MessageType, record: &Record) -> Walk<()> {
    if record.fields.len() != ty.fields.len() {
        let (expected, actual) = (ty.fields.len(), record.fields.len());
        return Err(Fault::new(0, format!("expected {expected} fields, got {actual}")));
    }
    for (field, datum) in ty.fields.iter().zip(&record.fields) {
        fits(&field.ty, datum).map_err(|fault| fault.in_field(&field.name))?;
    }
    Ok(())
}

/// Checks one field.
pub(crate) fn fits(ty: &FieldType, datum: &Datum) -> Walk<()> {
    match (ty, datum) {
        (FieldType::One(element), datum) => one_fits(element, datum),
        (FieldType::Array(element, len), Datum::Array(array)) => {
            if array.len() != *len {
                let actual = array.len();
                return Err(Fault::new(0, format!("expected {len} elements, got {actual}")));
            }
            elements_fit(element, array)
        }
        (FieldType::Sequence(element, bound), Datum::Array(array)) => {
            let bound = bound.unwrap_or(u32::MAX as usize);
            if array.len() > bound {
                let actual = array.len();
                return Err(Fault::new(
                    0,
                    format!("expected up to {bound} elements, got {actual}"),
                ));
            }
            elements_fit(element, array)
        }
        (ty, other) => Err(Fault::new(0, format!("expected {ty}, got {}", other.type_name()))),
    }
}

fn one_fits(element: &ElementType, datum: &Datum) -> Walk<()> {
    match (element, datum) {
        (ElementType::Message(ty), Datum::Record(record)) => record_fits(ty, record),
        (element, Datum::String(text)) if is_text(element) => text_fits(element, text),
        (ElementType::Primitive(p), datum) if stored_as(*p) == datum.type_name() => Ok(()),
        (element, other) => {
            Err(Fault::new(0, format!("expected {element}, got {}", other.type_name())))
        }
    }
}

fn elements_fit(element: &ElementType, array: &Array) -> Walk<()> {
    match (element, array) {
        (ElementType::Message(ty), Array::Record(records)) => {
            each(records, |record| record_fits(ty, record))
        }
        (element, Array::String(texts)) if is_text(element) => {
            each(texts, |text| text_fits(element, text))
        }
        (ElementType::Primitive(p), array) if stored_as(*p) == array.type_name() => Ok(()),
        (element, other) => Err(Fault::new(
            0,
            format!("expected an array of {element}, got one of {}", other.type_name()),
        )),
    }
}

fn each<T>(items: &[T], fits: impl Fn(&T) -> Walk<()>) -> Walk<()> {
    items
        .iter()
        .enumerate()
        .try_for_each(|(index, item)| fits(item).map_err(|fault| fault.in_element(index)))
}

fn is_text(element: &ElementType) -> bool {
    matches!(element, ElementType::String(_) | ElementType::WString(_))
}

fn text_fits(element: &ElementType, text: &str) -> Walk<()> {
    let (bound, len, unit) = match element {
        ElementType::String(bound) => (*bound, text.len(), "bytes"),
        ElementType::WString(bound) => (*bound, text.encode_utf16().count(), "code units"),
        _ => return Ok(()),
    };
    match bound {
        Some(bound) if len > bound => {
            Err(Fault::new(0, format!("expected text of up to {bound} {unit}, got {len}")))
        }
        _ => Ok(()),
    }
}

/// The name of the datum that holds a primitive.
fn stored_as(primitive: Primitive) -> &'static str {
    match primitive {
        Primitive::Byte | Primitive::Char => Primitive::Uint8.name(),
        other => other.name(),
    }
}
