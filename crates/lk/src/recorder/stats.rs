//! What became of messages.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use serde::{Deserialize, Serialize};

use super::{Named, RecorderConfig};

/// What became of all messages, by key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RecorderStats {
    /// By key.
    pub keys: Named<KeyStats>,
}

/// What became of the messages of a key: `offered = written + skipped +
/// dropped`, but for those that still wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct KeyStats {
    /// All of them.
    pub offered: u64,
    /// In the dataset.
    pub written: u64,
    /// Left out by `sample_every_n` or `max_samples`.
    pub skipped: u64,
    /// Lost to a full queue, a full ring, or a failure.
    pub dropped: u64,
    /// Messages per second of their own time, of those that came to the
    /// writer: not of those that were skipped, or that a full queue dropped.
    /// `None` for less than two, and before the end.
    pub rate_hz: Option<f64>,
}

impl RecorderStats {
    /// The sum over all keys; without a rate.
    pub fn total(&self) -> KeyStats {
        self.keys.values().fold(KeyStats::default(), |sum, key| KeyStats {
            offered: sum.offered + key.offered,
            written: sum.written + key.written,
            skipped: sum.skipped + key.skipped,
            dropped: sum.dropped + key.dropped,
            rate_hz: None,
        })
    }
}

impl KeyStats {
    /// Whether every message that was offered went somewhere.
    pub fn balances(&self) -> bool {
        self.offered == self.written + self.skipped + self.dropped
    }
}

/// The counts of one key while it is recorded.
#[derive(Debug, Default)]
pub(super) struct Counts {
    offered: AtomicU64,
    /// Those that sampling let pass, whatever became of them.
    sampled: AtomicU64,
    skipped: AtomicU64,
    pub(super) dropped: AtomicU64,
    /// Bytes of the last payload: what the next one is taken for.
    bytes: AtomicUsize,
    pub(super) written: Apart,
}

/// A count of the writer's, away from what those who offer count: they would
/// wait for each other's cache lines (two of them, since they come in pairs).
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct Apart(pub(super) AtomicU64);

impl Counts {
    /// Counts a message as offered; whether it is to be recorded.
    pub(super) fn takes(&self, config: &RecorderConfig) -> bool {
        let n = self.offered.fetch_add(1, Relaxed);
        let every = config.sample_every_n;
        let sampled = every == 1 || n.is_multiple_of(every);
        let taken = sampled
            && config.max_samples.is_none_or(|max| self.sampled.fetch_add(1, Relaxed) < max);
        if !taken {
            self.skipped.fetch_add(1, Relaxed);
        }
        taken
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Relaxed)
    }

    /// Not written where it is so already, for the same reason.
    pub(super) fn set_bytes(&self, bytes: usize) {
        if self.bytes() != bytes {
            self.bytes.store(bytes, Relaxed);
        }
    }

    pub(super) fn offer_and_drop(&self) {
        self.offered.fetch_add(1, Relaxed);
        self.dropped.fetch_add(1, Relaxed);
    }

    pub(super) fn stats(&self, rate_hz: Option<f64>) -> KeyStats {
        KeyStats {
            // Read last what grows first: the sum is never more than offered.
            written: self.written.0.load(Relaxed),
            skipped: self.skipped.load(Relaxed),
            dropped: self.dropped.load(Relaxed),
            offered: self.offered.load(Relaxed),
            rate_hz,
        }
    }
}
