//! One field under another policy.

use super::{Answer, View};
use crate::diff::policy::{
    Decision, Effect, FieldKind, FieldPath, Form, Rule, Tolerance, quote_key,
};
use crate::diff::{ErrorStats, FieldDiff};

/// What becomes of a field.
pub(super) struct Judged {
    pub(super) passes: Answer,
    pub(super) reason: String,
    /// What would decide it.
    pub(super) tolerance: String,
    /// A rule leaves it out.
    pub(super) ignored: bool,
}

/// The path of a field of `key`, from the text that results have.
pub(in crate::diff) fn path_of(key: &str, text: &str) -> FieldPath {
    let mut path = FieldPath::key(key);
    for segment in text.split('.').filter(|segment| !segment.is_empty()) {
        let (name, indices) = segment.split_at(segment.find('[').unwrap_or(segment.len()));
        if !name.is_empty() {
            path = path.field(name);
        }
        for index in indices.split('[').skip(1) {
            path = path.element(index.trim_end_matches(']').parse().ok());
        }
    }
    path
}

/// What a tolerance can mean for a field of this type.
fn kind_of(type_name: &str) -> FieldKind {
    match type_name.strip_prefix("quaternion of ").unwrap_or(type_name) {
        "float32" => FieldKind::Float32,
        "float64" => FieldKind::Float64,
        "int8" | "int16" | "int32" | "int64" | "char" => FieldKind::Integer,
        "uint8" | "uint16" | "uint32" | "uint64" => FieldKind::Integer,
        _ => FieldKind::Exact,
    }
}

/// What decided a field in the result; `None` where this can't be read.
fn decided(tolerance: &str) -> Option<Rule> {
    if tolerance == "ignore" || tolerance.starts_with("ignore: ") {
        return "**:ignore".parse().ok();
    }
    // `range=0.01 (= 0.035),nan_equal=false`: what came of it is no part of it.
    let (head, rest) = tolerance.split_once(" (").unwrap_or((tolerance, ""));
    let flags = rest.split_once(')').map_or("", |(_, flags)| flags);
    format!("**:{head}{flags}").parse().ok()
}

pub(super) fn judge(view: &mut View<'_, '_>, key: &str, field: &FieldDiff) -> Judged {
    let (path, kind) = (path_of(key, &field.path), kind_of(&field.type_name));
    let place = format!("{}.{}", quote_key(key), field.path);
    view.resolver.name(place.clone());
    let decision = view.resolver.decide(&path, kind);
    let judged = |passes, reason: &str| Judged {
        passes,
        reason: reason.to_owned(),
        tolerance: decision.text.clone(),
        ignored: decision.is_ignore() && passes == Answer::Yes,
    };
    let rotation = field.type_name.starts_with("quaternion of ");
    let doubt = if rotation && !is_one_rule(view, &path, kind, &decision) {
        Some("its numbers would be compared by other rules")
    } else if !rotation && has_elements_apart(view, key, field, &decision) {
        Some("some of its elements would have a tolerance of their own")
    } else {
        match decision.effect {
            Effect::Angle { .. } if !kind.is_float() => Some("it is no angle"),
            Effect::Quaternion { .. } if !rotation => Some("it was not compared as a rotation"),
            _ => None,
        }
    };
    if let Some(reason) = doubt {
        // Whether the policy fits the datasets at all can depend on it.
        view.doubt.get_or_insert_with(|| format!("{place}: {reason}"));
        return judged(Answer::Unknown, reason);
    }
    if decision.is_ignore() {
        return judged(Answer::Yes, "left out by a rule");
    }
    let Some(before) = decided(&field.tolerance) else {
        return judged(Answer::Unknown, "it can't be told how it was compared");
    };
    if before.effect == Effect::Ignore {
        return judged(Answer::Unknown, "it was left out of the comparison");
    }
    if field.values.missing + field.values.extra > 0 {
        return judged(Answer::No, "lengths differ, or a side lacks it");
    }
    let evidence = Evidence { field, before, kind };
    let (passes, reason) = evidence.answer(&decision);
    judged(passes, reason)
}

/// Whether all that decides a rotation, as a whole and in its parts, is one
/// rule.
fn is_one_rule(
    view: &mut View<'_, '_>,
    path: &FieldPath,
    kind: FieldKind,
    whole: &Decision,
) -> bool {
    view.complete = false;
    let parts = ["x", "y", "z", "w"].map(|name| (path.field(name), kind));
    let others = [(path.element(None), kind), (path.clone(), FieldKind::Message)];
    let indexed = view.policy.rules.iter().any(|rule| rule.glob.indices().next().is_some());
    let same = |(path, kind): (FieldPath, FieldKind), view: &mut View<'_, '_>| {
        let part = view.resolver.decide(&path, kind);
        part.same_rule(whole) && (part.is_ignore() == whole.is_ignore())
    };
    !indexed && parts.into_iter().chain(others).all(|part| same(part, view))
}

/// Whether a rule singles elements out that the result has no entry for.
fn has_elements_apart(
    view: &mut View<'_, '_>,
    key: &str,
    field: &FieldDiff,
    decision: &Decision,
) -> bool {
    let Some((before, after)) = field.path.split_once("[*]") else { return false };
    let policy = view.policy;
    let rules = &policy.rules;
    let mut indices = rules.iter().flat_map(|rule| rule.glob.indices()).collect::<Vec<_>>();
    indices.sort_unstable();
    indices.dedup();
    if indices.is_empty() {
        return false;
    }
    // Deeper arrays would need all combinations.
    if after.contains("[*]") {
        return true;
    }
    let result = view.result;
    let own = result.key_diffs.get(key).map_or(&[][..], |diff| &diff.fields);
    let kind = kind_of(&field.type_name);
    indices.into_iter().any(|index| {
        let text = format!("{before}[{index}]{after}");
        let apart = own.iter().any(|field| field.path == text);
        let matched = rules.iter().any(|rule| {
            rule.glob.indices().next().is_some()
                && rule.glob.matches(&path_of(key, &text)).is_some()
        });
        // Whether there is such an element at all isn't known either.
        let mut differs = || *decision != view.resolver.decide(&path_of(key, &text), kind);
        !apart && (differs() || matched)
    })
}

/// What the result knows of a field that was compared.
struct Evidence<'e> {
    field: &'e FieldDiff,
    /// What decided it, its pattern aside.
    before: Rule,
    kind: FieldKind,
}

const SAME: (Answer, &str) = (Answer::Yes, "no violation, and the tolerance is the same");
const ALIKE: (Answer, &str) = (Answer::Yes, "all values are equal");
const WITHIN: (Answer, &str) = (Answer::Yes, "the largest error is within");
const BEYOND: (Answer, &str) = (Answer::No, "the largest error is beyond");
const OPEN: (Answer, &str) =
    (Answer::Unknown, "the errors are known, but not how they would be held against this");

impl Evidence<'_> {
    /// Whether all values pass as decided anew.
    fn answer(&self, decision: &Decision) -> (Answer, &'static str) {
        let values = &self.field.values;
        let effect = self.meaning(decision.effect);
        let before = self.meaning(self.before.effect);
        let float = self.kind.is_float();
        let same_flags = !float
            || (self.before.nan_equal.unwrap_or(true) == decision.nan_equal
                && self.before.signed_zero.unwrap_or(false) == decision.signed_zero);
        let rotation = |effect: &Effect| matches!(effect, Effect::Quaternion { .. });
        if before == effect && (same_flags || rotation(&effect)) {
            return match values.violations {
                0 => SAME,
                _ => (Answer::No, "it has violations, and the tolerance is the same"),
            };
        }
        if rotation(&effect) || rotation(&before) {
            return self.rotation(before, effect);
        }
        let is_angle = matches!(effect, Effect::Angle { .. });
        if matches!(effect, Effect::Range(_)) {
            return (Answer::Unknown, "what it would be held against isn't known");
        }
        if values.unbounded > 0 {
            return (Answer::No, "NaN or infinity on one side alone");
        }
        if !decision.nan_equal && values.nan_both > 0 && float {
            return (Answer::No, "NaN would equal nothing, and it has some");
        }
        if decision.signed_zero && values.zero_signs > 0 && float && !is_angle {
            return (Answer::No, "it has zeros of different signs");
        }
        let Some(error) = self.field.error else {
            // Nothing has a finite difference: NaN, infinities and texts.
            return self.without_errors();
        };
        if error.max == 0.0 && values.overflow == 0 {
            // Angles may have been whole turns apart, which are others in
            // another unit.
            let turns = match (before, effect) {
                (Effect::Angle { unit, .. }, Effect::Angle { unit: new, .. }) => unit != new,
                (before, _) => matches!(before, Effect::Angle { .. }),
            };
            return if turns && values.within > 0 { OPEN } else { ALIKE };
        }
        match (before, effect) {
            (_, Effect::Ulp(n)) => self.steps(before, n, error),
            (Effect::Angle { unit, .. }, Effect::Angle { abs, unit: new }) if unit == new => {
                largest(error, abs.unwrap_or(0.0))
            }
            (Effect::Angle { .. }, Effect::Angle { .. }) => OPEN,
            (Effect::Angle { .. }, _) => self.unwrapped(effect, error),
            (_, Effect::Angle { abs, .. }) => match values.overflow == 0 {
                // Whole turns only take away from a difference.
                true if error.max <= abs.unwrap_or(0.0) => WITHIN,
                _ => OPEN,
            },
            (_, Effect::Close(new)) => self.close(before, new, error),
            (_, Effect::Exact) => BEYOND,
            _ => OPEN,
        }
    }

    /// An effect as it is for this kind of field: what a tolerance of nothing
    /// means is exact.
    fn meaning(&self, effect: Effect) -> Effect {
        match effect {
            Effect::Close(tolerance) if tolerance.abs == 0.0 && tolerance.rel == 0.0 => {
                Effect::Exact
            }
            effect => effect,
        }
    }

    /// Texts, flags and bytes, or floats without a finite difference.
    fn without_errors(&self) -> (Answer, &'static str) {
        let values = &self.field.values;
        let numbers = self.kind != FieldKind::Exact;
        match () {
            () if values.bit_equal == values.compared => ALIKE,
            // All of them NaN, or infinite with one sign.
            () if numbers && values.overflow == 0 => ALIKE,
            () if numbers => OPEN,
            () => (Answer::No, "some values differ"),
        }
    }

    fn rotation(&self, before: Effect, effect: Effect) -> (Answer, &'static str) {
        let orders = match (before, effect) {
            (Effect::Quaternion { order: old, .. }, Effect::Quaternion { order: new, .. }) => {
                old == new
            }
            _ => false,
        };
        let Effect::Quaternion { abs, .. } = effect else {
            return (Answer::Unknown, "it was compared as a rotation");
        };
        match (orders, self.field.error) {
            (false, _) => (Answer::Unknown, "it was not compared as this rotation"),
            _ if self.field.values.unbounded > 0 => (Answer::No, "it has what is no rotation"),
            (_, Some(error)) => largest(error, abs.unwrap_or(0.0)),
            (_, None) => (Answer::Unknown, "no rotation was compared"),
        }
    }

    fn steps(&self, before: Effect, n: u64, error: ErrorStats) -> (Answer, &'static str) {
        match (before, error.passing_ulp) {
            (Effect::Ulp(_), Some(steps)) if steps <= n => {
                (Answer::Yes, "the most steps are within")
            }
            (Effect::Ulp(_), Some(_)) => (Answer::No, "the most steps are beyond"),
            // Numbers that differ are a step apart at least, if the difference
            // is that of the numbers.
            (Effect::Close(_) | Effect::Exact, _) if n == 0 => BEYOND,
            _ => (Answer::Unknown, "steps between floats were not counted"),
        }
    }

    /// From an angle to the difference that it was wrapped from, which is no
    /// smaller.
    fn unwrapped(&self, effect: Effect, error: ErrorStats) -> (Answer, &'static str) {
        match effect {
            Effect::Exact => BEYOND,
            Effect::Close(Tolerance { abs, rel: 0.0, .. }) if error.max > abs => BEYOND,
            _ => (Answer::Unknown, "it was compared as an angle"),
        }
    }

    fn close(&self, before: Effect, new: Tolerance, error: ErrorStats) -> (Answer, &'static str) {
        if self.field.values.overflow > 0 {
            return (Answer::No, "differences that are no finite number");
        }
        // Integers of more than 53 bits have an error that is rounded.
        let rounded = !self.kind.is_float() && error.max >= 9_007_199_254_740_992.0;
        if new.abs >= if rounded { error.max.next_up() } else { error.max } {
            return WITHIN;
        }
        if new.rel == 0.0 && new.abs < error.max {
            return BEYOND;
        }
        let old = match before {
            Effect::Close(old) => old,
            // Relative to the reference: without an absolute part, the sum and
            // the larger one are the same.
            Effect::Exact if new.form == Form::Sum => Tolerance::EXACT,
            Effect::Exact => Tolerance { form: Form::MaxRef, ..Tolerance::EXACT },
            // Without a relative part the form makes no difference, and what
            // would pass is the largest error, as seen above.
            _ => return OPEN,
        };
        let held = at_form(old, new, error);
        match (form_order(old.form, new.form), held) {
            (_, None) | (None, _) => OPEN,
            (Some(order), Some(true)) if order.is_ge() => {
                (Answer::Yes, "the smallest tolerance that passes is within")
            }
            (Some(order), Some(false)) if order.is_le() => {
                (Answer::No, "the smallest tolerance that passes is beyond")
            }
            _ => OPEN,
        }
    }
}

fn largest(error: ErrorStats, abs: f64) -> (Answer, &'static str) {
    if error.max <= abs { WITHIN } else { BEYOND }
}

/// How the bound of the new form compares with that of the old one, whatever
/// the numbers; `None` where that depends on them.
fn form_order(old: Form, new: Form) -> Option<std::cmp::Ordering> {
    use std::cmp::Ordering::{Equal, Greater, Less};
    match (old, new) {
        _ if old == new => Some(Equal),
        (Form::MaxRef, _) => Some(Greater),
        (_, Form::MaxRef) => Some(Less),
        _ => None,
    }
}

/// Whether all would pass at the new bounds and the old form; `None` where
/// the smallest ones that pass can't tell.
fn at_form(old: Tolerance, new: Tolerance, error: ErrorStats) -> Option<bool> {
    // Both are `None` where nothing passes, which is for another to say.
    let by_abs = error.passing_abs.map(|abs| (abs, old.rel));
    let by_rel = error.passing_rel.map(|rel| (old.abs, rel));
    for (abs, rel) in [by_abs, by_rel].into_iter().flatten() {
        if new.abs >= abs && new.rel >= rel {
            return Some(true);
        }
    }
    // Just below them it fails.
    if by_abs.is_some_and(|(abs, rel)| new.abs < abs && new.rel <= rel)
        || by_rel.is_some_and(|(abs, rel)| new.abs <= abs && new.rel < rel)
    {
        return Some(false);
    }
    // No relative tolerance passes at the old absolute one.
    let never = by_abs.is_some() && by_rel.is_none();
    (never && new.abs <= old.abs).then_some(false)
}
