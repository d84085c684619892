//! Which rule decides which field, and which rules never do.

use std::collections::BTreeSet;

use super::effect::{Effect, QuaternionOrder, Tolerance};
use super::glob::{FieldPath, Glob, Match};
use super::{Defaults, Policy};
use crate::diff::{MismatchKind, RuleUse};
use crate::error::{Error, Result};

/// What a tolerance can mean for a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldKind {
    /// Takes any tolerance.
    Float32,
    /// Takes any tolerance.
    Float64,
    /// Takes a tolerance where a rule names the field.
    Integer,
    /// Bool, text, opaque bytes: takes none.
    Exact,
    /// A message as a whole, to see what it is; its fields are decided by
    /// themselves.
    Message,
}

impl FieldKind {
    pub(crate) fn is_float(self) -> bool {
        matches!(self, FieldKind::Float32 | FieldKind::Float64)
    }
}

/// What was decided about one field.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Decision {
    /// Index of the rule; `None` for the policy's default.
    rule: Option<usize>,
    /// Index of the rule after it that last changed a flag alone.
    flags: Option<usize>,
    pub(crate) effect: Effect,
    pub(crate) nan_equal: bool,
    pub(crate) signed_zero: bool,
    /// As reports show it: `abs=1e-6`, `exact`, `ignore: noisy`.
    pub(crate) text: String,
    pub(crate) reason: Option<String>,
    /// The known differences that cover it, by their places in the policy.
    pub(crate) known: Vec<usize>,
}

impl Decision {
    pub(crate) fn is_ignore(&self) -> bool {
        self.effect == Effect::Ignore
    }

    pub(crate) fn tolerance(&self) -> Tolerance {
        match self.effect {
            Effect::Unordered(Some(tolerance)) => tolerance,
            // Without a bound there is no form of one either.
            Effect::Close(Tolerance { abs: 0.0, rel: 0.0, .. }) => Tolerance::EXACT,
            Effect::Close(tolerance) => tolerance,
            Effect::Angle { abs, .. } | Effect::Quaternion { abs, .. } => {
                Tolerance::sum(abs.unwrap_or(0.0), 0.0)
            }
            _ => Tolerance::EXACT,
        }
    }

    /// Whether an array is a multiset.
    pub(crate) fn is_unordered(&self) -> bool {
        matches!(self.effect, Effect::Unordered(_))
    }

    /// The order of the array, if it is one, where it is a quaternion.
    pub(crate) fn quaternion(&self) -> Option<Option<QuaternionOrder>> {
        match self.effect {
            Effect::Quaternion { order, .. } => Some(order),
            _ => None,
        }
    }

    /// Takes the range of the field in the reference, where it goes by that:
    /// `None` where the field has no finite value. Says what came of it.
    pub(crate) fn take_range(&mut self, range: Option<f64>) {
        let Effect::Range(fraction) = self.effect else { return };
        let abs = fraction * range.unwrap_or(0.0);
        let found = match range {
            None => "exact: no finite value in the reference".to_owned(),
            Some(0.0) => "exact: constant in the reference".to_owned(),
            Some(_) => format!("= {abs:?}"),
        };
        let asked = self.effect.to_string();
        self.text = self.text.replacen(&asked, &format!("{asked} ({found})"), 1);
        self.effect = Effect::Close(Tolerance::sum(abs, 0.0));
    }

    /// Whether it waits for the range of the field.
    pub(crate) fn wants_range(&self) -> bool {
        matches!(self.effect, Effect::Range(_))
    }

    /// Whether the last rule of all decided it.
    pub(crate) fn is_last_rule(&self, policy: &Policy) -> bool {
        self.rule.is_some_and(|rule| rule + 1 == policy.rules.len())
    }

    /// Whether one rule decided both, flags aside.
    pub(crate) fn same_rule(&self, other: &Decision) -> bool {
        self.rule == other.rule
    }

    /// Takes back a meaning that the field can't have.
    pub(crate) fn make_exact(&mut self) {
        self.effect = Effect::Exact;
        self.text = Effect::Exact.to_string();
    }
}

/// Decides field after field, and keeps count of what the rules did.
pub(crate) struct Resolver<'a> {
    policy: &'a Policy,
    uses: Vec<Use>,
    /// Known differences that cover some path.
    known: BTreeSet<usize>,
    /// Every path that was asked for, for suggestions.
    names: BTreeSet<String>,
}

#[derive(Clone, Default)]
struct Use {
    /// Matched some path.
    matched: bool,
    /// Could decide a path, had no later rule done so.
    applicable: bool,
    /// Fields that it decided.
    fields: u64,
    /// A field that can't have the meaning it gives, and why.
    misfit: Option<String>,
    /// That field is one of both sides: no difference of theirs is to blame.
    misused: bool,
}

/// The rules that have a say about one field, as far as they were looked at.
#[derive(Clone, Copy, Default)]
struct Say {
    rule: Option<usize>,
    flags: Option<usize>,
    nan_equal: Option<bool>,
    signed_zero: Option<bool>,
    /// The rule names the field itself.
    names: bool,
}

impl<'a> Resolver<'a> {
    pub(crate) fn new(policy: &'a Policy) -> Resolver<'a> {
        let uses = vec![Use::default(); policy.rules.len()];
        Resolver { policy, uses, known: BTreeSet::new(), names: BTreeSet::new() }
    }

    /// All patterns of the policy.
    pub(crate) fn globs(&self) -> impl Iterator<Item = &'a Glob> {
        let known = self.policy.known_differences.iter().map(|known| &known.glob);
        self.policy.rules.iter().map(|rule| &rule.glob).chain(known)
    }

    /// The known differences that cover a path, by their places in the policy.
    pub(crate) fn known(&mut self, path: &FieldPath) -> Vec<usize> {
        let known = self.policy.known_differences.iter().enumerate();
        let covers = known.filter(|(_, known)| known.glob.matches(path).is_some());
        let covers: Vec<usize> = covers.map(|(i, _)| i).collect();
        self.known.extend(&covers);
        covers
    }

    /// The first of these known differences that a difference of this kind is.
    pub(crate) fn known_as(&self, of: &[usize], kind: MismatchKind) -> Option<usize> {
        self.policy.known(of, kind)
    }

    /// Notes that a decision's rule has found what it is for.
    pub(crate) fn applies(&mut self, decision: &Decision) {
        if let Some(used) = decision.rule.and_then(|i| self.uses.get_mut(i)) {
            used.applicable = true;
        }
    }

    /// Notes that there is something called `name`.
    pub(crate) fn name(&mut self, name: String) {
        self.names.insert(name);
    }

    /// Decides a field.
    pub(crate) fn decide(&mut self, path: &FieldPath, kind: FieldKind) -> Decision {
        let say = self.last_match(path, kind);
        let decision = self.decision(say, kind);
        if decision.is_unordered()
            && kind.is_float()
            && say.signed_zero == Some(true)
            && let Some(used) = say.flags.and_then(|i| self.uses.get_mut(i))
        {
            // The best matching holds zeros for equal; to say nothing of it
            // would be to pass what was asked for.
            let why = "it reaches elements of `unordered`, which are matched as numbers: both \
                       zeros are one there";
            used.misfit.get_or_insert_with(|| why.to_owned());
            used.misused = true;
        }
        decision
    }

    /// Counts a decided field for the rules that did.
    pub(crate) fn count(&mut self, decision: &Decision) {
        for rule in [decision.rule, decision.flags].into_iter().flatten() {
            if let Some(used) = self.uses.get_mut(rule) {
                used.fields += 1;
            }
        }
    }

    /// Notes that what was decided means nothing for `field`, which is an
    /// error where both sides have it.
    pub(crate) fn misfit(&mut self, decision: &Decision, field: &str, why: &str, both: bool) {
        if let Some(used) = decision.rule.and_then(|i| self.uses.get_mut(i)) {
            used.misfit.get_or_insert_with(|| format!("it can't hold for `{field}`: {why}"));
            used.misused |= both;
        }
    }

    fn last_match(&mut self, path: &FieldPath, kind: FieldKind) -> Say {
        let mut say = Say::default();
        for (i, (rule, used)) in self.policy.rules.iter().zip(&mut self.uses).enumerate() {
            let Some(found) = rule.glob.matches(path) else { continue };
            used.matched = true;
            let applies = match (rule.effect, kind) {
                (Effect::Close(_) | Effect::Range(_) | Effect::Dtype, FieldKind::Exact) => false,
                (Effect::Close(_) | Effect::Range(_) | Effect::Dtype, FieldKind::Integer) => {
                    found == Match::Names
                }
                (Effect::Keep, kind) => kind.is_float(),
                (Effect::Ulp(_), kind) => kind.is_float() || kind == FieldKind::Message,
                _ => true,
            };
            if !applies {
                continue;
            }
            used.applicable |= match rule.effect {
                Effect::Angle { .. } => kind.is_float(),
                Effect::Quaternion { .. } => kind.is_float() || kind == FieldKind::Message,
                // An array takes it: see `applies`.
                Effect::Unordered(_) => false,
                // What is in a message takes it, or doesn't.
                _ => kind != FieldKind::Message,
            };
            if rule.effect == Effect::Keep {
                say.flags = Some(i);
                say.nan_equal = rule.nan_equal.or(say.nan_equal);
                say.signed_zero = rule.signed_zero.or(say.signed_zero);
            } else {
                let (nan_equal, signed_zero) = (rule.nan_equal, rule.signed_zero);
                let names = found == Match::Names;
                say = Say { rule: Some(i), flags: None, nan_equal, signed_zero, names };
            }
        }
        say
    }

    fn decision(&self, say: Say, kind: FieldKind) -> Decision {
        let rule = |index: Option<usize>| index.and_then(|i| self.policy.rules.get(i));
        let effect = match rule(say.rule).map(|rule| rule.effect) {
            Some(Effect::Dtype) => by_width(kind).map_or(Effect::Exact, Effect::Close),
            Some(Effect::Angle { abs: None, unit }) => {
                let abs = self.default_for(kind).map(|tolerance| tolerance.abs);
                Effect::Angle { abs, unit }
            }
            Some(Effect::Quaternion { abs: None, order }) => {
                let abs = self.default_for(kind).map(|tolerance| tolerance.abs);
                Effect::Quaternion { abs, order }
            }
            Some(Effect::Unordered(given)) => Effect::Unordered(match kind {
                kind if kind.is_float() => given.or_else(|| self.default_for(kind)),
                FieldKind::Integer if say.names => given,
                FieldKind::Message => given,
                _ => None,
            }),
            Some(effect) => effect,
            None => self.default_for(kind).map_or(Effect::Exact, Effect::Close),
        };
        let nan_equal = say.nan_equal.unwrap_or(self.policy.nan_equal);
        let as_number =
            matches!(effect, Effect::Close(_) | Effect::Range(_) | Effect::Ulp(_) | Effect::Exact);
        let signed_zero = say.signed_zero == Some(true) && kind.is_float() && as_number;
        let reason = |index| rule(index).and_then(|r| r.reason.clone());
        let reason = reason(say.rule).or_else(|| reason(say.flags));
        let mut text = effect.to_string();
        if effect == Effect::Ignore {
            text.extend(reason.iter().map(|reason| format!(": {reason}")));
        } else if kind.is_float() && !matches!(effect, Effect::Quaternion { .. }) {
            text.push_str(if nan_equal { "" } else { ",nan_equal=false" });
            text.push_str(if signed_zero { ",signed_zero" } else { "" });
        }
        let (rule, flags, known) = (say.rule, say.flags, Vec::new());
        Decision { rule, flags, effect, nan_equal, signed_zero, text, reason, known }
    }

    /// What floats may differ by where no rule decides; nothing else may.
    fn default_for(&self, kind: FieldKind) -> Option<Tolerance> {
        match self.policy.defaults {
            Defaults::Dtype => by_width(kind),
            Defaults::Fixed => kind.is_float().then_some(self.policy.default),
        }
    }

    /// The use of every rule.
    ///
    /// # Errors
    ///
    /// [`Error::Policy`] where a rule matched nothing, or nothing that it can
    /// mean anything for, or gives a field a meaning that it can't have. A rule for everything is a default, and is free to
    /// find nothing.
    pub(crate) fn finish(self) -> Result<Vec<RuleUse>> {
        for (rule, used) in self.policy.rules.iter().zip(&self.uses) {
            if let Some(misfit) = used.misfit.as_ref().filter(|_| used.misused || !used.applicable)
            {
                return Err(Error::policy(&rule.to_string(), misfit.clone()));
            }
            if rule.glob.is_everything() || used.applicable {
                continue;
            }
            let (reason, suggestions) = if used.matched {
                let reason = match rule.effect {
                    Effect::Unordered(_) => "it covers no array and no sequence",
                    Effect::Ulp(_) | Effect::Keep => {
                        "it covers no float, and says nothing of anything else"
                    }
                    _ => {
                        "it covers nothing that takes a tolerance: integers take one only from a \
                         rule that names the field, text and bool never"
                    }
                };
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
        let known = self.policy.known_differences.iter().enumerate();
        if let Some((_, unmatched)) = { known }.find(|(i, _)| !self.known.contains(i)) {
            return Err(Error::Policy {
                rule: format!("known difference {}", unmatched.glob),
                reason: "it matches no field of either side".to_owned(),
                suggestions: self.suggestions(unmatched.glob.as_str()),
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
            .collect();
        near.sort();
        // Where nothing is near, the nearest still shows what a field looks like.
        let likely = near.iter().filter(|(distance, _)| *distance <= 2.max(written.len() / 3));
        let count = likely.count().max(1);
        near.into_iter().take(count).take(3).map(|(_, name)| name.clone()).collect()
    }
}

/// PyTorch's table of tolerances.
fn by_width(kind: FieldKind) -> Option<Tolerance> {
    match kind {
        FieldKind::Float32 => Some(Tolerance::of_float32()),
        FieldKind::Float64 => Some(Tolerance::of_float64()),
        FieldKind::Integer | FieldKind::Exact | FieldKind::Message => None,
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
        assert_eq!(decide(&["imu.gyro:exact", "imu.**:abs=0.5"], FieldKind::Float64), "abs=0.5");
        assert_eq!(decide(&["imu.**:abs=0.5", "imu.gyro:exact"], FieldKind::Float64), "exact");
        assert_eq!(decide(&["imu:ignore,reason=noisy"], FieldKind::Exact), "ignore: noisy");
        assert_eq!(decide(&[], FieldKind::Float64), "abs=1e-6");
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
    fn the_sign_of_zero_is_refused_where_elements_have_no_order() {
        let policy = Policy::parse_rules(&["imu.gyro:unordered", "**:signed_zero"]).unwrap();
        let path = FieldPath::key("imu").field("gyro").field("x");
        let mut resolver = Resolver::new(&policy);
        resolver.decide(&path, FieldKind::Float64);
        resolver.uses[0].applicable = true;
        let error = resolver.finish().unwrap_err().to_string();
        assert!(error.contains("rule `signed_zero`"), "{error}");
        assert!(error.contains("elements of `unordered`"), "{error}");
    }

    #[test]
    fn flags_alone_change_what_the_rules_before_them_decided() {
        let float = |rules: &[&str]| decide(rules, FieldKind::Float64);
        assert_eq!(float(&["signed_zero"]), "abs=1e-6,signed_zero");
        assert_eq!(float(&["imu:ulp=4", "**.x:signed_zero"]), "ulp=4,signed_zero");
        let both = ["imu:abs=1,signed_zero", "imu:nan_equal=false", "**:signed_zero=false"];
        assert_eq!(float(&both), "abs=1.0,nan_equal=false");
        assert_eq!(float(&["signed_zero", "imu:abs=1"]), "abs=1.0");
        assert_eq!(decide(&["signed_zero"], FieldKind::Exact), "exact");
    }

    #[test]
    fn dtype_goes_by_the_width_and_leaves_integers_exact() {
        assert_eq!(decide(&["dtype"], FieldKind::Float32), "abs=1e-5,rel=1.3e-6");
        assert_eq!(decide(&["dtype"], FieldKind::Float64), "abs=1e-7,rel=1e-7");
        assert_eq!(decide(&["imu.gyro.x:1", "imu.gyro.x:dtype"], FieldKind::Integer), "exact");
        let policy = Policy { defaults: Defaults::Dtype, ..Policy::default() };
        let path = FieldPath::key("imu");
        for (kind, text) in [
            (FieldKind::Float32, "abs=1e-5,rel=1.3e-6"),
            (FieldKind::Float64, "abs=1e-7,rel=1e-7"),
            (FieldKind::Integer, "exact"),
        ] {
            assert_eq!(Resolver::new(&policy).decide(&path, kind).text, text);
        }
    }

    #[test]
    fn an_angle_takes_the_absolute_default_where_it_gives_none() {
        assert_eq!(decide(&["imu:angle"], FieldKind::Float32), "angle,abs=1e-6");
        assert_eq!(decide(&["imu:angle=deg,abs=2"], FieldKind::Float64), "angle=deg,abs=2.0");
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
