//! What is in a dataset, without its samples.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Channel, ChannelStats, Dataset, Encoding, Integrity, Role, SequenceMeaning};
use crate::error::Result;
use crate::time::Time;

/// What is in a dataset: plain facts, for display.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DatasetInfo {
    /// Where the bytes are: a path, or `memory`.
    pub location: String,
    /// Samples in all channels.
    pub samples: u64,
    /// Earliest time; `None` where there is no sample.
    #[serde(rename = "first_ns", with = "crate::time::optional_nanos")]
    pub first: Option<Time>,
    /// Latest time; `None` where there is no sample.
    #[serde(rename = "last_ns", with = "crate::time::optional_nanos")]
    pub last: Option<Time>,
    /// What sequence numbers count.
    pub sequence: SequenceMeaning,
    /// lk's own facts, by name.
    pub facts: BTreeMap<String, String>,
    /// The channels, sorted by key.
    pub channels: Vec<ChannelInfo>,
    /// What is wrong as far as it is known; [`Dataset::check`] finds out.
    pub integrity: Integrity,
}

/// What is in one channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChannelInfo {
    /// The key.
    pub key: String,
    /// What it is to its component.
    pub role: Role,
    /// Name of the message type; empty where there is none.
    pub type_name: String,
    /// Of the messages: `cdr`, `json`.
    pub encoding: String,
    /// Why its messages can't be decoded; `None` where they can.
    pub opaque_reason: Option<String>,
    /// Samples.
    pub samples: u64,
    /// Earliest time; `None` in an empty channel.
    #[serde(rename = "first_ns", with = "crate::time::optional_nanos")]
    pub first: Option<Time>,
    /// Latest time; `None` in an empty channel.
    #[serde(rename = "last_ns", with = "crate::time::optional_nanos")]
    pub last: Option<Time>,
}

impl Dataset {
    /// What is in it, by counts and extents alone where there is an index.
    ///
    /// # Errors
    /// Where a file has no usable index and reading it fails.
    pub fn info(&self) -> Result<DatasetInfo> {
        let stats = self.stats()?;
        let mut channels: Vec<ChannelInfo> = self
            .channels()
            .iter()
            .zip(&stats)
            .map(|(channel, stats)| ChannelInfo::new(channel, stats))
            .collect();
        channels.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(DatasetInfo {
            location: self.location(),
            samples: stats.iter().map(|stats| stats.count).sum(),
            first: stats.iter().filter_map(|stats| stats.first).min(),
            last: stats.iter().filter_map(|stats| stats.last).max(),
            sequence: self.facts().sequence,
            facts: self.facts().entries.clone(),
            channels,
            integrity: self.integrity(),
        })
    }
}

impl ChannelInfo {
    fn new(channel: &Channel, stats: &ChannelStats) -> ChannelInfo {
        let (type_name, encoding, opaque_reason) = match &channel.encoding {
            Encoding::Cdr(schema) => (schema.name().to_owned(), "cdr".to_owned(), None),
            Encoding::Foreign(foreign) => (
                foreign.schema_name.clone(),
                foreign.message_encoding.clone(),
                Some(foreign.reason.clone()),
            ),
        };
        ChannelInfo {
            key: channel.key.clone(),
            role: channel.role,
            type_name,
            encoding,
            opaque_reason,
            samples: stats.count,
            first: stats.first,
            last: stats.last,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Schema;

    #[test]
    fn info_is_sorted_by_key_and_spans_all_channels() {
        let schema = Schema::parse("test/msg/Number", "float64 value\n").unwrap();
        let mut dataset = Dataset::memory();
        for (key, nanos) in [("b", [5, 9]), ("a", [3, 7])] {
            let id = dataset.channel_for(key, &schema).unwrap();
            for time in nanos {
                dataset.write_payload(id, vec![0, 1, 0, 0], Time::from_nanos(time)).unwrap();
            }
        }
        let info = dataset.info().unwrap();
        assert_eq!(info.samples, 4);
        assert_eq!((info.first, info.last), (Some(Time::from_nanos(3)), Some(Time::from_nanos(9))));
        let keys: Vec<_> = info.channels.iter().map(|channel| channel.key.as_str()).collect();
        assert_eq!(keys, ["a", "b"]);
        assert_eq!(info.channels[1].first, Some(Time::from_nanos(5)));
        assert_eq!(info.channels[0].type_name, "test/msg/Number");
    }
}
