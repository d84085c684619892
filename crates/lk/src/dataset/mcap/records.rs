//! The records of an MCAP file, as bytes: <https://mcap.dev/spec>.
//!
//! Nothing here allocates more than the bytes that it is given, or believes a
//! length before it has seen that much.

use std::collections::BTreeMap;

/// What a file begins and ends with.
pub(super) const MAGIC: [u8; 8] = *b"\x89MCAP0\r\n";

/// Bytes of a record's opcode and length.
pub(super) const RECORD_HEADER: u64 = 9;

/// Bytes of a message record before its payload.
pub(super) const MESSAGE_HEADER: usize = 22;

/// What to say of messages published later than a time can be, which are given
/// the latest.
pub(super) const LATE_PUBLISHING: &str =
    "messages published after the year 2262 are given the latest time that can be held";

/// Kinds of records.
pub(super) mod op {
    pub(crate) const HEADER: u8 = 0x01;
    pub(crate) const FOOTER: u8 = 0x02;
    pub(crate) const SCHEMA: u8 = 0x03;
    pub(crate) const CHANNEL: u8 = 0x04;
    pub(crate) const MESSAGE: u8 = 0x05;
    pub(crate) const CHUNK: u8 = 0x06;
    pub(crate) const MESSAGE_INDEX: u8 = 0x07;
    pub(crate) const CHUNK_INDEX: u8 = 0x08;
    pub(crate) const ATTACHMENT: u8 = 0x09;
    pub(crate) const ATTACHMENT_INDEX: u8 = 0x0a;
    pub(crate) const STATISTICS: u8 = 0x0b;
    pub(crate) const METADATA: u8 = 0x0c;
    pub(crate) const METADATA_INDEX: u8 = 0x0d;
    pub(crate) const SUMMARY_OFFSET: u8 = 0x0e;
    pub(crate) const DATA_END: u8 = 0x0f;
}

/// Reads fields from the front of a record; `None` where it is too short.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn bytes(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(len)?;
        self.0 = tail;
        Some(head)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, tail) = self.0.split_first_chunk()?;
        self.0 = tail;
        Some(*head)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// Bytes behind a `u32` length.
    pub(super) fn block(&mut self) -> Option<&'a [u8]> {
        let len = self.u32()?;
        self.bytes(usize::try_from(len).ok()?)
    }

    pub(super) fn string(&mut self) -> Option<String> {
        std::str::from_utf8(self.block()?).ok().map(str::to_owned)
    }

    /// A map behind its length in bytes; a key that comes twice is no map.
    fn map<K: Ord, V>(
        &mut self,
        mut entry: impl FnMut(&mut Fields<'a>) -> Option<(K, V)>,
    ) -> Option<BTreeMap<K, V>> {
        let mut rest = Fields(self.block()?);
        let mut map = BTreeMap::new();
        while !rest.0.is_empty() {
            let (key, value) = entry(&mut rest)?;
            if map.insert(key, value).is_some() {
                return None;
            }
        }
        Some(map)
    }
}

/// Walks the records in a chunk, or in any run of whole records.
pub(super) struct Records<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// One record of a run.
pub(super) struct Record<'a> {
    /// What kind.
    pub(super) op: u8,
    /// Where its body begins in the run.
    pub(super) at: usize,
    pub(super) body: &'a [u8],
}

impl<'a> Records<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Records<'a> {
        Records { bytes, at: 0 }
    }
}

/// `Err` with its offset where a record doesn't fit the bytes.
impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, usize>;

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.at;
        let mut fields = Fields(self.bytes.get(start..)?);
        if fields.0.is_empty() {
            return None;
        }
        let record = (|| {
            let op = fields.u8()?;
            let len = usize::try_from(fields.u64()?).ok()?;
            let at = start + RECORD_HEADER as usize;
            Some(Record { op, at, body: fields.bytes(len)? })
        })();
        match &record {
            Some(record) => self.at = record.at + record.body.len(),
            None => self.at = self.bytes.len(),
        }
        Some(record.ok_or(start))
    }
}

/// A schema record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SchemaRecord {
    pub(super) id: u16,
    pub(super) name: String,
    pub(super) encoding: String,
    pub(super) data: Vec<u8>,
}

/// A channel record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ChannelRecord {
    pub(super) id: u16,
    pub(super) schema: u16,
    pub(super) topic: String,
    pub(super) encoding: String,
    pub(super) metadata: BTreeMap<String, String>,
}

/// The fields of a message record before its payload.
#[derive(Clone, Copy, Debug)]
pub(super) struct MessageHeader {
    pub(super) channel: u16,
    pub(super) sequence: u32,
    pub(super) log_time: u64,
    pub(super) publish_time: u64,
}

/// The fields of a chunk record before its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ChunkHeader {
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) uncompressed_bytes: u64,
    /// Of the uncompressed content; 0 for none.
    pub(super) crc: u32,
    pub(super) compression: String,
    pub(super) compressed_bytes: u64,
}

/// What the summary says of a chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ChunkIndex {
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) offset: u64,
    /// Of the whole chunk record.
    pub(super) record_bytes: u64,
    /// Offsets of message indexes by channel.
    pub(super) message_indexes: BTreeMap<u16, u64>,
    pub(super) message_index_bytes: u64,
    pub(super) compression: String,
    pub(super) compressed_bytes: u64,
    pub(super) uncompressed_bytes: u64,
}

/// What the summary says of the whole file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Statistics {
    pub(super) messages: u64,
    pub(super) schemas: u16,
    pub(super) channels: u32,
    pub(super) attachments: u32,
    pub(super) metadata: u32,
    pub(super) chunks: u32,
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) messages_by_channel: BTreeMap<u16, u64>,
}

/// The last record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Footer {
    pub(super) summary_start: u64,
    /// From `summary_start` to this field; 0 for none.
    pub(super) crc: u32,
}

impl SchemaRecord {
    pub(super) fn parse(body: &[u8]) -> Option<SchemaRecord> {
        let mut fields = Fields(body);
        let id = fields.u16()?;
        let name = fields.string()?;
        let encoding = fields.string()?;
        Some(SchemaRecord { id, name, encoding, data: fields.block()?.to_vec() })
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) {
        put_record(out, op::SCHEMA, |out| {
            out.extend_from_slice(&self.id.to_le_bytes());
            put_block(out, self.name.as_bytes());
            put_block(out, self.encoding.as_bytes());
            put_block(out, &self.data);
        });
    }
}

impl ChannelRecord {
    pub(super) fn parse(body: &[u8]) -> Option<ChannelRecord> {
        let mut fields = Fields(body);
        Some(ChannelRecord {
            id: fields.u16()?,
            schema: fields.u16()?,
            topic: fields.string()?,
            encoding: fields.string()?,
            metadata: fields.map(|f| Some((f.string()?, f.string()?)))?,
        })
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) {
        put_record(out, op::CHANNEL, |out| {
            out.extend_from_slice(&self.id.to_le_bytes());
            out.extend_from_slice(&self.schema.to_le_bytes());
            put_block(out, self.topic.as_bytes());
            put_block(out, self.encoding.as_bytes());
            put_strings(out, &self.metadata);
        });
    }
}

impl MessageHeader {
    pub(super) fn parse(body: &[u8]) -> Option<MessageHeader> {
        let mut fields = Fields(body);
        Some(MessageHeader {
            channel: fields.u16()?,
            sequence: fields.u32()?,
            log_time: fields.u64()?,
            publish_time: fields.u64()?,
        })
    }

    pub(super) fn put(&self, payload: &[u8], out: &mut Vec<u8>) {
        put_record(out, op::MESSAGE, |out| {
            out.extend_from_slice(&self.channel.to_le_bytes());
            out.extend_from_slice(&self.sequence.to_le_bytes());
            out.extend_from_slice(&self.log_time.to_le_bytes());
            out.extend_from_slice(&self.publish_time.to_le_bytes());
            out.extend_from_slice(payload);
        });
    }
}

impl ChunkHeader {
    /// The header, and how many bytes of `body` it takes.
    pub(super) fn parse(body: &[u8]) -> Option<(ChunkHeader, usize)> {
        let mut fields = Fields(body);
        let header = ChunkHeader {
            start: fields.u64()?,
            end: fields.u64()?,
            uncompressed_bytes: fields.u64()?,
            crc: fields.u32()?,
            compression: fields.string()?,
            compressed_bytes: fields.u64()?,
        };
        Some((header, body.len() - fields.0.len()))
    }

    /// Puts a chunk whose packed content `pack` appends, and takes down how
    /// large that is.
    pub(super) fn put<T>(&mut self, out: &mut Vec<u8>, pack: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        put_record(out, op::CHUNK, |out| {
            out.extend_from_slice(&self.start.to_le_bytes());
            out.extend_from_slice(&self.end.to_le_bytes());
            out.extend_from_slice(&self.uncompressed_bytes.to_le_bytes());
            out.extend_from_slice(&self.crc.to_le_bytes());
            put_block(out, self.compression.as_bytes());
            out.extend_from_slice(&[0; 8]);
            let content_at = out.len();
            let packed = pack(out);
            self.compressed_bytes = (out.len() - content_at) as u64;
            let len = self.compressed_bytes.to_le_bytes();
            out[content_at - 8..content_at].copy_from_slice(&len);
            packed
        })
    }
}

impl ChunkIndex {
    pub(super) fn parse(body: &[u8]) -> Option<ChunkIndex> {
        let mut fields = Fields(body);
        Some(ChunkIndex {
            start: fields.u64()?,
            end: fields.u64()?,
            offset: fields.u64()?,
            record_bytes: fields.u64()?,
            message_indexes: fields.map(|f| Some((f.u16()?, f.u64()?)))?,
            message_index_bytes: fields.u64()?,
            compression: fields.string()?,
            compressed_bytes: fields.u64()?,
            uncompressed_bytes: fields.u64()?,
        })
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) {
        put_record(out, op::CHUNK_INDEX, |out| {
            for number in [self.start, self.end, self.offset, self.record_bytes] {
                out.extend_from_slice(&number.to_le_bytes());
            }
            put_counts(out, &self.message_indexes);
            out.extend_from_slice(&self.message_index_bytes.to_le_bytes());
            put_block(out, self.compression.as_bytes());
            out.extend_from_slice(&self.compressed_bytes.to_le_bytes());
            out.extend_from_slice(&self.uncompressed_bytes.to_le_bytes());
        });
    }
}

impl Statistics {
    pub(super) fn parse(body: &[u8]) -> Option<Statistics> {
        let mut fields = Fields(body);
        Some(Statistics {
            messages: fields.u64()?,
            schemas: fields.u16()?,
            channels: fields.u32()?,
            attachments: fields.u32()?,
            metadata: fields.u32()?,
            chunks: fields.u32()?,
            start: fields.u64()?,
            end: fields.u64()?,
            messages_by_channel: fields.map(|f| Some((f.u16()?, f.u64()?)))?,
        })
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) {
        put_record(out, op::STATISTICS, |out| {
            out.extend_from_slice(&self.messages.to_le_bytes());
            out.extend_from_slice(&self.schemas.to_le_bytes());
            for number in [self.channels, self.attachments, self.metadata, self.chunks] {
                out.extend_from_slice(&number.to_le_bytes());
            }
            out.extend_from_slice(&self.start.to_le_bytes());
            out.extend_from_slice(&self.end.to_le_bytes());
            put_counts(out, &self.messages_by_channel);
        });
    }
}

impl Footer {
    pub(super) const BODY_BYTES: u64 = 20;

    /// Bytes of the whole record.
    pub(super) const RECORD_BYTES: u64 = RECORD_HEADER + Footer::BODY_BYTES;

    pub(super) fn parse(body: &[u8]) -> Option<Footer> {
        let mut fields = Fields(body);
        let summary_start = fields.u64()?;
        let _summary_offset_start = fields.u64()?;
        Some(Footer { summary_start, crc: fields.u32()? })
    }
}

/// Name and entries of a metadata record.
pub(super) fn parse_metadata(body: &[u8]) -> Option<(String, BTreeMap<String, String>)> {
    let mut fields = Fields(body);
    Some((fields.string()?, fields.map(|f| Some((f.string()?, f.string()?)))?))
}

pub(super) fn put_metadata(out: &mut Vec<u8>, name: &str, entries: &BTreeMap<String, String>) {
    put_record(out, op::METADATA, |out| {
        put_block(out, name.as_bytes());
        put_strings(out, entries);
    });
}

/// Appends a record whose body `fill` appends.
pub(super) fn put_record<T>(out: &mut Vec<u8>, op: u8, fill: impl FnOnce(&mut Vec<u8>) -> T) -> T {
    out.push(op);
    let length_at = out.len();
    out.extend_from_slice(&[0; 8]);
    let filled = fill(out);
    let len = (out.len() - length_at - 8) as u64;
    out[length_at..length_at + 8].copy_from_slice(&len.to_le_bytes());
    filled
}

/// Appends bytes behind their length, which the writer keeps under 4 GiB.
pub(super) fn put_block(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    out.extend_from_slice(bytes);
}

fn put_strings(out: &mut Vec<u8>, map: &BTreeMap<String, String>) {
    let mut entries = Vec::new();
    for (key, value) in map {
        put_block(&mut entries, key.as_bytes());
        put_block(&mut entries, value.as_bytes());
    }
    put_block(out, &entries);
}

fn put_counts(out: &mut Vec<u8>, map: &BTreeMap<u16, u64>) {
    out.extend_from_slice(&(map.len() as u32 * 10).to_le_bytes());
    for (key, value) in map {
        out.extend_from_slice(&key.to_le_bytes());
        out.extend_from_slice(&value.to_le_bytes());
    }
}
