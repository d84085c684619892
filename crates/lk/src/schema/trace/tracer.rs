//! The deserializer that offers samples to a type and notes what it asks for.

mod parts;

use serde::de::{self, DeserializeSeed, Visitor};

use crate::schema::Primitive;

use super::refusal::{Refusal, Segment};
use super::sample;
use super::shape::{EnumShape, Node, Shape, StructShape};
use parts::{Elements, Fields, Items, Variant};

/// Nesting deeper than this is taken for a type that contains itself.
const MAX_DEPTH: usize = 64;
/// Fields and elements in one run, all fixed arrays unrolled.
const MAX_PARTS: usize = 1 << 18;
/// Fields and elements in all runs; bounds the time.
const MAX_PARTS_IN_ALL: usize = 1 << 22;

/// What one run carries along.
#[derive(Debug, Default)]
pub(super) struct Run {
    /// Whether something was seen for the first time.
    pub(super) learned: bool,
    /// Fields and elements met, and those of the runs before.
    parts: usize,
    parts_before: usize,
    depth: usize,
    /// Refusals at the nodes around; added to a leaf's own.
    attempt: u32,
    /// Leaves met since the innermost refused node was entered.
    ordinal: u32,
    /// The structs around, outermost first.
    names: Vec<&'static str>,
}

impl Run {
    /// The run that follows this one.
    pub(super) fn next(&self) -> Run {
        Run { parts_before: self.parts_before + self.parts, ..Run::default() }
    }

    fn count(&mut self, parts: usize) -> Result<(), Refusal> {
        self.parts = self.parts.saturating_add(parts);
        if self.parts <= MAX_PARTS && self.parts_before <= MAX_PARTS_IN_ALL {
            return Ok(());
        }
        Err(Refusal::fatal(format!(
            "with all its fixed arrays the type is too large to trace (over {MAX_PARTS} fields and \
             elements, or far fewer that refuse values); hold the many in a Vec"
        )))
    }

    /// Runs `visit` inside a struct of this name.
    fn named<T>(
        &mut self,
        name: &'static str,
        visit: impl FnOnce(&mut Run) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        self.names.push(name);
        let result = visit(self);
        self.names.pop();
        result.map_err(|refusal| refusal.leaving(name))
    }

    fn too_deep(&self) -> Refusal {
        let repeated = |name: &&&str| self.names.iter().filter(|other| other == name).count() > 1;
        Refusal::recursive(self.names.iter().rev().find(repeated).copied().unwrap_or("the type"))
    }
}

/// Deserializes one node.
pub(super) struct Tracer<'n> {
    node: &'n mut Node,
    run: &'n mut Run,
}

impl<'n> Tracer<'n> {
    pub(super) fn new(node: &'n mut Node, run: &'n mut Run) -> Tracer<'n> {
        Tracer { node, run }
    }

    /// Notes a leaf; gives the attempt and the ordinal that choose its sample.
    fn leaf(&mut self, shape: Shape) -> Result<(u32, u32), Refusal> {
        self.node.note(shape, self.run)?;
        let ordinal = self.run.ordinal;
        self.run.ordinal += 1;
        Ok((self.run.attempt + self.node.refused, ordinal))
    }

    fn number(&mut self, primitive: Primitive) -> Result<f64, Refusal> {
        let (attempt, ordinal) = self.leaf(Shape::Primitive(primitive))?;
        Ok(sample::number(attempt, ordinal))
    }
}

/// Has the node take note that what it offered was refused, so that the next
/// run offers something else.
pub(super) fn blame(node: &mut Node, mut refusal: Refusal) -> Refusal {
    let Some(reason) = refusal.unblamed() else { return refusal };
    if node.refused + 1 == sample::ATTEMPTS {
        return Refusal::fatal(format!(
            "it refuses every sample value it is offered (last: {reason}), so its fields can't be \
             traced; use a type without that check here, or build the schema by hand"
        ));
    }
    node.refused += 1;
    refusal.mark_blamed();
    refusal
}

/// Deserializes a child, and places the blame at the child where it is not
/// further in.
fn child<'de, S: DeserializeSeed<'de>>(
    node: &mut Node,
    segment: Segment,
    run: &mut Run,
    seed: S,
) -> Result<S::Value, Refusal> {
    seed.deserialize(Tracer::new(node, run)).map_err(|refusal| blame(node, refusal).within(segment))
}

impl Node {
    /// Notes what is asked for here; it must be the same in every run.
    fn note(&mut self, shape: Shape, run: &mut Run) -> Result<(), Refusal> {
        let same = match (&self.shape, &shape) {
            (Shape::Unknown, _) => {
                run.learned = true;
                self.shape = shape;
                return Ok(());
            }
            (Shape::Struct(old), Shape::Struct(new)) => {
                old.name == new.name && old.declared == new.declared
            }
            (Shape::Tuple(_, old), Shape::Tuple(_, new)) => old.len() == new.len(),
            (Shape::Sequence(_), Shape::Sequence(_)) => true,
            (Shape::Optional(_), Shape::Optional(_)) => true,
            (old, new) => old == new,
        };
        if same {
            Ok(())
        } else {
            Err(Refusal::fatal(
                "its type depends on the value of another field; use one field per type, each an \
                 Option",
            ))
        }
    }
}

/// Enters a node with parts, and leaves it again.
fn inside<T>(
    node: &mut Node,
    run: &mut Run,
    visit: impl FnOnce(&mut Shape, &mut Run) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    if run.depth >= MAX_DEPTH {
        return Err(run.too_deep());
    }
    let (attempt, ordinal) = (run.attempt, run.ordinal);
    if node.refused > 0 {
        run.attempt += node.refused;
        run.ordinal = 0;
    }
    run.depth += 1;
    let result = visit(&mut node.shape, run);
    run.depth -= 1;
    run.attempt = attempt;
    if node.refused > 0 {
        run.ordinal = ordinal + 1;
    }
    result.map_err(|refusal| blame(node, refusal))
}

macro_rules! numbers {
    ($($method:ident $visit:ident $type:ty, $primitive:ident;)*) => {
        $(fn $method<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Refusal> {
            // Saturates: a sample of -1 is 0 to an unsigned type.
            let number = self.number(Primitive::$primitive)? as $type;
            visitor.$visit(number).map_err(|refusal| blame(self.node, refusal))
        })*
    };
}

impl<'de> de::Deserializer<'de> for Tracer<'_> {
    type Error = Refusal;

    numbers! {
        deserialize_i8 visit_i8 i8, Int8;
        deserialize_i16 visit_i16 i16, Int16;
        deserialize_i32 visit_i32 i32, Int32;
        deserialize_i64 visit_i64 i64, Int64;
        deserialize_u8 visit_u8 u8, Uint8;
        deserialize_u16 visit_u16 u16, Uint16;
        deserialize_u32 visit_u32 u32, Uint32;
        deserialize_u64 visit_u64 u64, Uint64;
        deserialize_f32 visit_f32 f32, Float32;
        deserialize_f64 visit_f64 f64, Float64;
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_bool<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Refusal> {
        let yes = self.number(Primitive::Bool)? != 0.0;
        visitor.visit_bool(yes).map_err(|refusal| blame(self.node, refusal))
    }

    fn deserialize_char<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Refusal> {
        let (attempt, _) = self.leaf(Shape::Char)?;
        visitor.visit_char(sample::character(attempt)).map_err(|refusal| blame(self.node, refusal))
    }

    fn deserialize_str<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Refusal> {
        let (attempt, _) = self.leaf(Shape::String)?;
        visitor.visit_str(sample::text(attempt)).map_err(|refusal| blame(self.node, refusal))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Refusal> {
        let (attempt, _) = self.leaf(Shape::Bytes)?;
        let bytes = vec![b'1'; sample::length(attempt)];
        visitor.visit_byte_buf(bytes).map_err(|refusal| blame(self.node, refusal))
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_unit<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Refusal> {
        self.leaf(Shape::Unit(None))?;
        visitor.visit_unit().map_err(|refusal| blame(self.node, refusal))
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.leaf(Shape::Unit(Some(name)))?;
        visitor.visit_unit().map_err(|refusal| blame(self.node, refusal))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.node.newtype.get_or_insert(name);
        let Tracer { node, run } = self;
        run.named(name, |run| {
            if run.depth >= MAX_DEPTH {
                return Err(run.too_deep());
            }
            run.depth += 1;
            let result = visitor.visit_newtype_struct(Tracer::new(node, run));
            run.depth -= 1;
            result.map_err(|refusal| blame(node, refusal))
        })
    }

    fn deserialize_option<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Refusal> {
        // Some as long as the inside isn't known; then none where the leaf in
        // its place would be 0, for types that want just one of several.
        let known = match &self.node.shape {
            Shape::Optional(item) => item.unfinished().is_none(),
            _ => false,
        };
        let (attempt, ordinal) = match known {
            true => (self.run.attempt + self.node.refused, self.run.ordinal),
            false => self.leaf(Shape::Optional(Box::default()))?,
        };
        if known && attempt > 0 && sample::number(attempt, ordinal) == 0.0 {
            self.run.ordinal += 1;
            return visitor.visit_none().map_err(|refusal| blame(self.node, refusal));
        }
        inside(self.node, self.run, |shape, run| match shape {
            Shape::Optional(item) => {
                visitor.visit_some(Tracer::new(item, run)).map_err(|refusal| blame(item, refusal))
            }
            _ => Err(Refusal::fatal("an option and something else in one place")),
        })
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.node.note(Shape::Sequence(Box::default()), self.run)?;
        let length = match sample::length(self.run.attempt + self.node.refused) {
            0 if self.node.unfinished().is_some() => 1,
            length => length,
        };
        inside(self.node, self.run, |shape, run| match shape {
            Shape::Sequence(item) => {
                visitor.visit_seq(Elements { items: Items::Same(item), at: 0, length, run })
            }
            _ => Err(Refusal::fatal("a sequence and something else in one place")),
        })
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.tuple(None, length, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.tuple(Some(name), length, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        declared: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        let fields = declared.iter().map(|&name| (name, Node::default())).collect();
        self.node.note(Shape::Struct(StructShape { name, declared, fields }), self.run)?;
        let Tracer { node, run } = self;
        let visit = |shape: &mut Shape, run: &mut Run| {
            let Shape::Struct(StructShape { fields, .. }) = shape else {
                return Err(Refusal::fatal("a struct and something else in one place"));
            };
            run.count(fields.len())?;
            let mut next = 0;
            let result = visitor.visit_map(Fields { fields, next: &mut next, run });
            result.map_err(|refusal| match refusal.duplicate() {
                // The names of one field stand together, so the other name
                // was offered just before.
                Some(name) if next > 0 => {
                    let last = next - 1;
                    let alias =
                        if fields[last].0 == name { last.checked_sub(1) } else { Some(last) };
                    alias.map(|alias| fields.remove(alias));
                    run.learned = true;
                    refusal.into_retry()
                }
                _ => refusal,
            })
        };
        run.named(name, |run| inside(node, run, visit))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        if variants.is_empty() || variants.len() > 1 << 16 {
            return Err(Refusal::fatal(format!(
                "enum {name} has {} variants, and a message can hold 1 to 65536",
                variants.len()
            )));
        }
        let shape = EnumShape { name, variants, seen: Default::default() };
        let (attempt, ordinal) = self.leaf(Shape::Enum(shape))?;
        let Shape::Enum(shape) = &mut self.node.shape else {
            return Err(Refusal::fatal("an enum and something else in one place"));
        };
        let index = shape
            .next_unseen()
            .unwrap_or_else(|| sample::number(attempt, ordinal) as usize % variants.len());
        let result = visitor.visit_enum(Variant { shape, index, run: self.run });
        result.map_err(|refusal| blame(self.node, refusal))
    }

    fn deserialize_map<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Refusal> {
        Err(Refusal::fatal(
            "a map has no fixed fields (HashMap, BTreeMap, or #[serde(flatten)]); use a Vec of \
             structs with a key and a value, or name the inner struct as a field without flatten",
        ))
    }

    fn deserialize_i128<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Refusal> {
        Err(Refusal::fatal("no message holds 128-bit integers; use i64, or a [u8; 16]"))
    }

    fn deserialize_u128<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Refusal> {
        Err(Refusal::fatal("no message holds 128-bit integers; use u64, or a [u8; 16]"))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Refusal> {
        Err(Refusal::fatal(
            "its type is only known from the data (an untagged or internally tagged enum, or \
             serde_json::Value); use an enum of plain variants and one Option per kind of data",
        ))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Refusal> {
        Err(Refusal::fatal("the type declares it, but doesn't read it; remove it from the type"))
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.deserialize_any(visitor)
    }
}

impl Tracer<'_> {
    fn tuple<'de, V: Visitor<'de>>(
        mut self,
        name: Option<&'static str>,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.run.count(length)?;
        if length == 0 {
            self.leaf(Shape::Unit(name))?;
        } else if !matches!(&self.node.shape, Shape::Tuple(_, items) if items.len() == length) {
            let items = std::iter::repeat_with(Node::default).take(length).collect();
            self.node.note(Shape::Tuple(name, items), self.run)?;
        }
        inside(self.node, self.run, |shape, run| {
            let items = match shape {
                Shape::Tuple(_, items) => items.as_mut_slice(),
                _ => &mut [],
            };
            visitor.visit_seq(Elements { items: Items::Each(items), at: 0, length, run })
        })
    }
}
