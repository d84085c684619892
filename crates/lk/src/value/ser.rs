//! Values to any serde format.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use super::special::{text32, text64};
use super::{Array, Datum, Record, Value};
use crate::schema::{ElementType, Field, MessageType};

/// A map from field names to values, in schema order.
///
/// In formats for people (JSON, TOML) floats that are not finite are the
/// strings `NaN`, `Infinity` and `-Infinity`, a NaN of other bits than the
/// usual ones with them: `NaN(fff8000000000000)`. An optional field is its element
/// or null.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RecordOf(self.schema().root(), self.record()).serialize(serializer)
    }
}

struct RecordOf<'a>(&'a MessageType, &'a Record);

impl Serialize for RecordOf<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.fields.len()))?;
        for (field, datum) in self.0.fields.iter().zip(&self.1.fields) {
            map.serialize_entry(&field.name, &FieldOf(field, datum))?;
        }
        map.end()
    }
}

struct FieldOf<'a>(&'a Field, &'a Datum);

impl Serialize for FieldOf<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let element = self.0.ty.element();
        match self.1 {
            Datum::Array(array) if self.0.optional => {
                if array.is_empty() {
                    serializer.serialize_none()
                } else {
                    serializer.serialize_some(&ElementOf(element, array, 0))
                }
            }
            Datum::Array(array) => ArrayOf(element, array).serialize(serializer),
            Datum::Bool(v) => v.serialize(serializer),
            Datum::Int8(v) => v.serialize(serializer),
            Datum::Uint8(v) => v.serialize(serializer),
            Datum::Int16(v) => v.serialize(serializer),
            Datum::Uint16(v) => v.serialize(serializer),
            Datum::Int32(v) => v.serialize(serializer),
            Datum::Uint32(v) => v.serialize(serializer),
            Datum::Int64(v) => v.serialize(serializer),
            Datum::Uint64(v) => v.serialize(serializer),
            Datum::Float32(v) => single(*v, serializer),
            Datum::Float64(v) => double(*v, serializer),
            Datum::String(v) => v.serialize(serializer),
            Datum::Record(record) => message(element, record, serializer),
        }
    }
}

struct ArrayOf<'a>(&'a ElementType, &'a Array);

impl Serialize for ArrayOf<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let len = self.1.len();
        let mut seq = serializer.serialize_seq(Some(len))?;
        for index in 0..len {
            seq.serialize_element(&ElementOf(self.0, self.1, index))?;
        }
        seq.end()
    }
}

/// An element that is known to be there.
struct ElementOf<'a>(&'a ElementType, &'a Array, usize);

impl Serialize for ElementOf<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let index = self.2;
        match self.1 {
            Array::Bool(v) => v[index].serialize(serializer),
            Array::Int8(v) => v[index].serialize(serializer),
            Array::Uint8(v) => v[index].serialize(serializer),
            Array::Int16(v) => v[index].serialize(serializer),
            Array::Uint16(v) => v[index].serialize(serializer),
            Array::Int32(v) => v[index].serialize(serializer),
            Array::Uint32(v) => v[index].serialize(serializer),
            Array::Int64(v) => v[index].serialize(serializer),
            Array::Uint64(v) => v[index].serialize(serializer),
            Array::Float32(v) => single(v[index], serializer),
            Array::Float64(v) => double(v[index], serializer),
            Array::String(v) => v[index].serialize(serializer),
            Array::Record(v) => message(self.0, &v[index], serializer),
        }
    }
}

fn message<S: Serializer>(
    element: &ElementType,
    record: &Record,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match element {
        ElementType::Message(ty) => RecordOf(ty, record).serialize(serializer),
        _ => Err(serde::ser::Error::custom("a message where the schema has none")),
    }
}

fn single<S: Serializer>(v: f32, serializer: S) -> Result<S::Ok, S::Error> {
    if v.is_finite() || !serializer.is_human_readable() {
        serializer.serialize_f32(v)
    } else {
        serializer.serialize_str(&text32(v))
    }
}

fn double<S: Serializer>(v: f64, serializer: S) -> Result<S::Ok, S::Error> {
    if v.is_finite() || !serializer.is_human_readable() {
        serializer.serialize_f64(v)
    } else {
        serializer.serialize_str(&text64(v))
    }
}
