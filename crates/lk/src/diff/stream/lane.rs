//! One key while both sides are read: messages that wait for their partners,
//! and pairs in their order.

use std::collections::VecDeque;

use bytes::Bytes;

use super::blocks::{Blocks, Comparing, Pair, Placed};
use super::{KeyJob, TURN_BYTES};
use crate::dataset::Sample;
use crate::diff::align::Lookup;
use crate::diff::column::Column;
use crate::diff::plan::Payloads;
use crate::diff::policy::AlignBy;
use crate::diff::stats::Partial;
use crate::time::{Span, Time};

/// What has been read and has no partner yet, over all keys.
#[derive(Default)]
pub(super) struct Waiting {
    /// By side.
    pub(super) messages: [usize; 2],
    /// Memory that they take.
    pub(super) bytes: usize,
}

/// Messages of one pair that have come.
type Slot = [Option<Held>; 2];

/// A message that waits for its partner.
struct Held {
    placed: Placed,
    age: Age,
}

/// Turns that a payload has been held.
#[derive(Clone, Copy, Default)]
pub(super) struct Age(usize);

impl Age {
    /// A turn ends. A payload that keeps being held is copied once, so that it
    /// keeps no chunk alive. Most go sooner, and to copy long ones, which end
    /// turns by themselves, takes as much time as to compare them.
    pub(super) fn settle(&mut self, payload: &mut Bytes) {
        self.0 = self.0.saturating_add(1);
        if self.0 == 2 + 2 * payload.len() / TURN_BYTES {
            *payload = Bytes::copy_from_slice(payload);
        }
    }
}

/// What a slot takes beside its payloads.
pub(super) const SLOT_BYTES: usize = size_of::<Slot>();

pub(super) struct Lane<'j> {
    duplicated: &'j mut u64,
    /// What is added to the candidate's times.
    moved: Span,
    columns: &'j mut [Column; 2],
    guess: Option<Guess>,
    /// From a message's position to its pair, by side.
    lookups: [Lookup; 2],
    /// Messages so far, by side.
    read: [usize; 2],
    /// Pairs from the next one on, as far as messages of them have come.
    slots: VecDeque<Slot>,
    /// Ordinal of the first of them.
    next: usize,
    /// Ordinal of the first pair that this reading leaves to another one.
    horizon: usize,
    /// Memory that the slots take.
    bytes: usize,
    /// The candidate message before the one that comes next.
    before: Option<(Time, Bytes, Age)>,
    blocks: Blocks,
    given_up: bool,
}

/// How a lane knows which messages belong together.
pub(super) enum Pairs {
    /// It doesn't: the n-th of each side are taken for a pair, for the first
    /// so many, and the columns are filled.
    Guessed { count: usize, by: AlignBy },
    /// By the job's pairing.
    Aligned,
}

impl<'j> Lane<'j> {
    pub(super) fn new(job: &'j mut KeyJob, pairs: Pairs) -> Lane<'j> {
        let KeyJob { plan, duplicated, moved, columns, pairing, .. } = job;
        let (guess, lookups) = match pairs {
            Pairs::Guessed { count, by } => {
                let guess = Guess { by, ..Guess::default() };
                (Some(guess), [Lookup::Prefix(count), Lookup::Prefix(count)])
            }
            Pairs::Aligned => (None, [pairing.of_a(), pairing.of_b()]),
        };
        Lane {
            given_up: matches!(plan.payloads, Payloads::Incomparable),
            blocks: Blocks::new(plan.clone()),
            duplicated,
            moved: *moved,
            columns,
            guess,
            lookups,
            read: [0; 2],
            slots: VecDeque::new(),
            next: 0,
            horizon: usize::MAX,
            bytes: 0,
            before: None,
        }
    }

    /// Pairs so far; `None` where the lane was given up.
    pub(super) fn paired(&self) -> Option<usize> {
        (!self.given_up).then_some(self.next)
    }

    /// The side that gave other than the columns have.
    pub(super) fn misread(&self) -> Option<usize> {
        [0, 1].into_iter().find(|side| self.read[*side] != self.columns[*side].len())
    }

    /// Memory that waiting messages take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes the next message of a side; pairs that are complete go on to be
    /// compared.
    pub(super) fn take(
        &mut self,
        side: usize,
        mut sample: Sample,
        waiting: &mut Waiting,
        comparing: &Comparing<'_>,
    ) {
        if side == 1 {
            sample.time = sample.time + self.moved;
        }
        let position = self.read[side];
        self.read[side] += 1;
        if self.guess.is_some() {
            self.note(side, &sample);
        }
        // Pairs before the next one are done; a message of one can only come
        // from a dataset that changed under way, which the counts will show.
        let ordinal = self.lookups[side].ordinal(position);
        let wanted = ordinal.filter(|ordinal| *ordinal < self.horizon && !self.given_up);
        let Some(slot) = wanted.and_then(|ordinal| ordinal.checked_sub(self.next)) else { return };
        let placed = (position, sample);
        if slot == 0
            && let Some(first) = self.slots.front_mut()
            && let Some(other) = first[1 - side].take()
        {
            self.slots.pop_front();
            waiting.messages[1 - side] -= 1;
            let other = other.placed;
            self.release(SLOT_BYTES + other.1.payload.len(), waiting);
            self.pair(side, placed, other, waiting, comparing);
            self.pair_complete(waiting, comparing);
            return;
        }
        let new = (slot + 1).saturating_sub(self.slots.len());
        self.slots.resize_with(self.slots.len() + new, Default::default);
        let bytes = new * SLOT_BYTES + placed.1.payload.len();
        self.bytes += bytes;
        waiting.bytes += bytes;
        waiting.messages[side] += 1;
        self.slots[slot][side] = Some(Held { placed, age: Age::default() });
    }

    /// Fills the columns, on the first reading.
    fn note(&mut self, side: usize, sample: &Sample) {
        self.columns[side].push(sample.time.as_nanos(), sample.sequence);
        let [a, b] = &mut *self.columns;
        if side == 0 {
            a.share(b)
        } else {
            b.share(a)
        }
        if side == 1 {
            let repeats = self.before.as_ref().is_some_and(|(time, payload, _)| {
                *time == sample.time && *payload == sample.payload
            });
            *self.duplicated += u64::from(repeats);
            self.before = Some((sample.time, sample.payload.clone(), Age::default()));
        }
    }

    /// Pairs at the front whose messages have both come.
    fn pair_complete(&mut self, waiting: &mut Waiting, comparing: &Comparing<'_>) {
        while let Some([Some(_), Some(_)]) = self.slots.front()
            && let Some([Some(a), Some(b)]) = self.slots.pop_front()
        {
            let (a, b) = (a.placed, b.placed);
            waiting.messages.iter_mut().for_each(|n| *n -= 1);
            self.release(SLOT_BYTES + a.1.payload.len() + b.1.payload.len(), waiting);
            self.pair(0, a, b, waiting, comparing);
        }
    }

    fn pair(
        &mut self,
        side: usize,
        one: Placed,
        other: Placed,
        waiting: &mut Waiting,
        comparing: &Comparing<'_>,
    ) {
        let (a, b) = if side == 0 { (one, other) } else { (other, one) };
        if let Some(guess) = &mut self.guess
            && !guess.holds(&a.1, &b.1)
        {
            self.give_up(waiting);
            return;
        }
        self.next += 1;
        self.blocks.push(Pair { a, b, interpolated: false }, comparing);
    }

    fn release(&mut self, bytes: usize, waiting: &mut Waiting) {
        self.bytes -= bytes;
        waiting.bytes -= bytes;
    }

    /// Keeps no chunk alive for long: what is gathered is handed out to be
    /// compared, what keeps waiting is copied.
    pub(super) fn settle(&mut self, comparing: &Comparing<'_>) {
        self.blocks.hand_out(comparing);
        for Held { placed: (_, sample), age } in self.slots.iter_mut().flatten().flatten() {
            age.settle(&mut sample.payload);
        }
        if let Some((_, payload, age)) = &mut self.before {
            age.settle(payload);
        }
    }

    /// Lets everything go that waits, and takes no more.
    pub(super) fn give_up(&mut self, waiting: &mut Waiting) {
        self.shed(0, waiting);
        self.blocks.clear();
        self.given_up = true;
    }

    /// Leaves later pairs to another reading, so that what waits takes no more
    /// than `limit`, or is one pair.
    pub(super) fn postpone(&mut self, limit: usize, waiting: &mut Waiting) {
        let (mut kept, mut bytes) = (0, 0);
        for slot in &self.slots {
            let payloads = slot.iter().flatten().map(|held| held.placed.1.payload.len());
            bytes += SLOT_BYTES + payloads.sum::<usize>();
            if kept > 0 && bytes > limit {
                break;
            }
            kept += 1;
        }
        self.shed(kept, waiting);
        self.horizon = self.next + kept;
    }

    /// Lets go of all waiting pairs but the first so many.
    fn shed(&mut self, kept: usize, waiting: &mut Waiting) {
        while self.slots.len() > kept
            && let Some(slot) = self.slots.pop_back()
        {
            let mut bytes = SLOT_BYTES;
            for (side, held) in slot.iter().enumerate() {
                let Some(held) = held else { continue };
                waiting.messages[side] -= 1;
                bytes += held.placed.1.payload.len();
            }
            self.release(bytes, waiting);
        }
    }

    /// Makes ready for another reading, from the next pair on.
    pub(super) fn rewind(&mut self) {
        self.read = [0; 2];
        self.horizon = usize::MAX;
    }

    /// What all pairs came to.
    pub(super) fn finish(self, comparing: &Comparing<'_>) -> Partial {
        self.blocks.finish(comparing)
    }
}

/// Whether it still looks as if the n-th belongs to the n-th. Only to save
/// comparing in vain: the columns decide in the end.
#[derive(Default)]
struct Guess {
    /// `auto` is by time, or by position where times won't do.
    by: AlignBy,
    /// Some time was common to a pair.
    common: bool,
    /// Some time occurred twice on one side, so that times don't align.
    repeated: bool,
    before: [Option<Time>; 2],
}

impl Guess {
    fn holds(&mut self, a: &Sample, b: &Sample) -> bool {
        match self.by {
            AlignBy::Auto => {}
            AlignBy::Tick | AlignBy::Sequence => return a.sequence == b.sequence,
            AlignBy::Time => return a.time == b.time,
            AlignBy::Index => return true,
            AlignBy::Nearest { window } => {
                let apart = a.time.as_nanos().abs_diff(b.time.as_nanos());
                return apart <= window.as_nanos().unsigned_abs();
            }
            // No message of the candidate is compared as it is.
            AlignBy::Interpolate => return false,
        }
        let before = std::mem::replace(&mut self.before, [Some(a.time), Some(b.time)]);
        self.repeated |= before[0] == Some(a.time) || before[1] == Some(b.time);
        self.common |= a.time == b.time;
        a.time == b.time || self.repeated || !self.common
    }
}
