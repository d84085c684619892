//! Messages that are counted before they are made.

use super::*;
use crate::component::Encoded;

#[test]
fn an_offer_waits_no_longer_than_it_is_told_and_is_dropped_unless_it_is_put() {
    let target = Target::Dataset(Slow::dataset(Duration::from_millis(1), u64::MAX));
    let config =
        RecorderConfig { queue_bytes: 1000, sample_every_n: 2, ..RecorderConfig::default() };
    let mut recorder = Recorder::new(target, config).unwrap();
    let (key, feeder) = (recorder.key("x"), recorder.feeder());
    let mut taken = 0_i64;
    let full = loop {
        let Some(offer) = feeder.offer(&key).unwrap() else { continue };
        match offer.put_within(Arc::new(taken), nanos(taken), Duration::ZERO) {
            Ok(put) => taken += i64::from(put),
            Err(back) => break back,
        }
    };
    assert_eq!(
        full.put_within(Arc::new(taken), nanos(taken), Duration::from_secs(60)).ok(),
        Some(true)
    );
    assert!(feeder.offer(&key).unwrap().is_none());
    drop(feeder.offer(&key).unwrap());
    let (dataset, stats) = recorder.close().unwrap();
    let x = stats.keys["x"];
    assert!(x.balances(), "{x:?}");
    assert_eq!((x.written as i64, x.dropped), (taken + 1, 1));
    assert_eq!(read(&dataset.unwrap(), "x"), (0..=taken).collect::<Vec<_>>());
    assert!(feeder.offer(&key).is_err());
    assert!(feeder.stats().keys["x"].balances());
}

#[test]
fn encoded_messages_count_by_their_own_size_before_the_first_is_written() {
    let target = Target::Dataset(Slow::dataset(Duration::from_millis(200), u64::MAX));
    let overflow = Overflow::DropNewest;
    let config = RecorderConfig { queue_bytes: 10_000, overflow, ..RecorderConfig::default() };
    let mut recorder = Recorder::new(target, config).unwrap();
    let key = recorder.key("x");
    let message = Arc::new(Encoded::of(&vec![0_u8; 4000]).unwrap());
    let offered = (0..10).map(|n| recorder.record(&key, message.clone(), nanos(n)).unwrap());
    let taken = offered.filter(|taken| *taken).count();
    // Two that wait, and one that is being written.
    assert!((2..=3).contains(&taken), "{taken}");
    assert_eq!(recorder.close().unwrap().1.keys["x"].written, taken as u64);
}

#[test]
fn what_triggers_write_is_what_the_rings_held() {
    let config =
        RecorderConfig { use_ring_buffer: true, ring_buffer_size: 3, ..RecorderConfig::default() };
    let mut recorder = recorder(config);
    let (a, b) = (recorder.key("a"), recorder.key("b"));
    record(&recorder, &a, 0..10);
    record(&recorder, &b, 0..2);
    recorder.trigger(nanos(9), Span::from_nanos(5)).unwrap();
    record(&recorder, &a, 10..20);
    recorder.flush().unwrap();
    assert_eq!((recorder.triggered(), recorder.stats().total().written), (5, 10));
}

#[test]
fn facts_of_a_key_may_come_after_its_first_offer() {
    let mut recorder = recorder(RecorderConfig::default());
    let feeder = recorder.feeder();
    drop(feeder.offer(&recorder.key("x")).unwrap());
    let metadata = BTreeMap::from([("unit".to_owned(), "m".to_owned())]);
    let key = feeder.key_with("x", Role::None, metadata.clone());
    feeder.key_with("x", Role::None, BTreeMap::from([("unit".to_owned(), "s".to_owned())]));
    recorder.record(&key, Arc::new(1_i64), nanos(1)).unwrap();
    let dataset = recorder.close().unwrap().0.unwrap();
    assert_eq!(dataset.channel("x").unwrap().channel().metadata, metadata);
}
