//! A dataset as lines of JSON.

use std::io::Write;

use serde::Serialize;

use super::{FactsLine, SampleLine, SchemaLine};
use crate::codec::Plan;
use crate::dataset::{ChannelId, Dataset, Encoding, Facts, Query, loss};
use crate::error::{Error, Result};
use crate::value::Value;

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
/// [`Error::Io`] where writing fails; whatever reading brings.
pub fn export(
    dataset: &Dataset,
    query: &Query,
    out: &mut dyn Write,
    name: &str,
    options: &ExportOptions,
) -> Result<u64> {
    let failed = |source| Error::Io { action: "write", path: name.to_owned(), source };
    let mut out = std::io::BufWriter::new(out);
    let mut line = |line: &dyn Fn(&mut dyn Write) -> serde_json::Result<()>| {
        line(&mut out)?;
        out.write_all(b"\n").map_err(serde_json::Error::io)
    };
    let failed_json = |e: serde_json::Error| failed(e.into());
    let mut decoders = decoders(dataset, query)?;
    if options.schemas {
        let mut facts = dataset.facts().clone();
        loss::carry(&mut facts, &dataset.integrity());
        if facts != Facts::default() {
            let facts = FactsLine { facts };
            line(&|out| put(out, &facts)).map_err(failed_json)?;
        }
        for (channel, decoder) in dataset.channels().iter().zip(&decoders) {
            let Some(decoder) = decoder else { continue };
            let schema = decoder.plan.schema();
            let schema = SchemaLine {
                key: channel.key.clone(),
                type_name: schema.name().to_owned(),
                schema: schema.to_msg_text(),
                role: channel.role,
                optional: schema.optional_fields(),
                metadata: channel.metadata.clone(),
            };
            line(&|out| put(out, &schema)).map_err(failed_json)?;
        }
    }
    let mut count = 0;
    let limit = options.limit.and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
    for item in dataset.samples(query)?.take(limit) {
        let (ChannelId(id), sample) = item?;
        let Some(decoder) = &mut decoders[id as usize] else { continue };
        decoder.plan.decode_into(&sample.payload, &mut decoder.value)?;
        let sample = SampleLine {
            key: dataset.channels()[id as usize].key.as_str(),
            time_ns: sample.time.as_nanos(),
            publish_time_ns: (sample.publish_time != sample.time)
                .then(|| sample.publish_time.as_nanos()),
            sequence: Some(sample.sequence),
            value: &decoder.value,
        };
        line(&|out| put(out, &sample)).map_err(failed_json)?;
        count += 1;
    }
    out.flush().map_err(failed)?;
    Ok(count)
}

fn put(out: &mut dyn Write, line: &impl Serialize) -> serde_json::Result<()> {
    serde_json::to_writer(out, line)
}

struct Decoder {
    plan: Plan,
    value: Value,
}

/// By channel; `None` for those that the query doesn't take.
fn decoders(dataset: &Dataset, query: &Query) -> Result<Vec<Option<Decoder>>> {
    let taken = |id: ChannelId| query.channels.as_ref().is_none_or(|ids| ids.contains(&id));
    let decoder = |(id, channel): (u32, &crate::dataset::Channel)| {
        if !taken(ChannelId(id)) {
            return Ok(None);
        }
        match &channel.encoding {
            Encoding::Cdr(schema) => {
                Ok(Some(Decoder { plan: Plan::new(schema), value: Value::default_of(schema) }))
            }
            Encoding::Foreign(foreign) => Err(Error::Opaque {
                key: channel.key.clone(),
                reason: foreign.reason.clone(),
                location: dataset.location(),
            }),
        }
    };
    (0..).zip(dataset.channels()).map(decoder).collect()
}
