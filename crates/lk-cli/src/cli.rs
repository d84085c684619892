//! The command line as a whole: commands, what holds for all of them, and the
//! exit codes.

use clap::{ColorChoice, Parser, Subcommand};

use crate::commands::{
    cat, completions, convert, diff, doctor, filter, graph, info, init, merge, play, record,
    recover, rejudge, run, sample, schema, verify,
};

/// Does the new implementation behave like the original?
//
// One paragraph for each command and no docs on values: a second one makes
// clap spread all options over three lines each.
#[derive(Debug, Parser)]
#[command(name = "lk", version, after_help = EXIT_CODES, max_term_width = 100)]
#[command(disable_help_subcommand = true)]
pub(crate) struct Cli {
    /// When to use colours; NO_COLOR is heeded
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColorChoice,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Info(info::Args),
    Cat(cat::Args),
    Convert(convert::Args),
    Filter(filter::Args),
    Merge(merge::Args),
    Recover(recover::Args),
    Doctor(doctor::Args),
    Sample(sample::Args),
    Play(play::Args),
    Record(record::Args),
    Run(run::Args),
    Diff(diff::Args),
    Rejudge(rejudge::Args),
    Verify(verify::Args),
    Graph(graph::Args),
    Init(init::Args),
    Schema(schema::Args),
    Completions(completions::Args),
}

/// At the end of `lk --help`. The codes are [`Exit`](crate::context::Exit).
const EXIT_CODES: &str = "\
Exit codes:
  0  equal: nothing differs, or no more than --allowed-violations
  1  different, or incomparable
  2  a mistake in usage or configuration, or a file that can't be read or written
  3  a candidate did not build, or did not run to the end (in lk run, any program)
  4  lk rejudge: the report can't tell
With several of these, 2 goes before 3, and 3 before 1.

References and candidates run UNCONFINED: with your rights, on your files, until
lk has its sandbox. Don't run code that you wouldn't run yourself.";

/// What the help of a command that runs programs ends with.
pub(crate) const UNCONFINED: &str = "\
Programs run UNCONFINED: with your rights, on your files, until lk has its
sandbox. Don't run code that you wouldn't run yourself.";

/// The value of `--window`.
pub(crate) fn window(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("it must be at least 1".to_owned()),
        Ok(window) => Ok(window),
        Err(_) => Err("it is no number of ticks".to_owned()),
    }
}
