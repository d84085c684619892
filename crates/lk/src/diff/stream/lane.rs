//! One key while both sides are read: messages that wait for their partners,
//! and pairs that are compared in their order.

use std::collections::VecDeque;

use super::KeyJob;
use crate::dataset::Sample;
use crate::diff::align::{Column, Lookup};
use crate::diff::compare::{self, Message};
use crate::diff::plan::{PairPlan, Payloads};
use crate::diff::policy::Policy;
use crate::diff::stats::Partial;
use crate::time::Time;

/// What has been read and has no partner yet, over all keys.
#[derive(Default)]
pub(super) struct Waiting {
    /// By side.
    pub(super) messages: [usize; 2],
    pub(super) bytes: usize,
}

pub(super) struct Lane<'j> {
    plan: &'j PairPlan,
    partial: &'j mut Partial,
    duplicated: &'j mut u64,
    columns: &'j mut [Column; 2],
    guess: Option<Guess>,
    /// From a message's position to its pair, by side.
    lookups: [Lookup<'j>; 2],
    /// Messages so far, by side.
    read: [usize; 2],
    /// Pairs from the next one on, as far as messages of them have come, with
    /// their positions.
    pairs: VecDeque<[Option<(usize, Sample)>; 2]>,
    /// Ordinal of the first of them.
    next: usize,
    /// Bytes of payloads in them.
    bytes: usize,
    /// The candidate message before the one that comes next.
    before: Option<Sample>,
    given_up: bool,
}

/// How a lane knows which messages belong together.
pub(super) enum Pairs {
    /// It doesn't: the n-th of each side are taken for a pair, for the first
    /// so many, and the columns are filled.
    Guessed { count: usize, by_tick: bool },
    /// By the job's pairing.
    Aligned,
}

impl<'j> Lane<'j> {
    pub(super) fn new(job: &'j mut KeyJob, pairs: Pairs) -> Lane<'j> {
        let KeyJob { plan, partial, duplicated, columns, pairing, .. } = job;
        let (guess, lookups) = match pairs {
            Pairs::Guessed { count, by_tick } => {
                let guess = Guess { by_tick, ..Guess::default() };
                (Some(guess), [Lookup::Prefix(count), Lookup::Prefix(count)])
            }
            Pairs::Aligned => (None, [pairing.of_a(), pairing.of_b()]),
        };
        Lane {
            given_up: matches!(plan.payloads, Payloads::Incomparable),
            plan,
            partial,
            duplicated,
            columns,
            guess,
            lookups,
            read: [0; 2],
            pairs: VecDeque::new(),
            next: 0,
            bytes: 0,
            before: None,
        }
    }

    /// Compared pairs; `None` where the lane was given up.
    pub(super) fn compared(&self) -> Option<usize> {
        (!self.given_up).then_some(self.next)
    }

    /// The side that gave other than the columns have.
    pub(super) fn misread(&self) -> Option<usize> {
        [0, 1].into_iter().find(|side| self.read[*side] != self.columns[*side].len())
    }

    /// Bytes of payloads that wait.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Puts a message where its partner will find it.
    pub(super) fn take(&mut self, side: usize, sample: Sample, waiting: &mut Waiting) {
        let position = self.read[side];
        self.read[side] += 1;
        if self.guess.is_some() {
            self.columns[side].push(sample.time.as_nanos(), sample.sequence);
        }
        if side == 1 {
            let repeats = self.before.as_ref().is_some_and(|before| {
                before.time == sample.time && before.payload == sample.payload
            });
            *self.duplicated += u64::from(repeats);
            self.before = Some(sample.clone());
        }
        if self.given_up {
            return;
        }
        // Pairs before the next one are done; a message of one can only come
        // from a dataset that changed under way, which the counts will show.
        let ordinal = self.lookups[side].ordinal(position);
        let Some(slot) = ordinal.and_then(|ordinal| ordinal.checked_sub(self.next)) else { return };
        if self.pairs.len() <= slot {
            self.pairs.resize_with(slot + 1, Default::default);
        }
        self.bytes += sample.payload.len();
        waiting.bytes += sample.payload.len();
        waiting.messages[side] += 1;
        self.pairs[slot][side] = Some((position, sample));
    }

    /// Compares the pairs that are complete, in their order.
    pub(super) fn compare(&mut self, policy: &Policy, ticks: [bool; 2], waiting: &mut Waiting) {
        while let Some([Some(_), Some(_)]) = self.pairs.front()
            && let Some([Some((i, a)), Some((j, b))]) = self.pairs.pop_front()
        {
            let bytes = a.payload.len() + b.payload.len();
            self.bytes -= bytes;
            waiting.bytes -= bytes;
            waiting.messages.iter_mut().for_each(|n| *n -= 1);
            if let Some(guess) = &mut self.guess
                && !guess.holds(&a, &b)
            {
                self.give_up(waiting);
                return;
            }
            self.next += 1;
            let reference = message(i, &a, ticks[0]);
            let candidate = message(j, &b, ticks[1]);
            compare::pair(self.plan, policy, self.partial, reference, candidate);
        }
    }

    /// Lets everything go that waits, and takes no more.
    pub(super) fn give_up(&mut self, waiting: &mut Waiting) {
        for (side, n) in waiting.messages.iter_mut().enumerate() {
            *n -= self.pairs.iter().filter(|pair| pair[side].is_some()).count();
        }
        waiting.bytes -= self.bytes;
        self.bytes = 0;
        self.pairs = VecDeque::new();
        self.given_up = true;
    }
}

fn message(position: usize, sample: &Sample, ticks: bool) -> Message<'_> {
    Message {
        index: position as u64,
        time: sample.time,
        tick: ticks.then_some(u64::from(sample.sequence)),
        payload: &sample.payload,
    }
}

/// Whether it still looks as if the n-th belongs to the n-th. Only to save
/// comparing in vain: the columns decide in the end.
#[derive(Default)]
struct Guess {
    by_tick: bool,
    /// Some time was common to a pair.
    common: bool,
    /// Some time occurred twice on one side, so that times don't align.
    repeated: bool,
    before: [Option<Time>; 2],
}

impl Guess {
    fn holds(&mut self, a: &Sample, b: &Sample) -> bool {
        if self.by_tick {
            return a.sequence == b.sequence;
        }
        let before = std::mem::replace(&mut self.before, [Some(a.time), Some(b.time)]);
        self.repeated |= before[0] == Some(a.time) || before[1] == Some(b.time);
        self.common |= a.time == b.time;
        a.time == b.time || self.repeated || !self.common
    }
}
