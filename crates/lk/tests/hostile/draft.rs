//! MCAP files put together by hand, right or wrong.

pub(super) use records::{block, channel, map, message, record, schema};

#[path = "../../../../fuzz/src/mcap/records.rs"]
mod records;

/// A payload of `float64 x`.
pub(super) const PAYLOAD: [u8; 12] = [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// The fields of a chunk record, right unless set otherwise.
#[derive(Clone)]
pub(super) struct Chunk {
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) size: u64,
    pub(super) crc: u32,
    pub(super) compression: Vec<u8>,
    pub(super) packed_len: u64,
    pub(super) packed: Vec<u8>,
}

impl Chunk {
    pub(super) fn new(content: &[u8], start: u64, end: u64) -> Chunk {
        Chunk {
            start,
            end,
            size: content.len() as u64,
            crc: crc32fast::hash(content),
            compression: Vec::new(),
            packed_len: content.len() as u64,
            packed: content.to_vec(),
        }
    }

    pub(super) fn zstd(content: &[u8], start: u64, end: u64) -> Chunk {
        let packed = zstd::bulk::compress(content, 1).expect("it takes any bytes");
        let mut chunk = Chunk::new(content, start, end);
        chunk.packed_len = packed.len() as u64;
        chunk.packed = packed;
        chunk.compression = b"zstd".to_vec();
        chunk
    }

    pub(super) fn lz4(content: &[u8], start: u64, end: u64) -> Chunk {
        let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
        std::io::Write::write_all(&mut encoder, content).expect("memory takes it");
        let mut chunk = Chunk::new(content, start, end);
        chunk.packed = encoder.finish().expect("memory takes it");
        chunk.packed_len = chunk.packed.len() as u64;
        chunk.compression = b"lz4".to_vec();
        chunk
    }

    pub(super) fn record(&self) -> Vec<u8> {
        let mut body = [self.start, self.end, self.size].map(u64::to_le_bytes).concat();
        body.extend(self.crc.to_le_bytes());
        body.extend(block(&self.compression));
        body.extend(self.packed_len.to_le_bytes());
        body.extend(&self.packed);
        record(0x06, &body)
    }

    /// What an index says of it, at `offset`, with messages of these channels.
    pub(super) fn index(&self, offset: u64, channels: &[u16]) -> Vec<u8> {
        let len = self.record().len() as u64;
        let mut body = [self.start, self.end, offset, len].map(u64::to_le_bytes).concat();
        let each = channels.iter().flat_map(|c| [&c.to_le_bytes()[..], &[0; 8]].concat());
        body.extend(block(&each.collect::<Vec<u8>>()));
        body.extend(1_u64.to_le_bytes());
        body.extend(block(&self.compression));
        body.extend(self.packed_len.to_le_bytes());
        body.extend(self.size.to_le_bytes());
        record(0x08, &body)
    }
}

/// A channel `a` of `float64 x`, number 1.
pub(super) fn definitions() -> Vec<u8> {
    [schema(1, b"demo/msg/A", b"ros2msg", b"float64 x"), channel(1, 1, b"a", b"cdr")].concat()
}

/// Two messages of channel 1, at 1 and 2 ns.
pub(super) fn messages() -> Vec<u8> {
    [message(1, 0, 1, &PAYLOAD), message(1, 1, 2, &PAYLOAD)].concat()
}

pub(super) fn head() -> Vec<u8> {
    let mut bytes = records::MAGIC.to_vec();
    bytes.extend(record(0x01, &[block(b"ros2"), block(b"hostile")].concat()));
    bytes
}

/// A file of these records, closed, without a summary.
pub(super) fn file(parts: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = head();
    parts.iter().for_each(|part| bytes.extend(part));
    bytes.extend(record(0x0f, &[0; 4]));
    bytes.extend(footer(0, &[]));
    bytes
}

/// A file of one chunk with this content.
pub(super) fn chunk_file(content: &[u8]) -> Vec<u8> {
    file(&[Chunk::new(content, 1, 2).record()])
}

/// A summary that begins at `start`, its footer with the right checksum, and
/// the magic.
pub(super) fn footer(start: u64, summary: &[u8]) -> Vec<u8> {
    let mut tail = summary.to_vec();
    tail.push(0x02);
    tail.extend(20_u64.to_le_bytes());
    tail.extend(start.to_le_bytes());
    tail.extend(0_u64.to_le_bytes());
    let crc = if start == 0 { 0 } else { crc32fast::hash(&tail) };
    tail.extend(crc.to_le_bytes());
    tail.extend(records::MAGIC);
    tail
}

/// A statistics record with these counts by channel.
pub(super) fn statistics(channels: u32, chunks: u32, counts: &[(u16, u64)]) -> Vec<u8> {
    let all = counts.iter().fold(0_u64, |sum, (_, count)| sum.wrapping_add(*count));
    let mut body = all.to_le_bytes().to_vec();
    body.extend(1_u16.to_le_bytes());
    body.extend([channels, 0, 0, chunks].map(u32::to_le_bytes).concat());
    body.extend([0; 16]);
    let each = counts.iter().map(|(c, n)| [&c.to_le_bytes()[..], &n.to_le_bytes()].concat());
    body.extend(block(&each.collect::<Vec<_>>().concat()));
    record(0x0b, &body)
}

/// A file with a summary that carries a right checksum, made by `summary`
/// from the offset of each chunk.
pub(super) fn summed(chunks: &[Chunk], summary: impl FnOnce(&[u64]) -> Vec<u8>) -> Vec<u8> {
    let mut bytes = head();
    let mut offsets = Vec::new();
    for chunk in chunks {
        offsets.push(bytes.len() as u64);
        bytes.extend(chunk.record());
        bytes.extend(record(0x07, &[1, 0, 0, 0, 0, 0]));
    }
    bytes.extend(record(0x0f, &[0; 4]));
    let start = bytes.len() as u64;
    bytes.extend(footer(start, &summary(&offsets)));
    bytes
}
