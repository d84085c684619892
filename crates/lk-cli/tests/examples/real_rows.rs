//! The attitude filter on what a real sensor measured: 13,514 rows that are no
//! part of the repository. Skipped, saying so, where they aren't there.

use std::path::PathBuf;
use std::process::Command;

use lk::diff::Verdict;

use crate::example::{Example, all_compared, repository};

const ROWS: u64 = 13_514;

/// The columns of the recording, and the fields they go to.
const COLUMNS: [(&str, &str); 9] = [
    ("Gyroscope X (deg/s)", "gyroscope_deg_s.x"),
    ("Gyroscope Y (deg/s)", "gyroscope_deg_s.y"),
    ("Gyroscope Z (deg/s)", "gyroscope_deg_s.z"),
    ("Accelerometer X (g)", "accelerometer_g.x"),
    ("Accelerometer Y (g)", "accelerometer_g.y"),
    ("Accelerometer Z (g)", "accelerometer_g.z"),
    ("Magnetometer X (uT)", "magnetometer_ut.x"),
    ("Magnetometer Y (uT)", "magnetometer_ut.y"),
    ("Magnetometer Z (uT)", "magnetometer_ut.z"),
];

/// The rows, where they are.
#[expect(clippy::print_stderr, reason = "what a test skips, it says")]
fn rows() -> Option<PathBuf> {
    let path = repository().join("../shared/data/imu/sensor_data.csv");
    let found = path.canonicalize().ok();
    if found.is_none() {
        eprintln!("skipped: there is no {}", path.display());
    }
    found
}

/// The example with the rows as its inputs.
fn example_on(rows: &str) -> Example {
    let example = Example::copy("attitude_filter");
    let columns: Vec<String> =
        COLUMNS.iter().map(|(column, field)| format!("{column}={field}")).collect();
    let mut args = vec!["convert", rows, "inputs.mcap", "--force", "--key", "imu"];
    args.extend(["--type", "attitude_filter/Imu", "--msgs", "msg", "--role", "input"]);
    args.extend(["--time", "Time (s)"]);
    args.extend(columns.iter().flat_map(|column| ["--map", column]));
    example.lk(&args, 0);
    example
}

#[test]
fn both_ports_pass_on_the_real_rows() {
    let Some(rows) = rows() else { return };
    let example = example_on(&rows.to_string_lossy());
    let verified = example.verify(&[], 0);
    assert_eq!(verified.0.ticks, ROWS);
    let compared = verified.compared();
    assert_eq!(compared.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["cpp", "rust"]);
    for (name, diff) in compared {
        assert!(matches!(diff.verdict, Verdict::Identical | Verdict::Equal), "{name}");
        let output = all_compared(diff, "attitude", ROWS);
        assert_eq!(output.n_matching, ROWS, "{name}");
        let error = output.max_error.expect("there are numbers");
        assert!(error < 1e-12, "{name}: {error}");
    }
}

#[test]
fn the_broken_port_is_caught_on_the_real_rows_where_another_program_finds_it_too() {
    let Some(rows) = rows() else { return };
    let rows = rows.to_string_lossy();
    let example = example_on(&rows);
    let verified = example.verify(&["--candidate", "broken", "--out", "out"], 1);
    let output = all_compared(verified.diff(), "attitude", ROWS);
    let first = verified.first_divergence();
    assert!(first.mismatch.time.as_nanos() >= 5_000_000_000, "right for five seconds");

    for recording in ["reference", "candidate-broken"] {
        let file = format!("out/{recording}.mcap");
        let lines = example.lk(&["cat", &file, "--key", "attitude", "--format", "ndjson"], 0);
        example.write(&format!("out/{recording}.ndjson"), &lines);
    }
    let said = check_report(&example, &rows, "out/report.json").expect("the script agrees");
    println!("{said}");

    // The script finds out when the report is wrong.
    let report = example.read("out/report.json");
    let tick = first.mismatch.tick.expect("the runner numbers ticks");
    let path = &first.mismatch.path;
    let yaw = output.fields.iter().find(|field| field.path == "yaw_rad").expect("a field");
    let violations = yaw.values.violations;
    for (right, wrong) in [
        (format!("\"tick\": {tick}"), format!("\"tick\": {}", tick + 1)),
        (format!("\"path\": \"{path}\""), "\"path\": \"pitch_rad\"".to_owned()),
        (format!("\"violations\": {violations}"), format!("\"violations\": {}", violations - 1)),
    ] {
        assert!(report.contains(&right), "no {right} in the report");
        example.write("out/wrong.json", &report.replace(&right, &wrong));
        let said = check_report(&example, &rows, "out/wrong.json").expect_err("it is wrong");
        assert!(said.contains("the report says"), "{said}");
    }
}

/// Has a program that shares nothing with lk compare the two recordings, and
/// the report with what it found; what it says, or what it says is wrong.
fn check_report(example: &Example, rows: &str, report: &str) -> Result<String, String> {
    let script = repository().join("crates/lk-cli/tests/examples/real_rows/first_divergence.py");
    let python = Command::new("python3")
        .arg(script)
        .args([report, "out/reference.ndjson", "out/candidate-broken.ndjson", rows, "1e-9"])
        .current_dir(example.dir())
        .output()
        .expect("python3 starts");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    if python.status.success() { Ok(text(python.stdout)) } else { Err(text(python.stderr)) }
}
