//! Lines of JSON, written one by one.

use std::io::Write;

use serde::Serialize;

use super::{FactsLine, SampleLine, SchemaLine};
use crate::codec::Plan;
use crate::dataset::{Channel, Encoding, Facts, Sample};
use crate::error::{Error, Result};
use crate::value::Value;

/// Writes lines of JSON as samples come.
pub struct Writer<W> {
    out: W,
    /// What is written to, for messages.
    name: String,
    keys: Vec<Key>,
}

struct Key {
    name: String,
    plan: Plan,
    value: Value,
}

impl<W: Write> Writer<W> {
    /// Writes to `out`, which has a buffer of its own; `name` is what it is
    /// called in messages.
    pub fn new(out: W, name: impl Into<String>) -> Writer<W> {
        Writer { out, name: name.into(), keys: Vec::new() }
    }

    /// Adds a key, of the type of `channel`. Returns the number that it is
    /// written by: keys are counted from 0.
    ///
    /// # Errors
    /// [`Error::Opaque`] for a channel that lk can't decode.
    pub fn add(&mut self, channel: &Channel) -> Result<usize> {
        match &channel.encoding {
            Encoding::Cdr(schema) => self.keys.push(Key {
                name: channel.key.clone(),
                plan: Plan::new(schema),
                value: Value::default_of(schema),
            }),
            Encoding::Foreign(foreign) => {
                return Err(Error::Opaque {
                    key: channel.key.clone(),
                    reason: foreign.reason.clone(),
                    location: self.name.clone(),
                });
            }
        }
        Ok(self.keys.len() - 1)
    }

    /// Writes what a key holds. Whoever reads the lines needs it before the
    /// first sample of the key, or has to infer it.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write_channel(&mut self, channel: &Channel) -> Result<()> {
        let Encoding::Cdr(schema) = &channel.encoding else { return Ok(()) };
        self.line(&SchemaLine {
            key: channel.key.clone(),
            type_name: schema.name().to_owned(),
            schema: schema.to_msg_text(),
            role: channel.role,
            optional: schema.optional_fields(),
            metadata: channel.metadata.clone(),
        })
    }

    /// Writes the facts of a dataset, where there are any.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write_facts(&mut self, facts: Facts) -> Result<()> {
        match facts == Facts::default() {
            true => Ok(()),
            false => self.line(&FactsLine { facts }),
        }
    }

    /// Writes a sample of the key with this number.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Decode`](crate::Error::Decode) where it isn't
    /// of its key's type.
    ///
    /// # Panics
    /// Where no key has the number.
    pub fn write(&mut self, key: usize, sample: &Sample) -> Result<()> {
        let key = &mut self.keys[key];
        key.plan.decode_into(&sample.payload, &mut key.value)?;
        let line = SampleLine {
            key: key.name.as_str(),
            time_ns: Some(sample.time.as_nanos()),
            publish_time_ns: (sample.publish_time != sample.time)
                .then(|| sample.publish_time.as_nanos()),
            sequence: Some(sample.sequence),
            value: &key.value,
        };
        put(&mut self.out, &line).map_err(failed(&self.name))
    }

    /// Hands over what is in the buffer.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn flush(&mut self) -> Result<()> {
        self.out.flush().map_err(failed(&self.name))
    }

    fn line(&mut self, line: &impl Serialize) -> Result<()> {
        put(&mut self.out, line).map_err(failed(&self.name))
    }
}

fn put(out: &mut impl Write, line: &impl Serialize) -> std::io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

fn failed(name: &str) -> impl FnOnce(std::io::Error) -> Error + '_ {
    |source| Error::Io { action: "write", path: name.to_owned(), source }
}
