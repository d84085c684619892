//! Results as text: bounded, aligned, the verdict first.

mod diff;
mod doctor;
mod info;
mod live;
mod rejudge;
mod run;
mod verify;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use lk::dataset::{DatasetInfo, Diagnosis};
use lk::diff::{DiffResult, Rejudgement, Verdict};
use lk::outcome::{RunOutcome, VerifyOutcome};
use lk::playback::PlayReport;
use lk::recorder::RecorderStats;

use crate::style::{Ink, Style, printable, wrap};

/// A comparison as text: the verdict, the first divergence, what else is
/// wrong, the worst fields, the notes. It ends with a newline.
///
/// `report` is the file that has the whole result, for a reader who wants
/// more than the text shows; `None` where there is none.
pub fn diff(result: &DiffResult, report: Option<&str>, style: Style) -> String {
    let mut page = Page::new(report, style);
    diff::verdict(&mut page, "", result);
    diff::body(&mut page, result, diff::Detail::Alone);
    page.out
}

/// A verification as text: the verdict over all candidates, each candidate
/// with its evidence, what was run on what, step times, the notes. It ends
/// with a newline. `report` is as for [`diff`].
pub fn verify(outcome: &VerifyOutcome, report: Option<&str>, style: Style) -> String {
    let mut page = Page::new(report, style);
    verify::page(&mut page, outcome);
    page.out
}

/// A run of the program `name` alone, recorded in the file `recording`, as
/// text: ticks, messages by port, errors of the component, step times.
pub fn run(name: &str, outcome: &RunOutcome, recording: &str, style: Style) -> String {
    let mut page = Page::new(None, style);
    run::page(&mut page, name, outcome, recording);
    page.out
}

/// A result judged again as text: whether it would pass, and what decides that
/// or leaves it open. `name` is of a candidate, or empty; without an answer,
/// the candidate was not compared.
pub fn rejudgement(name: &str, answer: Option<&Rejudgement>, style: Style) -> String {
    let mut page = Page::new(None, style);
    match answer {
        Some(answer) => rejudge::page(&mut page, name, answer),
        None => rejudge::not_compared(&mut page, name),
    }
    page.out
}

/// What is in a dataset as text: counts, times, facts, what is wrong with it,
/// and a line for each key. `checked` says that every message was read.
pub fn info(info: &DatasetInfo, checked: bool, style: Style) -> String {
    let mut page = Page::new(None, style);
    info::page(&mut page, info, checked);
    page.out
}

/// What is in a dataset and what is odd about it as text, the worst first. It
/// ends with a newline.
pub fn diagnosis(diagnosis: &Diagnosis, style: Style) -> String {
    let mut page = Page::new(None, style);
    doctor::page(&mut page, diagnosis);
    page.out
}

/// What became of the messages that were recorded in the file `recording`, as
/// text: a line for each key.
pub fn recorded(recording: &str, stats: &RecorderStats, style: Style) -> String {
    let mut page = Page::new(None, style);
    live::recorded(&mut page, recording, stats);
    page.out
}

/// How playing went as text: how much, how fast, how late.
pub fn played(report: &PlayReport, style: Style) -> String {
    let mut page = Page::new(None, style);
    live::played(&mut page, report);
    page.out
}

/// Text on its way out, and what every part of it needs to know.
struct Page<'a> {
    out: String,
    report: Option<&'a str>,
    style: Style,
}

/// Labels are padded to this, then comes a gap of two.
const LABEL_WIDTH: usize = 10;

impl<'a> Page<'a> {
    fn new(report: Option<&'a str>, style: Style) -> Page<'a> {
        Page { out: String::new(), report, style }
    }

    fn paint(&self, ink: Ink, text: &str) -> String {
        self.style.paint(ink, text)
    }

    fn blank(&mut self) {
        self.out.push('\n');
    }

    fn line(&mut self, indent: usize, text: &str) {
        let text = text.trim_end();
        if !text.is_empty() {
            self.out.extend(std::iter::repeat_n(' ', indent));
            self.out.push_str(text);
        }
        self.out.push('\n');
    }

    /// `  label       text`, the label faint.
    fn labelled(&mut self, label: &str, text: &str) {
        let label = format!("{label:<LABEL_WIDTH$}  ");
        let label = self.paint(Ink::Faint, &label);
        self.line(2, &format!("{label}{text}"));
    }

    /// Prose after a word, broken to the width: `  note: ...`.
    fn remark(&mut self, word: &str, ink: Ink, text: &str) {
        let text = printable(text);
        let hang = word.len() + 2;
        let width = self.style.width.saturating_sub(2 + hang).max(40);
        for (n, part) in wrap(&text, width).iter().enumerate() {
            if n == 0 {
                let word = self.paint(ink, &format!("{word}:"));
                self.line(2, &format!("{word} {part}"));
            } else {
                self.line(2 + hang, part);
            }
        }
    }

    /// `... 896 more, see report.json`; nothing where `n` is 0.
    fn more(&mut self, indent: usize, n: usize, what: &str) {
        if n > 0 {
            let whole = match self.report {
                Some(report) => format!("see {}", path(report)),
                None => "all with --json".to_owned(),
            };
            let n = crate::number::count(n as u64);
            let text = self.paint(Ink::Faint, &format!("... {n} {what}, {whole}"));
            self.line(indent, &text);
        }
    }
}

/// A path as a user writes it: `./` says nothing.
fn path(path: &str) -> Cow<'_, str> {
    printable(path.strip_prefix("./").unwrap_or(path))
}

fn passes(verdict: Verdict) -> bool {
    match verdict {
        Verdict::Identical | Verdict::Equal => true,
        Verdict::Different | Verdict::Incomparable => false,
    }
}

fn mark(passed: bool) -> (&'static str, Ink) {
    if passed { ("✓", Ink::Good) } else { ("✗", Ink::Bad) }
}
