//! Why a run of the tracer stopped, and at which field.

use std::fmt;

use serde::de;

/// The tracer's `serde` error. Boxed, since it is rare and results are many.
#[derive(Debug)]
pub(super) struct Refusal(Box<Inner>);

#[derive(Debug)]
struct Inner {
    cause: Cause,
    /// Innermost segment first, as the error passes outwards.
    path: Vec<Segment>,
}

#[derive(Debug)]
enum Cause {
    /// The type takes no value such as the sample. `blamed` once a node has
    /// taken note and will offer another one in the next run.
    Rejected { reason: String, blamed: bool },
    /// Two keys were read as one field: one of them is an alias.
    Duplicate(&'static str),
    /// No other sample can help.
    Fatal(String),
    /// A type holds itself; lengths of `path` where it was met on the way out.
    Recursive { type_name: &'static str, met_at: Vec<usize> },
}

/// One step of a path, from the outside in.
#[derive(Clone, Copy, Debug)]
pub(super) enum Segment {
    /// A field of a struct.
    Field(&'static str),
    /// An element of a tuple or array.
    Index(usize),
    /// Any element of a sequence.
    Element,
}

impl Refusal {
    fn new(cause: Cause) -> Refusal {
        Refusal(Box::new(Inner { cause, path: Vec::new() }))
    }

    pub(super) fn fatal(reason: impl Into<String>) -> Refusal {
        Refusal::new(Cause::Fatal(reason.into()))
    }

    pub(super) fn recursive(type_name: &'static str) -> Refusal {
        Refusal::new(Cause::Recursive { type_name, met_at: Vec::new() })
    }

    /// The reason, where a type refused a sample and no node has been blamed.
    pub(super) fn unblamed(&self) -> Option<&str> {
        match &self.0.cause {
            Cause::Rejected { reason, blamed: false } => Some(reason),
            _ => None,
        }
    }

    /// Leaves the path as it is: it is that of the node which now takes note.
    pub(super) fn mark_blamed(&mut self) {
        if let Cause::Rejected { blamed, .. } = &mut self.0.cause {
            *blamed = true;
        }
    }

    /// The true name of the field whose alias was offered beside it.
    pub(super) fn duplicate(&self) -> Option<&'static str> {
        match self.0.cause {
            Cause::Duplicate(name) => Some(name),
            _ => None,
        }
    }

    /// Turns a duplicate that has been dealt with into an ordinary retry.
    pub(super) fn into_retry(self) -> Refusal {
        Refusal::new(Cause::Rejected { reason: String::new(), blamed: true })
    }

    pub(super) fn is_final(&self) -> bool {
        matches!(self.0.cause, Cause::Fatal(_) | Cause::Recursive { .. })
    }

    /// On the way out of a field or element.
    pub(super) fn within(mut self, segment: Segment) -> Refusal {
        self.0.path.push(segment);
        self
    }

    /// On the way out of a struct: where a recursive type is met again.
    pub(super) fn leaving(mut self, struct_name: &str) -> Refusal {
        let Inner { cause, path } = &mut *self.0;
        if let Cause::Recursive { type_name, met_at } = cause
            && *type_name == struct_name
        {
            met_at.push(path.len());
        }
        self
    }

    /// The dotted path and the reason.
    pub(super) fn into_parts(self) -> (String, String) {
        let Inner { cause, mut path } = *self.0;
        let reason = match cause {
            Cause::Rejected { reason, .. } | Cause::Fatal(reason) => reason,
            Cause::Duplicate(name) => format!("its field {name} is read twice"),
            Cause::Recursive { type_name, met_at } => {
                // Down to where the type is met within itself for the first
                // time; the rest of the way only repeats.
                if let [.., inner, _] = met_at[..] {
                    path.drain(..inner);
                }
                format!(
                    "{type_name} contains itself, or is nested deeper than any message; keep the \
                     parts in one flat list and refer to them by index"
                )
            }
        };
        (dotted(path.iter().rev().copied()), reason)
    }
}

/// `poses[].position.x`
pub(super) fn dotted(path: impl Iterator<Item = Segment>) -> String {
    let mut text = String::new();
    for segment in path {
        match segment {
            Segment::Field(name) if text.is_empty() => text.push_str(name),
            Segment::Field(name) => {
                text.push('.');
                text.push_str(name);
            }
            Segment::Index(i) => text.push_str(&format!("[{i}]")),
            Segment::Element => text.push_str("[]"),
        }
    }
    text
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.cause {
            Cause::Rejected { reason, .. } | Cause::Fatal(reason) => f.write_str(reason),
            Cause::Duplicate(name) => write!(f, "duplicate field {name}"),
            Cause::Recursive { type_name, .. } => write!(f, "{type_name} contains itself"),
        }
    }
}

impl std::error::Error for Refusal {}

impl de::Error for Refusal {
    fn custom<T: fmt::Display>(reason: T) -> Refusal {
        Refusal::new(Cause::Rejected { reason: reason.to_string(), blamed: false })
    }

    fn duplicate_field(field: &'static str) -> Refusal {
        Refusal::new(Cause::Duplicate(field))
    }
}
