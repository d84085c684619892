//! The place in a schema that a value is written to or read from.

use std::fmt;

use crate::codec::layout::{Count, Element, Layout};
use crate::schema::Primitive;

/// One field, or one element of it.
#[derive(Clone, Copy)]
pub(super) struct Slot<'p> {
    pub(super) count: Count,
    pub(super) what: What<'p>,
    /// The message and the index of its field; none for the root.
    pub(super) field: Option<(&'p Layout, usize)>,
}

/// What is there, once or `count` times.
#[derive(Clone, Copy)]
pub(super) enum What<'p> {
    Primitive(Primitive),
    String(Option<usize>),
    WString(Option<usize>),
    Message(&'p Layout),
}

impl<'p> Slot<'p> {
    /// The whole message.
    pub(super) fn root(layout: &'p Layout) -> Slot<'p> {
        Slot { count: Count::One, what: What::Message(layout), field: None }
    }

    /// One field of a message.
    pub(super) fn field(layout: &'p Layout, index: usize) -> Option<Slot<'p>> {
        let field = layout.fields.get(index)?;
        let what = match &field.element {
            Element::Primitive(primitive) => What::Primitive(*primitive),
            Element::String(bound) => What::String(*bound),
            Element::WString(bound) => What::WString(*bound),
            Element::Message(layout) => What::Message(layout),
        };
        Some(Slot { count: field.count, what, field: Some((layout, index)) })
    }

    /// One element of an array or sequence.
    pub(super) fn element(self) -> Slot<'p> {
        Slot { count: Count::One, ..self }
    }

    /// The only field of a message that just holds it, such as one that was
    /// made for a sequence in a sequence.
    pub(super) fn held(self) -> Option<Slot<'p>> {
        match (self.count, self.what) {
            (Count::One, What::Message(layout)) if is_holder(layout) => Slot::field(layout, 0),
            _ => None,
        }
    }

    /// The message, where there is one.
    pub(super) fn message(self) -> Option<&'p Layout> {
        match (self.count, self.what) {
            (Count::One, What::Message(layout)) => Some(layout),
            _ => None,
        }
    }

    /// An element takes at least this many bytes; never 0.
    pub(super) fn min_size(self) -> usize {
        match self.what {
            What::Primitive(primitive) => primitive.size(),
            What::String(_) | What::WString(_) => 4,
            What::Message(layout) => layout.min_size,
        }
    }
}

/// The field that a message holds all in.
pub(super) const HELD: &str = "data";

fn is_holder(layout: &Layout) -> bool {
    matches!(&layout.ty.fields[..], [field] if field.name == HELD)
}

/// Whether a message is one for a tuple: fields `e0`, `e1`, ...
pub(super) fn is_tuple(layout: &Layout) -> bool {
    layout.ty.fields.iter().enumerate().all(|(i, field)| {
        // Without a format!, as this is asked for every tuple written.
        field.name.strip_prefix('e').is_some_and(|number| {
            number.parse() == Ok(i) && (number.len() == 1 || !number.starts_with(['0', '+']))
        })
    })
}

/// As in `.msg` text.
impl fmt::Display for Slot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.field, self.what) {
            (Some((layout, index)), _) if self.count != Count::One => {
                write!(f, "{}", layout.ty.fields[index].ty)
            }
            (Some((layout, index)), _) => write!(f, "{}", layout.ty.fields[index].ty.element()),
            (None, What::Message(layout)) => f.write_str(&layout.ty.name),
            (None, _) => f.write_str("the message"),
        }
    }
}
