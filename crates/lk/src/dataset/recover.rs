//! What is whole of a damaged recording, in a new one.

use super::{CopyOutcome, Dataset, Integrity, loss};
use crate::error::Result;

impl Dataset {
    /// Reads and checks all of `source`, and copies what is whole to the end
    /// of this dataset. What was lost is kept among the facts, so that the
    /// new recording doesn't look as if it were all:
    /// `lost_samples` (a number, or `unknown`), `lost_bytes`, and the first
    /// of what was wrong as `lost_reason`.
    ///
    /// Returns what was copied, and what was found wrong. `source` is not
    /// changed.
    ///
    /// # Errors
    /// What keeps `source` from being read at all, and what writing brings.
    pub fn recover_from(&mut self, source: &mut Dataset) -> Result<(CopyOutcome, Integrity)> {
        let integrity = source.check()?;
        Ok((self.copy_from(source)?, integrity))
    }

    /// Keeps among the facts that samples are missing that once were recorded,
    /// beside what they tell of already; of what is whole it keeps nothing.
    ///
    /// # Errors
    /// As [`Dataset::set_facts`].
    pub fn note_loss(&mut self, integrity: &Integrity) -> Result<()> {
        let mut facts = self.facts().clone();
        loss::carry(&mut facts, integrity);
        self.set_facts(facts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Query;
    use crate::time::Time;

    #[test]
    fn what_is_whole_is_kept_and_what_is_lost_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cut.mcap");
        let mut file = Dataset::create(&path).unwrap();
        for n in 0..100_u64 {
            file.write("n", &n, Time::from_nanos(n as i64)).unwrap();
            if n == 59 {
                file.flush().unwrap();
            }
        }
        file.close().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let whole = {
            let mut recovered = Dataset::memory();
            let (_, integrity) =
                recovered.recover_from(&mut Dataset::open(&path).unwrap()).unwrap();
            assert!(integrity.is_whole() && recovered.facts().entries.is_empty());
            recovered.len().unwrap()
        };
        assert_eq!(whole, 100);

        // Somewhere in the second chunk.
        let second = bytes.windows(8).rposition(|w| w == [99, 0, 0, 0, 0, 0, 0, 0]);
        let cut = second.unwrap_or(bytes.len() / 2).min(bytes.len() * 6 / 10);
        std::fs::write(&path, &bytes[..cut]).unwrap();
        let mut recovered = Dataset::memory();
        let (_, integrity) = recovered.recover_from(&mut Dataset::open(&path).unwrap()).unwrap();
        assert!(!integrity.is_whole());
        let facts = recovered.facts().entries.clone();
        assert_eq!(facts["lost_samples"], "unknown");
        assert!(facts.contains_key("lost_reason"), "{facts:?}");
        for (n, item) in recovered.samples(&Query::default()).unwrap().enumerate() {
            assert_eq!(item.unwrap().1.time, Time::from_nanos(n as i64));
        }
        assert_eq!(std::fs::read(&path).unwrap(), &bytes[..cut]);
    }
}
