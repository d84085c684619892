//! What commands know of the place where they run: terminals, colours,
//! progress, exit codes.

use std::env;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use clap::ColorChoice;
use lk::Dataset;
use lk::outcome::Failure;
use lk_report::{Style, printable};

use crate::error::{Error, Result, render_failure};
use crate::progress::Watch;

/// Where a command runs.
#[derive(Debug)]
pub(crate) struct Context {
    /// For reports on standard output.
    pub(crate) style: Style,
    /// For messages on standard error.
    stderr_color: bool,
    /// A terminal watches standard error.
    progress: bool,
}

/// How a command ends; the table is in `lk --help`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Nothing differs, or all went well.
    Equal,
    /// Something differs, or nothing could be compared.
    Different,
    /// Usage, configuration, input or output.
    Mistake,
    /// A candidate did not build, or did not run to the end.
    Failed,
    /// A report can't tell.
    Unknown,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Equal => 0,
            Exit::Different => 1,
            Exit::Mistake => 2,
            Exit::Failed => 3,
            Exit::Unknown => 4,
        })
    }
}

impl Context {
    pub(crate) fn detect(choice: ColorChoice) -> Context {
        let no_color = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || env::var_os("TERM").is_some_and(|term| term == "dumb");
        let color = |is_terminal: bool| match choice {
            ColorChoice::Auto => is_terminal && !no_color,
            ColorChoice::Always => true,
            ColorChoice::Never => false,
        };
        let columns = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
        // Prose in lines longer than this is hard to read; columns narrower
        // than this don't hold a table.
        let width = columns.map_or(Style::PLAIN.width, |columns| columns.clamp(60, 120));
        let stderr_terminal = io::stderr().is_terminal();
        Context {
            style: Style { color: color(io::stdout().is_terminal()), width },
            stderr_color: color(stderr_terminal),
            progress: stderr_terminal,
        }
    }

    /// Writes a result to standard output. A reader who has gone away has
    /// seen what it wanted: no error, and the exit code stays the result's.
    pub(crate) fn print(&self, text: &str) -> Result<()> {
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written.map_err(Error::Output),
        }
    }

    /// Says what something came to beside a result that is on standard output.
    pub(crate) fn tell(&self, text: &str) {
        // Nobody is left to tell where this fails.
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }

    /// Tells of what could not be read of a dataset whose samples were used.
    pub(crate) fn warn_of_loss(&self, dataset: &Dataset) {
        let location = dataset.location();
        let integrity = dataset.integrity();
        for problem in integrity.problems {
            self.warn(&format!("{location}: {problem}"));
        }
        for note in integrity.notes {
            self.note(&format!("{location}: {note}"));
        }
    }

    /// Says something that a user should know, beside the result.
    pub(crate) fn warn(&self, message: &str) {
        self.say("warning:", message);
    }

    /// Says something that a user should remember of the result.
    pub(crate) fn note(&self, message: &str) {
        self.say("note:", message);
    }

    fn say(&self, word: &str, message: &str) {
        let (on, off) = if self.stderr_color { ("\x1b[33m", "\x1b[0m") } else { ("", "") };
        // Nobody is left to tell where this fails.
        let _ = writeln!(io::stderr().lock(), "{on}{word}{off} {}", printable(message));
    }

    /// A sign of life while something goes on whose length isn't known.
    pub(crate) fn spinner(&self, message: &str) -> Watch {
        if self.progress { Watch::spinner(message) } else { Watch::hidden() }
    }

    /// Progress of programs that are run.
    pub(crate) fn watch(&self) -> Watch {
        self.spinner("reading")
    }

    /// Says what became of a program that was to be run alone.
    pub(crate) fn fail_program(&self, failure: &Failure) -> ExitCode {
        let text = render_failure(failure, self.stderr_color);
        let _ = io::stderr().lock().write_all(text.as_bytes());
        Exit::Failed.into()
    }

    /// Says what went wrong, why, and what to do about it.
    pub(crate) fn fail(&self, error: &Error) -> ExitCode {
        if error.is_broken_pipe() {
            return Exit::Equal.into();
        }
        let text = error.render(self.stderr_color);
        // Nobody is left to tell where even this fails.
        let _ = io::stderr().lock().write_all(text.as_bytes());
        Exit::Mistake.into()
    }
}
