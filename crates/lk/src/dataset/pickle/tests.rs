mod hostile;
mod python;

use std::path::Path;

use super::reader::Reader;
use super::writer::Writer;
use crate::dataset::{Backend, Dataset, Query, Role, conformance};
use crate::value::ValueSeed;
use crate::{Error, Schema, Time, Value};

fn at(nanos: i64) -> Time {
    Time::from_nanos(nanos)
}

fn parse(bytes: &[u8]) -> crate::Result<Dataset> {
    let reader = Reader::parse(bytes, "a.pkl".to_owned())?;
    Ok(Dataset::with_backend(Box::new(reader)))
}

/// A value of a schema, from JSON.
fn value(schema: &Schema, json: &str) -> Value {
    use serde::de::DeserializeSeed;
    let mut json = serde_json::Deserializer::from_str(json);
    ValueSeed::new(schema).deserialize(&mut json).unwrap()
}

fn json(value: &Value) -> String {
    serde_json::to_string(value).unwrap()
}

/// A pickle of one key `k` with the pickled values and float timestamps.
fn key_of(values: &[&[u8]]) -> Vec<u8> {
    let mut bytes = b"\x80\x05}\x8c\x01k}(\x8c\x04data](".to_vec();
    values.iter().for_each(|value| bytes.extend_from_slice(value));
    bytes.extend(b"e\x8c\x0atimestamps](");
    for n in 0..values.len() {
        bytes.push(b'G');
        bytes.extend((n as f64).to_be_bytes());
    }
    bytes.extend(b"eus.");
    bytes
}

fn rich_schema() -> Schema {
    let text = "bool yes\nbyte raw\nint8 a\nuint8 b\nint16 c\nuint16 d\nint32 e\nuint32 f\nint64 g\n\
                uint64 h\nfloat32 i\nfloat64 j\nstring s\nwstring w\nfloat64[3] fixed\n\
                string[<=3] names\nuint8[] blob\ndemo/Inner inner\ndemo/Inner[] many\n\
                demo/Inner[<=1] maybe\n===\nMSG: demo/Inner\nint32 n";
    let schema = Schema::parse("demo/msg/Rich", text).unwrap();
    schema.with_optional_fields(&["demo/msg/Rich.maybe"]).unwrap()
}

fn rich_values(schema: &Schema) -> Vec<Value> {
    let mut values = vec![Value::default_of(schema)];
    values.push(value(
        schema,
        r#"{"yes": true, "raw": 255, "a": -128, "b": 255, "c": -32768, "d": 65535,
            "e": -2147483648, "f": 4294967295, "g": -9223372036854775808,
            "h": 18446744073709551615, "i": 1.1, "j": "NaN", "s": "h\u00e4 \u0000",
            "w": "\ud83d\ude00", "fixed": [-0.0, "Infinity", 5e-324], "names": ["", "x"],
            "blob": [0, 128, 255], "inner": {"n": 1}, "many": [{"n": 2}, {"n": 3}],
            "maybe": {"n": 4}}"#,
    ));
    values
}

#[test]
fn pickle_conforms() {
    let folder = tempfile::tempdir().unwrap();
    let count = std::cell::Cell::new(0);
    let create = || {
        count.set(count.get() + 1);
        let path = folder.path().join(format!("{}.pkl", count.get()));
        Box::new(Writer::create(&path, false).unwrap()) as Box<dyn Backend>
    };
    let reopen = |mut backend: Box<dyn Backend>| {
        backend.close().unwrap();
        let path = backend.location();
        Box::new(Reader::open(Path::new(&path)).unwrap()) as Box<dyn Backend>
    };
    conformance::all(&conformance::Subject { create: &create, reopen: &reopen });
}

#[test]
fn every_field_type_comes_back_with_its_times() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.pickle");
    let schema = rich_schema();
    let mut written = Dataset::memory();
    for (n, value) in rich_values(&schema).iter().enumerate() {
        // Nanoseconds that no float of seconds holds.
        let time = at(1_750_000_000_123_456_789 + n as i64);
        written.write_value("rich", value, time).unwrap();
    }
    let mut file = Dataset::create(&path).unwrap();
    file.copy_from(&written).unwrap();
    file.close().unwrap();
    let read = Dataset::open(&path).unwrap();
    assert_eq!(read.channels(), written.channels());
    let samples = |dataset: &Dataset| -> Vec<_> {
        dataset.samples(&Query::default()).unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(samples(&read), samples(&written));
    assert!(read.integrity().verified);
}

#[test]
fn inferred_types_come_back_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        ("Float64", "float64 data", r#"{"data":0.5}"#),
        ("Int64", "int64 data", r#"{"data":-3}"#),
        ("String", "string data", r#"{"data":"x"}"#),
        ("Float64Array", "float64[] data", r#"{"data":[1.0,2.0]}"#),
        ("Uint8Array", "uint8[] data", r#"{"data":[1,2]}"#),
        ("Float64NdArray", "uint32[] shape\nfloat64[] data", r#"{"shape":[2,1],"data":[1.0,2.0]}"#),
        ("Int8NdArray", "uint32[] shape\nint8[] data", r#"{"shape":[],"data":[7]}"#),
        ("Float64NdArray", "uint32[] shape\nfloat64[] data", r#"{"shape":[0,3],"data":[]}"#),
        ("Float64NdArray", "uint32[] shape\nfloat64[] data", r#"{"shape":[2,0],"data":[]}"#),
        ("Float64NdArray", "uint32[] shape\nfloat64[] data", r#"{"shape":[2],"data":[1.0]}"#),
    ];
    for (n, (name, text, content)) in cases.into_iter().enumerate() {
        let path = folder.path().join(format!("{n}.pkl"));
        let schema = Schema::parse(&format!("lk/msg/{name}"), text).unwrap();
        let written = value(&schema, content);
        let mut file = Dataset::create(&path).unwrap();
        file.write_value("k", &written, at(5)).unwrap();
        file.close().unwrap();
        let file = Dataset::open(&path).unwrap();
        let read = file.channel("k").unwrap().values().unwrap().next().unwrap().unwrap().1;
        assert_eq!(read, written, "{content}");
    }
}

#[track_caller]
fn check_inferred(values: &[&[u8]], type_name: &str, expected: &[&str]) {
    let dataset = parse(&key_of(values)).unwrap();
    let read: Vec<Value> =
        dataset.channel("k").unwrap().values().unwrap().map(|v| v.unwrap().1).collect();
    assert_eq!(read[0].schema().name(), type_name);
    assert_eq!(read.iter().map(json).collect::<Vec<_>>(), expected);
    assert!(!dataset.integrity().verified);
    let times: Vec<Time> = (0..values.len() as i64).map(|n| at(n * 1_000_000_000)).collect();
    assert_eq!(dataset.timestamps("k").unwrap(), times);
}

#[test]
fn types_are_inferred_from_all_values_of_a_key() {
    let half = b"G\x3f\xe0\0\0\0\0\0\0".as_slice();
    check_inferred(&[b"K\x01", half], "lk/msg/Float64", &[r#"{"data":1.0}"#, r#"{"data":0.5}"#]);
    check_inferred(&[b"K\x01"], "lk/msg/Int64", &[r#"{"data":1}"#]);
    check_inferred(&[b"\x88"], "lk/msg/Bool", &[r#"{"data":true}"#]);
    check_inferred(&[b"\x8c\x01x"], "lk/msg/String", &[r#"{"data":"x"}"#]);
    let big = b"\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\0".as_slice();
    let most = r#"{"data":18446744073709551615}"#;
    check_inferred(&[b"K\x01", big], "lk/msg/Uint64", &[r#"{"data":1}"#, most]);
    check_inferred(&[b"](K\x01K\x02e"], "lk/msg/Int64Array", &[r#"{"data":[1,2]}"#]);
    check_inferred(&[b"\x8f(K\x02K\x01\x90"], "lk/msg/Int64Array", &[r#"{"data":[1,2]}"#]);
    check_inferred(&[b"]"], "lk/msg/Float64Array", &[r#"{"data":[]}"#]);
    check_inferred(&[b"C\x02ab"], "lk/msg/Uint8Array", &[r#"{"data":[97,98]}"#]);
    check_inferred(
        &[b"](](K\x01e]e"],
        "lk/msg/Int64ArrayArray",
        &[r#"{"data":[{"data":[1]},{"data":[]}]}"#],
    );
    check_inferred(
        &[b"}(\x8c\x01aK\x01\x8c\x01bNu", b"}(\x8c\x01aK\x02\x8c\x01b\x8c\x01xu"],
        "lk/msg/K",
        &[r#"{"a":1,"b":null}"#, r#"{"a":2,"b":"x"}"#],
    );
    check_inferred(&[b"cmain\nPose\n)\x81}\x8c\x01xK\x01sb"], "lk/msg/Pose", &[r#"{"x":1}"#]);
}

#[track_caller]
fn check_refused(bytes: &[u8], message: &str) {
    let error = parse(bytes).unwrap_err().to_string();
    assert_eq!(error, format!("{message} (a.pkl)"));
}

#[test]
fn what_does_not_fit_names_key_and_index() {
    let text = b"\x8c\x01x".as_slice();
    check_refused(
        &key_of(&[b"K\x01", text]),
        "key k, index 1: a str comes where an int came before",
    );
    check_refused(&key_of(&[b"N"]), "key k, index 0: the value is None");
    // 2^53 + 1 is no float64.
    let odd = b"\x8a\x07\x01\0\0\0\0\0\x20".as_slice();
    check_refused(
        &key_of(&[b"G\x3f\xe0\0\0\0\0\0\0", odd]),
        "key k, index 1: float64 can't hold the int 9007199254740993",
    );
    check_refused(
        &key_of(&[b"}(K\x01K\x02u"]),
        "key k, index 0: a dict has an int for a key, not a str",
    );
    check_refused(
        &key_of(&[b"}(\x8c\x01aK\x02\x8c\x01aK\x03u"]),
        "key k, index 0: field a comes twice",
    );
    check_refused(
        &key_of(&[b"cmain\nA\n)\x81", b"cmain\nB\n)\x81"]),
        "key k, index 1: an object of main.B comes where an object of main.A came before",
    );
    check_refused(
        &key_of(&[b"cmain\nA\n"]),
        "key k, index 0: the global main.A (byte 16) is no data",
    );
}

#[test]
fn keys_without_good_times_are_named() {
    check_refused(b"\x80\x05}\x8c\x01k}\x8c\x04data]ss.", "key k: it has no \"timestamps\"");
    check_refused(
        b"\x80\x05}\x8c\x01k}(\x8c\x04data]K\x01a\x8c\x0atimestamps]us.",
        "key k, index 0: it has 1 values and 0 timestamps",
    );
    check_refused(
        b"\x80\x05}\x8c\x01k}(\x8c\x04data]K\x01a\x8c\x0atimestamps]Naus.",
        "key k, index 0: its timestamp is None",
    );
    check_refused(
        b"\x80\x05}\x8c\x01k}(\x8c\x04data]K\x01a\x8c\x0atimestamps]G\x7f\xf0\0\0\0\0\0\0aus.",
        "key k, index 0: no time is inf seconds from zero",
    );
    check_refused(
        b"\x80\x05}(\x8c\x01k}(\x8c\x04data]\x8c\x0atimestamps]u\x8c\x01k}(\x8c\x04data]\x8c\x0atimestamps]uu.",
        "key k: it comes twice",
    );
    check_refused(
        b"\x80\x05}\x8c\x01k}(\x8c\x04data]\x8c\x0atimestamps]\x8c\x01x]us.",
        "key k: it has \"x\" beside \"data\" and \"timestamps\"",
    );
    check_refused(b"\x80\x05].", "not a pickled dataset: it holds a list, not a dict");
}

#[test]
fn content_and_name_say_what_is_a_pickle() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.bag");
    std::fs::write(&path, b"\x80\x03}.").unwrap();
    assert!(Dataset::open(&path).unwrap().is_empty().unwrap());
    let path = folder.path().join("old.PKL");
    std::fs::write(&path, b"(dp0\n.").unwrap();
    let error = Dataset::open(&path).unwrap_err().to_string();
    assert!(error.starts_with("pickle refused at byte 0: it is of protocol 0 or 1"), "{error}");
}

#[test]
fn a_flushed_file_is_whole_and_a_closed_one_takes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.pkl");
    let schema = Schema::parse("lk/msg/Float64", "float64 data").unwrap();
    let mut file = Dataset::create(&path).unwrap();
    for n in 0..2500 {
        file.write_value("k", &Value::default_of(&schema), at(n)).unwrap();
    }
    assert!(!path.exists(), "there is no half file");
    file.flush().unwrap();
    assert!(matches!(Dataset::create(&path), Err(Error::FileExists { .. })));
    assert_eq!(Dataset::open(&path).unwrap().len().unwrap(), 2500);
    file.write_value("k", &Value::default_of(&schema), at(1)).unwrap();
    file.close().unwrap();
    assert!(matches!(file.close(), Err(Error::State { .. })));
    assert!(file.write_value("k", &Value::default_of(&schema), at(1)).is_err());
    assert_eq!(Dataset::open(&path).unwrap().len().unwrap(), 2501);
    let names = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(names, 1, "nothing is left beside the file");
}

#[test]
fn a_payload_that_is_no_message_is_refused_where_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = Dataset::create(folder.path().join("a.pkl")).unwrap();
    let schema = Schema::parse("lk/msg/Float64", "float64 data").unwrap();
    file.write_value("k", &Value::default_of(&schema), at(0)).unwrap();
    let id = file.channel_id("k").unwrap();
    let error = file.write_payload(id, vec![0, 1, 0, 0, 7], at(1)).unwrap_err();
    assert!(error.to_string().starts_with("can't write to key k: "), "{error}");
    assert_eq!(file.channels()[0].role, Role::None);
}

#[test]
fn a_file_that_came_to_be_meanwhile_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.pkl");
    let mut file = Dataset::create(&path).unwrap();
    std::fs::write(&path, "of somebody else").unwrap();
    assert!(matches!(file.flush(), Err(Error::FileExists { .. })));
    drop(file);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "of somebody else");
    let options = crate::dataset::CreateOptions { overwrite: true, ..Default::default() };
    let mut file = Dataset::create_with(&path, options).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "of somebody else", "it stays until then");
    file.close().unwrap();
    assert!(Dataset::open(&path).unwrap().is_empty().unwrap());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}
