//! Foreign payloads, decoded for display and comparison.
//!
//! Where they are stored they keep their bytes. To show or to compare them,
//! [`survey`] finds a message type for each channel that lk can decode, and a
//! [`Decoder`] turns each payload into CDR of that type, so that everything
//! else is as for channels of CDR.
//!
//! JSON, MessagePack and CBOR say themselves what they hold, but no type: one
//! is inferred from all messages, of both sides of a comparison together. Integers beside floats
//! are floats, unless one of them would be rounded; what some messages lack,
//! or have as null, is optional; objects are nested messages. What has no such
//! type (text beside a number, a tag or an extension, a key that can't name a
//! field) leaves the channel as it is, to be compared as bytes, with
//! the reason. A payload that is malformed (cut off, a key twice in an object,
//! NaN as JSON doesn't have it) is an error of that message alone.
//!
//! Protobuf (with the feature `protobuf`) goes by the descriptors in the file:
//! enums are `int32` with constants, maps are sequences of entries sorted by
//! key, and what can be absent is optional where some message lacks it. A type
//! that contains itself, and messages with fields that their type doesn't
//! have, leave the channel as it is.

mod binary;
mod cbor;
mod json;
mod msgpack;
#[cfg(feature = "protobuf")]
mod protobuf;
mod self_describing;
mod survey;
mod view;

use std::sync::Arc;

pub(super) use json::without_place;
pub use survey::{Decoders, survey};

use self_describing::Format;

use crate::codec::Plan;
use crate::error::{Error, Result};
use crate::schema::Schema;
#[cfg(feature = "protobuf")]
use crate::value::Value;
use crate::value::ValueSeed;

/// MCAP's name of it.
const PROTOBUF: &str = "protobuf";

const FOUND_LATER: &str = "its type is found where it is shown or compared";

/// Why a channel of this encoding is a foreign one, as a phrase.
pub(super) fn reason(message_encoding: &str) -> String {
    match (Format::of(message_encoding), message_encoding) {
        (Some(_), _) => FOUND_LATER.to_owned(),
        (None, PROTOBUF) if cfg!(feature = "protobuf") => FOUND_LATER.to_owned(),
        (None, "") => "lk passes an unnamed encoding through".to_owned(),
        (None, other) => format!("lk passes `{other}` through"),
    }
}

/// Turns the payloads of one foreign channel into CDR. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Decoder(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    key: String,
    reader: Reader,
    plan: Plan,
}

/// What reads the payloads.
#[derive(Clone, Debug)]
enum Reader {
    SelfDescribing(Format),
    #[cfg(feature = "protobuf")]
    Protobuf(protobuf::ProtobufType),
}

impl Decoder {
    fn new(key: &str, reader: Reader, schema: &Schema) -> Decoder {
        Decoder(Arc::new(Inner { key: key.to_owned(), reader, plan: Plan::new(schema) }))
    }

    /// The type of what is decoded.
    pub fn schema(&self) -> &Schema {
        self.0.plan.schema()
    }

    /// The encoding of the payloads: `json`.
    pub fn encoding(&self) -> &'static str {
        match &self.0.reader {
            Reader::SelfDescribing(format) => format.name(),
            #[cfg(feature = "protobuf")]
            Reader::Protobuf(_) => PROTOBUF,
        }
    }

    /// Whether the type comes from the values, rather than from a schema.
    pub fn is_inferred(&self) -> bool {
        matches!(self.0.reader, Reader::SelfDescribing(_))
    }

    /// Whether the same payload means the same to both.
    pub(crate) fn same_as(&self, other: &Decoder) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The message of a payload, as CDR of [`Decoder::schema`].
    ///
    /// # Errors
    /// [`Error::Foreign`] where the payload is malformed, or holds what the
    /// survey has not seen.
    pub fn decode(&self, payload: &[u8]) -> Result<Vec<u8>> {
        let plan = &self.0.plan;
        let value = match &self.0.reader {
            Reader::SelfDescribing(format) => format.read(payload, ValueSeed::new(plan.schema())),
            #[cfg(feature = "protobuf")]
            Reader::Protobuf(ty) => ty
                .record(payload, plan.schema().root())
                .map(|record| Value::new_unchecked(plan.schema().clone(), record)),
        };
        let value = value.map_err(|reason| Error::Foreign {
            encoding: self.encoding().to_owned(),
            key: self.0.key.clone(),
            time: None,
            reason,
        })?;
        plan.encode(&value)
    }
}

#[cfg(test)]
mod tests;
