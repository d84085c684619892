//! Reading both datasets at once, so that each pair of messages meets while
//! memory holds little more than what has no partner yet.

use std::collections::VecDeque;

use super::align::{Column, Lookup, Pairing};
use super::compare::{self, Message};
use super::plan::PairPlan;
use super::policy::Policy;
use super::stats::Partial;
use crate::dataset::{ChannelId, Dataset, Query, Sample, Samples, SequenceMeaning};
use crate::error::Error;

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

impl KeyJob {
    fn reset(&mut self) {
        self.partial = Partial::new(self.plan.leaves.len());
        self.duplicated = 0;
    }
}

/// Why a side could not be read to its end.
#[derive(Debug)]
pub(super) struct Unreadable {
    /// 0 is the reference, 1 the candidate.
    pub(super) side: usize,
    pub(super) error: Option<Error>,
}

/// Times and sequence numbers of these channels, in their order.
pub(super) fn columns(
    dataset: &Dataset,
    side: usize,
    channels: &[ChannelId],
) -> Result<Vec<Column>, Unreadable> {
    let unreadable = |error| Unreadable { side, error: Some(error) };
    let mut columns = vec![Column::default(); channels.len()];
    if channels.is_empty() {
        return Ok(columns);
    }
    let places = places(dataset, channels);
    for sample in dataset.samples(&query(channels)).map_err(unreadable)? {
        let (id, sample) = sample.map_err(unreadable)?;
        if let Some(column) = place(&places, id).and_then(|i| columns.get_mut(i)) {
            column.push(sample.time.as_nanos(), sample.sequence);
        }
    }
    Ok(columns)
}

/// Compares all pairs of all jobs.
pub(super) fn compare(
    sides: [&Dataset; 2],
    policy: &Policy,
    jobs: &mut [&mut KeyJob],
) -> Result<(), Unreadable> {
    compare_within(sides, policy, jobs, WAITING_LIMIT)
}

fn compare_within(
    sides: [&Dataset; 2],
    policy: &Policy,
    jobs: &mut [&mut KeyJob],
    limit: usize,
) -> Result<(), Unreadable> {
    for alone in pass(sides, policy, jobs, limit)? {
        // It lags behind itself on the two sides; alone, nothing else waits.
        if let Some(job) = jobs.get_mut(alone) {
            job.reset();
            pass(sides, policy, std::slice::from_mut(job), usize::MAX)?;
        }
    }
    Ok(())
}

/// One reading of both sides. Returns the jobs that are to be read alone.
fn pass(
    sides: [&Dataset; 2],
    policy: &Policy,
    jobs: &mut [&mut KeyJob],
    limit: usize,
) -> Result<Vec<usize>, Unreadable> {
    let mut lanes_of = [Vec::new(), Vec::new()];
    let mut readers: [Option<Samples<'_>>; 2] = [None, None];
    for (side, dataset) in sides.into_iter().enumerate() {
        let channels: Vec<ChannelId> = jobs.iter().map(|job| job.ids[side]).collect();
        lanes_of[side] = places(dataset, &channels);
        if !channels.is_empty() {
            let samples = dataset.samples(&query(&channels));
            readers[side] = Some(samples.map_err(|e| Unreadable { side, error: Some(e) })?);
        }
    }
    let ticks = sides.map(|side| side.facts().sequence == SequenceMeaning::Tick);
    let mut lanes: Vec<Lane<'_>> = jobs.iter_mut().map(|job| Lane::new(job)).collect();
    let mut waiting = Waiting::default();
    let mut alone = Vec::new();
    loop {
        // From the side with fewer messages that wait: what they wait for is
        // on the other one.
        let first = usize::from(waiting.messages[0] > waiting.messages[1]);
        let Some(side) = [first, 1 - first].into_iter().find(|side| readers[*side].is_some())
        else {
            break;
        };
        let Some(sample) = readers[side].as_mut().and_then(Iterator::next) else {
            readers[side] = None;
            continue;
        };
        let (id, sample) = sample.map_err(|e| Unreadable { side, error: Some(e) })?;
        if let Some(lane) = place(&lanes_of[side], id).and_then(|lane| lanes.get_mut(lane)) {
            lane.take(side, sample, &mut waiting);
            lane.compare(policy, ticks, &mut waiting);
        }
        if waiting.bytes > limit
            && let Some((i, lane)) = lanes.iter_mut().enumerate().max_by_key(|(_, l)| l.bytes)
        {
            lane.give_up(&mut waiting);
            alone.push(i);
        }
    }
    for lane in lanes.iter().filter(|lane| !lane.given_up) {
        if let Some(side) = (0..2).find(|side| lane.read[*side] != lane.expected[*side]) {
            return Err(Unreadable { side, error: None });
        }
    }
    Ok(alone)
}

/// What has been read and has no partner yet.
#[derive(Default)]
struct Waiting {
    messages: [usize; 2],
    bytes: usize,
}

/// A job while both sides are read.
struct Lane<'j> {
    plan: &'j PairPlan,
    partial: &'j mut Partial,
    duplicated: &'j mut u64,
    /// From a message's position to its pair, by side.
    lookups: [Lookup<'j>; 2],
    expected: [usize; 2],
    read: [usize; 2],
    /// Pairs from the next one on, as far as messages of them have come, with
    /// their positions.
    pairs: VecDeque<[Option<(usize, Sample)>; 2]>,
    /// Ordinal of the first of them.
    next: usize,
    /// Bytes of payloads in them.
    bytes: usize,
    /// The candidate message before the one that comes next.
    before: Option<Sample>,
    given_up: bool,
}

impl<'j> Lane<'j> {
    fn new(job: &'j mut KeyJob) -> Lane<'j> {
        Lane {
            plan: &job.plan,
            partial: &mut job.partial,
            duplicated: &mut job.duplicated,
            lookups: [job.pairing.of_a(), job.pairing.of_b()],
            expected: [job.columns[0].len(), job.columns[1].len()],
            read: [0; 2],
            pairs: VecDeque::new(),
            next: 0,
            bytes: 0,
            before: None,
            given_up: false,
        }
    }

    /// Puts a message where its partner will find it.
    fn take(&mut self, side: usize, sample: Sample, waiting: &mut Waiting) {
        if self.given_up {
            return;
        }
        let position = self.read[side];
        self.read[side] += 1;
        if side == 1 {
            let repeats = self.before.as_ref().is_some_and(|before| {
                before.time == sample.time && before.payload == sample.payload
            });
            *self.duplicated += u64::from(repeats);
            self.before = Some(sample.clone());
        }
        // Pairs before the next one are done; a message of such a pair can
        // only come from a dataset that changed under way, and is not counted
        // as waiting.
        let ordinal = self.lookups[side].ordinal(position);
        let Some(slot) = ordinal.and_then(|ordinal| ordinal.checked_sub(self.next)) else { return };
        if self.pairs.len() <= slot {
            self.pairs.resize_with(slot + 1, Default::default);
        }
        self.bytes += sample.payload.len();
        waiting.bytes += sample.payload.len();
        waiting.messages[side] += 1;
        self.pairs[slot][side] = Some((position, sample));
    }

    /// Compares the pairs that are complete, in their order.
    fn compare(&mut self, policy: &Policy, ticks: [bool; 2], waiting: &mut Waiting) {
        while let Some([Some(_), Some(_)]) = self.pairs.front()
            && let Some([Some((i, a)), Some((j, b))]) = self.pairs.pop_front()
        {
            self.next += 1;
            let bytes = a.payload.len() + b.payload.len();
            self.bytes -= bytes;
            waiting.bytes -= bytes;
            waiting.messages.iter_mut().for_each(|n| *n -= 1);
            let message = |index: usize, tick: bool, sample: &'_ Sample| {
                (index as u64, tick.then_some(u64::from(sample.sequence)))
            };
            let (index, tick) = message(i, ticks[0], &a);
            let reference = Message { index, time: a.time, tick, payload: &a.payload };
            let (index, tick) = message(j, ticks[1], &b);
            let candidate = Message { index, time: b.time, tick, payload: &b.payload };
            compare::pair(self.plan, policy, self.partial, reference, candidate);
        }
    }

    fn give_up(&mut self, waiting: &mut Waiting) {
        for (side, n) in waiting.messages.iter_mut().enumerate() {
            *n -= self.pairs.iter().filter(|pair| pair[side].is_some()).count();
        }
        waiting.bytes -= self.bytes;
        self.bytes = 0;
        self.pairs = VecDeque::new();
        self.before = None;
        self.given_up = true;
    }
}

fn query(channels: &[ChannelId]) -> Query {
    Query { channels: Some(channels.to_vec()), ..Query::default() }
}

/// Where each channel of the dataset is in `channels`.
fn places(dataset: &Dataset, channels: &[ChannelId]) -> Vec<Option<usize>> {
    let mut places = vec![None; dataset.channels().len()];
    for (i, id) in channels.iter().enumerate() {
        if let Some(place) = places.get_mut(id.0 as usize) {
            *place = Some(i);
        }
    }
    places
}

fn place(places: &[Option<usize>], id: ChannelId) -> Option<usize> {
    places.get(id.0 as usize).copied().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Schema;
    use crate::Time;
    use crate::dataset::{Channel, Encoding, Role};
    use crate::diff::policy::Resolver;

    const KEYS: [&str; 3] = ["a", "b", "c"];
    const MESSAGES: usize = 40;

    /// Every key's messages after those of the key before, in this order.
    fn dataset(order: [usize; 3]) -> Dataset {
        let mut dataset = Dataset::memory();
        let schema = Schema::parse("test/msg/T", "uint8[] x").unwrap();
        for key in KEYS {
            let encoding = Encoding::Cdr(schema.clone());
            let channel =
                Channel { key: key.into(), encoding, role: Role::None, metadata: [].into() };
            dataset.add_channel(channel).unwrap();
        }
        for (turn, key) in order.into_iter().enumerate() {
            for n in 0..MESSAGES {
                let payload = [&[0, 1, 0, 0, 92, 0, 0, 0][..], &[n as u8; 92]].concat();
                let time = Time::from_nanos((turn * 1_000 + n / 2) as i64);
                dataset.write_payload(ChannelId(key as u32), payload, time).unwrap();
            }
        }
        dataset
    }

    fn jobs(sides: [&Dataset; 2]) -> Vec<KeyJob> {
        let policy = Policy::default();
        let mut resolver = Resolver::new(&policy);
        let ids = [ChannelId(0), ChannelId(1), ChannelId(2)];
        let columns = [0, 1].map(|side| columns(sides[side], side, &ids).unwrap());
        let job = |key: usize| {
            let encoding = &sides[0].channels()[key].encoding;
            let plan = PairPlan::new(KEYS[key], encoding, encoding, &mut resolver);
            let columns = [columns[0][key].clone(), columns[1][key].clone()];
            KeyJob {
                key: KEYS[key].to_owned(),
                ids: [ids[key]; 2],
                partial: Partial::new(plan.leaves.len()),
                plan,
                pairing: Pairing::auto(&columns[0], &columns[1], false),
                columns,
                duplicated: 0,
            }
        };
        (0..3).map(job).collect()
    }

    #[test]
    fn memory_is_bounded_whatever_the_order_and_the_outcome_is_the_same() {
        let (a, b) = (dataset([0, 1, 2]), dataset([2, 1, 0]));
        let mut partials = Vec::new();
        // With a limit of three messages, keys are given up and read alone.
        for limit in [usize::MAX, 3 * 100] {
            let mut jobs = jobs([&a, &b]);
            let mut borrowed: Vec<&mut KeyJob> = jobs.iter_mut().collect();
            let policy = Policy { check_timestamps: false, ..Policy::default() };
            let alone = pass([&a, &b], &policy, &mut borrowed, limit).unwrap();
            assert_eq!(alone.is_empty(), limit == usize::MAX);
            borrowed.iter_mut().for_each(|job| job.reset());
            compare_within([&a, &b], &policy, &mut borrowed, limit).unwrap();
            assert!(jobs.iter().all(|job| job.partial.n_matching == MESSAGES as u64));
            partials.push(jobs.into_iter().map(|job| job.partial).collect::<Vec<_>>());
        }
        assert_eq!(partials[0], partials[1]);
    }
}
