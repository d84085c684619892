//! `lk record`: lines of JSON to a file, what is told of them, and the end.

use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::fixture::{Folder, Ran, doubler, fake};

/// `lk record` with these lines on its standard input.
fn record(folder: &Folder, args: &[&str], lines: &str) -> Ran {
    let mut lk = start(folder, args);
    // One that refuses its arguments reads nothing.
    let _ = lk.stdin.take().expect("piped").write_all(lines.as_bytes());
    Ran::of(lk.wait_with_output().expect("lk ends"))
}

fn start(folder: &Folder, args: &[&str]) -> Child {
    let mut lk = folder.command(&[&["record"], args].concat());
    lk.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    lk.spawn().expect("lk starts")
}

fn line(key: &str, seconds: i64, value: &str) -> String {
    format!("{{\"key\": \"{key}\", \"time_ns\": {seconds}000000000, \"value\": {value}}}\n")
}

#[test]
fn what_is_played_is_recorded_as_it_was() {
    let folder = doubler("");
    folder.lk(&["run", "-o", "run.mcap"]).expect(0);
    for pace in [&["--unpaced"][..], &["--rate", "1000"]] {
        let mut play = folder.command(&[&["play", "run.mcap"], pace].concat());
        let mut play = play.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("starts");
        let lines = play.stdout.take().expect("piped");
        let mut record = folder.command(&["record", "-o", "copy.mcap", "--force"]);
        let ran = Ran::of(record.stdin(lines).output().expect("lk starts")).expect(0);
        assert!(play.wait().expect("it ends").success());
        assert_eq!(ran.stderr, "", "its types were told");
        ran.shows(&["copy.mcap: 40 messages of 2 keys", "offered", "1.0"]);
        folder.lk(&["diff", "run.mcap", "copy.mcap", "--tol", "exact"]).expect(0);
        let info = folder.lk(&["info", "copy.mcap", "--check"]).expect(0);
        info.shows(&["doubler/msg/Number", "input", "output", "inputs_hash", "recorder"]);
    }
}

#[test]
fn lines_of_any_program_are_recorded_with_types_from_their_first() {
    let folder = Folder::new();
    let lines = line("imu", 1, r#"{"x": 0, "name": "a"}"#)
        + &line("wheel", 2, r#"{"speed": 1}"#)
        + &line("imu", 3, r#"{"x": 0.5, "name": "b"}"#);
    let ran = record(&folder, &["-o", "run.mcap"], &lines).expect(0);
    let ran = ran.says(&["note: the type of imu is inferred from its first message", "x, name"]);
    let ran = ran.shows(&["run.mcap: 3 messages of 2 keys", "imu", "wheel", "0.5"]);
    assert!(!ran.stdout.contains("dropped"), "{}", ran.stdout);
    let cat = folder.lk(&["cat", "run.mcap"]).expect(0).stdout;
    assert_eq!(cat.lines().count(), 3);
    assert!(cat.ends_with("3.000000000  imu  {x: 0.5, name: \"b\"}\n"), "{cat}");
}

#[test]
fn with_a_key_a_line_is_a_value_at_the_time_when_it_comes() {
    let folder = Folder::new();
    let args = ["-o", "run.mcap", "--key", "pose"];
    record(&folder, &args, "{\"x\": 1}\n\n{\"x\": 2.5}").expect(0).shows(&["2 messages of 1 key"]);
    let cat = folder.lk(&["cat", "run.mcap"]).expect(0).stdout;
    let times: Vec<f64> = cat
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter_map(|time| time.parse().ok())
        .collect();
    assert!(times.len() == 2 && times[0] <= times[1] && times[0] > 1.7e9, "{cat}");
}

#[test]
fn a_line_that_cannot_be_recorded_is_told_and_the_rest_is_recorded() {
    let folder = Folder::new();
    let bad = "nonsense\n".repeat(20);
    let lines = line("a", 1, r#"{"x": 1}"#) + &bad + &line("a", 2, r#"{"x": "text"}"#);
    let ran = record(&folder, &["-o", "run.mcap"], &(lines + &line("a", 3, r#"{"x": 3}"#)));
    let ran = ran.expect(2).shows(&["run.mcap: 2 messages of 1 key"]);
    let ran = ran.says(&["line 2 of standard input", "warning: 21 lines could not be recorded"]);
    let lines = line("a", -5, r#"{"x": 1}"#) + &line("a", 3, r#"{"x": 3}"#);
    let early = record(&folder, &["-o", "early.mcap"], &lines).expect(2);
    early.shows(&["early.mcap: 1 message of 1 key"]).says(&["key a: time -5.0", "before zero"]);
    assert_eq!(ran.stderr.matches("not recorded:").count(), 5, "{}", ran.stderr);
    folder.lk(&["info", "run.mcap", "--check"]).expect(0).shows(&["2 messages"]);
}

#[test]
fn types_are_those_that_are_given() {
    let folder = Folder::new();
    folder.write("msg/Imu.msg", "int32 x\n");
    let lines = line("imu", 1, r#"{"x": 1}"#) + &line("odd", 2, r#"{"x": 1}"#);
    let typed = ["-o", "run.mcap", "--type", "imu=demo/Imu", "--msgs", "msg"];
    let ran = record(&folder, &typed, &lines).expect(0);
    ran.says(&["the type of odd is inferred"]);
    folder.lk(&["info", "run.mcap"]).expect(0).shows(&["demo/msg/Imu", "lk/msg/Odd"]);
    let typed = ["-o", "all.mcap", "--type", "demo/Imu", "--msgs", "msg"];
    assert_eq!(record(&folder, &typed, &lines).expect(0).stderr, "");
    let refuse = |args: &[&str], said: &[&str]| {
        record(&folder, &[&["-o", "none.mcap"], args].concat(), &lines).expect_mistake(said);
    };
    refuse(&["--type", "demo/Imu"], &["unknown type demo/msg/Imu", "hint: "]);
    refuse(&["--msgs", "msg"], &["--type"]);
    refuse(&["--type", "demo/Imu", "--type", "demo/Imu", "--msgs", "msg"], &["second type"]);
    refuse(&["--every", "0"], &["--every"]);
    assert!(!folder.path().join("none.mcap").exists());
}

#[test]
fn messages_are_sampled_and_files_split() {
    let folder = Folder::new();
    let lines: String = (1..=10).map(|n| line("a", n, r#"{"x": 1}"#)).collect();
    let args = ["-o", "run.mcap", "--every", "2", "--max", "4"];
    let ran = record(&folder, &args, &lines).expect(0);
    ran.shows(&["run.mcap: 4 messages of 1 key", "skipped", "6"]);
    let args = ["-o", "part.mcap", "--split-after", "4", "--compression", "zstd"];
    record(&folder, &args, &lines).expect(0).shows(&["10 messages"]);
    for (name, messages) in [("part.mcap", "4"), ("part_1.mcap", "4"), ("part_2.mcap", "2")] {
        folder.lk(&["info", name, "--check"]).expect(0).shows(&[&format!("{messages} messages")]);
    }
}

#[test]
fn a_file_that_is_there_is_kept_and_nothing_at_all_is_told() {
    let folder = Folder::new();
    folder.write("run.mcap", "mine");
    let lines = line("a", 1, r#"{"x": 1}"#);
    record(&folder, &["-o", "run.mcap"], &lines).expect_mistake(&["exists", "--force"]);
    assert_eq!(folder.read("run.mcap"), "mine");
    record(&folder, &["-o", "run.mcap", "--force"], &lines).expect(0);
    record(&folder, &["-o", "none.mcap"], "").expect(2).says(&["not one message came"]);
    record(&folder, &["-o", "none/run.mcap"], &lines).expect_mistake(&["none/run.mcap"]);
}

#[cfg(target_os = "linux")]
#[test]
fn an_interrupt_ends_the_recording_in_order() {
    let folder = Folder::new();
    let mut lk = start(&folder, &["-o", "run.mcap"]);
    let mut input = lk.stdin.take().expect("piped");
    input.write_all(line("a", 1, r#"{"x": 1}"#).as_bytes()).expect("lk reads");
    // It is flushed each second, though the program says nothing more.
    let path = folder.path().join("run.mcap");
    let begun = Instant::now();
    while !lk::Dataset::open(&path).is_ok_and(|file| file.len().is_ok_and(|len| len == 1)) {
        assert!(begun.elapsed() < Duration::from_secs(30), "nothing was flushed");
        std::thread::yield_now();
    }
    let interrupt = Command::new("kill").args(["-INT", &lk.id().to_string()]).status();
    assert!(interrupt.expect("kill is there").success());
    let ran = Ran::of(lk.wait_with_output().expect("lk ends")).expect(0);
    ran.shows(&["run.mcap: 1 message of 1 key"]);
    drop(input);
    folder.lk(&["info", "run.mcap", "--check"]).expect(0).shows(&["1 message", "recorder"]);
}

#[test]
fn a_program_is_recorded_at_its_rate() {
    let folder = doubler("");
    let program = ["record", "-o", "run.mcap", "--from", ".", "--rate-hz", "200"];
    let begun = Instant::now();
    let ran = folder.lk(&[&program[..], &["--for", "0.5"]].concat()).expect(0);
    // The last step comes 5 ms before.
    assert!(begun.elapsed() > Duration::from_millis(490), "{:?}", begun.elapsed());
    let ran = ran.shows(&["run.mcap: 100 messages of 1 key"]);
    ran.says(&["nobody writes its inputs: x", "lk play FILE --to ."]);
    let info = folder.lk(&["info", "run.mcap", "--check"]).expect(0);
    info.shows(&["doubler/msg/Number", "output", "the reference", "python fake", "recorder"]);
    let file = lk::Dataset::open(folder.path().join("run.mcap")).unwrap();
    let samples = file.samples(&Default::default()).unwrap();
    let times: Vec<i64> = samples.map(|item| item.unwrap().1.time.as_nanos()).collect();
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] == 5_000_000), "{times:?}");
    assert!(times[0] > 1_700_000_000_000_000_000, "{}", times[0]);
}

#[test]
fn what_a_program_wrote_before_it_fell_over_is_kept() {
    let folder = doubler(&fake("crash", "crash"));
    let program = ["record", "-o", "run.mcap", "--from", ".", "--rate-hz", "1000"];
    let ran = folder.lk(&[&program[..], &["--program", "crash"]].concat()).expect(3);
    let ran = ran.says(&["at tick 3, candidate crash was killed", "about to fall over"]);
    ran.shows(&["run.mcap: 3 messages of 1 key"]);
    folder.lk(&["info", "run.mcap", "--check"]).expect(0).shows(&["candidate crash"]);
}

#[test]
fn ctrl_c_ends_a_program_that_is_recorded() {
    let folder = doubler("");
    let args = ["-o", "run.mcap", "--from", ".", "--rate-hz", "1000", "--compression", "none"];
    let lk = start(&folder, &args);
    let path = folder.path().join("run.mcap");
    let begun = Instant::now();
    while !lk::Dataset::open(&path).is_ok_and(|file| file.len().is_ok_and(|len| len > 0)) {
        assert!(begun.elapsed() < Duration::from_secs(30), "nothing was flushed");
        std::thread::yield_now();
    }
    let interrupt = Command::new("kill").args(["-INT", &lk.id().to_string()]).status();
    assert!(interrupt.expect("kill is there").success());
    Ran::of(lk.wait_with_output().expect("lk ends")).expect(0).shows(&["of 1 key"]);
    folder.lk(&["info", "run.mcap", "--check"]).expect(0).shows(&["recorder"]);
}

#[test]
fn a_program_is_asked_for_as_a_whole() {
    let folder = doubler("");
    let record = |more: &[&str]| folder.lk(&[&["record", "-o", "run.mcap"], more].concat());
    for (args, message) in [
        (&["--from", "."][..], "--rate-hz"),
        (&["--rate-hz", "10"], "--from"),
        (&["--for", "1"], "--from"),
        (&["--from", ".", "--rate-hz", "0"], "no rate from 0.001 to 1e6 Hz"),
        (&["--from", ".", "--rate-hz", "10", "--key", "x"], "--key"),
        (&["--from", ".", "--rate-hz", "10", "--program", "nobody"], "nobody"),
        (&["--from", "elsewhere", "--rate-hz", "10"], "elsewhere"),
    ] {
        record(args).expect(2).says(&[message]);
    }
    assert!(!folder.path().join("run.mcap").exists());
}

#[test]
fn the_counts_of_a_recorder_stay_with_what_it_recorded() {
    let folder = Folder::new();
    let lines = line("a", 1, r#"{"x": 1}"#) + &line("b", 2, r#"{"x": 2}"#);
    record(&folder, &["-o", "run.mcap"], &lines).expect(0);
    for (args, kept) in [
        (&["convert", "run.mcap", "out.mcap"][..], true),
        (&["filter", "run.mcap", "out.mcap", "--key", "a"], false),
        (&["play", "run.mcap", "-o", "out.mcap", "--unpaced"], false),
    ] {
        folder.lk(&[args, &["--force"]].concat()).expect(0);
        let file = lk::Dataset::open(folder.path().join("out.mcap")).unwrap();
        assert_eq!(file.facts().entries.contains_key("recorder"), kept, "{args:?}");
    }
}
