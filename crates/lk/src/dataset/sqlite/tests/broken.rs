//! Files with broken pages, of which the rest is read.

use std::io::{Seek, SeekFrom, Write};

use super::*;
use crate::error::Error;

/// 3,000 numbered messages, in their order.
fn numbered() -> Recording {
    let recording = Recording::new(&[FOXY]);
    recording.topic(1, "/a", "std_msgs/msg/String");
    recording.connection.execute_batch("BEGIN").unwrap();
    for n in 0..3000_i64 {
        let long = if n == 1500 { "long".repeat(5000) } else { String::new() };
        recording.message(1, n * 10, &string(&format!("{n} {long}")));
    }
    recording.connection.execute_batch("COMMIT").unwrap();
    recording
}

/// The pages of one kind of a table or index, from 0: 5 leads to others, 13
/// holds rows of a table, 10 those of an index, 0 what goes on of long ones.
fn pages(recording: &Recording, kind: u8) -> Vec<u64> {
    let bytes = std::fs::read(recording.path()).unwrap();
    let pages = bytes.chunks(4096).enumerate().skip(1);
    pages.filter(|(_, page)| page[0] == kind).map(|(n, _)| n as u64).collect()
}

fn break_page(recording: &Recording, page: u64) {
    let mut file = std::fs::OpenOptions::new().write(true).open(recording.path()).unwrap();
    file.seek(SeekFrom::Start(page * 4096)).unwrap();
    file.write_all(&[0xff; 4096]).unwrap();
}

/// Opens it, checks it, and holds what is read and said to be lost against
/// each other.
#[track_caller]
fn check(recording: &Recording) -> (Dataset, u64) {
    let mut dataset = recording.open();
    let integrity = dataset.check().unwrap();
    assert_eq!(dataset.check().unwrap(), integrity, "a second time");
    let rows = read(&dataset, &Query::default());
    assert!(rows.is_sorted_by_key(|row| row.1));
    assert!(rows.iter().all(|row| row.3.starts_with(&string(&format!("{}", row.1 / 10))[..4])));
    let lost = integrity.lost_samples.expect("it can be told");
    assert_eq!(rows.len() as u64 + lost, 3000, "{integrity:?}");
    assert_eq!(dataset.len().unwrap(), rows.len() as u64);
    (dataset, lost)
}

#[test]
fn rows_of_broken_pages_are_lost_and_said_to_be_and_all_others_are_read() {
    let whole = numbered();
    // The first holds the topics.
    let leaves = &pages(&whole, 13)[1..];
    assert!(leaves.len() > 20);
    // One in the middle; the first; the last; several, two of them neighbours.
    for broken in [vec![10], vec![0], vec![leaves.len() - 1], vec![3, 4, 9, 15]] {
        let recording = numbered();
        broken.iter().for_each(|n| break_page(&recording, leaves[*n]));
        let (dataset, lost) = check(&recording);
        assert!((10..1000).contains(&lost), "{broken:?}: {lost}");
        let integrity = dataset.integrity();
        let said = format!("pages of it are broken, with {lost} messages in them");
        assert!(integrity.problems.contains(&said), "{integrity:?}");

        let mut source = recording.open();
        let mut recovered = Dataset::memory();
        let (kept, lost) = recovered.recover_from(&mut source).unwrap();
        assert_eq!(kept.samples + lost.lost_samples.unwrap(), 3000);
        let before = read(&dataset, &Query::default()).into_iter().map(|row| (row.1, row.3));
        let after = read(&recovered, &Query::default()).into_iter().map(|row| (row.1, row.3));
        assert!(before.eq(after));
        // Part of the time gives the same messages with the same numbers.
        let start = Some(Time::from_nanos(15_000));
        let later = read(&dataset, &Query { start, ..Query::default() });
        let mut all = read(&dataset, &Query::default());
        all.retain(|row| row.1 >= 15_000);
        assert_eq!(later, all);
    }
}

#[test]
fn a_broken_index_loses_nothing() {
    let recording = numbered();
    let leaf = pages(&recording, 10)[2];
    break_page(&recording, leaf);
    let dataset = recording.open();
    let samples = dataset.samples(&Query::default()).unwrap();
    let error = samples.filter_map(Result::err).next().unwrap();
    assert!(matches!(error, Error::Database { .. }) && error.is_damage(), "{error}");
    assert!(error.hint().unwrap().contains("lk recover"));
    let (dataset, lost) = check(&recording);
    assert_eq!(lost, 0);
    let problems = dataset.integrity().problems;
    assert!(problems.iter().any(|p| p.starts_with("its index is broken")), "{problems:?}");
}

#[test]
fn a_long_message_that_goes_on_in_a_broken_page_is_lost_alone() {
    let recording = numbered();
    // Where it goes on, the page begins with the number of the next.
    let overflow = pages(&recording, 0);
    break_page(&recording, overflow[1]);
    let bytes = std::fs::read(recording.path()).unwrap();
    assert!(bytes.len() > 4096);
    let (_, lost) = check(&recording);
    assert_eq!(lost, 1);
}
