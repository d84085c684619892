//! What counts as equal: a default, and rules that say otherwise by field.

mod align_by;
mod effect;
mod glob;
mod known;
mod resolve;
mod rule;
mod span;
mod timestamp_tol;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use align_by::AlignBy;
pub(super) use effect::larger;
pub use effect::{AngleUnit, Effect, Form, QuaternionOrder, Tolerance};
pub use glob::Glob;
pub(super) use glob::{FieldPath, quote_key};
pub use known::KnownDifference;
pub(super) use resolve::{Decision, FieldKind, Resolver};
pub use rule::Rule;
pub use timestamp_tol::TimestampTol;

use crate::dataset::Role;
use crate::error::{Error, Result};
use crate::time::Span;

/// What counts as equal when two datasets are compared.
///
/// ```
/// use lk::diff::Policy;
/// let policy = Policy::parse_rules(&["1e-6", "pose.yaw:abs=1e-3", "**.stamp:ignore"])?;
/// assert_eq!(policy.rules.len(), 3);
/// # Ok::<(), lk::Error>(())
/// ```
///
/// In TOML the fields below with rules as text (or tables with `match`), and
/// spans as `"1ms"`; what is left out has its default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// For floats that no rule decides: `abs = 1e-6` unless said otherwise.
    /// Everything else that no rule names is exact.
    pub default: Tolerance,
    /// Whether `default` holds for those floats, or a table by their width.
    #[serde(rename = "policy")]
    pub defaults: Defaults,
    /// Whether NaN equals NaN, unless a rule says otherwise. True by default;
    /// NaN on one side alone is always a violation.
    pub nan_equal: bool,
    /// How far apart times of paired messages may be; 1 ms by default.
    pub timestamp_tol: TimestampTol,
    /// Whether times further apart are a difference. True by default.
    pub check_timestamps: bool,
    /// The fraction of messages of a key that may violate, below 1; none
    /// where `None`. Beside the verdict, which it doesn't change, the result
    /// then has a [`Statistical`](super::Statistical) reading.
    pub allowed_violations: Option<f64>,
    /// How sure it is to be that no more of them do, from 0 to 1; 0.95 by
    /// default.
    pub confidence: f64,
    /// How messages of the two sides are paired.
    pub align: AlignBy,
    /// How messages of some keys are paired instead. A key that neither side
    /// has is an error.
    pub align_keys: BTreeMap<String, AlignBy>,
    /// Whether times count from each side's first message, of whatever key it
    /// is: for recordings that were made at different times. The candidate's
    /// are moved to where the reference starts, before anything is aligned or
    /// compared.
    pub relative_time: bool,
    /// Which keys to compare, by their role.
    pub scope: Scope,
    /// The last rule that matches a field decides it. A rule that matches
    /// nothing is an error.
    pub rules: Vec<Rule>,
    /// Differences that shall be there. One that covers nothing is an error, as
    /// a rule is; one that no longer occurs is a difference.
    pub known_differences: Vec<KnownDifference>,
}

/// What decides floats that no rule does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Defaults {
    /// The policy's `default`.
    #[default]
    Fixed,
    /// PyTorch's table: [`Tolerance::of_float32`] and
    /// [`Tolerance::of_float64`].
    Dtype,
}

/// Which keys are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// All keys.
    #[default]
    All,
    /// Keys with the role `output`, and those with the role `state` that both
    /// sides have; a key has the role that the reference gives it, or the
    /// candidate where the reference says none.
    Outputs,
}

/// The default tolerance, where nothing is said.
const STANDARD: Tolerance = Tolerance::sum(1e-6, 0.0);

/// How sure an allowed fraction of violations is to be, where nothing is said.
const CONFIDENCE: f64 = 0.95;

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            default: STANDARD,
            defaults: Defaults::Fixed,
            nan_equal: true,
            timestamp_tol: TimestampTol::default(),
            check_timestamps: true,
            allowed_violations: None,
            confidence: CONFIDENCE,
            align: AlignBy::Auto,
            align_keys: BTreeMap::new(),
            relative_time: false,
            scope: Scope::All,
            rules: Vec::new(),
            known_differences: Vec::new(),
        }
    }
}

impl Policy {
    /// Everything exact, times too.
    pub fn exact() -> Policy {
        Policy { default: Tolerance::EXACT, timestamp_tol: Span::ZERO.into(), ..Policy::default() }
    }

    /// The default policy with `rules`, in the language of [`Rule`].
    ///
    /// # Errors
    ///
    /// [`Error::Policy`] for the first rule that can't be read.
    pub fn parse_rules<S: AsRef<str>>(rules: &[S]) -> Result<Policy> {
        let rules = rules.iter().map(|text| text.as_ref().parse()).collect::<Result<_>>()?;
        Ok(Policy { rules, ..Policy::default() })
    }

    /// How messages of a key are paired.
    pub fn align_by(&self, key: &str) -> AlignBy {
        self.align_keys.get(key).copied().unwrap_or(self.align)
    }

    /// Whether the numbers in it make sense, which reading it as data can't
    /// see to.
    pub(super) fn check(&self) -> Result<()> {
        let error = |what: &str, reason: &str| Err(Error::policy(what, reason.to_owned()));
        if !self.default.is_valid() {
            return error("default", "a tolerance must be finite and not negative");
        }
        if !self.timestamp_tol.is_valid() {
            return error("timestamp_tol", "it must not be negative");
        }
        for by in std::iter::once(&self.align).chain(self.align_keys.values()) {
            by.check().map_err(|reason| Error::policy(&by.to_string(), reason))?;
        }
        if self.defaults == Defaults::Dtype && self.default != STANDARD {
            return error("policy", "`dtype` is a default of its own; leave out `default`");
        }
        self.known_differences.iter().try_for_each(KnownDifference::check)?;
        if self.allowed_violations.is_some_and(|allowed| !(0.0..1.0).contains(&allowed)) {
            return error("allowed_violations", "it is a fraction, from 0 to below 1");
        }
        if !(self.confidence > 0.0 && self.confidence < 1.0) {
            return error("confidence", "it must be above 0 and below 1");
        }
        if self.confidence != CONFIDENCE && self.allowed_violations.is_none() {
            return error("confidence", "it is that of `allowed_violations`, which is not given");
        }
        for rule in &self.rules {
            let valid = match rule.effect {
                Effect::Close(tolerance) => tolerance.is_valid(),
                Effect::Unordered(Some(tolerance)) => tolerance.is_valid() && tolerance.rel < 1.0,
                Effect::Range(fraction) => (0.0..=1.0).contains(&fraction),
                Effect::Angle { abs, .. } | Effect::Quaternion { abs, .. } => {
                    Tolerance::sum(abs.unwrap_or(0.0), 0.0).is_valid()
                }
                _ => true,
            };
            if !valid {
                return error(&rule.to_string(), "a tolerance must be finite and not negative");
            }
        }
        Ok(())
    }
}

impl Scope {
    /// The reason in [`DiffResult::ignored_keys`](super::DiffResult::ignored_keys)
    /// for an input where outputs alone are compared.
    pub const INPUT_LEFT_OUT: &str = "an input, only outputs and state are compared";
    const STATE_LEFT_OUT: &str = "state that one side does not record";
    const NO_ROLE: &str = "no role, only outputs and state are compared";

    /// All reasons of a scope.
    pub(super) const REASONS: [&str; 3] =
        [Scope::INPUT_LEFT_OUT, Scope::STATE_LEFT_OUT, Scope::NO_ROLE];

    /// Why a key is left out; `None` where it is compared. A role is `None`
    /// where that side lacks the key.
    pub(super) fn leaves_out(
        self,
        reference: Option<Role>,
        candidate: Option<Role>,
    ) -> Option<&'static str> {
        if self == Scope::All {
            return None;
        }
        let role = match reference {
            None | Some(Role::None) => candidate.or(reference).unwrap_or_default(),
            Some(role) => role,
        };
        match role {
            Role::Output => None,
            Role::State if reference.is_some() && candidate.is_some() => None,
            Role::State => Some(Scope::STATE_LEFT_OUT),
            Role::Input => Some(Scope::INPUT_LEFT_OUT),
            Role::None => Some(Scope::NO_ROLE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_written_out_reads_back_the_same() {
        let mut policy = Policy::parse_rules(&["1e-9", "pose.**:rel=0.1,reason=loose"]).unwrap();
        policy.timestamp_tol = Span::from_nanos(1_500).into();
        let text = serde_json::to_string(&policy).unwrap();
        assert!(text.contains("\"1500ns\""), "{text}");
        assert_eq!(serde_json::from_str::<Policy>(&text).unwrap(), policy);
    }

    #[test]
    fn what_is_left_out_has_its_default_and_what_is_unknown_is_an_error() {
        assert_eq!(serde_json::from_str::<Policy>("{}").unwrap(), Policy::default());
        let error = serde_json::from_str::<Policy>(r#"{"rulez": []}"#).unwrap_err();
        assert!(error.to_string().contains("rulez"), "{error}");
    }

    #[test]
    fn numbers_that_make_no_sense_are_refused() {
        let bad: Policy = serde_json::from_str(r#"{"default": {"abs": -1.0}}"#).unwrap();
        assert!(bad.check().unwrap_err().to_string().contains("not negative"));
        let both = r#"{"policy": "dtype", "default": {"rel": 1.0}}"#;
        assert!(serde_json::from_str::<Policy>(both).unwrap().check().is_err());
        assert!(serde_json::from_str::<Policy>(r#"{"policy": "dtype"}"#).unwrap().check().is_ok());
        let bad = Policy { timestamp_tol: Span::from_nanos(-1).into(), ..Policy::default() };
        assert!(bad.check().is_err());
    }

    #[test]
    fn the_scope_of_outputs_takes_state_only_where_both_sides_have_it() {
        let out = |a, b| Scope::Outputs.leaves_out(a, b);
        assert_eq!(out(Some(Role::Output), None), None);
        assert_eq!(out(None, Some(Role::Output)), None);
        assert_eq!(out(Some(Role::None), Some(Role::Output)), None);
        assert_eq!(out(Some(Role::State), Some(Role::State)), None);
        assert!(out(Some(Role::State), None).is_some());
        assert!(out(Some(Role::Input), Some(Role::Input)).is_some());
        assert!(out(Some(Role::None), Some(Role::Input)).is_some());
        assert!(out(Some(Role::None), None).is_some());
        assert_eq!(Scope::All.leaves_out(Some(Role::Input), None), None);
    }
}
