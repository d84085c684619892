//! A result judged again under another policy, without its data.

mod field;
mod seal;
mod sums;

use serde::{Deserialize, Serialize};

use super::policy::{Effect, FieldKind, FieldPath, Policy, Resolver, Scope};
use super::{
    Alignment, DiffResult, FieldDiff, KeyDiff, REPORT_VERSION, SchemaFinding, SchemaFindingKind,
    Verdict,
};
use crate::error::{Error, Result};
use crate::time::Span;
use field::Judged;
pub(super) use field::path_of;

/// Whether something would pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// For certain.
    Yes,
    /// For certain not.
    No,
    /// What the result keeps can't tell; comparing again can.
    Unknown,
}

/// What a result says about another policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rejudgement {
    /// Whether comparing again would find the datasets identical or equal.
    pub passes: Answer,
    /// What decides that beside fields, or leaves it open: keys, messages,
    /// times, types, the policy itself.
    pub findings: Vec<Finding>,
    /// Every field of the result, in its order.
    pub fields: Vec<FieldAnswer>,
}

/// What stands against a yes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The key; empty where it is about all.
    pub key: String,
    /// [`Answer::No`] or [`Answer::Unknown`].
    pub passes: Answer,
    /// Why, as a phrase.
    pub reason: String,
}

/// One field under the other policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldAnswer {
    /// Its key.
    pub key: String,
    /// Dotted path.
    pub path: String,
    /// What would decide it.
    pub tolerance: String,
    /// Whether all its values would pass.
    /// Unknown where what is open for all leaves fields open, too.
    pub passes: Answer,
    /// Why, as a phrase.
    pub reason: String,
}

impl DiffResult {
    /// Whether the same datasets would pass under another policy: be
    /// [`Verdict::Identical`] or [`Verdict::Equal`], or have few enough
    /// violations for what that policy allows.
    ///
    /// Answered from what the result keeps, without reading data. A yes or a no
    /// is what comparing again would come to; where that isn't certain, the
    /// answer is unknown; so it is for a result that was changed since, as its
    /// seal shows, or is of another version. How many messages would violate isn't known, so that a
    /// policy that allows some gets no certain no for values alone, unless it is
    /// that of the result.
    ///
    /// # Errors
    ///
    /// [`Error::Policy`] where comparing again would fail: a rule that matches
    /// nothing, a negative tolerance.
    pub fn rejudge(&self, policy: &Policy) -> Result<Rejudgement> {
        policy.check()?;
        if let Some((key, reason)) = self.disbelieved() {
            let (key, passes) = (key.to_owned(), Answer::Unknown);
            let findings = vec![Finding { key, passes, reason }];
            return Ok(Rejudgement { passes, findings, fields: Vec::new() });
        }
        if self.policy.as_ref() == Some(policy) {
            return Ok(self.as_judged());
        }
        let mut again = Again { findings: Vec::new(), fields: Vec::new(), compared: false };
        let known = again.settings(self, policy);
        let mut resolver = Resolver::new(policy);
        let mut view =
            View { result: self, policy, resolver: &mut resolver, complete: true, doubt: None };
        again.keys(&mut view);
        // What leaves the settings open is what is found first.
        if let (false, Some(finding)) = (known, again.findings.first()) {
            let reason = &finding.reason;
            let open = |field: FieldAnswer| FieldAnswer {
                passes: Answer::Unknown,
                reason: reason.clone(),
                ..field
            };
            again.fields = again.fields.into_iter().map(open).collect();
        }
        let View { complete, doubt, .. } = view;
        doubt.into_iter().for_each(|doubt| again.find("", Answer::Unknown, doubt));
        match resolver.finish() {
            Ok(_) => {}
            Err(error) if complete && known => return Err(error),
            Err(error) => again.find("", Answer::Unknown, describe(&error)),
        }
        let mut passes = again.passes();
        // What is wrong beside values is never allowed.
        let values_alone = again.findings.iter().all(|finding| finding.passes != Answer::No);
        if policy.allowed_violations.is_some() && passes == Answer::No && values_alone {
            let reason = "some violations are allowed, and how many messages would have any \
                          isn't known";
            again.find("", Answer::Unknown, reason);
            passes = Answer::Unknown;
        }
        Ok(Rejudgement { passes, findings: again.findings, fields: again.fields })
    }
}

/// What times have that are further apart than a span can say, too.
const FARTHEST: Span = Span::from_nanos(i64::MAX);

impl DiffResult {
    /// Why it can't be one that comparing came to: a key, or none, and a reason.
    fn disbelieved(&self) -> Option<(&str, String)> {
        if self.version != REPORT_VERSION {
            let reason = format!(
                "it has version {}, and this lk judges version {REPORT_VERSION}",
                self.version
            );
            return Some(("", reason));
        }
        if let Some(key) = sums::first_wrong(self) {
            return Some((key, "its counts don't add up, or deny the verdict".to_owned()));
        }
        let changed = "it was changed since it was made, or bears no seal that shows it was not";
        (self.seal != self.sealed()).then(|| ("", changed.to_owned()))
    }

    /// What the result says under its own policy.
    fn as_judged(&self) -> Rejudgement {
        let passes = |passes: bool| if passes { Answer::Yes } else { Answer::No };
        let passed = self.passes();
        let mut fields = Vec::new();
        for (key, diff) in &self.key_diffs {
            for field in &diff.fields {
                let v = &field.values;
                let wrong = v.violations + field.shape_violations + v.missing + v.extra;
                fields.push(FieldAnswer {
                    key: key.clone(),
                    path: field.path.clone(),
                    tolerance: field.tolerance.clone(),
                    passes: passes(wrong == 0),
                    reason: "as it was judged, the policy is the same".to_owned(),
                });
            }
        }
        let finding = Finding {
            key: String::new(),
            passes: Answer::No,
            reason: "the policy is the same, and it did not pass".to_owned(),
        };
        let findings = if passed { Vec::new() } else { vec![finding] };
        Rejudgement { passes: passes(passed), findings, fields }
    }
}

fn describe(error: &Error) -> String {
    format!("{error}, as far as the result shows")
}

/// What the answers are worked out from.
struct View<'v, 'p> {
    result: &'v DiffResult,
    policy: &'p Policy,
    resolver: &'v mut Resolver<'p>,
    /// The result has every field of the datasets.
    complete: bool,
    /// Why the policy may not fit the datasets.
    doubt: Option<String>,
}

/// The answers so far.
struct Again {
    findings: Vec<Finding>,
    fields: Vec<FieldAnswer>,
    /// Something would be compared.
    compared: bool,
}

impl Again {
    fn find(&mut self, key: &str, passes: Answer, reason: impl Into<String>) {
        self.findings.push(Finding { key: key.to_owned(), passes, reason: reason.into() });
    }

    fn passes(&mut self) -> Answer {
        let fields = self.fields.iter().map(|field| field.passes);
        let all: Vec<Answer> = self.findings.iter().map(|f| f.passes).chain(fields).collect();
        // What leaves open which fields there are, or whether the policy fits
        // them, leaves everything open.
        let open = |f: &Finding| f.key.is_empty() && f.passes == Answer::Unknown;
        match () {
            () if self.findings.iter().any(open) => Answer::Unknown,
            () if all.contains(&Answer::No) => Answer::No,
            () if all.contains(&Answer::Unknown) => Answer::Unknown,
            () if self.compared => Answer::Yes,
            () => {
                self.find("", Answer::No, "nothing would be compared");
                Answer::No
            }
        }
    }

    /// Sees whether the result was made in a way that this policy would not
    /// change. False where nothing can be said.
    fn settings(&mut self, result: &DiffResult, policy: &Policy) -> bool {
        let Some(made_under) = &result.policy else {
            let reason = "the result doesn't have the policy that it was made under, so that it \
                          can't be told what would change";
            self.find("", Answer::Unknown, reason);
            return false;
        };
        // Whatever else a policy says may change which messages meet.
        let same = Policy {
            default: policy.default,
            defaults: policy.defaults,
            nan_equal: policy.nan_equal,
            timestamp_tol: policy.timestamp_tol,
            check_timestamps: policy.check_timestamps,
            allowed_violations: policy.allowed_violations,
            confidence: policy.confidence,
            rules: policy.rules.clone(),
            known_differences: policy.known_differences.clone(),
            ..made_under.clone()
        };
        let multisets = |policy: &Policy| {
            policy.rules.iter().any(|rule| matches!(rule.effect, Effect::Unordered(_)))
        };
        if multisets(made_under) || multisets(policy) {
            let reason = "which elements of an unordered array meet depends on the tolerance";
            self.find("", Answer::Unknown, reason);
            return false;
        }
        let interpolates = |diff: &KeyDiff| diff.alignment == Alignment::Interpolate;
        if made_under.rules != policy.rules && result.key_diffs.values().any(interpolates) {
            let reason = "rules say how values are interpolated, too";
            self.find("", Answer::Unknown, reason);
            return false;
        }
        if !made_under.known_differences.is_empty() || !policy.known_differences.is_empty() {
            let reason = "known differences are counted only where data is compared";
            self.find("", Answer::Unknown, reason);
            return false;
        }
        if same != *policy {
            let reason =
                "it chooses or pairs messages in another way than the policy of the result";
            self.find("", Answer::Unknown, reason);
            return false;
        }
        if result.verdict == Verdict::Incomparable && result.key_diffs.is_empty() {
            let reason = result.incomparable_reason.as_deref().unwrap_or("nothing was compared");
            self.find("", Answer::Unknown, reason);
            return false;
        }
        true
    }

    fn keys(&mut self, view: &mut View<'_, '_>) {
        let result = view.result;
        for (key, reason) in &result.ignored_keys {
            view.complete = false;
            let decision = view.resolver.decide(&FieldPath::key(key), FieldKind::Exact);
            // By its role, which the result doesn't have, or by a rule that
            // still does so, if all that is in it goes too.
            if view.policy.scope != Scope::All && Scope::REASONS.contains(&reason.as_str()) {
                continue;
            }
            if !(decision.is_ignore() && decision.is_last_rule(view.policy)) {
                self.find(key, Answer::Unknown, "it was left out of the comparison");
            }
        }
        for (key, diff) in &result.key_diffs {
            let decision = view.resolver.decide(&FieldPath::key(key), FieldKind::Exact);
            let missing = result.missing_keys_in_b.contains(key);
            if missing || result.extra_keys_in_b.contains(key) {
                view.complete = false;
                let side = if missing { "candidate" } else { "reference" };
                let passes = match decision.is_ignore() {
                    true if decision.is_last_rule(view.policy) => continue,
                    true => Answer::Unknown,
                    false => Answer::No,
                };
                self.find(key, passes, format!("the {side} lacks this key"));
                continue;
            }
            let fields: Vec<Judged> =
                diff.fields.iter().map(|field| field::judge(view, key, field)).collect();
            if !(decision.is_ignore() && fields.iter().all(|field| field.ignored)) {
                self.key(view, key, diff, &fields);
            }
            let answers = diff.fields.iter().zip(fields).map(|(field, judged)| FieldAnswer {
                key: key.clone(),
                path: field.path.clone(),
                tolerance: judged.tolerance,
                passes: judged.passes,
                reason: judged.reason,
            });
            self.fields.extend(answers);
        }
    }

    /// A key that is not left out as a whole.
    fn key(&mut self, view: &mut View<'_, '_>, key: &str, diff: &KeyDiff, fields: &[Judged]) {
        let m = &diff.messages;
        for (n, what) in [
            (m.missing, "missing"),
            (m.extra, "extra"),
            (m.unaligned_reference + m.unaligned_candidate, "not aligned"),
            (m.errors, "not decodable"),
        ] {
            if n > 0 {
                let s = if n == 1 { "" } else { "s" };
                self.find(key, Answer::No, format!("{n} message{s} {what}"));
            }
        }
        let (times, tolerance) = (&diff.timestamps, view.policy.timestamp_tol);
        if view.policy.check_timestamps {
            let most = [(times.max_later, tolerance.later), (times.max_earlier, tolerance.earlier)];
            for (most, allowed) in most {
                let passes = if most == FARTHEST { Answer::Unknown } else { Answer::No };
                if most > allowed || most == FARTHEST {
                    let ns = most.as_nanos();
                    self.find(
                        key,
                        passes,
                        format!("times are {ns} ns off, {tolerance} is allowed"),
                    );
                }
            }
        }
        let found = diff.schema.iter().filter(|f| f.kind != SchemaFindingKind::Order);
        let mut comparable = true;
        for finding in found {
            view.complete = false;
            comparable &= finding.kind != SchemaFindingKind::Encoding;
            if !self.set_aside(view, key, finding, diff, fields) {
                let at = if finding.path.is_empty() { "the message" } else { &finding.path };
                self.find(key, Answer::No, format!("the types of {at} differ"));
            }
        }
        let violations: u64 =
            diff.fields.iter().map(|f| f.values.violations + f.shape_violations).sum();
        if diff.n_different > 0 && violations == 0 {
            self.find(key, Answer::Unknown, "messages differ for a reason that no field has");
        }
        let met =
            |(field, judged): (&FieldDiff, &Judged)| !judged.ignored && field.values.compared > 0;
        let any = diff.fields.iter().zip(fields).any(met);
        self.compared |= m.compared > 0 && (any || diff.fields.is_empty() && comparable);
    }

    /// Whether every field of a type that differs is left out.
    fn set_aside(
        &self,
        view: &mut View<'_, '_>,
        key: &str,
        finding: &SchemaFinding,
        diff: &KeyDiff,
        fields: &[Judged],
    ) -> bool {
        if finding.kind == SchemaFindingKind::Encoding {
            return false;
        }
        let below = |path: &str| match path.strip_prefix(finding.path.as_str()) {
            Some(rest) => {
                finding.path.is_empty() || rest.is_empty() || rest.starts_with(['.', '['])
            }
            None => false,
        };
        let mut leaves =
            diff.fields.iter().zip(fields).filter(|(field, _)| below(&field.path)).peekable();
        if leaves.peek().is_none() {
            let path = path_of(key, &finding.path);
            return view.resolver.decide(&path, FieldKind::Exact).is_ignore();
        }
        leaves.all(|(_, judged)| judged.ignored)
    }
}
