//! Fields, worst first.

use std::cmp::Ordering;

use lk::diff::{DiffResult, FieldDiff};

use super::{address, errors};
use crate::number;
use crate::style::{Ink, printable};
use crate::table::{Edge, Table};
use crate::text::{Page, passes};

/// Fields shown at most.
const SHOWN: usize = 10;

/// The table of fields that have something to say: those with violations, or
/// where all is well those that aren't equal everywhere.
pub(super) fn table(page: &mut Page, result: &DiffResult) {
    let violated = |f: &FieldDiff| {
        f.values.violations > f.values.known || f.shape_violations > f.known_shape_violations
    };
    let passed = passes(result.verdict);
    let mut fields: Vec<(&String, &FieldDiff)> = result
        .key_diffs
        .iter()
        .flat_map(|(key, found)| found.fields.iter().map(move |f| (key, f)))
        .filter(|(_, f)| if passed { f.values.within > 0 } else { violated(f) })
        .collect();
    if fields.is_empty() {
        return;
    }
    // Stable: fields that are equally bad stay in the order of keys and schema.
    fields.sort_by(|(_, a), (_, b)| worse_first(a, b));
    let mut table = Table::new([
        ("field", Edge::Left),
        (if passed { "" } else { "outside" }, Edge::Right),
        ("max error", Edge::Right),
        ("at", Edge::Right),
        ("tolerance", Edge::Left),
        (if passed { "" } else { "would pass" }, Edge::Left),
        ("", Edge::Left),
    ]);
    for (key, field) in fields.iter().take(SHOWN) {
        let v = &field.values;
        let outside = if passed {
            String::new()
        } else {
            format!("{} of {}", number::count(v.violations), number::count(v.compared))
        };
        let (max, at) = field
            .error
            .filter(|e| e.count > 0)
            .map_or_else(Default::default, |e| (number::error(e.max), number::time(e.max_time)));
        table.row([
            (address(key, &field.path), Ink::Plain),
            (outside, Ink::Plain),
            (max, Ink::Plain),
            (at, Ink::Plain),
            (printable(&field.tolerance).into_owned(), Ink::Plain),
            (if passed { String::new() } else { would_pass(field) }, Ink::Plain),
            (remarks(field), Ink::Caution),
        ]);
    }
    page.blank();
    for line in table.lines(page.style) {
        page.line(2, &line);
    }
    page.more(2, fields.len().saturating_sub(SHOWN), "more");
    if let Some((key, worst)) = fields.first() {
        errors::show(page, key, worst);
    }
}

/// `max error  3.3e-16 in attitude.w at 8.120 s, tolerance abs=1e-9`.
pub(super) fn largest_error(page: &mut Page, result: &DiffResult) {
    let fields = result
        .key_diffs
        .iter()
        .flat_map(|(key, found)| found.fields.iter().map(move |f| (key, f)))
        .filter_map(|(key, f)| f.error.filter(|e| e.max > 0.0).map(|e| (key, f, e)));
    let worst = fields.reduce(|worst, next| if next.2.max > worst.2.max { next } else { worst });
    if let Some((key, field, error)) = worst {
        let text = format!(
            "{} in {} at {}, tolerance {}",
            page.paint(Ink::Strong, &number::error(error.max)),
            address(key, &field.path),
            number::time(error.max_time),
            printable(&field.tolerance)
        );
        page.labelled("max error", &text);
    }
}

fn worse_first(a: &FieldDiff, b: &FieldDiff) -> Ordering {
    let wrong = |f: &FieldDiff| f.values.violations + f.shape_violations;
    let max = |f: &FieldDiff| f.error.map_or(0.0, |e| e.max);
    wrong(b).cmp(&wrong(a)).then_with(|| max(b).total_cmp(&max(a)))
}

/// The tolerance that would let this field pass, so that what is shown does.
fn would_pass(field: &FieldDiff) -> String {
    match field.error {
        Some(error) if field.shape_violations == 0 => match error.passing_abs {
            Some(abs) => format!("abs={}", number::error_rounded_up(abs)),
            None => error.passing_ulp.map_or("none".to_owned(), |n| format!("ulp={n}")),
        },
        _ => "none".to_owned(),
    }
}

/// What the numbers alone don't say.
fn remarks(field: &FieldDiff) -> String {
    let v = &field.values;
    let mut parts = Vec::new();
    if v.nan_reference != v.nan_candidate {
        let (a, b) = (number::count(v.nan_reference), number::count(v.nan_candidate));
        parts.push(format!("NaN: {a} in the reference, {b} in the candidate"));
    }
    let known = v.known + field.known_shape_violations;
    if known > 0 {
        parts.push(format!("{} known", number::count(known)));
    }
    if v.inf > 0 {
        parts.push(format!("{} infinite", number::count(v.inf)));
    }
    if field.shape_violations > 0 {
        let n = number::counted(field.shape_violations, "length");
        let differ = if field.shape_violations == 1 { "differs" } else { "differ" };
        parts.push(format!("{n} {differ}"));
    }
    parts.join(", ")
}
