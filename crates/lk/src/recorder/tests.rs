mod offers;
mod overload;

use std::num::NonZeroUsize;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::component::{Component, Io, Out, StepResult};
use crate::dataset::{
    Backend, Channel, ChannelId, ChannelStats, CreateOptions, Facts, Integrity, Query, Ring,
    Sample, Samples,
};
use crate::system::SystemBuilder;

fn nanos(n: i64) -> Time {
    Time::from_nanos(n)
}

fn recorder(config: RecorderConfig) -> Recorder {
    Recorder::new(Target::Dataset(Dataset::memory()), config).unwrap()
}

/// Numbers of a key, in order.
fn read(dataset: &Dataset, key: &str) -> Vec<i64> {
    let typed = dataset.channel(key).unwrap().typed::<i64>().unwrap();
    typed.map(|item| item.unwrap().1).collect()
}

fn record(recorder: &Recorder, key: &Key, numbers: std::ops::Range<i64>) {
    for n in numbers {
        recorder.record(key, Arc::new(n), nanos(n)).unwrap();
    }
}

#[test]
fn every_nth_and_at_most_so_many_are_recorded_of_each_key() {
    let config =
        RecorderConfig { sample_every_n: 3, max_samples: Some(4), ..RecorderConfig::default() };
    let mut recorder = recorder(config);
    let (a, b) = (recorder.key("a"), recorder.key_as("b", Role::Output));
    record(&recorder, &a, 0..100);
    record(&recorder, &b, 0..5);
    let (dataset, stats) = recorder.close().unwrap();
    let dataset = dataset.unwrap();
    assert_eq!(read(&dataset, "a"), [0, 3, 6, 9]);
    assert_eq!(read(&dataset, "b"), [0, 3]);
    assert_eq!(dataset.channel("b").unwrap().channel().role, Role::Output);
    let a = stats.keys["a"];
    assert_eq!((a.offered, a.written, a.skipped, a.dropped), (100, 4, 96, 0));
    assert!(stats.total().balances());
    let fact: RecorderStats = serde_json::from_str(&dataset.facts().entries["recorder"]).unwrap();
    assert_eq!(fact.total(), stats.total());
}

#[test]
fn a_message_without_a_time_gets_that_of_the_clock_or_is_refused() {
    let mut stamped = recorder(RecorderConfig::default());
    let key = stamped.key("x");
    let before = Clock::wall().now();
    stamped.record_now(&key, Arc::new(1_i64)).unwrap();
    let (dataset, _) = stamped.close().unwrap();
    let time = dataset.unwrap().timestamps("x").unwrap()[0];
    // The two clocks read the time of day apart.
    assert!((time - before).abs() < Span::from_nanos(10_000_000_000), "{before} {time}");

    let mut strict = recorder(RecorderConfig { auto_timestamp: false, ..Default::default() });
    let key = strict.key("x");
    let refused = strict.record_now(&key, Arc::new(1_i64)).unwrap_err().to_string();
    assert!(refused.contains("auto_timestamp is off"), "{refused}");
    assert_eq!(strict.stats().keys["x"].offered, 0);
}

#[test]
fn the_rate_is_that_of_what_was_offered_to_the_writer() {
    let mut recorder = recorder(RecorderConfig::default());
    let key = recorder.key("x");
    for n in 0..101 {
        recorder.record(&key, Arc::new(n), nanos(n * 10_000_000)).unwrap();
    }
    let (_, stats) = recorder.close().unwrap();
    assert_eq!(stats.keys["x"].rate_hz, Some(100.0));
}

#[test]
fn a_ring_keeps_the_last_and_a_trigger_writes_what_was_before_and_after() {
    let config =
        RecorderConfig { use_ring_buffer: true, ring_buffer_size: 5, ..RecorderConfig::default() };
    let mut recorder = recorder(config);
    let key = recorder.key("x");
    record(&recorder, &key, 0..20);
    recorder.trigger(nanos(19), Span::from_nanos(3)).unwrap();
    recorder.flush().unwrap();
    record(&recorder, &key, 20..100);
    let (dataset, stats) = recorder.close().unwrap();
    // Five before, three after, and the five that are kept at the end.
    let expected: Vec<i64> = (15..23).chain(95..100).collect();
    assert_eq!(read(&dataset.unwrap(), "x"), expected);
    let key = stats.keys["x"];
    assert_eq!((key.written, key.dropped, key.balances()), (13, 87, true));
}

#[test]
fn configs_that_make_no_sense_are_refused_by_the_field() {
    let memory = || Target::Dataset(Dataset::memory());
    let refused = |config| Recorder::new(memory(), config).err().expect("refused").to_string();
    let default = RecorderConfig::default;
    assert!(refused(RecorderConfig { sample_every_n: 0, ..default() }).contains("sample_every_n"));
    assert!(refused(RecorderConfig { queue_bytes: 0, ..default() }).contains("queue_bytes"));
    let split = RecorderConfig { split_bytes: Some(10), ..default() };
    assert!(refused(split).contains("only a recording to files can be split"));
    let ring = RecorderConfig { use_ring_buffer: true, ring_buffer_size: 0, ..default() };
    assert!(refused(ring).contains("ring_buffer_size"));
    let none = recorder(default()).trigger(Time::ZERO, Span::ZERO).unwrap_err();
    assert!(none.to_string().contains("no ring"));
    let text = serde_json::to_string(&default()).unwrap();
    assert_eq!(serde_json::from_str::<RecorderConfig>(&text).unwrap(), default());
}

#[test]
fn splits_go_on_in_new_files_and_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.mcap");
    let config =
        RecorderConfig { split_after: Some(Span::from_nanos(40)), ..RecorderConfig::default() };
    let target = Target::Files { path: path.clone(), options: CreateOptions::default() };
    let mut recorder = Recorder::new(target, config).unwrap();
    let key = recorder.key_as("x", Role::Input);
    record(&recorder, &key, 0..100);
    let (dataset, stats) = recorder.close().unwrap();
    assert!(dataset.is_none() && stats.total().written == 100);
    let mut all = Vec::new();
    for (name, from) in [("run.mcap", 0), ("run_1.mcap", 40), ("run_2.mcap", 80)] {
        let part = Dataset::open(folder.path().join(name)).unwrap();
        assert!(part.integrity().is_whole());
        assert_eq!(part.channel("x").unwrap().channel().role, Role::Input);
        let numbers = read(&part, "x");
        assert_eq!(numbers[0], from);
        all.extend(numbers);
    }
    assert_eq!(all, (0..100).collect::<Vec<i64>>());
    // A further file that is there is told at once, not when its turn comes.
    std::fs::remove_file(&path).unwrap();
    let config =
        RecorderConfig { split_after: Some(Span::from_nanos(40)), ..RecorderConfig::default() };
    let target = Target::Files { path: path.clone(), options: CreateOptions::default() };
    let there = Recorder::new(target, config).err().expect("refused").to_string();
    assert!(there.starts_with("file exists") && there.contains("run_1.mcap"), "{there}");
    assert!(!path.exists());
    let last = Dataset::open(folder.path().join("run_2.mcap")).unwrap();
    let fact: RecorderStats = serde_json::from_str(&last.facts().entries["recorder"]).unwrap();
    assert!(fact.total().balances() && fact.total().written == 100);
}

#[test]
fn what_was_flushed_is_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.mcap");
    let target = Target::Files { path: path.clone(), options: CreateOptions::default() };
    let mut recorder = Recorder::new(target, RecorderConfig::default()).unwrap();
    let key = recorder.key("x");
    record(&recorder, &key, 0..50);
    recorder.flush().unwrap();
    assert_eq!(read(&Dataset::open(&path).unwrap(), "x").len(), 50);
    drop(recorder);
    assert_eq!(read(&Dataset::open(&path).unwrap(), "x").len(), 50);
}

/// A dataset whose writes take long, or fail from one on.
struct Slow {
    inner: Box<dyn Backend>,
    delay: Duration,
    fails_from: u64,
    writes: u64,
}

impl Slow {
    fn dataset(delay: Duration, fails_from: u64) -> Dataset {
        Slow::around(Box::new(Ring::new(NonZeroUsize::MAX)), delay, fails_from)
    }

    fn around(inner: Box<dyn Backend>, delay: Duration, fails_from: u64) -> Dataset {
        Dataset::with_backend(Box::new(Slow { inner, delay, fails_from, writes: 0 }))
    }
}

impl Backend for Slow {
    fn location(&self) -> String {
        "slow".to_owned()
    }
    fn channels(&self) -> &[Channel] {
        self.inner.channels()
    }
    fn add_channel(&mut self, channel: Channel) -> Result<ChannelId> {
        self.inner.add_channel(channel)
    }
    fn write(&mut self, channel: ChannelId, sample: Sample) -> Result<()> {
        self.writes += 1;
        if self.writes >= self.fails_from {
            let source = std::io::Error::from(std::io::ErrorKind::StorageFull);
            return Err(Error::Io { action: "write", path: "slow".to_owned(), source });
        }
        if !self.delay.is_zero() {
            std::thread::sleep(self.delay);
        }
        self.inner.write(channel, sample)
    }
    fn samples(&self, query: &Query) -> Result<Samples<'_>> {
        self.inner.samples(query)
    }
    fn stats(&self) -> Result<Vec<ChannelStats>> {
        self.inner.stats()
    }
    fn facts(&self) -> &Facts {
        self.inner.facts()
    }
    fn set_facts(&mut self, facts: Facts) -> Result<()> {
        self.inner.set_facts(facts)
    }
    fn integrity(&self) -> Integrity {
        self.inner.integrity()
    }
    fn flush(&mut self) -> Result<()> {
        self.inner.flush()
    }
    fn sync(&mut self) -> Result<()> {
        self.inner.sync()
    }
    fn close(&mut self) -> Result<()> {
        self.inner.close()
    }
}

/// Offers from several threads what a slow writer can't take.
fn overload(overflow: Overflow, threads: u64, each: u64, fails_from: u64) -> RecorderStats {
    let target = Target::Dataset(Slow::dataset(Duration::from_micros(20), fails_from));
    let config = RecorderConfig { overflow, queue_bytes: 2_000, ..RecorderConfig::default() };
    let mut recorder = Recorder::new(target, config).unwrap();
    let keys: Vec<Key> = (0..3).map(|n| recorder.key(&format!("k{n}"))).collect();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (feeder, keys) = (recorder.feeder(), &keys);
            scope.spawn(move || {
                for n in 0..each {
                    let key = &keys[((n + thread) % 3) as usize];
                    // Its failure shows at the end.
                    let _ = feeder.record(key, Arc::new(n), nanos(n as i64));
                }
            });
        }
    });
    let feeder = recorder.feeder();
    let before = recorder.stats().total().offered;
    assert_eq!(before, threads * each);
    let shared = Arc::clone(&feeder.0);
    let closed = recorder.close();
    assert_eq!(closed.is_err(), fails_from < u64::MAX);
    if let Ok((dataset, stats)) = closed {
        let dataset = dataset.unwrap();
        assert_eq!(dataset.len().unwrap(), stats.total().written);
        let fact: RecorderStats =
            serde_json::from_str(&dataset.facts().entries["recorder"]).unwrap();
        assert_eq!(fact.total(), stats.total());
    }
    shared.queue.stats()
}

#[test]
fn under_overload_what_was_offered_is_written_skipped_or_dropped() {
    for run in 0..12 {
        for overflow in [Overflow::Block, Overflow::DropNewest, Overflow::DropOldest] {
            let stats = overload(overflow, 1 + run % 4, 120, u64::MAX);
            assert!(stats.keys.values().all(KeyStats::balances), "{overflow:?} {stats:?}");
            if overflow == Overflow::Block {
                assert_eq!(stats.total().dropped, 0);
            }
        }
    }
}

#[test]
fn a_failed_write_is_reported_and_the_counts_still_balance() {
    for overflow in [Overflow::Block, Overflow::DropNewest, Overflow::DropOldest] {
        // As much as fits into the queue is written in any case.
        let stats = overload(overflow, 3, 200, 4);
        assert!(stats.keys.values().all(KeyStats::balances), "{overflow:?} {stats:?}");
        assert_eq!(stats.total().written, 3);
    }
    let target = Target::Dataset(Slow::dataset(Duration::ZERO, 2));
    let mut recorder = Recorder::new(target, RecorderConfig::default()).unwrap();
    let key = recorder.key("x");
    recorder.record(&key, Arc::new(1_i64), nanos(1)).unwrap();
    recorder.record(&key, Arc::new(2_i64), nanos(2)).unwrap();
    let failed = recorder.flush().unwrap_err().to_string();
    assert!(failed.starts_with("recording failed: can't write slow: "), "{failed}");
    let again = recorder.record(&key, Arc::new(3_i64), nanos(3)).unwrap_err();
    assert_eq!(again.to_string(), failed);
    assert_eq!(recorder.stats().keys["x"].dropped, 2);
    assert_eq!(recorder.close().unwrap_err().to_string(), failed);
}

#[test]
fn after_the_end_nothing_is_taken_and_nothing_is_lost_from_the_counts() {
    let mut recorder = recorder(RecorderConfig::default());
    let key = recorder.key("x");
    let feeder = recorder.feeder();
    feeder.record(&key, Arc::new(1_i64), nanos(1)).unwrap();
    recorder.close().unwrap();
    let late = feeder.record(&key, Arc::new(2_i64), nanos(2)).unwrap_err();
    assert!(late.to_string().contains("it is closed"), "{late}");
    let stats = feeder.0.queue.stats().keys["x"];
    assert_eq!((stats.offered, stats.written, stats.dropped), (2, 1, 1));
}

#[test]
fn a_message_of_another_type_than_the_first_is_a_failure_that_names_it() {
    let mut recorder = recorder(RecorderConfig::default());
    let key = recorder.key("x");
    recorder.record(&key, Arc::new(1_i64), nanos(1)).unwrap();
    recorder.record(&key, Arc::new("text".to_owned()), nanos(2)).unwrap();
    let failed = recorder.flush().unwrap_err().to_string();
    assert!(failed.contains("lk/msg/Int64"), "{failed}");
}

/// What `close` gives, of which a test can't wait for ever.
fn closed_in_time(recorder: Recorder) -> std::thread::Result<Result<RecorderStats>> {
    let (done, wait) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let close = || recorder.close().map(|(_, stats)| stats);
        let _ = done.send(std::panic::catch_unwind(std::panic::AssertUnwindSafe(close)));
    });
    wait.recv_timeout(Duration::from_secs(30)).expect("closing ends")
}

#[test]
fn closing_ends_a_recording_that_others_go_on_feeding() {
    for overflow in [Overflow::Block, Overflow::DropNewest, Overflow::DropOldest] {
        let target = Target::Dataset(Slow::dataset(Duration::from_micros(50), u64::MAX));
        let config = RecorderConfig { overflow, queue_bytes: 2_000, ..RecorderConfig::default() };
        let mut recorder = Recorder::new(target, config).unwrap();
        let key = recorder.key("x");
        let feed = |feeder: Feeder, key: Key| {
            move || while feeder.record(&key, Arc::new(1_i64), Time::ZERO).is_ok() {}
        };
        let threads: Vec<_> =
            (0..2).map(|_| std::thread::spawn(feed(recorder.feeder(), key.clone()))).collect();
        while recorder.stats().total().offered < 1000 {
            std::thread::yield_now();
        }
        // Also while the queue is never empty.
        recorder.flush().unwrap();
        let feeder = recorder.feeder();
        closed_in_time(recorder).unwrap().unwrap();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let stats = feeder.0.queue.stats();
        assert!(stats.keys["x"].balances(), "{stats:?}");
    }
}

/// A message that can't be written, in one way or another.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Bad(#[serde(serialize_with = "panics")] i64);

fn panics<S: serde::Serializer>(_: &i64, _: S) -> std::result::Result<S::Ok, S::Error> {
    panic!("as it is meant to")
}

#[test]
fn a_message_that_panics_ends_the_recording_and_keeps_nobody_waiting() {
    let config = RecorderConfig { queue_bytes: 500, ..RecorderConfig::default() };
    let mut recorder = recorder(config);
    let (good, bad) = (recorder.key("good"), recorder.key("bad"));
    recorder.record(&good, Arc::new(1_i64), nanos(1)).unwrap();
    recorder.record(&bad, Arc::new(Bad(2)), nanos(2)).unwrap();
    let failed = recorder.flush().unwrap_err().to_string();
    assert!(failed.contains("the thread that writes panicked"), "{failed}");
    for n in 0..100 {
        recorder.record(&good, Arc::new(n), nanos(n)).unwrap_err();
    }
    let feeder = recorder.feeder();
    assert!(closed_in_time(recorder).is_err());
    let stats = feeder.0.queue.stats();
    assert!(stats.keys.values().all(KeyStats::balances), "{stats:?}");
    assert_eq!((stats.keys["good"].written, stats.keys["bad"].dropped), (1, 1));
}

#[test]
fn what_a_ring_held_when_writing_failed_is_counted_as_dropped() {
    let config = RecorderConfig { use_ring_buffer: true, ..RecorderConfig::default() };
    let mut recorder = recorder(config);
    let (good, bad) = (recorder.key("good"), recorder.key("bad"));
    record(&recorder, &good, 0..10);
    // A type that has no schema: counted as well.
    recorder.record(&bad, Arc::new(BTreeMap::from([(1_i64, 2_i64)])), nanos(11)).unwrap();
    recorder.flush().unwrap_err();
    let stats = recorder.stats();
    assert!(stats.keys.values().all(KeyStats::balances), "{stats:?}");
    assert_eq!((stats.keys["good"].dropped, stats.keys["bad"].dropped), (10, 1));
}

#[test]
fn a_message_that_the_next_file_has_no_room_for_is_counted_as_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.mcap");
    let config = RecorderConfig { split_bytes: Some(1), ..RecorderConfig::default() };
    let target = Target::Files { path, options: CreateOptions::default() };
    let mut recorder = Recorder::new(target, config).unwrap();
    // It came after the start, which looks for it.
    std::fs::write(folder.path().join("run_1.mcap"), "someone's").unwrap();
    let key = recorder.key("x");
    record(&recorder, &key, 0..2);
    recorder.flush().unwrap_err();
    let stats = recorder.stats().keys["x"];
    assert_eq!((stats.written, stats.dropped, stats.balances()), (1, 1, true));
}

#[test]
fn a_key_of_another_recorder_is_refused() {
    let (mut a, b) = (recorder(RecorderConfig::default()), recorder(RecorderConfig::default()));
    let key = a.key("x");
    let refused = b.record(&key, Arc::new(1_i64), nanos(1)).unwrap_err().to_string();
    assert!(refused.contains("the key is of another recorder"), "{refused}");
    assert_eq!(a.close().unwrap().1.keys["x"].offered, 0);
    b.close().unwrap();
}

#[test]
fn bytes_of_another_type_than_the_first_are_a_failure_and_not_written() {
    use crate::component::Encoded;
    let encoded = |schema: crate::Schema, payload: Vec<u8>| {
        let payload = payload.into();
        Arc::new(Encoded { schema, payload })
    };
    let bytes = |plan: &crate::codec::Plan| {
        let mut payload = Vec::new();
        plan.encode_typed(&1_i64, &mut payload).unwrap();
        payload
    };
    let whole = crate::Schema::of::<i64>().unwrap();
    let payload = bytes(&crate::codec::Plan::new(&whole));
    let mut recorder = recorder(RecorderConfig::default());
    let key = recorder.key("x");
    recorder.record(&key, encoded(whole, payload.clone()), nanos(1)).unwrap();
    let other = crate::Schema::of::<f64>().unwrap();
    recorder.record(&key, encoded(other, payload), nanos(2)).unwrap();
    let failed = recorder.flush().unwrap_err().to_string();
    assert!(failed.contains("lk/msg/Float64"), "{failed}");
    assert_eq!(recorder.stats().keys["x"].written, 1);
}

struct Count(i64, Out<i64>);

impl Component for Count {
    fn step(&mut self, io: &mut Io<'_>) -> StepResult {
        self.0 += 1;
        io.set(self.1, self.0);
        Ok(())
    }
}

#[test]
fn a_system_is_recorded_with_the_time_of_its_ticks() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.mcap");
    let run = || {
        let options = CreateOptions { overwrite: true, ..CreateOptions::default() };
        let target = Target::Files { path: path.clone(), options };
        let mut builder = SystemBuilder::new("recorded");
        builder.add("count", |ports| Ok(Count(0, ports.output("n")?))).unwrap();
        let keys = [("n", Role::Output)];
        builder
            .add("rec", |ports| DataRecorder::new(target, RecorderConfig::default(), &keys, ports))
            .unwrap();
        builder.connect("count.n", "rec.n").unwrap();
        let mut system = builder.build().unwrap();
        system.run_for(1000).unwrap();
        system.shutdown().unwrap();
        std::fs::read(&path).unwrap()
    };
    let bytes = run();
    let dataset = Dataset::open(&path).unwrap();
    assert_eq!(read(&dataset, "n"), (1..=1000).collect::<Vec<i64>>());
    assert_eq!(dataset.timestamps("n").unwrap()[999], nanos(999_000_000));
    // Twice the same run, twice the same bytes.
    drop(dataset);
    assert!(run() == bytes);
}

proptest! {
    #[test]
    fn the_counts_balance_whatever_the_config(
        every in 1_u64..5,
        max in proptest::option::of(0_u64..50),
        ring in proptest::option::of(1_usize..20),
        overflow in prop_oneof![
            Just(Overflow::Block), Just(Overflow::DropNewest), Just(Overflow::DropOldest)
        ],
        queue_bytes in 1_usize..2_000,
        offered in 0_i64..200,
    ) {
        let mut recorder = recorder(RecorderConfig {
            sample_every_n: every,
            max_samples: max,
            use_ring_buffer: ring.is_some(),
            ring_buffer_size: ring.unwrap_or(1),
            overflow,
            queue_bytes,
            ..RecorderConfig::default()
        });
        let key = recorder.key("x");
        record(&recorder, &key, 0..offered);
        let (dataset, stats) = recorder.close().unwrap();
        prop_assert!(stats.keys["x"].balances(), "{stats:?}");
        prop_assert_eq!(dataset.unwrap().len().unwrap(), stats.keys["x"].written);
    }
}

#[test]
fn what_the_producer_says_of_a_message_is_recorded_with_it() {
    let mut recorder = recorder(RecorderConfig::default());
    let metadata: BTreeMap<String, String> = [("unit".to_owned(), "m".to_owned())].into();
    let key = recorder.key_with("x", Role::Input, metadata.clone());
    recorder.set_facts(Facts {
        sequence: crate::dataset::SequenceMeaning::Tick,
        entries: [("seed".to_owned(), "7".to_owned())].into(),
    });
    let stamp = Stamp { time: nanos(5), publish_time: Some(nanos(3)), sequence: Some(40) };
    recorder.record(&key, Arc::new(1_i64), stamp).unwrap();
    recorder.record(&key, Arc::new(2_i64), nanos(6)).unwrap();
    let dataset = recorder.close().unwrap().0.unwrap();
    let samples = dataset.channel("x").unwrap().samples().unwrap();
    let told: Vec<_> = samples
        .map(|sample| sample.unwrap())
        .map(|s| (s.time.as_nanos(), s.publish_time.as_nanos(), s.sequence))
        .collect();
    assert_eq!(told, [(5, 3, 40), (6, 6, 41)]);
    assert_eq!(dataset.channel("x").unwrap().channel().metadata, metadata);
    let facts = dataset.facts();
    assert_eq!(facts.sequence, crate::dataset::SequenceMeaning::Tick);
    assert!(facts.entries["seed"] == "7" && facts.entries.contains_key("recorder"));
}
