//! `lk merge`: several datasets made one.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lk::Dataset;
use lk::dataset::{OpenOptions, SameKey};
use lk_report::{counted, printable};

use crate::context::{Context, Exit};
use crate::error::{Error, Result};
use crate::output::{check_output, replace, write_dataset};

/// Make one dataset of several, in order of time
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The datasets to read
    #[arg(required = true, num_args = 2..)]
    inputs: Vec<PathBuf>,
    /// The dataset to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// A key that several have becomes one, in order of time, as of a split recording
    #[arg(long, conflicts_with = "prefix")]
    join: bool,
    /// Every key gets the name of its file before it: left/imu, right/imu
    #[arg(long)]
    prefix: bool,
    /// A folder of .msg files, for types that the recordings just name
    #[arg(long, value_name = "DIR")]
    msgs: Option<PathBuf>,
    /// Overwrite the file where it exists
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(ctx: &Context, args: &Args) -> Result<ExitCode> {
    let paths: Vec<&Path> = args.inputs.iter().map(PathBuf::as_path).collect();
    check_output(&args.output, &paths, args.force)?;
    let same_key = match (args.join, args.prefix) {
        (true, _) => SameKey::Join,
        (_, true) => SameKey::Prefix,
        _ => SameKey::Refuse,
    };
    let names: Vec<String> = paths.iter().map(|path| stem(path)).collect();
    if let Some(twice) = names.iter().enumerate().find(|(n, name)| names[..*n].contains(name))
        && same_key == SameKey::Prefix
    {
        return Err(Error::Usage {
            message: format!("two of the files are called {}", twice.1),
            hint: "keys get the names of the files before them: rename one".to_owned(),
        });
    }
    let options = OpenOptions { msgs: args.msgs.clone() };
    let datasets = paths.iter().map(|path| Dataset::open_with(path, &options));
    let datasets = datasets.collect::<lk::Result<Vec<Dataset>>>()?;
    if same_key == SameKey::Refuse {
        refuse_shared_key(&datasets)?;
    }
    let sources: Vec<(&str, &Dataset)> = names.iter().map(String::as_str).zip(&datasets).collect();
    let spinner = ctx.spinner("merging");
    let outcome = replace(&args.output, args.force, |path| {
        write_dataset(path, |file| {
            let outcome = file.merge_from(&sources, same_key)?;
            datasets.iter().try_for_each(|dataset| file.note_loss(&dataset.integrity()))?;
            Ok(outcome)
        })
    })?;
    drop(spinner);
    datasets.iter().for_each(|dataset| ctx.warn_of_loss(dataset));
    outcome.notes.iter().for_each(|note| ctx.note(note));
    let output = args.output.to_string_lossy();
    ctx.print(&format!("{}: {}\n", printable(&output), counted(outcome.samples, "message")))?;
    Ok(Exit::Equal.into())
}

/// Before anything is written, with what to do about it.
fn refuse_shared_key(datasets: &[Dataset]) -> Result<()> {
    for (n, dataset) in datasets.iter().enumerate() {
        for other in &datasets[..n] {
            if let Some(key) = dataset.keys().find(|key| other.channel_id(key).is_some()) {
                return Err(Error::Usage {
                    message: format!(
                        "key {key} is in {} and in {}",
                        other.location(),
                        dataset.location()
                    ),
                    hint: "--join makes one key of them, --prefix keeps them apart".to_owned(),
                });
            }
        }
    }
    Ok(())
}

fn stem(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}
