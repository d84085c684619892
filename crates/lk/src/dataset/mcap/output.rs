//! A file's bytes in their order: chunks, then what ends it.

use std::collections::BTreeMap;
use std::io;

use super::chunk::Packed;
use super::extras::{ExtraIndexes, ExtraRecord};
use super::facts;
use super::records::{
    ChannelRecord, ChunkIndex, Footer, MAGIC, SchemaRecord, Statistics, op, put_block, put_record,
};
use super::sink::Sink;

/// A file that is being written.
pub(super) struct Output {
    sink: Box<dyn Sink>,
    /// Bytes handed over so far, and their checksum.
    position: u64,
    crc: crc32fast::Hasher,
    chunks: Vec<ChunkIndex>,
    extras: ExtraIndexes,
    /// Samples in what was handed over whole.
    samples: u64,
    /// Those of them that were on the disk at the last sync.
    synced_samples: u64,
}

/// What ends a file.
pub(super) struct Ending {
    /// The entries of lk's metadata record.
    pub(super) facts: BTreeMap<String, String>,
    pub(super) schemas: Vec<SchemaRecord>,
    pub(super) channels: Vec<ChannelRecord>,
    /// All but the numbers of what the file holds beside messages.
    pub(super) statistics: Statistics,
}

impl Output {
    /// Begins a file.
    pub(super) fn begin(sink: Box<dyn Sink>) -> io::Result<Output> {
        let mut output = Output {
            sink,
            position: 0,
            crc: crc32fast::Hasher::new(),
            chunks: Vec::new(),
            extras: ExtraIndexes::default(),
            samples: 0,
            synced_samples: 0,
        };
        let mut start = MAGIC.to_vec();
        put_record(&mut start, op::HEADER, |out| {
            put_block(out, b"ros2");
            put_block(out, concat!("lk ", env!("CARGO_PKG_VERSION")).as_bytes());
        });
        output.hand_over(&start)?;
        Ok(output)
    }

    /// How many samples survive the end of this process.
    pub(super) fn samples(&self) -> u64 {
        self.samples
    }

    /// How many samples survive the end of the machine's.
    pub(super) fn synced_samples(&self) -> u64 {
        self.synced_samples
    }

    /// Gives back the memory of its bytes.
    pub(super) fn chunk(&mut self, chunk: Packed) -> io::Result<Vec<u8>> {
        let (position, messages) = (self.position, chunk.messages);
        self.hand_over(&chunk.bytes)?;
        let (index, buffer) = chunk.index_at(position);
        self.chunks.push(index);
        self.samples += messages;
        Ok(buffer)
    }

    pub(super) fn extra(&mut self, extra: &ExtraRecord) -> io::Result<()> {
        let position = self.position;
        self.hand_over(&extra.bytes)?;
        self.extras.add(&extra.index, position, extra.bytes.len() as u64);
        Ok(())
    }

    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.sink.sync()?;
        self.synced_samples = self.samples;
        Ok(())
    }

    pub(super) fn finish(&mut self, ending: Ending) -> io::Result<()> {
        self.extra(&ExtraRecord::metadata(facts::RECORD, &ending.facts))?;
        let crc = self.crc.clone().finalize();
        let mut out = Vec::new();
        put_record(&mut out, op::DATA_END, |out| out.extend_from_slice(&crc.to_le_bytes()));
        self.hand_over(&out)?;
        let summary = self.summary(ending);
        self.hand_over(&summary)
    }

    /// Gives whole records to the sink.
    fn hand_over(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sink.write_all(bytes)?;
        self.crc.update(bytes);
        self.position += bytes.len() as u64;
        Ok(())
    }

    /// The summary section, its offsets and the footer.
    fn summary(&self, ending: Ending) -> Vec<u8> {
        let statistics = Statistics {
            chunks: self.chunks.len() as u32,
            attachments: self.extras.attachments,
            metadata: self.extras.metadata,
            ..ending.statistics
        };
        let mut out = Vec::new();
        let mut groups = Vec::new();
        let mut group = |op: u8, out: &mut Vec<u8>, fill: &dyn Fn(&mut Vec<u8>)| {
            let start = out.len();
            fill(out);
            if out.len() > start {
                groups.push((op, start as u64, (out.len() - start) as u64));
            }
        };
        group(op::SCHEMA, &mut out, &|out| ending.schemas.iter().for_each(|s| s.put(out)));
        group(op::CHANNEL, &mut out, &|out| ending.channels.iter().for_each(|c| c.put(out)));
        group(op::STATISTICS, &mut out, &|out| statistics.put(out));
        group(op::CHUNK_INDEX, &mut out, &|out| self.chunks.iter().for_each(|c| c.put(out)));
        let (attachments, metadata) =
            (&self.extras.attachment_indexes, &self.extras.metadata_indexes);
        group(op::ATTACHMENT_INDEX, &mut out, &|out| out.extend_from_slice(attachments));
        group(op::METADATA_INDEX, &mut out, &|out| out.extend_from_slice(metadata));
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
}
