//! Threads that take work off the caller's hands.

use std::collections::VecDeque;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

/// Threads for reading and comparing. What comes out never depends on how
/// many there are.
///
/// The thread that hands out work is one of them: it works too while it would
/// wait. Dropping the pool ends the others; work that nobody has begun is
/// left undone.
pub(crate) struct Pool {
    queue: Arc<Queue>,
    workers: Vec<JoinHandle<()>>,
}

/// Work that has been handed out. Where it is dropped before anybody began,
/// it is never done.
pub(crate) struct Task<T>(Arc<Slot<T>>);

type Work<T> = Box<dyn FnOnce() -> T + Send>;

struct Slot<T> {
    state: Mutex<State<T>>,
    done: Condvar,
}

enum State<T> {
    Waiting(Work<T>),
    Running,
    Done(thread::Result<T>),
    /// Its outcome was taken, or it was dropped.
    Over,
}

/// What a thread can run without knowing what comes out of it.
trait Run: Send + Sync {
    fn run(&self);
}

#[derive(Default)]
struct Queue {
    state: Mutex<Queued>,
    more: Condvar,
}

#[derive(Default)]
struct Queued {
    tasks: VecDeque<Arc<dyn Run>>,
    closed: bool,
}

impl Pool {
    /// A pool of so many threads, the caller's among them; 0 is taken for 1.
    /// Fewer, where the operating system gives no more.
    pub(crate) fn new(threads: usize) -> Pool {
        let queue = Arc::new(Queue::default());
        let worker = |_| {
            let queue = queue.clone();
            thread::Builder::new().name("lk".to_owned()).spawn(move || queue.work()).ok()
        };
        let workers = (1..threads).map_while(worker).collect();
        Pool { queue, workers }
    }

    /// As many threads as can run at once on this machine.
    pub(crate) fn available() -> usize {
        thread::available_parallelism().map_or(1, NonZero::get)
    }

    /// Threads, the caller's among them.
    pub(crate) fn threads(&self) -> usize {
        self.workers.len() + 1
    }

    /// Hands out work, which a pool of one thread does at once. Where much is
    /// waiting already, some of that is done here first, so that memory stays
    /// bounded. Not to be called from within such work.
    pub(crate) fn submit<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Task<T> {
        let state = Mutex::new(State::Waiting(Box::new(work) as Work<T>));
        let slot = Arc::new(Slot { state, done: Condvar::new() });
        if self.workers.is_empty() {
            slot.run();
            return Task(slot);
        }
        while self.queue.len() > 2 * self.threads()
            && let Some(earlier) = self.queue.pop()
        {
            earlier.run();
        }
        self.queue.push(slot.clone());
        Task(slot)
    }

    /// What came out of a task. As long as another thread is at it, this one
    /// does what else is waiting.
    ///
    /// # Panics
    ///
    /// With what the work panicked with.
    pub(crate) fn take<T>(&self, task: Task<T>) -> T
    where
        T: Send,
    {
        while task.is_running()
            && let Some(other) = self.queue.pop()
        {
            other.run();
        }
        task.take()
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.queue.close();
        for worker in self.workers.drain(..) {
            // What the work panicked with is in its task.
            worker.join().ok();
        }
    }
}

impl<T: Send> Task<T> {
    /// Whether [`Task::take`] returns at once.
    pub(crate) fn is_done(&self) -> bool {
        matches!(*self.0.lock(), State::Done(_))
    }

    fn is_running(&self) -> bool {
        matches!(*self.0.lock(), State::Running)
    }

    /// What came out of it: does it here where nobody has begun, or waits.
    /// Work may wait so for work that was handed out before it.
    ///
    /// # Panics
    ///
    /// With what the work panicked with.
    pub(crate) fn take(self) -> T {
        self.0.run();
        let mut state = self.0.lock();
        while matches!(*state, State::Running) {
            state = self.0.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        match std::mem::replace(&mut *state, State::Over) {
            State::Done(Ok(outcome)) => outcome,
            State::Done(Err(panic)) => {
                drop(state);
                resume_unwind(panic)
            }
            _ => unreachable!("a task is taken once"),
        }
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        if !matches!(*state, State::Running) {
            *state = State::Over;
        }
    }
}

impl<T> Slot<T> {
    /// No user's code runs under the lock, so a poisoned one is whole.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Send> Run for Slot<T> {
    fn run(&self) {
        let work = {
            let mut state = self.lock();
            match std::mem::replace(&mut *state, State::Running) {
                State::Waiting(work) => work,
                other => {
                    *state = other;
                    return;
                }
            }
        };
        let outcome = catch_unwind(AssertUnwindSafe(work));
        *self.lock() = State::Done(outcome);
        self.done.notify_all();
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Queued> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn len(&self) -> usize {
        self.lock().tasks.len()
    }

    fn push(&self, task: Arc<dyn Run>) {
        self.lock().tasks.push_back(task);
        self.more.notify_one();
    }

    fn pop(&self) -> Option<Arc<dyn Run>> {
        self.lock().tasks.pop_front()
    }

    fn close(&self) {
        let mut queued = self.lock();
        queued.closed = true;
        queued.tasks.clear();
        self.more.notify_all();
    }

    /// What a worker does until the queue is closed.
    fn work(&self) {
        loop {
            let mut queued = self.lock();
            while queued.tasks.is_empty() && !queued.closed {
                queued = self.more.wait(queued).unwrap_or_else(PoisonError::into_inner);
            }
            let Some(task) = queued.tasks.pop_front() else { return };
            drop(queued);
            task.run();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn outcomes_belong_to_their_tasks_for_any_number_of_threads() {
        for threads in [0, 1, 2, 8] {
            let pool = Pool::new(threads);
            assert_eq!(pool.threads(), threads.max(1));
            let tasks: Vec<_> = (0..1_000_u64).map(|n| pool.submit(move || n * n)).collect();
            for (n, task) in (0..).zip(tasks) {
                assert_eq!(pool.take(task), n * n);
            }
        }
    }

    #[test]
    fn a_chain_of_tasks_runs_in_its_order() {
        for threads in [1, 2, 8] {
            let pool = Pool::new(threads);
            let mut chain = pool.submit(Vec::new);
            for n in 0..500 {
                let before = chain;
                chain = pool.submit(move || {
                    let mut list = before.take();
                    list.push(n);
                    list
                });
            }
            assert_eq!(pool.take(chain), (0..500).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_panic_reaches_who_takes_the_outcome_and_nobody_hangs() {
        for threads in [1, 2, 8] {
            let pool = Pool::new(threads);
            let bad = pool.submit(|| -> u32 { panic!("a flaw in the work") });
            let after = pool.submit(move || bad.take() + 1);
            let other = pool.submit(|| 7);
            let panic = catch_unwind(AssertUnwindSafe(|| pool.take(after))).unwrap_err();
            assert_eq!(panic.downcast_ref(), Some(&"a flaw in the work"));
            assert_eq!(pool.take(other), 7);
        }
    }

    #[test]
    fn waiting_work_is_bounded_and_dropped_work_is_left_undone() {
        let pool = Pool::new(2);
        let held = Arc::new(Mutex::new(()));
        let done = Arc::new(AtomicUsize::new(0));
        let guard = held.lock().unwrap();
        let wait = held.clone();
        // Keeps the one worker busy.
        let busy = pool.submit(move || drop(wait.lock()));
        let count = |done: &Arc<AtomicUsize>| {
            let done = done.clone();
            move || done.fetch_add(1, Ordering::Relaxed)
        };
        while pool.queue.len() > 0 {
            thread::yield_now();
        }
        let tasks: Vec<_> = (0..100).map(|_| pool.submit(count(&done))).collect();
        assert!(pool.queue.len() <= 5);
        let begun = done.load(Ordering::Relaxed);
        assert!((95..100).contains(&begun));
        drop(tasks);
        drop(guard);
        pool.take(busy);
        drop(pool);
        assert_eq!(done.load(Ordering::Relaxed), begun);
    }
}
