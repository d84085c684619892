use std::path::Path;

use super::METADATA;
use crate::Schema;
use crate::dataset::{ChannelId, Dataset, Query, Sample};
use crate::error::Result;
use crate::time::Time;
use crate::value::Value;

mod compressed;
mod disagreement;
mod real;
mod writing;

/// Writes a file of samples: key, time in nanoseconds, sequence number. What
/// a message holds says where it was written.
fn write_part(path: &Path, samples: &[(&str, i64, u32)]) {
    let schema = Schema::parse("demo/msg/Text", "string text").unwrap();
    let mut dataset = Dataset::create(path).unwrap();
    for (n, &(key, nanos, sequence)) in samples.iter().enumerate() {
        let name = path.file_name().unwrap().to_string_lossy();
        let mut value = Value::default_of(&schema);
        value.set("text", format!("{name} {n}")).unwrap();
        let id = dataset.channel_for(key, &schema).unwrap();
        let time = Time::from_nanos(nanos);
        let payload = crate::codec::Plan::new(&schema).encode(&value).unwrap().into();
        let sample = Sample { time, publish_time: time, sequence, payload };
        dataset.write_sample(id, sample).unwrap();
    }
    dataset.close().unwrap();
}

fn write_metadata(folder: &Path, text: &str) {
    std::fs::write(folder.join(METADATA), text).unwrap();
}

/// What `metadata.yaml` of version 4 says, with `more` in it.
fn metadata(files: &[&str], more: &str) -> String {
    let files: String = files.iter().map(|file| format!("    - {file}\n")).collect();
    format!(
        "rosbag2_bagfile_information:\n  version: 4\n  storage_identifier: mcap\n  \
         relative_file_paths:\n{files}{more}"
    )
}

/// Key, time and number of each sample, in order.
fn read(dataset: &Dataset, query: &Query) -> Vec<(String, i64, u32)> {
    let key = |id: ChannelId| dataset.channels()[id.0 as usize].key.clone();
    let samples: Vec<_> = dataset.samples(query).unwrap().collect::<Result<_>>().unwrap();
    samples.into_iter().map(|(id, s)| (key(id), s.time.as_nanos(), s.sequence)).collect()
}

fn all(dataset: &Dataset) -> Vec<(String, i64, u32)> {
    read(dataset, &Query::default())
}

fn items(items: &[(&str, i64, u32)]) -> Vec<(String, i64, u32)> {
    items.iter().map(|&(key, nanos, number)| (key.to_owned(), nanos, number)).collect()
}

/// A folder of files with these samples, named `bag_0.mcap` and so on, all of
/// them listed.
fn folder(parts: &[&[(&str, i64, u32)]]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..parts.len()).map(|n| format!("bag_{n}.mcap")).collect();
    for (name, samples) in names.iter().zip(parts) {
        write_part(&folder.path().join(name), samples);
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    write_metadata(folder.path(), &metadata(&names, ""));
    folder
}

#[test]
fn files_are_one_dataset_in_time_order_with_ties_in_the_order_of_the_files() {
    let folder = folder(&[
        &[("a", 1, 0), ("b", 5, 0), ("a", 5, 1), ("b", 9, 1)],
        &[("b", 5, 2), ("a", 7, 2), ("c", 2, 0)],
        &[],
        &[("a", 5, 3), ("a", 20, 4)],
    ]);
    let mut dataset = Dataset::open(folder.path()).unwrap();
    assert_eq!(dataset.keys().collect::<Vec<_>>(), ["a", "b", "c"]);
    let expected = items(&[
        ("a", 1, 0),
        ("c", 2, 0),
        ("b", 5, 0),
        ("a", 5, 1),
        ("b", 5, 2),
        ("a", 5, 3),
        ("a", 7, 2),
        ("b", 9, 1),
        ("a", 20, 4),
    ]);
    assert_eq!(all(&dataset), expected);
    assert_eq!(dataset.len().unwrap(), 9);
    let integrity = dataset.integrity();
    assert!(integrity.verified && integrity.problems.is_empty(), "{integrity:?}");
    assert_eq!(dataset.check().unwrap(), integrity);

    for keys in [&["a"][..], &["b", "c"], &["c"]] {
        for (start, end) in [(None, None), (Some(5), None), (Some(2), Some(7)), (None, Some(1))] {
            let time = |nanos: Option<i64>| nanos.map(Time::from_nanos);
            let mut query = dataset.select(keys).unwrap();
            (query.start, query.end) = (time(start), time(end));
            let mut wanted = expected.clone();
            wanted.retain(|(key, nanos, _)| {
                keys.contains(&key.as_str())
                    && start.is_none_or(|start| *nanos >= start)
                    && end.is_none_or(|end| *nanos < end)
            });
            assert_eq!(read(&dataset, &query), wanted, "{query:?}");
        }
    }
}

#[test]
fn numbers_that_begin_anew_with_a_file_are_counted_on() {
    // One sample of `a` was lost at the end of the first file's count.
    let folder = folder(&[
        &[("a", 1, 0), ("a", 2, 2), ("once", 3, 0), ("zero", 3, 0), ("zero", 4, 0), ("on", 4, 7)],
        &[("a", 5, 0), ("a", 6, 1), ("once", 6, 0), ("zero", 6, 0), ("zero", 7, 0), ("on", 7, 8)],
        &[("a", 8, 0), ("once", 8, 0), ("zero", 8, 0), ("on", 9, 0)],
    ]);
    let dataset = Dataset::open(folder.path()).unwrap();
    let numbers = |key: &str, start: i64| {
        let query =
            Query { start: Some(Time::from_nanos(start)), ..dataset.select(&[key]).unwrap() };
        read(&dataset, &query).into_iter().map(|(_, _, number)| number).collect::<Vec<_>>()
    };
    assert_eq!(numbers("a", 0), [0, 2, 3, 4, 5]);
    assert_eq!(numbers("once", 0), [0, 1, 2]);
    assert_eq!(numbers("zero", 0), [0; 5], "its recorder gave no numbers");
    assert_eq!(numbers("on", 0), [7, 8, 9]);
    // Whatever is asked for, a sample has one number.
    assert_eq!(numbers("a", 6), [4, 5]);
}

#[test]
fn a_key_with_another_type_in_a_later_file_is_another_key() {
    let folder = folder(&[&[("a", 1, 0)], &[]]);
    let other = Schema::parse("demo/msg/Number", "float64 value").unwrap();
    let path = folder.path().join("bag_1.mcap");
    std::fs::remove_file(&path).unwrap();
    let mut part = Dataset::create(&path).unwrap();
    part.write_value("a", &Value::default_of(&other), Time::from_nanos(2)).unwrap();
    part.close().unwrap();
    let dataset = Dataset::open(folder.path()).unwrap();
    assert_eq!(all(&dataset), items(&[("a", 1, 0), ("a#2", 2, 0)]));
    let notes = dataset.integrity().notes;
    assert_eq!(
        notes,
        [
            "topic a has several types; one of them is read as a#2",
            "metadata.yaml doesn't list a, a#2"
        ]
    );
}

#[test]
fn a_damaged_file_is_named_and_the_rest_is_read() {
    let folder = folder(&[&[("a", 1, 0)], &[("a", 2, 1)], &[("a", 3, 2)]]);
    let path = folder.path().join("bag_1.mcap");
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 10]).unwrap();
    let integrity = Dataset::open(folder.path()).unwrap().integrity();
    assert!(integrity.problems[0].starts_with("bag_1.mcap: "), "{integrity:?}");
    std::fs::write(&path, &bytes[..40]).unwrap();
    assert_eq!(all(&Dataset::open(folder.path()).unwrap()), items(&[("a", 1, 0), ("a", 3, 2)]));
}

#[cfg(feature = "sqlite")]
#[test]
fn what_a_file_and_the_folder_both_find_is_said_once() {
    use crate::dataset::sqlite::tests::{FOXY, Recording};
    let recording = Recording::new(&[FOXY]);
    recording.topic(1, "/a", "std_msgs/msg/String");
    recording.topic(2, "/a", "std_msgs/msg/Bool");
    let folder = tempfile::tempdir().unwrap();
    for name in ["bag_0.db3", "bag_1.db3"] {
        std::fs::copy(recording.path(), folder.path().join(name)).unwrap();
    }
    let notes = Dataset::open(folder.path()).unwrap().integrity().notes;
    let twice = notes.iter().filter(|note| note.contains("has several types")).count();
    assert_eq!(twice, 1, "{notes:?}");
}
