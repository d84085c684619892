//! The parts of a comparison, in the order in which they are shown.

use lk::diff::{
    Alignment, DiffResult, KeyDiff, KnownOutcome, KnownState, MismatchKind, SchemaFinding,
    SchemaFindingKind, Scope, Verdict,
};

use super::{Page, mark, passes, path};
use crate::number;
use crate::style::{Ink, printable};

mod divergence;
mod errors;
mod fields;
mod lags;
mod statistical;
mod totals;

use totals::Totals;

/// How much of a comparison to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detail {
    /// It is all there is: the paths of both sides, and fields in any case.
    Alone,
    /// It belongs to a candidate: fields only where something is wrong.
    Candidate,
}

/// Type findings, keys and inputs shown at most, each.
const SHOWN: usize = 8;

/// The first line: `✓ cpp: equal, ...`.
pub(super) fn verdict(page: &mut Page, subject: &str, result: &DiffResult) {
    let (mark, ink) = mark(result.passes());
    let word = match result.verdict {
        Verdict::Identical => "identical",
        Verdict::Equal => "equal",
        Verdict::Different => "different",
        Verdict::Incomparable => "incomparable",
    };
    let word = match result.passes() && !passes(result.verdict) {
        true => format!("{word}, passes statistically"),
        false => word.to_owned(),
    };
    let subject = match subject {
        "" => String::new(),
        name => page.paint(Ink::Strong, &format!("{}: ", printable(name))),
    };
    let word = page.paint(ink, &word);
    let mark = page.paint(ink, mark);
    page.line(0, &format!("{mark} {subject}{word}, {}", reason(result)));
}

fn reason(result: &DiffResult) -> String {
    let totals = Totals::of(result);
    let amount = || match totals.values.compared {
        0 => number::counted(totals.compared, "message"),
        n => format!(
            "{} in {}",
            number::counted(n, "value"),
            number::counted(totals.compared, "message")
        ),
    };
    match result.verdict {
        Verdict::Identical => format!("{}, bit for bit", amount()),
        Verdict::Equal if result.has_known() => {
            format!("{}, within tolerance or known to differ", amount())
        }
        Verdict::Equal => format!("{} within tolerance", amount()),
        Verdict::Different => totals.differences(),
        Verdict::Incomparable => match &result.incomparable_reason {
            Some(reason) => printable(reason).into_owned(),
            None => "nothing was compared".to_owned(),
        },
    }
}

/// Everything after the first line.
pub(super) fn body(page: &mut Page, result: &DiffResult, detail: Detail) {
    let totals = Totals::of(result);
    // Where nothing could be compared, the reason is all that counts.
    if let Some(first) = &result.first_divergence
        && result.verdict == Verdict::Different
    {
        divergence::show(page, first);
    }
    if let Some(reading) = &result.statistical {
        statistical::show(page, reading);
    }
    keys(page, result);
    types(page, result);
    lags::show(page, result);
    if passes(result.verdict) {
        fields::largest_error(page, result);
        if totals.values.compared > 0 && totals.values.bit_equal < totals.values.compared {
            let share = number::share(totals.values.bit_equal, totals.values.compared);
            page.labelled("bit equal", &format!("{share} of the values"));
        }
    }
    known(page, result);
    ignored(page, result, detail);
    if detail == Detail::Alone {
        page.blank();
        page.labelled("reference", &path(&result.reference));
        page.labelled("candidate", &path(&result.candidate));
        if totals.compared > 0 {
            page.labelled("aligned by", &alignments(result));
        }
    }
    if !passes(result.verdict) || detail == Detail::Alone {
        fields::table(page, result);
    }
    if !result.notes.is_empty() && detail == Detail::Alone {
        page.blank();
    }
    for note in &result.notes {
        page.remark("note", Ink::Caution, note);
    }
}

/// What is wrong with whole keys and messages, a line each.
fn keys(page: &mut Page, result: &DiffResult) {
    let mut findings = Vec::new();
    let known = |key: &str, kind| if result.is_known(key, kind) { ", known" } else { "" };
    for key in &result.missing_keys_in_b {
        let n = result.key_diffs.get(key).map_or(0, |k| k.messages.reference);
        let (n, known) = (number::counted(n, "message"), known(key, MismatchKind::Missing));
        findings.push((key, format!("the candidate lacks this key ({n}{known})")));
    }
    for key in &result.extra_keys_in_b {
        let n = result.key_diffs.get(key).map_or(0, |k| k.messages.candidate);
        let (n, known) = (number::counted(n, "message"), known(key, MismatchKind::Extra));
        findings.push((key, format!("the reference has no such key ({n}{known})")));
    }
    for (key, found) in &result.key_diffs {
        if result.missing_keys_in_b.contains(key) || result.extra_keys_in_b.contains(key) {
            continue;
        }
        let text = messages(found, |kind| result.is_known(key, kind));
        if !text.is_empty() {
            findings.push((key, text));
        }
        findings.extend(found.errors.iter().take(1).map(|e| (key, printable(e).into_owned())));
    }
    for (key, text) in findings.iter().take(SHOWN) {
        page.labelled("key", &format!("{}: {text}", address(key, "")));
    }
    page.more(2, findings.len().saturating_sub(SHOWN), "more findings on keys");
}

fn messages(key: &KeyDiff, is_known: impl Fn(MismatchKind) -> bool) -> String {
    let m = &key.messages;
    let mut parts = Vec::new();
    let mut say = |n: u64, what: &str, kind: Option<MismatchKind>| {
        if n > 0 {
            let known = if kind.is_some_and(&is_known) { " (known)" } else { "" };
            parts.push(format!("{} {what}{known}", number::count(n)));
        }
    };
    say(m.missing, "missing", Some(MismatchKind::Missing));
    say(m.extra, "extra", Some(MismatchKind::Extra));
    say(m.errors, "not decodable", None);
    let unaligned = Some(MismatchKind::Unaligned);
    say(m.unaligned_reference, "of the reference not aligned", unaligned);
    say(m.unaligned_candidate, "of the candidate not aligned", unaligned);
    say(m.duplicated, "repeated", None);
    say(m.reordered, "out of order", None);
    if !parts.is_empty() {
        let (a, b) = (number::count(m.reference), number::count(m.candidate));
        parts.push(format!("of {a} in the reference, {b} in the candidate"));
    }
    let mut text = parts.join(", ");
    if key.timestamps.violations > 0 {
        if !text.is_empty() {
            text.push_str("; ");
        }
        let max = key.timestamps.max_error.as_nanos().unsigned_abs();
        text += &format!(
            "times of {} off, by {} at most",
            number::counted(key.timestamps.violations, "message"),
            number::duration(max)
        );
        if is_known(MismatchKind::Time) {
            text.push_str(" (known)");
        }
    }
    text
}

/// Types that differ, a line each.
fn types(page: &mut Page, result: &DiffResult) {
    let findings: Vec<(&String, &SchemaFinding)> = result
        .key_diffs
        .iter()
        .flat_map(|(key, found)| found.schema.iter().map(move |finding| (key, finding)))
        .collect();
    for (key, finding) in findings.iter().take(SHOWN) {
        let (a, b) = (type_name(&finding.reference), type_name(&finding.candidate));
        let mut text = match finding.kind {
            SchemaFindingKind::Missing => format!("{a} in the reference, not in the candidate"),
            SchemaFindingKind::Extra => format!("{b} in the candidate, not in the reference"),
            SchemaFindingKind::Type => format!("{a} in the reference, {b} in the candidate"),
            SchemaFindingKind::Order => "the same fields in another order".to_owned(),
            SchemaFindingKind::Encoding => {
                format!("encoded as {a} in the reference, {b} in the candidate")
            }
        };
        if finding.ignored {
            text += " (ignored by a rule)";
        } else if finding.known {
            text += " (known)";
        }
        page.labelled("type", &format!("{}: {text}", address(key, &finding.path)));
    }
    page.more(2, findings.len().saturating_sub(SHOWN), "more findings on types");
}

fn type_name(name: &Option<String>) -> String {
    name.as_deref().map_or("-".to_owned(), |name| printable(name).into_owned())
}

/// Known differences: those that don't hold are differences, and come first.
fn known(page: &mut Page, result: &DiffResult) {
    let mut all: Vec<&KnownOutcome> = result.known_differences.iter().collect();
    all.sort_by_key(|known| known.state == KnownState::Holds);
    for KnownOutcome { known, count, state, .. } in all.iter().take(SHOWN) {
        let what = known.kind.map_or("", mismatch_word);
        let n = number::count(*count);
        let found = match state {
            KnownState::Holds => number::counted(*count, "difference"),
            KnownState::Gone => "no longer there; take it out of the policy".to_owned(),
            KnownState::Fewer => format!("{n} of at least {}", number::count(known.at_least)),
            KnownState::More => {
                format!("{n}, at most {}", number::count(known.at_most.unwrap_or(*count)))
            }
        };
        let found = match state {
            KnownState::Holds => found,
            _ => page.paint(Ink::Bad, &found),
        };
        let (at, reason) = (printable(known.glob.as_str()), printable(&known.reason));
        page.labelled("known", &format!("{at}{what}: {found} ({reason})"));
    }
    page.more(2, all.len().saturating_sub(SHOWN), "more known differences");
}

fn mismatch_word(kind: MismatchKind) -> &'static str {
    match kind {
        MismatchKind::Value => " value",
        MismatchKind::Nan => " NaN",
        MismatchKind::Infinity => " infinity",
        MismatchKind::Length => " length",
        MismatchKind::Unmatched => " unmatched",
        MismatchKind::Time => " time",
        MismatchKind::Missing => " missing",
        MismatchKind::Extra => " extra",
        MismatchKind::Unaligned => " not aligned",
        MismatchKind::Schema => " type",
        MismatchKind::Decode => " not decodable",
    }
}

/// What was left out by name: never silently.
fn ignored(page: &mut Page, result: &DiffResult, detail: Detail) {
    let mut keys: Vec<(&str, Vec<String>)> = Vec::new();
    for (key, reason) in &result.ignored_keys {
        // That a candidate is not judged by what it was given goes without
        // saying.
        if detail == Detail::Candidate && reason == Scope::INPUT_LEFT_OUT {
            continue;
        }
        match keys.iter_mut().find(|(known, _)| known == reason) {
            Some((_, same)) => same.push(address(key, "")),
            None => keys.push((reason, vec![address(key, "")])),
        }
    }
    let mut lines: Vec<String> = keys
        .into_iter()
        .map(|(reason, keys)| match reason {
            "" => keys.join(", "),
            reason => format!("{} ({})", keys.join(", "), printable(reason)),
        })
        .collect();
    for (key, found) in &result.key_diffs {
        lines.extend(found.fields.iter().filter(|f| f.values.ignored > 0).map(|f| {
            let n = number::counted(f.values.ignored, "value");
            format!("{} ({n}, {})", address(key, &f.path), printable(&f.tolerance))
        }));
    }
    for line in lines.iter().take(SHOWN) {
        page.labelled("ignored", line);
    }
    page.more(2, lines.len().saturating_sub(SHOWN), "more ignored");
}

fn alignments(result: &DiffResult) -> String {
    let name = |a: Alignment| match a {
        Alignment::Tick => "tick",
        Alignment::Time => "time",
        Alignment::Index => "index",
        Alignment::Sequence => "sequence",
        Alignment::Nearest => "nearest",
        Alignment::Interpolate => "interpolate",
    };
    let compared: Vec<(&String, &str)> = result
        .key_diffs
        .iter()
        .filter(|(_, found)| found.messages.compared > 0)
        .map(|(key, found)| (key, name(found.alignment)))
        .collect();
    match compared.first() {
        Some((_, first)) if compared.iter().all(|(_, name)| name == first) => (*first).to_owned(),
        _ => {
            let each = compared.iter().map(|(key, name)| format!("{name} ({})", address(key, "")));
            each.collect::<Vec<_>>().join(", ")
        }
    }
}

/// `key.field.path` as rules write it: a key with more than letters, digits,
/// `_` and `-` is quoted.
pub(super) fn address(key: &str, path: &str) -> String {
    let bare = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let key = if !key.is_empty() && key.chars().all(bare) {
        key.to_owned()
    } else {
        format!("\"{}\"", printable(key))
    };
    if path.is_empty() { key } else { format!("{key}.{}", printable(path)) }
}
