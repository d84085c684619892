//! Recorded messages by key.
//!
//! A [`Dataset`] maps keys to channels of one type each, and holds their
//! encoded samples in time order. Where the bytes live is a [`Backend`]:
//! memory, an MCAP file, a pickle.
//!
//! ```
//! use lk::{Dataset, Schema, Time, Value};
//! use lk::dataset::Query;
//! # fn main() -> lk::Result<()> {
//! let schema = Schema::parse("demo/msg/Reading", "float64 celsius")?;
//! let mut dataset = Dataset::memory();
//! dataset.write_value("oven", &Value::default_of(&schema), Time::from_nanos(5))?;
//! let (id, sample) = dataset.samples(&Query::default())?.next().expect("one was written")?;
//! assert_eq!((id, sample.time), (dataset.channel("oven")?.id(), Time::from_nanos(5)));
//! # Ok(())
//! # }
//! ```

mod backend;
pub mod conformance;
pub mod csv;
pub mod definitions;
mod doctor;
mod extra;
mod folder;
pub mod foreign;
mod info;
mod loss;
pub mod mcap;
mod memory;
mod merge;
pub mod ndjson;
mod open;
mod packed;
pub mod pickle;
mod recover;
mod ring;
pub mod rosbag2;
mod shape;
#[cfg(feature = "sqlite")]
pub mod sqlite;
mod tee;
mod together;
mod value;
mod view;

use std::any::TypeId;
use std::collections::BTreeMap;

use bytes::Bytes;

pub use backend::{
    Backend, Channel, ChannelId, ChannelStats, Encoding, Facts, ForeignEncoding, Integrity, Query,
    Role, Sample, Samples, SequenceMeaning,
};
pub use doctor::{Diagnosis, Finding, Severity};
pub use extra::{Attachment, Extra, Extras, Metadata};
pub use info::{ChannelInfo, DatasetInfo};
pub use loss::LOST_SAMPLES;
pub use mcap::CreateOptions;
pub use memory::Memory;
pub use merge::{MergeOutcome, SameKey};
pub use open::{CopyOutcome, OpenOptions};
pub use ring::Ring;
pub use tee::Tee;
pub use together::Together;
pub use view::ChannelView;

use crate::codec::Plan;
use crate::error::{Error, Result};
use crate::time::Time;

/// Recorded messages by key, over a [`Backend`].
pub struct Dataset {
    backend: Box<dyn Backend>,
    ids: BTreeMap<String, ChannelId>,
    /// The next sequence number of each channel, for writing.
    sequences: Vec<u32>,
    /// By channel, made when first needed.
    plans: Vec<Option<Plan>>,
    /// By channel, the Rust type that is known to be of its schema.
    rust_types: Vec<Option<TypeId>>,
    /// The channels, where some that the backend can't decode were given
    /// types (`definitions`).
    defined: Option<Vec<Channel>>,
    /// Which were, and from where.
    notes: Vec<String>,
}

impl Dataset {
    /// An empty dataset in memory.
    pub fn memory() -> Dataset {
        Dataset::with_backend(Box::new(Memory::new()))
    }

    /// The dataset that `backend` holds.
    pub fn with_backend(backend: Box<dyn Backend>) -> Dataset {
        let ids = (0..).map(ChannelId);
        let ids = backend.channels().iter().map(|channel| channel.key.clone()).zip(ids).collect();
        let count = backend.channels().len();
        Dataset {
            ids,
            sequences: vec![0; count],
            plans: vec![None; count],
            rust_types: vec![None; count],
            defined: None,
            notes: Vec::new(),
            backend,
        }
    }

    /// Where the bytes are, for messages: a path, or `memory`.
    pub fn location(&self) -> String {
        self.backend.location()
    }

    /// Adds an empty channel.
    ///
    /// # Errors
    /// [`Error::DuplicateKey`] where the key exists; what the backend refuses.
    pub fn add_channel(&mut self, channel: Channel) -> Result<ChannelId> {
        let key = channel.key.clone();
        if self.ids.contains_key(&key) {
            return Err(Error::DuplicateKey { key, location: self.location() });
        }
        let id = self.backend.add_channel(channel)?;
        self.ids.insert(key, id);
        self.sequences.push(0);
        self.plans.push(None);
        self.rust_types.push(None);
        Ok(id)
    }

    /// All channels; a [`ChannelId`] is an index into them.
    pub fn channels(&self) -> &[Channel] {
        self.defined.as_deref().unwrap_or_else(|| self.backend.channels())
    }

    /// The channel of `key`.
    pub fn channel_id(&self, key: &str) -> Option<ChannelId> {
        self.ids.get(key).copied()
    }

    /// The channel of `key`, to read from.
    ///
    /// # Errors
    /// [`Error::UnknownKey`].
    pub fn channel(&self, key: &str) -> Result<ChannelView<'_>> {
        let id = self.require(key)?;
        Ok(ChannelView::new(self, id))
    }

    /// All keys, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.ids.keys().map(String::as_str)
    }

    /// Samples in all channels.
    ///
    /// # Errors
    /// Where a file has no usable index and reading it fails.
    pub fn len(&self) -> Result<u64> {
        Ok(self.stats()?.iter().map(|stats| stats.count).sum())
    }

    /// Whether there is no sample.
    ///
    /// # Errors
    /// As [`Dataset::len`].
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// The times of a key's samples, in order.
    ///
    /// # Errors
    /// [`Error::UnknownKey`], and whatever reading brings.
    pub fn timestamps(&self, key: &str) -> Result<Vec<Time>> {
        self.channel(key)?.timestamps()
    }

    /// Counts and extents, by channel.
    ///
    /// # Errors
    /// Where a file has no usable index and reading it fails.
    pub fn stats(&self) -> Result<Vec<ChannelStats>> {
        self.backend.stats()
    }

    /// A query for these keys, at all times.
    ///
    /// # Errors
    /// [`Error::UnknownKey`].
    pub fn select(&self, keys: &[&str]) -> Result<Query> {
        let channels = keys.iter().map(|key| self.require(key)).collect::<Result<_>>()?;
        Ok(Query { channels: Some(channels), ..Query::default() })
    }

    /// Merged samples in time order; ties as recorded.
    ///
    /// An error is one item of the iteration: where a piece of a file turns
    /// out to be damaged, what follows it can still be read. The payloads of a
    /// file are parts of unpacked chunks: to keep a few of many, copy them.
    ///
    /// # Errors
    /// [`Error::UnknownChannel`]; [`Error::State`] for a file that is being
    /// written: it is read by opening it anew.
    pub fn samples(&self, query: &Query) -> Result<Samples<'_>> {
        for &id in query.channels.iter().flatten() {
            self.check_id(id)?;
        }
        self.backend.samples(query)
    }

    /// As [`Dataset::samples`], where other datasets are read at the same time.
    ///
    /// # Errors
    /// As [`Dataset::samples`].
    pub fn samples_together<'a>(
        &'a self,
        query: &Query,
        together: &'a Together,
    ) -> Result<Samples<'a>> {
        for &id in query.channels.iter().flatten() {
            self.check_id(id)?;
        }
        self.backend.samples_together(query, together)
    }

    /// Appends an encoded message, published at the time when it is recorded.
    /// Returns its sequence number, which counts per key, modulo 2^32.
    ///
    /// The payload is not decoded: that it is of the channel's type is the
    /// caller's word.
    ///
    /// # Errors
    /// [`Error::UnknownChannel`]; [`Error::State`] after `close` or in a
    /// dataset that was opened to read; what the backend can't store.
    pub fn write_payload(
        &mut self,
        id: ChannelId,
        payload: impl Into<Bytes>,
        time: Time,
    ) -> Result<u32> {
        let sequence = self.next_sequence(id)?;
        let sample = Sample { time, publish_time: time, sequence, payload: payload.into() };
        self.write_sample(id, sample)?;
        Ok(sequence)
    }

    /// Appends a sample as it is.
    ///
    /// # Errors
    /// As [`Dataset::write_payload`].
    pub fn write_sample(&mut self, id: ChannelId, sample: Sample) -> Result<()> {
        self.check_id(id)?;
        let sequence = sample.sequence;
        self.backend.write(id, sample)?;
        self.sequences[id.0 as usize] = sequence.wrapping_add(1);
        Ok(())
    }

    /// lk's own facts about the dataset.
    pub fn facts(&self) -> &Facts {
        self.backend.facts()
    }

    /// Replaces the facts; in a file they are written at `close`.
    ///
    /// # Errors
    /// [`Error::State`] where the dataset can't be written.
    pub fn set_facts(&mut self, facts: Facts) -> Result<()> {
        self.backend.set_facts(facts)
    }

    /// What there is beside samples: attachments, metadata of others.
    pub fn extras(&self) -> Extras<'_> {
        self.backend.extras()
    }

    /// Adds something beside samples.
    ///
    /// # Errors
    /// [`Error::Unstorable`] where the storage has no place for it;
    /// [`Error::State`] where the dataset can't be written.
    pub fn add_extra(&mut self, extra: Extra) -> Result<()> {
        self.backend.add_extra(extra)
    }

    /// What could not be read or checked so far.
    pub fn integrity(&self) -> Integrity {
        self.with_notes(self.backend.integrity())
    }

    /// Reads and checks every sample once, so that what is damaged is known
    /// and left out before anything is read. Returns the integrity.
    ///
    /// # Errors
    /// What keeps the file from being read at all.
    pub fn check(&mut self) -> Result<Integrity> {
        let integrity = self.backend.check()?;
        Ok(self.with_notes(integrity))
    }

    /// Hands buffered bytes to the operating system: what was written so far
    /// survives the end of this process.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn flush(&mut self) -> Result<()> {
        self.backend.flush()
    }

    /// Flushes, and waits until the bytes are on the disk.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn sync(&mut self) -> Result<()> {
        self.backend.sync()
    }

    /// Ends a file that was being written. Dropping a dataset flushes what it
    /// can and ends nothing: such a file reads as one that was cut off.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::State`] where it is closed already.
    pub fn close(&mut self) -> Result<()> {
        self.backend.close()
    }

    fn require(&self, key: &str) -> Result<ChannelId> {
        self.channel_id(key).ok_or_else(|| Error::UnknownKey {
            key: key.to_owned(),
            location: self.location(),
            known: self.keys().map(str::to_owned).collect(),
        })
    }

    fn with_notes(&self, mut integrity: Integrity) -> Integrity {
        integrity.notes.extend(self.notes.iter().cloned());
        integrity
    }

    fn check_id(&self, id: ChannelId) -> Result<()> {
        let count = self.channels().len();
        if (id.0 as usize) < count {
            return Ok(());
        }
        Err(Error::UnknownChannel { channel: id.0, count, location: self.location() })
    }

    fn next_sequence(&self, id: ChannelId) -> Result<u32> {
        self.check_id(id)?;
        Ok(self.sequences[id.0 as usize])
    }
}

impl std::fmt::Debug for Dataset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dataset")
            .field("location", &self.location())
            .field("keys", &self.ids.keys())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
