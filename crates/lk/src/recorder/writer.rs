//! The thread that writes.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use bytes::Bytes;

use super::queue::{Entry, Item};
use super::stats::Counts;
use super::target::{self, Target};
use super::{Shared, Stamp};
use crate::clock::Clock;
use crate::codec::Plan;
use crate::dataset::{Channel, ChannelId, CreateOptions, Dataset, Encoding, Facts, Role, Sample};
use crate::error::{Error, Result};
use crate::schema::Schema;
use crate::time::Time;

/// How long it sleeps when nothing waits, at first and at most. It looks for
/// itself, since waking it would cost those who offer.
const NAPS: (Duration, Duration) = (Duration::from_micros(200), Duration::from_millis(5));

/// Messages after which it looks whether something is asked of it, so that a
/// queue that never runs empty keeps nobody waiting.
const ROUND: usize = 1024;

pub(super) struct Writer {
    shared: Arc<Shared>,
    dataset: Dataset,
    /// For further files.
    files: Option<(PathBuf, CreateOptions)>,
    part: u64,
    keys: Vec<Option<KeyState>>,
    clock: Clock,
    last_flush: Time,
    since_flush: u64,
    /// Of the open file.
    bytes: u64,
    began: Option<Time>,
    /// In ring mode: what comes up to this time is written.
    through: Option<Time>,
    /// The key of the message that it is at.
    in_hand: Option<u32>,
}

struct KeyState {
    plan: Plan,
    name: String,
    role: Role,
    metadata: BTreeMap<String, String>,
    counts: Arc<Counts>,
    /// In the open file.
    channel: Option<ChannelId>,
    sequence: u32,
    ring: VecDeque<Item>,
    first: Option<Time>,
    last: Option<Time>,
    seen: u64,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, target: Target) -> Result<Writer> {
        let (dataset, files) = match target {
            Target::Dataset(dataset) => (dataset, None),
            Target::Files { path, options } => {
                let config = &shared.config;
                // Told now, not in hours, when what comes then would be lost.
                let next = target::part_path(&path, 1);
                if config.splits() && !options.overwrite && next.exists() {
                    return Err(Error::FileExists { path: next.display().to_string() });
                }
                (target::create(&path, &options, 0)?, Some((path, options)))
            }
        };
        let clock = Clock::wall();
        let last_flush = clock.now();
        Ok(Writer {
            shared,
            dataset,
            files,
            part: 0,
            keys: Vec::new(),
            clock,
            last_flush,
            since_flush: 0,
            bytes: 0,
            began: None,
            through: None,
            in_hand: None,
        })
    }

    /// Writes until it is told to end. After a failure it goes on taking, and
    /// counts what it takes as dropped, so that nobody waits for it.
    pub(super) fn run(&mut self) -> Result<Option<Dataset>> {
        let mut failed = None;
        let mut nap = NAPS.0;
        let whole = loop {
            let (mut worked, mut freed) = (false, 0);
            for _ in 0..ROUND {
                let Some(entry) = self.shared.queue.pop(&mut freed) else { break };
                worked = true;
                match entry {
                    Entry::Item(item) if failed.is_some() => {
                        self.shared.queue.count_dropped(item.key);
                    }
                    Entry::Item(item) => {
                        self.in_hand = Some(item.key);
                        let taken = self.take(item);
                        self.in_hand = None;
                        if let Err(error) = taken {
                            failed = Some(self.fail(error));
                        }
                    }
                    mark => {
                        self.shared.queue.pass(mark);
                        break;
                    }
                }
            }
            self.shared.queue.free(&mut freed);
            if failed.is_none()
                && let Err(error) = self.serve()
            {
                failed = Some(self.fail(error));
            }
            let (close, flush) = {
                let control = self.shared.queue.control();
                (control.close, control.flush_due())
            };
            if let (Some(_), Some(number)) = (&failed, flush) {
                self.shared.queue.flushed(number);
            }
            match (worked, close) {
                (true, _) => nap = NAPS.0,
                (false, Some(whole)) => break whole,
                (false, None) => {
                    std::thread::park_timeout(nap);
                    nap = (nap * 2).min(NAPS.1);
                }
            }
        };
        let ended = match failed {
            Some(error) => Err(error),
            None => self.finish(whole).map_err(|error| self.fail(error)),
        };
        self.shared.queue.end();
        ended?;
        let dataset = std::mem::replace(&mut self.dataset, Dataset::memory());
        Ok(self.files.is_none().then_some(dataset))
    }

    fn fail(&mut self, error: Error) -> Error {
        self.shared.fail(&error);
        self.drop_rings();
        self.shared.check().err().unwrap_or(error)
    }

    /// After a failure nothing that is kept is written any more.
    fn drop_rings(&mut self) {
        for state in self.keys.iter_mut().flatten() {
            state.counts.dropped.fetch_add(state.ring.len() as u64, Relaxed);
            state.ring.clear();
        }
    }

    /// What was asked for beside writing.
    fn serve(&mut self) -> Result<()> {
        let (triggers, flush) = {
            let mut control = self.shared.queue.control();
            (std::mem::take(&mut control.triggers), control.flush_due())
        };
        for until in triggers {
            let written = self.write_rings()?;
            self.shared.queue.count_triggered(written);
            self.through = Some(self.through.map_or(until, |through| through.max(until)));
        }
        let config = &self.shared.config;
        let overdue = config.auto_flush
            && self.since_flush > 0
            && (self.since_flush >= config.flush_every_n
                || self.clock.now() - self.last_flush >= config.flush_every);
        if flush.is_some() || overdue {
            self.dataset.flush()?;
            self.since_flush = 0;
            self.last_flush = self.clock.now();
        }
        if let Some(number) = flush {
            self.shared.queue.flushed(number);
        }
        Ok(())
    }

    fn take(&mut self, item: Item) -> Result<()> {
        let place = item.key as usize;
        if self.keys.len() <= place {
            self.keys.resize_with(place + 1, || None);
        }
        if self.keys[place].is_none() {
            self.keys[place] = Some(self.new_key(&item).inspect_err(|_| {
                self.shared.queue.count_dropped(item.key);
            })?);
        }
        let state = self.keys[place].as_mut().expect("it was made above");
        state.first.get_or_insert(item.stamp.time);
        state.last = Some(item.stamp.time);
        state.seen += 1;
        let config = &self.shared.config;
        let passes =
            !config.use_ring_buffer || self.through.is_some_and(|until| item.stamp.time <= until);
        if passes {
            return self.write(item);
        }
        if state.ring.len() >= config.ring_buffer_size {
            state.ring.pop_front();
            state.counts.dropped.fetch_add(1, Relaxed);
        }
        state.ring.push_back(item);
        Ok(())
    }

    fn new_key(&self, item: &Item) -> Result<KeyState> {
        let schema: Schema = item.message.schema()?;
        let entry = self.shared.queue.entry(item.key).expect("keys are added before they are used");
        Ok(KeyState {
            plan: Plan::new(&schema),
            name: entry.name,
            role: entry.role,
            metadata: entry.metadata,
            counts: entry.counts,
            channel: None,
            sequence: 0,
            ring: VecDeque::new(),
            first: None,
            last: None,
            seen: 0,
        })
    }

    fn write(&mut self, item: Item) -> Result<()> {
        let key = item.key;
        if let Err(error) = self.store(item) {
            self.shared.queue.count_dropped(key);
            return Err(error);
        }
        self.since_flush += 1;
        let config = &self.shared.config;
        if config.auto_flush && self.since_flush >= config.flush_every_n {
            self.dataset.flush()?;
            self.since_flush = 0;
            self.last_flush = self.clock.now();
        }
        Ok(())
    }

    /// Encodes a message and gives it to the dataset.
    fn store(&mut self, item: Item) -> Result<()> {
        if self.splits_before(item.stamp.time) {
            self.next_file()?;
        }
        let state = self.keys[item.key as usize].as_mut().expect("it was made with the first");
        let wanted = state.plan.schema().fingerprint();
        let payload = match item.message.encoded() {
            Some(encoded) if encoded.schema.fingerprint() == wanted => encoded.payload.clone(),
            _ => {
                let mut payload = Vec::new();
                item.message.encode(&state.plan, &mut payload)?;
                Bytes::from(payload)
            }
        };
        let channel = match state.channel {
            Some(channel) => channel,
            None => {
                let schema = state.plan.schema().clone();
                let (key, role) = (state.name.clone(), state.role);
                let encoding = Encoding::Cdr(schema);
                let metadata = state.metadata.clone();
                let channel = Channel { key, encoding, role, metadata };
                let channel = self.dataset.add_channel(channel)?;
                state.channel = Some(channel);
                channel
            }
        };
        let Stamp { time, publish_time, sequence } = item.stamp;
        let sequence = sequence.unwrap_or(state.sequence);
        state.sequence = sequence.wrapping_add(1);
        state.counts.set_bytes(payload.len());
        self.bytes += payload.len() as u64;
        self.began.get_or_insert(time);
        let publish_time = publish_time.unwrap_or(time);
        let sample = Sample { time, publish_time, sequence, payload };
        self.dataset.write_sample(channel, sample)?;
        state.counts.written.0.fetch_add(1, Relaxed);
        Ok(())
    }

    /// Returns how many messages they held.
    fn write_rings(&mut self) -> Result<u64> {
        let rings = self.keys.iter_mut().flatten();
        let mut kept: Vec<Item> = rings.flat_map(|state| state.ring.drain(..)).collect();
        // As they came: by time, and by key within one.
        kept.sort_by_key(|item| (item.stamp.time, item.key));
        let count = kept.len() as u64;
        let mut kept = kept.into_iter();
        while let Some(item) = kept.next() {
            if let Err(error) = self.write(item) {
                for item in kept {
                    self.shared.queue.count_dropped(item.key);
                }
                return Err(error);
            }
        }
        Ok(count)
    }

    fn splits_before(&self, time: Time) -> bool {
        let config = &self.shared.config;
        let Some(began) = self.began else { return false };
        config.split_bytes.is_some_and(|bytes| self.bytes >= bytes)
            || config.split_after.is_some_and(|span| time - began >= span)
    }

    fn next_file(&mut self) -> Result<()> {
        let Some((path, options)) = &self.files else { return Ok(()) };
        let next = target::create(path, options, self.part + 1)?;
        self.end_file()?;
        self.dataset = next;
        self.part += 1;
        (self.bytes, self.began) = (0, None);
        for state in self.keys.iter_mut().flatten() {
            state.channel = None;
        }
        Ok(())
    }

    fn finish(&mut self, whole: bool) -> Result<()> {
        if self.shared.config.use_ring_buffer {
            self.write_rings()?;
        }
        for (key, state) in (0..).zip(&self.keys) {
            let Some(state) = state else { continue };
            let span = state.last.zip(state.first).map(|(last, first)| (last - first).as_nanos());
            let rate = span.filter(|span| *span > 0 && state.seen > 1);
            let rate = rate.map(|span| (state.seen - 1) as f64 * 1e9 / span as f64);
            self.shared.queue.set_rate(key, rate);
        }
        match whole {
            true => self.end_file(),
            false => self.dataset.flush(),
        }
    }

    /// The counts so far, and the end.
    fn end_file(&mut self) -> Result<()> {
        let given = self.shared.facts().clone();
        let mut facts = given.unwrap_or_else(|| self.dataset.facts().clone());
        let stats = serde_json::to_string(&self.shared.queue.stats());
        facts.entries.insert(Facts::RECORDER.to_owned(), stats.expect("counts are plain numbers"));
        if self.part > 0 {
            facts.entries.insert("part".to_owned(), self.part.to_string());
        }
        self.dataset.set_facts(facts)?;
        match self.files.is_some() || self.dataset.location() != "memory" {
            true => self.dataset.close(),
            false => Ok(()),
        }
    }
}

/// Where a message or the dataset panics, nobody may wait for ever.
impl Drop for Writer {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        if let Some(key) = self.in_hand.take() {
            self.shared.queue.count_dropped(key);
        }
        self.drop_rings();
        self.shared.fail_for("the thread that writes panicked".to_owned());
        self.shared.queue.end();
    }
}
