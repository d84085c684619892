//! A component that writes every fresh input to the output of its name, and
//! its config to the output `config`, in each language.

use lk_compile::scaffold::Language;
use lk_compile::{ComponentSpec, ConfigSpec, PortSpec};

/// The component of these inputs; `config` becomes an output too.
pub(crate) fn spec(inputs: Vec<PortSpec>, config: Option<ConfigSpec>) -> ComponentSpec {
    let mut outputs = inputs.clone();
    if let Some(config) = &config {
        let name = "config".to_owned();
        outputs.push(PortSpec { key: name.clone(), name, schema: config.schema.clone() });
    }
    ComponentSpec {
        name: "echo".to_owned(),
        description: Some("Writes what it reads.".to_owned()),
        inputs,
        outputs,
        states: Vec::new(),
        config,
    }
}

/// The files that make a scaffold of such a component the echo. Port names
/// are the same in all languages, so they must be no keywords.
pub(crate) fn files(spec: &ComponentSpec, language: Language) -> Vec<(&'static str, String)> {
    let ports: Vec<&str> = spec.inputs.iter().map(|port| port.name.as_str()).collect();
    let config = spec.config.is_some();
    let each = |line: &dyn Fn(&str) -> String| ports.iter().map(|p| line(p)).collect::<String>();
    match language {
        Language::Cpp => {
            let body = each(&|p| format!("  if (in.{p}.fresh) out.{p}.write(*in.{p});\n"));
            let (constructor, write) = match config {
                true => (
                    "Component::Component(const Config& c) : config_(c) {}\n",
                    "  out.config.write(config_);\n",
                ),
                false => ("", ""),
            };
            let text = format!(
                "#include \"component.hpp\"\nnamespace echo {{\n{constructor}void \
                 Component::step(const Inputs& in, Outputs& out) {{\n{write}{body}}}\n}}\n"
            );
            vec![("component.cpp", text)]
        }
        Language::Rust => {
            let body = each(&|p| {
                format!(
                    "if inputs.{p}.fresh {{ outputs.{p}.write(inputs.{p}.get().unwrap())?; }}\n"
                )
            });
            let (field, new, write) = match config {
                true => (
                    "config: crate::types::Config",
                    "pub fn new(config: &crate::types::Config) -> Result<Self, String> { \
                     Ok(Component { config: config.clone() }) }",
                    "outputs.config.write(&self.config)?;",
                ),
                false => ("", "pub fn new() -> Result<Self, String> { Ok(Component {}) }", ""),
            };
            let text = format!(
                "use crate::types::{{Inputs, Outputs}};\npub struct Component {{ {field} }}\nimpl \
                 Component {{\n{new}\npub fn step(&mut self, inputs: &Inputs, outputs: &mut \
                 Outputs) -> Result<(), String> {{\n{write}\n{body}Ok(())\n}}\n}}\n"
            );
            vec![("src/component.rs", text)]
        }
        Language::Python => {
            let config = if config { "out['config'] = self.config" } else { "pass" };
            let text = format!(
                "import dataclasses\n\nclass Component:\n    def __init__(self, config=None):\n        \
                 self.config = config\n\n    def step(self, inputs):\n        out = {{p: \
                 getattr(inputs, p) for p in inputs.fresh}}\n        {config}\n        return \
                 out\n\nclass Dicts(Component):\n    def step(self, inputs):\n        out = \
                 super().step(inputs)\n        return {{p: dataclasses.asdict(m) for p, m in \
                 out.items()}}\n"
            );
            vec![("component.py", text)]
        }
    }
}
