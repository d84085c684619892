//! What is wrong with a file.

use std::collections::BTreeMap;

use crate::dataset::Integrity;

/// What is wrong with a file, by where: what is found twice counts once.
#[derive(Clone, Debug, Default)]
pub(super) struct Findings {
    by_offset: BTreeMap<u64, Finding>,
    /// What has no one place.
    notes: Vec<String>,
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
        let problem = problem.into();
        let finding = Finding { lost_bytes: bytes, lost_samples: 0, problem };
        self.by_offset.entry(offset).or_insert(finding);
    }

    /// Samples that can't be given, of a record at `offset` that is whole.
    pub(super) fn lost_samples(&mut self, offset: u64, count: u64, problem: impl Into<String>) {
        let problem = problem.into();
        let finding = Finding { lost_bytes: 0, lost_samples: count, problem };
        self.by_offset.entry(offset).or_insert(finding);
    }

    /// Something odd by which nothing is lost.
    pub(super) fn note(&mut self, problem: impl Into<String>) {
        let problem = problem.into();
        if !self.notes.contains(&problem) {
            self.notes.push(problem);
        }
    }

    pub(super) fn none_lost(&self) -> bool {
        self.by_offset.is_empty()
    }

    /// `counted` is how many samples the file says that it has, and `found`
    /// how many there are, where both are known.
    pub(super) fn integrity(&self, counted: Option<u64>, found: Option<u64>) -> Integrity {
        let lost_samples = match (counted, found) {
            (Some(counted), Some(found)) => counted.saturating_sub(found),
            _ => self.by_offset.values().map(|finding| finding.lost_samples).sum(),
        };
        let at =
            |(offset, finding): (&u64, &Finding)| format!("{} (at byte {offset})", finding.problem);
        Integrity {
            verified: !self.unverified,
            lost_bytes: self.by_offset.values().map(|finding| finding.lost_bytes).sum(),
            lost_samples,
            first_bad_offset: self.by_offset.keys().next().copied(),
            problems: self.by_offset.iter().map(at).chain(self.notes.iter().cloned()).collect(),
        }
    }
}
