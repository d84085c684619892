//! The stages of a component's life, and the ways between them.

use std::fmt;

/// Where a component stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Built, nothing opened yet.
    #[default]
    Unconfigured,
    /// Ready, not running.
    Inactive,
    /// Running.
    Active,
    /// Ended; there is no way back.
    Finalized,
}

/// A way from one stage to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transition {
    /// From unconfigured to inactive.
    Configure,
    /// From inactive to active.
    Activate,
    /// From active to inactive.
    Deactivate,
    /// From any stage but the last to finalized.
    Shutdown,
}

impl Transition {
    /// The stage that it leads to from `stage`; `None` where it leads nowhere.
    pub fn from(self, stage: Stage) -> Option<Stage> {
        match (self, stage) {
            (Transition::Configure, Stage::Unconfigured)
            | (Transition::Deactivate, Stage::Active) => Some(Stage::Inactive),
            (Transition::Activate, Stage::Inactive) => Some(Stage::Active),
            (Transition::Shutdown, Stage::Unconfigured | Stage::Inactive | Stage::Active) => {
                Some(Stage::Finalized)
            }
            _ => None,
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stage::Unconfigured => "unconfigured",
            Stage::Inactive => "inactive",
            Stage::Active => "active",
            Stage::Finalized => "finalized",
        })
    }
}

impl fmt::Display for Transition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Transition::Configure => "configure",
            Transition::Activate => "activate",
            Transition::Deactivate => "deactivate",
            Transition::Shutdown => "shut down",
        })
    }
}
