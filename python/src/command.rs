//! The command `lk`, as the wheel installs it.

use std::ffi::OsString;
use std::process::ExitCode;

use pyo3::prelude::*;

/// Does what the arguments say, the program's name first; returns the exit code.
#[pyfunction]
pub(crate) fn command(py: Python<'_>, args: Vec<OsString>) -> u8 {
    let code = py.detach(|| lk_cli::main(args));
    (0..=u8::MAX).find(|n| ExitCode::from(*n) == code).unwrap_or(u8::MAX)
}
