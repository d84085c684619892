//! A time that runs at a rate, and can be paused, moved and stopped.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Wait;
use crate::error::{Error, Result};
use crate::time::{Span, Time};

/// What is left of a wait that is spun rather than slept. A sleeper is woken
/// 75 to 90 microseconds late in the middle, and later now and then.
const SPIN: Duration = Duration::from_micros(200);

#[derive(Debug)]
pub(super) struct Paced {
    shared: Arc<Shared>,
    /// Moves that were told of.
    moves: u64,
}

/// Controls a clock from elsewhere, from any thread.
#[derive(Clone, Debug)]
pub struct Remote(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

/// The clock shows `time` at `anchor`, and runs on from there.
#[derive(Debug)]
struct State {
    anchor: Instant,
    time: Time,
    rate: f64,
    paused: bool,
    stopped: bool,
    moves: u64,
}

impl State {
    fn now(&self, now: Instant) -> Time {
        if self.paused {
            return self.time;
        }
        let passed = now.saturating_duration_since(self.anchor).as_nanos() as f64 * self.rate;
        self.time + Span::from_nanos(passed as i64)
    }

    /// When the clock will show `time`, as it runs now.
    fn deadline(&self, time: Time) -> Instant {
        let nanos = (time - self.time).as_nanos() as f64 / self.rate;
        // No wait is longer than a century, whatever the rate.
        let longest = 100.0 * 365.25 * 86_400e9;
        self.anchor + Duration::from_nanos(nanos.clamp(0.0, longest) as u64)
    }

    /// Starts to count anew from what it shows.
    fn anchor_at(&mut self, now: Instant) {
        self.time = self.now(now);
        self.anchor = now;
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Paced {
    pub(super) fn new(time: Time, rate: f64) -> Paced {
        let (paused, stopped, moves) = (false, false, 0);
        let state = State { anchor: Instant::now(), time, rate, paused, stopped, moves };
        let shared = Shared { state: Mutex::new(state), changed: Condvar::new() };
        Paced { shared: Arc::new(shared), moves: 0 }
    }

    pub(super) fn now(&self, now: Instant) -> Time {
        self.shared.lock().now(now)
    }

    pub(super) fn remote(&self) -> Remote {
        Remote(Arc::clone(&self.shared))
    }

    pub(super) fn wait_until(&mut self, time: Time) -> Wait {
        let mut state = self.shared.lock();
        loop {
            if state.stopped {
                return Wait::Stopped;
            }
            if state.moves != self.moves {
                self.moves = state.moves;
                return Wait::Moved(state.time);
            }
            if state.paused {
                let woken = self.shared.changed.wait(state);
                state = woken.unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            // An absolute deadline, so that lateness doesn't add up.
            let deadline = state.deadline(time);
            let left = deadline.saturating_duration_since(Instant::now());
            if left > SPIN {
                let woken = self.shared.changed.wait_timeout(state, left - SPIN);
                state = woken.unwrap_or_else(PoisonError::into_inner).0;
                continue;
            }
            drop(state);
            let mut now = Instant::now();
            while now < deadline {
                std::hint::spin_loop();
                now = Instant::now();
            }
            let late = (now - deadline).as_nanos();
            return Wait::Reached {
                late: Span::from_nanos(i64::try_from(late).unwrap_or(i64::MAX)),
            };
        }
    }
}

impl Remote {
    /// Lets the clock stand still.
    pub fn pause(&self) {
        self.change(|state| state.paused = true);
    }

    /// Lets it run again.
    pub fn resume(&self) {
        self.change(|state| state.paused = false);
    }

    /// Whether it stands still.
    pub fn is_paused(&self) -> bool {
        self.0.lock().paused
    }

    /// Lets it run so many times as fast as the wall's.
    ///
    /// # Errors
    /// [`Error::Config`] for a rate that isn't above 0 and finite.
    pub fn set_rate(&self, rate: f64) -> Result<()> {
        check_rate("clock", rate)?;
        self.change(|state| state.rate = rate);
        Ok(())
    }

    /// Moves it to another time; who waits is told.
    pub fn seek(&self, time: Time) {
        self.change(|state| {
            state.time = time;
            state.moves += 1;
        });
    }

    /// Stops it for good; who waits is told.
    pub fn stop(&self) {
        self.change(|state| state.stopped = true);
    }

    /// Whether it was stopped.
    pub fn is_stopped(&self) -> bool {
        self.0.lock().stopped
    }

    /// The time that it shows.
    pub fn now(&self) -> Time {
        self.0.lock().now(Instant::now())
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.0.lock();
        state.anchor_at(Instant::now());
        change(&mut state);
        drop(state);
        self.0.changed.notify_all();
    }
}

pub(crate) fn check_rate(of: &str, rate: f64) -> Result<()> {
    if rate.is_finite() && rate > 0.0 {
        return Ok(());
    }
    Err(Error::Config {
        component: of.to_owned(),
        reason: format!("{rate} is no rate; it must be above 0 and finite"),
    })
}
