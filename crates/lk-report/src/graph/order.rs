//! Which box is in which column, and in what order within it.
//!
//! The steps are those of Sugiyama, Tagawa and Toda (1981): columns by the
//! longest way, points on the way of an arrow that passes columns, order by
//! the mean of the neighbours, which leaves few crossings.

use super::{Arrow, Graph};

/// Sweeps over the columns, there and back.
const SWEEPS: usize = 16;

/// A place in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spot {
    /// A box, by its index.
    Box(usize),
    /// Where the arrow with this index passes.
    Way(usize),
}

/// A piece of an arrow from one column to the next: columns, and indices in
/// them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) arrow: usize,
    pub(super) column: usize,
    pub(super) from: Spot,
    pub(super) to: Spot,
}

/// Boxes in columns.
pub(super) struct Columns {
    /// From left to right, each from top to bottom.
    pub(super) columns: Vec<Vec<Spot>>,
    /// Of all arrows that go to the right.
    pub(super) pieces: Vec<Piece>,
    /// Arrows that go back, or stay in their column.
    pub(super) back: Vec<usize>,
}

impl Columns {
    pub(super) fn new(graph: &Graph, arrows: &[Arrow]) -> Columns {
        let column_of = longest_ways(graph.boxes.len(), arrows);
        let count = column_of.iter().max().map_or(0, |last| last + 1);
        let mut columns: Vec<Vec<Spot>> = vec![Vec::new(); count];
        for (node, column) in column_of.iter().enumerate() {
            columns[*column].push(Spot::Box(node));
        }
        let (mut pieces, mut back) = (Vec::new(), Vec::new());
        for (n, arrow) in arrows.iter().enumerate() {
            let (first, last) = (column_of[arrow.from.at], column_of[arrow.to.at]);
            if last <= first {
                back.push(n);
                continue;
            }
            let mut from = Spot::Box(arrow.from.at);
            for column in first..last {
                let is_end = column + 1 == last;
                let to = if is_end { Spot::Box(arrow.to.at) } else { Spot::Way(n) };
                if !is_end {
                    columns[column + 1].push(to);
                }
                pieces.push(Piece { arrow: n, column, from, to });
                from = to;
            }
        }
        let mut ordered = Columns { columns, pieces, back };
        ordered.untangle(arrows);
        ordered
    }

    /// Sorts each column by the mean place of the neighbours, forth and back,
    /// and keeps the order with the fewest crossings.
    fn untangle(&mut self, arrows: &[Arrow]) {
        let mut best = (self.crossings(arrows), self.columns.clone());
        for sweep in 0..SWEEPS {
            let forth = sweep % 2 == 0;
            let count = self.columns.len();
            for step in 1..count {
                let column = if forth { step } else { count - 1 - step };
                self.sort(column, forth, arrows);
            }
            let crossings = self.crossings(arrows);
            if crossings < best.0 {
                best = (crossings, self.columns.clone());
            }
        }
        self.columns = best.1;
    }

    fn sort(&mut self, column: usize, forth: bool, arrows: &[Arrow]) {
        let mean = |spot: &Spot, own: f64| {
            let places = self.pieces.iter().filter_map(|piece| match forth {
                true if piece.column + 1 == column && piece.to == *spot => {
                    Some(self.leaves(piece, arrows))
                }
                false if piece.column == column && piece.from == *spot => {
                    Some(self.arrives(piece, arrows))
                }
                _ => None,
            });
            let (sum, count) = places.fold((0.0, 0), |(sum, n), place| (sum + place, n + 1));
            if count == 0 { own } else { sum / f64::from(count) }
        };
        let spots = self.columns[column].iter().enumerate();
        let mut keyed: Vec<(f64, Spot)> =
            spots.map(|(place, spot)| (mean(spot, place as f64), *spot)).collect();
        // Stable, so that ties stay as they were.
        keyed.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        self.columns[column] = keyed.into_iter().map(|(_, spot)| spot).collect();
    }

    /// The place in its column that a piece comes from, ports as fractions.
    fn leaves(&self, piece: &Piece, arrows: &[Arrow]) -> f64 {
        self.place(piece.column, piece.from, arrows[piece.arrow].from.port)
    }

    fn arrives(&self, piece: &Piece, arrows: &[Arrow]) -> f64 {
        self.place(piece.column + 1, piece.to, arrows[piece.arrow].to.port)
    }

    fn place(&self, column: usize, spot: Spot, port: Option<usize>) -> f64 {
        let place = self.columns[column].iter().position(|other| *other == spot).unwrap_or(0);
        let within = match (spot, port) {
            (Spot::Box(_), Some(port)) => 1.0 - 1.0 / (port as f64 + 2.0),
            _ => 0.5,
        };
        place as f64 + within
    }

    fn crossings(&self, arrows: &[Arrow]) -> usize {
        let ends: Vec<(usize, f64, f64)> = self
            .pieces
            .iter()
            .map(|piece| (piece.column, self.leaves(piece, arrows), self.arrives(piece, arrows)))
            .collect();
        let crossed = |(n, a): (usize, &(usize, f64, f64))| {
            let others = ends[..n].iter().filter(|b| b.0 == a.0);
            others.filter(|b| (a.1 - b.1) * (a.2 - b.2) < 0.0).count()
        };
        ends.iter().enumerate().map(crossed).sum()
    }
}

/// For each box how many others are before it in a row, circles broken up.
fn longest_ways(boxes: usize, arrows: &[Arrow]) -> Vec<usize> {
    let solid = || arrows.iter().filter(|arrow| !arrow.dashed && arrow.from.at != arrow.to.at);
    let mut columns = vec![0; boxes];
    let mut waiting: Vec<usize> = (0..boxes).collect();
    while !waiting.is_empty() {
        let is_free = |node: usize| {
            !solid().any(|arrow| arrow.to.at == node && waiting.contains(&arrow.from.at))
        };
        let mut free: Vec<usize> = waiting.iter().copied().filter(|node| is_free(*node)).collect();
        if free.is_empty() {
            // A circle: it is cut before its first box.
            free.extend(waiting.first());
        }
        waiting.retain(|node| !free.contains(node));
        for arrow in solid().filter(|arrow| free.contains(&arrow.from.at)) {
            if waiting.contains(&arrow.to.at) {
                let after = columns[arrow.from.at] + 1;
                columns[arrow.to.at] = columns[arrow.to.at].max(after);
            }
        }
    }
    columns
}
