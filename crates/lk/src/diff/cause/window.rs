//! The messages around a divergence, read again: how its field goes on.

use std::collections::BTreeMap;
use std::ops::Range;

use super::numbers::{self, Cell, Num, Row};
use super::{Cause, CauseKind};
use crate::codec::number::Number;
use crate::dataset::{Dataset, Query};
use crate::diff::Mismatch;
use crate::diff::plan::{Leaf, LeafSide, Measure, Numbers, Payloads, Visit};
use crate::diff::stream::KeyJob;
use crate::error::Result;
use crate::schema::Primitive;

/// Pairs of messages that are looked at before the divergence, and from it on.
const BEFORE: usize = 32;
const AFTER: usize = 128;

/// Numbers that are kept of a message, beside the one that diverged.
const CELLS: usize = 256;

/// What a number outside of tolerance looks like.
pub(super) fn value(
    sides: [&Dataset; 2],
    job: &KeyJob,
    mismatch: &Mismatch,
) -> Result<Option<Cause>> {
    Ok(match read(sides, job, mismatch)? {
        Some(window) => numbers::classify(&window),
        None => None,
    })
}

/// How long NaN stays.
pub(super) fn nan(
    sides: [&Dataset; 2],
    job: Option<&KeyJob>,
    mismatch: &Mismatch,
) -> Result<Cause> {
    let window = match job {
        Some(job) => read(sides, job, mismatch)?,
        None => None,
    };
    let rows = window.iter().flat_map(Window::after);
    let is_nan = |cell: &Cell| cell.a.as_f64().is_nan() != cell.b.as_f64().is_nan();
    let all: Vec<bool> = rows.filter_map(|row| row.target()).map(is_nan).collect();
    let from = all.iter().take_while(|nan| **nan).count();
    let text = match (from, all.len()) {
        (n, all) if n == all && n > 1 => {
            format!("NaN sets in: on one side alone in all {n} messages from there on")
        }
        (1, _) => "NaN on one side alone, in this message".to_owned(),
        (0, _) => "NaN on one side alone".to_owned(),
        (n, _) => format!("NaN on one side alone, in {n} messages from there on"),
    };
    Ok(Cause::new(CauseKind::Nan, text))
}

/// The messages around a divergence.
pub(super) struct Window {
    rows: Vec<Row>,
    /// The one of the divergence among them.
    first: usize,
}

impl Window {
    #[cfg(test)]
    pub(super) fn new(rows: Vec<Row>, first: usize) -> Window {
        Window { rows, first }
    }

    pub(super) fn before(&self) -> &[Row] {
        self.rows.get(..self.first).unwrap_or_default()
    }

    /// From the divergence on.
    pub(super) fn after(&self) -> &[Row] {
        self.rows.get(self.first..).unwrap_or_default()
    }
}

/// By ordinal of the pair: the numbers of a message, with their leaves and
/// paths.
type Found = BTreeMap<usize, Vec<(usize, String, Num)>>;

/// Reads the numbers of the pairs around a mismatch; `None` where it is no
/// number.
fn read(sides: [&Dataset; 2], job: &KeyJob, mismatch: &Mismatch) -> Result<Option<Window>> {
    let Payloads::Fields(fields) = &job.plan.payloads else { return Ok(None) };
    let Some(target) = Target::of(&job.plan.leaves, &mismatch.path) else { return Ok(None) };
    let lookups = [job.pairing.of_a(), job.pairing.of_b()];
    let index = usize::try_from(mismatch.index).unwrap_or(usize::MAX);
    let Some(first) = lookups[0].ordinal(index) else { return Ok(None) };
    let window = first.saturating_sub(BEFORE)..first.saturating_add(AFTER);
    let mut found: [Found; 2] = Default::default();
    for side in [0, 1] {
        let column = &job.columns[side];
        let places: BTreeMap<usize, usize> = (0..column.len())
            .filter_map(|place| Some((place, lookups[side].ordinal(place)?)))
            .filter(|(_, ordinal)| window.contains(ordinal))
            .collect();
        let (Some((from, _)), Some((to, _))) = (places.first_key_value(), places.last_key_value())
        else {
            return Ok(None);
        };
        let Some(start) = column.time(*from) else { return Ok(None) };
        // Reading is in order of times.
        let skipped = column.times().take_while(|time| *time < start).count();
        // As the dataset has it.
        let moved = if side == 1 { job.moved.as_nanos() } else { 0 };
        let query = Query {
            channels: Some(vec![job.ids[side]]),
            start: Some(crate::Time::from_nanos(start.saturating_sub(moved))),
            end: None,
        };
        for (place, sample) in (skipped..=*to).zip(sides[side].samples(&query)?) {
            let (_, sample) = sample?;
            let Some(ordinal) = places.get(&place) else { continue };
            let leaf_side = [LeafSide::Reference, LeafSide::Candidate][side];
            let mut numbers = Vec::new();
            let take = |found: Numbers<'_>| target.take(&job.plan.leaves, &found, &mut numbers);
            let Some(payload) = job.plan.payload(side, &sample.payload) else { continue };
            if Visit::payload(&fields.pair, leaf_side, &payload, take).is_ok() {
                found[side].insert(*ordinal, numbers);
            }
        }
    }
    Ok(Some(pair(found, &window, first, &job.plan.leaves, &target)))
}

/// Brings the numbers of both sides together, as far as all pairs can be read.
fn pair(
    [mut a, mut b]: [Found; 2],
    window: &Range<usize>,
    first: usize,
    leaves: &[Leaf],
    target: &Target,
) -> Window {
    let (mut rows, mut at) = (Vec::new(), 0);
    for ordinal in window.clone() {
        let (Some(a), Some(b)) = (a.remove(&ordinal), b.remove(&ordinal)) else { continue };
        if ordinal == first {
            at = rows.len();
        }
        let others: BTreeMap<&str, Num> =
            b.iter().map(|(_, path, value)| (path.as_str(), *value)).collect();
        let cells = a.iter().filter_map(|(leaf, path, value)| {
            let close = leaves.get(*leaf)?.close;
            let b = *others.get(path.as_str())?;
            Some(Cell { path: path.clone(), a: *value, b, close })
        });
        let cells: Vec<Cell> = cells.collect();
        let target = cells.iter().position(|cell| cell.path == target.path);
        rows.push(Row { cells, target });
    }
    Window { rows, first: at }
}

/// The number that diverged: its leaf, and its place in arrays.
struct Target {
    path: String,
    leaf: usize,
    indices: Vec<usize>,
}

impl Target {
    fn of(leaves: &[Leaf], path: &str) -> Option<Target> {
        let indices: Vec<usize> = path
            .split('[')
            .skip(1)
            .map(|rest| rest.split_once(']').and_then(|(index, _)| index.parse().ok()))
            .collect::<Option<_>>()?;
        let leaf = leaves.iter().position(|leaf| {
            let (last, outer) = match indices.split_last() {
                Some((last, outer)) => (*last, outer),
                None => (0, &[][..]),
            };
            let is_number = leaf.is_number && !matches!(leaf.close.measure, Measure::Quaternion(_));
            is_number && !leaf.close.ignore && leaf.path_at(outer, last) == path
        })?;
        Some(Target { path: path.to_owned(), leaf, indices })
    }

    /// Takes the first numbers of a message, and this one wherever it is.
    fn take(&self, leaves: &[Leaf], found: &Numbers<'_>, to: &mut Vec<(usize, String, Num)>) {
        let Some(leaf) = leaves.get(found.part.leaf) else { return };
        if leaf.close.ignore || !leaf.is_number {
            return;
        }
        let many = found.part.count;
        let kept = many.min(CELLS.saturating_sub(to.len()));
        let mut take = |n: usize| {
            let size = found.primitive.size();
            let bytes = found.bytes.get(n * size..(n + 1) * size);
            if let Some(value) = bytes.and_then(|bytes| Num::read(found.primitive, bytes)) {
                let path = leaf.path_at(found.indices, found.part.first + n);
                to.push((found.part.leaf, path, value));
            }
        };
        // In a long array, those around the one that diverged.
        let near = match (found.part.leaf == self.leaf, self.indices.split_last()) {
            (true, Some((last, outer))) if outer == found.indices => {
                last.checked_sub(found.part.first)
            }
            (true, None) => Some(0),
            _ => None,
        };
        (0..kept).for_each(&mut take);
        if let Some(near) = near {
            let (from, to) = (near.saturating_sub(8).max(kept), (near + 9).min(many));
            (from..to).for_each(&mut take);
        }
    }
}

impl Num {
    fn read(primitive: Primitive, bytes: &[u8]) -> Option<Num> {
        macro_rules! integer {
            ($ty:ty) => {
                Num::Integer(<$ty>::read(bytes, false)?.into())
            };
        }
        Some(match primitive {
            Primitive::Float64 => Num::Double(f64::read(bytes, false)?),
            Primitive::Float32 => Num::Single(f32::read(bytes, false)?),
            Primitive::Int8 => integer!(i8),
            Primitive::Uint8 | Primitive::Char => integer!(u8),
            Primitive::Int16 => integer!(i16),
            Primitive::Uint16 => integer!(u16),
            Primitive::Int32 => integer!(i32),
            Primitive::Uint32 => integer!(u32),
            Primitive::Int64 => integer!(i64),
            Primitive::Uint64 => integer!(u64),
            Primitive::Bool | Primitive::Byte => return None,
        })
    }
}
