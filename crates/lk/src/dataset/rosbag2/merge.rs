//! Samples of several files in time order.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::parts::Part;
use super::sequence::Joins;
use crate::dataset::{ChannelId, Query, Sample, Samples, Together};
use crate::error::{Error, Result};
use crate::time::Time;

/// What orders samples of different files: time, then the file's place.
type Key = (Time, usize);

/// Samples in time order, ties in the order of the files and then as recorded
/// in each. A file is read from when its first time is reached, so that memory
/// holds what files need that overlap in time, no more.
pub(super) struct Merge<'a> {
    parts: &'a [Part],
    joins: &'a Joins,
    /// By file, what it is asked for; `None` where it has nothing of it.
    queries: Vec<Option<Query>>,
    /// Files not begun yet, by their first time.
    waiting: VecDeque<Key>,
    open: Vec<Option<Open<'a>>>,
    heap: BinaryHeap<Reverse<Key>>,
    errors: VecDeque<Error>,
    together: Option<&'a Together>,
}

/// A file that is being read.
struct Open<'a> {
    samples: Samples<'a>,
    next: (ChannelId, Sample),
}

impl<'a> Merge<'a> {
    /// `first` is the first time in each file, `None` where it is empty.
    pub(super) fn new(
        parts: &'a [Part],
        joins: &'a Joins,
        first: &[Option<Time>],
        query: &Query,
        together: Option<&'a Together>,
    ) -> Merge<'a> {
        let queries: Vec<_> = parts.iter().map(|part| of_part(part, query)).collect();
        let mut waiting: Vec<Key> = first
            .iter()
            .enumerate()
            .filter(|(part, _)| queries[*part].is_some())
            .filter_map(|(part, first)| Some(((*first)?, part)))
            .map(|(first, part)| (query.start.map_or(first, |start| start.max(first)), part))
            .filter(|(first, _)| query.end.is_none_or(|end| *first < end))
            .collect();
        waiting.sort_unstable();
        Merge {
            parts,
            joins,
            queries,
            waiting: waiting.into(),
            open: parts.iter().map(|_| None).collect(),
            heap: BinaryHeap::new(),
            errors: VecDeque::new(),
            together,
        }
    }

    /// Begins with every file that may have the next sample.
    fn open_due(&mut self) {
        while let Some(&(first, part)) = self.waiting.front()
            && self.heap.peek().is_none_or(|Reverse(next)| (first, part) <= *next)
        {
            self.waiting.pop_front();
            let query = self.queries[part].take().unwrap_or_default();
            let backend = &self.parts[part].backend;
            let samples = match self.together {
                Some(together) => backend.samples_together(&query, together),
                None => backend.samples(&query),
            };
            match samples {
                Ok(samples) => self.read_on(part, samples),
                Err(error) => self.errors.push_back(error),
            }
        }
    }

    /// Takes the next sample of a file, and what errors come before it.
    fn read_on(&mut self, part: usize, mut samples: Samples<'a>) {
        for item in samples.by_ref() {
            match item {
                Ok(next) => {
                    self.heap.push(Reverse((next.1.time, part)));
                    self.open[part] = Some(Open { samples, next });
                    return;
                }
                Err(error) => self.errors.push_back(error),
            }
        }
    }
}

/// What a query asks of one file.
fn of_part(part: &Part, query: &Query) -> Option<Query> {
    let Some(wanted) = &query.channels else { return Some(query.clone()) };
    let ids = (0..).map(ChannelId).zip(&part.ids);
    let channels: Vec<_> = ids.filter(|(_, id)| wanted.contains(id)).map(|(own, _)| own).collect();
    (!channels.is_empty()).then(|| Query { channels: Some(channels), ..query.clone() })
}

impl Iterator for Merge<'_> {
    type Item = Result<(ChannelId, Sample)>;

    fn next(&mut self) -> Option<Self::Item> {
        self.open_due();
        if let Some(error) = self.errors.pop_front() {
            return Some(Err(error));
        }
        let Reverse((_, part)) = self.heap.pop()?;
        let Open { samples, next: (own, mut sample) } = self.open[part].take()?;
        let id = self.parts[part].ids[own.0 as usize];
        sample.sequence = self.joins.sequence(part, own, sample.sequence);
        self.read_on(part, samples);
        Some(Ok((id, sample)))
    }
}
