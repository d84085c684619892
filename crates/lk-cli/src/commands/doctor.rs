//! `lk doctor`: what is odd about a dataset.

use std::path::PathBuf;
use std::process::ExitCode;

use lk::Dataset;
use lk::dataset::OpenOptions;
use lk_report::{json, text};

use crate::context::{Context, Exit};
use crate::error::Result;

/// Read every message of a dataset and say what is odd: losses, gaps, order, NaN, clocks
#[derive(Debug, clap::Args)]
#[command(after_help = "The exit code is 2 where something is lost or can't be read, else 0.")]
pub(crate) struct Args {
    /// The dataset
    file: PathBuf,
    /// A folder of .msg files, for types that the recording just names
    #[arg(long, value_name = "DIR")]
    msgs: Option<PathBuf>,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(ctx: &Context, args: &Args) -> Result<ExitCode> {
    let mut dataset = Dataset::open_with(&args.file, &OpenOptions { msgs: args.msgs.clone() })?;
    let spinner = ctx.spinner("examining");
    let diagnosis = dataset.diagnose()?;
    drop(spinner);
    if args.json {
        ctx.print(&json::diagnosis(&diagnosis))?;
    } else {
        ctx.print(&text::diagnosis(&diagnosis, ctx.style))?;
    }
    Ok(if diagnosis.is_sound() { Exit::Equal } else { Exit::Mistake }.into())
}
