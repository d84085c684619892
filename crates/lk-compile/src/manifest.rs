//! `lk.toml`: what one component is, and the programs that implement it.

mod distributions;
mod file;
mod json_schema;
mod programs;
mod types;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use file::{
    CandidateTable, ComponentTable, ConfigTable, DataTable, Language, LimitsTable, ManifestFile,
    PortEntry, ReferenceTable, TickOn, TickTable,
};
use indexmap::IndexMap;
pub use json_schema::json_schema;
use lk::Value;
use lk::dataset::OpenOptions;
use lk::value::ValueSeed;
use serde::de::DeserializeSeed;

use crate::component::{ComponentSpec, ConfigSpec, PortSpec};
use crate::error::{Error, Result};
use crate::suggest;
use types::TypeResolver;

/// Name of the file.
pub const FILE_NAME: &str = "lk.toml";

/// Key of the channel in which the runner records ticks that ended in an
/// error of the component; no port can have it.
pub const ERROR_KEY: &str = "lk_error";

/// A loaded and checked `lk.toml`.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// What it says.
    pub file: ManifestFile,
    /// The folder that its paths are relative to, as it was given.
    pub dir: PathBuf,
    /// The file itself.
    pub path: PathBuf,
    text: String,
}

impl Manifest {
    /// Reads the `lk.toml` of a folder (or the file itself, where `path` is
    /// one) and checks what can be checked without its types and data.
    ///
    /// # Errors
    /// No such file; text that is no TOML; an unknown key, a name or a
    /// combination that can't be: each with its line.
    pub fn load(path: impl AsRef<Path>) -> Result<Manifest> {
        let given = path.as_ref();
        let path = if given.is_file() { given.to_path_buf() } else { given.join(FILE_NAME) };
        match std::fs::read_to_string(&path) {
            Ok(text) => Manifest::parse(text, path),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                Err(Error::NoManifest { dir: given.to_path_buf() })
            }
            Err(e) => Err(Error::io("read", &path)(e)),
        }
    }

    /// As [`Manifest::load`], from text that is (or would be) the file `path`.
    pub fn parse(text: String, path: PathBuf) -> Result<Manifest> {
        let file = toml::from_str(&text).map_err(|error| syntax_error(&text, &path, &error))?;
        let dir = match path.parent() {
            Some(dir) if dir != Path::new("") => dir.to_path_buf(),
            _ => PathBuf::from("."),
        };
        let manifest = Manifest { file, dir, path, text };
        manifest.check()?;
        Ok(manifest)
    }

    /// The component with its types resolved: from the folder `msg` beside
    /// `lk.toml`, else from the inputs dataset, else the common ROS 2 types.
    ///
    /// # Errors
    /// A type that isn't found or breaks the rules; a config that doesn't fit
    /// its type.
    pub fn component(&self) -> Result<ComponentSpec> {
        let types = TypeResolver::new(self);
        let ports = |section: &str, entries: &IndexMap<String, PortEntry>| {
            let port = |(name, entry): (&String, &PortEntry)| {
                let schema = types.resolve(&entry.ty, &[section, name])?;
                Ok(PortSpec { name: name.clone(), key: entry.key(name).to_owned(), schema })
            };
            entries.iter().map(port).collect::<Result<Vec<_>>>()
        };
        Ok(ComponentSpec {
            name: self.file.component.name.clone(),
            description: self.file.component.description.clone(),
            inputs: ports("inputs", &self.file.inputs)?,
            outputs: ports("outputs", &self.file.outputs)?,
            states: ports("state", &self.file.state)?,
            config: self
                .file
                .config
                .as_ref()
                .map(|table| self.config(table, &types))
                .transpose()?,
        })
    }

    /// How recordings are opened: types that one just names are looked for in
    /// the folder `msg` beside `lk.toml`, too.
    pub fn open_options(&self) -> OpenOptions {
        let msgs = self.dir.join("msg");
        OpenOptions { msgs: msgs.is_dir().then_some(msgs) }
    }

    fn config(&self, table: &ConfigTable, types: &TypeResolver<'_>) -> Result<ConfigSpec> {
        let schema = types.resolve(&table.ty, &["config", "type"])?;
        let values = toml::Value::Table(table.values.clone());
        let value: Value = ValueSeed::new(&schema).deserialize(values).map_err(|error| {
            let message = format!("config doesn't fit {}: {}", schema.name(), error.message());
            self.error_at(&["config", "values"], message, None)
        })?;
        Ok(ConfigSpec { schema, value })
    }

    /// The path of the inputs dataset.
    ///
    /// # Errors
    /// `[data]` is missing.
    pub fn inputs_path(&self) -> Result<PathBuf> {
        let data = self.file.data.as_ref().ok_or_else(|| {
            let hint = "add `[data]` with `inputs = \"inputs.mcap\"`";
            self.error_at(&[], "lk.toml doesn't say where inputs come from", Some(hint.into()))
        })?;
        Ok(self.dir.join(&data.inputs))
    }

    /// The path of the recording that is the reference, where there is one.
    pub fn recording_path(&self) -> Option<PathBuf> {
        let recording = self.file.reference.as_ref()?.recording.as_ref()?;
        Some(self.dir.join(recording))
    }

    /// The seed that programs are given.
    pub fn seed(&self) -> u64 {
        self.file.data.as_ref().map_or(0, |data| data.seed)
    }

    /// An error about a place in the file, with its line.
    pub(crate) fn error_at(
        &self,
        at: &[&str],
        message: impl Into<String>,
        hint: Option<String>,
    ) -> Error {
        let line = line_of_key(&self.text, at);
        Error::Manifest { path: self.path.clone(), line, message: message.into(), hint }
    }

    fn check(&self) -> Result<()> {
        let file = &self.file;
        let name = &file.component.name;
        if !is_package_name(name) {
            let hint = "use lower case letters, digits and underscores: `attitude_filter`";
            let message = format!("component name {name:?} can't name a package in every language");
            return Err(self.error_at(&["component", "name"], message, Some(hint.into())));
        }
        self.check_ports()?;
        self.check_tick()?;
        self.check_reference()?;
        self.check_scope()?;
        self.check_distributions()?;
        for (name, candidate) in &file.candidates {
            if name.is_empty()
                || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
            {
                let message = format!("candidate name {name:?} can't name a file");
                let hint = "use letters, digits, `_` and `-`";
                return Err(self.error_at(&["candidates", name], message, Some(hint.into())));
            }
            if candidate.run.is_empty() {
                let message = format!("`run` of candidate {name} is empty");
                return Err(self.error_at(&["candidates", name, "run"], message, None));
            }
            self.check_limits(&["candidates", name, "limits"], candidate.limits)?;
        }
        Ok(())
    }

    fn check_ports(&self) -> Result<()> {
        let file = &self.file;
        let sections =
            [("inputs", &file.inputs), ("outputs", &file.outputs), ("state", &file.state)];
        let mut owners: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
        for (section, entries) in sections {
            for (name, entry) in entries {
                let at = [section, name.as_str()];
                if !is_identifier(name) {
                    let hint = "use letters, digits and underscores, and `key` for its name in \
                                datasets: `imu = { type = \"...\", key = \"/imu/data\" }`";
                    let message = format!("port name {name:?} is not an identifier");
                    return Err(self.error_at(&at, message, Some(hint.into())));
                }
                let key = entry.key(name);
                if key == ERROR_KEY || key.is_empty() {
                    let message = format!("port {name} can't have the key {key:?}");
                    return Err(self.error_at(&at, message, None));
                }
                if let Some((section, other)) = owners.insert(key, (section, name)) {
                    let hint = "give one of them another `key`";
                    let message = format!(
                        "key {key:?} belongs to both {section}.{other} and {}.{name}",
                        at[0]
                    );
                    return Err(self.error_at(&at, message, Some(hint.into())));
                }
            }
        }
        if let Some(name) = file.outputs.keys().find(|name| file.state.contains_key(*name)) {
            let message = format!("{name} is an output and a state");
            return Err(self.error_at(&["state", name], message, None));
        }
        for (section, entries) in [("inputs", &file.inputs), ("outputs", &file.outputs)] {
            if entries.is_empty() {
                let message = format!("`[{section}]` names no port");
                return Err(self.error_at(&[section], message, None));
            }
        }
        let limit = usize::from(u16::MAX);
        if file.inputs.len() > limit || file.outputs.len() + file.state.len() > limit {
            return Err(self.error_at(&[], format!("more than {limit} ports"), None));
        }
        Ok(())
    }

    fn check_tick(&self) -> Result<()> {
        let tick = &self.file.tick;
        match (&tick.on, tick.rate_hz) {
            (Some(_), Some(_)) => {
                let hint = "keep one of the two";
                let message = "`on` and `rate_hz` exclude each other";
                Err(self.error_at(&["tick", "rate_hz"], message, Some(hint.into())))
            }
            (None, Some(rate_hz)) if !(1e-6..=1e9).contains(&rate_hz) => {
                let message = format!("rate_hz = {rate_hz} is not between 1e-6 and 1e9");
                Err(self.error_at(&["tick", "rate_hz"], message, None))
            }
            (Some(TickOn::Ports(ports)), None) => {
                let inputs = self.file.inputs.keys().map(String::as_str);
                for port in ports {
                    if !self.file.inputs.contains_key(port) {
                        let message = format!("tick on `{port}`, which is no input");
                        let hint = suggest::hint(port, inputs);
                        return Err(self.error_at(&["tick", "on"], message, hint));
                    }
                }
                if ports.is_empty() {
                    let hint = "name input ports, or write `on = \"any\"`";
                    let message = "tick on no port at all";
                    return Err(self.error_at(&["tick", "on"], message, Some(hint.into())));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// That nobody is promised a comparison of the inputs, which both sides
    /// were given.
    fn check_scope(&self) -> Result<()> {
        let given = toml::from_str::<toml::Table>(&self.text).ok();
        let scope = given.as_ref().and_then(|file| file.get("tolerance")?.get("scope")?.as_str());
        if scope == Some("all") {
            let message =
                "`scope = \"all\"` has no effect in verify, which compares outputs and state";
            let hint =
                "leave `scope` out; `lk diff` compares the keys of two files whatever their role";
            return Err(self.error_at(&["tolerance", "scope"], message, Some(hint.into())));
        }
        Ok(())
    }

    fn check_reference(&self) -> Result<()> {
        let Some(reference) = &self.file.reference else { return Ok(()) };
        let (message, hint) = match (&reference.recording, &reference.run) {
            (Some(_), Some(_)) => {
                ("the reference is a program (`run`) and a recording", "keep one of the two")
            }
            (None, None) => (
                "the reference is neither a program nor a recording",
                "give `run = [...]`, or `recording = \"reference.mcap\"`",
            ),
            (None, Some(run)) if run.is_empty() => {
                ("`run` of the reference is empty", "give the program and its arguments")
            }
            _ => return self.check_limits(&["reference", "limits"], reference.limits),
        };
        Err(self.error_at(&["reference"], message, Some(hint.into())))
    }

    fn check_limits(&self, at: &[&str], limits: LimitsTable) -> Result<()> {
        let named =
            [("start_s", limits.start_s), ("tick_s", limits.tick_s), ("build_s", limits.build_s)];
        for (name, seconds) in named {
            // A year is the end, so that deadlines can't overflow. False for NaN.
            if !(seconds > 0.0 && seconds <= 31_536_000.0) {
                let message = format!("limit {name} = {seconds} is no time to wait, in seconds");
                return Err(self.error_at(&[at, &[name]].concat(), message, None));
            }
        }
        Ok(())
    }
}

impl PortEntry {
    /// The key in datasets of the port `name`.
    pub fn key<'a>(&'a self, name: &'a str) -> &'a str {
        self.key.as_deref().unwrap_or(name)
    }
}

/// Package names of ROS 2, which are also namespaces and modules.
fn is_package_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// What serde says about an unknown key, with a suggestion.
fn syntax_error(text: &str, path: &Path, error: &toml::de::Error) -> Error {
    let line = error.span().map(|span| line_at(text, span.start));
    let message = error.message().lines().collect::<Vec<_>>().join(", ");
    let (message, hint) = match message.strip_prefix("unknown field ") {
        // "`nmae`, expected one of `name`, `description`"
        Some(names) => {
            let mut quoted = names.split('`').skip(1).step_by(2);
            let written = quoted.next().unwrap_or_default();
            let known: Vec<_> = quoted.collect();
            (format!("unknown key `{written}`"), suggest::hint(written, known))
        }
        None => (message.replace("missing field", "missing key"), None),
    };
    Error::Manifest { path: path.to_path_buf(), line, message, hint }
}

fn line_at(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|&byte| byte == b'\n').count()
}

/// The line of a key by its path; of the nearest table that exists where the
/// key itself doesn't.
fn line_of_key(text: &str, at: &[&str]) -> Option<usize> {
    let document = toml::de::DeTable::parse(text).ok()?;
    let mut table = document.get_ref();
    let mut offset = None;
    for key in at {
        let Some((found, value)) = table.get_key_value(*key) else { break };
        offset = Some(found.span().start);
        match value.get_ref() {
            toml::de::DeValue::Table(inner) => table = inner,
            _ => break,
        }
    }
    offset.map(|offset| line_at(text, offset))
}

#[cfg(test)]
mod tests;
