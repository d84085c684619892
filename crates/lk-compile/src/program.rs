//! A program as a component of a running system.
//!
//! Where the runner takes a program through a whole dataset, this steps it
//! with a system: each step is a tick of `lk-run/1`, and ends when the program
//! has answered it. So a component in any language takes its place among those
//! in Rust, and its crash, hang or garbage is an error of that component alone.
//! Until the sandbox exists, programs run unconfined.

use std::time::Instant;

use bytes::Bytes;
use lk::Time;
use lk::codec::Plan;
use lk::component::{Component, InAny, Io, OutAny, Ports, SaveResult, StepResult};
use lk::outcome::Failure;

use crate::build::build_watched;
use crate::component::ComponentSpec;
use crate::error::{Error, Result};
use crate::link::{AnswerLimits, Answers, Checked, Fault, Halt, Link, LinkOptions, Stage};
use crate::process::{Program, Watch, seconds};
use crate::protocol::{self, Answer, NO_TICK};
use crate::runner::RunOptions;

/// How a program is started.
#[derive(Default)]
pub struct StartOptions {
    /// Handed to the program.
    pub seed: u64,
    /// Asked some twenty times a second while the program is built or waited
    /// for; by `false` it is ended, and the wait is an error.
    pub watch: Option<Watch>,
}

/// A program that answers ticks one by one. Dropping it kills the process, and
/// leaves none behind.
pub struct RunningProgram {
    spec: ComponentSpec,
    label: String,
    harness: String,
    /// `None` once it has ended.
    link: Option<Link>,
    answers: Answers,
    /// Samples sent, by input port.
    sent: Vec<u64>,
    /// What the last tick wrote, by the number of the port.
    written: Vec<Option<Bytes>>,
    /// Time of the last tick.
    last: Time,
}

impl RunningProgram {
    /// Builds the program, where it has a build command, starts it and says
    /// hello.
    ///
    /// # Errors
    /// [`Error::Program`] for one that doesn't build, start, or say that it is
    /// ready within its limits, or whose types are others.
    pub fn start(
        program: &Program,
        spec: &ComponentSpec,
        options: StartOptions,
    ) -> Result<RunningProgram> {
        let RunOptions { max_frame_bytes, max_tick_bytes, log_lines, .. } = RunOptions::default();
        let mut watch = options.watch;
        let mut unwatched = || true;
        let asked: &mut dyn FnMut() -> bool = match &mut watch {
            Some(watch) => watch,
            None => &mut unwatched,
        };
        build_watched(program, log_lines, asked)?.map_err(failed)?;
        let link_options = LinkOptions { max_frame_bytes, log_lines };
        let mut link = Link::start(program, link_options, watch).map_err(failed)?;
        let harness = match link.greet(spec, options.seed) {
            Ok(harness) => harness,
            Err(halt) => return Err(failed(link.fail(halt, None)?)),
        };
        // A system may run for ever: only what one tick writes is bounded.
        let limits = AnswerLimits { tick_bytes: max_tick_bytes, total_bytes: u64::MAX };
        Ok(RunningProgram {
            label: program.label.clone(),
            harness,
            link: Some(link),
            answers: Answers::new(spec, limits),
            sent: vec![0; spec.inputs.len()],
            written: vec![None; spec.outgoing().count()],
            last: Time::MIN,
            spec: spec.clone(),
        })
    }

    /// What it calls its harness: language and version.
    pub fn harness(&self) -> &str {
        &self.harness
    }

    /// One tick: sends `inputs`, pairs of the number of a port and a payload of
    /// its type, and waits for the answer. What comes back is by the number of
    /// the port, outputs before states; `None` for what was not written.
    ///
    /// # Errors
    /// [`Error::Program`] where the component failed in this tick, after which
    /// it can be stepped again; where the program ended, hung or broke the
    /// protocol, after which it is gone. A message has the time of its tick and
    /// a port takes one in a tick, so that an output at a later time, or a
    /// second one of a port, counts among these. [`Error::StepTime`] for a time
    /// before that of the last tick; [`Error::TooLong`] for an input that fits
    /// no frame; then nothing was sent.
    ///
    /// # Panics
    /// For the number of a port that isn't there.
    pub fn step(
        &mut self,
        time: Time,
        inputs: &[(usize, Vec<u8>)],
    ) -> Result<&mut [Option<Bytes>]> {
        if time < self.last {
            let (program, last) = (self.label.clone(), self.last);
            return Err(Error::StepTime { program, time, last });
        }
        for (port, payload) in inputs {
            if protocol::input_len(payload.len()) > u32::MAX as usize {
                let name = &self.spec.inputs[*port].name;
                let message = format!("a message of {name} at {time} s is too long to send");
                return Err(Error::TooLong { message });
            }
        }
        let tick = self.answers.answered();
        let link = self.link.as_mut().ok_or_else(|| gone(&self.label))?;
        for (port, payload) in inputs {
            let number = u16::try_from(*port).expect("a manifest has no more ports than that");
            let sequence = &mut self.sent[*port];
            protocol::encode_input(&mut link.outgoing, number, time, *sequence, payload);
            *sequence += 1;
        }
        protocol::encode_step(&mut link.outgoing, tick, time);
        self.last = time;
        match self.converse(time) {
            Ok(None) => Ok(&mut self.written),
            Ok(Some(text)) => {
                let message = format!("at tick {tick}, {} raised: {text}", self.label);
                let log = self.log()?;
                Err(failed(Failure { message, hint: None, tick: Some(tick), log }))
            }
            Err(halt) => Err(self.fail(halt, Some(tick))),
        }
    }

    /// Waits for the answer to the tick that was sent: what its component
    /// raised, if it did.
    fn converse(&mut self, time: Time) -> Result<Option<String>, Halt> {
        let RunningProgram { spec, link, answers, written, .. } = self;
        let link = link.as_mut().expect("it was sent a tick");
        written.fill(None);
        let limit_s = link.limits().tick_s;
        let deadline = Instant::now() + seconds(limit_s);
        let (mut raised, mut running) = (None, Some(time));
        loop {
            link.exchange(deadline, limit_s)?;
            link.take_answers(|answer| {
                match answers.check(answer, running)? {
                    Checked::Output { port, time: at, payload } => {
                        let place = &mut written[port];
                        check_fits(spec, port, at, time, place.is_some())?;
                        *place = Some(Bytes::copy_from_slice(payload));
                    }
                    Checked::Error(text) => raised = Some(text),
                    Checked::Done { .. } => running = None,
                }
                Ok(())
            })?;
            if running.is_none() {
                return Ok(raised);
            }
            if Instant::now() >= deadline {
                // It writes and writes, and the tick doesn't end.
                return Err(Halt::Late(limit_s));
            }
        }
    }

    /// Takes it back to the state after hello; ticks are counted from 0 again,
    /// and may begin at any time.
    ///
    /// # Errors
    /// [`Error::Program`] where it doesn't answer as it should; it is gone
    /// then.
    pub fn reset(&mut self) -> Result<()> {
        let link = self.link.as_mut().ok_or_else(|| gone(&self.label))?;
        link.stage = Stage::Resetting;
        protocol::encode_reset(&mut link.outgoing);
        let limit_s = link.limits().tick_s;
        let deadline = Instant::now() + seconds(limit_s);
        let answers = &mut self.answers;
        let mut waits = || -> Result<(), Halt> {
            let mut answered = false;
            while !answered {
                link.exchange(deadline, limit_s)?;
                link.take_answers(|answer| {
                    match answer {
                        Answer::Done { tick: NO_TICK, .. } if !answered => answered = true,
                        other => answers.check(other, None).map(drop)?,
                    }
                    Ok(())
                })?;
            }
            Ok(())
        };
        if let Err(halt) = waits() {
            return Err(self.fail(halt, None));
        }
        link.stage = Stage::Stepping;
        self.answers.restart();
        self.sent.fill(0);
        self.last = Time::MIN;
        Ok(())
    }

    /// Says bye and waits for its end; does nothing where it has ended.
    ///
    /// # Errors
    /// [`Error::Program`] where it doesn't end in time, or with a code other
    /// than 0. It has ended all the same.
    pub fn end(&mut self) -> Result<()> {
        let Some(link) = &mut self.link else { return Ok(()) };
        let answers = &mut self.answers;
        match link.part(|answer| answers.check(answer, None).map(drop).map_err(Halt::from)) {
            Ok(()) => {
                self.link = None;
                Ok(())
            }
            Err(halt) => Err(self.fail(halt, None)),
        }
    }

    /// Whether it can be stepped.
    pub fn is_alive(&self) -> bool {
        self.link.is_some()
    }

    /// The last lines that it wrote to standard error; none once it has ended.
    ///
    /// # Errors
    /// [`Error::Pipe`].
    pub fn log(&mut self) -> Result<Vec<String>> {
        self.link.as_mut().map_or_else(|| Ok(Vec::new()), Link::log)
    }

    fn fail(&mut self, halt: Halt, tick: Option<u64>) -> Error {
        match self.link.take().map(|link| link.fail(halt, tick)) {
            Some(Ok(failure)) => failed(failure),
            Some(Err(error)) => error,
            None => gone(&self.label),
        }
    }
}

/// That a port of a system can hold an output.
fn check_fits(
    spec: &ComponentSpec,
    port: usize,
    at: Time,
    tick_time: Time,
    again: bool,
) -> Result<(), Fault> {
    let name = spec.outgoing().nth(port).map_or("", |port| &port.name);
    if at != tick_time {
        let what = format!("wrote {name} at {at} s in a step at {tick_time} s");
        return Err(Fault::new(what).hint("in a system, a message has the time of its step"));
    }
    if again {
        let fault = Fault::new(format!("wrote {name} twice in one tick"));
        return Err(fault.hint("in a system, a port holds one message a step"));
    }
    Ok(())
}

fn failed(failure: Failure) -> Error {
    Error::Program(Box::new(failure))
}

fn gone(label: &str) -> Error {
    let message = format!("{label} has ended, and can't be stepped");
    failed(Failure { message, hint: None, tick: None, log: Vec::new() })
}

/// The component that is a program: of `lk.toml`, or any that speaks
/// `lk-run/1`.
///
/// It has the ports of its spec, state ports among the outputs. It is built,
/// started and greeted when its system is configured, and said bye to at the
/// shutdown; dropping it kills it. Each step is a tick of the program, which
/// gets the inputs that are fresh; what it did not write stays as it was. A
/// step waits for the answer as long as `limits.tick_s` says, and the same
/// inputs give the same outputs with any number of threads if the program does
/// as much.
///
/// It can't be saved: what it goes on from is in another process.
///
/// ```no_run
/// use lk::system::SystemBuilder;
/// use lk_compile::{Manifest, ProgramComponent};
///
/// let manifest = Manifest::load("examples/pd_controller")?;
/// let (spec, program) = (manifest.component()?, manifest.implementation("reference")?);
/// let mut builder = SystemBuilder::new("loop");
/// builder.add("controller", |ports| {
///     ProgramComponent::new(program, spec, manifest.seed(), ports)
/// })?;
/// # Ok::<(), lk_compile::Error>(())
/// ```
pub struct ProgramComponent {
    program: Program,
    spec: ComponentSpec,
    seed: u64,
    inputs: Vec<(InAny, Plan)>,
    outputs: Vec<OutAny>,
    running: Option<RunningProgram>,
    /// Numbers of fresh inputs, and their payloads.
    fresh: Vec<(usize, Vec<u8>)>,
}

impl ProgramComponent {
    /// Declares the ports of `spec`; the program is started later.
    ///
    /// # Errors
    /// What [`Ports`] refuses, such as an input and an output of one name.
    pub fn new(
        program: Program,
        spec: ComponentSpec,
        seed: u64,
        ports: &mut Ports,
    ) -> lk::Result<ProgramComponent> {
        let mut inputs = Vec::with_capacity(spec.inputs.len());
        for port in &spec.inputs {
            inputs.push((ports.input_of(&port.name, &port.schema)?, Plan::new(&port.schema)));
        }
        let outputs = spec.outgoing().map(|port| ports.output_any(&port.name, &port.schema));
        let outputs = outputs.collect::<lk::Result<_>>()?;
        Ok(ProgramComponent {
            program,
            spec,
            seed,
            inputs,
            outputs,
            running: None,
            fresh: Vec::new(),
        })
    }
}

impl Component for ProgramComponent {
    fn step(&mut self, io: &mut Io<'_>) -> StepResult {
        let running = self.running.as_mut().ok_or("it was not configured")?;
        self.fresh.clear();
        for (number, (input, plan)) in self.inputs.iter().enumerate() {
            if io.fresh(*input)
                && let Some(message) = io.get_any(*input)
            {
                let mut payload = Vec::new();
                message.encode(plan, &mut payload)?;
                self.fresh.push((number, payload));
            }
        }
        let written = running.step(io.now(), &self.fresh)?;
        for (output, payload) in self.outputs.iter().zip(written) {
            if let Some(payload) = payload.take() {
                io.set_payload(output, payload);
            }
        }
        Ok(())
    }

    fn on_configure(&mut self) -> StepResult {
        let options = StartOptions { seed: self.seed, watch: None };
        self.running = Some(RunningProgram::start(&self.program, &self.spec, options)?);
        Ok(())
    }

    fn on_shutdown(&mut self) -> StepResult {
        match self.running.take() {
            Some(mut running) => Ok(running.end()?),
            None => Ok(()),
        }
    }

    fn save(&self) -> SaveResult {
        let label = &self.program.label;
        Err(format!("its state is in the process of {label}, which has no way to give it").into())
    }
}

#[cfg(test)]
mod tests;
