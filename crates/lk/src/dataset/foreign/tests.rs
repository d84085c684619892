//! What is decoded, what is refused, and what is an error.

mod binary;
mod json;
#[cfg(feature = "protobuf")]
mod protobuf;

use super::*;
use crate::dataset::{Channel, ChannelId, Dataset, Encoding, ForeignEncoding, Role};
use crate::diff::{DiffResult, MismatchKind, Policy, SchemaFindingKind, Verdict, diff};
use crate::time::Time;

/// One channel, `k`, of payloads at 0, 1, 2 ... ns.
fn dataset<P: AsRef<[u8]>>(encoding: &str, payloads: &[P]) -> Dataset {
    let mut dataset = Dataset::memory();
    let id = dataset.add_channel(Channel {
        key: "k".into(),
        encoding: Encoding::Foreign(ForeignEncoding::untyped(encoding)),
        role: Role::None,
        metadata: [].into(),
    });
    let id = id.expect("the key is new");
    for (n, payload) in payloads.iter().enumerate() {
        let payload = payload.as_ref().to_vec();
        dataset.write_payload(id, payload, Time::from_nanos(n as i64)).expect("it is in memory");
    }
    dataset
}

/// The type of the channel in `.msg` text, or why there is none.
fn type_of<P: AsRef<[u8]>>(encoding: &str, payloads: &[P]) -> Result<String, String> {
    let dataset = dataset(encoding, payloads);
    let [decoders] = survey([&dataset]);
    match decoders.encoding(ChannelId(0), &dataset.channels()[0]) {
        Encoding::Cdr(schema) => Ok(schema.to_msg_text()),
        Encoding::Foreign(foreign) => Err(foreign.reason),
    }
}

/// What `lk cat` shows of each message, or the error.
fn shown<P: AsRef<[u8]>>(encoding: &str, payloads: &[P]) -> Vec<String> {
    let decoded = dataset(encoding, payloads).decoded();
    let view = decoded.channel("k").expect("it is there");
    let values = view.values().expect("it is decoded");
    values.map(|item| item.map_or_else(|e| e.to_string(), |(_, v)| v.to_string())).collect()
}

#[track_caller]
fn compare<P: AsRef<[u8]>>(encoding: &str, a: &[P], b: &[P], rules: &[&str]) -> DiffResult {
    let policy = Policy::parse_rules(rules).expect("the rules are right");
    let result = diff(&dataset(encoding, a), &dataset(encoding, b), &policy).expect("it compares");
    let messages = &result.key_diffs["k"].messages;
    assert_eq!(messages.reference, messages.compared + messages.missing + messages.errors);
    assert_eq!(messages.candidate, messages.compared + messages.extra + messages.errors);
    for field in &result.key_diffs["k"].fields {
        let values = field.values;
        assert_eq!(values.compared, values.equal + values.within + values.violations, "{field:?}");
    }
    result
}

#[track_caller]
fn verdict<P: AsRef<[u8]>>(encoding: &str, a: &[P], b: &[P], expected: Verdict) {
    let result = compare(encoding, a, b, &[]);
    assert_eq!(result.verdict, expected, "{:#?}", result.key_diffs["k"]);
}
