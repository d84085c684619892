//! `lk info`: what is in a dataset.

use std::path::PathBuf;
use std::process::ExitCode;

use lk::Dataset;
use lk::dataset::OpenOptions;
use lk::dataset::foreign::survey;
use lk_report::{json, text};

use crate::context::{Context, Exit};
use crate::error::Result;

/// Show what is in a dataset: keys, types, counts, times, damage
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The dataset
    file: PathBuf,
    /// A folder of .msg files, for types that the recording just names
    #[arg(long, value_name = "DIR")]
    msgs: Option<PathBuf>,
    /// Read every message and check it; the exit code is 2 where some are lost, or may be
    #[arg(long)]
    check: bool,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(ctx: &Context, args: &Args) -> Result<ExitCode> {
    let mut dataset = Dataset::open_with(&args.file, &OpenOptions { msgs: args.msgs.clone() })?;
    if args.check {
        let _spinner = ctx.spinner("checking");
        dataset.check()?;
    }
    let mut info = dataset.info()?;
    if args.check {
        let [decoders] = survey([&dataset]);
        decoders.describe(&dataset, &mut info);
    }
    if args.json {
        ctx.print(&json::info(&info))?;
    } else {
        ctx.print(&text::info(&info, args.check, ctx.style))?;
    }
    Ok(if args.check && !info.integrity.is_whole() { Exit::Mistake } else { Exit::Equal }.into())
}
