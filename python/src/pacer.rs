//! Waiting for a time to come, without the GIL.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};

use lk::clock::{Clock, Lateness, Remote, Wait};
use lk::{Span, Time};
use pyo3::prelude::*;

use crate::error;

/// Between two looks whether Ctrl-C was pressed.
const BREATH: Span = Span::from_nanos(50_000_000);

/// Waits for absolute times on the monotonic clock, which another thread can
/// end.
///
/// Who waits takes a ticket first: a wake-up after that ends the wait, also one
/// that comes before it begins.
#[pyclass(frozen, module = "lk._lk")]
pub(crate) struct Pacer {
    /// Held by who waits.
    clock: Mutex<Clock>,
    remote: Remote,
    wakes: AtomicU64,
    lateness: Mutex<Lateness>,
}

enum Waited {
    Reached,
    Woken,
    /// Not yet; Python is asked in between.
    OnTheWay,
}

impl Pacer {
    fn now(&self) -> Time {
        self.remote.now()
    }

    fn wait(&self, deadline: Time, ticket: u64) -> Waited {
        let mut clock = self.clock.lock().unwrap_or_else(PoisonError::into_inner);
        while self.wakes.load(SeqCst) == ticket {
            let until = deadline.min(self.now() + BREATH);
            match clock.wait_until(until) {
                Wait::Reached { .. } if until == deadline => return Waited::Reached,
                Wait::Reached { .. } => return Waited::OnTheWay,
                // A wake-up, of this wait or of one before.
                Wait::Moved(_) | Wait::Stopped => {}
            }
        }
        Waited::Woken
    }

    fn lateness(&self) -> MutexGuard<'_, Lateness> {
        self.lateness.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Pacer {
    /// One whose time begins now, with zero.
    #[staticmethod]
    fn start() -> PyResult<Pacer> {
        let clock = Clock::paced(Time::ZERO, 1.0).map_err(error::from_lk)?;
        let Some(remote) = clock.remote() else {
            return Err(error::other("a clock has no remote"));
        };
        let (clock, lateness) = (Mutex::new(clock), Mutex::default());
        Ok(Pacer { clock, remote, wakes: AtomicU64::new(0), lateness })
    }

    /// Nanoseconds since it was started.
    fn now_ns(&self) -> i64 {
        self.now().as_nanos()
    }

    /// Ends the wait that is under way.
    fn wake(&self) {
        self.wakes.fetch_add(1, SeqCst);
        self.remote.wake();
    }

    /// What tells a wake-up that came since.
    fn ticket(&self) -> u64 {
        self.wakes.load(SeqCst)
    }

    /// Waits until then, not at all when it has passed; how late it is then, in
    /// nanoseconds. `None` where it was woken.
    fn wait_until(&self, py: Python<'_>, deadline_ns: i64, ticket: u64) -> PyResult<Option<i64>> {
        let deadline = Time::from_nanos(deadline_ns);
        while self.now() < deadline {
            match py.detach(|| self.wait(deadline, ticket)) {
                Waited::Reached => break,
                Waited::Woken => return Ok(None),
                Waited::OnTheWay => py.check_signals()?,
            }
        }
        // Read with the GIL held again, which others may have kept for a while.
        let late = self.now() - deadline;
        Ok((self.ticket() == ticket).then_some(late.as_nanos()))
    }

    /// Waits until it is woken.
    fn wait_woken(&self, py: Python<'_>, ticket: u64) -> PyResult<()> {
        while let Some(_late) = self.wait_until(py, i64::MAX, ticket)? {}
        Ok(())
    }

    /// Counts something that came so late, in nanoseconds.
    fn count(&self, late_ns: i64) {
        self.lateness().add(Span::from_nanos(late_ns));
    }

    /// How late it was what was counted since the last time this was asked, in
    /// nanoseconds: median, 99th percentile (both rounded up by at most an
    /// eighth) and worst.
    fn report(&self) -> (i64, i64, i64) {
        let late = std::mem::take(&mut *self.lateness());
        let (p50, p99) = (late.quantile(0.5), late.quantile(0.99));
        (p50.as_nanos(), p99.as_nanos(), late.max().as_nanos())
    }
}
