//! A graph as Mermaid text, which GitHub and many editors draw.

use std::fmt::Write;

use lk::system::mermaid_label;

use super::{Graph, GraphBox, GraphPort, Tone};

/// The graph as a Mermaid flowchart.
pub fn mermaid(graph: &Graph) -> String {
    let mut out = "flowchart LR\n".to_owned();
    for (n, node) in graph.boxes.iter().enumerate() {
        let class = class(node.tone);
        let _ = writeln!(out, "    b{n}[\"{}\"]:::{class}", label(node));
    }
    for arrow in graph.drawn() {
        let (from, to) = (&graph.boxes[arrow.from.at], &graph.boxes[arrow.to.at]);
        let name = |ports: &[GraphPort], port: Option<usize>| {
            let port = port.and_then(|port| ports.get(port));
            port.map(|port| mermaid_label(&port.name))
        };
        let names = (name(&from.outputs, arrow.from.port), name(&to.inputs, arrow.to.port));
        let label = match names {
            (Some(a), Some(b)) if a != b => format!("|\"{a} to {b}\"|"),
            (Some(name), _) | (None, Some(name)) => format!("|\"{name}\"|"),
            (None, None) => String::new(),
        };
        let line = if arrow.dashed { "-.->" } else { "-->" };
        let _ = writeln!(out, "    b{} {line}{label} b{}", arrow.from.at, arrow.to.at);
    }
    for (n, _) in graph.boxes.iter().enumerate().filter(|(_, node)| node.aside) {
        let _ = writeln!(out, "    style b{n} stroke-dasharray: 5 4");
    }
    for tone in [Tone::Data, Tone::Reference, Tone::Candidate, Tone::Verdict, Tone::Plain] {
        if graph.boxes.iter().any(|node| node.tone == tone) {
            let (stroke, fill) = match tone {
                Tone::Plain => ("#94a3b8", "#f1f5f9"),
                Tone::Data => ("#3b82f6", "#dbeafe"),
                Tone::Reference => ("#16a34a", "#dcfce7"),
                Tone::Candidate => ("#8b5cf6", "#ede9fe"),
                Tone::Verdict => ("#d97706", "#fef3c7"),
            };
            let class = class(tone);
            let _ = writeln!(
                out,
                "    classDef {class} fill:{fill},stroke:{stroke},color:#0f172a,text-align:left"
            );
        }
    }
    out
}

fn class(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => "plain",
        Tone::Data => "data",
        Tone::Reference => "reference",
        Tone::Candidate => "candidate",
        Tone::Verdict => "verdict",
    }
}

fn label(node: &GraphBox) -> String {
    let mut lines = Vec::new();
    if !node.kind.is_empty() {
        lines.push(mermaid_label(&node.kind));
    }
    lines.push(format!("<b>{}</b>", mermaid_label(&node.title)));
    for port in node.inputs.iter().chain(&node.outputs).chain(&node.fields) {
        let text = format!("{} {}", port.name, port.detail);
        lines.push(mermaid_label(text.trim_end()));
    }
    lines.extend(node.lines.iter().map(|line| mermaid_label(line)));
    lines.join("<br/>")
}
