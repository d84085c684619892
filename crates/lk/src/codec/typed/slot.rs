//! The place in a schema that a value is written to or read from.

use std::fmt;

use crate::codec::layout::{Count, Element, Layout};
use crate::schema::Primitive;

/// The whole message, one field of a message, or one element of a field.
///
/// Two words, since one is handed on with every number: what is asked most,
/// whether it is a single number and of which kind, is in it.
#[derive(Clone, Copy)]
pub(super) struct Slot<'p> {
    /// The message itself, or the one that has the field.
    layout: &'p Layout,
    index: u32,
    part: Part,
    /// What it is, where it is a single number or bool.
    primitive: Option<Primitive>,
}

#[derive(Clone, Copy, PartialEq)]
enum Part {
    Root,
    Field,
    Element,
}

/// What is there, once or several times.
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
        Slot { layout, index: 0, part: Part::Root, primitive: None }
    }

    /// One field of a message.
    #[inline]
    pub(super) fn field(layout: &'p Layout, index: usize) -> Option<Slot<'p>> {
        let field = layout.fields.get(index)?;
        let primitive = match (&field.element, field.count) {
            (Element::Primitive(primitive), Count::One) => Some(*primitive),
            _ => None,
        };
        // A message has far fewer fields than an u32 counts.
        Some(Slot { layout, index: index as u32, part: Part::Field, primitive })
    }

    /// One element of an array or sequence.
    pub(super) fn element(self) -> Slot<'p> {
        let primitive = match self.what() {
            What::Primitive(primitive) => Some(primitive),
            _ => None,
        };
        Slot { part: Part::Element, primitive, ..self }
    }

    /// The number or bool, where it is a single one.
    #[inline]
    pub(super) fn primitive(self) -> Option<Primitive> {
        self.primitive
    }

    /// How many of it.
    #[inline]
    pub(super) fn count(self) -> Count {
        match self.part {
            Part::Field => self.layout.fields[self.index as usize].count,
            Part::Root | Part::Element => Count::One,
        }
    }

    /// What it is, whatever the count.
    #[inline]
    pub(super) fn what(self) -> What<'p> {
        if self.part == Part::Root {
            return What::Message(self.layout);
        }
        match &self.layout.fields[self.index as usize].element {
            Element::Primitive(primitive) => What::Primitive(*primitive),
            Element::String(bound) => What::String(*bound),
            Element::WString(bound) => What::WString(*bound),
            Element::Message(layout) => What::Message(layout),
        }
    }

    /// The message that has the field, and the index of the field; none for
    /// the root.
    pub(super) fn origin(self) -> Option<(&'p Layout, usize)> {
        (self.part != Part::Root).then_some((self.layout, self.index as usize))
    }

    /// The only field of a message that just holds it, such as one that was
    /// made for a sequence in a sequence.
    pub(super) fn held(self) -> Option<Slot<'p>> {
        self.message().filter(|layout| is_holder(layout)).and_then(|layout| Slot::field(layout, 0))
    }

    /// The message, where it is a single one.
    #[inline]
    pub(super) fn message(self) -> Option<&'p Layout> {
        match (self.count(), self.what()) {
            (Count::One, What::Message(layout)) => Some(layout),
            _ => None,
        }
    }

    /// An element takes at least this many bytes; never 0.
    pub(super) fn min_size(self) -> usize {
        match self.what() {
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
        let ty = |index: u32| &self.layout.ty.fields[index as usize].ty;
        match self.part {
            Part::Root => f.write_str(&self.layout.ty.name),
            Part::Field => write!(f, "{}", ty(self.index)),
            Part::Element => write!(f, "{}", ty(self.index).element()),
        }
    }
}
