//! Messages as bytes: CDR (XCDR1), the encoding of ROS 2.
//!
//! A [`Plan`] is a schema made ready for reading and writing; keep it, since
//! making one costs more than decoding a message.
//!
//! ```
//! use lk::codec::Plan;
//! use lk::{Schema, Value};
//!
//! let schema = Schema::parse("demo/msg/Reading", "float64 celsius\nstring sensor")?;
//! let plan = Plan::new(&schema);
//! let bytes = plan.encode(&Value::default_of(&schema))?;
//! assert_eq!(bytes, [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
//! assert_eq!(plan.decode(&bytes)?, Value::default_of(&schema));
//! # Ok::<(), lk::Error>(())
//! ```

pub(crate) mod cursor;
mod decode;
mod encode;
pub(crate) mod layout;
pub(crate) mod number;
pub mod typed;
pub(crate) mod writer;

use cursor::Cursor;
use layout::Layout;
use writer::Writer;

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::schema::Schema;
use crate::value::{Record, Value};

/// A schema compiled for reading and writing its payloads.
///
/// A payload is a four-byte header and the fields in order, each number
/// aligned to its size counted from the end of the header. Written payloads
/// are little-endian (header `00 01 00 00`); big-endian ones are read too.
/// A plan is cheap to clone and can be used from several threads.
#[derive(Clone, Debug)]
pub struct Plan {
    schema: Schema,
    root: Arc<Layout>,
}

impl Plan {
    /// Compiles a schema.
    pub fn new(schema: &Schema) -> Plan {
        Plan { schema: schema.clone(), root: Layout::of(schema.root()) }
    }

    /// What the payloads mean.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The compiled root, for walks of other modules over payloads.
    pub(crate) fn layout(&self) -> &Arc<Layout> {
        &self.root
    }

    /// Reads a payload.
    ///
    /// # Errors
    ///
    /// [`Error::Decode`], naming the field and the offset, where the bytes
    /// aren't a message of this schema: too short, too long by more than three
    /// bytes of zero padding, a bool other than 0 and 1, text that isn't UTF-8,
    /// a bound exceeded. No length in a payload makes this allocate more than
    /// a small multiple of the payload's own size.
    pub fn decode(&self, payload: &[u8]) -> Result<Value> {
        let mut record = Record::default();
        self.decode_record(payload, &mut record)?;
        Ok(Value::new_unchecked(self.schema.clone(), record))
    }

    /// Reads a payload into a value, reusing its memory.
    ///
    /// The value may have been of any type before. After an error it is the
    /// default of this schema.
    ///
    /// # Errors
    ///
    /// As [`Plan::decode`].
    pub fn decode_into(&self, payload: &[u8], value: &mut Value) -> Result<()> {
        let decoded = self.decode_record(payload, value.record_mut());
        if decoded.is_err() {
            *value = Value::default_of(&self.schema);
        } else if !value.schema().same_as(&self.schema) {
            value.set_schema(self.schema.clone());
        }
        decoded
    }

    fn decode_record(&self, payload: &[u8], record: &mut Record) -> Result<()> {
        Cursor::new(payload)
            .and_then(|mut cursor| {
                decode::record(&mut cursor, &self.root, record)?;
                cursor.finish()
            })
            .map_err(|fault| fault.into_decode(self.schema.name()))
    }

    /// Writes a value as a payload.
    ///
    /// # Errors
    ///
    /// [`Error::WrongType`] where the value is of another schema;
    /// [`Error::Encode`] where text or a sequence is too long for its
    /// 32-bit length.
    pub fn encode(&self, value: &Value) -> Result<Vec<u8>> {
        let mut payload = Vec::new();
        self.encode_into(value, &mut payload)?;
        Ok(payload)
    }

    /// Writes a value as a payload that replaces the content of `payload`.
    ///
    /// After an error `payload` holds the beginning of one.
    ///
    /// # Errors
    ///
    /// As [`Plan::encode`].
    pub fn encode_into(&self, value: &Value, payload: &mut Vec<u8>) -> Result<()> {
        let given = value.schema();
        if !given.same_as(&self.schema) && given.fingerprint() != self.schema.fingerprint() {
            return Err(Error::WrongType {
                expected: self.schema.name_and_fingerprint(),
                actual: given.name_and_fingerprint(),
            });
        }
        let mut writer = Writer::new(payload);
        encode::record(&mut writer, &self.root, value.record())
            .map_err(|fault| fault.into_encode(self.schema.name()))
    }
}

#[cfg(test)]
mod tests;
