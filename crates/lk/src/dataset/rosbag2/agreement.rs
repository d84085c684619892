//! Where `metadata.yaml` and the messages disagree.

use std::collections::BTreeMap;

use super::METADATA;
use super::metadata::{Metadata, qos_of_text};
use crate::dataset::{Channel, ChannelStats, Encoding};
use crate::time::Time;

/// Topics that are named one by one in a finding; of more, how many.
const NAMED: usize = 5;

/// What is in the files, as far as `metadata.yaml` speaks of it.
pub(super) struct Found<'a> {
    pub(super) channels: &'a [Channel],
    pub(super) stats: &'a [ChannelStats],
    /// Messages by file.
    pub(super) by_file: Vec<(&'a str, u64)>,
}

/// Problems, which may mean that something is lost, and notes, which mean
/// that `metadata.yaml` is wrong.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Disagreements {
    pub(super) problems: Vec<String>,
    pub(super) notes: Vec<String>,
    /// Messages of all topics that were counted and are not there.
    pub(super) missing: u64,
}

impl Disagreements {
    pub(super) fn find(said: &Metadata, found: &Found<'_>) -> Disagreements {
        let mut all = Disagreements::default();
        all.notes.extend(said.unread.iter().map(|what| format!("{METADATA}: {what}")));
        all.counts(said, found);
        all.times(said, found);
        all.topics(said, found);
        all
    }

    /// Fewer messages than were counted may have been lost; more were not.
    fn count(&mut self, what: &str, said: u64, found: u64) {
        let text = format!("{METADATA} counts {said} messages{what}, there are {found}");
        match found.cmp(&said) {
            std::cmp::Ordering::Less => self.problems.push(text),
            std::cmp::Ordering::Equal => {}
            std::cmp::Ordering::Greater => self.notes.push(text),
        }
    }

    fn counts(&mut self, said: &Metadata, found: &Found<'_>) {
        let total = found.stats.iter().map(|stats| stats.count).sum();
        said.messages.into_iter().for_each(|said| {
            self.missing = said.saturating_sub(total);
            self.count("", said, total);
        });
        for (path, said) in &said.messages_by_file {
            let file = path.rsplit('/').next();
            let there = found.by_file.iter().find(|(name, _)| Some(*name) == file);
            if let Some((name, found)) = there {
                self.count(&format!(" in {name}"), *said, *found);
            }
        }
        for topic in &said.topics {
            let of_topic = found.channels.iter().zip(found.stats);
            let of_topic = of_topic.filter(|(channel, _)| is_of(&topic.name, channel));
            let found = of_topic.map(|(_, stats)| stats.count).sum();
            topic.messages.into_iter().for_each(|said| {
                self.count(&format!(" of {}", topic.name), said, found);
            });
        }
    }

    fn times(&mut self, said: &Metadata, found: &Found<'_>) {
        let first = found.stats.iter().filter_map(|stats| stats.first).min();
        let last = found.stats.iter().filter_map(|stats| stats.last).max();
        let (Some(first), Some(last)) = (first, last) else { return };
        if let Some(start) = said.start_ns.map(Time::from_nanos).filter(|start| *start != first) {
            let text = format!("{METADATA} begins at {start} s, the first message is at {first} s");
            self.notes.push(text);
        }
        let span = i128::from(last.as_nanos()) - i128::from(first.as_nanos());
        if let Some(duration) = said.duration_ns.filter(|said| i128::from(*said) != span) {
            self.notes
                .push(format!("{METADATA} is {duration} ns long, the messages span {span} ns"));
        }
    }

    fn topics(&mut self, said: &Metadata, found: &Found<'_>) {
        let mut types = BTreeMap::new();
        let (mut unlisted, mut other_qos) = (Vec::new(), Vec::new());
        for channel in found.channels {
            let Some(topic) = said.topics.iter().find(|topic| is_of(&topic.name, channel)) else {
                unlisted.push(channel.key.as_str());
                continue;
            };
            let type_name = match &channel.encoding {
                Encoding::Cdr(schema) => schema.name(),
                Encoding::Foreign(foreign) => &foreign.schema_name,
            };
            types
                .entry((topic.name.as_str(), topic.type_name.as_str()))
                .or_insert_with(Vec::new)
                .push(type_name);
            let qos = channel.metadata.get(QOS).and_then(|text| qos_of_text(text));
            if topic.qos.is_some() && qos.is_some() && topic.qos != qos {
                other_qos.push(channel.key.as_str());
            }
        }
        for ((topic, said), types) in types {
            if !types.contains(&said) {
                let types = types.join(" and ");
                self.notes.push(format!("{METADATA} says that {topic} is {said}, it is {types}"));
            }
        }
        if !unlisted.is_empty() {
            self.notes.push(format!("{METADATA} doesn't list {}", some_of(&unlisted)));
        }
        if !other_qos.is_empty() {
            self.notes.push(format!(
                "{METADATA} has other QoS profiles than the files for {}",
                some_of(&other_qos)
            ));
        }
    }
}

const QOS: &str = "offered_qos_profiles";

/// Whether a channel is of a topic, which may have several types.
fn is_of(topic: &str, channel: &Channel) -> bool {
    let rest = channel.key.strip_prefix(topic);
    rest.is_some_and(|rest| {
        let number = rest.strip_prefix('#');
        rest.is_empty()
            || number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    })
}

fn some_of(names: &[&str]) -> String {
    let first = names.get(..NAMED).unwrap_or(names).join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}
