//! `lk cat`: messages as text.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueEnum;
use lk::Dataset;
use lk::codec::Plan;
use lk::dataset::{Encoding, OpenOptions, Query, csv, ndjson};
use lk_report::printable;

use crate::context::{Context, Exit};
use crate::error::{Error, Result};
use crate::select::Selection;

/// Print the messages of a dataset, decoded, in the order of their times
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The dataset
    file: PathBuf,
    /// A folder of .msg files, for types that the recording just names
    #[arg(long, value_name = "DIR")]
    msgs: Option<PathBuf>,
    #[command(flatten)]
    selection: Selection,
    /// Stop after so many messages
    #[arg(short = 'n', long, value_name = "N")]
    limit: Option<u64>,
    /// How to write a message
    #[arg(long, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    // Time, key and fields, for people; long arrays are cut.
    Text,
    Ndjson,
    Csv,
}

/// What is written to, in messages.
const STDOUT: &str = "standard output";

pub(crate) fn run(ctx: &Context, args: &Args) -> Result<ExitCode> {
    let options = OpenOptions { msgs: args.msgs.clone() };
    let dataset = Dataset::open_with(&args.file, &options)?.decoded();
    let query = args.selection.query(&dataset)?;
    let limit = args.limit.unwrap_or(u64::MAX);
    let mut out = BufWriter::new(io::stdout().lock());
    match args.format {
        Format::Text => text(&dataset, &query, limit, &mut out)?,
        Format::Ndjson => {
            let options = ndjson::ExportOptions { limit: args.limit, ..Default::default() };
            ndjson::export(&dataset, &query, &mut out, STDOUT, &options)?;
        }
        Format::Csv => {
            let view = args.selection.view(&dataset, &query)?.slice(..limit);
            csv::export(view, &mut out, STDOUT)?;
        }
    }
    out.flush().map_err(Error::Output)?;
    ctx.warn_of_loss(&dataset);
    Ok(Exit::Equal.into())
}

/// `12.040000000  imu  {gyro: {x: 0.5}}`, a line a message.
fn text(dataset: &Dataset, query: &Query, limit: u64, out: &mut impl Write) -> Result<()> {
    let channels: Vec<(&str, Result<Plan, &str>)> = dataset
        .channels()
        .iter()
        .map(|channel| match &channel.encoding {
            Encoding::Cdr(schema) => (channel.key.as_str(), Ok(Plan::new(schema))),
            Encoding::Foreign(foreign) => (channel.key.as_str(), Err(foreign.reason.as_str())),
        })
        .collect();
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    for item in dataset.samples(query)?.take(limit) {
        let (id, sample) = item?;
        let (key, plan) = &channels[id.0 as usize];
        let message = match plan {
            Ok(plan) => match plan.decode(&sample.payload) {
                Ok(value) => value.to_string(),
                Err(source) => {
                    let (key, source) = ((*key).to_owned(), Box::new(source));
                    return Err(Error::Sample { key, time: sample.time, source });
                }
            },
            Err(reason) => {
                format!("({} bytes, not decoded: {})", sample.payload.len(), printable(reason))
            }
        };
        writeln!(out, "{}  {}  {message}", sample.time, printable(key)).map_err(Error::Output)?;
    }
    Ok(())
}
