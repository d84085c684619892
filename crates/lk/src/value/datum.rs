//! What a datum and an array are and hold.

use super::{Array, Datum, Record};
use crate::value::Scalar;

/// Evaluates an expression over the vector of an array, whatever it holds.
macro_rules! with_elements {
    ($array:expr, $elements:ident => $result:expr) => {
        match $array {
            Array::Bool($elements) => $result,
            Array::Int8($elements) => $result,
            Array::Uint8($elements) => $result,
            Array::Int16($elements) => $result,
            Array::Uint16($elements) => $result,
            Array::Int32($elements) => $result,
            Array::Uint32($elements) => $result,
            Array::Int64($elements) => $result,
            Array::Uint64($elements) => $result,
            Array::Float32($elements) => $result,
            Array::Float64($elements) => $result,
            Array::String($elements) => $result,
            Array::Record($elements) => $result,
        }
    };
}

impl Datum {
    /// Name of what it holds, as in `.msg` text.
    pub fn type_name(&self) -> &'static str {
        match self {
            Datum::Bool(_) => "bool",
            Datum::Int8(_) => "int8",
            Datum::Uint8(_) => "uint8",
            Datum::Int16(_) => "int16",
            Datum::Uint16(_) => "uint16",
            Datum::Int32(_) => "int32",
            Datum::Uint32(_) => "uint32",
            Datum::Int64(_) => "int64",
            Datum::Uint64(_) => "uint64",
            Datum::Float32(_) => "float32",
            Datum::Float64(_) => "float64",
            Datum::String(_) => "string",
            Datum::Record(_) => "a message",
            Datum::Array(_) => "an array",
        }
    }

    /// The single value; `None` for messages and arrays.
    pub fn scalar(&self) -> Option<Scalar> {
        Some(match self {
            Datum::Bool(v) => Scalar::Bool(*v),
            Datum::Int8(v) => Scalar::Int(i64::from(*v)),
            Datum::Uint8(v) => Scalar::Uint(u64::from(*v)),
            Datum::Int16(v) => Scalar::Int(i64::from(*v)),
            Datum::Uint16(v) => Scalar::Uint(u64::from(*v)),
            Datum::Int32(v) => Scalar::Int(i64::from(*v)),
            Datum::Uint32(v) => Scalar::Uint(u64::from(*v)),
            Datum::Int64(v) => Scalar::Int(*v),
            Datum::Uint64(v) => Scalar::Uint(*v),
            Datum::Float32(v) => Scalar::Float32(*v),
            Datum::Float64(v) => Scalar::Float64(*v),
            Datum::String(v) => Scalar::Text(v.clone()),
            Datum::Record(_) | Datum::Array(_) => return None,
        })
    }

    /// The truth value, of a bool.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Datum::Bool(v) => Some(*v),
            _ => None,
        }
    }

    /// The integer, of any integer that an `i64` holds.
    pub fn as_i64(&self) -> Option<i64> {
        match self.scalar()? {
            Scalar::Int(v) => Some(v),
            Scalar::Uint(v) => i64::try_from(v).ok(),
            _ => None,
        }
    }

    /// The integer, of any integer that a `u64` holds.
    pub fn as_u64(&self) -> Option<u64> {
        match self.scalar()? {
            Scalar::Int(v) => u64::try_from(v).ok(),
            Scalar::Uint(v) => Some(v),
            _ => None,
        }
    }

    /// The number, of a float or of an integer of up to 32 bits; wider ones
    /// would lose digits.
    pub fn as_f64(&self) -> Option<f64> {
        Some(match self {
            Datum::Int8(v) => f64::from(*v),
            Datum::Uint8(v) => f64::from(*v),
            Datum::Int16(v) => f64::from(*v),
            Datum::Uint16(v) => f64::from(*v),
            Datum::Int32(v) => f64::from(*v),
            Datum::Uint32(v) => f64::from(*v),
            Datum::Float32(v) => f64::from(*v),
            Datum::Float64(v) => *v,
            _ => return None,
        })
    }

    /// The text, of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Datum::String(v) => Some(v),
            _ => None,
        }
    }

    /// The fields, of a nested message.
    pub fn as_record(&self) -> Option<&Record> {
        match self {
            Datum::Record(v) => Some(v),
            _ => None,
        }
    }

    /// The elements, of an array or sequence.
    pub fn as_array(&self) -> Option<&Array> {
        match self {
            Datum::Array(v) => Some(v),
            _ => None,
        }
    }
}

impl Array {
    /// Number of elements.
    pub fn len(&self) -> usize {
        with_elements!(self, elements => elements.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Name of what an element is, as in `.msg` text.
    pub fn type_name(&self) -> &'static str {
        match self {
            Array::Bool(_) => "bool",
            Array::Int8(_) => "int8",
            Array::Uint8(_) => "uint8",
            Array::Int16(_) => "int16",
            Array::Uint16(_) => "uint16",
            Array::Int32(_) => "int32",
            Array::Uint32(_) => "uint32",
            Array::Int64(_) => "int64",
            Array::Uint64(_) => "uint64",
            Array::Float32(_) => "float32",
            Array::Float64(_) => "float64",
            Array::String(_) => "string",
            Array::Record(_) => "messages",
        }
    }

    /// The element at `index`; `None` beyond the end, and for messages.
    pub fn scalar(&self, index: usize) -> Option<Scalar> {
        Some(match self {
            Array::Bool(v) => Scalar::Bool(*v.get(index)?),
            Array::Int8(v) => Scalar::Int(i64::from(*v.get(index)?)),
            Array::Uint8(v) => Scalar::Uint(u64::from(*v.get(index)?)),
            Array::Int16(v) => Scalar::Int(i64::from(*v.get(index)?)),
            Array::Uint16(v) => Scalar::Uint(u64::from(*v.get(index)?)),
            Array::Int32(v) => Scalar::Int(i64::from(*v.get(index)?)),
            Array::Uint32(v) => Scalar::Uint(u64::from(*v.get(index)?)),
            Array::Int64(v) => Scalar::Int(*v.get(index)?),
            Array::Uint64(v) => Scalar::Uint(*v.get(index)?),
            Array::Float32(v) => Scalar::Float32(*v.get(index)?),
            Array::Float64(v) => Scalar::Float64(*v.get(index)?),
            Array::String(v) => Scalar::Text(v.get(index)?.clone()),
            Array::Record(_) => return None,
        })
    }

    /// The element at `index`, copied; `None` beyond the end.
    pub(crate) fn element(&self, index: usize) -> Option<Datum> {
        with_elements!(self, elements => elements.get(index).cloned().map(Datum::from))
    }

    /// Appends an element; gives it back where it is of another type.
    pub(crate) fn push(&mut self, element: Datum) -> Result<(), Datum> {
        match (self, element) {
            (Array::Bool(array), Datum::Bool(v)) => array.push(v),
            (Array::Int8(array), Datum::Int8(v)) => array.push(v),
            (Array::Uint8(array), Datum::Uint8(v)) => array.push(v),
            (Array::Int16(array), Datum::Int16(v)) => array.push(v),
            (Array::Uint16(array), Datum::Uint16(v)) => array.push(v),
            (Array::Int32(array), Datum::Int32(v)) => array.push(v),
            (Array::Uint32(array), Datum::Uint32(v)) => array.push(v),
            (Array::Int64(array), Datum::Int64(v)) => array.push(v),
            (Array::Uint64(array), Datum::Uint64(v)) => array.push(v),
            (Array::Float32(array), Datum::Float32(v)) => array.push(v),
            (Array::Float64(array), Datum::Float64(v)) => array.push(v),
            (Array::String(array), Datum::String(v)) => array.push(v),
            (Array::Record(array), Datum::Record(v)) => array.push(v),
            (_, other) => return Err(other),
        }
        Ok(())
    }

    /// The messages, of an array of messages.
    pub fn records(&self) -> Option<&[Record]> {
        match self {
            Array::Record(records) => Some(records),
            _ => None,
        }
    }
}

/// Equality of bits: what is equal encodes to equal bytes.
impl PartialEq for Datum {
    fn eq(&self, other: &Datum) -> bool {
        match (self, other) {
            (Datum::Bool(a), Datum::Bool(b)) => a == b,
            (Datum::Int8(a), Datum::Int8(b)) => a == b,
            (Datum::Uint8(a), Datum::Uint8(b)) => a == b,
            (Datum::Int16(a), Datum::Int16(b)) => a == b,
            (Datum::Uint16(a), Datum::Uint16(b)) => a == b,
            (Datum::Int32(a), Datum::Int32(b)) => a == b,
            (Datum::Uint32(a), Datum::Uint32(b)) => a == b,
            (Datum::Int64(a), Datum::Int64(b)) => a == b,
            (Datum::Uint64(a), Datum::Uint64(b)) => a == b,
            (Datum::Float32(a), Datum::Float32(b)) => a.to_bits() == b.to_bits(),
            (Datum::Float64(a), Datum::Float64(b)) => a.to_bits() == b.to_bits(),
            (Datum::String(a), Datum::String(b)) => a == b,
            (Datum::Record(a), Datum::Record(b)) => a == b,
            (Datum::Array(a), Datum::Array(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Datum {}

/// Equality of bits: what is equal encodes to equal bytes.
impl PartialEq for Array {
    fn eq(&self, other: &Array) -> bool {
        match (self, other) {
            (Array::Bool(a), Array::Bool(b)) => a == b,
            (Array::Int8(a), Array::Int8(b)) => a == b,
            (Array::Uint8(a), Array::Uint8(b)) => a == b,
            (Array::Int16(a), Array::Int16(b)) => a == b,
            (Array::Uint16(a), Array::Uint16(b)) => a == b,
            (Array::Int32(a), Array::Int32(b)) => a == b,
            (Array::Uint32(a), Array::Uint32(b)) => a == b,
            (Array::Int64(a), Array::Int64(b)) => a == b,
            (Array::Uint64(a), Array::Uint64(b)) => a == b,
            (Array::Float32(a), Array::Float32(b)) => {
                a.iter().map(|v| v.to_bits()).eq(b.iter().map(|v| v.to_bits()))
            }
            (Array::Float64(a), Array::Float64(b)) => {
                a.iter().map(|v| v.to_bits()).eq(b.iter().map(|v| v.to_bits()))
            }
            (Array::String(a), Array::String(b)) => a == b,
            (Array::Record(a), Array::Record(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Array {}

macro_rules! from {
    ($($variant:ident: $ty:ty),*) => {$(
        impl From<$ty> for Datum {
            fn from(value: $ty) -> Datum {
                Datum::$variant(value)
            }
        }

        impl From<Vec<$ty>> for Array {
            fn from(values: Vec<$ty>) -> Array {
                Array::$variant(values)
            }
        }

        impl From<Vec<$ty>> for Datum {
            fn from(values: Vec<$ty>) -> Datum {
                Datum::Array(Array::$variant(values))
            }
        }
    )*};
}

from!(
    Bool: bool, Int8: i8, Uint8: u8, Int16: i16, Uint16: u16, Int32: i32, Uint32: u32,
    Int64: i64, Uint64: u64, Float32: f32, Float64: f64, String: String, Record: Record
);

impl From<&str> for Datum {
    fn from(text: &str) -> Datum {
        Datum::String(text.to_owned())
    }
}

impl From<Array> for Datum {
    fn from(array: Array) -> Datum {
        Datum::Array(array)
    }
}
