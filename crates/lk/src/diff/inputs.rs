//! The inputs just before a divergence.

use std::collections::BTreeMap;

use super::InputBefore;
use crate::codec::Plan;
use crate::dataset::{ChannelId, Dataset, Encoding, Query, Role, Sample};
use crate::error::Result;
use crate::time::{Span, Time};

/// Leaf fields that are shown of an input.
const FIELDS: usize = 64;

/// How far back to look first; each further look goes this many times as far.
const FIRST_LOOK: Span = Span::from_nanos(1_000_000_000);
const FARTHER: i64 = 60;

/// The last sample at or before `time` of each input that the dataset has, in
/// the order of its channels.
pub(super) fn before(dataset: &Dataset, time: Time) -> Result<Vec<InputBefore>> {
    let is_input = |id: &ChannelId| {
        dataset.channels().get(id.0 as usize).is_some_and(|channel| channel.role == Role::Input)
    };
    let ids = (0..).map(ChannelId).take(dataset.channels().len());
    let inputs: Vec<ChannelId> = ids.filter(is_input).collect();
    let last = last_samples(dataset, inputs, time)?;
    Ok(last.iter().filter_map(|(id, sample)| describe(dataset, *id, sample)).collect())
}

/// Looks back in growing steps, so that a divergence late in a long file
/// doesn't cost reading it from the start.
fn last_samples(
    dataset: &Dataset,
    mut wanted: Vec<ChannelId>,
    time: Time,
) -> Result<BTreeMap<ChannelId, Sample>> {
    let mut last = BTreeMap::new();
    let stats = dataset.stats()?;
    let first = |id: &ChannelId| stats.get(id.0 as usize).and_then(|stats| stats.first);
    wanted.retain(|id| first(id).is_some_and(|first| first <= time));
    let mut look = FIRST_LOOK;
    while !wanted.is_empty() {
        let start = Time::from_nanos(time.as_nanos().saturating_sub(look.as_nanos()));
        let query = Query {
            channels: Some(wanted.clone()),
            start: Some(start),
            end: time.as_nanos().checked_add(1).map(Time::from_nanos),
        };
        for sample in dataset.samples(&query)? {
            let (id, sample) = sample?;
            last.insert(id, sample);
        }
        wanted.retain(|id| !last.contains_key(id));
        if start == Time::MIN {
            break;
        }
        look = Span::from_nanos(look.as_nanos().saturating_mul(FARTHER));
    }
    Ok(last)
}

fn describe(dataset: &Dataset, id: ChannelId, sample: &Sample) -> Option<InputBefore> {
    let channel = dataset.channels().get(id.0 as usize)?;
    let fields = match &channel.encoding {
        Encoding::Cdr(schema) => Plan::new(schema)
            .decode(&sample.payload)
            .map_or_else(|_| Vec::new(), |value| value.first_leaves(FIELDS)),
        Encoding::Foreign(_) => Vec::new(),
    };
    Some(InputBefore { key: channel.key.clone(), time: sample.time, fields })
}
