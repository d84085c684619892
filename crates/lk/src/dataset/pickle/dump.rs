//! Writing pickles of plain data, protocol 5.

use std::collections::BTreeMap;

use super::opcode as op;
use crate::schema::wrapper::Wrapper;
use crate::schema::{ElementType, FieldType, MessageType};
use crate::value::{Array, Datum, Record};

/// NumPy's limit once was 32; deeper lists than that help nobody.
const MAX_LISTED_DIMENSIONS: usize = 32;

pub(super) const HEADER: [u8; 2] = [op::PROTO, 5];

pub(super) fn text(out: &mut Vec<u8>, text: &str) {
    sized(out, [op::SHORT_BINUNICODE, op::BINUNICODE, op::BINUNICODE8], text.as_bytes());
}

pub(super) fn bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    sized(out, [op::SHORT_BINBYTES, op::BINBYTES, op::BINBYTES8], bytes);
}

fn sized(out: &mut Vec<u8>, [short, medium, long]: [u8; 3], bytes: &[u8]) {
    let len = bytes.len();
    if let Ok(len) = u8::try_from(len) {
        out.extend([short, len]);
    } else if let Ok(len) = u32::try_from(len) {
        out.push(medium);
        out.extend(len.to_le_bytes());
    } else {
        out.push(long);
        out.extend((len as u64).to_le_bytes());
    }
    out.extend_from_slice(bytes);
}

pub(super) fn int(out: &mut Vec<u8>, value: i128) {
    if let Ok(value) = u8::try_from(value) {
        out.extend([op::BININT1, value]);
    } else if let Ok(value) = u16::try_from(value) {
        out.push(op::BININT2);
        out.extend(value.to_le_bytes());
    } else if let Ok(value) = i32::try_from(value) {
        out.push(op::BININT);
        out.extend(value.to_le_bytes());
    } else {
        // Nine bytes hold the sign of every uint64.
        out.extend([op::LONG1, 9]);
        out.extend_from_slice(&value.to_le_bytes()[..9]);
    }
}

pub(super) fn float(out: &mut Vec<u8>, value: f64) {
    out.push(op::BINFLOAT);
    out.extend(value.to_be_bytes());
}

pub(super) fn bool(out: &mut Vec<u8>, value: bool) {
    out.push(if value { op::NEWTRUE } else { op::NEWFALSE });
}

pub(super) fn list<T>(
    out: &mut Vec<u8>,
    items: impl IntoIterator<Item = T>,
    mut put: impl FnMut(&mut Vec<u8>, T),
) {
    out.extend([op::EMPTY_LIST, op::MARK]);
    items.into_iter().for_each(|item| put(out, item));
    out.push(op::APPENDS);
}

pub(super) fn text_dict(out: &mut Vec<u8>, entries: &BTreeMap<String, String>) {
    out.extend([op::EMPTY_DICT, op::MARK]);
    for (name, value) in entries {
        text(out, name);
        text(out, value);
    }
    out.push(op::SETITEMS);
}

/// Names that were written already, by the number of their memo.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeMap<String, u32>);

/// Writes messages as plain data. What one has written can follow only what
/// it has written before, since names are referred to.
pub(super) struct Dumper<'n> {
    pub(super) names: &'n mut Names,
    /// The next number for a memo, which no other dumper of the file gives.
    pub(super) next_memo: &'n mut u32,
}

impl Dumper<'_> {
    pub(super) fn message(&mut self, out: &mut Vec<u8>, ty: &MessageType, record: &Record) {
        match (Wrapper::of(ty), record.fields.as_slice()) {
            (Some(Wrapper::Data(ty)), [data]) => return self.field(out, ty, false, data),
            (
                Some(Wrapper::NdArray(_)),
                [Datum::Array(Array::Uint32(shape)), Datum::Array(data)],
            ) if is_listed(shape, data) => return nested(out, shape, data, &mut 0),
            _ => {}
        }
        out.extend([op::EMPTY_DICT, op::MARK]);
        for (field, datum) in ty.fields.iter().zip(&record.fields) {
            self.name(out, &field.name);
            self.field(out, &field.ty, field.optional, datum);
        }
        out.push(op::SETITEMS);
    }

    fn name(&mut self, out: &mut Vec<u8>, name: &str) {
        if let Some(memo) = self.names.0.get(name) {
            out.push(op::LONG_BINGET);
            out.extend(memo.to_le_bytes());
            return;
        }
        text(out, name);
        // Without a number left the name is written out each time.
        if let Some(next) = self.next_memo.checked_add(1) {
            out.push(op::LONG_BINPUT);
            out.extend(self.next_memo.to_le_bytes());
            self.names.0.insert(name.to_owned(), *self.next_memo);
            *self.next_memo = next;
        }
    }

    fn field(&mut self, out: &mut Vec<u8>, ty: &FieldType, optional: bool, datum: &Datum) {
        let element = ty.element();
        match (datum, element) {
            (Datum::Array(array), element) if optional => match array.element(0) {
                Some(datum) => self.element(out, element, &datum),
                None => out.push(op::NONE),
            },
            (Datum::Array(Array::Uint8(values)), _) => bytes(out, values),
            (Datum::Array(Array::Record(records)), ElementType::Message(ty)) => {
                list(out, records, |out, record| self.message(out, ty, record));
            }
            (Datum::Array(array), element) => {
                list(out, 0..array.len(), |out, n| {
                    if let Some(datum) = array.element(n) {
                        self.element(out, element, &datum);
                    }
                });
            }
            (datum, element) => self.element(out, element, datum),
        }
    }

    fn element(&mut self, out: &mut Vec<u8>, element: &ElementType, datum: &Datum) {
        match (datum, element) {
            (Datum::Record(record), ElementType::Message(ty)) => self.message(out, ty, record),
            (datum, _) => scalar(out, datum),
        }
    }
}

fn scalar(out: &mut Vec<u8>, datum: &Datum) {
    match datum {
        Datum::Bool(v) => bool(out, *v),
        Datum::Float32(v) => float(out, f64::from(*v)),
        Datum::Float64(v) => float(out, *v),
        Datum::String(v) => text(out, v),
        other => match (other.as_i64(), other.as_u64()) {
            (Some(v), _) => int(out, v.into()),
            (None, Some(v)) => int(out, v.into()),
            (None, None) => out.push(op::NONE),
        },
    }
}

/// Whether nested lists say the shape.
fn is_listed(shape: &[u32], data: &Array) -> bool {
    let Some((_, outer)) = shape.split_last() else { return data.len() == 1 };
    shape.len() <= MAX_LISTED_DIMENSIONS
        && outer.iter().all(|&n| n > 0)
        && super::ndarray::count(shape) == Some(data.len())
}

fn nested(out: &mut Vec<u8>, shape: &[u32], data: &Array, place: &mut usize) {
    match shape.split_first() {
        Some((&len, inner)) => list(out, 0..len, |out, _| nested(out, inner, data, place)),
        None => {
            if let Some(datum) = data.element(*place) {
                scalar(out, &datum);
            }
            *place += 1;
        }
    }
}
