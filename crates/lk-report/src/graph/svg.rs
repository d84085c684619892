//! A graph as SVG, which browsers, editors and GitHub show, and as a page
//! around it.

use std::fmt::Write;

use super::layout::{Area, FOOT, Layout, MARGIN, PADDING, ROW, Route, head, port_y};
use super::{Arrow, Graph, GraphBox, GraphPort, Tone};
use unicode_width::UnicodeWidthStr;

const SANS: &str = "system-ui, 'Segoe UI', Helvetica, Arial, 'DejaVu Sans', sans-serif";
const MONO: &str = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace";

/// Of an arrow's corners, and of a box's, which is no more than its foot.
const CORNER: f64 = 9.0;
const RADIUS: f64 = FOOT;

/// The graph as a picture that needs nothing else: no script, no font, no
/// style of a page. Text in it is text, to be searched and copied.
pub fn svg(graph: &Graph) -> String {
    let arrows: Vec<Arrow> = graph.drawn().copied().collect();
    let mut top = 0.0;
    let mut width: f64 = 0.0;
    for (text, line, letter) in [(&graph.title, 32.0, 12.5), (&graph.subtitle, 24.0, 8.2)] {
        if !text.is_empty() {
            top += line;
            width = width.max(text.width() as f64 * letter);
        }
    }
    let layout = Layout::new(graph, &arrows, top, width);
    let (width, height) = (layout.width, layout.height);
    let mut out = String::new();
    let _ = write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"{MONO}\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
         <defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7.5\" refY=\"4\" markerWidth=\"8\" \
         markerHeight=\"8\" orient=\"auto\"><path d=\"M0 0.5 L8 4 L0 7.5 Z\" fill=\"#64748b\"/>\
         </marker></defs>\n"
    );
    if !graph.title.is_empty() {
        let _ = writeln!(
            out,
            "<title>{0}</title>\n<text x=\"{MARGIN}\" y=\"38\" font-family=\"{SANS}\" \
             font-size=\"19\" font-weight=\"700\" fill=\"#0f172a\">{0}</text>",
            escaped(&graph.title)
        );
    }
    if !graph.subtitle.is_empty() {
        let y = if graph.title.is_empty() { 34 } else { 60 };
        let _ = writeln!(
            out,
            "<text x=\"{MARGIN}\" y=\"{y}\" font-family=\"{SANS}\" font-size=\"13\" \
             fill=\"#475569\">{}</text>",
            escaped(&graph.subtitle)
        );
    }
    for (arrow, route) in arrows.iter().zip(&layout.routes) {
        draw_arrow(&mut out, arrow, route);
    }
    for (node, area) in graph.boxes.iter().zip(&layout.boxes) {
        draw_box(&mut out, node, *area);
    }
    out.push_str("</svg>\n");
    out
}

/// The picture in a page of its own.
pub fn html(graph: &Graph) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>{}</title>\n\
         <body style=\"margin: 0\">\n{}</body>\n</html>\n",
        escaped(&graph.title),
        svg(graph)
    )
}

/// Colours of the frame and of the head.
fn colors(tone: Tone) -> (&'static str, &'static str) {
    match tone {
        Tone::Plain => ("#94a3b8", "#f1f5f9"),
        Tone::Data => ("#3b82f6", "#dbeafe"),
        Tone::Reference => ("#16a34a", "#dcfce7"),
        Tone::Candidate => ("#8b5cf6", "#ede9fe"),
        Tone::Verdict => ("#d97706", "#fef3c7"),
    }
}

fn draw_box(out: &mut String, node: &GraphBox, area: Area) {
    let Area { x, y, width, height } = area;
    let (frame, fill) = colors(node.tone);
    let dashes = if node.aside { " stroke-dasharray=\"5 4\"" } else { "" };
    let (right, neck) = (x + width, y + head(node));
    let (low, near, far) = (y + RADIUS, x + RADIUS, right - RADIUS);
    let frame_of = |fill: &str, stroke: &str| {
        format!(
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" \
             rx=\"{RADIUS}\" fill=\"{fill}\"{stroke}/>"
        )
    };
    let stroke = format!(" stroke=\"{frame}\" stroke-width=\"1.5\"{dashes}");
    let _ = writeln!(
        out,
        "<g>{}<path d=\"M{x:.1} {neck:.1} V{low:.1} Q{x:.1} {y:.1} {near:.1} {y:.1} H{far:.1} \
         Q{right:.1} {y:.1} {right:.1} {low:.1} V{neck:.1} Z\" fill=\"{fill}\"/>{}",
        frame_of("#ffffff", ""),
        frame_of("none", &stroke)
    );
    let left = x + PADDING;
    let mut baseline = y + 21.0;
    if !node.kind.is_empty() {
        let _ = writeln!(
            out,
            "<text x=\"{left:.1}\" y=\"{:.1}\" font-size=\"11\" fill=\"#64748b\">{}</text>",
            y + 17.0,
            escaped(&node.kind)
        );
        baseline = y + 36.0;
    }
    let _ = writeln!(
        out,
        "<text x=\"{left:.1}\" y=\"{baseline:.1}\" font-family=\"{SANS}\" font-size=\"15\" \
         font-weight=\"600\" fill=\"#0f172a\">{}</text>",
        escaped(&node.title)
    );
    let ports = node.inputs.iter().map(|port| (port, true));
    let ports = ports.chain(node.outputs.iter().map(|port| (port, false)));
    for (row, (port, is_input)) in ports.enumerate() {
        let middle = y + port_y(node, row);
        let side = if is_input { x } else { x + width };
        let _ = write!(
            out,
            "<circle cx=\"{side:.1}\" cy=\"{middle:.1}\" r=\"3.5\" fill=\"#ffffff\" \
             stroke=\"{frame}\" stroke-width=\"1.5\"/>"
        );
        draw_name(out, port, is_input, area, middle);
    }
    let mut rows = node.inputs.len() + node.outputs.len();
    for field in &node.fields {
        draw_name(out, field, true, area, y + port_y(node, rows));
        rows += 1;
    }
    for (n, line) in node.lines.iter().enumerate() {
        let _ = writeln!(
            out,
            "<text x=\"{left:.1}\" y=\"{:.1}\" fill=\"#475569\">{}</text>",
            y + port_y(node, rows + n) + 0.2 * ROW,
            escaped(line)
        );
    }
    out.push_str("</g>\n");
}

/// A name and what it is, at the left side of a box or at its right.
fn draw_name(out: &mut String, port: &GraphPort, left: bool, area: Area, middle: f64) {
    let (x, anchor) = match left {
        true => (area.x + PADDING, "start"),
        false => (area.x + area.width - PADDING, "end"),
    };
    // What is nearer to the side is the name.
    let paint = |fill: &str, text: &str| format!("<tspan fill=\"{fill}\">{text}</tspan>");
    let name = paint("#0f172a", &escaped(&port.name));
    let detail = paint("#94a3b8", &escaped(&port.detail));
    // Spaces that XML doesn't take away.
    let text = match (left, port.detail.is_empty()) {
        (_, true) => name,
        (true, _) => format!("{name}\u{a0} {detail}"),
        (false, _) => format!("{detail} \u{a0}{name}"),
    };
    let _ = writeln!(
        out,
        "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{text}</text>",
        middle + 0.2 * ROW
    );
}

fn draw_arrow(out: &mut String, arrow: &Arrow, route: &Route) {
    let mut path = String::new();
    match route {
        Route::Forth(points) => {
            let mut before: Option<[f64; 2]> = None;
            for &[x, y] in points {
                let _ = match before {
                    None => write!(path, "M{x:.1} {y:.1}"),
                    Some([_, by]) if (y - by).abs() < 0.05 => write!(path, " L{x:.1} {y:.1}"),
                    Some([bx, by]) => {
                        let middle = (bx + x) / 2.0;
                        write!(path, " C{middle:.1} {by:.1} {middle:.1} {y:.1} {x:.1} {y:.1}")
                    }
                };
                before = Some([x, y]);
            }
        }
        Route::Back(points) => round_corners(&mut path, points),
    }
    let dashes = if arrow.dashed { " stroke-dasharray=\"6 4\"" } else { "" };
    let _ = writeln!(
        out,
        "<path d=\"{path}\" fill=\"none\" stroke=\"#64748b\" stroke-width=\"1.5\"{dashes} \
         marker-end=\"url(#tip)\"/>"
    );
}

fn round_corners(path: &mut String, points: &[[f64; 2]]) {
    for (n, &[x, y]) in points.iter().enumerate() {
        let (before, after) = (n.checked_sub(1).and_then(|b| points.get(b)), points.get(n + 1));
        let _ = match (before, after) {
            (None, _) => write!(path, "M{x:.1} {y:.1}"),
            (Some(_), None) => write!(path, " L{x:.1} {y:.1}"),
            (Some(&[bx, by]), Some(&[ax, ay])) => {
                // Not further than half of the way to the next corner.
                let near = |px: f64, py: f64| {
                    let away = (px - x).hypot(py - y).max(1e-9);
                    let part = CORNER.min(away / 2.0) / away;
                    (x + (px - x) * part, y + (py - y) * part)
                };
                let ((cx, cy), (dx, dy)) = (near(bx, by), near(ax, ay));
                write!(path, " L{cx:.1} {cy:.1} Q{x:.1} {y:.1} {dx:.1} {dy:.1}")
            }
        };
    }
}

/// Text in XML; signs that XML has no place for are left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    out
}
