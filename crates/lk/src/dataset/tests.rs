use super::*;

fn text(key: &str) -> Channel {
    Channel {
        key: key.to_owned(),
        encoding: Encoding::Foreign(ForeignEncoding::untyped("text")),
        role: Role::None,
        metadata: BTreeMap::new(),
    }
}

fn at(nanos: i64) -> Time {
    Time::from_nanos(nanos)
}

fn payloads(samples: Samples<'_>) -> Vec<String> {
    samples.map(|item| String::from_utf8(item.unwrap().1.payload.to_vec()).unwrap()).collect()
}

fn two_keys() -> (Dataset, ChannelId, ChannelId) {
    let mut dataset = Dataset::memory();
    let a = dataset.add_channel(text("a")).unwrap();
    let b = dataset.add_channel(text("b")).unwrap();
    (dataset, a, b)
}

#[test]
fn samples_come_in_time_order_and_ties_as_recorded() {
    let (mut dataset, a, b) = two_keys();
    for (id, payload, time) in
        [(a, "a0", 20), (b, "b0", 10), (b, "b1", 20), (a, "a1", 20), (a, "a2", 5)]
    {
        dataset.write_payload(id, payload, at(time)).unwrap();
    }
    let all = payloads(dataset.samples(&Query::default()).unwrap());
    assert_eq!(all, ["a2", "b0", "a0", "b1", "a1"]);
    let only_a = payloads(dataset.samples(&dataset.select(&["a"]).unwrap()).unwrap());
    assert_eq!(only_a, ["a2", "a0", "a1"]);
    let both = dataset.select(&["b", "a", "b"]).unwrap();
    let ranged = Query { start: Some(at(10)), end: Some(at(20)), ..both };
    assert_eq!(payloads(dataset.samples(&ranged).unwrap()), ["b0"]);
    let inverted = Query { start: Some(at(20)), end: Some(at(10)), ..Query::default() };
    assert!(payloads(dataset.samples(&inverted).unwrap()).is_empty());
}

#[test]
fn sequence_counts_per_key_and_follows_what_was_given() {
    let (mut dataset, a, b) = two_keys();
    assert_eq!(dataset.write_payload(a, "x", at(0)).unwrap(), 0);
    assert_eq!(dataset.write_payload(b, "x", at(0)).unwrap(), 0);
    assert_eq!(dataset.write_payload(a, "x", at(0)).unwrap(), 1);
    let sample =
        Sample { time: at(1), publish_time: at(0), sequence: u32::MAX, payload: Bytes::new() };
    dataset.write_sample(a, sample).unwrap();
    assert_eq!(dataset.write_payload(a, "x", at(2)).unwrap(), 0);
}

#[test]
fn a_key_is_added_once() {
    let (mut dataset, ..) = two_keys();
    let error = dataset.add_channel(text("a")).unwrap_err();
    assert_eq!(error.to_string(), "key a is already in memory");
}

#[test]
fn an_unknown_key_names_those_there_are() {
    let (dataset, ..) = two_keys();
    let error = dataset.channel("c").unwrap_err();
    assert_eq!(error.to_string(), "no key c in memory");
    assert_eq!(error.hint().unwrap(), "its keys are a, b");
}

#[test]
fn a_channel_number_of_another_dataset_is_refused() {
    let (mut dataset, ..) = two_keys();
    let error = dataset.write_payload(ChannelId(2), "x", at(0)).unwrap_err();
    assert_eq!(error.to_string(), "no channel number 2 in memory, which has 2");
    let query = Query { channels: Some(vec![ChannelId(7)]), ..Query::default() };
    assert!(dataset.samples(&query).is_err());
}

#[test]
fn views_slice_by_time_and_by_index() {
    let (mut dataset, a, _) = two_keys();
    for n in 0..10 {
        dataset.write_payload(a, n.to_string(), at(n)).unwrap();
    }
    let view = dataset.channel("a").unwrap();
    let check = |view: ChannelView<'_>, expected: &[i64]| {
        let expected: Vec<Time> = expected.iter().copied().map(at).collect();
        assert_eq!(view.timestamps().unwrap(), expected);
    };
    check(view.slice(7..), &[7, 8, 9]);
    check(view.slice(2..8).slice(4..), &[6, 7]);
    check(view.slice(2..4).slice(1..=9), &[3]);
    check(view.between(at(3)..=at(4)), &[3, 4]);
    check(view.between(at(3)..).between(..at(5)), &[3, 4]);
    check(view.between(..=Time::MAX).slice(9..), &[9]);
    let (from, to) = (5, 3);
    check(view.slice(from..to), &[]);
    assert_eq!(view.stats().unwrap().count, 10);
    assert_eq!(dataset.len().unwrap(), 10);
}

#[test]
fn payloads_larger_than_a_block_are_kept() {
    let (mut dataset, a, _) = two_keys();
    for bytes in [0, 1, 5000, 3 << 20, 7] {
        dataset.write_payload(a, vec![bytes as u8; bytes], at(0)).unwrap();
    }
    let samples = dataset.channel("a").unwrap().samples().unwrap();
    let lengths: Vec<usize> = samples.map(|s| s.unwrap().payload.len()).collect();
    assert_eq!(lengths, [0, 1, 5000, 3 << 20, 7]);
}

#[test]
fn memory_conforms() {
    conformance::all(&conformance::Subject {
        create: &|| Box::new(Memory::new()),
        reopen: &|backend| backend,
    });
}

#[test]
fn memory_that_shares_conforms_and_copies_nothing() {
    conformance::all(&conformance::Subject {
        create: &|| Box::new(Memory::sharing(0)),
        reopen: &|backend| backend,
    });
    let payload = Bytes::from(vec![7; 100]);
    for (memory, is_shared) in [(Memory::sharing(1), true), (Memory::new(), false)] {
        let mut dataset = Dataset::with_backend(Box::new(memory));
        let a = dataset.add_channel(text("a")).unwrap();
        dataset.write_payload(a, payload.clone(), at(0)).unwrap();
        let sample = dataset.channel("a").unwrap().samples().unwrap().next().unwrap().unwrap();
        assert_eq!(sample.payload, payload);
        assert_eq!(sample.payload.as_ptr() == payload.as_ptr(), is_shared);
    }
}

#[test]
fn a_key_keeps_its_type() {
    use crate::{Schema, Value};
    let value = |text| Value::default_of(&Schema::parse("demo/msg/T", text).unwrap());
    let mut dataset = Dataset::memory();
    dataset.write_value("a", &value("float64 x"), at(0)).unwrap();
    dataset.write_value("a", &value("float64 x 1.5"), at(1)).unwrap();
    let error = dataset.write_value("a", &value("float64 y"), at(2)).unwrap_err();
    let message = error.to_string();
    assert!(message.starts_with("key a holds demo/msg/T ("), "{message}");
    assert!(message.contains("not demo/msg/T ("), "{message}");
    let values = dataset.channel("a").unwrap().values().unwrap();
    let read: Vec<f64> = values
        .map(|item| item.unwrap().1.get("x").and_then(crate::value::Datum::as_f64).unwrap())
        .collect();
    assert_eq!(read, [0.0, 1.5]);
}

#[test]
fn what_is_passed_through_is_not_decoded() {
    let (dataset, ..) = two_keys();
    let error = dataset.channel("a").unwrap().values().err().unwrap();
    assert_eq!(error.to_string(), "can't decode key a: lk passes `text` through (memory)");
}

#[test]
fn a_key_takes_one_rust_type() {
    use serde::{Deserialize, Serialize};
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct A {
        x: f64,
    }
    #[derive(Serialize, Deserialize)]
    struct B {
        x: f32,
    }
    let mut dataset = Dataset::memory();
    assert_eq!(dataset.write("a", &A { x: 1.0 }, at(0)).unwrap(), 0);
    assert_eq!(dataset.write("a", &A { x: 2.0 }, at(1)).unwrap(), 1);
    let error = dataset.write("a", &B { x: 2.0 }, at(1)).unwrap_err();
    assert!(matches!(error, Error::TypeMismatch { .. }), "{error}");
    let view = dataset.channel("a").unwrap();
    let read: Vec<A> = view.typed().unwrap().map(|item| item.unwrap().1).collect();
    assert_eq!(read, [A { x: 1.0 }, A { x: 2.0 }]);
    assert!(view.typed::<B>().unwrap().all(|item| item.is_err()));
}
