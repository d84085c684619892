//! What the sources of a dataset had lost, carried in its facts.

use std::collections::BTreeMap;

use super::{Facts, Integrity};

/// Name of the fact that counts samples lost by what a dataset was copied
/// from: a number, or `unknown`.
pub const LOST_SAMPLES: &str = "lost_samples";

const LOST_BYTES: &str = "lost_bytes";
/// The first of what was wrong.
const LOST_REASON: &str = "lost_reason";
const UNKNOWN: &str = "unknown";

/// Adds what `integrity` says is lost to what the facts tell of already.
pub(super) fn carry(facts: &mut Facts, integrity: &Integrity) {
    if !integrity.is_whole() {
        add(&mut facts.entries, LOST_SAMPLES, integrity.lost_samples);
        add(&mut facts.entries, LOST_BYTES, Some(integrity.lost_bytes));
        let reason = integrity.problems.first().cloned().unwrap_or_default();
        facts.entries.entry(LOST_REASON.to_owned()).or_insert(reason);
    }
}

/// Whether a fact of this name tells of a loss.
pub(super) fn is_loss(name: &str) -> bool {
    [LOST_SAMPLES, LOST_BYTES, LOST_REASON].contains(&name)
}

/// Adds what the facts of a source tell of.
pub(super) fn inherit(entries: &mut BTreeMap<String, String>, source: &BTreeMap<String, String>) {
    for name in [LOST_SAMPLES, LOST_BYTES] {
        if let Some(lost) = source.get(name) {
            add(entries, name, lost.parse().ok());
        }
    }
    if let Some(reason) = source.get(LOST_REASON) {
        entries.entry(LOST_REASON.to_owned()).or_insert_with(|| reason.clone());
    }
}

fn add(entries: &mut BTreeMap<String, String>, name: &str, lost: Option<u64>) {
    let before = entries.get(name).map_or(Some(0), |text| text.parse().ok());
    let total = before.zip(lost).and_then(|(before, lost): (u64, u64)| before.checked_add(lost));
    let text = total.map_or_else(|| UNKNOWN.to_owned(), |total| total.to_string());
    entries.insert(name.to_owned(), text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_add_up_and_an_unknown_one_stays_unknown() {
        let lost =
            |samples| Integrity { lost_bytes: 70, lost_samples: samples, ..Integrity::default() };
        let mut facts = Facts::default();
        carry(&mut facts, &Integrity::default());
        assert!(facts.entries.is_empty());
        for (found, samples, bytes) in
            [(Some(2), "2", "70"), (Some(3), "5", "140"), (None, "unknown", "210")]
        {
            carry(&mut facts, &lost(found));
            assert_eq!(
                (&*facts.entries["lost_samples"], &*facts.entries["lost_bytes"]),
                (samples, bytes)
            );
        }
        carry(&mut facts, &lost(Some(1)));
        assert_eq!(facts.entries["lost_samples"], "unknown");
        let mut merged = BTreeMap::new();
        let other = [("lost_samples".to_owned(), "4".to_owned())].into();
        inherit(&mut merged, &other);
        inherit(&mut merged, &other);
        assert_eq!(merged["lost_samples"], "8");
        inherit(&mut merged, &facts.entries);
        assert_eq!((&*merged["lost_samples"], &*merged["lost_bytes"]), ("unknown", "280"));
    }
}
