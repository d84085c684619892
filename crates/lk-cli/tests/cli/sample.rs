//! `lk sample`: what it writes, what a seed means, and what it refuses.

use std::fs;

use crate::fixture::{Folder, TICKS, doubler, fake};

/// The component that doubles numbers, with its input drawn so.
fn drawn(line: &str) -> Folder {
    let folder = doubler(&fake("good", "good"));
    let manifest = folder.read("lk.toml");
    folder.write("lk.toml", &format!("{manifest}\n[distributions.x]\n{line}\n"));
    folder
}

#[test]
fn a_seed_gives_the_same_bytes_and_another_one_others() {
    let folder = drawn("value = { normal = { mean = 0, std = 2 } }");
    let sample = |name: &str, more: &[&str]| {
        folder.lk(&[&["sample", "-o", name], more].concat()).expect(0);
        fs::read(folder.path().join(name)).expect("readable")
    };
    let first = sample("a.mcap", &["-n", "500", "--seed", "3"]);
    assert_eq!(first, sample("b.mcap", &["-n", "500", "--seed", "3"]));
    assert_ne!(first, sample("c.mcap", &["-n", "500", "--seed", "4"]));
    assert_ne!(first, sample("d.mcap", &["-n", "500", "--seed", "3", "--edge-cases", "0.1"]));
}

#[test]
fn what_was_drawn_is_an_input_that_verify_runs_on() {
    let folder = drawn("value = { uniform = [-1e3, 1e3] }\nedge_cases = 0.1");
    let args = ["sample", "-o", "inputs.mcap", "-n", "300", "--rate", "50", "--force"];
    let ran = folder.lk(&args).expect(0);
    assert_eq!(ran.stdout, "inputs.mcap: 300 messages, seed 0\n");
    let ran = folder.lk(&["info", "inputs.mcap"]).expect(0);
    ran.shows(&["300", "input", "producer", "seed", "50.0"]);
    folder.lk(&["verify"]).expect(0).shows(&["300 ticks"]);
}

#[test]
fn every_combination_of_grids_comes_once() {
    let folder = drawn("value = { grid = { from = 0, to = 1, count = 5 } }");
    folder.lk(&["sample", "-o", "grid.mcap", "--permute", "--rate", "1"]).expect(0);
    folder.lk(&["convert", "grid.mcap", "grid.ndjson"]).expect(0);
    let values: Vec<f64> = folder
        .read("grid.ndjson")
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"))
        .filter_map(|line| line["value"]["value"].as_f64())
        .collect();
    assert_eq!(values, [0.0, 0.25, 0.5, 0.75, 1.0], "{}", folder.read("grid.ndjson"));
    folder.lk(&["sample", "-o", "x.mcap", "--permute", "-n", "3"]).expect(2);
}

#[test]
fn an_input_without_a_distribution_is_refused_with_what_to_write() {
    let folder = doubler("");
    let ran = folder.lk(&["sample", "-o", "drawn.mcap"]);
    ran.expect_mistake(&["input port x can't be sampled", "[distributions.x]", "value"]);
    assert!(!folder.path().join("drawn.mcap").exists());

    let folder = drawn("valeu = { uniform = [0, 1] }");
    let ran = folder.lk(&["sample", "-o", "drawn.mcap"]);
    ran.expect_mistake(&["port x: field valeu", "lk.toml, line", "hint: the fields of", "value"]);
}

#[test]
fn a_file_that_is_there_is_kept_and_senseless_numbers_are_refused() {
    let folder = drawn("value = 1");
    folder.lk(&["sample", "-o", "inputs.mcap"]).expect_mistake(&["exists", "--force"]);
    folder.lk(&["info", "inputs.mcap"]).expect(0).shows(&[&TICKS.to_string()]);
    for more in [["-n", "0"], ["--rate", "0"], ["--rate", "nan"], ["--edge-cases", "1.5"]] {
        folder.lk(&[&["sample", "-o", "x.mcap"], &more[..]].concat()).expect(2);
    }
    assert!(!folder.path().join("x.mcap").exists());
}
