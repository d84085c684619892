//! Datasets in memory, compared.

mod alignment;
mod basics;
mod closeness;
mod known;
mod lags;
mod laws;
mod mutations;
#[cfg(feature = "sqlite")]
mod named_types;
mod payloads;
mod quaternions;
mod ranges;
mod rejudge;
mod schemas;
mod statistical;
mod threads;
#[cfg(feature = "sqlite")]
mod twins;
mod unordered;

use std::collections::BTreeMap;

use serde::de::DeserializeSeed;
use serde_json::{Value as Json, json};

use super::*;
use crate::codec::Plan;
use crate::dataset::{Channel, Encoding, Facts, Role, SequenceMeaning};
use crate::value::Scalar;
use crate::value::ValueSeed;
use crate::{Dataset, Schema, Time};

/// A dataset under construction, from `.msg` text and JSON.
struct Data {
    dataset: Dataset,
    plans: BTreeMap<String, Plan>,
}

impl Data {
    fn new() -> Data {
        Data { dataset: Dataset::memory(), plans: BTreeMap::new() }
    }

    /// Written by the runner: sequence numbers are ticks.
    fn of_ticks() -> Data {
        let mut data = Data::new();
        let facts = Facts { sequence: SequenceMeaning::Tick, ..Facts::default() };
        data.dataset.set_facts(facts).unwrap();
        data
    }

    fn key(self, key: &str, msg: &str) -> Data {
        self.key_of(key, msg, Role::None)
    }

    fn key_of(mut self, key: &str, msg: &str, role: Role) -> Data {
        let schema = Schema::parse("test/msg/Test", msg).unwrap();
        self.plans.insert(key.to_owned(), Plan::new(&schema));
        let channel = Channel {
            key: key.to_owned(),
            encoding: Encoding::Cdr(schema),
            role,
            metadata: BTreeMap::new(),
        };
        self.dataset.add_channel(channel).unwrap();
        self
    }

    /// Messages one nanosecond times 1,000 apart, from 1,000 on.
    fn messages(mut self, key: &str, messages: &[Json]) -> Data {
        for (n, message) in messages.iter().enumerate() {
            self = self.at(key, 1_000 * (n as i64 + 1), message.clone());
        }
        self
    }

    fn at(mut self, key: &str, time: i64, message: Json) -> Data {
        let payload = self.encode(key, &message);
        let id = self.dataset.channel_id(key).unwrap();
        self.dataset.write_payload(id, payload, Time::from_nanos(time)).unwrap();
        self
    }

    fn tick(mut self, key: &str, tick: u32, time: i64, message: Json) -> Data {
        let payload = self.encode(key, &message).into();
        let id = self.dataset.channel_id(key).unwrap();
        let time = Time::from_nanos(time);
        let sample = crate::dataset::Sample { time, publish_time: time, sequence: tick, payload };
        self.dataset.write_sample(id, sample).unwrap();
        self
    }

    fn raw(mut self, key: &str, time: i64, payload: &[u8]) -> Data {
        let id = self.dataset.channel_id(key).unwrap();
        self.dataset.write_payload(id, payload.to_vec(), Time::from_nanos(time)).unwrap();
        self
    }

    fn encode(&self, key: &str, message: &Json) -> Vec<u8> {
        let plan = &self.plans[key];
        let value = ValueSeed::new(plan.schema()).deserialize(message).unwrap();
        plan.encode(&value).unwrap()
    }
}

/// One key `k` of this type with these messages.
fn data(msg: &str, messages: &[Json]) -> Data {
    Data::new().key("k", msg).messages("k", messages)
}

fn compare(a: &Data, b: &Data, rules: &[&str]) -> DiffResult {
    let result = diff(&a.dataset, &b.dataset, &Policy::parse_rules(rules).unwrap()).unwrap();
    assert_adds_up(&result);
    result
}

/// The accounting of `diff.md`.
fn assert_adds_up(result: &DiffResult) {
    for (key, diff) in &result.key_diffs {
        let m = &diff.messages;
        assert_eq!(m.reference, m.compared + m.missing + m.unaligned_reference + m.errors, "{key}");
        assert_eq!(
            m.candidate + m.interpolated,
            m.compared + m.extra + m.unaligned_candidate + m.errors + m.between,
            "{key}"
        );
        let interpolates = diff.alignment == Alignment::Interpolate;
        assert!(interpolates || m.interpolated + m.between == 0, "{key}");
        assert_eq!((m.reference, m.candidate), (diff.length_a, diff.length_b), "{key}");
        assert_eq!(m.compared, diff.n_matching + diff.n_different + diff.n_known, "{key}");
        if m.errors == 0 {
            assert_eq!(diff.timestamps.compared, m.compared - m.interpolated, "{key}");
        }
        for field in &diff.fields {
            let v = &field.values;
            assert_eq!(v.compared, v.equal + v.within + v.violations, "{key}.{}", field.path);
            assert!(v.bit_equal <= v.equal + v.violations, "{key}.{}", field.path);
        }
        let violations: u64 =
            diff.fields.iter().map(|f| f.values.violations + f.shape_violations).sum();
        let known: u64 =
            diff.fields.iter().map(|f| f.values.known + f.known_shape_violations).sum();
        assert!(known <= violations, "{key}");
        assert_eq!(violations > known, diff.n_different > 0, "{key}");
        assert!(known > 0 || diff.n_known == 0, "{key}");
    }
    assert!(result.first_divergence.is_none() || !result.all_match());
}

fn field<'r>(result: &'r DiffResult, path: &str) -> &'r FieldDiff {
    let fields = &result.key_diffs["k"].fields;
    fields.iter().find(|f| f.path == path).unwrap_or_else(|| panic!("no field {path}"))
}
