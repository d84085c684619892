//! Results as JUnit XML: what servers that run tests read.

use lk::diff::{
    DiffResult, FieldDiff, KeyDiff, KnownOutcome, KnownState, Mismatch, MismatchKind, Verdict,
};
use lk::outcome::{CandidateResult, Failure, VerifyOutcome};
use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use crate::number;
use crate::style::printable;

/// A comparison as JUnit XML: one suite, in which each key has a case for its
/// messages and one for each of its fields. What a rule leaves out and what is
/// known to differ is skipped, with its reason, and so is a field whose violations
/// are allowed. Nothing in it depends on when
/// it was made.
pub fn diff(result: &DiffResult) -> String {
    let mut report = Report::new("lk diff");
    report.add_test_suite(suite(&result.candidate, result));
    xml(&report)
}

/// A verification as JUnit XML: one suite for each candidate, as [`diff`] has
/// it. One that did not build or run is an error.
pub fn verify(outcome: &VerifyOutcome) -> String {
    let mut report = Report::new(clean(&outcome.component));
    for candidate in &outcome.candidates {
        let suite = match &candidate.result {
            CandidateResult::Compared { diff, .. } => suite(&candidate.name, diff),
            CandidateResult::BuildFailed(failure) => failed(&candidate.name, "build", failure),
            CandidateResult::RunFailed(failure) => failed(&candidate.name, "run", failure),
        };
        report.add_test_suite(suite);
    }
    xml(&report)
}

fn xml(report: &Report) -> String {
    report.to_string().expect("text into memory can't fail")
}

/// What XML can't hold, as escapes: control characters, and the two that are no
/// characters.
fn clean(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(printable).collect();
    lines.join("\n").replace('\u{fffe}', "\\u{fffe}").replace('\u{ffff}', "\\u{ffff}")
}

fn suite(name: &str, result: &DiffResult) -> TestSuite {
    let mut suite = TestSuite::new(clean(name));
    let mut say = |name: &str, value: &str| {
        suite.add_property(Property::new(name, clean(value)));
    };
    say("reference", &result.reference);
    say("candidate", &result.candidate);
    let verdict = serde_json::to_value(result.verdict).ok();
    say("verdict", verdict.as_ref().and_then(|v| v.as_str()).unwrap_or_default());
    for rule in &result.rules {
        say("rule", &rule.rule);
    }
    for note in &result.notes {
        say("note", note);
    }
    if result.verdict == Verdict::Incomparable {
        let reason = result.incomparable_reason.as_deref().unwrap_or("nothing was compared");
        suite.add_test_case(case(name, "comparison", error("incomparable", reason)));
    }
    for (key, reason) in &result.ignored_keys {
        suite.add_test_case(case(key, "messages", skipped(reason)));
    }
    for (key, found) in &result.key_diffs {
        suite.add_test_case(messages(result, key, found));
        let allowed = result.passes();
        let fields = found.fields.iter().map(|field| self::field(key, found, field, allowed));
        suite.add_test_cases(fields);
    }
    suite.add_test_cases(result.known_differences.iter().map(known));
    suite
}

fn case(class: &str, name: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(clean(name), status);
    case.set_classname(clean(class));
    case
}

fn skipped(reason: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(clean(reason));
    status
}

fn failure(kind: &str, message: &str, evidence: &[String]) -> TestCaseStatus {
    non_success(NonSuccessKind::Failure, kind, message, evidence)
}

fn error(kind: &str, message: &str) -> TestCaseStatus {
    non_success(NonSuccessKind::Error, kind, message, &[])
}

fn non_success(
    of: NonSuccessKind,
    kind: &str,
    message: &str,
    evidence: &[String],
) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(of);
    status.set_type(clean(kind)).set_message(clean(message));
    if !evidence.is_empty() {
        status.set_description(clean(&evidence.join("\n")));
    }
    status
}

/// A candidate that did not come to a comparison.
fn failed(name: &str, step: &str, failure: &Failure) -> TestSuite {
    let mut suite = TestSuite::new(clean(name));
    let mut lines: Vec<String> = failure.hint.iter().map(|hint| format!("hint: {hint}")).collect();
    lines.extend(failure.log.iter().cloned());
    let status = non_success(NonSuccessKind::Error, step, &failure.message, &lines);
    suite.add_test_case(case(name, step, status));
    suite
}

/// Whether all messages of a key have a partner at the right time, and types
/// agree.
fn messages(result: &DiffResult, key: &str, found: &KeyDiff) -> TestCase {
    let m = &found.messages;
    let mut wrong = Vec::new();
    let mut say = |n: u64, what: &str| {
        if n > 0 {
            wrong.push(format!("{} {what}", number::counted(n, "message")));
        }
    };
    let unaligned = m.unaligned_reference + m.unaligned_candidate;
    let alone = m.missing + m.extra + unaligned > m.known;
    say(if alone { m.missing } else { 0 }, "missing");
    say(if alone { m.extra } else { 0 }, "extra");
    say(if alone { unaligned } else { 0 }, "not aligned");
    say(m.errors, "not decodable");
    say(found.timestamps.violations - found.timestamps.known, "at other times");
    let lacking = |keys: &[String]| !result.keys_match && keys.iter().any(|lacked| lacked == key);
    if lacking(&result.missing_keys_in_b) {
        wrong.push("the candidate lacks the key".to_owned());
    }
    if lacking(&result.extra_keys_in_b) {
        wrong.push("the reference lacks the key".to_owned());
    }
    let findings = found.schema.iter().filter(|f| !f.ignored && !f.known);
    let findings = findings.filter(|f| f.kind != lk::diff::SchemaFindingKind::Order);
    wrong.extend(findings.map(|f| {
        let ty = |ty: &Option<String>| ty.clone().unwrap_or_else(|| "nothing".to_owned());
        format!("type of `{}`: {}, in the candidate {}", f.path, ty(&f.reference), ty(&f.candidate))
    }));
    let whole =
        |mismatch: &&Mismatch| mismatch.path.is_empty() || mismatch.kind == MismatchKind::Schema;
    let mut evidence: Vec<String> = found.mismatches.iter().filter(whole).map(line).collect();
    evidence.extend(found.errors.iter().cloned());
    let status = match wrong.as_slice() {
        [] => TestCaseStatus::success(),
        wrong => failure("messages", &wrong.join(", "), &evidence),
    };
    let mut case = case(key, "messages", status);
    case.set_assertions(usize::try_from(m.reference.max(m.candidate)).unwrap_or(usize::MAX));
    for (name, n) in [("compared", m.compared), ("known", m.known + found.timestamps.known)] {
        case.add_property(Property::new(name, n.to_string()));
    }
    case
}

/// Whether the values of a field are close, and as many as they should be.
/// Where the result passes, those that are not are as few as is allowed.
fn field(key: &str, found: &KeyDiff, field: &FieldDiff, allowed: bool) -> TestCase {
    let v = &field.values;
    let (values, shapes) =
        (v.violations - v.known, field.shape_violations - field.known_shape_violations);
    let status = if values + shapes > 0 {
        let mut wrong = Vec::new();
        if values > 0 {
            let (n, of) = (number::count(values), number::count(v.compared));
            wrong.push(format!("{n} of {of} values outside of {}", field.tolerance));
        }
        if shapes > field.unmatched {
            let lengths = number::counted(shapes - field.unmatched, "sequence");
            wrong.push(format!("{lengths} of another length"));
        }
        if field.unmatched > 0 {
            wrong
                .push(format!("{} without a partner", number::counted(field.unmatched, "element")));
        }
        if let Some(error) = field.error {
            wrong.push(format!("largest error {}", number::error(error.max)));
        }
        let of_field = |mismatch: &&Mismatch| is_of(&mismatch.path, &field.path);
        let evidence: Vec<String> = found.mismatches.iter().filter(of_field).map(line).collect();
        match allowed {
            true => skipped(&format!("allowed: {}", wrong.join(", "))),
            false => failure("values", &wrong.join(", "), &evidence),
        }
    } else if v.ignored > 0 && v.compared == 0 {
        skipped(&field.tolerance)
    } else {
        TestCaseStatus::success()
    };
    let mut case = case(key, &field.path, status);
    case.set_assertions(usize::try_from(v.compared).unwrap_or(usize::MAX));
    case.add_property(Property::new("tolerance", clean(&field.tolerance)));
    let known = v.known + field.known_shape_violations;
    for (name, n) in [("known", known), ("ignored", v.ignored)] {
        if n > 0 {
            case.add_property(Property::new(name, n.to_string()));
        }
    }
    case
}

/// Whether the path of an element, or of its array, is of a field:
/// `ranges[17]` and `ranges` are of `ranges[*]`.
fn is_of(element: &str, field: &str) -> bool {
    let any = |path: &str| {
        let parts = path.split('[').map(|part| part.split_once(']').map_or(part, |(_, rest)| rest));
        parts.collect::<Vec<_>>().join("[]")
    };
    let (element, field) = (any(element), any(field));
    element == field || field.strip_suffix("[]") == Some(&element)
}

fn line(mismatch: &Mismatch) -> String {
    let Mismatch { index, time, path, a, b, .. } = mismatch;
    let kind = serde_json::to_value(mismatch.kind).ok();
    let kind = kind.as_ref().and_then(|kind| kind.as_str()).unwrap_or_default();
    let mut text = format!("message {index}, {}: {path} {kind}", number::time(*time));
    if !matches!((a, b), (lk::value::Scalar::Absent, lk::value::Scalar::Absent)) {
        text += &format!(": reference {a}, candidate {b}");
    }
    if let Some(error) = mismatch.error {
        text += &format!(", error {}", number::error(error));
    }
    text
}

fn known(outcome: &KnownOutcome) -> TestCase {
    let KnownOutcome { known, count, state, first } = outcome;
    let n = number::count(*count);
    let status = match state {
        KnownState::Holds => skipped(&format!("{n} times: {}", known.reason)),
        KnownState::Gone | KnownState::Fewer | KnownState::More => {
            let what = match state {
                KnownState::Gone => "it is no longer there".to_owned(),
                KnownState::Fewer => format!("there {n} times, of at least {}", known.at_least),
                _ => format!("there {n} times, of at most {}", known.at_most.unwrap_or(*count)),
            };
            let evidence: Vec<String> = first.iter().map(|first| line(&first.mismatch)).collect();
            failure("known", &format!("{what} ({})", known.reason), &evidence)
        }
    };
    case("known differences", known.glob.as_str(), status)
}

#[cfg(test)]
mod tests;
