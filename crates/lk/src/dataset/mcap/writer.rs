//! Writing MCAP files.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

use super::channels::{self, SchemaContent};
use super::compression::{Compression, Packer};
use super::facts;
use super::records::{
    ChannelRecord, ChunkHeader, ChunkIndex, Footer, MAGIC, MessageHeader, SchemaRecord, Statistics,
    op, put_block, put_metadata, put_record,
};
use crate::dataset::{
    Backend, Channel, ChannelId, ChannelStats, Facts, Integrity, Query, Sample, Samples,
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
}

impl Default for CreateOptions {
    fn default() -> CreateOptions {
        CreateOptions {
            overwrite: false,
            compression: Compression::default(),
            chunk_bytes: 1 << 20,
        }
    }
}

/// Writes an MCAP file; a [`Backend`] that can't be read from.
///
/// A chunk is compressed in the caller's thread and handed to the operating
/// system in one piece when it is full, so that a process that is killed
/// loses what came after it or after the last `flush`, and no more. Chunks
/// close by size alone: the same calls give the same bytes.
pub struct Writer {
    location: String,
    file: File,
    state: State,
    options: CreateOptions,
    packer: Packer,
    /// Bytes handed over so far, and their checksum.
    position: u64,
    crc: crc32fast::Hasher,
    channels: Vec<Channel>,
    records: Vec<ChannelRecord>,
    schemas: Vec<SchemaRecord>,
    schema_ids: BTreeMap<SchemaContent, u16>,
    stats: Vec<ChannelStats>,
    chunk: OpenChunk,
    chunks: Vec<ChunkIndex>,
    facts: Facts,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Open,
    Failed,
    Closed,
}

/// What goes into the next chunk.
#[derive(Default)]
struct OpenChunk {
    content: Vec<u8>,
    times: Option<(u64, u64)>,
    /// Time and offset of each message, by channel number.
    indexes: BTreeMap<u16, Vec<(u64, u64)>>,
}

impl Writer {
    /// Creates the file at `path`.
    ///
    /// # Errors
    /// [`Error::FileExists`] unless told to overwrite; [`Error::Io`].
    pub fn create(path: &Path, options: CreateOptions) -> Result<Writer> {
        let location = path.display().to_string();
        let failed = |source| Error::Io { action: "create", path: location.clone(), source };
        if options.overwrite && path.is_file() {
            // Unlinked, not truncated: it may be what is being read from.
            std::fs::remove_file(path).map_err(failed)?;
        }
        let file = match OpenOptions::new().write(true).create_new(true).open(path) {
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
                return Err(Error::FileExists { path: location });
            }
            other => other.map_err(failed)?,
        };
        let packer = Packer::new(options.compression).map_err(failed)?;
        let mut writer = Writer {
            location,
            file,
            state: State::Open,
            options,
            packer,
            position: 0,
            crc: crc32fast::Hasher::new(),
            channels: Vec::new(),
            records: Vec::new(),
            schemas: Vec::new(),
            schema_ids: BTreeMap::new(),
            stats: Vec::new(),
            chunk: OpenChunk::default(),
            chunks: Vec::new(),
            facts: Facts::default(),
        };
        let mut start = MAGIC.to_vec();
        put_record(&mut start, op::HEADER, |out| {
            put_block(out, b"ros2");
            put_block(out, concat!("lk ", env!("CARGO_PKG_VERSION")).as_bytes());
        });
        writer.hand_over(&start)?;
        Ok(writer)
    }

    /// Goes on writing to another file, such as one that refuses.
    #[cfg(test)]
    pub(super) fn redirect(&mut self, file: File) {
        self.file = file;
    }

    fn require_open(&self) -> Result<()> {
        let reason = match self.state {
            State::Open => return Ok(()),
            State::Failed => "an earlier write to it failed",
            State::Closed => "it is closed",
        };
        Err(Error::State { action: "write to", reason, location: self.location.clone() })
    }

    /// Gives whole records to the operating system.
    fn hand_over(&mut self, bytes: &[u8]) -> Result<()> {
        if let Err(source) = self.file.write_all(bytes) {
            self.state = State::Failed;
            return Err(Error::Io { action: "write", path: self.location.clone(), source });
        }
        self.crc.update(bytes);
        self.position += bytes.len() as u64;
        Ok(())
    }

    fn close_chunk(&mut self) -> Result<()> {
        if self.chunk.content.is_empty() {
            return Ok(());
        }
        let OpenChunk { content, times, indexes } = &self.chunk;
        let packed = self.packer.pack(content).map_err(|source| {
            self.state = State::Failed;
            Error::Io { action: "compress a chunk of", path: self.location.clone(), source }
        })?;
        let (start, end) = times.unwrap_or_default();
        let header = ChunkHeader {
            start,
            end,
            uncompressed_bytes: content.len() as u64,
            crc: crc32fast::hash(content),
            compression: self.options.compression.name().to_owned(),
            compressed_bytes: packed.len() as u64,
        };
        let mut out = Vec::with_capacity(packed.len() + 1024);
        header.put(&packed, &mut out);
        let record_bytes = out.len() as u64;
        let mut message_indexes = BTreeMap::new();
        for (&channel, entries) in indexes {
            message_indexes.insert(channel, self.position + out.len() as u64);
            put_record(&mut out, op::MESSAGE_INDEX, |out| {
                out.extend_from_slice(&channel.to_le_bytes());
                out.extend_from_slice(&(entries.len() as u32 * 16).to_le_bytes());
                for (time, offset) in entries {
                    out.extend_from_slice(&time.to_le_bytes());
                    out.extend_from_slice(&offset.to_le_bytes());
                }
            });
        }
        self.chunks.push(ChunkIndex {
            start,
            end,
            offset: self.position,
            record_bytes,
            message_indexes,
            message_index_bytes: out.len() as u64 - record_bytes,
            compression: header.compression,
            compressed_bytes: header.compressed_bytes,
            uncompressed_bytes: header.uncompressed_bytes,
        });
        self.chunk.content.clear();
        self.chunk.times = None;
        self.chunk.indexes.clear();
        self.hand_over(&out)
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
            metadata: 1,
            chunks: self.chunks.len() as u32,
            start: nanos(used().filter_map(|stats| stats.first).min()),
            end: nanos(used().filter_map(|stats| stats.last).max()),
            messages_by_channel: counts.map(|(record, stats)| (record.id, stats.count)).collect(),
        }
    }

    /// The summary section, its offsets and the footer.
    fn summary(&self, metadata_at: u64, metadata_bytes: u64) -> Vec<u8> {
        let mut out = Vec::new();
        let mut groups = Vec::new();
        let mut group = |op: u8, out: &mut Vec<u8>, fill: &dyn Fn(&mut Vec<u8>)| {
            let start = out.len();
            fill(out);
            if out.len() > start {
                groups.push((op, start as u64, (out.len() - start) as u64));
            }
        };
        group(op::SCHEMA, &mut out, &|out| self.schemas.iter().for_each(|s| s.put(out)));
        group(op::CHANNEL, &mut out, &|out| self.records.iter().for_each(|c| c.put(out)));
        group(op::STATISTICS, &mut out, &|out| self.statistics().put(out));
        group(op::CHUNK_INDEX, &mut out, &|out| self.chunks.iter().for_each(|c| c.put(out)));
        group(op::METADATA_INDEX, &mut out, &|out| {
            put_record(out, op::METADATA_INDEX, |out| {
                out.extend_from_slice(&metadata_at.to_le_bytes());
                out.extend_from_slice(&metadata_bytes.to_le_bytes());
                put_block(out, facts::RECORD.as_bytes());
            });
        });
        let summary_start = self.position;
        let summary_offset_start = summary_start + out.len() as u64;
        for (op, start, len) in groups {
            put_record(&mut out, op::SUMMARY_OFFSET, |out| {
                out.push(op);
                out.extend_from_slice(&(summary_start + start).to_le_bytes());
                out.extend_from_slice(&len.to_le_bytes());
            });
        }
        // The footer's checksum covers the footer up to itself.
        out.push(op::FOOTER);
        out.extend_from_slice(&Footer::BODY_BYTES.to_le_bytes());
        out.extend_from_slice(&summary_start.to_le_bytes());
        out.extend_from_slice(&summary_offset_start.to_le_bytes());
        let crc = crc32fast::hash(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        out.extend_from_slice(&MAGIC);
        out
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
        self.require_open()?;
        let index = self.channels.len() as u32;
        let Some(id) = u16::try_from(index + 1).ok() else {
            let reason = "an MCAP file holds at most 65,535 channels".to_owned();
            return Err(self.unstorable(&channel.key, reason));
        };
        let (schema, mut record) = channels::to_records(&channel);
        let strings = record.metadata.iter().map(|(key, value)| key.len() + value.len() + 8);
        let longest = strings.sum::<usize>().max(channel.key.len());
        if longest.max(schema.as_ref().map_or(0, |schema| schema.data.len())) > MAX_PAYLOAD_BYTES {
            let reason = "its schema, name or metadata is larger than 512 MiB".to_owned();
            return Err(self.unstorable(&channel.key, reason));
        }
        record.id = id;
        record.schema = match schema {
            None => 0,
            Some(content) => match self.schema_ids.get(&content) {
                Some(&id) => id,
                None => {
                    // There are never more schemas than channels.
                    let id = self.schemas.len() as u16 + 1;
                    let schema = content.clone().with_id(id);
                    schema.put(&mut self.chunk.content);
                    self.schemas.push(schema);
                    self.schema_ids.insert(content, id);
                    id
                }
            },
        };
        record.put(&mut self.chunk.content);
        self.records.push(record);
        self.channels.push(channel);
        self.stats.push(ChannelStats::default());
        Ok(ChannelId(index))
    }

    fn write(&mut self, channel: ChannelId, sample: Sample) -> Result<()> {
        self.require_open()?;
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
        let offset = self.chunk.content.len() as u64;
        header.put(&sample.payload, &mut self.chunk.content);
        let time = header.log_time;
        let (start, end) = self.chunk.times.unwrap_or((time, time));
        self.chunk.times = Some((start.min(time), end.max(time)));
        self.chunk.indexes.entry(id).or_default().push((time, offset));
        self.stats[index].add(sample.time);
        if self.chunk.content.len() >= self.options.chunk_bytes {
            self.close_chunk()?;
        }
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
        self.require_open()?;
        facts::check(&facts).map_err(|reason| self.unstorable(facts::RECORD, reason))?;
        self.facts = facts;
        Ok(())
    }

    fn integrity(&self) -> Integrity {
        Integrity { verified: true, ..Integrity::default() }
    }

    fn flush(&mut self) -> Result<()> {
        self.require_open()?;
        self.close_chunk()
    }

    fn sync(&mut self) -> Result<()> {
        self.flush()?;
        self.file.sync_all().map_err(|source| Error::Io {
            action: "sync",
            path: self.location.clone(),
            source,
        })
    }

    fn close(&mut self) -> Result<()> {
        self.flush()?;
        let metadata_at = self.position;
        let mut out = Vec::new();
        put_metadata(&mut out, facts::RECORD, &facts::to_entries(&self.facts));
        self.hand_over(&out)?;
        let metadata_bytes = self.position - metadata_at;
        let crc = self.crc.clone().finalize();
        let mut out = Vec::new();
        put_record(&mut out, op::DATA_END, |out| out.extend_from_slice(&crc.to_le_bytes()));
        self.hand_over(&out)?;
        let summary = self.summary(metadata_at, metadata_bytes);
        self.hand_over(&summary)?;
        self.state = State::Closed;
        Ok(())
    }
}

/// Keeps what was written, as far as that goes; ends nothing, so that a file
/// whose writer never came to its `close` can be told.
impl Drop for Writer {
    fn drop(&mut self) {
        if self.state == State::Open {
            // Whoever wants to know calls `flush` or `close`.
            let _ = self.close_chunk();
        }
    }
}
