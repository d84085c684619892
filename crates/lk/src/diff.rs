//! diffdiff: the comparison of two datasets.

mod align;
mod cause;
mod column;
mod compare;
mod engine;
mod foreign;
mod histogram;
mod inputs;
mod interpolation;
mod judge;
mod known;
mod lag;
mod pairwise;
mod plan;
mod policy;
mod ranges;
mod rejudge;
mod result;
mod statistical;
mod stats;
mod stream;
mod summary;
mod timing;

pub use cause::{Cause, CauseKind};
pub use engine::{DiffOptions, diff, diff_with};
pub use histogram::{ErrorBin, ErrorHistogram};
pub use known::{KnownAt, KnownOutcome, KnownState};
pub use pairwise::{FieldAgreement, Pairwise, Sides};
pub use policy::{
    AlignBy, AngleUnit, Defaults, Effect, Form, Glob, KnownDifference, Policy, QuaternionOrder,
    Rule, Scope, TimestampTol, Tolerance,
};
pub use rejudge::{Answer, FieldAnswer, Finding, Rejudgement};
pub use result::*;
pub use statistical::{Statistical, ViolationBound};

#[cfg(test)]
mod tests;
