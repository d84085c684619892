//! What a component says of its own health.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How well a component is, worst last but for [`Level::Stale`].
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing to say.
    Ok,
    /// Something a person should look at.
    Warn,
    /// It doesn't do what it should.
    Error,
    /// It has not said anything: it never ran.
    #[default]
    Stale,
}

/// Diagnostics of one component.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dx {
    level: Level,
    message: String,
    counters: BTreeMap<String, u64>,
}

impl Dx {
    /// How well it is.
    pub fn level(&self) -> Level {
        self.level
    }

    /// What it said last, empty where nothing.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What it counts, by name.
    pub fn counters(&self) -> &BTreeMap<String, u64> {
        &self.counters
    }

    /// Says that all is well again.
    pub fn ok(&mut self) {
        self.level = Level::Ok;
        self.message.clear();
    }

    /// Says what a person should look at. A standing error stays.
    pub fn warn(&mut self, message: impl Into<String>) {
        if self.level != Level::Error {
            self.level = Level::Warn;
            self.message = message.into();
        }
    }

    /// Says what is wrong.
    pub fn error(&mut self, message: impl Into<String>) {
        self.level = Level::Error;
        self.message = message.into();
    }

    /// Adds to a counter, which starts at 0.
    pub fn count(&mut self, name: &str, n: u64) {
        match self.counters.get_mut(name) {
            Some(counter) => *counter = counter.saturating_add(n),
            None => drop(self.counters.insert(name.to_owned(), n)),
        }
    }

    /// It ran: silence is no longer stale.
    pub(crate) fn alive(&mut self) {
        if self.level == Level::Stale {
            self.level = Level::Ok;
        }
    }
}
