//! Several datasets made one.

use std::collections::BTreeMap;

use super::{
    Channel, ChannelId, Dataset, Encoding, Facts, Query, Role, Sample, SequenceMeaning, loss,
};
use crate::error::{Error, Result};

/// What becomes of a key that several of the datasets have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SameKey {
    /// It is an error.
    #[default]
    Refuse,
    /// Its samples become one channel, in order of time, as those of a split
    /// recording: type and role must be the same.
    Join,
    /// All keys get the name of their dataset before them: `name/key`.
    Prefix,
}

/// What merging came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MergeOutcome {
    /// Samples written.
    pub samples: u64,
    /// What could not be kept as it was: facts that contradict each other,
    /// sequence numbers that were counted anew.
    pub notes: Vec<String>,
}

impl Dataset {
    /// Copies all channels, samples and facts of several datasets to the end
    /// of this one, samples in order of time; those of one time in the order
    /// of the datasets. Each comes with the name that
    /// [`SameKey::Prefix`] uses.
    ///
    /// # Errors
    /// [`Error::DuplicateKey`] and [`Error::TypeMismatch`] for keys that can't
    /// be merged; whatever reading and writing brings.
    pub fn merge_from(
        &mut self,
        sources: &[(&str, &Dataset)],
        same_key: SameKey,
    ) -> Result<MergeOutcome> {
        let mut outcome = MergeOutcome::default();
        let facts = merged_facts(self.facts().clone(), sources, &mut outcome.notes);
        let mixed = sources.iter().any(|(_, source)| source.facts().sequence != facts.sequence);
        let mut ids: Vec<Vec<ChannelId>> = Vec::new();
        let mut joined: BTreeMap<ChannelId, u32> = BTreeMap::new();
        for (name, source) in sources {
            let mut of_source = Vec::new();
            for channel in source.channels() {
                let mut channel = channel.clone();
                if same_key == SameKey::Prefix {
                    channel.key = format!("{name}/{}", channel.key);
                }
                let known = self.channel_id(&channel.key);
                let id = match known {
                    Some(id) if same_key == SameKey::Join => {
                        self.check_joins(id, &channel, source)?;
                        joined.insert(id, 0);
                        id
                    }
                    _ => self.add_channel(channel)?,
                };
                of_source.push(id);
            }
            ids.push(of_source);
        }
        let recount = |id: &ChannelId| {
            mixed || (facts.sequence == SequenceMeaning::Count && joined.contains_key(id))
        };
        let recounted: Vec<bool> =
            (0..).map(ChannelId).take(self.channels().len()).map(|id| recount(&id)).collect();
        if mixed {
            let note = "some sequence numbers were of ticks and some counts; all are counted anew";
            outcome.notes.push(note.to_owned());
        } else if recounted.contains(&true) {
            outcome.notes.push("sequence numbers of joined keys are counted anew".to_owned());
        }

        let mut readers = Vec::new();
        for (_, source) in sources {
            readers.push(source.samples(&Query::default())?.peekable());
        }
        let mut counters = vec![0_u32; recounted.len()];
        loop {
            let mut next: Option<(usize, crate::time::Time)> = None;
            for (source, reader) in readers.iter_mut().enumerate() {
                let time = match reader.peek() {
                    None => continue,
                    Some(Ok((_, sample))) => sample.time,
                    // An error comes first, whatever the time.
                    Some(Err(_)) => {
                        next = Some((source, crate::time::Time::MIN));
                        break;
                    }
                };
                if next.is_none_or(|(_, earliest)| time < earliest) {
                    next = Some((source, time));
                }
            }
            let Some((source, _)) = next else { break };
            let Some(item) = readers[source].next() else { break };
            let (id, mut sample) = item?;
            let id = ids[source][id.0 as usize];
            if recounted[id.0 as usize] {
                let counter = &mut counters[id.0 as usize];
                sample = Sample { sequence: *counter, ..sample };
                *counter = counter.wrapping_add(1);
            }
            self.write_sample(id, sample)?;
            outcome.samples += 1;
        }
        self.set_facts(facts)?;
        for (_, source) in sources {
            let left_out = self.copy_extras(source)?;
            outcome.notes.extend(left_out.iter().map(|what| format!("not copied: {what}")));
        }
        Ok(outcome)
    }

    /// Whether samples of `channel` may go on in the channel `id`.
    fn check_joins(&self, id: ChannelId, channel: &Channel, source: &Dataset) -> Result<()> {
        let known = &self.channels()[id.0 as usize];
        let same_type = match (&known.encoding, &channel.encoding) {
            (Encoding::Cdr(known), Encoding::Cdr(other)) => {
                known.fingerprint() == other.fingerprint()
            }
            (known, other) => known == other,
        };
        if same_type && known.role == channel.role {
            return Ok(());
        }
        let described = |channel: &Channel| {
            let encoding = match &channel.encoding {
                Encoding::Cdr(schema) => schema.name_and_fingerprint(),
                Encoding::Foreign(foreign) => format!("`{}` payloads", foreign.message_encoding),
            };
            match channel.role {
                Role::None => encoding,
                role => format!("{encoding} as {}", format!("{role:?}").to_lowercase()),
            }
        };
        Err(Error::TypeMismatch {
            key: channel.key.clone(),
            expected: described(known),
            actual: described(channel),
            location: source.location(),
        })
    }
}

/// The facts that all agree on; of the others a note.
fn merged_facts(own: Facts, sources: &[(&str, &Dataset)], notes: &mut Vec<String>) -> Facts {
    let ticks = sources.iter().all(|(_, s)| s.facts().sequence == SequenceMeaning::Tick);
    let sequence = if ticks && !sources.is_empty() { SequenceMeaning::Tick } else { own.sequence };
    let mut entries = own.entries;
    let mut torn: Vec<String> = Vec::new();
    for (_, source) in sources {
        loss::inherit(&mut entries, &source.facts().entries);
        let others = source.facts().entries.iter().filter(|(name, _)| !loss::is_loss(name));
        for (name, value) in others {
            match entries.get(name) {
                Some(known) if known != value => torn.push(name.clone()),
                _ => drop(entries.insert(name.clone(), value.clone())),
            }
        }
    }
    torn.sort();
    torn.dedup();
    for name in torn {
        entries.remove(&name);
        notes.push(format!("fact {name} differs between the datasets, and is left out"));
    }
    Facts { sequence, entries }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Time;

    fn dataset(key: &str, samples: &[(i64, u64)], facts: &[(&str, &str)]) -> Dataset {
        let mut dataset = Dataset::memory();
        for (nanos, value) in samples {
            dataset.write(key, value, Time::from_nanos(*nanos)).unwrap();
        }
        let entries = facts.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        dataset.set_facts(Facts { entries, ..Facts::default() }).unwrap();
        dataset
    }

    fn merged(sources: &[(&str, &Dataset)], same_key: SameKey) -> (Dataset, MergeOutcome) {
        let mut all = Dataset::memory();
        let outcome = all.merge_from(sources, same_key).unwrap();
        (all, outcome)
    }

    fn read(dataset: &Dataset) -> Vec<(String, i64, u32)> {
        let samples = dataset.samples(&Query::default()).unwrap().map(Result::unwrap);
        samples
            .map(|(id, sample)| {
                let key = dataset.channels()[id.0 as usize].key.clone();
                (key, sample.time.as_nanos(), sample.sequence)
            })
            .collect()
    }

    #[test]
    fn keys_come_together_in_order_of_time() {
        let (a, b) =
            (dataset("a", &[(1, 10), (5, 11)], &[]), dataset("b", &[(1, 20), (3, 21)], &[]));
        let (all, outcome) = merged(&[("a", &a), ("b", &b)], SameKey::Refuse);
        let expected = [("a", 1, 0), ("b", 1, 0), ("b", 3, 1), ("a", 5, 1)];
        assert_eq!(read(&all), expected.map(|(k, t, n)| (k.to_owned(), t, n)));
        assert_eq!(outcome, MergeOutcome { samples: 4, notes: vec![] });
    }

    #[test]
    fn a_key_that_two_have_is_refused_joined_or_prefixed() {
        let (a, b) = (dataset("x", &[(1, 10), (5, 11)], &[]), dataset("x", &[(3, 20)], &[]));
        let sources = [("a", &a), ("b", &b)];
        let refused = Dataset::memory().merge_from(&sources, SameKey::Refuse);
        assert!(matches!(refused, Err(Error::DuplicateKey { .. })));
        let (all, outcome) = merged(&sources, SameKey::Join);
        assert_eq!(read(&all), [(1, 0), (3, 1), (5, 2)].map(|(t, n)| ("x".to_owned(), t, n)));
        assert_eq!(outcome.notes, ["sequence numbers of joined keys are counted anew"]);
        let (all, _) = merged(&sources, SameKey::Prefix);
        assert_eq!(all.keys().collect::<Vec<_>>(), ["a/x", "b/x"]);
    }

    #[test]
    fn keys_of_other_types_dont_join() {
        let a = dataset("x", &[(1, 10)], &[]);
        let mut b = Dataset::memory();
        b.write("x", &1.5_f64, Time::ZERO).unwrap();
        let joined = Dataset::memory().merge_from(&[("a", &a), ("b", &b)], SameKey::Join);
        let error = joined.unwrap_err().to_string();
        assert!(error.contains("key x holds lk/msg/Uint64"), "{error}");
    }

    #[test]
    fn facts_that_contradict_each_other_are_left_out_and_told() {
        let a = dataset("a", &[(1, 1)], &[("seed", "1"), ("producer", "p")]);
        let b = dataset("b", &[(1, 1)], &[("seed", "2"), ("producer", "p")]);
        let (all, outcome) = merged(&[("a", &a), ("b", &b)], SameKey::Refuse);
        assert_eq!(all.facts().entries.keys().collect::<Vec<_>>(), ["producer"]);
        assert_eq!(outcome.notes, ["fact seed differs between the datasets, and is left out"]);
    }

    #[test]
    fn ticks_and_counts_are_counted_anew_together() {
        let a = dataset("a", &[(1, 1), (2, 2)], &[]);
        let mut b = dataset("b", &[(1, 1)], &[]);
        b.set_facts(Facts { sequence: SequenceMeaning::Tick, ..Facts::default() }).unwrap();
        let (all, outcome) = merged(&[("a", &a), ("b", &b)], SameKey::Refuse);
        assert_eq!(all.facts().sequence, SequenceMeaning::Count);
        assert!(outcome.notes[0].contains("counted anew"));
    }
}
