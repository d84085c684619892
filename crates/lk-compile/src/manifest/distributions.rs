//! The distributions that inputs are drawn from.

use lk::dist::{DataDist, DistConfig};
use serde::Deserialize;

use super::Manifest;
use crate::component::PortSpec;
use crate::error::{Error, Result};
use crate::suggest;

impl Manifest {
    /// The distribution of an input port's messages, with its own share of
    /// edge cases or the one given.
    ///
    /// # Errors
    /// `[distributions]` has no such port; what [`DataDist::new`] refuses: with
    /// the port, the field and the line.
    pub fn distribution(&self, port: &PortSpec, edge_cases: Option<f64>) -> Result<DataDist> {
        let name = port.name.as_str();
        let Some(mut config) = self.dist_config(name)? else {
            let message = format!("input port {name} can't be sampled: it has no distribution");
            let fields: Vec<&str> =
                port.schema.root().fields.iter().map(|field| field.name.as_str()).collect();
            let hint = format!(
                "write a table `[distributions.{name}]` with a line for each field ({}), such as \
                 `{} = {{ uniform = [-1, 1] }}`; `lk sample --help` shows all kinds",
                fields.join(", "),
                fields.first().unwrap_or(&"field"),
            );
            return Err(self.error_at(&["distributions"], message, Some(hint)));
        };
        config.edge_cases = edge_cases.unwrap_or(config.edge_cases);
        DataDist::new(&port.schema, &config, name).map_err(|error| match &error {
            lk::Error::Distribution { field, .. } => self.dist_error(name, field, &error),
            _ => Error::context(format!("distribution of port {name}"))(error),
        })
    }

    /// That the distributions are of input ports, and can be read.
    pub(super) fn check_distributions(&self) -> Result<()> {
        for name in self.file.distributions.keys() {
            if !self.file.inputs.contains_key(name) {
                let message = format!("distributions of {name}, which is no input");
                let hint = suggest::hint(name, self.file.inputs.keys().map(String::as_str));
                return Err(self.error_at(&["distributions", name], message, hint));
            }
            self.dist_config(name)?;
        }
        Ok(())
    }

    fn dist_config(&self, port: &str) -> Result<Option<DistConfig>> {
        let Some(table) = self.file.distributions.get(port) else { return Ok(None) };
        let read = DistConfig::deserialize(toml::Value::Table(table.clone()));
        read.map(Some).map_err(|error| {
            let message = format!("distribution of port {port}: {}", error.message());
            // It names the field: `field gyro.x can't be sampled`.
            let field = error.message().strip_prefix("field ").unwrap_or_default();
            let field = field.split(' ').next().unwrap_or_default();
            self.error_at(&self.place(port, field), message, None)
        })
    }

    fn dist_error(&self, port: &str, field: &str, error: &lk::Error) -> Error {
        let message = format!("distribution of port {port}: {error}");
        self.error_at(&self.place(port, field), message, error.hint())
    }

    /// Where `lk.toml` has a field of a port: under its path, or in tables; an
    /// element may be in a list.
    fn place<'a>(&self, port: &'a str, field: &'a str) -> Vec<&'a str> {
        let whole = self.file.distributions.get(port).is_some_and(|t| t.contains_key(field));
        let name = |part: &'a str| part.split('[').next().unwrap_or(part);
        let keys = if whole { vec![field] } else { field.split('.').map(name).collect() };
        ["distributions", port].into_iter().chain(keys).collect()
    }
}
