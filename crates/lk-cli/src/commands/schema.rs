//! `lk schema`: what `lk.toml` may hold, for editors.

use std::process::ExitCode;

use crate::context::{Context, Exit};
use crate::error::Result;

/// Print the JSON Schema of lk.toml, for editors that complete and check
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(ctx: &Context, Args {}: &Args) -> Result<ExitCode> {
    ctx.print(&format!("{:#}\n", lk_compile::manifest::json_schema()))?;
    Ok(Exit::Equal.into())
}
