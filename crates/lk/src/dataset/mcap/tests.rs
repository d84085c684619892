use std::path::PathBuf;

use super::*;
use crate::dataset::{Backend, Dataset, Query, conformance};

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
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
