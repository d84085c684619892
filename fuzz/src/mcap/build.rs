//! A file put together by decisions: mostly right, with lies in any number.

use std::collections::BTreeMap;

use super::super::feed::Feed;
use super::records::{MAGIC, block, channel, map, message, record, schema};

/// The file, its checksums right unless decided otherwise.
pub(crate) fn file(feed: &mut Feed<'_>) -> Vec<u8> {
    let mut draft = Draft::default();
    draft.bytes.extend(MAGIC);
    draft.bytes.extend(record(0x01, &[block(b"ros2"), block(b"fuzz")].concat()));
    for _ in 0..feed.u8() % 16 {
        draft.part(feed);
    }
    draft.finish(feed)
}

#[derive(Default)]
struct Draft {
    bytes: Vec<u8>,
    /// Chunk index records.
    chunks: Vec<u8>,
    chunk_count: u32,
    /// Schemas and channels for the summary.
    schemas: Vec<u8>,
    channels: Vec<u8>,
    channel_count: u32,
    counts: BTreeMap<u16, u64>,
}

/// Mostly the truth.
fn lie(feed: &mut Feed<'_>, truth: u64) -> u64 {
    match feed.u8() {
        0xff => feed.u64(),
        0xfe => u64::MAX,
        0xfd => 1 << 40,
        0xfc => truth.wrapping_add(u64::from(feed.u8())),
        0xfb => truth.wrapping_sub(u64::from(feed.u8())),
        0xfa => 0,
        _ => truth,
    }
}

impl Draft {
    fn part(&mut self, feed: &mut Feed<'_>) {
        match feed.u8() % 12 {
            0..=5 => self.chunk(feed),
            6 | 7 => {
                let records = self.records(feed);
                self.bytes.extend(records);
            }
            8 => {
                let entries = map(&[(feed.block(), feed.block())]);
                let name = feed.choose(&[b"lk".as_slice(), b"other"]);
                self.bytes.extend(record(0x0c, &[block(name), entries].concat()));
            }
            9 => {
                let (op, body) = (feed.u8(), feed.block());
                self.bytes.extend(record(op, body));
            }
            10 => {
                let mut lying = record(feed.u8(), feed.block());
                let len = lie(feed, lying.len() as u64 - 9);
                lying[1..9].copy_from_slice(&len.to_le_bytes());
                self.bytes.extend(lying);
            }
            _ => self.bytes.extend_from_slice(feed.block()),
        }
    }

    /// Schemas, channels and messages, as they lie in a chunk or outside.
    fn records(&mut self, feed: &mut Feed<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        for _ in 0..feed.u8() % 24 {
            match feed.u8() % 16 {
                0 | 1 => {
                    let name =
                        feed.choose(&["fuzz/msg/A", "fuzz/msg/B", "", "std_msgs/msg/String"]);
                    let encoding = feed.choose(&["ros2msg", "ros2msg", "protobuf", ""]);
                    let text = feed.choose(&["float64 x", "string s\nA[] a", "", "uint8[] d"]);
                    let id = u16::from(feed.u8() % 4);
                    let schema = schema(id, name.as_bytes(), encoding.as_bytes(), text.as_bytes());
                    self.schemas.extend(&schema);
                    out.extend(schema);
                }
                2..=4 => {
                    let topic = feed.choose(&["a", "b", "a#2", "", "a/b c"]);
                    let encoding = feed.choose(&["cdr", "cdr", "json", ""]);
                    let (id, schema) = (u16::from(feed.u8() % 4), u16::from(feed.u8() % 4));
                    let channel = channel(id, schema, topic.as_bytes(), encoding.as_bytes());
                    self.channels.extend(&channel);
                    self.channel_count += 1;
                    out.extend(channel);
                }
                5 => {
                    let (op, body) = (feed.u8(), feed.block());
                    out.extend(record(op, body));
                }
                _ => {
                    let channel = u16::from(feed.u8() % 4);
                    let time = u64::from(feed.u8());
                    let time = lie(feed, time);
                    *self.counts.entry(channel).or_default() += 1;
                    let len = usize::from(feed.u8() % 12);
                    let sequence = feed.u8().into();
                    out.extend(message(channel, sequence, time, feed.take(len)));
                }
            }
        }
        out
    }

    fn chunk(&mut self, feed: &mut Feed<'_>) {
        let content = self.records(feed);
        let messages = messages(&content);
        let times = || messages.iter().map(|(_, time)| *time);
        let start = lie(feed, times().min().unwrap_or(0));
        let end = lie(feed, times().max().unwrap_or(0));
        let size = lie(feed, content.len() as u64);
        let crc = match feed.u8() {
            0xff => feed.u32(),
            0xfe => 0,
            _ => crc32fast::hash(&content),
        };
        let compression = feed.choose(&["", "zstd", "lz4", "snappy"]);
        let packed = match compression {
            "zstd" => zstd::bulk::compress(&content, 0).expect("it takes any bytes"),
            _ => content,
        };
        let packed_len = lie(feed, packed.len() as u64);
        let offset = self.bytes.len() as u64;
        let mut body = [start, end, size].map(u64::to_le_bytes).concat();
        body.extend(crc.to_le_bytes());
        body.extend(block(compression.as_bytes()));
        body.extend(packed_len.to_le_bytes());
        body.extend(packed);
        self.bytes.extend(record(0x06, &body));
        let record_len = self.bytes.len() as u64 - offset;
        // What the index says of it.
        let mut channels: Vec<u16> = messages.iter().map(|(channel, _)| *channel).collect();
        channels.sort_unstable();
        channels.dedup();
        if feed.u8() == 0xff {
            channels.pop();
        }
        let indexes: Vec<u8> =
            channels.iter().flat_map(|c| [&c.to_le_bytes()[..], &[0; 8]].concat()).collect();
        let mut index =
            [start, end, offset, record_len].map(|n| lie(feed, n).to_le_bytes()).concat();
        index.extend(block(&indexes));
        index.extend(lie(feed, 1).to_le_bytes());
        index.extend(block(compression.as_bytes()));
        index.extend(packed_len.to_le_bytes());
        index.extend(size.to_le_bytes());
        self.chunks.extend(record(0x08, &index));
        self.chunk_count += 1;
    }

    fn finish(mut self, feed: &mut Feed<'_>) -> Vec<u8> {
        let shape = feed.u8();
        if shape & 1 == 0 {
            let crc = if shape & 2 == 0 { 0 } else { crc32fast::hash(&self.bytes) };
            self.bytes.extend(record(0x0f, &crc.to_le_bytes()));
        }
        if shape & 0x1c == 0x1c {
            self.bytes.extend_from_slice(feed.rest());
            return self.bytes;
        }
        let start = self.bytes.len() as u64;
        let mut tail = [self.schemas, self.channels].concat();
        let mut body = lie(feed, self.counts.values().sum()).to_le_bytes().to_vec();
        body.extend(feed.u16().to_le_bytes());
        let channels = lie(feed, self.channel_count.into()) as u32;
        let chunks = lie(feed, self.chunk_count.into()) as u32;
        body.extend([channels, 0, 0, chunks].map(u32::to_le_bytes).concat());
        body.extend([0; 16]);
        let counts = self.counts.iter().flat_map(|(channel, &count)| {
            [&channel.to_le_bytes()[..], &lie(feed, count).to_le_bytes()].concat()
        });
        let counts: Vec<u8> = counts.collect();
        body.extend(block(&counts));
        tail.extend(record(0x0b, &body));
        tail.extend(self.chunks);
        tail.push(0x02);
        tail.extend(20_u64.to_le_bytes());
        tail.extend(lie(feed, start).to_le_bytes());
        tail.extend(feed.u64().to_le_bytes());
        let crc = if feed.u8() == 0xff { 0 } else { crc32fast::hash(&tail) };
        tail.extend(crc.to_le_bytes());
        tail.extend(MAGIC);
        self.bytes.extend(tail);
        self.bytes
    }
}

/// Channel and time of each message in a run of whole records.
fn messages(mut content: &[u8]) -> Vec<(u16, u64)> {
    let mut found = Vec::new();
    while let Some((head, rest)) = content.split_at_checked(9) {
        let len = head[1..].first_chunk().map_or(0, |len| u64::from_le_bytes(*len)) as usize;
        let body = &rest[..len.min(rest.len())];
        if let (0x05, Some((fields, _))) = (head[0], body.split_at_checked(22)) {
            let channel = u16::from_le_bytes([fields[0], fields[1]]);
            let time = fields[6..].first_chunk().map_or(0, |time| u64::from_le_bytes(*time));
            found.push((channel, time));
        }
        content = &rest[body.len()..];
    }
    found
}
