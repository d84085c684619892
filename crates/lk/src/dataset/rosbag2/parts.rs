//! The files of a recording, and their channels as those of one dataset.

use std::collections::{BTreeMap, BTreeSet};

use crate::dataset::{Backend, Channel, ChannelId, Encoding, Facts, Role, SequenceMeaning};

/// A file of a recording.
pub(super) struct Part {
    /// Its name in the folder.
    pub(super) name: String,
    pub(super) backend: Box<dyn Backend>,
    /// By channel of the file, the one of the dataset.
    pub(super) ids: Vec<ChannelId>,
}

/// What the parts are together.
#[derive(Default)]
pub(super) struct United {
    pub(super) channels: Vec<Channel>,
    pub(super) facts: Facts,
    pub(super) notes: Vec<String>,
}

/// Unites channels of one topic and one type; where the types differ between
/// the files, the later ones become `topic#2` and so on. Says to each part
/// which its channels are.
pub(super) fn unite(parts: &mut [Part]) -> United {
    let mut united = United::default();
    let mut by_topic: BTreeMap<String, Vec<ChannelId>> = BTreeMap::new();
    let keys: BTreeSet<String> =
        parts.iter().flat_map(|part| part.backend.channels()).map(|c| c.key.clone()).collect();
    for part in parts.iter_mut() {
        for channel in part.backend.channels() {
            let topic = topic(&channel.key, &keys);
            let alike = by_topic.entry(topic.to_owned()).or_default();
            let known = |id: &ChannelId| &united.channels[id.0 as usize];
            let same = alike.iter().copied().find(|id| same_type(known(id), channel));
            let id = same.unwrap_or_else(|| {
                let id = ChannelId(united.channels.len() as u32);
                let mut channel = channel.clone();
                if !alike.is_empty() {
                    channel.key = format!("{topic}#{}", alike.len() + 1);
                    united.notes.push(format!(
                        "topic {topic} has several types; one of them is read as {}",
                        channel.key
                    ));
                }
                alike.push(id);
                united.channels.push(channel);
                id
            });
            // Said in one file, it holds for all.
            let one = &mut united.channels[id.0 as usize];
            if one.role == Role::None {
                one.role = channel.role;
            }
            part.ids.push(id);
        }
    }
    united.facts = facts(parts, &mut united.notes);
    united
}

/// The topic of a key that the reader of a file may have numbered.
fn topic<'a>(key: &'a str, keys: &BTreeSet<String>) -> &'a str {
    match key.rsplit_once('#') {
        Some((topic, digits))
            if !digits.is_empty()
                && digits.bytes().all(|b| b.is_ascii_digit())
                && keys.contains(topic) =>
        {
            topic
        }
        _ => key,
    }
}

fn same_type(a: &Channel, b: &Channel) -> bool {
    match (&a.encoding, &b.encoding) {
        (Encoding::Cdr(a), Encoding::Cdr(b)) => {
            a.name() == b.name() && a.fingerprint() == b.fingerprint()
        }
        (a, b) => a == b,
    }
}

/// The facts on which the files agree.
fn facts(parts: &[Part], notes: &mut Vec<String>) -> Facts {
    let mut facts = Facts::default();
    let mut differ = BTreeSet::new();
    for part in parts {
        for (name, value) in &part.backend.facts().entries {
            let known = facts.entries.entry(name.clone()).or_insert_with(|| value.clone());
            if known != value {
                differ.insert(name.clone());
            }
        }
    }
    for name in differ {
        facts.entries.remove(&name);
        notes.push(format!("`{name}` is said differently by its files, and left out"));
    }
    let ticks = |part: &Part| part.backend.facts().sequence == SequenceMeaning::Tick;
    if !parts.is_empty() && parts.iter().all(ticks) {
        facts.sequence = SequenceMeaning::Tick;
    }
    facts
}
