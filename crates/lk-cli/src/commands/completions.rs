//! `lk completions`: a script that teaches a shell the command line.

use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::context::{Context, Exit};
use crate::error::Result;

/// Print a script that completes lk's commands in a shell
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(ctx: &Context, args: &Args) -> Result<ExitCode> {
    // In memory first: the generator panics where writing fails, as it does
    // into a pipe that nobody reads any more.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "lk", &mut script);
    ctx.print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Equal.into())
}
