//! `lk run`: one program, a dataset in and a dataset out.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lk_compile::{Job, Manifest, Program, RunOptions, job};
use lk_report::text;

use crate::cli::{UNCONFINED, window};
use crate::context::{Context, Exit};
use crate::error::{Error, Result};
use crate::interrupt;

/// Run the reference or a candidate on the inputs, and record what it does
#[derive(Debug, clap::Args)]
#[command(after_help = UNCONFINED)]
pub(crate) struct Args {
    /// The folder of lk.toml
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// `reference`, or the name of a candidate
    #[arg(long, value_name = "NAME", default_value = REFERENCE)]
    program: String,
    /// The dataset of inputs, instead of the one that lk.toml names
    #[arg(long, value_name = "FILE")]
    inputs: Option<PathBuf>,
    /// The file to write, with inputs, outputs and state
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Overwrite the file where it exists
    #[arg(long)]
    force: bool,
    /// Ticks sent ahead of their answers; changes throughput and nothing else
    #[arg(long, value_name = "N", value_parser = window)]
    window: Option<usize>,
}

pub(super) const REFERENCE: &str = "reference";

pub(crate) fn run(ctx: &Context, args: &Args) -> Result<ExitCode> {
    let manifest = Manifest::load(&args.dir)?;
    let program = program_of(&manifest, &args.program)?;
    check_output(&args.output, args.force)?;
    let mut options = RunOptions::default();
    options.window_ticks = args.window.unwrap_or(options.window_ticks);
    let job = Job::new(&manifest, args.inputs.as_deref(), None, options)?;

    interrupt::take_programs_along()?;
    let watch = ctx.watch();
    let mut progress = |progress: lk_compile::Progress<'_>| watch.show(progress);
    let recorded = match job.build(program, &mut progress)? {
        Err(failure) => Err(failure),
        Ok(built) => job.run(&built, &mut progress)?,
    };
    drop(watch);
    let recorded = match recorded {
        Ok(recorded) => recorded,
        Err(failure) => return Ok(ctx.fail_program(&failure)),
    };
    job::save(&recorded.dataset, &args.output)?;
    for note in job.notes() {
        ctx.note(&note);
    }
    let path = args.output.to_string_lossy();
    ctx.print(&text::run(&args.program, &recorded.outcome, &path, ctx.style))?;
    Ok(Exit::Equal.into())
}

/// The reference, or the candidate of this name.
pub(super) fn program_of(manifest: &Manifest, name: &str) -> Result<Program> {
    if name != REFERENCE {
        return Ok(manifest.candidate_program(name)?);
    }
    manifest.reference_program().ok_or_else(|| Error::Usage {
        message: format!("the reference is no program to run ({})", manifest.path.display()),
        hint: "name a candidate with --program".to_owned(),
    })
}

/// Before the work rather than after it.
pub(super) fn check_output(path: &Path, force: bool) -> Result<()> {
    if path.extension().is_none_or(|extension| !extension.eq_ignore_ascii_case("mcap")) {
        return Err(Error::Usage {
            message: format!("can't record to {}", path.display()),
            hint: "name a file that ends in .mcap".to_owned(),
        });
    }
    if path.exists() && !force {
        return Err(Error::exists(path));
    }
    Ok(())
}
