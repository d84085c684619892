//! A graph as Mermaid text, which GitHub and many editors draw.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::ConnectionGraph;

impl ConnectionGraph {
    /// The graph as a Mermaid flowchart: components as boxes, connections as
    /// arrows with the names of their ports, delayed ones dotted.
    pub fn to_mermaid(&self) -> String {
        let ids: BTreeMap<&str, usize> = self.components().zip(0..).collect();
        let mut text = "flowchart LR\n".to_owned();
        let write = |text: &mut String, line: std::fmt::Arguments<'_>| {
            text.write_fmt(line).expect("a string takes all");
        };
        for (name, id) in &ids {
            write(&mut text, format_args!("    c{id}[\"{}\"]\n", quoted(name)));
        }
        for connection in self.connections() {
            let (from, to) = (&connection.from, &connection.to);
            let label = match from.port == to.port {
                true => quoted(&from.port),
                false => format!("{} to {}", quoted(&from.port), quoted(&to.port)),
            };
            let (a, b) = (ids[from.component.as_str()], ids[to.component.as_str()]);
            let arrow = if connection.delayed { "-.->" } else { "-->" };
            write(&mut text, format_args!("    c{a} {arrow}|\"{label}\"| c{b}\n"));
        }
        text
    }
}

/// Text between quotes, as Mermaid escapes it.
fn quoted(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('\n', " ")
}
