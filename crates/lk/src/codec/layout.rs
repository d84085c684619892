//! A schema made ready for walks over payloads: what each field is, how many
//! bytes it takes at least, and which fields can be read in one go.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::schema::{ElementType, FieldType, MessageType, Primitive};

/// One message type, compiled.
#[derive(Debug)]
pub(crate) struct Layout {
    /// Where the names are.
    pub(crate) ty: Arc<MessageType>,
    /// One per field of the type.
    pub(crate) fields: Box<[FieldLayout]>,
    /// A message of this type takes at least this many bytes; never 0.
    pub(crate) min_size: usize,
}

/// One field, compiled.
#[derive(Debug)]
pub(crate) struct FieldLayout {
    /// What it holds.
    pub(crate) element: Element,
    /// How many of them.
    pub(crate) count: Count,
    /// How many fields from this one on are the same single primitive, so
    /// that they lie in the payload without gaps. 1 for all other fields.
    pub(crate) run: usize,
}

/// What a field holds once or repeatedly.
#[derive(Debug)]
pub(crate) enum Element {
    /// A number, bool, byte or char.
    Primitive(Primitive),
    /// UTF-8 text of at most so many bytes.
    String(Option<usize>),
    /// UTF-16 text of at most so many code units.
    WString(Option<usize>),
    /// A nested message.
    Message(Arc<Layout>),
}

/// How many elements a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Count {
    /// Exactly one.
    One,
    /// Exactly so many.
    Array(usize),
    /// A length in the payload and that many, at most the bound.
    Sequence(Option<usize>),
}

impl Layout {
    /// Compiles a checked message type.
    pub(crate) fn of(root: &Arc<MessageType>) -> Arc<Layout> {
        Compiler::default().layout(root)
    }
}

impl Element {
    /// An element takes at least this many bytes; never 0.
    pub(crate) fn min_size(&self) -> usize {
        match self {
            Element::Primitive(p) => p.size(),
            Element::String(_) | Element::WString(_) => 4,
            Element::Message(layout) => layout.min_size,
        }
    }
}

impl FieldLayout {
    fn min_size(&self) -> usize {
        match self.count {
            Count::One => self.element.min_size(),
            Count::Array(len) => self.element.min_size().saturating_mul(len),
            Count::Sequence(_) => 4,
        }
    }

    fn single_primitive(&self) -> Option<Primitive> {
        match (&self.element, self.count) {
            (Element::Primitive(p), Count::One) => Some(*p),
            _ => None,
        }
    }
}

/// Message types by name that are compiled already: a schema gives each name
/// one meaning.
#[derive(Default)]
struct Compiler<'a> {
    done: BTreeMap<&'a str, Arc<Layout>>,
}

impl<'a> Compiler<'a> {
    fn layout(&mut self, ty: &'a Arc<MessageType>) -> Arc<Layout> {
        if let Some(layout) = self.done.get(ty.name.as_str()) {
            return layout.clone();
        }
        let mut fields: Box<[FieldLayout]> =
            ty.fields.iter().map(|field| self.field(&field.ty)).collect();
        // From the back, so that each run knows the length of its rest.
        for index in (1..fields.len()).rev() {
            let primitive = fields[index].single_primitive();
            if primitive.is_some() && fields[index - 1].single_primitive() == primitive {
                fields[index - 1].run = fields[index].run + 1;
            }
        }
        let min_size =
            fields.iter().map(FieldLayout::min_size).fold(0, usize::saturating_add).max(1);
        let layout = Arc::new(Layout { ty: ty.clone(), fields, min_size });
        self.done.insert(&ty.name, layout.clone());
        layout
    }

    fn field(&mut self, ty: &'a FieldType) -> FieldLayout {
        let element = match ty.element() {
            ElementType::Primitive(p) => Element::Primitive(*p),
            ElementType::String(bound) => Element::String(*bound),
            ElementType::WString(bound) => Element::WString(*bound),
            ElementType::Message(ty) => Element::Message(self.layout(ty)),
        };
        let count = match ty {
            FieldType::One(_) => Count::One,
            FieldType::Array(_, len) => Count::Array(*len),
            FieldType::Sequence(_, bound) => Count::Sequence(*bound),
        };
        FieldLayout { element, count, run: 1 }
    }
}
