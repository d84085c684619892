//! A message whose type is known only at run time.

mod scalar;

use crate::schema::Schema;

pub use scalar::Scalar;

/// A message together with its schema.
///
/// For display, conversion and bindings. Comparing does not come this way: it
/// walks the encoded bytes (`diff`), which is faster and loses nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    schema: Schema,
    root: Record,
}

/// The fields of one message, in schema order, without their names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// One datum per field of the message type.
    pub fields: Vec<Datum>,
}

/// What one field holds. `Uint8` stands for byte and char too; `String` for
/// wstring.
#[derive(Clone, Debug, PartialEq)]
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
#[derive(Clone, Debug, PartialEq)]
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
