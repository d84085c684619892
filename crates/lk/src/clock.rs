//! Clocks: wall, virtual and paced. Nothing else in lk reads the time.
//!
//! A clock is what a run waits by before each tick:
//!
//! ```
//! use lk::clock::{Clock, Wait};
//! use lk::{Span, Time};
//!
//! let mut clock = Clock::virtual_at(Time::ZERO);
//! let next = Time::ZERO + Span::from_nanos(10);
//! assert_eq!(clock.wait_until(next), Wait::Reached { late: Span::ZERO });
//! assert_eq!(clock.now(), next);
//! ```

mod lateness;
mod paced;
mod slack;

#[cfg(test)]
mod tests;

use std::time::{Instant, SystemTime, UNIX_EPOCH};

pub use lateness::Lateness;
pub use paced::Remote;
pub(crate) use paced::check_rate;

use crate::error::Result;
use crate::time::{Span, Time};
use paced::Paced;

/// What tells the time, and waits for it.
#[derive(Debug)]
pub struct Clock(Kind);

#[derive(Debug)]
enum Kind {
    Wall(Paced),
    Virtual(Time),
    Paced(Paced),
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// The time has come, so long ago. A virtual clock is never late.
    Reached {
        /// How long ago; never negative.
        late: Span,
    },
    /// Someone moved the clock to another time, which its next ticks count
    /// from.
    Moved(Time),
    /// Someone stopped it.
    Stopped,
}

impl Clock {
    /// The time of day, as the system's clock had it when this was called and
    /// as the monotonic clock counts from there: it never runs back.
    pub fn wall() -> Clock {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = Time::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX));
        Clock(Kind::Wall(Paced::new(now, 1.0)))
    }

    /// A time that stands still but for waits, which it jumps over: for runs as
    /// fast as they can.
    pub fn virtual_at(start: Time) -> Clock {
        Clock(Kind::Virtual(start))
    }

    /// A time that begins at `start` now, and runs `rate` times as fast as the
    /// wall's; a [`Remote`] pauses, moves and stops it.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) for a rate that isn't above 0
    /// and finite.
    pub fn paced(start: Time, rate: f64) -> Result<Clock> {
        check_rate("clock", rate)?;
        Ok(Clock(Kind::Paced(Paced::new(start, rate))))
    }

    /// The time.
    pub fn now(&self) -> Time {
        match &self.0 {
            Kind::Virtual(now) => *now,
            Kind::Wall(paced) | Kind::Paced(paced) => paced.now(Instant::now()),
        }
    }

    /// Waits until `time`, or not at all where that has passed.
    pub fn wait_until(&mut self, time: Time) -> Wait {
        match &mut self.0 {
            Kind::Virtual(now) => {
                *now = (*now).max(time);
                Wait::Reached { late: Span::ZERO }
            }
            Kind::Wall(paced) | Kind::Paced(paced) => paced.wait_until(time),
        }
    }

    /// What controls it from elsewhere; `None` for a virtual clock, whose waits
    /// take no time.
    pub fn remote(&self) -> Option<Remote> {
        match &self.0 {
            Kind::Virtual(_) => None,
            Kind::Wall(paced) | Kind::Paced(paced) => Some(paced.remote()),
        }
    }
}
