//! Foreign payloads, decoded for display and comparison.
//!
//! Where they are stored they keep their bytes. To show or to compare them,
//! [`survey`] finds a message type for each channel that lk can decode, and a
//! [`Decoder`] turns each payload into CDR of that type, so that everything
//! else is as for channels of CDR.
//!
//! JSON says itself what it holds, but no type: one is inferred from all
//! messages, of both sides of a comparison together. Integers beside floats
//! are floats, unless one of them would be rounded; what some messages lack,
//! or have as null, is optional; objects are nested messages. What has no such
//! type (text beside a number, a list of lists of other kinds, a key that can't
//! name a field) leaves the channel as it is, to be compared as bytes, with
//! the reason. A payload that is malformed (cut off, a key twice in an object,
//! NaN as JSON doesn't have it) is an error of that message alone.

mod json;
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
use crate::value::ValueSeed;

/// Why a channel of this encoding is a foreign one, as a phrase.
pub(super) fn reason(message_encoding: &str) -> String {
    match (Format::of(message_encoding), message_encoding) {
        (Some(_), _) => "its type is found where it is shown or compared".to_owned(),
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
    format: Format,
    plan: Plan,
}

impl Decoder {
    fn new(key: &str, format: Format, schema: &Schema) -> Decoder {
        Decoder(Arc::new(Inner { key: key.to_owned(), format, plan: Plan::new(schema) }))
    }

    /// The type of what is decoded.
    pub fn schema(&self) -> &Schema {
        self.0.plan.schema()
    }

    /// The encoding of the payloads: `json`.
    pub fn encoding(&self) -> &'static str {
        self.0.format.name()
    }

    /// Whether the type comes from the values, rather than from a schema.
    pub fn is_inferred(&self) -> bool {
        true
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
        let seed = ValueSeed::new(plan.schema());
        let value = self.0.format.read(payload, seed).map_err(|reason| Error::Foreign {
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
