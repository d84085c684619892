//! A comparison's counts over all keys and fields, and the sentence they make.

use lk::diff::{DiffResult, KnownOutcome, KnownState, MismatchKind, SchemaFinding, ValueCounts};

use crate::number::{count, counted};

#[derive(Debug, Default)]
pub(super) struct Totals {
    /// Pairs of messages.
    pub(super) compared: u64,
    /// Scalars; tags included.
    pub(super) values: ValueCounts,
    fields: u64,
    fields_violated: u64,
    lengths: u64,
    /// Elements without a partner.
    unmatched: u64,
    /// Keys that one side lacks.
    missing_keys: u64,
    extra_keys: u64,
    missing: u64,
    extra: u64,
    errors: u64,
    unaligned: u64,
    times: u64,
    types: u64,
    /// Known differences that don't hold: that are gone, and others.
    gone: u64,
    unasserted: u64,
}

impl Totals {
    pub(super) fn of(result: &DiffResult) -> Totals {
        let mut t = Totals::default();
        let [missing, extra] = [MismatchKind::Missing, MismatchKind::Extra];
        let unknown = |keys: &[String], kind| {
            keys.iter().filter(|key| !result.is_known(key, kind)).count() as u64
        };
        t.missing_keys = unknown(&result.missing_keys_in_b, missing);
        t.extra_keys = unknown(&result.extra_keys_in_b, extra);
        for (key, found) in &result.key_diffs {
            t.compared += found.messages.compared;
            t.errors += found.messages.errors;
            let unknown = |n: u64, kind| if result.is_known(key, kind) { 0 } else { n };
            let unaligned = found.messages.unaligned_reference + found.messages.unaligned_candidate;
            t.unaligned += unknown(unaligned, MismatchKind::Unaligned);
            t.times += found.timestamps.violations - found.timestamps.known;
            let counts = |finding: &&SchemaFinding| !finding.ignored && !finding.known;
            t.types += found.schema.iter().filter(counts).count() as u64;
            // The messages of a key that one side lacks go without saying.
            if !result.missing_keys_in_b.contains(key) && !result.extra_keys_in_b.contains(key) {
                t.missing += unknown(found.messages.missing, missing);
                t.extra += unknown(found.messages.extra, extra);
            }
            for field in &found.fields {
                t.fields += 1;
                let values = field.values.violations - field.values.known;
                let shapes = field.shape_violations - field.known_shape_violations;
                t.lengths += shapes - field.unmatched;
                t.unmatched += field.unmatched;
                t.fields_violated += u64::from(values + shapes > 0);
                t.values.violations += values;
                t.values.compared += field.values.compared;
                t.values.bit_equal += field.values.bit_equal;
            }
        }
        for KnownOutcome { state, .. } in &result.known_differences {
            match state {
                KnownState::Holds => {}
                KnownState::Gone => t.gone += 1,
                KnownState::Fewer | KnownState::More => t.unasserted += 1,
            }
        }
        t
    }

    /// `4,796 of 42,000 values outside of tolerance in 3 of 7 fields, 1
    /// message missing`.
    pub(super) fn differences(&self) -> String {
        let mut parts = Vec::new();
        if self.values.violations > 0 {
            parts.push(format!(
                "{} of {} values outside of tolerance in {} of {}",
                count(self.values.violations),
                count(self.values.compared),
                count(self.fields_violated),
                counted(self.fields, "field"),
            ));
        }
        let mut say = |n: u64, noun: &str, what: &str| {
            if n > 0 {
                parts.push(format!("{} {what}", counted(n, noun)));
            }
        };
        say(self.missing_keys, "key", "missing");
        say(self.extra_keys, "key", "extra");
        say(self.lengths, "sequence", "of another length");
        say(self.unmatched, "element", "without a partner");
        say(self.missing, "message", "missing");
        say(self.extra, "message", "extra");
        say(self.errors, "message", "not decodable");
        say(self.unaligned, "message", "not aligned");
        say(self.times, "timestamp", "off");
        say(self.types, "finding", "on types");
        say(self.gone, "known difference", "no longer there");
        say(self.unasserted, "known difference", "not as often as asserted");
        if parts.is_empty() { "see the keys".to_owned() } else { parts.join(", ") }
    }
}
