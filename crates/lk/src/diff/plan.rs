//! How the payloads of one key are compared: both schemas and the policy,
//! compiled once into steps that need no look-up.

mod compile;
mod layout;
mod quaternion;
mod validate;
mod visit;

pub(super) use validate::step_over;
pub(super) use visit::{Numbers, Visit, over};

use std::borrow::Cow;

use super::compare::Places;
use super::foreign::PairDecoders;
use super::policy::{Decision, Effect, FieldKind, FieldPath, Resolver, Tolerance};
use super::{MismatchKind, SchemaFinding, SchemaFindingKind};
use crate::codec::Plan;
use crate::codec::cursor::Cursor;
use crate::codec::layout::Count;
use crate::dataset::{Encoding, ForeignEncoding};
use crate::error::fault::Walk;
use crate::schema::{Primitive, Schema};

/// The comparison of one key, compiled.
pub(super) struct PairPlan {
    /// One per field, the elements of an array together: what statistics are
    /// kept of. In the order of the reference's schema, with the candidate's
    /// own fields where they are met.
    pub(super) leaves: Vec<Leaf>,
    /// Where the schemas differ.
    pub(super) findings: Vec<SchemaFinding>,
    /// For each of them the known difference that it is.
    pub(super) known_findings: Vec<Option<usize>>,
    /// Known differences that cover the key itself: its messages and times.
    pub(super) known: Vec<usize>,
    /// What a reader should know about the types that is no difference.
    pub(super) notes: Vec<String>,
    pub(super) payloads: Payloads,
    /// What makes the payloads of the channels those that are compared.
    pub(super) decoders: Option<PairDecoders>,
}

/// What is done with a pair of payloads.
pub(super) enum Payloads {
    /// Walked field by field.
    Fields(FieldsPlan),
    /// Compared as bytes, for the one leaf that there is.
    Opaque,
    /// Not compared: nothing in one is in the other.
    Incomparable,
}

/// The walk of both payloads.
pub(super) struct FieldsPlan {
    /// Both at once.
    pub(super) pair: Vec<Op>,
    /// The reference alone.
    pub(super) reference: SidePlan,
    /// The candidate alone.
    pub(super) candidate: SidePlan,
    /// Whether the same bytes mean the same on both sides.
    pub(super) same_wire: bool,
}

/// The walk of one side's payloads, to see whether they can be decoded.
pub(super) struct SidePlan {
    ops: Vec<Op>,
    /// For the error where they can't.
    codec: Plan,
}

/// A field, or all elements of an array together.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    /// As reports show it: `points[*].x`.
    pub(super) path: String,
    /// The path cut at its indices: `points`, `.x`.
    pieces: Vec<String>,
    /// Of an element: `float64`.
    pub(super) type_name: String,
    pub(super) decision: Decision,
    pub(super) close: Close,
    pub(super) side: LeafSide,
    /// Whether differences of values are numbers.
    pub(super) is_number: bool,
}

/// The sides that have a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LeafSide {
    Both,
    Reference,
    Candidate,
}

/// What counts as equal for the values of a leaf, ready for inner loops.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Close {
    pub(super) measure: Measure,
    pub(super) tolerance: Tolerance,
    pub(super) nan_equal: bool,
    pub(super) signed_zero: bool,
    pub(super) ignore: bool,
}

/// What is held against a tolerance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Measure {
    /// The difference.
    Difference,
    /// The representable numbers from one to the other, against this many.
    Ulp(u64),
    /// The difference less whole turns of this size.
    Angle { turn: f64 },
    /// The angle between two rotations, of numbers at these places of either
    /// side.
    Quaternion([Places; 2]),
}

/// A step of a walk. Leaves are indices into [`PairPlan::leaves`]; in a
/// [`SidePlan`] they mean nothing.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Op {
    /// Primitives that lie side by side, of one field or several.
    Run { primitive: Primitive, total: usize, parts: Vec<Part> },
    /// A sequence of primitives.
    Sequence { primitive: Primitive, bound: Option<usize>, elements: Elements },
    /// One text.
    Text { text: Text, leaf: usize },
    /// An array or sequence of texts.
    Texts { text: Text, count: Count, elements: Elements },
    /// An array or sequence of messages.
    Records(Box<Records>),
    /// An array or sequence of primitives or text whose order says nothing.
    Multiset(Multiset),
    /// The byte that stands for a message without fields.
    Empty,
    /// Messages whose fields differ, compared by name.
    ByName(Box<ByName>),
}

/// Elements of a run that belong to one leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) leaf: usize,
    pub(super) count: usize,
    /// Index of the first in its array.
    pub(super) first: usize,
}

/// Which leaf each element of an array belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Elements {
    pub(super) leaf: usize,
    /// Elements with rules of their own, in ascending order.
    special: Vec<(usize, usize)>,
}

/// UTF-8 or UTF-16 text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) wide: bool,
    pub(super) bound: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Multiset {
    pub(super) of: MultisetOf,
    pub(super) count: Count,
    pub(super) leaf: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MultisetOf {
    Numbers(Primitive),
    Texts(Text),
}

impl Multiset {
    /// Moves over it; returns how many elements it has.
    pub(super) fn step_over(&self, cursor: &mut Cursor<'_>) -> Walk<usize> {
        match self.of {
            MultisetOf::Numbers(primitive) => {
                let n = self.count.read(cursor, primitive.size())?;
                cursor.run(primitive.size(), n)?;
                Ok(n)
            }
            MultisetOf::Texts(text) => {
                let n = self.count.read(cursor, 4)?;
                (0..n).try_for_each(|_| text.read(cursor).map(drop))?;
                Ok(n)
            }
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Records {
    /// Whether their order says nothing.
    pub(super) unordered: bool,
    pub(super) count: Count,
    /// Bytes that an element takes at least, of either side's type.
    pub(super) min_size: [usize; 2],
    pub(super) each: Vec<Op>,
    /// Elements with rules of their own, in ascending order.
    special: Vec<(usize, Vec<Op>)>,
    /// The leaf that counts elements without fields.
    pub(super) uncounted: Option<usize>,
    /// Path of the array, in pieces.
    pieces: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct ByName {
    /// How to step over each field of the reference, in its order.
    pub(super) reference: Vec<Vec<Op>>,
    /// How to step over each field of the candidate.
    pub(super) candidate: Vec<Vec<Op>>,
    pub(super) fields: Vec<NamedField>,
}

/// One field by name, and what to do with it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum NamedField {
    /// At these places of either side.
    Both { reference: usize, candidate: usize, ops: Vec<Op> },
    /// Its scalars are counted as missing.
    Reference { at: usize, ops: Vec<Op> },
    /// Its scalars are counted as extra.
    Candidate { at: usize, ops: Vec<Op> },
}

impl PairPlan {
    /// Compiles the comparison of a key that both sides have.
    pub(super) fn new(
        key: &str,
        reference: &Encoding,
        candidate: &Encoding,
        resolver: &mut Resolver<'_>,
    ) -> PairPlan {
        let known = resolver.known(&FieldPath::key(key));
        let plan = match (reference, candidate) {
            (Encoding::Cdr(a), Encoding::Cdr(b)) => compile::fields(key, a, b, resolver),
            (Encoding::Foreign(a), Encoding::Foreign(b))
                if a.message_encoding == b.message_encoding =>
            {
                PairPlan::opaque(key, a, b, resolver)
            }
            (a, b) => PairPlan {
                leaves: Vec::new(),
                findings: vec![SchemaFinding {
                    path: String::new(),
                    kind: SchemaFindingKind::Encoding,
                    reference: Some(describe(a)),
                    candidate: Some(describe(b)),
                    ignored: false,
                    known: false,
                }],
                known_findings: vec![None],
                known: Vec::new(),
                notes: Vec::new(),
                payloads: Payloads::Incomparable,
                decoders: None,
            },
        };
        PairPlan { known, ..plan }
    }

    /// Decides the fields of a key that one side lacks, so that rules about
    /// them have found something.
    pub(super) fn one_sided(
        key: &str,
        encoding: &Encoding,
        side: LeafSide,
        resolver: &mut Resolver<'_>,
    ) -> Vec<Leaf> {
        match encoding {
            Encoding::Cdr(schema) => compile::leaves(key, schema, side, resolver),
            Encoding::Foreign(_) => vec![compile::opaque_leaf(key, side, resolver)],
        }
    }

    fn opaque(
        key: &str,
        a: &ForeignEncoding,
        b: &ForeignEncoding,
        resolver: &mut Resolver<'_>,
    ) -> PairPlan {
        let leaf = compile::opaque_leaf(key, LeafSide::Both, resolver);
        let (mut findings, mut known_findings) = (Vec::new(), Vec::new());
        if (&a.schema_name, &a.schema_data) != (&b.schema_name, &b.schema_data) {
            let known = resolver.known_as(&leaf.decision.known, MismatchKind::Schema);
            known_findings.push(known);
            findings.push(SchemaFinding {
                path: String::new(),
                kind: SchemaFindingKind::Type,
                reference: Some(foreign_type(a)),
                candidate: Some(foreign_type(b)),
                ignored: leaf.close.ignore,
                known: known.is_some(),
            });
        }
        let notes = vec![format!("{key}: compared as bytes, since {}", a.reason)];
        let payloads = Payloads::Opaque;
        PairPlan {
            leaves: vec![leaf],
            findings,
            known_findings,
            known: Vec::new(),
            notes,
            payloads,
            decoders: None,
        }
    }

    /// A payload of one side, 0 the reference and 1 the candidate, as it is
    /// compared; nothing where it can't be decoded.
    pub(super) fn payload<'p>(&self, side: usize, payload: &'p [u8]) -> Option<Cow<'p, [u8]>> {
        match &self.decoders {
            None => Some(Cow::Borrowed(payload)),
            Some(decoders) => decoders.payload(side, payload).map(Cow::Owned),
        }
    }

    /// Whether comparing a pair says anything: a leaf that is compared, or a
    /// type that has none.
    pub(super) fn has_evidence(&self) -> bool {
        match self.payloads {
            Payloads::Incomparable => false,
            _ if self.leaves.is_empty() => true,
            _ => self.leaves.iter().any(|leaf| leaf.side == LeafSide::Both && !leaf.close.ignore),
        }
    }

    /// Whether a rule sets something aside, so that the rest being the same
    /// doesn't make messages identical.
    pub(super) fn ignores_something(&self) -> bool {
        self.leaves.iter().any(|leaf| leaf.close.ignore)
            || self.findings.iter().any(|finding| finding.ignored)
    }
}

fn describe(encoding: &Encoding) -> String {
    match encoding {
        Encoding::Cdr(schema) => format!("cdr of {}", schema.name()),
        Encoding::Foreign(foreign) if foreign.schema_name.is_empty() => {
            foreign.message_encoding.clone()
        }
        Encoding::Foreign(foreign) => {
            format!("{} of {}", foreign.message_encoding, foreign.schema_name)
        }
    }
}

/// The name of the type, with the beginning of a hash where names can't tell
/// two apart.
fn foreign_type(foreign: &ForeignEncoding) -> String {
    use sha2::{Digest, Sha256};
    let hash = Sha256::digest(&foreign.schema_data);
    let hash: String = hash.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("{} {hash}", foreign.schema_name).trim_start().to_owned()
}

impl Leaf {
    /// The path with indices filled in.
    pub(super) fn path_at(&self, indices: &[usize], element: usize) -> String {
        fill(&self.pieces, indices.iter().copied().chain([element]))
    }

    /// The path of the array that the leaf is an element of.
    pub(super) fn array_path_at(&self, indices: &[usize]) -> String {
        fill(&self.pieces, indices.iter().copied())
    }
}

impl Elements {
    /// The leaves of the elements `from..to`, as parts.
    pub(super) fn parts(&self, from: usize, to: usize) -> impl Iterator<Item = Part> {
        let mut next = from;
        let first = self.special.partition_point(|(index, _)| *index < from);
        let mut special = self.special[first..].iter().take_while(move |s| s.0 < to).peekable();
        std::iter::from_fn(move || {
            if next >= to {
                return None;
            }
            let part = match special.peek() {
                Some(&&(index, leaf)) if index == next => {
                    special.next();
                    Part { leaf, count: 1, first: next }
                }
                Some(&&(index, _)) => Part { leaf: self.leaf, count: index - next, first: next },
                None => Part { leaf: self.leaf, count: to - next, first: next },
            };
            next += part.count;
            Some(part)
        })
    }
}

impl Records {
    /// The steps for one element.
    pub(super) fn ops(&self, index: usize) -> &[Op] {
        let special = self.special.binary_search_by_key(&index, |(index, _)| *index);
        special.ok().and_then(|i| self.special.get(i)).map_or(&self.each, |(_, ops)| ops)
    }

    /// The path of the array with the indices before it filled in.
    pub(super) fn path_at(&self, indices: &[usize]) -> String {
        fill(&self.pieces, indices.iter().copied())
    }
}

/// Joins pieces of a path with indices between them.
fn fill(pieces: &[String], indices: impl Iterator<Item = usize>) -> String {
    let mut pieces = pieces.iter();
    let mut path = pieces.next().cloned().unwrap_or_default();
    for (piece, index) in pieces.zip(indices) {
        path.push_str(&format!("[{index}]{piece}"));
    }
    path
}

impl From<&Decision> for Close {
    fn from(decision: &Decision) -> Close {
        Close {
            measure: match decision.effect {
                Effect::Ulp(n) => Measure::Ulp(n),
                Effect::Angle { unit, .. } => Measure::Angle { turn: unit.turn() },
                _ => Measure::Difference,
            },
            tolerance: decision.tolerance(),
            nan_equal: decision.nan_equal,
            signed_zero: decision.signed_zero,
            ignore: decision.is_ignore(),
        }
    }
}

/// What a tolerance can mean for a primitive.
fn kind_of(primitive: Primitive) -> FieldKind {
    match primitive {
        Primitive::Float32 => FieldKind::Float32,
        Primitive::Float64 => FieldKind::Float64,
        Primitive::Bool | Primitive::Byte => FieldKind::Exact,
        _ => FieldKind::Integer,
    }
}

impl SidePlan {
    fn new(schema: &Schema) -> SidePlan {
        SidePlan { ops: layout::layout(schema.root()), codec: Plan::new(schema) }
    }
}
