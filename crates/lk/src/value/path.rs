//! Fields by dotted path, and the leaves of a message.

use std::fmt::Write;
use std::ops::ControlFlow;

use super::{Array, Datum, Record, Value};
use crate::error::Result;
use crate::error::fault::Fault;
use crate::schema::{ElementType, FieldType, MessageType};
use crate::value::Scalar;

impl Value {
    /// The field at a dotted path such as `pose.position.x` or
    /// `poses[2].position`; `None` where there is none. Elements of arrays of
    /// numbers and texts are no data of their own: for those,
    /// [`Value::scalar`].
    pub fn get(&self, path: &str) -> Option<&Datum> {
        let mut place = Place { ty: self.schema().root(), record: self.record() };
        let mut segments = path.split('.').peekable();
        loop {
            let segment = Segment::parse(segments.next()?)?;
            let (element, datum) = place.field(segment.name)?;
            let last = segments.peek().is_none();
            match (segment.index, datum) {
                (None, datum) if last => return Some(datum),
                (None, Datum::Record(record)) => place = Place { ty: element?, record },
                (Some(index), Datum::Array(Array::Record(records))) if !last => {
                    place = Place { ty: element?, record: records.get(index)? };
                }
                _ => return None,
            }
        }
    }

    /// The single value at a dotted path, which may end in an element such as
    /// `ranges[3]`.
    pub fn scalar(&self, path: &str) -> Option<Scalar> {
        match path.strip_suffix(']').and_then(|rest| rest.rsplit_once('[')) {
            Some((array, index)) => self.get(array)?.as_array()?.scalar(index.parse().ok()?),
            None => self.get(path)?.scalar(),
        }
    }

    /// Replaces the field at a dotted path.
    ///
    /// # Errors
    ///
    /// [`Error::Value`](crate::Error::Value) where there is no such field, or the datum is not of
    /// its type; the value is as it was then.
    pub fn set(&mut self, path: &str, datum: impl Into<Datum>) -> Result<()> {
        let schema = self.schema().clone();
        let (ty, slot) = field_mut(schema.root(), self.record_mut(), path)
            .ok_or_else(|| Fault::new(0, "there is no such field"))
            .map_err(|fault| fault.in_field(path).into_value(schema.name()))?;
        let datum = datum.into();
        super::fits(ty, &datum).map_err(|fault| fault.in_field(path).into_value(schema.name()))?;
        *slot = datum;
        Ok(())
    }

    /// Every single value with its dotted path, in schema order; elements of
    /// arrays as `ranges[3]`. Empty sequences and empty messages have none.
    pub fn leaves(&self) -> Vec<(String, Scalar)> {
        self.first_leaves(usize::MAX)
    }

    /// The first `limit` of [`Value::leaves`], without making the others.
    pub fn first_leaves(&self, limit: usize) -> Vec<(String, Scalar)> {
        let mut leaves = Vec::new();
        if limit > 0 {
            let _ = self.visit_leaves(|path, scalar| {
                leaves.push((path.to_owned(), scalar));
                if leaves.len() < limit {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            });
        }
        leaves
    }

    /// Calls `visit` with every single value and its dotted path, in schema
    /// order, until it breaks.
    pub fn visit_leaves(
        &self,
        mut visit: impl FnMut(&str, Scalar) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        visit_record(self.schema().root(), self.record(), &mut String::new(), &mut visit)
    }
}

/// A message inside a value.
struct Place<'a> {
    ty: &'a MessageType,
    record: &'a Record,
}

impl<'a> Place<'a> {
    /// A field, with the message type of what it holds.
    fn field(&self, name: &str) -> Option<(Option<&'a MessageType>, &'a Datum)> {
        let index = self.ty.fields.iter().position(|field| field.name == name)?;
        Some((message_of(&self.ty.fields[index].ty), self.record.fields.get(index)?))
    }
}

fn message_of(ty: &FieldType) -> Option<&MessageType> {
    match ty.element() {
        ElementType::Message(ty) => Some(ty),
        _ => None,
    }
}

/// `name` or `name[index]`.
struct Segment<'a> {
    name: &'a str,
    index: Option<usize>,
}

impl<'a> Segment<'a> {
    fn parse(text: &'a str) -> Option<Segment<'a>> {
        let Some((name, index)) = text.split_once('[') else {
            return Some(Segment { name: text, index: None });
        };
        Some(Segment { name, index: Some(index.strip_suffix(']')?.parse().ok()?) })
    }
}

fn field_mut<'a>(
    ty: &'a MessageType,
    record: &'a mut Record,
    path: &str,
) -> Option<(&'a FieldType, &'a mut Datum)> {
    let (first, rest) = match path.split_once('.') {
        Some((first, rest)) => (first, Some(rest)),
        None => (path, None),
    };
    let segment = Segment::parse(first)?;
    let index = ty.fields.iter().position(|field| field.name == segment.name)?;
    let field_ty = &ty.fields[index].ty;
    let datum = record.fields.get_mut(index)?;
    match (segment.index, rest, datum) {
        (None, None, datum) => Some((field_ty, datum)),
        (None, Some(rest), Datum::Record(record)) => field_mut(message_of(field_ty)?, record, rest),
        (Some(index), Some(rest), Datum::Array(Array::Record(records))) => {
            field_mut(message_of(field_ty)?, records.get_mut(index)?, rest)
        }
        _ => None,
    }
}

fn visit_record(
    ty: &MessageType,
    record: &Record,
    path: &mut String,
    visit: &mut impl FnMut(&str, Scalar) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let outer = path.len();
    for (field, datum) in ty.fields.iter().zip(&record.fields) {
        if outer > 0 {
            path.push('.');
        }
        path.push_str(&field.name);
        match (datum, message_of(&field.ty)) {
            (Datum::Record(record), Some(ty)) => visit_record(ty, record, path, visit)?,
            (Datum::Array(array), ty) => visit_array(ty, array, path, visit)?,
            (datum, _) => {
                if let Some(scalar) = datum.scalar() {
                    visit(path, scalar)?;
                }
            }
        }
        path.truncate(outer);
    }
    ControlFlow::Continue(())
}

fn visit_array(
    ty: Option<&MessageType>,
    array: &Array,
    path: &mut String,
    visit: &mut impl FnMut(&str, Scalar) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let name = path.len();
    for index in 0..array.len() {
        // Writing to a string can't fail.
        let _ = write!(path, "[{index}]");
        match (array, ty) {
            (Array::Record(records), Some(ty)) => visit_record(ty, &records[index], path, visit)?,
            (array, _) => {
                if let Some(scalar) = array.scalar(index) {
                    visit(path, scalar)?;
                }
            }
        }
        path.truncate(name);
    }
    ControlFlow::Continue(())
}
