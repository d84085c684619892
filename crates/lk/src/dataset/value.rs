//! Values written by key.

use std::collections::BTreeMap;

use super::{Channel, ChannelId, Dataset, Encoding, Role};
use crate::codec::Plan;
use crate::error::{Error, Result};
use crate::schema::Schema;
use crate::time::Time;
use crate::value::Value;

impl Dataset {
    /// Appends a value to `key`, whose channel is added where it is new, with
    /// the value's schema and no role. Returns the sequence number.
    ///
    /// # Errors
    /// [`Error::TypeMismatch`] where the key holds another type; as
    /// [`Dataset::write_payload`].
    pub fn write_value(&mut self, key: &str, value: &Value, time: Time) -> Result<u32> {
        let id = self.channel_for(key, value.schema())?;
        let payload = self.plan(id, value.schema()).encode(value)?;
        self.write_payload(id, payload, time)
    }

    /// The channel of `key`, which holds `schema`; added where it is new.
    pub(super) fn channel_for(&mut self, key: &str, schema: &Schema) -> Result<ChannelId> {
        let Some(id) = self.channel_id(key) else {
            return self.add_channel(Channel {
                key: key.to_owned(),
                encoding: Encoding::Cdr(schema.clone()),
                role: Role::None,
                metadata: BTreeMap::new(),
            });
        };
        let expected = match &self.channels()[id.0 as usize].encoding {
            Encoding::Cdr(known) if known.fingerprint() == schema.fingerprint() => return Ok(id),
            Encoding::Cdr(known) => known.name_and_fingerprint(),
            Encoding::Foreign(foreign) => format!("`{}` payloads", foreign.message_encoding),
        };
        Err(Error::TypeMismatch {
            key: key.to_owned(),
            expected,
            actual: schema.name_and_fingerprint(),
            location: self.location(),
        })
    }

    pub(super) fn plan(&mut self, id: ChannelId, schema: &Schema) -> &Plan {
        self.plans[id.0 as usize].get_or_insert_with(|| Plan::new(schema))
    }
}
