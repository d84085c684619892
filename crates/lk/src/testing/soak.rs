//! What tests do in `cargo xtask soak`, and what they tell it.

use std::fs::OpenOptions;
use std::io::Write;

/// Whether far more cases are wanted than in a plain test run.
pub fn is_on() -> bool {
    std::env::var_os("LK_SOAK").is_some()
}

/// Tells the soak's report, where there is one, what was done how often.
pub fn count(what: &str, count: usize) {
    let Some(path) = std::env::var_os("LK_SOAK_COUNTS") else { return };
    let file = OpenOptions::new().append(true).create(true).open(path);
    let written = file.and_then(|mut file| writeln!(file, "{what} {count}"));
    written.expect("the counts can be written");
}
