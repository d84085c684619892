//! What every backend must do: call [`all`] in the tests of each.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{
    Backend, Channel, ChannelId, ChannelStats, Encoding, Facts, ForeignEncoding, Query, Role,
    Sample, SequenceMeaning,
};
use crate::schema::Schema;
use crate::time::Time;

/// A backend under test.
pub struct Subject<'a> {
    /// An empty backend to write to, a new one with each call.
    pub create: &'a dyn Fn() -> Box<dyn Backend>,
    /// What was written, closed and opened anew to read.
    pub reopen: &'a dyn Fn(Box<dyn Backend>) -> Box<dyn Backend>,
}

/// Every check of this module.
///
/// # Panics
/// Where the backend does something else than it should, as all functions of
/// this module.
pub fn all(subject: &Subject<'_>) {
    nothing_comes_back_as_nothing(subject);
    channels_come_back_as_added(subject);
    samples_come_back_as_written(subject);
    samples_come_in_time_order_and_ties_as_recorded(subject);
    queries_filter_by_channel_and_time(subject);
    stats_count_and_bound_each_channel(subject);
    facts_come_back(subject);
    unknown_channels_are_refused(subject);
    iterators_are_independent(subject);
    what_is_whole_is_called_whole(subject);
}

/// A dataset without channels, and channels without samples.
pub fn nothing_comes_back_as_nothing(subject: &Subject<'_>) {
    let backend = (subject.reopen)((subject.create)());
    assert_eq!(backend.channels(), []);
    assert_eq!(read(&*backend, &Query::default()), []);
    assert_eq!(stats(&*backend), []);

    let mut backend = (subject.create)();
    add(&mut *backend, text("empty"));
    let backend = (subject.reopen)(backend);
    assert_eq!(backend.channels(), [text("empty")]);
    assert_eq!(read(&*backend, &Query::default()), []);
    assert_eq!(stats(&*backend), [ChannelStats::default()]);
}

/// Keys, types with optional fields, roles, metadata and foreign encodings.
pub fn channels_come_back_as_added(subject: &Subject<'_>) {
    let schema = Schema::parse(
        "demo/msg/Outer",
        "uint8 ON=1\nfloat64[3] at\ndemo/Inner[<=1] inner\nstring name \"x\"\n\
         ===\nMSG: demo/Inner\nint32 n",
    )
    .and_then(|schema| schema.with_optional_fields(&["demo/msg/Outer.inner"]))
    .expect("the schema is well-formed");
    let foreign = ForeignEncoding {
        message_encoding: "json".to_owned(),
        schema_name: "a thing".to_owned(),
        schema_encoding: "jsonschema".to_owned(),
        schema_data: Bytes::from_static(b"{\"type\": \"object\"}"),
        reason: "lk passes `json` through".to_owned(),
    };
    let channel = |key: &str, encoding, role, metadata: &[(&str, &str)]| Channel {
        key: key.to_owned(),
        encoding,
        role,
        metadata: metadata.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
    };
    let cdr = || Encoding::Cdr(schema.clone());
    let channels = [
        channel("/imu/data", cdr(), Role::Input, &[("unit", "rad/s"), ("empty", "")]),
        channel("out", cdr(), Role::Output, &[]),
        channel("inner state", cdr(), Role::State, &[]),
        channel("päth", Encoding::Foreign(foreign), Role::None, &[("offered_qos_profiles", "x")]),
        text("no schema"),
    ];
    let mut backend = (subject.create)();
    for (n, channel) in channels.iter().enumerate() {
        assert_eq!(add(&mut *backend, channel.clone()), ChannelId(n as u32));
    }
    assert_eq!(backend.channels(), channels);
    let backend = (subject.reopen)(backend);
    assert_eq!(backend.channels(), channels);
}

/// Both times, the sequence number, and payloads of all sizes.
pub fn samples_come_back_as_written(subject: &Subject<'_>) {
    let mut backend = (subject.create)();
    let id = add(&mut *backend, text("a"));
    let mut written = Vec::new();
    let sizes = [0, 1, 4, 100, 65_536, 0, 3 << 20, 7];
    for (n, bytes) in sizes.into_iter().enumerate() {
        let payload: Vec<u8> = (0..bytes).map(|i| (i * 7 + n) as u8).collect();
        written.push(Sample {
            time: Time::from_nanos(n as i64),
            publish_time: Time::from_nanos(n as i64 * 1_000),
            sequence: u32::MAX - n as u32,
            payload: payload.into(),
        });
    }
    let last = Time::MAX;
    written.push(Sample { time: last, publish_time: last, sequence: 0, payload: Bytes::new() });
    for sample in &written {
        write(&mut *backend, id, sample.clone());
    }
    let backend = (subject.reopen)(backend);
    let read = read(&*backend, &Query::default());
    assert_eq!(read.len(), written.len());
    for (read, written) in read.iter().zip(&written) {
        assert_eq!((read.0, &read.1), (id, written));
    }
}

/// Samples written in no order of time, many at one time, in volumes that
/// fill several chunks which overlap in time.
pub fn samples_come_in_time_order_and_ties_as_recorded(subject: &Subject<'_>) {
    let mut backend = (subject.create)();
    let ids = ["a", "b", "c"].map(|key| add(&mut *backend, text(key)));
    let mut written = Vec::new();
    for (n, noise) in noise(20_000).enumerate() {
        let id = ids[(noise % 3) as usize];
        // Half of them near the place where they are, half anywhere.
        let time = if noise % 2 == 0 { n as i64 / 4 } else { noise as i64 >> 8 & 0xfff };
        let payload = Bytes::from(vec![n as u8; (noise % 300) as usize]);
        let time = Time::from_nanos(time);
        let sample = Sample { time, publish_time: time, sequence: n as u32, payload };
        write(&mut *backend, id, sample.clone());
        written.push((id, sample));
    }
    let backend = (subject.reopen)(backend);
    written.sort_by_key(|(_, sample)| sample.time);
    let read = read(&*backend, &Query::default());
    assert_eq!(read.len(), written.len());
    for (n, (read, written)) in read.iter().zip(&written).enumerate() {
        assert_eq!(read, written, "sample {n}");
    }
}

/// Every way to ask for a part.
pub fn queries_filter_by_channel_and_time(subject: &Subject<'_>) {
    let mut backend = (subject.create)();
    let ids = ["a", "b", "c"].map(|key| add(&mut *backend, text(key)));
    for n in 0..300_u32 {
        write(&mut *backend, ids[n as usize % 3], sample(i64::from(n / 2), n));
    }
    let backend = (subject.reopen)(backend);
    let all = read(&*backend, &Query::default());
    let at = |nanos: i64| Some(Time::from_nanos(nanos));
    let times = [(None, None), (at(30), None), (None, at(30)), (at(10), at(30)), (at(40), at(40))];
    let edges = [(at(-5), at(0)), (at(149), at(1000)), (at(150), None), (at(9), at(3))];
    for channels in [None, Some(vec![]), Some(vec![ids[1]]), Some(vec![ids[2], ids[0], ids[2]])] {
        for (start, end) in times.into_iter().chain(edges) {
            let query = Query { channels: channels.clone(), start, end };
            let mut expected = all.clone();
            expected.retain(|(id, sample)| {
                channels.as_ref().is_none_or(|channels| channels.contains(id))
                    && start.is_none_or(|start| sample.time >= start)
                    && end.is_none_or(|end| sample.time < end)
            });
            assert_eq!(read(&*backend, &query), expected, "{query:?}");
        }
    }
}

/// Counts, first and last times, also of what was written out of order.
pub fn stats_count_and_bound_each_channel(subject: &Subject<'_>) {
    let mut backend = (subject.create)();
    let ids = ["a", "b", "c"].map(|key| add(&mut *backend, text(key)));
    for (n, nanos) in [50, 10, 90, 30].into_iter().enumerate() {
        write(&mut *backend, ids[0], sample(nanos, n as u32));
    }
    write(&mut *backend, ids[2], sample(0, 0));
    let expected = |count, first, last| ChannelStats {
        count,
        first: Some(Time::from_nanos(first)),
        last: Some(Time::from_nanos(last)),
    };
    let expected = [expected(4, 10, 90), ChannelStats::default(), expected(1, 0, 0)];
    assert_eq!(stats(&*backend), expected);
    let backend = (subject.reopen)(backend);
    assert_eq!(stats(&*backend), expected);
}

/// Facts of both meanings of the sequence, and any text.
pub fn facts_come_back(subject: &Subject<'_>) {
    for sequence in [SequenceMeaning::Count, SequenceMeaning::Tick] {
        let entries = [("seed", "42"), ("producer", "ä\n\"b\""), ("", "")];
        let entries: BTreeMap<String, String> =
            entries.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        let facts = Facts { sequence, entries };
        let mut backend = (subject.create)();
        backend.set_facts(facts.clone()).expect("facts can be set");
        assert_eq!(*backend.facts(), facts);
        let backend = (subject.reopen)(backend);
        assert_eq!(*backend.facts(), facts);
    }
}

/// A channel number that was never given.
pub fn unknown_channels_are_refused(subject: &Subject<'_>) {
    let mut backend = (subject.create)();
    assert!(backend.write(ChannelId(0), sample(0, 0)).is_err());
    add(&mut *backend, text("a"));
    assert!(backend.write(ChannelId(1), sample(0, 0)).is_err());
}

/// Two iterators over one dataset, taken in turns.
pub fn iterators_are_independent(subject: &Subject<'_>) {
    let mut backend = (subject.create)();
    let id = add(&mut *backend, text("a"));
    for n in 0..100 {
        write(&mut *backend, id, sample(i64::from(n), n));
    }
    let backend = (subject.reopen)(backend);
    let query = Query::default();
    let mut first = backend.samples(&query).expect("it can be read");
    let second = backend.samples(&query).expect("it can be read");
    for item in second {
        let (_, of_second) = item.expect("every sample can be read");
        let (_, of_first) =
            first.next().expect("both have as many").expect("every sample can be read");
        assert_eq!(of_first, of_second);
    }
    assert!(first.next().is_none());
}

/// Integrity of what was written and closed, before and after a full check.
pub fn what_is_whole_is_called_whole(subject: &Subject<'_>) {
    let mut backend = (subject.create)();
    let id = add(&mut *backend, text("a"));
    for n in 0..100 {
        write(&mut *backend, id, sample(i64::from(n), n));
    }
    let mut backend = (subject.reopen)(backend);
    let integrity = backend.integrity();
    assert!(integrity.verified);
    assert_eq!(integrity.problems, [""; 0]);
    assert_eq!(integrity.notes, [""; 0]);
    assert_eq!(backend.check().expect("it can be read"), integrity);
    assert_eq!(read(&*backend, &Query::default()).len(), 100);
}

fn text(key: &str) -> Channel {
    Channel {
        key: key.to_owned(),
        encoding: Encoding::Foreign(ForeignEncoding::untyped("text")),
        role: Role::None,
        metadata: BTreeMap::new(),
    }
}

fn sample(nanos: i64, sequence: u32) -> Sample {
    let time = Time::from_nanos(nanos);
    let payload = Bytes::from(sequence.to_string());
    Sample { time, publish_time: time, sequence, payload }
}

fn add(backend: &mut dyn Backend, channel: Channel) -> ChannelId {
    backend.add_channel(channel).expect("the channel can be added")
}

fn write(backend: &mut dyn Backend, id: ChannelId, sample: Sample) {
    backend.write(id, sample).expect("the sample can be written");
}

fn read(backend: &dyn Backend, query: &Query) -> Vec<(ChannelId, Sample)> {
    let samples = backend.samples(query).expect("it can be read");
    samples.collect::<Result<_, _>>().expect("every sample can be read")
}

fn stats(backend: &dyn Backend) -> Vec<ChannelStats> {
    backend.stats().expect("there are stats")
}

/// A fixed sequence of numbers without order (Marsaglia's xorshift).
fn noise(count: usize) -> impl Iterator<Item = u64> {
    let step = |x: &u64| {
        let x = x ^ x << 13;
        let x = x ^ x >> 7;
        Some(x ^ x << 17)
    };
    std::iter::successors(Some(88_172_645_463_325_252), step).take(count)
}
