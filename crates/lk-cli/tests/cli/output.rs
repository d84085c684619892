//! What is written, and over what.

use std::fs;
use std::io::Read;
use std::process::Stdio;

use lk::dataset::{Encoding, ForeignEncoding, Query};
use lk::{Dataset, Time};

use crate::fixture::{Folder, doubler, fake};

/// A copy of the inputs that just names their type.
fn bare(folder: &Folder) {
    let source = Dataset::open(folder.path().join("inputs.mcap")).expect("a recording");
    let mut bare = Dataset::create(folder.path().join("bare.mcap")).expect("writable");
    let mut channel = source.channels()[0].clone();
    channel.encoding = Encoding::Foreign(ForeignEncoding {
        schema_name: "doubler/msg/Number".to_owned(),
        ..ForeignEncoding::untyped("cdr")
    });
    let id = bare.add_channel(channel).expect("it is new");
    for item in source.samples(&Query::default()).expect("readable") {
        bare.write_sample(id, item.expect("readable").1).expect("writable");
    }
    bare.close().expect("writable");
}

#[test]
fn types_that_a_recording_just_names_come_from_msgs_in_every_command() {
    let folder = doubler(&fake("fake", "good"));
    bare(&folder);
    let unknown = folder.lk(&["doctor", "bare.mcap"]).expect(0);
    unknown.shows(&["its messages aren't decoded"]);
    let known = folder.lk(&["doctor", "bare.mcap", "--msgs", "msg"]).expect(0);
    assert!(!known.stdout.contains("aren't decoded"), "{}", known.stdout);
    for args in [
        &["filter", "bare.mcap", "out.mcap", "--force"][..],
        &["recover", "bare.mcap", "out.mcap", "--force"],
        &["merge", "bare.mcap", "bare.mcap", "-o", "out.mcap", "--join", "--force"],
    ] {
        folder.lk(args).expect(0);
        folder.lk(&["cat", "out.mcap"]).expect(0).shows(&["not decoded"]);
        folder.lk(&[args, &["--msgs", "msg"]].concat()).expect(0);
        folder.lk(&["cat", "out.mcap"]).expect(0).shows(&["1.25"]);
    }
    // `lk verify` has them beside `lk.toml`.
    fs::rename(folder.path().join("bare.mcap"), folder.path().join("inputs.mcap")).expect("there");
    folder.lk(&["verify"]).expect(0).shows(&["identical"]);
}

#[test]
fn damage_that_stops_a_command_comes_with_what_to_do() {
    let folder = Folder::new();
    let path = folder.path().join("inputs.mcap");
    let mut file = Dataset::create(&path).expect("writable");
    for n in 0..300_u64 {
        file.write("n", &n, Time::from_nanos(n as i64)).expect("writable");
        if n % 100 == 99 {
            file.flush().expect("writable");
        }
    }
    file.close().expect("writable");
    let mut bytes = fs::read(&path).expect("readable");
    // Within the second chunk, which counting the messages doesn't read.
    let zstd = |n: &usize| bytes[*n..].starts_with(b"\x28\xb5\x2f\xfd");
    let second = (0..bytes.len()).filter(zstd).nth(1).expect("three chunks");
    bytes[second + 30] ^= 0x55;
    fs::write(&path, bytes).expect("writable");
    folder
        .lk(&["filter", "inputs.mcap", "part.mcap"])
        .expect_mistake(&["damaged at byte", "hint: `lk recover`"]);
    folder.lk(&["recover", "inputs.mcap", "part.mcap"]).expect(0).shows(&["200 messages"]);
}

#[test]
fn an_empty_dataset_is_warned_of_by_doctor_and_nothing_of_it_is_lost() {
    let folder = Folder::new();
    let mut empty = Dataset::create(folder.path().join("empty.mcap")).expect("writable");
    empty.close().expect("writable");
    folder.lk(&["doctor", "empty.mcap"]).expect(0).shows(&["warning", "there is no message in it"]);
}

#[cfg(unix)]
#[test]
fn force_replaces_files_and_no_links_pipes_or_devices() {
    let folder = doubler("");
    let path = |name: &str| folder.path().join(name);
    folder.write("target.mcap", "mine");
    std::os::unix::fs::symlink("target.mcap", path("link.mcap")).expect("links");
    std::os::unix::fs::symlink("nowhere.mcap", path("dangling.mcap")).expect("links");
    let made = std::process::Command::new("mkfifo").arg(path("pipe.mcap")).status();
    assert!(made.expect("mkfifo is there").success());
    for name in ["link.mcap", "dangling.mcap", "pipe.mcap"] {
        for command in ["convert", "filter", "recover"] {
            let ran = folder.lk(&[command, "inputs.mcap", name, "--force"]);
            ran.expect_mistake(&["no regular file", name, "hint: name another output"]);
        }
        assert!(!path(name).symlink_metadata().expect("it is still there").is_file());
    }
    assert_eq!(folder.read("target.mcap"), "mine");
    folder.lk(&["filter", "inputs.mcap", "target.mcap", "--force"]).expect(0);
}

#[cfg(unix)]
#[test]
fn a_signal_leaves_no_half_written_file() {
    use std::os::unix::process::ExitStatusExt;
    let folder = Folder::new();
    // So long that it is never done by itself.
    let mut long = Dataset::create(folder.path().join("long.mcap")).expect("writable");
    for n in 0..200_000_u64 {
        long.write("n", &n, Time::from_nanos(n as i64)).expect("writable");
    }
    long.close().expect("writable");
    let mut command = folder.command(&["convert", "long.mcap", "out.ndjson"]);
    let mut child = command.stderr(Stdio::piped()).spawn().expect("lk starts");
    let parts = || {
        let names = fs::read_dir(folder.path()).expect("there").flatten();
        names.filter(|e| e.file_name().to_string_lossy().starts_with(".part")).count()
    };
    while parts() == 0 {
        let ended = child.try_wait().expect("it runs");
        assert!(ended.is_none(), "it ended before it began to write");
        std::thread::yield_now();
    }
    let number = child.id().to_string();
    let killed = std::process::Command::new("kill").args(["-s", "TERM", &number]).status();
    assert!(killed.expect("kill is there").success());
    let mut said = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut said).expect("text");
    let status = child.wait().expect("it ends");
    assert!(status.signal().is_some(), "{status} {said}");
    assert_eq!(parts(), 0);
    assert!(!folder.path().join("out.ndjson").exists());
}
