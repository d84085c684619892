//! The virtual environment that holds the peers lk is checked against.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{run, target_dir};

/// Makes the environment where it is missing or its requirements changed;
/// returns its interpreter.
pub(crate) fn environment(root: &Path) -> Result<PathBuf, String> {
    let requirements = root.join("tests").join("requirements.txt");
    let wanted = fs::read_to_string(&requirements)
        .map_err(|e| format!("can't read {}: {e}", requirements.display()))?;
    let venv = target_dir().join("venv");
    let python = venv.join("bin").join("python");
    let stamp = venv.join("requirements.installed");
    if python.exists() && fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    run(Command::new(interpreter()?).args(["-m", "venv", "--clear"]).arg(&venv))?;
    run(Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
        .arg(&requirements))?;
    fs::write(&stamp, wanted).map_err(|e| format!("can't write {}: {e}", stamp.display()))?;
    Ok(python)
}

/// A Python of 3.11 or later.
fn interpreter() -> Result<&'static str, String> {
    const CHECK: &str = "import sys; sys.exit(sys.version_info < (3, 11))";
    ["python3", "python3.11", "python3.12", "python3.13", "python"]
        .into_iter()
        .find(|name| {
            Command::new(name).args(["-c", CHECK]).status().is_ok_and(|status| status.success())
        })
        .ok_or_else(|| "no Python 3.11 or later on the PATH; install one and try again".to_owned())
}
