//! One leaf value of a message, as evidence.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};

/// One leaf value, as it was recorded.
///
/// In JSON a number, bool or string, and `null` for what is absent. What JSON
/// can't hold is a string: `"NaN"`, `"Infinity"`, `"-Infinity"`; reading such
/// a string gives the text back, and a float that is whole an integer, so the
/// field's type name beside it says what it was.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Scalar {
    /// Nothing: a missing message or element.
    #[default]
    Absent,
    /// A truth value.
    Bool(bool),
    /// A signed integer.
    Int(i64),
    /// An unsigned integer.
    Uint(u64),
    /// A single-precision float.
    Float32(f32),
    /// A double-precision float.
    Float64(f64),
    /// Text, or the beginning of bytes in hexadecimal.
    Text(String),
}

/// Floats with the fewest digits that give the same bits back, text quoted.
impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scalar::Absent => f.write_str("-"),
            Scalar::Bool(v) => write!(f, "{v}"),
            Scalar::Int(v) => write!(f, "{v}"),
            Scalar::Uint(v) => write!(f, "{v}"),
            Scalar::Float32(v) => write!(f, "{v:?}"),
            Scalar::Float64(v) => write!(f, "{v:?}"),
            Scalar::Text(v) => write!(f, "{v:?}"),
        }
    }
}

impl Serialize for Scalar {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Scalar::Absent => serializer.serialize_unit(),
            Scalar::Bool(v) => serializer.serialize_bool(*v),
            Scalar::Int(v) => serializer.serialize_i64(*v),
            Scalar::Uint(v) => serializer.serialize_u64(*v),
            Scalar::Float32(v) if v.is_finite() => serializer.serialize_f32(*v),
            Scalar::Float64(v) if v.is_finite() => serializer.serialize_f64(*v),
            Scalar::Float32(v) => serializer.serialize_str(non_finite(f64::from(*v))),
            Scalar::Float64(v) => serializer.serialize_str(non_finite(*v)),
            Scalar::Text(v) => serializer.serialize_str(v),
        }
    }
}

/// What stands for a float in formats that can't hold it.
pub(super) fn non_finite(v: f64) -> &'static str {
    match v {
        v if v.is_nan() => "NaN",
        v if v > 0.0 => "Infinity",
        _ => "-Infinity",
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Scalar, D::Error> {
        struct ScalarVisitor;

        impl Visitor<'_> for ScalarVisitor {
            type Value = Scalar;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("null, a bool, a number or a string")
            }
            fn visit_unit<E: de::Error>(self) -> Result<Scalar, E> {
                Ok(Scalar::Absent)
            }
            fn visit_bool<E: de::Error>(self, v: bool) -> Result<Scalar, E> {
                Ok(Scalar::Bool(v))
            }
            fn visit_i64<E: de::Error>(self, v: i64) -> Result<Scalar, E> {
                Ok(Scalar::Int(v))
            }
            fn visit_u64<E: de::Error>(self, v: u64) -> Result<Scalar, E> {
                Ok(Scalar::Uint(v))
            }
            fn visit_f64<E: de::Error>(self, v: f64) -> Result<Scalar, E> {
                Ok(Scalar::Float64(v))
            }
            fn visit_str<E: de::Error>(self, v: &str) -> Result<Scalar, E> {
                Ok(Scalar::Text(v.to_owned()))
            }
        }

        deserializer.deserialize_any(ScalarVisitor)
    }
}
