//! Differences that are known, and asserted.

use serde::{Deserialize, Serialize};

use super::glob::FieldPath;
use super::{Glob, Policy};
use crate::diff::MismatchKind;
use crate::error::{Error, Result};

/// A difference that is known: an assertion that it is there, with a reason.
///
/// The violations it covers are counted and shown, and are no difference. One
/// that is there fewer times than `at_least`, or more than `at_most`, is a
/// difference itself: it is out of date, or has grown.
///
/// In TOML a table:
/// `{ match = "pose.yaw", kind = "value", at_most = 3, reason = "wraps late" }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownDifference {
    /// Which fields, and for `missing`, `extra`, `unaligned` and `time` which
    /// keys, as in rules: a pattern over `key.field.path`, which covers what is
    /// under it.
    #[serde(rename = "match")]
    pub glob: Glob,
    /// The one kind of difference that is known; every kind where `None`.
    /// Payloads that can't be decoded can't be known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<MismatchKind>,
    /// How often it is there at least: once unless said otherwise.
    #[serde(default = "once")]
    pub at_least: u64,
    /// How often it is there at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<u64>,
    /// Why it is there, and may be.
    pub reason: String,
}

fn once() -> u64 {
    1
}

impl KnownDifference {
    pub(super) fn check(&self) -> Result<()> {
        let error = |reason: &str| {
            Err(Error::policy(&format!("known difference {}", self.glob), reason.to_owned()))
        };
        if self.reason.trim().is_empty() {
            return error("it needs a reason");
        }
        if self.kind == Some(MismatchKind::Decode) {
            return error("a payload that can't be decoded can't be a known difference");
        }
        if self.at_most.is_some_and(|most| most < self.at_least.max(1)) {
            return error("`at_most` is less than `at_least`, or 0");
        }
        Ok(())
    }
}

impl Policy {
    /// Whether a difference of this kind at this path is a known one.
    pub(in crate::diff) fn covers(&self, path: &FieldPath, kind: MismatchKind) -> bool {
        self.known_differences.iter().any(|known| {
            known.kind.is_none_or(|own| own == kind) && known.glob.matches(path).is_some()
        })
    }

    /// The first of these known differences that a difference of this kind is.
    pub(in crate::diff) fn known(&self, of: &[usize], kind: MismatchKind) -> Option<usize> {
        let covers = |known: &KnownDifference| known.kind.is_none_or(|own| own == kind);
        of.iter().copied().find(|i| self.known_differences.get(*i).is_some_and(covers))
    }
}
