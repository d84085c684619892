//! Each example on the inputs that lie beside it: its ports pass, and the one
//! that is wrong is caught.

use std::fs;

use lk::Time;
use lk::diff::Verdict;
use lk::value::Scalar;

use crate::example::{Example, Verified, all_compared, repository};

const VECTORS: u64 = 150;
const SAMPLES: u64 = 4_730;
const STATES: u64 = 2_000;

/// Fails unless the candidates are the C++ and the Rust port, and pass with
/// every message compared.
#[track_caller]
fn both_ports_pass(verified: &Verified, key: &str, messages: u64) {
    assert_eq!(verified.0.ticks, messages);
    let compared = verified.compared();
    assert_eq!(compared.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["cpp", "rust"]);
    for (name, diff) in compared {
        assert!(matches!(diff.verdict, Verdict::Identical | Verdict::Equal), "{name}");
        assert_eq!(diff.first_divergence, None, "{name}");
        let output = all_compared(diff, key, messages);
        assert_eq!(output.n_matching, messages, "{name}");
        let violations: u64 = output.fields.iter().map(|field| field.values.violations).sum();
        assert_eq!(violations, 0, "{name}");
    }
}

/// Names of the fields outside of tolerance.
fn wrong_fields<'a>(verified: &'a Verified, key: &str) -> Vec<&'a str> {
    let fields = verified.diff().key_diffs[key].fields.iter();
    fields.filter(|field| field.values.violations > 0).map(|field| field.path.as_str()).collect()
}

#[test]
fn both_ports_of_the_vector_normalizer_pass() {
    let verified = Example::copy("vector_normalizer").verify(&[], 0);
    both_ports_pass(&verified, "unit", VECTORS);
}

#[test]
fn both_ports_of_the_vector_normalizer_pass_on_drawn_inputs_too() {
    let example = Example::copy("vector_normalizer");
    example.lk(&["sample", "-o", "inputs.mcap", "-n", "400", "--seed", "1", "--force"], 0);
    both_ports_pass(&example.verify(&[], 0), "unit", 400);
}

#[test]
fn the_planted_error_of_1e_4_is_caught_where_it_is() {
    let verified = Example::copy("vector_normalizer").verify(&["--candidate", "planted"], 1);
    assert_eq!(verified.diff().verdict, Verdict::Different);
    assert_eq!(wrong_fields(&verified, "unit"), ["y"]);
    let output = all_compared(verified.diff(), "unit", VECTORS);
    assert_eq!(output.n_matching, 8, "zero stays zero, whatever its signs");

    let first = verified.first_divergence();
    assert_eq!((first.key.as_str(), first.mismatch.path.as_str()), ("unit", "y"));
    assert_eq!((first.mismatch.tick, first.mismatch.time), (Some(0), Time::ZERO));
    let error = first.mismatch.error.expect("a number");
    assert!((error - 1e-4).abs() < 1e-15, "{error}");
    let input = &first.inputs[0];
    assert_eq!((input.key.as_str(), input.time), ("vector", Time::ZERO));
    assert_eq!(
        input.fields.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>(),
        ["x", "y", "z"]
    );
}

#[test]
fn both_ports_of_the_attitude_filter_pass() {
    let verified = Example::copy("attitude_filter").verify(&[], 0);
    both_ports_pass(&verified, "attitude", SAMPLES);
    for (name, diff) in verified.compared() {
        let error = diff.key_diffs["attitude"].max_error.expect("there are numbers");
        assert!(error < 1e-12, "{name} is further off than its tolerance was stated for: {error}");
    }
}

#[test]
fn the_broken_filter_is_caught_when_the_bias_begins() {
    let example = Example::copy("attitude_filter");
    let verified = example.verify(&["--candidate", "broken"], 1);
    assert_eq!(verified.diff().verdict, Verdict::Different);
    let output = all_compared(verified.diff(), "attitude", SAMPLES);
    assert_eq!(output.n_matching, 500, "alignment takes five seconds");

    let first = verified.first_divergence();
    assert_eq!((first.key.as_str(), first.mismatch.path.as_str()), ("attitude", "orientation.x"));
    assert_eq!(first.mismatch.tick, Some(500));
    assert_eq!(first.mismatch.time, Time::from_nanos(5_008_304_000));
    let input = &first.inputs[0];
    assert_eq!((input.key.as_str(), input.time), ("imu", first.mismatch.time));
    assert_eq!(input.fields[0], ("gyroscope_deg_s.x".to_owned(), Scalar::Float64(0.703125)));

    let shown = example.lk(&["verify", "--candidate", "broken"], 1);
    for part in ["✗ attitude_filter broken", "orientation.x", "tick 500", "gyroscope_deg_s.z"] {
        assert!(shown.contains(part), "no {part:?} in\n{shown}");
    }
}

#[test]
fn the_broken_filter_passes_a_check_of_the_first_five_seconds() {
    let example = Example::copy("attitude_filter");
    example.lk(&["convert", "inputs.mcap", "all.csv"], 0);
    let all = example.read("all.csv");
    let first: Vec<&str> = all.lines().take(1 + 500).collect();
    example.write("first.csv", &(first.join("\n") + "\n"));
    convert_imu(&example, "first.csv");

    let verified = example.verify(&["--candidate", "broken"], 0);
    let output = all_compared(verified.diff(), "attitude", 500);
    assert_eq!(output.n_matching, 500);
}

#[test]
fn both_ports_of_the_pd_controller_pass() {
    let verified = Example::copy("pd_controller").verify(&[], 0);
    both_ports_pass(&verified, "control", STATES);
}

#[test]
fn both_ports_of_the_pd_controller_pass_in_the_whole_box_too() {
    let example = Example::copy("pd_controller");
    example.lk(&["sample", "-o", "inputs.mcap", "-n", "400", "--seed", "1", "--force"], 0);
    both_ports_pass(&example.verify(&[], 0), "control", 400);
}

#[test]
fn the_broken_controller_is_caught_at_its_limit() {
    let example = Example::copy("pd_controller");
    let verified = example.verify(&["--candidate", "broken"], 1);
    assert_eq!(verified.diff().verdict, Verdict::Different);
    assert_eq!(wrong_fields(&verified, "control"), ["force_n"]);
    all_compared(verified.diff(), "control", STATES);
    let first = verified.first_divergence();
    assert_eq!((first.key.as_str(), first.mismatch.path.as_str()), ("control", "force_n"));
    assert_eq!(first.mismatch.tick, Some(500), "five episodes stay below the limit");
    assert_eq!(first.mismatch.time, Time::from_nanos(10_000_000_000));

    // It is the damping that comes after the limit.
    let manifest = example.read("lk.toml");
    let undamped = "type = \"pd_controller/Config\"\nvalues = { derivative_gain = 0.0 }\n";
    let typed = "type = \"pd_controller/Config\"\n";
    assert_eq!(manifest.matches(typed).count(), 1);
    example.write("lk.toml", &manifest.replace(typed, undamped));
    example.verify(&["--candidate", "broken"], 0);
}

#[test]
fn what_is_wrong_is_a_port_that_is_right_but_for_what_its_readme_says() {
    let differs_by = |name, wrong: &str, right: &str, instead: &str| {
        let example = Example::copy(name);
        assert_eq!(
            example.read(&format!("{wrong}/component.hpp")),
            example.read("cpp/component.hpp")
        );
        let port = example.read("cpp/component.cpp");
        assert_eq!(port.matches(right).count(), 1);
        assert_eq!(example.read(&format!("{wrong}/component.cpp")), port.replace(right, instead));
    };
    differs_by("vector_normalizer", "planted", "v.y *= shrink;", "v.y = v.y * shrink + 1e-4;");
    differs_by(
        "attitude_filter",
        "broken",
        "    const Vector3 rate = gyroscope - bias_ + error * gain;\n",
        "    Vector3 rate = gyroscope + error * gain;\n    rate.x -= bias_.x;\n    rate.y -= bias_.y;\n",
    );
    let (limit, damping) = ("std::clamp(force, -config_.limit_n, config_.limit_n)", " - damping");
    let lines = |sum: &str, limited: &str| {
        format!(
            "    double force = config_.proportional_gain * error{sum};\n    force = {limit}{limited};\n"
        )
    };
    differs_by("pd_controller", "broken", &lines(damping, ""), &lines("", damping));
}

#[test]
fn the_readmes_show_what_is_printed() {
    for (name, wrong) in [
        ("vector_normalizer", "planted"),
        ("attitude_filter", "broken"),
        ("pd_controller", "broken"),
    ] {
        let example = Example::copy(name);
        let folder = format!("examples/{name}");
        let printed = [
            example.lk_in_root(&["verify", &folder], 0),
            example.lk_in_root(&["verify", &folder, "--candidate", wrong], 1),
        ];
        shows(&format!("{folder}/README.md"), &example.read("README.md"), &printed);
        if name == "attitude_filter" {
            let readme = fs::read_to_string(repository().join("README.md")).expect("it is there");
            shows("README.md", &readme, &printed);
        }
    }
}

/// Fails unless the blocks of text in a page are what was printed, but for
/// numbers, and for the table of times, which are another machine's.
#[track_caller]
fn shows(page: &str, text: &str, printed: &[String]) {
    let blocks = text.split("```text\n").skip(1).filter_map(|rest| rest.split("```").next());
    let blocks: Vec<&str> = blocks.collect();
    assert_eq!(blocks.len(), printed.len(), "{page}: what passes, and what fails");
    for (block, printed) in blocks.iter().zip(printed) {
        let printed: Vec<String> = printed.lines().map(without_numbers).collect();
        for line in block.lines().take_while(|line| !line.contains("step p50")) {
            let found = printed.contains(&without_numbers(line));
            assert!(found, "{page}: lk doesn't print\n{line}\nbut\n{}", printed.join("\n"));
        }
    }
}

/// A line with `#` for each run of digits: another machine's arctangent may
/// round otherwise in the last one.
fn without_numbers(line: &str) -> String {
    let mut text = String::new();
    for c in line.chars() {
        match c.is_ascii_digit() {
            true if text.ends_with('#') => {}
            true => text.push('#'),
            false => text.push(c),
        }
    }
    text
}

#[test]
fn the_inputs_are_those_of_the_scripts() {
    let example = Example::copy("vector_normalizer");
    example.write("inputs.csv", &example.python(&["make_inputs.py"]));
    let types = ["--type", "vector_normalizer/Vec3", "--msgs", "msg", "--role", "input"];
    let convert = ["convert", "inputs.csv", "made.mcap", "--key", "vector"];
    example.lk(&[&convert[..], &types[..]].concat(), 0);
    example.lk(&["diff", "inputs.mcap", "made.mcap", "--tol", "0"], 0);

    let example = Example::copy("pd_controller");
    example.write("inputs.csv", &example.python(&["simulate.py"]));
    let types = ["--type", "pd_controller/State", "--msgs", "msg", "--role", "input"];
    let convert = ["convert", "inputs.csv", "made.mcap", "--key", "state"];
    example.lk(&[&convert[..], &types[..]].concat(), 0);
    example.lk(&["diff", "inputs.mcap", "made.mcap", "--tol", "0"], 0);

    // Another machine's sine may round otherwise and fall on the next count of
    // a sensor, and no further.
    let example = Example::copy("attitude_filter");
    example.write("inputs.csv", &example.python(&["simulate.py"]));
    fs::rename(example.dir().join("inputs.mcap"), example.dir().join("kept.mcap")).unwrap();
    convert_imu(&example, "inputs.csv");
    let counts = [
        "--tol",
        "imu.gyroscope_deg_s:abs=0.015625",
        "--tol",
        "imu.accelerometer_g:abs=0.000244140625",
        "--tol",
        "imu.magnetometer_ut:abs=0.125",
    ];
    example.lk(&[&["diff", "kept.mcap", "inputs.mcap"], &counts[..]].concat(), 0);
}

/// Makes the example's inputs of a CSV file whose columns are named by field.
fn convert_imu(example: &Example, csv: &str) {
    let types = ["--type", "attitude_filter/Imu", "--msgs", "msg", "--role", "input"];
    let convert = ["convert", csv, "inputs.mcap", "--force", "--key", "imu"];
    example.lk(&[&convert[..], &types[..]].concat(), 0);
}
