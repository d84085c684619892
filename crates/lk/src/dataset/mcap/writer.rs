//! Writing MCAP files.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::channels::{self, MAX_CHANNELS, SchemaContent};
use super::compression::Compression;
use super::extras::ExtraRecord;
use super::facts;
use super::output::{Ending, Output};
use super::queue::{Failure, Queue, QueueOptions};
use super::records::{ChannelRecord, MessageHeader, SchemaRecord, Statistics};
use super::sink::{NewFile, Sink};
use crate::dataset::{
    Backend, Channel, ChannelId, ChannelStats, Extra, Facts, Integrity, Query, Sample, Samples,
};
use crate::error::{Error, Result};
use crate::time::Time;

/// The largest payload, and the largest schema, that is written: 512 MiB.
pub const MAX_PAYLOAD_BYTES: usize = 512 << 20;

/// How to create a file.
#[derive(Clone, Debug)]
pub struct CreateOptions {
    /// Replace a file that exists, rather than refuse. Whoever is reading the
    /// old one goes on reading the old one.
    pub overwrite: bool,
    /// Of chunks.
    pub compression: Compression,
    /// A chunk closes when it holds this many bytes, uncompressed.
    pub chunk_bytes: usize,
    /// A chunk also closes this long after its first message, so that a
    /// recording that is killed has lost no more than that. It goes by the
    /// machine's monotonic clock, so that the same calls no longer give the
    /// same bytes, though the same samples. Default: by size alone.
    pub close_after: Option<Duration>,
    /// Threads that compress chunks in the background, which changes nothing
    /// in the file; with 0, `write` does it. Default: 2.
    pub threads: usize,
}

impl CreateOptions {
    /// For live recording: lz4, and chunks that close after one second.
    pub fn live() -> CreateOptions {
        CreateOptions {
            compression: Compression::Lz4,
            close_after: Some(Duration::from_secs(1)),
            ..CreateOptions::default()
        }
    }
}

impl Default for CreateOptions {
    fn default() -> CreateOptions {
        CreateOptions {
            overwrite: false,
            compression: Compression::default(),
            chunk_bytes: 1 << 20,
            close_after: None,
            threads: 2,
        }
    }
}

/// Writes an MCAP file; a [`Backend`] that can't be read from.
///
/// `write` copies a sample into the open chunk. Full chunks are compressed by
/// threads in the background and handed to the operating system in order,
/// each in one piece. Where the disk or the threads can't keep up, `write`
/// waits when about four chunks do. A process that is killed loses what came
/// after the last `flush` and isn't written yet: at most those chunks and the
/// open one.
///
/// A failure in the background shows at the next call, and at every one after
/// it: [`Error::Writing`], which says how many samples are safe.
///
/// Chunks close by size alone unless told otherwise: the same calls give the
/// same bytes, whatever the number of threads. Dropping a writer writes what
/// it can and ends nothing, so that a file whose writer never came to its
/// `close` can be told.
pub struct Writer {
    location: String,
    /// `None` after `close`.
    queue: Option<Queue>,
    channels: Vec<Channel>,
    records: Vec<ChannelRecord>,
    schemas: Vec<SchemaRecord>,
    schema_ids: BTreeMap<SchemaContent, u16>,
    stats: Vec<ChannelStats>,
    facts: Facts,
}

impl Writer {
    /// Creates the file at `path`.
    ///
    /// # Errors
    /// [`Error::FileExists`] unless told to overwrite; [`Error::Io`].
    pub fn create(path: &Path, options: CreateOptions) -> Result<Writer> {
        let location = path.display().to_string();
        let file = match NewFile::create(path, options.overwrite) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                return Err(Error::FileExists { path: location });
            }
            Err(source) => return Err(Error::Io { action: "create", path: location, source }),
            Ok(file) => file,
        };
        let writer = Writer::to_sink(Box::new(file), location, options);
        if writer.is_err() {
            // A file without a beginning; the first error is what is told.
            let _ = std::fs::remove_file(path);
        }
        writer
    }

    /// Writes to something else than a file. `location` is what it is called
    /// in messages; of the options, `overwrite` has no meaning.
    ///
    /// # Errors
    /// [`Error::Io`] where it takes no bytes, or no thread can be started.
    pub fn to_sink(
        sink: Box<dyn Sink>,
        location: impl Into<String>,
        options: CreateOptions,
    ) -> Result<Writer> {
        let location = location.into();
        let CreateOptions { overwrite: _, compression, chunk_bytes, close_after, threads } =
            options;
        let options = QueueOptions { compression, chunk_bytes, close_after, threads };
        let queue = Output::begin(sink).and_then(|output| Queue::new(output, options));
        let queue = queue.map_err(|source| Error::Io {
            action: "create",
            path: location.clone(),
            source,
        })?;
        Ok(Writer {
            location,
            queue: Some(queue),
            channels: Vec::new(),
            records: Vec::new(),
            schemas: Vec::new(),
            schema_ids: BTreeMap::new(),
            stats: Vec::new(),
            facts: Facts::default(),
        })
    }

    /// The queue, unless the file is closed.
    fn queue(&mut self) -> Result<&mut Queue> {
        let location = &self.location;
        self.queue.as_mut().ok_or_else(|| Error::State {
            action: "write to",
            reason: "it is closed",
            location: location.clone(),
        })
    }

    fn failed(&self, failure: Failure) -> Error {
        let Failure { action, source, safe_samples } = failure;
        Error::Writing { action, path: self.location.clone(), safe_samples, source }
    }

    fn statistics(&self) -> Statistics {
        let used = || self.stats.iter().filter(|stats| stats.count > 0);
        let nanos = |time: Option<Time>| time.map_or(0, |time| time.as_nanos() as u64);
        let counts = self.records.iter().zip(&self.stats);
        Statistics {
            messages: used().map(|stats| stats.count).sum(),
            schemas: self.schemas.len() as u16,
            channels: self.records.len() as u32,
            attachments: 0,
            metadata: 0,
            chunks: 0,
            start: nanos(used().filter_map(|stats| stats.first).min()),
            end: nanos(used().filter_map(|stats| stats.last).max()),
            messages_by_channel: counts.map(|(record, stats)| (record.id, stats.count)).collect(),
        }
    }

    fn unstorable(&self, key: &str, reason: String) -> Error {
        Error::Unstorable { key: key.to_owned(), reason, location: self.location.clone() }
    }

    /// MCAP's times are unsigned.
    fn nanos(&self, channel: ChannelId, time: Time) -> Result<u64> {
        u64::try_from(time.as_nanos()).map_err(|_| {
            let key = &self.channels[channel.0 as usize].key;
            self.unstorable(key, format!("time {time} s is before zero, where MCAP times begin"))
        })
    }
}

impl Backend for Writer {
    fn location(&self) -> String {
        self.location.clone()
    }

    fn channels(&self) -> &[Channel] {
        &self.channels
    }

    fn add_channel(&mut self, channel: Channel) -> Result<ChannelId> {
        self.queue()?.check().map_err(|failure| self.failed(failure))?;
        let index = self.channels.len() as u32;
        if self.channels.len() >= MAX_CHANNELS {
            let reason = format!("lk reads MCAP files of at most {MAX_CHANNELS} channels");
            return Err(self.unstorable(&channel.key, reason));
        }
        let id = index as u16 + 1;
        let (schema, mut record) = channels::to_records(&channel);
        let strings = record.metadata.iter().map(|(key, value)| key.len() + value.len() + 8);
        let longest = strings.sum::<usize>().max(channel.key.len());
        if longest.max(schema.as_ref().map_or(0, |schema| schema.data.len())) > MAX_PAYLOAD_BYTES {
            let reason = "its schema, name or metadata is larger than 512 MiB".to_owned();
            return Err(self.unstorable(&channel.key, reason));
        }
        record.id = id;
        let mut new_schema = None;
        if let Some(content) = schema {
            record.schema = self.schema_ids.get(&content).copied().unwrap_or_else(|| {
                // There are never more schemas than channels.
                let id = self.schemas.len() as u16 + 1;
                new_schema = Some((content.clone().with_id(id), content));
                id
            });
        }
        let appended = self.queue()?.append(|chunk| {
            if let Some((schema, _)) = &new_schema {
                schema.put(chunk.content());
            }
            record.put(chunk.content());
        });
        appended.map_err(|failure| self.failed(failure))?;
        if let Some((schema, content)) = new_schema {
            self.schema_ids.insert(content, schema.id);
            self.schemas.push(schema);
        }
        self.records.push(record);
        self.channels.push(channel);
        self.stats.push(ChannelStats::default());
        Ok(ChannelId(index))
    }

    fn write(&mut self, channel: ChannelId, sample: Sample) -> Result<()> {
        self.queue()?;
        let index = channel.0 as usize;
        let count = self.channels.len();
        let Some(record) = self.records.get(index) else {
            let location = self.location.clone();
            return Err(Error::UnknownChannel { channel: channel.0, count, location });
        };
        let id = record.id;
        let header = MessageHeader {
            channel: id,
            sequence: sample.sequence,
            log_time: self.nanos(channel, sample.time)?,
            publish_time: self.nanos(channel, sample.publish_time)?,
        };
        if sample.payload.len() > MAX_PAYLOAD_BYTES {
            let bytes = sample.payload.len();
            let key = &self.channels[index].key;
            let reason = format!("a payload of {bytes} bytes is larger than 512 MiB");
            return Err(self.unstorable(key, reason));
        }
        let appended = self.queue()?.append(|chunk| chunk.message(&header, &sample.payload));
        appended.map_err(|failure| self.failed(failure))?;
        self.stats[index].add(sample.time);
        Ok(())
    }

    fn samples(&self, _query: &Query) -> Result<Samples<'_>> {
        let reason = "it is being written; close it and open it anew";
        Err(Error::State { action: "read from", reason, location: self.location.clone() })
    }

    /// Of what was written so far.
    fn stats(&self) -> Result<Vec<ChannelStats>> {
        Ok(self.stats.clone())
    }

    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn set_facts(&mut self, facts: Facts) -> Result<()> {
        self.queue()?.check().map_err(|failure| self.failed(failure))?;
        facts::check(&facts).map_err(|reason| self.unstorable(facts::RECORD, reason))?;
        self.facts = facts;
        Ok(())
    }

    fn add_extra(&mut self, extra: Extra) -> Result<()> {
        self.queue()?;
        let record = ExtraRecord::new(&extra);
        let record = record.map_err(|reason| self.unstorable(&extra.describe(), reason))?;
        self.queue()?.extra(record).map_err(|failure| self.failed(failure))
    }

    fn integrity(&self) -> Integrity {
        Integrity { verified: true, ..Integrity::default() }
    }

    fn flush(&mut self) -> Result<()> {
        self.queue()?.flush().map_err(|failure| self.failed(failure))
    }

    /// The data, and with the first call the file's name in its folder.
    fn sync(&mut self) -> Result<()> {
        self.queue()?.sync().map_err(|failure| self.failed(failure))
    }

    /// As far as [`Backend::flush`] goes: `sync` before it for the disk.
    fn close(&mut self) -> Result<()> {
        let ending = Ending {
            facts: facts::to_entries(&self.facts),
            schemas: self.schemas.clone(),
            channels: self.records.clone(),
            statistics: self.statistics(),
        };
        self.queue()?.finish(ending).map_err(|failure| self.failed(failure))?;
        self.queue = None;
        Ok(())
    }
}
