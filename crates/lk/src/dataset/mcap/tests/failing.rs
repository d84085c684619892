//! Disks that fail: what was acknowledged stays, and the caller is told.

use std::sync::atomic::Ordering;

use super::*;
use crate::Error;
use crate::testing::failing::{FailingFile, Fault};

/// What became of a recording on a disk with a fault.
struct Outcome {
    /// Samples before the last flush that said that all went well.
    flushed: u32,
    /// The first error, and what it said is safe.
    error: Option<(Error, u64)>,
}

/// Writes `count` numbered samples, each with a flush after it, and ends the
/// file. After the first error every call must give the same one.
fn record(path: &Path, fault: Fault, threads: usize, count: u32) -> Outcome {
    let mut outcome = Outcome { flushed: 0, error: None };
    let file = FailingFile::create(path, fault).unwrap();
    let writes = file.writes();
    let options = CreateOptions { threads, ..numbered_options(Compression::None) };
    let place = path.display().to_string();
    let mut writer = match Writer::to_sink(Box::new(file), place, options) {
        Ok(writer) => writer,
        Err(error) => {
            assert!(matches!(error, Error::Io { action: "create", .. }), "{error}");
            outcome.error = Some((error, 0));
            return outcome;
        }
    };
    let written = (|| {
        let ids = ["a", "b"].map(|key| writer.add_channel(text(key)));
        let [Ok(a), Ok(b)] = ids else { panic!("nothing is written before the first flush") };
        for n in 0..count {
            writer.write([a, b][n as usize % 2], numbered(n))?;
            writer.flush()?;
            outcome.flushed = n + 1;
        }
        writer.close()?;
        outcome.flushed = count;
        Ok(())
    })();
    let Err(error) = written else { return outcome };
    let Error::Writing { safe_samples, .. } = error else { panic!("{error}") };
    let said = full_text(&error);
    let writes_then = writes.load(Ordering::SeqCst);
    let again = [
        writer.write(ChannelId(0), numbered(0)),
        writer.add_channel(text("c")).map(|_| ()),
        writer.set_facts(Default::default()),
        writer.flush(),
        writer.sync(),
        writer.close(),
    ];
    for result in again {
        assert_eq!(full_text(&result.unwrap_err()), said);
    }
    drop(writer);
    assert_eq!(writes.load(Ordering::SeqCst), writes_then, "nothing more is written");
    outcome.error = Some((error, safe_samples));
    outcome
}

fn full_text(error: &Error) -> String {
    format!("{error}: {}", std::error::Error::source(error).unwrap())
}

/// That what the writer said is safe can be read, and nothing is wrong.
fn check_kept(path: &Path, outcome: &Outcome, context: &str) {
    let kept = match open(path) {
        Ok(mut reader) => {
            reader.check().unwrap();
            let (samples, errors) = read(&reader);
            assert_eq!(errors, 0, "{context}");
            for (n, (id, sample)) in (0..).zip(&samples) {
                assert_eq!((id.0, sample), (n % 2, &numbered(n)), "{context}");
            }
            samples.len() as u32
        }
        Err(error) => {
            assert!(std::fs::read(path).unwrap().len() < 8, "{context}: {error}");
            0
        }
    };
    assert!(kept >= outcome.flushed, "{context}: {kept} of {} flushed", outcome.flushed);
    if let Some((_, safe)) = outcome.error {
        // A chunk may be whole where what follows it is cut off.
        assert!((safe..=safe + 1).contains(&u64::from(kept)), "{context}: {kept}, {safe} told");
    }
}

#[test]
fn each_of_the_first_500_writes_may_fail_and_nothing_flushed_is_lost() {
    let folder = folder();
    let path = folder.path().join("a.mcap");
    for n in 0..500 {
        let context = format!("write {n} fails");
        // Once: a disk that recovers must not be written to either.
        let outcome = record(&path, Fault::Writes(n..n + 1), n as usize % 3, 500);
        let (error, _) = outcome.error.as_ref().expect(&context);
        let source = std::error::Error::source(error).unwrap().to_string();
        assert_eq!(source, "no storage space", "{context}");
        check_kept(&path, &outcome, &context);
    }
    let outcome = record(&path, Fault::Writes(504..505), 2, 500);
    assert!(outcome.error.is_none(), "there are no more writes than that");
    assert_eq!(outcome.flushed, 500);
}

#[test]
fn a_disk_may_be_full_at_any_byte_and_nothing_flushed_is_lost() {
    let folder = folder();
    let path = folder.path().join("a.mcap");
    let outcome = record(&path, Fault::Short(7), 2, 20);
    assert!(outcome.error.is_none(), "short writes are no failure");
    check_kept(&path, &outcome, "short writes");
    let size = std::fs::metadata(&path).unwrap().len();
    for bytes in (0..size).step_by(41).chain([size - 1]) {
        let context = format!("{bytes} of {size} bytes fit");
        let outcome = record(&path, Fault::Full(bytes), 1, 20);
        assert!(outcome.error.is_some(), "{context}");
        assert_eq!(std::fs::metadata(&path).unwrap().len(), bytes, "{context}");
        check_kept(&path, &outcome, &context);
    }
}

#[test]
fn a_failure_in_the_background_shows_without_a_flush() {
    let folder = folder();
    let path = folder.path().join("a.mcap");
    let file = FailingFile::create(&path, Fault::Writes(1..u64::MAX)).unwrap();
    let options = numbered_options(Compression::None);
    let mut writer = Writer::to_sink(Box::new(file), "a.mcap", options).unwrap();
    let ids = two_keys(&mut writer);
    // More than ever waits for a disk.
    let failed = (0..1_000_000).find_map(|n| writer.write(ids[0], numbered(n)).err()).unwrap();
    let expected = "can't write a.mcap, of which no sample is safe";
    assert_eq!(failed.to_string(), expected);
    assert!(failed.hint().unwrap().contains("where there is room"));
    assert_eq!(writer.close().unwrap_err().to_string(), expected);
}

#[test]
fn a_sync_that_fails_says_what_is_on_the_disk() {
    let folder = folder();
    let path = folder.path().join("a.mcap");
    let file = FailingFile::create(&path, Fault::Syncs(1..2)).unwrap();
    let options = numbered_options(Compression::Zstd);
    let mut writer = Writer::to_sink(Box::new(file), "a.mcap", options).unwrap();
    let ids = two_keys(&mut writer);
    writer.write(ids[0], numbered(0)).unwrap();
    writer.sync().unwrap();
    writer.write(ids[1], numbered(1)).unwrap();
    // After a sync that failed, one that goes well says nothing of what was
    // written before: the system may have dropped it.
    for _ in 0..2 {
        let error = writer.sync().unwrap_err();
        assert_eq!(error.to_string(), "can't sync a.mcap, of which the first sample is safe");
    }
    assert!(writer.close().is_err());
    assert_eq!(read(&open(&path).unwrap()).0.len(), 2);
}

#[test]
fn a_thread_that_dies_is_told_of_and_nothing_hangs() {
    let folder = folder();
    let path = folder.path().join("a.mcap");
    for threads in [1, 2] {
        let file = FailingFile::create(&path, Fault::Panic(3)).unwrap();
        let options = CreateOptions { threads, ..numbered_options(Compression::Lz4) };
        let mut writer = Writer::to_sink(Box::new(file), "a.mcap", options).unwrap();
        let ids = two_keys(&mut writer);
        let mut written = 0..;
        let error = written
            .find_map(|n| writer.write(ids[n as usize % 2], numbered(n)).err())
            .expect("it comes to an end");
        let Error::Writing { safe_samples, ref source, .. } = error else { panic!("{error}") };
        assert_eq!(source.to_string(), "the thread that writes it panicked");
        assert_eq!(writer.flush().unwrap_err().to_string(), error.to_string());
        drop(writer);
        let (samples, _) = read(&open(&path).unwrap());
        assert_eq!(samples.len() as u64, safe_samples);
        assert!(safe_samples > 0);
    }
}

/// A device that refuses every write as a full disk does.
#[test]
fn a_disk_that_is_full_from_the_start_is_told_at_once() {
    let full = Path::new("/dev/full");
    if !full.exists() {
        eprintln!("skipped: no {}", full.display());
        return;
    }
    let file = FailingFile::create(full, Fault::Short(usize::MAX)).unwrap();
    let made = Writer::to_sink(Box::new(file), "full.mcap", CreateOptions::default());
    let error = made.err().unwrap();
    assert_eq!(error.to_string(), "can't create full.mcap");
    assert!(full_text(&error).contains("No space left on device"), "{}", full_text(&error));
}
