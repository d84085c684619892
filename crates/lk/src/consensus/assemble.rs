//! Putting implementations together as one subsystem.

use std::sync::{Arc, Mutex};

use super::dx::{Agreement, ConsensusDx, ConsensusDxConfig};
use super::panel::{Implementation, Watched};
use super::recorder::{ConsensusRecorder, Record};
use crate::component::{Component, Ports};
use crate::diff::Policy;
use crate::error::{Error, Result};
use crate::recorder::{RecorderConfig, RecorderStats, Target};
use crate::system::{NodeConfig, SystemBuilder};

/// Implementations of one component, and who watches them: a subsystem in the
/// component's place.
///
/// Its public inputs are those of the implementations, each of which gets all
/// that comes; its public outputs are those of the first. Each implementation
/// has a node of its own, by its name; those who watch are the components
/// `recorder` and `dx`, and run after them whenever they gave something. An
/// implementation that fails ends the run, as any component does.
pub struct Consensus {
    builder: SystemBuilder,
    node: NodeConfig,
    policy: Policy,
    names: Vec<String>,
    /// Components that watch.
    watchers: Vec<&'static str>,
}

/// The node of those who watch: on data.
const WATCH: &str = "watch";
const RECORDER: &str = "recorder";
const DX: &str = "dx";

impl Consensus {
    /// None yet. `node` is how each implementation runs, as the component did;
    /// `policy` says what agrees, its rules by output port:
    /// `command.data:abs=1e-3`.
    pub fn new(name: &str, node: NodeConfig, policy: Policy) -> Consensus {
        let (builder, names, watchers) = (SystemBuilder::new(name), Vec::new(), Vec::new());
        Consensus { builder, node, policy, names, watchers }
    }

    /// Adds an implementation. The first is what the others are held against,
    /// and what the rest of the system hears.
    ///
    /// # Errors
    /// As [`SystemBuilder::add_to`]; [`Error::Config`] once it is watched.
    pub fn add<C: Component + 'static>(
        &mut self,
        name: &str,
        make: impl FnOnce(&mut Ports) -> Result<C>,
    ) -> Result<()> {
        if let Some(watcher) = self.watchers.first() {
            return Err(refused(format!("add {name} before {watcher}, which watches it")));
        }
        if [RECORDER, DX, WATCH].contains(&name) {
            return Err(refused(format!("{name} can't name an implementation: it is taken")));
        }
        self.builder.node(name, self.node)?;
        self.builder.add_to(name, name, make)?;
        self.names.push(name.to_owned());
        Ok(())
    }

    /// Records the implementations that were added. The counts are found in
    /// what it gives once the system is shut down.
    ///
    /// # Errors
    /// As [`ConsensusRecorder::new`].
    pub fn record(
        &mut self,
        target: Target,
        config: RecorderConfig,
        record: Record,
    ) -> Result<Arc<Mutex<Option<RecorderStats>>>> {
        let mut outcome = None;
        let policy = self.policy.clone();
        self.add_watcher(RECORDER, |watched, ports| {
            let made = ConsensusRecorder::new(target, config, record, &policy, watched, ports)?;
            outcome = Some(made.outcome());
            Ok(made)
        })?;
        Ok(outcome.expect("it was made"))
    }

    /// Counts how well the implementations agree that were added.
    ///
    /// # Errors
    /// As [`ConsensusDx::new`].
    pub fn watch(&mut self, config: ConsensusDxConfig) -> Result<Agreement> {
        let mut agreement = None;
        let policy = self.policy.clone();
        self.add_watcher(DX, |watched, ports| {
            let made = ConsensusDx::new(config, &policy, watched, ports)?;
            agreement = Some(made.agreement());
            Ok(made)
        })?;
        Ok(agreement.expect("it was made"))
    }

    fn add_watcher<C: Component + 'static>(
        &mut self,
        name: &'static str,
        make: impl FnOnce(&Watched, &mut Ports) -> Result<C>,
    ) -> Result<()> {
        let watched = self.watched();
        self.builder.node(WATCH, NodeConfig::default())?;
        self.builder.add_to(WATCH, name, |ports| make(&watched, ports))?;
        for implementation in &watched.implementations {
            let implementation_name = &implementation.name;
            for (port, _) in &implementation.outputs {
                let from = format!("{implementation_name}.{port}");
                self.builder.connect(&from, &format!("{name}.{implementation_name}/{port}"))?;
            }
        }
        self.watchers.push(name);
        Ok(())
    }

    fn watched(&self) -> Watched {
        let graph = self.builder.graph();
        let implementations = self.names.iter().map(|name| {
            let outputs = graph.ports(name, false);
            let outputs =
                outputs.filter_map(|(port, schema)| Some((port.to_owned(), schema?.clone())));
            Implementation { name: name.clone(), outputs: outputs.collect() }
        });
        Watched { inputs: self.inputs(0), implementations: implementations.collect() }
    }

    /// The inputs of an implementation.
    fn inputs(&self, place: usize) -> Vec<String> {
        let Some(name) = self.names.get(place) else { return Vec::new() };
        self.builder.graph().ports(name, true).map(|(port, _)| port.to_owned()).collect()
    }

    /// The subsystem, for [`SystemBuilder::add_subsystem`].
    ///
    /// # Errors
    /// [`Error::Config`] for less than two implementations, or an input that
    /// one of them lacks; [`Error::Graph`] for inputs of different types.
    pub fn build(mut self) -> Result<SystemBuilder> {
        let [first, _, ..] = self.names.as_slice() else {
            return Err(refused(format!(
                "{} implementations of {} can't be compared",
                self.names.len(),
                self.builder.name()
            )));
        };
        let inputs = self.inputs(0);
        for (place, name) in self.names.iter().enumerate() {
            let others = self.inputs(place);
            let lacks = |port: &&String, of: &[String]| !of.contains(port);
            let (one, port, has) = match (
                inputs.iter().find(|port| lacks(port, &others)),
                others.iter().find(|port| lacks(port, &inputs)),
            ) {
                (Some(port), _) => (name, port, first),
                (None, Some(port)) => (first, port, name),
                (None, None) => continue,
            };
            let reason = format!("implementation {one} has no input {port}, which {has} has");
            return Err(refused(reason));
        }
        for port in &inputs {
            let recorder = self.watchers.iter().copied().filter(|name| *name == RECORDER);
            let all = self.names.iter().map(String::as_str).chain(recorder);
            let all: Vec<String> = all.map(|name| format!("{name}.{port}")).collect();
            let all: Vec<&str> = all.iter().map(String::as_str).collect();
            self.builder.expose_shared_input(port, &all)?;
        }
        let outputs = self.builder.graph().ports(first, false);
        let outputs: Vec<String> = outputs.map(|(port, _)| port.to_owned()).collect();
        for port in outputs {
            self.builder.expose_output(&port, &format!("{first}.{port}"))?;
        }
        Ok(self.builder)
    }
}

fn refused(reason: String) -> Error {
    Error::Config { component: "consensus".to_owned(), reason }
}
