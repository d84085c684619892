//! Fixed-size parts of a message, as `struct` of Python's library reads and
//! writes them.

use lk::schema::{ElementType, FieldType, MessageType, Primitive};

use crate::scaffold::python::is_octet;

/// Longest array whose elements become variables of their own.
pub(super) const MAX_SPREAD: usize = 16;

/// Longest line, its indentation included.
const MAX_LINE: usize = 96;

/// Most variables that a nested message may bring into the code of its owner.
const MAX_FLAT: usize = 64;

/// Adjacent fields of fixed size, which one struct reads or writes.
#[derive(Default)]
pub(super) struct Run {
    /// In struct's letters, counts before them; `x` is an empty message.
    letters: Vec<(usize, char)>,
    /// A variable to read into, or an expression to write, per value.
    pub(super) values: Vec<String>,
}

impl Run {
    pub(super) fn is_empty(&self) -> bool {
        self.letters.is_empty()
    }

    pub(super) fn push(&mut self, letter: char, value: impl Into<String>) {
        match self.letters.last_mut() {
            Some((count, last)) if *last == letter => *count += 1,
            _ => self.letters.push((1, letter)),
        }
        self.values.push(value.into());
    }

    /// The one byte of an empty message.
    pub(super) fn push_nothing(&mut self) {
        self.letters.push((1, 'x'));
    }

    /// So many bytes, as one value.
    pub(super) fn push_bytes(&mut self, count: usize, value: impl Into<String>) {
        // `s` is of one value each time, so counts must not be merged.
        self.letters.push((count, 's'));
        self.values.push(value.into());
    }

    /// So many numbers; the values are up to the caller.
    pub(super) fn push_many(&mut self, count: usize, letter: char) {
        self.letters.push((count, letter));
    }

    /// The fields as text: `I3d`.
    pub(super) fn fields(&self) -> String {
        let mut out = String::new();
        for (count, letter) in &self.letters {
            match (count, letter) {
                (1, letter) if *letter != 's' => out.push(*letter),
                (count, letter) => out.push_str(&format!("{count}{letter}")),
            }
        }
        out
    }

    /// Size where it begins at the start of a message.
    pub(super) fn size(&self) -> usize {
        self.letters.iter().fold(0, |at: usize, (count, letter)| {
            let size = size_of(*letter);
            at.next_multiple_of(size) + size * count
        })
    }

    /// Whether its layout is the same wherever it begins.
    pub(super) fn is_unaligned(&self) -> bool {
        self.letters.iter().all(|(_, letter)| size_of(*letter) == 1)
    }
}

fn size_of(letter: char) -> usize {
    Primitive::ALL.into_iter().find(|p| self::letter(*p) == letter).map_or(1, Primitive::size)
}

/// A primitive in struct's letters.
pub(super) fn letter(primitive: Primitive) -> char {
    match primitive {
        Primitive::Bool => '?',
        Primitive::Byte | Primitive::Char | Primitive::Uint8 => 'B',
        Primitive::Int8 => 'b',
        Primitive::Int16 => 'h',
        Primitive::Uint16 => 'H',
        Primitive::Int32 => 'i',
        Primitive::Uint32 => 'I',
        Primitive::Int64 => 'q',
        Primitive::Uint64 => 'Q',
        Primitive::Float32 => 'f',
        Primitive::Float64 => 'd',
    }
}

/// `before`, the items with commas, `after`: on one line where it fits, else
/// with the items on lines of their own, indented by four more.
pub(super) fn listed(before: &str, items: &[String], after: &str) -> String {
    let line = format!("{before}{}{after}", items.join(", "));
    if line.len() <= MAX_LINE {
        return line;
    }
    let margin = " ".repeat(before.len() - before.trim_start().len() + 4);
    let mut out = before.to_owned();
    let mut column = usize::MAX;
    for item in items {
        if column.saturating_add(item.len() + 2) > MAX_LINE {
            out += &format!("\n{margin}");
            column = margin.len();
        } else {
            out.push(' ');
            column += 1;
        }
        out += &format!("{item},");
        column += item.len() + 1;
    }
    out + &format!("\n{}{after}", &margin[4..])
}

/// Whether the message becomes part of its owner's run: of fixed size, and
/// with not too many values.
pub(super) fn is_flat(message: &MessageType) -> bool {
    flat_values(message).is_some_and(|count| count <= MAX_FLAT)
}

/// Whether so many of the messages become part of their owner's run.
pub(super) fn is_flat_array(message: &MessageType, count: usize) -> bool {
    count <= MAX_SPREAD
        && flat_values(message).is_some_and(|values| values.saturating_mul(count) <= MAX_FLAT)
}

fn flat_values(message: &MessageType) -> Option<usize> {
    message.fields.iter().try_fold(0_usize, |sum, field| {
        let (element, count) = match &field.ty {
            FieldType::One(element) => (element, 1),
            FieldType::Array(element, _) if is_octet(element) => (element, 1),
            FieldType::Array(element, count) if *count <= MAX_SPREAD => (element, *count),
            FieldType::Array(..) | FieldType::Sequence(..) => return None,
        };
        let values = match element {
            ElementType::Primitive(_) => 1,
            ElementType::String(_) | ElementType::WString(_) => return None,
            ElementType::Message(message) => flat_values(message)?,
        };
        Some(sum.saturating_add(values.saturating_mul(count)))
    })
}
