//! Values from any serde format that describes itself.

use std::fmt;

use serde::de::value::SeqAccessDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess, Unexpected,
    Visitor,
};

use super::{Array, Datum, Record, Value, special};
use crate::schema::wrapper::Wrapper;
use crate::schema::{ElementType, Field, FieldType, MessageType, Primitive, Schema};

/// Reads a [`Value`] of a known schema from JSON, TOML and the like.
///
/// A message is a map. A field that is missing takes the default that the
/// schema gives it; an optional one is empty; any other missing field, and any
/// key that is no field, is an error that names it. Numbers must be in their
/// field's range, an integer is taken for a float where it is one exactly, a
/// float is not taken for an integer; the strings `NaN`, `Infinity` and
/// `-Infinity` are floats. A message that stands for what is none, such as
/// `lk/msg/Float64Array` for a list, may be given as that.
///
/// ```
/// use lk::value::ValueSeed;
/// use lk::Schema;
/// use serde::de::DeserializeSeed;
///
/// let schema = Schema::parse("demo/Config", "float64 gain 0.5\nint32 steps")?;
/// let mut json = serde_json::Deserializer::from_str(r#"{"steps": 3}"#);
/// let config = ValueSeed::new(&schema).deserialize(&mut json).unwrap();
/// assert_eq!(config.to_string(), "{gain: 0.5, steps: 3}");
/// # Ok::<(), lk::Error>(())
/// ```
pub struct ValueSeed<'a> {
    schema: &'a Schema,
}

impl<'a> ValueSeed<'a> {
    /// Values of this schema.
    pub fn new(schema: &'a Schema) -> ValueSeed<'a> {
        ValueSeed { schema }
    }
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let seed = RecordSeed { ty: self.schema.root(), at: &At::Root };
        let record = seed.deserialize(deserializer)?;
        Ok(Value::new_unchecked(self.schema.clone(), record))
    }
}

/// Where in the message reading is, for errors.
enum At<'a> {
    Root,
    Field(&'a At<'a>, &'a str),
    Element(&'a At<'a>, usize),
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            At::Root => Ok(()),
            At::Field(At::Root, name) => f.write_str(name),
            At::Field(outer, name) => write!(f, "{outer}.{name}"),
            At::Element(outer, index) => write!(f, "{outer}[{index}]"),
        }
    }
}

impl At<'_> {
    fn error<E: Error>(&self, reason: impl fmt::Display) -> E {
        match self {
            At::Root => E::custom(reason),
            at => E::custom(format_args!("field {at}: {reason}")),
        }
    }
}

struct RecordSeed<'a> {
    ty: &'a MessageType,
    at: &'a At<'a>,
}

impl<'de> DeserializeSeed<'de> for RecordSeed<'_> {
    type Value = Record;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Record, D::Error> {
        match self.wrapped() {
            Some(_) => deserializer.deserialize_any(self),
            None => deserializer.deserialize_map(self),
        }
    }
}

impl RecordSeed<'_> {
    /// The one field of a message that stands for what is in it.
    fn wrapped(&self) -> Option<&Field> {
        match Wrapper::of(self.ty)? {
            Wrapper::Data(_) => self.ty.fields.first(),
            Wrapper::NdArray(_) => None,
        }
    }

    /// The message, from what it stands for.
    fn data<'de, D: Deserializer<'de>>(
        &self,
        deserializer: D,
        given: Unexpected<'_>,
    ) -> Result<Record, D::Error> {
        let Some(field) = self.wrapped() else { return Err(Error::invalid_type(given, self)) };
        let datum = FieldSeed { field, at: self.at }.deserialize(deserializer)?;
        Ok(Record { fields: vec![datum] })
    }
}

impl<'de> Visitor<'de> for RecordSeed<'_> {
    type Value = Record;

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Record, A::Error> {
        self.data(SeqAccessDeserializer::new(seq), Unexpected::Seq)
    }

    fn visit_bool<E: Error>(self, v: bool) -> Result<Record, E> {
        self.data(v.into_deserializer(), Unexpected::Bool(v))
    }

    fn visit_i64<E: Error>(self, v: i64) -> Result<Record, E> {
        self.data(v.into_deserializer(), Unexpected::Signed(v))
    }

    fn visit_u64<E: Error>(self, v: u64) -> Result<Record, E> {
        self.data(v.into_deserializer(), Unexpected::Unsigned(v))
    }

    fn visit_f32<E: Error>(self, v: f32) -> Result<Record, E> {
        self.data(v.into_deserializer(), Unexpected::Float(v.into()))
    }

    fn visit_f64<E: Error>(self, v: f64) -> Result<Record, E> {
        self.data(v.into_deserializer(), Unexpected::Float(v))
    }

    fn visit_str<E: Error>(self, v: &str) -> Result<Record, E> {
        self.data(v.into_deserializer(), Unexpected::Str(v))
    }

    fn visit_bytes<E: Error>(self, v: &[u8]) -> Result<Record, E> {
        self.data(v.into_deserializer(), Unexpected::Bytes(v))
    }

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            At::Root => write!(f, "a map of the fields of {}", self.ty.name),
            at => write!(f, "a map of the fields of {} in field {at}", self.ty.name),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Record, A::Error> {
        let fields = &self.ty.fields;
        let mut data: Vec<Option<Datum>> = vec![None; fields.len()];
        let mut next = 0;
        while let Some(key) = map.next_key::<String>()? {
            // Keys mostly come in the schema's order, so that no search is needed.
            let found = match fields.get(next) {
                Some(field) if field.name == key => Some(next),
                _ => fields.iter().position(|field| field.name == key),
            };
            let Some(index) = found else {
                let names: Vec<_> = fields.iter().map(|field| field.name.as_str()).collect();
                return Err(self.at.error(format_args!(
                    "unknown field {key}; {} has {}",
                    self.ty.name,
                    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
                )));
            };
            next = index + 1;
            let field = &fields[index];
            let at = At::Field(self.at, &field.name);
            if data[index].is_some() {
                return Err(at.error("given twice"));
            }
            data[index] = Some(map.next_value_seed(FieldSeed { field, at: &at })?);
        }
        let filled = data.into_iter().zip(fields).map(|(datum, field)| match datum {
            Some(datum) => Ok(datum),
            None if field.optional => Ok(Datum::default_of(&field.ty)),
            None => field.default.clone().ok_or_else(|| {
                At::Field(self.at, &field.name).error("missing, and it has no default")
            }),
        });
        Ok(Record { fields: filled.collect::<Result<_, _>>()? })
    }
}

struct FieldSeed<'a> {
    field: &'a Field,
    at: &'a At<'a>,
}

impl<'de> DeserializeSeed<'de> for FieldSeed<'_> {
    type Value = Datum;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Datum, D::Error> {
        match &self.field.ty {
            FieldType::One(ElementType::Message(ty)) => {
                RecordSeed { ty, at: self.at }.deserialize(deserializer).map(Datum::Record)
            }
            FieldType::One(element) => {
                SingleSeed { element, at: self.at }.deserialize(deserializer)
            }
            FieldType::Sequence(element, _) if self.field.optional => {
                deserializer.deserialize_option(OptionSeed { element, at: self.at })
            }
            FieldType::Array(element, len) => {
                let array = ArraySeed { element, bound: Some(*len), at: self.at }
                    .deserialize(deserializer)?;
                if array.len() != *len {
                    let actual = array.len();
                    return Err(self
                        .at
                        .error(format_args!("expected {len} elements, got {actual}")));
                }
                Ok(Datum::Array(array))
            }
            FieldType::Sequence(element, bound) => {
                ArraySeed { element, bound: *bound, at: self.at }
                    .deserialize(deserializer)
                    .map(Datum::Array)
            }
        }
    }
}

/// An optional field: null, or the element itself.
struct OptionSeed<'a> {
    element: &'a ElementType,
    at: &'a At<'a>,
}

impl<'de> Visitor<'de> for OptionSeed<'_> {
    type Value = Datum;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} or nothing in field {}", self.element, self.at)
    }

    fn visit_none<E: Error>(self) -> Result<Datum, E> {
        Ok(Datum::Array(Array::default_of(self.element, 0)))
    }

    fn visit_unit<E: Error>(self) -> Result<Datum, E> {
        self.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Datum, D::Error> {
        let mut array = Array::default_of(self.element, 0);
        ElementSeed { element: self.element, at: self.at, array: &mut array }
            .deserialize(deserializer)?;
        Ok(Datum::Array(array))
    }
}

struct ArraySeed<'a> {
    element: &'a ElementType,
    bound: Option<usize>,
    at: &'a At<'a>,
}

impl<'de> DeserializeSeed<'de> for ArraySeed<'_> {
    type Value = Array;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Array, D::Error> {
        // Not `deserialize_seq`: formats that have bytes may give those.
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ArraySeed<'_> {
    type Value = Array;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of {} in field {}", self.element, self.at)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Array, A::Error> {
        let mut array = Array::default_of(self.element, 0);
        loop {
            let index = array.len();
            let at = At::Element(self.at, index);
            let seed = ElementSeed { element: self.element, at: &at, array: &mut array };
            if seq.next_element_seed(seed)?.is_none() {
                return Ok(array);
            }
            if let Some(bound) = self.bound.filter(|bound| index >= *bound) {
                return Err(self.at.error(format_args!("more than {bound} elements")));
            }
        }
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Array, E> {
        match self.element {
            ElementType::Primitive(Primitive::Uint8 | Primitive::Byte | Primitive::Char) => {
                match self.bound {
                    Some(bound) if bytes.len() > bound => {
                        Err(self.at.error(format_args!("more than {bound} elements")))
                    }
                    _ => Ok(Array::Uint8(bytes.to_vec())),
                }
            }
            _ => Err(self.at.error(format_args!("expected a list of {}, got bytes", self.element))),
        }
    }
}

/// One element, appended to the array.
struct ElementSeed<'a> {
    element: &'a ElementType,
    at: &'a At<'a>,
    array: &'a mut Array,
}

impl<'de> DeserializeSeed<'de> for ElementSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let datum = match self.element {
            ElementType::Message(ty) => {
                Datum::Record(RecordSeed { ty, at: self.at }.deserialize(deserializer)?)
            }
            element => SingleSeed { element, at: self.at }.deserialize(deserializer)?,
        };
        self.array
            .push(datum)
            .map_err(|other| self.at.error(format_args!("unexpected {}", other.type_name())))
    }
}

/// A number, bool or text.
struct SingleSeed<'a> {
    element: &'a ElementType,
    at: &'a At<'a>,
}

impl<'de> DeserializeSeed<'de> for SingleSeed<'_> {
    type Value = Datum;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Datum, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl SingleSeed<'_> {
    fn integer<E: Error>(&self, v: i128) -> Result<Datum, E> {
        let ElementType::Primitive(primitive) = self.element else {
            return Err(self.other(v));
        };
        let fitted = match primitive {
            Primitive::Bool => return Err(self.other(v)),
            Primitive::Byte | Primitive::Char | Primitive::Uint8 => v.try_into().map(Datum::Uint8),
            Primitive::Int8 => v.try_into().map(Datum::Int8),
            Primitive::Int16 => v.try_into().map(Datum::Int16),
            Primitive::Uint16 => v.try_into().map(Datum::Uint16),
            Primitive::Int32 => v.try_into().map(Datum::Int32),
            Primitive::Uint32 => v.try_into().map(Datum::Uint32),
            Primitive::Int64 => v.try_into().map(Datum::Int64),
            Primitive::Uint64 => v.try_into().map(Datum::Uint64),
            Primitive::Float32 | Primitive::Float64 => return self.float_of(*primitive, v),
        };
        fitted.map_err(|_| self.at.error(format_args!("{v} is out of the range of {primitive}")))
    }

    /// An integer as a float, where that is the same number.
    fn float_of<E: Error>(&self, primitive: Primitive, v: i128) -> Result<Datum, E> {
        let (single, double) = (v as f32, v as f64);
        match primitive {
            Primitive::Float32 if single as i128 == v => Ok(Datum::Float32(single)),
            Primitive::Float64 if double as i128 == v => Ok(Datum::Float64(double)),
            _ => Err(self.at.error(format_args!("{v} would be rounded as a {primitive}"))),
        }
    }

    fn other<E: Error>(&self, actual: impl fmt::Display) -> E {
        self.at.error(format_args!("expected {}, got {actual}", self.element))
    }
}

impl Visitor<'_> for SingleSeed<'_> {
    type Value = Datum;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in field {}", self.element, self.at)
    }

    fn visit_bool<E: Error>(self, v: bool) -> Result<Datum, E> {
        match self.element {
            ElementType::Primitive(Primitive::Bool) => Ok(Datum::Bool(v)),
            _ => Err(self.other(v)),
        }
    }

    fn visit_i64<E: Error>(self, v: i64) -> Result<Datum, E> {
        self.integer(i128::from(v))
    }

    fn visit_u64<E: Error>(self, v: u64) -> Result<Datum, E> {
        self.integer(i128::from(v))
    }

    fn visit_f32<E: Error>(self, v: f32) -> Result<Datum, E> {
        match self.element {
            // Not by way of f64, which may change the bits of a NaN.
            ElementType::Primitive(Primitive::Float32) => Ok(Datum::Float32(v)),
            _ => self.visit_f64(f64::from(v)),
        }
    }

    fn visit_f64<E: Error>(self, v: f64) -> Result<Datum, E> {
        match self.element {
            ElementType::Primitive(Primitive::Float64) => Ok(Datum::Float64(v)),
            ElementType::Primitive(Primitive::Float32) => {
                let single = v as f32;
                if single.is_infinite() && v.is_finite() {
                    return Err(self
                        .at
                        .error(format_args!("{v:?} is out of the range of float32")));
                }
                Ok(Datum::Float32(single))
            }
            _ => Err(self.other(format_args!("the float {v:?}"))),
        }
    }

    fn visit_str<E: Error>(self, v: &str) -> Result<Datum, E> {
        match self.element {
            ElementType::String(_) | ElementType::WString(_) => {
                let datum = Datum::String(v.to_owned());
                match super::fits(&FieldType::One(self.element.clone()), &datum) {
                    Ok(()) => Ok(datum),
                    Err(fault) => Err(self.at.error(fault.reason)),
                }
            }
            ElementType::Primitive(Primitive::Float32) => match special::parse32(v) {
                Some(v) => Ok(Datum::Float32(v)),
                None => Err(self.other(format_args!("the text {v:?}"))),
            },
            ElementType::Primitive(Primitive::Float64) => match special::parse64(v) {
                Some(v) => Ok(Datum::Float64(v)),
                None => Err(self.other(format_args!("the text {v:?}"))),
            },
            _ => Err(self.other(format_args!("the text {v:?}"))),
        }
    }
}
