//! What a Rust type was seen to ask for, as a tree by field path.

use std::collections::BTreeMap;

use crate::schema::Primitive;

use super::refusal::Segment;

/// The place of one field or element in the type that is traced.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) shape: Shape,
    /// Name of the outermost newtype around it; names generated messages.
    pub(super) newtype: Option<&'static str>,
    /// How many samples were refused here; selects the next one.
    pub(super) refused: u32,
}

/// How a node deserializes.
#[derive(Debug, Default, PartialEq)]
pub(super) enum Shape {
    /// Not seen yet.
    #[default]
    Unknown,
    Primitive(Primitive),
    /// A Unicode code point.
    Char,
    String,
    Bytes,
    /// `()`, a unit struct, or a tuple without elements.
    Unit(Option<&'static str>),
    Struct(StructShape),
    Tuple(Option<&'static str>, Vec<Node>),
    Sequence(Box<Node>),
    Optional(Box<Node>),
    Enum(EnumShape),
}

#[derive(Debug)]
pub(super) struct StructShape {
    pub(super) name: &'static str,
    /// All names that the type reads, aliases among them.
    pub(super) declared: &'static [&'static str],
    /// Without the aliases, as far as they are known.
    pub(super) fields: Vec<(&'static str, Node)>,
}

#[derive(Debug)]
pub(super) struct EnumShape {
    pub(super) name: &'static str,
    pub(super) variants: &'static [&'static str],
    /// Variants seen to hold no data, with a mark that two names share if
    /// the type reads them as one.
    pub(super) seen: BTreeMap<usize, u64>,
}

/// By what is encoded: newtypes and the course of tracing don't count.
impl PartialEq for Node {
    fn eq(&self, other: &Node) -> bool {
        self.shape == other.shape
    }
}

impl PartialEq for StructShape {
    fn eq(&self, other: &StructShape) -> bool {
        self.name == other.name && self.fields == other.fields
    }
}

impl PartialEq for EnumShape {
    fn eq(&self, other: &EnumShape) -> bool {
        self.variants == other.variants
    }
}

impl EnumShape {
    pub(super) fn next_unseen(&self) -> Option<usize> {
        (0..self.variants.len()).find(|i| !self.seen.contains_key(i))
    }

    /// Two names that the type reads as one variant.
    pub(super) fn aliased(&self) -> Option<(&'static str, &'static str)> {
        let mut names = BTreeMap::new();
        self.seen.iter().find_map(|(&i, &mark)| {
            names.insert(mark, self.variants[i]).map(|first| (first, self.variants[i]))
        })
    }
}

impl Node {
    /// The first place below (itself included) that isn't fully known, as a
    /// path from the inside out.
    pub(super) fn unfinished(&self) -> Option<Vec<Segment>> {
        let within = |node: &Node, segment| {
            node.unfinished().map(|mut path| {
                path.push(segment);
                path
            })
        };
        match &self.shape {
            Shape::Unknown => Some(Vec::new()),
            Shape::Struct(s) => {
                s.fields.iter().find_map(|(name, node)| within(node, Segment::Field(name)))
            }
            Shape::Tuple(_, items) => {
                items.iter().enumerate().find_map(|(i, node)| within(node, Segment::Index(i)))
            }
            Shape::Sequence(item) => within(item, Segment::Element),
            Shape::Optional(item) => item.unfinished(),
            Shape::Enum(e) => e.next_unseen().map(|_| Vec::new()),
            _ => None,
        }
    }
}

impl Shape {
    /// The elements of a tuple whose elements are all alike: a fixed array.
    pub(super) fn as_array(&self) -> Option<(&Node, usize)> {
        match self {
            Shape::Tuple(_, items) => {
                let (first, rest) = items.split_first()?;
                rest.iter().all(|item| item == first).then_some((first, items.len()))
            }
            _ => None,
        }
    }
}
