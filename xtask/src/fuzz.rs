//! The fuzz targets, run for a while.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{root, run, target_dir};

/// All of them; each is a file in `fuzz/fuzz_targets`.
pub(crate) const TARGETS: [&str; 5] = ["cdr", "mcap", "pickle", "policy", "schema"];

const DEFAULT_SECONDS: u64 = 60;

/// Memory that no input may take, in all and at once.
const LIMITS: [&str; 3] = ["-rss_limit_mb=512", "-malloc_limit_mb=256", "-timeout=10"];

/// What a target came to.
pub(crate) struct Outcome {
    pub(crate) target: String,
    pub(crate) cpu_s: f64,
    pub(crate) executions: u64,
    /// Edges of the code that were reached.
    pub(crate) coverage: u64,
    /// Files with the inputs that broke a law.
    pub(crate) findings: Vec<PathBuf>,
}

/// `fuzz [TARGET..] [--seconds N]`.
pub(crate) fn command(args: &[OsString]) -> Result<(), String> {
    let (targets, seconds) = parse(args)?;
    let outcomes = targets.iter().map(|target| one(target, seconds)).collect::<Result<Vec<_>, _>>();
    let outcomes = outcomes?;
    outcomes.iter().for_each(|outcome| println!("{}", line(outcome)));
    match outcomes.iter().map(|outcome| outcome.findings.len()).sum::<usize>() {
        0 => Ok(()),
        findings => Err(format!("{findings} inputs broke a law; they lie in fuzz/artifacts")),
    }
}

fn parse(args: &[OsString]) -> Result<(Vec<String>, u64), String> {
    let (mut targets, mut seconds) = (Vec::new(), DEFAULT_SECONDS);
    let mut args = args.iter().map(|arg| arg.to_string_lossy().into_owned());
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--seconds" => {
                let given = args.next().and_then(|given| given.parse().ok());
                seconds = given.ok_or("--seconds wants a whole number")?;
            }
            name if TARGETS.contains(&name) => targets.push(arg),
            other => return Err(format!("no fuzz target {other}; there are {TARGETS:?}")),
        }
    }
    if targets.is_empty() {
        targets = TARGETS.map(str::to_owned).to_vec();
    }
    Ok((targets, seconds))
}

/// What is missing to fuzz, and how to get it; `None` where all is there.
pub(crate) fn missing() -> Option<String> {
    let works = |command: &mut Command| {
        let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
        quiet.status().is_ok_and(|status| status.success())
    };
    let mut wanted = Vec::new();
    if !works(Command::new("cargo").args(["fuzz", "--version"])) {
        wanted.push("cargo-fuzz (`cargo install cargo-fuzz`)");
    }
    if !works(Command::new("cargo").args(["+nightly", "--version"])) {
        wanted.push("a nightly toolchain (`rustup toolchain install nightly`)");
    }
    (!wanted.is_empty()).then(|| format!("fuzzing was skipped: it needs {}", wanted.join(" and ")))
}

/// Builds a target and runs it for so long, from the committed corpus and what
/// earlier runs have found.
pub(crate) fn one(target: &str, seconds: u64) -> Result<Outcome, String> {
    if let Some(missing) = missing() {
        return Err(missing);
    }
    let fuzz = root().join("fuzz");
    // lk has no unsafe code, and sanitizers would take the memory that is
    // counted here.
    let cargo_fuzz = |verb: &str| {
        let mut command = Command::new("cargo");
        command.current_dir(&fuzz).env_remove("CARGO").env_remove("RUSTUP_TOOLCHAIN");
        command.args(["+nightly", "fuzz", verb, "--sanitizer", "none", target]);
        command
    };
    run(&mut cargo_fuzz("build"))?;
    let work = target_dir().join("fuzz");
    let corpus = work.join("corpus").join(target);
    fs::create_dir_all(&corpus).map_err(|e| format!("can't create {}: {e}", corpus.display()))?;
    let log_path = work.join(format!("{target}.log"));
    let log = fs::File::create(&log_path);
    let log = log.map_err(|e| format!("can't create {}: {e}", log_path.display()))?;
    let mut command = cargo_fuzz("run");
    command.arg(&corpus).arg(fuzz.join("corpus").join(target)).arg("--").args(LIMITS);
    command.args([format!("-max_total_time={seconds}"), "-print_final_stats=1".to_owned()]);
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        command.env("TMPDIR", memory);
    }
    let artifacts = fuzz.join("artifacts").join(target);
    let before = files(&artifacts);
    let cpu_before_s = children_cpu_s();
    // It fails where it finds something, which the artifacts tell.
    let ended = run(command.stderr(log));
    let cpu_s = children_cpu_s() - cpu_before_s;
    let findings: Vec<PathBuf> =
        files(&artifacts).into_iter().filter(|path| !before.contains(path)).collect();
    if findings.is_empty() {
        ended.map_err(|e| format!("{e}; see {}", log_path.display()))?;
    }
    let log = fs::read(&log_path).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let executions = number_after(&log, "stat::number_of_executed_units:").unwrap_or(0);
    let coverage = number_after(&log, " cov:").unwrap_or(0);
    Ok(Outcome { target: target.to_owned(), cpu_s, executions, coverage, findings })
}

/// A line for a report.
pub(crate) fn line(outcome: &Outcome) -> String {
    let Outcome { target, cpu_s, executions, coverage, findings } = outcome;
    let mut line = format!(
        "fuzz {target}: {cpu_s:.0} s of CPU, {executions} executions, {coverage} edges, \
         findings: {}",
        findings.len()
    );
    for path in findings {
        line.push_str(&format!("\n  {}", path.display()));
    }
    line
}

/// The last number behind such a label.
fn number_after(log: &str, label: &str) -> Option<u64> {
    let rest = &log[log.rfind(label)? + label.len()..];
    let digits = rest.trim_start().split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// Seconds of CPU that children took which have ended; 0 where Linux's /proc
/// isn't there to ask.
fn children_cpu_s() -> f64 {
    // Fields 16 and 17, in hundredths (proc_pid_stat(5)); what comes before
    // the closing parenthesis may have spaces.
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(13).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    ticks as f64 / 100.0
}
