//! Between those who offer messages and the one who writes them.

use std::collections::BTreeMap;
use std::sync::atomic::{
    AtomicBool, AtomicU64, AtomicUsize,
    Ordering::{Relaxed, SeqCst},
};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_queue::ArrayQueue;

use super::stats::{Counts, RecorderStats};
use super::{Overflow, Stamp};
use crate::component::AnyMsg;
use crate::dataset::Role;
use crate::time::Time;

/// Messages that may wait, however small: 4 MiB of places.
const PLACES: usize = 65_536;

/// What a message counts for beside its bytes.
const OVERHEAD: usize = 64;

/// A message that waits.
pub(super) struct Item {
    pub(super) key: u32,
    pub(super) stamp: Stamp,
    pub(super) message: Arc<dyn AnyMsg>,
    /// What it counts for while it waits.
    pub(super) size: usize,
}

/// What goes through the queue, in order.
pub(super) enum Entry {
    Item(Item),
    /// All before it is to be flushed.
    Flush(u64),
    /// Rings are to be written, and what comes until a time.
    Trigger(Time),
}

pub(super) struct Queue {
    entries: ArrayQueue<Entry>,
    /// About so many bytes wait; of messages that are yet to be encoded by the
    /// size of the last of each key.
    bytes: AtomicUsize,
    limit: usize,
    /// Messages that triggers have written.
    triggered: AtomicU64,
    keys: Mutex<Vec<KeyEntry>>,
    /// Writing has failed: nothing more is taken.
    failed: AtomicBool,
    /// It is to end: nothing more is offered, or it never came to its end.
    closing: AtomicBool,
    /// The writer is gone: nothing more is taken.
    ended: AtomicBool,
    control: Mutex<Control>,
    done: Condvar,
}

#[derive(Clone)]
pub(super) struct KeyEntry {
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) counts: Arc<Counts>,
    /// Of what was offered, once it has ended.
    pub(super) rate_hz: Option<f64>,
}

/// What is asked of the writer beside writing.
#[derive(Default)]
pub(super) struct Control {
    /// The number of the last flush that was asked for, that has come to its
    /// turn, and that is done.
    flush_wanted: u64,
    pub(super) flush_ready: u64,
    flush_done: u64,
    /// Triggers that have come to their turn.
    pub(super) triggers: Vec<Time>,
    /// End: `true` with the end of the file.
    pub(super) close: Option<bool>,
    ended: bool,
}

impl Control {
    /// The number of a flush that is due.
    pub(super) fn flush_due(&self) -> Option<u64> {
        (self.flush_done < self.flush_ready).then_some(self.flush_ready)
    }
}

impl Queue {
    pub(super) fn new(limit: usize) -> Queue {
        Queue {
            entries: ArrayQueue::new(PLACES),
            bytes: AtomicUsize::new(0),
            limit,
            triggered: AtomicU64::new(0),
            keys: Mutex::new(Vec::new()),
            failed: AtomicBool::new(false),
            closing: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            control: Mutex::new(Control::default()),
            done: Condvar::new(),
        }
    }

    fn keys(&self) -> MutexGuard<'_, Vec<KeyEntry>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add_key(
        &self,
        name: &str,
        role: Role,
        metadata: BTreeMap<String, String>,
    ) -> (u32, Arc<Counts>) {
        let mut keys = self.keys();
        let found = keys.iter().position(|key| key.name == name);
        let place = found.unwrap_or_else(|| {
            let (name, counts) = (name.to_owned(), Arc::default());
            let metadata = BTreeMap::new();
            keys.push(KeyEntry { name, role, metadata, counts, rate_hz: None });
            keys.len() - 1
        });
        if keys[place].metadata.is_empty() {
            keys[place].metadata = metadata;
        }
        let counts = Arc::clone(&keys[place].counts);
        (u32::try_from(place).expect("keys are counted in thousands"), counts)
    }

    pub(super) fn entry(&self, key: u32) -> Option<KeyEntry> {
        self.keys().get(key as usize).cloned()
    }

    pub(super) fn set_rate(&self, key: u32, rate_hz: Option<f64>) {
        if let Some(entry) = self.keys().get_mut(key as usize) {
            entry.rate_hz = rate_hz;
        }
    }

    pub(super) fn stats(&self) -> RecorderStats {
        let keys = self.keys();
        let stats = keys.iter().map(|key| (key.name.clone(), key.counts.stats(key.rate_hz)));
        RecorderStats { keys: stats.collect() }
    }

    /// Whether it was taken; one that wasn't is counted as dropped. `None`
    /// where it would have to wait for longer than `patience`.
    pub(super) fn push(
        &self,
        mut item: Item,
        counts: &Counts,
        overflow: Overflow,
        patience: Option<Duration>,
    ) -> Option<bool> {
        let mut tries = 0_u32;
        let mut until = None;
        let encoded = item.message.encoded().map(|encoded| encoded.payload.len());
        item.size = encoded.unwrap_or_else(|| counts.bytes()) + OVERHEAD;
        let size = item.size;
        let mut entry = Entry::Item(item);
        loop {
            // One is always taken, however large.
            let waiting = self.bytes.load(Relaxed);
            if waiting == 0 || waiting + size <= self.limit {
                self.bytes.fetch_add(size, Relaxed);
                match self.entries.push(entry) {
                    Ok(()) => break,
                    Err(back) => entry = back,
                }
                self.bytes.fetch_sub(size, Relaxed);
            }
            if self.takes_nothing() || overflow == Overflow::DropNewest {
                counts.dropped.fetch_add(1, Relaxed);
                return Some(false);
            }
            if overflow == Overflow::DropOldest && self.drop_oldest() {
                continue;
            }
            if let Some(patience) = patience {
                let now = Instant::now();
                if now >= *until.get_or_insert(now + patience) {
                    return None;
                }
            }
            pause(&mut tries);
        }
        // Who comes after the writer's last look sweeps up after itself, so
        // that the counts balance.
        if self.ended.load(SeqCst) {
            self.sweep();
        }
        Some(true)
    }

    /// Drops the message that waits longest; whether there was one.
    fn drop_oldest(&self) -> bool {
        let mut freed = 0;
        let oldest = self.pop(&mut freed);
        self.free(&mut freed);
        match oldest {
            Some(Entry::Item(item)) => {
                self.count_dropped(item.key);
                true
            }
            // Its turn has come: nothing waits before it.
            Some(mark) => {
                self.pass(mark);
                true
            }
            None => false,
        }
    }

    /// Takes what waits longest. What it counted for is added to `freed`, for
    /// [`Queue::free`]: those who offer count too, and would wait for each
    /// single one.
    pub(super) fn pop(&self, freed: &mut usize) -> Option<Entry> {
        let entry = self.entries.pop()?;
        if let Entry::Item(item) = &entry {
            *freed += item.size;
            if *freed >= self.limit / 16 {
                self.free(freed);
            }
        }
        Some(entry)
    }

    pub(super) fn free(&self, freed: &mut usize) {
        self.bytes.fetch_sub(std::mem::take(freed), Relaxed);
    }

    /// Messages that triggers have written so far.
    pub(super) fn triggered(&self) -> u64 {
        self.triggered.load(Relaxed)
    }

    pub(super) fn count_triggered(&self, messages: u64) {
        self.triggered.fetch_add(messages, Relaxed);
    }

    pub(super) fn count_dropped(&self, key: u32) {
        if let Some(entry) = self.keys().get(key as usize) {
            entry.counts.dropped.fetch_add(1, Relaxed);
        }
    }

    /// Notes that a mark has come to its turn.
    pub(super) fn pass(&self, mark: Entry) {
        let mut control = self.control();
        match mark {
            Entry::Flush(number) => control.flush_ready = control.flush_ready.max(number),
            Entry::Trigger(until) => control.triggers.push(until),
            Entry::Item(_) => {}
        }
    }

    /// Takes all that waits, as dropped.
    pub(super) fn sweep(&self) {
        while self.drop_oldest() {}
    }

    fn takes_nothing(&self) -> bool {
        self.has_failed() || self.has_ended()
    }

    pub(super) fn has_failed(&self) -> bool {
        self.failed.load(Relaxed)
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Relaxed)
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Relaxed)
    }

    pub(super) fn fail(&self) {
        self.failed.store(true, SeqCst);
    }

    pub(super) fn control(&self) -> MutexGuard<'_, Control> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for all that came in before to be flushed. Returns the number of
    /// what to wait for.
    pub(super) fn ask_flush(&self) -> u64 {
        let number = {
            let mut control = self.control();
            control.flush_wanted += 1;
            control.flush_wanted
        };
        self.mark(Entry::Flush(number));
        number
    }

    /// Waits until a flush is done, or the writer is gone.
    pub(super) fn wait_flushed(&self, number: u64) {
        let mut control = self.control();
        while control.flush_done < number && !control.ended {
            control = self.done.wait(control).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Puts a mark behind all that came in before, however full it is.
    pub(super) fn mark(&self, mut mark: Entry) {
        let mut tries = 0;
        while !self.has_ended() {
            match self.entries.push(mark) {
                Ok(()) => return,
                Err(back) => mark = back,
            }
            pause(&mut tries);
        }
    }

    pub(super) fn close(&self, whole: bool) {
        self.closing.store(true, SeqCst);
        self.control().close = Some(whole);
    }

    /// Tells those who wait for a flush that it is done, up to a number.
    pub(super) fn flushed(&self, number: u64) {
        self.control().flush_done = number;
        self.done.notify_all();
    }

    /// The writer goes.
    pub(super) fn end(&self) {
        self.ended.store(true, SeqCst);
        self.sweep();
        self.control().ended = true;
        self.done.notify_all();
    }
}

/// First yields, then sleeps.
fn pause(tries: &mut u32) {
    *tries += 1;
    match tries {
        ..64 => std::thread::yield_now(),
        _ => std::thread::sleep(Duration::from_micros(100)),
    }
}
