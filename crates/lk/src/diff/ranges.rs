//! The ranges of fields whose tolerance is a fraction of them: a reading of
//! the reference before anything is compared.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::plan::{Close, LeafSide, Numbers, Payloads, Visit};
use super::stream::{KeyJob, Unreadable};
use crate::codec::number::Number;
use crate::dataset::{ChannelId, Dataset, Query, Together};
use crate::schema::Primitive;

/// Works out the tolerances that are fractions of a range, where there are
/// any. What can't be decoded is left out: it is an error of the comparison.
pub(super) fn resolve(
    reference: &Dataset,
    jobs: &mut [KeyJob],
    together: &Together,
) -> Result<(), Unreadable> {
    let wanting = jobs.iter_mut().filter(|job| {
        let fields = matches!(job.plan.payloads, Payloads::Fields(_));
        fields && job.plan.leaves.iter().any(|leaf| leaf.decision.wants_range())
    });
    let mut wanting: BTreeMap<ChannelId, (&mut KeyJob, Vec<Range>)> = wanting
        .map(|job| (job.ids[0], vec![Range::default(); job.plan.leaves.len()], job))
        .map(|(id, ranges, job)| (id, (job, ranges)))
        .collect();
    if wanting.is_empty() {
        return Ok(());
    }
    let unreadable = |error| Unreadable { side: 0, error: Some(error) };
    let query = Query { channels: Some(wanting.keys().copied().collect()), ..Query::default() };
    for sample in reference.samples_together(&query, together).map_err(unreadable)? {
        let (id, sample) = sample.map_err(unreadable)?;
        let Some((job, ranges)) = wanting.get_mut(&id) else { continue };
        let Payloads::Fields(fields) = &job.plan.payloads else { continue };
        let Some(payload) = job.plan.payload(0, &sample.payload) else { continue };
        if fields.reference.check(&payload).is_err() {
            continue;
        }
        let leaves = &job.plan.leaves;
        let take = |numbers: Numbers<'_>| {
            let leaf = numbers.part.leaf;
            if leaves.get(leaf).is_some_and(|leaf| leaf.decision.wants_range())
                && let Some(range) = ranges.get_mut(leaf)
            {
                range.take(numbers.primitive, numbers.bytes);
            }
        };
        // Checked: it can be walked.
        let _ = Visit::payload(&fields.pair, LeafSide::Reference, &payload, take);
    }
    for (job, ranges) in wanting.into_values() {
        let plan = Arc::get_mut(&mut job.plan).expect("nothing is compared yet");
        for (leaf, range) in plan.leaves.iter_mut().zip(ranges) {
            if leaf.decision.wants_range() {
                leaf.decision.take_range(range.length());
                leaf.close = Close { tolerance: leaf.decision.tolerance(), ..leaf.close };
            }
        }
    }
    Ok(())
}

/// The smallest and the largest finite value so far.
#[derive(Clone, Copy, Default)]
struct Range {
    floats: Option<[f64; 2]>,
    /// Never through a float.
    integers: Option<[i128; 2]>,
}

impl Range {
    fn take(&mut self, primitive: Primitive, bytes: &[u8]) {
        macro_rules! integers {
            ($ty:ty) => {
                <$ty>::for_each(bytes, false, |value| self.integer(value.into()))
            };
        }
        match primitive {
            Primitive::Float64 => f64::for_each(bytes, false, |value| self.float(value)),
            Primitive::Float32 => f32::for_each(bytes, false, |value| self.float(value.into())),
            Primitive::Int8 => integers!(i8),
            Primitive::Uint8 | Primitive::Char => integers!(u8),
            Primitive::Int16 => integers!(i16),
            Primitive::Uint16 => integers!(u16),
            Primitive::Int32 => integers!(i32),
            Primitive::Uint32 => integers!(u32),
            Primitive::Int64 => integers!(i64),
            Primitive::Uint64 => integers!(u64),
            // They take no tolerance.
            Primitive::Bool | Primitive::Byte => {}
        }
    }

    fn float(&mut self, value: f64) {
        if value.is_finite() {
            let [low, high] = self.floats.get_or_insert([value; 2]);
            (*low, *high) = (low.min(value), high.max(value));
        }
    }

    fn integer(&mut self, value: i128) {
        let [low, high] = self.integers.get_or_insert([value; 2]);
        (*low, *high) = ((*low).min(value), (*high).max(value));
    }

    /// From the smallest to the largest, never infinite.
    fn length(self) -> Option<f64> {
        match (self.floats, self.integers) {
            (Some([low, high]), _) => Some((high - low).min(f64::MAX)),
            (None, Some([low, high])) => Some((high - low) as f64),
            (None, None) => None,
        }
    }
}
