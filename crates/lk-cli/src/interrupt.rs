//! Ctrl-C and its like: lk goes, takes the programs that it runs along, and
//! leaves no half-written files.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use crate::error::{Error, Result};
use crate::keyboard;

/// Files and folders that are being written.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Something that is being written, which goes along with lk until this is
/// dropped.
pub(crate) struct Unfinished(PathBuf);

impl Unfinished {
    pub(crate) fn new(path: &Path) -> Result<Unfinished> {
        watch()?;
        unfinished().push(path.to_owned());
        Ok(Unfinished(path.to_owned()))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        unfinished().retain(|path| *path != self.0);
    }
}

fn unfinished() -> MutexGuard<'static, Vec<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

type Stop = Box<dyn FnOnce(i32) + Send>;

/// What the first signal does, where it isn't the end.
static STOP: Mutex<Option<Stop>> = Mutex::new(None);

/// From now on a signal to end lk ends its programs first. A shell still sees
/// that a signal ended lk.
pub(crate) fn take_programs_along() -> Result<()> {
    watch()
}

/// The first signal to end lk asks `stop` to come to an orderly end; a second
/// one ends it at once.
pub(crate) fn stop_first(stop: impl FnOnce(i32) + Send + 'static) -> Result<()> {
    *STOP.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(stop));
    watch()
}

/// Whether whoever started lk had it ignore that the terminal is gone, as
/// `nohup` does; not known on every system.
fn ignores_hangup() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (SIGHUP - 1) & 1 == 1)
}

/// Waits for signals, once.
fn watch() -> Result<()> {
    static WATCHED: OnceLock<()> = OnceLock::new();
    if WATCHED.get().is_some() {
        return Ok(());
    }
    let taken = [SIGINT, SIGTERM].into_iter().chain((!ignores_hangup()).then_some(SIGHUP));
    let mut signals = Signals::new(taken).map_err(Error::Signals)?;
    thread::spawn(move || {
        signals.forever().for_each(|signal| {
            let stop = STOP.lock().unwrap_or_else(PoisonError::into_inner).take();
            match stop {
                // On a thread of its own: where it waits for a disk that
                // hangs, a second signal is heard.
                Some(stop) => _ = thread::spawn(move || stop(signal)),
                None => end(signal),
            }
        });
    });
    // Whoever was first has set it.
    let _ = WATCHED.set(());
    Ok(())
}

fn end(signal: i32) {
    lk_compile::process::end_all();
    keyboard::restore();
    // Held until the end, so that nothing is renamed half-written.
    let unfinished = unfinished();
    for path in unfinished.iter() {
        // What isn't there yet, or any more, needs no removing.
        let _ = match path.is_dir() {
            true => fs::remove_dir_all(path),
            false => fs::remove_file(path),
        };
    }
    // Comes back only for a signal whose default is to do nothing.
    let _ = emulate_default_handler(signal);
}
