//! `lk.toml` as it is written: one type per table.
//!
//! The doc comments are what `lk schema` prints as descriptions.

use std::fmt;

use indexmap::IndexMap;
use lk::diff::Policy;
use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::json_schema;

/// What one component is, where its inputs come from, its reference, its
/// candidates, and what counts as equal.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "lk.toml")]
pub struct ManifestFile {
    /// The component.
    pub component: ComponentTable,
    /// Input ports: `port = "package/Type"`, or a table with `type` and `key`.
    pub inputs: IndexMap<String, PortEntry>,
    /// Output ports, which are compared.
    pub outputs: IndexMap<String, PortEntry>,
    /// Internal state, compared where both sides record it.
    #[serde(default)]
    pub state: IndexMap<String, PortEntry>,
    /// The config, where the component has one.
    pub config: Option<ConfigTable>,
    /// What makes a tick.
    #[serde(default)]
    pub tick: TickTable,
    /// Where inputs come from.
    pub data: Option<DataTable>,
    /// What inputs are drawn from, by port and field: see `lk sample --help`.
    #[serde(default)]
    #[schemars(schema_with = "json_schema::distributions")]
    pub distributions: IndexMap<String, toml::Table>,
    /// The original: a program, or a recording of it.
    pub reference: Option<ReferenceTable>,
    /// The programs under test, by name.
    #[serde(default)]
    pub candidates: IndexMap<String, CandidateTable>,
    /// What counts as equal: rules and tolerances of the comparison.
    #[serde(default)]
    #[schemars(schema_with = "json_schema::policy")]
    pub tolerance: Policy,
}

/// The component.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ComponentTable {
    /// Lower case letters, digits and underscores, beginning with a letter.
    pub name: String,
    /// What it does.
    pub description: Option<String>,
}

/// A port: its type, and the key of its messages in datasets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortEntry {
    /// `package/Type` or `package/msg/Type`.
    pub ty: String,
    /// Key in datasets; the port's name where it is not given.
    pub key: Option<String>,
}

/// The config's type and values.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigTable {
    /// `package/Type` or `package/msg/Type`.
    #[serde(rename = "type")]
    pub ty: String,
    /// Values by field; fields left out have the default of the `.msg` text.
    #[serde(default)]
    #[schemars(schema_with = "json_schema::any_table")]
    pub values: toml::Table,
}

/// What makes a tick: `on`, or `rate_hz`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TickTable {
    /// `"any"` (every distinct input time, the default), or a list of input
    /// ports whose samples make ticks.
    pub on: Option<TickOn>,
    /// A tick at each multiple of the period, in hertz.
    pub rate_hz: Option<f64>,
}

/// Whose samples make ticks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TickOn {
    /// Every input's.
    Any,
    /// Those of these ports.
    Ports(Vec<String>),
}

/// Where inputs come from.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataTable {
    /// A dataset: a path relative to `lk.toml`.
    pub inputs: String,
    /// Seed handed to the programs.
    #[serde(default)]
    pub seed: u64,
}

/// The original: a program (`run`), or a recording of it (`recording`).
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReferenceTable {
    /// A dataset with the outputs: a path relative to `lk.toml`.
    pub recording: Option<String>,
    /// Working folder of the program, relative to `lk.toml`.
    pub dir: Option<String>,
    /// Command that builds it, run in its folder.
    pub build: Option<Vec<String>>,
    /// Command that runs it: a program that speaks lk-run/1.
    pub run: Option<Vec<String>>,
    /// Language of its generated harness, which is checked to be current.
    pub scaffold: Option<Language>,
    /// How long things may take.
    #[serde(default)]
    pub limits: LimitsTable,
}

/// A program under test.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CandidateTable {
    /// Working folder, relative to `lk.toml`.
    pub dir: Option<String>,
    /// Command that builds it, run in its folder.
    pub build: Option<Vec<String>>,
    /// Command that runs it: a program that speaks lk-run/1.
    pub run: Vec<String>,
    /// Language of its generated harness, which is checked to be current.
    pub scaffold: Option<Language>,
    /// `false`: only run when it is named with `--candidate`.
    #[serde(default = "yes")]
    pub default: bool,
    /// How long things may take.
    #[serde(default)]
    pub limits: LimitsTable,
}

/// How long things may take, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsTable {
    /// From the start to `ready`.
    pub start_s: f64,
    /// One tick.
    pub tick_s: f64,
    /// The build.
    pub build_s: f64,
}

/// A language that `lk init` writes harnesses in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// C++17.
    Cpp,
    /// Rust.
    Rust,
    /// Python 3.11.
    Python,
}

impl Language {
    /// As `lk.toml` and the command line name it.
    pub const fn name(self) -> &'static str {
        match self {
            Language::Cpp => "cpp",
            Language::Rust => "rust",
            Language::Python => "python",
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Default for LimitsTable {
    fn default() -> LimitsTable {
        LimitsTable { start_s: 30.0, tick_s: 10.0, build_s: 600.0 }
    }
}

const fn yes() -> bool {
    true
}

/// The long form of a port.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PortTable {
    /// `package/Type` or `package/msg/Type`.
    #[serde(rename = "type")]
    ty: String,
    /// Key in datasets; the port's name where it is not given.
    key: Option<String>,
}

// By hand, since `untagged` loses the place and the name of an unknown key.
impl<'de> Deserialize<'de> for PortEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<PortEntry, D::Error> {
        struct PortVisitor;

        impl<'de> Visitor<'de> for PortVisitor {
            type Value = PortEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a type \"package/Type\", or a table with `type` and `key`")
            }
            fn visit_str<E>(self, ty: &str) -> Result<PortEntry, E> {
                Ok(PortEntry { ty: ty.to_owned(), key: None })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<PortEntry, A::Error> {
                let table = PortTable::deserialize(MapAccessDeserializer::new(map))?;
                Ok(PortEntry { ty: table.ty, key: table.key })
            }
        }

        deserializer.deserialize_any(PortVisitor)
    }
}

impl<'de> Deserialize<'de> for TickOn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<TickOn, D::Error> {
        struct OnVisitor;

        impl<'de> Visitor<'de> for OnVisitor {
            type Value = TickOn;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"any\" or a list of input ports")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<TickOn, E> {
                match text {
                    "any" => Ok(TickOn::Any),
                    other => Err(E::invalid_value(serde::de::Unexpected::Str(other), &self)),
                }
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<TickOn, A::Error> {
                let mut ports = Vec::new();
                while let Some(port) = seq.next_element()? {
                    ports.push(port);
                }
                Ok(TickOn::Ports(ports))
            }
        }

        deserializer.deserialize_any(OnVisitor)
    }
}
