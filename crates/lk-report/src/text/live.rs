//! What recording and playing came to.

use lk::playback::PlayReport;
use lk::recorder::RecorderStats;

use super::{Page, path};
use crate::number;
use crate::style::{Ink, printable};
use crate::table::{Edge, Table};

pub(super) fn recorded(page: &mut Page, recording: &str, stats: &RecorderStats) {
    let total = stats.total();
    let messages = number::counted(total.written, "message");
    let keys = number::counted(stats.keys.len() as u64, "key");
    page.line(0, &format!("{}: {messages} of {keys}", path(recording)));
    if stats.keys.is_empty() {
        return;
    }
    let mut table = Table::new([
        ("key", Edge::Left),
        ("offered", Edge::Right),
        ("written", Edge::Right),
        ("skipped", Edge::Right),
        ("dropped", Edge::Right),
        ("Hz", Edge::Right),
    ]);
    // A column of zeros says nothing.
    let unless_all_zero = |n: u64, all: u64, ink: Ink| match all {
        0 => (String::new(), Ink::Plain),
        _ => (number::count(n), if n == 0 { Ink::Plain } else { ink }),
    };
    for (name, key) in &stats.keys {
        table.row([
            (printable(name).into_owned(), Ink::Strong),
            (number::count(key.offered), Ink::Plain),
            (number::count(key.written), Ink::Plain),
            unless_all_zero(key.skipped, total.skipped, Ink::Plain),
            unless_all_zero(key.dropped, total.dropped, Ink::Caution),
            (key.rate_hz.map(|hz| format!("{hz:.1}")).unwrap_or_default(), Ink::Plain),
        ]);
    }
    page.blank();
    for line in table.lines(page.style) {
        page.line(2, &line);
    }
}

pub(super) fn played(page: &mut Page, report: &PlayReport) {
    let messages = number::counted(report.messages, "message");
    let ticks = number::counted(report.ticks, "tick");
    let stopped = if report.stopped { ", stopped before the end" } else { "" };
    page.line(0, &format!("played {messages} in {ticks}{stopped}"));
    if let Some(rate) = report.rate {
        let rate = if rate < 100.0 { format!("{rate:.3}") } else { number::count(rate as u64) };
        page.labelled("rate", &format!("{rate} times as fast as recorded"));
    }
    if report.lateness.count() > 0 {
        let nanos = |span: lk::Span| u64::try_from(span.as_nanos()).unwrap_or(0);
        let late = |part| number::duration(nanos(report.lateness.quantile(part)));
        let max = number::duration(nanos(report.lateness.max()));
        page.labelled("late", &format!("p50 {}, p99 {}, max {max}", late(0.5), late(0.99)));
    }
}
