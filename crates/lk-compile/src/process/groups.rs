//! The process groups that are alive, so that an interrupt leaves none.
//!
//! Programs lead groups of their own, to be killed with whatever they started;
//! so a terminal's Ctrl-C does not reach them, and whoever ends this process
//! has to end them first.

use std::collections::BTreeSet;
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal};

static ALIVE: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

fn alive() -> MutexGuard<'static, BTreeSet<i32>> {
    // A set of numbers is whole whatever panicked while it was locked.
    ALIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts the leader of a group. The lock is held meanwhile, so that a group
/// is known as soon as it lives.
pub(super) fn spawn(command: &mut Command) -> std::io::Result<Child> {
    let mut alive = alive();
    let child = command.spawn()?;
    alive.extend(i32::try_from(child.id()));
    Ok(child)
}

/// Kills a group whose leader has not been reaped, and forgets it.
pub(super) fn kill(leader: Pid) {
    let mut alive = alive();
    // Fails only where nobody is left to kill.
    let _ = rustix::process::kill_process_group(leader, Signal::KILL);
    alive.remove(&leader.as_raw_nonzero().get());
}

/// Kills every program that this process runs, with what they started, and
/// blocks it from starting or ending others from then on: for the moment
/// before a process exits on a signal.
pub fn end_all() {
    let alive = alive();
    for leader in alive.iter().copied().filter_map(Pid::from_raw) {
        let _ = rustix::process::kill_process_group(leader, Signal::KILL);
    }
    std::mem::forget(alive);
}
