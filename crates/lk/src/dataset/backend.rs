//! Where a dataset's bytes live: the small trait that every backend is.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{Extra, Extras, Together};
use crate::error::{Error, Result};
use crate::schema::Schema;
use crate::time::Time;

/// One recorded message, still encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When it was recorded (MCAP's log time); what orders a dataset.
    pub time: Time,
    /// When its producer says it was published.
    pub publish_time: Time,
    /// In recordings a count per key, so that a gap shows a loss; in datasets
    /// of lk's runner the number of the tick ([`Facts::sequence`] says which).
    pub sequence: u32,
    /// The bytes, in the channel's encoding.
    pub payload: Bytes,
}

/// A key of a dataset, and what is known of all its samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    /// The name, usually a component's port; unique in a dataset.
    pub key: String,
    /// How payloads are encoded, and of what type they are.
    pub encoding: Encoding,
    /// What the channel is to the component that was recorded.
    pub role: Role,
    /// Further facts, kept as the backend has them.
    pub metadata: BTreeMap<String, String>,
}

/// How the payloads of a channel are encoded.
#[derive(Clone, Debug, PartialEq)]
pub enum Encoding {
    /// CDR by a schema that lk understands: every field can be compared.
    Cdr(Schema),
    /// Anything else, passed through unchanged and compared as bytes.
    Foreign(ForeignEncoding),
}

/// The names that a file gives to an encoding which lk passes through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignEncoding {
    /// Of the message: `json`, `protobuf`, `cdr` with an unreadable schema.
    pub message_encoding: String,
    /// Name of the schema; empty where the channel has none.
    pub schema_name: String,
    /// Of the schema: `jsonschema`, `protobuf`, `ros2idl`; empty for none.
    pub schema_encoding: String,
    /// The schema itself.
    pub schema_data: Bytes,
    /// Why lk doesn't decode it, as a phrase for reports.
    pub reason: String,
}

impl ForeignEncoding {
    /// Payloads in `message_encoding` without a schema, passed through.
    pub fn untyped(message_encoding: impl Into<String>) -> ForeignEncoding {
        let message_encoding = message_encoding.into();
        let reason = super::foreign::reason(&message_encoding);
        ForeignEncoding {
            message_encoding,
            schema_name: String::new(),
            schema_encoding: String::new(),
            schema_data: Bytes::new(),
            reason,
        }
    }
}

impl ChannelStats {
    /// Counts a sample at `time`.
    pub fn add(&mut self, time: Time) {
        self.count += 1;
        self.first = Some(self.first.map_or(time, |first| first.min(time)));
        self.last = Some(self.last.map_or(time, |last| last.max(time)));
    }

    /// Counts what `other` has counted.
    pub fn merge(&mut self, other: &ChannelStats) {
        self.count += other.count;
        self.first = self.first.into_iter().chain(other.first).min();
        self.last = self.last.into_iter().chain(other.last).max();
    }
}

/// What a channel is to its component; kept in metadata as `lk.role`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Not said.
    #[default]
    None,
    /// Fed to the component.
    Input,
    /// Produced by the component; what verify compares.
    Output,
    /// Internal to the component; compared where both sides record it.
    State,
}

/// What [`Sample::sequence`] counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SequenceMeaning {
    /// Messages per key, from 0 (or whatever a foreign recorder put there).
    #[default]
    Count,
    /// Ticks of lk's runner.
    Tick,
}

/// lk's own facts about a dataset: a metadata record, never a channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// What `sequence` counts.
    #[serde(default)]
    pub sequence: SequenceMeaning,
    /// Everything else, by name (`producer`, `seed`, `inputs_hash`, ...).
    #[serde(default)]
    pub entries: BTreeMap<String, String>,
}

impl Facts {
    /// Name of the fact that holds the counts of the recorder that wrote all.
    pub const RECORDER: &str = "recorder";

    /// What is still so of a part, or of what was played anew: not how many
    /// messages a recorder counted.
    #[must_use]
    pub fn of_part(&self) -> Facts {
        let mut part = self.clone();
        part.entries.remove(Facts::RECORDER);
        part
    }
}

/// Index of a channel in [`Backend::channels`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId(pub u32);

/// Which samples to read.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Only these channels; all where `None`.
    pub channels: Option<Vec<ChannelId>>,
    /// From this time on (inclusive).
    pub start: Option<Time>,
    /// Up to this time (exclusive).
    pub end: Option<Time>,
}

/// Count and extent of a channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChannelStats {
    /// Samples.
    pub count: u64,
    /// Earliest time; `None` in an empty channel.
    pub first: Option<Time>,
    /// Latest time; `None` in an empty channel.
    pub last: Option<Time>,
}

/// What a reader found wrong, or could not check, in an otherwise readable
/// dataset.
///
/// The default is that of a dataset of which nothing is lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Integrity {
    /// Whether every payload was covered by a checksum that was checked.
    pub verified: bool,
    /// Bytes of records that could not be read.
    pub lost_bytes: u64,
    /// Samples that are lost; `None` where the file can't tell how many, such
    /// as one that was cut off.
    pub lost_samples: Option<u64>,
    /// Offset of the first bad byte.
    pub first_bad_offset: Option<u64>,
    /// One phrase per finding, in file order.
    pub problems: Vec<String>,
    /// What is odd and harms nothing, such as a description of the dataset
    /// that its messages contradict.
    #[serde(default)]
    pub notes: Vec<String>,
}

impl Default for Integrity {
    fn default() -> Integrity {
        Integrity {
            verified: false,
            lost_bytes: 0,
            lost_samples: Some(0),
            first_bad_offset: None,
            problems: Vec::new(),
            notes: Vec::new(),
        }
    }
}

impl Integrity {
    /// Whether nothing is lost, and that is known.
    pub fn is_whole(&self) -> bool {
        self.lost_bytes == 0 && self.lost_samples == Some(0)
    }
}

/// Samples in time order; ties as recorded.
pub type Samples<'a> = Box<dyn Iterator<Item = Result<(ChannelId, Sample)>> + Send + 'a>;

/// Storage of a dataset's samples. Backends know bytes, schemas and times,
/// never components; convenience lives in [`Dataset`](crate::Dataset).
pub trait Backend: Send + Sync {
    /// Where the bytes are, for messages: a path, or `memory`.
    fn location(&self) -> String;

    /// All channels, in the order in which they were added.
    fn channels(&self) -> &[Channel];

    /// Adds a channel. [`Dataset`](crate::Dataset) has checked that its key is
    /// new.
    fn add_channel(&mut self, channel: Channel) -> Result<ChannelId>;

    /// Appends a sample.
    fn write(&mut self, channel: ChannelId, sample: Sample) -> Result<()>;

    /// Merged samples in time order; ties as recorded. Memory is bounded by
    /// the open chunks, not by the file.
    fn samples(&self, query: &Query) -> Result<Samples<'_>>;

    /// The same samples, read at the same time as other datasets, which a
    /// backend may make use of.
    fn samples_together<'a>(
        &'a self,
        query: &Query,
        _together: &'a Together,
    ) -> Result<Samples<'a>> {
        self.samples(query)
    }

    /// Counts and extents, by channel.
    fn stats(&self) -> Result<Vec<ChannelStats>>;

    /// lk's own facts.
    fn facts(&self) -> &Facts;

    /// Replaces the facts; in a file they are written at `close`.
    fn set_facts(&mut self, facts: Facts) -> Result<()>;

    /// What there is beside samples.
    fn extras(&self) -> Extras<'_> {
        Box::new(std::iter::empty())
    }

    /// Adds something beside samples; [`Error::Unstorable`] where there is no
    /// place for it.
    fn add_extra(&mut self, extra: Extra) -> Result<()> {
        let reason = "there is no place for it in this format".to_owned();
        Err(Error::Unstorable { key: extra.describe(), reason, location: self.location() })
    }

    /// What could not be read or checked so far.
    fn integrity(&self) -> Integrity;

    /// Reads and checks every sample once, so that what is damaged is known
    /// (and left out) before anything is read. Without it, damage inside a
    /// file whose index is whole shows as an error while reading.
    fn check(&mut self) -> Result<Integrity> {
        Ok(self.integrity())
    }

    /// Hands buffered bytes to the operating system.
    fn flush(&mut self) -> Result<()>;

    /// Flushes, and asks the operating system to put them on the disk.
    fn sync(&mut self) -> Result<()>;

    /// Writes what ends a file. Writing afterwards is an error; reading a
    /// file that was created goes by opening it anew.
    fn close(&mut self) -> Result<()>;
}
