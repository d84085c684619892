//! diffdiff: the comparison of two datasets.

#[allow(dead_code, reason = "the comparison comes next")]
mod align;
mod policy;
mod result;

pub use policy::{Effect, Glob, Policy, Rule, Scope, Tolerance};
pub use result::*;
