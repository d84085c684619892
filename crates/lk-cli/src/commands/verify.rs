//! `lk verify`: do the candidates behave like the reference?

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

use lk_compile::{Manifest, RunOptions, VerifyOptions, job};
use lk_report::{json, junit, text};

use crate::cli::{UNCONFINED, window};
use crate::context::Context;
use crate::error::Result;
use crate::files;
use crate::interrupt;

/// Build and run the candidates, and compare what they do with the reference
#[derive(Debug, clap::Args)]
#[command(after_help = UNCONFINED)]
pub(crate) struct Args {
    /// The folder of lk.toml
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Only this candidate, and may be given again; all but those with
    /// `default = false` where none is
    #[arg(long, value_name = "NAME")]
    candidate: Vec<String>,
    /// Run the reference even where its recording is cached
    #[arg(long)]
    no_cache: bool,
    /// Print the whole outcome as JSON
    #[arg(long)]
    json: bool,
    /// Where recordings and report.json go: target/lk beside lk.toml unless
    /// said otherwise
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write the outcome as JUnit XML to a file, a suite for each candidate
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Ticks sent ahead of their answers; changes throughput and nothing else
    #[arg(long, value_name = "N", value_parser = window)]
    window: Option<usize>,
}

pub(crate) fn run(ctx: &Context, args: &Args) -> Result<ExitCode> {
    let manifest = Manifest::load(&args.dir)?;
    let mut run = RunOptions::default();
    run.window_ticks = args.window.unwrap_or(run.window_ticks);
    let out = args.out.clone().unwrap_or_else(|| job::default_output_dir(&manifest));
    let options = VerifyOptions {
        candidates: args.candidate.clone(),
        cache_dir: if args.no_cache { None } else { cache_dir() },
        output_dir: Some(out.clone()),
        run,
        ..VerifyOptions::default()
    };

    interrupt::take_programs_along()?;
    let watch = ctx.watch();
    let outcome = lk_compile::verify(&manifest, &options, &mut |progress| watch.show(progress))?;
    drop(watch);
    if let Some(path) = &args.junit {
        files::write_text(path, &junit::verify(&outcome))?;
    }
    if args.json {
        ctx.print(&json::verify(&outcome))?;
    } else {
        let report = out.join("report.json");
        ctx.print(&text::verify(&outcome, Some(&report.to_string_lossy()), ctx.style))?;
    }
    Ok(ExitCode::from(lk_compile::exit_code(&outcome)))
}

/// The user's folder for what can be made again, by the XDG specification;
/// none where there is no home either.
fn cache_dir() -> Option<PathBuf> {
    let absolute = |path: &PathBuf| path.is_absolute();
    env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(absolute).or_else(|| {
        env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")).filter(absolute)
    })
}
