//! The three pipes of a program, read and written without ever blocking on
//! one of them.
//!
//! One thread serves all three: it writes what the pipe takes, reads what has
//! come, and waits only when neither is possible. So two full pipes can't
//! lock, and with a window of one tick there is no handing over between
//! threads, which costs more than the tick.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;

use super::Log;

/// Pipes to and from a program.
pub(crate) struct Pipes {
    stdin: Option<File>,
    stdout: Option<File>,
    stderr: Option<File>,
    log: Log,
}

/// Room in a pipe, where the system gives as much.
const PIPE_BYTES: usize = 1 << 20;

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ready {
    /// A pipe can be read or written, or was closed by the program.
    Pipe,
    /// The deadline passed.
    Deadline,
}

impl Pipes {
    pub(super) fn new(
        stdin: Option<OwnedFd>,
        stdout: Option<OwnedFd>,
        stderr: OwnedFd,
        log: Log,
    ) -> std::io::Result<Pipes> {
        let [stdin, stdout, stderr] =
            [stdin, stdout, Some(stderr)].map(|pipe| pipe.map(File::from));
        for pipe in [&stdin, &stdout, &stderr].into_iter().flatten() {
            nonblocking(pipe)?;
            enlarge(pipe);
        }
        Ok(Pipes { stdin, stdout, stderr, log })
    }

    /// Writes what the pipe takes now; returns how much. A program that reads
    /// no more takes nothing: its end is then seen on its output.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let Some(stdin) = &mut self.stdin else { return Ok(0) };
        match retry(|| stdin.write(bytes)) {
            Err(e) if e.kind() == ErrorKind::BrokenPipe => {
                self.stdin = None;
                Ok(0)
            }
            Err(e) if e.kind() == ErrorKind::WouldBlock => Ok(0),
            written => written,
        }
    }

    /// Tells the program that nothing more comes.
    pub(crate) fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Reads what has come into `room`; `None` where nothing has, 0 at the end.
    pub(crate) fn read(&mut self, room: &mut [u8]) -> std::io::Result<Option<usize>> {
        let Some(stdout) = &mut self.stdout else { return Ok(Some(0)) };
        match retry(|| stdout.read(room)) {
            Ok(0) => {
                self.stdout = None;
                Ok(Some(0))
            }
            Ok(count) => Ok(Some(count)),
            Err(e) if e.kind() == ErrorKind::WouldBlock => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Takes what has come of the log, up to what its pipe holds: a program may
    /// write it faster than it is read.
    pub(crate) fn read_log(&mut self) -> std::io::Result<()> {
        let mut room = [0; 8192];
        for _ in 0..PIPE_BYTES / room.len() {
            let Some(stderr) = &mut self.stderr else { break };
            match retry(|| stderr.read(&mut room)) {
                Ok(0) => self.stderr = None,
                Ok(count) => self.log.append(&room[..count]),
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    /// Whether the program, and whoever else had it, has closed its log.
    pub(crate) fn log_ended(&self) -> bool {
        self.stderr.is_none()
    }

    /// Waits until there is something to read (or, with `writing`, room to
    /// write), or until the deadline. The log is read on the way.
    pub(crate) fn wait(&mut self, writing: bool, deadline: Instant) -> std::io::Result<Ready> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let timeout = Timespec {
                tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: left.subsec_nanos().into(),
            };
            let stdin = self.stdin.as_ref().filter(|_| writing);
            let stdin = stdin.map(|pipe| PollFd::new(pipe, PollFlags::OUT));
            let stdout = self.stdout.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN));
            let stderr = self.stderr.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN));
            let has_log = stderr.is_some();
            let mut list: Vec<_> = [stdin, stdout, stderr].into_iter().flatten().collect();
            if list.is_empty() {
                return Ok(Ready::Pipe);
            }
            match poll(&mut list, Some(&timeout)) {
                Ok(0) => return Ok(Ready::Deadline),
                Ok(_) => {}
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            }
            // The log is the last of the list, where it is in it.
            let others = list.len() - usize::from(has_log);
            let is_ready = |one: &PollFd<'_>| !one.revents().is_empty();
            let pipe_ready = list[..others].iter().any(is_ready);
            let log_ready = list[others..].iter().any(is_ready);
            drop(list);
            if log_ready {
                self.read_log()?;
            }
            if pipe_ready || others == 0 {
                return Ok(Ready::Pipe);
            }
            // A log without end is no answer.
            if Instant::now() >= deadline {
                return Ok(Ready::Deadline);
            }
        }
    }

    /// The log as far as it was read.
    pub(crate) fn log_lines(&self) -> Vec<String> {
        self.log.lines()
    }

    /// The log to its end, or as far as it comes until the deadline. Whatever
    /// else the program still says is not read.
    pub(crate) fn rest_of_log(mut self, deadline: Instant) -> std::io::Result<Vec<String>> {
        (self.stdin, self.stdout) = (None, None);
        self.read_log()?;
        while self.stderr.is_some() && Instant::now() < deadline {
            self.wait(false, deadline)?;
        }
        Ok(self.log.into_lines())
    }
}

fn nonblocking(pipe: &impl AsFd) -> std::io::Result<()> {
    // The flag belongs to our end: the program's end of the pipe is another
    // open file description.
    let flags = rustix::fs::fcntl_getfl(pipe)?;
    Ok(rustix::fs::fcntl_setfl(pipe, flags | OFlags::NONBLOCK)?)
}

/// More room in the pipe means fewer switches between the processes; where
/// the system says no, it stays as it is.
fn enlarge(pipe: &impl AsFd) {
    #[cfg(target_os = "linux")]
    let _ = rustix::pipe::fcntl_setpipe_size(pipe, PIPE_BYTES);
    #[cfg(not(target_os = "linux"))]
    let _ = pipe;
}

fn retry<T>(mut call: impl FnMut() -> std::io::Result<T>) -> std::io::Result<T> {
    loop {
        match call() {
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
