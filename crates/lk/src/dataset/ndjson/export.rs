//! A dataset as lines of JSON.

use std::io::Write;

use super::Writer;
use crate::dataset::{ChannelId, Dataset, Query, loss};
use crate::error::{Error, Result};

/// How to write lines of JSON.
#[derive(Clone, Debug, Default)]
pub struct ExportOptions {
    /// Begin with the facts of the dataset and the type of each key, so that
    /// importing the lines gives the same dataset.
    pub schemas: bool,
    /// Stop after so many samples; all where `None`.
    pub limit: Option<u64>,
}

/// Writes samples as lines of JSON, in order of time. Returns how many.
/// `name` is what is written to, for messages.
///
/// # Errors
/// [`Error::Opaque`] where the query takes a key that lk can't decode;
/// [`Error::Export`] for a message that isn't of its key's type;
/// [`Error::Io`] where writing fails; whatever reading brings.
pub fn export(
    dataset: &Dataset,
    query: &Query,
    out: &mut dyn Write,
    name: &str,
    options: &ExportOptions,
) -> Result<u64> {
    let mut writer = Writer::new(std::io::BufWriter::new(out), name);
    let taken = |id: ChannelId| query.channels.as_ref().is_none_or(|ids| ids.contains(&id));
    let mut numbers = vec![None; dataset.channels().len()];
    for (n, channel) in (0..).zip(dataset.channels()).filter(|(n, _)| taken(ChannelId(*n))) {
        let number = writer.add(channel).map_err(|error| match error {
            Error::Opaque { key, reason, .. } => {
                Error::Opaque { key, reason, location: dataset.location() }
            }
            other => other,
        });
        numbers[n as usize] = Some(number?);
    }
    if options.schemas {
        let mut facts = dataset.facts().clone();
        loss::carry(&mut facts, &dataset.integrity());
        writer.write_facts(facts)?;
        for (channel, _) in dataset.channels().iter().zip(&numbers).filter(|(_, n)| n.is_some()) {
            writer.write_channel(channel)?;
        }
    }
    let mut count = 0;
    let limit = options.limit.and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
    for item in dataset.samples(query)?.take(limit) {
        let (ChannelId(id), sample) = item?;
        if let Some(number) = numbers[id as usize] {
            writer.write(number, &sample).map_err(|error| match error {
                Error::Decode { .. } => Error::Export {
                    key: dataset.channels()[id as usize].key.clone(),
                    format: "NDJSON",
                    reason: format!("the message at {} s: {error}", sample.time),
                    advice: "`lk doctor` says how many messages can't be decoded",
                },
                other => other,
            })?;
            count += 1;
        }
    }
    writer.flush()?;
    Ok(count)
}
