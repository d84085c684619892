//! What can go wrong, with what is needed to act on it.

/// The result of an operation of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong in this crate.
///
/// Messages are lower case, without a full stop, and name the thing; where
/// the user can act, [`Error::hint`] says how.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A message type that breaks the rules of the type system.
    #[error("type {type_name} is not a message type: {reason}")]
    Schema {
        /// The type, `package/msg/Type`.
        type_name: String,
        /// What rule it breaks, naming the field.
        reason: String,
    },

    /// Text of a `.msg` definition that can't be read.
    #[error("{reason} (type {type_name}, line {line})")]
    MsgText {
        /// The type that was being read.
        type_name: String,
        /// Line in the text, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },

    /// A Rust type, or a value of it, that the type system can't hold.
    #[error("field {field} of {type_name}: {reason}")]
    Trace {
        /// The Rust type.
        type_name: String,
        /// Dotted path.
        field: String,
        /// What can't be held, and what to use instead.
        reason: String,
    },

    /// A value that doesn't fit its schema.
    #[error("can't encode field {field} of {type_name}: {reason}")]
    Encode {
        /// The message type.
        type_name: String,
        /// Dotted path.
        field: String,
        /// What doesn't fit: expected and actual.
        reason: String,
    },

    /// Bytes that aren't a message of their schema.
    #[error("can't decode field {field} of {type_name} at byte {offset}: {reason}")]
    Decode {
        /// The message type.
        type_name: String,
        /// Dotted path.
        field: String,
        /// Offset in the payload, its four-byte header included.
        offset: usize,
        /// What is wrong: expected and actual.
        reason: String,
    },

    /// Reading or writing a file failed.
    #[error("can't {action} {path}")]
    Io {
        /// What was tried: `open`, `read`, `write`.
        action: &'static str,
        /// The file.
        path: String,
        /// The operating system's error.
        #[source]
        source: std::io::Error,
    },
}

impl Error {
    /// What the user can do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        None
    }
}
