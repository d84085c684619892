//! A ring that is full: what it costs to drop the oldest for each new sample,
//! short and long, and whether its memory stays as it is.

use std::collections::VecDeque;
use std::fs;
use std::num::NonZeroUsize;

use bytes::Bytes;
use lk::Time;
use lk::dataset::{Backend, ChannelId, Ring, Sample};

use crate::data;
use crate::measure::{Subject, Table};

/// Samples a round.
const SAMPLES: u32 = 200_000;

pub fn run(table: &mut Table) {
    let [short, long, memory] =
        ["ring/drop/10^3", "ring/drop/10^6", "ring/memory/10^6"].map(str::to_owned);
    for (bench, length) in [(short, 1_000), (long, 1_000_000)] {
        if table.wants(&bench) {
            drops(table, &bench, length);
        }
    }
    if table.wants(&memory) {
        let (mut ring, id) = full(1_000_000);
        let before = resident_mib();
        let payloads = payloads();
        let each = (0..3_000_000).zip(payloads.iter().cycle());
        each.for_each(|(n, payload)| write(&mut ring, id, n, payload));
        let after = resident_mib();
        table.record(&memory, "lk, full, payloads of 100 B", before, "MiB");
        table.record(&memory, "the same, after 3,000,000 more", after, "MiB");
    }
}

fn drops(table: &mut Table, bench: &str, length: usize) {
    let payloads = payloads();
    let payload = |n: u32| &payloads[n as usize % payloads.len()];
    let (mut ring, id) = full(length);
    let plain = (0..length as u32).map(|n| payload(n).to_vec());
    let mut plain: VecDeque<Vec<u8>> = plain.collect();
    table.measure_cpu(
        bench,
        "drops/s",
        vec![
            Subject::new("lk", || {
                (0..SAMPLES).for_each(|n| write(&mut ring, id, n, payload(n)));
                u64::from(SAMPLES)
            }),
            Subject::peer("VecDeque of copied payloads, by hand", || {
                for n in 0..SAMPLES {
                    plain.pop_front();
                    plain.push_back(payload(n).to_vec());
                }
                u64::from(SAMPLES)
            }),
        ],
    );
}

fn full(length: usize) -> (Ring, ChannelId) {
    let payloads = payloads();
    let mut ring = Ring::new(NonZeroUsize::new(length).expect("some samples"));
    let id = ring.add_channel(data::untyped("key")).expect("a new key");
    let each = (0..length as u32).zip(payloads.iter().cycle());
    each.for_each(|(n, payload)| write(&mut ring, id, n, payload));
    (ring, id)
}

/// A few of 100 bytes.
fn payloads() -> Vec<Bytes> {
    data::floats(100, 256, 3).into_iter().map(Bytes::from).collect()
}

fn write(ring: &mut Ring, id: ChannelId, n: u32, payload: &Bytes) {
    let time = Time::from_nanos(i64::from(n));
    let sample = Sample { time, publish_time: time, sequence: n, payload: payload.clone() };
    ring.write(id, sample).expect("a ring takes all");
}

/// What this process has in memory now, as Linux counts it.
fn resident_mib() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
    kib.and_then(|kib| kib.trim().parse::<f64>().ok()).unwrap_or(f64::NAN) / 1024.0
}
