//! Which rule decides which field, and which rules never do.

use std::collections::BTreeSet;

use super::Policy;
use super::glob::{FieldPath, Match};
use super::rule::{Effect, Rule, Tolerance};
use crate::diff::RuleUse;
use crate::error::{Error, Result};

/// What a tolerance can mean for a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldKind {
    /// Takes any tolerance.
    Float,
    /// Takes a tolerance where a rule names the field.
    Integer,
    /// Bool, text, opaque bytes: takes none.
    Exact,
}

/// What was decided about one field.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Decision {
    /// Index of the rule; `None` for the policy's default.
    rule: Option<usize>,
    pub(crate) effect: Effect,
    pub(crate) nan_equal: bool,
    /// As reports show it: `abs=1e-6`, `exact`, `ignore: noisy`.
    pub(crate) text: String,
    pub(crate) reason: Option<String>,
}

impl Decision {
    pub(crate) fn is_ignore(&self) -> bool {
        self.effect == Effect::Ignore
    }

    pub(crate) fn tolerance(&self) -> Tolerance {
        match self.effect {
            Effect::Close(tolerance) => tolerance,
            Effect::Exact | Effect::Ignore => Tolerance::EXACT,
        }
    }
}

/// Decides field after field, and keeps count of what the rules did.
pub(crate) struct Resolver<'a> {
    policy: &'a Policy,
    uses: Vec<Use>,
    /// Every path that was asked for, for suggestions.
    names: BTreeSet<String>,
}

#[derive(Clone, Copy, Default)]
struct Use {
    /// Matched some path.
    matched: bool,
    /// Could decide a path, had no later rule done so.
    applicable: bool,
    /// Fields that it decided.
    fields: u64,
}

impl<'a> Resolver<'a> {
    pub(crate) fn new(policy: &'a Policy) -> Resolver<'a> {
        Resolver { policy, uses: vec![Use::default(); policy.rules.len()], names: BTreeSet::new() }
    }

    pub(crate) fn rules(&self) -> &'a [Rule] {
        &self.policy.rules
    }

    /// Notes that there is something called `name`.
    pub(crate) fn name(&mut self, name: String) {
        self.names.insert(name);
    }

    /// Decides a field.
    pub(crate) fn decide(&mut self, path: &FieldPath, kind: FieldKind) -> Decision {
        let rule = self.last_match(path, kind);
        self.decision(rule, kind)
    }

    /// Counts a decided field for the rule that did.
    pub(crate) fn count(&mut self, decision: &Decision) {
        if let Some(used) = decision.rule.and_then(|i| self.uses.get_mut(i)) {
            used.fields += 1;
        }
    }

    fn last_match(&mut self, path: &FieldPath, kind: FieldKind) -> Option<usize> {
        let mut last = None;
        for (i, (rule, used)) in self.policy.rules.iter().zip(&mut self.uses).enumerate() {
            let Some(found) = rule.glob.matches(path) else { continue };
            used.matched = true;
            let applies = match (rule.effect, kind) {
                (Effect::Close(_), FieldKind::Exact) => false,
                (Effect::Close(_), FieldKind::Integer) => found == Match::Names,
                _ => true,
            };
            if applies {
                used.applicable = true;
                last = Some(i);
            }
        }
        last
    }

    fn decision(&self, index: Option<usize>, kind: FieldKind) -> Decision {
        let rule = index.and_then(|i| self.policy.rules.get(i));
        let effect = match rule {
            Some(rule) => rule.effect,
            None if kind == FieldKind::Float => Effect::Close(self.policy.default),
            None => Effect::Exact,
        };
        let nan_equal = rule.and_then(|r| r.nan_equal).unwrap_or(self.policy.nan_equal);
        let reason = rule.and_then(|r| r.reason.clone());
        let mut text = effect.to_string();
        if effect == Effect::Ignore {
            text.extend(reason.iter().map(|reason| format!(": {reason}")));
        } else if kind == FieldKind::Float && !nan_equal {
            text.push_str(",nan_equal=false");
        }
        Decision { rule: index, effect, nan_equal, text, reason }
    }

    /// The use of every rule.
    ///
    /// # Errors
    ///
    /// [`Error::Policy`] where a rule matched nothing, or nothing that it can
    /// mean anything for. A rule for everything is a default, and is free to
    /// find nothing.
    pub(crate) fn finish(self) -> Result<Vec<RuleUse>> {
        for (rule, used) in self.policy.rules.iter().zip(&self.uses) {
            if rule.glob.is_everything() || used.applicable {
                continue;
            }
            let (reason, suggestions) = if used.matched {
                let reason = "it covers nothing that takes a tolerance: integers take one only \
                              from a rule that names the field, text and bool never";
                (reason, Vec::new())
            } else {
                ("it matches no field of either side", self.suggestions(rule.glob.as_str()))
            };
            return Err(Error::Policy {
                rule: rule.to_string(),
                reason: reason.to_owned(),
                suggestions,
            });
        }
        let uses = self.policy.rules.iter().zip(&self.uses);
        Ok(uses
            .map(|(rule, used)| RuleUse { rule: rule.to_string(), fields: used.fields })
            .collect())
    }

    /// The three names nearest to what was written, if any is near.
    fn suggestions(&self, written: &str) -> Vec<String> {
        let written: String = written.chars().filter(|c| !matches!(c, '*' | '"')).collect();
        let mut near: Vec<(usize, &String)> = self
            .names
            .iter()
            .map(|name| {
                let plain: String = name.chars().filter(|c| !matches!(c, '*' | '"')).collect();
                // Who forgets the key means the field behind it.
                let field = plain.find('.').map_or("", |dot| &plain[dot + 1..]);
                (distance(&written, &plain).min(distance(&written, field)), name)
            })
            .filter(|(distance, _)| *distance <= 2.max(written.len() / 3))
            .collect();
        near.sort();
        near.into_iter().take(3).map(|(_, name)| name.clone()).collect()
    }
}

/// Levenshtein's edit distance, in characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(rules: &[&str], kind: FieldKind) -> String {
        let policy = Policy::parse_rules(rules).unwrap();
        let path = FieldPath::key("imu").field("gyro").field("x");
        Resolver::new(&policy).decide(&path, kind).text
    }

    #[test]
    fn the_last_match_wins() {
        assert_eq!(decide(&["imu.gyro:exact", "imu.**:abs=0.5"], FieldKind::Float), "abs=0.5");
        assert_eq!(decide(&["imu.**:abs=0.5", "imu.gyro:exact"], FieldKind::Float), "exact");
        assert_eq!(decide(&["imu:ignore,reason=noisy"], FieldKind::Exact), "ignore: noisy");
        assert_eq!(decide(&[], FieldKind::Float), "abs=1e-6");
    }

    #[test]
    fn an_integer_takes_a_tolerance_only_from_a_rule_that_names_it() {
        assert_eq!(decide(&["5"], FieldKind::Integer), "exact");
        assert_eq!(decide(&["imu.gyro:abs=5"], FieldKind::Integer), "exact");
        assert_eq!(decide(&["imu.gyro.*:abs=5"], FieldKind::Integer), "exact");
        assert_eq!(decide(&["imu.gyro.x:abs=5"], FieldKind::Integer), "abs=5.0");
        // A default given later doesn't undo it.
        assert_eq!(decide(&["**.x:abs=5", "1e-6"], FieldKind::Integer), "abs=5.0");
    }

    #[test]
    fn a_rule_that_matches_nothing_is_an_error_with_near_names() {
        let policy = Policy::parse_rules(&["imu.gyr.x:exact"]).unwrap();
        let mut resolver = Resolver::new(&policy);
        for name in ["imu", "imu.gyro.x", "imu.gyro.y", "pose.orientation"] {
            resolver.name(name.to_owned());
        }
        let Err(Error::Policy { rule, suggestions, .. }) = resolver.finish() else {
            panic!("an unmatched rule passed")
        };
        assert_eq!(rule, "imu.gyr.x:exact");
        assert_eq!(suggestions, ["imu.gyro.x", "imu.gyro.y"]);
    }

    #[test]
    fn who_forgets_the_key_is_told() {
        let policy = Policy::parse_rules(&["gyro.x:exact"]).unwrap();
        let mut resolver = Resolver::new(&policy);
        resolver.name("imu.gyro.x".to_owned());
        let error = resolver.finish().unwrap_err();
        assert_eq!(error.hint().as_deref(), Some("did you mean `imu.gyro.x`?"));
    }

    #[test]
    fn a_tolerance_that_covers_only_text_is_an_error_but_a_default_is_not() {
        let path = FieldPath::key("log").field("text");
        for (rules, fine) in [(["log:abs=1"], false), (["1e-3"], true), (["log:exact"], true)] {
            let policy = Policy::parse_rules(&rules).unwrap();
            let mut resolver = Resolver::new(&policy);
            resolver.decide(&path, FieldKind::Exact);
            assert_eq!(resolver.finish().is_ok(), fine, "{rules:?}");
        }
    }
}
