//! What a run keeps of what its program answers.

use std::collections::BTreeMap;

use lk::Time;
use lk::outcome::StepTimes;

use super::RunOptions;
use super::recording::Recording;
use crate::component::ComponentSpec;
use crate::error::Result;
use crate::link::{AnswerLimits, Answers, Checked, Halt};
use crate::protocol::Answer;
use crate::ticks::Ticks;

/// Samples that room is made for ahead; more may come.
const MAX_CAPACITY: usize = 1 << 22;

/// Component errors whose text is kept.
const KEPT_ERRORS: usize = 10;

/// The state of a run between two frames.
pub(super) struct Conversation<'a> {
    component: &'a ComponentSpec,
    ticks: &'a Ticks,
    answers: Answers,
    pub(super) recording: Recording,
    /// Ticks that were sent.
    pub(super) sent: usize,
    /// Ticks that were answered: the number of the one that is running.
    pub(super) answered: usize,
    /// Bytes of the inputs of ticks that are under way.
    pub(super) bytes_under_way: usize,
    /// Whether the running tick's inputs are recorded.
    begun: bool,
    step_ns: Vec<u64>,
    pub(super) component_errors: Vec<(u64, String)>,
    pub(super) n_component_errors: u64,
}

impl<'a> Conversation<'a> {
    pub(super) fn new(
        component: &'a ComponentSpec,
        ticks: &'a Ticks,
        options: &RunOptions,
    ) -> Result<Conversation<'a>> {
        // What a component that answers every tick on every port leaves.
        let capacity = ticks.samples() + ticks.len() * component.outgoing().count();
        let limits = AnswerLimits {
            tick_bytes: options.max_tick_bytes,
            total_bytes: options.max_total_bytes,
        };
        Ok(Conversation {
            component,
            ticks,
            answers: Answers::new(component, limits),
            recording: Recording::new(component, capacity.min(MAX_CAPACITY))?,
            sent: 0,
            answered: 0,
            bytes_under_way: 0,
            begun: false,
            step_ns: Vec::with_capacity(ticks.len()),
            component_errors: Vec::new(),
            n_component_errors: 0,
        })
    }

    /// Ticks that are sent and not answered.
    pub(super) fn under_way(&self) -> usize {
        self.sent - self.answered
    }

    /// Takes one answer in.
    pub(super) fn take(&mut self, answer: Answer<'_>) -> Result<(), Halt> {
        let begun = self.begin()?;
        let checked = self.answers.check(answer, begun.map(|(_, time)| time))?;
        // Only of a tick that is running does the check let anything pass.
        let Some((tick, tick_time)) = begun else { return Ok(()) };
        match checked {
            Checked::Output { port, time, payload } => {
                self.recording.output(tick, port, time, payload)?;
            }
            Checked::Error(text) => {
                self.recording.error(tick, tick_time, &text)?;
                self.n_component_errors += 1;
                if self.component_errors.len() < KEPT_ERRORS {
                    self.component_errors.push((tick.into(), text));
                }
            }
            Checked::Done { step_ns } => {
                self.bytes_under_way -= self.input_bytes(self.answered);
                self.step_ns.push(step_ns);
                self.answered += 1;
                self.begun = false;
            }
        }
        Ok(())
    }

    /// Records the running tick's inputs, before anything that it brings:
    /// then the recording doesn't depend on how far ahead ticks were sent.
    /// `None` where no tick is running.
    fn begin(&mut self) -> Result<Option<(u32, Time)>> {
        if self.answered == self.sent {
            return Ok(None);
        }
        let Some((time, samples)) = self.ticks.get(self.answered) else { return Ok(None) };
        let tick = u32::try_from(self.answered).expect("there are no more ticks than that");
        if !std::mem::replace(&mut self.begun, true) {
            self.recording.inputs(tick, samples)?;
        }
        Ok(Some((tick, time)))
    }

    /// Bytes of the payloads of a tick.
    pub(super) fn input_bytes(&self, tick: usize) -> usize {
        let samples = self.ticks.get(tick).map_or(&[][..], |(_, samples)| samples);
        samples.iter().map(|sample| sample.sample.payload.len()).sum()
    }

    /// Samples written, by port.
    pub(super) fn counts(&self) -> BTreeMap<String, u64> {
        let names = self.component.outgoing().map(|port| port.name.clone());
        names.zip(self.answers.counts()).collect()
    }

    /// Quantiles of the steps: the smallest time that the named share of the
    /// steps does not exceed.
    pub(super) fn step_times(&mut self) -> StepTimes {
        let steps = &mut self.step_ns;
        let mut quantile = |percent: usize| {
            let rank = (steps.len() * percent).div_ceil(100).max(1) - 1;
            if rank < steps.len() { *steps.select_nth_unstable(rank).1 } else { 0 }
        };
        StepTimes { p50_ns: quantile(50), p99_ns: quantile(99), max_ns: quantile(100) }
    }
}
