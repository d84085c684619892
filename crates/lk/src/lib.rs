//! Does the new implementation behave like the original?
//!
//! Message types and their encoding, datasets of recorded messages, and the
//! comparison of two of them.

mod error;
mod pool;
mod time;

pub mod clock;
pub mod codec;
pub mod component;
pub mod consensus;
pub mod dataset;
pub mod diff;
pub mod dist;
pub mod outcome;
pub mod playback;
pub mod recorder;
pub mod schema;
pub mod system;
#[cfg(any(test, feature = "testing"))]
#[doc(hidden)]
pub mod testing;
pub mod value;

pub use dataset::Dataset;
pub use error::{Error, Result};
pub use schema::Schema;
pub use time::{Span, Time};
pub use value::Value;

/// The README's example compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
