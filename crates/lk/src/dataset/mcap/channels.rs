//! Channels as a file has them, and as a dataset has them.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::records::{ChannelRecord, SchemaRecord};
use crate::dataset::{Channel, ChannelId, Encoding, ForeignEncoding, Role, foreign};
use crate::schema::Schema;

const CDR: &str = "cdr";
const ROS2MSG: &str = "ros2msg";
const QOS: &str = "offered_qos_profiles";
const ROLE: &str = "lk.role";
const OPTIONAL: &str = "lk.optional";

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

fn role_name(role: Role) -> Option<&'static str> {
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

    pub(super) fn has_channel(&self, id: u16) -> bool {
        self.channels.contains_key(&id)
    }

    /// The channels of a dataset, and which of them each number of the file
    /// is. Channels of one topic and one type are merged; where the types
    /// differ, the later ones become `topic#2` and so on.
    pub(super) fn resolve(&self) -> Resolved {
        let mut resolved = Resolved::default();
        let mut taken: BTreeSet<String> =
            self.channels.values().map(|record| record.topic.clone()).collect();
        let mut by_topic: BTreeMap<&str, Vec<ChannelId>> = BTreeMap::new();
        for (&id, record) in &self.channels {
            let mut channel = self.channel(record);
            let alike = by_topic.entry(&record.topic).or_default();
            let same = alike.iter().copied().find(|same| {
                let known: &Channel = &resolved.channels[same.0 as usize];
                same_type(&known.encoding, &channel.encoding)
            });
            let number = same.unwrap_or_else(|| {
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
                alike.push(number);
                resolved.channels.push(channel);
                number
            });
            resolved.ids.insert(id, number);
        }
        resolved
    }

    fn channel(&self, record: &ChannelRecord) -> Channel {
        let mut metadata = record.metadata.clone();
        if metadata.get(QOS).is_some_and(String::is_empty) {
            metadata.remove(QOS);
        }
        let roles = [Role::Input, Role::Output, Role::State];
        let role = metadata.get(ROLE).and_then(|name| {
            roles.into_iter().find(|&role| role_name(role) == Some(name.as_str()))
        });
        if role.is_some() {
            metadata.remove(ROLE);
        }
        let encoding = match self.schema(record) {
            Ok(schema) => {
                metadata.remove(OPTIONAL);
                Encoding::Cdr(schema)
            }
            Err(reason) => Encoding::Foreign(self.foreign(record, reason)),
        };
        Channel { key: record.topic.clone(), encoding, role: role.unwrap_or_default(), metadata }
    }

    /// The schema by which payloads can be decoded, or why they can't.
    fn schema(&self, record: &ChannelRecord) -> Result<Schema, String> {
        if record.encoding != CDR {
            return Err(foreign::reason(&record.encoding));
        }
        let Some(schema) = self.schemas.get(&record.schema) else {
            return Err(match record.schema {
                0 => "it has no schema".to_owned(),
                id => format!("its schema, number {id}, is missing from the file"),
            });
        };
        if schema.encoding != ROS2MSG {
            return Err(format!("its schema is {}, not ros2msg", quoted(&schema.encoding)));
        }
        let text = std::str::from_utf8(&schema.data)
            .map_err(|_| format!("its schema {} is not text", schema.name))?;
        let parsed = Schema::parse(&schema.name, text)
            .map_err(|e| format!("its schema can't be read: {e}"))?;
        match record.metadata.get(OPTIONAL) {
            None => Ok(parsed),
            Some(names) => parsed
                .with_optional_fields(&names.split(',').collect::<Vec<_>>())
                .map_err(|e| format!("its optional fields can't be read: {e}")),
        }
    }

    fn foreign(&self, record: &ChannelRecord, reason: String) -> ForeignEncoding {
        let schema = self.schemas.get(&record.schema).cloned();
        let (name, encoding, data) =
            schema.map(|s| (s.name, s.encoding, s.data)).unwrap_or_default();
        ForeignEncoding {
            message_encoding: record.encoding.clone(),
            schema_name: name,
            schema_encoding: encoding,
            schema_data: Bytes::from(data),
            reason,
        }
    }
}

fn quoted(encoding: &str) -> String {
    if encoding.is_empty() { "an unnamed encoding".to_owned() } else { format!("`{encoding}`") }
}

fn same_type(a: &Encoding, b: &Encoding) -> bool {
    match (a, b) {
        (Encoding::Cdr(a), Encoding::Cdr(b)) => {
            a.name() == b.name() && a.fingerprint() == b.fingerprint()
        }
        (Encoding::Foreign(a), Encoding::Foreign(b)) => a == b,
        _ => false,
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
