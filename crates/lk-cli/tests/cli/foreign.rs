//! Channels in other encodings than CDR. Files of other people's packages are
//! written by `foreign_peer.py`, from the virtual environment that `cargo xtask
//! test` sets up.
#![expect(clippy::print_stderr, reason = "a skipped test says so")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use lk::dataset::{Channel, Encoding, ForeignEncoding, Role};
use lk::{Dataset, Time};

use crate::fixture::Folder;

/// A recording of JSON under the key `pose`, a second apart.
fn json(folder: &Folder, name: &str, messages: &[&str]) {
    let mut dataset = Dataset::create(folder.path().join(name)).expect("writable");
    let encoding = ForeignEncoding {
        schema_name: "Pose".to_owned(),
        schema_encoding: "jsonschema".to_owned(),
        schema_data: b"{\"type\": \"object\"}".to_vec().into(),
        ..ForeignEncoding::untyped("json")
    };
    let channel = Channel {
        key: "pose".to_owned(),
        encoding: Encoding::Foreign(encoding),
        role: Role::None,
        metadata: [].into(),
    };
    let id = dataset.add_channel(channel).expect("it is new");
    for (second, message) in (0..).zip(messages) {
        let time = Time::from_nanos(second * 1_000_000_000);
        dataset.write_payload(id, message.as_bytes().to_vec(), time).expect("writable");
    }
    dataset.close().expect("writable");
}

const A: [&str; 2] =
    [r#"{"at": {"x": 1, "y": 2.5}, "name": "a"}"#, r#"{"at": {"x": 1.5, "y": 2}, "name": "b"}"#];

#[test]
fn json_is_shown_by_its_fields() {
    let folder = Folder::new();
    json(&folder, "a.mcap", &A);
    let text = folder.lk(&["cat", "a.mcap"]).expect(0).stdout;
    assert_eq!(
        text,
        "0.000000000  pose  {at: {x: 1.0, y: 2.5}, name: \"a\"}\n\
         1.000000000  pose  {at: {x: 1.5, y: 2.0}, name: \"b\"}\n"
    );
    folder
        .lk(&["info", "a.mcap"])
        .expect(0)
        .shows(&["Pose", "json, not decoded: its type is found where it is shown or compared"]);
    folder.lk(&["info", "a.mcap", "--check"]).expect(0).shows(&["lk/msg/Pose (inferred)", "json"]);
    json(&folder, "mixed.mcap", &["{}", "[]"]);
    folder
        .lk(&["info", "mixed.mcap", "--check"])
        .expect(0)
        .shows(&["json, not decoded: a list comes where an object came before"]);
    folder
        .lk(&["cat", "mixed.mcap"])
        .expect(0)
        .shows(&["(2 bytes, not decoded: a list comes where an object came before)"]);
}

#[test]
fn json_is_compared_by_its_fields() {
    let folder = Folder::new();
    json(&folder, "a.mcap", &A);
    let b = [r#"{"name":"a","at":{"y":2.5,"x":1}}"#, r#"{"name":"b","at":{"y":2.001,"x":1.5}}"#];
    json(&folder, "b.mcap", &b);
    folder
        .lk(&["diff", "a.mcap", "b.mcap"])
        .expect(1)
        .shows(&["first at message 1, 1.000 s in pose.at.y", "inferred from the values"]);
    folder.lk(&["diff", "a.mcap", "b.mcap", "--tol", "pose.at.y:abs=0.01"]).expect(0);
    folder.lk(&["diff", "a.mcap", "b.mcap", "--tol", "pose.at.z:abs=0.01"]).expect(2);
    folder.lk(&["diff", "a.mcap", "a.mcap"]).expect(0).shows(&["identical"]);
}

#[test]
fn json_becomes_a_table_and_lines() {
    let folder = Folder::new();
    json(&folder, "a.mcap", &A);
    folder.lk(&["convert", "a.mcap", "a.csv"]).expect(0);
    assert!(folder.read("a.csv").lines().nth(1).expect("a row").ends_with(",1.0,2.5,a"));
    folder.lk(&["convert", "a.mcap", "a.ndjson"]).expect(0);
    let last = r#""value":{"at":{"x":1.5,"y":2.0},"name":"b"}}"#;
    assert!(folder.read("a.ndjson").trim_end().ends_with(last));
}

#[test]
fn an_mcap_file_keeps_the_bytes_of_foreign_payloads() {
    let folder = Folder::new();
    json(&folder, "a.mcap", &[A[0], "not json", ""]);
    folder.lk(&["convert", "a.mcap", "b.mcap"]).expect(0);
    let read = |name: &str| {
        let dataset = Dataset::open(Path::join(folder.path(), name)).expect("it is whole");
        let samples: Vec<_> = dataset
            .samples(&lk::dataset::Query::default())
            .expect("readable")
            .map(|item| item.expect("readable").1)
            .collect();
        (dataset.channels().to_vec(), samples)
    };
    let (channels, samples) = read("b.mcap");
    assert_eq!((channels.clone(), samples.clone()), read("a.mcap"));
    assert_eq!(samples[0].payload, A[0]);
    let Encoding::Foreign(foreign) = &channels[0].encoding else { panic!("it is foreign") };
    assert_eq!(
        (foreign.schema_encoding.as_str(), &foreign.schema_data[..2]),
        ("jsonschema", &b"{\""[..])
    );
}

/// The interpreter that has the packages; `None`, with a note, where there is
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

/// Files of all variants, of messages that a Python package encoded.
fn variants(python: &Path, encoding: &str, variants: &[&str]) -> Folder {
    let folder = Folder::new();
    let script = folder.write("peer.py", include_str!("foreign_peer.py"));
    for variant in variants {
        let out = folder.path().join(format!("{variant}.mcap"));
        let output = Command::new(python)
            .arg(&script)
            .args([encoding, variant])
            .arg(out)
            .output()
            .expect("the interpreter starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    folder
}

#[track_caller]
fn check_peer(encoding: &str, form: &str) {
    let Some(python) = python() else { return };
    let folder = variants(&python, encoding, &["base", "form", "value", "text"]);
    let shown = folder.lk(&["cat", "base.mcap"]).expect(0).stdout;
    let first = shown.lines().next().expect("a line");
    assert_eq!(
        first,
        "0.000000000  state  {pose: {x: 0.0, y: -1.25}, name: \"m0\", steps: [1, 2, 300], \
         raw: [0, 255, 0]}"
    );
    let diff = |b: &str, args: &[&str]| {
        let all: Vec<&str> = ["diff", "base.mcap", b].iter().chain(args).copied().collect();
        folder.lk(&all)
    };
    diff("base.mcap", &[]).expect(0).shows(&["identical"]);
    let same = fs::read(folder.path().join("base.mcap")).expect("readable")
        == fs::read(folder.path().join("form.mcap")).expect("readable");
    assert!(!same, "the bytes differ");
    diff("form.mcap", &[]).expect(0).shows(&[form]);
    diff("value.mcap", &[]).expect(1).shows(&["first at message 2, 2.000 s in state.pose.x"]);
    diff("value.mcap", &["--tol", "state.pose.*:abs=0.3"]).expect(0);
    diff("value.mcap", &["--tol", "state.pose.x:ignore,reason=noisy"]).expect(0);
    diff("text.mcap", &["--tol", "1"])
        .expect(1)
        .shows(&["first at message 1, 1.000 s in state.name"]);
    folder.lk(&["convert", "value.mcap", "value.ndjson"]).expect(0);
    let line =
        r#""value":{"pose":{"x":1.25,"y":-1.25},"name":"m2","steps":[1,2,302],"raw":[0,255,2]}}"#;
    assert!(folder.read("value.ndjson").lines().any(|found| found.ends_with(line)));
    folder.lk(&["convert", "base.mcap", "copy.mcap"]).expect(0);
    diff("copy.mcap", &[]).expect(0).shows(&["identical"]);
}

#[test]
fn json_of_python_is_compared_by_its_fields() {
    check_peer("json", "equal");
}

#[test]
fn msgpack_of_python_is_compared_by_its_fields() {
    check_peer("msgpack", "equal");
}

#[test]
fn cbor_of_python_is_compared_by_its_fields() {
    check_peer("cbor", "equal");
}

#[test]
fn protobuf_of_python_is_compared_by_its_fields() {
    check_peer("protobuf", "identical");
    let Some(python) = python() else { return };
    let folder = variants(&python, "protobuf", &["base", "unknown"]);
    folder
        .lk(&["diff", "base.mcap", "unknown.mcap"])
        .expect(1)
        .shows(&["compared as bytes, since a message has field 15"]);
    folder.lk(&["info", "--check", "base.mcap"]).expect(0).shows(&["demo/msg/State", "protobuf"]);
}

#[test]
fn doctor_decodes_what_it_can_and_says_what_is_malformed() {
    let folder = Folder::new();
    json(&folder, "good.mcap", &A);
    let ran = folder.lk(&["doctor", "good.mcap"]).expect(0);
    let ran = ran.shows(&["lk/msg/Pose (inferred)"]);
    assert!(!ran.stdout.contains("aren't decoded"), "{}", ran.stdout);
    json(&folder, "bad.mcap", &[A[0], "{\"at\""]);
    folder
        .lk(&["doctor", "bad.mcap"])
        .expect(2)
        .shows(&["pose: 1 of 2 messages can't be decoded, the first is message 1"]);
    json(&folder, "mixed.mcap", &["{}", "[]"]);
    folder.lk(&["doctor", "mixed.mcap"]).expect(0).shows(&["it is compared as bytes"]);
}
