//! Runs one program over all ticks, in lock-step, and records what it does.
//!
//! Ticks are sent ahead of the answers, up to a window: that changes
//! throughput and nothing else, since the program handles frames one by one.
//! Until the sandbox exists, programs run unconfined.

mod conversation;
mod recording;
mod session;

use std::collections::BTreeMap;

use lk::outcome::{Failure, RunOutcome};
use lk::{Dataset, Time};

use crate::component::ComponentSpec;
use crate::error::Result;
use crate::process::Program;
use crate::ticks::Ticks;
use session::{Cause, Session, Stop};

/// How to run a program. The defaults are those of `lk run` and `lk verify`.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// Ticks that are sent ahead of their answers, at most. Never changes a
    /// result.
    pub window_ticks: usize,
    /// Bytes of inputs that are sent ahead, at most; one tick always is.
    pub window_bytes: usize,
    /// The longest frame that is taken from a program, in bytes.
    pub max_frame_bytes: u32,
    /// What a program may write in one tick, in bytes.
    pub max_tick_bytes: u64,
    /// What a program may write in all ticks together, in bytes.
    pub max_total_bytes: u64,
    /// Lines of the log that are kept, the last ones.
    pub log_lines: usize,
    /// Handed to the program.
    pub seed: u64,
    /// Facts for the recording, beside those that the runner knows.
    pub facts: BTreeMap<String, String>,
}

impl Default for RunOptions {
    fn default() -> RunOptions {
        RunOptions {
            window_ticks: 1024,
            window_bytes: 4 << 20,
            max_frame_bytes: 64 << 20,
            max_tick_bytes: 256 << 20,
            max_total_bytes: 4 << 30,
            log_lines: 40,
            seed: 0,
            facts: BTreeMap::new(),
        }
    }
}

/// A run that went through.
#[derive(Debug)]
pub struct Recorded {
    /// Counts, times, memory.
    pub outcome: RunOutcome,
    /// Inputs, outputs and state in memory, with the tick as `sequence`.
    pub dataset: Dataset,
}

/// Runs `program` over all `ticks`; `progress` is told how many are answered.
///
/// A program that can't be started, doesn't follow the protocol, ends early
/// or hangs is a [`Failure`]; an error that its component reports for a tick
/// is an outcome (in the dataset under [`crate::manifest::ERROR_KEY`]).
///
/// # Errors
/// What goes wrong on this side: an input that fits no frame, a pipe that
/// can't be read.
pub fn run(
    program: &Program,
    component: &ComponentSpec,
    ticks: &Ticks,
    options: &RunOptions,
    progress: &mut dyn FnMut(u64),
) -> Result<Result<Recorded, Failure>> {
    let mut attempt = |narrow_from| {
        Session::new(program, component, ticks, options)?.run(narrow_from, None, &mut *progress)
    };
    let (first, cause) = match attempt(None)? {
        Ok(recorded) => return Ok(Ok(recorded)),
        Err(Stop { failure, cause: Cause::Certain }) => return Ok(Err(failure)),
        Err(Stop { failure, cause }) => (failure, cause),
    };
    // Ticks were under way of which some may have been answered, in a buffer
    // of the program that was lost with it. To know the tick, all is run
    // again, one by one from there.
    let narrow_from = first.tick.and_then(|tick| usize::try_from(tick).ok());
    match attempt(narrow_from)? {
        Err(stop) => Ok(Err(stop.failure)),
        // Each tick alone was in time; all those under way together were not.
        Ok(recorded) if cause == Cause::Late => Ok(Ok(recorded)),
        Ok(_) => {
            let message =
                format!("{}, or some ticks later; run again, it came to its end", first.message);
            let hint = "it isn't deterministic: look for uninitialised memory, threads or time";
            Ok(Err(Failure { message, hint: Some(hint.into()), ..first }))
        }
    }
}

/// Is asked before each tick, by the time of that, and comes back when it is
/// due: `false` ends the run before it.
pub type Due<'a> = dyn FnMut(Time) -> bool + 'a;

/// As [`run`], one tick at a time, each when it is `due`. What the program does
/// is the same as in a run without waits.
///
/// # Errors
/// As [`run`].
pub fn run_paced(
    program: &Program,
    component: &ComponentSpec,
    ticks: &Ticks,
    options: &RunOptions,
    due: &mut Due<'_>,
) -> Result<Result<Recorded, Failure>> {
    let session = Session::new(program, component, ticks, options)?;
    // One is under way at most: nothing is uncertain of where it fails.
    Ok(session.run(None, Some(due), &mut |_| {})?.map_err(|stop| stop.failure))
}

#[cfg(test)]
pub(crate) mod tests;
