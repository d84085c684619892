//! A program's run: what it wrote, how long its steps took.

use lk::outcome::RunOutcome;

use super::{Page, path};
use crate::number;
use crate::style::{Ink, printable};
use crate::table::{Edge, Table};

pub(super) fn page(page: &mut Page, name: &str, run: &RunOutcome, recording: &str) {
    let name = page.paint(Ink::Strong, &printable(name));
    let ticks = number::counted(run.ticks, "tick");
    page.line(0, &format!("{name} ran {ticks}, recorded in {}", path(recording)));
    for (port, samples) in &run.outputs {
        page.labelled(&printable(port), &number::counted(*samples, "message"));
    }
    component_errors(page, run);
    step_times(page, &[("", run)], None, "");
}

pub(super) fn component_errors(page: &mut Page, run: &RunOutcome) {
    if run.n_component_errors == 0 {
        return;
    }
    let n = number::counted(run.n_component_errors, "tick");
    let first = match run.component_errors.first() {
        Some((tick, text)) => format!("; the first is tick {tick}: {}", printable(text)),
        None => String::new(),
    };
    let text = format!("{n} ended in an error of the component{first}");
    page.labelled("errors", &text);
}

/// A row for each run; those that aren't the reference's say how much faster
/// they are, the reference's what `about_reference` says.
pub(super) fn step_times(
    page: &mut Page,
    rows: &[(&str, &RunOutcome)],
    reference: Option<&RunOutcome>,
    about_reference: &str,
) {
    let mut table = Table::new([
        ("", Edge::Left),
        ("step p50", Edge::Right),
        ("p99", Edge::Right),
        ("ticks/s", Edge::Right),
        ("memory", Edge::Right),
        ("harness", Edge::Left),
        ("", Edge::Left),
    ]);
    for &(name, run) in rows {
        let is_reference = reference.is_some_and(|reference| std::ptr::eq(reference, run));
        let against = match reference {
            Some(reference) if !is_reference => {
                number::speedup(reference.step.p50_ns, run.step.p50_ns).unwrap_or_default()
            }
            Some(_) => about_reference.to_owned(),
            None => String::new(),
        };
        table.row([
            (printable(name).into_owned(), if is_reference { Ink::Faint } else { Ink::Strong }),
            (number::duration(run.step.p50_ns), Ink::Plain),
            (number::duration(run.step.p99_ns), Ink::Plain),
            (number::rate(run.ticks, run.wall_ns), Ink::Plain),
            (run.peak_memory_bytes.map(number::bytes).unwrap_or_default(), Ink::Plain),
            (printable(&run.harness).into_owned(), Ink::Plain),
            (against, Ink::Plain),
        ]);
    }
    page.blank();
    for line in table.lines(page.style) {
        page.line(2, &line);
    }
}
