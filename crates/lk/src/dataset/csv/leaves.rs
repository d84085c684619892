//! The columns of a message type.

use crate::schema::{ElementType, FieldType, MessageType, Primitive, Schema};
use crate::value::{Array, Datum, Record, Scalar};

/// More columns than this are no table any more.
pub(super) const MAX_COLUMNS: usize = 16_384;

/// One number or text of a message, at the same place in each.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    /// `pose.covariance[3]`
    pub(super) path: String,
    pub(super) kind: Kind,
    /// Indices of the field, in the array, of the field in its element, ...
    steps: Vec<usize>,
    /// Whether the schema gives it a default.
    pub(super) has_default: bool,
}

/// What a leaf holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    Primitive(Primitive),
    Text { bound: Option<usize>, wide: bool },
}

/// The leaves of a schema in its order, or the reason why its messages don't
/// all have the same ones.
pub(super) fn leaves(schema: &Schema) -> Result<Vec<Leaf>, String> {
    let mut leaves = Vec::new();
    message(schema.root(), &Place::default(), &mut leaves)?;
    Ok(leaves)
}

#[derive(Clone, Default)]
struct Place {
    path: String,
    steps: Vec<usize>,
    has_default: bool,
}

impl Place {
    fn step(&self, name: &str, index: usize) -> Place {
        let mut place = self.clone();
        place.path.push_str(name);
        place.steps.push(index);
        place
    }
}

fn message(ty: &MessageType, place: &Place, leaves: &mut Vec<Leaf>) -> Result<(), String> {
    for (index, field) in ty.fields.iter().enumerate() {
        let dot = if place.path.is_empty() { "" } else { "." };
        let mut at = place.step(&format!("{dot}{}", field.name), index);
        at.has_default |= field.default.is_some();
        match &field.ty {
            FieldType::One(ty) => element(ty, at, leaves)?,
            FieldType::Array(ty, len) => {
                for index in 0..*len {
                    element(ty, at.step(&format!("[{index}]"), index), leaves)?;
                }
            }
            FieldType::Sequence(..) => {
                let path = &at.path;
                return Err(format!("the length of {path}, a {}, varies", field.ty));
            }
        }
    }
    Ok(())
}

fn element(ty: &ElementType, place: Place, leaves: &mut Vec<Leaf>) -> Result<(), String> {
    let kind = match ty {
        ElementType::Message(ty) => return message(ty, &place, leaves),
        ElementType::Primitive(primitive) => Kind::Primitive(*primitive),
        ElementType::String(bound) => Kind::Text { bound: *bound, wide: false },
        ElementType::WString(bound) => Kind::Text { bound: *bound, wide: true },
    };
    if leaves.len() == MAX_COLUMNS {
        return Err(format!("it takes more than {MAX_COLUMNS} columns"));
    }
    let Place { path, steps, has_default } = place;
    leaves.push(Leaf { path, kind, steps, has_default });
    Ok(())
}

impl Leaf {
    /// What a record holds there; `None` where it is of another type.
    pub(super) fn get(&self, record: &Record) -> Option<Scalar> {
        let (&first, mut steps) = self.steps.split_first()?;
        let mut datum = record.fields.get(first)?;
        loop {
            let Some((&index, rest)) = steps.split_first() else { return datum.scalar() };
            let record = match datum {
                Datum::Record(record) => {
                    datum = record.fields.get(index)?;
                    steps = rest;
                    continue;
                }
                Datum::Array(Array::Record(records)) => records.get(index)?,
                Datum::Array(array) => return array.scalar(index),
                _ => return None,
            };
            let (&field, rest) = rest.split_first()?;
            datum = record.fields.get(field)?;
            steps = rest;
        }
    }

    /// Puts `datum` there; `None` where the record has no such place.
    pub(super) fn put(&self, record: &mut Record, datum: Datum) -> Option<()> {
        let (&first, mut steps) = self.steps.split_first()?;
        let mut place = record.fields.get_mut(first)?;
        loop {
            let Some((&index, rest)) = steps.split_first() else {
                *place = datum;
                return Some(());
            };
            let record = match place {
                Datum::Record(record) => {
                    place = record.fields.get_mut(index)?;
                    steps = rest;
                    continue;
                }
                Datum::Array(Array::Record(records)) => records.get_mut(index)?,
                Datum::Array(array) => return put_element(array, index, datum),
                _ => return None,
            };
            let (&field, rest) = rest.split_first()?;
            place = record.fields.get_mut(field)?;
            steps = rest;
        }
    }
}

fn put_element(array: &mut Array, index: usize, datum: Datum) -> Option<()> {
    match (array, datum) {
        (Array::Bool(all), Datum::Bool(v)) => *all.get_mut(index)? = v,
        (Array::Int8(all), Datum::Int8(v)) => *all.get_mut(index)? = v,
        (Array::Uint8(all), Datum::Uint8(v)) => *all.get_mut(index)? = v,
        (Array::Int16(all), Datum::Int16(v)) => *all.get_mut(index)? = v,
        (Array::Uint16(all), Datum::Uint16(v)) => *all.get_mut(index)? = v,
        (Array::Int32(all), Datum::Int32(v)) => *all.get_mut(index)? = v,
        (Array::Uint32(all), Datum::Uint32(v)) => *all.get_mut(index)? = v,
        (Array::Int64(all), Datum::Int64(v)) => *all.get_mut(index)? = v,
        (Array::Uint64(all), Datum::Uint64(v)) => *all.get_mut(index)? = v,
        (Array::Float32(all), Datum::Float32(v)) => *all.get_mut(index)? = v,
        (Array::Float64(all), Datum::Float64(v)) => *all.get_mut(index)? = v,
        (Array::String(all), Datum::String(v)) => *all.get_mut(index)? = v,
        _ => return None,
    }
    Some(())
}

impl Kind {
    /// Reads a cell; what it should be, as a phrase, where it is something
    /// else.
    pub(super) fn parse(self, text: &str) -> Result<Datum, String> {
        let (primitive, trimmed) = match self {
            Kind::Text { bound, wide } => {
                let len = if wide { text.encode_utf16().count() } else { text.len() };
                return match bound {
                    Some(bound) if len > bound => {
                        let unit = if wide { "UTF-16 units" } else { "bytes" };
                        Err(format!("text of at most {bound} {unit}"))
                    }
                    _ => Ok(Datum::String(text.to_owned())),
                };
            }
            Kind::Primitive(primitive) => (primitive, text.trim()),
        };
        let datum = match primitive {
            Primitive::Bool => parse_bool(trimmed).map(Datum::Bool),
            Primitive::Byte | Primitive::Char | Primitive::Uint8 => {
                trimmed.parse().ok().map(Datum::Uint8)
            }
            Primitive::Int8 => trimmed.parse().ok().map(Datum::Int8),
            Primitive::Int16 => trimmed.parse().ok().map(Datum::Int16),
            Primitive::Uint16 => trimmed.parse().ok().map(Datum::Uint16),
            Primitive::Int32 => trimmed.parse().ok().map(Datum::Int32),
            Primitive::Uint32 => trimmed.parse().ok().map(Datum::Uint32),
            Primitive::Int64 => trimmed.parse().ok().map(Datum::Int64),
            Primitive::Uint64 => trimmed.parse().ok().map(Datum::Uint64),
            Primitive::Float32 => trimmed.parse().ok().map(Datum::Float32),
            Primitive::Float64 => trimmed.parse().ok().map(Datum::Float64),
        };
        let float = match datum {
            Some(Datum::Float32(float)) => Some(f64::from(float)),
            Some(Datum::Float64(float)) => Some(float),
            _ => None,
        };
        if float.is_some_and(|float| is_out_of_range(trimmed, float)) {
            return Err(format!("in the range of {}", primitive.name()));
        }
        let article = if primitive.name().starts_with('i') { "an" } else { "a" };
        datum.ok_or_else(|| format!("{article} {}", primitive.name()))
    }
}

/// Whether the text of a float is a number too large for it, or too small.
fn is_out_of_range(text: &str, float: f64) -> bool {
    let number = text.split(['e', 'E']).next().unwrap_or_default();
    let mut digits = number.bytes().filter(u8::is_ascii_digit);
    match float {
        // The text may also be `inf`.
        _ if float.is_infinite() => digits.next().is_some(),
        _ => float == 0.0 && digits.any(|digit| digit != b'0'),
    }
}

/// As it is written by hand, and by Python.
pub(super) fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" | "1" => Some(true),
        "false" | "False" | "FALSE" | "0" => Some(false),
        _ => None,
    }
}
