//! Putting a system together.

use std::collections::BTreeMap;

use super::cell::{Cell, Edge};
use super::graph::refused;
use super::node::Node;
use super::run::Public;
use super::{Connection, ConnectionGraph, NodeConfig, PortRef, System};
use crate::codec::Plan;
use crate::component::{Build, Component, Input, Output, Ports};
use crate::error::Result;
use crate::schema::Schema;

/// A system while it is put together: components on nodes, connections,
/// subsystems, public ports. Each call checks what it can.
pub struct SystemBuilder {
    name: String,
    graph: ConnectionGraph,
    nodes: BTreeMap<String, NodeConfig>,
    made: BTreeMap<String, Made>,
    /// Public ports by name; an input can stand for several.
    inputs: BTreeMap<String, Vec<PortRef>>,
    outputs: BTreeMap<String, PortRef>,
    /// Public ports of subsystems, as they are seen from here.
    aliases: BTreeMap<PortRef, Vec<PortRef>>,
    owners: u32,
}

struct Made {
    node: String,
    owner: u32,
    component: Box<dyn Component>,
}

/// The node of components that are added to none.
const MAIN: &str = "main";

impl SystemBuilder {
    /// An empty system, whose node `main` runs at 1 kHz of its own time unless
    /// [`SystemBuilder::node`] says otherwise.
    pub fn new(name: &str) -> SystemBuilder {
        let main = NodeConfig { rate_hz: Some(1e3), threaded: false };
        SystemBuilder {
            name: name.to_owned(),
            graph: ConnectionGraph::default(),
            nodes: BTreeMap::from([(MAIN.to_owned(), main)]),
            made: BTreeMap::new(),
            inputs: BTreeMap::new(),
            outputs: BTreeMap::new(),
            aliases: BTreeMap::new(),
            owners: 0,
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is connected so far.
    pub fn graph(&self) -> &ConnectionGraph {
        &self.graph
    }

    /// Adds a node, or says anew how one runs; `main` is there from the start.
    ///
    /// # Errors
    /// [`Error::Graph`](crate::Error::Graph) for a rate that is none.
    pub fn node(&mut self, name: &str, config: NodeConfig) -> Result<()> {
        Node::new(name, config)?;
        self.nodes.insert(name.to_owned(), config);
        Ok(())
    }

    /// Adds a component to the node `main`; `make` declares its ports.
    ///
    /// # Errors
    /// [`Error::Graph`](crate::Error::Graph) for a name that is there already or isn't one; what
    /// `make` gives.
    pub fn add<C: Component + 'static>(
        &mut self,
        name: &str,
        make: impl FnOnce(&mut Ports) -> Result<C>,
    ) -> Result<()> {
        self.add_to(MAIN, name, make)
    }

    /// Adds a component to a node.
    ///
    /// # Errors
    /// As [`SystemBuilder::add`], and for a node that is not there.
    pub fn add_to<C: Component + 'static>(
        &mut self,
        node: &str,
        name: &str,
        make: impl FnOnce(&mut Ports) -> Result<C>,
    ) -> Result<()> {
        if !self.nodes.contains_key(node) {
            return Err(refused(format!(
                "no node {node} for component {name}; there are {}",
                self.nodes.keys().cloned().collect::<Vec<_>>().join(", ")
            )));
        }
        if name.is_empty() || name.contains(['.', '\n', '\r']) {
            return Err(refused(format!(
                "{name:?} can't name a component: it needs a name, without dots, on one line"
            )));
        }
        let owner = self.owners;
        self.owners += 1;
        let mut ports = Ports::new(name, owner);
        let component = make(&mut ports)?;
        self.graph.add(name, ports)?;
        let made = Made { node: node.to_owned(), owner, component: Box::new(component) };
        self.made.insert(name.to_owned(), made);
        Ok(())
    }

    /// Adds a component that is made from its config, to a node.
    ///
    /// # Errors
    /// As [`SystemBuilder::add_to`].
    pub fn build_to<C: Build + 'static>(
        &mut self,
        node: &str,
        name: &str,
        config: C::Config,
    ) -> Result<()> {
        self.add_to(node, name, |ports| C::build(config, ports))
    }

    /// Adds all of another system: its components as `name/component`, its
    /// nodes as `name/node`, its public ports as ports of `name`.
    ///
    /// # Errors
    /// [`Error::Graph`](crate::Error::Graph) for a name that is there already or isn't one.
    pub fn add_subsystem(&mut self, name: &str, sub: SystemBuilder) -> Result<()> {
        let taken = self.aliases.keys().any(|port| port.component == name);
        if taken || self.made.contains_key(name) {
            return Err(refused(format!("component {name} is there already")));
        }
        if name.is_empty() || name.contains(['.', '/', '\n', '\r']) {
            return Err(refused(format!(
                "{name:?} can't name a subsystem: it needs a name, without dots and slashes"
            )));
        }
        let inner =
            |port: PortRef| PortRef { component: format!("{name}/{}", port.component), ..port };
        self.graph.embed(name, sub.graph)?;
        for (node, config) in sub.nodes {
            self.nodes.insert(format!("{name}/{node}"), config);
        }
        for (component, made) in sub.made {
            let node = format!("{name}/{}", made.node);
            self.made.insert(format!("{name}/{component}"), Made { node, ..made });
        }
        let outputs = sub.outputs.into_iter().map(|(port, target)| (port, vec![target]));
        for (port, targets) in sub.inputs.into_iter().chain(outputs) {
            let public = PortRef { component: name.to_owned(), port };
            self.aliases.insert(public, targets.into_iter().map(inner).collect());
        }
        Ok(())
    }

    /// Connects an output to an input: `connect("plant.state",
    /// "controller.state")`. A message arrives within the same tick.
    ///
    /// # Errors
    /// [`Error::Graph`](crate::Error::Graph) where there is no such port, the types differ, or the
    /// input has a writer already.
    pub fn connect(&mut self, from: &str, to: &str) -> Result<()> {
        self.connect_ports(from, to, false)
    }

    /// Connects an output to an input that gets its messages at the tick after
    /// the one they were written in. A cycle needs one such connection.
    ///
    /// # Errors
    /// As [`SystemBuilder::connect`].
    pub fn connect_delayed(&mut self, from: &str, to: &str) -> Result<()> {
        self.connect_ports(from, to, true)
    }

    fn connect_ports(&mut self, from: &str, to: &str, delayed: bool) -> Result<()> {
        let from = self.resolve(from)?;
        for to in self.resolve_all(to)? {
            if let Some((name, _)) = self.inputs.iter().find(|(_, ports)| ports.contains(&to)) {
                return Err(refused(format!(
                    "can't connect {from} to {to}: it is the public input {name}, which writes to it"
                )));
            }
            self.graph.connect(Connection { from: from.clone(), to, delayed })?;
        }
        Ok(())
    }

    /// Makes an input public: it is written by who has the system, or connected
    /// where this becomes a subsystem.
    ///
    /// # Errors
    /// [`Error::Graph`](crate::Error::Graph) where there is no such input, it has a writer, or the
    /// name is taken.
    pub fn expose_input(&mut self, name: &str, port: &str) -> Result<()> {
        self.expose_shared_input(name, &[port])
    }

    /// Makes several inputs one public input: what is written to it, or
    /// connected, goes to all of them.
    ///
    /// # Errors
    /// As [`SystemBuilder::expose_input`], and where their types differ or
    /// there is none.
    pub fn expose_shared_input(&mut self, name: &str, ports: &[&str]) -> Result<()> {
        let mut targets: Vec<PortRef> = Vec::new();
        for port in ports {
            targets.extend(self.resolve_all(port)?);
        }
        let mut typed: Option<(&PortRef, &Schema)> = None;
        for port in &targets {
            let wanted = self.graph.input(port)?.schema.as_ref();
            if let Some(other) = self.graph.connections().iter().find(|c| c.to == *port) {
                return Err(refused(format!(
                    "{port} can't be public: {} writes to it",
                    other.from
                )));
            }
            match (typed, wanted) {
                (Some((first, a)), Some(b)) if a.fingerprint() != b.fingerprint() => {
                    return Err(refused(format!(
                        "{first} and {port} can't be one public input: {first} takes {}, {port} takes {}",
                        a.name_and_fingerprint(),
                        b.name_and_fingerprint()
                    )));
                }
                (None, Some(schema)) => typed = Some((port, schema)),
                _ => {}
            }
        }
        if targets.is_empty() {
            return Err(refused(format!("public input {name} needs an input that it goes to")));
        }
        self.free_public_name(name)?;
        self.inputs.insert(name.to_owned(), targets);
        Ok(())
    }

    /// Makes an output public.
    ///
    /// # Errors
    /// [`Error::Graph`](crate::Error::Graph) where there is no such output, or the name is taken.
    pub fn expose_output(&mut self, name: &str, port: &str) -> Result<()> {
        let port = self.resolve(port)?;
        self.graph.output(&port)?;
        self.free_public_name(name)?;
        self.outputs.insert(name.to_owned(), port);
        Ok(())
    }

    fn free_public_name(&self, name: &str) -> Result<()> {
        match self.inputs.contains_key(name) || self.outputs.contains_key(name) {
            true => Err(refused(format!("public port {name} is there already"))),
            false => Ok(()),
        }
    }

    /// The ports that a name stands for: more than one for a shared input.
    fn resolve_all(&self, port: &str) -> Result<Vec<PortRef>> {
        let port: PortRef = port.parse()?;
        Ok(self.aliases.get(&port).cloned().unwrap_or_else(|| vec![port]))
    }

    /// The first of them.
    fn resolve(&self, port: &str) -> Result<PortRef> {
        let mut ports = self.resolve_all(port)?;
        Ok(ports.swap_remove(0))
    }

    /// The type of what flows into an input: of a dynamic one, what it is
    /// connected to.
    ///
    /// # Errors
    /// [`Error::Graph`](crate::Error::Graph) where there is no such input, or nothing is connected
    /// to a dynamic one.
    pub fn schema_at(&self, input: &str) -> Result<Schema> {
        let port = self.resolve(input)?;
        self.graph.input(&port)?;
        self.graph.schema_at(&port).ok_or_else(|| {
            refused(format!("nothing is connected to {port}, so that its type isn't known"))
        })
    }

    /// The system, ready to run.
    ///
    /// # Errors
    /// [`Error::Graph`](crate::Error::Graph) where components wait for each other in a circle
    /// without a delay.
    pub fn build(self) -> Result<System> {
        let SystemBuilder { name, graph, mut nodes, mut made, inputs, outputs, .. } = self;
        // A node without components has nothing to tick for.
        nodes.retain(|node, _| made.values().any(|made| made.node == *node));
        let levels: Vec<Vec<String>> = graph
            .levels()?
            .into_iter()
            .map(|level| level.into_iter().map(str::to_owned).collect())
            .collect();
        let node_ids: BTreeMap<&str, usize> = nodes.keys().map(String::as_str).zip(0..).collect();
        let order = levels.iter().flatten().map(String::as_str);
        let ids: BTreeMap<&str, usize> = order.zip(0..).collect();

        let mut cells = Vec::with_capacity(ids.len());
        for name in levels.iter().flatten() {
            let made = made.remove(name).expect("each component of the graph was made");
            let mut cell =
                Cell::new(name, made.owner, node_ids[made.node.as_str()], made.component);
            let (n_inputs, n_outputs) = graph.port_counts(name);
            cell.inputs.resize_with(n_inputs, Input::default);
            cell.outputs.resize_with(n_outputs, Output::default);
            cells.push(cell);
        }
        for connection in graph.connections() {
            let (from, to) = (graph.output(&connection.from)?, graph.input(&connection.to)?);
            let held = from.held_type();
            let wanted = to.rust_type;
            let schema = from.schema.as_ref().expect("an output has a schema");
            let convert = match (wanted, to.convert) {
                (Some(wanted), Some(convert)) if wanted != held => {
                    Some((convert, Plan::new(schema)))
                }
                _ => None,
            };
            let position = |port: &PortRef, is_input| {
                graph.position(port, is_input).expect("the port was found above")
            };
            let edge = Edge {
                output: position(&connection.from, false),
                cell: ids[connection.to.component.as_str()],
                input: position(&connection.to, true),
                delayed: connection.delayed,
                moves: false,
                convert,
            };
            let from = ids[connection.from.component.as_str()];
            cells[from].edges.push(edge);
        }
        let public = |port: PortRef, is_input: bool| {
            let spec = if is_input { graph.input(&port) } else { graph.output(&port) };
            let spec = spec?;
            Ok(Public {
                cell: ids[port.component.as_str()],
                index: graph.position(&port, is_input).expect("the port was found above"),
                rust_type: spec.rust_type,
                schema: spec.schema.clone(),
            })
        };
        let inputs = inputs.into_iter().map(|(name, ports)| {
            let ports = ports.into_iter().map(|port| public(port, true));
            Ok((name, ports.collect::<Result<Vec<Public>>>()?))
        });
        let inputs = inputs.collect::<Result<BTreeMap<String, Vec<Public>>>>()?;
        let outputs = outputs.into_iter().map(|(name, port)| Ok((name, public(port, false)?)));
        let outputs = outputs.collect::<Result<BTreeMap<String, Public>>>()?;
        for (place, cell) in cells.iter_mut().enumerate() {
            let is_public = |output| outputs.values().any(|p| (p.cell, p.index) == (place, output));
            cell.move_where_none_is_left(is_public);
        }
        let nodes = nodes.iter().map(|(name, config)| Node::new(name, *config));
        let nodes = nodes.collect::<Result<Vec<Node>>>()?;
        let sizes = levels.iter().map(Vec::len).collect();
        Ok(System::new(name, graph, cells, sizes, nodes, inputs, outputs))
    }
}
