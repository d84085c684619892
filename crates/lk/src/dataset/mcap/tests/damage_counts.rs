//! Thousands of files that were cut off, and thousands with a bit turned, in
//! each compression.

use std::collections::BTreeMap;

use super::damage::check_damaged;
use super::records::{
    ChannelRecord, ChunkHeader, ChunkIndex, MessageHeader, SchemaRecord, Statistics, put_block,
    put_record,
};
use super::*;
use crate::Schema;
use crate::testing::soak;

/// Samples of each file.
const COUNT: u32 = 60;

/// Damages of each kind and file.
fn damages() -> usize {
    if soak::is_on() { 10_000 } else { 1000 }
}

/// The files, by name, with their channels.
fn files() -> Vec<(String, Vec<u8>, [Channel; 2])> {
    let folder = folder();
    let path = folder.path().join("whole.mcap");
    let mut files = Vec::new();
    for compression in [Compression::None, Compression::Lz4, Compression::Zstd] {
        write_numbered(&path, compression, COUNT);
        let bytes = std::fs::read(&path).unwrap();
        files.push((format!("{compression:?}"), bytes, [text("a"), text("b")]));
    }
    files.push(("definitions outside of chunks".to_owned(), loose_definitions(), typed()));
    files
}

const MSG: &str = "uint8[] data\nstring unit";

fn typed() -> [Channel; 2] {
    ["a", "b"].map(|key| Channel {
        encoding: Encoding::Cdr(Schema::parse("demo/msg/Raw", MSG).unwrap()),
        ..text(key)
    })
}

/// A file whose schema and channels lie before its chunks, where no checksum
/// but that of the data section covers them.
fn loose_definitions() -> Vec<u8> {
    let mut definitions = Vec::new();
    let schema = SchemaRecord {
        id: 1,
        name: "demo/msg/Raw".to_owned(),
        encoding: "ros2msg".to_owned(),
        data: MSG.as_bytes().to_vec(),
    };
    schema.put(&mut definitions);
    for (id, topic) in [(1, "a"), (2, "b")] {
        let (topic, encoding) = (topic.to_owned(), "cdr".to_owned());
        let channel = ChannelRecord { id, schema: 1, topic, encoding, metadata: BTreeMap::new() };
        channel.put(&mut definitions);
    }
    let mut bytes = records::MAGIC.to_vec();
    put_record(&mut bytes, records::op::HEADER, |out| {
        put_block(out, b"ros2");
        put_block(out, b"a test");
    });
    bytes.extend(&definitions);
    let mut indexes = Vec::new();
    for numbers in (0..COUNT).collect::<Vec<_>>().chunks(10) {
        let mut content = Vec::new();
        for &n in numbers {
            let sample = numbered(n);
            let time = sample.time.as_nanos() as u64;
            let channel = n as u16 % 2 + 1;
            MessageHeader { channel, sequence: n, log_time: time, publish_time: time }
                .put(&sample.payload, &mut content);
        }
        let (start, end) = (u64::from(numbers[0]) * 10, u64::from(numbers[9]) * 10);
        let mut header = ChunkHeader {
            start,
            end,
            uncompressed_bytes: content.len() as u64,
            crc: crc32fast::hash(&content),
            compression: String::new(),
            compressed_bytes: content.len() as u64,
        };
        let offset = bytes.len() as u64;
        header.put(&mut bytes, |out| out.extend_from_slice(&content));
        indexes.push(ChunkIndex {
            start,
            end,
            offset,
            record_bytes: bytes.len() as u64 - offset,
            message_indexes: [(1, 0), (2, 0)].into(),
            message_index_bytes: 1,
            compression: String::new(),
            compressed_bytes: header.compressed_bytes,
            uncompressed_bytes: header.uncompressed_bytes,
        });
    }
    let crc = crc32fast::hash(&bytes);
    put_record(&mut bytes, records::op::DATA_END, |out| out.extend_from_slice(&crc.to_le_bytes()));
    let statistics = Statistics {
        messages: COUNT.into(),
        schemas: 1,
        channels: 2,
        chunks: indexes.len() as u32,
        messages_by_channel: [(1, u64::from(COUNT) / 2), (2, u64::from(COUNT) / 2)].into(),
        ..Statistics::default()
    };
    let start = bytes.len() as u64;
    let mut tail = definitions;
    statistics.put(&mut tail);
    indexes.iter().for_each(|index| index.put(&mut tail));
    tail.push(records::op::FOOTER);
    tail.extend(20_u64.to_le_bytes());
    tail.extend(start.to_le_bytes());
    tail.extend(0_u64.to_le_bytes());
    let crc = crc32fast::hash(&tail);
    tail.extend(crc.to_le_bytes());
    tail.extend(records::MAGIC);
    bytes.extend(tail);
    bytes
}

/// Damages the files so often, on two threads, and checks what is read.
/// Returns how many files opened, and how many of them gave all samples.
fn check(what: &str, damage: impl Fn(&[u8], usize) -> Vec<u8> + Sync) -> (usize, usize) {
    let counts = std::sync::Mutex::new((0, 0));
    for (name, bytes, channels) in files() {
        let half = |first: usize| {
            let folder = folder();
            let path = folder.path().join("damaged.mcap");
            for n in (first..damages()).step_by(2) {
                std::fs::write(&path, damage(&bytes, n)).unwrap();
                let context = format!("{name}, {what} {n} of {} bytes", bytes.len());
                if let Some(found) = check_damaged(&path, COUNT, &channels, &context) {
                    let mut counts = counts.lock().unwrap();
                    counts.0 += 1;
                    counts.1 += usize::from(found == COUNT);
                }
            }
        };
        std::thread::scope(|scope| {
            let other = scope.spawn(|| half(1));
            half(0);
            other.join().unwrap();
        });
        soak::count(&format!("{what}, {name}"), damages());
    }
    counts.into_inner().unwrap()
}

#[test]
fn a_file_cut_off_anywhere_never_gives_a_wrong_payload() {
    let cut = |bytes: &[u8], n: usize| bytes[..n * bytes.len() / damages()].to_vec();
    let (opened, whole) = check("truncations", cut);
    let all = 4 * damages();
    assert!(opened > all * 9 / 10 && whole < all / 2, "{opened} opened, {whole} whole");
}

#[test]
fn a_turned_bit_never_gives_a_wrong_payload() {
    // Spread over the file, and over the bits of its bytes.
    let turn = |bytes: &[u8], n: usize| {
        let bit = (n * bytes.len() * 8 + n * 3) / damages();
        let mut damaged = bytes.to_vec();
        damaged[bit / 8 % bytes.len()] ^= 1 << (bit % 8);
        damaged
    };
    let (opened, whole) = check("turned bits", turn);
    let all = 4 * damages();
    assert!(opened > all * 8 / 10 && whole < all * 9 / 10, "{opened} opened, {whole} whole");
}
