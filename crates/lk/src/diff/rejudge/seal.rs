//! Whether a result is what the comparison came to: one that was edited since
//! is not judged.

use std::collections::BTreeMap;

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::diff::known::KnownOutcome;
use crate::diff::{DiffResult, KeyDiff, Policy, Statistical, Verdict};

/// What judging again goes by.
#[derive(Serialize)]
struct Sealed<'r> {
    version: u32,
    verdict: Verdict,
    incomparable_reason: &'r Option<String>,
    missing: &'r [String],
    extra: &'r [String],
    ignored: &'r BTreeMap<String, String>,
    keys: &'r BTreeMap<String, KeyDiff>,
    statistical: &'r Option<Statistical>,
    known: &'r [KnownOutcome],
    policy: &'r Option<Policy>,
}

impl DiffResult {
    /// The seal that it should have: SHA-256 of its JSON, in hexadecimal, but
    /// for where the datasets are and what is said in prose.
    pub(in crate::diff) fn sealed(&self) -> String {
        let sealed = Sealed {
            version: self.version,
            verdict: self.verdict,
            incomparable_reason: &self.incomparable_reason,
            missing: &self.missing_keys_in_b,
            extra: &self.extra_keys_in_b,
            ignored: &self.ignored_keys,
            keys: &self.key_diffs,
            statistical: &self.statistical,
            known: &self.known_differences,
            policy: &self.policy,
        };
        let json = serde_json::to_vec(&sealed).expect("results have a form in JSON");
        Sha256::digest(&json).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
