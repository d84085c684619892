//! Channels as a file has them, and as a dataset has them.

use std::collections::{BTreeMap, BTreeSet};

use super::records::{ChannelRecord, SchemaRecord};
use super::types::{Identity, Types};
use crate::dataset::{Channel, ChannelId, Encoding, Role};

pub(super) const CDR: &str = "cdr";
pub(super) const ROS2MSG: &str = "ros2msg";
pub(super) const QOS: &str = "offered_qos_profiles";
pub(super) const ROLE: &str = "lk.role";
pub(super) const OPTIONAL: &str = "lk.optional";

/// Channels that a file may have. Recordings of whole robots have hundreds or
/// a few thousand; all that lk keeps of each, times the 65,535 that the format
/// allows, would fill the memory of whoever opens a file of two megabytes.
pub(super) const MAX_CHANNELS: usize = 1 << 13;

/// A schema record without its number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SchemaContent {
    pub(super) name: String,
    pub(super) encoding: String,
    pub(super) data: Vec<u8>,
}

impl SchemaContent {
    pub(super) fn with_id(self, id: u16) -> SchemaRecord {
        SchemaRecord { id, name: self.name, encoding: self.encoding, data: self.data }
    }
}

/// The records that say what `channel` is, without their numbers.
pub(super) fn to_records(channel: &Channel) -> (Option<SchemaContent>, ChannelRecord) {
    let mut metadata = channel.metadata.clone();
    // `ros2 bag play` insists on it; what it says may be nothing.
    metadata.entry(QOS.to_owned()).or_default();
    if let Some(role) = role_name(channel.role) {
        metadata.insert(ROLE.to_owned(), role.to_owned());
    }
    let (schema, encoding) = match &channel.encoding {
        Encoding::Cdr(schema) => {
            let optional = schema.optional_fields();
            if !optional.is_empty() {
                metadata.insert(OPTIONAL.to_owned(), optional.join(","));
            }
            let name = schema.name().to_owned();
            let data = schema.to_msg_text().into_bytes();
            let content = SchemaContent { name, encoding: ROS2MSG.to_owned(), data };
            (Some(content), CDR.to_owned())
        }
        Encoding::Foreign(foreign) => {
            let content = SchemaContent {
                name: foreign.schema_name.clone(),
                encoding: foreign.schema_encoding.clone(),
                data: foreign.schema_data.to_vec(),
            };
            let nothing = foreign.schema_name.is_empty()
                && foreign.schema_encoding.is_empty()
                && foreign.schema_data.is_empty();
            ((!nothing).then_some(content), foreign.message_encoding.clone())
        }
    };
    let topic = channel.key.clone();
    (schema, ChannelRecord { id: 0, schema: 0, topic, encoding, metadata })
}

pub(super) fn role_name(role: Role) -> Option<&'static str> {
    match role {
        Role::None => None,
        Role::Input => Some("input"),
        Role::Output => Some("output"),
        Role::State => Some("state"),
    }
}

/// The schemas and channels that were met in a file, by its own numbers.
#[derive(Clone, Debug, Default)]
pub(super) struct Registry {
    schemas: BTreeMap<u16, SchemaRecord>,
    channels: BTreeMap<u16, ChannelRecord>,
}

impl Registry {
    /// A phrase where the same number stands for another schema already.
    pub(super) fn add_schema(&mut self, schema: SchemaRecord) -> Result<(), String> {
        if schema.id == 0 {
            return Err("a schema has the number 0, which stands for none".to_owned());
        }
        self.agrees_on_schema(&schema)?;
        self.schemas.entry(schema.id).or_insert(schema);
        Ok(())
    }

    /// A phrase where the same number stands for another channel already.
    pub(super) fn add_channel(&mut self, channel: ChannelRecord) -> Result<(), String> {
        self.agrees_on_channel(&channel)?;
        self.channels.entry(channel.id).or_insert(channel);
        Ok(())
    }

    /// As [`Registry::add_schema`], which adds nothing.
    pub(super) fn agrees_on_schema(&self, schema: &SchemaRecord) -> Result<(), String> {
        match self.schemas.get(&schema.id) {
            Some(known) if known != schema => {
                let (id, first, second) = (schema.id, &known.name, &schema.name);
                Err(format!("schema {id} is both {first} and another {second}"))
            }
            _ => Ok(()),
        }
    }

    /// As [`Registry::add_channel`], which adds nothing.
    pub(super) fn agrees_on_channel(&self, channel: &ChannelRecord) -> Result<(), String> {
        match self.channels.get(&channel.id) {
            Some(known) if known != channel => {
                let (id, first, second) = (channel.id, &known.topic, &channel.topic);
                Err(format!("channel {id} is both {first} and another {second}"))
            }
            _ => Ok(()),
        }
    }

    /// Adds what a summary repeats, and what isn't there yet.
    pub(super) fn add_missing(&mut self, schemas: Vec<SchemaRecord>, channels: Vec<ChannelRecord>) {
        for schema in schemas.into_iter().filter(|schema| schema.id != 0) {
            self.schemas.entry(schema.id).or_insert(schema);
        }
        for channel in channels {
            self.channels.entry(channel.id).or_insert(channel);
        }
    }

    pub(super) fn channel_count(&self) -> usize {
        self.channels.len()
    }

    pub(super) fn has_channel(&self, id: u16) -> bool {
        self.channels.contains_key(&id)
    }

    /// The channels of a dataset, and which of them each number of the file
    /// is. Channels of one topic and one type are merged; where the types
    /// differ, the later ones become `topic#2` and so on.
    pub(super) fn resolve(&self) -> Resolved {
        let mut resolved = Resolved::default();
        let mut types = Types::new(&self.schemas);
        let mut taken: BTreeSet<String> =
            self.channels.values().map(|record| record.topic.clone()).collect();
        let mut by_topic: BTreeMap<&str, BTreeMap<Identity, ChannelId>> = BTreeMap::new();
        for (&id, record) in &self.channels {
            let (mut channel, identity) = types.channel(record);
            let alike = by_topic.entry(&record.topic).or_default();
            let number = alike.get(&identity).copied().unwrap_or_else(|| {
                let number = ChannelId(resolved.channels.len() as u32);
                if !alike.is_empty() {
                    let mut n = alike.len() + 1;
                    while !taken.insert(format!("{}#{n}", record.topic)) {
                        n += 1;
                    }
                    channel.key = format!("{}#{n}", record.topic);
                    resolved.notes.push(format!(
                        "topic {} has several types; one of them is read as {}",
                        record.topic, channel.key
                    ));
                }
                alike.insert(identity, number);
                resolved.channels.push(channel);
                number
            });
            resolved.ids.insert(id, number);
        }
        resolved
    }
}

/// A registry as the channels of a dataset.
#[derive(Clone, Debug, Default)]
pub(super) struct Resolved {
    pub(super) channels: Vec<Channel>,
    ids: BTreeMap<u16, ChannelId>,
    pub(super) notes: Vec<String>,
}

impl Resolved {
    pub(super) fn id(&self, file_channel: u16) -> Option<ChannelId> {
        self.ids.get(&file_channel).copied()
    }
}
