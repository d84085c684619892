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
            write(&mut text, format_args!("    c{id}[\"{}\"]\n", mermaid_label(name)));
        }
        for connection in self.connections() {
            let (from, to) = (&connection.from, &connection.to);
            let label = match from.port == to.port {
                true => mermaid_label(&from.port),
                false => format!("{} to {}", mermaid_label(&from.port), mermaid_label(&to.port)),
            };
            let (a, b) = (ids[from.component.as_str()], ids[to.component.as_str()]);
            let arrow = if connection.delayed { "-.->" } else { "-->" };
            write(&mut text, format_args!("    c{a} {arrow}|\"{label}\"| c{b}\n"));
        }
        text
    }
}

/// Text as it stands between quotes in a Mermaid label, in which nothing is
/// markup: of HTML, of Markdown (backticks, lists), or of Mermaid itself
/// (quotes, `#`).
///
/// ```
/// use lk::system::mermaid_label;
/// assert_eq!(mermaid_label("a/b_1"), "a/b_1");
/// assert_eq!(mermaid_label("\"x\" & <y>"), "#34;x#34; #38; #60;y#62;");
/// ```
pub fn mermaid_label(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        // `1. ` and `- ` begin a list.
        let begins_list = chars.peek().is_none_or(|next| next.is_whitespace());
        match c {
            '\n' | '\r' | '\t' => out.push(' '),
            c if c.is_control() => {}
            '.' | '-' if !begins_list => out.push(c),
            c if c.is_alphanumeric() || " _/,:=()".contains(c) || !c.is_ascii() => out.push(c),
            // By number, as Mermaid writes entities.
            c => write!(out, "#{};", u32::from(c)).expect("a string takes all"),
        }
    }
    out
}
