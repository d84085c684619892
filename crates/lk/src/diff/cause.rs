//! What the first divergence looks like, worked out from a second, small
//! reading of the messages around it.

mod numbers;
mod schema;
mod window;

use serde::{Deserialize, Serialize};

use super::stream::KeyJob;
use super::{Mismatch, MismatchKind, ValueLag};
use crate::dataset::Dataset;
use crate::error::Result;

/// What a divergence looks like: a guess from the messages around it, and no
/// part of the verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// The class.
    pub kind: CauseKind,
    /// What it looks like and how often, as a phrase: `looks like a step: off by
    /// 0.5 in all 64 messages from there on`.
    pub text: String,
}

/// The classes of divergences that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum CauseKind {
    /// Off by the same amount from there on.
    Step,
    /// Off by more and more.
    Drift,
    /// The reference's values, some messages later or earlier.
    Lag,
    /// NaN in one side alone.
    Nan,
    /// Infinite in one side alone, or of the other sign.
    Infinity,
    /// The reference's value with the other sign.
    Sign,
    /// Two fields exchanged.
    Swapped,
    /// The reference's value in another unit.
    Unit,
    /// Held at a bound that the reference passes.
    Saturation,
    /// The reference's value without its upper bits.
    Wrap,
    /// The reference's value in single precision.
    Precision,
    /// A few representable numbers away.
    Rounding,
    /// The element beside it.
    Offset,
    /// The same value in every message while the reference changes.
    Frozen,
    /// Off in this message alone.
    Single,
    /// Messages in another order.
    Order,
    /// Messages, keys or fields that the candidate lacks.
    Missing,
    /// Messages, keys or fields that the reference lacks.
    Extra,
    /// A field of another name.
    Renamed,
    /// A number of another width.
    Width,
    /// An array of another length, or no array.
    Shape,
    /// A field of another type.
    Type,
    /// Times that differ.
    Time,
    /// A payload that can't be decoded.
    Damage,
}

impl Cause {
    fn new(kind: CauseKind, text: impl Into<String>) -> Cause {
        Cause { kind, text: text.into() }
    }
}

/// What a mismatch looks like; `None` where it looks like nothing known.
///
/// # Errors
///
/// Where the window can't be read.
pub(super) fn of(
    sides: [&Dataset; 2],
    job: Option<&KeyJob>,
    mismatch: &Mismatch,
) -> Result<Option<Cause>> {
    let found = match mismatch.kind {
        MismatchKind::Nan => Some(window::nan(sides, job, mismatch)?),
        MismatchKind::Infinity => {
            Some(Cause::new(CauseKind::Infinity, "an infinity that the other side does not have"))
        }
        MismatchKind::Length => Some(schema::length(mismatch)),
        MismatchKind::Unmatched => None,
        MismatchKind::Time => Some(Cause::new(CauseKind::Time, "the times differ")),
        MismatchKind::Missing => Some(match job {
            None => Cause::new(CauseKind::Missing, "the candidate lacks the whole key"),
            Some(_) => Cause::new(CauseKind::Missing, "the candidate lacks the message"),
        }),
        MismatchKind::Extra => Some(match job {
            None => Cause::new(CauseKind::Extra, "the reference lacks the whole key"),
            Some(_) => Cause::new(CauseKind::Extra, "the reference has no such message"),
        }),
        // Nothing was compared there.
        MismatchKind::Unaligned => None,
        MismatchKind::Schema => job.and_then(|job| schema::finding(job, mismatch)),
        MismatchKind::Decode => {
            Some(Cause::new(CauseKind::Damage, "a payload that can't be decoded"))
        }
        MismatchKind::Value => match job {
            Some(job) => agreed(window::value(sides, job, mismatch)?, job, mismatch),
            None => None,
        },
    };
    Ok(found)
}

/// A lag as the search for one has it, which looks at more messages and is
/// reported too: two that differ would be one too many.
fn agreed(cause: Option<Cause>, job: &KeyJob, mismatch: &Mismatch) -> Option<Cause> {
    let of_field =
        |lag: &&ValueLag| lag.fields.iter().any(|field| *field == without_indices(&mismatch.path));
    let lag = job.value_lag.as_ref().filter(of_field);
    match lag.filter(|_| cause.as_ref().is_none_or(|cause| cause.kind == CauseKind::Lag)) {
        Some(lag) => {
            let (n, of) = (lag.vanish, lag.violations);
            let text = format!("{}, which explains {n} of {of} violations", lagging(lag.messages));
            Some(Cause::new(CauseKind::Lag, text))
        }
        None => cause,
    }
}

/// As reports say it of a lag in messages, late where it is positive.
fn lagging(messages: i64) -> String {
    let verb = if messages < 0 { "leads" } else { "lags" };
    let (by, s) = (messages.unsigned_abs(), if messages.abs() == 1 { "" } else { "s" });
    format!("looks like a lag: the candidate {verb} by {by} message{s}")
}

/// The path of a leaf, from that of one of its elements: `v[*]` from `v[3]`.
fn without_indices(path: &str) -> String {
    let mut parts = path.split('[');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.split_once(']').map_or("", |(_, rest)| rest);
        out.push_str("[*]");
        out.push_str(rest);
    }
    out
}
