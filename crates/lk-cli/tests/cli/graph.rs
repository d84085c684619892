//! `lk graph`: what is in the picture, in each of its forms.

use crate::fixture::{Folder, doubler, fake};

#[test]
fn mermaid_is_printed_with_everything_that_lk_toml_names() {
    let candidate = fake("cpp", "good") + &fake("odd", "wrong") + "default = false\n";
    let folder = doubler(&candidate);
    let ran = folder.lk(&["graph"]).expect(0);
    assert_eq!(ran.stderr, "");
    ran.shows(&[
        "flowchart LR\n",
        "<b>inputs.mcap</b><br/>x doubler/Number<br/>20 messages",
        "<b>reference</b><br/>run: python3 fake.py",
        "candidate<br/><b>cpp</b>",
        "candidate · only by name<br/><b>odd</b>",
        "y doubler/Number<br/>abs=1e-9",
        "b0 --> b1\n",
        "stroke-dasharray",
    ]);
}

#[test]
fn a_picture_is_written_as_its_name_says() {
    let folder = doubler(&fake("cpp", "good"));
    let ran = folder.lk(&["graph", "-o", "graph.svg"]).expect(0);
    assert_eq!(ran.stdout, "graph.svg: doubler with 4 arrows\n");
    let svg = folder.read("graph.svg");
    assert!(svg.starts_with("<svg ") && svg.contains(">doubler/Number<"), "{svg}");
    folder.lk(&["graph", "-o", "graph.html"]).expect(0);
    assert!(folder.read("graph.html").contains(&svg));
    folder.lk(&["graph", "-o", "graph.mmd"]).expect(0);
    assert_eq!(folder.read("graph.mmd"), folder.lk(&["graph"]).expect(0).stdout);
    folder.lk(&["graph", "-o", "graph.svg"]).expect_mistake(&["exists", "--force"]);
    folder.lk(&["graph", "-o", "graph.svg", "--force"]).expect(0);
    folder.lk(&["graph", "-o", "graph.png"]).expect_mistake(&["graph.png", "hint: ", ".svg"]);
}

#[test]
fn a_graph_that_was_saved_is_drawn_as_it_was() {
    let folder = doubler(&fake("cpp", "good"));
    folder.lk(&["graph", "-o", "graph.json"]).expect(0);
    let drawn = folder.lk(&["graph"]).expect(0).stdout;
    assert_eq!(folder.lk(&["graph", "graph.json"]).expect(0).stdout, drawn);
    let end = r#"{"at": 0, "port": 0}"#;
    let saved = format!(
        r#"{{"boxes": [{{"title": "loop", "inputs": [{{"name": "in"}}],
            "outputs": [{{"name": "out"}}]}}],
            "arrows": [{{"from": {end}, "to": {end}, "dashed": true}}]}}"#
    );
    folder.write("loop.json", &saved);
    folder.lk(&["graph", "loop.json"]).expect(0).shows(&["b0 -.->|\"out to in\"| b0"]);
    folder.lk(&["graph", "loop.json", "-o", "loop.svg"]).expect(0);
    // An arrow that can't be drawn isn't left out in silence.
    let loose = saved.replacen(r#""port": 0"#, r#""port": 1"#, 1);
    folder.write("loose.json", &loose);
    folder.lk(&["graph", "loose.json"]).expect_mistake(&["loose.json", "arrows[0]", "port"]);
    folder.write("other.json", "{\"boxs\": []}");
    folder.lk(&["graph", "other.json"]).expect_mistake(&["other.json", "boxs", "hint: "]);
}

#[test]
fn a_recording_as_reference_is_fed_by_nothing_and_what_is_missing_is_said() {
    let folder = doubler(&fake("cpp", "good"));
    let manifest = folder.read("lk.toml");
    let program = r#"run = ["python3", "fake.py"]"#;
    folder.write("lk.toml", &manifest.replacen(program, r#"recording = "reference.mcap""#, 1));
    let ran = folder.lk(&["graph"]).expect(0);
    let ran = ran.shows(&["<b>reference.mcap</b><br/>not there yet", "b1 --> b3", "b0 --> b2"]);
    assert!(!ran.stdout.contains("b0 --> b1"), "{}", ran.stdout);
    Folder::new().lk(&["graph"]).expect_mistake(&["lk.toml"]);
}
