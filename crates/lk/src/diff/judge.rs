//! From what was found to what it means: key by key, then the verdict.

use std::collections::BTreeMap;

use super::align::{Fallback, Lookup, Pairing};
use super::cause;
use super::column::Column;
use super::foreign::PairDecoders;
use super::inputs;
use super::known::{self, KnownCounts};
use super::plan::{Leaf, LeafSide, Payloads};
use super::policy::Policy;
use super::stats::{At, EVIDENCE, LeafStats, Sums};
use super::stream::{KeyJob, OneSided, Unreadable};
use super::{
    DiffResult, Divergence, FieldDiff, KeyDiff, MessageCounts, Mismatch, MismatchKind,
    REPORT_VERSION, RuleUse, SchemaFinding, SchemaFindingKind, Verdict,
};
use crate::dataset::{Dataset, SequenceMeaning};
use crate::time::{Span, Time};
use crate::value::Scalar;

/// A key that is left out.
pub(super) struct Ignored {
    pub(super) reason: String,
    /// Rather than by the scope that the caller chose: what a rule sets aside
    /// keeps the rest from being called identical.
    pub(super) by_rule: bool,
}

const SIDES: [&str; 2] = ["reference", "candidate"];

/// What all that was found comes to.
pub(super) fn judge(
    sides: [&Dataset; 2],
    policy: &Policy,
    jobs: Vec<KeyJob>,
    one_sided: Vec<OneSided>,
    ignored: BTreeMap<String, Ignored>,
    rules: Vec<RuleUse>,
) -> DiffResult {
    let ticks = sides.map(|side| side.facts().sequence == SequenceMeaning::Tick);
    let mut notes = integrity_notes(sides);
    if let Some(job) = jobs.iter().find(|job| job.moved != Span::ZERO) {
        notes.push(format!("times are relative: {} s were added to the candidate's", job.moved));
    }
    for job in &jobs {
        notes.extend(job_notes(job));
    }
    let reason = incomparable_reason(sides, &jobs, &one_sided, &ignored);
    let may_be_identical = jobs.iter().all(is_identical)
        && !ignored.values().any(|ignored| ignored.by_rule)
        && sides.iter().all(|side| side.integrity().is_whole());

    let mut result = empty_result(sides, &one_sided, &ignored, rules, notes);
    let mut met: BTreeMap<String, KnownCounts> = BTreeMap::new();
    result.keys_match =
        one_sided.iter().all(|one| known_alone(policy, &one.known, one.side).is_some());
    for one in &one_sided {
        let (diff, known) = one_sided_diff(one, policy, ticks[one.side]);
        result.key_diffs.insert(one.key.clone(), diff);
        met.insert(one.key.clone(), known);
    }
    for job in &jobs {
        let (diff, known) = key_diff(job, policy, ticks);
        met.insert(job.key.clone(), known);
        result.key_diffs.insert(job.key.clone(), diff);
    }
    let met = met.iter().map(|(key, counts)| (key.as_str(), counts.clone()));
    result.known_differences = known::outcomes(policy, met);
    let some_known = result.known_differences.iter().any(|known| known.count > 0);
    let may_be_identical = may_be_identical && !some_known;
    let times_match = |d: &KeyDiff| d.timestamps.violations == d.timestamps.known;
    result.timestamps_match = result.key_diffs.values().all(times_match);
    result.values_match = result.key_diffs.values().all(values_match);
    let all_match = result.all_match();
    let reason = reason.or_else(|| not_given(sides).filter(|_| all_match));
    result.verdict = match (&reason, all_match, may_be_identical) {
        (Some(_), ..) => Verdict::Incomparable,
        (None, false, _) => Verdict::Different,
        (None, true, false) => Verdict::Equal,
        (None, true, true) => Verdict::Identical,
    };
    result.incomparable_reason = reason;
    result.first_divergence = first_divergence(sides, &jobs, &result.key_diffs, &mut result.notes);
    result
}

/// The result where one side could not be read to its end.
pub(super) fn unreadable(
    sides: [&Dataset; 2],
    unreadable: &Unreadable,
    one_sided: &[OneSided],
    ignored: &BTreeMap<String, Ignored>,
    rules: Vec<RuleUse>,
) -> DiffResult {
    let side = SIDES[unreadable.side.min(1)];
    let reason = match &unreadable.error {
        Some(error) => format!("the {side} can't be read: {}", chain(error)),
        None => format!("the {side} changed while it was read"),
    };
    let notes = integrity_notes(sides);
    let mut result = empty_result(sides, one_sided, ignored, rules, notes);
    result.incomparable_reason = Some(reason);
    result
}

/// A result in which nothing matches yet.
fn empty_result(
    sides: [&Dataset; 2],
    one_sided: &[OneSided],
    ignored: &BTreeMap<String, Ignored>,
    rules: Vec<RuleUse>,
    notes: Vec<String>,
) -> DiffResult {
    let keys_of = |side: usize| -> Vec<String> {
        one_sided.iter().filter(|one| one.side == side).map(|one| one.key.clone()).collect()
    };
    let reasons = ignored.iter().map(|(key, ignored)| (key.clone(), ignored.reason.clone()));
    DiffResult {
        version: REPORT_VERSION,
        verdict: Verdict::Incomparable,
        incomparable_reason: None,
        reference: sides[0].location(),
        candidate: sides[1].location(),
        keys_match: one_sided.is_empty(),
        timestamps_match: false,
        values_match: false,
        missing_keys_in_b: keys_of(0),
        extra_keys_in_b: keys_of(1),
        ignored_keys: reasons.collect(),
        key_diffs: BTreeMap::new(),
        first_divergence: None,
        known_differences: Vec::new(),
        statistical: None,
        policy: None,
        rules,
        notes,
        seal: String::new(),
    }
}

/// An error with what caused it.
fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}

fn integrity_notes(sides: [&Dataset; 2]) -> Vec<String> {
    let mut notes = Vec::new();
    for (name, side) in SIDES.iter().zip(sides) {
        let integrity = side.integrity();
        if !integrity.verified {
            notes.push(format!("{name}: not all of it is covered by checksums"));
        }
        let found = integrity.problems.iter().chain(&integrity.notes);
        notes.extend(found.map(|found| format!("{name}: {found}")));
    }
    notes
}

fn job_notes(job: &KeyJob) -> Vec<String> {
    let mut notes = job.plan.notes.clone();
    let [a, b] = &job.columns;
    if let Some(why) = job.pairing.fallback {
        let why = match why {
            Fallback::NothingCommon => "no time is common to both sides".to_owned(),
            Fallback::Repeated { side } => {
                format!("times occur more than once in the {}", SIDES[side.min(1)])
            }
        };
        notes.push(format!("{}: {why}, so messages are paired by position", job.key));
    }
    let decodable = job.plan.decoders.is_none() && matches!(job.plan.payloads, Payloads::Fields(_));
    if job.pairing.brackets().is_some() && !decodable {
        notes.push(format!(
            "{}: payloads of this encoding aren't interpolated, the one before is taken",
            job.key
        ));
    }
    if a.len() == 0 && b.len() == 0 {
        notes.push(format!("{}: no messages on either side", job.key));
    }
    if job.plan.has_evidence() && job.partial.compared() > 0 && !has_values(job) {
        notes.push(format!("{}: its arrays are empty in every message, on both sides", job.key));
    }
    notes
}

fn is_comparable(job: &KeyJob) -> bool {
    !matches!(job.plan.payloads, Payloads::Incomparable)
}

/// Pairs that say something: arrays that are empty on both sides don't.
fn evidence(job: &KeyJob) -> u64 {
    if job.plan.has_evidence() && has_values(job) { job.partial.compared() } else { 0 }
}

/// Whether any scalar was met that no rule sets aside, or the type has none.
fn has_values(job: &KeyJob) -> bool {
    let met =
        |leaf: &LeafStats| leaf.compared + leaf.missing + leaf.extra + leaf.shape_violations > 0;
    job.plan.leaves.is_empty() || job.partial.leaves.iter().any(met)
}

/// Why it would say too much that all match: a side has messages that are whole
/// and yet can't be given, such as those whose time can't be held.
fn not_given(sides: [&Dataset; 2]) -> Option<String> {
    SIDES.iter().zip(sides).find_map(|(name, side)| {
        let integrity = side.integrity();
        let n = integrity.lost_samples.filter(|n| *n > 0 && integrity.lost_bytes == 0)?;
        let s = if n == 1 { "" } else { "s" };
        let why = integrity.problems.first().map_or("it can't be read", String::as_str);
        Some(format!("{n} message{s} of the {name} could not be compared: {why}"))
    })
}

/// Why nothing was compared; `None` where something was.
fn incomparable_reason(
    sides: [&Dataset; 2],
    jobs: &[KeyJob],
    one_sided: &[OneSided],
    ignored: &BTreeMap<String, Ignored>,
) -> Option<String> {
    if jobs.iter().any(|job| evidence(job) > 0) {
        return None;
    }
    let empty = sides.map(|side| side.channels().is_empty());
    let lengths = |side: usize| jobs.iter().map(|job| job.columns[side].len()).sum::<usize>();
    let reason = match (empty, jobs, ignored.iter().next()) {
        ([true, true], ..) => "both sides are empty".to_owned(),
        ([true, false], ..) => "the reference is empty".to_owned(),
        ([false, true], ..) => "the candidate is empty".to_owned(),
        (_, [], Some((key, ignored))) if one_sided.is_empty() => {
            format!("every key is left out, such as {key}: {}", ignored.reason)
        }
        (_, [], _) => "the sides have no key in common".to_owned(),
        _ if lengths(0) == 0 && lengths(1) == 0 => "there are no messages to compare".to_owned(),
        _ if lengths(0) == 0 => "the reference has no messages to compare with".to_owned(),
        _ if lengths(1) == 0 => "the candidate has no messages to compare".to_owned(),
        _ if !jobs.iter().any(is_comparable) => {
            "no key has a type in common with its other side".to_owned()
        }
        _ if jobs.iter().any(|job| job.plan.has_evidence() && job.partial.compared() > 0) => {
            "no message holds a value, all arrays are empty on both sides".to_owned()
        }
        _ if jobs.iter().any(|job| job.partial.compared() > 0) => {
            "every field is left out by an ignore rule".to_owned()
        }
        _ if jobs.iter().any(|job| job.partial.errors > 0) => {
            "no pair of messages could be decoded".to_owned()
        }
        _ => "no message of one side has a partner on the other".to_owned(),
    };
    Some(reason)
}

/// Whether what was compared is the same in every bit, and nothing was set
/// aside.
fn is_identical(job: &KeyJob) -> bool {
    let same_wire = match &job.plan.payloads {
        Payloads::Fields(fields) => fields.same_wire,
        Payloads::Opaque => job.plan.findings.is_empty(),
        Payloads::Incomparable => false,
    };
    // Self-describing payloads hold more than the inferred type can tell: a
    // null or nothing, 1 or 1.0. Only the same bytes are the same.
    let inferred = job.plan.decoders.as_ref().is_some_and(PairDecoders::is_inferred);
    let same_bytes = job.partial.undecoded == job.partial.compared();
    same_wire
        && (!inferred || same_bytes)
        && !job.plan.ignores_something()
        && job.partial.moved == 0
        && job.moved == Span::ZERO
        && job.partial.timestamps.equal == job.partial.compared()
        && job.partial.leaves.iter().all(|leaf| leaf.not_bit_equal == 0)
}

fn values_match(diff: &KeyDiff) -> bool {
    let m = &diff.messages;
    let apart = m.missing + m.extra + m.unaligned_reference + m.unaligned_candidate + m.errors;
    // Another order of fields is another type, and yet all values were
    // compared, by name.
    let fine = |f: &SchemaFinding| f.ignored || f.known || f.kind == SchemaFindingKind::Order;
    diff.n_different == 0 && apart == m.known && diff.schema.iter().all(fine)
}

fn key_diff(job: &KeyJob, policy: &Policy, ticks: [bool; 2]) -> (KeyDiff, KnownCounts) {
    let partial = &job.partial;
    let [a, b] = job.columns.each_ref().map(|column| column.len() as u64);
    let (mismatches, known) = mismatches(job, policy, ticks);
    let messages = message_counts(job, policy);
    let first = partial.first.unwrap_or_default();
    let fields = job.plan.leaves.iter().zip(&partial.leaves);
    let (own, candidate): (Vec<_>, Vec<_>) =
        fields.partition(|(leaf, _)| leaf.side != LeafSide::Candidate);
    let field = |(leaf, stats): (&Leaf, &LeafStats)| field_diff(leaf, stats, &first);
    let fields: Vec<FieldDiff> = own.into_iter().chain(candidate).map(field).collect();
    let (max_error, mean_error) = overall_error(job);
    let diff = KeyDiff {
        length_a: a,
        length_b: b,
        n_matching: partial.n_matching,
        n_different: partial.n_different,
        n_known: partial.n_known,
        alignment: job.pairing.alignment,
        messages,
        timestamps: partial.timestamps,
        schema: job.plan.findings.clone(),
        fields,
        mismatches,
        max_error,
        mean_error,
        time_lag: job.time_lag,
        value_lag: job.value_lag.clone(),
        errors: partial.error_texts.clone(),
    };
    (diff, known)
}

fn field_diff(leaf: &Leaf, stats: &LeafStats, first: &At) -> FieldDiff {
    let error = if leaf.is_number { stats.error(&leaf.close, first) } else { None };
    FieldDiff {
        path: leaf.path.clone(),
        type_name: leaf.type_name.clone(),
        tolerance: leaf.decision.text.clone(),
        values: stats.counts(),
        shape_violations: stats.shape_violations,
        known_shape_violations: stats.known_shapes,
        unmatched: stats.unmatched,
        error,
        histogram: stats.histogram().filter(|_| leaf.is_number),
        first_violation: stats.first_violation.map(Time::from_nanos),
    }
}

/// The largest and the mean absolute error over all numbers of a key.
fn overall_error(job: &KeyJob) -> (Option<f64>, Option<f64>) {
    let (mut count, mut max, mut sums) = (0, 0.0_f64, Sums::default());
    let leaves = job.plan.leaves.iter().zip(&job.partial.leaves);
    for (_, stats) in leaves.filter(|(leaf, _)| leaf.is_number) {
        count += stats.n_errors();
        max = max.max(stats.max);
        sums.merge(stats.sums());
    }
    match count {
        0 => (None, None),
        n => (Some(max), Some((sums.absolute / n as f64).min(max))),
    }
}

/// The first violations of a key: by time, and within a message the type
/// first, then the message as a whole, then its fields. Known differences are
/// counted instead.
fn mismatches(job: &KeyJob, policy: &Policy, ticks: [bool; 2]) -> (Vec<Mismatch>, KnownCounts) {
    let mut known = job.partial.known.clone();
    let mut found = schema_mismatches(job, ticks, &mut known);
    found.extend(job.partial.mismatches.iter().cloned());
    if is_comparable(job) {
        let lookups = [job.pairing.of_a(), job.pairing.of_b()];
        for (side, kind) in kinds_alone(job).into_iter().enumerate() {
            let mut alone = without_partner(&job.columns[side], &lookups[side], ticks[side])
                .map(|at| Mismatch::of_message(&at, kind));
            match policy.known(&job.plan.known, kind) {
                None => found.extend(alone.take(EVIDENCE)),
                Some(i) => {
                    if let Some(first) = alone.next() {
                        known.add(i, 1 + alone.count() as u64, || first);
                    }
                }
            }
        }
    }
    let rank = |m: &Mismatch| match m.kind {
        MismatchKind::Schema => 0,
        _ if m.path.is_empty() => 1,
        _ => 2,
    };
    found.sort_by_key(|m| (m.time, m.index, rank(m)));
    found.truncate(EVIDENCE);
    (found, known)
}

/// What a message without a partner is, by its side.
const ALONE: [MismatchKind; 2] = [MismatchKind::Missing, MismatchKind::Extra];

/// The known difference that messages without partners are.
fn known_alone(policy: &Policy, known: &[usize], side: usize) -> Option<usize> {
    policy.known(known, ALONE[side.min(1)])
}

fn at(column: &Column, index: usize, ticks: bool) -> Option<At> {
    let tick = column.sequence(index).filter(|_| ticks).map(u64::from);
    column.time(index).map(|time| At { index: index as u64, time, tick })
}

fn without_partner<'c>(
    column: &'c Column,
    lookup: &'c Lookup,
    ticks: bool,
) -> impl Iterator<Item = At> + 'c {
    (0..column.len())
        .filter(|index| lookup.is_alone(*index))
        .filter_map(move |index| at(column, index, ticks))
}

/// What a message without a partner is, by its side.
fn kinds_alone(job: &KeyJob) -> [MismatchKind; 2] {
    match job.pairing.brackets() {
        None => ALONE,
        Some(_) => [MismatchKind::Unaligned; 2],
    }
}

/// Where every message went.
fn message_counts(job: &KeyJob, policy: &Policy) -> MessageCounts {
    let (pairing, partial) = (&job.pairing, &job.partial);
    let [a, b] = job.columns.each_ref().map(|column| column.len() as u64);
    let counts = MessageCounts {
        reference: a,
        candidate: b,
        compared: partial.compared(),
        errors: partial.errors,
        undecoded: partial.undecoded,
        duplicated: job.duplicated,
        reordered: job.columns[1].reordered(),
        ..MessageCounts::default()
    };
    if !is_comparable(job) {
        return MessageCounts { unaligned_reference: a, unaligned_candidate: b, ..counts };
    }
    let (pairs, (interpolated, between)) = (pairing.len() as u64, pairing.interpolated());
    let alone = [a - pairs, b + interpolated - pairs - between];
    let is_known = |kind| policy.known(&job.plan.known, kind).is_some();
    let known = alone.iter().zip(kinds_alone(job)).filter(|(_, kind)| is_known(*kind));
    let counts = MessageCounts { known: known.map(|(n, _)| n).sum(), ..counts };
    let [of_a, of_b] = alone;
    match pairing.brackets() {
        None => MessageCounts { missing: of_a, extra: of_b, ..counts },
        Some(_) => MessageCounts {
            interpolated,
            between,
            unaligned_reference: of_a,
            unaligned_candidate: of_b,
            ..counts
        },
    }
}

/// Differences of types, at the first message that there is.
fn schema_mismatches(job: &KeyJob, ticks: [bool; 2], known: &mut KnownCounts) -> Vec<Mismatch> {
    let [a, b] = &job.columns;
    let Some(at) = at(a, 0, ticks[0]).or_else(|| at(b, 0, ticks[1])) else { return Vec::new() };
    let counts = |f: &&SchemaFinding| !f.ignored && f.kind != SchemaFindingKind::Order;
    let text = |ty: &Option<String>| ty.clone().map_or(Scalar::Absent, Scalar::Text);
    let mismatch = |finding: &SchemaFinding| Mismatch {
        path: finding.path.clone(),
        a: text(&finding.reference),
        b: text(&finding.candidate),
        ..Mismatch::of_message(&at, MismatchKind::Schema)
    };
    let mut found = Vec::new();
    let findings = job.plan.findings.iter().zip(&job.plan.known_findings);
    for (finding, as_known) in findings.filter(|(finding, _)| counts(finding)) {
        match as_known {
            Some(i) => known.add(*i, 1, || mismatch(finding)),
            None => found.push(mismatch(finding)),
        }
    }
    found
}

/// A key whose messages are all missing, or all extra.
fn one_sided_diff(one: &OneSided, policy: &Policy, ticks: bool) -> (KeyDiff, KnownCounts) {
    let n = one.column.len() as u64;
    let (a, b) = if one.side == 0 { (n, 0) } else { (0, n) };
    let kind = ALONE[one.side.min(1)];
    let mut known = KnownCounts::default();
    let as_known = known_alone(policy, &one.known, one.side);
    if let Some(i) = as_known {
        // The key itself, where it has no messages.
        let first = at(&one.column, 0, ticks).unwrap_or_default();
        known.add(i, n.max(1), || Mismatch::of_message(&first, kind));
    }
    let pairing = Pairing::new(one.align, &Column::default(), &Column::default(), ticks);
    let alone = without_partner(&one.column, &Lookup::Prefix(0), ticks)
        .take(if as_known.is_some() { 0 } else { EVIDENCE })
        .map(|at| Mismatch::of_message(&at, kind))
        .collect();
    let diff = KeyDiff {
        length_a: a,
        length_b: b,
        n_matching: 0,
        n_different: 0,
        n_known: 0,
        alignment: pairing.alignment,
        messages: MessageCounts {
            reference: a,
            candidate: b,
            missing: a,
            extra: b,
            known: if as_known.is_some() { n } else { 0 },
            reordered: if one.side == 1 { one.column.reordered() } else { 0 },
            ..MessageCounts::default()
        },
        timestamps: Default::default(),
        schema: Vec::new(),
        fields: Vec::new(),
        mismatches: alone,
        max_error: None,
        mean_error: None,
        time_lag: None,
        value_lag: None,
        errors: Vec::new(),
    };
    (diff, known)
}

/// The earliest violation over all keys, with the inputs just before it, and
/// what it looks like.
fn first_divergence(
    sides: [&Dataset; 2],
    jobs: &[KeyJob],
    key_diffs: &BTreeMap<String, KeyDiff>,
    notes: &mut Vec<String>,
) -> Option<Divergence> {
    let firsts = key_diffs.iter().filter_map(|(key, diff)| Some((key, diff.mismatches.first()?)));
    let (key, mismatch) = firsts.min_by_key(|(key, mismatch)| (mismatch.time, *key))?;
    let inputs = inputs::before(sides[0], mismatch.time).unwrap_or_else(|error| {
        notes.push(format!("the inputs before the divergence can't be read: {error}"));
        Vec::new()
    });
    let job = jobs.iter().find(|job| job.key == *key);
    let cause = cause::of(sides, job, mismatch).unwrap_or_else(|error| {
        notes.push(format!("the messages around the divergence can't be read: {error}"));
        None
    });
    Some(Divergence { key: key.clone(), mismatch: mismatch.clone(), inputs, cause })
}
