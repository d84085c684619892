//! The types of a file's channels.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::channels::{CDR, OPTIONAL, QOS, ROLE, ROS2MSG, role_name};
use super::records::{ChannelRecord, SchemaRecord};
use crate::dataset::{Channel, Encoding, ForeignEncoding, Role, foreign};
use crate::schema::Schema;

/// Fields that all channels together may have, nested ones counted wherever
/// they occur. Thousands of channels of a type of thousands are no recording,
/// but would fill the memory of whoever looks at each field.
const MAX_FIELDS: u64 = 100_000;

/// Bytes of a reason that are kept: it may quote a line of any length.
const REASON_BYTES: usize = 500;

/// What two channels of one type have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Identity {
    /// Name and fingerprint.
    Cdr(String, [u8; 16]),
    /// Message encoding, number of the schema, and why it isn't decoded.
    Foreign(String, u16, String),
}

/// Reads each schema of a file once.
pub(super) struct Types<'a> {
    schemas: &'a BTreeMap<u16, SchemaRecord>,
    /// By number, the first number of an equal schema.
    firsts: BTreeMap<u16, u16>,
    data: BTreeMap<u16, Bytes>,
    /// By number, and by what is said of optional fields.
    parsed: BTreeMap<(u16, Option<&'a str>), Result<Schema, String>>,
    fields_left: u64,
}

impl<'a> Types<'a> {
    pub(super) fn new(schemas: &'a BTreeMap<u16, SchemaRecord>) -> Types<'a> {
        let mut known = BTreeMap::new();
        let firsts = schemas.iter().map(|(&id, schema)| {
            let content = (&schema.name, &schema.encoding, &schema.data);
            (id, *known.entry(content).or_insert(id))
        });
        Types {
            firsts: firsts.collect(),
            schemas,
            data: BTreeMap::new(),
            parsed: BTreeMap::new(),
            fields_left: MAX_FIELDS,
        }
    }

    /// The channel of a dataset, and what its type is told by.
    pub(super) fn channel(&mut self, record: &'a ChannelRecord) -> (Channel, Identity) {
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
        let (encoding, identity) = match self.schema(record) {
            Ok(schema) => {
                metadata.remove(OPTIONAL);
                let identity = Identity::Cdr(schema.name().to_owned(), schema.fingerprint().0);
                (Encoding::Cdr(schema), identity)
            }
            Err(reason) => {
                let first = self.firsts.get(&record.schema).copied().unwrap_or(0);
                let identity = Identity::Foreign(record.encoding.clone(), first, reason.clone());
                (Encoding::Foreign(self.foreign(record, reason)), identity)
            }
        };
        let role = role.unwrap_or_default();
        (Channel { key: record.topic.clone(), encoding, role, metadata }, identity)
    }

    /// The schema by which payloads can be decoded, or why they can't.
    fn schema(&mut self, record: &'a ChannelRecord) -> Result<Schema, String> {
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
        let optional = record.metadata.get(OPTIONAL).map(String::as_str);
        let too_many =
            || format!("the channels of the file have more than {MAX_FIELDS} fields in all");
        let parsed = match self.parsed.get(&(record.schema, optional)) {
            Some(parsed) => parsed.clone(),
            None if self.fields_left == 0 => return Err(too_many()),
            None => {
                let parsed = parse(schema, optional).map_err(|mut reason| {
                    reason.truncate(reason.floor_char_boundary(REASON_BYTES));
                    reason
                });
                self.parsed.insert((record.schema, optional), parsed.clone());
                parsed
            }
        }?;
        match self.fields_left.checked_sub(parsed.field_count()) {
            Some(left) => self.fields_left = left,
            None => {
                self.fields_left = 0;
                return Err(too_many());
            }
        }
        Ok(parsed)
    }

    fn foreign(&mut self, record: &ChannelRecord, reason: String) -> ForeignEncoding {
        let schema = self.schemas.get(&record.schema);
        let text = |text: fn(&SchemaRecord) -> &String| schema.map(text).cloned();
        let data = schema.map(|schema| {
            let data = self.data.entry(schema.id);
            data.or_insert_with(|| Bytes::copy_from_slice(&schema.data)).clone()
        });
        ForeignEncoding {
            message_encoding: record.encoding.clone(),
            schema_name: text(|schema| &schema.name).unwrap_or_default(),
            schema_encoding: text(|schema| &schema.encoding).unwrap_or_default(),
            schema_data: data.unwrap_or_default(),
            reason,
        }
    }
}

fn parse(schema: &SchemaRecord, optional: Option<&str>) -> Result<Schema, String> {
    let text = std::str::from_utf8(&schema.data)
        .map_err(|_| format!("its schema {} is not text", schema.name))?;
    let parsed =
        Schema::parse(&schema.name, text).map_err(|e| format!("its schema can't be read: {e}"))?;
    match optional {
        None => Ok(parsed),
        Some(names) => parsed
            .with_optional_fields(&names.split(',').collect::<Vec<_>>())
            .map_err(|e| format!("its optional fields can't be read: {e}")),
    }
}

fn quoted(encoding: &str) -> String {
    if encoding.is_empty() { "an unnamed encoding".to_owned() } else { format!("`{encoding}`") }
}
