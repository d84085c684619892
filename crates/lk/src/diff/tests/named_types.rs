//! Where definitions come from.

use crate::dataset::sqlite::tests::{FOXY, GALACTIC, IRON, Recording};
use crate::dataset::{Dataset, OpenOptions};
use crate::diff::{DiffResult, Policy, Verdict, diff};

/// `demo/msg/Pair`, of which a recording knows just the name.
fn pair(a: i32, b: i32) -> Vec<u8> {
    [&[0, 1, 0, 0][..], &a.to_le_bytes(), &b.to_le_bytes()].concat()
}

fn pairs(b: i32) -> Recording {
    let recording = Recording::new(&[FOXY, GALACTIC, IRON]);
    recording.topic(1, "/pair", "demo/msg/Pair");
    recording.message(1, 1, &pair(1, b));
    recording
}

fn compare(a: &Dataset, b: &Dataset) -> DiffResult {
    diff(a, b, &Policy::default()).unwrap()
}

#[track_caller]
fn said(dataset: &Dataset, note: &str) {
    let notes = dataset.integrity().notes;
    assert!(notes.iter().any(|said| said.contains(note)), "{note}: {notes:?}");
}

#[test]
fn what_the_recording_defines_is_taken_where_it_fits() {
    let recording = pairs(2);
    recording.define("demo/msg/Pair", "ros2msg", "int32 a\nint32 b");
    let dataset = recording.open();
    assert_eq!(
        dataset.channel("/pair").unwrap().schema().unwrap().to_msg_text(),
        "int32 a\nint32 b\n"
    );
    assert_eq!(dataset.integrity().notes, [""; 0]);
}

#[test]
fn a_folder_of_definitions_defines_what_the_recording_does_not() {
    let recording = pairs(2);
    // Stored, and not what the messages are.
    recording.define("demo/msg/Pair", "ros2msg", "uint8 a");
    let dataset = recording.open();
    let error = dataset.channel("/pair").unwrap().schema().unwrap_err().to_string();
    assert!(error.contains("definition doesn't fit its messages"), "{error}");
    for place in ["demo/Pair.msg", "demo/msg/Pair.msg", "Pair.msg"] {
        let msgs = tempfile::tempdir().unwrap();
        let path = msgs.path().join(place);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "int32 first\nint32 second\n").unwrap();
        let options = OpenOptions { msgs: Some(msgs.path().to_owned()) };
        let dataset = Dataset::open_with(recording.path(), &options).unwrap();
        let (_, value) =
            dataset.channel("/pair").unwrap().values().unwrap().next().unwrap().unwrap();
        assert_eq!(value.to_string(), "{first: 1, second: 2}");
        said(&dataset, &format!("demo/msg/Pair is read as {} defines it", msgs.path().display()));
    }
}

#[test]
fn a_definition_that_does_not_fit_or_cannot_be_read_is_not_used() {
    let recording = pairs(2);
    let msgs = tempfile::tempdir().unwrap();
    let options = OpenOptions { msgs: Some(msgs.path().to_owned()) };
    std::fs::write(msgs.path().join("Pair.msg"), "float64 a\nfloat64 b\n").unwrap();
    let dataset = Dataset::open_with(recording.path(), &options).unwrap();
    assert!(dataset.channel("/pair").unwrap().schema().is_err());
    std::fs::write(msgs.path().join("Pair.msg"), "float64 a b c\n").unwrap();
    let error = Dataset::open_with(recording.path(), &options).unwrap_err();
    assert!(error.to_string().contains("demo/msg/Pair"), "{error}");
    let options = OpenOptions { msgs: Some(msgs.path().join("none")) };
    let error = Dataset::open_with(recording.path(), &options).unwrap_err();
    assert!(error.to_string().contains("can't read"), "{error}");
}

#[test]
fn a_comparison_takes_definitions_from_the_other_side() {
    let (a, b) = (pairs(2), pairs(3));
    b.define("demo/msg/Pair", "ros2msg", "int32 a\nint32 b");
    let (mut a, b) = (a.open(), b.open());
    let unequal = compare(&a, &b);
    assert_eq!(unequal.verdict, Verdict::Incomparable, "one is bytes: {unequal:?}");
    a.define_types_as_in(&b).unwrap();
    let result = compare(&a, &b);
    assert_eq!(result.verdict, Verdict::Different);
    assert_eq!(result.first_divergence.unwrap().mismatch.path, "b");
    said(&a, "demo/msg/Pair is read as");
    assert!(
        result.notes.iter().any(|note| note.contains("demo/msg/Pair is read as")),
        "{:?}",
        result.notes
    );
}

#[test]
fn where_nothing_defines_a_type_payloads_are_compared_as_bytes_and_that_is_said() {
    let (mut a, mut same, other) = (open_kept(pairs(2)), open_kept(pairs(2)), open_kept(pairs(3)));
    a.0.define_types_as_in(&same.0).unwrap();
    same.0.define_types_as_in(&a.0).unwrap();
    let result = compare(&a.0, &same.0);
    assert_eq!(result.verdict, Verdict::Identical);
    assert!(
        result
            .notes
            .iter()
            .any(|n| n.contains("/pair: compared as bytes, since the recording doesn't define it")),
        "{:?}",
        result.notes
    );
    assert_eq!(compare(&a.0, &other.0).verdict, Verdict::Different);
}

/// The dataset, with what keeps its file there.
fn open_kept(recording: Recording) -> (Dataset, Recording) {
    (recording.open(), recording)
}
