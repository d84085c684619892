//! From a record to a payload.

use super::layout::{Count, Element, FieldLayout, Layout};
use super::writer::Writer;
use crate::error::fault::{Fault, Walk};
use crate::value::{Array, Datum, Record};

/// Appends one message.
///
/// A [`Value`](crate::Value) is checked when it is made, so what can fail here
/// in practice are lengths beyond 32 bits; the rest is checked all the same.
pub(super) fn record(writer: &mut Writer<'_>, layout: &Layout, record: &Record) -> Walk<()> {
    if record.fields.len() != layout.fields.len() {
        let (expected, actual) = (layout.fields.len(), record.fields.len());
        return Err(Fault::new(0, format!("expected {expected} fields, got {actual}")));
    }
    if layout.fields.is_empty() {
        writer.bytes(&[0]);
    }
    for (index, (field, datum)) in layout.fields.iter().zip(&record.fields).enumerate() {
        one_field(writer, field, datum)
            .map_err(|fault| fault.in_field(&layout.ty.fields[index].name))?;
    }
    Ok(())
}

fn one_field(writer: &mut Writer<'_>, field: &FieldLayout, datum: &Datum) -> Walk<()> {
    match (field.count, datum) {
        (Count::One, datum) => one(writer, &field.element, datum),
        (Count::Array(len), Datum::Array(array)) => {
            if array.len() != len {
                let actual = array.len();
                return Err(Fault::new(0, format!("expected {len} elements, got {actual}")));
            }
            many(writer, &field.element, array)
        }
        (Count::Sequence(bound), Datum::Array(array)) => {
            writer.length(array.len(), bound)?;
            many(writer, &field.element, array)
        }
        (_, other) => Err(other_type("an array", other.type_name())),
    }
}

fn one(writer: &mut Writer<'_>, element: &Element, datum: &Datum) -> Walk<()> {
    use crate::schema::Primitive as P;
    match (element, datum) {
        (Element::Primitive(P::Bool), Datum::Bool(v)) => writer.bytes(&[u8::from(*v)]),
        (Element::Primitive(P::Byte | P::Char | P::Uint8), Datum::Uint8(v)) => writer.bytes(&[*v]),
        (Element::Primitive(P::Int8), Datum::Int8(v)) => writer.number(*v),
        (Element::Primitive(P::Int16), Datum::Int16(v)) => writer.number(*v),
        (Element::Primitive(P::Uint16), Datum::Uint16(v)) => writer.number(*v),
        (Element::Primitive(P::Int32), Datum::Int32(v)) => writer.number(*v),
        (Element::Primitive(P::Uint32), Datum::Uint32(v)) => writer.number(*v),
        (Element::Primitive(P::Int64), Datum::Int64(v)) => writer.number(*v),
        (Element::Primitive(P::Uint64), Datum::Uint64(v)) => writer.number(*v),
        (Element::Primitive(P::Float32), Datum::Float32(v)) => writer.number(*v),
        (Element::Primitive(P::Float64), Datum::Float64(v)) => writer.number(*v),
        (Element::String(bound), Datum::String(v)) => return writer.string(v, *bound),
        (Element::WString(bound), Datum::String(v)) => return writer.wstring(v, *bound),
        (Element::Message(layout), Datum::Record(v)) => return record(writer, layout, v),
        (element, other) => return Err(other_type(element_name(element), other.type_name())),
    }
    Ok(())
}

fn many(writer: &mut Writer<'_>, element: &Element, array: &Array) -> Walk<()> {
    use crate::schema::Primitive as P;
    match (element, array) {
        (Element::Primitive(P::Bool), Array::Bool(v)) => {
            v.iter().for_each(|bool| writer.bytes(&[u8::from(*bool)]));
        }
        (Element::Primitive(P::Byte | P::Char | P::Uint8), Array::Uint8(v)) => writer.bytes(v),
        (Element::Primitive(P::Int8), Array::Int8(v)) => writer.numbers(v),
        (Element::Primitive(P::Int16), Array::Int16(v)) => writer.numbers(v),
        (Element::Primitive(P::Uint16), Array::Uint16(v)) => writer.numbers(v),
        (Element::Primitive(P::Int32), Array::Int32(v)) => writer.numbers(v),
        (Element::Primitive(P::Uint32), Array::Uint32(v)) => writer.numbers(v),
        (Element::Primitive(P::Int64), Array::Int64(v)) => writer.numbers(v),
        (Element::Primitive(P::Uint64), Array::Uint64(v)) => writer.numbers(v),
        (Element::Primitive(P::Float32), Array::Float32(v)) => writer.numbers(v),
        (Element::Primitive(P::Float64), Array::Float64(v)) => writer.numbers(v),
        (Element::String(bound), Array::String(v)) => {
            return each(v, |text| writer.string(text, *bound));
        }
        (Element::WString(bound), Array::String(v)) => {
            return each(v, |text| writer.wstring(text, *bound));
        }
        (Element::Message(layout), Array::Record(v)) => {
            return each(v, |item| record(writer, layout, item));
        }
        (element, other) => {
            let actual = format!("an array of {}", other.type_name());
            return Err(other_type(&format!("an array of {}", element_name(element)), &actual));
        }
    }
    Ok(())
}

fn each<T>(items: &[T], mut write: impl FnMut(&T) -> Walk<()>) -> Walk<()> {
    items
        .iter()
        .enumerate()
        .try_for_each(|(index, item)| write(item).map_err(|fault| fault.in_element(index)))
}

fn element_name(element: &Element) -> &str {
    match element {
        Element::Primitive(p) => p.name(),
        Element::String(_) => "string",
        Element::WString(_) => "wstring",
        Element::Message(layout) => &layout.ty.name,
    }
}

fn other_type(expected: &str, actual: &str) -> Box<Fault> {
    Fault::new(0, format!("expected {expected}, got {actual}"))
}
