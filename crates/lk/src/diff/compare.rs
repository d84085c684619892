//! The walk of two payloads at once.

mod arrays;
mod chunk;
mod evidence;
mod float;
mod float_bytes;
mod integer;
mod matching;
mod one_side;
mod quaternion;
mod same;
mod smallest;
mod tally;
mod unordered;

use std::borrow::Cow;

pub(super) use one_side::starts;
pub(super) use quaternion::Places;

use super::plan::{
    ByName, Close, FieldsPlan, LeafSide, Measure, NamedField, Op, PairPlan, Part, Payloads, Text,
};
use super::policy::Policy;
use super::stats::{At, EVIDENCE, Partial};
use super::{Mismatch, MismatchKind};
use crate::codec::cursor::Cursor;
use crate::error::Error;
use crate::error::fault::Walk;
use crate::schema::Primitive;
use crate::time::Time;
use crate::value::Scalar;

const SIDES: [&str; 2] = ["reference", "candidate"];

/// One message of either side.
#[derive(Clone, Copy)]
pub(super) struct Message<'a> {
    /// Position in its key.
    pub(super) index: u64,
    pub(super) time: Time,
    /// Where the runner wrote the dataset.
    pub(super) tick: Option<u64>,
    pub(super) payload: &'a [u8],
    /// It was never recorded, so its time says nothing.
    pub(super) interpolated: bool,
}

/// Compares a pair of messages, the next of its key.
pub(super) fn pair(
    plan: &PairPlan,
    policy: &Policy,
    partial: &mut Partial,
    a: Message<'_>,
    b: Message<'_>,
) {
    partial.next_pair();
    let at = At { index: a.index, time: a.time.as_nanos(), tick: a.tick };
    let indices = Vec::new();
    let mut walk = PairWalk { plan, policy, partial, at, indices, violations: 0, known: 0 };
    match &plan.payloads {
        Payloads::Opaque => {
            walk.times(&a, &b);
            walk.bytes(a.payload, b.payload);
        }
        Payloads::Fields(fields) => {
            let decoded = match plan.decoders.as_ref().map(|d| d.decode(a.payload, b.payload)) {
                None => None,
                Some(Ok(decoded)) => Some(decoded),
                Some(Err((side, error))) => {
                    let index = if side == 0 { a.index } else { b.index };
                    walk.undecodable(SIDES[side], index, &error);
                    return;
                }
            };
            let same_bytes = fields.same_wire
                && are_same(a.payload, b.payload)
                && decoded.as_ref().is_none_or(|decoded| decoded.same_bytes);
            let [a, b] = match &decoded {
                None => [a, b],
                Some(decoded) => {
                    [Message { payload: &decoded.a, ..a }, Message { payload: decoded.b(), ..b }]
                }
            };
            let same = same_bytes || (fields.same_wire && a.payload == b.payload);
            let checked = fields.reference.check(a.payload).map_err(|e| (SIDES[0], a.index, e));
            let checked = checked.and_then(|()| match same {
                true => Ok(()),
                false => fields.candidate.check(b.payload).map_err(|e| (SIDES[1], b.index, e)),
            });
            if let Err((side, index, error)) = checked {
                walk.undecodable(side, index, &error);
                return;
            }
            walk.times(&a, &b);
            // Equal bytes are walked all the same, one side of them: that they
            // can be decoded and what they hold is part of the answer.
            walk.partial.undecoded += u64::from(same_bytes);
            walk.payloads(fields, a.payload, b.payload, same);
        }
        // Pairs of these are not made.
        Payloads::Incomparable => return,
    }
    let (violations, known) = (walk.violations, walk.known);
    partial.first.get_or_insert(at);
    match (violations, known) {
        (0, 0) => partial.n_matching += 1,
        (0, _) => partial.n_known += 1,
        _ => partial.n_different += 1,
    }
}

/// Whether bytes are equal, which takes no look at them where they are the
/// same memory: of a chunk that both files have.
fn are_same(a: &[u8], b: &[u8]) -> bool {
    std::ptr::eq(a, b) || a == b
}

struct PairWalk<'w> {
    plan: &'w PairPlan,
    policy: &'w Policy,
    partial: &'w mut Partial,
    at: At,
    /// Indices of the elements that the walk is in.
    indices: Vec<usize>,
    /// In this pair.
    violations: u64,
    /// In this pair, beside those.
    known: u64,
}

/// The bytes of the same elements on both sides, little-endian.
struct Slices<'s> {
    a: &'s [u8],
    b: &'s [u8],
    /// Known to be equal in every bit.
    equal: bool,
}

impl Slices<'_> {
    /// A part of them, in bytes.
    fn part(&self, from: usize, len: usize) -> Slices<'_> {
        let slice = |bytes: &'_ [u8]| -> std::ops::Range<usize> {
            let end = (from + len).min(bytes.len());
            from.min(end)..end
        };
        Slices { a: &self.a[slice(self.a)], b: &self.b[slice(self.b)], equal: self.equal }
    }
}

impl PairWalk<'_> {
    /// Compares the times of the pair, apart from its values.
    fn times(&mut self, a: &Message<'_>, b: &Message<'_>) {
        if b.interpolated {
            return;
        }
        let policy = self.policy;
        let (a, b) = (a.time, b.time);
        let apart = a.as_nanos().abs_diff(b.as_nanos());
        let violates = policy.check_timestamps && !policy.timestamp_tol.allows(a, b);
        self.partial.time(a, b, violates);
        if violates {
            let mismatch = |at: &At| Mismatch {
                a: Scalar::Int(a.as_nanos()),
                b: Scalar::Int(b.as_nanos()),
                error: Some(apart as f64),
                tolerance: format!("timestamp_tol={}", policy.timestamp_tol),
                ..Mismatch::of_message(at, MismatchKind::Time)
            };
            match policy.known(&self.plan.known, MismatchKind::Time) {
                Some(known) => {
                    self.partial.timestamps.known += 1;
                    self.partial.known.add(known, 1, || mismatch(&self.at));
                }
                None => self.evidence(mismatch),
            }
        }
    }

    fn undecodable(&mut self, side: &str, index: u64, error: &Error) {
        self.partial.errors += 1;
        if self.partial.error_texts.len() < EVIDENCE {
            self.partial.error_texts.push(format!("message {index} of the {side}: {error}"));
        }
        let field = match error {
            Error::Decode { field, .. } => field.clone(),
            _ => String::new(),
        };
        self.evidence(|at| Mismatch {
            path: field,
            ..Mismatch::of_message(at, MismatchKind::Decode)
        });
    }

    /// Compares whole payloads that can't be decoded.
    fn bytes(&mut self, a: &[u8], b: &[u8]) {
        let (Some(leaf), Some(stats)) = (self.plan.leaves.first(), self.partial.leaves.first_mut())
        else {
            return;
        };
        if leaf.close.ignore {
            stats.ignored += 1;
            return;
        }
        stats.compared += 1;
        if are_same(a, b) {
            self.partial.undecoded += 1;
            return;
        }
        stats.not_bit_equal += 1;
        stats.violate(1, &self.at);
        self.violation(0, MismatchKind::Value, |at| Mismatch {
            a: evidence::hex(a),
            b: evidence::hex(b),
            tolerance: leaf.decision.text.clone(),
            ..Mismatch::of_message(at, MismatchKind::Value)
        });
    }

    fn payloads(&mut self, plan: &FieldsPlan, a: &[u8], b: &[u8], same: bool) {
        let walked = Cursor::new(a).and_then(|mut a| match same {
            true => self.same(&plan.pair, &mut a),
            false => self.ops(&plan.pair, &mut a, &mut Cursor::new(b)?),
        });
        if walked.is_err() {
            // What the check let pass can be walked; were it otherwise, the
            // pair must not pass for what was found before.
            self.violations += 1;
            self.evidence(|at| Mismatch::of_message(at, MismatchKind::Decode));
        }
    }

    fn ops<'p>(&mut self, ops: &[Op], a: &mut Cursor<'p>, b: &mut Cursor<'p>) -> Walk<()> {
        for op in ops {
            match op {
                Op::Run { primitive, total, parts } => {
                    let size = primitive.size();
                    let (x, y) = (a.run(size, *total)?, b.run(size, *total)?);
                    let (x, y) = (ordered(x, size, a), ordered(y, size, b));
                    let all = Slices { a: &x, b: &y, equal: x == y };
                    let mut from = 0;
                    for part in parts {
                        let len = part.count * size;
                        self.numbers(*primitive, part, all.part(from, len));
                        from += len;
                    }
                }
                Op::Sequence { primitive, bound, elements } => {
                    let size = primitive.size();
                    let (n, m) = (a.length(*bound, size)?, b.length(*bound, size)?);
                    let (x, y) = (a.run(size, n)?, b.run(size, m)?);
                    let (x, y) = (ordered(x, size, a), ordered(y, size, b));
                    let all = Slices { a: &x, b: &y, equal: false };
                    for part in elements.parts(0, n.min(m)) {
                        self.numbers(
                            *primitive,
                            &part,
                            all.part(part.first * size, part.count * size),
                        );
                    }
                    self.lengths(elements, n, m);
                }
                Op::Text { text, leaf } => self.text(*text, *leaf, 0, a, b)?,
                Op::Texts { text, count, elements } => {
                    let (n, m) = (count.read(a, 4)?, count.read(b, 4)?);
                    for part in elements.parts(0, n.min(m)) {
                        for index in part.first..part.first + part.count {
                            self.text(*text, part.leaf, index, a, b)?;
                        }
                    }
                    for _ in m..n {
                        text.read(a)?;
                    }
                    for _ in n..m {
                        text.read(b)?;
                    }
                    self.lengths(elements, n, m);
                }
                Op::Records(records) if records.unordered => {
                    self.unordered_records(records, a, b)?;
                }
                Op::Records(records) => self.records(records, a, b)?,
                Op::Multiset(multiset) => self.multiset(multiset, a, b)?,
                Op::Empty => {
                    a.bytes(1)?;
                    b.bytes(1)?;
                }
                Op::ByName(by_name) => self.by_name(by_name, a, b)?,
            }
        }
        Ok(())
    }

    /// Compares numbers of one leaf.
    fn numbers(&mut self, primitive: Primitive, part: &Part, slices: Slices<'_>) {
        let (Some(leaf), Some(stats)) =
            (self.plan.leaves.get(part.leaf), self.partial.leaves.get_mut(part.leaf))
        else {
            return;
        };
        let (close, at) = (&leaf.close, &self.at);
        if close.ignore {
            stats.ignored += part.count as u64;
            return;
        }
        let Slices { a, b, equal } = slices;
        macro_rules! floats {
            ($size:literal) => {{
                let (a, b) = (a.as_chunks::<$size>().0, b.as_chunks::<$size>().0);
                match close.measure {
                    Measure::Quaternion(places) => {
                        quaternion::compare(a, b, places, close, stats, at)
                    }
                    _ if equal => float::equal(a, close, stats, at),
                    _ => float::compare(a, b, close, stats, at),
                }
            }};
        }
        macro_rules! integers {
            ($ty:ty) => {{
                if equal {
                    integer::equal::<$ty>(a, stats);
                    0
                } else {
                    integer::compare::<$ty>(a, b, close, stats, at)
                }
            }};
        }
        let violations = match primitive {
            Primitive::Float64 => floats!(8),
            Primitive::Float32 => floats!(4),
            Primitive::Int8 => integers!(i8),
            Primitive::Uint8 | Primitive::Char => integers!(u8),
            Primitive::Int16 => integers!(i16),
            Primitive::Uint16 => integers!(u16),
            Primitive::Int32 => integers!(i32),
            Primitive::Uint32 => integers!(u32),
            Primitive::Int64 => integers!(i64),
            Primitive::Uint64 => integers!(u64),
            Primitive::Bool | Primitive::Byte => {
                let unequal = a.iter().zip(b).map(|(a, b)| u64::from(a != b)).sum();
                stats.compared += a.len() as u64;
                stats.not_bit_equal += unequal;
                stats.violate(unequal, at);
                unequal
            }
        };
        if violations > 0 {
            let known = self.number_evidence(primitive, part, a, b);
            self.known += known;
            self.violations += violations - known;
        }
    }

    /// Names the elements of a leaf that violate. Returns how many scalars are
    /// known differences.
    fn number_evidence(&mut self, primitive: Primitive, part: &Part, a: &[u8], b: &[u8]) -> u64 {
        let Some(leaf) = self.plan.leaves.get(part.leaf) else { return 0 };
        // A quaternion is named as a whole.
        let scalars = match leaf.close.measure {
            Measure::Quaternion(_) => 4,
            _ => 1,
        };
        let size = scalars * primitive.size();
        let mut known = 0;
        for (n, (a, b)) in a.chunks_exact(size).zip(b.chunks_exact(size)).enumerate() {
            if !self.partial.wants_evidence() && leaf.decision.known.is_empty() {
                break;
            }
            if let Some(found) = evidence::number(primitive, a, b, &leaf.close) {
                let path = leaf.path_at(&self.indices, part.first + n);
                let tolerance = leaf.decision.text.clone();
                let is_known = self.evidence_of(part.leaf, found.kind, |at| Mismatch {
                    path,
                    a: found.a,
                    b: found.b,
                    error: found.error,
                    tolerance,
                    ..Mismatch::of_message(at, found.kind)
                });
                known += if is_known { scalars as u64 } else { 0 };
            }
        }
        if let Some(stats) = self.partial.leaves.get_mut(part.leaf) {
            stats.known += known;
        }
        known
    }

    /// Takes one violation of a leaf, in whose counts it is.
    fn violation(
        &mut self,
        leaf: usize,
        kind: MismatchKind,
        mismatch: impl FnOnce(&At) -> Mismatch,
    ) {
        if !self.evidence_of(leaf, kind, mismatch) {
            self.violations += 1;
            if kind == MismatchKind::Unmatched
                && let Some(stats) = self.partial.leaves.get_mut(leaf)
            {
                stats.unmatched += 1;
            }
            return;
        }
        self.known += 1;
        if let Some(stats) = self.partial.leaves.get_mut(leaf) {
            match kind {
                MismatchKind::Length | MismatchKind::Unmatched => stats.known_shapes += 1,
                _ => stats.known += 1,
            }
        }
    }

    /// Keeps a violation of a leaf, as a known difference or as evidence.
    /// Returns whether it is known.
    fn evidence_of(
        &mut self,
        leaf: usize,
        kind: MismatchKind,
        mismatch: impl FnOnce(&At) -> Mismatch,
    ) -> bool {
        let leaf = self.plan.leaves.get(leaf);
        match leaf.and_then(|leaf| self.policy.known(&leaf.decision.known, kind)) {
            Some(known) => self.partial.known.add(known, 1, || mismatch(&self.at)),
            None => {
                self.evidence(mismatch);
                return false;
            }
        }
        true
    }

    fn text(
        &mut self,
        text: Text,
        leaf: usize,
        element: usize,
        a: &mut Cursor<'_>,
        b: &mut Cursor<'_>,
    ) -> Walk<()> {
        let (x, y) = (text.read(a)?, text.read(b)?);
        let plan = self.plan;
        let (Some(of), Some(stats)) = (plan.leaves.get(leaf), self.partial.leaves.get_mut(leaf))
        else {
            return Ok(());
        };
        if of.close.ignore {
            stats.ignored += 1;
            return Ok(());
        }
        stats.compared += 1;
        if x == y {
            return Ok(());
        }
        stats.not_bit_equal += 1;
        stats.violate(1, &self.at);
        let path = match self.partial.wants_evidence() || !of.decision.known.is_empty() {
            true => of.path_at(&self.indices, element),
            false => String::new(),
        };
        self.violation(leaf, MismatchKind::Value, |at| Mismatch {
            path,
            a: evidence::text(&x),
            b: evidence::text(&y),
            tolerance: of.decision.text.clone(),
            ..Mismatch::of_message(at, MismatchKind::Value)
        });
        Ok(())
    }

    fn by_name<'p>(
        &mut self,
        by_name: &ByName,
        a: &mut Cursor<'p>,
        b: &mut Cursor<'p>,
    ) -> Walk<()> {
        let starts_a = starts(&by_name.reference, a)?;
        let starts_b = starts(&by_name.candidate, b)?;
        for field in &by_name.fields {
            match field {
                NamedField::Both { reference, candidate, ops } => {
                    if let (Some(a), Some(b)) = (starts_a.get(*reference), starts_b.get(*candidate))
                    {
                        self.ops(ops, &mut a.clone(), &mut b.clone())?;
                    }
                }
                NamedField::Reference { at, ops } => {
                    if let Some(cursor) = starts_a.get(*at) {
                        self.one_side(ops, &mut cursor.clone(), LeafSide::Reference)?;
                    }
                }
                NamedField::Candidate { at, ops } => {
                    if let Some(cursor) = starts_b.get(*at) {
                        self.one_side(ops, &mut cursor.clone(), LeafSide::Candidate)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn evidence(&mut self, mismatch: impl FnOnce(&At) -> Mismatch) {
        if self.partial.wants_evidence() {
            let mismatch = mismatch(&self.at);
            self.partial.mismatches.push(mismatch);
        }
    }
}

/// Whether two numbers, or quaternions, violate.
pub(super) fn violates(primitive: Primitive, a: &[u8], b: &[u8], close: &Close) -> bool {
    evidence::number(primitive, a, b, close).is_some()
}

/// The bytes of numbers with the lowest byte first.
pub(super) fn ordered<'a>(bytes: &'a [u8], size: usize, cursor: &Cursor<'_>) -> Cow<'a, [u8]> {
    if size == 1 || !cursor.big_endian() {
        return Cow::Borrowed(bytes);
    }
    Cow::Owned(bytes.chunks_exact(size).flat_map(|number| number.iter().rev().copied()).collect())
}

impl Text {
    /// The text as it can be compared: wide text as UTF-8 too.
    pub(super) fn read<'a>(self, cursor: &mut Cursor<'a>) -> Walk<Cow<'a, str>> {
        if self.wide {
            let mut text = String::new();
            cursor.wstring(self.bound, &mut text)?;
            return Ok(Cow::Owned(text));
        }
        cursor.string(self.bound).map(Cow::Borrowed)
    }
}

impl Mismatch {
    /// A mismatch of a whole message, with nothing said about values.
    pub(super) fn of_message(at: &At, kind: MismatchKind) -> Mismatch {
        Mismatch {
            index: at.index,
            tick: at.tick,
            time: Time::from_nanos(at.time),
            path: String::new(),
            kind,
            a: Scalar::Absent,
            b: Scalar::Absent,
            error: None,
            tolerance: String::new(),
        }
    }
}
