//! A time that runs at a rate, and can be paused, moved and stopped.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{Wait, slack};
use crate::error::{Error, Result};
use crate::time::{Span, Time};

/// What is left of a wait that is spun rather than slept, at first and at
/// least: without slack a sleeper is woken about 30 microseconds late.
const LEAST_SPIN: Duration = Duration::from_micros(50);

/// At most: a processor that sleeps deeply wakes after 100 to 200 microseconds.
/// More of it makes a machine that has other work to do worse.
const MOST_SPIN: Duration = Duration::from_micros(250);

/// By so much the spin shrinks with each sleeper who was woken in time for it;
/// by [`SHARE`] times as much it grows with each who was not. It settles where
/// one in so many is woken too late.
const SPIN_STEP: Duration = Duration::from_micros(1);
const SHARE: u32 = 19;

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
    /// How long before its time a wait ends to sleep.
    spin: Duration,
}

/// What who waits does next.
#[derive(Debug, PartialEq)]
enum Next {
    /// It was told to end.
    Stop,
    /// It is told of another time.
    Move(Time),
    /// It sleeps until something changes.
    Rest,
    /// It sleeps so long, unless something changes.
    Sleep(Duration),
    /// It spins until then.
    Spin(Instant),
}

impl State {
    /// What who waits for `time`, and was told of so many moves, does at `now`.
    fn next(&self, time: Time, moves: u64, now: Instant) -> Next {
        if self.stopped {
            return Next::Stop;
        }
        if self.moves != moves {
            return Next::Move(self.time);
        }
        if self.paused {
            return Next::Rest;
        }
        // An absolute deadline, so that lateness doesn't add up.
        let deadline = self.deadline(time);
        match deadline.saturating_duration_since(now) {
            left if left > self.spin => Next::Sleep(left - self.spin),
            _ => Next::Spin(deadline),
        }
    }

    /// Learns from a sleeper who was woken so late.
    fn woken(&mut self, late: Duration) {
        let spin = match late > self.spin {
            true => self.spin + SHARE * SPIN_STEP,
            false => self.spin.saturating_sub(SPIN_STEP),
        };
        self.spin = spin.clamp(LEAST_SPIN, MOST_SPIN);
    }

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
        let (anchor, spin) = (Instant::now(), LEAST_SPIN);
        let state = State { anchor, time, rate, paused, stopped, moves, spin };
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
        let deadline = loop {
            match state.next(time, self.moves, Instant::now()) {
                Next::Stop => return Wait::Stopped,
                Next::Move(to) => {
                    self.moves = state.moves;
                    return Wait::Moved(to);
                }
                Next::Rest => {
                    let woken = self.shared.changed.wait(state);
                    state = woken.unwrap_or_else(PoisonError::into_inner);
                }
                Next::Sleep(span) => {
                    let begin = Instant::now();
                    let woken = slack::without(|| self.shared.changed.wait_timeout(state, span));
                    let told;
                    (state, told) = woken.unwrap_or_else(PoisonError::into_inner);
                    if told.timed_out() {
                        state.woken(begin.elapsed().saturating_sub(span));
                    }
                }
                Next::Spin(deadline) => break deadline,
            }
        };
        drop(state);
        let mut now = Instant::now();
        while now < deadline {
            std::hint::spin_loop();
            now = Instant::now();
        }
        let late = i64::try_from((now - deadline).as_nanos()).unwrap_or(i64::MAX);
        Wait::Reached { late: Span::from_nanos(late) }
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

    /// Ends the wait that is under way, or else the next one, as if the clock
    /// had been moved to the time that it shows.
    pub fn wake(&self) {
        self.change(|state| state.moves += 1);
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Waits for a tick each millisecond by a simulated monotonic clock, for so
    /// long, and returns how late each tick came. Sleepers are woken up to so
    /// many nanoseconds late, now and then a millisecond; what is done at a tick
    /// takes some time, now and then as long as five ticks.
    fn lateness(rate: f64, seconds: u64, woken: u64) -> Vec<Duration> {
        let paced = Paced::new(Time::ZERO, rate);
        let mut state = paced.shared.lock();
        let mut now = state.anchor;
        let mut late = Vec::new();
        for tick in 0..seconds * 1_000 {
            let due = Time::from_nanos(tick as i64 * 1_000_000);
            let deadline = loop {
                match state.next(due, 0, now) {
                    Next::Sleep(span) => {
                        let over = if tick % 977 == 0 { 1_000_000 } else { tick * 7919 % woken };
                        let over = Duration::from_nanos(over);
                        now += span + over;
                        state.woken(over);
                    }
                    Next::Spin(deadline) => break deadline,
                    next => panic!("{next:?}"),
                }
            };
            now = now.max(deadline);
            let wanted = Duration::from_nanos(((tick * 1_000_000) as f64 / rate) as u64);
            late.push(now - (state.anchor + wanted));
            now += Duration::from_micros(if tick % 1009 == 0 { 5_000 } else { 20 });
        }
        late
    }

    #[test]
    fn ten_minutes_of_late_wakings_and_slow_ticks_are_no_drift() {
        for rate in [0.5, 1.0, 2.0, 10.0] {
            let late = lateness(rate, 600, 50_000);
            assert_eq!(late.len(), 600_000);
            assert_eq!(late.last(), Some(&Duration::ZERO), "rate {rate}");
            let exact = late.iter().filter(|late| late.is_zero()).count();
            // After each slow tick a few are late, 60 of them at rate 10.
            assert!(exact > 550_000, "rate {rate}: {exact}");
            assert!(late.iter().any(|late| *late > Duration::from_micros(900)));
        }
    }

    #[test]
    fn the_spin_is_as_long_as_sleepers_are_woken_late_and_no_longer() {
        // Once it has learned, about one in twenty is late.
        let late = lateness(1.0, 60, 200_000);
        let after = &late[2_000..];
        let exact = after.iter().filter(|late| late.is_zero()).count() as f64;
        assert!((0.9..0.99).contains(&(exact / after.len() as f64)), "{exact}");
        // It is never longer than [`MOST_SPIN`], which helps against half of these.
        let late = lateness(1.0, 60, 500_000);
        let exact = late.iter().filter(|late| late.is_zero()).count() as f64;
        assert!((0.4..0.5).contains(&(exact / late.len() as f64)), "{exact}");
    }

    #[test]
    fn the_spin_shrinks_again() {
        let paced = Paced::new(Time::ZERO, 1.0);
        let mut state = paced.shared.lock();
        (0..20).for_each(|_| state.woken(Duration::from_millis(3)));
        assert_eq!(state.spin, MOST_SPIN);
        (0..200).for_each(|_| state.woken(Duration::from_micros(30)));
        assert_eq!(state.spin, LEAST_SPIN);
    }
}
