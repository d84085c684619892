//! A fifth reading beside the verdict, for what is right most of the time: a
//! network, say.

mod binomial;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::policy::FieldPath;
use super::rejudge::path_of;
use super::{DiffResult, FieldDiff, KeyDiff, MismatchKind, Policy, SchemaFindingKind, Verdict};

/// Whether few enough messages violate, as the policy's `allowed_violations`
/// asks.
///
/// What is counted are messages, key by key: of those that were compared, how
/// many have some value outside of tolerance. That is taken for a sample of
/// independent messages, of which the largest fraction of violations is
/// worked out that is still likely: the one-sided Clopper-Pearson bound. A key
/// passes where that is no more than allowed, or where nothing violates.
///
/// Only values are ever allowed to violate. A missing or extra key, message,
/// field or element, another type, a payload that can't be decoded, a time that
/// is off, NaN or infinity on one side alone: any of these fails, unless it is a
/// known difference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statistical {
    /// Whether all keys pass, and nothing else fails.
    pub passes: bool,
    /// The fraction of messages that may violate.
    pub allowed: f64,
    /// How sure that is to be, from 0 to 1.
    pub confidence: f64,
    /// Keys of which messages were compared.
    pub keys: BTreeMap<String, ViolationBound>,
    /// What fails whatever is allowed, as phrases.
    pub failures: Vec<String>,
}

/// How many messages of a key violate, and what that says of all.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ViolationBound {
    /// Messages that were compared.
    pub compared: u64,
    /// Those with a value outside of tolerance.
    pub violating: u64,
    /// The fraction of them.
    pub fraction: f64,
    /// The largest fraction of violations that is likely.
    pub upper_bound: f64,
    /// Whether that is allowed, or nothing violates.
    pub passes: bool,
}

impl Statistical {
    /// The reading of a result, where its policy asks for one.
    pub(super) fn of(result: &DiffResult, policy: &Policy) -> Option<Statistical> {
        let (allowed, confidence) = (policy.allowed_violations?, policy.confidence);
        let bound = |diff: &KeyDiff| {
            let (n, k) = (diff.messages.compared, diff.n_different);
            let upper_bound = binomial::upper_bound(k, n, confidence);
            ViolationBound {
                compared: n,
                violating: k,
                fraction: k as f64 / n as f64,
                upper_bound,
                passes: k == 0 || upper_bound <= allowed,
            }
        };
        let compared = result.key_diffs.iter().filter(|(_, diff)| diff.messages.compared > 0);
        let keys: BTreeMap<String, ViolationBound> =
            compared.map(|(key, diff)| (key.clone(), bound(diff))).collect();
        let failures = failures(result, policy);
        let passes = failures.is_empty() && keys.values().all(|bound| bound.passes);
        Some(Statistical { passes, allowed, confidence, keys, failures })
    }
}

/// What is wrong beside values outside of tolerance.
fn failures(result: &DiffResult, policy: &Policy) -> Vec<String> {
    let mut found = Vec::new();
    let known = |path: &FieldPath, kind: MismatchKind| policy.covers(path, kind);
    if result.verdict == Verdict::Incomparable {
        let reason = result.incomparable_reason.as_deref();
        found.push(reason.unwrap_or("nothing was compared").to_owned());
    }
    if !result.known_differences_hold() {
        found.push("known differences are not as asserted".to_owned());
    }
    let [missing, extra] = [MismatchKind::Missing, MismatchKind::Extra];
    for (keys, kind, what) in
        [(&result.missing_keys_in_b, missing, "missing"), (&result.extra_keys_in_b, extra, "extra")]
    {
        let unknown = keys.iter().filter(|key| !known(&FieldPath::key(key), kind));
        found.extend(unknown.map(|key| format!("{key}: {what}")));
    }
    for (key, diff) in &result.key_diffs {
        let m = &diff.messages;
        let types = |f: &&super::SchemaFinding| {
            !f.ignored && !f.known && f.kind != SchemaFindingKind::Order
        };
        let path = FieldPath::key(key);
        let unknown = |n: u64, kind| if known(&path, kind) { 0 } else { n };
        let mut say = |n: u64, noun: &str, what: &str| {
            if n > 0 {
                found.push(format!("{key}: {} {what}", counted(n, noun)));
            }
        };
        if !result.missing_keys_in_b.contains(key) && !result.extra_keys_in_b.contains(key) {
            say(unknown(m.missing, missing), "message", "missing");
            say(unknown(m.extra, extra), "message", "extra");
        }
        let unaligned = m.unaligned_reference + m.unaligned_candidate;
        say(unknown(unaligned, MismatchKind::Unaligned), "message", "not aligned");
        say(m.errors, "message", "not decodable");
        say(diff.timestamps.violations - diff.timestamps.known, "time", "off");
        say(diff.schema.iter().filter(types).count() as u64, "difference", "of types");
        for field in &diff.fields {
            let v = &field.values;
            let path = path_of(key, &field.path);
            let unknown = |n: u64, kind| if known(&path, kind) { 0 } else { n };
            let mut say = |n: u64, noun: &str, what: &str| {
                if n > 0 {
                    found.push(format!("{key}.{}: {} {what}", field.path, counted(n, noun)));
                }
            };
            let [nan, infinite] = unbounded(field);
            let unbounded =
                unknown(nan, MismatchKind::Nan) + unknown(infinite, MismatchKind::Infinity);
            say(unbounded, "value", "NaN or infinite on one side alone");
            let shapes = field.shape_violations - field.known_shape_violations;
            say(shapes - field.unmatched, "length", "off");
            say(field.unmatched, "element", "without a partner");
            if field.shape_violations == 0 {
                say(
                    unknown(v.missing + v.extra, MismatchKind::Schema),
                    "value",
                    "on one side alone",
                );
            }
        }
    }
    found
}

/// Values without a bound on their difference: with NaN, and with infinities
/// alone. Of a quaternion, which is one value in four, those that have none of
/// either are counted with NaN.
fn unbounded(field: &FieldDiff) -> [u64; 2] {
    let v = &field.values;
    if field.type_name.starts_with("quaternion of ") {
        return [v.unbounded, 0];
    }
    let nan = (v.nan_reference + v.nan_candidate).saturating_sub(2 * v.nan_both);
    let nan = nan.min(v.unbounded);
    [nan, v.unbounded - nan]
}

fn counted(n: u64, noun: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{n} {noun}{s}")
}
