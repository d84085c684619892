//! Components to test systems with.

use std::sync::{Arc, Mutex};

use crate::component::{Component, In, Io, Msg, Out, Ports, StepResult};
use crate::error::Result;

/// Counts its steps.
pub(super) struct Count {
    steps: u64,
    n: Out<u64>,
}

impl Count {
    pub(super) fn new(ports: &mut Ports) -> Result<Count> {
        Ok(Count { steps: 0, n: ports.output("n")? })
    }
}

impl Component for Count {
    fn step(&mut self, io: &mut Io<'_>) -> StepResult {
        self.steps += 1;
        io.set(self.n, self.steps);
        Ok(())
    }
}

/// Adds its inputs and a number.
pub(super) struct Adder {
    inputs: Vec<In<u64>>,
    plus: u64,
    sum: Out<u64>,
}

impl Adder {
    pub(super) fn new(ports: &mut Ports, inputs: &[&str], plus: u64) -> Result<Adder> {
        let inputs = inputs.iter().map(|name| ports.input(name)).collect::<Result<_>>()?;
        Ok(Adder { inputs, plus, sum: ports.output("sum")? })
    }
}

impl Component for Adder {
    fn step(&mut self, io: &mut Io<'_>) -> StepResult {
        let sum = self.inputs.iter().filter_map(|port| io.get(*port));
        let sum = sum.fold(self.plus, |sum, n| sum.wrapping_mul(31).wrapping_add(*n));
        let only = if self.inputs.len() == 1 { io.get(self.inputs[0]).copied() } else { None };
        let sum = only.map_or(sum, |n| n + self.plus);
        io.set(self.sum, sum);
        Ok(())
    }
}

/// What probes saw, with the time in nanoseconds.
#[derive(Clone, Default)]
pub(super) struct Trace(Arc<Mutex<Vec<(i64, u64)>>>);

impl Trace {
    pub(super) fn seen(&self) -> Vec<(i64, u64)> {
        self.0.lock().unwrap().clone()
    }
}

/// Notes what comes to it.
pub(super) struct Probe {
    n: In<u64>,
    trace: Trace,
    fail_at: u64,
}

impl Probe {
    pub(super) fn new(ports: &mut Ports, trace: &Trace) -> Result<Probe> {
        Probe::failing(ports, trace, u64::MAX)
    }

    pub(super) fn failing(ports: &mut Ports, trace: &Trace, fail_at: u64) -> Result<Probe> {
        Ok(Probe { n: ports.input("n")?, trace: trace.clone(), fail_at })
    }
}

impl Component for Probe {
    fn step(&mut self, io: &mut Io<'_>) -> StepResult {
        if let Some(n) = io.get_fresh(self.n) {
            self.trace.0.lock().unwrap().push((io.now().as_nanos(), *n));
        }
        if io.tick() == self.fail_at { Err("this far".into()) } else { Ok(()) }
    }
}

/// Takes messages of a type.
pub(super) struct Log<T>(pub(super) In<T>);

impl<T: Msg> Component for Log<T> {
    fn step(&mut self, io: &mut Io<'_>) -> StepResult {
        io.get(self.0);
        Ok(())
    }
}
