//! One attempt at a run: a process, its pipes, and the conversation.

use std::time::{Duration, Instant};

use lk::codec::Plan;
use lk::outcome::{Failure, RunOutcome};

use super::conversation::{Conversation, Trouble};
use super::fault::{Fault, Stage, garbage, hex, late, shortened, unframed};
use super::{Due, Recorded, RunOptions};
use crate::component::ComponentSpec;
use crate::error::{Error, Result};
use crate::process::{Ending, Log, Pipes, Process, Program, Ready, Streams, seconds};
use crate::protocol::{self, Answer, Direction, FrameBuffer, HelloPort};
use crate::provenance;
use crate::ticks::Ticks;

/// How long ticks that are sent ahead may take together. A harness hands its
/// answers over when it has nothing more to read: with slow ticks a wide
/// window would look like a hang, and make progress jump.
const AHEAD: Duration = Duration::from_millis(100);

/// How long a program that closed its output may take to end, at most: the
/// system may be writing its memory to the disk.
const END_GRACE: Duration = Duration::from_secs(10);

/// How long the rest of a log is waited for, once the program has ended.
const LOG_GRACE: Duration = Duration::from_millis(500);

pub(super) struct Session<'a> {
    program: &'a Program,
    component: &'a ComponentSpec,
    ticks: &'a Ticks,
    options: &'a RunOptions,
    talk: Conversation<'a>,
}

/// Why a run came to no result.
pub(super) struct Stop {
    pub(super) failure: Failure,
    pub(super) cause: Cause,
}

/// What is known about the place of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// It is what the failure says.
    Certain,
    /// The program ended at one of the ticks that were under way.
    Ended,
    /// One of the ticks that were under way took too long, or all together.
    Late,
}

/// What stops the conversation.
enum Halt {
    /// The program did something wrong.
    Fault(Fault),
    /// It closed its output.
    Ended,
    /// It gave no answer for so long.
    Late(f64),
    /// An error of ours.
    Own(Error),
}

impl From<Trouble> for Halt {
    fn from(trouble: Trouble) -> Halt {
        match trouble {
            Trouble::Fault(fault) => Halt::Fault(fault),
            Trouble::Own(error) => Halt::Own(error),
        }
    }
}

impl From<Error> for Halt {
    fn from(error: Error) -> Halt {
        Halt::Own(error)
    }
}

/// The process and what goes to and fro.
struct Link {
    process: Process,
    pipes: Pipes,
    incoming: FrameBuffer,
    outgoing: Vec<u8>,
    /// Bytes of `outgoing` that are written.
    written: usize,
    stage: Stage,
}

impl<'a> Session<'a> {
    pub(super) fn new(
        program: &'a Program,
        component: &'a ComponentSpec,
        ticks: &'a Ticks,
        options: &'a RunOptions,
    ) -> Result<Session<'a>> {
        let talk = Conversation::new(component, ticks, options)?;
        Ok(Session { program, component, ticks, options, talk })
    }

    /// Runs all ticks; from tick `narrow_from` on, one is under way at a time.
    /// With `due` that is so from the first, and each is sent when it says so.
    pub(super) fn run(
        mut self,
        narrow_from: Option<usize>,
        due: Option<&mut Due<'_>>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Result<Recorded, Stop>> {
        let Program { dir, run, .. } = self.program;
        let log = Log::new(self.options.log_lines);
        let (process, pipes) = match Process::start(dir, run, Streams::Protocol, log) {
            Ok(started) => started,
            Err(error) => {
                let failure = self.program.start_failure("start", run, &error);
                return Ok(Err(Stop { failure, cause: Cause::Certain }));
            }
        };
        let incoming = FrameBuffer::new(1 << 18, self.options.max_frame_bytes);
        let (outgoing, written, stage) = (Vec::new(), 0, Stage::Starting);
        let mut link = Link { process, pipes, incoming, outgoing, written, stage };
        match self.converse(&mut link, narrow_from, due, progress) {
            Ok(outcome) => {
                let outcome = RunOutcome { log: self.log_of(link)?, ..outcome };
                let facts = self.facts(&outcome.harness);
                let dataset = self.talk.recording.finish(facts)?;
                Ok(Ok(Recorded { outcome, dataset }))
            }
            Err(Halt::Own(error)) => Err(error),
            Err(halt) => self.stopped(link, halt).map(Err),
        }
    }

    /// From hello to the program's end.
    fn converse(
        &mut self,
        link: &mut Link,
        narrow_from: Option<usize>,
        due: Option<&mut Due<'_>>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<RunOutcome, Halt> {
        let harness = self.greet(link)?;
        link.stage = Stage::Stepping;
        let start = Instant::now();
        self.step_all(link, narrow_from, due, progress)?;
        let wall_ns = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        link.stage = Stage::Ending;
        let peak_memory_bytes = link.process.peak_memory_bytes();
        self.part(link)?;
        Ok(RunOutcome {
            harness,
            ticks: self.talk.answered as u64,
            outputs: self.talk.counts(),
            component_errors: std::mem::take(&mut self.talk.component_errors),
            n_component_errors: self.talk.n_component_errors,
            step: self.talk.step_times(),
            wall_ns,
            peak_memory_bytes,
            log: Vec::new(),
        })
    }

    /// Says hello and waits for `ready`; returns what the program calls its
    /// harness.
    fn greet(&mut self, link: &mut Link) -> Result<String, Halt> {
        let config = match &self.component.config {
            Some(config) => Plan::new(&config.schema).encode(&config.value).map_err(Error::from)?,
            None => Vec::new(),
        };
        let spec = self.component;
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
        protocol::encode_hello(&mut link.outgoing, self.options.seed, &ports, &config);
        let limit_s = self.program.limits.start_s;
        let deadline = Instant::now() + seconds(limit_s);
        loop {
            self.exchange(link, deadline, limit_s)?;
            let answer = link.incoming.next_answer();
            match answer {
                Ok(None) => {}
                Ok(Some(Answer::Ready { version: protocol::VERSION, harness })) => {
                    return Ok(shortened(harness.trim()));
                }
                Ok(Some(Answer::Ready { version, .. })) => {
                    let ours = protocol::VERSION;
                    let what = format!("speaks lk-run/{version}, and this lk speaks lk-run/{ours}");
                    let hint = Some("`lk init --refresh` renews its harness".to_owned());
                    return Err(Halt::Fault(Fault { what, hint }));
                }
                Ok(Some(Answer::Error { text, .. })) => {
                    let what = format!("refused to run: {}", shortened(&text));
                    let hint = "if its types are out of date, `lk init --refresh` renews them";
                    return Err(Halt::Fault(Fault { what, hint: Some(hint.to_owned()) }));
                }
                Ok(Some(_)) => {
                    let what = "answered before it said that it is ready".to_owned();
                    let hint = Some("`ready` is the first frame of a program".to_owned());
                    return Err(Halt::Fault(Fault { what, hint }));
                }
                Err(error) => return Err(Halt::Fault(garbage(&link.incoming, &error))),
            }
        }
    }

    fn step_all(
        &mut self,
        link: &mut Link,
        narrow_from: Option<usize>,
        mut due: Option<&mut Due<'_>>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), Halt> {
        let limit_s = self.program.limits.tick_s;
        let limit = seconds(limit_s);
        let mut window = 1;
        let mut last_answer = Instant::now();
        let narrow_from = if due.is_some() { Some(0) } else { narrow_from };
        while self.talk.answered < self.ticks.len() {
            if let Some(due) = &mut due
                && self.talk.under_way() == 0
                && let Some((time, _)) = self.ticks.get(self.talk.sent)
            {
                if !due(time) {
                    break;
                }
                // The program has not been asked for so long.
                last_answer = Instant::now();
            }
            self.send_ticks(link, window, narrow_from)?;
            self.exchange(link, last_answer + limit, limit_s)?;
            let before = self.talk.answered;
            self.take_answers(link)?;
            let answered = self.talk.answered - before;
            let now = Instant::now();
            if answered > 0 {
                // As many ticks ahead as take AHEAD, growing step by step.
                let per_tick = (now - last_answer).as_secs_f64() / answered as f64;
                let fitting = AHEAD.as_secs_f64() / per_tick.max(1e-9);
                let most = self.options.window_ticks.max(1);
                window = (fitting as usize).min(window * 2).clamp(1, most);
                last_answer = now;
                progress(self.talk.answered as u64);
            } else if now >= last_answer + limit {
                // It writes and writes, and the tick doesn't end.
                return Err(Halt::Late(limit_s));
            }
        }
        Ok(())
    }

    /// Puts ticks into the buffer, as far as the window goes.
    fn send_ticks(
        &mut self,
        link: &mut Link,
        window: usize,
        narrow_from: Option<usize>,
    ) -> Result<(), Halt> {
        let talk = &mut self.talk;
        while let Some((time, samples)) = self.ticks.get(talk.sent) {
            let bytes = talk.input_bytes(talk.sent);
            let narrow = narrow_from.is_some_and(|from| talk.sent >= from);
            let has_room = talk.under_way() < window
                && talk.bytes_under_way + bytes <= self.options.window_bytes;
            if talk.under_way() > 0 && (narrow || !has_room) {
                break;
            }
            for input in samples {
                let sample = &input.sample;
                if protocol::input_len(sample.payload.len()) > u32::MAX as usize {
                    let port = &self.component.inputs[usize::from(input.port)].name;
                    let message =
                        format!("a sample of {port} at {} s is too long to send", sample.time);
                    return Err(Error::TooLong { message }.into());
                }
                let sequence = u64::from(sample.sequence);
                let out = &mut link.outgoing;
                protocol::encode_input(out, input.port, sample.time, sequence, &sample.payload);
            }
            protocol::encode_step(&mut link.outgoing, talk.sent as u64, time);
            talk.sent += 1;
            talk.bytes_under_way += bytes;
        }
        Ok(())
    }

    fn take_answers(&mut self, link: &mut Link) -> Result<(), Halt> {
        loop {
            match link.incoming.next_answer() {
                Ok(Some(answer)) => self.talk.take(answer)?,
                Ok(None) => return Ok(()),
                Err(error) => return Err(Halt::Fault(garbage(&link.incoming, &error))),
            }
        }
    }

    /// Says bye, and sees the program to its end.
    fn part(&mut self, link: &mut Link) -> Result<(), Halt> {
        protocol::encode_bye(&mut link.outgoing);
        let limit_s = self.program.limits.tick_s;
        let deadline = Instant::now() + seconds(limit_s);
        loop {
            match self.exchange(link, deadline, limit_s) {
                Ok(()) => self.take_answers(link)?,
                Err(Halt::Ended) if link.incoming.rest().is_empty() => break,
                Err(halt) => return Err(halt),
            }
        }
        match link.process.wait(deadline).map_err(|source| self.pipe_error(source))? {
            Some(status) if status.success() => Ok(()),
            Some(_) => Err(Halt::Ended),
            None => Err(Halt::Late(limit_s)),
        }
    }

    /// Writes what can be written and reads what has come, waiting for one of
    /// the two.
    fn exchange(&self, link: &mut Link, deadline: Instant, limit_s: f64) -> Result<(), Halt> {
        loop {
            match link.exchange(deadline).map_err(|source| self.pipe_error(source))? {
                Exchange::Received => return Ok(()),
                Exchange::Nothing => {}
                Exchange::Ended => return Err(Halt::Ended),
                Exchange::Deadline => return Err(Halt::Late(limit_s)),
            }
        }
    }

    fn pipe_error(&self, source: std::io::Error) -> Error {
        Error::Pipe { program: self.program.label.clone(), source }
    }

    /// What is written into the recording beside the samples.
    fn facts(&self, harness: &str) -> std::collections::BTreeMap<String, String> {
        let mut facts = self.options.facts.clone();
        for (name, value) in [
            (provenance::PRODUCER, concat!("lk ", env!("CARGO_PKG_VERSION"))),
            (provenance::COMPONENT, &self.component.name),
            (provenance::PROGRAM, &self.program.label),
            (provenance::HARNESS, harness),
            (provenance::SEED, &self.options.seed.to_string()),
            (provenance::UNDELIVERED, &self.undelivered().to_string()),
        ] {
            facts.insert(name.to_owned(), value.to_owned());
        }
        facts
    }

    /// Input samples that were not sent: those after the last tick, and those
    /// of ticks that it never came to.
    fn undelivered(&self) -> u64 {
        let unsent = (self.talk.sent..self.ticks.len()).filter_map(|tick| self.ticks.get(tick));
        self.ticks.undelivered() + unsent.map(|(_, samples)| samples.len() as u64).sum::<u64>()
    }

    /// The failure that a halt is.
    fn stopped(&self, mut link: Link, halt: Halt) -> Result<Stop> {
        let stage = link.stage;
        let running = stage == Stage::Stepping && self.talk.answered < self.ticks.len();
        let uncertain = running && self.talk.under_way() > 1;
        let (fault, cause) = match halt {
            Halt::Own(error) => return Err(error),
            Halt::Fault(fault) => (fault, Cause::Certain),
            Halt::Late(limit_s) => (late(stage, limit_s), Cause::Late),
            Halt::Ended => (self.ended(&mut link)?, Cause::Ended),
        };
        let label = &self.program.label;
        let message = match stage {
            _ if running => format!("at tick {}, {label} {}", self.talk.answered, fault.what),
            Stage::Starting => format!("{label} {}", fault.what),
            _ => format!("after the last tick, {label} {}", fault.what),
        };
        let failure = Failure {
            message,
            hint: fault.hint,
            tick: running.then_some(self.talk.answered as u64),
            log: self.log_of(link)?,
        };
        Ok(Stop { failure, cause: if uncertain { cause } else { Cause::Certain } })
    }

    /// The program closed its output: how did it end?
    fn ended(&self, link: &mut Link) -> Result<Fault> {
        let status = link
            .process
            .wait(Instant::now() + END_GRACE.min(seconds(self.program.limits.tick_s)))
            .map_err(|source| self.pipe_error(source))?;
        let Some(status) = status else {
            let what = "closed its standard output and went on running".to_owned();
            return Ok(Fault { what, hint: None });
        };
        let rest = link.incoming.rest();
        if status.success() && !rest.is_empty() {
            return Ok(unframed(rest).unwrap_or_else(|| Fault {
                what: format!("ended in the middle of a frame, after {}", hex(rest)),
                hint: None,
            }));
        }
        let (what, hint) = match link.stage {
            Stage::Starting => (format!("{} before it was ready", Ending(status)), None),
            Stage::Stepping if status.success() => (
                format!("{} without an answer", Ending(status)),
                Some("a program answers each tick with `done`, until it gets `bye`".to_owned()),
            ),
            _ => (Ending(status).to_string(), None),
        };
        Ok(Fault { what, hint })
    }

    /// Ends the program, and takes the rest of its log.
    fn log_of(&self, link: Link) -> Result<Vec<String>> {
        drop(link.process);
        let deadline = Instant::now() + LOG_GRACE;
        link.pipes.rest_of_log(deadline).map_err(|source| self.pipe_error(source))
    }
}

/// What a turn of [`Link::exchange`] brought.
enum Exchange {
    Received,
    /// Nothing to read yet, but there is room to write.
    Nothing,
    Ended,
    Deadline,
}

impl Link {
    fn exchange(&mut self, deadline: Instant) -> std::io::Result<Exchange> {
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
        if self.pipes.wait(self.written < self.outgoing.len(), deadline)? == Ready::Deadline {
            return Ok(Exchange::Deadline);
        }
        match self.pipes.read(self.incoming.room())? {
            Some(0) => Ok(Exchange::Ended),
            Some(count) => {
                self.incoming.received(count);
                Ok(Exchange::Received)
            }
            None => Ok(Exchange::Nothing),
        }
    }
}
