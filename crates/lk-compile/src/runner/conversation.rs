//! What a program says, checked against what it was asked.

use std::collections::BTreeMap;

use lk::codec::Plan;
use lk::outcome::StepTimes;
use lk::{Time, Value};

use super::RunOptions;
use super::fault::{Fault, shortened};
use super::recording::Recording;
use crate::component::ComponentSpec;
use crate::error::{Error, Result};
use crate::protocol::{Answer, NO_TICK};
use crate::ticks::Ticks;

/// Samples that room is made for ahead; more may come.
const MAX_CAPACITY: usize = 1 << 22;

/// Component errors whose text is kept.
const KEPT_ERRORS: usize = 10;

/// The state of a run between two frames.
pub(super) struct Conversation<'a> {
    component: &'a ComponentSpec,
    ticks: &'a Ticks,
    options: &'a RunOptions,
    ports: Vec<Outgoing>,
    pub(super) recording: Recording,
    /// Ticks that were sent.
    pub(super) sent: usize,
    /// Ticks that were answered: the number of the one that is running.
    pub(super) answered: usize,
    /// Bytes of the inputs of ticks that are under way.
    pub(super) bytes_under_way: usize,
    /// Whether the running tick's inputs are recorded.
    begun: bool,
    /// Whether the running tick ended in an error of the component.
    erred: bool,
    tick_bytes: u64,
    total_bytes: u64,
    step_ns: Vec<u64>,
    pub(super) component_errors: Vec<(u64, String)>,
    pub(super) n_component_errors: u64,
}

/// An output or state port.
struct Outgoing {
    plan: Plan,
    scratch: Value,
    last: Time,
    count: u64,
}

/// Either the program's fault or our own error.
pub(super) enum Trouble {
    Fault(Fault),
    Own(Error),
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Trouble {
        Trouble::Fault(fault)
    }
}

impl<E: Into<Error>> From<E> for Trouble {
    fn from(error: E) -> Trouble {
        Trouble::Own(error.into())
    }
}

impl<'a> Conversation<'a> {
    pub(super) fn new(
        component: &'a ComponentSpec,
        ticks: &'a Ticks,
        options: &'a RunOptions,
    ) -> Result<Conversation<'a>> {
        let port = |port: &crate::component::PortSpec| Outgoing {
            plan: Plan::new(&port.schema),
            scratch: Value::default_of(&port.schema),
            last: Time::MIN,
            count: 0,
        };
        // What a component that answers every tick on every port leaves.
        let ports: Vec<Outgoing> = component.outgoing().map(port).collect();
        let capacity = ticks.samples() + ticks.len() * ports.len();
        Ok(Conversation {
            component,
            ticks,
            options,
            ports,
            recording: Recording::new(component, capacity.min(MAX_CAPACITY))?,
            sent: 0,
            answered: 0,
            bytes_under_way: 0,
            begun: false,
            erred: false,
            tick_bytes: 0,
            total_bytes: 0,
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
    pub(super) fn take(&mut self, answer: Answer<'_>) -> Result<(), Trouble> {
        match answer {
            Answer::Output { port, time, payload } => self.output(port, time, payload),
            Answer::Done { tick, step_ns } => self.done(tick, step_ns),
            Answer::Error { tick, text } => self.error(tick, &text),
            Answer::Ready { .. } => Err(Fault::new("said twice that it is ready").into()),
        }
    }

    fn output(&mut self, port: u16, time: Time, payload: &[u8]) -> Result<(), Trouble> {
        let Some((tick, tick_time)) = self.begin()? else {
            let fault = Fault::new("wrote an output while no tick was running");
            let hint = "outputs of a tick come before its `done`";
            return Err(fault.hint(hint).into());
        };
        let index = usize::from(port);
        let count = self.ports.len();
        let Some((state, spec)) =
            self.ports.get_mut(index).zip(self.component.outgoing().nth(index))
        else {
            let fault = Fault::new(format!(
                "wrote to output port {port}, and there are {count} of them, from 0"
            ));
            return Err(fault.hint("`lk init --refresh` renews its harness").into());
        };
        let name = &spec.name;
        if time < tick_time {
            let fault = Fault::new(format!(
                "wrote {name} at {time} s, before the tick's own time {tick_time} s"
            ));
            return Err(fault.hint("an output has its tick's time, or a later one").into());
        }
        if time < state.last {
            let last = state.last;
            let fault = Fault::new(format!(
                "wrote {name} at {time} s after it wrote that at {last} s: time goes back"
            ));
            return Err(fault.hint("a port's times must not go back").into());
        }
        if let Err(error) = state.plan.decode_into(payload, &mut state.scratch) {
            let fault = Fault::new(format!("wrote {name} in bytes that are no message: {error}"));
            return Err(fault.hint("`lk init --refresh` renews its types").into());
        }
        state.last = time;
        state.count += 1;
        let bytes = payload.len() as u64;
        self.tick_bytes += bytes;
        self.total_bytes += bytes;
        let limits = [
            (self.tick_bytes, self.options.max_tick_bytes, "in one tick"),
            (self.total_bytes, self.options.max_total_bytes, "in all"),
        ];
        for (written, limit, when) in limits {
            if written > limit {
                let what = format!("wrote {written} bytes {when}, and {limit} are allowed");
                return Err(Fault::new(what).into());
            }
        }
        self.recording.output(tick, index, time, payload)?;
        Ok(())
    }

    fn done(&mut self, tick: u64, step_ns: u64) -> Result<(), Trouble> {
        let running = self.answered as u64;
        if tick < running {
            return Err(Fault::new(format!("answered tick {tick} twice")).into());
        }
        if self.begin()?.is_none() {
            return Err(Fault::new(format!("answered tick {tick}, which was not sent")).into());
        }
        if tick != running {
            let what = format!("answered tick {tick} while tick {running} was running");
            return Err(Fault::new(what).into());
        }
        self.bytes_under_way -= self.input_bytes(self.answered);
        self.step_ns.push(step_ns);
        self.answered += 1;
        self.begun = false;
        self.erred = false;
        self.tick_bytes = 0;
        Ok(())
    }

    fn error(&mut self, tick: u64, text: &str) -> Result<(), Trouble> {
        if tick == NO_TICK {
            return Err(Fault::new(format!("gave up: {}", shortened(text))).into());
        }
        let begun = self.begin()?;
        let Some((number, time)) = begun.filter(|&(number, _)| u64::from(number) == tick) else {
            let what = format!("reported an error for tick {tick}, which was not running");
            return Err(Fault::new(what).into());
        };
        if std::mem::replace(&mut self.erred, true) {
            return Err(Fault::new(format!("reported two errors for tick {tick}")).into());
        }
        let text = shortened(text);
        self.recording.error(number, time, &text)?;
        self.n_component_errors += 1;
        if self.component_errors.len() < KEPT_ERRORS {
            self.component_errors.push((tick, text));
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
        names.zip(self.ports.iter().map(|port| port.count)).collect()
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
