mod background;
mod damage;
mod damage_counts;
mod failing;
mod layout;
mod peer;
mod together;
mod writing;

use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::*;
use crate::dataset::{
    Backend, Channel, ChannelId, Dataset, Encoding, ForeignEncoding, Query, Role, Sample,
    conformance,
};
use crate::time::Time;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn at(nanos: i64) -> Time {
    Time::from_nanos(nanos)
}

fn text(key: &str) -> Channel {
    Channel {
        key: key.to_owned(),
        encoding: Encoding::Foreign(ForeignEncoding::untyped("text")),
        role: Role::None,
        metadata: Default::default(),
    }
}

/// The sample number `n`, whose payload tells which it is.
fn numbered(n: u32) -> Sample {
    let payload = Bytes::from(format!("{n} ").repeat(1 + n as usize % 40));
    let time = at(i64::from(n) * 10);
    Sample { time, publish_time: time, sequence: n, payload }
}

/// Chunks of about 2 KiB.
fn numbered_options(compression: Compression) -> CreateOptions {
    let defaults = CreateOptions::default();
    CreateOptions { compression, chunk_bytes: 2 << 10, overwrite: true, ..defaults }
}

/// A file of `count` numbered samples of two keys in chunks of about 2 KiB.
fn write_numbered(path: &Path, compression: Compression, count: u32) {
    let mut writer = Writer::create(path, numbered_options(compression)).unwrap();
    let ids = two_keys(&mut writer);
    for n in 0..count {
        writer.write(ids[n as usize % 2], numbered(n)).unwrap();
    }
    writer.close().unwrap();
}

fn two_keys(writer: &mut Writer) -> [ChannelId; 2] {
    ["a", "b"].map(|key| writer.add_channel(text(key)).unwrap())
}

fn open(path: &Path) -> crate::Result<Reader> {
    Reader::open(path, Limits::default())
}

/// What an iteration gives: the samples, and how many errors come between.
fn read(reader: &Reader) -> (Vec<(ChannelId, Sample)>, usize) {
    let (mut samples, mut errors) = (Vec::new(), 0);
    for item in reader.samples(&Query::default()).unwrap() {
        match item {
            Ok(sample) => samples.push(sample),
            Err(_) => errors += 1,
        }
    }
    (samples, errors)
}

fn sequences(samples: &[(ChannelId, Sample)]) -> Vec<u32> {
    samples.iter().map(|(_, sample)| sample.sequence).collect()
}

#[test]
fn mcap_conforms_in_every_compression() {
    for compression in [Compression::None, Compression::Lz4, Compression::Zstd] {
        let folder = folder();
        let count = std::cell::Cell::new(0);
        let create = || {
            count.set(count.get() + 1);
            let path = folder.path().join(format!("{}.mcap", count.get()));
            let options =
                CreateOptions { compression, chunk_bytes: 64 << 10, ..CreateOptions::default() };
            Box::new(Writer::create(&path, options).unwrap()) as Box<dyn Backend>
        };
        let reopen = |mut backend: Box<dyn Backend>| {
            backend.close().unwrap();
            let path = PathBuf::from(backend.location());
            Box::new(Reader::open(&path, Limits::default()).unwrap()) as Box<dyn Backend>
        };
        conformance::all(&conformance::Subject { create: &create, reopen: &reopen });
    }
}

#[test]
fn real_recordings_of_rosbag2_are_read() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/rosbag2/mcap");
    if !root.is_dir() {
        eprintln!("skipped: no {}", root.display());
        return;
    }
    let count = |name: &str| {
        assert!(!open(&root.join(name)).unwrap().is_surveyed(), "{name}: its summary is believed");
        let mut dataset = Dataset::open(root.join(name)).unwrap();
        let samples: Vec<_> =
            dataset.samples(&Query::default()).unwrap().collect::<Result<_, _>>().unwrap();
        assert!(samples.is_sorted_by_key(|(_, sample)| sample.time), "{name}");
        assert_eq!(dataset.len().unwrap(), samples.len() as u64, "{name}");
        let stats = dataset.stats().unwrap();
        let integrity = dataset.integrity();
        assert!(integrity.verified && integrity.problems.is_empty(), "{integrity:?}");
        assert_eq!(dataset.check().unwrap(), integrity, "{name}");
        assert_eq!(dataset.stats().unwrap(), stats, "{name}");
        for channel in dataset.channels() {
            let view = dataset.channel(&channel.key).unwrap();
            view.values().unwrap().for_each(|value| drop(value.unwrap()));
        }
        samples.len()
    };
    assert_eq!(count("talker/talker.mcap"), 20);
    let split = (0..5).map(|n| count(&format!("wbag/wbag_{n}.mcap")));
    assert_eq!(split.sum::<usize>(), 6074);
}
