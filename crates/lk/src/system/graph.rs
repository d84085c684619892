//! Which output goes to which input, and in what order that makes components
//! run.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::component::{PortSpec, Ports};
use crate::error::{Error, Result};
use crate::schema::Schema;

/// A port of a component: `plant.state`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortRef {
    /// Name of the component, without a dot.
    pub component: String,
    /// Name of the port.
    pub port: String,
}

/// An output that goes to an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The output.
    pub from: PortRef,
    /// The input.
    pub to: PortRef,
    /// Whether a message arrives at the next tick rather than at once: what
    /// each cycle needs one of.
    pub delayed: bool,
}

/// Components by name with their ports, and how these are connected.
#[derive(Clone, Debug, Default)]
pub struct ConnectionGraph {
    components: BTreeMap<String, [Vec<PortSpec>; 2]>,
    connections: Vec<Connection>,
}

const INPUTS: usize = 0;
const OUTPUTS: usize = 1;

impl ConnectionGraph {
    /// Components by name.
    pub fn components(&self) -> impl Iterator<Item = &str> {
        self.components.keys().map(String::as_str)
    }

    /// All connections, in the order in which they were made.
    pub fn connections(&self) -> &[Connection] {
        &self.connections
    }

    /// Inputs of a component with their types, as they were declared; one that
    /// takes what it is connected to has none.
    pub fn inputs(&self, component: &str) -> impl Iterator<Item = (&str, Option<&Schema>)> {
        self.ports(component, true)
    }

    /// Outputs of a component with their types, as they were declared.
    pub fn outputs(&self, component: &str) -> impl Iterator<Item = (&str, Option<&Schema>)> {
        self.ports(component, false)
    }

    pub(super) fn add(&mut self, name: &str, ports: Ports) -> Result<()> {
        if self.components.contains_key(name) {
            return Err(refused(format!("component {name} is there already")));
        }
        self.components.insert(name.to_owned(), [ports.inputs, ports.outputs]);
        Ok(())
    }

    /// Takes in another graph, its names prefixed with `prefix/`.
    pub(super) fn embed(&mut self, prefix: &str, other: ConnectionGraph) -> Result<()> {
        for (name, ports) in other.components {
            let name = format!("{prefix}/{name}");
            if self.components.contains_key(&name) {
                return Err(refused(format!("component {name} is there already")));
            }
            self.components.insert(name, ports);
        }
        let inner =
            |port: PortRef| PortRef { component: format!("{prefix}/{}", port.component), ..port };
        self.connections.extend(other.connections.into_iter().map(|connection| Connection {
            from: inner(connection.from),
            to: inner(connection.to),
            delayed: connection.delayed,
        }));
        Ok(())
    }

    /// Connects an output to an input of the same type that nothing else
    /// writes to.
    pub(super) fn connect(&mut self, connection: Connection) -> Result<()> {
        let Connection { from, to, .. } = &connection;
        let output = self.output(from)?;
        let input = self.input(to)?;
        let given = output.schema.as_ref().expect("an output has a schema");
        if let Some(wanted) = &input.schema
            && wanted.fingerprint() != given.fingerprint()
        {
            return Err(refused(format!(
                "can't connect {from} to {to}: {from} gives {}, {to} takes {}",
                given.name_and_fingerprint(),
                wanted.name_and_fingerprint()
            )));
        }
        if let Some(other) = self.connections.iter().find(|other| other.to == *to) {
            return Err(refused(format!(
                "can't connect {from} to {to}: {} writes to it already, and an input has one writer",
                other.from
            )));
        }
        self.connections.push(connection);
        Ok(())
    }

    /// The spec of an input.
    pub(super) fn input(&self, port: &PortRef) -> Result<&PortSpec> {
        self.find(port, INPUTS)
    }

    /// The spec of an output.
    pub(super) fn output(&self, port: &PortRef) -> Result<&PortSpec> {
        self.find(port, OUTPUTS)
    }

    /// Position of a port among those of its component and direction.
    pub(super) fn position(&self, port: &PortRef, is_input: bool) -> Option<usize> {
        let list = &self.components.get(&port.component)?[if is_input { INPUTS } else { OUTPUTS }];
        list.iter().position(|spec| spec.name == port.port)
    }

    /// How many inputs and outputs a component has.
    pub(super) fn port_counts(&self, component: &str) -> (usize, usize) {
        let ports = self.components.get(component);
        ports.map_or((0, 0), |ports| (ports[INPUTS].len(), ports[OUTPUTS].len()))
    }

    /// The type of what flows into a dynamic input; its own where it is typed.
    pub(super) fn schema_at(&self, input: &PortRef) -> Option<Schema> {
        let own = self.input(input).ok()?.schema.clone();
        own.or_else(|| {
            let connection = self.connections.iter().find(|c| c.to == *input)?;
            self.output(&connection.from).ok()?.schema.clone()
        })
    }

    fn find(&self, port: &PortRef, direction: usize) -> Result<&PortSpec> {
        let (kind, other) = [("input", "output"), ("output", "input")][direction];
        let Some(ports) = self.components.get(&port.component) else {
            let known: Vec<&str> = self.components().collect();
            return Err(refused(format!(
                "no component {} for {port}; there are {}",
                port.component,
                listed(&known)
            )));
        };
        let named = |list: &'_ [PortSpec]| list.iter().position(|spec| spec.name == port.port);
        if let Some(at) = named(&ports[direction]) {
            return Ok(&ports[direction][at]);
        }
        if named(&ports[1 - direction]).is_some() {
            return Err(refused(format!("{port} is an {other}, not an {kind}")));
        }
        let known: Vec<&str> = ports[direction].iter().map(|spec| spec.name.as_str()).collect();
        Err(refused(format!(
            "{} has no {kind} {}; its {kind}s are {}",
            port.component,
            port.port,
            listed(&known)
        )))
    }

    /// Components in the order in which they run: by how many others they wait
    /// for in a row, then by name. Those of one level don't wait for each
    /// other.
    ///
    /// # Errors
    /// [`Error::Graph`] where components wait for each other in a circle,
    /// which it names.
    pub fn levels(&self) -> Result<Vec<Vec<&str>>> {
        let mut waits: BTreeMap<&str, BTreeSet<&str>> =
            self.components().map(|name| (name, BTreeSet::new())).collect();
        for connection in self.connections.iter().filter(|connection| !connection.delayed) {
            if let Some(waits) = waits.get_mut(connection.to.component.as_str()) {
                waits.insert(&connection.from.component);
            }
        }
        let mut levels: Vec<Vec<&str>> = Vec::new();
        while !waits.is_empty() {
            let free = waits.iter().filter(|(_, on)| on.is_empty());
            let level: Vec<&str> = free.map(|(name, _)| *name).collect();
            if level.is_empty() {
                let circle = cycle(&waits);
                return Err(refused(format!(
                    "{} wait for each other within one tick: {}; connect one of these with a delay",
                    circle.join(" -> "),
                    self.through(&circle)
                )));
            }
            for name in &level {
                waits.remove(name);
            }
            for on in waits.values_mut() {
                on.retain(|name| !level.contains(name));
            }
            levels.push(level);
        }
        Ok(levels)
    }

    /// The connections along a row of components, the first of each two.
    fn through(&self, row: &[&str]) -> String {
        let steps = row.windows(2).filter_map(|pair| {
            let joins = |c: &&Connection| {
                !c.delayed && [c.from.component.as_str(), c.to.component.as_str()] == *pair
            };
            let found = self.connections.iter().find(joins)?;
            Some(format!("{} goes to {}", found.from, found.to))
        });
        steps.collect::<Vec<_>>().join(", ")
    }

    /// The ports of a component by name, inputs or outputs, with their types;
    /// `None` for the type of a dynamic input.
    pub(crate) fn ports(
        &self,
        component: &str,
        is_input: bool,
    ) -> impl Iterator<Item = (&str, Option<&Schema>)> {
        let ports = self.components.get(component);
        let list = ports.map(|ports| &ports[if is_input { INPUTS } else { OUTPUTS }]);
        list.into_iter().flatten().map(|spec| (spec.name.as_str(), spec.schema.as_ref()))
    }

    /// Whether another graph has the same components, ports and connections.
    pub(super) fn is_like(&self, other: &ConnectionGraph) -> bool {
        self.connections == other.connections
            && self.components.len() == other.components.len()
            && self.components.iter().zip(&other.components).all(|((name, a), (other, b))| {
                name == other && a.iter().zip(b).all(|(a, b)| alike(a, b))
            })
    }
}

fn alike(a: &[PortSpec], b: &[PortSpec]) -> bool {
    let print = |spec: &PortSpec| spec.schema.as_ref().map(Schema::fingerprint);
    a.len() == b.len()
        && a.iter()
            .zip(b)
            .all(|(a, b)| a.name == b.name && a.rust_type == b.rust_type && print(a) == print(b))
}

/// A circle among components of which each waits for another, in the order in
/// which messages flow; the first name stands at its end again.
fn cycle<'a>(waits: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> Vec<&'a str> {
    let mut path: Vec<&str> = Vec::new();
    let mut next = waits.keys().next().copied();
    while let Some(name) = next {
        if let Some(start) = path.iter().position(|known| *known == name) {
            path.drain(..start);
            path.push(name);
            path.reverse();
            break;
        }
        path.push(name);
        next = waits.get(name).and_then(|on| on.iter().find(|on| waits.contains_key(*on))).copied();
    }
    path
}

pub(super) fn refused(reason: String) -> Error {
    Error::Graph { reason }
}

fn listed(names: &[&str]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

impl std::str::FromStr for PortRef {
    type Err = Error;

    /// Reads `component.port`; the port's name may have dots in it.
    fn from_str(text: &str) -> Result<PortRef> {
        match text.split_once('.') {
            Some((component, port)) if !component.is_empty() && !port.is_empty() => {
                Ok(PortRef { component: component.to_owned(), port: port.to_owned() })
            }
            _ => Err(refused(format!("{text:?} is no port; write `component.port`"))),
        }
    }
}

impl fmt::Display for PortRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.component, self.port)
    }
}
