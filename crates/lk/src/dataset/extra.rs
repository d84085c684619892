//! What a file holds beside samples: passed on, never looked into.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::error::Result;

/// Something beside samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extra {
    /// A file within the file.
    Attachment(Attachment),
    /// Texts by name, of another producer than lk.
    Metadata(Metadata),
}

/// A file within a recording, such as a calibration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Its name.
    pub name: String,
    /// Its media type, as in MIME; empty where there is none.
    pub media_type: String,
    /// When it was recorded, in nanoseconds.
    pub log_time_ns: u64,
    /// When it was made, in nanoseconds; 0 where nobody knows.
    pub create_time_ns: u64,
    /// Its content.
    pub data: Bytes,
}

/// A record of texts by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// The record's name, which needn't be unique.
    pub name: String,
    /// Its texts.
    pub entries: BTreeMap<String, String>,
}

/// What a file holds beside samples, in its order. An error is one item of the
/// iteration.
pub type Extras<'a> = Box<dyn Iterator<Item = Result<Extra>> + Send + 'a>;

impl Extra {
    /// What it is and what it is called, for messages.
    pub fn describe(&self) -> String {
        match self {
            Extra::Attachment(attachment) => format!("attachment {}", attachment.name),
            Extra::Metadata(metadata) => format!("metadata record {}", metadata.name),
        }
    }
}
