//! Message types from Rust types, by their `serde` implementation.
//!
//! Any type that derives `Serialize` and `Deserialize` is a message; nothing
//! else is needed. Its schema is found by deserializing it from samples and
//! noting, field by field, what it asks for.
//!
//! | Rust, as serde sees it | message |
//! | --- | --- |
//! | `bool`, `i8`..`i64`, `u8`..`u64`, `f32`, `f64` | `bool`, `int8`..`int64`, `uint8`..`uint64`, `float32`, `float64` |
//! | `usize`, `isize` | `uint64`, `int64` |
//! | `char` | `uint32`, the code point |
//! | `String`, and what reads itself from a string | `string` |
//! | bytes (`serde_bytes`) and `Vec<u8>` | `uint8[]` |
//! | struct | a nested message of its name, its fields in order |
//! | newtype struct, `#[serde(transparent)]`, `Box`, `Arc` | what is inside |
//! | unit, unit struct, `[T; 0]` | a message without fields |
//! | tuple, tuple struct, array `[T; N]` with elements alike | `T[N]` |
//! | tuple or tuple struct with unlike elements | a nested message with fields `e0`, `e1`, ... |
//! | `Vec`, `VecDeque`, `BTreeSet` and other sequences | `T[]` (a `HashSet` too, but its order differs from run to run) |
//! | `Option<T>` | `T[<=1]`, marked optional |
//! | sequence, array or `Option` inside one of these three | a nested message with the one field `data` |
//! | enum of plain variants | `uint8` (above 256 variants `uint16`): the position among the variants, with a constant `FIELD_VARIANT` each in the message that holds the field |
//! | [`Time`](crate::Time) | `builtin_interfaces/Time` |
//! | `std::time::Duration`, `SystemTime` | a nested message, as the struct that serde makes of them |
//! | `nalgebra`, `glam` | vectors, quaternions and matrices are `float64[N]` |
//!
//! As a whole message, what isn't a struct is wrapped into one field `data`:
//! `f64` is `lk/msg/Float64`, `Vec<f64>` is `lk/msg/Float64Array`.
//!
//! **Names.** A struct is `lk/msg/Name` after its serde name, made valid (`my_type` becomes
//! `MyType`). Different types of one name (two instances of a generic type, or of two modules)
//! are numbered in the order in which they are met: `G`, `G2`; equal ones share a name. A serde
//! name of the form `package/msg/Type` is taken as it is. Field names must be valid in ROS 2.
//!
//! **Attributes.** `rename`, `default`, `alias` on fields, `with`, `try_from` and `skip` work. A
//! field that is left out on one side only (`skip_serializing`, `skip_deserializing`,
//! `skip_serializing_if`), or has two names, is an error when a value is encoded.
//!
//! **Types that check themselves**, such as `NonZeroU32`, are offered other samples until they
//! take one.
//!
//! **Refused**, by an error that names the field and says what to use instead: maps and `flatten`,
//! enums with data, untagged and internally tagged enums, variant aliases, 128-bit integers,
//! types that contain themselves.

mod message;
mod naming;
mod refusal;
mod sample;
mod shape;
mod tracer;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::schema::{MessageType, Schema};
use crate::{Error, Result};

pub(crate) use naming::constant_chars;
use refusal::Refusal;
use shape::Node;
#[cfg(test)]
pub(crate) use tests::many;
use tracer::{Run, Tracer};

impl Schema {
    /// The schema of a Rust type, in package `lk`; module
    /// [`trace`](crate::schema::trace) says what becomes of which type.
    ///
    /// Traces the type anew with every call (microseconds); keep the result.
    ///
    /// ```
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Serialize, Deserialize)]
    /// struct Wheel {
    ///     speed: f64,
    ///     slip: Option<f32>,
    /// }
    ///
    /// let schema = lk::Schema::of::<Wheel>()?;
    /// assert_eq!(schema.name(), "lk/msg/Wheel");
    /// assert_eq!(schema.root().fields[1].ty.to_string(), "float32[<=1]");
    /// # Ok::<(), lk::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Trace`] where the type holds what no message can; it names
    /// the field and what to use instead.
    pub fn of<T: DeserializeOwned>() -> Result<Schema> {
        Schema::new(message_of::<T>(None)?)
    }

    /// Like [`Schema::of`], with a name (`package/msg/Type`) for the type.
    /// Types nested in it are named in the same package.
    ///
    /// # Errors
    ///
    /// As [`Schema::of`], and where `name` has another form.
    pub fn of_named<T: DeserializeOwned>(name: &str) -> Result<Schema> {
        Schema::new(message_of::<T>(Some(name))?)
    }
}

fn message_of<T: DeserializeOwned>(name: Option<&str>) -> Result<Arc<MessageType>> {
    trace::<T>().and_then(|root| message::message_type(&root, name)).map_err(|refusal| {
        let (field, reason) = refusal.into_parts();
        Error::Trace { type_name: std::any::type_name::<T>().to_owned(), field, reason }
    })
}

/// Deserializes samples until every part of the type has been seen.
///
/// Ends, since every run sees something new or counts one more refusal at a
/// node, of which there are so many.
fn trace<T: DeserializeOwned>() -> Result<Node, Refusal> {
    let mut root = Node::default();
    let mut run = Run::default();
    loop {
        run = run.next();
        match T::deserialize(Tracer::new(&mut root, &mut run)) {
            Ok(_) => match root.unfinished() {
                None => return Ok(root),
                Some(_) if run.learned => {}
                Some(path) => {
                    let refusal = Refusal::fatal(
                        "the type declares it, but never reads it; remove it from the type",
                    );
                    return Err(path.into_iter().fold(refusal, Refusal::within));
                }
            },
            Err(refusal) => {
                let refusal = tracer::blame(&mut root, refusal);
                if refusal.is_final() {
                    return Err(refusal);
                }
            }
        }
    }
}
