//! Programs in other processes, for components in Python.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, TryLockError};

use lk::Time;
use lk::outcome::Failure;
use lk_compile::{ComponentSpec, Error, Manifest, RunningProgram, StartOptions};
use pyo3::exceptions::{PyFileNotFoundError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use serde_json::Value as Json;

use crate::error;
use crate::hint;
use crate::kind::PyKind;

/// A program of an `lk.toml`, and its process while it runs.
#[pyclass(frozen, module = "lk._lk")]
pub(crate) struct Program {
    program: lk_compile::Program,
    spec: ComponentSpec,
    seed: u64,
    /// What it is called in messages.
    label: String,
    running: Mutex<Option<RunningProgram>>,
    /// What Python raised while the program was waited for.
    raised: Arc<Mutex<Option<PyErr>>>,
}

impl Program {
    /// Does `work` on the process without the GIL. What Python raised on the
    /// way, such as `KeyboardInterrupt`, goes before what it came to.
    fn apart<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut Option<RunningProgram>) -> Result<T, Error> + Send,
    ) -> PyResult<T> {
        let mut running = match self.running.try_lock() {
            Ok(running) => running,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                let text =
                    format!("{} is in use: a call of another thread waits for it", self.label);
                return Err(PyRuntimeError::new_err(text));
            }
        };
        let running = &mut *running;
        let outcome = py.detach(move || work(running));
        let raised = self.raised.lock().unwrap_or_else(PoisonError::into_inner).take();
        match raised {
            Some(raised) => Err(raised),
            None => outcome.map_err(raise),
        }
    }

    fn step_payloads(
        &self,
        py: Python<'_>,
        time: Time,
        inputs: Vec<(usize, Vec<u8>)>,
    ) -> PyResult<Vec<Option<bytes::Bytes>>> {
        self.apart(py, |running| match running {
            Some(running) => Ok(running.step(time, &inputs)?.to_vec()),
            None => Ok(Vec::new()),
        })
    }
}

#[pymethods]
impl Program {
    /// `name` is that of the component in messages; that of `lk.toml` otherwise.
    #[staticmethod]
    #[pyo3(signature = (path, implementation, name=None))]
    fn load(path: PathBuf, implementation: &str, name: Option<&str>) -> PyResult<Program> {
        let manifest = Manifest::load(path).map_err(raise)?;
        let mut program = manifest.implementation(implementation).map_err(raise)?;
        let name = name.unwrap_or(&manifest.file.component.name);
        let label = format!("{name} ({})", program.label.trim_start_matches("the "));
        program.label.clone_from(&label);
        let spec = manifest.component().map_err(raise)?;
        let (running, raised) = Default::default();
        Ok(Program { program, spec, seed: manifest.seed(), label, running, raised })
    }

    /// Name of the component in `lk.toml`.
    #[getter]
    fn component(&self) -> &str {
        &self.spec.name
    }

    /// Names and kinds of the inputs.
    fn inputs(&self, py: Python<'_>) -> PyResult<Vec<(String, PyKind)>> {
        ports(py, self.spec.inputs.iter())
    }

    /// Names and kinds of the outputs, and of the states after them.
    fn outputs(&self, py: Python<'_>) -> PyResult<Vec<(String, PyKind)>> {
        ports(py, self.spec.outgoing())
    }

    /// Builds it, starts it, and says hello.
    fn start(&self, py: Python<'_>) -> PyResult<()> {
        let kept = Arc::clone(&self.raised);
        let watch = move || match Python::attach(|py| py.check_signals()) {
            Ok(()) => true,
            Err(raised) => {
                *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(raised);
                false
            }
        };
        self.apart(py, |running| {
            let options = StartOptions { seed: self.seed, watch: Some(Box::new(watch)) };
            *running = Some(RunningProgram::start(&self.program, &self.spec, options)?);
            Ok(())
        })
    }

    /// One tick: numbers, kinds and values of the fresh inputs, and the kinds
    /// of the outputs. Gives numbers and values of what was written.
    fn step<'py>(
        &self,
        py: Python<'py>,
        time_ns: i64,
        inputs: Vec<(usize, Bound<'py, PyKind>, Bound<'py, PyAny>)>,
        outputs: Vec<Bound<'py, PyKind>>,
    ) -> PyResult<Vec<(usize, Bound<'py, PyAny>)>> {
        let mut payloads = Vec::with_capacity(inputs.len());
        for (number, kind, value) in &inputs {
            let Some(port) = self.spec.inputs.get(*number) else {
                return Err(PyValueError::new_err(format!("no input {number}")));
            };
            let mut payload = Vec::new();
            let place = || format!("input {} of {}", port.name, self.label);
            crate::encode::message(&kind.get().0, value, &mut payload, place)?;
            payloads.push((*number, payload));
        }
        let written = self.step_payloads(py, Time::from_nanos(time_ns), payloads)?;
        let mut values = Vec::with_capacity(written.len());
        for (number, (payload, kind)) in written.iter().zip(&outputs).enumerate() {
            if let Some(payload) = payload {
                values.push((number, crate::decode::message(py, &kind.get().0, payload)?));
            }
        }
        Ok(values)
    }

    /// Back to the state after hello.
    fn reset(&self, py: Python<'_>) -> PyResult<()> {
        self.apart(py, |running| running.as_mut().map_or(Ok(()), RunningProgram::reset))
    }

    /// Says bye, and waits for its end.
    fn end(&self, py: Python<'_>) -> PyResult<()> {
        self.apart(py, |running| running.take().map_or(Ok(()), |mut running| running.end()))
    }

    /// Ends its process at once.
    fn kill(&self, py: Python<'_>) -> PyResult<()> {
        self.apart(py, |running| {
            *running = None;
            Ok(())
        })
    }

    /// Whether its process can be stepped.
    fn is_alive(&self, py: Python<'_>) -> PyResult<bool> {
        self.apart(py, |running| Ok(running.as_ref().is_some_and(RunningProgram::is_alive)))
    }

    /// The last lines that it wrote to standard error.
    fn log(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        self.apart(py, |running| running.as_mut().map_or(Ok(Vec::new()), RunningProgram::log))
    }
}

fn ports<'a>(
    py: Python<'_>,
    specs: impl Iterator<Item = &'a lk_compile::PortSpec>,
) -> PyResult<Vec<(String, PyKind)>> {
    specs
        .map(|port| {
            let kind = hint::kind(py, &port.schema, &Json::Null, false)?;
            if crate::types::schema(&kind)?.fingerprint() != port.schema.fingerprint() {
                let (name, port) = (port.schema.name(), &port.name);
                return Err(error::schema(&format!("port {port}: {name} has no form in Python")));
            }
            Ok((port.name.clone(), PyKind(Arc::new(kind))))
        })
        .collect()
}

/// An error as an exception; of a program that failed, a `CandidateError` with
/// the end of its log as a note.
fn raise(error: Error) -> PyErr {
    let hint = error.hint();
    let raised = match error {
        Error::Program(failure) => {
            let Failure { message, log, .. } = *failure;
            let raised = error::candidate(&message);
            match log.is_empty() {
                true => raised,
                false => {
                    error::with_note(raised, &format!("its log ends:\n  {}", log.join("\n  ")))
                }
            }
        }
        Error::NoManifest { .. } => PyFileNotFoundError::new_err(error.to_string()),
        Error::Lk(error) => return error::from_lk(error),
        error => {
            let mut text = error.to_string();
            let mut source = std::error::Error::source(&error);
            while let Some(cause) = source {
                text = format!("{text}: {cause}");
                source = cause.source();
            }
            error::other(text)
        }
    };
    match hint {
        Some(hint) => error::with_hint(raised, &hint),
        None => raised,
    }
}
