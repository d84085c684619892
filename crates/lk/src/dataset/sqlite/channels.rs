//! Topics of a database as channels of a dataset.

use std::collections::BTreeMap;

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension};

use super::database::{Database, columns};
use super::rows::SOUND;
use super::salvage::is_damage;
use crate::codec::Plan;
use crate::dataset::packed::{PayloadUnpacker, Payloads};
use crate::dataset::{Channel, ChannelId, ChannelStats, Encoding, ForeignEncoding, Role};
use crate::error::{Error, Result};
use crate::schema::Schema;

/// Topics and types are told apart by number; more of them are no recording.
const MAX_TOPICS: usize = 65_535;

/// The topics of a database.
#[derive(Debug, Default)]
pub(super) struct Topics {
    pub(super) channels: Vec<Channel>,
    /// By the topic's number.
    pub(super) ids: BTreeMap<i64, ChannelId>,
    pub(super) notes: Vec<String>,
}

struct Topic {
    number: i64,
    name: String,
    type_name: String,
    format: String,
    qos: String,
    hash: String,
}

/// A definition that the file has of a type.
struct Stored {
    encoding: String,
    text: String,
}

impl Topics {
    /// `stats` are those of the messages, by the topic's number.
    pub(super) fn read(
        database: &Database,
        connection: &Connection,
        stats: &BTreeMap<i64, ChannelStats>,
        payloads: Payloads,
    ) -> Result<Topics> {
        let definitions = definitions(database, connection)?;
        let mut topics = Topics::default();
        let mut by_topic: BTreeMap<String, Vec<ChannelId>> = BTreeMap::new();
        let mut unpacker = PayloadUnpacker::default();
        for topic in rows(database, connection)? {
            let first = first_payload(connection, topic.number, stats.get(&topic.number));
            let mut first = match first {
                // The type then isn't held against a message.
                Err(error) if is_damage(&error) => None,
                first => first.map_err(|error| database.failed(error))?,
            };
            if payloads == Payloads::Zstd {
                // One that is damaged tells nothing of its type.
                first = first.and_then(|packed| unpacker.unpack(&packed).ok()).map(Vec::from);
            }
            let stored = definitions.get(&topic.type_name);
            let mut channel = channel(&topic, stored, first.as_deref());
            let alike = by_topic.entry(topic.name.clone()).or_default();
            let known = |id: &ChannelId| &topics.channels[id.0 as usize].encoding;
            let same = alike.iter().copied().find(|id| *known(id) == channel.encoding);
            let id = same.unwrap_or_else(|| {
                if !alike.is_empty() {
                    channel.key = format!("{}#{}", topic.name, alike.len() + 1);
                    topics.notes.push(format!(
                        "topic {} has several types; one of them is read as {}",
                        topic.name, channel.key
                    ));
                }
                let id = ChannelId(topics.channels.len() as u32);
                alike.push(id);
                topics.channels.push(channel);
                id
            });
            topics.ids.insert(topic.number, id);
        }
        Ok(topics)
    }
}

impl Topics {
    /// Counts and extents by channel, from those by the topic's number, and
    /// how many messages are of no topic.
    pub(super) fn stats(&self, by_topic: &BTreeMap<i64, ChannelStats>) -> (Vec<ChannelStats>, u64) {
        let mut stats = vec![ChannelStats::default(); self.channels.len()];
        let mut orphans = 0;
        for (topic, found) in by_topic {
            match self.ids.get(topic) {
                Some(id) => stats[id.0 as usize].merge(found),
                None => orphans += found.count,
            }
        }
        (stats, orphans)
    }
}

/// The rows of `topics`, whose columns have become more over time.
fn rows(database: &Database, connection: &Connection) -> Result<Vec<Topic>> {
    let Some(there) = columns(database, connection, "topics")? else {
        return Err(Error::NotADataset {
            expected: "a recording of rosbag2",
            reason: "it is a SQLite file without a table `topics`".to_owned(),
            advice: None,
            path: database.location(),
        });
    };
    let column = |name: &str| there.iter().any(|c| c == name).then(|| name.to_owned());
    let or_empty = |name: &str| column(name).unwrap_or_else(|| "''".to_owned());
    let sql = format!(
        "SELECT id, name, type, {}, {}, {} FROM topics ORDER BY id LIMIT {}",
        column("serialization_format").unwrap_or_else(|| "'cdr'".to_owned()),
        or_empty("offered_qos_profiles"),
        or_empty("type_description_hash"),
        MAX_TOPICS + 1,
    );
    let read = || {
        let mut statement = connection.prepare(&sql)?;
        let rows = statement.query_map([], |row| {
            Ok(Topic {
                number: row.get(0)?,
                name: row.get(1)?,
                type_name: row.get(2)?,
                format: row.get(3)?,
                qos: row.get(4)?,
                hash: row.get(5)?,
            })
        })?;
        rows.collect::<Result<Vec<_>, _>>()
    };
    let topics = read().map_err(|error| database.failed(error))?;
    if topics.len() > MAX_TOPICS {
        return Err(database.refused(format!("it has more than {MAX_TOPICS} topics")));
    }
    Ok(topics)
}

/// By type name; none in files from before ROS 2 Iron.
fn definitions(database: &Database, connection: &Connection) -> Result<BTreeMap<String, Stored>> {
    if columns(database, connection, "message_definitions")?.is_none() {
        return Ok(BTreeMap::new());
    }
    let sql = format!(
        "SELECT topic_type, encoding, encoded_message_definition FROM message_definitions \
         ORDER BY id DESC LIMIT {MAX_TOPICS}"
    );
    let read = || {
        let mut statement = connection.prepare(&sql)?;
        let rows = statement.query_map([], |row| {
            Ok((row.get(0)?, Stored { encoding: row.get(1)?, text: row.get(2)? }))
        })?;
        rows.collect::<Result<BTreeMap<_, _>, _>>()
    };
    read().map_err(|error| database.failed(error))
}

/// The first message of a topic in time.
fn first_payload(
    connection: &Connection,
    topic: i64,
    stats: Option<&ChannelStats>,
) -> rusqlite::Result<Option<Vec<u8>>> {
    let Some(first) = stats.and_then(|stats| stats.first) else { return Ok(None) };
    let sql = format!(
        "SELECT data FROM messages WHERE timestamp = ? AND topic_id = ? AND {SOUND} \
         ORDER BY rowid LIMIT 1"
    );
    connection.query_row(&sql, [first.as_nanos(), topic], |row| row.get(0)).optional()
}

fn channel(topic: &Topic, stored: Option<&Stored>, first: Option<&[u8]>) -> Channel {
    let encoding = match schema(topic, stored, first) {
        Ok(schema) => Encoding::Cdr(schema),
        Err(reason) => Encoding::Foreign(ForeignEncoding {
            message_encoding: topic.format.clone(),
            schema_name: topic.type_name.clone(),
            schema_encoding: String::new(),
            schema_data: Bytes::new(),
            reason,
        }),
    };
    let facts = [("offered_qos_profiles", &topic.qos), ("topic_type_hash", &topic.hash)];
    let facts = facts.into_iter().filter(|(_, value)| !value.is_empty());
    Channel {
        key: topic.name.clone(),
        encoding,
        role: Role::None,
        metadata: facts.map(|(name, value)| (name.to_owned(), value.clone())).collect(),
    }
}

/// The type as the file defines it, or why payloads can't be read by that.
fn schema(topic: &Topic, stored: Option<&Stored>, first: Option<&[u8]>) -> Result<Schema, String> {
    if topic.format != "cdr" {
        return Err(format!("lk passes `{}` through", topic.format));
    }
    // An empty text is a definition too: that of `std_msgs/msg/Empty`.
    let Some(stored) = stored else {
        return Err("the recording doesn't define it".to_owned());
    };
    if stored.encoding != "ros2msg" {
        return Err(format!("the recording defines it as `{}`", stored.encoding));
    }
    let schema = Schema::parse(&topic.type_name, &stored.text)
        .map_err(|error| format!("the recording's definition can't be read: {error}"))?;
    // Recorders write all that is nested, so that where something is missing
    // the rest is doubtful too.
    if let Some(missing) = missing(&schema, &stored.text)
        && Schema::parse_with(&topic.type_name, &|_| None).is_ok()
    {
        return Err(format!("the recording's definition lacks {missing}"));
    }
    match first.map(|payload| Plan::new(&schema).decode(payload)) {
        Some(Err(error)) => {
            Err(format!("the recording's definition doesn't fit its messages: {error}"))
        }
        _ => Ok(schema),
    }
}

/// A nested type that the text names and doesn't define.
fn missing<'a>(schema: &'a Schema, text: &str) -> Option<&'a str> {
    let defined = |name: &str| {
        let short = name.replacen("/msg/", "/", 1);
        let given = text.lines().filter_map(|line| line.trim().strip_prefix("MSG:"));
        given.map(str::trim).any(|given| given == name || given == short)
    };
    let nested = schema.types().into_iter().skip(1).map(|ty| ty.name.as_str());
    nested.into_iter().find(|name| !defined(name))
}
