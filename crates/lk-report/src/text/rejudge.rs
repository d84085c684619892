//! A result judged again: the answer, what stands against a yes, and the
//! fields that decide it or leave it open.

use lk::diff::{Answer, FieldAnswer, Rejudgement};

use super::Page;
use super::diff::address;
use crate::number;
use crate::style::{Ink, printable};
use crate::table::{Edge, Table};

/// Findings and fields shown at most, each.
const SHOWN: usize = 10;

/// A candidate that did not get as far as being compared.
pub(super) fn not_compared(page: &mut Page, name: &str) {
    let name = page.paint(Ink::Strong, &printable(name));
    let (mark, word) = (page.paint(Ink::Bad, "✗"), page.paint(Ink::Bad, "would not pass"));
    page.line(0, &format!("{mark} {name}: {word}, it was not compared"));
}

/// The answer for one comparison.
pub(super) fn page(page: &mut Page, subject: &str, rejudgement: &Rejudgement) {
    let subject = match subject {
        "" => String::new(),
        name => page.paint(Ink::Strong, &format!("{}: ", printable(name))),
    };
    let of = |answer: Answer| rejudgement.fields.iter().filter(move |f| f.passes == answer).count();
    let fields = number::counted(rejudgement.fields.len() as u64, "field");
    let (mark, ink, word, reason) = match rejudgement.passes {
        Answer::Yes => ("✓", Ink::Good, "would pass", format!("{fields} within tolerance")),
        Answer::No => {
            let n = number::count(of(Answer::No) as u64);
            ("✗", Ink::Bad, "would not pass", format!("{n} of {fields} outside of tolerance"))
        }
        Answer::Unknown => {
            let n = number::count(of(Answer::Unknown) as u64);
            let reason = match n.as_str() {
                "0" => "compare again to know".to_owned(),
                n => format!("{n} of {fields} left open; compare again to know"),
            };
            ("?", Ink::Caution, "can't tell from the report", reason)
        }
    };
    let (mark, word) = (page.paint(ink, mark), page.paint(ink, word));
    page.line(0, &format!("{mark} {subject}{word}, {reason}"));

    let findings = &rejudgement.findings;
    for finding in findings.iter().take(SHOWN) {
        let label = if finding.passes == Answer::No { "no" } else { "unknown" };
        let text = printable(&finding.reason);
        match finding.key.as_str() {
            "" => page.labelled(label, &text),
            key => page.labelled(label, &format!("{}: {text}", address(key, ""))),
        }
    }
    page.more(2, findings.len().saturating_sub(SHOWN), "more findings");
    let rank = |field: &&FieldAnswer| u8::from(field.passes == Answer::Unknown);
    let mut open: Vec<&FieldAnswer> =
        rejudgement.fields.iter().filter(|f| f.passes != Answer::Yes).collect();
    open.sort_by_key(rank);
    if open.is_empty() {
        return;
    }
    let columns = ["field", "passes", "tolerance", "why"];
    let mut table = Table::new(columns.map(|name| (name, Edge::Left)));
    for field in open.iter().take(SHOWN) {
        let (passes, ink) = match field.passes {
            Answer::Yes => ("yes", Ink::Good),
            Answer::No => ("no", Ink::Bad),
            Answer::Unknown => ("unknown", Ink::Caution),
        };
        table.row([
            (address(&field.key, &field.path), Ink::Plain),
            (passes.to_owned(), ink),
            (printable(&field.tolerance).into_owned(), Ink::Plain),
            (printable(&field.reason).into_owned(), Ink::Plain),
        ]);
    }
    page.blank();
    for line in table.lines(page.style) {
        page.line(2, &line);
    }
    page.more(2, open.len().saturating_sub(SHOWN), "more fields");
}
