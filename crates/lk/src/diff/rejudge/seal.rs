//! Whether a result is what the comparison came to: one that was edited since
//! is not judged.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};

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
        let mut out = BufWriter::with_capacity(64 << 10, Hash(Sha256::new()));
        serde_json::to_writer(&mut out, &sealed).expect("results have a form in JSON");
        let hash = out.into_inner().map(|hash| hash.0.finalize());
        let hash = hash.unwrap_or_else(|_| unreachable!("hashing doesn't fail"));
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Takes what is written, which is never in memory as a whole.
struct Hash(Sha256);

impl Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
