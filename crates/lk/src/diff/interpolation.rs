//! The candidate's message at a time between two of its messages.

mod mix;

use std::collections::BTreeMap;

use super::plan::{Leaf, LeafSide, Measure};
use crate::codec::Plan;
use crate::error::Result;
use crate::schema::{ElementType, Field, FieldType, MessageType, Schema};
use crate::time::Time;
use crate::value::Value;
use mix::Mean;

/// How to interpolate the messages of one schema: what each field means, by
/// the rules of the comparison.
pub(super) struct Interpolation {
    codec: Plan,
    root: Node,
}

/// A field, or an element of an array.
struct Node {
    mean: Mean,
    /// Of a message, in schema order.
    fields: Vec<Node>,
    /// Of an array.
    each: Option<Box<Node>>,
    /// Elements with rules of their own, in ascending order.
    special: Vec<(usize, Node)>,
}

impl Interpolation {
    /// For messages of the candidate's schema.
    pub(super) fn new(schema: &Schema, leaves: &[Leaf]) -> Interpolation {
        let in_candidate = leaves.iter().filter(|leaf| leaf.side != LeafSide::Reference);
        let means = in_candidate.map(|leaf| (leaf.path.as_str(), mean(leaf))).collect();
        let root = Node::message(schema.root(), "", &means);
        Interpolation { codec: Plan::new(schema), root }
    }

    /// A payload as it can be interpolated.
    ///
    /// # Errors
    ///
    /// [`Error::Decode`](crate::Error::Decode) where it can't be decoded.
    pub(super) fn decode(&self, payload: &[u8]) -> Result<Value> {
        self.codec.decode(payload)
    }

    /// The payload at a time from one message to a later one.
    ///
    /// # Errors
    ///
    /// Where the result can't be encoded, which what was decoded can be.
    pub(super) fn payload(
        &self,
        before: (Time, &Value),
        after: (Time, &Value),
        time: Time,
    ) -> Result<Vec<u8>> {
        let since = |time: Time| i128::from(time.as_nanos()) - i128::from(before.0.as_nanos());
        let share = match since(after.0) {
            0 => 0.0,
            whole => since(time) as f64 / whole as f64,
        };
        let (x, y) = (before.1.record(), after.1.record());
        let record = mix::record(&self.root, x, y, share);
        self.codec.encode(&Value::new_unchecked(self.codec.schema().clone(), record))
    }
}

/// What the numbers of a leaf are.
fn mean(leaf: &Leaf) -> Mean {
    if leaf.decision.is_unordered() {
        return Mean::Hold;
    }
    match leaf.close.measure {
        Measure::Angle { turn } => Mean::Angle { turn },
        Measure::Quaternion(_) => Mean::Rotation,
        _ => Mean::Line,
    }
}

impl Node {
    fn message(ty: &MessageType, path: &str, means: &BTreeMap<&str, Mean>) -> Node {
        let dot = if path.is_empty() { "" } else { "." };
        let field =
            |field: &Field| Node::field(&field.ty, &format!("{path}{dot}{}", field.name), means);
        Node { fields: ty.fields.iter().map(field).collect(), ..Node::at(path, means) }
    }

    fn field(ty: &FieldType, path: &str, means: &BTreeMap<&str, Mean>) -> Node {
        let element = ty.element();
        if matches!(ty, FieldType::One(_)) {
            return Node::element(element, path, means);
        }
        let each = Some(Box::new(Node::element(element, &format!("{path}[*]"), means)));
        let mut special: Vec<usize> = means.keys().filter_map(|leaf| index(leaf, path)).collect();
        special.sort_unstable();
        special.dedup();
        let special = special
            .into_iter()
            .map(|index| (index, Node::element(element, &format!("{path}[{index}]"), means)));
        Node { each, special: special.collect(), ..Node::at(path, means) }
    }

    fn element(ty: &ElementType, path: &str, means: &BTreeMap<&str, Mean>) -> Node {
        match ty {
            ElementType::Message(ty) => Node::message(ty, path, means),
            _ => Node::at(path, means),
        }
    }

    fn at(path: &str, means: &BTreeMap<&str, Mean>) -> Node {
        let mean = means.get(path).copied().unwrap_or(Mean::Line);
        Node { mean, fields: Vec::new(), each: None, special: Vec::new() }
    }

    /// The node of an element.
    fn of(&self, index: usize) -> &Node {
        let special = self.special.binary_search_by_key(&index, |(index, _)| *index);
        match special.ok().and_then(|i| self.special.get(i)) {
            Some((_, node)) => node,
            None => self.each.as_deref().unwrap_or(self),
        }
    }
}

/// The number of the element that a leaf is in, of the array at `path`.
fn index(leaf: &str, path: &str) -> Option<usize> {
    let (index, _) = leaf.strip_prefix(path)?.strip_prefix('[')?.split_once(']')?;
    index.parse().ok()
}

#[cfg(test)]
mod tests;
