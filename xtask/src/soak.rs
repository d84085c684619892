//! The same laws with far more cases, in release, and a report of what ran.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::{cargo_test, fuzz, python, root, run, target_dir};

/// Cases of each property test, where `test` takes proptest's 256.
const PROPERTY_CASES: &str = "20000";

/// An hour for all targets.
const FUZZ_SECONDS: u64 = 3600 / fuzz::TARGETS.len() as u64;

/// Tests that count what they do, by what is in their names; each is a piece
/// of its own, and `laws` is everything else. What overload does goes by the
/// clock, so that nothing else may run beside it.
const COUNTED: [&str; 4] = ["damage", "hostile", "kills", "overload"];

/// What runs, in this order, where no piece is named.
const PIECES: [&str; 6] = ["laws", COUNTED[0], COUNTED[1], COUNTED[2], COUNTED[3], "fuzz"];

/// `soak [PIECE..] [--skip-fuzz]`.
pub(crate) fn command(args: &[OsString]) -> Result<(), String> {
    let args: Vec<&str> = args.iter().filter_map(|arg| arg.to_str()).collect();
    let (options, mut pieces): (Vec<&str>, Vec<&str>) =
        args.into_iter().partition(|arg| arg.starts_with('-'));
    if let Some(other) = pieces.iter().find(|piece| !PIECES.contains(piece)) {
        return Err(format!("no piece {other}; there are {PIECES:?}"));
    }
    if let Some(other) = options.iter().find(|option| **option != "--skip-fuzz") {
        return Err(format!("no option {other}; there is --skip-fuzz"));
    }
    if pieces.is_empty() {
        pieces = PIECES.to_vec();
    }
    if !options.is_empty() {
        pieces.retain(|piece| *piece != "fuzz");
    }
    let folder = target_dir().join("soak");
    fs::create_dir_all(&folder).map_err(|e| format!("can't create {}: {e}", folder.display()))?;
    let mut report = Report::default();
    for piece in PIECES.into_iter().filter(|piece| pieces.contains(piece)) {
        let start = Instant::now();
        let done = match piece {
            "fuzz" => fuzz_all(&mut report),
            "laws" => laws(),
            name => counted(name, &folder, &mut report),
        };
        report.piece(piece, start.elapsed().as_secs(), done);
    }
    let text = report.text();
    let path = folder.join("report.txt");
    fs::write(&path, &text).map_err(|e| format!("can't write {}: {e}", path.display()))?;
    print!("{text}");
    println!("(also in {})", path.display());
    match report.failed {
        0 => Ok(()),
        failed => Err(format!("{failed} of {} pieces failed", pieces.len())),
    }
}

fn tests() -> Result<Command, String> {
    let mut command = cargo_test(&python::environment(&root(), python::Purpose::Test)?);
    command.args(["--release", "--no-fail-fast"]);
    command.env("PROPTEST_CASES", PROPERTY_CASES).env("LK_SOAK", "1");
    Ok(command)
}

fn laws() -> Result<(), String> {
    let mut command = tests()?;
    command.arg("--");
    for name in COUNTED {
        command.args(["--skip", name]);
    }
    run(&mut command)
}

/// Tests with this in their names. What they count they append to a file, a
/// line each: what, a space, how many.
fn counted(name: &str, folder: &Path, report: &mut Report) -> Result<(), String> {
    let path = folder.join(format!("{name}.counts"));
    // There may be none of an earlier run.
    let _ = fs::remove_file(&path);
    let done = run(tests()?.arg(name).env("LK_SOAK_COUNTS", &path));
    let lines = fs::read_to_string(&path).unwrap_or_default();
    for line in lines.lines() {
        if let Some((what, count)) = line.rsplit_once(' ') {
            *report.counts.entry(what.to_owned()).or_default() += count.parse().unwrap_or(0);
        }
    }
    done
}

fn fuzz_all(report: &mut Report) -> Result<(), String> {
    for target in fuzz::TARGETS {
        report.fuzzed.push(fuzz::one(target, FUZZ_SECONDS)?);
    }
    match report.findings().len() {
        0 => Ok(()),
        findings => Err(format!("{findings} inputs broke a law")),
    }
}

#[derive(Default)]
struct Report {
    /// A line for each piece.
    pieces: Vec<String>,
    failed: usize,
    /// By what the tests count.
    counts: BTreeMap<String, u64>,
    fuzzed: Vec<fuzz::Outcome>,
}

impl Report {
    fn piece(&mut self, name: &str, seconds: u64, done: Result<(), String>) {
        let line = match done {
            Ok(()) => format!("{name}: passed in {seconds} s"),
            Err(problem) => {
                self.failed += 1;
                format!("{name}: FAILED after {seconds} s: {problem}")
            }
        };
        self.pieces.push(line);
    }

    fn findings(&self) -> Vec<&PathBuf> {
        self.fuzzed.iter().flat_map(|outcome| &outcome.findings).collect()
    }

    fn text(&self) -> String {
        let mut git = Command::new("git");
        git.current_dir(root()).args(["describe", "--always", "--dirty"]);
        let commit = git.output().map(|output| output.stdout).unwrap_or_default();
        let mut lines = vec![format!("soak of {}", String::from_utf8_lossy(&commit).trim())];
        lines.extend(self.pieces.iter().cloned());
        if self.pieces.iter().any(|line| line.starts_with("laws")) {
            lines.push(format!("cases of each property: {PROPERTY_CASES}"));
        }
        lines.extend(self.counts.iter().map(|(what, count)| format!("{what}: {count}")));
        lines.extend(self.fuzzed.iter().map(fuzz::line));
        if !self.fuzzed.is_empty() {
            let cpu_s: f64 = self.fuzzed.iter().map(|outcome| outcome.cpu_s).sum();
            let executions: u64 = self.fuzzed.iter().map(|outcome| outcome.executions).sum();
            lines.push(format!("fuzz, all: {cpu_s:.0} s of CPU, {executions} executions"));
        }
        lines.push(format!("findings: {}", self.failed.max(self.findings().len())));
        lines.join("\n") + "\n"
    }
}
