//! What a component is to its harness: ports with their types, and a config.

use lk::{Schema, Value};

/// A component as `lk.toml` describes it, all types resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct ComponentSpec {
    /// Name: lower case letters, digits and underscores.
    pub name: String,
    /// What it does, in the author's words.
    pub description: Option<String>,
    /// Input ports, in the order of `lk.toml`; the position is the number
    /// that `lk-run/1` gives the port.
    pub inputs: Vec<PortSpec>,
    /// Output ports, numbered like the inputs, from 0.
    pub outputs: Vec<PortSpec>,
    /// State ports, whose numbers go on after the outputs'.
    pub states: Vec<PortSpec>,
    /// The config, where the component has one.
    pub config: Option<ConfigSpec>,
}

/// One port.
#[derive(Clone, Debug, PartialEq)]
pub struct PortSpec {
    /// Name in the generated code: an identifier.
    pub name: String,
    /// Key in datasets; the name unless `lk.toml` says otherwise.
    pub key: String,
    /// Type of its messages.
    pub schema: Schema,
}

/// A component's config.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigSpec {
    /// Its type.
    pub schema: Schema,
    /// Its values: those of `lk.toml`, the rest from the type's defaults.
    pub value: Value,
}

impl ComponentSpec {
    /// Outputs and states, in the numbering of `lk-run/1`.
    pub fn outgoing(&self) -> impl Iterator<Item = &PortSpec> + Clone {
        self.outputs.iter().chain(&self.states)
    }
}
