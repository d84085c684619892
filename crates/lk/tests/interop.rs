//! Files of lk in other people's readers, and theirs in lk.
//!
//! The cases are in `interop/cases.json`: definitions and messages of every
//! type but wstring, which neither peer has. Values of byte and char are below
//! 128, since rosbags takes the one for signed and mcap-ros2-support the other.
//! `interop/peers.py` runs the peers, from the virtual environment that `cargo
//! xtask test` sets up.
#![expect(clippy::print_stderr, reason = "a skipped test says so")]

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use lk::codec::Plan;
use lk::dataset::{CreateOptions, Dataset, rosbag2};
use lk::value::ValueSeed;
use lk::{Schema, Time, Value};
use serde::Deserialize;
use serde::de::DeserializeSeed;

/// One channel of the test file.
#[derive(Deserialize)]
struct Case {
    key: String,
    #[serde(rename = "type")]
    type_name: String,
    text: Vec<String>,
    messages: Vec<serde_json::Value>,
}

impl Case {
    fn schema(&self) -> Schema {
        Schema::parse(&self.type_name, &self.text.join("\n")).expect("the case's text is right")
    }

    fn values(&self) -> Vec<Value> {
        let schema = self.schema();
        let value = |json: &serde_json::Value| ValueSeed::new(&schema).deserialize(json);
        self.messages.iter().map(|json| value(json).expect("the case's messages fit")).collect()
    }
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("interop/cases.json")).expect("the cases are JSON")
}

/// When message number `index` of a channel is recorded.
fn time(index: usize) -> Time {
    Time::from_nanos((index as i64 + 1) * 1_000_000)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join("interop")
}

/// The interpreter that has the peers; `None`, with a note, where there is
/// none and none is demanded.
fn python() -> Option<PathBuf> {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/venv/bin/python");
    let python = env::var_os("LK_TEST_PYTHON").map_or_else(default, PathBuf::from);
    if python.exists() {
        return Some(python);
    }
    let missing = format!("{} is missing; `cargo xtask setup` makes it", python.display());
    assert!(env::var_os("LK_REQUIRE_TOOLS").is_none_or(|v| v != "1"), "{missing}");
    eprintln!("skipped: {missing}");
    None
}

/// Runs a command of `peers.py`; gives what it printed.
#[track_caller]
fn peers(python: &Path, arguments: &[&str]) -> String {
    let output = Command::new(python)
        .arg(folder().join("peers.py"))
        .args(arguments)
        .output()
        .expect("the interpreter starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "peers.py {arguments:?}: {stderr}");
    String::from_utf8(output.stdout).expect("it prints UTF-8")
}

/// What a comparison has seen.
#[derive(Debug, PartialEq, Deserialize)]
struct Seen {
    messages: usize,
    values: usize,
}

/// Writes all cases with lk and has a peer compare what it reads with them.
#[track_caller]
fn check_read(command: &str, name: &str, create: impl FnOnce(&Path) -> Dataset) {
    let Some(python) = python() else { return };
    let temp = tempfile::tempdir().expect("a temporary folder");
    let path = temp.path().join(name);
    let mut dataset = create(&path);
    let mut expected = Seen { messages: 0, values: 0 };
    for case in cases() {
        for (index, value) in case.values().iter().enumerate() {
            dataset.write_value(&case.key, value, time(index)).expect("the value is written");
            expected.messages += 1;
            expected.values += value.leaves().len();
        }
    }
    dataset.close().expect("the file is closed");
    let cases = folder().join("cases.json");
    let printed = peers(&python, &[command, as_str(&path), as_str(&cases)]);
    let seen: Seen = serde_json::from_str(&printed).expect("the peer prints what it saw");
    assert_eq!(seen, expected);
    assert!(seen.values > 300, "{seen:?}");
}

/// Has rosbags write all cases and compares what lk reads with them.
#[track_caller]
fn check_written(storage: &str, compression: &str) {
    let Some(python) = python() else { return };
    let temp = tempfile::tempdir().expect("a temporary folder");
    let bag = temp.path().join("bag");
    let json = folder().join("cases.json");
    peers(&python, &["write-rosbags", as_str(&bag), as_str(&json), storage, compression]);
    let dataset = Dataset::open(&bag).expect("lk opens the folder");
    let integrity = dataset.integrity();
    let said = [integrity.problems, integrity.notes].concat();
    // It writes no checksums.
    let other = said.iter().find(|said| !said.ends_with("chunks have no checksum"));
    assert_eq!(other, None, "its metadata.yaml agrees with its messages");
    let cases = cases();
    assert_eq!(dataset.keys().count(), cases.len());
    for case in &cases {
        let view = dataset.channel(&case.key).expect("the channel is there");
        let schema = view.schema().expect("lk reads the type");
        assert_eq!(schema.name(), case.type_name);
        assert_eq!(schema.fingerprint(), case.schema().fingerprint(), "{}", case.key);
        let expected = case.values();
        let samples: Vec<_> =
            view.samples().and_then(Iterator::collect).expect("the samples are read");
        assert_eq!(samples.len(), expected.len(), "{}", case.key);
        let plan = Plan::new(&case.schema());
        for (index, (sample, expected)) in samples.iter().zip(&expected).enumerate() {
            assert_eq!(sample.time, time(index));
            let value = plan.decode(&sample.payload).expect("the payload is read");
            // Not by bits: the JSON has one NaN for all.
            assert_eq!(value.to_string(), expected.to_string(), "{}", case.key);
            // Both write the same bytes, but for padding at the end.
            let ours = plan.encode(expected).expect("the value is written");
            assert_eq!(sample.payload[..ours.len()], ours, "{}", case.key);
        }
    }
}

fn create_file(path: &Path) -> Dataset {
    Dataset::create(path).expect("the file is created")
}

fn as_str(path: &Path) -> &str {
    path.to_str().expect("the path is UTF-8")
}

#[test]
fn rosbags_reads_what_lk_writes() {
    check_read("read-rosbags", "lk.mcap", create_file);
}

#[test]
fn rosbags_reads_every_message_of_a_folder_that_lk_writes() {
    check_read("read-rosbags", "bag", |path| {
        let writer = rosbag2::Writer::create(path, CreateOptions::default());
        Dataset::with_backend(Box::new(writer.expect("the folder is created")))
    });
}

#[test]
fn mcap_ros2_support_reads_what_lk_writes() {
    check_read("read-mcap-ros2", "lk.mcap", create_file);
}

#[test]
fn lk_reads_what_rosbags_writes() {
    check_written("MCAP", "NONE");
}

#[test]
fn lk_reads_what_rosbags_compresses() {
    check_written("MCAP", "STORAGE");
}

#[cfg(feature = "sqlite")]
#[test]
fn lk_reads_what_rosbags_writes_to_sqlite() {
    check_written("SQLITE3", "NONE");
}

#[test]
fn lk_reads_every_type_that_rosbags_knows() {
    let Some(python) = python() else { return };
    let distributions: BTreeMap<String, BTreeMap<String, String>> =
        serde_json::from_str(&peers(&python, &["types"])).expect("it prints JSON");
    let mut built_in = 0;
    let mut other = Vec::new();
    for (distribution, types) in &distributions {
        assert!(types.len() > 100, "{distribution}: {}", types.len());
        for (name, text) in types {
            let schema = Schema::parse(name, text).unwrap_or_else(|e| panic!("{name}: {e}"));
            if let Ok(ours) = Schema::parse_with(name, &|_| None) {
                built_in += 1;
                if ours.fingerprint() != schema.fingerprint() {
                    other.push(format!("{distribution} {name}"));
                }
            }
        }
    }
    assert!(built_in > 200, "only {built_in}");
    // The built-in types are those of Humble; these have changed since.
    assert_eq!(other, ["ROS2_JAZZY sensor_msgs/msg/Range"]);
}

/// rosbags insists on the QoS texts of `metadata.yaml` and of the channels
/// being the same, drops topics where they aren't, and says nothing. This
/// shows both sides on the recording, and on lk's own folder of it.
#[test]
fn lk_reads_what_rosbags_drops_and_writes_it_so_that_rosbags_reads_it() {
    let talker =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/rosbag2/mcap/talker");
    if !talker.is_dir() {
        eprintln!("skipped: no {}", talker.display());
        return;
    }
    let Some(python) = python() else { return };
    let dataset = Dataset::open(&talker).expect("lk opens the folder");
    assert_eq!(dataset.len().expect("it counts"), 20);
    assert_eq!(peers(&python, &["count", as_str(&talker)]).trim(), "0");
    let temp = tempfile::tempdir().expect("a temporary folder");
    let path = temp.path().join("bag");
    let writer = rosbag2::Writer::create(&path, CreateOptions::default());
    let mut copy = Dataset::with_backend(Box::new(writer.expect("the folder is created")));
    copy.copy_from(&dataset).expect("it is copied");
    copy.close().expect("it is closed");
    assert_eq!(peers(&python, &["count", as_str(&path)]).trim(), "20");
    let integrity = Dataset::open(&path).expect("lk opens it").integrity();
    assert_eq!((integrity.problems, integrity.notes), (vec![], vec![]));
}
