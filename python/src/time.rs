//! Seconds as floats and whole nanoseconds.

use lk::Time;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// The nearest nanosecond; whole seconds and fraction are scaled apart.
#[pyfunction]
pub(crate) fn to_ns(seconds: f64) -> PyResult<i64> {
    match Time::from_secs_f64(seconds) {
        Some(time) => Ok(time.as_nanos()),
        None => Err(PyValueError::new_err(format!(
            "{seconds} is no time: seconds within 292 years of zero are"
        ))),
    }
}
