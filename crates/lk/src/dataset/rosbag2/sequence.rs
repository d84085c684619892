//! Sequence numbers that begin anew with each file, counted on.

use super::parts::Part;
use crate::dataset::{ChannelId, ChannelStats, Query, Sample};
use crate::error::Result;
use crate::time::Time;

/// Samples of a file that are looked at for the first of each channel, before
/// those of rare channels are looked up one by one.
const FIRST_LOOK: usize = 4096;

/// What is added to sequence numbers, by file and the file's own channel.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Joins(Vec<Vec<u32>>);

/// A file's samples of a channel, which another file's come after.
#[derive(Clone, Copy)]
struct Before {
    part: usize,
    own: ChannelId,
    added: u32,
}

impl Joins {
    /// The number in the dataset of one in a file.
    pub(super) fn sequence(&self, part: usize, own: ChannelId, number: u32) -> u32 {
        let added = self.0.get(part).and_then(|added| added.get(own.0 as usize));
        number.wrapping_add(added.copied().unwrap_or(0))
    }

    /// Looks where a file counts from 0 again what one before it has counted.
    /// Numbers that go on, or that are all 0 because the recorder gave none,
    /// stay as they are. `stats` are those of each file's channels.
    ///
    /// # Errors
    /// Where a file can't be read.
    pub(super) fn find(parts: &[Part], stats: &[Vec<ChannelStats>]) -> Result<Joins> {
        let channels = parts.iter().flat_map(|part| &part.ids).map(|id| id.0 + 1).max();
        let mut before: Vec<Option<Before>> = vec![None; channels.unwrap_or(0) as usize];
        let mut joins = Joins(Vec::with_capacity(parts.len()));
        for (index, (part, stats_here)) in parts.iter().zip(stats).enumerate() {
            let mut added = vec![0; part.ids.len()];
            let known = |id: &ChannelId| before[id.0 as usize].is_some();
            let wanted: Vec<bool> = part.ids.iter().map(known).collect();
            let firsts = first_numbers(part, stats_here, &wanted)?;
            for (own, id) in part.ids.iter().enumerate() {
                let own_id = ChannelId(own as u32);
                let here = stats_here[own];
                if here.count == 0 {
                    continue;
                }
                let slot = &mut before[id.0 as usize];
                if let (Some(earlier), Some(0)) = (*slot, firsts[own]) {
                    let Before { part: p, own: o, added: a } = earlier;
                    let there = stats[p][o.0 as usize];
                    let ended = last_number(&parts[p], o, &there)?.unwrap_or(0);
                    let counts = match (ended, there.count, here.count) {
                        (1.., _, _) | (0, 1, 1) => true,
                        (0, 1, _) => last_number(part, own_id, &here)?.unwrap_or(0) > 0,
                        _ => false,
                    };
                    if counts {
                        added[own] = ended.wrapping_add(a).wrapping_add(1);
                    }
                }
                *slot = Some(Before { part: index, own: own_id, added: added[own] });
            }
            joins.0.push(added);
        }
        Ok(joins)
    }
}

/// The number of the first sample of each wanted channel. What can't be read
/// for damage has none.
fn first_numbers(part: &Part, stats: &[ChannelStats], wanted: &[bool]) -> Result<Vec<Option<u32>>> {
    let mut firsts = vec![None; wanted.len()];
    let channels: Vec<ChannelId> =
        (0..).map(ChannelId).zip(wanted).filter(|(_, wanted)| **wanted).map(|(id, _)| id).collect();
    if channels.is_empty() {
        return Ok(firsts);
    }
    let query = Query { channels: Some(channels.clone()), ..Query::default() };
    for (id, sample) in part.backend.samples(&query)?.take(FIRST_LOOK).flatten() {
        firsts[id.0 as usize].get_or_insert(sample.sequence);
    }
    for id in channels {
        if let (None, Some(first)) = (firsts[id.0 as usize], stats[id.0 as usize].first) {
            firsts[id.0 as usize] = at(part, id, first)?.next().map(|sample| sample.sequence);
        }
    }
    Ok(firsts)
}

/// The number of the last sample of a channel.
fn last_number(part: &Part, own: ChannelId, stats: &ChannelStats) -> Result<Option<u32>> {
    let Some(last) = stats.last else { return Ok(None) };
    Ok(at(part, own, last)?.last().map(|sample| sample.sequence))
}

/// The samples of a channel at one time.
fn at(part: &Part, own: ChannelId, time: Time) -> Result<impl Iterator<Item = Sample>> {
    let end = time.as_nanos().checked_add(1).map(Time::from_nanos);
    let query = Query { channels: Some(vec![own]), start: Some(time), end };
    Ok(part.backend.samples(&query)?.flatten().map(|(_, sample)| sample))
}
