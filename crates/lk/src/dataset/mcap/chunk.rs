//! A chunk that is being filled, and one that is ready to be written.

use std::collections::BTreeMap;
use std::io;

use super::compression::{Compression, Packer, most_believed_from};
use super::records::{ChunkHeader, ChunkIndex, MessageHeader, op, put_record};

/// What goes into one chunk.
#[derive(Default)]
pub(super) struct Chunk {
    content: Vec<u8>,
    times: Option<(u64, u64)>,
    /// Time and offset of each message, by channel number. Those of a chunk
    /// that was cleared are empty, and keep their memory.
    indexes: BTreeMap<u16, Vec<(u64, u64)>>,
    messages: u64,
}

impl Chunk {
    pub(super) fn with_capacity(bytes: usize) -> Chunk {
        Chunk { content: Vec::with_capacity(bytes), ..Chunk::default() }
    }

    pub(super) fn message(&mut self, header: &MessageHeader, payload: &[u8]) {
        let offset = self.content.len() as u64;
        header.put(payload, &mut self.content);
        let time = header.log_time;
        let (start, end) = self.times.unwrap_or((time, time));
        self.times = Some((start.min(time), end.max(time)));
        self.indexes.entry(header.channel).or_default().push((time, offset));
        self.messages += 1;
    }

    /// To put the record of a schema or a channel in.
    pub(super) fn content(&mut self) -> &mut Vec<u8> {
        &mut self.content
    }

    pub(super) fn len(&self) -> usize {
        self.content.len()
    }

    pub(super) fn capacity(&self) -> usize {
        self.content.capacity()
    }

    pub(super) fn has_messages(&self) -> bool {
        self.messages > 0
    }

    /// Empties it, keeping its memory.
    pub(super) fn clear(&mut self) {
        self.content.clear();
        self.times = None;
        self.indexes.values_mut().for_each(Vec::clear);
        self.messages = 0;
    }

    /// Packs it, into empty memory.
    pub(super) fn pack(&self, packer: &mut Packer, mut bytes: Vec<u8>) -> io::Result<Packed> {
        let index_bytes = self.messages as usize * 16 + self.indexes.len() * 15;
        let (start, end) = self.times.unwrap_or_default();
        let mut header = ChunkHeader {
            start,
            end,
            uncompressed_bytes: self.content.len() as u64,
            crc: crc32fast::hash(&self.content),
            compression: packer.compression().name().to_owned(),
            compressed_bytes: 0,
        };
        bytes.reserve(packer.most_for(self.content.len()) + index_bytes + 64);
        header.put(&mut bytes, |out| packer.pack(&self.content, out))?;
        // What readers wouldn't believe is stored as it is.
        if header.uncompressed_bytes > most_believed_from(header.compressed_bytes) {
            bytes.clear();
            header.compression = Compression::None.name().to_owned();
            header.put(&mut bytes, |out| out.extend_from_slice(&self.content));
        }
        let record_bytes = bytes.len() as u64;
        let mut message_indexes = BTreeMap::new();
        for (&channel, entries) in self.indexes.iter().filter(|(_, entries)| !entries.is_empty()) {
            message_indexes.insert(channel, bytes.len() as u64);
            put_record(&mut bytes, op::MESSAGE_INDEX, |out| {
                out.extend_from_slice(&channel.to_le_bytes());
                out.extend_from_slice(&(entries.len() as u32 * 16).to_le_bytes());
                for (time, offset) in entries {
                    out.extend_from_slice(&time.to_le_bytes());
                    out.extend_from_slice(&offset.to_le_bytes());
                }
            });
        }
        let index = ChunkIndex {
            start,
            end,
            offset: 0,
            record_bytes,
            message_indexes,
            message_index_bytes: bytes.len() as u64 - record_bytes,
            compression: header.compression,
            compressed_bytes: header.compressed_bytes,
            uncompressed_bytes: header.uncompressed_bytes,
        };
        Ok(Packed { bytes, index, messages: self.messages })
    }
}

/// A chunk ready to be written anywhere.
pub(super) struct Packed {
    /// Its record, and those of its message indexes.
    pub(super) bytes: Vec<u8>,
    /// As if it were written at the file's very beginning.
    index: ChunkIndex,
    pub(super) messages: u64,
}

impl Packed {
    /// What the summary says of it, written at `position`; and the memory of
    /// its bytes, to be used again.
    pub(super) fn index_at(self, position: u64) -> (ChunkIndex, Vec<u8>) {
        let Packed { bytes, mut index, .. } = self;
        index.offset = position;
        index.message_indexes.values_mut().for_each(|at| *at += position);
        (index, bytes)
    }
}
