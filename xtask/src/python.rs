//! The virtual environment that holds the peers lk is checked against.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{run, target_dir};

/// What an environment is for.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    /// Tests.
    Test,
    /// Benchmarks, whose peers are heavier.
    Bench,
}

/// Makes the environment where it is missing or its requirements changed;
/// returns its interpreter.
pub(crate) fn environment(root: &Path, purpose: Purpose) -> Result<PathBuf, String> {
    let (name, files) = match purpose {
        Purpose::Test => ("venv", &["tests"][..]),
        Purpose::Bench => ("venv-bench", &["tests", "benches"][..]),
    };
    let files: Vec<PathBuf> =
        files.iter().map(|folder| root.join(folder).join("requirements.txt")).collect();
    let mut wanted = String::new();
    for file in &files {
        let text = fs::read_to_string(file);
        wanted += &text.map_err(|e| format!("can't read {}: {e}", file.display()))?;
    }
    let venv = target_dir().join(name);
    let python = venv.join("bin").join("python");
    let stamp = venv.join("requirements.installed");
    if python.exists() && fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    run(Command::new(interpreter()?).args(["-m", "venv", "--clear"]).arg(&venv))?;
    run(Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(files.iter().flat_map(|file| [Path::new("-r"), file.as_path()])))?;
    fs::write(&stamp, wanted).map_err(|e| format!("can't write {}: {e}", stamp.display()))?;
    Ok(python)
}

/// Builds the wheel of `python/` as it is shipped but for optimization,
/// installs it without its source tree, and runs its tests.
pub(crate) fn package(root: &Path, python: &Path) -> Result<(), String> {
    let source = root.join("python");
    let wheels = target_dir().join("wheels");
    // Of former versions; only what is built now is installed.
    let _ = fs::remove_dir_all(&wheels);
    run(Command::new(python)
        .args(["-m", "maturin", "build", "--quiet", "--locked", "--profile", "dev", "--out"])
        .arg(&wheels)
        .current_dir(&source)
        .env("CARGO_TARGET_DIR", target_dir().join("python")))?;
    let wheel = fs::read_dir(&wheels)
        .into_iter()
        .flatten()
        .flatten()
        .find(|entry| entry.path().extension().is_some_and(|extension| extension == "whl"))
        .ok_or_else(|| format!("no wheel came to be in {}", wheels.display()))?;
    run(Command::new(python)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(["--force-reinstall", "--no-deps"])
        .arg(wheel.path()))?;
    // From the tests' own folder, so that `import lk` finds the wheel.
    run(Command::new(python)
        .args(["-P", "-m", "pytest", "--rootdir", ".", "-c", "../pyproject.toml", "."])
        .current_dir(source.join("tests"))
        .env("LK_TEST_PYTHON", python)
        .env("LK_REQUIRE_TOOLS", "1"))
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
