//! What flows through ports.

use std::any::Any;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec::Plan;
use crate::error::{Error, Result};
use crate::schema::Schema;

/// A Rust type that can be a message: any serde type that the type system
/// holds (see [`schema::trace`](crate::schema::trace)).
pub trait Msg: Serialize + DeserializeOwned + Send + Sync + 'static {}

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Msg for T {}

/// A message whose Rust type only its port knows.
pub trait AnyMsg: Any + Send + Sync {
    /// Writes it as a payload that replaces the content of `payload`.
    ///
    /// # Errors
    /// [`Error::Encode`](crate::Error::Encode) where it isn't of the plan's
    /// type.
    fn encode(&self, plan: &Plan, payload: &mut Vec<u8>) -> Result<()>;

    /// Its type. Takes long for a Rust type, which is traced anew: ask once.
    ///
    /// # Errors
    /// [`Error::Trace`](crate::Error::Trace) where it can be no message.
    fn schema(&self) -> Result<Schema>;

    /// The message as it is stored, where it is so already: it need not be
    /// encoded again, and its size is known.
    fn encoded(&self) -> Option<&Encoded> {
        None
    }
}

impl<T: Msg> AnyMsg for T {
    fn encode(&self, plan: &Plan, payload: &mut Vec<u8>) -> Result<()> {
        plan.encode_typed(self, payload)
    }

    fn schema(&self) -> Result<Schema> {
        Schema::of::<T>()
    }
}

/// A message as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Encoded {
    /// What the payload is one of.
    pub schema: Schema,
    /// The bytes.
    pub payload: Bytes,
}

impl Encoded {
    /// A message of a Rust type as it is stored.
    ///
    /// ```
    /// use lk::component::Encoded;
    /// let state = Encoded::of(&(3_u64, "on".to_owned()))?;
    /// assert_eq!(state.to::<(u64, String)>()?, (3, "on".to_owned()));
    /// assert!(state.to::<f64>().is_err());
    /// # Ok::<(), lk::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Trace`] where the type can be no message; [`Error::Encode`].
    pub fn of<T: Msg>(message: &T) -> Result<Encoded> {
        let plan = Plan::new(&Schema::of::<T>()?);
        let mut payload = Vec::new();
        plan.encode_typed(message, &mut payload)?;
        Ok(Encoded { schema: plan.schema().clone(), payload: payload.into() })
    }

    /// The message as a Rust type.
    ///
    /// # Errors
    /// [`Error::WrongType`] where it is of another; [`Error::Decode`].
    pub fn to<T: Msg>(&self) -> Result<T> {
        let wanted = Schema::of::<T>()?;
        if wanted.fingerprint() != self.schema.fingerprint() {
            return Err(Error::WrongType {
                expected: wanted.name_and_fingerprint(),
                actual: self.schema.name_and_fingerprint(),
            });
        }
        Plan::new(&wanted).decode_typed(&self.payload)
    }
}

impl AnyMsg for Encoded {
    fn encode(&self, plan: &Plan, payload: &mut Vec<u8>) -> Result<()> {
        // Fingerprints, since two names of one layout are the same bytes.
        let wanted = plan.schema();
        if wanted.fingerprint() != self.schema.fingerprint() {
            return Err(Error::Encode {
                type_name: wanted.name().to_owned(),
                field: String::new(),
                reason: format!("the message is of type {}", self.schema.name()),
            });
        }
        payload.clear();
        payload.extend_from_slice(&self.payload);
        Ok(())
    }

    fn schema(&self) -> Result<Schema> {
        Ok(self.schema.clone())
    }

    fn encoded(&self) -> Option<&Encoded> {
        Some(self)
    }
}
