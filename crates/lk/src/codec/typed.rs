//! Rust values as payloads, by their `serde` implementation and without a
//! [`Value`](crate::Value) between.
//!
//! The schema leads: a value must give, and a type must ask for, what stands
//! in it, in its order ([`schema::trace`](crate::schema::trace) has the table).
//! No number is converted. So a type that
//! serializes other than it deserializes is an error that names the field,
//! never wrong bytes.
//!
//! Schemas from elsewhere, such as `.msg` text, do as well:
//!
//! - A struct is read from a message that has more fields, which are skipped,
//!   or fewer, where its fields are `Option`s or have a serde default. It is
//!   written only to a message that has just its fields, in their order.
//! - A `Vec` is written to and read from a fixed array of its length, for
//!   arrays that serde has no type for (`float64[36]`).
//! - Enums go by the constants `FIELD_VARIANT` of the message, whatever their
//!   numbers.

mod de;
mod ser;
mod slot;
mod variant;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::error::Result;

use super::Plan;
use super::cursor::Cursor;
use super::writer::Writer;
use slot::Slot;

impl Plan {
    /// Writes a Rust value as a payload that replaces the content of
    /// `payload`.
    ///
    /// ```
    /// use lk::Schema;
    /// use lk::codec::Plan;
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Debug, PartialEq, Serialize, Deserialize)]
    /// struct Wheel {
    ///     speed: f64,
    ///     slip: Option<f32>,
    /// }
    ///
    /// let plan = Plan::new(&Schema::of::<Wheel>()?);
    /// let wheel = Wheel { speed: 1.5, slip: None };
    /// let mut payload = Vec::new();
    /// plan.encode_typed(&wheel, &mut payload)?;
    /// assert_eq!(plan.decode_typed::<Wheel>(&payload)?, wheel);
    /// # Ok::<(), lk::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Encode`](crate::Error::Encode), naming the field, where the
    /// value gives another field, type, count or variant than the schema has.
    /// `payload` then holds the beginning of one.
    pub fn encode_typed(
        &self,
        value: &(impl Serialize + ?Sized),
        payload: &mut Vec<u8>,
    ) -> Result<()> {
        let mut writer = Writer::new(payload);
        value
            .serialize(ser::Serializer::new(&mut writer, Slot::root(self.layout())))
            .map_err(|fault| fault.into_encode(self.schema().name()))
    }

    /// Reads a payload as a Rust value. Strings can be borrowed from it.
    ///
    /// # Errors
    ///
    /// [`Error::Decode`](crate::Error::Decode), naming the field and the
    /// offset, where the bytes aren't a message of the schema, where the type
    /// asks for something else than the schema has, and where it refuses the
    /// value.
    pub fn decode_typed<'de, T: Deserialize<'de>>(&self, payload: &'de [u8]) -> Result<T> {
        Cursor::new(payload)
            .and_then(|mut cursor| {
                let start = cursor.offset();
                let value =
                    T::deserialize(de::Deserializer::new(&mut cursor, Slot::root(self.layout())))
                        .map_err(|stop| stop.or_at(start).into_fault())?;
                cursor.finish()?;
                Ok(value)
            })
            .map_err(|fault| fault.into_decode(self.schema().name()))
    }
}
