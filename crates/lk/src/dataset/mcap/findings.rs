//! What is wrong with a file.

use std::collections::BTreeMap;

use crate::dataset::Integrity;

/// Findings that are kept one by one; of more, just the sums. A file can't make
/// its reader write a book.
const KEPT: usize = 1000;

/// What is wrong with a file, by where: what is found twice counts once, and
/// what follows on damage at once is one damage with it.
#[derive(Clone, Debug, Default)]
pub(super) struct Findings {
    by_offset: BTreeMap<u64, Finding>,
    /// Of those beyond what is kept.
    more: u64,
    more_bytes: u64,
    more_samples: u64,
    /// The file was cut off among its messages, so that nobody knows what else it had.
    cut_off: bool,
    /// What has no one place, and whether there is more than is kept.
    notes: Vec<String>,
    more_notes: bool,
    /// Whether some payload is covered by no checksum.
    pub(super) unverified: bool,
}

#[derive(Clone, Debug)]
struct Finding {
    lost_bytes: u64,
    lost_samples: u64,
    problem: String,
}

impl Findings {
    /// Bytes that can't be read, from `offset` on.
    pub(super) fn lost(&mut self, offset: u64, bytes: u64, problem: impl Into<String>) {
        let before = self.by_offset.range_mut(..offset).next_back();
        if let Some((at, finding)) = before
            && finding.lost_bytes > 0
            && at + finding.lost_bytes == offset
        {
            finding.lost_bytes += bytes;
            return;
        }
        let problem = problem.into();
        self.add(offset, Finding { lost_bytes: bytes, lost_samples: 0, problem });
    }

    /// Samples that can't be given, of a record at `offset` that is whole.
    pub(super) fn lost_samples(&mut self, offset: u64, count: u64, problem: impl Into<String>) {
        let problem = problem.into();
        self.add(offset, Finding { lost_bytes: 0, lost_samples: count, problem });
    }

    fn add(&mut self, offset: u64, finding: Finding) {
        if self.by_offset.contains_key(&offset) {
            return;
        }
        if self.by_offset.len() < KEPT {
            self.by_offset.insert(offset, finding);
        } else {
            self.more += 1;
            self.more_bytes += finding.lost_bytes;
            self.more_samples += finding.lost_samples;
        }
    }

    /// Something odd by which nothing is lost.
    pub(super) fn note(&mut self, problem: impl Into<String>) {
        let problem = problem.into();
        if self.notes.len() == KEPT {
            self.more_notes = true;
        } else if !self.notes.contains(&problem) {
            self.notes.push(problem);
        }
    }

    /// That the file has no end; whether the messages had come to theirs.
    pub(super) fn cut_off(&mut self, messages_ended: bool) {
        self.cut_off = !messages_ended;
        self.note("the file does not end as MCAP files do: it was cut off or never closed");
    }

    /// That the file was compressed as a whole and is damaged.
    pub(super) fn unpacked_in_part(&mut self, problem: String) {
        self.cut_off = true;
        self.note(problem);
    }

    pub(super) fn none_lost(&self) -> bool {
        self.by_offset.is_empty()
    }

    /// `counted` is how many samples the file says that it has, and `found`
    /// how many there are, where both are known.
    pub(super) fn integrity(&self, counted: Option<u64>, found: Option<u64>) -> Integrity {
        let kept = self.by_offset.values().map(|finding| finding.lost_bytes);
        let lost_bytes = kept.sum::<u64>() + self.more_bytes;
        let lost_samples = match (counted, found) {
            (Some(counted), Some(found)) => Some(counted.saturating_sub(found)),
            // Nothing says what was in those bytes, or behind the cut.
            _ if lost_bytes > 0 || self.cut_off => None,
            _ => {
                let kept = self.by_offset.values().map(|finding| finding.lost_samples);
                Some(kept.sum::<u64>() + self.more_samples)
            }
        };
        let at =
            |(offset, finding): (&u64, &Finding)| format!("{} (at byte {offset})", finding.problem);
        let more = (self.more > 0).then(|| format!("{} more of the kind", self.more));
        Integrity {
            verified: !self.unverified,
            lost_bytes,
            lost_samples,
            first_bad_offset: self.by_offset.keys().next().copied(),
            problems: self
                .by_offset
                .iter()
                .map(at)
                .chain(more)
                .chain(self.notes.iter().cloned())
                .chain(self.more_notes.then(|| "and more to note".to_owned()))
                .collect(),
            notes: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_that_goes_on_is_one_damage_and_counts_once() {
        let mut findings = Findings::default();
        findings.lost(100, 10, "a");
        findings.lost(110, 5, "b");
        findings.lost(100, 10, "a");
        findings.lost(200, 1, "c");
        let integrity = findings.integrity(None, None);
        assert_eq!((integrity.lost_bytes, integrity.first_bad_offset), (16, Some(100)));
        assert_eq!(integrity.lost_samples, None);
        assert_eq!(findings.integrity(Some(9), Some(7)).lost_samples, Some(2));
        assert_eq!(integrity.problems, ["a (at byte 100)", "c (at byte 200)"]);
    }

    #[test]
    fn an_unknown_number_of_lost_samples_is_not_called_0() {
        let mut findings = Findings::default();
        assert_eq!(findings.integrity(None, None).lost_samples, Some(0));
        findings.lost_samples(5, 3, "a");
        assert_eq!(findings.integrity(None, None).lost_samples, Some(3));
        findings.cut_off(true);
        assert_eq!(findings.integrity(None, None).lost_samples, Some(3));
        findings.cut_off(false);
        let integrity = findings.integrity(None, None);
        assert_eq!((integrity.lost_samples, integrity.is_whole()), (None, false));
        assert_eq!(findings.integrity(Some(4), Some(4)).lost_samples, Some(0));
    }

    #[test]
    fn no_file_fills_the_memory_with_its_faults() {
        let mut findings = Findings::default();
        for n in 0..5000 {
            findings.lost(n * 10, 1, "a");
        }
        let integrity = findings.integrity(None, None);
        assert_eq!((integrity.lost_bytes, integrity.problems.len()), (5000, 1001));
        assert_eq!(integrity.problems[1000], "4000 more of the kind");
    }
}
