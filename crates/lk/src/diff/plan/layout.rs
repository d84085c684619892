//! From one message type to the steps over its bytes.

use super::{Elements, Multiset, MultisetOf, Op, Records, Text};
use crate::codec::layout::Count;
use crate::schema::{ElementType, FieldType, MessageType};

/// Stands where nobody asks for a leaf.
const NO_LEAF: usize = usize::MAX;

/// The steps over one message, for walks that ask for no leaf.
pub(super) fn layout(ty: &MessageType) -> Vec<Op> {
    let mut ops = Vec::new();
    for field in &ty.fields {
        layout_field(&field.ty, &mut ops);
    }
    if ty.fields.is_empty() {
        ops.push(Op::Empty);
    }
    ops
}

/// Adds the steps over one field.
pub(super) fn layout_field(ty: &FieldType, ops: &mut Vec<Op>) {
    match (ty.element(), count_of(ty)) {
        (ElementType::Message(ty), Count::One) => {
            for op in layout(ty) {
                push(ops, op);
            }
        }
        (ElementType::Message(ty), count) => ops.push(Op::Records(Box::new(Records {
            unordered: false,
            count,
            min_size: [min_size(ty); 2],
            each: layout(ty),
            special: Vec::new(),
            uncounted: None,
            pieces: Vec::new(),
        }))),
        (element, count) => {
            let elements = Elements { leaf: NO_LEAF, special: Vec::new() };
            flat(element, count, elements, ops);
        }
    }
}

/// The step over primitives or text whose order says nothing.
pub(super) fn multiset(element: &ElementType, count: Count, leaf: usize) -> Op {
    let of = match element {
        ElementType::Primitive(primitive) => MultisetOf::Numbers(*primitive),
        ElementType::String(bound) => MultisetOf::Texts(Text { wide: false, bound: *bound }),
        ElementType::WString(bound) => MultisetOf::Texts(Text { wide: true, bound: *bound }),
        ElementType::Message(_) => unreachable!("the caller takes messages apart"),
    };
    Op::Multiset(Multiset { of, count, leaf })
}

/// Adds the step over primitives or text.
pub(super) fn flat(element: &ElementType, count: Count, elements: Elements, ops: &mut Vec<Op>) {
    let text = match element {
        ElementType::Primitive(primitive) => {
            let fixed = match count {
                Count::One => 1,
                Count::Array(len) => len,
                Count::Sequence(bound) => {
                    ops.push(Op::Sequence { primitive: *primitive, bound, elements });
                    return;
                }
            };
            let parts = elements.parts(0, fixed).collect();
            push(ops, Op::Run { primitive: *primitive, total: fixed, parts });
            return;
        }
        ElementType::String(bound) => Text { wide: false, bound: *bound },
        ElementType::WString(bound) => Text { wide: true, bound: *bound },
        ElementType::Message(_) => unreachable!("the caller takes messages apart"),
    };
    ops.push(match count {
        Count::One => Op::Text { text, leaf: elements.leaf },
        count => Op::Texts { text, count, elements },
    });
}

/// Adds a step, as part of the one before it where both are runs of one
/// primitive: those lie side by side.
pub(super) fn push(ops: &mut Vec<Op>, op: Op) {
    if let Op::Run { primitive, total, parts } = &op
        && let Some(Op::Run { primitive: before, total: all, parts: others }) = ops.last_mut()
        && before == primitive
    {
        *all = all.saturating_add(*total);
        others.extend(parts);
        return;
    }
    ops.push(op);
}

pub(super) fn count_of(ty: &FieldType) -> Count {
    match ty {
        FieldType::One(_) => Count::One,
        FieldType::Array(_, len) => Count::Array(*len),
        FieldType::Sequence(_, bound) => Count::Sequence(*bound),
    }
}

/// Bytes that a message takes at least, never 0: what a length in a payload
/// is held against.
pub(super) fn min_size(ty: &MessageType) -> usize {
    let sizes = ty.fields.iter().map(|field| {
        let element = match field.ty.element() {
            ElementType::Primitive(p) => p.size(),
            ElementType::String(_) | ElementType::WString(_) => 4,
            ElementType::Message(ty) => min_size(ty),
        };
        match field.ty {
            FieldType::One(_) => element,
            FieldType::Array(_, len) => element.saturating_mul(len),
            FieldType::Sequence(..) => 4,
        }
    });
    sizes.fold(0, usize::saturating_add).max(1)
}
