//! Folders that lk writes.

use std::path::PathBuf;

use super::*;
use crate::dataset::rosbag2::{Reader, Writer};
use crate::dataset::{Backend, Channel, CreateOptions, Encoding, Role, conformance};

#[test]
fn a_folder_that_was_written_comes_back_and_conforms() {
    let folder = tempfile::tempdir().unwrap();
    let count = std::cell::Cell::new(0);
    let create = || {
        count.set(count.get() + 1);
        let path = folder.path().join(format!("bag{}", count.get()));
        Box::new(Writer::create(&path, CreateOptions::default()).unwrap()) as Box<dyn Backend>
    };
    let reopen = |mut backend: Box<dyn Backend>| {
        backend.close().unwrap();
        let path = PathBuf::from(backend.location());
        Box::new(Reader::open(&path).unwrap()) as Box<dyn Backend>
    };
    conformance::all(&conformance::Subject { create: &create, reopen: &reopen });
}

/// Old recordings have QoS policies as numbers, which version 9 names.
#[test]
fn what_metadata_says_is_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bag");
    let writer = Writer::create(&path, CreateOptions::default()).unwrap();
    let mut dataset = Dataset::with_backend(Box::new(writer));
    let schema = Schema::parse("demo/msg/Text", "string text").unwrap();
    let qos = "- history: 3\n  depth: 0\n  deadline:\n    sec: 2147483647\n  \
               avoid_ros_namespace_conventions: false";
    let metadata = [("offered_qos_profiles", qos), ("topic_type_hash", "RIHS01_0f")];
    let channel = Channel {
        key: "/a \"b\": [c]".to_owned(),
        encoding: Encoding::Cdr(schema.clone()),
        role: Role::None,
        metadata: metadata.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
    };
    let id = dataset.add_channel(channel).unwrap();
    for nanos in [70, 30, 50] {
        let payload = crate::codec::Plan::new(&schema).encode(&Value::default_of(&schema)).unwrap();
        dataset.write_payload(id, payload, Time::from_nanos(nanos)).unwrap();
    }
    dataset.close().unwrap();
    let text = std::fs::read_to_string(path.join(METADATA)).unwrap();
    assert_eq!(
        text,
        r#"rosbag2_bagfile_information:
  version: 9
  storage_identifier: mcap
  duration:
    nanoseconds: 40
  starting_time:
    nanoseconds_since_epoch: 30
  message_count: 3
  topics_with_message_count:
    - topic_metadata:
        name: "/a \"b\": [c]"
        type: "demo/msg/Text"
        serialization_format: "cdr"
        offered_qos_profiles:
          -
            history: unknown
            depth: 0
            deadline:
              sec: 2147483647
            avoid_ros_namespace_conventions: false
        type_description_hash: "RIHS01_0f"
      message_count: 3
  compression_format: ""
  compression_mode: ""
  relative_file_paths:
    - "bag_0.mcap"
  files:
    - path: "bag_0.mcap"
      starting_time:
        nanoseconds_since_epoch: 30
      duration:
        nanoseconds: 40
      message_count: 3
  custom_data: ~
  ros_distro: lk
"#
    );
    let integrity = Dataset::open(&path).unwrap().integrity();
    assert_eq!((integrity.problems.len(), integrity.notes), (0, Vec::new()));
}

#[test]
fn a_folder_that_is_there_is_never_written_into() {
    let folder = tempfile::tempdir().unwrap();
    let options = CreateOptions { overwrite: true, ..CreateOptions::default() };
    let error = Writer::create(folder.path(), options).map(drop).unwrap_err();
    assert!(error.to_string().starts_with("file exists"), "{error}");
}

#[test]
fn a_folder_that_was_never_closed_reads_as_one_without_metadata() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bag");
    let writer = Writer::create(&path, CreateOptions::default()).unwrap();
    let mut dataset = Dataset::with_backend(Box::new(writer));
    let schema = Schema::parse("demo/msg/Text", "string text").unwrap();
    dataset.write_value("a", &Value::default_of(&schema), Time::ZERO).unwrap();
    dataset.flush().unwrap();
    drop(dataset);
    let dataset = Dataset::open(&path).unwrap();
    assert_eq!(all(&dataset), items(&[("a", 0, 0)]));
    let integrity = dataset.integrity();
    assert!(integrity.problems[0].contains("cut off or never closed"), "{integrity:?}");
    assert_eq!(integrity.notes, ["there is no metadata.yaml"]);
}
