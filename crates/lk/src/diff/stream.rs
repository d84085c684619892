//! Reading both datasets at once, so that each pair of messages meets while
//! memory holds little more than what has no partner yet.
//!
//! Which messages belong together is known for certain only when all times
//! have been read. Mostly it is the n-th with the n-th, so the first reading
//! compares those while it collects the times; where that turns out wrong for
//! a key, what it found is thrown away and the key is read again.
//!
//! One thread reads and pairs. Which messages it reads next, what it gives up
//! and where it fails depends on the datasets alone; what other threads do for
//! it, unpacking chunks and comparing blocks of pairs, comes back in order.

mod between;
mod blocks;
mod lane;

use std::sync::Arc;

use super::align::Pairing;
use super::column::Column;
use super::plan::{PairPlan, Payloads};
use super::policy::{AlignBy, Policy};
use super::stats::Partial;
use super::{TimeLag, ValueLag};
use crate::dataset::{ChannelId, Dataset, Query, Sample, Samples, SequenceMeaning, Together};
use crate::error::Error;
use crate::time::Span;
use blocks::Comparing;
use lane::{Lane, Pairs, Waiting};

/// Memory for messages that wait for their partners. Beyond that, the key
/// that takes most of it is read again on its own, and if need be several
/// times, some pairs at a time.
const WAITING_BYTES: usize = 32 << 20;

/// Bytes of payloads in a turn. After two of them no chunk is kept alive by the
/// few small messages of it that are still waiting, or not compared yet.
const TURN_BYTES: usize = 2 << 20;

/// One key of both sides, on its way through the comparison.
pub(super) struct KeyJob {
    pub(super) key: String,
    /// In the reference and in the candidate.
    pub(super) ids: [ChannelId; 2],
    pub(super) plan: Arc<PairPlan>,
    pub(super) align: AlignBy,
    /// What is added to the candidate's times before they are looked at.
    pub(super) moved: Span,
    pub(super) columns: [Column; 2],
    pub(super) pairing: Pairing,
    pub(super) partial: Partial,
    /// Candidate messages that repeat the one before them.
    pub(super) duplicated: u64,
    pub(super) time_lag: Option<TimeLag>,
    pub(super) value_lag: Option<ValueLag>,
}

/// A key that one side lacks.
pub(super) struct OneSided {
    pub(super) key: String,
    /// The side that has it: 0 is the reference, 1 the candidate.
    pub(super) side: usize,
    pub(super) id: ChannelId,
    /// Known differences that cover the key.
    pub(super) known: Vec<usize>,
    pub(super) align: AlignBy,
    /// As of [`KeyJob`].
    pub(super) moved: Span,
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
            plan: Arc::new(plan),
            align: AlignBy::Auto,
            moved: Span::ZERO,
            pairing: Pairing::new(AlignBy::Auto, &columns[0], &columns[1], false),
            columns,
            duplicated: 0,
            time_lag: None,
            value_lag: None,
        }
    }
}

/// How a comparison goes about its work; what comes out doesn't depend on it.
pub(super) struct Means<'p> {
    pub(super) together: &'p Together,
    /// See [`WAITING_BYTES`].
    pub(super) waiting_bytes: usize,
}

impl<'p> Means<'p> {
    pub(super) fn new(together: &'p Together) -> Means<'p> {
        Means { together, waiting_bytes: WAITING_BYTES }
    }
}

/// Aligns all keys, and compares all their pairs.
pub(super) fn compare(
    sides: [&Dataset; 2],
    policy: &Policy,
    jobs: &mut [KeyJob],
    one_sided: &mut [OneSided],
    means: &Means<'_>,
) -> Result<(), Unreadable> {
    let reading = Reading::new(sides, policy, means);
    let guessed = reading.guess(jobs, one_sided)?;

    let (mut again, mut interpolated) = (Vec::new(), Vec::new());
    for (job, guessed) in jobs.iter_mut().zip(guessed) {
        let [a, b] = &job.columns;
        job.pairing = Pairing::new(job.align, a, b, reading.comparing.ticks == [true; 2]);
        match guessed {
            Some((pairs, partial)) if job.pairing.prefix() == Some(pairs) => job.partial = partial,
            _ if matches!(job.plan.payloads, Payloads::Incomparable) => {}
            _ if job.pairing.brackets().is_some() => interpolated.push(job),
            _ => again.push(job),
        }
    }
    for alone in reading.align(&mut again)? {
        if let Some(job) = again.get_mut(alone) {
            reading.align_alone(job)?;
        }
    }
    for job in interpolated {
        between::compare(&reading, job)?;
    }
    Ok(())
}

/// How both sides are read.
struct Reading<'d> {
    sides: [&'d Dataset; 2],
    together: &'d Together,
    comparing: Comparing<'d>,
    /// Memory for what waits.
    limit: usize,
}

impl<'d> Reading<'d> {
    fn new(sides: [&'d Dataset; 2], policy: &Policy, means: &Means<'d>) -> Reading<'d> {
        let ticks = sides.map(|side| side.facts().sequence == SequenceMeaning::Tick);
        let (pool, policy) = (means.together.pool(), Arc::new(policy.clone()));
        let comparing = Comparing { pool, policy, ticks };
        Reading { sides, together: means.together, comparing, limit: means.waiting_bytes }
    }

    /// Fills all columns, and compares the n-th with the n-th. Returns for
    /// each job how many pairs there were and what they came to, or nothing
    /// where it was given up.
    fn guess(
        &self,
        jobs: &mut [KeyJob],
        one_sided: &mut [OneSided],
    ) -> Result<Vec<Option<(usize, Partial)>>, Unreadable> {
        let ids: Vec<[ChannelId; 2]> = jobs.iter().map(|job| job.ids).collect();
        // Messages past the end of the other side would wait in vain. Counts
        // are only a hint: what they lead to is checked against the columns.
        let stats = self.sides.map(|side| side.stats().unwrap_or_default());
        let count = |side: usize, id: ChannelId| {
            let stats: Option<u64> = stats[side].get(id.0 as usize).map(|stats| stats.count);
            stats.and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX)
        };
        let by_tick = self.comparing.ticks == [true; 2];
        let mut lanes: Vec<Lane<'_>> = jobs
            .iter_mut()
            .map(|job| {
                let count = count(0, job.ids[0]).min(count(1, job.ids[1]));
                let by = match job.align {
                    AlignBy::Auto if by_tick => AlignBy::Tick,
                    by => by,
                };
                Lane::new(job, Pairs::Guessed { count, by })
            })
            .collect();
        self.pass(&mut lanes, &ids, one_sided, Lane::give_up)?;
        let outcome =
            |lane: Lane<'_>| lane.paired().map(|pairs| (pairs, lane.finish(&self.comparing)));
        Ok(lanes.into_iter().map(outcome).collect())
    }

    /// Compares the pairs of jobs whose pairing is known. Returns those that
    /// are to be read alone.
    fn align(&self, jobs: &mut [&mut KeyJob]) -> Result<Vec<usize>, Unreadable> {
        let ids: Vec<[ChannelId; 2]> = jobs.iter().map(|job| job.ids).collect();
        let mut lanes: Vec<Lane<'_>> =
            jobs.iter_mut().map(|job| Lane::new(job, Pairs::Aligned)).collect();
        self.pass(&mut lanes, &ids, &mut [], Lane::give_up)?;
        let mut partials = Vec::new();
        for lane in lanes {
            let misread = lane.misread().filter(|_| lane.paired().is_some());
            if let Some(side) = misread {
                return Err(Unreadable { side, error: None });
            }
            partials.push(lane.paired().map(|_| lane.finish(&self.comparing)));
        }
        let mut alone = Vec::new();
        for (i, (job, partial)) in jobs.iter_mut().zip(partials).enumerate() {
            match partial {
                Some(partial) => job.partial = partial,
                None => alone.push(i),
            }
        }
        Ok(alone)
    }

    /// Compares the pairs of one job, reading it as often as its memory takes.
    fn align_alone(&self, job: &mut KeyJob) -> Result<(), Unreadable> {
        let (ids, pairs) = ([job.ids], job.pairing.len());
        let mut lane = [Lane::new(job, Pairs::Aligned)];
        let mut before = None;
        loop {
            let limit = self.limit;
            self.pass(&mut lane, &ids, &mut [], |lane, waiting| lane.postpone(limit / 2, waiting))?;
            let [only] = &mut lane;
            if let Some(side) = only.misread() {
                return Err(Unreadable { side, error: None });
            }
            let paired = only.paired();
            if paired >= Some(pairs) {
                break;
            }
            if paired <= before {
                // Each reading meets at least the pair that is next.
                return Err(Unreadable { side: 0, error: None });
            }
            before = paired;
            only.rewind();
        }
        let [lane] = lane;
        job.partial = lane.finish(&self.comparing);
        Ok(())
    }

    /// One reading of both sides. Where what waits takes too much memory,
    /// `relieve` is called on the key that takes most of it.
    fn pass<'j>(
        &self,
        lanes: &mut [Lane<'j>],
        ids: &[[ChannelId; 2]],
        one_sided: &mut [OneSided],
        relieve: impl Fn(&mut Lane<'j>, &mut Waiting),
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
            let samples = self.sides[side].samples_together(&query, self.together);
            readers[side] = Some(samples.map_err(|e| Unreadable { side, error: Some(e) })?);
            targets[side] = by_channel(self.sides[side].channels().len(), &wanted);
        }
        let mut waiting = Waiting::default();
        let mut turn = 0;
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
            turn += sample.payload.len() + size_of::<Sample>();
            match targets[side].get(id.0 as usize).copied().flatten() {
                Some(Target::Lane(lane)) => {
                    if let Some(lane) = lanes.get_mut(lane) {
                        lane.take(side, sample, &mut waiting, &self.comparing);
                    }
                }
                Some(Target::Alone(one)) => {
                    if let Some(one) = one_sided.get_mut(one) {
                        one.column.push((sample.time + one.moved).as_nanos(), sample.sequence);
                    }
                }
                None => {}
            }
            if waiting.bytes > self.limit
                && let Some(lane) = lanes.iter_mut().max_by_key(|lane| lane.bytes())
            {
                relieve(lane, &mut waiting);
            }
            if turn >= TURN_BYTES {
                turn = 0;
                lanes.iter_mut().for_each(|lane| lane.settle(&self.comparing));
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
