//! Lines of JSON, one for each sample:
//!
//! ```json
//! {"key": "imu", "time_ns": 10078907, "sequence": 1, "value": {"x": 0.5}}
//! ```
//!
//! What JSON can't say, other lines say, before the first sample of a key:
//! its type, as `.msg` text, and its role; and once for the whole dataset its
//! facts.
//!
//! ```json
//! {"key": "imu", "type": "demo/msg/Imu", "schema": "float64 x\n", "role": "input"}
//! {"facts": {"sequence": "tick", "entries": {"seed": "7"}}}
//! ```
//!
//! Numbers are written with the fewest digits that give the same bits back,
//! floats that are no numbers as the strings `"NaN"` (with its bits where they
//! are others than usual: `"NaN(fff8000000000000)"`), `"Infinity"` and
//! `"-Infinity"`.

mod export;
mod import;
mod stream;
mod writer;

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

pub use export::{ExportOptions, export};
pub use import::{Import, ImportOptions, import};
pub use stream::{Stream, StreamOptions, Streamed, StreamedSample};
pub use writer::Writer;

use super::{Facts, Role};

/// A line that says what a key holds.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SchemaLine {
    key: String,
    #[serde(rename = "type")]
    type_name: String,
    schema: String,
    #[serde(default, skip_serializing_if = "is_none")]
    role: Role,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    optional: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<String, String>,
}

/// A line about the whole dataset.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FactsLine {
    facts: Facts,
}

/// A line that is a sample.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SampleLine<K, V> {
    key: K,
    /// Without it a stream is recorded at the time when it comes; a file that is
    /// imported has it in each line.
    #[serde(default)]
    time_ns: Option<i64>,
    /// As `time_ns` where it isn't said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    publish_time_ns: Option<i64>,
    /// Counted by key where it isn't said.
    #[serde(default)]
    sequence: Option<u32>,
    value: V,
}

/// Which of the lines one is.
#[derive(Deserialize)]
struct Kind {
    schema: Option<IgnoredAny>,
    facts: Option<IgnoredAny>,
}

fn is_none(role: &Role) -> bool {
    *role == Role::None
}

#[cfg(test)]
mod tests;
