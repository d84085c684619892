//! Payloads that can't be decoded, foreign ones, byte order.

use bytes::Bytes;

use super::*;
use crate::dataset::{
    Backend, ChannelId, ChannelStats, ForeignEncoding, Integrity, Memory, Query, Samples,
};

#[test]
fn a_payload_that_cannot_be_decoded_is_an_error_of_either_side() {
    let whole = data("float64 x\nstring s", &[json!({"x": 1.0, "s": "abc"})]);
    let payload = whole.encode("k", &json!({"x": 1.0, "s": "abc"}));
    let cut = Data::new().key("k", "float64 x\nstring s").raw("k", 1_000, &payload[..14]);
    for (a, b, side) in [(&whole, &cut, "candidate"), (&cut, &whole, "reference")] {
        let result = compare(a, b, &[]);
        let diff = &result.key_diffs["k"];
        assert_eq!((diff.messages.errors, diff.messages.compared), (1, 0));
        assert!(
            diff.errors[0].starts_with(&format!("message 0 of the {side}: can't decode field s")),
            "{}",
            diff.errors[0]
        );
        assert_eq!(diff.mismatches[0].kind, MismatchKind::Decode);
        assert_eq!(diff.mismatches[0].path, "s");
        assert_eq!(diff.fields[0].values.compared, 0, "no part of it is counted");
        assert_eq!(result.incomparable_reason.unwrap(), "no pair of messages could be decoded");
    }
}

#[test]
fn equal_bytes_that_cannot_be_decoded_do_not_pass() {
    let payload = data("float64 x", &[]).encode("k", &json!({"x": 1.0}));
    for bad in [&payload[..11], &payload[..3], &[][..], &[payload.as_slice(), &[1]].concat()] {
        let a = Data::new().key("k", "float64 x").raw("k", 1_000, &payload).raw("k", 2_000, bad);
        let result = compare(&a, &a, &[]);
        assert_eq!(result.verdict, Verdict::Different, "{bad:?}");
        assert_eq!(result.key_diffs["k"].messages.errors, 1);
        assert_eq!(result.key_diffs["k"].messages.compared, 1);
    }
}

#[test]
fn checking_a_payload_agrees_with_decoding_it() {
    // Every way to cut or alter one byte of a message of all kinds.
    let msg = "bool b\nbool[] bs\nstring<=3 s\nwstring w\nP[<=2] ps\nE e\nuint8[3] u\nstring[] ss\n\
               ===\nMSG: test/P\nint16 i\nstring t\n===\nMSG: test/E\n";
    let schema = Schema::parse("test/msg/Test", msg).unwrap();
    let plan = Plan::new(&schema);
    let message = json!({"b": true, "bs": [true, false], "s": "ab", "w": "ä𝄞", "ps": [{"i": 1, "t": "x"}],
        "e": {}, "u": [1, 2, 3], "ss": ["p", ""]});
    let payload = data(msg, &[]).encode("k", &message);
    let encoding = Encoding::Cdr(schema);
    let policy = Policy::default();
    let mut resolver = policy::Resolver::new(&policy);
    let pair = plan::PairPlan::new("k", &encoding, &encoding, &mut resolver);
    let plan::Payloads::Fields(fields) = &pair.payloads else { panic!("CDR is walked") };
    let (mut good, mut bad) = (0, 0);
    let mut check = |payload: &[u8]| {
        let decoded = plan.decode(payload);
        assert_eq!(fields.reference.check(payload).is_ok(), decoded.is_ok(), "{payload:?}");
        if decoded.is_ok() { good += 1 } else { bad += 1 }
    };
    (0..=payload.len()).for_each(|end| check(&payload[..end]));
    for at in 0..payload.len() {
        for value in 0..=255 {
            let mut altered = payload.clone();
            altered[at] = value;
            check(&altered);
        }
    }
    assert!(good > 1_000 && bad > 1_000, "{good} good, {bad} bad");
}

#[test]
fn byte_order_is_no_difference() {
    let msg = "uint16 n\nfloat64[] x\nfloat32 f\nwstring w\nuint8[3] u";
    let little =
        data(msg, &[json!({"n": 258, "x": [1.5, -2.0], "f": 0.5, "w": "ä𝄞", "u": [1, 2, 3]})]);
    let mut big = vec![0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 2];
    big.extend([1.5_f64, -2.0].iter().flat_map(|v| v.to_be_bytes()));
    big.extend(0.5_f32.to_be_bytes());
    big.extend(3_u32.to_be_bytes());
    big.extend("ä𝄞".encode_utf16().flat_map(u16::to_be_bytes));
    big.extend([1, 2, 3]);
    let make = |payload: &[u8]| Data::new().key("k", msg).raw("k", 1_000, payload);
    let result = compare(&little, &make(&big), &[]);
    assert_eq!(result.verdict, Verdict::Identical);
    assert_eq!(result.key_diffs["k"].messages.undecoded, 0);
    big[5] = 3;
    let result = compare(&little, &make(&big), &[]);
    assert_eq!(result.first_divergence.unwrap().mismatch.b, Scalar::Uint(259));
}

fn foreign(name: &str, schema: &str, payloads: &[&[u8]]) -> Dataset {
    let mut dataset = Dataset::memory();
    let encoding = ForeignEncoding {
        message_encoding: name.to_owned(),
        schema_name: "T".to_owned(),
        schema_encoding: "x".to_owned(),
        schema_data: Bytes::copy_from_slice(schema.as_bytes()),
        reason: format!("{name} is passed through"),
    };
    let channel = Channel {
        key: "k".into(),
        encoding: Encoding::Foreign(encoding),
        role: Role::None,
        metadata: BTreeMap::new(),
    };
    let id = dataset.add_channel(channel).unwrap();
    for (n, payload) in payloads.iter().enumerate() {
        dataset.write_payload(id, payload.to_vec(), Time::from_nanos(n as i64)).unwrap();
    }
    dataset
}

#[test]
fn foreign_payloads_are_compared_as_bytes_and_that_is_noted() {
    let a = foreign("text", "s", &[b"{}", b"[1]"]);
    let check = |b: &Dataset, rules: &[&str]| {
        let result = diff(&a, b, &Policy::parse_rules(rules).unwrap()).unwrap();
        assert_adds_up(&result);
        result
    };
    let same = check(&a, &["1e-6"]);
    assert_eq!(same.verdict, Verdict::Identical);
    assert_eq!(same.notes, ["k: compared as bytes, since text is passed through"]);
    let other = check(&foreign("text", "s", &[b"{}", b"[2]"]), &[]);
    assert_eq!(other.verdict, Verdict::Different);
    let mismatch = other.first_divergence.unwrap().mismatch;
    assert_eq!((mismatch.index, mismatch.a), (1, Scalar::Text("5b315d".into())));
    // The same bytes under another schema need not mean the same.
    assert_eq!(check(&foreign("text", "t", &[b"{}", b"[1]"]), &[]).verdict, Verdict::Different);
    assert_eq!(
        check(&foreign("text", "t", &[b"{}", b"[1]"]), &["k:ignore"]).verdict,
        Verdict::Incomparable
    );
}

#[test]
fn foreign_against_decodable_is_a_finding_of_the_encoding() {
    let a = data("float64 x", &[json!({"x": 1.0})]);
    for b in [foreign("json", "s", &[b"{}"]), foreign("protobuf", "s", &[])] {
        let result = diff(&a.dataset, &b, &Policy::default()).unwrap();
        assert_adds_up(&result);
        assert_eq!(result.verdict, Verdict::Incomparable);
        let diff = &result.key_diffs["k"];
        assert_eq!(diff.schema[0].kind, SchemaFindingKind::Encoding);
        assert_eq!(diff.messages.unaligned_reference, 1);
    }
}

/// A backend that fails after so many samples, or gives fewer the second time.
struct Failing {
    memory: Memory,
    after: usize,
    readings: std::sync::atomic::AtomicUsize,
    silent: bool,
}

impl Backend for Failing {
    fn location(&self) -> String {
        "broken.mcap".to_owned()
    }
    fn channels(&self) -> &[Channel] {
        self.memory.channels()
    }
    fn add_channel(&mut self, channel: Channel) -> crate::Result<ChannelId> {
        self.memory.add_channel(channel)
    }
    fn write(&mut self, id: ChannelId, sample: crate::dataset::Sample) -> crate::Result<()> {
        self.memory.write(id, sample)
    }
    fn samples(&self, query: &Query) -> crate::Result<Samples<'_>> {
        let readings = self.readings.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let samples = self.memory.samples(query)?;
        if self.silent {
            return Ok(Box::new(samples.skip(readings)));
        }
        let error = crate::Error::Damaged {
            offset: 99,
            reason: "checksum".to_owned(),
            path: "broken.mcap".to_owned(),
        };
        Ok(Box::new(samples.take(self.after).chain([Err(error)])))
    }
    fn stats(&self) -> crate::Result<Vec<ChannelStats>> {
        self.memory.stats()
    }
    fn facts(&self) -> &Facts {
        self.memory.facts()
    }
    fn set_facts(&mut self, facts: Facts) -> crate::Result<()> {
        self.memory.set_facts(facts)
    }
    fn integrity(&self) -> Integrity {
        Integrity {
            lost_samples: Some(1),
            problems: vec!["lost one".to_owned()],
            ..Integrity::default()
        }
    }
    fn flush(&mut self) -> crate::Result<()> {
        Ok(())
    }
    fn sync(&mut self) -> crate::Result<()> {
        Ok(())
    }
    fn close(&mut self) -> crate::Result<()> {
        Ok(())
    }
}

pub(super) fn failing(from: &Data, after: usize, silent: bool) -> Dataset {
    let mut memory = Memory::new();
    let mut ids = Vec::new();
    for channel in from.dataset.channels() {
        ids.push(memory.add_channel(channel.clone()).unwrap());
    }
    for sample in from.dataset.samples(&Query::default()).unwrap() {
        let (id, sample) = sample.unwrap();
        memory.write(ids[id.0 as usize], sample).unwrap();
    }
    let readings = std::sync::atomic::AtomicUsize::new(0);
    Dataset::with_backend(Box::new(Failing { memory, after, readings, silent }))
}

#[test]
fn a_side_that_cannot_be_read_to_its_end_is_incomparable() {
    let a = data("float64 x", &[json!({"x": 1.0}), json!({"x": 2.0})]);
    let broken = failing(&a, 1, false);
    for (sides, name) in
        [([&broken, &a.dataset], "reference"), ([&a.dataset, &broken], "candidate")]
    {
        let result = diff(sides[0], sides[1], &Policy::default()).unwrap();
        assert_eq!(result.verdict, Verdict::Incomparable);
        let reason = result.incomparable_reason.unwrap();
        assert!(
            reason.starts_with(&format!("the {name} can't be read: damaged at byte 99")),
            "{reason}"
        );
        assert!(result.notes.contains(&format!("{name}: lost one")), "{:?}", result.notes);
    }
}

#[test]
fn a_side_that_reads_otherwise_the_second_time_is_incomparable() {
    let a = data("float64 x", &[json!({"x": 1.0}), json!({"x": 2.0})]);
    // One message fewer, so that it has to be read again.
    let b = Data::new().key("k", "float64 x").at("k", 2_000, json!({"x": 2.0}));
    let b = b.at("k", 3_000, json!({"x": 3.0}));
    let result = diff(&a.dataset, &failing(&b, 0, true), &Policy::default()).unwrap();
    assert_eq!(result.verdict, Verdict::Incomparable);
    assert_eq!(result.incomparable_reason.unwrap(), "the candidate changed while it was read");
}

#[test]
fn a_result_survives_json() {
    let msg = "float64 x\nstring s";
    let a = data(msg, &[json!({"x": "NaN", "s": "a"}), json!({"x": 1.0, "s": "b"})]);
    let b = data(msg, &[json!({"x": 1.0, "s": "a"}), json!({"x": "Infinity", "s": "c"})]);
    let result = compare(&a, &b, &["k.s:exact"]);
    let text = serde_json::to_string(&result).unwrap();
    let back: DiffResult = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_string(&back).unwrap(), text);
}
