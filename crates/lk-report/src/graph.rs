//! Boxes and arrows as pictures: SVG, HTML and Mermaid.
//!
//! A [`Graph`] says what there is; where it is drawn comes out of that alone,
//! so that the same graph is the same picture, byte for byte.

mod layout;
mod mermaid;
mod order;
mod svg;
mod system;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use mermaid::mermaid;
pub use svg::{html, svg};
pub use system::of_system;

/// Boxes with ports, and arrows between them that go from left to right.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Graph {
    /// Over the picture; nothing where it is empty.
    pub title: String,
    /// Beneath the title, in smaller letters.
    pub subtitle: String,
    /// What is connected.
    pub boxes: Vec<GraphBox>,
    /// How.
    pub arrows: Vec<Arrow>,
}

/// A box: a title, ports at its sides, lines of text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GraphBox {
    /// Its name.
    pub title: String,
    /// What it is, in small letters over the title; may be empty.
    pub kind: String,
    /// What its colour says.
    pub tone: Tone,
    /// Whether it is drawn as one that is there but takes no part.
    pub aside: bool,
    /// At its left side.
    pub inputs: Vec<GraphPort>,
    /// At its right side.
    pub outputs: Vec<GraphPort>,
    /// Beneath the ports: names, and what they are, that nothing comes to.
    pub fields: Vec<GraphPort>,
    /// Beneath the fields.
    pub lines: Vec<String>,
}

/// A port of a box, or a field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GraphPort {
    /// Its name.
    pub name: String,
    /// Its type, or what else is to be said of it.
    pub detail: String,
}

/// What a colour says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tone {
    /// Nothing.
    #[default]
    Plain,
    /// It is data.
    Data,
    /// It is what the others are measured by.
    Reference,
    /// It is measured.
    Candidate,
    /// It measures.
    Verdict,
}

/// An arrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arrow {
    /// From the right side of a box.
    pub from: End,
    /// To the left side of a box.
    pub to: End,
    /// Whether it is drawn with a broken line, and doesn't say which box is
    /// to the left of which: it closes circles.
    #[serde(default)]
    pub dashed: bool,
}

/// An end of an arrow; one that has no place in the graph isn't drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct End {
    /// Index of the box.
    pub at: usize,
    /// Index of its port, an output where the arrow begins and an input where
    /// it ends; the box as a whole where `None`.
    #[serde(default)]
    pub port: Option<usize>,
}

impl Graph {
    /// The place of the first arrow that isn't drawn, since an end of it is at
    /// no box or port of the graph.
    pub fn loose_arrow(&self) -> Option<usize> {
        self.arrows.iter().position(|arrow| !self.holds(arrow))
    }

    /// The arrows that have both ends in the graph.
    fn drawn(&self) -> impl Iterator<Item = &Arrow> {
        self.arrows.iter().filter(|arrow| self.holds(arrow))
    }

    fn holds(&self, arrow: &Arrow) -> bool {
        let has = |end: End, ports: fn(&GraphBox) -> usize| {
            self.boxes
                .get(end.at)
                .is_some_and(|node| end.port.is_none_or(|port| port < ports(node)))
        };
        has(arrow.from, |node| node.outputs.len()) && has(arrow.to, |node| node.inputs.len())
    }
}
