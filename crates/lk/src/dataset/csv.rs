//! Tables of text: CSV.
//!
//! A table is one key: a row is a sample, one column its time, the others its
//! fields, nested ones as dotted columns (`pose.position.x`) and the elements
//! of fixed arrays as `covariance[3]`. Sequences of varying length have no
//! columns; for those there is [`ndjson`](super::ndjson).

mod decimal;
mod export;
mod header;
mod import;
mod leaves;

pub use export::export;
pub use import::{Import, ImportOptions, import};

use serde::{Deserialize, Serialize};

/// The unit of a column of times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TimeUnit {
    /// Seconds.
    #[serde(rename = "s")]
    Seconds,
    /// Milliseconds.
    #[serde(rename = "ms")]
    Millis,
    /// Microseconds.
    #[serde(rename = "us")]
    Micros,
    /// Nanoseconds.
    #[serde(rename = "ns")]
    Nanos,
}

impl TimeUnit {
    /// `s`, `ms`, `us` or `ns`.
    pub const fn name(self) -> &'static str {
        match self {
            TimeUnit::Seconds => "s",
            TimeUnit::Millis => "ms",
            TimeUnit::Micros => "us",
            TimeUnit::Nanos => "ns",
        }
    }

    /// The decimal digits from this unit down to nanoseconds.
    const fn digits(self) -> i32 {
        match self {
            TimeUnit::Seconds => 9,
            TimeUnit::Millis => 6,
            TimeUnit::Micros => 3,
            TimeUnit::Nanos => 0,
        }
    }
}

#[cfg(test)]
mod tests;
