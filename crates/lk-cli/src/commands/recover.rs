//! `lk recover`: what is whole of a damaged dataset.

use std::path::PathBuf;
use std::process::ExitCode;

use lk::Dataset;
use lk::dataset::OpenOptions;
use lk_report::{bytes, counted, printable};

use crate::context::{Context, Exit};
use crate::error::Result;
use crate::output::{check_output, replace, write_dataset};

/// Write what is whole of a damaged dataset to a new file, and say what isn't; the old one stays
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The dataset to read
    input: PathBuf,
    /// The dataset to write
    output: PathBuf,
    /// A folder of .msg files, for types that the recording just names
    #[arg(long, value_name = "DIR")]
    msgs: Option<PathBuf>,
    /// Overwrite the file where it exists
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(ctx: &Context, args: &Args) -> Result<ExitCode> {
    check_output(&args.output, &[&args.input], args.force)?;
    let mut dataset = Dataset::open_with(&args.input, &OpenOptions { msgs: args.msgs.clone() })?;
    let spinner = ctx.spinner("recovering");
    let (kept, integrity) = replace(&args.output, args.force, |path| {
        write_dataset(path, |file| file.recover_from(&mut dataset))
    })?;
    drop(spinner);
    ctx.warn_of_loss(&dataset);
    kept.left_out.iter().for_each(|what| ctx.note(&format!("not copied: {what}")));
    let lost = match (integrity.is_whole(), integrity.lost_samples) {
        (true, _) => "nothing was lost".to_owned(),
        (false, Some(0)) => format!("{} of it can't be read", bytes(integrity.lost_bytes)),
        (false, Some(samples)) => format!("{} lost", counted(samples, "message")),
        (false, None) => "how many are lost is unknown".to_owned(),
    };
    let output = args.output.to_string_lossy();
    let kept = counted(kept.samples, "message");
    ctx.print(&format!("{}: {kept} recovered, {lost}\n", printable(&output)))?;
    Ok(Exit::Equal.into())
}
