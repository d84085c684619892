//! One attempt at a run: a process, its pipes, and the conversation.

use std::time::{Duration, Instant};

use lk::outcome::{Failure, RunOutcome};

use super::conversation::Conversation;
use super::{Due, Recorded, RunOptions};
use crate::component::ComponentSpec;
use crate::error::{Error, Result};
use crate::link::{Halt, Link, LinkOptions, Stage};
use crate::process::{Program, seconds};
use crate::protocol;
use crate::provenance;
use crate::ticks::Ticks;

/// How long ticks that are sent ahead may take together. A harness hands its
/// answers over when it has nothing more to read: with slow ticks a wide
/// window would look like a hang, and make progress jump.
const AHEAD: Duration = Duration::from_millis(100);

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
        let options = LinkOptions {
            max_frame_bytes: self.options.max_frame_bytes,
            log_lines: self.options.log_lines,
        };
        let mut link = match Link::start(self.program, options, None) {
            Ok(link) => link,
            Err(failure) => return Ok(Err(Stop { failure, cause: Cause::Certain })),
        };
        match self.converse(&mut link, narrow_from, due, progress) {
            Ok(outcome) => {
                let outcome = RunOutcome { log: link.end()?, ..outcome };
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
        let harness = link.greet(self.component, self.options.seed)?;
        let start = Instant::now();
        self.step_all(link, narrow_from, due, progress)?;
        let wall_ns = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let peak_memory_bytes = link.peak_memory_bytes();
        link.part(|answer| self.talk.take(answer))?;
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
            link.exchange(last_answer + limit, limit_s)?;
            let before = self.talk.answered;
            link.take_answers(|answer| self.talk.take(answer))?;
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
    fn stopped(&self, link: Link, halt: Halt) -> Result<Stop> {
        let running = link.stage == Stage::Stepping && self.talk.answered < self.ticks.len();
        let cause = match halt {
            Halt::Late(_) => Cause::Late,
            Halt::Ended => Cause::Ended,
            Halt::Fault(_) | Halt::Interrupted | Halt::Own(_) => Cause::Certain,
        };
        let uncertain = running && self.talk.under_way() > 1;
        let failure = link.fail(halt, running.then_some(self.talk.answered as u64))?;
        Ok(Stop { failure, cause: if uncertain { cause } else { Cause::Certain } })
    }
}
