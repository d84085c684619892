//! What is odd about a dataset.

use lk::dataset::{Diagnosis, Severity};

use super::{Page, info};
use crate::number;
use crate::style::{Ink, printable};

/// Findings shown of each severity.
const SHOWN: usize = 20;

pub(super) fn page(page: &mut Page, diagnosis: &Diagnosis) {
    info::page(page, &diagnosis.info, true);
    page.blank();
    let count = |severity| diagnosis.findings.iter().filter(|f| f.severity == severity).count();
    if diagnosis.findings.is_empty() {
        let sound = page.paint(Ink::Good, "✓ nothing odd");
        page.line(0, &sound);
        return;
    }
    let kinds = [
        (Severity::Problem, "problem", Ink::Bad),
        (Severity::Warning, "warning", Ink::Caution),
        (Severity::Note, "note", Ink::Faint),
    ];
    let counts: Vec<String> = kinds
        .iter()
        .filter(|(severity, _, _)| count(*severity) > 0)
        .map(|(severity, name, _)| number::counted(count(*severity) as u64, name))
        .collect();
    let counts = page.paint(Ink::Strong, &counts.join(", "));
    page.line(0, &counts);
    for (severity, name, ink) in kinds {
        let findings = diagnosis.findings.iter().filter(|f| f.severity == severity);
        for finding in findings.take(SHOWN) {
            let what = match &finding.key {
                Some(key) => format!("{}: {}", printable(key), finding.what),
                None => finding.what.clone(),
            };
            page.remark(name, ink, &what);
            if let Some(hint) = &finding.hint {
                page.remark("  hint", Ink::Faint, hint);
            }
        }
        page.more(2, count(severity).saturating_sub(SHOWN), &format!("{name}s"));
    }
}
