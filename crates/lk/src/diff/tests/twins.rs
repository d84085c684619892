//! Recordings of rosbag2 itself, in both of its storage formats.

use std::path::PathBuf;

use crate::dataset::sqlite::tests::read;
use crate::dataset::{Dataset, Query};
use crate::diff::{Policy, Verdict, diff};

/// A recording in `../shared/data`; `None`, with a note, where there is none.
fn recording(storage: &str, name: &str) -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/rosbag2");
    if root.is_dir() {
        return Some(root.join(storage).join(name));
    }
    eprintln!("skipped: no {}", root.display());
    None
}

/// Both forms of a recording hold the same messages, one by one and as a
/// comparison has it; returns them with the notes of the SQLite form.
#[track_caller]
fn check_twins(name: &str, count: usize) -> Option<Vec<String>> {
    let (mcap, sqlite) = (recording("mcap", name)?, recording("sqlite3", name)?);
    let (mcap, sqlite) = (Dataset::open(mcap).unwrap(), Dataset::open(sqlite).unwrap());
    let without_numbers = |dataset: &Dataset| -> Vec<_> {
        let rows = read(dataset, &Query::default());
        rows.into_iter().map(|(key, nanos, _, payload)| (key, nanos, payload)).collect()
    };
    let rows = without_numbers(&sqlite);
    assert_eq!(rows.len(), count);
    assert!(rows == without_numbers(&mcap), "message by message, in the same order");
    let result = diff(&mcap, &sqlite, &Policy::default()).unwrap();
    assert_eq!(result.verdict, Verdict::Identical, "{:?}", result.notes);
    let compared: u64 = result.key_diffs.values().map(|diff| diff.messages.compared).sum();
    assert_eq!(compared, count as u64);
    let integrity = sqlite.integrity();
    assert_eq!(integrity.problems, [""; 0]);
    Some(integrity.notes)
}

#[test]
fn a_recording_whose_definitions_are_broken_is_read_by_the_common_types() {
    let Some(notes) = check_twins("talker", 20) else { return };
    let said = |what: &str| assert!(notes.iter().any(|n| n.contains(what)), "{what}: {notes:?}");
    said(
        "rcl_interfaces/msg/Log is read as ROS 2 commonly has it: the recording's definition doesn't fit",
    );
    said(
        "rcl_interfaces/msg/ParameterEvent is read as ROS 2 commonly has it: the recording's definition lacks rcl_interfaces/msg/Parameter",
    );
    said("metadata.yaml has other QoS profiles than the files for");
    assert_eq!(notes.len(), 3, "{notes:?}");
}

#[test]
fn a_split_recording_without_definitions_is_one_dataset() {
    let Some(notes) = check_twins("wbag", 6074) else { return };
    assert_eq!(
        notes,
        [
            "metadata.yaml begins at 0.000002623 s, the first message is at 0.000001000 s",
            "metadata.yaml is 411 ns long, the messages span 1998 ns",
            "std_msgs/msg/String is read as ROS 2 commonly has it: the recording doesn't define it",
        ]
    );
}
