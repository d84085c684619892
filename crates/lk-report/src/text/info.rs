//! What is in a dataset.

use lk::dataset::{DatasetInfo, LOST_SAMPLES, Role, SequenceMeaning};

use super::{Page, path};
use crate::number;
use crate::style::{Ink, printable};
use crate::table::{Edge, Table};

/// Findings about the file shown at most.
const PROBLEMS: usize = 10;

pub(super) fn page(page: &mut Page, info: &DatasetInfo, checked: bool) {
    let location = page.paint(Ink::Strong, &path(&info.location));
    let samples = number::counted(info.samples, "message");
    let keys = number::counted(info.channels.len() as u64, "key");
    page.line(0, &format!("{location}  {samples} in {keys}"));
    if let (Some(first), Some(last)) = (info.first, info.last) {
        let span = number::seconds(&(last - first).to_string());
        let (first, last) = (number::time(first), number::time(last));
        page.labelled("time", &format!("{first} to {last}, {span} long"));
    }
    if info.sequence == SequenceMeaning::Tick {
        page.labelled("sequence", "numbers of ticks, by lk's runner");
    }
    for (name, value) in &info.facts {
        page.labelled(&printable(name), &printable(value));
    }
    integrity(page, info, checked);
    channels(page, info);
}

fn integrity(page: &mut Page, info: &DatasetInfo, checked: bool) {
    let found = &info.integrity;
    let intact = found.problems.is_empty() && found.is_whole();
    let text = match (checked, intact, found.verified) {
        (_, false, _) => {
            let bytes = number::bytes(found.lost_bytes);
            let lost = match (found.lost_samples, found.lost_bytes) {
                (Some(0), 0) => "nothing lost".to_owned(),
                (Some(0), _) => format!("no message lost, and {bytes} beside them"),
                (Some(samples), 0) => format!("{} lost", number::counted(samples, "message")),
                (Some(samples), _) => {
                    format!("{} and {bytes} lost", number::counted(samples, "message"))
                }
                (None, 0) => "an unknown number of messages may be lost".to_owned(),
                (None, _) => format!("{bytes} lost, with an unknown number of messages"),
            };
            page.paint(Ink::Bad, &format!("damaged, {lost}"))
        }
        (true, true, true) => "every message matches its checksum".to_owned(),
        (true, true, false) => {
            page.paint(Ink::Caution, "unverified: read in whole, some without a checksum")
        }
        (false, true, true) => "not checked yet, --check reads every message".to_owned(),
        (false, true, false) => page.paint(Ink::Caution, "unverified: some have no checksum"),
    };
    page.labelled("integrity", &text);
    if let Some(lost) = info.facts.get(LOST_SAMPLES) {
        let text = format!("copied from a damaged recording: {} messages lost", printable(lost));
        page.labelled("", &page.paint(Ink::Caution, &text));
    }
    for problem in found.problems.iter().take(PROBLEMS) {
        page.labelled("", &printable(problem));
    }
    page.more(14, found.problems.len().saturating_sub(PROBLEMS), "more problems");
    for (n, note) in found.notes.iter().take(PROBLEMS).enumerate() {
        page.labelled(if n == 0 { "notes" } else { "" }, &printable(note));
    }
    page.more(14, found.notes.len().saturating_sub(PROBLEMS), "more notes");
}

fn channels(page: &mut Page, info: &DatasetInfo) {
    if info.channels.is_empty() {
        return;
    }
    let mut table = Table::new([
        ("key", Edge::Left),
        ("type", Edge::Left),
        ("role", Edge::Left),
        ("messages", Edge::Right),
        ("rate", Edge::Right),
        ("first", Edge::Right),
        ("last", Edge::Right),
        ("", Edge::Left),
    ]);
    for channel in &info.channels {
        let role = match channel.role {
            Role::None => "",
            Role::Input => "input",
            Role::Output => "output",
            Role::State => "state",
        };
        let time = |time: Option<lk::Time>| time.map(number::time).unwrap_or_default();
        let span = channel.last.zip(channel.first).map(|(last, first)| (last - first).as_nanos());
        let rate = match span {
            Some(ns) if ns > 0 && channel.samples > 1 => {
                format!("{} Hz", number::rate(channel.samples - 1, ns.unsigned_abs()))
            }
            _ => String::new(),
        };
        let remark = match &channel.opaque_reason {
            Some(reason) => format!("{}, not decoded: {reason}", channel.encoding),
            None if channel.encoding == "cdr" => String::new(),
            None => channel.encoding.clone(),
        };
        table.row([
            (printable(&channel.key).into_owned(), Ink::Strong),
            (printable(&channel.type_name).into_owned(), Ink::Plain),
            (role.to_owned(), Ink::Plain),
            (number::count(channel.samples), Ink::Plain),
            (rate, Ink::Plain),
            (time(channel.first), Ink::Plain),
            (time(channel.last), Ink::Plain),
            (printable(&remark).into_owned(), Ink::Caution),
        ]);
    }
    page.blank();
    for line in table.lines(page.style) {
        page.line(2, &line);
    }
}
