//! A program that is talked to: its process, its pipes, and its end.
//!
//! What the runner does for a whole dataset and a component of a running
//! system tick by tick: the greeting, the exchange of frames with a limit of
//! time, the parting, and what a failure is called.

mod answers;
mod fault;

use std::process::ExitStatus;
use std::time::{Duration, Instant};

use lk::codec::Plan;
use lk::outcome::Failure;

use crate::component::ComponentSpec;
use crate::error::{Error, Result};
use crate::manifest::LimitsTable;
use crate::process::{Ending, Log, Pipes, Process, Program, Ready, Streams, Watch, seconds};
use crate::protocol::{self, Answer, Direction, FrameBuffer, HelloPort};
use fault::{garbage, hex, late, unframed};

pub(crate) use answers::{AnswerLimits, Answers, Checked};
pub(crate) use fault::{Fault, Stage, shortened};

/// How long a program that closed its output may take to end, at most: the
/// system may be writing its memory to the disk.
const END_GRACE: Duration = Duration::from_secs(10);

/// How long the rest of a log is waited for, once the program has ended.
const LOG_GRACE: Duration = Duration::from_millis(500);

/// How often a watch is asked.
const LOOK: Duration = Duration::from_millis(40);

/// What stops the conversation.
pub(crate) enum Halt {
    /// The program did something wrong.
    Fault(Fault),
    /// It closed its output.
    Ended,
    /// It gave no answer for so long, in seconds.
    Late(f64),
    /// Whoever waits wants no more.
    Interrupted,
    /// An error of ours.
    Own(Error),
}

impl From<Fault> for Halt {
    fn from(fault: Fault) -> Halt {
        Halt::Fault(fault)
    }
}

impl<E: Into<Error>> From<E> for Halt {
    fn from(error: E) -> Halt {
        Halt::Own(error.into())
    }
}

/// The process and what goes to and fro. Dropping it kills and reaps the
/// process.
pub(crate) struct Link {
    label: String,
    limits: LimitsTable,
    process: Process,
    pipes: Pipes,
    incoming: FrameBuffer,
    /// Frames to be sent.
    pub(crate) outgoing: Vec<u8>,
    /// Bytes of `outgoing` that are written.
    written: usize,
    pub(crate) stage: Stage,
    watch: Option<(Watch, Instant)>,
}

/// How much is taken from a program.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LinkOptions {
    /// The longest frame, in bytes.
    pub(crate) max_frame_bytes: u32,
    /// Lines of the log that are kept, the last ones.
    pub(crate) log_lines: usize,
}

impl Link {
    /// Starts `program`; a `watch` is asked while it is waited for.
    pub(crate) fn start(
        program: &Program,
        options: LinkOptions,
        watch: Option<Watch>,
    ) -> Result<Link, Failure> {
        let Program { label, dir, run, limits, .. } = program;
        let log = Log::new(options.log_lines);
        let (process, pipes) = Process::start(dir, run, Streams::Protocol, log)
            .map_err(|error| program.start_failure("start", run, &error))?;
        Ok(Link {
            label: label.clone(),
            limits: *limits,
            process,
            pipes,
            incoming: FrameBuffer::new(1 << 18, options.max_frame_bytes),
            outgoing: Vec::new(),
            written: 0,
            stage: Stage::Starting,
            watch: watch.map(|watch| (watch, Instant::now() + LOOK)),
        })
    }

    /// Says hello and waits for `ready`; returns what the program calls its
    /// harness.
    pub(crate) fn greet(&mut self, spec: &ComponentSpec, seed: u64) -> Result<String, Halt> {
        let config = match &spec.config {
            Some(config) => Plan::new(&config.schema).encode(&config.value)?,
            None => Vec::new(),
        };
        let inputs = (0..).zip(&spec.inputs).map(|port| (Direction::Input, port));
        let outgoing = (0..).zip(spec.outgoing()).map(|(index, port)| {
            let is_output = usize::from(index) < spec.outputs.len();
            (if is_output { Direction::Output } else { Direction::State }, (index, port))
        });
        let ports: Vec<_> = inputs
            .chain(outgoing)
            .map(|(direction, (index, port))| {
                let fingerprint = port.schema.fingerprint();
                HelloPort { direction, index, fingerprint }
            })
            .collect();
        protocol::encode_hello(&mut self.outgoing, seed, &ports, &config);
        let limit_s = self.limits.start_s;
        let deadline = Instant::now() + seconds(limit_s);
        loop {
            self.exchange(deadline, limit_s)?;
            match self.incoming.next_answer() {
                Ok(None) => {}
                Ok(Some(Answer::Ready { version: protocol::VERSION, harness })) => {
                    let harness = shortened(harness.trim());
                    self.stage = Stage::Stepping;
                    return Ok(harness);
                }
                Ok(Some(Answer::Ready { version, .. })) => {
                    let ours = protocol::VERSION;
                    let what = format!("speaks lk-run/{version}, and this lk speaks lk-run/{ours}");
                    let fault = Fault::new(what);
                    return Err(fault.hint("`lk init --refresh` renews its harness").into());
                }
                Ok(Some(Answer::Error { text, .. })) => {
                    let what = format!("refused to run: {}", shortened(&text));
                    let hint = "if its types are out of date, `lk init --refresh` renews them";
                    return Err(Fault::new(what).hint(hint).into());
                }
                Ok(Some(_)) => {
                    let fault = Fault::new("answered before it said that it is ready");
                    return Err(fault.hint("`ready` is the first frame of a program").into());
                }
                Err(error) => return Err(garbage(&self.incoming, &error).into()),
            }
        }
    }

    /// Writes what can be written and reads what has come, waiting for one of
    /// the two; something has come when it returns.
    pub(crate) fn exchange(&mut self, deadline: Instant, limit_s: f64) -> Result<(), Halt> {
        loop {
            let until = self.look(deadline)?;
            match self.turn(until).map_err(|source| self.pipe_error(source))? {
                Turn::Received => return Ok(()),
                Turn::Nothing => {}
                Turn::Ended => return Err(Halt::Ended),
                Turn::Waited if until < deadline => {}
                Turn::Waited => return Err(Halt::Late(limit_s)),
            }
        }
    }

    /// Hands all whole frames that have come to `take`.
    pub(crate) fn take_answers(
        &mut self,
        mut take: impl FnMut(Answer<'_>) -> Result<(), Halt>,
    ) -> Result<(), Halt> {
        loop {
            match self.incoming.next_answer() {
                Ok(Some(answer)) => take(answer)?,
                Ok(None) => return Ok(()),
                Err(error) => return Err(garbage(&self.incoming, &error).into()),
            }
        }
    }

    /// Says bye, and sees the program to its end. What it still answers goes
    /// to `take`.
    pub(crate) fn part(
        &mut self,
        mut take: impl FnMut(Answer<'_>) -> Result<(), Halt>,
    ) -> Result<(), Halt> {
        self.stage = Stage::Ending;
        protocol::encode_bye(&mut self.outgoing);
        let limit_s = self.limits.tick_s;
        let deadline = Instant::now() + seconds(limit_s);
        loop {
            match self.exchange(deadline, limit_s) {
                Ok(()) => self.take_answers(&mut take)?,
                Err(Halt::Ended) if self.incoming.rest().is_empty() => break,
                Err(halt) => return Err(halt),
            }
            if Instant::now() >= deadline {
                return Err(Halt::Late(limit_s));
            }
        }
        match self.wait_for_end(deadline)? {
            Some(status) if status.success() => Ok(()),
            Some(_) => Err(Halt::Ended),
            None => Err(Halt::Late(limit_s)),
        }
    }

    /// How long a tick may take.
    pub(crate) fn limits(&self) -> LimitsTable {
        self.limits
    }

    /// Largest resident memory so far, in bytes.
    pub(crate) fn peak_memory_bytes(&self) -> Option<u64> {
        self.process.peak_memory_bytes()
    }

    /// The log as far as it has come.
    pub(crate) fn log(&mut self) -> Result<Vec<String>> {
        self.pipes.read_log().map_err(|source| self.pipe_error(source))?;
        Ok(self.pipes.log_lines())
    }

    /// Ends the program, and takes the rest of its log.
    pub(crate) fn end(self) -> Result<Vec<String>> {
        drop(self.process);
        let deadline = Instant::now() + LOG_GRACE;
        let label = self.label;
        let log = self.pipes.rest_of_log(deadline);
        log.map_err(|source| Error::Pipe { program: label, source })
    }

    /// Ends the program. The failure that a halt is, at the tick that was
    /// running, if one was.
    pub(crate) fn fail(mut self, halt: Halt, tick: Option<u64>) -> Result<Failure> {
        let fault = match halt {
            Halt::Own(error) => return Err(error),
            Halt::Fault(fault) => fault,
            Halt::Late(limit_s) => late(self.stage, limit_s),
            Halt::Interrupted => Fault::new("was interrupted"),
            Halt::Ended => self.ended()?,
        };
        let (label, what) = (&self.label, fault.what);
        let message = match (tick, self.stage) {
            (Some(tick), _) => format!("at tick {tick}, {label} {what}"),
            (None, Stage::Starting) => format!("{label} {what}"),
            (None, Stage::Resetting) => format!("at a reset, {label} {what}"),
            (None, Stage::Stepping | Stage::Ending) => {
                format!("after the last tick, {label} {what}")
            }
        };
        Ok(Failure { message, hint: fault.hint, tick, log: self.end()? })
    }

    /// The program closed its output: how did it end?
    fn ended(&mut self) -> Result<Fault> {
        let deadline = Instant::now() + END_GRACE.min(seconds(self.limits.tick_s));
        let status = match self.wait_for_end(deadline) {
            Ok(status) => status,
            Err(Halt::Own(error)) => return Err(error),
            Err(_) => return Ok(Fault::new("was interrupted")),
        };
        let Some(status) = status else {
            return Ok(Fault::new("closed its standard output and went on running"));
        };
        let rest = self.incoming.rest();
        if status.success() && !rest.is_empty() {
            return Ok(unframed(rest).unwrap_or_else(|| {
                Fault::new(format!("ended in the middle of a frame, after {}", hex(rest)))
            }));
        }
        let ending = Ending(status);
        Ok(match self.stage {
            Stage::Starting => Fault::new(format!("{ending} before it was ready")),
            Stage::Stepping | Stage::Resetting if status.success() => {
                Fault::new(format!("{ending} without an answer"))
                    .hint("a program answers each tick with `done`, until it gets `bye`")
            }
            _ => Fault::new(ending.to_string()),
        })
    }

    fn wait_for_end(&mut self, deadline: Instant) -> Result<Option<ExitStatus>, Halt> {
        loop {
            let until = self.look(deadline)?;
            let status = self.process.wait(until).map_err(|source| self.pipe_error(source))?;
            if status.is_some() || until >= deadline {
                return Ok(status);
            }
        }
    }

    /// Asks the watch where it is time to; until when can be waited, then.
    fn look(&mut self, deadline: Instant) -> Result<Instant, Halt> {
        let Some((watch, next)) = &mut self.watch else { return Ok(deadline) };
        let now = Instant::now();
        if now >= *next {
            *next = now + LOOK;
            if !watch() {
                return Err(Halt::Interrupted);
            }
        }
        Ok(deadline.min(*next))
    }

    fn turn(&mut self, until: Instant) -> std::io::Result<Turn> {
        if self.written < self.outgoing.len() {
            self.written += self.pipes.write(&self.outgoing[self.written..])?;
            if self.written == self.outgoing.len() {
                self.outgoing.clear();
                self.written = 0;
                if self.stage == Stage::Ending {
                    self.pipes.close_stdin();
                }
            }
        }
        // A read before the wait would mostly find nothing: the program has
        // only just got what was written.
        if self.pipes.wait(self.written < self.outgoing.len(), until)? == Ready::Deadline {
            return Ok(Turn::Waited);
        }
        match self.pipes.read(self.incoming.room())? {
            Some(0) => Ok(Turn::Ended),
            Some(count) => {
                self.incoming.received(count);
                Ok(Turn::Received)
            }
            None => Ok(Turn::Nothing),
        }
    }

    fn pipe_error(&self, source: std::io::Error) -> Error {
        Error::Pipe { program: self.label.clone(), source }
    }
}

/// What a turn of [`Link::exchange`] brought.
enum Turn {
    Received,
    /// Nothing to read yet, but there is room to write.
    Nothing,
    Ended,
    /// The time is over.
    Waited,
}
