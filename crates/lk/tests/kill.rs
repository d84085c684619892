//! A writer that is killed, or whose disk is full, has lost nothing that it
//! acknowledged.
//!
//! The tests start their own program again as the writer; what to do is in an
//! environment variable.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use lk::dataset::mcap::Compression;
use lk::dataset::{
    Channel, CreateOptions, Encoding, ForeignEncoding, Integrity, Query, Role, Sample,
};
use lk::{Dataset, Time};

#[path = "../src/testing/soak.rs"]
#[expect(unreachable_pub, reason = "public in the library")]
mod soak;

/// The variable that makes a test the writer.
const ORDER: &str = "LK_TEST_WRITER";

/// What a writer does, as text: `case path`.
fn order() -> Option<(u64, PathBuf)> {
    let order = env::var(ORDER).ok()?;
    let (case, path) = order.split_once(' ').expect("a case and a path");
    Some((case.parse().expect("a number"), PathBuf::from(path)))
}

/// How the writer of a case writes: every mixture comes up.
fn options(case: u64) -> CreateOptions {
    CreateOptions {
        overwrite: true,
        compression: [Compression::Zstd, Compression::Lz4, Compression::None][case as usize % 3],
        chunk_bytes: [500, 20_000, 1 << 20][case as usize / 3 % 3],
        close_after: (case / 9 % 2 == 1).then_some(Duration::from_millis(1)),
        threads: (case / 18 % 3) as usize,
    }
}

/// Samples from one acknowledgement to the next.
fn batch(case: u64) -> u32 {
    [1, 10, 100][case as usize / 54 % 3]
}

/// Sample number `n`, of 0 to 999 bytes that tell which it is.
fn sample(n: u32) -> Sample {
    let time = Time::from_nanos(i64::from(n) * 1_000);
    let payload: Vec<u8> = (0..n * 37 % 1000).map(|i| (i.wrapping_mul(n) >> 3) as u8).collect();
    Sample { time, publish_time: time, sequence: n, payload: payload.into() }
}

/// Writes, and tells what is flushed, until it is killed or can't go on.
fn write(case: u64, path: &Path) {
    let mut out = std::io::stdout();
    let mut say = |text: String| {
        out.write_all(text.as_bytes()).and_then(|()| out.flush()).expect("the test listens");
    };
    let written = (|| {
        let mut dataset = Dataset::create_with(path, options(case))?;
        let id = dataset.add_channel(Channel {
            key: "a".to_owned(),
            encoding: Encoding::Foreign(ForeignEncoding::untyped("bytes")),
            role: Role::None,
            metadata: Default::default(),
        })?;
        say("\nflushed 0\n".to_owned());
        for n in 0..1_000_000 {
            dataset.write_sample(id, sample(n))?;
            if (n + 1) % batch(case) == 0 {
                if n % 70 == 69 {
                    dataset.sync()?;
                } else {
                    dataset.flush()?;
                }
                say(format!("flushed {}\n", n + 1));
            }
        }
        Ok::<_, lk::Error>(())
    })();
    if let Err(error) = written {
        let source = std::error::Error::source(&error).map(ToString::to_string);
        say(format!("failed {error}: {}\n", source.unwrap_or_default()));
    }
}

/// What a writer says.
enum Said {
    Flushed(u32),
    Failed(String),
}

/// Starts this program as a writer; `sh` starts it, after `prelude`.
fn start(test: &str, prelude: &str, case: u64, path: &Path) -> (Child, Receiver<Said>) {
    let mut child = Command::new("sh")
        .arg("-c")
        .arg(format!("{prelude} exec \"$0\" \"$@\""))
        .arg(env::current_exe().expect("a test has a program"))
        .args(["--exact", test, "--nocapture"])
        .env(ORDER, format!("{case} {}", path.display()))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the writer starts");
    let stdout = BufReader::new(child.stdout.take().expect("it is a pipe"));
    let (sender, said) = mpsc::channel();
    std::thread::spawn(move || {
        // A line that is cut off by the kill was never said.
        for line in stdout.split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).into_owned();
            let said = match line.split_once(' ') {
                Some(("flushed", count)) => count.parse().ok().map(Said::Flushed),
                Some(("failed", error)) => Some(Said::Failed(error.to_owned())),
                _ => None,
            };
            said.map(|said| sender.send(said));
        }
    });
    (child, said)
}

/// The number of samples in the file, all of which are right.
#[track_caller]
fn check(path: &Path, context: &str) -> (u32, Integrity) {
    let mut dataset = Dataset::open(path).unwrap_or_else(|e| panic!("{context}: {e}"));
    let integrity = dataset.check().unwrap_or_else(|e| panic!("{context}: {e}"));
    let mut count = 0;
    for item in dataset.samples(&Query::default()).expect("it opened") {
        let (_, read) = item.unwrap_or_else(|e| panic!("{context}: {e}"));
        assert_eq!(read, sample(count), "{context}: sample {count}");
        count += 1;
    }
    (count, integrity)
}

#[test]
fn kills_lose_nothing_that_was_flushed() {
    if let Some((case, path)) = order() {
        return write(case, &path);
    }
    let kills = if soak::is_on() { 1_000 } else { 100 };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut random: u64 = 88_172_645_463_325_252;
    let (mut flushed_in_all, mut read_in_all) = (0, 0);
    for case in 0..kills {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let path = folder.path().join(format!("{case}.mcap"));
        let test = "kills_lose_nothing_that_was_flushed";
        let (mut child, said) = start(test, "", case, &path);
        // A moment up to 8 ms after it began, or for some after it started.
        let first = match case % 8 {
            0 => None,
            _ => Some(said.recv().expect("the writer begins")),
        };
        let moment = Instant::now() + Duration::from_micros(random % 8_000);
        let mut flushed = 0;
        let mut note = |said: Said| match said {
            Said::Flushed(count) => flushed = count,
            Said::Failed(error) => panic!("case {case}: {error}"),
        };
        first.map(&mut note);
        loop {
            match said.recv_timeout(moment.saturating_duration_since(Instant::now())) {
                Ok(said) => note(said),
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => panic!("case {case}: it ended by itself"),
            }
        }
        child.kill().expect("it is running");
        child.wait().expect("it was started");
        // What it said before the kill may still be in the pipe.
        said.iter().for_each(note);
        let context = format!("case {case}, {flushed} flushed");
        if flushed == 0 && !std::fs::metadata(&path).is_ok_and(|file| file.len() >= 8) {
            continue;
        }
        let (read, integrity) = check(&path, &context);
        assert!(read >= flushed, "{context}: {read} read");
        assert_eq!(integrity.lost_samples, None, "{context}: a file without an end can't tell");
        flushed_in_all += u64::from(flushed);
        read_in_all += u64::from(read);
        std::fs::remove_file(&path).expect("it is ours");
    }
    soak::count("kills of a writer", kills as usize);
    println!("{kills} kills, {flushed_in_all} samples flushed, {read_in_all} read");
    assert!(flushed_in_all > 10 * kills, "the writers came to something");
}

#[test]
#[cfg(unix)]
fn a_disk_that_is_full_is_told_and_nothing_flushed_is_lost() {
    if let Some((case, path)) = order() {
        return write(case, &path);
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    for case in 0..54 {
        let path = folder.path().join(format!("{case}.mcap"));
        let test = "a_disk_that_is_full_is_told_and_nothing_flushed_is_lost";
        // Files of at most so many blocks of 512 bytes, or 1 KiB in some
        // shells; beyond, a write fails, as it does on a full disk.
        let (mut child, said) = start(test, "ulimit -f 30; trap '' XFSZ;", case, &path);
        let mut flushed = 0;
        let mut error = String::new();
        for said in said {
            match said {
                Said::Flushed(count) => flushed = count,
                Said::Failed(why) => error = why,
            }
        }
        child.wait().expect("it was started");
        let context = format!("case {case}, {flushed} flushed, {error}");
        assert!(error.contains("File too large"), "{context}");
        assert!(error.starts_with(&format!("can't write {}", path.display())), "{context}");
        let (read, _) = check(&path, &context);
        assert!(read >= flushed, "{context}: {read} read");
        assert!(read > 10, "{context}: {read} read");
        let told = format!("the first {flushed} samples are safe");
        assert!(error.contains(&told), "{context}");
    }
}
