//! Files that are damaged, or made to do harm.

use super::*;
use crate::error::Error;

#[track_caller]
fn refused(recording: &Recording, reason: &str) {
    let error = Dataset::open(recording.path()).unwrap_err();
    assert!(error.to_string().contains(reason), "{error}");
}

#[test]
fn what_is_no_recording_is_named() {
    refused(&Recording::new(&["CREATE TABLE x(y);"]), "a SQLite file without `messages.topic_id`");
    let messages = "CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id, timestamp, data);";
    refused(&Recording::new(&[messages]), "a SQLite file without a table `topics`");
}

#[test]
fn a_table_that_computes_is_refused() {
    let topics = "CREATE TABLE topics(id INTEGER PRIMARY KEY, name, type);";
    let endless = "CREATE VIEW messages AS WITH RECURSIVE n(id) AS \
                   (SELECT 1 UNION ALL SELECT id + 1 FROM n) \
                   SELECT id, 1 AS topic_id, id AS timestamp, x'00' AS data FROM n;";
    refused(&Recording::new(&[topics, endless]), "`messages` is no plain table");
    let generated = "CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id, timestamp, \
                     data GENERATED ALWAYS AS (zeroblob(500000000)));";
    refused(&Recording::new(&[topics, generated]), "`messages` is no plain table");
}

#[test]
fn messages_that_cannot_be_given_are_counted() {
    let recording = Recording::new(&[FOXY]);
    recording.topic(1, "/a", "std_msgs/msg/String");
    recording.message(1, 1, &string("x"));
    recording.message(2, 2, &string("orphan"));
    recording.connection.execute_batch("INSERT INTO messages VALUES (9, 1, 3, 'text')").unwrap();
    let mut dataset = recording.open();
    let integrity = dataset.integrity();
    assert_eq!(integrity.lost_samples, Some(2));
    assert_eq!(
        integrity.problems,
        [
            "1 messages are of topics that it doesn't define",
            "1 messages have no time, no topic or no data"
        ]
    );
    let read: Vec<_> = dataset.samples(&Query::default()).unwrap().collect();
    assert!(read.len() == 1 && read[0].is_ok(), "{read:?}");
    assert_eq!(dataset.check().unwrap(), integrity);
    let (kept, lost) = Dataset::memory().recover_from(&mut dataset).unwrap();
    assert_eq!((kept.samples, lost.lost_samples), (1, Some(2)));
}

#[test]
fn messages_whose_columns_are_of_other_types_are_counted_as_lost_when_opened() {
    const LOOSE: &str = "
        CREATE TABLE topics(id INTEGER PRIMARY KEY, name, type, serialization_format);
        CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id, timestamp, data);";
    const INDEX: &str = "CREATE INDEX timestamp_idx ON messages (timestamp ASC);";
    for tables in [&[LOOSE][..], &[LOOSE, INDEX]] {
        let recording = Recording::new(tables);
        recording.topic(1, "/a", "std_msgs/msg/String");
        let strange = "INSERT INTO messages(topic_id, timestamp, data) VALUES (1, NULL, x'00'), \
                       (1, 1.5, x'00'), (1, 'noon', x'00'), (NULL, 3, x'00'), ('one', 3, x'00'), \
                       (1, 3, NULL), (1, -3, 7);";
        recording.connection.execute_batch(strange).unwrap();
        recording.message(1, 5, &string("x"));
        recording.message(1, 6, &string("y"));
        let mut dataset = recording.open();
        assert_eq!((dataset.len().unwrap(), dataset.integrity().lost_samples), (2, Some(7)));
        assert_eq!(dataset.integrity().problems, ["7 messages have no time, no topic or no data"]);
        let query = Query { start: Some(Time::from_nanos(6)), ..Query::default() };
        let read = dataset.samples(&query).unwrap().map(|item| item.unwrap().1.sequence);
        assert_eq!(read.collect::<Vec<_>>(), [1]);
        assert_eq!(dataset.check().unwrap(), dataset.integrity());
    }
}

#[test]
fn a_journal_beside_the_file_is_told() {
    let recording = Recording::new(&[FOXY]);
    recording.topic(1, "/a", "std_msgs/msg/String");
    recording.connection.execute_batch("PRAGMA journal_mode = WAL").unwrap();
    recording.message(1, 1, &string("only in the journal"));
    let dataset = recording.open();
    assert_eq!(dataset.len().unwrap(), 0);
    let integrity = dataset.integrity();
    assert_eq!(integrity.lost_samples, None);
    assert!(integrity.problems[0].starts_with("bag.db3-wal holds "), "{integrity:?}");
}

#[test]
fn a_cut_file_is_an_error_or_says_what_is_lost() {
    let recording = many(&[FOXY]);
    let bytes = std::fs::read(recording.path()).unwrap();
    let path = recording.folder.path().join("cut.db3");
    for kept in [100, 4096, 5000, bytes.len() / 2, bytes.len() - 4096, bytes.len() - 1] {
        std::fs::write(&path, &bytes[..kept]).unwrap();
        match Dataset::open(&path) {
            Err(error) => assert!(
                matches!(error, Error::Database { .. } | Error::NotADataset { .. }),
                "{error}"
            ),
            Ok(mut dataset) => {
                let integrity = dataset.check().unwrap();
                assert!(!integrity.is_whole() || !integrity.problems.is_empty(), "{kept}");
            }
        }
    }
}

/// Flips bits all over a file: whatever comes of it, it comes to an end.
#[test]
fn a_file_with_flipped_bits_neither_panics_nor_runs_on() {
    let recording = many(&[FOXY, GALACTIC, IRON]);
    let bytes = std::fs::read(recording.path()).unwrap();
    let path = recording.folder.path().join("flipped.db3");
    let mut noise = 88_172_645_463_325_252_u64;
    for round in 0..60 {
        let mut flipped = bytes.clone();
        for _ in 0..4 {
            noise ^= noise << 13;
            noise ^= noise >> 7;
            noise ^= noise << 17;
            // Half of them where the structure is dense.
            let place = if round % 2 == 0 { noise as usize % 16_384 } else { noise as usize };
            let place = place % flipped.len();
            flipped[place] ^= 1 << (noise >> 60 & 7);
        }
        std::fs::write(&path, &flipped).unwrap();
        let Ok(dataset) = Dataset::open(&path) else { continue };
        let Ok(samples) = dataset.samples(&Query::default()) else { continue };
        assert!(samples.take(20_000).count() < 20_000, "round {round}");
    }
}
