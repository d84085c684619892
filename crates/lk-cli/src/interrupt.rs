//! Ctrl-C and its like: lk goes, and takes the programs that it runs along.

use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use crate::error::{Error, Result};
use crate::keyboard;

/// From now on a signal to end lk ends its programs first. A shell still sees
/// that a signal ended lk.
pub(crate) fn take_programs_along() -> Result<()> {
    watch(end)
}

/// The first signal to end lk asks `stop` to come to an orderly end; a second
/// one ends it at once.
pub(crate) fn stop_first(stop: impl FnOnce(i32) + Send + 'static) -> Result<()> {
    let mut stop = Some(stop);
    watch(move |signal| match stop.take() {
        Some(stop) => stop(signal),
        None => end(signal),
    })
}

fn watch(mut on_signal: impl FnMut(i32) + Send + 'static) -> Result<()> {
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM]).map_err(Error::Signals)?;
    thread::spawn(move || signals.forever().for_each(&mut on_signal));
    Ok(())
}

fn end(signal: i32) {
    lk_compile::process::end_all();
    keyboard::restore();
    // Comes back only for a signal whose default is to do nothing.
    let _ = emulate_default_handler(signal);
}
