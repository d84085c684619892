//! Packing in threads: the same file, and nothing that has to be waited for.

use std::io;
use std::sync::mpsc;
use std::time::Duration;

use super::*;

#[test]
fn threads_change_nothing_in_the_file() {
    let folder = folder();
    let path = folder.path().join("a.mcap");
    for compression in [Compression::None, Compression::Lz4, Compression::Zstd] {
        let mut expected = Vec::new();
        for threads in [0, 1, 2, 5] {
            let options = CreateOptions { threads, ..numbered_options(compression) };
            let mut writer = Writer::create(&path, options).unwrap();
            let ids = two_keys(&mut writer);
            for n in 0..4000 {
                writer.write(ids[n as usize % 2], numbered(n)).unwrap();
                // At places that chunks don't end at by themselves.
                match n % 977 {
                    500 => writer.flush().unwrap(),
                    900 => writer.sync().unwrap(),
                    _ => {}
                }
            }
            writer.close().unwrap();
            let bytes = std::fs::read(&path).unwrap();
            if threads == 0 {
                assert_eq!(read(&open(&path).unwrap()).0.len(), 4000);
                expected = bytes;
            } else {
                assert!(bytes == expected, "{compression:?} with {threads} threads");
            }
        }
    }
}

#[test]
fn a_flush_returns_when_everything_before_it_can_be_read() {
    let folder = folder();
    let path = folder.path().join("a.mcap");
    for threads in [0, 1, 2] {
        let options = CreateOptions { threads, ..numbered_options(Compression::Zstd) };
        let mut writer = Writer::create(&path, options).unwrap();
        let ids = two_keys(&mut writer);
        for n in 0..600 {
            writer.write(ids[n as usize % 2], numbered(n)).unwrap();
            if n % 50 == 49 {
                writer.flush().unwrap();
                let (samples, errors) = read(&open(&path).unwrap());
                assert_eq!((samples.len() as u32, errors), (n + 1, 0), "{threads} threads");
            }
        }
    }
}

#[test]
fn a_dropped_writer_keeps_what_was_written_and_ends_nothing() {
    let folder = folder();
    let path = folder.path().join("a.mcap");
    for threads in [0, 2] {
        let options = CreateOptions { threads, ..numbered_options(Compression::Lz4) };
        let mut writer = Writer::create(&path, options).unwrap();
        let ids = two_keys(&mut writer);
        for n in 0..3000 {
            writer.write(ids[n as usize % 2], numbered(n)).unwrap();
        }
        drop(writer);
        let reader = open(&path).unwrap();
        assert_eq!(read(&reader).0.len(), 3000);
        assert_eq!(reader.integrity().lost_samples, None, "it was never closed");
    }
}

/// Tells of each write as it comes.
struct Told(mpsc::Sender<usize>);

impl io::Write for Told {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.0.send(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink for Told {
    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_live_recording_closes_a_chunk_by_time_though_nothing_more_comes() {
    let (sender, writes) = mpsc::channel();
    let options =
        CreateOptions { close_after: Some(Duration::from_millis(1)), ..CreateOptions::live() };
    let mut writer = Writer::to_sink(Box::new(Told(sender)), "told", options).unwrap();
    let ids = two_keys(&mut writer);
    let next = || writes.recv_timeout(Duration::from_secs(60)).expect("it is written by itself");
    next();
    for n in 0..5 {
        writer.write(ids[0], numbered(n)).unwrap();
        next();
    }
    // All is written: flushing has nothing to add.
    writer.flush().unwrap();
    assert_eq!(writes.try_recv(), Err(mpsc::TryRecvError::Empty));
}

#[test]
fn without_a_thread_a_chunk_closes_by_time_at_the_next_write() {
    let (sender, writes) = mpsc::channel();
    let options =
        CreateOptions { close_after: Some(Duration::ZERO), threads: 0, ..CreateOptions::live() };
    let mut writer = Writer::to_sink(Box::new(Told(sender)), "told", options).unwrap();
    let ids = two_keys(&mut writer);
    writer.write(ids[0], numbered(0)).unwrap();
    writer.write(ids[0], numbered(1)).unwrap();
    assert_eq!(writes.try_iter().count(), 2, "the header, and a chunk of both");
}

#[test]
fn one_huge_message_among_small_ones_is_written_in_order() {
    let folder = folder();
    let path = folder.path().join("a.mcap");
    let mut writer = Writer::create(&path, numbered_options(Compression::Lz4)).unwrap();
    let ids = two_keys(&mut writer);
    for n in 0..100 {
        let mut sample = numbered(n);
        if n % 30 == 29 {
            sample.payload = vec![n as u8; 9 << 20].into();
        }
        writer.write(ids[0], sample).unwrap();
    }
    writer.close().unwrap();
    let (samples, errors) = read(&open(&path).unwrap());
    assert_eq!((sequences(&samples), errors), ((0..100).collect(), 0));
    assert_eq!(samples[59].1.payload.len(), 9 << 20);
}
