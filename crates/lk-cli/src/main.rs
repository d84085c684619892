//! The command `lk`: does the new implementation behave like the original?

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

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};
use context::Context;
use error::Result;

fn main() -> ExitCode {
    let Cli { color, command } = Cli::parse();
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
