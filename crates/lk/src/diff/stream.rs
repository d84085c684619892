//! Reading both datasets at once, so that each pair of messages meets while
//! memory holds little more than what has no partner yet.
//!
//! Which messages belong together is known for certain only when all times
//! have been read. Mostly it is the n-th with the n-th, so the first reading
//! compares those while it collects the times; where that turns out wrong for
//! a key, what it found is thrown away and the key is read again.

mod lane;

use super::align::{Column, Pairing};
use super::plan::{PairPlan, Payloads};
use super::policy::Policy;
use super::stats::Partial;
use crate::dataset::{ChannelId, Dataset, Query, Samples, SequenceMeaning};
use crate::error::Error;
use lane::{Lane, Pairs, Waiting};

/// Bytes of payloads that may wait for their partners. Beyond that, the key
/// that most of them belong to is read again on its own.
const WAITING_LIMIT: usize = 256 << 20;

/// One key of both sides, on its way through the comparison.
pub(super) struct KeyJob {
    pub(super) key: String,
    /// In the reference and in the candidate.
    pub(super) ids: [ChannelId; 2],
    pub(super) plan: PairPlan,
    pub(super) columns: [Column; 2],
    pub(super) pairing: Pairing,
    pub(super) partial: Partial,
    /// Candidate messages that repeat the one before them.
    pub(super) duplicated: u64,
}

/// A key that one side lacks.
pub(super) struct OneSided {
    pub(super) key: String,
    /// The side that has it: 0 is the reference, 1 the candidate.
    pub(super) side: usize,
    pub(super) id: ChannelId,
    pub(super) column: Column,
}

/// Why a side could not be read to its end.
#[derive(Debug)]
pub(super) struct Unreadable {
    /// 0 is the reference, 1 the candidate.
    pub(super) side: usize,
    /// `None` where it read otherwise the second time.
    pub(super) error: Option<Error>,
}

impl KeyJob {
    pub(super) fn new(key: &str, ids: [ChannelId; 2], plan: PairPlan) -> KeyJob {
        let columns: [Column; 2] = Default::default();
        KeyJob {
            key: key.to_owned(),
            ids,
            partial: Partial::new(plan.leaves.len()),
            plan,
            pairing: Pairing::auto(&columns[0], &columns[1], false),
            columns,
            duplicated: 0,
        }
    }

    fn reset(&mut self) {
        self.partial = Partial::new(self.plan.leaves.len());
        self.duplicated = 0;
    }
}

/// Aligns all keys, and compares all their pairs.
pub(super) fn compare(
    sides: [&Dataset; 2],
    policy: &Policy,
    jobs: &mut [KeyJob],
    one_sided: &mut [OneSided],
) -> Result<(), Unreadable> {
    compare_within(sides, policy, jobs, one_sided, WAITING_LIMIT)
}

fn compare_within(
    sides: [&Dataset; 2],
    policy: &Policy,
    jobs: &mut [KeyJob],
    one_sided: &mut [OneSided],
    limit: usize,
) -> Result<(), Unreadable> {
    let reading = Reading::new(sides, policy, limit);
    let guessed = reading.guess(jobs, one_sided)?;

    let mut again = Vec::new();
    for (job, guessed) in jobs.iter_mut().zip(guessed) {
        let [a, b] = &job.columns;
        job.pairing = Pairing::auto(a, b, reading.ticks == [true; 2]);
        let right = guessed.is_some() && guessed == job.pairing.prefix();
        if !right && !matches!(job.plan.payloads, Payloads::Incomparable) {
            job.reset();
            again.push(job);
        }
    }
    for alone in reading.align(&mut again)? {
        if let Some(job) = again.get_mut(alone) {
            job.reset();
            let alone = Reading { limit: usize::MAX, ..reading };
            alone.align(std::slice::from_mut(job))?;
        }
    }
    Ok(())
}

/// How both sides are read.
#[derive(Clone, Copy)]
struct Reading<'d> {
    sides: [&'d Dataset; 2],
    policy: &'d Policy,
    /// Sides whose sequence numbers are ticks.
    ticks: [bool; 2],
    /// Bytes that may wait.
    limit: usize,
}

impl<'d> Reading<'d> {
    fn new(sides: [&'d Dataset; 2], policy: &'d Policy, limit: usize) -> Reading<'d> {
        let ticks = sides.map(|side| side.facts().sequence == SequenceMeaning::Tick);
        Reading { sides, policy, ticks, limit }
    }

    /// Fills all columns, and compares the n-th with the n-th. Returns for
    /// each job how many pairs were compared, or nothing where it was given
    /// up.
    fn guess(
        &self,
        jobs: &mut [KeyJob],
        one_sided: &mut [OneSided],
    ) -> Result<Vec<Option<usize>>, Unreadable> {
        let ids: Vec<[ChannelId; 2]> = jobs.iter().map(|job| job.ids).collect();
        // Messages past the end of the other side would wait in vain. Counts
        // are only a hint: what they lead to is checked against the columns.
        let stats = self.sides.map(|side| side.stats().unwrap_or_default());
        let count = |side: usize, id: ChannelId| {
            let stats: Option<u64> = stats[side].get(id.0 as usize).map(|stats| stats.count);
            stats.and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX)
        };
        let by_tick = self.ticks == [true; 2];
        let mut lanes: Vec<Lane<'_>> = jobs
            .iter_mut()
            .map(|job| {
                let count = count(0, job.ids[0]).min(count(1, job.ids[1]));
                Lane::new(job, Pairs::Guessed { count, by_tick })
            })
            .collect();
        self.pass(&mut lanes, &ids, one_sided)?;
        Ok(lanes.iter().map(Lane::compared).collect())
    }

    /// Compares the pairs of jobs whose pairing is known. Returns those that
    /// are to be read alone.
    fn align(&self, jobs: &mut [&mut KeyJob]) -> Result<Vec<usize>, Unreadable> {
        let ids: Vec<[ChannelId; 2]> = jobs.iter().map(|job| job.ids).collect();
        let mut lanes: Vec<Lane<'_>> =
            jobs.iter_mut().map(|job| Lane::new(job, Pairs::Aligned)).collect();
        self.pass(&mut lanes, &ids, &mut [])?;
        let mut alone = Vec::new();
        for (i, lane) in lanes.iter().enumerate() {
            if lane.compared().is_none() {
                alone.push(i);
            } else if let Some(side) = lane.misread() {
                return Err(Unreadable { side, error: None });
            }
        }
        Ok(alone)
    }

    /// One reading of both sides.
    fn pass(
        &self,
        lanes: &mut [Lane<'_>],
        ids: &[[ChannelId; 2]],
        one_sided: &mut [OneSided],
    ) -> Result<(), Unreadable> {
        let mut targets = [Vec::new(), Vec::new()];
        let mut readers: [Option<Samples<'_>>; 2] = [None, None];
        for side in [0, 1] {
            let lanes = ids.iter().enumerate().map(|(i, ids)| (ids[side], Target::Lane(i)));
            let alone = one_sided.iter().enumerate().filter(|(_, one)| one.side == side);
            let alone = alone.map(|(i, one)| (one.id, Target::Alone(i)));
            let wanted: Vec<(ChannelId, Target)> = lanes.chain(alone).collect();
            if wanted.is_empty() {
                continue;
            }
            let channels = wanted.iter().map(|(id, _)| *id).collect();
            let query = Query { channels: Some(channels), ..Query::default() };
            let samples = self.sides[side].samples(&query);
            readers[side] = Some(samples.map_err(|e| Unreadable { side, error: Some(e) })?);
            targets[side] = by_channel(self.sides[side].channels().len(), &wanted);
        }
        let mut waiting = Waiting::default();
        loop {
            // From the side with fewer messages that wait: what they wait for
            // is on the other one.
            let first = usize::from(waiting.messages[0] > waiting.messages[1]);
            let Some(side) = [first, 1 - first].into_iter().find(|side| readers[*side].is_some())
            else {
                return Ok(());
            };
            let Some(sample) = readers[side].as_mut().and_then(Iterator::next) else {
                readers[side] = None;
                continue;
            };
            let (id, sample) = sample.map_err(|e| Unreadable { side, error: Some(e) })?;
            match targets[side].get(id.0 as usize).copied().flatten() {
                Some(Target::Lane(lane)) => {
                    if let Some(lane) = lanes.get_mut(lane) {
                        lane.take(side, sample, &mut waiting);
                        lane.compare(self.policy, self.ticks, &mut waiting);
                    }
                }
                Some(Target::Alone(one)) => {
                    if let Some(one) = one_sided.get_mut(one) {
                        one.column.push(sample.time.as_nanos(), sample.sequence);
                    }
                }
                None => {}
            }
            if waiting.bytes > self.limit
                && let Some(lane) = lanes.iter_mut().max_by_key(|lane| lane.bytes())
            {
                lane.give_up(&mut waiting);
            }
        }
    }
}

/// Where the samples of a channel go.
#[derive(Clone, Copy)]
enum Target {
    Lane(usize),
    Alone(usize),
}

fn by_channel(count: usize, wanted: &[(ChannelId, Target)]) -> Vec<Option<Target>> {
    let mut targets = vec![None; count];
    for (id, target) in wanted {
        if let Some(place) = targets.get_mut(id.0 as usize) {
            *place = Some(*target);
        }
    }
    targets
}

#[cfg(test)]
mod tests;
