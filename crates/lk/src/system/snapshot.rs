//! A system between two ticks, kept and brought back.

use std::sync::Arc;

use super::cell::{Cell, Delivery};
use super::graph::refused;
use super::node::Rate;
use super::run::IN_PLACE;
use super::{ConnectionGraph, System};
use crate::component::{AnyMsg, Dx, Encoded, Input, Stage};
use crate::error::Result;
use crate::time::Time;

/// All that a system goes on from: the state of its components, what lies in
/// their ports, what is under way, the time.
///
/// It is brought back into the system that it was taken of, or another one
/// that was put together alike. Messages are shared, not copied. What went out
/// of the system, into a recording say, stays there.
#[derive(Clone)]
pub struct Snapshot {
    graph: ConnectionGraph,
    cells: Vec<SavedCell>,
    /// Of each node its rate, and the number of the next tick at it.
    nodes: Vec<(Option<Rate>, u64)>,
    delayed: Vec<Delivery>,
    start: Time,
    now: Time,
    tick: u64,
    stop: bool,
}

#[derive(Clone)]
struct SavedCell {
    name: String,
    node: usize,
    state: Encoded,
    inputs: Vec<Input>,
    outputs: Vec<Option<Arc<dyn AnyMsg>>>,
    next: Option<Time>,
    dx: Dx,
}

impl Snapshot {
    /// The time of the last tick before it.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Ticks before it.
    pub fn ticks(&self) -> u64 {
        self.tick
    }

    /// The state of a component; `None` where there is no such component.
    pub fn state(&self, component: &str) -> Option<&Encoded> {
        self.cells.iter().find(|cell| cell.name == component).map(|cell| &cell.state)
    }
}

impl System {
    /// What it goes on from, as it is now.
    ///
    /// # Errors
    /// [`Error::Lifecycle`](crate::Error::Lifecycle) where it is neither active
    /// nor inactive; [`Error::Component`](crate::Error::Component) of the first
    /// component whose state can't be saved.
    pub fn snapshot(&self) -> Result<Snapshot> {
        if !matches!(self.stage, Stage::Active | Stage::Inactive) {
            return Err(self.wrong_stage("take a snapshot of"));
        }
        let cells = self.cells.iter().map(|cell| self.saved(cell.as_ref().expect(IN_PLACE)));
        Ok(Snapshot {
            graph: self.graph.clone(),
            cells: cells.collect::<Result<_>>()?,
            nodes: self.nodes.iter().map(|node| (node.rate, node.next)).collect(),
            delayed: self.delayed.clone(),
            start: self.start,
            now: self.now,
            tick: self.tick,
            stop: self.stop,
        })
    }

    fn saved(&self, cell: &Cell) -> Result<SavedCell> {
        let failed = |source| cell.failed("save its state", self.now, source);
        let state = cell.component.save().map_err(failed)?;
        let state = state.ok_or_else(|| {
            failed("it has no state to give: its `save` must say what it goes on from".into())
        })?;
        Ok(SavedCell {
            name: cell.name.clone(),
            node: cell.node,
            state,
            inputs: cell.inputs.clone(),
            outputs: cell.outputs.iter().map(|output| output.value.clone()).collect(),
            next: cell.next,
            dx: cell.dx.clone(),
        })
    }

    /// Goes back, or on, to where a snapshot was taken: what it does from here
    /// is what was done from there.
    ///
    /// # Errors
    /// [`Error::Lifecycle`](crate::Error::Lifecycle) where it is neither active
    /// nor inactive; [`Error::Graph`](crate::Error::Graph) for a snapshot of a
    /// system that was put together otherwise;
    /// [`Error::Component`](crate::Error::Component) of the first component
    /// that doesn't take its state, after which the system is shut down.
    pub fn restore(&mut self, snapshot: &Snapshot) -> Result<()> {
        if !matches!(self.stage, Stage::Active | Stage::Inactive) {
            return Err(self.wrong_stage("restore"));
        }
        if !self.graph.is_like(&snapshot.graph) {
            let names = |graph: &ConnectionGraph| graph.components().collect::<Vec<_>>().join(", ");
            return Err(refused(format!(
                "the snapshot is of another system than {}: it has the components {}, this one {}, \
                 or they are connected otherwise",
                self.name,
                names(&snapshot.graph),
                names(&self.graph)
            )));
        }
        // A number of a tick is another time at another rate.
        let same_nodes = self.nodes.len() == snapshot.nodes.len()
            && self.nodes.iter().zip(&snapshot.nodes).all(|(node, (rate, _))| node.rate == *rate)
            && self.cells.iter().flatten().zip(&snapshot.cells).all(|(a, b)| a.node == b.node);
        if !same_nodes {
            return Err(refused(format!(
                "the snapshot is of another system than {}: its nodes have other components or \
                 other rates",
                self.name
            )));
        }
        let now = snapshot.now;
        let cells = self.cells.iter_mut().map(|cell| cell.as_mut().expect(IN_PLACE));
        // The same graph has the same running order.
        let restored = cells.zip(&snapshot.cells).try_for_each(|(cell, saved)| {
            let taken = cell.component.restore(&saved.state);
            taken.map_err(|source| cell.failed("restore its state", now, source))?;
            cell.inputs.clone_from(&saved.inputs);
            for (output, value) in cell.outputs.iter_mut().zip(&saved.outputs) {
                output.value.clone_from(value);
            }
            cell.next = saved.next;
            cell.dx.clone_from(&saved.dx);
            Ok(())
        });
        if restored.is_err() {
            self.end_all();
            return restored;
        }
        for (node, (_, next)) in self.nodes.iter_mut().zip(&snapshot.nodes) {
            node.next = *next;
        }
        self.delayed.clone_from(&snapshot.delayed);
        (self.start, self.now, self.tick) = (snapshot.start, now, snapshot.tick);
        self.stop = snapshot.stop;
        self.plan();
        Ok(())
    }
}
