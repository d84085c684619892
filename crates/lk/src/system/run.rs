//! A system that runs.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::sync::Arc;

use super::cell::{Cell, Delivery};
use super::graph::refused;
use super::node::Node;
use super::workers::Workers;
use super::{ConnectionGraph, SystemBuilder};
use crate::component::{AnyMsg, Dx, Msg, Stage, Transition};
use crate::error::{Error, Result};
use crate::schema::Schema;
use crate::time::Time;

/// Components that run together.
///
/// It is configured and activated by the first run, or step by step as a
/// person does it; once it is shut down there is no way back. A run that ends
/// with an error shuts it down.
pub struct System {
    pub(super) name: String,
    pub(super) graph: ConnectionGraph,
    /// In running order; `None` while a worker has it.
    pub(super) cells: Vec<Option<Box<Cell>>>,
    /// How many cells there are on each level.
    levels: Vec<usize>,
    pub(super) nodes: Vec<Node>,
    inputs: BTreeMap<String, Vec<Public>>,
    outputs: BTreeMap<String, Public>,
    /// Messages of delayed connections, for the next tick.
    pub(super) delayed: Vec<Delivery>,
    pub(super) stage: Stage,
    pub(super) start: Time,
    pub(super) now: Time,
    /// Ticks so far.
    pub(super) tick: u64,
    /// Cells that run in this level.
    due: Vec<usize>,
    /// When the first of the sources wants to run.
    source_time: Option<Time>,
    /// Whether some component has asked for the end.
    pub(super) stop: bool,
}

/// A public port.
pub(super) struct Public {
    pub(super) cell: usize,
    pub(super) index: usize,
    /// `None` where it is dynamic.
    pub(super) rust_type: Option<TypeId>,
    pub(super) schema: Option<Schema>,
}

/// How a system runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunOptions {
    /// Threads for nodes that may have one; those that don't run on the
    /// caller's. 0 and 1 mean the caller's alone.
    pub threads: usize,
    /// Ends before the first tick at or after this time.
    pub until: Option<Time>,
    /// Ends after so many ticks.
    pub ticks: Option<u64>,
}

pub(super) const IN_PLACE: &str = "cells are lent to workers within a tick only";

impl System {
    pub(super) fn new(
        name: String,
        graph: ConnectionGraph,
        cells: Vec<Cell>,
        levels: Vec<usize>,
        nodes: Vec<Node>,
        inputs: BTreeMap<String, Vec<Public>>,
        outputs: BTreeMap<String, Public>,
    ) -> System {
        System {
            name,
            graph,
            cells: cells.into_iter().map(|cell| Some(Box::new(cell))).collect(),
            levels,
            nodes,
            inputs,
            outputs,
            delayed: Vec::new(),
            stage: Stage::default(),
            start: Time::ZERO,
            now: Time::ZERO,
            tick: 0,
            due: Vec::new(),
            source_time: None,
            stop: false,
        }
    }

    /// Starts to put one together.
    pub fn builder(name: &str) -> SystemBuilder {
        SystemBuilder::new(name)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is connected to what.
    pub fn graph(&self) -> &ConnectionGraph {
        &self.graph
    }

    /// Where it stands.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// The time of the last tick; before the first, that of the start.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Ticks so far.
    pub fn ticks(&self) -> u64 {
        self.tick
    }

    /// Components in the order in which they run, with their diagnostics.
    pub fn diagnostics(&self) -> impl Iterator<Item = (&str, &Dx)> {
        self.cells.iter().map(|cell| {
            let cell = cell.as_ref().expect(IN_PLACE);
            (cell.name.as_str(), &cell.dx)
        })
    }

    /// Sets the time of the first tick, zero unless said otherwise.
    ///
    /// # Errors
    /// [`Error::Lifecycle`] once it is active.
    pub fn start_at(&mut self, start: Time) -> Result<()> {
        if self.stage == Stage::Active {
            return Err(self.wrong_stage("set the start of"));
        }
        (self.start, self.now) = (start, start);
        self.plan();
        Ok(())
    }

    /// Configures all components, in running order.
    ///
    /// # Errors
    /// [`Error::Lifecycle`] from another stage than unconfigured; the first
    /// component's error, after which those before it are shut down.
    pub fn configure(&mut self) -> Result<()> {
        self.pass(Transition::Configure)
    }

    /// Activates all components, in running order.
    ///
    /// # Errors
    /// As [`System::configure`], from another stage than inactive.
    pub fn activate(&mut self) -> Result<()> {
        self.pass(Transition::Activate)?;
        // Nodes go on where they were before a pause.
        let now = self.now;
        for cell in &mut self.cells {
            let cell = cell.as_mut().expect(IN_PLACE);
            cell.next = cell.component.next_time(now);
        }
        self.plan();
        Ok(())
    }

    /// Deactivates all components, in reverse order.
    ///
    /// # Errors
    /// [`Error::Lifecycle`] from another stage than active; the first error
    /// among the components, all of which are inactive all the same.
    pub fn deactivate(&mut self) -> Result<()> {
        self.pass(Transition::Deactivate)
    }

    /// Ends all components, in reverse order.
    ///
    /// # Errors
    /// [`Error::Lifecycle`] where it is finalized; the first error among the
    /// components, all of which are finalized all the same.
    pub fn shutdown(&mut self) -> Result<()> {
        if self.stage == Stage::Active {
            let deactivated = self.deactivate();
            return deactivated.and(self.pass(Transition::Shutdown));
        }
        self.pass(Transition::Shutdown)
    }

    fn pass(&mut self, transition: Transition) -> Result<()> {
        let Some(stage) = transition.from(self.stage) else {
            return Err(self.wrong_stage(&transition.to_string()));
        };
        let now = self.now;
        let goes_up = matches!(transition, Transition::Configure | Transition::Activate);
        let mut first = Ok(());
        let mut one = |cell: &mut Option<Box<Cell>>| {
            let passed = cell.as_mut().expect(IN_PLACE).pass(transition, now);
            let failed = passed.is_err();
            if first.is_ok() {
                first = passed;
            }
            failed && goes_up
        };
        // Down in reverse order, and to the end whatever fails.
        let stopped = match goes_up {
            true => self.cells.iter_mut().any(&mut one),
            false => self.cells.iter_mut().rev().any(&mut one),
        };
        if stopped {
            self.end_all();
        } else {
            self.stage = stage;
        }
        first
    }

    /// Takes every component to its end from wherever it stands. What fails
    /// now comes after an error that is reported already.
    pub(super) fn end_all(&mut self) {
        let now = self.now;
        for cell in self.cells.iter_mut().rev().flatten() {
            if cell.stage == Stage::Active {
                let _ = cell.pass(Transition::Deactivate, now);
            }
            let _ = cell.pass(Transition::Shutdown, now);
        }
        self.stage = Stage::Finalized;
    }

    pub(super) fn wrong_stage(&self, action: &str) -> Error {
        Error::Lifecycle {
            component: format!("system {}", self.name),
            transition: action.to_owned(),
            stage: self.stage.to_string(),
        }
    }

    /// Works out anew when nodes and sources run next.
    pub(super) fn plan(&mut self) {
        self.nodes.iter_mut().for_each(|node| node.plan(self.start));
        let cells = self.cells.iter().flatten();
        self.source_time = cells.filter_map(|cell| cell.next).min();
    }

    /// The time of the next tick; `None` where nothing is left to run.
    pub fn next_time(&self) -> Option<Time> {
        let nodes = self.nodes.iter().filter_map(|node| node.next_time);
        nodes.chain(self.source_time).min()
    }

    /// Runs one tick, the next that is due, and returns its time; `None` where
    /// nothing is left to run.
    ///
    /// # Errors
    /// [`Error::Lifecycle`] where it isn't active; [`Error::Component`] of the
    /// first component that fails, in running order, after which the system is
    /// shut down.
    pub fn step(&mut self) -> Result<Option<Time>> {
        if self.stage != Stage::Active {
            return Err(self.wrong_stage("step"));
        }
        let Some(now) = self.next_time() else { return Ok(None) };
        self.step_at(now, None).map(|()| Some(now))
    }

    fn step_at(&mut self, now: Time, workers: Option<&Workers>) -> Result<()> {
        self.now = now;
        let stepped = self.tick_at(now, workers);
        self.tick += 1;
        if let Err(error) = stepped {
            self.end_all();
            return Err(error);
        }
        Ok(())
    }

    fn tick_at(&mut self, now: Time, workers: Option<&Workers>) -> Result<()> {
        self.deliver_delayed();
        self.source_time = None;
        let start = self.start;
        self.nodes.iter_mut().for_each(|node| node.advance(start, now));
        let mut from = 0;
        for level in 0..self.levels.len() {
            let to = from + self.levels[level];
            match workers {
                None => {
                    // To the end of the level, as workers do: what has run when
                    // a component fails is the same with any number of them.
                    let mut first = None;
                    for i in from..to {
                        if !self.is_due(i, now) {
                            continue;
                        }
                        let cell = self.cells[i].as_mut().expect(IN_PLACE);
                        // Errors are large: moving a result costs more than
                        // the step.
                        if let Err(error) = cell.step(now, self.tick) {
                            first.get_or_insert(error);
                        }
                        if let Err(error) = self.hand_on(i) {
                            first.get_or_insert(error);
                        }
                    }
                    if let Some(error) = first {
                        return Err(error);
                    }
                }
                Some(workers) => {
                    let mut due = std::mem::take(&mut self.due);
                    due.clear();
                    due.extend((from..to).filter(|i| self.is_due(*i, now)));
                    let ran = workers.run(&mut self.cells, &due, &self.nodes, now, self.tick);
                    let handed = due.iter().try_for_each(|i| self.hand_on(*i));
                    self.due = due;
                    ran.and(handed)?;
                }
            }
            for cell in self.cells[from..to].iter_mut().flatten() {
                let sooner = self.source_time.into_iter().chain(cell.next).min();
                self.source_time = sooner;
                self.stop |= std::mem::take(&mut cell.stop);
            }
            from = to;
        }
        Ok(())
    }

    fn is_due(&self, cell: usize, now: Time) -> bool {
        let cell = self.cells[cell].as_ref().expect(IN_PLACE);
        let node = &self.nodes[cell.node];
        node.due || cell.next == Some(now) || (node.runs_on_data() && cell.has_fresh_input())
    }

    /// Takes what a cell has written to where it goes.
    fn hand_on(&mut self, from: usize) -> Result<()> {
        // Out of its place, so that others can be changed beside it.
        let mut cell = self.cells[from].take().expect(IN_PLACE);
        for n in 0..cell.edges.len() {
            let edge = &cell.edges[n];
            let Some(mut value) = edge.take(&mut cell.outputs) else { continue };
            if let Some((convert, plan)) = &edge.convert {
                match convert(&*value, plan) {
                    Ok(converted) => value = converted,
                    Err(error) => {
                        self.cells[from] = Some(cell);
                        return Err(error);
                    }
                }
            }
            match edge.delayed {
                true => self.delayed.push(Delivery { from, edge: n, value }),
                false => cell.put(n, value, &mut self.cells),
            }
        }
        cell.outputs.iter_mut().for_each(|output| output.fresh = false);
        self.cells[from] = Some(cell);
        Ok(())
    }

    fn deliver_delayed(&mut self) {
        let mut delayed = std::mem::take(&mut self.delayed);
        for Delivery { from, edge, value } in delayed.drain(..) {
            let mut cell = self.cells[from].take().expect(IN_PLACE);
            cell.put(edge, value, &mut self.cells);
            self.cells[from] = Some(cell);
        }
        self.delayed = delayed;
    }

    /// Runs until a component asks for the end or nothing is left to run, as
    /// fast as it can. Configures and activates it where that wasn't done.
    ///
    /// # Errors
    /// As [`System::step`], [`System::configure`] and [`System::activate`].
    pub fn run(&mut self) -> Result<()> {
        self.run_with(&RunOptions::default())
    }

    /// Runs so many ticks, or fewer where it ends before.
    ///
    /// # Errors
    /// As [`System::run`].
    pub fn run_for(&mut self, ticks: u64) -> Result<()> {
        self.run_with(&RunOptions { ticks: Some(ticks), ..RunOptions::default() })
    }

    /// Runs as `options` say, and as fast as it can.
    ///
    /// # Errors
    /// As [`System::run`].
    pub fn run_with(&mut self, options: &RunOptions) -> Result<()> {
        self.run_paced(options, |_| Ok(true))
    }

    /// Runs as `options` say; `wait` is called before each tick with its time,
    /// and ends the run where it returns false. This is where a clock comes
    /// in.
    ///
    /// # Errors
    /// As [`System::run`], and the first error of `wait`.
    pub fn run_paced(
        &mut self,
        options: &RunOptions,
        mut wait: impl FnMut(Time) -> Result<bool>,
    ) -> Result<()> {
        if self.stage == Stage::Unconfigured {
            self.configure()?;
        }
        if self.stage == Stage::Inactive {
            self.activate()?;
        }
        if self.stage != Stage::Active {
            return Err(self.wrong_stage("run"));
        }
        let last = options.ticks.map(|ticks| self.tick.saturating_add(ticks));
        let mut go_on = |system: &mut System, workers: Option<&Workers>| {
            while last.is_none_or(|last| system.tick < last) {
                let Some(next) = system.next_time() else { break };
                if options.until.is_some_and(|until| next >= until) || !wait(next)? {
                    break;
                }
                system.step_at(next, workers)?;
                if std::mem::take(&mut system.stop) {
                    break;
                }
            }
            Ok(())
        };
        let threads = options.threads.min(self.nodes.iter().filter(|node| node.threaded).count());
        match threads {
            0 => go_on(self, None),
            _ if options.threads == 1 => go_on(self, None),
            threads => {
                std::thread::scope(|scope| go_on(self, Some(&Workers::start(scope, threads))))
            }
        }
    }

    /// Writes to a public input, for the next tick.
    ///
    /// # Errors
    /// [`Error::Graph`] where there is no such input, or it takes another type.
    pub fn set_input<T: Msg>(&mut self, name: &str, message: T) -> Result<()> {
        let ports = find(&self.inputs, name, "input")?;
        let takes = |public: &&Public| public.rust_type.is_none_or(|t| t == TypeId::of::<T>());
        if let Some(other) = ports.iter().find(|public| !takes(public)) {
            return Err(wrong_type::<T>(name, other));
        }
        let ports: Vec<_> = ports.iter().map(|public| (public.cell, public.index)).collect();
        let message: Arc<dyn AnyMsg> = Arc::new(message);
        for (cell, input) in ports {
            let cell = self.cells[cell].as_mut().expect(IN_PLACE);
            cell.inputs[input].put(Arc::clone(&message));
        }
        Ok(())
    }

    /// What a public output holds; `None` before its first message.
    ///
    /// # Errors
    /// [`Error::Graph`] where there is no such output, or it gives another
    /// type.
    pub fn output<T: Msg>(&self, name: &str) -> Result<Option<&T>> {
        let public = find(&self.outputs, name, "output")?;
        let cell = self.cells[public.cell].as_ref().expect(IN_PLACE);
        let Some(value) = &cell.outputs[public.index].value else { return Ok(None) };
        let value: &dyn Any = &**value;
        match value.downcast_ref() {
            Some(message) => Ok(Some(message)),
            None => Err(wrong_type::<T>(name, public)),
        }
    }

    /// What a public output holds, whatever its type.
    ///
    /// # Errors
    /// [`Error::Graph`] where there is no such output.
    pub fn output_any(&self, name: &str) -> Result<Option<&Arc<dyn AnyMsg>>> {
        let public = find(&self.outputs, name, "output")?;
        let cell = self.cells[public.cell].as_ref().expect(IN_PLACE);
        Ok(cell.outputs[public.index].value.as_ref())
    }
}

fn find<'p, P>(ports: &'p BTreeMap<String, P>, name: &str, kind: &str) -> Result<&'p P> {
    ports.get(name).ok_or_else(|| {
        let known: Vec<&str> = ports.keys().map(String::as_str).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        refused(format!("no public {kind} {name}; there are {known}"))
    })
}

fn wrong_type<T>(name: &str, public: &Public) -> Error {
    let schema = public.schema.as_ref().map_or("any type", |schema| schema.name());
    let rust_type = std::any::type_name::<T>();
    refused(format!("public port {name} holds {schema}, not {rust_type}"))
}
