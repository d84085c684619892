use super::*;
use crate::dataset::SequenceMeaning;
use crate::dataset::ndjson::Writer;
use crate::value::Value;

fn stream(options: StreamOptions) -> Stream {
    Stream::new("standard input", options)
}

/// The values of lines, or what was said of them.
fn values(stream: &mut Stream, lines: &[&str]) -> Vec<String> {
    let mut said = Vec::new();
    for line in lines {
        said.push(match stream.line(line) {
            Ok(Some(Streamed::Sample(sample))) => {
                let Encoding::Cdr(schema) = &stream.channels()[sample.key].encoding else {
                    panic!("a stream has no other encoding")
                };
                Plan::new(schema).decode(&sample.payload).unwrap().to_string()
            }
            Ok(other) => format!("{other:?}"),
            Err(error) => error.to_string(),
        });
    }
    said
}

#[test]
fn a_number_that_happens_to_be_whole_at_first_keeps_no_fraction_out() {
    let mut stream = stream(StreamOptions::default());
    let lines = [
        r#"{"key": "x", "time_ns": 1, "value": {"a": 0, "b": [1, 2], "c": {"d": 3}}}"#,
        r#"{"key": "x", "time_ns": 2, "value": {"a": 0.5, "b": [1.5], "c": {"d": "NaN"}}}"#,
        r#"{"key": "ns", "time_ns": 2, "value": {"t": 1700000000000000001}}"#,
        r#"{"key": "ns", "time_ns": 3, "value": {"t": 1700000000000000002}}"#,
        r#"{"key": "x", "time_ns": 4, "value": {"a": 9007199254740993, "b": [], "c": {"d": 1}}}"#,
    ];
    let said = values(&mut stream, &lines);
    assert_eq!(said[1], "{a: 0.5, b: [1.5], c: {d: NaN}}");
    assert_eq!(said[3], "{t: 1700000000000000002}", "not rounded");
    assert!(said[4].contains("field a: ") && said[4].contains("line 5"), "{}", said[4]);
    assert!(stream.is_inferred(0));
}

#[test]
fn what_does_not_fit_is_named_and_the_next_line_is_read() {
    let mut stream = stream(StreamOptions::default());
    let lines = [
        r#"{"key": "x", "time_ns": 1, "value": {"a": 1}}"#,
        r#"{"key": "x", "time_ns": 1, "value": {"a": 1, "z": 2}}"#,
        r#"{"key": "x", "time_ns": 1, "value": {}}"#,
        "no JSON",
        "",
        r#"{"key": "x", "time": 1, "value": {"a": 1}}"#,
        r#"{"key": "x", "value": {"a": 2}}"#,
    ];
    let said = values(&mut stream, &lines);
    for (n, word) in [(1, "z"), (2, "a"), (3, "line 4 of standard input"), (5, "time")] {
        assert!(said[n].contains(word), "{}", said[n]);
    }
    assert_eq!((said[4].as_str(), said[6].as_str()), ("None", "{a: 2.0}"));
}

#[test]
fn text_that_is_no_utf_8_is_refused() {
    let mut stream = stream(StreamOptions::default());
    let error = stream.line(b"{\"key\": \"\xff\", \"value\": {}}").unwrap_err().to_string();
    assert_eq!(error, "the text is not UTF-8 (line 1 of standard input)");
}

#[test]
fn types_come_from_the_options_or_from_a_line() {
    let schema = Schema::parse("demo/msg/T", "int32 a").unwrap();
    let other = Schema::parse("demo/msg/U", "float32 a").unwrap();
    let options = StreamOptions {
        schemas: [("x".to_owned(), schema.clone())].into(),
        schema: Some(other),
        key: None,
    };
    let mut stream = stream(options);
    let lines = [
        r#"{"key": "x", "type": "demo/msg/V", "schema": "float64 a"}"#,
        r#"{"key": "x", "type": "demo/msg/V", "schema": "int32 a", "role": "input"}"#,
        r#"{"key": "x", "value": {"a": 1.5}}"#,
        r#"{"key": "y", "value": {"a": 1.5}}"#,
        r#"{"key": "y", "type": "demo/msg/U", "schema": "int8 a"}"#,
        r#"{"facts": {"sequence": "tick", "entries": {}}}"#,
    ];
    let said = values(&mut stream, &lines);
    assert!(said[0].contains("and was demo/msg/T"), "{}", said[0]);
    assert_eq!(stream.channels()[0].role, Role::Input);
    assert!(said[2].contains("field a"), "{}", said[2]);
    assert_eq!(said[3], "{a: 1.5}");
    assert!(said[4].contains("and was demo/msg/U"), "{}", said[4]);
    let facts = Facts { sequence: SequenceMeaning::Tick, ..Facts::default() };
    assert_eq!(said[5], format!("{:?}", Some(Streamed::Facts(facts))));
    assert!(!stream.is_inferred(0) && !stream.is_inferred(1));
}

#[test]
fn with_a_key_each_line_is_its_value() {
    let mut stream = stream(StreamOptions { key: Some("pose".into()), ..Default::default() });
    let said = values(&mut stream, &[r#"{"key": "a", "value": 1}"#, "[]"]);
    assert_eq!(said[0], r#"{key: "a", value: 1.0}"#);
    assert!(said[1].contains("line 2"), "{}", said[1]);
    assert_eq!(stream.channels()[0].key, "pose");
}

#[test]
fn what_is_written_line_by_line_is_read_so() {
    let schema = Schema::parse("demo/msg/T", "float64 a\nuint8[] b").unwrap();
    let mut value = Value::default_of(&schema);
    value.set("a", 0.1).unwrap();
    let channel = Channel {
        key: "/a b".to_owned(),
        encoding: Encoding::Cdr(schema.clone()),
        role: Role::Output,
        metadata: [("unit".to_owned(), "m".to_owned())].into(),
    };
    let sample = crate::dataset::Sample {
        time: Time::from_nanos(-5),
        publish_time: Time::from_nanos(-7),
        sequence: 99,
        payload: Plan::new(&schema).encode(&value).unwrap().into(),
    };
    let mut text = Vec::new();
    let mut writer = Writer::new(&mut text, "memory");
    let number = writer.add(&channel).unwrap();
    writer.write_channel(&channel).unwrap();
    writer.write(number, &sample).unwrap();
    let text = String::from_utf8(text).unwrap();

    let mut stream = stream(StreamOptions::default());
    let read: Vec<_> = text.lines().map(|line| stream.line(line).unwrap().unwrap()).collect();
    assert_eq!(stream.channels(), [channel]);
    let back = StreamedSample {
        key: 0,
        time: Some(sample.time),
        publish_time: Some(sample.publish_time),
        sequence: Some(99),
        payload: sample.payload,
    };
    assert_eq!(read, [Streamed::Channel, Streamed::Sample(back)]);
}
