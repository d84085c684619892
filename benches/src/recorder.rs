//! What recording costs those who offer messages: 1 KiB, 100,000 a second in
//! all, from one thread and from four.

mod peers;

use std::path::Path;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use lk::component::{AnyMsg, Encoded};
use lk::dataset::mcap::CreateOptions;
use lk::recorder::{Feeder, Key, Recorder, RecorderConfig, Target};
use lk::{Dataset, Schema, Time};

use crate::measure::Table;
use peers::{Buffered, InThread};

/// Messages a second, of all threads together.
const RATE: u64 = 100_000;
/// Messages a round.
const MESSAGES: u64 = 30_000;
const ROUNDS: usize = 5;
/// Of a message, its header included.
const BYTES: usize = 1024;

/// Where a message goes; one for each thread.
trait Offer: Send {
    fn offer(&mut self, n: usize, time: i64);
}

pub fn run(table: &mut Table) {
    for threads in [1, 4] {
        let bench = format!("recorder/offer-1KiB/{threads}-threads");
        if table.wants(&bench) {
            eprintln!("{bench}");
            measure(table, &bench, threads);
        }
    }
}

fn measure(table: &mut Table, bench: &str, threads: usize) {
    let folder = tempfile::tempdir().expect("a folder for files");
    let path = folder.path().join("recorded.mcap");
    // A signal that changes slowly, as most do; a few hundred messages in turn.
    let messages: Vec<Bytes> = (0..256).map(message).collect();
    let schema = Schema::of::<Vec<f64>>().expect("a message type");
    let shared: Vec<Arc<dyn AnyMsg>> = messages
        .iter()
        .map(|payload| {
            let (schema, payload) = (schema.clone(), payload.clone());
            Arc::new(Encoded { schema, payload }) as Arc<dyn AnyMsg>
        })
        .collect();

    let [mut floor, mut ours, mut in_thread, mut buffered] = [(); 4].map(|()| Vec::new());
    for _ in 0..ROUNDS {
        floor.extend(calls((0..threads).map(|_| Nothing).collect()));
        ours.extend(recorded(&path, threads, &shared));
        in_thread.extend(InThread::calls(&path, threads, &messages));
        buffered.extend(Buffered::calls(&path, threads, &messages));
    }
    let all = ROUNDS as u64 * MESSAGES;
    table.calls(bench, &format!("lk, a file in lz4; {all} offered, written and read"), ours);
    table.calls(bench, "mcap 0.26.0 in lz4, in the caller, under a mutex", in_thread);
    table.calls(bench, "two buffers and a mutex, mcap 0.26.0 behind", buffered);
    table.calls(bench, "nothing: two readings of the clock", floor);
}

fn message(n: u32) -> Bytes {
    let mut payload = vec![0, 1, 0, 0];
    let floats = (BYTES - 12) / 8;
    payload.extend((floats as u32).to_le_bytes());
    payload.extend([0; 4]);
    for i in 0..floats as u32 {
        payload.extend(f64::from((n + i) % 1000).to_le_bytes());
    }
    Bytes::from(payload)
}

/// Offers messages on so many threads, evenly in time; what each call took, in
/// nanoseconds.
fn calls<O: Offer>(offers: Vec<O>) -> Vec<u64> {
    let threads = offers.len() as u64;
    let start = Barrier::new(offers.len());
    let period = Duration::from_nanos(1_000_000_000 * threads / RATE);
    thread::scope(|scope| {
        let running: Vec<_> = offers
            .into_iter()
            .map(|mut offer| {
                let start = &start;
                scope.spawn(move || {
                    let count = (MESSAGES / threads) as usize;
                    let mut nanos = Vec::with_capacity(count);
                    start.wait();
                    let mut due = Instant::now();
                    for n in 0..count {
                        due += period;
                        while Instant::now() < due {
                            // Others may want the processor: the one who writes.
                            thread::yield_now();
                        }
                        let begin = Instant::now();
                        offer.offer(n, n as i64 * period.as_nanos() as i64);
                        nanos.push(begin.elapsed().as_nanos() as u64);
                    }
                    nanos
                })
            })
            .collect();
        running.into_iter().flat_map(|thread| thread.join().expect("it offers")).collect()
    })
}

/// The floor: what measuring a call takes itself.
struct Nothing;

impl Offer for Nothing {
    fn offer(&mut self, n: usize, _: i64) {
        std::hint::black_box(n);
    }
}

struct Ours<'a>(Feeder, Key, &'a [Arc<dyn AnyMsg>]);

impl Offer for Ours<'_> {
    fn offer(&mut self, n: usize, time: i64) {
        // As a port has it: shared, not copied.
        let message = Arc::clone(&self.2[n % self.2.len()]);
        self.0.record(&self.1, message, Time::from_nanos(time)).expect("it records");
    }
}

fn recorded(path: &Path, threads: usize, messages: &[Arc<dyn AnyMsg>]) -> Vec<u64> {
    let options = CreateOptions { overwrite: true, ..CreateOptions::live() };
    let target = Target::Files { path: path.to_owned(), options };
    let mut recorder = Recorder::new(target, RecorderConfig::default()).expect("a new file");
    let offers = (0..threads).map(|n| {
        let key = recorder.key(&format!("key{n}"));
        Ours(recorder.feeder(), key, messages)
    });
    let offers = offers.collect();
    let nanos = calls(offers);
    let (_, stats) = recorder.close().expect("room on the disk");
    let total = stats.total();
    assert!(total.balances() && total.dropped == 0 && total.written == nanos.len() as u64);
    let read = Dataset::open(path).and_then(|dataset| dataset.len()).expect("a file of lk");
    assert_eq!(read, total.written, "what was offered is in the file");
    nanos
}
