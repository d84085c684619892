//! Ctrl-C and its like: lk goes, and takes the programs that it runs along.

use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use crate::error::{Error, Result};

/// From now on a signal to end lk ends its programs first. A shell still sees
/// that a signal ended lk.
pub(crate) fn take_programs_along() -> Result<()> {
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM]).map_err(Error::Signals)?;
    thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            lk_compile::process::end_all();
            // Comes back only for a signal whose default is to do nothing.
            let _ = emulate_default_handler(signal);
        }
    });
    Ok(())
}
