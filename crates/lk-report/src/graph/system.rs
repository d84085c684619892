//! The graph of a system's components.

use lk::Schema;
use lk::system::{ConnectionGraph, PortRef};

use super::{Arrow, End, Graph, GraphBox, GraphPort};

/// The picture of a system: a box for each component, with its ports and
/// their types, and an arrow for each connection, broken where it is delayed.
pub fn of_system(title: &str, system: &ConnectionGraph) -> Graph {
    let names: Vec<&str> = system.components().collect();
    let port = |(name, schema): (&str, Option<&Schema>)| {
        let detail = schema.map_or("any", |schema| schema.name());
        GraphPort { name: name.to_owned(), detail: detail.replacen("/msg/", "/", 1) }
    };
    let boxes = names.iter().map(|name| GraphBox {
        title: (*name).to_owned(),
        inputs: system.inputs(name).map(port).collect(),
        outputs: system.outputs(name).map(port).collect(),
        ..GraphBox::default()
    });
    let boxes: Vec<GraphBox> = boxes.collect();
    let end = |port: &PortRef, ports: fn(&GraphBox) -> &[GraphPort]| {
        let at = names.iter().position(|name| *name == port.component)?;
        let index = ports(&boxes[at]).iter().position(|known| known.name == port.port);
        Some(End { at, port: index })
    };
    let arrows = system.connections().iter().filter_map(|connection| {
        let from = end(&connection.from, |node| &node.outputs)?;
        let to = end(&connection.to, |node| &node.inputs)?;
        Some(Arrow { from, to, dashed: connection.delayed })
    });
    let arrows = arrows.collect();
    Graph { title: title.to_owned(), subtitle: String::new(), boxes, arrows }
}
