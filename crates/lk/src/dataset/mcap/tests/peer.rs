//! The crate `mcap` reads what lk writes, and writes what lk reads.

use std::collections::BTreeMap;
use std::io::Cursor;

use ::mcap::{MessageStream, Summary, WriteOptions};

use super::*;
use crate::{Schema, Value};

#[test]
fn the_reference_implementation_reads_our_files() {
    let folder = folder();
    let path = folder.path().join("a.mcap");
    for compression in [Compression::None, Compression::Lz4, Compression::Zstd] {
        write_numbered(&path, compression, 1000);
        let bytes = std::fs::read(&path).unwrap();
        let messages: Vec<_> = MessageStream::new(&bytes).unwrap().map(Result::unwrap).collect();
        assert_eq!(messages.len(), 1000);
        for (n, message) in messages.iter().enumerate() {
            let sample = numbered(n as u32);
            assert_eq!(message.sequence, sample.sequence);
            assert_eq!(message.log_time, sample.time.as_nanos() as u64);
            assert_eq!(message.data[..], sample.payload[..]);
            assert_eq!(message.channel.topic, ["a", "b"][n % 2]);
            assert_eq!(message.channel.metadata["offered_qos_profiles"], "");
        }
        let summary = Summary::read(&bytes).unwrap().unwrap();
        let statistics = summary.stats.as_ref().unwrap();
        assert_eq!(statistics.message_count, 1000);
        assert_eq!(statistics.channel_message_counts, [(1, 500), (2, 500)].into());
        assert_eq!(statistics.chunk_count as usize, summary.chunk_indexes.len());
        assert_eq!(summary.metadata_indexes[0].name, "lk");
        // Every entry of every message index leads to its message.
        let mut indexed = 0;
        for chunk in &summary.chunk_indexes {
            for entries in summary.read_message_indexes(&bytes, chunk).unwrap().values() {
                for entry in entries {
                    let message = summary.seek_message(&bytes, chunk, entry).unwrap();
                    assert_eq!(message.log_time, entry.log_time);
                    indexed += 1;
                }
            }
        }
        assert_eq!(indexed, 1000);
    }
}

#[test]
fn types_are_written_as_ros_2_has_them() {
    let folder = folder();
    let path = folder.path().join("a.mcap");
    let schema = Schema::parse("demo/msg/Imu", "geometry_msgs/Vector3 gyro").unwrap();
    let mut dataset = Dataset::create(&path).unwrap();
    dataset.write_value("imu", &Value::default_of(&schema), at(5)).unwrap();
    dataset.close().unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let message = MessageStream::new(&bytes).unwrap().next().unwrap().unwrap();
    let written = message.channel.schema.as_ref().unwrap();
    assert_eq!(message.channel.message_encoding, "cdr");
    assert_eq!((written.name.as_str(), written.encoding.as_str()), ("demo/msg/Imu", "ros2msg"));
    assert_eq!(written.data, schema.to_msg_text().as_bytes());
    assert_eq!(message.data[..4], [0, 1, 0, 0]);
    assert_eq!(&bytes[17..25], b"\x04\0\0\0ros2");
}

/// A file of the reference implementation with every third message 1 s back,
/// so that its chunks overlap in time.
fn peer_file(options: WriteOptions) -> (Vec<u8>, Vec<u32>) {
    let mut writer = options.create(Cursor::new(Vec::new())).unwrap();
    let channel = writer.add_channel(0, "a", "text", &BTreeMap::new()).unwrap();
    let mut order = Vec::new();
    for n in 0..1000_u32 {
        let log_time = if n % 3 == 0 { u64::from(n) } else { u64::from(n) + 100 };
        order.push((log_time, n));
        let header = ::mcap::records::MessageHeader {
            channel_id: channel,
            sequence: n,
            log_time,
            publish_time: 7,
        };
        writer.write_to_known_channel(&header, &numbered(n).payload).unwrap();
    }
    writer.finish().unwrap();
    order.sort_by_key(|(time, _)| *time);
    let bytes = writer.into_inner().into_inner();
    (bytes, order.into_iter().map(|(_, n)| n).collect())
}

#[test]
fn files_of_the_reference_implementation_are_read() {
    use ::mcap::Compression::{Lz4, Zstd};
    let folder = folder();
    let path = folder.path().join("a.mcap");
    let small = || WriteOptions::new().chunk_size(Some(1000)).compression_threads(0);
    // What it writes, whether all of it has a checksum, and what is said.
    let cases: [(&str, WriteOptions, bool, &[&str]); 8] = [
        ("zstd", small().compression(Some(Zstd)), true, &[]),
        ("lz4", small().compression(Some(Lz4)), true, &[]),
        ("plain", small().compression(None), true, &[]),
        ("no indexes", small().emit_message_indexes(false), true, &[]),
        ("no summary", small().emit_summary_records(false).emit_summary_offsets(false), true, &[]),
        ("no checksum of the summary", small().calculate_summary_section_crc(false), true, &[]),
        ("unchunked", small().use_chunks(false), true, &[]),
        (
            "unchunked, no checksum",
            small().use_chunks(false).calculate_data_section_crc(false),
            false,
            &["messages outside of chunks have no checksum"],
        ),
    ];
    for (name, options, verified, problems) in cases {
        let (bytes, order) = peer_file(options);
        std::fs::write(&path, bytes).unwrap();
        let mut reader = open(&path).unwrap();
        let indexed = ["zstd", "lz4", "plain"].contains(&name);
        assert_eq!(reader.is_surveyed(), !indexed, "{name}: its summary is believed or not");
        let (samples, errors) = read(&reader);
        assert_eq!((sequences(&samples), errors), (order, 0), "{name}");
        for (_, sample) in &samples {
            assert_eq!(sample.payload, numbered(sample.sequence).payload, "{name}");
            assert_eq!(sample.publish_time, at(7), "{name}");
        }
        let stats = reader.stats().unwrap();
        assert_eq!(stats[0].count, 1000, "{name}");
        assert_eq!((stats[0].first, stats[0].last), (Some(at(0)), Some(at(1098))), "{name}");
        let integrity = reader.integrity();
        assert_eq!((integrity.verified, &integrity.problems[..]), (verified, &problems.map()[..]));
        assert_eq!(reader.check().unwrap(), integrity, "{name}");
        assert_eq!(reader.stats().unwrap(), stats, "{name}");
    }
}

#[test]
fn chunks_without_checksums_are_called_unverified() {
    let folder = folder();
    let path = folder.path().join("a.mcap");
    let options = WriteOptions::new().calculate_chunk_crcs(false).chunk_size(Some(10_000));
    std::fs::write(&path, peer_file(options).0).unwrap();
    let reader = open(&path).unwrap();
    assert_eq!(read(&reader).0.len(), 1000);
    let integrity = reader.integrity();
    assert!(!integrity.verified);
    assert!(integrity.problems[0].ends_with("chunks have no checksum"), "{integrity:?}");
}

#[test]
fn damage_outside_of_chunks_drops_what_can_not_be_told_apart() {
    let folder = folder();
    let path = folder.path().join("a.mcap");
    let (mut bytes, _) = peer_file(WriteOptions::new().use_chunks(false));
    let payload = bytes.windows(8).position(|window| window == b"999 999 ").unwrap();
    bytes[payload] = b'8';
    std::fs::write(&path, bytes).unwrap();
    let reader = open(&path).unwrap();
    let (samples, errors) = read(&reader);
    assert_eq!((samples.len(), errors), (0, 0));
    let integrity = reader.integrity();
    assert_eq!(integrity.lost_samples, Some(1000), "{integrity:?}");
}

#[test]
fn times_beyond_what_lk_can_hold_are_told() {
    let folder = folder();
    let path = folder.path().join("a.mcap");
    let mut writer = WriteOptions::new().create(Cursor::new(Vec::new())).unwrap();
    let channel_id = writer.add_channel(0, "a", "text", &BTreeMap::new()).unwrap();
    for (sequence, log_time) in [(0, 5), (1, u64::MAX), (2, 7)] {
        let header = ::mcap::records::MessageHeader {
            channel_id,
            sequence,
            log_time,
            publish_time: u64::MAX,
        };
        writer.write_to_known_channel(&header, b"x").unwrap();
    }
    writer.finish().unwrap();
    std::fs::write(&path, writer.into_inner().into_inner()).unwrap();
    let mut reader = open(&path).unwrap();
    assert_eq!(read(&reader).1, 1);
    let integrity = reader.check().unwrap();
    assert_eq!(integrity.lost_samples, Some(1), "{integrity:?}");
    let (samples, errors) = read(&reader);
    assert_eq!((sequences(&samples), errors), (vec![0, 2], 0));
    assert_eq!(samples[0].1.publish_time, Time::MAX);
}

/// A file of the reference implementation with things beside its message.
fn peer_file_with_extras() -> Vec<u8> {
    let mut writer = WriteOptions::new().create(Cursor::new(Vec::new())).unwrap();
    let channel_id = writer.add_channel(0, "a", "text", &BTreeMap::new()).unwrap();
    let header =
        ::mcap::records::MessageHeader { channel_id, sequence: 0, log_time: 5, publish_time: 5 };
    let attachment = |name: &str, data: Vec<u8>| ::mcap::Attachment {
        log_time: 7,
        create_time: 3,
        name: name.to_owned(),
        media_type: "text/plain".to_owned(),
        data: data.into(),
    };
    writer.attach(&attachment("left.yaml", vec![b'l'; 3000])).unwrap();
    writer.write_to_known_channel(&header, b"x").unwrap();
    let metadata = [("version".to_owned(), "9".to_owned())].into();
    let metadata = ::mcap::records::Metadata { name: "rosbag2".to_owned(), metadata };
    writer.write_metadata(&metadata).unwrap();
    writer.attach(&attachment("right.yaml", Vec::new())).unwrap();
    writer.finish().unwrap();
    writer.into_inner().into_inner()
}

#[test]
fn attachments_and_metadata_of_others_are_copied() {
    let folder = folder();
    let (path, copied) = (folder.path().join("a.mcap"), folder.path().join("b.mcap"));
    std::fs::write(&path, peer_file_with_extras()).unwrap();
    let source = Dataset::open(&path).unwrap();
    let names: Vec<String> = source.extras().map(|extra| extra.unwrap().describe()).collect();
    assert_eq!(names, ["attachment left.yaml", "metadata record rosbag2", "attachment right.yaml"]);
    let mut copy = Dataset::create(&copied).unwrap();
    let outcome = copy.copy_from(&source).unwrap();
    assert_eq!((outcome.samples, outcome.left_out.len()), (1, 0));
    copy.close().unwrap();

    let bytes = std::fs::read(&copied).unwrap();
    let summary = Summary::read(&bytes).unwrap().unwrap();
    let statistics = summary.stats.as_ref().unwrap();
    assert_eq!((statistics.attachment_count, statistics.metadata_count), (2, 2));
    let left = ::mcap::read::attachment(&bytes, &summary.attachment_indexes[0]).unwrap();
    assert_eq!((left.name.as_str(), left.media_type.as_str()), ("left.yaml", "text/plain"));
    assert_eq!((left.log_time, left.create_time, &left.data[..]), (7, 3, &[b'l'; 3000][..]));
    let right = ::mcap::read::attachment(&bytes, &summary.attachment_indexes[1]).unwrap();
    assert_eq!((right.name.as_str(), right.data.len()), ("right.yaml", 0));
    let rosbag2 = summary.metadata_indexes.iter().find(|index| index.name == "rosbag2").unwrap();
    let rosbag2 = ::mcap::read::metadata(&bytes, rosbag2).unwrap();
    assert_eq!(rosbag2.metadata["version"], "9");
}

#[test]
fn what_can_not_be_copied_is_named() {
    let folder = folder();
    let path = folder.path().join("a.mcap");
    let mut bytes = peer_file_with_extras();
    let data = bytes.windows(8).position(|window| window == b"llllllll").unwrap();
    bytes[data] = b'r';
    std::fs::write(&path, bytes).unwrap();
    let source = Dataset::open(&path).unwrap();
    let mut copy = Dataset::create(folder.path().join("b.mcap")).unwrap();
    let left_out = copy.copy_from(&source).unwrap().left_out;
    assert_eq!(left_out.len(), 1, "{left_out:?}");
    assert!(
        left_out[0].contains("attachment left.yaml doesn't match its checksum"),
        "{left_out:?}"
    );
    assert_eq!(copy.stats().unwrap()[0].count, 1);

    let mut pickle = Dataset::create(folder.path().join("b.pkl")).unwrap();
    let left_out = pickle.copy_from(&source).unwrap().left_out;
    assert_eq!(left_out.len(), 3, "{left_out:?}");
    let expected = "metadata record rosbag2: there is no place for it in this format";
    assert_eq!(left_out[1], expected);
}

trait Strings {
    fn map(&self) -> Vec<String>;
}

impl Strings for &[&str] {
    fn map(&self) -> Vec<String> {
        self.iter().map(|text| (*text).to_owned()).collect()
    }
}
