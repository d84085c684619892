//! What a writer does, and what it refuses.

use super::*;
use crate::Error;
use crate::dataset::mcap::channels::MAX_CHANNELS;

#[test]
fn the_same_calls_give_the_same_bytes() {
    let folder = folder();
    let (a, b) = (folder.path().join("a.mcap"), folder.path().join("b.mcap"));
    for compression in [Compression::None, Compression::Lz4, Compression::Zstd] {
        write_numbered(&a, compression, 2000);
        write_numbered(&b, compression, 2000);
        assert!(std::fs::read(&a).unwrap() == std::fs::read(&b).unwrap(), "{compression:?}");
    }
}

#[test]
fn a_flush_keeps_what_was_written_without_a_close() {
    let folder = folder();
    let path = folder.path().join("a.mcap");
    let mut writer = Writer::create(&path, CreateOptions::default()).unwrap();
    let id = writer.add_channel(text("a")).unwrap();
    writer.write(id, numbered(0)).unwrap();
    writer.flush().unwrap();
    writer.write(id, numbered(1)).unwrap();
    // Read while it is still being written.
    let reader = open(&path).unwrap();
    assert_eq!(sequences(&read(&reader).0), [0]);
    assert_eq!(
        reader.integrity().problems,
        ["the file does not end as MCAP files do: it was cut off or never closed"]
    );
    drop(writer);
    let reader = open(&path).unwrap();
    assert_eq!(sequences(&read(&reader).0), [0, 1]);
    assert!(!reader.integrity().problems.is_empty(), "a dropped writer closes nothing");
}

#[test]
fn a_file_is_not_overwritten_unless_told() {
    let folder = folder();
    let path = folder.path().join("a.mcap");
    write_numbered(&path, Compression::Zstd, 10);
    let error = Dataset::create(&path).unwrap_err();
    assert!(matches!(error, Error::FileExists { .. }), "{error}");
    let reader = open(&path).unwrap();
    let options = CreateOptions { overwrite: true, ..CreateOptions::default() };
    let mut dataset = Dataset::create_with(&path, options).unwrap();
    dataset.close().unwrap();
    // Whoever has the old file open goes on reading it.
    assert_eq!(read(&reader).0.len(), 10);
    assert!(Dataset::open(&path).unwrap().is_empty().unwrap());
}

#[test]
fn misuse_is_an_error() {
    let folder = folder();
    let path = folder.path().join("a.mcap");
    let mut dataset = Dataset::create(&path).unwrap();
    let id = dataset.add_channel(text("a")).unwrap();
    let place = format!("{}", path.display());

    let error = dataset.write_payload(id, "x", at(-1)).unwrap_err();
    let expected = "can't write to key a: time -0.000000001 s is before zero, where MCAP times \
                    begin";
    assert_eq!(error.to_string(), format!("{expected} ({place})"));
    // Never touched, so it takes no memory.
    let error = dataset.write_payload(id, vec![0; MAX_PAYLOAD_BYTES + 1], at(0)).unwrap_err();
    let expected = "can't write to key a: a payload of 536870913 bytes is larger than 512 MiB";
    assert_eq!(error.to_string(), format!("{expected} ({place})"));
    let error = dataset.samples(&Query::default()).err().unwrap();
    let expected = "it is being written; close it and open it anew";
    assert_eq!(error.to_string(), format!("can't read from {place}: {expected}"));
    let entries = [("lk.sequence".to_owned(), String::new())].into();
    let facts = crate::dataset::Facts { entries, ..Default::default() };
    assert!(matches!(dataset.set_facts(facts), Err(Error::Unstorable { .. })));

    dataset.close().unwrap();
    let closed = format!("can't write to {place}: it is closed");
    assert_eq!(dataset.write_payload(id, "x", at(0)).unwrap_err().to_string(), closed);
    assert_eq!(dataset.flush().unwrap_err().to_string(), closed);
    assert_eq!(dataset.close().unwrap_err().to_string(), closed);
    assert_eq!(dataset.add_channel(text("b")).unwrap_err().to_string(), closed);

    let mut dataset = Dataset::open(&path).unwrap();
    let error = dataset.write_payload(id, "x", at(0)).unwrap_err();
    assert_eq!(error.to_string(), format!("can't write to {place}: it was opened for reading"));
}

#[test]
fn datasets_copy() {
    let folder = folder();
    let (a, b) = (folder.path().join("a.mcap"), folder.path().join("b.mcap"));
    write_numbered(&a, Compression::Zstd, 500);
    let mut copy = Dataset::create(&b).unwrap();
    copy.copy_from(&Dataset::open(&a).unwrap()).unwrap();
    copy.close().unwrap();
    assert_eq!(read(&open(&a).unwrap()), read(&open(&b).unwrap()));
}

#[test]
fn what_packs_too_well_to_be_believed_is_stored_as_it_is() {
    let folder = folder();
    let path = folder.path().join("a.mcap");
    let mut writer = Writer::create(&path, CreateOptions::default()).unwrap();
    let id = writer.add_channel(text("a")).unwrap();
    let payload = Bytes::from(vec![0; 66 << 20]);
    writer.write(id, Sample { payload: payload.clone(), ..numbered(0) }).unwrap();
    writer.close().unwrap();
    let reader = open(&path).unwrap();
    assert_eq!(reader.pieces()[0].compression, Compression::None);
    assert!(read(&reader).0[0].1.payload == payload);
}

#[test]
fn no_more_channels_are_written_than_are_read() {
    let folder = folder();
    let options = CreateOptions::default();
    let mut writer = Writer::create(&folder.path().join("a.mcap"), options).unwrap();
    for n in 0..MAX_CHANNELS {
        writer.add_channel(text(&n.to_string())).unwrap();
    }
    let error = writer.add_channel(text("one more")).unwrap_err().to_string();
    assert!(error.contains("one more") && error.contains("at most 8192 channels"), "{error}");
}
