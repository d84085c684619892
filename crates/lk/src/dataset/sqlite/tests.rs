use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::Reader;
use crate::Schema;
use crate::codec::Plan;
use crate::dataset::{Dataset, Encoding, Query};
use crate::time::Time;
use crate::value::Value;

mod broken;
mod hostile;

/// The tables of ROS 2 Foxy, of Galactic, and of Iron and later.
pub(crate) const FOXY: &str = "
    CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT NOT NULL, type TEXT NOT NULL,
        serialization_format TEXT NOT NULL);
    CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER NOT NULL,
        timestamp INTEGER NOT NULL, data BLOB NOT NULL);
    CREATE INDEX timestamp_idx ON messages (timestamp ASC);";
pub(crate) const GALACTIC: &str =
    "ALTER TABLE topics ADD COLUMN offered_qos_profiles TEXT DEFAULT '';";
pub(crate) const IRON: &str = "
    CREATE TABLE schema(schema_version INTEGER PRIMARY KEY, ros_distro TEXT NOT NULL);
    CREATE TABLE metadata(id INTEGER PRIMARY KEY, metadata_version INTEGER NOT NULL,
        metadata TEXT NOT NULL);
    CREATE TABLE message_definitions(id INTEGER PRIMARY KEY, topic_type TEXT NOT NULL,
        encoding TEXT NOT NULL, encoded_message_definition TEXT NOT NULL,
        type_description_hash TEXT NOT NULL);
    ALTER TABLE topics ADD COLUMN type_description_hash TEXT DEFAULT '';
    INSERT INTO schema VALUES (4, 'jazzy');";

/// A recording to fill, in a folder of its own.
pub(crate) struct Recording {
    folder: tempfile::TempDir,
    connection: Connection,
}

impl Recording {
    pub(crate) fn new(tables: &[&str]) -> Recording {
        let folder = tempfile::tempdir().unwrap();
        let connection = Connection::open(folder.path().join("bag.db3")).unwrap();
        connection.execute_batch(&tables.concat()).unwrap();
        Recording { folder, connection }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("bag.db3")
    }

    pub(crate) fn topic(&self, number: i64, name: &str, type_name: &str) {
        let sql =
            "INSERT INTO topics(id, name, type, serialization_format) VALUES (?, ?, ?, 'cdr')";
        self.connection.execute(sql, (number, name, type_name)).unwrap();
    }

    pub(crate) fn define(&self, type_name: &str, encoding: &str, text: &str) {
        let sql = "INSERT INTO message_definitions(topic_type, encoding, \
                   encoded_message_definition, type_description_hash) VALUES (?, ?, ?, '')";
        self.connection.execute(sql, (type_name, encoding, text)).unwrap();
    }

    pub(crate) fn message(&self, topic: i64, nanos: i64, data: &[u8]) {
        let sql = "INSERT INTO messages(topic_id, timestamp, data) VALUES (?, ?, ?)";
        self.connection.execute(sql, (topic, nanos, data)).unwrap();
    }

    pub(crate) fn open(&self) -> Dataset {
        Dataset::open(self.path()).unwrap()
    }
}

/// A message of `std_msgs/msg/String`, by its bytes.
fn string(text: &str) -> Vec<u8> {
    let schema = Schema::parse("std_msgs/msg/String", "string data").unwrap();
    let mut value = Value::default_of(&schema);
    value.set("data", text.to_owned()).unwrap();
    Plan::new(&schema).encode(&value).unwrap()
}

/// Key, time, number and payload of each sample, in order.
pub(crate) type Row = (String, i64, u32, Vec<u8>);

pub(crate) fn read(dataset: &Dataset, query: &Query) -> Vec<Row> {
    let samples = dataset.samples(query).unwrap().map(Result::unwrap);
    samples
        .map(|(id, sample)| {
            let key = dataset.channels()[id.0 as usize].key.clone();
            (key, sample.time.as_nanos(), sample.sequence, sample.payload.to_vec())
        })
        .collect()
}

#[test]
fn recordings_of_all_versions_are_read() {
    for tables in [&[FOXY][..], &[FOXY, GALACTIC], &[FOXY, GALACTIC, IRON]] {
        let recording = Recording::new(tables);
        recording.topic(7, "/a", "std_msgs/msg/String");
        recording.topic(9, "/none", "std_msgs/msg/String");
        recording.message(7, 20, &string("second"));
        recording.message(7, 10, &string("first"));
        if tables.len() > 1 {
            recording
                .connection
                .execute_batch("UPDATE topics SET offered_qos_profiles = 'q'")
                .unwrap();
        }
        let mut dataset = recording.open();
        assert_eq!(
            read(&dataset, &Query::default()),
            [("/a".to_owned(), 10, 0, string("first")), ("/a".to_owned(), 20, 1, string("second"))]
        );
        let channel = &dataset.channels()[0];
        assert!(matches!(&channel.encoding, Encoding::Cdr(s) if s.name() == "std_msgs/msg/String"));
        let qos = channel.metadata.get("offered_qos_profiles").map(String::as_str);
        assert_eq!(qos, (tables.len() > 1).then_some("q"));
        assert_eq!(dataset.keys().collect::<Vec<_>>(), ["/a", "/none"]);
        let integrity = dataset.check().unwrap();
        assert!(integrity.is_whole() && integrity.problems.is_empty(), "{integrity:?}");
        assert!(!integrity.verified, "there are no checksums");
    }
}

/// Rows in no order of time, many at one time, over several pages.
fn many(tables: &[&str]) -> Recording {
    let recording = Recording::new(tables);
    recording.topic(1, "/a", "std_msgs/msg/String");
    recording.topic(2, "/b", "std_msgs/msg/String");
    recording.connection.execute_batch("BEGIN").unwrap();
    for n in 0..3000_i64 {
        let time = if n % 3 == 0 { 77 } else { n * 7919 % 500 };
        recording.message(1 + n % 2, time, &string(&n.to_string()));
    }
    recording.connection.execute_batch("COMMIT").unwrap();
    recording
}

#[test]
fn samples_come_in_time_order_and_ties_as_recorded_whatever_is_asked_for() {
    let unindexed = [FOXY, "DROP INDEX timestamp_idx;"];
    for tables in [&[FOXY][..], &unindexed] {
        let recording = many(tables);
        let dataset = recording.open();
        let all = read(&dataset, &Query::default());
        assert_eq!(all.len(), 3000);
        // Within one time by what was written first, which the payload says.
        let order = |row: &Row| {
            (
                row.1,
                Plan::new(dataset.channel(&row.0).unwrap().schema().unwrap())
                    .decode(&row.3)
                    .unwrap()
                    .to_string()
                    .trim_matches(|c: char| !c.is_ascii_digit())
                    .parse::<u32>()
                    .unwrap(),
            )
        };
        assert!(all.is_sorted_by_key(order));
        for key in ["/a", "/b"] {
            let numbers: Vec<u32> =
                all.iter().filter(|row| row.0 == key).map(|row| row.2).collect();
            assert!(numbers.iter().copied().eq(0..1500), "they are counted per key");
        }
        for keys in [&["/a"][..], &["/a", "/b"], &["/b"]] {
            for (start, end) in [(77, 78), (0, 77), (78, 1000), (-5, 3), (600, 700), (90, 80)] {
                let time = |nanos| Some(Time::from_nanos(nanos));
                let mut query = dataset.select(keys).unwrap();
                (query.start, query.end) = (time(start), time(end));
                let wanted = all
                    .iter()
                    .filter(|row| keys.contains(&row.0.as_str()) && (start..end).contains(&row.1));
                assert!(read(&dataset, &query).iter().eq(wanted), "{query:?}");
            }
        }
        let stats = dataset.channel("/a").unwrap().stats().unwrap();
        assert_eq!(stats.count, 1500);
        assert_eq!(
            (stats.first, stats.last),
            (Some(Time::from_nanos(0)), Some(Time::from_nanos(498)))
        );
    }
}

#[test]
fn large_messages_are_read_a_few_at_a_time() {
    let recording = Recording::new(&[FOXY]);
    recording.topic(1, "/image", "x/msg/Image");
    for n in 0..8 {
        recording.message(1, n, &vec![n as u8; 700_000]);
    }
    let reader = Reader::open(&recording.path()).unwrap();
    let mut rows = super::rows::Rows::new(&reader, &Query::default()).unwrap();
    let mut read = 0;
    while rows.next().transpose().unwrap().is_some() {
        assert!(rows.buffered() < 2, "a page is about 1 MiB");
        read += 1;
    }
    assert_eq!(read, 8);
}

#[test]
fn nothing_is_written_beside_a_recording() {
    let recording = many(&[FOXY]);
    let before = std::fs::read(recording.path()).unwrap();
    let dataset = recording.open();
    let mut samples = dataset.samples(&Query::default()).unwrap();
    samples.next().unwrap().unwrap();
    let names: Vec<_> = std::fs::read_dir(recording.folder.path())
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(names, ["bag.db3"]);
    assert_eq!(std::fs::read(recording.path()).unwrap(), before);
}

#[test]
fn a_name_with_any_signs_is_opened() {
    let recording = many(&[FOXY]);
    let strange = recording.folder.path().join("a?mode=rwc&b=%41#ü 1.db3");
    std::fs::copy(recording.path(), &strange).unwrap();
    assert_eq!(Dataset::open(&strange).unwrap().len().unwrap(), 3000);
    assert!(Path::new(&strange).exists());
}
