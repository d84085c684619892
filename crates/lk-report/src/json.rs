//! Results as JSON: everything that is known, for programs.

use std::collections::BTreeMap;

use lk::dataset::{DatasetInfo, Diagnosis};
use lk::diff::{Answer, DiffResult, Rejudgement};
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

/// A result judged again, as indented JSON with a final newline.
pub fn rejudgement(rejudgement: &Rejudgement) -> String {
    pretty(serde_json::to_string_pretty(rejudgement))
}

/// The candidates of a verification judged again, as indented JSON with a final
/// newline; `null` for one that was not compared.
pub fn rejudgements(
    passes: Answer,
    candidates: &[(Option<String>, Option<Rejudgement>)],
) -> String {
    let named = candidates.iter().map(|(n, answer)| (n.as_deref().unwrap_or_default(), answer));
    let candidates: BTreeMap<&str, &Option<Rejudgement>> = named.collect();
    let all = serde_json::json!({ "passes": passes, "candidates": candidates });
    pretty(serde_json::to_string_pretty(&all))
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
