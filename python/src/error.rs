//! Errors of lk as exceptions of Python.

use pyo3::exceptions::{PyFileExistsError, PyFileNotFoundError, PyKeyError, PyOSError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

/// `lk.SchemaError`
pub(crate) fn schema(reason: &str) -> PyErr {
    ours("SchemaError", reason.to_owned())
}

/// `lk.PolicyError`
pub(crate) fn policy(reason: &str) -> PyErr {
    ours("PolicyError", reason.to_owned())
}

/// `lk.CandidateError`
pub(crate) fn candidate(reason: &str) -> PyErr {
    ours("CandidateError", reason.to_owned())
}

/// `lk.Error`
pub(crate) fn other(reason: impl Into<String>) -> PyErr {
    ours("Error", reason.into())
}

/// The exception that says it, with what can be done as a note.
pub(crate) fn from_lk(error: lk::Error) -> PyErr {
    use lk::Error;
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    let raised = match &error {
        Error::UnknownKey { .. } => PyKeyError::new_err(text),
        Error::NoSuchFile { .. } => PyFileNotFoundError::new_err(text),
        Error::FileExists { .. } => PyFileExistsError::new_err(text),
        Error::Io { .. } | Error::Writing { .. } => PyOSError::new_err(text),
        Error::Policy { .. } => ours("PolicyError", text),
        Error::Schema { .. }
        | Error::MsgText { .. }
        | Error::UnknownType { .. }
        | Error::Value { .. }
        | Error::WrongType { .. }
        | Error::TypeMismatch { .. } => ours("SchemaError", text),
        _ => ours("Error", text),
    };
    match error.hint() {
        Some(hint) => with_hint(raised, &hint),
        None => raised,
    }
}

/// The exception with a note that says what to do.
pub(crate) fn with_hint(raised: PyErr, hint: &str) -> PyErr {
    with_note(raised, &format!("hint: {hint}"))
}

/// The exception with a note.
pub(crate) fn with_note(raised: PyErr, note: &str) -> PyErr {
    Python::attach(|py| {
        // An exception without its note still says what is wrong.
        let _ = raised.value(py).call_method1("add_note", (note,));
    });
    raised
}

fn ours(name: &str, text: String) -> PyErr {
    static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    Python::attach(|py| {
        let module =
            MODULE.get_or_try_init(py, || Ok::<_, PyErr>(py.import("lk.errors")?.unbind()));
        let class = module.and_then(|m| Ok(m.bind(py).getattr(name)?.cast_into::<PyType>()?));
        class.map_or_else(|error| error, |class| PyErr::from_type(class, text))
    })
}
