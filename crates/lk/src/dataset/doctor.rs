//! What a person should know of a recording before trusting it.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{
    ChannelId, Dataset, DatasetInfo, Encoding, Query, Role, Sample, SequenceMeaning, foreign,
};
use crate::codec::Plan;
use crate::error::Result;
use crate::time::{Span, Time};
use crate::value::{Scalar, Value};

/// What is in a dataset, and what is odd about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// What is in it, after every message was read and checked.
    pub info: DatasetInfo,
    /// What is odd, the worst first, then by key.
    pub findings: Vec<Finding>,
}

/// One thing that is odd.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The key that it is about; `None` for the dataset as a whole.
    pub key: Option<String>,
    /// What is odd, as a phrase.
    pub what: String,
    /// What to do about it, where that is known.
    pub hint: Option<String>,
}

/// How bad a finding is, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Data is lost, or can't be read.
    Problem,
    /// It may be meant so, and mostly isn't.
    Warning,
    /// Good to know.
    Note,
}

/// A pause this many times as long as the usual one is a gap.
const GAP: i64 = 10;

/// Intervals from which the usual one is taken, the first ones.
const INTERVALS: usize = 4096;

/// Fields with NaN or infinity that are named, per key.
const FIELDS: usize = 16;

impl Diagnosis {
    /// Whether nothing is lost and everything can be read.
    pub fn is_sound(&self) -> bool {
        self.findings.iter().all(|finding| finding.severity != Severity::Problem)
    }
}

impl Dataset {
    /// Reads and checks every message, and says what is odd: losses, gaps,
    /// messages out of order or twice, payloads that can't be decoded, NaN,
    /// clocks that don't fit together.
    ///
    /// # Errors
    /// What keeps the dataset from being read at all.
    pub fn diagnose(&mut self) -> Result<Diagnosis> {
        let integrity = self.check()?;
        let [decoders] = foreign::survey([&*self]);
        let mut patients: Vec<Patient> = (0..)
            .map(ChannelId)
            .zip(self.channels())
            .map(|(id, channel)| {
                let encoding = decoders.encoding(id, channel);
                Patient::new(&encoding, decoders.get(id).cloned())
            })
            .collect();
        let counts = self.facts().sequence == SequenceMeaning::Count;
        let mut unread = None;
        for item in self.samples(&Query::default())? {
            match item {
                Ok((id, sample)) => {
                    if let Some(patient) = patients.get_mut(id.0 as usize) {
                        patient.take(sample, counts);
                    }
                }
                Err(error) => unread = unread.or(Some(error.to_string())),
            }
        }

        let mut info = self.info()?;
        decoders.describe(self, &mut info);
        let mut findings = Vec::new();
        let mut about = |severity, key: Option<&str>, what: String, hint: Option<&str>| {
            let (key, hint) = (key.map(str::to_owned), hint.map(str::to_owned));
            findings.push(Finding { severity, key, what, hint });
        };
        let recover = "`lk recover` writes a new file of what is whole";
        for problem in &integrity.problems {
            match integrity.is_whole() {
                true => about(Severity::Note, None, problem.clone(), None),
                false => about(Severity::Problem, None, problem.clone(), Some(recover)),
            }
        }
        if let Some(error) = unread {
            about(Severity::Problem, None, error, Some(recover));
        }
        if !integrity.verified {
            let hint = "what has no checksum can have changed unseen; lk writes them all";
            let what = "some messages are covered by no checksum".to_owned();
            about(Severity::Warning, None, what, Some(hint));
        }
        if info.samples == 0 {
            about(Severity::Warning, None, "there is no message in it".to_owned(), None);
        }
        let roles = info.channels.iter().any(|channel| channel.role != Role::None);
        if !roles && !info.channels.is_empty() {
            let hint = "`lk verify` takes inputs and outputs by the names in lk.toml instead";
            about(Severity::Note, None, "no key has a role".to_owned(), Some(hint));
        }
        let firsts = info.channels.iter().filter_map(|channel| channel.first);
        if let (Some(first), Some(last)) = (firsts.clone().min(), firsts.max())
            && (last - first).as_nanos() > YEAR_NS
        {
            let what =
                format!("keys begin at times from {first} to {last} s: on clocks of their own?");
            about(Severity::Warning, None, what, None);
        }
        for (channel, patient) in self.channels().iter().zip(&patients) {
            patient.report(|severity, what, hint| about(severity, Some(&channel.key), what, hint));
        }
        findings.sort();
        Ok(Diagnosis { info, findings })
    }
}

const YEAR_NS: i64 = 365 * 24 * 3600 * 1_000_000_000;

/// What one key shows while it is read.
struct Patient {
    /// Of a foreign channel.
    decoder: Option<foreign::Decoder>,
    plan: Option<Plan>,
    opaque: Option<String>,
    value: Option<Value>,
    count: u64,
    undecodable: u64,
    first_undecodable: Option<String>,
    before: Option<Sample>,
    /// Whether some sequence number is not 0: others don't count.
    counted: bool,
    skipped: u64,
    ran_back: u64,
    repeated: u64,
    same_time: u64,
    early: u64,
    intervals: Vec<i64>,
    longest: (i64, Time),
    not_finite: BTreeMap<String, [u64; 2]>,
    more_not_finite: u64,
}

impl Patient {
    fn new(encoding: &Encoding, decoder: Option<foreign::Decoder>) -> Patient {
        let (plan, opaque) = match encoding {
            Encoding::Cdr(schema) => (Some(Plan::new(schema)), None),
            Encoding::Foreign(foreign) => (None, Some(foreign.reason.clone())),
        };
        Patient {
            decoder,
            value: plan.as_ref().map(|plan| Value::default_of(plan.schema())),
            plan,
            opaque,
            count: 0,
            undecodable: 0,
            first_undecodable: None,
            before: None,
            counted: false,
            skipped: 0,
            ran_back: 0,
            repeated: 0,
            same_time: 0,
            early: 0,
            intervals: Vec::new(),
            longest: (0, Time::ZERO),
            not_finite: BTreeMap::new(),
            more_not_finite: 0,
        }
    }

    fn take(&mut self, sample: Sample, counts: bool) {
        if let (Some(plan), Some(value)) = (&self.plan, &mut self.value) {
            let decoded = match &self.decoder {
                Some(decoder) => decoder.decode(&sample.payload).map(Bytes::from),
                None => Ok(sample.payload.clone()),
            };
            match decoded.and_then(|payload| plan.decode_into(&payload, value)) {
                Ok(()) => self.look_for_not_finite(),
                Err(error) => {
                    self.undecodable += 1;
                    self.first_undecodable
                        .get_or_insert_with(|| format!("message {}: {error}", self.count));
                }
            }
        }
        self.count += 1;
        self.early += u64::from(sample.publish_time > sample.time);
        self.counted |= counts && sample.sequence != 0;
        if let Some(before) = &self.before {
            if counts {
                match sample.sequence.checked_sub(before.sequence) {
                    Some(0) | None => {
                        self.ran_back += u64::from(sample.sequence != before.sequence)
                    }
                    Some(step) => self.skipped += u64::from(step - 1),
                }
            }
            let apart = (sample.time - before.time).as_nanos();
            self.same_time += u64::from(apart == 0);
            self.repeated += u64::from(apart == 0 && sample.payload == before.payload);
            if self.intervals.len() < INTERVALS {
                self.intervals.push(apart);
            }
            if apart > self.longest.0 {
                self.longest = (apart, before.time);
            }
        }
        self.before = Some(sample);
    }

    fn look_for_not_finite(&mut self) {
        let Some(value) = &self.value else { return };
        let (fields, more) = (&mut self.not_finite, &mut self.more_not_finite);
        let _ = value.visit_leaves(|path, scalar| {
            let number = match scalar {
                Scalar::Float32(number) => f64::from(number),
                Scalar::Float64(number) => number,
                _ => return ControlFlow::Continue(()),
            };
            if !number.is_finite() {
                let kind = usize::from(!number.is_nan());
                let named = fields.len();
                match fields.get_mut(path) {
                    Some(counts) => counts[kind] += 1,
                    None if named < FIELDS => {
                        let mut counts = [0; 2];
                        counts[kind] = 1;
                        fields.insert(path.to_owned(), counts);
                    }
                    None => *more += 1,
                }
            }
            ControlFlow::Continue(())
        });
    }

    fn report(&self, mut about: impl FnMut(Severity, String, Option<&'static str>)) {
        if self.count == 0 {
            about(Severity::Warning, "it has no message".to_owned(), None);
        }
        if let Some(reason) = &self.opaque {
            let hint = Some("it is compared as bytes, and can't be shown");
            about(Severity::Note, format!("its messages aren't decoded: {reason}"), hint);
        }
        if let Some(first) = &self.first_undecodable {
            let what = format!(
                "{} can't be decoded, the first is {first}",
                of(self.undecodable, self.count)
            );
            about(Severity::Problem, what, None);
        }
        if self.counted && self.skipped > 0 {
            let what = format!(
                "sequence numbers skip {}: as many were lost, or filtered out",
                self.skipped
            );
            about(Severity::Warning, what, None);
        }
        if self.counted && self.ran_back > 0 {
            let what = format!("sequence numbers run back {}", times(self.ran_back));
            let hint = Some("recorded out of order, or joined from several recordings");
            about(Severity::Warning, what, hint);
        }
        if self.repeated > 0 {
            let what =
                format!("{} repeat the one before, time and all", of(self.repeated, self.count));
            about(Severity::Warning, what, None);
        } else if self.same_time > 0 {
            let what =
                format!("{} have the time of the one before", of(self.same_time, self.count));
            about(Severity::Note, what, Some("such a key is aligned by position, not by time"));
        }
        if self.early > 0 {
            let what =
                format!("{} were published after they were recorded", of(self.early, self.count));
            about(Severity::Note, what, Some("the two clocks differ"));
        }
        let mut intervals = self.intervals.clone();
        intervals.sort_unstable();
        let usual = intervals.get(intervals.len() / 2).copied().unwrap_or(0);
        if usual > 0 && intervals.len() >= 8 && self.longest.0 / usual >= GAP {
            let (gap, usual) = (Span::from_nanos(self.longest.0), Span::from_nanos(usual));
            let what =
                format!("a gap of {gap} s after {} s, where {usual} s is usual", self.longest.1);
            about(Severity::Warning, what, None);
        }
        for (path, [nan, infinite]) in &self.not_finite {
            let what = match (nan, infinite) {
                (nan, 0) => format!("{path} is NaN {}", times(*nan)),
                (0, infinite) => format!("{path} is infinite {}", times(*infinite)),
                (nan, infinite) => {
                    format!("{path} is NaN {} and infinite {}", times(*nan), times(*infinite))
                }
            };
            about(Severity::Note, what, None);
        }
        if self.more_not_finite > 0 {
            let what = format!("other fields are not finite {}", times(self.more_not_finite));
            about(Severity::Note, what, None);
        }
    }
}

fn of(part: u64, whole: u64) -> String {
    format!("{part} of {whole} messages")
}

fn times(n: u64) -> String {
    if n == 1 { "once".to_owned() } else { format!("{n} times") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Channel, ChannelId};
    use crate::schema::Schema;
    use bytes::Bytes;

    fn number(value: f64) -> Vec<u8> {
        let mut payload = vec![0, 1, 0, 0];
        payload.extend(value.to_le_bytes());
        payload
    }

    /// A key of samples given as (milliseconds, sequence, payload).
    fn diagnosed(samples: &[(i64, u32, Vec<u8>)]) -> Vec<(Severity, String)> {
        let schema = Schema::parse("test/msg/Number", "float64 value\n").unwrap();
        let mut dataset = Dataset::memory();
        let id = dataset
            .add_channel(Channel {
                key: "x".to_owned(),
                encoding: Encoding::Cdr(schema),
                role: Role::Input,
                metadata: BTreeMap::new(),
            })
            .unwrap();
        for (ms, sequence, payload) in samples {
            write(&mut dataset, id, *ms, *sequence, payload);
        }
        let diagnosis = dataset.diagnose().unwrap();
        diagnosis.findings.into_iter().map(|f| (f.severity, f.what)).collect()
    }

    fn write(dataset: &mut Dataset, id: ChannelId, ms: i64, sequence: u32, payload: &[u8]) {
        let time = Time::from_nanos(ms * 1_000_000);
        let payload = Bytes::copy_from_slice(payload);
        let sample = Sample { time, publish_time: time, sequence, payload };
        dataset.write_sample(id, sample).unwrap();
    }

    fn steady(count: i64) -> Vec<(i64, u32, Vec<u8>)> {
        (0..count).map(|n| (n * 10, n as u32, number(n as f64))).collect()
    }

    #[test]
    fn a_sound_recording_has_nothing_odd() {
        assert_eq!(diagnosed(&steady(20)), []);
    }

    #[test]
    fn a_skipped_sequence_number_is_a_loss_and_a_gap_is_named_with_its_place() {
        let mut samples = steady(20);
        for sample in &mut samples[10..] {
            sample.0 += 500;
            sample.1 += 3;
        }
        assert_eq!(
            diagnosed(&samples),
            [
                (
                    Severity::Warning,
                    "a gap of 0.510000000 s after 0.090000000 s, where 0.010000000 s is usual"
                        .to_owned()
                ),
                (
                    Severity::Warning,
                    "sequence numbers skip 3: as many were lost, or filtered out".to_owned()
                ),
            ]
        );
    }

    #[test]
    fn what_cant_be_decoded_is_a_problem_and_comes_first() {
        let mut samples = steady(3);
        samples[1].2.truncate(6);
        samples[2].2 = number(f64::NAN);
        let found = diagnosed(&samples);
        assert_eq!(found[0].0, Severity::Problem);
        assert!(
            found[0].1.starts_with("1 of 3 messages can't be decoded, the first is message 1: ")
        );
        assert_eq!(found[1], (Severity::Note, "value is NaN once".to_owned()));
    }

    #[test]
    fn repeated_and_reordered_messages_are_told_apart() {
        let mut samples = steady(5);
        samples[2] = samples[1].clone();
        samples[2].1 = 2;
        samples[4].1 = 1;
        assert_eq!(
            diagnosed(&samples),
            [
                (
                    Severity::Warning,
                    "1 of 5 messages repeat the one before, time and all".to_owned()
                ),
                (Severity::Warning, "sequence numbers run back once".to_owned()),
            ]
        );
    }

    #[test]
    fn an_empty_dataset_is_warned_of_and_nothing_of_it_is_lost() {
        let found = diagnosed(&[]);
        assert_eq!(found[0], (Severity::Warning, "there is no message in it".to_owned()));
        assert_eq!(found[1], (Severity::Warning, "it has no message".to_owned()));
    }
}
