//! Columns that line up.

use unicode_width::UnicodeWidthStr;

use crate::style::{Ink, Style};

/// Which edge of a column its cells share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edge {
    Left,
    Right,
}

/// Rows of cells; every column is as wide as its widest cell.
pub(crate) struct Table {
    edges: Vec<Edge>,
    rows: Vec<Vec<(String, Ink)>>,
}

const GAP: &str = "   ";

impl Table {
    /// A table with a header row; a column of which every cell is empty is
    /// left out.
    pub(crate) fn new<const N: usize>(columns: [(&str, Edge); N]) -> Table {
        let header = columns.iter().map(|(name, _)| ((*name).to_owned(), Ink::Faint)).collect();
        Table { edges: columns.iter().map(|(_, edge)| *edge).collect(), rows: vec![header] }
    }

    /// Adds a row of as many cells as there are columns.
    pub(crate) fn row<const N: usize>(&mut self, cells: [(String, Ink); N]) {
        debug_assert_eq!(N, self.edges.len(), "a row has a cell for each column");
        self.rows.push(cells.into());
    }

    /// Lines without trailing space, in the order of the rows.
    pub(crate) fn lines(&self, style: Style) -> Vec<String> {
        let columns: Vec<(usize, Edge, usize)> = self
            .edges
            .iter()
            .enumerate()
            .filter(|(i, _)| self.rows.iter().skip(1).any(|row| !row[*i].0.is_empty()))
            .map(|(i, &edge)| {
                let width = self.rows.iter().map(|row| row[i].0.width()).max().unwrap_or(0);
                (i, edge, width)
            })
            .collect();
        self.rows.iter().map(|row| line(row, &columns, style)).collect()
    }
}

fn line(row: &[(String, Ink)], columns: &[(usize, Edge, usize)], style: Style) -> String {
    let mut out = String::new();
    // Space that is owed before the next text; never written at the end.
    let mut owed = 0;
    for (n, &(i, edge, width)) in columns.iter().enumerate() {
        let (text, ink) = &row[i];
        let pad = width - text.width();
        if n > 0 {
            owed += GAP.len();
        }
        if text.is_empty() {
            owed += width;
            continue;
        }
        if edge == Edge::Right {
            owed += pad;
        }
        out.push_str(&" ".repeat(owed));
        out.push_str(&style.paint(*ink, text));
        owed = if edge == Edge::Left { pad } else { 0 };
    }
    out
}

/// Cells side by side in columns of one width, as many as fit, row by row.
pub(crate) fn grid(cells: &[(String, String)], width: usize) -> Vec<String> {
    let name_width = cells.iter().map(|(name, _)| name.width()).max().unwrap_or(0);
    let value_width = cells.iter().map(|(_, value)| value.width()).max().unwrap_or(0);
    let cell_width = name_width + 1 + value_width + 1;
    let columns = ((width + GAP.len()) / (cell_width + GAP.len())).clamp(1, 3);
    let line = |row: &[(String, String)]| {
        let cells: Vec<String> = row
            .iter()
            .map(|(name, value)| {
                let name_pad = " ".repeat(name_width - name.width());
                // A minus hangs out to the left, so that digits line up.
                let sign_pad = if value.starts_with('-') { "" } else { " " };
                let value = format!("{sign_pad}{value}");
                let value_pad = " ".repeat((value_width + 1).saturating_sub(value.width()));
                format!("{name}{name_pad} {value}{value_pad}")
            })
            .collect();
        cells.join(GAP).trim_end().to_owned()
    };
    cells.chunks(columns).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_line_up_and_empty_columns_are_left_out() {
        let mut table =
            Table::new([("name", Edge::Left), ("none", Edge::Left), ("n", Edge::Right)]);
        table.row([("a".into(), Ink::Plain), ("".into(), Ink::Plain), ("1".into(), Ink::Bad)]);
        table.row([("größe".into(), Ink::Plain), ("".into(), Ink::Plain), ("20".into(), Ink::Bad)]);
        assert_eq!(table.lines(Style::PLAIN), ["name     n", "a        1", "größe   20"]);
    }

    #[test]
    fn colour_does_not_move_a_column() {
        let mut table = Table::new([("a", Edge::Left), ("b", Edge::Left)]);
        table.row([("x".into(), Ink::Good), ("y".into(), Ink::Plain)]);
        let painted = table.lines(Style { color: true, width: 80 });
        assert_eq!(painted[1], "\u{1b}[1;32mx\u{1b}[0m   y");
    }

    #[test]
    fn grid_takes_as_many_columns_as_fit() {
        let cells: Vec<_> = [("x", "1.5"), ("y", "-2.0"), ("z", "3")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        assert_eq!(grid(&cells, 10), ["x  1.5", "y -2.0", "z  3"]);
        assert_eq!(grid(&cells, 80), ["x  1.5    y -2.0    z  3"]);
    }
}
