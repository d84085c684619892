//! diffdiff, with its result as JSON.

use lk::diff::{DiffOptions, DiffResult, Policy, diff_with};
use lk_report::Style;
use pyo3::prelude::*;

use crate::error;
use crate::interrupt::interruptible;
use crate::recording::Recording;

/// Compares `b` with the reference `a` under a policy in JSON; returns the
/// result in JSON and its summary. With 0 threads, as many as the machine has.
#[pyfunction]
pub(crate) fn diff(
    py: Python<'_>,
    a: &Recording,
    b: &Recording,
    policy: &str,
    threads: usize,
) -> PyResult<(String, String)> {
    let policy: Policy = serde_json::from_str(policy)
        .map_err(|e| error::policy(&format!("the policy can't be read: {e}")))?;
    let options = match threads {
        0 => DiffOptions::default(),
        threads => DiffOptions { threads },
    };
    let result = interruptible(py, &[a.stop(), b.stop()], || {
        let reference = a.read_lock();
        if std::ptr::eq(a, b) {
            return diff_with(&reference, &reference, &policy, &options);
        }
        diff_with(&reference, &b.read_lock(), &policy, &options)
    })?;
    let result = result.map_err(error::from_lk)?;
    Ok((lk_report::json::diff(&result), result.summary()))
}

/// A policy of rules in the policy language, as JSON.
#[pyfunction]
pub(crate) fn policy(rules: Vec<String>) -> PyResult<String> {
    let policy = Policy::parse_rules(&rules).map_err(error::from_lk)?;
    Ok(serde_json::to_string(&policy).unwrap_or_default())
}

/// A result in JSON as the text of `lk diff`.
#[pyfunction]
pub(crate) fn report_text(result: &str, width: usize) -> PyResult<String> {
    let result = parse(result)?;
    Ok(lk_report::text::diff(&result, None, Style { color: false, width }))
}

/// A result in JSON as JUnit XML.
#[pyfunction]
pub(crate) fn report_junit(result: &str) -> PyResult<String> {
    Ok(lk_report::junit::diff(&parse(result)?))
}

fn parse(result: &str) -> PyResult<DiffResult> {
    serde_json::from_str(result).map_err(|e| error::other(format!("no result of lk: {e}")))
}
