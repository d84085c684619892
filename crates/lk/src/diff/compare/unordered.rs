//! Sequences whose order says nothing: as many elements as can be are paired
//! with one that is close enough, and the others have no partner.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::{PairWalk, Slices, evidence, matching, ordered};
use crate::codec::cursor::Cursor;
use crate::diff::plan::{Close, LeafSide, Multiset, MultisetOf, Part, Records, over};
use crate::diff::stats::Partial;
use crate::diff::{Mismatch, MismatchKind};
use crate::error::fault::Walk;
use crate::schema::Primitive;
use crate::value::Scalar;

/// Messages in a sequence whose best matching is looked for.
const MOST: usize = 1_000;

const SIDES: [LeafSide; 2] = [LeafSide::Reference, LeafSide::Candidate];

impl PairWalk<'_> {
    pub(super) fn multiset<'p>(
        &mut self,
        of: &Multiset,
        a: &mut Cursor<'p>,
        b: &mut Cursor<'p>,
    ) -> Walk<()> {
        match of.of {
            MultisetOf::Numbers(primitive) => self.numbers_of(of, primitive, a, b),
            MultisetOf::Texts(text) => {
                let mut sides: [Vec<Cow<'p, str>>; 2] = Default::default();
                for (texts, cursor) in sides.iter_mut().zip([a, b]) {
                    for _ in 0..of.count.read(cursor, 4)? {
                        texts.push(text.read(cursor)?);
                    }
                }
                let [x, y] = &sides;
                let pairs =
                    merged([x.len(), y.len()], |side, i| sides[side][i].as_ref(), |a, b| a == b);
                if let Some(stats) = self.partial.leaves.get_mut(of.leaf) {
                    match self.plan.leaves[of.leaf].close.ignore {
                        true => stats.ignored += pairs.len() as u64,
                        false => stats.compared += pairs.len() as u64,
                    }
                }
                let value = |side: usize, i: usize| evidence::text(&sides[side][i]);
                self.alone(of.leaf, &pairs, [x.len(), y.len()], value);
                Ok(())
            }
        }
    }

    fn numbers_of<'p>(
        &mut self,
        of: &Multiset,
        primitive: Primitive,
        a: &mut Cursor<'p>,
        b: &mut Cursor<'p>,
    ) -> Walk<()> {
        let Some(leaf) = self.plan.leaves.get(of.leaf) else { return Ok(()) };
        let size = primitive.size();
        let mut sides: [Cow<'p, [u8]>; 2] = Default::default();
        for (bytes, cursor) in sides.iter_mut().zip([a, b]) {
            let n = of.count.read(cursor, size)?;
            let raw = cursor.run(size, n)?;
            *bytes = ordered(raw, size, cursor);
        }
        let number =
            |side: usize, i: usize| sides[side].get(i * size..(i + 1) * size).unwrap_or(&[]);
        let close = Close { ignore: false, ..leaf.close };
        let rank = |side: usize, i: usize| Rank::of(primitive, number(side, i));
        let fits = |x: &[u8], y: &[u8]| evidence::number(primitive, x, y, &close).is_none();
        let lengths = [0, 1].map(|side| sides[side].len() / size);
        // In order, most are; else sorted, and each with the first that fits.
        let in_order = lengths[0] == lengths[1] && sides[0] == sides[1];
        let pairs: Vec<(usize, usize)> = match in_order && leaf.close.nan_equal {
            true => (0..lengths[0]).map(|i| (i, i)).collect(),
            false => closest(lengths, rank, |i, j| fits(number(0, i), number(1, j))),
        };
        let (mut x, mut y) = (Vec::new(), Vec::new());
        for (i, j) in &pairs {
            x.extend_from_slice(number(0, *i));
            y.extend_from_slice(number(1, *j));
        }
        let part = Part { leaf: of.leaf, count: pairs.len(), first: 0 };
        self.numbers(primitive, &part, Slices { a: &x, b: &y, equal: x == y });
        let value = |side: usize, i: usize| evidence::scalar(primitive, number(side, i));
        self.alone(of.leaf, &pairs, lengths, value);
        Ok(())
    }

    /// Counts and names the elements that have no partner.
    fn alone(
        &mut self,
        leaf: usize,
        pairs: &[(usize, usize)],
        lengths: [usize; 2],
        value: impl Fn(usize, usize) -> Scalar,
    ) {
        self.partial.moved += u64::from(pairs.iter().any(|(i, j)| i != j));
        for side in [0, 1] {
            let mut has = vec![false; lengths[side]];
            for (i, j) in pairs {
                has[if side == 0 { *i } else { *j }] = true;
            }
            for i in (0..lengths[side]).filter(|i| !has[*i]) {
                if self.count(leaf, 1, SIDES[side]) {
                    let Some(of) = self.plan.leaves.get(leaf) else { return };
                    let path = of.path_at(&self.indices, i);
                    self.unmatched(leaf, side, path, || value(side, i));
                }
            }
        }
    }

    fn unmatched(
        &mut self,
        leaf: usize,
        side: usize,
        path: String,
        value: impl FnOnce() -> Scalar,
    ) {
        let tolerance = self.shape(leaf);
        self.violation(leaf, MismatchKind::Unmatched, |at| {
            let (a, b) = match side {
                0 => (value(), Scalar::Absent),
                _ => (Scalar::Absent, value()),
            };
            Mismatch { path, a, b, tolerance, ..Mismatch::of_message(at, MismatchKind::Unmatched) }
        });
    }

    /// Counts what is wrong with a sequence, and returns what decides it.
    fn shape(&mut self, leaf: usize) -> String {
        if let Some(stats) = self.partial.leaves.get_mut(leaf) {
            stats.shape_violations += 1;
            stats.first_violation.get_or_insert(self.at.time);
        }
        self.plan.leaves.get(leaf).map_or_else(String::new, |leaf| leaf.decision.text.clone())
    }

    pub(super) fn unordered_records<'p>(
        &mut self,
        records: &Records,
        a: &mut Cursor<'p>,
        b: &mut Cursor<'p>,
    ) -> Walk<()> {
        let mut starts: [Vec<Cursor<'p>>; 2] = Default::default();
        for (side, cursor) in [a, b].into_iter().enumerate() {
            for _ in 0..records.count.read(cursor, records.min_size[side])? {
                starts[side].push(*cursor);
                over(&records.each, SIDES[side], cursor)?;
            }
        }
        let [x, y] = &starts;
        if x.len().max(y.len()) > MOST {
            return self.too_many(records, &starts);
        }
        let mut scratch = Partial::new(self.plan.leaves.len());
        let partners = matching::largest(x.len(), y.len(), |i, j| {
            let mut walk = PairWalk {
                plan: self.plan,
                policy: self.policy,
                partial: &mut scratch,
                at: self.at,
                indices: self.indices.iter().copied().chain([i]).collect(),
                violations: 0,
                known: 0,
            };
            let walked = walk.ops(&records.each, &mut x[i].clone(), &mut y[j].clone());
            walked.is_ok() && walk.violations + walk.known == 0
        });
        let moved = partners.iter().enumerate().any(|(i, j)| j.is_some_and(|j| i != j));
        self.partial.moved += u64::from(moved);
        let mut has = vec![false; y.len()];
        for (i, partner) in partners.iter().enumerate() {
            let Some(j) = *partner else { continue };
            has[j] = true;
            self.indices.push(i);
            self.ops(&records.each, &mut x[i].clone(), &mut y[j].clone())?;
            self.indices.pop();
            if let Some(stats) = records.uncounted.and_then(|i| self.partial.leaves.get_mut(i)) {
                stats.compared += 1;
            }
        }
        for (i, start) in x.iter().enumerate().filter(|(i, _)| partners[*i].is_none()) {
            self.record_alone(records, 0, i, *start)?;
        }
        for (j, start) in y.iter().enumerate().filter(|(j, _)| !has[*j]) {
            self.record_alone(records, 1, j, *start)?;
        }
        Ok(())
    }

    fn record_alone(
        &mut self,
        records: &Records,
        side: usize,
        index: usize,
        mut start: Cursor<'_>,
    ) -> Walk<()> {
        let found = self.one_side(&records.each, &mut start, SIDES[side])?;
        let counted = records.uncounted.filter(|leaf| self.count(*leaf, 1, SIDES[side]));
        // One that holds nothing is more than none.
        let found = self.or_unknown(found, counted).or_else(|| self.first_open(&records.each));
        if let Some(leaf) = found {
            let path = format!("{}[{index}]", records.path_at(&self.indices));
            let whose = ["in the reference alone", "in the candidate alone"][side];
            self.unmatched(leaf, side, path, || Scalar::Text(whose.to_owned()));
        }
        Ok(())
    }

    /// More than a best matching is looked for in: nothing is compared, which
    /// is a violation, whatever they hold.
    fn too_many(&mut self, records: &Records, starts: &[Vec<Cursor<'_>>; 2]) -> Walk<()> {
        let mut found = None;
        for side in [0, 1] {
            for start in &starts[side] {
                let leaf = self.one_side(&records.each, &mut start.clone(), SIDES[side])?;
                let counted = records.uncounted.filter(|leaf| self.count(*leaf, 1, SIDES[side]));
                found = self.or_unknown(self.or_unknown(found, leaf), counted);
            }
        }
        let found = found.or_else(|| self.first_open(&records.each));
        let Some(leaf) = found else { return Ok(()) };
        let path = records.path_at(&self.indices);
        self.shape(leaf);
        let [a, b] = [0, 1].map(|side| Scalar::Uint(starts[side].len() as u64));
        self.violation(leaf, MismatchKind::Unmatched, |at| Mismatch {
            path,
            a,
            b,
            tolerance: format!("not compared: unordered takes at most {MOST} messages"),
            ..Mismatch::of_message(at, MismatchKind::Unmatched)
        });
        Ok(())
    }
}

/// Where a number stands among others; NaN behind all.
#[derive(Clone, Copy, PartialEq)]
enum Rank {
    Float(f64),
    Integer(i128),
}

impl Rank {
    fn of(primitive: Primitive, bytes: &[u8]) -> Rank {
        match evidence::scalar(primitive, bytes) {
            Scalar::Float64(value) => Rank::Float(value),
            Scalar::Float32(value) => Rank::Float(value.into()),
            Scalar::Int(value) => Rank::Integer(value.into()),
            Scalar::Uint(value) => Rank::Integer(value.into()),
            Scalar::Bool(value) => Rank::Integer(value.into()),
            Scalar::Absent | Scalar::Text(_) => Rank::Float(f64::NAN),
        }
    }

    fn order(self, other: Rank) -> Ordering {
        match (self, other) {
            (Rank::Integer(a), Rank::Integer(b)) => a.cmp(&b),
            (Rank::Float(a), Rank::Float(b)) => {
                let by_value = a.partial_cmp(&b);
                by_value.unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
            }
            (Rank::Integer(_), Rank::Float(_)) => Ordering::Less,
            (Rank::Float(_), Rank::Integer(_)) => Ordering::Greater,
        }
    }
}

/// Pairs of numbers that fit, as many as can be, in the order of the reference.
///
/// What fits a number is an interval around it, both of whose ends grow with it
/// (a relative tolerance is below 1), so that the smallest number that is left
/// can take the smallest that fits: where a best matching pairs them otherwise,
/// the two can be exchanged. Sorting is all the search there is.
fn closest(
    lengths: [usize; 2],
    rank: impl Fn(usize, usize) -> Rank,
    fits: impl Fn(usize, usize) -> bool,
) -> Vec<(usize, usize)> {
    let [a, b] = [0, 1].map(|side| {
        let mut order: Vec<usize> = (0..lengths[side]).collect();
        order.sort_by(|i, j| rank(side, *i).order(rank(side, *j)));
        order
    });
    let (mut i, mut j, mut pairs) = (0, 0, Vec::new());
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        if fits(*x, *y) {
            pairs.push((*x, *y));
            (i, j) = (i + 1, j + 1);
        } else if rank(1, *y).order(rank(0, *x)).is_lt() {
            j += 1;
        } else {
            i += 1;
        }
    }
    pairs.sort_unstable();
    pairs
}

/// Pairs of equal texts, in the order of the reference.
fn merged<'t>(
    lengths: [usize; 2],
    text: impl Fn(usize, usize) -> &'t str,
    equal: impl Fn(&str, &str) -> bool,
) -> Vec<(usize, usize)> {
    let [a, b] = [0, 1].map(|side| {
        let mut order: Vec<usize> = (0..lengths[side]).collect();
        order.sort_by_key(|i| text(side, *i));
        order
    });
    let (mut i, mut j, mut pairs) = (0, 0, Vec::new());
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        let (p, q) = (text(0, *x), text(1, *y));
        if equal(p, q) {
            pairs.push((*x, *y));
        }
        i += usize::from(p <= q);
        j += usize::from(q <= p);
    }
    pairs.sort_unstable();
    pairs
}
