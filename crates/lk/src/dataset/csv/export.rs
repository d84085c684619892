//! A channel as a table.

use std::io::Write;

use super::leaves::leaves;
use crate::codec::Plan;
use crate::dataset::ChannelView;
use crate::error::{Error, Result};
use crate::value::{Scalar, Value};

/// Writes the samples of a channel, or of a part of it, as CSV: `time_ns`
/// first, then the fields. Returns the number of rows under the header.
///
/// Numbers are written with the fewest digits that give the same bits back,
/// floats that are none as `NaN`, `inf` and `-inf`. `name` is what is written
/// to, for messages.
///
/// # Errors
/// [`Error::Export`] for a type with sequences, whose length varies;
/// [`Error::Opaque`] for a channel that lk can't decode; [`Error::Io`] where
/// writing fails; whatever reading brings.
pub fn export(view: ChannelView<'_>, out: &mut dyn Write, name: &str) -> Result<u64> {
    let schema = view.schema()?;
    let leaves = leaves(schema).map_err(|reason| Error::Export {
        key: view.key().to_owned(),
        format: "CSV",
        reason,
        advice: "NDJSON has no such limit",
    })?;
    let failed = |error: csv::Error| Error::Io {
        action: "write",
        path: name.to_owned(),
        source: match error.into_kind() {
            csv::ErrorKind::Io(source) => source,
            other => std::io::Error::other(format!("{other:?}")),
        },
    };
    let mut writer = csv::Writer::from_writer(out);
    let header = ["time_ns"].into_iter().chain(leaves.iter().map(|leaf| leaf.path.as_str()));
    writer.write_record(header).map_err(failed)?;
    let plan = Plan::new(schema);
    let mut value = Value::default_of(schema);
    let mut rows = 0;
    for sample in view.samples()? {
        let sample = sample?;
        plan.decode_into(&sample.payload, &mut value)?;
        writer.write_field(sample.time.as_nanos().to_string()).map_err(failed)?;
        for leaf in &leaves {
            let cell = match leaf.get(value.record()) {
                Some(Scalar::Text(text)) => text,
                Some(scalar) => scalar.to_string(),
                None => String::new(),
            };
            writer.write_field(cell).map_err(failed)?;
        }
        writer.write_record(None::<&[u8]>).map_err(failed)?;
        rows += 1;
    }
    writer.flush().map_err(|e| failed(e.into()))?;
    Ok(rows)
}
