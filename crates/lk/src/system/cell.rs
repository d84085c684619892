//! A component in a system, with what lies in its ports.

use std::sync::Arc;

use crate::codec::Plan;
use crate::component::{
    AnyMsg, Component, Convert, Dx, Input, Io, Output, Stage, StepResult, Transition,
};
use crate::error::{Error, Result};
use crate::time::Time;

pub(super) struct Cell {
    pub(super) name: String,
    /// As its port handles know it.
    pub(super) owner: u32,
    pub(super) component: Box<dyn Component>,
    pub(super) node: usize,
    pub(super) inputs: Vec<Input>,
    pub(super) outputs: Vec<Output>,
    /// Where its outputs go.
    pub(super) edges: Vec<Edge>,
    pub(super) dx: Dx,
    pub(super) stage: Stage,
    /// When it wants to run, as a source.
    pub(super) next: Option<Time>,
    pub(super) stop: bool,
    span: tracing::Span,
}

/// One connection.
pub(super) struct Edge {
    pub(super) output: usize,
    pub(super) cell: usize,
    pub(super) input: usize,
    pub(super) delayed: bool,
    /// Nobody else is given the message: it is moved, and the one before it
    /// comes back to be used again, so that no reference is counted.
    pub(super) moves: bool,
    /// Where the two ends hold different Rust types of one message type.
    pub(super) convert: Option<(Convert, Plan)>,
}

/// A message under way by one of a cell's edges.
#[derive(Clone)]
pub(super) struct Delivery {
    pub(super) from: usize,
    pub(super) edge: usize,
    pub(super) value: Arc<dyn AnyMsg>,
}

impl Cell {
    pub(super) fn new(name: &str, owner: u32, node: usize, component: Box<dyn Component>) -> Cell {
        Cell {
            name: name.to_owned(),
            owner,
            component,
            node,
            inputs: Vec::new(),
            outputs: Vec::new(),
            edges: Vec::new(),
            dx: Dx::default(),
            stage: Stage::default(),
            next: None,
            stop: false,
            span: tracing::info_span!("component", name),
        }
    }

    /// Lets the last edge of each output move its messages, unless the output
    /// is read from outside too.
    pub(super) fn move_where_none_is_left(&mut self, is_public: impl Fn(usize) -> bool) {
        let outputs = 0..self.outputs.len();
        for output in outputs.filter(|output| !is_public(*output)) {
            // One that converts reads the message, and must not come after.
            let mut edges = self.edges.iter_mut().filter(|edge| edge.output == output);
            if let Some(last) = edges.next_back().filter(|edge| edge.convert.is_none()) {
                last.moves = true;
            }
        }
    }

    /// Puts a message into the input that an edge leads to: of one of the
    /// others, or its own.
    pub(super) fn put(
        &mut self,
        edge: usize,
        value: Arc<dyn AnyMsg>,
        others: &mut [Option<Box<Cell>>],
    ) {
        let edge = &self.edges[edge];
        let inputs = match &mut others[edge.cell] {
            Some(other) => &mut other.inputs,
            None => &mut self.inputs,
        };
        let input = &mut inputs[edge.input];
        if edge.moves {
            std::mem::swap(&mut input.value, &mut self.outputs[edge.output].spare);
        }
        input.put(value);
    }

    pub(super) fn has_fresh_input(&self) -> bool {
        self.inputs.iter().any(|input| input.fresh)
    }

    /// Runs it once.
    pub(super) fn step(&mut self, now: Time, tick: u64) -> Result<()> {
        let mut io = Io {
            owner: self.owner,
            now,
            tick,
            inputs: &self.inputs,
            outputs: &mut self.outputs,
            dx: &mut self.dx,
            stop: &mut self.stop,
        };
        let stepped = self.span.in_scope(|| self.component.step(&mut io));
        self.dx.alive();
        self.inputs.iter_mut().for_each(|input| input.fresh = false);
        stepped.map_err(|source| self.failed("step", now, source))?;
        self.next = self.component.next_time(now);
        match self.next {
            Some(next) if next <= now => {
                let reason = format!("it asks to run next at {next}, which is not after {now}");
                Err(self.failed("step", now, reason.into()))
            }
            _ => Ok(()),
        }
    }

    /// Takes it from one stage of its life to the next.
    pub(super) fn pass(&mut self, transition: Transition, now: Time) -> Result<()> {
        let Some(stage) = transition.from(self.stage) else {
            return Err(Error::Lifecycle {
                component: self.name.clone(),
                transition: transition.to_string(),
                stage: self.stage.to_string(),
            });
        };
        let hook: fn(&mut dyn Component) -> StepResult = match transition {
            Transition::Configure => |component| component.on_configure(),
            Transition::Activate => |component| component.on_activate(),
            Transition::Deactivate => |component| component.on_deactivate(),
            Transition::Shutdown => |component| component.on_shutdown(),
        };
        let done = self.span.in_scope(|| hook(&mut *self.component));
        // Going up it stays where it was; going down there is no way to stay.
        let goes_up = matches!(transition, Transition::Configure | Transition::Activate);
        if done.is_ok() || !goes_up {
            self.stage = stage;
        }
        done.map_err(|source| self.failed(&transition.to_string(), now, source))
    }

    pub(super) fn failed(
        &self,
        action: &str,
        now: Time,
        source: Box<dyn std::error::Error + Send + Sync>,
    ) -> Error {
        Error::Component {
            component: self.name.clone(),
            action: action.to_owned(),
            time: now,
            source,
        }
    }
}

impl Edge {
    /// The message that it is to carry; `None` where there is no new one.
    pub(super) fn take(&self, outputs: &mut [Output]) -> Option<Arc<dyn AnyMsg>> {
        let output = &mut outputs[self.output];
        match (output.fresh, self.moves) {
            (false, _) => None,
            (true, true) => output.value.take(),
            (true, false) => output.value.clone(),
        }
    }
}
