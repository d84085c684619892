//! Values and Rust types written by key.

use std::any::TypeId;
use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Channel, ChannelId, Dataset, Encoding, Role};
use crate::codec::Plan;
use crate::error::{Error, Result};
use crate::schema::Schema;
use crate::time::Time;
use crate::value::Value;

impl Dataset {
    /// Appends a message to `key`, whose channel is added where it is new,
    /// with the schema of the Rust type and no role. Returns the sequence
    /// number.
    ///
    /// ```
    /// use lk::{Dataset, Time};
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Debug, PartialEq, Serialize, Deserialize)]
    /// struct Wheel {
    ///     speed_rad_s: f64,
    /// }
    ///
    /// let mut dataset = Dataset::memory();
    /// dataset.write("left", &Wheel { speed_rad_s: 1.5 }, Time::from_nanos(10))?;
    /// let (time, wheel) = dataset.channel("left")?.typed::<Wheel>()?.next().expect("one")?;
    /// assert_eq!((time, wheel), (Time::from_nanos(10), Wheel { speed_rad_s: 1.5 }));
    /// # Ok::<(), lk::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::TypeMismatch`] where the key holds another type;
    /// [`Error::Trace`] and [`Error::Encode`] where the Rust type can be no
    /// message; as [`Dataset::write_payload`].
    pub fn write<T>(&mut self, key: &str, message: &T, time: Time) -> Result<u32>
    where
        T: Serialize + DeserializeOwned + 'static,
    {
        let rust_type = Some(TypeId::of::<T>());
        let known = self.channel_id(key).filter(|id| self.rust_types[id.0 as usize] == rust_type);
        let id = match known {
            Some(id) => id,
            None => {
                // Tracing costs more than a message: once for each key.
                let schema = Schema::of::<T>()?;
                let id = self.channel_for(key, &schema)?;
                self.plan(id, &schema);
                self.rust_types[id.0 as usize] = rust_type;
                id
            }
        };
        let mut payload = Vec::new();
        let plan = self.plans[id.0 as usize].as_ref().expect("the plan was made with the type");
        plan.encode_typed(message, &mut payload)?;
        self.write_payload(id, payload, time)
    }

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
