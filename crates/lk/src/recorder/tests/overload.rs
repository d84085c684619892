//! More than can be written, and disks that fail.

use std::path::Path;

use super::*;
use crate::component::Encoded;
use crate::dataset::mcap;
use crate::testing::failing::{FailingFile, Fault};
use crate::testing::soak;

/// What the file says: numbers of messages by key, and the counts in it.
fn in_file(path: &Path) -> (BTreeMap<String, u64>, RecorderStats) {
    let dataset = Dataset::open(path).unwrap();
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for item in dataset.samples(&Query::default()).unwrap() {
        let (id, _) = item.unwrap();
        *counts.entry(dataset.channels()[id.0 as usize].key.clone()).or_default() += 1;
    }
    (counts, serde_json::from_str(&dataset.facts().entries["recorder"]).unwrap())
}

#[test]
fn a_hundred_overloads_are_accounted_for_exactly_and_the_file_says_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let policies = [Overflow::Block, Overflow::DropNewest, Overflow::DropOldest];
    let mut dropped = [0; 3];
    let (threads, each) = (3_u64, 60_u64);
    for run in 0..100 {
        let overflow = policies[run % 3];
        let path = folder.path().join(format!("{run}.mcap"));
        let file = mcap::Writer::create(&path, CreateOptions::default()).unwrap();
        let target = Slow::around(Box::new(file), Duration::from_micros(20), u64::MAX);
        let config = RecorderConfig {
            overflow,
            queue_bytes: 500 << (run % 4),
            sample_every_n: 1 + run as u64 % 2,
            ..RecorderConfig::default()
        };
        let mut recorder = Recorder::new(Target::Dataset(target), config).unwrap();
        let keys: Vec<Key> = (0..3).map(|n| recorder.key(&format!("k{n}"))).collect();
        std::thread::scope(|scope| {
            for thread in 0..threads {
                let (feeder, keys) = (recorder.feeder(), &keys);
                scope.spawn(move || {
                    for n in 0..each {
                        let key = &keys[((n + thread) % 3) as usize];
                        feeder.record(key, Arc::new(n), nanos(n as i64)).unwrap();
                    }
                });
            }
        });
        let (_, stats) = recorder.close().unwrap();
        let context = format!("run {run}, {overflow:?}: {stats:?}");
        let total = stats.total();
        assert_eq!(total.offered, threads * each, "{context}");
        assert!(stats.keys.values().all(KeyStats::balances), "{context}");
        assert_eq!(total.skipped, if run % 2 == 0 { 0 } else { total.offered / 2 }, "{context}");
        let (counts, said) = in_file(&path);
        for (key, stats) in &stats.keys {
            assert_eq!(counts.get(key).copied().unwrap_or(0), stats.written, "{key}, {context}");
        }
        let without_rates = |stats: &RecorderStats| -> Vec<KeyStats> {
            stats.keys.values().map(|key| KeyStats { rate_hz: None, ..*key }).collect()
        };
        assert_eq!(without_rates(&said), without_rates(&stats), "{context}");
        dropped[run % 3] += total.dropped;
    }
    soak::count("overloads of a recorder", 100);
    assert_eq!(dropped[0], 0, "who waits loses nothing");
    assert!(dropped[1] > 0 && dropped[2] > 0, "it was an overload: {dropped:?}");
}

/// 500 topics of 100 bytes at 200 Hz, beside 50 MB/s in messages of 50 kB.
#[test]
fn five_hundred_small_topics_beside_large_messages_are_all_recorded() {
    let soak = soak::is_on();
    // Half a minute by the clock, or a few ticks at once, which always fit.
    let ticks: i64 = if soak { 30 * 200 } else { 20 };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("busy.mcap");
    let target = Target::Files { path: path.clone(), options: CreateOptions::live() };
    let config = RecorderConfig { overflow: Overflow::DropNewest, ..RecorderConfig::default() };
    let mut recorder = Recorder::new(target, config).unwrap();
    let small: Vec<Key> = (0..500).map(|n| recorder.key(&format!("small/{n}"))).collect();
    let large = recorder.key("large");
    let noise = |bytes: usize, seed: u64| -> Arc<dyn AnyMsg> {
        let mut random = seed;
        let byte = |_| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (random >> 56) as u8
        };
        Arc::new(Encoded::of(&(0..bytes).map(byte).collect::<Vec<u8>>()).unwrap())
    };
    let (small_message, large_message) = (noise(92, 1), noise(50_000 - 8, 2));
    let offer = |keys: &[Key], message: &Arc<dyn AnyMsg>, times: usize, feeder: Feeder| {
        let mut clock = Clock::paced(Time::ZERO, 1.0).unwrap();
        for tick in 0..ticks {
            let time = nanos(tick * 5_000_000);
            if soak {
                clock.wait_until(time);
            }
            for key in keys.iter().flat_map(|key| std::iter::repeat_n(key, times)) {
                feeder.record(key, Arc::clone(message), time).unwrap();
            }
        }
    };
    std::thread::scope(|scope| {
        let (feeder, large, message) = (recorder.feeder(), &large, &large_message);
        scope.spawn(move || offer(std::slice::from_ref(large), message, 5, feeder));
        offer(&small, &small_message, 1, recorder.feeder());
    });
    let (_, stats) = recorder.close().unwrap();
    let total = stats.total();
    let (offered, count) = (ticks as u64 * 505, ticks as u64);
    assert_eq!((total.offered, total.written, total.dropped), (offered, offered, 0));
    let (counts, _) = in_file(&path);
    assert_eq!(counts.len(), 501);
    for (key, found) in counts {
        assert_eq!(found, if key == "large" { 5 * count } else { count }, "{key}");
    }
    soak::count("messages recorded as fast as they came", offered as usize);
}

/// What a recording on a disk with a fault came to: messages that a flush had
/// acknowledged, those that are in the file, and whether it was told of.
fn on_a_disk_that(fault: Fault, path: &Path) -> (i64, i64, bool) {
    const COUNT: i64 = 60;
    let file = FailingFile::create(path, fault.clone()).unwrap();
    let options = CreateOptions { compression: mcap::Compression::None, ..Default::default() };
    let Ok(writer) = mcap::Writer::to_sink(Box::new(file), path.display().to_string(), options)
    else {
        return (0, 0, true);
    };
    let target = Target::Dataset(Dataset::with_backend(Box::new(writer)));
    let mut recorder = Recorder::new(target, RecorderConfig::default()).unwrap();
    let key = recorder.key("x");
    let (mut acknowledged, mut failure) = (0, None);
    for n in 0..COUNT {
        match recorder.record(&key, Arc::new(n), nanos(n)) {
            Ok(_) => {}
            Err(error) => assert_eq!(Some(error.to_string()), failure, "{fault:?}"),
        }
        if n % 4 == 3 {
            match recorder.flush() {
                Ok(()) => {
                    assert_eq!(failure, None, "{fault:?}: what has failed stays so");
                    acknowledged = n + 1;
                }
                Err(error) => drop(failure.get_or_insert(error.to_string())),
            }
        }
    }
    let stats = recorder.stats();
    let closed = recorder.close();
    if let (Some(failure), Ok(_)) = (&failure, &closed) {
        panic!("{fault:?}: closing says nothing of: {failure}");
    }
    assert!(closed.is_err() || stats.keys["x"].balances(), "{fault:?}: {stats:?}");
    let acknowledged = if closed.is_ok() { COUNT } else { acknowledged };
    // A disk that took nothing at all leaves nothing to open.
    let in_file = match Dataset::open(path) {
        Err(_) => 0,
        Ok(dataset) if dataset.keys().next().is_none() => 0,
        Ok(dataset) => {
            let numbers = read(&dataset, "x");
            assert!(numbers.iter().copied().eq(0..numbers.len() as i64), "{fault:?}: {numbers:?}");
            numbers.len() as i64
        }
    };
    (acknowledged, in_file, closed.is_err())
}

#[test]
fn what_was_acknowledged_before_a_disk_failed_is_in_the_file_and_the_failure_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.mcap");
    let (whole, in_file, told) = on_a_disk_that(Fault::Short(1000), &path);
    assert_eq!((whole, in_file, told), (60, 60, false));
    let size = std::fs::metadata(&path).unwrap().len();
    // So many writes that some are after the last flush.
    let writes = (0..).take_while(|n| {
        let (acknowledged, in_file, told) = on_a_disk_that(Fault::Writes(*n..u64::MAX), &path);
        assert!(in_file >= acknowledged, "write {n}: {in_file} of {acknowledged}");
        assert!(told || acknowledged == 60, "write {n}");
        told
    });
    assert!(writes.count() > 15, "each flush writes");
    for full in (0..size).step_by(97) {
        let (acknowledged, in_file, told) = on_a_disk_that(Fault::Full(full), &path);
        assert!(in_file >= acknowledged, "full at {full}: {in_file} of {acknowledged}");
        assert!(told, "full at {full}");
    }
}

#[test]
fn a_ring_of_a_million_keeps_a_million_and_drops_the_oldest_of_them() {
    const SIZE: usize = 1_000_000;
    let config = RecorderConfig {
        use_ring_buffer: true,
        ring_buffer_size: SIZE,
        ..RecorderConfig::default()
    };
    let mut recorder = recorder(config);
    let key = recorder.key("x");
    let message: Arc<dyn AnyMsg> = Arc::new(7_i64);
    let mut offered = 0;
    // Were a drop to move what is left, this would take hours.
    for more in [SIZE, 100_000, 100_000] {
        for _ in 0..more {
            recorder.record(&key, Arc::clone(&message), nanos(offered)).unwrap();
            offered += 1;
        }
        recorder.flush().unwrap();
        // All that is kept, and this one.
        assert_eq!(Arc::strong_count(&message), SIZE + 1);
        assert_eq!(recorder.stats().keys["x"].dropped, offered as u64 - SIZE as u64);
    }
}
