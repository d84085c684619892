//! CDR the plain way, from the rules and nothing of the codec: each value
//! aligned on its own, in either byte order.

use crate::schema::{ElementType, FieldType, MessageType};
use crate::value::{Array, Datum, Record, Value};

pub(super) fn encode(value: &Value, big_endian: bool) -> Vec<u8> {
    let mut plain = Plain { body: Vec::new(), big_endian };
    plain.message(value.schema().root(), value.record());
    let mut payload = vec![0, u8::from(!big_endian), 0, 0];
    payload.append(&mut plain.body);
    payload
}

struct Plain {
    body: Vec<u8>,
    big_endian: bool,
}

impl Plain {
    /// A number by its little-endian bytes.
    fn number(&mut self, mut little: Vec<u8>) {
        while !self.body.len().is_multiple_of(little.len()) {
            self.body.push(0);
        }
        if self.big_endian {
            little.reverse();
        }
        self.body.extend(little);
    }

    fn length(&mut self, len: usize) {
        self.number((len as u32).to_le_bytes().to_vec());
    }

    fn message(&mut self, ty: &MessageType, record: &Record) {
        if ty.fields.is_empty() {
            self.body.push(0);
        }
        for (field, datum) in ty.fields.iter().zip(&record.fields) {
            match (&field.ty, datum) {
                (FieldType::One(element), datum) => self.one(element, datum),
                (FieldType::Array(element, _), Datum::Array(array)) => self.each(element, array),
                (FieldType::Sequence(element, _), Datum::Array(array)) => {
                    self.length(array.len());
                    self.each(element, array);
                }
                _ => panic!("an array was expected"),
            }
        }
    }

    fn one(&mut self, element: &ElementType, datum: &Datum) {
        match (element, datum) {
            (ElementType::Message(ty), Datum::Record(record)) => self.message(ty, record),
            (ElementType::WString(_), Datum::String(text)) => {
                self.length(text.encode_utf16().count());
                text.encode_utf16().for_each(|unit| self.number(unit.to_le_bytes().to_vec()));
            }
            (_, Datum::String(text)) => {
                self.length(text.len() + 1);
                self.body.extend(text.bytes());
                self.body.push(0);
            }
            (_, Datum::Bool(v)) => self.number(vec![u8::from(*v)]),
            (_, Datum::Int8(v)) => self.number(v.to_le_bytes().to_vec()),
            (_, Datum::Uint8(v)) => self.number(v.to_le_bytes().to_vec()),
            (_, Datum::Int16(v)) => self.number(v.to_le_bytes().to_vec()),
            (_, Datum::Uint16(v)) => self.number(v.to_le_bytes().to_vec()),
            (_, Datum::Int32(v)) => self.number(v.to_le_bytes().to_vec()),
            (_, Datum::Uint32(v)) => self.number(v.to_le_bytes().to_vec()),
            (_, Datum::Int64(v)) => self.number(v.to_le_bytes().to_vec()),
            (_, Datum::Uint64(v)) => self.number(v.to_le_bytes().to_vec()),
            (_, Datum::Float32(v)) => self.number(v.to_le_bytes().to_vec()),
            (_, Datum::Float64(v)) => self.number(v.to_le_bytes().to_vec()),
            _ => panic!("{element} can't be {}", datum.type_name()),
        }
    }

    fn each(&mut self, element: &ElementType, array: &Array) {
        macro_rules! each {
            ($elements:expr) => {
                $elements.iter().for_each(|v| self.one(element, &Datum::from(v.clone())))
            };
        }
        match array {
            Array::Bool(v) => each!(v),
            Array::Int8(v) => each!(v),
            Array::Uint8(v) => each!(v),
            Array::Int16(v) => each!(v),
            Array::Uint16(v) => each!(v),
            Array::Int32(v) => each!(v),
            Array::Uint32(v) => each!(v),
            Array::Int64(v) => each!(v),
            Array::Uint64(v) => each!(v),
            Array::Float32(v) => each!(v),
            Array::Float64(v) => each!(v),
            Array::String(v) => each!(v),
            Array::Record(v) => each!(v),
        }
    }
}
