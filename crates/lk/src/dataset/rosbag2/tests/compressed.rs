//! Recordings that rosbag2 compressed, as whole files or message by message.

use super::*;
use crate::dataset::Together;
use crate::error::Error;

const SAMPLES: [&[(&str, i64, u32)]; 2] =
    [&[("/a", 1, 0), ("/b", 5, 0), ("/a", 6, 1)], &[("/a", 7, 2), ("/b", 8, 1)]];

fn expected() -> Vec<(String, i64, u32)> {
    items(&SAMPLES.concat())
}

/// The files of `folder` compressed as a whole, as `FILE` does it.
fn compress_files(folder: &Path) {
    let mut names = Vec::new();
    for n in 0..SAMPLES.len() {
        let plain = folder.join(format!("bag_{n}.mcap"));
        let packed = zstd::stream::encode_all(&std::fs::read(&plain).unwrap()[..], 1).unwrap();
        names.push(format!("bag_{n}.mcap.zstd"));
        std::fs::write(folder.join(&names[n]), packed).unwrap();
        std::fs::remove_file(plain).unwrap();
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let more = "  compression_format: zstd\n  compression_mode: FILE\n";
    write_metadata(folder, &metadata(&names, more));
}

/// A copy of `plain` whose payloads are compressed one by one, as `MESSAGE`
/// does it, but for what `change` does to the n-th.
fn compress_messages(
    plain: &Path,
    change: impl Fn(usize, Vec<u8>) -> Vec<u8>,
) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut names = Vec::new();
    let mut count = 0;
    for n in 0..SAMPLES.len() {
        names.push(format!("bag_{n}.mcap"));
        let source = Dataset::open(plain.join(&names[n])).unwrap();
        let mut packed = Dataset::create(folder.path().join(&names[n])).unwrap();
        let ids: Vec<ChannelId> =
            source.channels().iter().map(|c| packed.add_channel(c.clone()).unwrap()).collect();
        for item in source.samples(&Query::default()).unwrap() {
            let (id, sample) = item.unwrap();
            let payload = change(count, zstd::bulk::compress(&sample.payload, 1).unwrap()).into();
            packed.write_sample(ids[id.0 as usize], Sample { payload, ..sample }).unwrap();
            count += 1;
        }
        packed.close().unwrap();
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let more = "  compression_format: zstd\n  compression_mode: MESSAGE\n";
    write_metadata(folder.path(), &metadata(&names, more));
    folder
}

fn payloads(dataset: &Dataset) -> Vec<bytes::Bytes> {
    dataset.samples(&Query::default()).unwrap().map(|item| item.unwrap().1.payload).collect()
}

#[test]
fn files_that_were_compressed_are_read_as_they_were() {
    let folder = folder(&SAMPLES);
    let plain = payloads(&Dataset::open(folder.path()).unwrap());
    compress_files(folder.path());
    let mut dataset = Dataset::open(folder.path()).unwrap();
    assert_eq!((all(&dataset), payloads(&dataset)), (expected(), plain));
    let integrity = dataset.check().unwrap();
    assert!(integrity.is_whole() && integrity.verified && integrity.problems.is_empty());
    // One of them by its own name, too.
    let one = Dataset::open(folder.path().join("bag_1.mcap.zstd")).unwrap();
    assert_eq!(all(&one), items(SAMPLES[1]));
    assert!(one.location().ends_with("bag_1.mcap.zstd"));
}

#[test]
fn a_compressed_file_that_was_cut_off_gives_what_is_whole_and_says_so() {
    let folder = folder(&SAMPLES);
    compress_files(folder.path());
    let path = folder.path().join("bag_1.mcap.zstd");
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    let integrity = Dataset::open(folder.path()).unwrap().integrity();
    assert!(!integrity.is_whole(), "{integrity:?}");
    assert!(integrity.problems.iter().any(|p| p.contains("can be unpacked")), "{integrity:?}");
    for kept in 4..bytes.len() {
        std::fs::write(&path, &bytes[..kept]).unwrap();
        let dataset = Dataset::open(folder.path()).unwrap();
        assert!(!dataset.integrity().is_whole(), "{kept}");
        assert!(expected().starts_with(&all(&dataset)), "{kept}");
    }
    // No recording in it, and then nothing at all.
    for content in [zstd::bulk::compress(b"hello", 1).unwrap(), bytes[..4].to_vec()] {
        std::fs::write(&path, content).unwrap();
        let error = Dataset::open(&path).map(drop).unwrap_err().to_string();
        assert!(error.contains("it is compressed with zstd, and unpacked no recording"), "{error}");
        assert!(error.contains("bag_1.mcap.zstd"), "{error}");
    }
}

#[test]
fn messages_that_were_compressed_one_by_one_are_read_as_they_were() {
    let plain = folder(&SAMPLES);
    let folder = compress_messages(plain.path(), |_, payload| payload);
    let mut dataset = Dataset::open(folder.path()).unwrap();
    let original = Dataset::open(plain.path()).unwrap();
    assert_eq!((all(&dataset), payloads(&dataset)), (expected(), payloads(&original)));
    assert_eq!(dataset.channels(), original.channels());
    assert!(dataset.check().unwrap().is_whole());
    assert_eq!((all(&dataset), dataset.len().unwrap()), (expected(), 5));
}

#[test]
fn a_message_that_cannot_be_unpacked_is_an_error_and_left_out_once_known() {
    let plain = folder(&SAMPLES);
    let folder = compress_messages(plain.path(), |n, mut payload| match n {
        1 => payload[..payload.len() - 1].to_vec(),
        // Not even the magic number.
        3 => {
            payload[0] ^= 1;
            payload
        }
        _ => payload,
    });
    let mut dataset = Dataset::open(folder.path()).unwrap();
    let read: Vec<_> = dataset.samples(&Query::default()).unwrap().collect();
    assert_eq!(read.len(), 5);
    let errors: Vec<&Error> = read.iter().filter_map(|item| item.as_ref().err()).collect();
    assert!(matches!(errors[..], [Error::Payload { .. }, Error::Payload { .. }]), "{errors:?}");
    assert!(errors[0].to_string().starts_with("can't unpack the message of key /b at "));
    assert!(errors[0].hint().unwrap().contains("lk recover"));
    drop(read);
    let integrity = dataset.check().unwrap();
    assert_eq!(integrity.lost_samples, Some(2));
    assert!(integrity.problems[0].starts_with("payloads that can't be unpacked: 2, first "));
    let whole = items(&[("/a", 1, 0), ("/a", 6, 1), ("/b", 8, 1)]);
    assert_eq!((all(&dataset), dataset.len().unwrap()), (whole, 3));
}

#[test]
fn another_compression_is_named_with_what_to_do() {
    let folder = folder(&SAMPLES);
    let more = "  compression_format: lzma\n  compression_mode: MESSAGE\n";
    write_metadata(folder.path(), &metadata(&["bag_0.mcap"], more));
    let error = Dataset::open(folder.path()).unwrap_err();
    assert!(error.to_string().contains("compressed one by one, as `lzma`"), "{error}");
    assert!(error.hint().unwrap().contains("ros2 bag convert"));
}

#[test]
fn recordings_share_threads_and_equal_chunks_with_what_is_read_at_the_same_time() {
    let (a, b) = (folder(&SAMPLES), folder(&SAMPLES));
    let (a, b) = (Dataset::open(a.path()).unwrap(), Dataset::open(b.path()).unwrap());
    let together = Together::new(2);
    let query = Query::default();
    let a = a.samples_together(&query, &together).unwrap();
    let b = b.samples_together(&query, &together).unwrap();
    let both: Vec<_> = a.zip(b).map(|(a, b)| (a.unwrap().1, b.unwrap().1)).collect();
    assert_eq!(both.len(), 5);
    assert!(both.iter().all(|(a, b)| std::ptr::eq(&a.payload[..], &b.payload[..])));
}
