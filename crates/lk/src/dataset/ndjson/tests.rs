use super::*;
use crate::dataset::{Dataset, Query, Sample, SequenceMeaning};
use crate::time::Time;
use crate::value::Value;
use crate::{Error, Schema};

fn import_text(text: &str, options: &ImportOptions) -> Result<(Dataset, Import), String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let mut dataset = Dataset::memory();
    match import(file.path(), &mut dataset, options) {
        Ok(imported) => Ok((dataset, imported)),
        Err(e) => Err(e.to_string().replace(&file.path().display().to_string(), "FILE")),
    }
}

fn export_text(dataset: &Dataset, schemas: bool) -> String {
    let mut out = Vec::new();
    let options = ExportOptions { schemas, limit: None };
    export(dataset, &Query::default(), &mut out, "memory", &options).unwrap();
    String::from_utf8(out).unwrap()
}

fn samples(dataset: &Dataset) -> Vec<Sample> {
    dataset.samples(&Query::default()).unwrap().map(|item| item.unwrap().1).collect()
}

#[test]
fn a_dataset_comes_back_bit_for_bit() {
    let schema = Schema::parse(
        "demo/msg/T",
        "float64 a\nfloat32 b\nuint64 c\nint64 d\nfloat64[] e\nstring f\nwstring g\n\
         geometry_msgs/Point[] h\nfloat64[<=1] i\nuint8[3] j\nbool k\nuint8 RED=1",
    )
    .and_then(|schema| schema.with_optional_fields(&["demo/msg/T.i"]))
    .unwrap();
    let mut dataset = Dataset::memory();
    let mut value = Value::default_of(&schema);
    let bits = |bits: u64| f64::from_bits(bits);
    let nans = [f64::NAN, bits(0xfff8 << 48), bits(0x7ff0_0000_0000_0001), bits(u64::MAX)];
    let floats = [0.1, -0.0, 5e-324, f64::MAX, f64::INFINITY, f64::NEG_INFINITY];
    for (n, float) in floats.into_iter().chain(nans).enumerate() {
        value.set("a", float).unwrap();
        value.set("b", f32::from_bits(0xffc0_0000 + n as u32)).unwrap();
        value.set("c", u64::MAX - n as u64).unwrap();
        value.set("d", i64::MIN + n as i64).unwrap();
        value.set("e", vec![float; n]).unwrap();
        value.set("f", format!("{n} \"\\\n\u{1}é")).unwrap();
        let time = Time::from_nanos(i64::MAX - 10 + n as i64);
        dataset.write_value("/a b", &value, time).unwrap();
        dataset.write_value("other", &value, time).unwrap();
    }
    let id = dataset.channel_id("other").unwrap();
    let odd = Sample {
        time: Time::from_nanos(-5),
        publish_time: Time::from_nanos(-7),
        sequence: 99,
        payload: samples(&dataset)[0].payload.clone(),
    };
    dataset.write_sample(id, odd).unwrap();
    let entries = [("seed".to_owned(), "7".to_owned())].into();
    dataset.set_facts(Facts { sequence: SequenceMeaning::Tick, entries }).unwrap();

    let text = export_text(&dataset, true);
    let (again, imported) = import_text(&text, &ImportOptions::default()).unwrap();
    assert_eq!(imported.inferred, [""; 0]);
    assert_eq!(again.channels(), dataset.channels());
    assert_eq!(again.facts(), dataset.facts());
    assert_eq!(samples(&again), samples(&dataset));
    assert_eq!(export_text(&again, true), text);
}

#[test]
fn lines_are_plain() {
    let schema = Schema::parse("demo/msg/T", "float64 x\nstring name").unwrap();
    let mut dataset = Dataset::memory();
    dataset.write_value("a", &Value::default_of(&schema), Time::from_nanos(5)).unwrap();
    let expected = r#"{"key":"a","type":"demo/msg/T","schema":"float64 x\nstring name\n"}
{"key":"a","time_ns":5,"sequence":0,"value":{"x":0.0,"name":""}}
"#;
    assert_eq!(export_text(&dataset, true), expected);
}

#[test]
fn types_are_inferred_from_all_values() {
    let text = r#"
{"key": "a", "time_ns": 1, "value": {"x": 1, "big": 1, "list": [], "at": {"y": true}, "maybe": null}}

{"key": "a", "time_ns": 2, "value": {"x": "NaN", "big": 18446744073709551615, "list": [1, 2.5], "at": {"y": false}, "maybe": "text", "late": 1}}
{"key": "a", "time_ns": 0, "value": {"x": 2.5, "big": 0, "list": [], "at": {"y": false}}}
"#;
    let (dataset, imported) = import_text(text, &ImportOptions::default()).unwrap();
    assert_eq!(imported.inferred, ["a"]);
    assert_eq!((imported.samples, imported.out_of_order), (3, 1));
    let view = dataset.channel("a").unwrap();
    let values: Vec<String> =
        view.values().unwrap().map(|item| item.unwrap().1.to_string()).collect();
    assert_eq!(
        values,
        [
            "{x: 2.5, big: 0, list: [], at: {y: false}, maybe: [], late: []}",
            "{x: 1.0, big: 1, list: [], at: {y: true}, maybe: [], late: []}",
            "{x: NaN, big: 18446744073709551615, list: [1.0, 2.5], at: {y: false}, \
             maybe: [\"text\"], late: [1]}",
        ]
    );
    let sequences: Vec<u32> = samples(&dataset).iter().map(|sample| sample.sequence).collect();
    assert_eq!(sequences, [2, 0, 1]);
}

#[test]
fn a_list_of_lists_is_one_of_messages_and_no_list_is_not_an_empty_one() {
    let line = |value: &str| format!("{{\"key\": \"a\", \"time_ns\": 0, \"value\": {value}}}\n");
    let text = line("{\"x\": [[1], []], \"y\": [2]}") + &line("{\"x\": [], \"y\": null}");
    let (dataset, _) = import_text(&text, &ImportOptions::default()).unwrap();
    let view = dataset.channel("a").unwrap();
    let values: Vec<String> =
        view.values().unwrap().map(|item| item.unwrap().1.to_string()).collect();
    assert_eq!(values, ["{x: [{data: [1]}, {data: []}], y: [{data: [2]}]}", "{x: [], y: []}"]);
    let exported = export_text(&dataset, true);
    let (again, _) = import_text(&exported, &ImportOptions::default()).unwrap();
    assert_eq!(samples(&again), samples(&dataset));
}

#[test]
fn what_does_not_fit_is_named_with_its_line() {
    let sample = |value: &str| format!("{{\"key\": \"a\", \"time_ns\": 0, \"value\": {value}}}\n");
    let schema = r#"{"key": "a", "type": "demo/msg/T", "schema": "uint8 x"}"#.to_owned() + "\n";
    let none = ImportOptions::default();
    for (text, expected) in [
        ("nonsense\n".to_owned(), "expected ident (line 1 of FILE)"),
        (
            "\n{\"key\": \"a\", \"value\": {\"x\": 1}}\n".to_owned(),
            "missing field `time_ns` (line 2 of FILE)",
        ),
        ("\n{\"key\": \"a\"}\n".to_owned(), "missing field `value` (line 2 of FILE)"),
        (
            sample("{}").replace("time_ns", "time"),
            "unknown field `time`, expected one of `key`, `time_ns`, `publish_time_ns`, `sequence`, `value` (line 1 of FILE)",
        ),
        (sample("3"), "key a: the value is not an object (line 1 of FILE)"),
        (
            sample("{\"x\": 1}") + &sample("{\"x\": \"a\"}"),
            "key a: field x: text comes where an integer came before (line 2 of FILE)",
        ),
        (sample("{\"x\": null}"), "key a: field x: no value says its type (line 1 of FILE)"),
        (
            sample("{\"x\": 0.5, \"n\": 9007199254740993}") + &sample("{\"x\": 1, \"n\": 0.5}"),
            "key a: field n: a float64 would round an integer among the numbers (line 2 of FILE)",
        ),
        (
            schema.clone() + &sample("{\"x\": 300}"),
            "key a: field x: 300 is out of the range of uint8 (line 2 of FILE)",
        ),
        (
            schema.clone() + &sample("{\"y\": 3}"),
            "key a: unknown field y; demo/msg/T has x (line 2 of FILE)",
        ),
        (
            sample("{\"x\": 3}") + &schema,
            "the type of key a comes after it was used (line 2 of FILE)",
        ),
    ] {
        let error = import_text(&text, &none).err().unwrap();
        assert_eq!(error, expected, "{text}");
    }
}

#[test]
fn a_message_that_cannot_be_decoded_is_named_with_its_key_and_time() {
    let schema = Schema::parse("demo/msg/T", "float64 x").unwrap();
    let mut dataset = Dataset::memory();
    let id = dataset.channel_for("imu/data", &schema).unwrap();
    let time = Time::from_nanos(2_000_000_000);
    let payload = vec![0, 1, 0, 0, 7].into();
    let sample = Sample { time, publish_time: time, sequence: 0, payload };
    dataset.write_sample(id, sample).unwrap();
    let options = ExportOptions::default();
    let error = export(&dataset, &Query::default(), &mut Vec::new(), "x", &options).unwrap_err();
    let text = error.to_string();
    let begins = "can't write key imu/data as NDJSON: the message at 2.000000000 s: can't decode";
    assert!(text.starts_with(begins), "{text}");
    assert!(error.hint().unwrap().contains("lk doctor"));
}

#[test]
fn a_given_type_must_agree_with_the_files() {
    let given = Schema::parse("demo/msg/T", "float64 x").unwrap();
    let options = ImportOptions { schemas: [("a".to_owned(), given)].into(), ..Default::default() };
    let sample = "{\"key\": \"a\", \"time_ns\": 0, \"value\": {\"x\": 3}}\n";
    let (dataset, imported) = import_text(sample, &options).unwrap();
    assert!(imported.inferred.is_empty());
    assert_eq!(dataset.channel("a").unwrap().schema().unwrap().name(), "demo/msg/T");
    let other = r#"{"key": "a", "type": "demo/msg/T", "schema": "uint8 x"}"#;
    let error = import_text(other, &options).err().unwrap();
    assert!(error.starts_with("key a is demo/msg/T ("), "{error}");
}

#[test]
fn a_key_that_cannot_be_decoded_is_named() {
    use crate::dataset::{Channel, Encoding, ForeignEncoding};
    let mut dataset = Dataset::memory();
    let encoding = Encoding::Foreign(ForeignEncoding::untyped("json"));
    let channel =
        Channel { key: "a".into(), encoding, role: Role::None, metadata: BTreeMap::new() };
    dataset.add_channel(channel).unwrap();
    let options = ExportOptions::default();
    let export = |query: &Query| export(&dataset, query, &mut Vec::new(), "x", &options);
    assert!(matches!(export(&Query::default()), Err(Error::Opaque { .. })));
    let nothing = Query { channels: Some(Vec::new()), ..Query::default() };
    assert_eq!(export(&nothing).unwrap(), 0);
}
