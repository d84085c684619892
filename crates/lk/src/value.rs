//! A message whose type is known only at run time.

mod check;
mod datum;
mod de;
mod display;
mod path;
mod scalar;
mod ser;
pub(crate) mod special;

pub use de::ValueSeed;
pub use scalar::Scalar;

pub(crate) use check::fits;

use crate::error::Result;
use crate::schema::{ElementType, FieldType, MessageType, Primitive, Schema};

/// A message together with its schema.
///
/// For display, conversion and bindings. Comparing does not come this way: it
/// walks the encoded bytes (`diff`), which is faster and loses nothing.
///
/// Two values are equal when their schemas and the bits of their fields are:
/// NaN equals itself, 0.0 differs from -0.0.
///
/// ```
/// use lk::{Schema, Value};
/// use lk::value::Scalar;
///
/// let schema = Schema::parse("geometry_msgs/Pose", "Point position\nQuaternion orientation")?;
/// let mut pose = Value::default_of(&schema);
/// pose.set("position.x", 1.5)?;
/// assert_eq!(pose.scalar("position.x"), Some(Scalar::Float64(1.5)));
/// assert_eq!(pose.get("orientation.w").and_then(|w| w.as_f64()), Some(1.0));
/// assert_eq!(pose.leaves().len(), 7);
/// # Ok::<(), lk::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    schema: Schema,
    root: Record,
}

/// The fields of one message, in schema order, without their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// One datum per field of the message type.
    pub fields: Vec<Datum>,
}

/// What one field holds. `Uint8` stands for byte and char too; `String` for
/// wstring. Equality is that of bits.
#[derive(Clone, Debug)]
pub enum Datum {
    /// `bool`
    Bool(bool),
    /// `int8`
    Int8(i8),
    /// `uint8`, `byte` or `char`
    Uint8(u8),
    /// `int16`
    Int16(i16),
    /// `uint16`
    Uint16(u16),
    /// `int32`
    Int32(i32),
    /// `uint32`
    Uint32(u32),
    /// `int64`
    Int64(i64),
    /// `uint64`
    Uint64(u64),
    /// `float32`
    Float32(f32),
    /// `float64`
    Float64(f64),
    /// `string` or `wstring`
    String(String),
    /// a nested message
    Record(Record),
    /// an array or sequence
    Array(Array),
}

/// The elements of an array or sequence, contiguous where they are numbers.
/// Equality is that of bits.
#[derive(Clone, Debug)]
pub enum Array {
    /// of `bool`
    Bool(Vec<bool>),
    /// of `int8`
    Int8(Vec<i8>),
    /// of `uint8`, `byte` or `char`
    Uint8(Vec<u8>),
    /// of `int16`
    Int16(Vec<i16>),
    /// of `uint16`
    Uint16(Vec<u16>),
    /// of `int32`
    Int32(Vec<i32>),
    /// of `uint32`
    Uint32(Vec<u32>),
    /// of `int64`
    Int64(Vec<i64>),
    /// of `uint64`
    Uint64(Vec<u64>),
    /// of `float32`
    Float32(Vec<f32>),
    /// of `float64`
    Float64(Vec<f64>),
    /// of `string` or `wstring`
    String(Vec<String>),
    /// of messages
    Record(Vec<Record>),
}

impl Value {
    /// A message of its fields.
    ///
    /// # Errors
    ///
    /// [`Error::Value`](crate::Error::Value), naming the dotted field, where a
    /// datum isn't of its field's type, or exceeds its bound.
    pub fn new(schema: Schema, record: Record) -> Result<Value> {
        check::record_fits(schema.root(), &record)
            .map_err(|fault| fault.into_value(schema.name()))?;
        Ok(Value { schema, root: record })
    }

    /// A message of fields that are known to fit.
    pub(crate) fn new_unchecked(schema: Schema, record: Record) -> Value {
        Value { schema, root: record }
    }

    /// The message whose fields have their default values: those that the
    /// schema gives, else zero, `false` and empty.
    pub fn default_of(schema: &Schema) -> Value {
        Value { schema: schema.clone(), root: Record::default_of(schema.root()) }
    }

    /// What the fields mean.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The fields.
    pub fn record(&self) -> &Record {
        &self.root
    }

    /// The fields, without the schema.
    pub fn into_record(self) -> Record {
        self.root
    }

    /// The fields, for the codec to overwrite.
    pub(crate) fn record_mut(&mut self) -> &mut Record {
        &mut self.root
    }

    /// Another schema, after the codec has overwritten the fields.
    pub(crate) fn set_schema(&mut self, schema: Schema) {
        self.schema = schema;
    }
}

impl Record {
    /// The record whose fields have their default values.
    pub(crate) fn default_of(ty: &MessageType) -> Record {
        let fields = ty.fields.iter().map(|field| match &field.default {
            Some(default) => default.clone(),
            None => Datum::default_of(&field.ty),
        });
        Record { fields: fields.collect() }
    }
}

impl Datum {
    /// What a field of this type holds where its schema gives no default.
    pub(crate) fn default_of(ty: &FieldType) -> Datum {
        match ty {
            FieldType::One(element) => Datum::default_of_element(element),
            FieldType::Array(element, len) => Datum::Array(Array::default_of(element, *len)),
            FieldType::Sequence(element, _) => Datum::Array(Array::default_of(element, 0)),
        }
    }

    fn default_of_element(element: &ElementType) -> Datum {
        match element {
            ElementType::Primitive(p) => match p {
                Primitive::Bool => Datum::Bool(false),
                Primitive::Byte | Primitive::Char | Primitive::Uint8 => Datum::Uint8(0),
                Primitive::Int8 => Datum::Int8(0),
                Primitive::Int16 => Datum::Int16(0),
                Primitive::Uint16 => Datum::Uint16(0),
                Primitive::Int32 => Datum::Int32(0),
                Primitive::Uint32 => Datum::Uint32(0),
                Primitive::Int64 => Datum::Int64(0),
                Primitive::Uint64 => Datum::Uint64(0),
                Primitive::Float32 => Datum::Float32(0.0),
                Primitive::Float64 => Datum::Float64(0.0),
            },
            ElementType::String(_) | ElementType::WString(_) => Datum::String(String::new()),
            ElementType::Message(ty) => Datum::Record(Record::default_of(ty)),
        }
    }
}

impl Array {
    /// So many elements of this type, each the default.
    pub(crate) fn default_of(element: &ElementType, len: usize) -> Array {
        match element {
            ElementType::Primitive(p) => match p {
                Primitive::Bool => Array::Bool(vec![false; len]),
                Primitive::Byte | Primitive::Char | Primitive::Uint8 => Array::Uint8(vec![0; len]),
                Primitive::Int8 => Array::Int8(vec![0; len]),
                Primitive::Int16 => Array::Int16(vec![0; len]),
                Primitive::Uint16 => Array::Uint16(vec![0; len]),
                Primitive::Int32 => Array::Int32(vec![0; len]),
                Primitive::Uint32 => Array::Uint32(vec![0; len]),
                Primitive::Int64 => Array::Int64(vec![0; len]),
                Primitive::Uint64 => Array::Uint64(vec![0; len]),
                Primitive::Float32 => Array::Float32(vec![0.0; len]),
                Primitive::Float64 => Array::Float64(vec![0.0; len]),
            },
            ElementType::String(_) | ElementType::WString(_) => {
                Array::String(vec![String::new(); len])
            }
            ElementType::Message(ty) if len > 0 => Array::Record(vec![Record::default_of(ty); len]),
            ElementType::Message(_) => Array::Record(Vec::new()),
        }
    }
}

#[cfg(test)]
mod tests;
