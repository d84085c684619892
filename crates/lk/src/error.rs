//! What can go wrong, with what is needed to act on it.

pub(crate) mod fault;

use crate::time::Time;

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

    /// A type that a `.msg` definition names and nothing defines.
    #[error("unknown type {wanted}{}", named_in(.type_name, *.line))]
    UnknownType {
        /// The type that is not known, `package/msg/Type`.
        wanted: String,
        /// The type whose definition names it; the same where it is the root.
        type_name: String,
        /// Line in the text, from 1; 0 where the type itself was asked for.
        line: usize,
        /// A known type of the same short name.
        similar: Option<String>,
    },

    /// A value that doesn't fit its schema.
    #[error("{}{type_name} can't hold the value: {reason}", field_of(.field))]
    Value {
        /// The message type.
        type_name: String,
        /// Dotted path; empty where it is the message itself.
        field: String,
        /// What doesn't fit: expected and actual.
        reason: String,
    },

    /// A value of one type where another is asked for.
    #[error("expected a message of type {expected}, got one of type {actual}")]
    WrongType {
        /// Name and fingerprint of the type that is asked for.
        expected: String,
        /// Name and fingerprint of what was given.
        actual: String,
    },

    /// A Rust type, or a value of it, that the type system can't hold.
    #[error("{}{type_name} can't be a message: {reason}", field_of(.field))]
    Trace {
        /// The Rust type.
        type_name: String,
        /// Dotted path; empty where it is the type itself.
        field: String,
        /// What can't be held, and what to use instead.
        reason: String,
    },

    /// A value that can't be written by its schema.
    #[error("can't encode {}{type_name}: {reason}", field_of(.field))]
    Encode {
        /// The message type.
        type_name: String,
        /// Dotted path; empty where it is the message itself.
        field: String,
        /// What doesn't fit: expected and actual.
        reason: String,
    },

    /// Bytes that aren't a message of their schema.
    #[error("can't decode {}{type_name} at byte {offset}: {reason}", field_of(.field))]
    Decode {
        /// The message type.
        type_name: String,
        /// Dotted path; empty where it is the message itself.
        field: String,
        /// Offset in the payload, its four-byte header included.
        offset: usize,
        /// What is wrong: expected and actual.
        reason: String,
    },

    /// A rule, or another part of a comparison's policy, that makes no sense.
    #[error("rule `{rule}`: {reason}")]
    Policy {
        /// The rule as text, or the name of the part.
        rule: String,
        /// What is wrong with it.
        reason: String,
        /// What may have been meant instead, nearest first.
        suggestions: Vec<String>,
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

    /// Writing to a file failed, at this call or an earlier one: nothing more
    /// goes into it.
    #[error("can't {action} {path}, of which {} safe", first_samples(*.safe_samples))]
    Writing {
        /// What was tried: `write`, `sync`.
        action: &'static str,
        /// The file.
        path: String,
        /// The first so many samples that were written are in the file; where
        /// a `sync` failed, on the disk.
        safe_samples: u64,
        /// The operating system's error, the same with each call.
        #[source]
        source: std::sync::Arc<std::io::Error>,
    },

    /// Some of the backends that are written at once failed.
    #[error("{} of {count} copies failed: {}", .failed.len(), .failed.join(", "))]
    Tee {
        /// Where those that failed are.
        failed: Vec<String>,
        /// How many there are.
        count: usize,
        /// What the first of them says.
        source: Box<Error>,
    },

    /// A key that a dataset doesn't have.
    #[error("no key {key} in {location}")]
    UnknownKey {
        /// The key that was asked for.
        key: String,
        /// The dataset: a path, or `memory`.
        location: String,
        /// The keys that there are.
        known: Vec<String>,
    },

    /// A channel number that a dataset doesn't have.
    #[error("no channel number {channel} in {location}, which has {count}")]
    UnknownChannel {
        /// The number, from 0.
        channel: u32,
        /// Channels that there are.
        count: usize,
        /// The dataset: a path, or `memory`.
        location: String,
    },

    /// A key was added twice.
    #[error("key {key} is already in {location}")]
    DuplicateKey {
        /// The key.
        key: String,
        /// The dataset: a path, or `memory`.
        location: String,
    },

    /// What was written to a key, or read from it, is of another type than
    /// its channel.
    #[error("key {key} holds {expected}, not {actual} ({location})")]
    TypeMismatch {
        /// The key.
        key: String,
        /// What the channel holds.
        expected: String,
        /// What was given, or asked for.
        actual: String,
        /// The dataset: a path, or `memory`.
        location: String,
    },

    /// The payloads of a key can't be decoded, only passed through.
    #[error("can't decode key {key}: {reason} ({location})")]
    Opaque {
        /// The key.
        key: String,
        /// Why not.
        reason: String,
        /// The dataset: a path, or `memory`.
        location: String,
    },

    /// A payload of a foreign channel that can't be decoded, though its
    /// channel can.
    #[error("can't decode {encoding} of key {key}{}: {reason}", time_of(*.time))]
    Foreign {
        /// Of the channel: `json`.
        encoding: String,
        /// The key.
        key: String,
        /// When the message was recorded, where that is known.
        time: Option<Time>,
        /// What is wrong, naming the field.
        reason: String,
    },

    /// Something was asked of a dataset that its state doesn't allow.
    #[error("can't {action} {location}: {reason}")]
    State {
        /// What was tried: `write to`, `read from`.
        action: &'static str,
        /// Why not: `it is closed`.
        reason: &'static str,
        /// The dataset: a path, or `memory`.
        location: String,
    },

    /// A sample that the dataset's storage can't hold.
    #[error("can't write to key {key}: {reason} ({location})")]
    Unstorable {
        /// The key.
        key: String,
        /// What doesn't fit: expected and actual.
        reason: String,
        /// The dataset: a path.
        location: String,
    },

    /// A file that is not there.
    #[error("can't open {path}")]
    NoSuchFile {
        /// The file.
        path: String,
        /// What there is instead.
        advice: Option<String>,
        /// The operating system's error.
        #[source]
        source: std::io::Error,
    },

    /// A file that is not what it was opened as.
    #[error("not {expected}: {reason} ({path})")]
    NotADataset {
        /// What was expected: `an MCAP file`.
        expected: &'static str,
        /// What it looks like instead.
        reason: String,
        /// What to do about it.
        advice: Option<String>,
        /// The file.
        path: String,
    },

    /// Text that can't be imported.
    #[error("{reason} ({}line {line} of {path})", column_of(.column))]
    Import {
        /// What is wrong: expected, and the text that is there.
        reason: String,
        /// Line in the file, from 1.
        line: u64,
        /// Header of the column; empty where the whole line is meant.
        column: String,
        /// The file.
        path: String,
    },

    /// A dataset that a text format can't hold.
    #[error("can't write key {key} as {format}: {reason}")]
    Export {
        /// The key.
        key: String,
        /// The format: `CSV`.
        format: &'static str,
        /// Why not, naming the field.
        reason: String,
        /// What to do about it.
        advice: &'static str,
    },

    /// A file that exists and was not to be overwritten.
    #[error("file exists: {path}")]
    FileExists {
        /// The file.
        path: String,
    },

    /// Bytes of a file that can't be read as what they should be.
    #[error("damaged at byte {offset}: {reason} ({path})")]
    Damaged {
        /// Offset in the file of the record that is damaged.
        offset: u64,
        /// What is wrong: expected and actual.
        reason: String,
        /// The file.
        path: String,
    },

    /// A message of a recording whose messages are compressed one by one,
    /// that can't be unpacked.
    #[error("can't unpack the message of key {key} at {time} s: {reason} ({path})")]
    Payload {
        /// The key.
        key: String,
        /// When it was recorded.
        time: Time,
        /// What is wrong.
        reason: String,
        /// The recording.
        path: String,
    },

    /// A SQLite file that can't be read.
    #[error("can't read the SQLite file: {reason} ({path})")]
    Database {
        /// What is wrong, in SQLite's words where it found it.
        reason: String,
        /// The file.
        path: String,
    },

    /// A pickle that is damaged, or that holds more than plain data.
    #[error("pickle refused at byte {offset}: {reason} ({path})")]
    Pickle {
        /// Offset of the opcode.
        offset: u64,
        /// What is wrong, naming the opcode or the global.
        reason: String,
        /// The file.
        path: String,
    },

    /// Values or times of a pickled key that are no messages.
    #[error("key {key}{}: {reason} ({path})", index_of(.index))]
    PickledKey {
        /// The key.
        key: String,
        /// Which value, from 0; `None` where all of them are meant.
        index: Option<usize>,
        /// What is wrong, naming the field.
        reason: String,
        /// The file.
        path: String,
    },

    /// Components, ports or nodes that can't be put together as asked.
    #[error("{reason}")]
    Graph {
        /// What can't be, naming the components and ports.
        reason: String,
    },

    /// A config that makes no sense.
    #[error("config of {component}: {reason}")]
    Config {
        /// The component.
        component: String,
        /// What is wrong, naming the field.
        reason: String,
    },

    /// A place that a playback doesn't have.
    #[error("{component} can't seek to {to}: {reason}")]
    Seek {
        /// The component, or `playback`.
        component: String,
        /// The place: `message 7`, `1.5 s`.
        to: String,
        /// Why not, and where it could.
        reason: String,
    },

    /// A distribution that a field can't be drawn from.
    #[error("field {field} can't be sampled: {reason}")]
    Distribution {
        /// Dotted path, with `[*]` for the elements of arrays.
        field: String,
        /// Why not.
        reason: String,
        /// What to write.
        advice: Option<String>,
    },

    /// A step of a component's life that its stage doesn't allow.
    #[error("can't {transition} {component}: it is {stage}")]
    Lifecycle {
        /// The component, or the system.
        component: String,
        /// What was asked: `activate`.
        transition: String,
        /// Where it stands: `unconfigured`.
        stage: String,
    },

    /// A component that failed.
    #[error("component {component} failed to {action} at {time} s")]
    Component {
        /// The component.
        component: String,
        /// What it did: `step`, `configure`.
        action: String,
        /// The time of the system.
        time: Time,
        /// Its own error.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },

    /// A recording whose writer failed.
    #[error("recording failed: {reason} ({location})")]
    Recording {
        /// What failed, with its causes.
        reason: String,
        /// The dataset: a path, or `memory`.
        location: String,
    },

    /// A file has more channels than lk reads.
    #[error("it has {actual} channels, more than the limit of {limit} ({path})")]
    TooManyChannels {
        /// How many there are.
        actual: usize,
        /// How many there may be.
        limit: usize,
        /// The file.
        path: String,
    },

    /// A file asks for more memory than it is allowed to.
    #[error("{what} would take {actual} bytes, more than the limit of {limit} ({path})")]
    Limit {
        /// What would.
        what: String,
        /// Bytes asked for.
        actual: u64,
        /// Bytes allowed.
        limit: u64,
        /// The file.
        path: String,
    },
}

impl Error {
    /// A rule that makes no sense, with nothing to suggest.
    pub(crate) fn policy(rule: &str, reason: impl Into<String>) -> Error {
        Error::Policy { rule: rule.to_owned(), reason: reason.into(), suggestions: Vec::new() }
    }

    /// The same, of the component that has this name in its system.
    pub(crate) fn of_component(mut self, name: &str) -> Error {
        if let Error::Config { component, .. } | Error::Seek { component, .. } = &mut self {
            name.clone_into(component);
        }
        self
    }

    /// Whether a recording turned out to be damaged while it was read, so that
    /// [`Dataset::check`](crate::Dataset::check) finds all that is, and reading
    /// then leaves it out.
    pub fn is_damage(&self) -> bool {
        matches!(self, Error::Damaged { .. } | Error::Database { .. } | Error::Payload { .. })
    }

    /// What the user can do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::UnknownKey { known, .. } if known.is_empty() => {
                Some("the dataset has no keys".to_owned())
            }
            Error::UnknownKey { known, .. } => Some(format!("its keys are {}", known.join(", "))),
            Error::Policy { suggestions, .. } if !suggestions.is_empty() => {
                let names: Vec<String> = suggestions.iter().map(|s| format!("`{s}`")).collect();
                Some(format!("did you mean {}?", names.join(" or ")))
            }
            Error::Writing { .. } => Some(
                "the file can be read up to there; write the rest to another one, where there is \
                 room"
                    .to_owned(),
            ),
            Error::Tee { failed, count, .. } if failed.len() < *count => {
                Some("the others have what was written: it isn't to be written again".to_owned())
            }
            Error::Tee { source, .. } => source.hint(),
            Error::NotADataset { advice, .. } | Error::Distribution { advice, .. } => {
                advice.clone()
            }
            Error::Export { advice, .. } => Some((*advice).to_owned()),
            Error::NoSuchFile { advice, .. } => advice.clone(),
            damage if damage.is_damage() => {
                Some("`lk recover` writes a new file of what is whole".to_owned())
            }
            Error::FileExists { .. } => {
                Some("choose another name, or ask for it to be overwritten".to_owned())
            }
            Error::UnknownType { similar: Some(similar), .. } => {
                Some(format!("write `{}` if that is meant", similar.replacen("/msg/", "/", 1)))
            }
            Error::UnknownType { wanted, .. } => {
                let short = wanted.replacen("/msg/", "/", 1);
                Some(format!(
                    "give its definition as {wanted}.msg, or after the text in a section `MSG: {short}`"
                ))
            }
            _ => None,
        }
    }
}

/// Where a type is named, unless it was asked for itself.
fn named_in(type_name: &str, line: usize) -> String {
    if line == 0 { String::new() } else { format!(" (type {type_name}, line {line})") }
}

/// `field x of `, or nothing where an error is about the message itself.
fn field_of(field: &str) -> String {
    if field.is_empty() { String::new() } else { format!("field {field} of ") }
}

fn first_samples(count: u64) -> String {
    match count {
        0 => "no sample is".to_owned(),
        1 => "the first sample is".to_owned(),
        _ => format!("the first {count} samples are"),
    }
}

fn index_of(index: &Option<usize>) -> String {
    index.map_or_else(String::new, |index| format!(", index {index}"))
}

fn time_of(time: Option<Time>) -> String {
    time.map_or_else(String::new, |time| format!(" at {time} s"))
}

fn column_of(column: &str) -> String {
    if column.is_empty() { String::new() } else { format!("column {column}, ") }
}
