//! The first divergence: the place, both values, and what went in just before.

use lk::Time;
use lk::diff::{Divergence, InputBefore, MismatchKind};
use lk::value::Scalar;

use super::address;
use crate::number;
use crate::style::{Ink, printable};
use crate::table::grid;
use crate::text::Page;

/// Inputs shown at most.
const INPUTS: usize = 8;

/// Where the sides part, with both values and the inputs just before it.
pub(super) fn show(page: &mut Page, first: &Divergence) {
    let found = &first.mismatch;
    let at = page.paint(Ink::Strong, &address(&first.key, &found.path));
    let when = match found.tick {
        Some(tick) => format!("tick {tick}, {}", number::time(found.time)),
        None => format!("message {}, {}", found.index, number::time(found.time)),
    };
    let how = match (found.kind, found.error) {
        (MismatchKind::Value, Some(error)) => {
            format!("error {}, tolerance {}", number::error(error), printable(&found.tolerance))
        }
        (MismatchKind::Value, None) => format!("tolerance {}", printable(&found.tolerance)),
        (MismatchKind::Nan, _) => "NaN on one side alone".to_owned(),
        (MismatchKind::Infinity, _) => "infinite on one side, or of the other sign".to_owned(),
        (MismatchKind::Length, _) => "the lengths differ".to_owned(),
        (MismatchKind::Unmatched, _) => {
            format!("without a partner, tolerance {}", printable(&found.tolerance))
        }
        (MismatchKind::Time, _) => {
            format!("the times differ, tolerance {}", printable(&found.tolerance))
        }
        (MismatchKind::Missing, _) => "the candidate lacks this message".to_owned(),
        (MismatchKind::Extra, _) => "the reference has no such message".to_owned(),
        (MismatchKind::Unaligned, _) => "outside of the other side's span".to_owned(),
        (MismatchKind::Schema, _) => "the types differ".to_owned(),
        (MismatchKind::Decode, _) => "the payload can't be decoded".to_owned(),
    };
    page.line(2, &format!("first at {when} in {at}: {how}"));
    if let Some(cause) = &first.cause {
        page.line(4, &page.paint(Ink::Caution, &printable(&cause.text)));
    }
    let (a, b) = (found.a.to_string(), found.b.to_string());
    if (&found.a, &found.b) != (&Scalar::Absent, &Scalar::Absent) {
        let same = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
        let same = (0..=same).rev().find(|&n| b.is_char_boundary(n)).unwrap_or(0);
        let wrong = page.paint(Ink::Bad, &printable(&b[same..]));
        sided(page, "reference", &printable(&a));
        sided(page, "candidate", &format!("{}{wrong}", printable(&b[..same])));
    }
    for input in first.inputs.iter().take(INPUTS) {
        input_before(page, input, found.time);
    }
    page.more(4, first.inputs.len().saturating_sub(INPUTS), "more inputs");
}

/// A line of the evidence under a divergence.
fn sided(page: &mut Page, label: &str, text: &str) {
    // A minus hangs out to the left, so that digits line up.
    let sign = if text.starts_with('-') { "" } else { " " };
    let label = page.paint(Ink::Faint, &format!("{label:<11}"));
    page.line(4, &format!("{label}{sign}{text}"));
}

fn input_before(page: &mut Page, input: &InputBefore, time: Time) {
    const FIELDS: usize = 12;
    let when = if input.time == time {
        "at that time".to_owned()
    } else {
        format!("{} before", number::seconds(&(time - input.time).to_string()))
    };
    let title = format!("input {} {when}", address(&input.key, ""));
    let title = page.paint(Ink::Faint, &title);
    page.line(4, &title);
    let cells: Vec<(String, String)> = input
        .fields
        .iter()
        .take(FIELDS)
        .map(|(path, value)| (printable(path).into_owned(), shortened(&value.to_string())))
        .collect();
    for line in grid(&cells, page.style.width.saturating_sub(6)) {
        page.line(6, &line);
    }
    page.more(6, input.fields.len().saturating_sub(FIELDS), "more fields");
}

/// A value that shall fit a cell; only text is ever longer.
fn shortened(value: &str) -> String {
    const MOST: usize = 40;
    let value = printable(value);
    if value.chars().count() <= MOST {
        return value.into_owned();
    }
    value.chars().take(MOST - 1).chain(['…']).collect()
}
