//! Pieces of a file that hold messages: its chunks, and runs of records that
//! lie outside of chunks.

use bytes::Bytes;

use super::compression::{Compression, Unpacker};
use super::records::{ChunkHeader, MESSAGE_HEADER, MessageHeader, Records, op};
use super::source::Source;
use crate::error::Result;

/// Where some messages are, and what is known of them without reading them.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    /// Of its first record, for messages.
    pub(super) offset: u64,
    /// Bytes of its records.
    pub(super) bytes: u64,
    /// Where the (packed) content lies.
    pub(super) at: u64,
    pub(super) packed_bytes: u64,
    pub(super) content_bytes: u64,
    /// Bytes of the message indexes that follow it.
    pub(super) index_bytes: u64,
    pub(super) compression: Compression,
    /// Of the content.
    pub(super) crc: Option<u32>,
    /// Earliest and latest time, as far as is known.
    pub(super) start: u64,
    pub(super) end: u64,
    /// The file's channels that have messages in it, sorted, where known.
    pub(super) channels: Option<Vec<u16>>,
    /// Whether it lies outside of chunks.
    pub(super) loose: bool,
    /// Whether a checksum covers it: its own, or that of the data section
    /// where that has been checked.
    pub(super) verified: bool,
}

impl Piece {
    /// A chunk whose record is at `offset`; what is wrong with its header is
    /// said as a phrase. Nothing has been read of its content.
    pub(super) fn chunk(
        offset: u64,
        body_at: u64,
        body_bytes: u64,
        header: &ChunkHeader,
        header_bytes: u64,
        limit: u64,
    ) -> Result<Piece, String> {
        let Some(compression) = Compression::parse(&header.compression) else {
            return Err(format!("a chunk is compressed with `{}`", header.compression));
        };
        if header_bytes.checked_add(header.compressed_bytes) != Some(body_bytes) {
            return Err("a chunk's length and its record's don't agree".to_owned());
        }
        let (content, packed) = (header.uncompressed_bytes, header.compressed_bytes);
        if content > compression.most_from(packed) {
            return Err(format!(
                "a chunk declares {content} bytes, which {packed} bytes can't unpack to"
            ));
        }
        if content > limit {
            return Err(format!("a chunk of {content} bytes is over the limit of {limit}"));
        }
        Ok(Piece {
            offset,
            bytes: body_at - offset + body_bytes,
            at: body_at + header_bytes,
            packed_bytes: packed,
            content_bytes: content,
            index_bytes: 0,
            compression,
            crc: (header.crc != 0).then_some(header.crc),
            start: header.start,
            end: header.end,
            channels: None,
            loose: false,
            verified: header.crc != 0,
        })
    }

    /// Reads, unpacks and checks the content.
    ///
    /// # Errors
    /// The outer one where the file can't be read, the inner one, a phrase,
    /// where the content is not what it should be.
    pub(super) fn read(&self, source: &Source, unpacker: &mut Unpacker) -> Result<Content> {
        Ok(self.unpack(&self.packed(source)?, unpacker))
    }

    /// The content as it lies in the file.
    pub(super) fn packed(&self, source: &Source) -> Result<Bytes> {
        source.read_again(self.at, self.packed_bytes)
    }

    /// Unpacks and checks the content.
    pub(super) fn unpack(&self, packed: &Bytes, unpacker: &mut Unpacker) -> Content {
        let content = unpacker.unpack(self.compression, packed, self.content_bytes as usize);
        let content = content.map_err(|reason| format!("a chunk is damaged: {reason}"))?;
        match self.crc {
            Some(crc) if crc != crc32fast::hash(&content) => {
                Err("a chunk doesn't match its checksum".to_owned())
            }
            _ => Ok(content),
        }
    }
}

/// The records of a piece, or what is wrong with them.
pub(super) type Content = Result<Bytes, String>;

/// A message in a piece's content.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) header: MessageHeader,
    /// Where the payload begins in the content.
    pub(super) at: usize,
    pub(super) len: usize,
}

/// A record of a piece's content.
pub(super) enum Item<'a> {
    Message(Found),
    Schema(&'a [u8]),
    Channel(&'a [u8]),
    /// A record that has no place in a chunk, by its kind.
    Other(u8),
}

/// What to say of records that have no place in a chunk.
pub(super) fn misplaced(op: u8) -> String {
    format!("records of kind {op:#04x} inside a chunk are passed over")
}

/// Walks the records of a piece's content; a phrase where one is malformed.
pub(super) fn items(content: &[u8]) -> impl Iterator<Item = Result<Item<'_>, String>> {
    Records::new(content).map(|record| {
        let record = record.map_err(|at| format!("record at {at} of a chunk runs past its end"))?;
        match record.op {
            op::MESSAGE => match MessageHeader::parse(record.body) {
                Some(header) => Ok(Item::Message(Found {
                    header,
                    at: record.at + MESSAGE_HEADER,
                    len: record.body.len() - MESSAGE_HEADER,
                })),
                None => Err(format!("message at {} of a chunk is too short", record.at)),
            },
            op::SCHEMA => Ok(Item::Schema(record.body)),
            op::CHANNEL => Ok(Item::Channel(record.body)),
            other => Ok(Item::Other(other)),
        }
    })
}
