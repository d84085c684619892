//! Any number of threads, and any bound on memory, give the same result, byte
//! for byte.

use proptest::prelude::*;

use super::payloads::failing;
use super::*;
use crate::dataset::{CreateOptions, Sample, Together};
use crate::diff::engine::diff_by;
use crate::diff::stream::Means;
use crate::time::Time;

const MSG: &str = "float64 x\nfloat32[3] v";
const KEYS: [&str; 3] = ["a", "b", "c"];

/// Messages of one key: times, sequence numbers and payloads.
type Messages = Vec<(i64, u32, Vec<u8>)>;

/// Numbers that look random, the same each time.
struct Noise(u64);

impl Noise {
    fn below(&mut self, n: u64) -> u64 {
        // Knuth's MMIX; the high bits are the good ones.
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % n
    }
}

fn reference(count: usize, noise: &mut Noise, ticks: bool) -> Messages {
    let message = |n: usize| {
        let mut payload = vec![0, 1, 0, 0];
        payload.extend((noise.below(2_000) as f64 * 0.37 - 300.0).to_le_bytes());
        for _ in 0..3 {
            payload.extend((noise.below(50) as f32 / 7.0).to_le_bytes());
        }
        let sequence = if ticks { n / 2 } else { n };
        (1_000_000 * n as i64, sequence as u32, payload)
    };
    (0..count).map(message).collect()
}

/// What a candidate makes of it: small errors of all sizes, and some that
/// aren't small.
fn candidate(messages: &Messages, noise: &mut Noise) -> Messages {
    let mut messages = messages.clone();
    for (_, _, payload) in &mut messages {
        let x = f64::from_le_bytes(payload[4..12].try_into().unwrap());
        let x = match noise.below(300) {
            0 => f64::NAN,
            1 => x + 1e-3,
            n if n < 100 => x,
            n => x + 1e-6 / n as f64,
        };
        payload[4..12].copy_from_slice(&x.to_le_bytes());
    }
    messages
}

#[derive(Clone, Debug)]
struct Edit {
    key: usize,
    at: usize,
    kind: u8,
}

fn apply(keys: &mut [Messages], edit: &Edit) {
    let Some(messages) = keys.get_mut(edit.key) else { return };
    let Some(at) = edit.at.checked_rem(messages.len()) else { return };
    match edit.kind {
        0 => drop(messages.remove(at)),
        1 => messages.insert(at, messages[at].clone()),
        2 => messages[at].2.truncate(9),
        3 => messages[at].0 += 400_000,
        // The order of ticks is another one than that of times.
        4 => messages[at..].reverse(),
        _ => drop(messages.split_off(at)),
    }
    for (n, (time, _, _)) in messages.iter_mut().enumerate().filter(|_| edit.kind == 4) {
        *time = 1_000_000 * n as i64;
    }
}

/// All keys at once, or one after another.
fn data(keys: &[Messages], interleaved: bool, ticks: bool) -> Data {
    let mut data = if ticks { Data::of_ticks() } else { Data::new() };
    for key in KEYS {
        data = data.key(key, MSG);
    }
    let apart = if interleaved { 0 } else { 1_000_000_000_000 };
    for (key, messages) in KEYS.iter().zip(keys) {
        let id = data.dataset.channel_id(key).unwrap();
        for (time, sequence, payload) in messages {
            let time = Time::from_nanos(time + apart * i64::from(id.0));
            let payload = payload.clone().into();
            let sample = Sample { time, publish_time: time, sequence: *sequence, payload };
            data.dataset.write_sample(id, sample).unwrap();
        }
    }
    data
}

fn json(a: &Dataset, b: &Dataset, threads: usize, waiting_bytes: usize) -> String {
    let policy = Policy { check_timestamps: false, ..Policy::default() };
    let means = Means { together: &Together::new(threads), waiting_bytes };
    let result = diff_by(a, b, &policy, &means).unwrap();
    assert_adds_up(&result);
    serde_json::to_string(&result).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn threads_and_bounds_on_memory_change_nothing(
        seed: u64,
        counts in prop::array::uniform3(0..2_500_usize),
        edits in prop::collection::vec(
            (0..3_usize, 0..2_500_usize, 0..6_u8)
                .prop_map(|(key, at, kind)| Edit { key, at, kind }),
            0..4,
        ),
        interleaved: [bool; 2],
        ticks: bool,
        broken in prop::option::weighted(0.3, (0..2_usize, 0..5_000_usize)),
        waiting_bytes in prop::sample::select(vec![1_000_usize, 40_000, usize::MAX]),
    ) {
        let mut noise = Noise(seed);
        let a: Vec<Messages> = counts.iter().map(|n| reference(*n, &mut noise, ticks)).collect();
        let mut b: Vec<Messages> = a.iter().map(|m| candidate(m, &mut noise)).collect();
        edits.iter().for_each(|edit| apply(&mut b, edit));
        let mut sides = [data(&a, interleaved[0], ticks), data(&b, interleaved[1], ticks)];
        if let Some((side, after)) = broken {
            sides[side].dataset = failing(&sides[side], after, false);
        }
        let [a, b] = sides.map(|side| side.dataset);
        let expected = json(&a, &b, 1, waiting_bytes);
        for threads in [2, 8] {
            prop_assert_eq!(&json(&a, &b, threads, waiting_bytes), &expected);
        }
        if broken.is_none() {
            prop_assert_eq!(&json(&a, &b, 2, usize::MAX), &expected);
        }
    }
}

#[test]
fn files_of_many_chunks_are_read_by_any_number_of_threads() {
    let mut noise = Noise(1);
    let a: Vec<Messages> = (0..3).map(|_| reference(4_000, &mut noise, false)).collect();
    let mut b: Vec<Messages> = a.iter().map(|m| candidate(m, &mut noise)).collect();
    apply(&mut b, &Edit { key: 1, at: 700, kind: 0 });
    apply(&mut b, &Edit { key: 2, at: 2_000, kind: 2 });
    let folder = tempfile::tempdir().unwrap();
    let [a, b] = [("a.mcap", &a), ("b.mcap", &b)].map(|(name, keys)| {
        let path = folder.path().join(name);
        let options = CreateOptions { chunk_bytes: 5_000, ..CreateOptions::default() };
        let mut file = Dataset::create_with(&path, options).unwrap();
        let from = data(keys, true, false).dataset;
        for channel in from.channels() {
            file.add_channel(channel.clone()).unwrap();
        }
        for sample in from.samples(&Default::default()).unwrap() {
            let (id, sample) = sample.unwrap();
            file.write_sample(id, sample).unwrap();
        }
        file.close().unwrap();
        path
    });
    let json = |threads: usize, waiting_bytes: usize| {
        let [a, b] = [&a, &b].map(|path| Dataset::open(path).unwrap());
        json(&a, &b, threads, waiting_bytes)
    };
    let expected = json(1, usize::MAX);
    for threads in [2, 3, 8] {
        for waiting_bytes in [1_000, usize::MAX] {
            assert_eq!(json(threads, waiting_bytes), expected, "{threads} threads");
        }
    }
    // A chunk in the middle that is damaged is the same error for all.
    let mut bytes = std::fs::read(&b).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 40].fill(0xa5);
    std::fs::write(&b, bytes).unwrap();
    let expected = json(1, usize::MAX);
    assert!(expected.contains("the candidate can't be read"), "{expected}");
    for threads in [2, 8] {
        assert_eq!(json(threads, usize::MAX), expected);
    }
}
