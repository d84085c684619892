use lk::component::{Component, Io, Ports, StepResult};
use lk::system::SystemBuilder;

use super::layout::{Layout, Route};
use super::*;

/// A component that does nothing between its ports.
struct Idle;

impl Component for Idle {
    fn step(&mut self, _: &mut Io<'_>) -> StepResult {
        Ok(())
    }
}

fn idle(ports: &mut Ports, inputs: &[&str], outputs: &[&str]) -> lk::Result<Idle> {
    inputs.iter().try_for_each(|name| ports.input::<f64>(name).map(drop))?;
    outputs.iter().try_for_each(|name| ports.output::<f64>(name).map(drop))?;
    Ok(Idle)
}

/// A closed loop with a way past it, as robots have.
fn closed_loop() -> Graph {
    let mut builder = SystemBuilder::new("loop");
    let mut add = |name: &str, inputs: &[&str], outputs: &[&str]| {
        builder.add(name, |ports| idle(ports, inputs, outputs)).unwrap();
    };
    add("plant", &["force"], &["position", "speed"]);
    add("sensor", &["position"], &["measured"]);
    add("estimator", &["measured", "speed"], &["state"]);
    add("target", &[], &["position"]);
    add("controller", &["state", "target"], &["force"]);
    add("log", &["position", "force"], &[]);
    for (from, to) in [
        ("plant.position", "sensor.position"),
        ("sensor.measured", "estimator.measured"),
        ("plant.speed", "estimator.speed"),
        ("estimator.state", "controller.state"),
        ("target.position", "controller.target"),
        ("plant.position", "log.position"),
        ("controller.force", "log.force"),
    ] {
        builder.connect(from, to).unwrap();
    }
    builder.connect_delayed("controller.force", "plant.force").unwrap();
    of_system("loop", builder.graph())
}

fn lay_out(graph: &Graph) -> Layout {
    let arrows: Vec<Arrow> = graph.drawn().copied().collect();
    Layout::new(graph, &arrows, 0.0, 0.0)
}

/// Boxes with this many inputs and outputs, connected as said.
fn boxes(ports: usize, count: usize, arrows: &[(usize, usize, bool)]) -> Graph {
    let port = |n: usize| GraphPort { name: format!("p{n}"), detail: String::new() };
    let node = |n: usize| GraphBox {
        title: format!("box {n}"),
        inputs: (0..ports).map(port).collect(),
        outputs: (0..ports).map(port).collect(),
        ..GraphBox::default()
    };
    let end = |at: usize| End { at, port: None };
    let arrows = arrows.iter().map(|(from, to, dashed)| Arrow {
        from: end(*from),
        to: end(*to),
        dashed: *dashed,
    });
    Graph { boxes: (0..count).map(node).collect(), arrows: arrows.collect(), ..Graph::default() }
}

#[test]
fn a_system_is_a_picture() {
    insta::assert_snapshot!(svg(&closed_loop()));
    insta::assert_snapshot!(mermaid(&closed_loop()));
}

#[test]
fn no_two_boxes_overlap_and_all_are_in_the_picture() {
    // Pseudo-random graphs, the same each time.
    let mut state = 7_u64;
    let mut random = |n: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % n
    };
    for count in 1..14 {
        let arrows: Vec<_> =
            (0..2 * count).map(|_| (random(count), random(count), random(4) == 0)).collect();
        let layout = lay_out(&boxes(random(4), count, &arrows));
        for (n, a) in layout.boxes.iter().enumerate() {
            assert!(a.x >= 0.0 && a.y >= 0.0, "{a:?}");
            assert!(a.x + a.width <= layout.width && a.y + a.height <= layout.height, "{a:?}");
            for b in &layout.boxes[..n] {
                let apart = a.x + a.width <= b.x
                    || b.x + b.width <= a.x
                    || a.y + a.height <= b.y
                    || b.y + b.height <= a.y;
                assert!(apart, "{a:?} {b:?}");
            }
        }
        for route in &layout.routes {
            let (Route::Forth(points) | Route::Back(points)) = route;
            for [x, y] in points {
                assert!((0.0..=layout.width).contains(x), "{x} of {}", layout.width);
                assert!((0.0..=layout.height).contains(y), "{y} of {}", layout.height);
            }
        }
    }
}

#[test]
fn arrows_go_to_the_right_but_for_those_that_close_a_circle() {
    let layout =
        lay_out(&boxes(1, 4, &[(2, 0, false), (0, 1, false), (1, 2, true), (2, 3, false)]));
    let x = |n: usize| layout.boxes[n].x;
    assert!(x(2) < x(0) && x(0) < x(1) && x(2) < x(3));
    assert!(matches!(layout.routes[2], Route::Back(_)));
    assert!(layout.routes.iter().filter(|route| matches!(route, Route::Forth(_))).count() == 3);
    // A circle of solid arrows is drawn, too.
    let circle = lay_out(&boxes(0, 2, &[(0, 1, false), (1, 0, false)]));
    assert!(circle.boxes[0].x < circle.boxes[1].x);
}

#[test]
fn an_arrow_that_passes_a_column_passes_beside_its_boxes() {
    let layout = lay_out(&boxes(2, 3, &[(0, 1, false), (1, 2, false), (0, 2, false)]));
    let Route::Forth(points) = &layout.routes[2] else { panic!("it goes forth") };
    let passed = layout.boxes[1];
    let through: Vec<f64> = points[1..points.len() - 1].iter().map(|point| point[1]).collect();
    assert_eq!(through.len(), 2);
    assert!(through.iter().all(|y| *y < passed.y || *y > passed.y + passed.height), "{points:?}");
}

#[test]
fn boxes_are_ordered_so_that_arrows_dont_cross() {
    let layout = lay_out(&boxes(0, 6, &[(0, 5, false), (1, 4, false), (2, 3, false)]));
    let y = |n: usize| layout.boxes[n].y;
    assert!((y(0) < y(1)) == (y(5) < y(4)) && (y(1) < y(2)) == (y(4) < y(3)));
}

#[test]
fn text_from_outside_is_text_in_every_form() {
    let mut graph = boxes(1, 1, &[(0, 7, false)]);
    graph.title = "<script>&\"'\u{1}".to_owned();
    graph.boxes[0].title = "a --> b\"]; click b0 \"x\" `*c*` #quot;".to_owned();
    let picture = svg(&graph);
    assert!(picture.contains("<title>&lt;script&gt;&amp;&quot;&#39;</title>"), "{picture}");
    assert!(!picture.contains('\u{1}') && !picture.contains("url(#tip)"), "no such box 7");
    assert!(html(&graph).contains("<title>&lt;script&gt;"));
    let text = mermaid(&graph);
    let line = text.lines().nth(1).unwrap_or_default();
    assert_eq!(line.matches('"').count(), 2, "{line}");
    assert!(!line.contains('`') && !line.contains('*'), "{line}");
    assert!(line.contains("#35;quot#59;"), "{line}");
}
