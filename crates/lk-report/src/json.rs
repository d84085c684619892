//! Results as JSON: everything that is known, for programs.

use lk::dataset::{DatasetInfo, Diagnosis};
use lk::diff::DiffResult;
use lk::outcome::VerifyOutcome;

/// A comparison as indented JSON with a final newline. Its `version` rises
/// when a reader of the old form would err.
pub fn diff(result: &DiffResult) -> String {
    pretty(serde_json::to_string_pretty(result))
}

/// A verification as indented JSON with a final newline, with the whole
/// comparison of each candidate in it.
pub fn verify(outcome: &VerifyOutcome) -> String {
    pretty(serde_json::to_string_pretty(outcome))
}

/// What is in a dataset, as indented JSON with a final newline.
pub fn info(info: &DatasetInfo) -> String {
    pretty(serde_json::to_string_pretty(info))
}

/// What is odd about a dataset, as indented JSON with a final newline.
pub fn diagnosis(diagnosis: &Diagnosis) -> String {
    pretty(serde_json::to_string_pretty(diagnosis))
}

fn pretty(json: serde_json::Result<String>) -> String {
    json.expect("results are made of structs, numbers and maps with text keys") + "\n"
}
