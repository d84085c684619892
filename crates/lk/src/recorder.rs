//! Recording: messages offered by running components, written behind a queue.
//!
//! A [`Recorder`] takes messages from any number of threads and writes them on
//! one of its own, so that who offers them never waits for a disk unless asked
//! to. Every message that is offered is written, skipped or dropped, and
//! counted as that, per key; the counts go into the file.
//!
//! ```
//! use std::sync::Arc;
//! use lk::recorder::{Recorder, RecorderConfig, Target};
//! use lk::{Dataset, Time};
//!
//! let target = Target::Dataset(Dataset::memory());
//! let mut recorder = Recorder::new(target, RecorderConfig::default())?;
//! let wheel = recorder.key("wheel");
//! for n in 0..10_i64 {
//!     recorder.record(&wheel, Arc::new(n), Time::from_nanos(n))?;
//! }
//! let (dataset, stats) = recorder.close()?;
//! assert_eq!(stats.keys["wheel"].written, 10);
//! assert_eq!(dataset.expect("one was given").len()?, 10);
//! # Ok::<(), lk::Error>(())
//! ```

mod component;
mod offer;
mod queue;
mod stats;
mod target;
mod writer;

#[cfg(test)]
mod tests;

pub use component::DataRecorder;
pub use offer::Offer;
pub use stats::{KeyStats, RecorderStats};
pub use target::Target;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;

use serde::{Deserialize, Serialize};

use crate::clock::Clock;
use crate::component::AnyMsg;
use crate::dataset::{Dataset, Facts, Role};
use crate::error::{Error, Result};
use crate::time::{Span, Time};
use queue::{Entry, Queue};
use stats::Counts;
use writer::Writer;

/// How messages are recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RecorderConfig {
    /// Of each key, one in so many is recorded, the first among them.
    pub sample_every_n: u64,
    /// Of each key, so many are recorded and those after them skipped.
    pub max_samples: Option<u64>,
    /// Whether a message that comes without a time gets that of the clock.
    pub auto_timestamp: bool,
    /// Whether just the last of each key are kept, in memory, until
    /// [`Recorder::trigger`] or the end writes them.
    pub use_ring_buffer: bool,
    /// How many of each key are kept so.
    pub ring_buffer_size: usize,
    /// Whether what was written is flushed now and then: by number or by time,
    /// whichever comes first.
    pub auto_flush: bool,
    /// Messages, of all keys together, after which it is.
    pub flush_every_n: u64,
    /// Time on the wall's clock after which it is; in configs in nanoseconds.
    pub flush_every: Span,
    /// What becomes of a message that finds the queue full.
    pub overflow: Overflow,
    /// How much may wait in the queue, in bytes as they will be written.
    pub queue_bytes: usize,
    /// Goes on in a new file after so many bytes of messages.
    pub split_bytes: Option<u64>,
    /// Goes on in a new file after so much recorded time; in configs in
    /// nanoseconds.
    pub split_after: Option<Span>,
}

/// What becomes of a message that finds the queue full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overflow {
    /// Who offers it waits: nothing is lost, and a slow disk slows the system.
    #[default]
    Block,
    /// It is dropped.
    DropNewest,
    /// The one that waits longest is dropped for it.
    DropOldest,
}

impl Default for RecorderConfig {
    fn default() -> RecorderConfig {
        RecorderConfig {
            sample_every_n: 1,
            max_samples: None,
            auto_timestamp: true,
            use_ring_buffer: false,
            ring_buffer_size: 1000,
            auto_flush: false,
            flush_every_n: 100,
            flush_every: Span::from_nanos(1_000_000_000),
            overflow: Overflow::Block,
            queue_bytes: 64 << 20,
            split_bytes: None,
            split_after: None,
        }
    }
}

impl RecorderConfig {
    fn splits(&self) -> bool {
        self.split_bytes.is_some() || self.split_after.is_some()
    }

    fn check(&self, target: &Target) -> Result<()> {
        let wrong = [
            (self.sample_every_n == 0, "sample_every_n must be at least 1"),
            (
                self.use_ring_buffer && self.ring_buffer_size == 0,
                "ring_buffer_size must be at least 1",
            ),
            (self.auto_flush && self.flush_every_n == 0, "flush_every_n must be at least 1"),
            (self.flush_every <= Span::ZERO, "flush_every must be above 0"),
            (self.queue_bytes == 0, "queue_bytes must be at least 1"),
            (self.split_bytes == Some(0), "split_bytes must be at least 1"),
            (
                self.split_after.is_some_and(|span| span <= Span::ZERO),
                "split_after must be above 0",
            ),
            (
                self.splits() && !matches!(target, Target::Files { .. }),
                "only a recording to files can be split: say Target::Files",
            ),
        ];
        match wrong.into_iter().find(|(wrong, _)| *wrong) {
            None => Ok(()),
            Some((_, reason)) => {
                Err(Error::Config { component: "recorder".to_owned(), reason: reason.to_owned() })
            }
        }
    }
}

/// When a message is recorded, and what its producer says of it. A [`Time`]
/// alone is one, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// When it is recorded.
    pub time: Time,
    /// When it was published; as `time` where `None`.
    pub publish_time: Option<Time>,
    /// Its number; where `None` the one after the number before of its key.
    pub sequence: Option<u32>,
}

impl From<Time> for Stamp {
    fn from(time: Time) -> Stamp {
        Stamp { time, publish_time: None, sequence: None }
    }
}

/// A key of a recorder.
#[derive(Clone, Debug)]
pub struct Key {
    place: u32,
    counts: Arc<Counts>,
    recorder: Weak<Shared>,
}

/// Takes messages, and writes them on a thread of its own.
///
/// Dropped without [`Recorder::close`], it writes what it has taken and ends
/// nothing: the file reads as one that was cut off.
pub struct Recorder {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<Result<Option<Dataset>>>>,
    clock: Clock,
}

/// What threads that offer messages hold of a recorder.
#[derive(Clone)]
pub struct Feeder(Arc<Shared>);

pub(crate) struct Shared {
    config: RecorderConfig,
    queue: Queue,
    /// The writer's, once it has failed.
    failure: Mutex<Option<String>>,
    location: String,
    /// What the files say of themselves, beside the counts.
    facts: Mutex<Option<Facts>>,
}

impl Recorder {
    /// Starts to record.
    ///
    /// # Errors
    /// [`Error::Config`] for a config that makes no sense; what creating the
    /// first file brings, also where the second one is there already.
    pub fn new(target: Target, config: RecorderConfig) -> Result<Recorder> {
        config.check(&target)?;
        let location = target.location();
        let queue = Queue::new(config.queue_bytes);
        let failure = Mutex::new(None);
        let facts = Mutex::new(None);
        let shared = Arc::new(Shared { config, queue, failure, location, facts });
        let mut writer = Writer::new(Arc::clone(&shared), target)?;
        let thread = std::thread::Builder::new()
            .name("lk-recorder".to_owned())
            .spawn(move || writer.run())
            .map_err(|source| Error::Io {
                action: "start a thread to write",
                path: shared.location.clone(),
                source,
            })?;
        Ok(Recorder { shared, thread: Some(thread), clock: Clock::wall() })
    }

    /// Adds a key, or finds the one that is there. Its type is that of its
    /// first message.
    pub fn key(&mut self, name: &str) -> Key {
        self.key_as(name, Role::None)
    }

    /// As [`Recorder::key`], with what it is to the component that is
    /// recorded; one that is there keeps its role.
    pub fn key_as(&mut self, name: &str, role: Role) -> Key {
        self.key_with(name, role, BTreeMap::new())
    }

    /// As [`Recorder::key_as`], with further facts about it, as a
    /// [`Channel`](crate::dataset::Channel) has them; one that is there keeps
    /// those that it has.
    pub fn key_with(&mut self, name: &str, role: Role, metadata: BTreeMap<String, String>) -> Key {
        self.shared.key_with(name, role, metadata)
    }

    /// Facts that go into each file beside the counts, from the one on that is
    /// open; instead of those that a given dataset has.
    pub fn set_facts(&self, facts: Facts) {
        *self.shared.facts() = Some(facts);
    }

    /// For threads that offer messages beside this one.
    pub fn feeder(&self) -> Feeder {
        Feeder(Arc::clone(&self.shared))
    }

    /// As [`Feeder::record`].
    ///
    /// # Errors
    /// As [`Feeder::record`].
    pub fn record(
        &self,
        key: &Key,
        message: Arc<dyn AnyMsg>,
        stamp: impl Into<Stamp>,
    ) -> Result<bool> {
        self.shared.record(key, message, stamp.into())
    }

    /// Offers a message that comes without a time: it gets that of the wall's
    /// clock.
    ///
    /// # Errors
    /// [`Error::Config`] where `auto_timestamp` is off; as [`Feeder::record`].
    pub fn record_now(&self, key: &Key, message: Arc<dyn AnyMsg>) -> Result<bool> {
        if !self.shared.config.auto_timestamp {
            return Err(Error::Config {
                component: "recorder".to_owned(),
                reason: "a message came without a time, and auto_timestamp is off".to_owned(),
            });
        }
        self.record(key, message, self.clock.now())
    }

    /// Waits until all that was offered so far is written and flushed.
    ///
    /// # Errors
    /// [`Error::Recording`] where writing failed, now or before.
    pub fn flush(&self) -> Result<()> {
        let number = self.shared.queue.ask_flush();
        self.wake();
        self.shared.queue.wait_flushed(number);
        self.shared.check()
    }

    /// In ring mode: writes what is kept, and what comes until so much after
    /// `at`; then keeps again.
    ///
    /// # Errors
    /// [`Error::Config`] without a ring; [`Error::Recording`].
    pub fn trigger(&self, at: Time, after: Span) -> Result<()> {
        if !self.shared.config.use_ring_buffer {
            return Err(Error::Config {
                component: "recorder".to_owned(),
                reason: "there is no ring to write: set use_ring_buffer".to_owned(),
            });
        }
        self.shared.check()?;
        self.shared.queue.mark(Entry::Trigger(at + after));
        Ok(())
    }

    /// How many messages triggers have written so far: those that rings held,
    /// not those that came after.
    pub fn triggered(&self) -> u64 {
        self.shared.queue.triggered()
    }

    /// What became of all messages so far. Those that wait are counted as
    /// offered only.
    pub fn stats(&self) -> RecorderStats {
        self.shared.queue.stats()
    }

    /// Writes what waits, the counts, and the end. Gives the dataset back that
    /// it was given.
    ///
    /// # Errors
    /// [`Error::Recording`] where writing failed, now or before; what was
    /// flushed before is in the file.
    ///
    /// # Panics
    /// Where a message or the dataset did on the thread that writes.
    pub fn close(mut self) -> Result<(Option<Dataset>, RecorderStats)> {
        self.shared.queue.close(true);
        self.wake();
        let dataset = self.join()?;
        Ok((dataset, self.shared.queue.stats()))
    }

    /// The writer looks by itself now and then; this is for who waits for it.
    fn wake(&self) {
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }

    fn join(&mut self) -> Result<Option<Dataset>> {
        match self.thread.take().map(JoinHandle::join) {
            None => Ok(None),
            Some(Ok(done)) => done,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            self.shared.queue.close(false);
            thread.thread().unpark();
            // Nobody is left to tell; whoever wants to know closes it.
            let _ = thread.join();
        }
    }
}

impl Feeder {
    /// Offers a message, to be recorded at its time. Returns whether it was
    /// taken: not where it was skipped or dropped.
    ///
    /// What it costs here is counting and a place in the queue; the message is
    /// shared, and encoded and written elsewhere.
    ///
    /// # Errors
    /// [`Error::Recording`] where writing has failed before, or it is closed:
    /// nothing more is taken. [`Error::Config`] for a key of another recorder.
    pub fn record(
        &self,
        key: &Key,
        message: Arc<dyn AnyMsg>,
        stamp: impl Into<Stamp>,
    ) -> Result<bool> {
        self.0.record(key, message, stamp.into())
    }

    /// Counts a message as offered before it is made; `None` where sampling
    /// leaves it out, so that it need not be.
    ///
    /// # Errors
    /// As [`Feeder::record`].
    pub fn offer<'a>(&'a self, key: &'a Key) -> Result<Option<Offer<'a>>> {
        self.0.offer(key)
    }

    /// As [`Recorder::key_with`].
    pub fn key_with(&self, name: &str, role: Role, metadata: BTreeMap<String, String>) -> Key {
        self.0.key_with(name, role, metadata)
    }

    /// As [`Recorder::stats`], also after the end.
    pub fn stats(&self) -> RecorderStats {
        self.0.queue.stats()
    }
}

impl Shared {
    fn key_with(
        self: &Arc<Shared>,
        name: &str,
        role: Role,
        metadata: BTreeMap<String, String>,
    ) -> Key {
        let (place, counts) = self.queue.add_key(name, role, metadata);
        Key { place, counts, recorder: Arc::downgrade(self) }
    }

    fn record(&self, key: &Key, message: Arc<dyn AnyMsg>, stamp: Stamp) -> Result<bool> {
        Ok(self.offer(key)?.is_some_and(|offer| offer.put(message, stamp)))
    }

    fn offer<'a>(&'a self, key: &'a Key) -> Result<Option<Offer<'a>>> {
        if !std::ptr::eq(key.recorder.as_ptr(), self) {
            let reason = "the key is of another recorder".to_owned();
            return Err(Error::Config { component: "recorder".to_owned(), reason });
        }
        if self.queue.has_failed() || self.queue.is_closing() || self.queue.has_ended() {
            key.counts.offer_and_drop();
            return self.check().and(Err(Error::Recording {
                reason: "it is closed".to_owned(),
                location: self.location.clone(),
            }));
        }
        Ok(key.counts.takes(&self.config).then(|| Offer::new(self, key)))
    }

    /// The writer's failure, as often as it is asked for.
    fn check(&self) -> Result<()> {
        match &*self.lock_failure() {
            None => Ok(()),
            Some(reason) => {
                Err(Error::Recording { reason: reason.clone(), location: self.location.clone() })
            }
        }
    }

    fn fail(&self, error: &Error) {
        self.fail_for(error_text(error));
    }

    fn fail_for(&self, reason: String) {
        self.lock_failure().get_or_insert(reason);
        self.queue.fail();
    }

    fn facts(&self) -> MutexGuard<'_, Option<Facts>> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_failure(&self) -> MutexGuard<'_, Option<String>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An error with its causes.
fn error_text(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// As [`BTreeMap`], by name.
type Named<T> = BTreeMap<String, T>;
