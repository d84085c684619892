//! Channels, schemas and chunks in arrangements that other writers, or
//! nobody sane, would choose.

use std::collections::BTreeMap;

use super::super::records::{
    ChannelRecord, ChunkHeader, ChunkIndex, MAGIC, MessageHeader, SchemaRecord, Statistics, op,
    put_block, put_record,
};
use super::*;

/// A file put together by hand.
pub(super) struct Draft {
    bytes: Vec<u8>,
    chunks: Vec<ChunkIndex>,
    summary: Vec<u8>,
    counts: BTreeMap<u16, u64>,
}

impl Draft {
    pub(super) fn new() -> Draft {
        let mut bytes = MAGIC.to_vec();
        put_record(&mut bytes, op::HEADER, |out| {
            put_block(out, b"");
            put_block(out, b"a test");
        });
        Draft { bytes, chunks: Vec::new(), summary: Vec::new(), counts: BTreeMap::new() }
    }

    /// A chunk of these records, which says that it has these times.
    pub(super) fn chunk(&mut self, times: (u64, u64), fill: impl FnOnce(&mut Vec<u8>)) {
        let mut content = Vec::new();
        fill(&mut content);
        for record in records::Records::new(&content) {
            let record = record.ok().unwrap();
            if record.op == op::MESSAGE {
                let header = MessageHeader::parse(record.body).unwrap();
                *self.counts.entry(header.channel).or_default() += 1;
            }
        }
        let mut header = ChunkHeader {
            start: times.0,
            end: times.1,
            uncompressed_bytes: content.len() as u64,
            crc: crc32fast::hash(&content),
            compression: String::new(),
            compressed_bytes: content.len() as u64,
        };
        let offset = self.bytes.len() as u64;
        header.put(&mut self.bytes, |out| out.extend_from_slice(&content));
        let channels = self.counts.keys().map(|&channel| (channel, 1)).collect();
        self.chunks.push(ChunkIndex {
            start: times.0,
            end: times.1,
            offset,
            record_bytes: self.bytes.len() as u64 - offset,
            message_indexes: channels,
            message_index_bytes: 1,
            compression: String::new(),
            compressed_bytes: header.compressed_bytes,
            uncompressed_bytes: header.uncompressed_bytes,
        });
    }

    /// Ends the file, with a summary that agrees with what was written or
    /// with none.
    pub(super) fn finish(mut self, path: &Path, with_summary: bool) {
        put_record(&mut self.bytes, op::DATA_END, |out| out.extend_from_slice(&[0; 4]));
        let summary_start = self.bytes.len() as u64;
        let mut tail = self.summary;
        let channels = records::Records::new(&tail)
            .filter(|record| record.as_ref().is_ok_and(|record| record.op == op::CHANNEL))
            .count();
        let statistics = Statistics {
            messages: self.counts.values().sum(),
            channels: channels as u32,
            chunks: self.chunks.len() as u32,
            messages_by_channel: self.counts,
            ..Statistics::default()
        };
        statistics.put(&mut tail);
        self.chunks.iter().for_each(|chunk| chunk.put(&mut tail));
        tail.push(op::FOOTER);
        tail.extend_from_slice(&20_u64.to_le_bytes());
        tail.extend_from_slice(&summary_start.to_le_bytes());
        tail.extend_from_slice(&0_u64.to_le_bytes());
        let crc = crc32fast::hash(&tail);
        tail.extend_from_slice(&crc.to_le_bytes());
        tail.extend_from_slice(&MAGIC);
        if with_summary {
            self.bytes.extend(tail);
        }
        std::fs::write(path, self.bytes).unwrap();
    }
}

fn schema(id: u16, name: &str, encoding: &str, data: &str) -> SchemaRecord {
    let (name, encoding) = (name.to_owned(), encoding.to_owned());
    SchemaRecord { id, name, encoding, data: data.as_bytes().to_vec() }
}

pub(super) fn channel(id: u16, schema: u16, topic: &str, encoding: &str) -> ChannelRecord {
    let (topic, encoding) = (topic.to_owned(), encoding.to_owned());
    ChannelRecord { id, schema, topic, encoding, metadata: BTreeMap::new() }
}

pub(super) fn message(out: &mut Vec<u8>, channel: u16, sequence: u32, log_time: u64) {
    MessageHeader { channel, sequence, log_time, publish_time: log_time }.put(b"\0\x01\0\0x", out);
}

#[test]
fn topics_with_several_types_are_told_apart_and_equal_ones_merged() {
    let folder = folder();
    let path = folder.path().join("a.mcap");
    for with_summary in [false, true] {
        let mut draft = Draft::new();
        let define = |out: &mut Vec<u8>| {
            schema(1, "demo/msg/A", "ros2msg", "float64 x").put(out);
            schema(2, "demo/msg/A", "ros2msg", "float64 x # the same").put(out);
            schema(3, "demo/msg/A", "ros2msg", "float32 x").put(out);
            channel(1, 1, "/a", "cdr").put(out);
            channel(2, 2, "/a", "cdr").put(out);
            channel(3, 3, "/a", "cdr").put(out);
            channel(4, 0, "/a", "json").put(out);
            channel(5, 0, "/a#2", "json").put(out);
        };
        define(&mut draft.summary);
        draft.chunk((1, 5), |out| {
            define(out);
            for (n, id) in [1, 2, 3, 4, 5].into_iter().enumerate() {
                message(out, id, n as u32, n as u64 + 1);
            }
        });
        draft.finish(&path, with_summary);
        let reader = open(&path).unwrap();
        let keys: Vec<&str> = reader.channels().iter().map(|c| c.key.as_str()).collect();
        assert_eq!(keys, ["/a", "/a#3", "/a#4", "/a#2"], "{with_summary}");
        let (samples, errors) = read(&reader);
        assert_eq!(errors, 0);
        let ids: Vec<u32> = samples.iter().map(|(id, _)| id.0).collect();
        assert_eq!(ids, [0, 0, 1, 2, 3]);
        let notes = reader.integrity().problems;
        assert!(notes.iter().any(|note| note.contains("is read as /a#3")), "{notes:?}");
        assert_eq!(reader.stats().unwrap()[0].count, 2);
    }
}

#[test]
fn what_lk_can_not_decode_is_passed_through_with_the_reason() {
    let folder = folder();
    let path = folder.path().join("a.mcap");
    let mut draft = Draft::new();
    draft.chunk((0, 0), |out| {
        schema(1, "a/msg/A", "ros2idl", "struct A {};").put(out);
        schema(2, "a/msg/B", "ros2msg", "nonsense").put(out);
        schema(3, "C", "protobuf", "\0").put(out);
        channel(1, 1, "idl", "cdr").put(out);
        channel(2, 2, "broken", "cdr").put(out);
        channel(3, 3, "proto", "protobuf").put(out);
        channel(4, 9, "missing", "cdr").put(out);
        channel(5, 0, "none", "cdr").put(out);
        channel(6, 0, "nothing", "").put(out);
        message(out, 2, 0, 0);
    });
    draft.finish(&path, false);
    let reader = open(&path).unwrap();
    let reasons: Vec<(String, String)> = reader
        .channels()
        .iter()
        .map(|channel| match &channel.encoding {
            Encoding::Foreign(foreign) => (channel.key.clone(), foreign.reason.clone()),
            Encoding::Cdr(schema) => panic!("{} is {}", channel.key, schema.name()),
        })
        .collect();
    let reason = |key: &str| &reasons.iter().find(|(k, _)| k == key).unwrap().1;
    assert_eq!(reason("idl"), "its schema is `ros2idl`, not ros2msg");
    assert!(reason("broken").starts_with("its schema can't be read: "), "{}", reason("broken"));
    if cfg!(feature = "protobuf") {
        assert_eq!(reason("proto"), "its type is found where it is shown or compared");
    } else {
        assert!(reason("proto").contains("protobuf"), "{}", reason("proto"));
    }
    assert_eq!(reason("missing"), "its schema, number 9, is missing from the file");
    assert_eq!(reason("none"), "it has no schema");
    assert_eq!(reason("nothing"), "lk passes an unnamed encoding through");
    assert_eq!(read(&reader).0[0].1.payload[..], *b"\0\x01\0\0x");
}

#[test]
fn one_number_for_two_channels_is_an_error() {
    let folder = folder();
    let path = folder.path().join("a.mcap");
    let draft = |with_summary| {
        let mut draft = Draft::new();
        channel(1, 0, "a", "json").put(&mut draft.summary);
        for (n, topic) in ["a", "b"].into_iter().enumerate() {
            let time = n as u64;
            draft.chunk((time, time), |out| {
                channel(1, 0, topic, "json").put(out);
                message(out, 1, n as u32, time);
            });
        }
        draft.finish(&path, with_summary);
    };
    draft(false);
    let error = open(&path).err().unwrap().to_string();
    assert!(error.contains("channel 1 is both a and another b"), "{error}");
    // A summary that knows of one only: reading comes upon the other.
    draft(true);
    let mut reader = open(&path).unwrap();
    let (samples, errors) = read(&reader);
    assert_eq!((sequences(&samples), errors), (vec![0], 1));
    assert!(reader.check().is_err());
}

#[test]
fn messages_of_an_unknown_channel_are_counted_as_lost() {
    let folder = folder();
    let path = folder.path().join("a.mcap");
    let mut draft = Draft::new();
    draft.chunk((0, 2), |out| {
        channel(1, 0, "a", "json").put(out);
        message(out, 1, 0, 0);
        message(out, 7, 1, 1);
        message(out, 1, 2, 2);
    });
    draft.finish(&path, false);
    let reader = open(&path).unwrap();
    let (samples, errors) = read(&reader);
    assert_eq!((sequences(&samples), errors), (vec![0, 2], 0));
    assert_eq!(reader.integrity().lost_samples, Some(1));
    assert_eq!(reader.stats().unwrap()[0].count, 2);
}

#[test]
fn a_chunk_that_lies_about_its_times_is_never_read_out_of_order() {
    let folder = folder();
    let path = folder.path().join("a.mcap");
    for with_summary in [false, true] {
        let mut draft = Draft::new();
        channel(1, 0, "a", "json").put(&mut draft.summary);
        draft.chunk((10, 20), |out| {
            channel(1, 0, "a", "json").put(out);
            message(out, 1, 0, 10);
            message(out, 1, 1, 20);
        });
        draft.chunk((30, 40), |out| {
            message(out, 1, 2, 15);
            message(out, 1, 3, 40);
        });
        draft.finish(&path, with_summary);
        let mut reader = open(&path).unwrap();
        let (samples, errors) = read(&reader);
        if with_summary {
            // The index is believed until the chunk shows otherwise.
            assert_eq!((sequences(&samples), errors), (vec![0, 1, 3], 1));
            reader.check().unwrap();
        }
        let (samples, errors) = read(&reader);
        assert_eq!((sequences(&samples), errors), (vec![0, 2, 1, 3], 0));
        let problems = reader.integrity().problems;
        assert!(
            problems.iter().any(|p| p.starts_with("1 chunks declare times that")),
            "{problems:?}"
        );
    }
}

#[test]
fn a_query_by_time_passes_over_no_chunk_that_lies_about_its_times() {
    let folder = folder();
    let path = folder.path().join("a.mcap");
    for with_indexes in [false, true] {
        let mut draft = Draft::new();
        channel(1, 0, "a", "json").put(&mut draft.summary);
        let mut chunk = |declared: (u64, u64), first: u32, times: [u64; 2]| {
            draft.chunk(declared, |out| {
                channel(1, 0, "a", "json").put(out);
                message(out, 1, first, times[0]);
                message(out, 1, first + 1, times[1]);
            });
            if with_indexes {
                put_record(&mut draft.bytes, op::MESSAGE_INDEX, |out| {
                    out.extend_from_slice(&1_u16.to_le_bytes());
                    out.extend_from_slice(&32_u32.to_le_bytes());
                    for time in times {
                        out.extend_from_slice(&time.to_le_bytes());
                        out.extend_from_slice(&0_u64.to_le_bytes());
                    }
                });
            }
        };
        chunk((10, 20), 0, [10, 20]);
        chunk((30, 40), 2, [15, 40]);
        chunk((50, 60), 4, [50, 90]);
        draft.finish(&path, true);
        let reader = open(&path).unwrap();
        assert!(!reader.is_surveyed(), "the summary is believed");
        let numbers = |start: i64, end: i64| {
            let time = |nanos| Some(Time::from_nanos(nanos));
            let query = Query { start: time(start), end: time(end), ..Query::default() };
            let samples = reader.samples(&query).unwrap();
            samples.map(|item| item.unwrap().1.sequence).collect::<Vec<_>>()
        };
        assert_eq!(numbers(0, 18), [0, 2], "{with_indexes}");
        assert_eq!(numbers(80, 100), [5], "{with_indexes}");
        assert_eq!(numbers(0, 100), [0, 2, 1, 3, 4, 5], "{with_indexes}");
        let problems = reader.integrity().problems;
        assert!(
            problems.iter().any(|p| p.starts_with("2 chunks declare times that")),
            "{problems:?}"
        );
    }
}

#[test]
fn memory_is_bounded_by_the_chunks_that_overlap() {
    let folder = folder();
    let path = folder.path().join("a.mcap");
    write_numbered(&path, Compression::Zstd, 2000);
    let limits = Limits { open_bytes: 5 << 10, ..Limits::default() };
    let reader = Reader::open(&path, limits).unwrap();
    assert!(reader.pieces().iter().map(|piece| piece.content_bytes).sum::<u64>() > 50 << 10);
    assert_eq!((read(&reader).0.len(), read(&reader).1), (2000, 0));

    // Ten chunks at one time, of which the limit takes two.
    let mut draft = Draft::new();
    for n in 0..10 {
        draft.chunk((0, 100), |out| {
            channel(1, 0, "a", "json").put(out);
            for time in 0..100 {
                message(out, 1, n, time);
            }
        });
    }
    draft.finish(&path, false);
    assert_eq!(read(&open(&path).unwrap()).0.len(), 1000);
    let limits = Limits { open_bytes: 10 << 10, ..Limits::default() };
    let reader = Reader::open(&path, limits).unwrap();
    let error = reader.samples(&Query::default()).unwrap().find_map(Result::err).unwrap();
    assert!(matches!(error, crate::Error::Limit { .. }), "{error}");
}

#[test]
fn many_chunks_that_overlap_are_read_in_bounded_memory() {
    let folder = folder();
    let path = folder.path().join("a.mcap");
    let mut draft = Draft::new();
    // 40 chunks over the same times, and some after them.
    for n in 0..50 {
        let start = u64::from(n / 40) * 1_000;
        draft.chunk((start, start + 100), |out| {
            channel(1, 0, "a", "json").put(out);
            for time in 0..100 {
                message(out, 1, n, start + time);
            }
        });
    }
    draft.finish(&path, false);
    let all = read(&open(&path).unwrap());
    let whole = open(&path).unwrap().pieces()[0].content_bytes;
    // No room for more than one of them, and for one message of the others.
    let kept_bytes = whole + 100;
    let reader = Reader::open(&path, Limits { kept_bytes, ..Limits::default() }).unwrap();
    assert_eq!(read(&reader), all);
    let mut merge = merge::Merge::new(&reader, reader.pieces(), &Query::default(), None);
    let mut most = 0;
    while merge.next().is_some() {
        most = most.max(merge.open_bytes());
    }
    // As much of each as lets it be unpacked again no more than 16 times.
    assert!((whole..whole + 50 * (100 + whole / 16)).contains(&most), "{most} of {whole}");
}

#[test]
fn a_sparse_key_is_read_without_unpacking_the_rest() {
    let folder = folder();
    let path = folder.path().join("a.mcap");
    write_numbered(&path, Compression::Zstd, 2000);
    let reader = open(&path).unwrap();
    let all = reader.pieces().len();
    let query = Query { start: Some(at(500)), end: Some(at(600)), ..Query::default() };
    let merge = merge::Merge::new(&reader, reader.pieces(), &query, None);
    assert!(merge.waiting() < all / 5, "{} of {all}", merge.waiting());
    let query = Query { channels: Some(Vec::new()), ..Query::default() };
    assert_eq!(merge::Merge::new(&reader, reader.pieces(), &query, None).waiting(), 0);
}
