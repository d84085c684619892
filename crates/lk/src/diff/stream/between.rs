//! A key whose candidate is interpolated: read by itself, message by message
//! of the reference, with those of the candidate around it.

use std::collections::VecDeque;

use super::blocks::{Blocks, Pair, Placed};
use super::{KeyJob, Reading, TURN_BYTES, Unreadable};
use crate::dataset::{Dataset, Encoding, Query, Sample, Samples};
use crate::diff::align::Bracket;
use crate::diff::column::Column;
use crate::diff::interpolation::Interpolation;
use crate::diff::plan::Payloads;
use crate::time::Span;
use crate::value::Value;

/// Compares the messages of the reference with what the candidate is at their
/// times.
pub(super) fn compare(reading: &Reading<'_>, job: &mut KeyJob) -> Result<(), Unreadable> {
    let comparing = &reading.comparing;
    let read = |side: usize, moved: Span| -> Result<Side<'_>, Unreadable> {
        let query = Query { channels: Some(vec![job.ids[side]]), ..Query::default() };
        let samples = reading.sides[side].samples_together(&query, reading.together);
        let samples = samples.map_err(|error| Unreadable { side, error: Some(error) })?;
        Ok(Side { side, samples, moved, column: &job.columns[side], next: 0 })
    };
    let mut reference = read(0, Span::ZERO)?;
    let mut candidate = Around { side: read(1, job.moved)?, held: VecDeque::new() };
    let interpolation = interpolation(job, reading.sides[1]);
    let mut blocks = Blocks::new(job.plan.clone());
    let (mut turn, mut before) = (0, None);
    for bracket in job.pairing.brackets().unwrap_or_default() {
        let a = reference.up_to(bracket.a)?;
        candidate.move_to(*bracket)?;
        let Some(b) = candidate.at(&a.1, interpolation.as_ref()) else {
            return Err(Unreadable { side: 1, error: None });
        };
        turn += a.1.payload.len() + b.1.payload.len() + 2 * size_of::<Sample>();
        // A message of the candidate is its own once.
        let own = bracket.exact().filter(|exact| before != Some(*exact));
        before = bracket.exact().or(before);
        blocks.push(Pair { interpolated: own.is_none(), a, b }, comparing);
        if turn >= TURN_BYTES {
            turn = 0;
            blocks.hand_out(comparing);
        }
    }
    let partial = blocks.finish(comparing);
    job.partial = partial;
    Ok(())
}

/// `None` where payloads can't be decoded, so that the one before holds.
fn interpolation(job: &KeyJob, candidate: &Dataset) -> Option<Interpolation> {
    let channel = candidate.channels().get(job.ids[1].0 as usize)?;
    match (&job.plan.payloads, &channel.encoding) {
        (Payloads::Fields(_), Encoding::Cdr(schema)) => {
            Some(Interpolation::new(schema, &job.plan.leaves))
        }
        _ => None,
    }
}

/// The messages of one side, which must be those that the columns have.
struct Side<'d> {
    /// 0 is the reference, 1 the candidate.
    side: usize,
    samples: Samples<'d>,
    moved: Span,
    column: &'d Column,
    next: usize,
}

impl Side<'_> {
    /// The message at a position that wasn't reached yet.
    fn up_to(&mut self, position: usize) -> Result<Placed, Unreadable> {
        loop {
            let placed = self.read()?;
            if placed.0 == position {
                return Ok(placed);
            }
        }
    }

    fn read(&mut self) -> Result<Placed, Unreadable> {
        let changed = || Unreadable { side: self.side, error: None };
        let sample = self.samples.next().ok_or_else(changed)?;
        let unreadable = |error| Unreadable { side: self.side, error: Some(error) };
        let (_, mut sample) = sample.map_err(unreadable)?;
        sample.time = sample.time + self.moved;
        let position = self.next;
        if self.column.time(position) != Some(sample.time.as_nanos()) {
            return Err(changed());
        }
        self.next += 1;
        Ok((position, sample))
    }
}

/// The messages of the candidate around the time of interest.
struct Around<'d> {
    side: Side<'d>,
    /// In order: no more than those from the one before to the one after.
    held: VecDeque<Neighbour>,
}

struct Neighbour {
    placed: Placed,
    /// Decoded once it is needed; `None` where that fails.
    value: Option<Option<Value>>,
}

impl Neighbour {
    fn position(&self) -> usize {
        self.placed.0
    }

    fn value(&mut self, interpolation: &Interpolation) -> Option<&Value> {
        let payload = &self.placed.1.payload;
        self.value.get_or_insert_with(|| interpolation.decode(payload).ok()).as_ref()
    }
}

impl Around<'_> {
    fn move_to(&mut self, bracket: Bracket) -> Result<(), Unreadable> {
        let [first, last] = bracket.b;
        while self.held.back().is_none_or(|held| held.position() < last) {
            let placed = self.side.read()?;
            self.held.push_back(Neighbour { placed, value: None });
            while self.held.front().is_some_and(|held| held.position() < first) {
                self.held.pop_front();
            }
        }
        while self.held.front().is_some_and(|held| held.position() < first) {
            self.held.pop_front();
        }
        Ok(())
    }

    /// What the candidate is at the time of a message of the reference. What
    /// can't be decoded is handed on as it is: comparing says so.
    fn at(&mut self, reference: &Sample, interpolation: Option<&Interpolation>) -> Option<Placed> {
        let last = self.held.len().checked_sub(1)?;
        let before = self.held.front()?.placed.clone();
        let (Some(interpolation), true) = (interpolation, last > 0) else {
            return Some((before.0, Sample { time: reference.time, ..before.1 }));
        };
        let mut neighbours = self.held.iter_mut();
        let (x, y) = (neighbours.next()?, neighbours.next_back()?);
        let (time_x, time_y) = (x.placed.1.time, y.placed.1.time);
        let placed = match (x.value(interpolation), y.value(interpolation)) {
            (Some(a), Some(b)) => {
                let payload = interpolation.payload((time_x, a), (time_y, b), reference.time);
                // What was decoded can be encoded; were it otherwise, an empty
                // payload is an error of the comparison.
                (before.0, payload.unwrap_or_default().into())
            }
            (Some(_), None) => (y.placed.0, y.placed.1.payload.clone()),
            (None, _) => (x.placed.0, x.placed.1.payload.clone()),
        };
        let (position, payload) = placed;
        Some((position, Sample { time: reference.time, payload, ..before.1 }))
    }
}
