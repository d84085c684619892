//! What every backend must do: call [`all`] in the tests of each.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{
    Attachment, Backend, Channel, ChannelId, ChannelStats, Dataset, Encoding, Extra, Facts,
    ForeignEncoding, Metadata, Query, Role, Sample, SequenceMeaning,
};
use crate::error::Error;
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
    samples_that_are_flushed_can_be_read(subject);
    channels_may_be_added_between_samples(subject);
    samples_of_one_time_keep_their_order(subject);
    refused_samples_change_nothing(subject);
    extras_come_back_or_are_refused(subject);
    what_is_closed_or_read_takes_all_or_nothing(subject);
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
        reason: super::foreign::reason("json"),
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
        let before = Facts { entries: [("old".to_owned(), String::new())].into(), ..facts.clone() };
        backend.set_facts(before).expect("facts can be set");
        let id = add(&mut *backend, text("a"));
        write(&mut *backend, id, sample(0, 0));
        backend.set_facts(facts.clone()).expect("facts can be set again, which replaces them");
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

/// After each flush, or sync, all that was written before it, by whoever looks
/// at it then: the backend itself or, where that can't be read from, a reader
/// of the file.
pub fn samples_that_are_flushed_can_be_read(subject: &Subject<'_>) {
    let mut backend = (subject.create)();
    let id = add(&mut *backend, text("a"));
    for n in 0..6 {
        write(&mut *backend, id, sample(i64::from(n), n));
        match n % 2 {
            0 => backend.flush().expect("it can be flushed"),
            _ => backend.sync().expect("it can be synced"),
        }
        let query = Query::default();
        let there = match backend.samples(&query) {
            Ok(samples) => samples.count(),
            Err(_) => {
                let dataset = Dataset::open(backend.location()).expect("what is flushed opens");
                let samples = dataset.samples(&query).expect("it can be read");
                samples.inspect(|item| assert!(item.is_ok(), "{item:?}")).count()
            }
        };
        assert_eq!(there, n as usize + 1);
    }
    backend.flush().expect("it can be flushed with nothing to flush");
    assert_eq!(read(&*(subject.reopen)(backend), &Query::default()).len(), 6);
}

/// A channel whose number comes after samples of another.
pub fn channels_may_be_added_between_samples(subject: &Subject<'_>) {
    let mut backend = (subject.create)();
    let mut written = Vec::new();
    for n in 0..5 {
        let id = add(&mut *backend, text(&format!("key {n}")));
        assert_eq!(id, ChannelId(n));
        for id in 0..=n {
            let sample = sample(i64::from(n), id);
            write(&mut *backend, ChannelId(id), sample.clone());
            written.push((ChannelId(id), sample));
        }
        backend.flush().expect("it can be flushed");
    }
    let backend = (subject.reopen)(backend);
    assert_eq!(read(&*backend, &Query::default()), written);
    assert_eq!(backend.channels().len(), 5);
}

/// Thousands of samples of several keys at one time, read as a whole, by key
/// and by time. Sequence numbers repeat and jump: they order nothing.
pub fn samples_of_one_time_keep_their_order(subject: &Subject<'_>) {
    let mut backend = (subject.create)();
    let ids = ["a", "b", "c"].map(|key| add(&mut *backend, text(key)));
    let mut written = Vec::new();
    for noise in noise(3000) {
        let id = ids[(noise >> 20) as usize % 3];
        let sample = sample(7, noise as u32 % 100);
        write(&mut *backend, id, sample.clone());
        written.push((id, sample));
    }
    let backend = (subject.reopen)(backend);
    let at = |nanos: i64| Some(Time::from_nanos(nanos));
    for channels in [None, Some(vec![ids[1]]), Some(vec![ids[2], ids[0]])] {
        for (start, end, any) in
            [(None, None, true), (at(7), at(8), true), (at(7), at(7), false), (at(8), None, false)]
        {
            let query = Query { channels: channels.clone(), start, end };
            let mut expected = written.clone();
            expected.retain(|(id, _)| any && channels.as_ref().is_none_or(|ids| ids.contains(id)));
            assert!(read(&*backend, &query) == expected, "{query:?}");
        }
    }
}

/// A time before zero, which not every storage has: it comes back, or is
/// refused as that sample's fault, and then it never was.
pub fn refused_samples_change_nothing(subject: &Subject<'_>) {
    let mut backend = (subject.create)();
    let id = add(&mut *backend, text("a"));
    let mut times = vec![5, 6];
    write(&mut *backend, id, sample(5, 0));
    match backend.write(id, sample(-1, 1)) {
        Ok(()) => times.insert(0, -1),
        Err(Error::Unstorable { key, .. }) => assert_eq!(key, "a"),
        // One of several has it: which is read from isn't known here.
        Err(Error::Tee { source, .. }) => {
            assert!(matches!(*source, Error::Unstorable { .. }), "{source}");
            return;
        }
        Err(error) => panic!("{error}"),
    }
    write(&mut *backend, id, sample(6, 2));
    assert_eq!(stats(&*backend)[0].count, times.len() as u64);
    let backend = (subject.reopen)(backend);
    let read = read(&*backend, &Query::default());
    let read: Vec<i64> = read.iter().map(|(_, sample)| sample.time.as_nanos()).collect();
    assert_eq!(read, times);
}

/// Attachments and metadata between samples: as they were, or refused as
/// something that can't be stored, and then no harm is done.
pub fn extras_come_back_or_are_refused(subject: &Subject<'_>) {
    let attachment = |data: Vec<u8>| {
        Extra::Attachment(Attachment {
            name: "left camera.yaml".to_owned(),
            media_type: "text/yaml".to_owned(),
            log_time_ns: u64::MAX,
            create_time_ns: 0,
            data: data.into(),
        })
    };
    let entries = [("a".to_owned(), "b\n".to_owned()), ("".to_owned(), String::new())].into();
    let metadata = Extra::Metadata(Metadata { name: "rosbag2".to_owned(), entries });
    let extras = [attachment(Vec::new()), metadata, attachment(vec![7; 100_000])];
    let mut backend = (subject.create)();
    let id = add(&mut *backend, text("a"));
    let mut kept = 0;
    for (n, extra) in extras.iter().enumerate() {
        write(&mut *backend, id, sample(n as i64, n as u32));
        match backend.add_extra(extra.clone()) {
            Ok(()) => kept += 1,
            Err(Error::Unstorable { key, .. }) => assert_eq!(key, extra.describe()),
            Err(error) => panic!("{error}"),
        }
    }
    let backend = (subject.reopen)(backend);
    let found: Vec<Extra> = backend.extras().map(|item| item.expect("it can be read")).collect();
    assert!(found == extras[..found.len()] && found.len() == kept, "{kept} kept");
    assert!(kept == 0 || kept == extras.len(), "all of a kind or none");
    assert_eq!(read(&*backend, &Query::default()).len(), 3);
    assert!(backend.integrity().problems.is_empty());
}

/// What was closed, and what was opened to read: it refuses everything that
/// would change it, saying that its state is why, or goes on like memory.
pub fn what_is_closed_or_read_takes_all_or_nothing(subject: &Subject<'_>) {
    let mut closed = (subject.create)();
    let id = add(&mut *closed, text("a"));
    write(&mut *closed, id, sample(0, 0));
    closed.close().expect("it can be closed");
    let mut other = (subject.create)();
    let id = add(&mut *other, text("a"));
    write(&mut *other, id, sample(0, 0));
    for mut backend in [closed, (subject.reopen)(other)] {
        let results = [
            backend.write(id, sample(1, 1)),
            backend.add_channel(text("b")).map(|_| ()),
            backend.set_facts(Facts::default()),
        ];
        let refused = results.iter().filter(|result| result.is_err()).count();
        for error in results.into_iter().filter_map(Result::err) {
            let error = match error {
                Error::Tee { source, .. } => *source,
                other => other,
            };
            assert!(matches!(error, Error::State { .. }), "{error}");
        }
        match refused {
            0 => assert_eq!(read(&*backend, &Query::default()).len(), 2),
            refused => assert_eq!(refused, 3),
        }
    }
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
    // One that is dropped halfway leaves nothing behind.
    assert!(backend.samples(&query).expect("it can be read").nth(50).is_some());
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
