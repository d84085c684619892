//! lk's own facts as a metadata record.

use std::collections::BTreeMap;

use crate::dataset::{Facts, SequenceMeaning};

/// Name of the metadata record.
pub(super) const RECORD: &str = "lk";

/// Names that lk keeps for itself begin so.
const OWN: &str = "lk.";
const SEQUENCE: &str = "lk.sequence";
const CRC: &str = "lk.crc32";

/// Refuses facts that the record couldn't give back as they are.
pub(super) fn check(facts: &Facts) -> Result<(), String> {
    match facts.entries.keys().find(|name| name.starts_with(OWN)) {
        Some(name) => Err(format!("the name of fact {name} begins with `lk.`, which is lk's own")),
        None => Ok(()),
    }
}

/// The entries of the record. No checksum of the container covers a metadata
/// record unless the whole file is read, so the record carries its own.
pub(super) fn to_entries(facts: &Facts) -> BTreeMap<String, String> {
    let mut entries = facts.entries.clone();
    let meaning = match facts.sequence {
        SequenceMeaning::Count => "count",
        SequenceMeaning::Tick => "tick",
    };
    entries.insert(SEQUENCE.to_owned(), meaning.to_owned());
    let crc = checksum(&entries);
    entries.insert(CRC.to_owned(), crc);
    entries
}

/// The facts of a record; what is wrong with it is said as a phrase.
pub(super) fn from_entries(mut entries: BTreeMap<String, String>) -> Result<Facts, String> {
    if let Some(crc) = entries.remove(CRC)
        && crc != checksum(&entries)
    {
        return Err("the facts of lk don't match their checksum".to_owned());
    }
    let sequence = match entries.remove(SEQUENCE).as_deref() {
        None | Some("count") => SequenceMeaning::Count,
        Some("tick") => SequenceMeaning::Tick,
        Some(other) => return Err(format!("the facts of lk count `{other}`, which is unknown")),
    };
    entries.retain(|name, _| !name.starts_with(OWN));
    Ok(Facts { sequence, entries })
}

fn checksum(entries: &BTreeMap<String, String>) -> String {
    let mut hasher = crc32fast::Hasher::new();
    for text in entries.iter().flat_map(|(name, value)| [name, value]) {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    format!("{:08x}", hasher.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_come_back_and_a_changed_one_is_noticed() {
        let entries = [("seed".to_owned(), "7".to_owned())].into();
        let facts = Facts { sequence: SequenceMeaning::Tick, entries };
        let mut record = to_entries(&facts);
        assert_eq!(from_entries(record.clone()).unwrap(), facts);
        record.insert("seed".to_owned(), "8".to_owned());
        assert!(from_entries(record).is_err());
    }

    #[test]
    fn names_of_lk_are_refused() {
        let entries = [("lk.crc32".to_owned(), String::new())].into();
        assert!(check(&Facts { entries, ..Facts::default() }).is_err());
    }
}
