//! Values as text for people.

use std::fmt;

use super::{Array, Datum, Record, Value};
use crate::schema::{ElementType, FieldType, MessageType};

/// Elements of an array that are shown before the rest is only counted.
const MAX_ELEMENTS: usize = 32;

/// On one line, `{stamp: {sec: 1, nanosec: 0}, ranges: [0.5, 1.0]}`; with
/// `{:#}` one line a field, indented. Floats have the fewest digits that give
/// the same bits back, text is quoted, and of a long array the first 32
/// elements are shown. For everything, serialize it.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            lines(f, self.schema().root(), self.record(), 0)
        } else {
            inline(f, self.schema().root(), self.record())
        }
    }
}

fn lines(
    f: &mut fmt::Formatter<'_>,
    ty: &MessageType,
    record: &Record,
    depth: usize,
) -> fmt::Result {
    for (index, (field, datum)) in ty.fields.iter().zip(&record.fields).enumerate() {
        if index > 0 {
            writeln!(f)?;
        }
        write!(f, "{:1$}{2}:", "", depth * 2, field.name)?;
        match (datum, field.ty.element()) {
            (Datum::Record(record), ElementType::Message(ty)) if !record.fields.is_empty() => {
                writeln!(f)?;
                lines(f, ty, record, depth + 1)?;
            }
            (Datum::Array(Array::Record(records)), ElementType::Message(ty))
                if !records.is_empty() =>
            {
                for (index, record) in records.iter().take(MAX_ELEMENTS).enumerate() {
                    write!(f, "\n{:1$}[{index}]:", "", depth * 2 + 2)?;
                    if record.fields.is_empty() {
                        f.write_str(" {}")?;
                    } else {
                        writeln!(f)?;
                        lines(f, ty, record, depth + 2)?;
                    }
                }
                if records.len() > MAX_ELEMENTS {
                    write!(f, "\n{:1$}", "", depth * 2 + 2)?;
                    more(f, records.len())?;
                }
            }
            (datum, _) => {
                f.write_str(" ")?;
                one(f, &field.ty, datum)?;
            }
        }
    }
    Ok(())
}

fn inline(f: &mut fmt::Formatter<'_>, ty: &MessageType, record: &Record) -> fmt::Result {
    f.write_str("{")?;
    for (index, (field, datum)) in ty.fields.iter().zip(&record.fields).enumerate() {
        let comma = if index > 0 { ", " } else { "" };
        write!(f, "{comma}{}: ", field.name)?;
        one(f, &field.ty, datum)?;
    }
    f.write_str("}")
}

fn one(f: &mut fmt::Formatter<'_>, ty: &FieldType, datum: &Datum) -> fmt::Result {
    match (datum, ty.element()) {
        (Datum::Record(record), ElementType::Message(ty)) => inline(f, ty, record),
        (Datum::Array(array), element) => {
            f.write_str("[")?;
            for index in 0..array.len().min(MAX_ELEMENTS) {
                if index > 0 {
                    f.write_str(", ")?;
                }
                match (array, element) {
                    (Array::Record(records), ElementType::Message(ty)) => {
                        inline(f, ty, &records[index])?;
                    }
                    (array, _) => write!(f, "{}", array.scalar(index).unwrap_or_default())?,
                }
            }
            if array.len() > MAX_ELEMENTS {
                f.write_str(", ")?;
                more(f, array.len())?;
            }
            f.write_str("]")
        }
        (datum, _) => write!(f, "{}", datum.scalar().unwrap_or_default()),
    }
}

fn more(f: &mut fmt::Formatter<'_>, len: usize) -> fmt::Result {
    write!(f, "... {} more", len - MAX_ELEMENTS)
}
