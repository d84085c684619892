//! Pairs of one key, compared in blocks by whichever thread is free.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::dataset::Sample;
use crate::diff::compare::{self, Message};
use crate::diff::plan::PairPlan;
use crate::diff::policy::Policy;
use crate::diff::stats::{BLOCK, Partial};
use crate::pool::{Pool, Task};

/// Bytes of payloads that are handed out at once. A block of more is compared
/// in parts, one after another.
const PART_BYTES: usize = 1 << 20;

/// A message and its position in its key.
pub(super) type Placed = (usize, Sample);

/// Two messages that belong together: of the reference and of the candidate.
pub(super) struct Pair {
    pub(super) a: Placed,
    pub(super) b: Placed,
    /// The candidate is made of the one that it has the position of, and a
    /// later one.
    pub(super) interpolated: bool,
}

/// What it takes to compare pairs.
pub(super) struct Comparing<'p> {
    pub(super) pool: &'p Pool,
    pub(super) policy: Arc<Policy>,
    /// Sides whose sequence numbers are ticks.
    pub(super) ticks: [bool; 2],
}

/// The pairs of one key, in their order.
///
/// Blocks are compared in any order and at any time, and what comes out is
/// merged in theirs, so that it is the same for any number of threads.
pub(super) struct Blocks {
    plan: Arc<PairPlan>,
    /// Of blocks that are done.
    whole: Partial,
    /// Complete blocks after those.
    under_way: VecDeque<Task<Partial>>,
    /// Parts of the block that is not complete.
    open: Option<Task<Partial>>,
    /// Pairs of that block that were handed out.
    handed_out: u64,
    /// Pairs after those.
    gathered: Vec<Pair>,
    bytes: usize,
}

impl Blocks {
    pub(super) fn new(plan: Arc<PairPlan>) -> Blocks {
        Blocks {
            whole: Partial::new(plan.leaves.len()),
            plan,
            under_way: VecDeque::new(),
            open: None,
            handed_out: 0,
            gathered: Vec::new(),
            bytes: 0,
        }
    }

    /// Takes the next pair.
    pub(super) fn push(&mut self, pair: Pair, comparing: &Comparing<'_>) {
        if comparing.pool.threads() == 1 {
            // Nobody to hand it to.
            compare_pair(&self.plan, &comparing.policy, &mut self.whole, &pair, comparing.ticks);
            return;
        }
        self.bytes += pair.a.1.payload.len() + pair.b.1.payload.len();
        self.gathered.push(pair);
        let complete = self.handed_out + self.gathered.len() as u64 == BLOCK;
        if complete || self.bytes >= PART_BYTES {
            self.hand_out(comparing);
        }
    }

    /// Lets the pairs that are gathered be compared, so that they don't keep
    /// the chunks alive that they are slices of.
    pub(super) fn hand_out(&mut self, comparing: &Comparing<'_>) {
        if self.gathered.is_empty() {
            return;
        }
        let capacity = self.gathered.len();
        let pairs = std::mem::replace(&mut self.gathered, Vec::with_capacity(capacity));
        self.bytes = 0;
        self.handed_out += pairs.len() as u64;
        let before = self.open.take();
        let (plan, policy) = (self.plan.clone(), comparing.policy.clone());
        let ticks = comparing.ticks;
        let task = comparing.pool.submit(move || {
            let mut partial =
                before.map_or_else(|| Partial::new(plan.leaves.len()), |before| before.take());
            for pair in &pairs {
                compare_pair(&plan, &policy, &mut partial, pair, ticks);
            }
            partial
        });
        if self.handed_out < BLOCK {
            self.open = Some(task);
            return;
        }
        self.handed_out = 0;
        self.under_way.push_back(task);
        while self.under_way.front().is_some_and(Task::is_done)
            && let Some(done) = self.under_way.pop_front()
        {
            self.whole.merge(done.take());
        }
    }

    /// Forgets all pairs; those that nobody has begun to compare are left.
    pub(super) fn clear(&mut self) {
        self.under_way.clear();
        self.open = None;
        self.gathered = Vec::new();
    }

    /// What all pairs came to.
    pub(super) fn finish(mut self, comparing: &Comparing<'_>) -> Partial {
        self.hand_out(comparing);
        for task in self.under_way.into_iter().chain(self.open) {
            self.whole.merge(comparing.pool.take(task));
        }
        self.whole
    }
}

fn compare_pair(
    plan: &PairPlan,
    policy: &Policy,
    partial: &mut Partial,
    Pair { a, b, interpolated }: &Pair,
    ticks: [bool; 2],
) {
    let a = message(a, ticks[0]);
    let b = Message { interpolated: *interpolated, ..message(b, ticks[1]) };
    compare::pair(plan, policy, partial, a, b);
}

fn message((position, sample): &Placed, ticks: bool) -> Message<'_> {
    Message {
        index: *position as u64,
        time: sample.time,
        tick: ticks.then_some(u64::from(sample.sequence)),
        payload: &sample.payload,
        interpolated: false,
    }
}
