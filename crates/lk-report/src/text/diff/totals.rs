//! A comparison's counts over all keys and fields, and the sentence they make.

use lk::diff::{DiffResult, KnownOutcome, KnownState, SchemaFinding, ValueCounts};

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
    missing: u64,
    extra: u64,
    errors: u64,
    unaligned: u64,
    times: u64,
    types: u64,
    /// Known differences that don't hold.
    unknown: u64,
}

impl Totals {
    pub(super) fn of(result: &DiffResult) -> Totals {
        let mut t = Totals::default();
        for (key, found) in &result.key_diffs {
            t.compared += found.messages.compared;
            t.errors += found.messages.errors;
            t.unaligned += found.messages.unaligned_reference + found.messages.unaligned_candidate;
            t.times += found.timestamps.violations - found.timestamps.known;
            let counts = |finding: &&SchemaFinding| !finding.ignored && !finding.known;
            t.types += found.schema.iter().filter(counts).count() as u64;
            // The messages of a key that one side lacks go without saying.
            if !result.missing_keys_in_b.contains(key) && !result.extra_keys_in_b.contains(key) {
                t.missing += found.messages.missing;
                t.extra += found.messages.extra;
            }
            for field in &found.fields {
                t.fields += 1;
                let values = field.values.violations - field.values.known;
                let lengths = field.shape_violations - field.known_shape_violations;
                t.lengths += lengths;
                t.fields_violated += u64::from(values + lengths > 0);
                t.values.violations += values;
                t.values.compared += field.values.compared;
                t.values.bit_equal += field.values.bit_equal;
            }
        }
        let holds = |known: &&KnownOutcome| known.state == KnownState::Holds;
        t.unknown = result.known_differences.iter().filter(|known| !holds(known)).count() as u64;
        t
    }

    /// `4,796 of 42,000 values outside of tolerance in 3 of 7 fields, 1
    /// message missing`.
    pub(super) fn differences(&self, result: &DiffResult) -> String {
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
        say(result.missing_keys_in_b.len() as u64, "key", "missing");
        say(result.extra_keys_in_b.len() as u64, "key", "extra");
        say(self.lengths, "sequence", "of another length");
        say(self.missing, "message", "missing");
        say(self.extra, "message", "extra");
        say(self.errors, "message", "not decodable");
        say(self.unaligned, "message", "not aligned");
        say(self.times, "timestamp", "off");
        say(self.types, "finding", "on types");
        say(self.unknown, "known difference", "not as asserted");
        if parts.is_empty() { "see the keys".to_owned() } else { parts.join(", ") }
    }
}
