//! Orders of reading that make pairs wait, and guesses that turn out wrong.

use super::lane::{Age, SLOT_BYTES};
use super::*;
use bytes::Bytes;

use crate::dataset::{Channel, Encoding, Facts, Role};
use crate::diff::Alignment;
use crate::diff::policy::Resolver;
use crate::{Schema, Time};

const KEYS: [&str; 3] = ["a", "b", "c"];
const MESSAGES: usize = 40;

fn empty() -> Dataset {
    let mut dataset = Dataset::memory();
    let schema = Schema::parse("test/msg/T", "uint8[] x").unwrap();
    for key in KEYS {
        let encoding = Encoding::Cdr(schema.clone());
        let channel = Channel { key: key.into(), encoding, role: Role::None, metadata: [].into() };
        dataset.add_channel(channel).unwrap();
    }
    dataset
}

fn payload(value: u8) -> Vec<u8> {
    [&[0, 1, 0, 0, 92, 0, 0, 0][..], &[value; 92]].concat()
}

/// A message of 100 bytes.
fn write(dataset: &mut Dataset, key: usize, time: i64, value: u8) {
    let id = ChannelId(key as u32);
    dataset.write_payload(id, payload(value), Time::from_nanos(time)).unwrap();
}

/// Every key's messages after those of the key before, in this order.
fn one_after_another(order: [usize; 3]) -> Dataset {
    let mut dataset = empty();
    for (turn, key) in order.into_iter().enumerate() {
        for n in 0..MESSAGES {
            write(&mut dataset, key, (turn * 1_000 + n / 2) as i64, n as u8);
        }
    }
    dataset
}

fn jobs(sides: [&Dataset; 2]) -> Vec<KeyJob> {
    let policy = Policy::default();
    let mut resolver = Resolver::new(&policy);
    let job = |key: usize| {
        let encodings = sides.map(|side| &side.channels()[key].encoding);
        let plan = PairPlan::new(KEYS[key], encodings[0], encodings[1], &mut resolver);
        KeyJob::new(KEYS[key], [ChannelId(key as u32); 2], plan)
    };
    (0..3).map(job).collect()
}

fn run(sides: [&Dataset; 2], limit: usize) -> Vec<KeyJob> {
    let policy = Policy { check_timestamps: false, ..Policy::default() };
    let mut jobs = jobs(sides);
    let means = Means { together: &Together::new(1), waiting_bytes: limit };
    compare(sides, &policy, &mut jobs, &mut [], &means).unwrap();
    jobs
}

#[test]
fn memory_is_bounded_whatever_the_order_and_the_outcome_is_the_same() {
    let (a, b) = (one_after_another([0, 1, 2]), one_after_another([2, 1, 0]));
    let whole = run([&a, &b], usize::MAX);
    // With a limit of three messages, keys are given up and read alone.
    let policy = Policy { check_timestamps: false, ..Policy::default() };
    let limit = 3 * (SLOT_BYTES + 100);
    let means = Means { together: &Together::new(1), waiting_bytes: limit };
    let reading = Reading::new([&a, &b], &policy, &means);
    let mut given_up = jobs([&a, &b]);
    assert!(reading.guess(&mut given_up, &mut []).unwrap().iter().any(Option::is_none));
    let bounded = run([&a, &b], limit);
    for (whole, bounded) in whole.iter().zip(&bounded) {
        assert_eq!(whole.partial.n_matching, MESSAGES as u64);
        assert_eq!(whole.partial, bounded.partial);
        assert_eq!(whole.duplicated, bounded.duplicated);
    }
}

#[test]
fn a_key_in_opposite_orders_is_read_some_pairs_at_a_time() {
    // The ticks of the candidate run against its times.
    let sides = [false, true].map(|backwards| {
        let mut dataset = empty();
        let facts = Facts { sequence: SequenceMeaning::Tick, ..Facts::default() };
        dataset.set_facts(facts).unwrap();
        for n in 0..MESSAGES {
            let tick = if backwards { MESSAGES - 1 - n } else { n };
            let payload = payload(tick as u8).into();
            let time = Time::from_nanos(n as i64);
            let sample = Sample { time, publish_time: time, sequence: tick as u32, payload };
            dataset.write_sample(ChannelId(0), sample).unwrap();
        }
        dataset
    });
    let sides = [&sides[0], &sides[1]];
    let whole = run(sides, usize::MAX);
    assert_eq!(whole[0].partial.n_matching, MESSAGES as u64);
    for messages in [1, 7, 30] {
        let bounded = run(sides, messages * (SLOT_BYTES + 100));
        assert_eq!(whole[0].partial, bounded[0].partial);
    }
}

/// Times of key `a` on both sides; the values are the times, so that only
/// pairs of equal times match.
fn guess(a: &[i64], b: &[i64], right: bool, alignment: Alignment) -> KeyJob {
    let sides = [a, b].map(|times| {
        let mut dataset = empty();
        times.iter().for_each(|time| write(&mut dataset, 0, *time, *time as u8));
        dataset
    });
    let sides = [&sides[0], &sides[1]];
    let policy = Policy::default();
    let means = Means { together: &Together::new(1), waiting_bytes: usize::MAX };
    let guessed = Reading::new(sides, &policy, &means).guess(&mut jobs(sides), &mut []);
    let mut jobs = run(sides, usize::MAX);
    let job = jobs.remove(0);
    let guessed = guessed.unwrap()[0].as_ref().map(|(pairs, _)| *pairs);
    let kept = guessed.is_some() && guessed == job.pairing.prefix();
    assert_eq!(kept, right, "{a:?} {b:?}");
    assert_eq!(job.pairing.alignment, alignment, "{a:?} {b:?}");
    job
}

#[test]
fn a_wrong_guess_is_thrown_away() {
    let job = guess(&[1, 2, 3, 4], &[1, 3, 4], false, Alignment::Time);
    assert_eq!((job.partial.n_matching, job.partial.n_different), (3, 0));
    let job = guess(&[2, 3, 4], &[1, 2, 3, 4], false, Alignment::Time);
    assert_eq!((job.partial.n_matching, job.partial.n_different), (3, 0));
    // Fewer pairs than the guess took.
    let job = guess(&[1, 2, 3, 4], &[1, 2, 5, 6], false, Alignment::Time);
    assert_eq!((job.partial.n_matching, job.partial.pairs), (2, 2));
    // Looks like times, until one repeats.
    let job = guess(&[1, 2, 3, 4, 4], &[1, 3, 4, 5, 6], false, Alignment::Index);
    assert_eq!(job.partial.pairs, 5);
}

#[test]
fn a_right_guess_is_kept() {
    guess(&[1, 2, 3], &[1, 2, 3], true, Alignment::Time);
    guess(&[1, 2, 3], &[1, 2, 3, 4], true, Alignment::Time);
    guess(&[1, 2, 3], &[4, 5], true, Alignment::Index);
    guess(&[1, 1, 3], &[1, 2, 2, 7], true, Alignment::Index);
    guess(&[], &[1, 2], true, Alignment::Time);
}

#[test]
fn a_payload_that_keeps_waiting_is_copied_once_and_a_long_one_later() {
    for (len, turns) in [(100, 2), (2 * TURN_BYTES, 6)] {
        let chunk = Bytes::from(vec![1; 2 * len]);
        let mut payload = chunk.slice(..len);
        let mut age = Age::default();
        let mut copied = Vec::new();
        for turn in 1..20 {
            let before = payload.as_ptr();
            age.settle(&mut payload);
            if payload.as_ptr() != before {
                copied.push(turn);
            }
        }
        assert_eq!(copied, [turns], "{len}");
        assert!(chunk.is_unique(), "it keeps no chunk alive");
    }
}
