//! A verification: each candidate with its evidence, and what ran on what.

use lk::outcome::{
    CandidateOutcome, CandidateResult, Failure, ReferenceOutcome, RunOutcome, VerifyOutcome,
};

use super::{Page, diff, mark, path, run};
use crate::number;
use crate::style::{Ink, printable};

/// Lines of a log shown at most.
const LOG_LINES: usize = 20;

pub(super) fn page(page: &mut Page, outcome: &VerifyOutcome) {
    match outcome.candidates.as_slice() {
        // One candidate's own line says it all.
        [one] => show(page, &format!("{} {}", outcome.component, one.name), one),
        candidates => {
            headline(page, outcome);
            for candidate in candidates {
                page.blank();
                show(page, &candidate.name, candidate);
            }
        }
    }
    page.blank();
    circumstances(page, outcome);
    step_times(page, outcome);
    if !outcome.notes.is_empty() {
        page.blank();
    }
    for note in &outcome.notes {
        page.remark("note", Ink::Caution, note);
    }
}

/// `✗ attitude_filter: broken is different; cpp behaves like the reference`.
fn headline(page: &mut Page, outcome: &VerifyOutcome) {
    let (mut passed, mut failed) = (Vec::new(), Vec::new());
    for candidate in &outcome.candidates {
        let name = printable(&candidate.name);
        match &candidate.result {
            CandidateResult::Compared { diff, .. } if diff.passes() => passed.push(name),
            CandidateResult::Compared { diff, .. } => failed.push(match diff.verdict {
                lk::diff::Verdict::Incomparable => format!("{name} is incomparable"),
                _ => format!("{name} is different"),
            }),
            CandidateResult::BuildFailed(_) => failed.push(format!("{name} {NOT_BUILT}")),
            CandidateResult::RunFailed(_) => failed.push(format!("{name} {NOT_RUN}")),
        }
    }
    // Nothing verified is no success.
    let good = failed.is_empty() && !passed.is_empty();
    let mut parts = failed;
    if !passed.is_empty() {
        let verb = if passed.len() == 1 { "behaves" } else { "behave" };
        parts.push(format!("{} {verb} like the reference", listed(&passed)));
    }
    if parts.is_empty() {
        parts.push("no candidate was run".to_owned());
    }
    let (mark, ink) = mark(good);
    let mark = page.paint(ink, mark);
    let component = page.paint(Ink::Strong, &format!("{}:", printable(&outcome.component)));
    page.line(0, &format!("{mark} {component} {}", parts.join("; ")));
}

/// `cpp`, `cpp and rust`, `c, cpp and rust`.
fn listed(names: &[std::borrow::Cow<str>]) -> String {
    match names {
        [] => String::new(),
        [one] => one.to_string(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

const NOT_BUILT: &str = "did not build";
const NOT_RUN: &str = "did not run to the end";

fn show(page: &mut Page, subject: &str, candidate: &CandidateOutcome) {
    match &candidate.result {
        CandidateResult::Compared { run, diff } => {
            diff::verdict(page, subject, diff);
            diff::body(page, diff, diff::Detail::Candidate);
            run::component_errors(page, run);
        }
        CandidateResult::BuildFailed(failure) => failed(page, subject, NOT_BUILT, failure),
        CandidateResult::RunFailed(failure) => failed(page, subject, NOT_RUN, failure),
    }
}

fn failed(page: &mut Page, subject: &str, what: &str, failure: &Failure) {
    let (mark, ink) = mark(false);
    let mark = page.paint(ink, mark);
    let name = page.paint(Ink::Strong, &format!("{}:", printable(subject)));
    let what = page.paint(ink, what);
    page.line(0, &format!("{mark} {name} {what}"));
    // The tick is in the message where it matters; a report has it in any case.
    page.remark("error", Ink::Bad, &failure.message);
    if let Some(hint) = &failure.hint {
        page.remark("hint", Ink::Strong, hint);
    }
    if !failure.log.is_empty() {
        log(page, &failure.log);
    }
}

fn log(page: &mut Page, lines: &[String]) {
    let hidden = lines.len().saturating_sub(LOG_LINES);
    let title = match hidden {
        0 => "its log:".to_owned(),
        _ => format!("the last {LOG_LINES} lines of its log:"),
    };
    let title = page.paint(Ink::Faint, &title);
    page.line(2, &title);
    let bar = page.paint(Ink::Faint, "|");
    for line in &lines[hidden..] {
        page.line(4, &format!("{bar} {}", printable(line)));
    }
}

/// What ran on what, and where the reference comes from.
fn circumstances(page: &mut Page, outcome: &VerifyOutcome) {
    let ticks = number::counted(outcome.ticks, "tick");
    page.labelled("inputs", &format!("{}, {ticks}", path(&outcome.inputs)));
    let ReferenceOutcome { recording, provenance, run, cached } = &outcome.reference;
    let origin = match (run, cached) {
        (_, true) => "from the cache",
        (Some(_), false) => "run now",
        (None, false) => "recorded before",
    };
    page.labelled("reference", &format!("{}, {origin}", path(recording)));
    let facts: Vec<String> = provenance
        .iter()
        // The table of step times has the harness of what ran.
        .filter(|(name, _)| run.is_none() || !["harness", "producer"].contains(&name.as_str()))
        .map(|(name, value)| {
            let name = name.strip_suffix("_hash").unwrap_or(name);
            format!("{} {}", printable(name), abbreviated(value))
        })
        .collect();
    if !facts.is_empty() {
        page.labelled("", &facts.join(", "));
    }
    if let Some(run) = run {
        run::component_errors(page, run);
    }
    if let Some(report) = page.report {
        page.labelled("report", &path(report));
    }
}

/// The first 12 digits of a hash; anything else as it is.
fn abbreviated(value: &str) -> String {
    let is_hash = value.len() >= 32 && value.bytes().all(|b| b.is_ascii_hexdigit());
    if is_hash { value[..12].to_owned() } else { printable(value).into_owned() }
}

/// Step times of every program that ran, beside the reference's.
fn step_times(page: &mut Page, outcome: &VerifyOutcome) {
    let reference = outcome.reference.run.as_ref();
    let candidates = outcome.candidates.iter().filter_map(|candidate| match &candidate.result {
        CandidateResult::Compared { run, .. } => Some((candidate.name.as_str(), run)),
        _ => None,
    });
    let candidates: Vec<(&str, &RunOutcome)> = candidates.collect();
    if candidates.is_empty() {
        return;
    }
    let rows: Vec<(&str, &RunOutcome)> =
        reference.map(|run| ("reference", run)).into_iter().chain(candidates).collect();
    let earlier = if outcome.reference.cached { "measured when it was cached" } else { "" };
    run::step_times(page, &rows, reference, earlier);
}
