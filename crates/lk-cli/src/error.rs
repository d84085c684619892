//! What can go wrong in a command, and the one place that shows it.

use std::error::Error as _;
use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};

use lk::Time;
use lk::outcome::Failure;
use lk_report::printable;

pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong in a command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Lk(#[from] lk::Error),

    #[error(transparent)]
    Compile(#[from] lk_compile::Error),

    #[error("can't show the message of key {key} at {time} s")]
    Sample { key: String, time: Time, source: Box<lk::Error> },

    #[error("can't {action} {}", path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },

    #[error("file exists: {}", path.display())]
    Exists { path: PathBuf },

    #[error("not a tolerance policy: {}", path.display())]
    Policy { path: PathBuf, source: Box<toml::de::Error> },

    #[error("not a report of lk diff or lk verify: {}", path.display())]
    Report { path: PathBuf, source: serde_json::Error },

    #[error("{message}")]
    Usage { message: String, hint: String },

    #[error("can't take signals")]
    Signals(#[source] io::Error),

    #[error("can't take keys from the terminal")]
    Terminal(#[source] io::Error),

    #[error("can't write to standard output")]
    Output(#[source] io::Error),
}

impl Error {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        let path = path.to_owned();
        move |source| Error::Io { action, path, source }
    }

    pub(crate) fn exists(path: &Path) -> Error {
        Error::Exists { path: path.to_owned() }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Error::Lk(lk::Error::Import { .. }) => Some(
                "`lk convert --help` says how to name times, their unit (--time-unit), types, fields \
                 and what to leave out"
                    .to_owned(),
            ),
            Error::Lk(lk::Error::Damaged { .. }) => {
                Some("`lk recover` writes what is whole of it to another file".to_owned())
            }
            Error::Lk(error) => error.hint(),
            Error::Compile(error) => error.hint(),
            Error::Sample { source, .. } => source.hint(),
            Error::Usage { hint, .. } => Some(hint.clone()),
            Error::Exists { .. } => {
                Some("choose another name, or overwrite it with --force".into())
            }
            Error::Report { .. } => Some("lk diff writes one with --json or -o".to_owned()),
            Error::Io { .. }
            | Error::Policy { .. }
            | Error::Signals(_)
            | Error::Terminal(_)
            | Error::Output(_) => None,
        }
    }

    /// Whoever read standard output has gone away.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        match self {
            Error::Output(error) | Error::Lk(lk::Error::Io { source: error, .. }) => {
                error.kind() == io::ErrorKind::BrokenPipe
            }
            _ => false,
        }
    }

    /// The end of the log of a program that failed.
    fn log(&self) -> &[String] {
        match self {
            Error::Compile(lk_compile::Error::Reference(failure)) => &failure.log,
            _ => &[],
        }
    }

    /// `error: ...`, then what caused it, then what to do about it.
    pub(crate) fn render(&self, color: bool) -> String {
        let mut causes = Vec::new();
        let mut source = self.source();
        while let Some(cause) = source {
            causes.push(cause.to_string());
            source = cause.source();
        }
        let told = Told { message: self.to_string(), causes, hint: self.hint(), log: self.log() };
        told.render(color)
    }
}

/// What is told of anything that went wrong.
struct Told<'a> {
    message: String,
    causes: Vec<String>,
    hint: Option<String>,
    log: &'a [String],
}

impl Told<'_> {
    fn render(&self, color: bool) -> String {
        let paint = |code: &str, word: &str| match color {
            true => format!("\x1b[{code}m{word}\x1b[0m"),
            false => word.to_owned(),
        };
        let mut text = String::new();
        let mut line = |head: &str, body: &str| {
            // Parsers' messages have several lines, with a caret that points.
            let mut lines = body.trim_end().lines();
            let first = lines.next().unwrap_or_default();
            let _ = writeln!(text, "{}", format!("{head} {}", printable(first)).trim_end());
            lines.for_each(|next| _ = writeln!(text, "    {}", printable(next)));
        };
        line(&paint("1;31", "error:"), &self.message);
        self.causes.iter().for_each(|cause| line("  caused by:", cause));
        if let Some(hint) = &self.hint {
            line(&paint("1", "hint:"), hint);
        }
        if !self.log.is_empty() {
            line(&paint("2", "its log:"), "");
            self.log.iter().for_each(|row| line(&paint("2", "  |"), row));
        }
        text
    }
}

/// The failure of a program, told as an error is.
pub(crate) fn render_failure(failure: &Failure, color: bool) -> String {
    let (message, hint) = (failure.message.clone(), failure.hint.clone());
    Told { message, causes: Vec::new(), hint, log: &failure.log }.render(color)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_shown_with_its_cause_and_what_to_do() {
        let source = io::Error::from(io::ErrorKind::NotFound);
        let error = Error::Lk(lk::Error::Io { action: "open", path: "a\x1b.mcap".into(), source });
        assert_eq!(
            error.render(false),
            "error: can't open a\\u{1b}.mcap\n  caused by: entity not found\n"
        );
        let error = Error::Lk(lk::Error::FileExists { path: "b.mcap".to_owned() });
        assert_eq!(
            error.render(false),
            "error: file exists: b.mcap\n\
             hint: choose another name, or ask for it to be overwritten\n"
        );
        assert!(error.render(true).starts_with("\x1b[1;31merror:\x1b[0m file exists"));
    }
}
