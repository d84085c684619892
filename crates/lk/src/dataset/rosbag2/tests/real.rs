//! Recordings of rosbag2 itself.

use std::path::PathBuf;

use super::*;

/// A recording in `../shared/data`; `None`, with a note, where there is none.
fn recording(name: &str) -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/rosbag2");
    if root.is_dir() {
        return Some(root.join(name));
    }
    eprintln!("skipped: no {}", root.display());
    None
}

#[test]
fn a_recording_whose_qos_texts_disagree_is_read_in_full() {
    let Some(path) = recording("mcap/talker") else { return };
    let dataset = Dataset::open(path).unwrap();
    assert_eq!(all(&dataset).len(), 20);
    let integrity = dataset.integrity();
    assert_eq!(integrity.problems, [""; 0]);
    assert_eq!(
        integrity.notes,
        [
            "metadata.yaml has other QoS profiles than the files for /rosout, /parameter_events, /topic"
        ]
    );
}

#[test]
fn a_split_recording_is_one_dataset() {
    let Some(path) = recording("mcap/wbag") else { return };
    let dataset = Dataset::open(&path).unwrap();
    let samples = all(&dataset);
    assert_eq!(samples.len(), 6074);
    assert!(samples.is_sorted_by_key(|(_, nanos, _)| *nanos));
    assert_eq!(dataset.keys().count(), 8);
    let integrity = dataset.integrity();
    assert!(integrity.verified && integrity.problems.is_empty(), "{integrity:?}");

    // The same as file after file: no file begins before the last has ended.
    let payloads = |path: PathBuf| -> Vec<_> {
        let dataset = Dataset::open(path).unwrap();
        let samples = dataset.samples(&Query::default()).unwrap();
        samples.map(|item| item.unwrap().1).map(|sample| (sample.time, sample.payload)).collect()
    };
    let parts: Vec<_> =
        (0..5).flat_map(|n| payloads(path.join(format!("wbag_{n}.mcap")))).collect();
    assert_eq!(payloads(path.clone()), parts);
    assert_eq!(
        integrity.notes,
        [
            "metadata.yaml begins at 0.000002623 s, the first message is at 0.000001000 s",
            "metadata.yaml is 411 ns long, the messages span 1998 ns",
        ]
    );
}
