//! Files that are read at the same time.

use super::*;
use crate::dataset::Together;

/// Payloads of both files, read in turn.
fn read_both(paths: [&Path; 2], threads: usize) -> [Vec<Bytes>; 2] {
    let readers = paths.map(|path| Reader::open(path, Limits::default()).unwrap());
    let together = Together::new(threads);
    let query = Query::default();
    let samples = |reader| Reader::samples_together(reader, &query, &together).unwrap();
    let (mut a, mut b) = (samples(&readers[0]), samples(&readers[1]));
    let mut payloads = [Vec::new(), Vec::new()];
    loop {
        let next = [a.next(), b.next()];
        if next.iter().all(Option::is_none) {
            return payloads;
        }
        for (payloads, sample) in payloads.iter_mut().zip(next) {
            payloads.extend(sample.map(|sample| sample.unwrap().1.payload));
        }
    }
}

#[test]
fn chunks_that_both_files_have_are_the_same_memory() {
    let folder = folder();
    let (a, b) = (folder.path().join("a.mcap"), folder.path().join("b.mcap"));
    for compression in [Compression::None, Compression::Lz4, Compression::Zstd] {
        write_numbered(&a, compression, 1_000);
        let mut writer = Writer::create(&b, numbered_options(compression)).unwrap();
        let ids = two_keys(&mut writer);
        for n in 0..1_000 {
            let mut sample = numbered(n);
            sample.sequence += u32::from(n == 500);
            writer.write(ids[n as usize % 2], sample).unwrap();
        }
        writer.close().unwrap();
        for threads in [1, 2, 8] {
            let [a, b] = read_both([&a, &b], threads);
            assert_eq!(a, b);
            let shared = a.iter().zip(&b).filter(|(a, b)| std::ptr::eq(&a[..], &b[..])).count();
            // All but those of one chunk of 2 KiB.
            assert!((900..1_000).contains(&shared), "{compression:?} {threads}: {shared}");
        }
    }
}

#[test]
fn what_no_time_can_hold_is_never_compared_in_silence() {
    use crate::diff::{Policy, Verdict, diff};

    let folder = folder();
    let late = i64::MAX as u64 + 1;
    for (summary, times) in [(true, [1, late]), (false, [1, late]), (false, [late, late + 1])] {
        let paths = ["a.mcap", "b.mcap"].map(|name| folder.path().join(name));
        for path in &paths {
            let mut draft = layout::Draft::new();
            draft.chunk((times[0], times[1]), |out| {
                layout::channel(1, 0, "a", "text").put(out);
                times.iter().for_each(|time| layout::message(out, 1, 0, *time));
            });
            draft.finish(path, summary);
        }
        let [a, b] = paths.each_ref().map(|path| Dataset::open(path).unwrap());
        let result = diff(&a, &b, &Policy::default()).unwrap();
        let said = format!("{:?} {:?}", result.incomparable_reason, result.notes);
        assert!(said.contains("after the year 2262 can't be held"), "{summary}: {said}");
        assert_eq!(result.verdict, Verdict::Incomparable, "{summary}: {said}");
    }
}

#[test]
fn damage_that_both_files_have_is_an_error_of_both() {
    let folder = folder();
    let (a, b) = (folder.path().join("a.mcap"), folder.path().join("b.mcap"));
    write_numbered(&a, Compression::Zstd, 1_000);
    let piece = Reader::open(&a, Limits::default()).unwrap().pieces()[3].clone();
    let mut bytes = std::fs::read(&a).unwrap();
    bytes[(piece.at + piece.packed_bytes / 2) as usize] ^= 0x55;
    std::fs::write(&a, &bytes).unwrap();
    std::fs::write(&b, &bytes).unwrap();
    for threads in [1, 2, 8] {
        let together = Together::new(threads);
        for path in [&a, &b] {
            let reader = Reader::open(path, Limits::default()).unwrap();
            let samples = reader.samples_together(&Query::default(), &together).unwrap();
            let errors: Vec<String> =
                samples.filter_map(|s| s.err()).map(|error| error.to_string()).collect();
            assert_eq!(errors.len(), 1, "{errors:?}");
            assert!(errors[0].contains(path.to_str().unwrap()), "{errors:?}");
        }
    }
}

#[test]
fn a_few_messages_of_a_chunk_do_not_keep_it_in_memory() {
    let folder = folder();
    let path = folder.path().join("a.mcap");
    let mut writer = Writer::create(&path, CreateOptions::default()).unwrap();
    let ids = two_keys(&mut writer);
    for n in 0..400 {
        let large = Bytes::from(vec![n as u8; 1_000]);
        writer.write(ids[0], Sample { payload: large, ..numbered(n) }).unwrap();
        writer.write(ids[1], numbered(n)).unwrap();
    }
    writer.close().unwrap();
    let reader = Reader::open(&path, Limits::default()).unwrap();
    let read = |channels| {
        let query = Query { channels, ..Query::default() };
        let samples = reader.samples(&query).unwrap().map(Result::unwrap);
        let small = samples.filter(|(id, _)| *id == ids[1]).map(|(_, sample)| sample.payload);
        small.collect::<Vec<_>>()
    };
    let apart = |payloads: &[Bytes]| payloads[1].as_ptr().addr() - payloads[0].as_ptr().addr();
    let (all, alone) = (read(None), read(Some(vec![ids[1]])));
    assert_eq!(all, alone);
    assert!(apart(&all) > 1_000 && apart(&alone) < 100);
}
