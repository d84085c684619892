//! Playing a recording: how late its messages come, at what rate, whether that
//! drifts, and how fast it goes where nothing waits.

use std::hint::black_box;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use lk::clock::Clock;
use lk::playback::{PlayReport, PlaybackConfig, Player};
use lk::{Dataset, Time};
use rustix::thread::clock_nanosleep_absolute;
use rustix::time::{ClockId, clock_gettime};

use crate::data;
use crate::measure::{Subject, Table, median};

/// Of the quantiles of lateness.
const ROUNDS: usize = 5;

pub fn run(table: &mut Table) {
    for (name, rate_hz, ticks) in [("1kHz", 1_000, 500), ("100Hz", 100, 50)] {
        let bench = format!("playback/lateness/{name}");
        if table.wants(&bench) {
            eprintln!("{bench}");
            lateness(table, &bench, Duration::from_secs(1) / rate_hz, ticks);
        }
    }
    rates(table, "playback/rate/1kHz");
    unpaced(table, "playback/unpaced/324B");
    drift(table, "playback/drift/60s");
}

/// A message in each period, in memory.
fn recording(period: Duration, count: u32) -> Arc<Dataset> {
    let mut dataset = Dataset::memory();
    for n in 0..count {
        let time = Time::from_nanos((period * n).as_nanos() as i64);
        dataset.write("n", &n, time).expect("memory takes all");
    }
    Arc::new(dataset)
}

/// Plays at a rate; how late each message was when it was given, in
/// nanoseconds.
fn play(dataset: &Arc<Dataset>, rate: f64) -> (PlayReport, Vec<u64>) {
    let mut player =
        Player::new(Arc::clone(dataset), PlaybackConfig::default()).expect("it can be played");
    let clock = Clock::paced(Time::ZERO, rate).expect("a rate");
    let remote = clock.remote().expect("a paced clock has one");
    let mut late = Vec::with_capacity(1 << 16);
    let report = player.play_by(clock, |tick| {
        late.push((remote.now() - tick.time).as_nanos().max(0) as u64);
        Ok(())
    });
    (report.expect("it can be played"), late)
}

fn lateness(table: &mut Table, bench: &str, period: Duration, ticks: u32) {
    let dataset = recording(period, ticks);
    let [mut given, mut condvar, mut sleep] = [(); 3].map(|()| Vec::new());
    let [mut p50, mut p99, mut max] = [(); 3].map(|()| Vec::new());
    for _ in 0..ROUNDS {
        let (report, late) = play(&dataset, 1.0);
        given.extend(late);
        let micros = |part| report.lateness.quantile(part).as_nanos() as f64 / 1e3;
        p50.push(micros(0.5));
        p99.push(micros(0.99));
        max.push(micros(1.0));
        condvar.extend(by_condvar(period, ticks));
        sleep.extend(by_sleep(period, ticks));
    }
    let (p50, p99) = (median(p50), median(p99));
    let max = max.into_iter().fold(0.0, f64::max);
    table.calls(bench, "lk, when a message is given", given);
    table.text(bench, "lk, as it reports", format!("p50 {p50:.2}, p99 {p99:.2}, max {max:.0} us"));
    table.calls(bench, "a wait on a condition variable, as rosbag2 does", condvar);
    table.calls(bench, "a plain absolute sleep", sleep);
}

fn by_condvar(period: Duration, ticks: u32) -> Vec<u64> {
    let (lock, never) = (Mutex::new(()), Condvar::new());
    let start = Instant::now();
    let late = (0..ticks).map(|n| {
        let due = start + period * n;
        let mut guard = lock.lock().expect("nobody panics");
        loop {
            let left = due.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            guard = never.wait_timeout(guard, left).expect("nobody panics").0;
        }
        due.elapsed().as_nanos() as u64
    });
    late.collect()
}

fn by_sleep(period: Duration, ticks: u32) -> Vec<u64> {
    const SECOND: i64 = 1_000_000_000;
    let nanos = |time: rustix::time::Timespec| time.tv_sec * SECOND + time.tv_nsec;
    let start = nanos(clock_gettime(ClockId::Monotonic));
    let late = (0..ticks).map(|n| {
        let due = start + (period * n).as_nanos() as i64;
        let until = rustix::time::Timespec { tv_sec: due / SECOND, tv_nsec: due % SECOND };
        clock_nanosleep_absolute(ClockId::Monotonic, &until).expect("nothing interrupts it");
        (nanos(clock_gettime(ClockId::Monotonic)) - due).max(0) as u64
    });
    late.collect()
}

/// How far the rate is off that was asked for, over about a second each.
fn rates(table: &mut Table, bench: &str) {
    if !table.wants(bench) {
        return;
    }
    eprintln!("{bench}");
    for rate in [0.5, 1.0, 2.0, 10.0] {
        let dataset = recording(Duration::from_millis(1), (1000.0 * rate) as u32);
        let (report, _) = play(&dataset, rate);
        let off = report.rate.expect("several ticks") / rate - 1.0;
        table.record(bench, &format!("lk, {rate} times as fast: off by"), off * 1e6, "ppm");
    }
}

fn unpaced(table: &mut Table, bench: &str) {
    const MESSAGES: u32 = 200_000;
    if !table.wants(bench) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder for files");
    let path = folder.path().join("imu.mcap");
    let payloads = data::imus(MESSAGES, 1);
    data::write(&path, &payloads);
    let memory = Dataset::open(&path).and_then(|file| {
        let mut memory = Dataset::memory();
        let id = memory.add_channel(file.channels()[0].clone())?;
        for item in file.samples(&Default::default())? {
            memory.write_sample(id, item?.1)?;
        }
        Ok(Arc::new(memory))
    });
    let memory = memory.expect("a file of lk");
    let play = |dataset: Arc<Dataset>| {
        let player = Player::new(dataset, PlaybackConfig::default());
        let report = player.and_then(|mut player| {
            player.play_unpaced(|tick| {
                black_box(tick);
                Ok(())
            })
        });
        report.expect("it can be played").messages
    };
    table.measure(
        bench,
        "msg/s",
        vec![
            Subject::new("lk, from memory", || play(Arc::clone(&memory))),
            Subject::new("lk, from a file", || {
                play(Arc::new(Dataset::open(&path).expect("a file of lk")))
            }),
            Subject::peer("mcap 0.26.0, reading the file alone", || read_peer(&path)),
        ],
    );
}

fn read_peer(path: &Path) -> u64 {
    let bytes = std::fs::read(path).expect("a file of lk");
    let messages = mcap::MessageStream::new(&bytes).expect("a file of lk");
    messages.map(|message| u64::from(black_box(message).is_ok())).sum()
}

/// A minute at 1 kHz, only where it is asked for by name.
fn drift(table: &mut Table, bench: &str) {
    const TICKS: u32 = 60_000;
    if !table.is_named(bench) {
        return;
    }
    eprintln!("{bench}");
    let period = Duration::from_millis(1);
    let relative = thread::spawn(move || {
        let start = Instant::now();
        (0..TICKS).for_each(|_| thread::sleep(period));
        start.elapsed() - period * TICKS
    });
    let (report, late) = play(&recording(period, TICKS), 1.0);
    let off = relative.join().expect("it sleeps").as_secs_f64() * 1e3;
    table.calls(bench, "lk, in the first second", late[..1_000].to_vec());
    table.calls(bench, "lk, in the last second", late[late.len() - 1_000..].to_vec());
    let rate = report.rate.expect("several ticks") - 1.0;
    table.record(bench, "lk, the rate: off by", rate * 1e6, "ppm");
    table.record(bench, "sleeping for a millisecond each time: off by", off, "ms");
}
