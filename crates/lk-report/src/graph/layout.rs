//! Where boxes and arrows are, in pixels.

use unicode_width::UnicodeWidthStr;

use super::order::{Columns, Piece, Spot};
use super::{Arrow, End, Graph, GraphBox};

/// Around everything.
pub(super) const MARGIN: f64 = 24.0;
/// Of a row in a box.
pub(super) const ROW: f64 = 20.0;
/// From the side of a box to its text.
pub(super) const PADDING: f64 = 14.0;
/// Beneath the last row, or the head where there is none.
pub(super) const FOOT: f64 = 8.0;
/// Between two boxes of a column, and beside an arrow that passes one.
const BETWEEN: f64 = 26.0;
const BESIDE: f64 = 14.0;
/// Between two columns.
const GAP: f64 = 84.0;
/// Between the ways of two arrows that go back.
const LANE: f64 = 16.0;
/// Letters of 12 pixels in a font of one width, and of 15 in a bold one.
const LETTER: f64 = 7.3;
const BOLD_LETTER: f64 = 10.2;
const SWEEPS: usize = 24;

/// A rectangle.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Area {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// Where everything is.
pub(super) struct Layout {
    pub(super) boxes: Vec<Area>,
    /// By arrow.
    pub(super) routes: Vec<Route>,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// The way of an arrow.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Route {
    /// Through these points, level at each.
    Forth(Vec<[f64; 2]>),
    /// Around, beneath all boxes, with corners at these points.
    Back(Vec<[f64; 2]>),
}

/// Height of a box's head, with its title.
pub(super) fn head(node: &GraphBox) -> f64 {
    if node.kind.is_empty() { 32.0 } else { 46.0 }
}

/// The middle of a port's row, from the top of its box.
pub(super) fn port_y(node: &GraphBox, row: usize) -> f64 {
    head(node) + 6.0 + ROW * (row as f64 + 0.5)
}

fn size(node: &GraphBox) -> (f64, f64) {
    let ports = node.inputs.iter().chain(&node.outputs).chain(&node.fields);
    let letters = |text: &str| text.width() as f64 * LETTER;
    let rows = node.inputs.len() + node.outputs.len() + node.fields.len() + node.lines.len();
    let mut widest = (node.title.width() as f64 * BOLD_LETTER).max(letters(&node.kind));
    for port in ports {
        widest = widest.max(letters(&port.name) + letters(&port.detail) + 2.0 * LETTER);
    }
    for line in &node.lines {
        widest = widest.max(letters(line));
    }
    let body = if rows == 0 { 0.0 } else { 6.0 + ROW * rows as f64 };
    ((widest + 2.0 * PADDING).max(120.0), head(node) + body + FOOT)
}

impl Layout {
    /// `top` is room for what is over the boxes, `width` what that takes.
    pub(super) fn new(graph: &Graph, arrows: &[Arrow], top: f64, width: f64) -> Layout {
        let columns = Columns::new(graph, arrows);
        let mut boxes: Vec<Area> = graph.boxes.iter().map(|_| Area::default()).collect();
        for (area, node) in boxes.iter_mut().zip(&graph.boxes) {
            (area.width, area.height) = size(node);
        }
        let mut layout = Draft { graph, arrows, columns: &columns, boxes, ways: Vec::new() };
        layout.place_columns();
        layout.place_rows();
        let right = layout.boxes.iter().map(|area| area.x + area.width).fold(0.0, f64::max);
        let highest = layout.lowest_y();
        for area in &mut layout.boxes {
            area.y += top + MARGIN - highest;
        }
        for way in &mut layout.ways {
            way.2 += top + MARGIN - highest;
        }
        let ends = layout.boxes.iter().map(|area| area.y + area.height);
        let ends = ends.chain(layout.ways.iter().map(|way| way.2 + BESIDE));
        let bottom = ends.fold(top + MARGIN, f64::max);
        let routes = arrows.iter().enumerate().map(|(n, arrow)| layout.route(n, arrow, bottom));
        let routes = routes.collect();
        let lanes = columns.back.len() as f64 * LANE;
        // An arrow that goes back leaves and comes in outside of its columns.
        let sides = if columns.back.is_empty() { 0.0 } else { GAP / 2.0 };
        Layout {
            routes,
            width: (right + MARGIN + sides).max(width + 2.0 * MARGIN),
            height: bottom + lanes + MARGIN,
            boxes: layout.boxes,
        }
    }
}

struct Draft<'a> {
    graph: &'a Graph,
    arrows: &'a [Arrow],
    columns: &'a Columns,
    boxes: Vec<Area>,
    /// Where arrows pass columns: arrow, column, height.
    ways: Vec<(usize, usize, f64)>,
}

impl Draft<'_> {
    fn place_columns(&mut self) {
        let mut x = MARGIN + if self.columns.back.is_empty() { 0.0 } else { GAP / 2.0 };
        for column in &self.columns.columns {
            let boxes = column.iter().filter_map(|spot| match spot {
                Spot::Box(node) => Some(*node),
                Spot::Way(_) => None,
            });
            let width = boxes.clone().map(|node| self.boxes[node].width).fold(0.0, f64::max);
            for node in boxes {
                // As wide as its column: sides line up.
                (self.boxes[node].x, self.boxes[node].width) = (x, width);
            }
            x += width + GAP;
        }
        for (n, column) in self.columns.columns.iter().enumerate() {
            for spot in column {
                if let Spot::Way(arrow) = spot {
                    self.ways.push((*arrow, n, 0.0));
                }
            }
        }
    }

    /// Moves each spot to the middle of its neighbours, as far as those above
    /// and beneath let it.
    fn place_rows(&mut self) {
        for column in 0..self.columns.columns.len() {
            let spots = &self.columns.columns[column];
            let wanted = vec![0.0; spots.len()];
            self.settle(column, &wanted);
        }
        for sweep in 0..SWEEPS {
            let count = self.columns.columns.len();
            for step in 0..count {
                let column = if sweep % 2 == 0 { step } else { count - 1 - step };
                let spots = &self.columns.columns[column];
                let wanted: Vec<f64> = spots.iter().map(|spot| self.wish(column, *spot)).collect();
                self.settle(column, &wanted);
            }
        }
    }

    /// Where a spot's arrows would be straight, on average.
    fn wish(&self, column: usize, spot: Spot) -> f64 {
        let mut sum = 0.0;
        let mut count = 0;
        for piece in &self.columns.pieces {
            let shift = if piece.column == column && piece.from == spot {
                self.arrives(piece) - self.leaves(piece)
            } else if piece.column + 1 == column && piece.to == spot {
                self.leaves(piece) - self.arrives(piece)
            } else {
                continue;
            };
            sum += shift;
            count += 1;
        }
        self.y(column, spot) + if count == 0 { 0.0 } else { sum / f64::from(count) }
    }

    /// Puts the spots of a column as near to where they are wanted as their
    /// order and distances let them be: least squares, by pooling adjacent
    /// violators (Ayer and others, 1955).
    fn settle(&mut self, column: usize, wanted: &[f64]) {
        let spots = &self.columns.columns[column];
        let mut offset = 0.0;
        let mut offsets = Vec::with_capacity(spots.len());
        // Sums and counts of runs that stick together.
        let mut runs: Vec<(f64, f64)> = Vec::new();
        for (n, (spot, wanted)) in spots.iter().zip(wanted).enumerate() {
            if let Some(before) = n.checked_sub(1).map(|before| spots[before]) {
                let is_box = |spot: &Spot| matches!(spot, Spot::Box(_));
                let between = if is_box(spot) && is_box(&before) { BETWEEN } else { BESIDE };
                offset += self.height(before) + between;
            }
            offsets.push(offset);
            runs.push((wanted - offset, 1.0));
            while let [.., (a, m), (b, n)] = runs[..]
                && a / m > b / n
            {
                runs.truncate(runs.len() - 2);
                runs.push((a + b, m + n));
            }
        }
        let fitted = runs.iter().flat_map(|(sum, n)| std::iter::repeat_n(sum / n, *n as usize));
        let fitted: Vec<f64> = fitted.zip(&offsets).map(|(y, offset)| y + offset).collect();
        for (spot, y) in spots.iter().zip(fitted) {
            match spot {
                Spot::Box(node) => self.boxes[*node].y = y,
                Spot::Way(arrow) => {
                    let way = self.ways.iter_mut().find(|way| (way.0, way.1) == (*arrow, column));
                    way.into_iter().for_each(|way| way.2 = y);
                }
            }
        }
    }

    fn height(&self, spot: Spot) -> f64 {
        match spot {
            Spot::Box(node) => self.boxes[node].height,
            Spot::Way(_) => 0.0,
        }
    }

    fn y(&self, column: usize, spot: Spot) -> f64 {
        match spot {
            Spot::Box(node) => self.boxes[node].y,
            Spot::Way(arrow) => {
                let way = self.ways.iter().find(|way| (way.0, way.1) == (arrow, column));
                way.map_or(0.0, |way| way.2)
            }
        }
    }

    fn leaves(&self, piece: &Piece) -> f64 {
        match piece.from {
            Spot::Box(_) => self.out(self.arrows[piece.arrow].from)[1],
            way @ Spot::Way(_) => self.y(piece.column, way),
        }
    }

    fn arrives(&self, piece: &Piece) -> f64 {
        match piece.to {
            Spot::Box(_) => self.into(self.arrows[piece.arrow].to)[1],
            way @ Spot::Way(_) => self.y(piece.column + 1, way),
        }
    }

    /// Where an arrow leaves a box.
    fn out(&self, end: End) -> [f64; 2] {
        let (area, node) = (self.boxes[end.at], &self.graph.boxes[end.at]);
        let row = end.port.map(|port| node.inputs.len() + port);
        let y = row.map_or(area.height / 2.0, |row| port_y(node, row));
        [area.x + area.width, area.y + y]
    }

    /// Where an arrow comes to a box.
    fn into(&self, end: End) -> [f64; 2] {
        let (area, node) = (self.boxes[end.at], &self.graph.boxes[end.at]);
        let y = end.port.map_or(area.height / 2.0, |port| port_y(node, port));
        [area.x, area.y + y]
    }

    fn lowest_y(&self) -> f64 {
        let ys = self.boxes.iter().map(|area| area.y);
        ys.chain(self.ways.iter().map(|way| way.2)).fold(f64::INFINITY, f64::min).min(1e9)
    }

    fn route(&self, n: usize, arrow: &Arrow, bottom: f64) -> Route {
        let (from, to) = (self.out(arrow.from), self.into(arrow.to));
        if let Some(lane) = self.columns.back.iter().position(|back| *back == n) {
            let y = bottom + LANE * (lane as f64 + 1.0);
            // Apart from each other in the gaps, too.
            let aside = 18.0 + 5.0 * (lane % 5) as f64;
            let (right, left) = (from[0] + aside, to[0] - aside);
            return Route::Back(vec![
                from,
                [right, from[1]],
                [right, y],
                [left, y],
                [left, to[1]],
                to,
            ]);
        }
        let mut points = vec![from];
        for way in self.ways.iter().filter(|way| way.0 == n) {
            let column = self.columns.columns[way.1].iter().find_map(|spot| match spot {
                Spot::Box(node) => Some(self.boxes[*node]),
                Spot::Way(_) => None,
            });
            let area = column.unwrap_or_default();
            points.extend([[area.x, way.2], [area.x + area.width, way.2]]);
        }
        points.push(to);
        Route::Forth(points)
    }
}
