//! `lk._lk`, the native part of the Python package. What it offers is private
//! to the package; `lk/_lk.pyi` describes it.

mod behind;
mod column;
mod command;
mod compare;
mod cursor;
mod decode;
mod encode;
mod error;
mod hint;
mod interrupt;
mod kind;
mod pacer;
mod program;
mod recorder;
mod recording;
mod time;
mod types;

use pyo3::prelude::*;

#[pymodule]
mod _lk {
    #[pymodule_export]
    use super::command::command;
    #[pymodule_export]
    use super::compare::{diff, policy, report_junit, report_text};
    #[pymodule_export]
    use super::kind::PyKind;
    #[pymodule_export]
    use super::pacer::Pacer;
    #[pymodule_export]
    use super::program::Program;
    #[pymodule_export]
    use super::recorder::PyRecorder;
    #[pymodule_export]
    use super::recording::Recording;
    #[pymodule_export]
    use super::time::to_ns;

    #[pymodule_init]
    fn init(module: &super::Bound<'_, super::PyModule>) -> super::PyResult<()> {
        use super::PyModuleMethods;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
