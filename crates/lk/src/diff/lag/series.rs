//! Values of both sides in the order of their pairs, as far as a lag is looked
//! for in them.

use std::collections::BTreeMap;

use crate::dataset::{ChannelId, Dataset, Query};
use crate::diff::column::Column;
use crate::diff::compare::violates;
use crate::diff::plan::{Close, LeafSide, Measure, Numbers, PairPlan, Payloads, Visit};
use crate::diff::stream::Unreadable;
use crate::error::Result;
use crate::schema::Primitive;
use crate::time::{Span, Time};

/// Elements of one leaf that are followed.
const ELEMENTS: usize = 8;

/// Payload that is read of a side, in bytes.
const BYTES: usize = 64 << 20;

/// One number, or quaternion, of every pair.
pub(super) struct Series {
    pub(super) leaf: usize,
    primitive: Primitive,
    close: Close,
    /// Bytes of a value.
    size: usize,
    /// By side, value after value.
    values: [Vec<u8>; 2],
    /// By side, whether the message has the value.
    has: [Vec<bool>; 2],
}

impl Series {
    fn new(leaf: usize, primitive: Primitive, close: Close, size: usize, rows: usize) -> Series {
        let values = [vec![0; rows * size], vec![0; rows * size]];
        let has = [vec![false; rows], vec![false; rows]];
        Series { leaf, primitive, close, size, values, has }
    }

    fn set(&mut self, side: usize, row: usize, value: &[u8]) {
        if let Some(place) = self.values[side].get_mut(row * self.size..(row + 1) * self.size)
            && value.len() == self.size
        {
            place.copy_from_slice(value);
            self.has[side][row] = true;
        }
    }

    /// The bytes of a value, where there is one.
    pub(super) fn value(&self, side: usize, row: usize) -> Option<&[u8]> {
        let has = self.has[side].get(row).copied().unwrap_or(false);
        self.values[side].get(row * self.size..(row + 1) * self.size).filter(|_| has)
    }

    /// Whether the reference's value in one row and the candidate's in another
    /// violate.
    pub(super) fn violates(&self, a: usize, b: usize) -> Option<bool> {
        let (a, b) = (self.value(0, a)?, self.value(1, b)?);
        Some(violates(self.primitive, a, b, &self.close))
    }
}

/// Messages of one side, and the rows that they belong to.
pub(super) struct Rows<'c> {
    pub(super) id: ChannelId,
    /// All messages of the key.
    pub(super) column: &'c Column,
    /// Position and row, in ascending order of position.
    pub(super) rows: Vec<(usize, usize)>,
    /// What was added to the times that the dataset has.
    pub(super) moved: Span,
}

/// The values of some leaves, in `count` rows.
pub(super) fn read(
    sides: [&Dataset; 2],
    plan: &PairPlan,
    leaves: &[usize],
    rows: [Rows<'_>; 2],
    count: usize,
) -> Result<Vec<Series>, Unreadable> {
    let mut series = BTreeMap::new();
    for (side, rows) in rows.iter().enumerate() {
        read_side(sides[side], side, plan, leaves, rows, count, &mut series)
            .map_err(|error| Unreadable { side, error: Some(error) })?;
    }
    Ok(series.into_values().collect())
}

fn read_side(
    dataset: &Dataset,
    side: usize,
    plan: &PairPlan,
    leaves: &[usize],
    rows: &Rows<'_>,
    count: usize,
    series: &mut BTreeMap<(usize, usize), Series>,
) -> Result<()> {
    let Payloads::Fields(fields) = &plan.payloads else { return Ok(()) };
    let (Some((first, _)), Some((last, _))) = (rows.rows.first(), rows.rows.last()) else {
        return Ok(());
    };
    let (Some(first), Some(last)) = (rows.column.time(*first), rows.column.time(*last)) else {
        return Ok(());
    };
    let raw = |time: i64| time.saturating_sub(rows.moved.as_nanos());
    let query = Query {
        channels: Some(vec![rows.id]),
        start: Some(Time::from_nanos(raw(first))),
        end: raw(last).checked_add(1).map(Time::from_nanos),
    };
    let from = rows.column.first_at(first);
    let mut rows = rows.rows.iter().peekable();
    let mut bytes = 0;
    for (position, sample) in (from..).zip(dataset.samples(&query)?) {
        let (_, sample) = sample?;
        while rows.next_if(|(at, _)| *at < position).is_some() {}
        let row = rows.next_if(|(at, _)| *at == position);
        let Some((_, row)) = row else { continue };
        bytes += sample.payload.len();
        if bytes > BYTES {
            break;
        }
        let Some(payload) = plan.payload(side, &sample.payload) else { continue };
        let (checked, leaf_side) = match side {
            0 => (fields.reference.check(&payload), LeafSide::Reference),
            _ => (fields.candidate.check(&payload), LeafSide::Candidate),
        };
        if checked.is_err() {
            continue;
        }
        let mut seen = BTreeMap::new();
        let take = |numbers: Numbers<'_>| {
            let leaf = numbers.part.leaf;
            if leaves.contains(&leaf) {
                let seen = seen.entry(leaf).or_insert(0);
                take(plan, series, side, *row, count, &numbers, seen);
            }
        };
        // Checked: it can be walked.
        let _ = Visit::payload(&fields.pair, leaf_side, &payload, take);
    }
    Ok(())
}

/// Puts numbers of one leaf where they belong.
fn take(
    plan: &PairPlan,
    series: &mut BTreeMap<(usize, usize), Series>,
    side: usize,
    row: usize,
    count: usize,
    numbers: &Numbers<'_>,
    seen: &mut usize,
) {
    let Some(leaf) = plan.leaves.get(numbers.part.leaf) else { return };
    let size = match leaf.close.measure {
        Measure::Quaternion(_) => 4 * numbers.primitive.size(),
        _ => numbers.primitive.size(),
    };
    for value in numbers.bytes.chunks_exact(size) {
        if *seen == ELEMENTS {
            return;
        }
        let new = || Series::new(numbers.part.leaf, numbers.primitive, leaf.close, size, count);
        series.entry((numbers.part.leaf, *seen)).or_insert_with(new).set(side, row, value);
        *seen += 1;
    }
}
