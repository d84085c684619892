//! Project automation: `cargo xtask test`, `python`, `soak`, `fuzz`, `bench`, `setup`.
//!
//! No dependencies, so that it builds in a second.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool")]

mod fuzz;
mod python;
mod soak;

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const HELP: &str = "\
Usage: cargo xtask <COMMAND>

  test [ARGS..]   all tests, Rust and Python; ARGS go to `cargo test`
  python          the Python package alone: its wheel built and installed, its
                  tests
  soak [PIECE..]  the same laws with far more cases, in release, and an hour
                  of fuzzing, or single pieces of it: laws, damage, hostile,
                  kills, fuzz; takes hours. --skip-fuzz leaves that out
  fuzz [TARGET..] [--seconds N]
                  the fuzz targets, by name or all, a minute each or N seconds
  bench [NAME..]  the benchmarks with their peers beside them, by name or all
  setup           just what the tests need: a virtual environment with the
                  packages of tests/requirements.txt
";

/// The benchmarks that run the program.
const MEMORY: &str = "memory";

fn main() -> ExitCode {
    let mut args = env::args_os().skip(1);
    let command = args.next().unwrap_or_default();
    let rest: Vec<OsString> = args.collect();
    let done = match command.to_str() {
        Some("test") => test(&rest),
        Some("python") => python::environment(&root(), python::Purpose::Test)
            .and_then(|python| python::package(&root(), &python)),
        Some("soak") => soak::command(&rest),
        Some("fuzz") => fuzz::command(&rest),
        Some("bench") => bench(&rest),
        Some("setup") => python::environment(&root(), python::Purpose::Test).map(|_| ()),
        Some("help" | "--help" | "-h") => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprint!("{HELP}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

/// The workspace's root.
fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().expect("xtask lies in the workspace").to_owned()
}

/// Where cargo builds, and where the virtual environment lies.
fn target_dir() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// A `cargo test` that has every tool and fails where one is missing, rather
/// than skipping what needs it.
fn cargo_test(python: &Path) -> Command {
    let mut command = cargo();
    command.env("LK_TEST_PYTHON", python).env("LK_REQUIRE_TOOLS", "1");
    command.args(["test", "--workspace"]);
    command
}

fn test(args: &[OsString]) -> Result<(), String> {
    let python = python::environment(&root(), python::Purpose::Test)?;
    run(cargo_test(&python).args(args))?;
    python::package(&root(), &python)
}

fn bench(names: &[OsString]) -> Result<(), String> {
    let python = python::environment(&root(), python::Purpose::Bench)?;
    // Only what `lk` takes of memory is measured from outside.
    let is_memory = |name: &OsString| {
        let name = name.to_string_lossy();
        name.starts_with(MEMORY) || MEMORY.starts_with(&*name)
    };
    if names.iter().any(is_memory) {
        run(cargo().args(["build", "--release", "--bin", "lk"]))?;
    }
    let lk = target_dir().join("release").join("lk");
    run(cargo()
        .args(["run", "--release", "--locked", "--manifest-path", "benches/Cargo.toml", "--"])
        .args(names)
        .env("LK_BENCH_PYTHON", python)
        .env("LK_BENCH_BINARY", lk))
}

fn run(command: &mut Command) -> Result<(), String> {
    eprintln!("$ {command:?}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{:?} ended with {status}", command.get_program())),
        Err(e) => Err(format!("can't start {:?}: {e}", command.get_program())),
    }
}
