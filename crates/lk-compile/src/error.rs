//! What can go wrong, with what is needed to act on it.

use std::path::{Path, PathBuf};

use lk::Time;
use lk::outcome::Failure;

/// The result of an operation of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong in this crate.
///
/// A candidate that fails is no error but an outcome
/// ([`lk::outcome::Failure`]).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no `lk.toml` where one was looked for.
    #[error("no lk.toml in {}", dir.display())]
    NoManifest {
        /// The folder.
        dir: PathBuf,
    },

    /// Something in `lk.toml` that can't be right.
    #[error("{message} ({}{})", path.display(), line.map(|n| format!(", line {n}")).unwrap_or_default())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// Line, from 1, where it is known.
        line: Option<usize>,
        /// What is wrong, naming the key.
        message: String,
        /// What to do about it.
        hint: Option<String>,
    },

    /// Reading or writing a file failed.
    #[error("can't {action} {}", path.display())]
    Io {
        /// What was tried: `read`, `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        #[source]
        source: std::io::Error,
    },

    /// A dataset that doesn't fit the component.
    #[error("{message} ({path})")]
    Data {
        /// What is wrong, naming the key and the port.
        message: String,
        /// The dataset.
        path: String,
        /// What to do about it.
        hint: Option<String>,
    },

    /// A candidate that `lk.toml` doesn't have.
    #[error("no candidate {name} ({})", path.display())]
    UnknownCandidate {
        /// What was asked for.
        name: String,
        /// The file.
        path: PathBuf,
        /// Which there are.
        hint: Option<String>,
    },

    /// The reference did not build, or did not run to the end.
    #[error("{}", .0.message)]
    Reference(Box<Failure>),

    /// A program of a running system that failed, with the end of its log.
    #[error("{}", with_log(.0))]
    Program(Box<Failure>),

    /// A step at a time before that of the step before it.
    #[error("{program} can't be stepped at {time} s, after it was at {last} s: time goes back")]
    StepTime {
        /// The program: `candidate cpp`.
        program: String,
        /// The time of the step.
        time: Time,
        /// The time of the step before it.
        last: Time,
    },

    /// A result that JSON can't hold.
    #[error("can't write {} as JSON", path.display())]
    Report {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },

    /// The inputs make more ticks than can be run.
    #[error("the inputs make more than {max} ticks")]
    TooManyTicks {
        /// How many there may be.
        max: usize,
    },

    /// An input that fits no frame of the protocol.
    #[error("{message}: a frame holds 4 GiB")]
    TooLong {
        /// Which one.
        message: String,
    },

    /// A program's pipe failed, from this side.
    #[error("can't talk to {program}")]
    Pipe {
        /// The program: `candidate cpp`.
        program: String,
        /// The operating system's error.
        #[source]
        source: std::io::Error,
    },

    /// Two ports whose types have one name and differ, so that no code can
    /// have both.
    #[error("{first} and {second} both use {type_name}, and mean different types")]
    TypesDiffer {
        /// The type, `package/msg/Type`.
        type_name: String,
        /// Who uses the one: `port imu`.
        first: String,
        /// Who uses the other.
        second: String,
    },

    /// A language that nothing is generated in.
    #[error("there is no scaffold for {name:?}")]
    UnknownLanguage {
        /// What was asked for.
        name: String,
        /// What there is.
        hint: Option<String>,
    },

    /// Types or harness that are not as they would be generated now.
    #[error(
        "{} {}",
        path.display(),
        if *missing { "is missing" } else { "is not what lk generates for this component" }
    )]
    StaleScaffold {
        /// The file.
        path: PathBuf,
        /// Whether it isn't there at all.
        missing: bool,
    },

    /// From the library, about `context`.
    #[error("{context}")]
    In {
        /// What was being done: `type attitude_filter/msg/Imu of input imu`.
        context: String,
        /// What was wrong with it.
        #[source]
        source: Box<lk::Error>,
    },

    /// From the library.
    #[error(transparent)]
    Lk(#[from] lk::Error),
}

impl Error {
    /// What the user can do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::NoManifest { .. } => {
                Some("give the folder of a component, or write an lk.toml there".into())
            }
            Error::Manifest { hint, .. } => hint.clone(),
            Error::In { source, .. } => source.hint(),
            Error::Lk(error) => error.hint(),
            Error::Data { hint, .. } | Error::UnknownCandidate { hint, .. } => hint.clone(),
            Error::TooManyTicks { .. } => Some(
                "look for a wrong time among the inputs, or make fewer ticks in `[tick]`".into(),
            ),
            Error::TypesDiffer { .. } => Some("give one of the two types another name".into()),
            Error::UnknownLanguage { hint, .. } => hint.clone(),
            Error::StaleScaffold { .. } => Some(
                "renew types and harness with `lk init --refresh`; the component stays as it is"
                    .into(),
            ),
            Error::Reference(failure) | Error::Program(failure) => failure.hint.clone(),
            Error::StepTime { .. } => Some("reset it to begin anew".into()),
            Error::Report { .. }
            | Error::Io { .. }
            | Error::TooLong { .. }
            | Error::Pipe { .. } => None,
        }
    }

    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.to_path_buf();
        move |source| Error::Io { action, path, source }
    }

    pub(crate) fn report(path: &Path) -> impl FnOnce(serde_json::Error) -> Error {
        let path = path.to_path_buf();
        move |source| Error::Report { path, source }
    }

    pub(crate) fn context(context: impl Into<String>) -> impl FnOnce(lk::Error) -> Error {
        let context = context.into();
        move |source| Error::In { context, source: Box::new(source) }
    }
}

/// What failed, and the end of its log.
fn with_log(failure: &Failure) -> String {
    if failure.log.is_empty() {
        return failure.message.clone();
    }
    format!("{}; its log ends:\n  {}", failure.message, failure.log.join("\n  "))
}
