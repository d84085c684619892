//! From a payload to a record, reusing what the record holds.

use super::cursor::Cursor;
use super::layout::{Count, Element, FieldLayout, Layout};
use super::number::Number;
use crate::error::fault::{Fault, Walk};
use crate::schema::Primitive;
use crate::value::{Array, Datum, Record};

/// Reads one message. Whatever the record held before is replaced; what fits
/// is overwritten in place.
pub(super) fn record(cursor: &mut Cursor<'_>, layout: &Layout, record: &mut Record) -> Walk<()> {
    let data = &mut record.fields;
    if data.len() != layout.fields.len() {
        data.clear();
        data.resize(layout.fields.len(), Datum::Bool(false));
    }
    if layout.fields.is_empty() {
        // rosidl gives an empty message one byte, so that C++ can hold it.
        cursor.bytes(1)?;
        return Ok(());
    }
    let mut index = 0;
    while let Some(field) = layout.fields.get(index) {
        let run = &mut data[index..index + field.run];
        if let Err(mut fault) = fields(cursor, field, run) {
            let bad = index + fault.element.take().unwrap_or_default();
            return Err(fault.in_field(&layout.ty.fields[bad].name));
        }
        index += field.run;
    }
    Ok(())
}

/// Reads a run of equal single primitives, or one field of any other kind. A
/// fault's element is the field's index in the run.
fn fields(cursor: &mut Cursor<'_>, field: &FieldLayout, data: &mut [Datum]) -> Walk<()> {
    match (&field.element, field.count) {
        (Element::Primitive(primitive), Count::One) => primitives(cursor, *primitive, data),
        (element, Count::One) => one(cursor, element, &mut data[0]),
        (element, Count::Array(len)) => many(cursor, element, len, &mut data[0]),
        (element, Count::Sequence(bound)) => {
            let len = cursor.length(bound, element.min_size())?;
            many(cursor, element, len, &mut data[0])
        }
    }
}

fn primitives(cursor: &mut Cursor<'_>, primitive: Primitive, data: &mut [Datum]) -> Walk<()> {
    let bytes = cursor.run(primitive.size(), data.len())?;
    let big = cursor.big_endian();
    macro_rules! fill {
        ($variant:ident) => {{
            let mut slots = data.iter_mut();
            Number::for_each(bytes, big, |number| {
                // Overwriting in place spares dropping the old datum.
                match slots.next() {
                    Some(Datum::$variant(slot)) => *slot = number,
                    Some(other) => *other = Datum::$variant(number),
                    None => {}
                }
            });
        }};
    }
    match primitive {
        Primitive::Bool => {
            cursor.check_bools(bytes)?;
            for (slot, byte) in data.iter_mut().zip(bytes) {
                *slot = Datum::Bool(*byte == 1);
            }
        }
        Primitive::Byte | Primitive::Char | Primitive::Uint8 => fill!(Uint8),
        Primitive::Int8 => fill!(Int8),
        Primitive::Int16 => fill!(Int16),
        Primitive::Uint16 => fill!(Uint16),
        Primitive::Int32 => fill!(Int32),
        Primitive::Uint32 => fill!(Uint32),
        Primitive::Int64 => fill!(Int64),
        Primitive::Uint64 => fill!(Uint64),
        Primitive::Float32 => fill!(Float32),
        Primitive::Float64 => fill!(Float64),
    }
    Ok(())
}

/// Gives the content of a datum or array if it is of the wanted variant, and
/// makes it so otherwise.
macro_rules! reuse {
    ($slot:expr, $enum:ident :: $variant:ident) => {{
        if !matches!($slot, $enum::$variant(_)) {
            *$slot = $enum::$variant(Default::default());
        }
        match $slot {
            $enum::$variant(content) => content,
            _ => unreachable!("made so just above"),
        }
    }};
}

fn one(cursor: &mut Cursor<'_>, element: &Element, datum: &mut Datum) -> Walk<()> {
    match element {
        Element::Primitive(primitive) => {
            primitives(cursor, *primitive, std::slice::from_mut(datum))
        }
        Element::String(bound) => string(cursor, *bound, reuse!(datum, Datum::String)),
        Element::WString(bound) => wstring(cursor, *bound, reuse!(datum, Datum::String)),
        Element::Message(layout) => record(cursor, layout, reuse!(datum, Datum::Record)),
    }
}

fn string(cursor: &mut Cursor<'_>, bound: Option<usize>, out: &mut String) -> Walk<()> {
    let text = cursor.string(bound)?;
    out.clear();
    out.push_str(text);
    Ok(())
}

fn wstring(cursor: &mut Cursor<'_>, bound: Option<usize>, out: &mut String) -> Walk<()> {
    out.clear();
    cursor.wstring(bound, out)
}

fn many(cursor: &mut Cursor<'_>, element: &Element, len: usize, datum: &mut Datum) -> Walk<()> {
    if !matches!(datum, Datum::Array(_)) {
        *datum = Datum::Array(Array::Uint8(Vec::new()));
    }
    let Datum::Array(array) = datum else { unreachable!("made so just above") };
    match element {
        Element::Primitive(primitive) => {
            numbers(cursor, *primitive, len, array).map_err(Fault::element_in_path)
        }
        Element::String(bound) => {
            let texts = reuse!(array, Array::String);
            elements(cursor, element, len, texts, |cursor, text| string(cursor, *bound, text))
        }
        Element::WString(bound) => {
            let texts = reuse!(array, Array::String);
            elements(cursor, element, len, texts, |cursor, text| wstring(cursor, *bound, text))
        }
        Element::Message(layout) => {
            let records = reuse!(array, Array::Record);
            elements(cursor, element, len, records, |cursor, item| record(cursor, layout, item))
        }
    }
}

fn numbers(
    cursor: &mut Cursor<'_>,
    primitive: Primitive,
    len: usize,
    array: &mut Array,
) -> Walk<()> {
    let bytes = cursor.run(primitive.size(), len)?;
    let big = cursor.big_endian();
    macro_rules! extend {
        ($variant:ident) => {{
            let out = reuse!(array, Array::$variant);
            out.clear();
            Number::extend(out, bytes, big);
        }};
    }
    match primitive {
        Primitive::Bool => {
            cursor.check_bools(bytes)?;
            let out = reuse!(array, Array::Bool);
            out.clear();
            out.extend(bytes.iter().map(|byte| *byte == 1));
        }
        Primitive::Byte | Primitive::Char | Primitive::Uint8 => {
            let out = reuse!(array, Array::Uint8);
            out.clear();
            out.extend_from_slice(bytes);
        }
        Primitive::Int8 => extend!(Int8),
        Primitive::Int16 => extend!(Int16),
        Primitive::Uint16 => extend!(Uint16),
        Primitive::Int32 => extend!(Int32),
        Primitive::Uint32 => extend!(Uint32),
        Primitive::Int64 => extend!(Int64),
        Primitive::Uint64 => extend!(Uint64),
        Primitive::Float32 => extend!(Float32),
        Primitive::Float64 => extend!(Float64),
    }
    Ok(())
}

fn elements<T: Default>(
    cursor: &mut Cursor<'_>,
    element: &Element,
    len: usize,
    out: &mut Vec<T>,
    mut read: impl FnMut(&mut Cursor<'_>, &mut T) -> Walk<()>,
) -> Walk<()> {
    out.truncate(len);
    // A fixed array's length comes from the schema: the payload still has to
    // justify it.
    let possible = len.min(cursor.remaining() / element.min_size());
    out.reserve_exact(possible.saturating_sub(out.len()));
    for index in 0..len {
        if index == out.len() {
            out.push(T::default());
        }
        read(cursor, &mut out[index]).map_err(|fault| fault.in_element(index))?;
    }
    Ok(())
}
