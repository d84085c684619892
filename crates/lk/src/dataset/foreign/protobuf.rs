//! Protobuf, by the descriptors that MCAP files have as schemas.
//!
//! Fields keep their names and numbers their widths; enums are `int32` with
//! constants, bytes are `uint8[]`, maps are sequences of entries sorted by key.
//! A field that can be absent (a message, a oneof's, `optional`) is optional
//! where some message lacks it. What a descriptor doesn't know, fields of a
//! newer version or extensions, is never left out in silence: it makes the
//! channel one that is compared as bytes.

mod entries;
mod record;
mod types;

use std::collections::BTreeSet;
use std::sync::Arc;

use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, ReflectMessage, Value,
};

use crate::dataset::ForeignEncoding;
use crate::schema::{MessageType, Schema};
use crate::value::Record;

/// The message type of one channel.
#[derive(Clone, Debug)]
pub(super) struct ProtobufType {
    descriptor: MessageDescriptor,
    has_maps: bool,
}

/// Fields that can be absent and are, as message type and name.
pub(super) type Absent = BTreeSet<(String, String)>;

/// Why a payload says nothing.
pub(super) enum Unsurveyed {
    /// An error of this message alone.
    Malformed,
    /// It holds what its type doesn't have.
    Refused(String),
}

impl ProtobufType {
    /// The type that a channel's schema describes, or why there is none.
    pub(super) fn new(foreign: &ForeignEncoding) -> Result<ProtobufType, String> {
        if foreign.schema_encoding != "protobuf" {
            return Err(format!("its schema is `{}`, not protobuf", foreign.schema_encoding));
        }
        let pool = DescriptorPool::decode(foreign.schema_data.as_ref())
            .map_err(|e| format!("its descriptors can't be read: {e}"))?;
        check(&pool)?;
        let name = &foreign.schema_name;
        let found = pool.get_message_by_name(name);
        let descriptor = found.ok_or_else(|| format!("its descriptors have no message {name}"))?;
        let has_maps = entries::has_maps(&descriptor);
        Ok(ProtobufType { descriptor, has_maps })
    }

    fn read(&self, payload: &[u8]) -> Result<DynamicMessage, String> {
        DynamicMessage::decode(self.descriptor.clone(), payload).map_err(|e| e.to_string())
    }

    /// A reason where a payload that can be read holds what reading drops.
    fn check(&self, payload: &[u8]) -> Result<(), String> {
        if self.has_maps { entries::check(&self.descriptor, payload) } else { Ok(()) }
    }

    /// Notes which fields are absent in one message.
    pub(super) fn survey(&self, payload: &[u8], absent: &mut Absent) -> Result<(), Unsurveyed> {
        let message = self.read(payload).map_err(|_| Unsurveyed::Malformed)?;
        self.check(payload).and_then(|()| survey(&message, absent)).map_err(Unsurveyed::Refused)
    }

    /// The message type, where these fields are optional.
    pub(super) fn schema(&self, absent: &Absent) -> Result<Schema, String> {
        let root = types::message(&self.descriptor, absent)?;
        Schema::new(root).map_err(|e| e.to_string())
    }

    /// The message of a payload, as one of this type.
    pub(super) fn record(&self, payload: &[u8], ty: &Arc<MessageType>) -> Result<Record, String> {
        let message = self.read(payload)?;
        self.check(payload)?;
        survey(&message, &mut Absent::new())?;
        record::record(&message, ty)
    }
}

/// That reading by these descriptors can't panic, which they are not checked
/// for otherwise: entries of maps have a key and a value, and enums a value.
fn check(pool: &DescriptorPool) -> Result<(), String> {
    let wrong = |name: &str| Err(format!("its descriptors are wrong about {name}"));
    for message in pool.all_messages().filter(MessageDescriptor::is_map_entry) {
        let key = |field: FieldDescriptor| {
            let not = matches!(
                field.kind(),
                Kind::Message(_) | Kind::Enum(_) | Kind::Bytes | Kind::Double | Kind::Float
            );
            field.number() == 1 && field.name() == "key" && !not && !field.is_list()
        };
        let value = |field: FieldDescriptor| {
            let is_map = matches!(field.kind(), Kind::Message(of) if of.is_map_entry());
            field.number() == 2 && field.name() == "value" && !is_map && !field.is_list()
        };
        let two = message.fields().len() == 2;
        if !(two
            && message.get_field(1).is_some_and(key)
            && message.get_field(2).is_some_and(value))
        {
            return wrong(message.full_name());
        }
    }
    match pool.all_enums().find(|of| of.values().len() == 0) {
        Some(empty) => wrong(empty.full_name()),
        None => Ok(()),
    }
}

/// Notes which fields are absent in a message and those in it; a reason where
/// it holds what its type doesn't have.
fn survey(message: &DynamicMessage, absent: &mut Absent) -> Result<(), String> {
    let descriptor = message.descriptor();
    if let Some(unknown) = message.unknown_fields().next() {
        let (name, number) = (descriptor.full_name(), unknown.number());
        return Err(format!("a message has field {number}, which its type {name} has not"));
    }
    if let Some((extension, _)) = message.extensions().next() {
        return Err(format!("a message has the extension {}", extension.full_name()));
    }
    for field in descriptor.fields() {
        if field.supports_presence() && !message.has_field(&field) {
            absent.insert((descriptor.full_name().to_owned(), field.name().to_owned()));
        }
    }
    for (_, value) in message.fields() {
        match value {
            Value::Message(nested) => survey(nested, absent)?,
            Value::List(list) => {
                list.iter().filter_map(Value::as_message).try_for_each(|m| survey(m, absent))?;
            }
            Value::Map(map) => {
                map.values().filter_map(Value::as_message).try_for_each(|m| survey(m, absent))?;
            }
            _ => {}
        }
    }
    Ok(())
}
