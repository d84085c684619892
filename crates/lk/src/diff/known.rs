//! Known differences: how often each was met, and whether it still holds.

use serde::{Deserialize, Serialize};

use super::policy::{FieldPath, KnownDifference, Policy};
use super::{DiffResult, Mismatch, MismatchKind};

/// What became of a known difference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KnownOutcome {
    /// What was asserted.
    #[serde(flatten)]
    pub known: KnownDifference,
    /// Violations, messages and findings on types that it covers.
    pub count: u64,
    /// Whether that is as asserted.
    pub state: KnownState,
    /// Where it was first met, by reference time and then key.
    pub first: Option<KnownAt>,
}

/// Whether a known difference is as often there as asserted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KnownState {
    /// As asserted.
    Holds,
    /// Not at all: it no longer occurs.
    Gone,
    /// Less often than `at_least`.
    Fewer,
    /// More often than `at_most`.
    More,
}

/// One occurrence of a known difference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KnownAt {
    /// The key.
    pub key: String,
    /// Where and what.
    #[serde(flatten)]
    pub mismatch: Mismatch,
}

/// What was met of each known difference, by its place in the policy. Those of
/// consecutive parts merge.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct KnownCounts(Vec<Met>);

#[derive(Clone, Debug, Default, PartialEq)]
struct Met {
    count: u64,
    first: Option<Mismatch>,
}

impl KnownCounts {
    pub(super) fn add(&mut self, known: usize, count: u64, mismatch: impl FnOnce() -> Mismatch) {
        if self.0.len() <= known {
            self.0.resize_with(known + 1, Met::default);
        }
        if let Some(met) = self.0.get_mut(known).filter(|_| count > 0) {
            met.count += count;
            met.first.get_or_insert_with(mismatch);
        }
    }

    /// Adds what was met after these.
    pub(super) fn merge(&mut self, later: KnownCounts) {
        for (known, met) in later.0.into_iter().enumerate() {
            if let Some(first) = met.first {
                self.add(known, met.count, || first);
            }
        }
    }
}

/// What the known differences of a policy come to, from what was met in each
/// key, in the order of keys.
pub(super) fn outcomes<'k>(
    policy: &Policy,
    met: impl Iterator<Item = (&'k str, KnownCounts)>,
) -> Vec<KnownOutcome> {
    let outcome = |known: &KnownDifference| KnownOutcome {
        known: known.clone(),
        count: 0,
        state: KnownState::Gone,
        first: None,
    };
    let mut outcomes: Vec<KnownOutcome> = policy.known_differences.iter().map(outcome).collect();
    for (key, counts) in met {
        for (outcome, met) in outcomes.iter_mut().zip(counts.0) {
            outcome.count += met.count;
            let Some(mismatch) = met.first else { continue };
            if outcome.first.as_ref().is_none_or(|first| mismatch.time < first.mismatch.time) {
                outcome.first = Some(KnownAt { key: key.to_owned(), mismatch });
            }
        }
    }
    for outcome in &mut outcomes {
        let (count, known) = (outcome.count, &outcome.known);
        outcome.state = match () {
            () if count < known.at_least && count == 0 => KnownState::Gone,
            () if count < known.at_least => KnownState::Fewer,
            () if known.at_most.is_some_and(|most| count > most) => KnownState::More,
            () => KnownState::Holds,
        };
    }
    outcomes
}

impl DiffResult {
    /// Whether a difference of this kind in messages of a key, or in the key
    /// itself, is a known one.
    pub fn is_known(&self, key: &str, kind: MismatchKind) -> bool {
        let path = FieldPath::key(key);
        self.policy.as_ref().is_some_and(|policy| policy.covers(&path, kind))
    }

    /// Whether some known difference was met.
    pub fn has_known(&self) -> bool {
        self.known_differences.iter().any(|known| known.count > 0)
    }

    /// Whether every known difference is there as often as asserted.
    pub fn known_differences_hold(&self) -> bool {
        self.known_differences.iter().all(|known| known.state == KnownState::Holds)
    }
}
