//! The command `lk`: does the new implementation behave like the original?
//!
//! A library too, so that the Python package can offer the same command.

mod cli;
mod commands;
mod context;
mod error;
mod files;
mod interrupt;
mod keyboard;
mod output;
mod progress;
mod select;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};
use context::Context;
use error::Result;

/// Does what the command line says, the program's name first. Returns the exit
/// code, for help and for mistakes too.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let Cli { color, command } = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(shown) => {
            // Nobody is left to tell where this fails.
            let _ = shown.print();
            return ExitCode::from(u8::try_from(shown.exit_code()).unwrap_or(u8::MAX));
        }
    };
    let ctx = Context::detect(color);
    run(&ctx, command).unwrap_or_else(|error| ctx.fail(&error))
}

fn run(ctx: &Context, command: Command) -> Result<ExitCode> {
    match command {
        Command::Info(args) => commands::info::run(ctx, &args),
        Command::Cat(args) => commands::cat::run(ctx, &args),
        Command::Convert(args) => commands::convert::run(ctx, &args),
        Command::Filter(args) => commands::filter::run(ctx, &args),
        Command::Merge(args) => commands::merge::run(ctx, &args),
        Command::Recover(args) => commands::recover::run(ctx, &args),
        Command::Doctor(args) => commands::doctor::run(ctx, &args),
        Command::Sample(args) => commands::sample::run(ctx, &args),
        Command::Play(args) => commands::play::run(ctx, &args),
        Command::Record(args) => commands::record::run(ctx, &args),
        Command::Run(args) => commands::run::run(ctx, &args),
        Command::Diff(args) => commands::diff::run(ctx, &args),
        Command::Rejudge(args) => commands::rejudge::run(ctx, &args),
        Command::Verify(args) => commands::verify::run(ctx, &args),
        Command::Graph(args) => commands::graph::run(ctx, &args),
        Command::Init(args) => commands::init::run(ctx, &args),
        Command::Schema(args) => commands::schema::run(ctx, &args),
        Command::Completions(args) => commands::completions::run(ctx, &args),
    }
}
