//! Files that were cut off, and files with a bit turned.

use super::*;

/// Reads a file that may be damaged and checks what must hold of any: no
/// sample is other than it was written, none comes twice or out of order, and
/// what is missing is told.
pub(super) fn check_damaged(
    path: &Path,
    written: u32,
    channels: &[Channel; 2],
    context: &str,
) -> Option<u32> {
    let mut reader = match open(path) {
        Ok(reader) => reader,
        Err(_) => return None,
    };
    let (samples, errors) = read(&reader);
    let found = reader.channels().to_vec();
    let check = |samples: &[(ChannelId, Sample)]| {
        for (id, sample) in samples {
            let expected = numbered(sample.sequence);
            let channel = &channels[sample.sequence as usize % 2];
            assert_eq!(&found[id.0 as usize], channel, "{context}");
            assert_eq!(sample, &expected, "{context}");
            assert!(sample.sequence < written, "{context}");
        }
        let sequences = sequences(samples);
        assert!(sequences.is_sorted_by(|a, b| a < b), "{context}: {sequences:?}");
    };
    check(&samples);
    if samples.len() < written as usize {
        let told = errors > 0 || !reader.integrity().problems.is_empty();
        assert!(told, "{context}: {} samples, and nothing said", samples.len());
    }
    // After a full check, everything that is whole comes without an error.
    let integrity = reader.check().unwrap();
    let (again, errors) = read(&reader);
    assert_eq!(errors, 0, "{context}");
    assert!(again.len() >= samples.len(), "{context}");
    check(&again);
    let counts: u64 = reader.stats().unwrap().iter().map(|stats| stats.count).sum();
    assert_eq!(counts, again.len() as u64, "{context}");
    if again.len() < written as usize {
        assert!(!integrity.problems.is_empty(), "{context}");
    }
    Some(again.len() as u32)
}

#[test]
fn a_cut_off_file_gives_every_whole_chunk() {
    let folder = folder();
    let (path, cut) = (folder.path().join("whole.mcap"), folder.path().join("cut.mcap"));
    for compression in [Compression::None, Compression::Lz4, Compression::Zstd] {
        let count = 150;
        write_numbered(&path, compression, count);
        let bytes = std::fs::read(&path).unwrap();
        let reader = open(&path).unwrap();
        // Samples whose chunk ends by each offset.
        let mut whole = Vec::new();
        for piece in reader.pieces() {
            let query = Query { end: Some(at(piece.end as i64 + 1)), ..Query::default() };
            whole.push((piece.offset + piece.bytes, reader.samples(&query).unwrap().count()));
        }
        assert!(whole.len() > 5);
        for len in (0..bytes.len()).step_by(67).chain([bytes.len() - 1]) {
            std::fs::write(&cut, &bytes[..len]).unwrap();
            let context = format!("{compression:?} cut to {len} of {}", bytes.len());
            let expected = whole.iter().rfind(|(end, _)| *end <= len as u64).map_or(0, |w| w.1);
            match check_damaged(&cut, count, &[text("a"), text("b")], &context) {
                Some(found) => assert_eq!(found as usize, expected, "{context}"),
                None => assert!(len < 8, "{context}"),
            }
        }
    }
}

#[test]
fn a_damaged_chunk_costs_just_its_own_samples() {
    let folder = folder();
    let path = folder.path().join("a.mcap");
    write_numbered(&path, Compression::Zstd, 300);
    let piece = open(&path).unwrap().pieces()[2].clone();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[piece.at as usize + 20] ^= 0x10;
    std::fs::write(&path, bytes).unwrap();
    let lost = open(&path).unwrap().pieces()[2].start / 10..=piece.end / 10;
    let kept: Vec<u32> = (0..300).filter(|n| !lost.contains(&u64::from(*n))).collect();

    // Nothing is known of it before it is read; then it is one error.
    let mut reader = open(&path).unwrap();
    assert!(reader.integrity().problems.is_empty());
    let (samples, errors) = read(&reader);
    assert_eq!((sequences(&samples), errors), (kept.clone(), 1));
    assert_eq!(reader.integrity().first_bad_offset, Some(piece.offset));

    let integrity = reader.check().unwrap();
    assert_eq!(integrity.lost_samples, Some(300 - kept.len() as u64));
    assert_eq!(integrity.lost_bytes, piece.bytes);
    assert_eq!(integrity.problems.len(), 1, "{integrity:?}");
    let (samples, errors) = read(&reader);
    assert_eq!((sequences(&samples), errors), (kept, 0));
}

#[test]
fn damage_between_chunks_loses_none() {
    let folder = folder();
    let path = folder.path().join("a.mcap");
    write_numbered(&path, Compression::Zstd, 300);
    let pieces = open(&path).unwrap().pieces().to_vec();
    let mut bytes = std::fs::read(&path).unwrap();
    // The length of the message index behind the second chunk.
    let length_at = (pieces[1].offset + pieces[1].bytes) as usize + 1;
    bytes[length_at..length_at + 8].copy_from_slice(&(1_u64 << 40).to_le_bytes());
    std::fs::write(&path, bytes).unwrap();
    let reader = open(&path).unwrap();
    let (samples, errors) = read(&reader);
    assert_eq!((samples.len(), errors), (300, 0));
    let integrity = reader.integrity();
    assert_eq!((integrity.lost_samples, integrity.problems.len()), (Some(0), 1), "{integrity:?}");
    assert!(integrity.problems[0].starts_with("a record of 1099511627776 bytes runs into"));
}

#[test]
fn sizes_that_can_not_be_are_not_believed() {
    let folder = folder();
    let path = folder.path().join("a.mcap");
    for compression in [Compression::None, Compression::Lz4, Compression::Zstd] {
        for declared in [1_u64 << 40, u64::MAX, (1 << 30) + 1] {
            write_numbered(&path, compression, 300);
            let piece = open(&path).unwrap().pieces()[1].clone();
            let mut bytes = std::fs::read(&path).unwrap();
            let size_at = piece.offset as usize + 9 + 16;
            bytes[size_at..size_at + 8].copy_from_slice(&declared.to_le_bytes());
            std::fs::write(&path, bytes).unwrap();
            let reader = open(&path).unwrap();
            let integrity = reader.integrity();
            assert_eq!(integrity.lost_bytes, piece.bytes, "{integrity:?}");
            let (samples, errors) = read(&reader);
            assert_eq!(errors, 0);
            assert_eq!(integrity.lost_samples, Some(300 - samples.len() as u64));
        }
    }
}

#[test]
fn a_file_that_ends_in_zeros_ends_before_them() {
    let folder = folder();
    let path = folder.path().join("a.mcap");
    write_numbered(&path, Compression::Zstd, 300);
    let piece = open(&path).unwrap().pieces()[3].clone();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[piece.offset as usize..].fill(0);
    bytes.resize(4 << 20, 0);
    std::fs::write(&path, bytes).unwrap();
    let reader = open(&path).unwrap();
    let (samples, errors) = read(&reader);
    assert_eq!((samples.len() as u64, errors), (piece.start / 10, 0));
    assert_eq!(reader.integrity().problems.len(), 2, "{:?}", reader.integrity());
}

#[test]
fn damaged_facts_are_dropped_and_told() {
    let folder = folder();
    let path = folder.path().join("a.mcap");
    let mut dataset = Dataset::create(&path).unwrap();
    let entries = [("seed".to_owned(), "31415926".to_owned())].into();
    dataset.set_facts(crate::dataset::Facts { entries, ..Default::default() }).unwrap();
    dataset.close().unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    let digits = bytes.windows(8).position(|window| window == b"31415926").unwrap();
    bytes[digits] = b'4';
    std::fs::write(&path, bytes).unwrap();
    let dataset = Dataset::open(&path).unwrap();
    assert!(dataset.facts().entries.is_empty());
    assert_eq!(dataset.integrity().problems, ["the facts of lk don't match their checksum"]);
}

#[test]
fn a_full_check_sees_damage_beside_the_messages() {
    let folder = folder();
    let path = folder.path().join("a.mcap");
    write_numbered(&path, Compression::Zstd, 300);
    let piece = open(&path).unwrap().pieces()[1].clone();
    let mut bytes = std::fs::read(&path).unwrap();
    // In the message index behind the chunk, which isn't used.
    bytes[(piece.offset + piece.bytes) as usize + 20] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let mut reader = open(&path).unwrap();
    assert!(reader.integrity().problems.is_empty());
    let problems = reader.check().unwrap().problems;
    assert!(problems[0].contains("something beside the messages"), "{problems:?}");
    assert_eq!(read(&reader).0.len(), 300);
}

#[test]
fn a_copy_tells_what_its_source_had_lost() {
    let folder = folder();
    let (path, copied) = (folder.path().join("a.mcap"), folder.path().join("b.mcap"));
    write_numbered(&path, Compression::Zstd, 300);
    let mut bytes = std::fs::read(&path).unwrap();
    let piece = open(&path).unwrap().pieces()[2].clone();
    bytes[piece.at as usize + 20] ^= 0x10;
    let copy = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        let mut source = Dataset::open(&path).unwrap();
        source.check().unwrap();
        let options = CreateOptions { overwrite: true, ..CreateOptions::default() };
        let mut file = Dataset::create_with(&copied, options).unwrap();
        let samples = file.copy_from(&source).unwrap().samples;
        file.close().unwrap();
        let copy = Dataset::open(&copied).unwrap();
        assert!(copy.integrity().is_whole(), "the copy itself is whole");
        (300 - samples, copy.facts().entries.get("lost_samples").cloned())
    };
    let (lost, told) = copy(&bytes);
    assert_eq!(told.as_deref(), Some(&*lost.to_string()));
    assert!(lost > 0);
    let (_, told) = copy(&bytes[..piece.offset as usize]);
    assert_eq!(told.as_deref(), Some("unknown"), "nobody knows what was cut off");
}

proptest::proptest! {
    /// Bytes overwritten anywhere, the end cut off or repeated: whatever
    /// opens gives what was written, or says what is missing.
    #[test]
    fn a_mangled_file_never_gives_a_wrong_payload(
        edits in proptest::collection::vec((0.0..1.0, proptest::collection::vec(0u8.., 1..12)), 1..6),
        keep in 0.5..1.2,
        compression in 0..3usize,
    ) {
        let folder = folder();
        let path = folder.path().join("a.mcap");
        let all = [Compression::None, Compression::Lz4, Compression::Zstd];
        write_numbered(&path, all[compression], 60);
        let mut bytes = std::fs::read(&path).unwrap();
        for (place, patch) in &edits {
            let at = (place * (bytes.len() - patch.len()) as f64) as usize;
            bytes[at..at + patch.len()].copy_from_slice(patch);
        }
        let len = (keep * bytes.len() as f64) as usize;
        let again = bytes.clone();
        bytes.truncate(len);
        bytes.extend(&again[..len.saturating_sub(again.len())]);
        std::fs::write(&path, &bytes).unwrap();
        check_damaged(&path, 60, &[text("a"), text("b")], "mangled");
    }
}
