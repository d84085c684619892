//! One field of all messages, as the bytes of a NumPy array.

use pyo3::PyResult;

use crate::cursor::Cursor;
use crate::decode::undecodable;
use crate::error;
use crate::kind::{Kind, dtype_code};

/// Where a column's elements lie in a message: the fields to go into.
pub(crate) struct Column<'k> {
    /// At each level the kinds to go past before the one to go into.
    before: Vec<Vec<&'k Kind>>,
    leaf: &'k Kind,
}

/// The dotted paths of what is a number, or an array of one shape.
pub(crate) fn paths(kind: &Kind) -> Vec<String> {
    fn collect(kind: &Kind, path: &str, found: &mut Vec<String>) {
        match kind {
            Kind::Record(record) => {
                for member in &record.fields {
                    let dot = if path.is_empty() { "" } else { "." };
                    collect(&member.kind, &format!("{path}{dot}{}", member.name), found);
                }
            }
            kind if element(kind).is_some() => found.push(path.to_owned()),
            _ => {}
        }
    }
    let mut found = Vec::new();
    collect(kind, "", &mut found);
    found
}

/// The dtype of an element of the column, and the shape of one message's part.
fn element(kind: &Kind) -> Option<(&'static str, Vec<usize>)> {
    Some(match kind {
        Kind::Bool => ("|b1", Vec::new()),
        Kind::Int(p) | Kind::Float(p) | Kind::Scalar(p, _) => (dtype_code(*p), Vec::new()),
        Kind::Enum(e) => (dtype_code(e.wire), Vec::new()),
        Kind::Shaped(p, shape, _) => (dtype_code(*p), shape.clone()),
        Kind::Flat(p, crate::kind::Length::Exactly(n), _) => (dtype_code(*p), vec![*n]),
        _ => return None,
    })
}

impl<'k> Column<'k> {
    /// # Errors
    /// Where there is no such field, or it is no number.
    pub(crate) fn new(kind: &'k Kind, path: &str) -> PyResult<Column<'k>> {
        let mut before = Vec::new();
        let mut leaf = kind;
        for name in path.split('.').filter(|name| !name.is_empty()) {
            let Kind::Record(record) = leaf else {
                return Err(error::schema(&format!("field {path}: {name} is in no message")));
            };
            let place = record.fields.iter().position(|member| member.name == name);
            let Some(place) = place else {
                let names: Vec<&str> = record.fields.iter().map(|m| m.name.as_str()).collect();
                let reason = format!("field {path}: no field {name} in {}", record.short_name());
                let hint = format!("its fields are {}", names.join(", "));
                return Err(error::with_hint(error::schema(&reason), &hint));
            };
            before.push(record.fields[..place].iter().map(|m| &m.kind).collect());
            leaf = &record.fields[place].kind;
        }
        if element(leaf).is_none() {
            let reason = format!("field {path}: {} makes no column", leaf.describe());
            let hint = "columns are numbers and arrays of a fixed shape; read the values instead";
            return Err(error::with_hint(error::schema(&reason), hint));
        }
        Ok(Column { before, leaf })
    }

    pub(crate) fn element(&self) -> (&'static str, Vec<usize>) {
        element(self.leaf).unwrap_or(("<f8", Vec::new()))
    }

    /// Appends one message's part.
    pub(crate) fn take(&self, payload: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        if Cursor::is_big_endian(payload) {
            return Err("a big-endian payload makes no column; read the values".to_owned());
        }
        let mut cursor = Cursor::new(payload)?;
        for kinds in &self.before {
            kinds.iter().try_for_each(|kind| cursor.skip(kind))?;
        }
        let (count, size) = match self.leaf {
            Kind::Bool => (1, 1),
            Kind::Int(p) | Kind::Float(p) | Kind::Scalar(p, _) => (1, p.size()),
            Kind::Enum(e) => (1, e.wire.size()),
            Kind::Shaped(p, shape, _) => (shape.iter().product(), p.size()),
            Kind::Flat(p, crate::kind::Length::Exactly(n), _) => (*n, p.size()),
            _ => return Err("it makes no column".to_owned()),
        };
        out.extend(cursor.numbers(count, size)?);
        Ok(())
    }
}

/// For errors of a column's payloads.
pub(crate) fn failed(reason: String) -> pyo3::PyErr {
    undecodable(reason)
}
