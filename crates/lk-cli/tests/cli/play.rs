//! `lk play`: what comes out, who controls it, and what it refuses.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::fixture::{Folder, Ran, TICKS, doubler, fake};
use crate::usage::cut_off;

/// The lines that are samples.
fn samples(text: &str) -> Vec<Value> {
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    lines.filter(|line| line.get("time_ns").is_some()).collect()
}

fn times(text: &str) -> Vec<i64> {
    samples(text).iter().filter_map(|line| line["time_ns"].as_i64()).collect()
}

#[test]
fn a_played_recording_is_lines_with_its_types_and_times() {
    let folder = doubler("");
    let ran = folder.lk(&["play", "inputs.mcap", "--rate", "1000"]).expect(0);
    let cat = folder.lk(&["cat", "inputs.mcap", "--format", "ndjson"]).expect(0).stdout;
    assert_eq!(samples(&ran.stdout), samples(&cat));
    assert!(ran.stdout.contains(r#""type":"doubler/msg/Number""#), "{}", ran.stdout);
    ran.says(&["played 20 messages in 20 ticks\n", "times as fast as recorded", "late ", "p99"]);
}

#[test]
fn a_part_is_played_under_other_names() {
    let folder = doubler("");
    let play = ["play", "inputs.mcap", "--unpaced", "--key", "x*", "--rename", "x=a b"];
    let part = ["--start-offset", "2", "--until", "5.5"];
    let ran = folder.lk(&[&play[..], &part].concat()).expect(0);
    assert_eq!(times(&ran.stdout), [2_500_000_000, 3_500_000_000, 4_500_000_000]);
    assert!(samples(&ran.stdout).iter().all(|line| line["key"] == "a b"), "{}", ran.stdout);
    let ran = ran.says(&["played 3 messages in 3 ticks"]);
    assert!(!ran.stderr.contains("late"), "nothing was to be in time: {}", ran.stderr);
}

#[test]
fn a_recording_that_is_played_to_a_file_stays_what_it_is() {
    let folder = doubler("");
    folder.lk(&["run", "-o", "run.mcap"]).expect(0);
    let ran = folder.lk(&["play", "run.mcap", "-o", "copy.mcap", "--unpaced"]).expect(0);
    ran.shows(&["copy.mcap: 40 messages\n", "played 40 messages in 20 ticks"]);
    folder.lk(&["diff", "run.mcap", "copy.mcap"]).expect(0).shows(&["identical"]);
    folder.lk(&["info", "copy.mcap"]).expect(0).shows(&["output", "inputs_hash"]);
    folder.lk(&["play", "run.mcap", "-o", "copy.mcap"]).expect_mistake(&["file exists"]);
    folder.lk(&["play", "run.mcap", "-o", "run.mcap", "--force"]).expect_mistake(&["both"]);
}

#[test]
fn what_cant_be_played_is_refused_by_name() {
    let folder = doubler("");
    let refuse = |args: &[&str], said: &[&str]| {
        folder.lk(&[&["play", "inputs.mcap"], args].concat()).expect_mistake(said);
    };
    refuse(&["--key", "z*"], &["no key matches z* in inputs.mcap", "hint: its keys are x"]);
    refuse(&["--rename", "z=a"], &["no key z", "hint: its keys are x"]);
    refuse(&["--start-offset", "20"], &["start_offset 20.000000000 s is past the end"]);
    refuse(&["--until", "0.5"], &["until 0.500000000 s is not after 0.500000000 s"]);
    refuse(&["--rate", "0"], &["--rate"]);
    refuse(&["--rate", "2", "--unpaced"], &["--unpaced"]);
    refuse(&["-o", "none/out.mcap"], &["none/out.mcap", "No such file"]);
    folder.write("empty.ndjson", "{\"key\":\"x\",\"type\":\"a/T\",\"schema\":\"int8 a\"}\n");
    folder.lk(&["convert", "empty.ndjson", "empty.mcap"]).expect(0);
    folder.lk(&["play", "empty.mcap"]).expect_mistake(&["nothing to play in empty.mcap"]);
    folder.lk(&["play", "no.mcap"]).expect_mistake(&["no.mcap", "No such file"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_sink_that_fails_is_an_error_and_one_that_leaves_is_none() {
    let folder = doubler("");
    let full = fs::File::create("/dev/full").expect("Linux has it");
    let mut play = folder.command(&["play", "inputs.mcap", "--unpaced"]);
    let failed = Ran::of(play.stdout(full).output().expect("lk starts")).expect(2);
    failed.says(&["can't write standard output", "No space left"]);
    let play = folder.command(&["play", "inputs.mcap", "--loop", "--rate", "100000"]);
    assert_eq!(cut_off(play).expect(0).stderr, "");
}

#[test]
fn each_line_on_standard_input_is_a_step() {
    let folder = doubler("");
    let mut lk = folder.command(&["play", "inputs.mcap", "--step"]);
    lk.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut lk = lk.spawn().expect("lk starts");
    lk.stdin.take().expect("piped").write_all(b"\n\n\n").expect("lk reads");
    let ran = Ran::of(lk.wait_with_output().expect("lk ends")).expect(0);
    assert_eq!(times(&ran.stdout), [500_000_000, 1_500_000_000, 2_500_000_000]);
    ran.says(&["played 3 messages in 3 ticks, stopped before the end"]);
}

#[test]
fn times_go_on_where_it_begins_again() {
    use std::io::{BufRead, BufReader};
    let folder = doubler("");
    let mut lk = folder.command(&["play", "inputs.mcap", "--loop", "--rate", "1000"]);
    let mut lk = lk.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("lk starts");
    let lines = BufReader::new(lk.stdout.take().expect("piped")).lines();
    let text: Vec<String> = lines.take(3 * TICKS).map(|line| line.expect("text")).collect();
    // Whoever reads it is gone now.
    assert!(lk.wait().expect("it ends").success());
    let times = times(&text.join("\n"));
    assert!(times.len() > 2 * TICKS);
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] == 1_000_000_000), "{times:?}");
}

/// What became of `lk` in a terminal of its own, in which `keys` were pressed
/// once it showed `wait_for`.
fn in_terminal(folder: &Folder, args: &[&str], wait_for: &str, keys: &str) -> Value {
    let script = folder.write("terminal.py", include_str!("terminal.py"));
    let mut command = Command::new("python3");
    command.arg(script).args([wait_for, keys, env!("CARGO_BIN_EXE_lk")]).args(args);
    let output = command.current_dir(folder.path()).output().expect("Python starts");
    let told = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&told).expect("JSON")
}

#[cfg(target_os = "linux")]
#[test]
fn keys_control_it_and_the_terminal_is_left_as_it_was() {
    let folder = doubler("");
    let play = ["play", "inputs.mcap", "-o", "part.mcap", "--rate", "0.01"];
    // Paused, moved to the end, on again: just the first and the last.
    let told = in_terminal(&folder, &play, "1 message ", " \\x1b[A ");
    assert_eq!(told["code"], 0, "{told:#}");
    assert_eq!((&told["changed"], &told["restored"]), (&true.into(), &true.into()), "{told:#}");
    let cat = folder.lk(&["cat", "part.mcap", "--format", "ndjson"]).expect(0).stdout;
    assert_eq!(times(&cat), [500_000_000, 19_500_000_000], "{told:#}");

    for (keys, code) in [("q", 0), ("\\x03", 130)] {
        let play = ["play", "inputs.mcap", "-o", "part.mcap", "--rate", "0.01", "--force"];
        let told = in_terminal(&folder, &play, "1 message ", keys);
        assert_eq!(told["code"], code, "{told:#}");
        assert_eq!((&told["changed"], &told["restored"]), (&true.into(), &true.into()));
        let shown = told["shown"].as_str().unwrap_or_default();
        assert!(shown.contains("played 1 message in 1 tick, stopped before the end"), "{shown}");
        folder.lk(&["info", "part.mcap", "--check"]).expect(0).shows(&["1 message"]);
    }
    let step = ["play", "inputs.mcap", "--step"];
    let told = in_terminal(&folder, &step, "Enter plays on", "\\n \\x1b[Cq");
    assert_eq!((&told["code"], &told["restored"]), (&0.into(), &true.into()), "{told:#}");
    let shown = told["shown"].as_str().unwrap_or_default();
    assert!(shown.contains("played 3 messages in 3 ticks"), "{shown}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_terminal_is_left_as_it_was_after_an_error_too() {
    let folder = doubler("");
    // Keys are taken before the file is made.
    let play = ["play", "inputs.mcap", "-o", "none/out.mcap"];
    let told = in_terminal(&folder, &play, "nothing is waited for", "");
    assert_eq!((&told["code"], &told["restored"]), (&2.into(), &true.into()), "{told:#}");
    let shown = told["shown"].as_str().unwrap_or_default();
    assert!(shown.contains("can't create none/out.mcap"), "{shown}");
}

#[test]
fn a_program_is_played_to_and_what_it_does_is_recorded() {
    let folder = doubler(&(fake("good", "good") + &fake("crash", "crash")));
    let play = ["play", "inputs.mcap", "--to", ".", "--rate", "1000", "-o", "live.mcap"];
    let ran = folder.lk(&play).expect(0);
    let ran = ran.shows(&["reference ran 20 ticks, recorded in live.mcap", "late ", "as fast"]);
    ran.shows(&["played 20 messages in 20 ticks\n"]).says(&["unconfined"]);
    folder.lk(&["run", "-o", "run.mcap"]).expect(0);
    folder.lk(&["diff", "run.mcap", "live.mcap"]).expect(0).shows(&["identical"]);

    // A part of another recording, under the names that the program knows.
    folder.lk(&["play", "inputs.mcap", "-o", "y.mcap", "--unpaced", "--rename", "x=z"]).expect(0);
    let play = ["play", "y.mcap", "--to", ".", "--program", "good", "-o", "part.mcap", "--unpaced"];
    folder.lk(&play).expect_mistake(&["the inputs lack key \"x\"", "y.mcap"]);
    let part = ["--rename", "z=x", "--start-offset", "5", "--until", "10"];
    folder.lk(&[&play[..], &part].concat()).expect(0).shows(&["good ran 5 ticks"]);

    let play = ["play", "inputs.mcap", "--to", ".", "--unpaced", "-o", "none.mcap"];
    let ran = folder.lk(&[&play[..], &["--program", "crash"]].concat()).expect(3);
    ran.says(&["at tick 3, candidate crash was killed", "about to fall over"]);
    folder.lk(&[&play[..], &["--program", "best"]].concat()).expect_mistake(&["best", "good"]);
    folder.lk(&[&play[..], &["--loop"]].concat()).expect_mistake(&["--loop"]);
    folder.lk(&play[..5]).expect_mistake(&["--output"]);
    assert!(!folder.path().join("none.mcap").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_program_that_is_stopped_leaves_the_ticks_until_then() {
    let folder = doubler("");
    let play = ["play", "inputs.mcap", "--to", ".", "--rate", "0.01", "-o", "live.mcap"];
    let told = in_terminal(&folder, &play, "1 tick ", "q");
    assert_eq!((&told["code"], &told["restored"]), (&0.into(), &true.into()), "{told:#}");
    let shown = told["shown"].as_str().unwrap_or_default();
    assert!(shown.contains("played 1 message in 1 tick, stopped before the end"), "{shown}");
    let info = folder.lk(&["info", "live.mcap", "--check"]).expect(0);
    info.shows(&["2 messages", "undelivered_inputs"]);
}
