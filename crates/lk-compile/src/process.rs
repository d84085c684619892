//! A program as a child process: its pipes, its log, its end.
//!
//! Until the sandbox exists, programs run unconfined: with the caller's
//! rights, environment and network. Run only what you would run yourself.

mod groups;
mod log;
mod pipes;

use std::fmt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use lk::outcome::Failure;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

use crate::manifest::{Language, LimitsTable};

pub use groups::end_all;
pub(crate) use log::Log;
pub(crate) use pipes::{Pipes, Ready};

/// A program that implements a component: what `lk.toml` says of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    /// What messages call it: `reference`, `candidate cpp`.
    pub label: String,
    /// Its working folder.
    pub dir: PathBuf,
    /// Command that builds it, if it is built.
    pub build: Option<Vec<String>>,
    /// Command that runs it.
    pub run: Vec<String>,
    /// Language of its generated harness, where it has one.
    pub scaffold: Option<Language>,
    /// How long things may take.
    pub limits: LimitsTable,
}

/// Is asked again and again while a program is waited for: `false` ends it.
pub type Watch = Box<dyn FnMut() -> bool + Send>;

impl Program {
    /// The failure of a command that could not be started; `action` is
    /// `start` or `build`.
    pub(crate) fn start_failure(
        &self,
        action: &str,
        command: &[String],
        error: &std::io::Error,
    ) -> Failure {
        let program = command.first().map_or("", String::as_str);
        let hint = match error.kind() {
            std::io::ErrorKind::NotFound => format!(
                "there is no program `{program}` here: check the command in lk.toml{}",
                if self.build.is_none() && program.contains('/') { ", or add `build`" } else { "" }
            ),
            std::io::ErrorKind::PermissionDenied => {
                format!("make it executable: chmod +x {program}")
            }
            std::io::ErrorKind::NotADirectory => "check `dir` in lk.toml".to_owned(),
            _ => "check the command in lk.toml".to_owned(),
        };
        Failure {
            message: format!(
                "can't {action} {}: `{program}` in {}: {error}",
                self.label,
                self.dir.display()
            ),
            hint: Some(hint),
            tick: None,
            log: Vec::new(),
        }
    }
}

/// A limit as a duration; what is no time to wait ends at once, and what is
/// longer than a year after that year.
pub(crate) fn seconds(limit_s: f64) -> Duration {
    const YEAR_S: f64 = 31_536_000.0;
    Duration::try_from_secs_f64(limit_s.min(YEAR_S)).unwrap_or_default()
}

/// A child process that leads a group of its own. Dropping it kills the group.
///
/// A process of the group that left it (`setsid`) survives; only the sandbox
/// can prevent that.
pub(crate) struct Process {
    child: Child,
    ended: Option<ExitStatus>,
}

/// What a program's standard streams are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Streams {
    /// Input and output carry the protocol, errors the log.
    Protocol,
    /// There is no input, and output and errors both are the log, in order.
    Log,
}

impl Process {
    /// Starts `command` in `dir`. A program given by a relative path is found
    /// in `dir`, as a shell there would find it.
    pub(crate) fn start(
        dir: &std::path::Path,
        command: &[String],
        streams: Streams,
        log: Log,
    ) -> std::io::Result<(Process, Pipes)> {
        let (program, arguments) = command.split_first().ok_or(std::io::ErrorKind::InvalidInput)?;
        let dir = std::path::absolute(dir)?;
        if !dir.is_dir() {
            let what = format!("{} is not a folder", dir.display());
            return Err(std::io::Error::new(std::io::ErrorKind::NotADirectory, what));
        }
        let program = if program.contains('/') { dir.join(program) } else { program.into() };
        let (log_end, its_log) = std::io::pipe()?;
        let (stdin, stdout) = match streams {
            Streams::Protocol => (Stdio::piped(), Stdio::piped()),
            Streams::Log => (Stdio::null(), Stdio::from(its_log.try_clone()?)),
        };
        let mut child = groups::spawn(
            Command::new(program)
                .args(arguments)
                .current_dir(dir)
                .stdin(stdin)
                .stdout(stdout)
                .stderr(its_log)
                .process_group(0),
        )?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let process = Process { child, ended: None };
        let pipes = Pipes::new(stdin.map(Into::into), stdout.map(Into::into), log_end.into(), log)?;
        Ok((process, pipes))
    }

    /// How it ended, waiting for that until `deadline`; `None` where it lives.
    pub(crate) fn wait(&mut self, deadline: Instant) -> std::io::Result<Option<ExitStatus>> {
        // A program that closed its pipes ends within a millisecond or, as
        // interpreters do, ten; there is no portable wait with a timeout.
        let mut pause = Duration::from_micros(100);
        while self.ended.is_none() {
            if self.has_ended() {
                self.end()?;
            } else if Instant::now() >= deadline {
                break;
            } else {
                std::thread::sleep(pause);
                pause = (pause * 2).min(Duration::from_millis(10));
            }
        }
        Ok(self.ended)
    }

    /// Largest resident memory of the process so far, in bytes; not of
    /// processes that it started. Known on Linux, while it lives.
    pub(crate) fn peak_memory_bytes(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        kib.checked_mul(1024)
    }

    fn pid(&self) -> Option<Pid> {
        i32::try_from(self.child.id()).ok().and_then(Pid::from_raw)
    }

    /// Whether it has ended, leaving it as a zombie: until it is reaped,
    /// nothing else can get its number, and its group can be killed safely.
    fn has_ended(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let waited = self.pid().map(|pid| rustix::process::waitid(WaitId::Pid(pid), options));
        !matches!(waited, Some(Ok(None)))
    }

    /// Kills the group and reaps the process.
    fn end(&mut self) -> std::io::Result<ExitStatus> {
        if let Some(status) = self.ended {
            return Ok(status);
        }
        if let Some(pid) = self.pid() {
            groups::kill(pid);
        }
        let status = self.child.wait()?;
        self.ended = Some(status);
        Ok(status)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

/// How a program ended, as the end of a sentence: `exited with code 3`, `was
/// killed by SIGSEGV (it touched memory that isn't its own)`.
pub(crate) struct Ending(pub(crate) ExitStatus);

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.code(), self.0.signal()) {
            (Some(code), _) => write!(f, "exited with code {code}"),
            (None, Some(signal)) => match signal_name(signal) {
                Some((name, meaning)) => write!(f, "was killed by {name} ({meaning})"),
                None => write!(f, "was killed by signal {signal}"),
            },
            (None, None) => write!(f, "ended ({})", self.0),
        }
    }
}

fn signal_name(signal: i32) -> Option<(&'static str, &'static str)> {
    let names = [
        (Signal::SEGV, "SIGSEGV", "it touched memory that isn't its own"),
        (Signal::BUS, "SIGBUS", "it touched memory that isn't there"),
        (Signal::ABORT, "SIGABRT", "it aborted itself: an assertion or an uncaught exception"),
        (Signal::FPE, "SIGFPE", "an integer division by zero or overflow"),
        (Signal::ILL, "SIGILL", "an instruction that this processor lacks"),
        (Signal::KILL, "SIGKILL", "someone killed it: perhaps the system, out of memory"),
        (Signal::TERM, "SIGTERM", "someone asked it to end"),
        (Signal::INT, "SIGINT", "someone interrupted it"),
        (Signal::PIPE, "SIGPIPE", "it wrote to a pipe that nobody reads"),
        (Signal::XCPU, "SIGXCPU", "it ran out of its processor time"),
    ];
    let known = names.iter().find(|(known, ..)| known.as_raw() == signal)?;
    Some((known.1, known.2))
}
