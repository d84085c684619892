//! MCAP files: whatever opens reads in time order, and what a reading leaves
//! out is told.

mod build;
mod records;
mod repair;

use std::path::Path;

use lk::dataset::{ChannelId, Query, Sample};
use lk::{Dataset, Error};

use super::feed::Feed;
use super::scratch::File;

/// The first byte decides between a file as it is, one whose checksums are
/// made right, and one put together by the bytes that follow.
pub fn run(data: &[u8]) {
    let mut feed = Feed::new(data);
    let bytes = match feed.u8() % 4 {
        0 => feed.rest().to_vec(),
        1 => {
            let mut bytes = feed.rest().to_vec();
            repair::checksums(&mut bytes);
            bytes
        }
        _ => build::file(&mut feed),
    };
    check(File::with("mcap", &bytes).path());
}

fn check(path: &Path) {
    let Ok(mut dataset) = Dataset::open(path) else { return };
    let (samples, errors) = read(&dataset, &Query::default());
    let stats = dataset.stats();
    let told = !errors.is_empty() || !dataset.integrity().problems.is_empty();
    if !told {
        let counted: u64 = stats.iter().flatten().map(|stats| stats.count).sum();
        assert_eq!(counted, samples.len() as u64, "nothing is said of the others");
    }
    if dataset.check().is_err() {
        return;
    }
    let (all, errors) = read(&dataset, &Query::default());
    let limited = errors.iter().any(|error| matches!(error, Error::Limit { .. }));
    assert!(limited || errors.is_empty(), "a checked file has {errors:?}");
    if !limited {
        let stats = dataset.stats().expect("a checked file is known");
        for (number, stats) in stats.iter().enumerate() {
            let of = all.iter().filter(|(id, _)| id.0 as usize == number);
            assert_eq!(stats.count, of.clone().count() as u64);
            assert_eq!(stats.first, of.clone().map(|(_, sample)| sample.time).min());
            assert_eq!(stats.last, of.map(|(_, sample)| sample.time).max());
        }
        assert!(told || samples == all, "a reading leaves out in silence what a check finds");
        let (start, end) = (all.len() / 3, all.len() * 2 / 3);
        if let (Some((_, first)), Some((_, last))) = (all.get(start), all.get(end)) {
            let (start, end) = (first.time, last.time);
            let query = Query { start: Some(start), end: Some(end), ..Query::default() };
            let wanted = all.iter().filter(|(_, s)| (start..end).contains(&s.time));
            assert!(wanted.eq(&read(&dataset, &query).0), "a part is that part of the whole");
        }
    }
}

fn read(dataset: &Dataset, query: &Query) -> (Vec<(ChannelId, Sample)>, Vec<Error>) {
    let (mut samples, mut errors) = (Vec::new(), Vec::new());
    for item in dataset.samples(query).expect("a file that opened can be read") {
        match item {
            Ok(sample) => samples.push(sample),
            Err(error) => errors.push(error),
        }
    }
    assert!(samples.is_sorted_by_key(|(_, sample)| sample.time), "samples come in time order");
    (samples, errors)
}
