//! What has parts: structs, sequences and tuples; and the variants of enums.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde::de::{self, DeserializeSeed, IntoDeserializer, Visitor};

use crate::schema::trace::refusal::{Refusal, Segment};
use crate::schema::trace::shape::{EnumShape, Node, Shape};

use super::{Run, child};

/// The fields of a struct, offered by name in their order.
pub(super) struct Fields<'n> {
    pub(super) fields: &'n mut Vec<(&'static str, Node)>,
    pub(super) next: &'n mut usize,
    pub(super) run: &'n mut Run,
}

impl<'de> de::MapAccess<'de> for Fields<'_> {
    type Error = Refusal;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Refusal> {
        let Some((name, _)) = self.fields.get(*self.next) else { return Ok(None) };
        *self.next += 1;
        seed.deserialize((*name).into_deserializer()).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Refusal> {
        match self.next.checked_sub(1).and_then(|last| self.fields.get_mut(last)) {
            Some((name, node)) => child(node, Segment::Field(name), self.run, seed),
            None => Err(Refusal::fatal("the type reads a value before its key")),
        }
    }
}

/// The elements of a sequence or tuple.
pub(super) struct Elements<'n> {
    pub(super) items: Items<'n>,
    pub(super) at: usize,
    pub(super) length: usize,
    pub(super) run: &'n mut Run,
}

pub(super) enum Items<'n> {
    /// All elements of a sequence are traced as one.
    Same(&'n mut Node),
    Each(&'n mut [Node]),
}

impl<'de> de::SeqAccess<'de> for Elements<'_> {
    type Error = Refusal;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Refusal> {
        let at = self.at;
        if at == self.length {
            return Ok(None);
        }
        self.at += 1;
        match &mut self.items {
            Items::Same(node) => child(node, Segment::Element, self.run, seed).map(Some),
            Items::Each(nodes) => {
                // Elements are mostly of one type: what the first refused
                // needn't be offered to the others.
                let hint = nodes.first().map_or(0, |first| first.refused);
                let Some(node) = nodes.get_mut(at) else { return Ok(None) };
                if node.shape == Shape::Unknown && node.refused == 0 {
                    node.refused = hint;
                }
                child(node, Segment::Index(at), self.run, seed).map(Some)
            }
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.length - self.at)
    }
}

/// One variant of an enum, offered by its name.
pub(super) struct Variant<'n> {
    pub(super) shape: &'n mut EnumShape,
    pub(super) index: usize,
    pub(super) run: &'n mut Run,
}

impl<'de, 'n> de::EnumAccess<'de> for Variant<'n> {
    type Error = Refusal;
    type Variant = Content<'n>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Content<'n>), Refusal> {
        let name = self.shape.variants[self.index];
        let identifier = seed.deserialize(IntoDeserializer::<Refusal>::into_deserializer(name))?;
        // What the type made of the name is a fieldless enum of its own, so
        // that two names of one variant have the same discriminant.
        let mut hasher = DefaultHasher::new();
        std::mem::discriminant(&identifier).hash(&mut hasher);
        Ok((identifier, Content { variant: self, mark: hasher.finish() }))
    }
}

/// What a variant holds: nothing, or it is refused.
pub(super) struct Content<'n> {
    variant: Variant<'n>,
    mark: u64,
}

impl Content<'_> {
    fn refuse<T>(self) -> Result<T, Refusal> {
        let EnumShape { name, variants, .. } = self.variant.shape;
        Err(Refusal::fatal(format!(
            "variant {} of enum {name} holds data; use an enum of plain variants and one Option \
             per kind of data",
            variants[self.variant.index]
        )))
    }
}

impl<'de> de::VariantAccess<'de> for Content<'_> {
    type Error = Refusal;

    fn unit_variant(self) -> Result<(), Refusal> {
        let Variant { shape, index, run } = self.variant;
        if shape.seen.insert(index, self.mark).is_some() {
            return Ok(());
        }
        run.learned = true;
        match shape.aliased() {
            None => Ok(()),
            Some((one, other)) => Err(Refusal::fatal(format!(
                "enum {} reads {one} and {other} as one variant, so its numbers are not certain; \
                 remove the alias",
                shape.name
            ))),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, _: S) -> Result<S::Value, Refusal> {
        self.refuse()
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Refusal> {
        self.refuse()
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Refusal> {
        self.refuse()
    }
}
