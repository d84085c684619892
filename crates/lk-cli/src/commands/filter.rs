//! `lk filter`: a part of a dataset.

use std::path::PathBuf;
use std::process::ExitCode;

use lk::Dataset;
use lk::dataset::OpenOptions;
use lk_report::{counted, printable};

use crate::context::{Context, Exit};
use crate::error::{Error, Result};
use crate::output::{check_output, replace, write_dataset};
use crate::select::Selection;

/// Write a part of a dataset: some keys, some time; what is kept stays as it is
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The dataset to read
    input: PathBuf,
    /// The dataset to write
    output: PathBuf,
    #[command(flatten)]
    selection: Selection,
    /// Leave out keys that match, of those taken; may be given again
    #[arg(long, value_name = "GLOB")]
    exclude: Vec<String>,
    /// A folder of .msg files, for types that the recording just names
    #[arg(long, value_name = "DIR")]
    msgs: Option<PathBuf>,
    /// Overwrite the file where it exists
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(ctx: &Context, args: &Args) -> Result<ExitCode> {
    check_output(&args.output, &[&args.input], args.force)?;
    let dataset = Dataset::open_with(&args.input, &OpenOptions { msgs: args.msgs.clone() })?;
    let mut query = args.selection.query(&dataset)?;
    let excluded = Selection::excluded(&args.exclude, &dataset)?;
    query.channels.iter_mut().for_each(|taken| taken.retain(|id| !excluded.contains(id)));
    if query.channels.as_ref().is_some_and(Vec::is_empty) {
        return Err(Error::Usage {
            message: format!("no key is left of {}", dataset.location()),
            hint: "`lk info` shows its keys".to_owned(),
        });
    }
    let all = dataset.len()?;
    let spinner = ctx.spinner("filtering");
    let kept = replace(&args.output, args.force, |path| {
        write_dataset(path, |file| file.copy_some(&dataset, &query))
    })?;
    drop(spinner);
    ctx.warn_of_loss(&dataset);
    kept.left_out.iter().for_each(|what| ctx.note(&format!("not copied: {what}")));
    let output = args.output.to_string_lossy();
    ctx.print(&format!("{}: {} of {all}\n", printable(&output), counted(kept.samples, "message")))?;
    Ok(Exit::Equal.into())
}
