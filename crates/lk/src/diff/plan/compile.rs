//! From two schemas and a policy to the steps of a walk.

use std::collections::{BTreeMap, BTreeSet};

use super::layout::{count_of, flat, layout_field, min_size, multiset, push};
use super::quaternion;
use super::{
    ByName, Close, Elements, FieldsPlan, Leaf, LeafSide, NamedField, Op, PairPlan, Payloads,
    Records, SidePlan, kind_of,
};
use crate::codec::layout::Count;
use crate::diff::policy::{Decision, Effect, FieldKind, FieldPath, Glob, Resolver, quote_key};
use crate::diff::{MismatchKind, SchemaFinding, SchemaFindingKind};
use crate::schema::{ElementType, Field, FieldType, MessageType, Primitive, Schema};

/// Compiles the comparison of two schemas.
pub(super) fn fields(key: &str, a: &Schema, b: &Schema, resolver: &mut Resolver<'_>) -> PairPlan {
    let mut compiler = Compiler::new(resolver);
    let root = Place::key(key, compiler.resolver);
    let pair = compiler.pair(a.root(), b.root(), &root);
    let Compiler { leaves, findings, known_findings, .. } = compiler;
    count_decisions(&leaves, resolver);
    let same_wire = message_like(a.root(), b.root());
    let mut notes = Vec::new();
    if same_wire && a.name() != b.name() {
        notes.push(format!("{key}: {} is called {} in the candidate", a.name(), b.name()));
    }
    let common = leaves.iter().any(|leaf| leaf.side == LeafSide::Both);
    let payloads = match common || same_wire {
        true => Payloads::Fields(FieldsPlan {
            pair,
            reference: SidePlan::new(a),
            candidate: SidePlan::new(b),
            same_wire,
        }),
        false => Payloads::Incomparable,
    };
    let known = Vec::new();
    PairPlan { leaves, findings, known_findings, known, notes, payloads, decoders: None }
}

/// The leaves of one schema alone.
pub(super) fn leaves(
    key: &str,
    schema: &Schema,
    side: LeafSide,
    resolver: &mut Resolver<'_>,
) -> Vec<Leaf> {
    let mut compiler = Compiler::new(resolver);
    let root = Place::key(key, compiler.resolver);
    compiler.message(schema.root(), &root, side);
    let leaves = compiler.leaves;
    count_decisions(&leaves, resolver);
    leaves
}

/// The one leaf of a payload that is compared as bytes.
pub(super) fn opaque_leaf(key: &str, side: LeafSide, resolver: &mut Resolver<'_>) -> Leaf {
    let mut compiler = Compiler::new(resolver);
    let root = Place::key(key, compiler.resolver);
    compiler.leaf(&root, "bytes".to_owned(), FieldKind::Exact, false, side);
    let leaf = compiler.leaves.remove(0);
    count_decisions(std::slice::from_ref(&leaf), resolver);
    leaf
}

/// Whether the same bytes mean the same: names and types of fields in order,
/// names of types aside.
fn message_like(a: &MessageType, b: &MessageType) -> bool {
    a.fields.len() == b.fields.len()
        && a.fields.iter().zip(&b.fields).all(|(a, b)| a.name == b.name && field_like(&a.ty, &b.ty))
}

fn field_like(a: &FieldType, b: &FieldType) -> bool {
    count_of(a) == count_of(b)
        && match (a.element(), b.element()) {
            (ElementType::Message(a), ElementType::Message(b)) => message_like(a, b),
            (a, b) => a == b,
        }
}

fn count_decisions(leaves: &[Leaf], resolver: &mut Resolver<'_>) {
    for leaf in leaves {
        resolver.count(&leaf.decision);
    }
}

/// Where in a message the compiler is.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) glob: FieldPath,
    /// As reports show it, without the key.
    text: String,
    /// The same, cut at its indices.
    pieces: Vec<String>,
    /// As rules write it, with the key.
    pub(super) name: String,
}

impl Place {
    fn key(key: &str, resolver: &mut Resolver<'_>) -> Place {
        let name = quote_key(key);
        resolver.name(name.clone());
        Place { glob: FieldPath::key(key), text: String::new(), pieces: vec![String::new()], name }
    }

    pub(super) fn field(&self, name: &str, resolver: &mut Resolver<'_>) -> Place {
        let mut place = self.clone();
        let dot = if self.text.is_empty() { "" } else { "." };
        place.text.push_str(&format!("{dot}{name}"));
        if let Some(piece) = place.pieces.last_mut() {
            piece.push_str(&format!("{dot}{name}"));
        }
        place.name.push_str(&format!(".{name}"));
        place.glob = self.glob.field(name);
        resolver.name(place.name.clone());
        place
    }

    pub(super) fn element(&self, index: Option<usize>) -> Place {
        let mut place = self.clone();
        let shown = index.map_or_else(|| "[*]".to_owned(), |i| format!("[{i}]"));
        place.text.push_str(&shown);
        place.pieces.push(String::new());
        place.name.push_str(&shown);
        place.glob = self.glob.element(index);
        place
    }
}

pub(super) struct Compiler<'r, 'p> {
    pub(super) resolver: &'r mut Resolver<'p>,
    leaves: Vec<Leaf>,
    findings: Vec<SchemaFinding>,
    /// For each of them the known difference that it is.
    known_findings: Vec<Option<usize>>,
    /// Elements that some rule asks for by number.
    indices: BTreeSet<usize>,
    /// Within what is a quaternion on one side alone: no mistake of the rule.
    pub(super) torn: bool,
}

impl<'r, 'p> Compiler<'r, 'p> {
    fn new(resolver: &'r mut Resolver<'p>) -> Compiler<'r, 'p> {
        let indices = resolver.globs().flat_map(Glob::indices).collect();
        Compiler {
            resolver,
            leaves: Vec::new(),
            findings: Vec::new(),
            known_findings: Vec::new(),
            indices,
            torn: false,
        }
    }

    /// Compares two message types: as they lie where they are alike, else by
    /// the names of their fields.
    fn pair(&mut self, a: &MessageType, b: &MessageType, at: &Place) -> Vec<Op> {
        if message_like(a, b) {
            return self.message(a, at, LeafSide::Both);
        }
        if let Some(op) = self.quaternion(a, b, at, LeafSide::Both) {
            self.order(a, b, at);
            return vec![op];
        }
        let outer = self.torn;
        let one = [a, b].iter().any(|ty| quaternion::of_message(ty).is_some());
        let probed = self.resolver.decide(&at.glob, FieldKind::Message);
        self.torn |= one && probed.quaternion().is_some();
        let ops = self.by_name(a, b, at);
        self.torn = outer;
        ops
    }

    fn by_name(&mut self, a: &MessageType, b: &MessageType, at: &Place) -> Vec<Op> {
        let (names_a, names_b) = (names(a), names(b));
        let mut fields = Vec::new();
        for (i, field) in a.fields.iter().enumerate() {
            let place = at.field(&field.name, self.resolver);
            match names_b.get(field.name.as_str()) {
                Some(other) => self.named((i, field), *other, &place, &mut fields),
                None => {
                    let ops = self.one_side(field, &place, LeafSide::Reference);
                    fields.push(NamedField::Reference { at: i, ops });
                }
            }
        }
        for (j, field) in b.fields.iter().enumerate() {
            if !names_a.contains_key(field.name.as_str()) {
                let place = at.field(&field.name, self.resolver);
                let ops = self.one_side(field, &place, LeafSide::Candidate);
                fields.push(NamedField::Candidate { at: j, ops });
            }
        }
        self.order(a, b, at);
        vec![Op::ByName(Box::new(ByName { reference: steps(a), candidate: steps(b), fields }))]
    }

    /// One field that both sides have.
    fn named(
        &mut self,
        (i, a): (usize, &Field),
        (j, b): (usize, &Field),
        at: &Place,
        fields: &mut Vec<NamedField>,
    ) {
        let mut ops = Vec::new();
        let count = count_of(&a.ty);
        match (a.ty.element(), b.ty.element()) {
            _ if field_like(&a.ty, &b.ty) => self.field(&a.ty, at, LeafSide::Both, &mut ops),
            (ElementType::Message(x), ElementType::Message(y)) if count == count_of(&b.ty) => {
                if count == Count::One {
                    ops = self.pair(x, y, at);
                } else {
                    let each = |this: &mut Self, at: &Place| this.pair(x, y, at);
                    let records = self.records(count, at, LeafSide::Both, each);
                    let min_size = [min_size(x), min_size(y)];
                    ops.push(Op::Records(Box::new(Records { min_size, ..records })));
                }
            }
            _ => {
                let from = self.leaves.len();
                self.field(&a.ty, at, LeafSide::Reference, &mut ops);
                fields.push(NamedField::Reference { at: i, ops });
                let mut ops = Vec::new();
                self.field(&b.ty, at, LeafSide::Candidate, &mut ops);
                fields.push(NamedField::Candidate { at: j, ops });
                self.finding(SchemaFindingKind::Type, at, [Some(a), Some(b)], from);
                return;
            }
        }
        fields.push(NamedField::Both { reference: i, candidate: j, ops });
    }

    /// One field that the other side lacks.
    fn one_side(&mut self, field: &Field, at: &Place, side: LeafSide) -> Vec<Op> {
        let from = self.leaves.len();
        let mut ops = Vec::new();
        self.field(&field.ty, at, side, &mut ops);
        match side {
            LeafSide::Candidate => {
                self.finding(SchemaFindingKind::Extra, at, [None, Some(field)], from);
            }
            _ => self.finding(SchemaFindingKind::Missing, at, [Some(field), None], from),
        }
        ops
    }

    /// Says where the common fields come in another order.
    fn order(&mut self, a: &MessageType, b: &MessageType, at: &Place) {
        let common = |from: &MessageType, other: &MessageType| -> Vec<String> {
            let others = names(other);
            let fields = from.fields.iter().map(|field| &field.name);
            fields.filter(|name| others.contains_key(name.as_str())).cloned().collect()
        };
        let (in_a, in_b) = (common(a, b), common(b, a));
        if in_a != in_b {
            self.findings.push(SchemaFinding {
                path: at.text.clone(),
                kind: SchemaFindingKind::Order,
                reference: Some(in_a.join(", ")),
                candidate: Some(in_b.join(", ")),
                ignored: false,
                known: false,
            });
            self.known_findings.push(None);
        }
    }

    /// Notes a difference of types; set aside where every leaf from `from` on
    /// is ignored.
    fn finding(
        &mut self,
        kind: SchemaFindingKind,
        at: &Place,
        [a, b]: [Option<&Field>; 2],
        from: usize,
    ) {
        let ignored = match &self.leaves[from..] {
            [] => self.resolver.decide(&at.glob, FieldKind::Exact).is_ignore(),
            leaves => leaves.iter().all(|leaf| leaf.close.ignore),
        };
        let known = self.resolver.known(&at.glob);
        let known = self.resolver.known_as(&known, MismatchKind::Schema).filter(|_| !ignored);
        self.known_findings.push(known);
        self.findings.push(SchemaFinding {
            path: at.text.clone(),
            kind,
            reference: a.map(|field| field.ty.to_string()),
            candidate: b.map(|field| field.ty.to_string()),
            ignored,
            known: known.is_some(),
        });
    }

    fn message(&mut self, ty: &MessageType, at: &Place, side: LeafSide) -> Vec<Op> {
        if let Some(op) = self.quaternion(ty, ty, at, side) {
            return vec![op];
        }
        let mut ops = Vec::new();
        for field in &ty.fields {
            let place = at.field(&field.name, self.resolver);
            self.field(&field.ty, &place, side, &mut ops);
        }
        if ty.fields.is_empty() {
            ops.push(Op::Empty);
        }
        ops
    }

    fn field(&mut self, ty: &FieldType, at: &Place, side: LeafSide, ops: &mut Vec<Op>) {
        let count = count_of(ty);
        match (ty.element(), count) {
            (ElementType::Message(ty), Count::One) => {
                for op in self.message(ty, at, side) {
                    push(ops, op);
                }
            }
            (ElementType::Message(ty), count) => {
                let each = |this: &mut Self, at: &Place| this.message(ty, at, side);
                let records = self.records(count, at, side, each);
                let min_size = [min_size(ty); 2];
                ops.push(Op::Records(Box::new(Records { min_size, ..records })));
            }
            (element, count) => {
                let elements = self.elements(element, count, at, side);
                let decision = self.leaves.get(elements.leaf).map(|leaf| &leaf.decision);
                match decision.filter(|decision| decision.is_unordered() && count != Count::One) {
                    Some(decision) => {
                        self.resolver.applies(decision);
                        ops.push(multiset(element, count, elements.leaf));
                    }
                    None => flat(element, count, elements, ops),
                }
            }
        }
    }

    /// The leaf of a field of primitives or text, and those of elements that
    /// rules treat apart.
    fn elements(
        &mut self,
        element: &ElementType,
        count: Count,
        at: &Place,
        side: LeafSide,
    ) -> Elements {
        let (kind, is_number) = match element {
            ElementType::Primitive(p) => {
                (kind_of(*p), !matches!(p, Primitive::Bool | Primitive::Byte))
            }
            _ => (FieldKind::Exact, false),
        };
        let place = if count == Count::One { at.clone() } else { at.element(None) };
        if let Some(leaf) = self.quaternion_array(element, count, at, side) {
            return Elements { leaf, special: Vec::new() };
        }
        let leaf = self.leaf(&place, element.to_string(), kind, is_number, side);
        let mut special = Vec::new();
        // Elements of a multiset have no places that could have rules.
        let is_multiset = self.leaves[leaf].decision.is_unordered();
        for index in self.candidates(count).into_iter().filter(|_| !is_multiset) {
            let place = at.element(Some(index));
            let own = self.leaf(&place, element.to_string(), kind, is_number, side);
            if self.leaves[own].decision == self.leaves[leaf].decision {
                self.leaves.truncate(own);
            } else {
                special.push((index, own));
            }
        }
        Elements { leaf, special }
    }

    fn records(
        &mut self,
        count: Count,
        at: &Place,
        side: LeafSide,
        each: impl Fn(&mut Self, &Place) -> Vec<Op>,
    ) -> Records {
        let from = self.leaves.len();
        let every = each(self, &at.element(None));
        let mut special = Vec::new();
        let to = self.leaves.len();
        let decision = self.resolver.decide(&at.element(None).glob, FieldKind::Message);
        let unordered = decision.is_unordered();
        if unordered {
            self.resolver.applies(&decision);
        }
        for index in self.candidates(count).into_iter().filter(|_| !unordered) {
            let found = self.findings.len();
            let own = each(self, &at.element(Some(index)));
            // What the schemas lack was found with the first.
            self.findings.truncate(found);
            self.known_findings.truncate(found);
            let (known, new) = self.leaves.split_at(self.leaves.len() - (to - from));
            if known[from..to].iter().map(|l| &l.decision).eq(new.iter().map(|l| &l.decision)) {
                self.leaves.truncate(self.leaves.len() - (to - from));
            } else {
                special.push((index, own));
            }
        }
        // Messages without fields: how many there are is all that they say.
        let uncounted = (to == from).then(|| {
            let name = "message".to_owned();
            self.leaf(&at.element(None), name, FieldKind::Exact, false, side)
        });
        let pieces = at.pieces.clone();
        Records { unordered, count, min_size: [1; 2], each: every, special, uncounted, pieces }
    }

    /// Elements that may have rules of their own.
    pub(super) fn candidates(&self, count: Count) -> Vec<usize> {
        let len = match count {
            Count::One => 0,
            Count::Array(len) => len,
            Count::Sequence(bound) => bound.unwrap_or(usize::MAX),
        };
        self.indices.range(..len).copied().collect()
    }

    fn leaf(
        &mut self,
        at: &Place,
        type_name: String,
        kind: FieldKind,
        is_number: bool,
        side: LeafSide,
    ) -> usize {
        let mut decision = self.resolver.decide(&at.glob, kind);
        if matches!(decision.effect, Effect::Angle { .. }) && !kind.is_float() {
            let why = format!("it is `{type_name}`, and angles are floats");
            self.resolver.misfit(&decision, &at.name, &why, side == LeafSide::Both);
            decision.make_exact();
        }
        if decision.quaternion().is_some() {
            let why = format!("it is `{type_name}`; {}", quaternion::NEEDS);
            let both = side == LeafSide::Both && !self.torn;
            self.resolver.misfit(&decision, &at.name, &why, both);
            decision.make_exact();
        }
        let close = Close::from(&decision);
        self.push_leaf(at, type_name, decision, close, is_number, side)
    }

    pub(super) fn push_leaf(
        &mut self,
        at: &Place,
        type_name: String,
        decision: Decision,
        close: Close,
        is_number: bool,
        side: LeafSide,
    ) -> usize {
        let (path, pieces) = (at.text.clone(), at.pieces.clone());
        let mut decision = decision;
        decision.known = self.resolver.known(&at.glob);
        self.leaves.push(Leaf { path, pieces, type_name, close, decision, side, is_number });
        self.leaves.len() - 1
    }
}

/// The fields of a message by name, with their places.
fn names(ty: &MessageType) -> BTreeMap<&str, (usize, &Field)> {
    ty.fields.iter().enumerate().map(|(i, field)| (field.name.as_str(), (i, field))).collect()
}

/// How to step over each field of a message, whose one byte counts as a field
/// where it has none.
fn steps(ty: &MessageType) -> Vec<Vec<Op>> {
    if ty.fields.is_empty() {
        return vec![vec![Op::Empty]];
    }
    let step = |field: &Field| {
        let mut ops = Vec::new();
        layout_field(&field.ty, &mut ops);
        ops
    };
    ty.fields.iter().map(step).collect()
}
