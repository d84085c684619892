//! `lk diff`: verdicts as exit codes.

use crate::fixture::Folder;
use crate::usage::cut_off;

/// A dataset from CSV rows `t,value`, under the key `y`.
fn dataset(folder: &Folder, name: &str, rows: &str) {
    folder.write("msg/Number.msg", "float64 value\n");
    folder.write("rows.csv", &format!("t,value\n{rows}"));
    folder
        .lk(&[
            "convert",
            "rows.csv",
            name,
            "--key",
            "y",
            "--time",
            "t",
            "--time-unit",
            "s",
            "--type",
            "test/Number",
            "--msgs",
            "msg",
            "--force",
        ])
        .expect(0);
}

/// The exit code of comparing `a` with `b`, with these further arguments.
#[track_caller]
fn check(a: &str, b: &str, args: &[&str], code: i32) -> String {
    let folder = Folder::new();
    dataset(&folder, "a.mcap", a);
    dataset(&folder, "b.mcap", b);
    let args: Vec<&str> = ["diff", "a.mcap", "b.mcap"].iter().chain(args).copied().collect();
    folder.lk(&args).expect(code).stdout
}

#[test]
fn a_report_never_overwrites_a_recording() {
    let folder = Folder::new();
    dataset(&folder, "a.mcap", "0,1\n");
    dataset(&folder, "b.mcap", "0,1\n");
    let ran = folder.lk(&["diff", "a.mcap", "b.mcap", "-o", "./b.mcap"]).expect(2);
    assert!(ran.stderr.contains("the report would overwrite what is compared"), "{}", ran.stderr);
    folder.lk(&["diff", "a.mcap", "b.mcap"]).expect(0);
}

#[test]
fn the_exit_code_is_0_exactly_when_nothing_differs() {
    let a = "0,1.0\n1,2.0\n2,3.0\n";
    check(a, a, &[], 0);
    check(a, "0,1.0\n1,2.0000001\n2,3.0\n", &[], 0);
    check(a, "0,1.0\n1,2.001\n2,3.0\n", &[], 1);
    check(a, "0,1.0\n1,2.001\n2,3.0\n", &["--tol", "1e-2"], 0);
    check(a, "0,1.0\n1,NaN\n2,3.0\n", &["--tol", "1e-2"], 1);
    check(a, "0,1.0\n1,2.0\n", &[], 1);
    check(a, "0,1.0\n1,2.0\n2,3.0\n3,4.0\n", &[], 1);
    check(a, "0,1.0\n1,2.0\n2.5,3.0\n", &[], 1);
}

#[test]
fn the_first_divergence_is_on_the_second_line() {
    let text = check("0,1.0\n1,2.0\n", "0,1.0\n1,2.5\n", &[], 1);
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    assert!(first.starts_with("✗ different, 1 of 2 values outside of tolerance"), "{text}");
    let second = lines.next().unwrap_or_default();
    assert_eq!(second, "  first at message 1, 1.000 s in y.value: error 0.500, tolerance abs=1e-6");
}

#[test]
fn a_report_is_judged_again_without_the_recordings() {
    let folder = Folder::new();
    dataset(&folder, "a.mcap", "0,1.0\n1,2.0\n");
    dataset(&folder, "b.mcap", "0,1.0\n1,2.5\n");
    folder.lk(&["diff", "a.mcap", "b.mcap", "-o", "report.json"]).expect(1);
    for name in ["a.mcap", "b.mcap"] {
        std::fs::remove_file(folder.path().join(name)).expect("it is there");
    }
    let again = |args: &[&str], code| {
        let args: Vec<&str> = ["rejudge", "report.json"].iter().chain(args).copied().collect();
        folder.lk(&args).expect(code)
    };
    again(&[], 1).shows(&["✗ would not pass"]);
    again(&["--tol", "abs=0.5"], 0).shows(&["✓ would pass, 1 field within tolerance"]);
    again(&["--tol", "abs=0.4"], 1).shows(&["✗ would not pass", "y.value"]);
    again(&["--tol", "rel=0.25"], 4).shows(&["? can't tell from the report", "y.value   unknown"]);
    again(&["--tol", "ulp=4"], 4).shows(&["steps between floats were not counted"]);
    again(&["--tol", "y.valu:1"], 2).says(&["matches no field", "y.value"]);
    let json = again(&["--tol", "abs=0.5", "--json"], 0).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((&json["passes"], &json["fields"][0]["passes"]), (&"yes".into(), &"yes".into()));
    folder.write("policy.toml", "rules = [\"y.value:abs=1\"]\ntimestamp_tol = \"0ns\"\n");
    again(&["--policy", "policy.toml"], 0);
    folder.write("report.json", "{}");
    again(&[], 2).says(&["not a report of lk diff or lk verify"]);
}

#[test]
fn violations_that_are_allowed_pass_and_are_shown() {
    let rows = |wrong: usize| -> String {
        (0..400).map(|n| format!("{n},{}\n", if n < wrong { 2 } else { 1 })).collect()
    };
    let allow = |wrong: usize, code: i32| {
        check(&rows(0), &rows(wrong), &["--allowed-violations", "0.02"], code)
    };
    let text = allow(2, 0);
    assert!(text.starts_with("✓ different, passes statistically, 2 of 400 values"), "{text}");
    assert!(text.contains("✓ y: 2 of 400 messages (0.5 %), at most 1.6 % of all"), "{text}");
    let text = allow(4, 1);
    assert!(text.starts_with("✗ different, 4 of 400 values"), "{text}");
    assert!(text.contains("✗ y: 4 of 400 messages (1.0 %), at most 2.3 % of all"), "{text}");
    check(&rows(0), &rows(2), &["--allowed-violations", "2"], 2);
    check(&rows(0), &rows(2), &["--confidence", "0.9"], 2);
}

#[test]
fn times_have_a_tolerance_of_their_own() {
    // Two at one time, so that messages are paired by their position.
    let (a, b) = ("0,1.0\n0,1.0\n1,2.0\n", "0,1.0\n0,1.0\n1.002,2.0\n");
    check(a, b, &[], 1);
    check(a, b, &["--timestamp-tol", "5ms"], 0);
    check(a, b, &["--timestamp-tol", "+5ms/-0ms"], 0);
    check(a, b, &["--timestamp-tol", "-5ms/+0ms"], 1);
}

#[test]
fn messages_are_paired_as_asked_for() {
    let (a, b) = ("0,1.0\n1,2.0\n2,3.0\n", "0.002,1.0\n1,2.0\n2.003,3.0\n");
    let loose = ["--timestamp-tol", "5ms"];
    let with = |more: &[&'static str]| [&loose[..], more].concat();
    check(a, b, &loose, 1);
    check(a, b, &with(&["--align", "nearest", "--window", "5ms"]), 0);
    check(a, b, &with(&["--align", "nearest,window=2ms"]), 1);
    check(a, b, &with(&["--align", "index"]), 0);
    check(a, b, &with(&["--align", "y:index"]), 0);
    check(a, "0,1.0\n0.5,1.5\n1.5,2.5\n2,3.0\n", &["--align", "interpolate"], 0);
    let moved = "10,1.0\n11,2.0\n12,3.0\n";
    check(a, moved, &[], 1);
    let text = check(a, moved, &["--relative-time"], 0);
    assert!(text.contains("-10.000000000 s were added"), "{text}");
}

#[test]
fn an_alignment_in_a_file_is_taken_and_a_wrong_one_names_its_line() {
    let folder = Folder::new();
    dataset(&folder, "a.mcap", "0,1.0\n1,2.0\n");
    dataset(&folder, "b.mcap", "0.002,1.0\n1.002,2.0\n");
    let diff = |more: &[&str]| folder.lk(&[&["diff", "a.mcap", "b.mcap"][..], more].concat());
    let file = "align = \"time\"\ntimestamp_tol = \"5ms\"\n\
                [align_keys]\ny = { by = \"nearest\", window = \"5ms\" }\n";
    folder.write("policy.toml", file);
    diff(&["--policy", "policy.toml"]).expect(0);
    // What is said on the command line wins.
    diff(&["--policy", "policy.toml", "--align", "y:time"]).expect(1);
    folder.write("wrong.toml", "rules = []\nalign = \"nearest\"\n");
    diff(&["--policy", "wrong.toml"]).expect_mistake(&["wrong.toml", "line 2", "needs a window"]);
    diff(&["--align", "Y:index"]).expect_mistake(&["neither side has this key", "`y`"]);
    diff(&["--align", "tick"]).expect_mistake(&["the reference has no ticks"]);
    diff(&["--window", "5ms"]).expect_mistake(&["--align nearest"]);
    diff(&["--align", "nearly"]).expect_mistake(&["`nearly` is no alignment"]);
}

#[test]
fn a_candidate_that_lags_is_reported_and_not_excused() {
    let rows = |late: usize| -> String {
        let value = |n: usize| (n as f64 * 0.37).sin() + (n as f64 * 0.11).cos();
        (0..200).map(|n| format!("{},{}\n", n as f64 / 50.0, value(n + 9 - late))).collect()
    };
    let text = check(&rows(0), &rows(3), &[], 1);
    let lag = "y: the candidate lags by 3 messages (60.0 ms) in value";
    assert!(text.contains(lag), "{text}");
}

#[test]
fn json_is_alone_on_standard_output_and_in_the_file() {
    let folder = Folder::new();
    dataset(&folder, "a.mcap", "0,1.0\n");
    dataset(&folder, "b.mcap", "0,1.5\n");
    let ran = folder.lk(&["diff", "a.mcap", "b.mcap", "--json"]).expect(1);
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(json["verdict"], "different");
    assert_eq!(json["key_diffs"]["y"]["fields"][0]["error"]["max"], 0.5);
    folder.lk(&["diff", "a.mcap", "b.mcap", "-o", "report.json"]).expect(1);
    let file: serde_json::Value = serde_json::from_str(&folder.read("report.json")).expect("JSON");
    assert_eq!(file, json);
}

#[test]
fn the_number_of_threads_changes_nothing_that_is_printed() {
    let (a, b) = ("0,1.0\n1,2.0\n2,3.0\n", "0,1.0\n1,2.5\n2,3.25\n");
    let one = check(a, b, &["--json", "-j", "1"], 1);
    assert_eq!(check(a, b, &["--json", "--threads", "3"], 1), one);
    assert_eq!(check(a, b, &["--json"], 1), one);
    check(a, b, &["-j", "0"], 2);
}

#[test]
fn junit_xml_goes_to_a_file_beside_the_report() {
    let folder = Folder::new();
    dataset(&folder, "a.mcap", "0,1.0\n");
    dataset(&folder, "b.mcap", "0,1.5\n");
    let ran = folder.lk(&["diff", "a.mcap", "b.mcap", "--junit", "junit.xml"]).expect(1);
    assert!(ran.stdout.starts_with("✗ different"), "{}", ran.stdout);
    let xml = folder.read("junit.xml");
    assert!(xml.starts_with("<?xml") && xml.contains("classname=\"y\""), "{xml}");
    assert!(xml.contains("failures=\"1\"") && xml.contains("1 of 1 values outside"), "{xml}");
    folder
        .lk(&["diff", "a.mcap", "b.mcap", "--junit", "b.mcap"])
        .expect_mistake(&["the report would overwrite what is compared", "--junit"]);
}

#[test]
fn rules_come_from_a_policy_file_and_from_the_command_line() {
    let folder = Folder::new();
    dataset(&folder, "a.mcap", "0,1.0\n");
    dataset(&folder, "b.mcap", "0,1.5\n");
    folder.write("loose.toml", "rules = [\"y.value:abs=1\"]\n");
    let policy = ["diff", "a.mcap", "b.mcap", "--policy", "loose.toml"];
    folder.lk(&policy).expect(0);
    // What is said on the command line comes last, and the last match wins.
    let args: Vec<&str> = policy.into_iter().chain(["--tol", "y.value:abs=0.1"]).collect();
    folder.lk(&args).expect(1);
    folder.write("typo.toml", "rule = [\"1e-6\"]\n");
    folder
        .lk(&["diff", "a.mcap", "b.mcap", "--policy", "typo.toml"])
        .expect_mistake(&["typo.toml", "rule"]);
    folder.write("tol.toml", "rules = []\ntimestamp_tol = \"-1ms\"\n");
    folder.lk(&["diff", "a.mcap", "b.mcap", "--policy", "tol.toml"]).expect_mistake(&[
        "tol.toml",
        "line 2",
        "`-1ms` is negative",
    ]);
    folder
        .lk(&["diff", "a.mcap", "b.mcap", "--policy", "none.toml"])
        .expect_mistake(&["none.toml", "No such file"]);
}

#[test]
fn rules_that_match_nothing_or_make_no_sense_are_mistakes() {
    let folder = Folder::new();
    dataset(&folder, "a.mcap", "0,1.0\n");
    let diff = |tol: &str| folder.lk(&["diff", "a.mcap", "a.mcap", "--tol", tol]);
    diff("y.valeu:abs=1").expect_mistake(&["y.valeu", "y.value"]);
    diff("y.value:abs=much").expect_mistake(&["much"]);
    diff("-1").expect_mistake(&["-1"]);
    folder
        .lk(&["diff", "a.mcap", "a.mcap", "--timestamp-tol", "5 parsecs"])
        .expect_mistake(&["5 parsecs"]);
    folder
        .lk(&["diff", "a.mcap", "a.mcap", "--timestamp-tol", "-1ms"])
        .expect_mistake(&["timestamp_tol", "negative"]);
}

#[test]
fn nothing_in_common_is_incomparable() {
    let folder = Folder::new();
    dataset(&folder, "a.mcap", "0,1.0\n");
    folder.write("rows.csv", "t,value\n0,1.0\n");
    folder
        .lk(&[
            "convert",
            "rows.csv",
            "b.mcap",
            "--key",
            "z",
            "--time",
            "t",
            "--time-unit",
            "s",
            "--type",
            "test/Number",
            "--msgs",
            "msg",
        ])
        .expect(0);
    folder.lk(&["diff", "a.mcap", "b.mcap"]).expect(1).shows(&["✗ incomparable"]);
}

#[test]
fn a_reader_who_leaves_does_not_change_the_verdict() {
    let folder = Folder::new();
    dataset(&folder, "a.mcap", "0,1.0\n");
    dataset(&folder, "b.mcap", "0,1.5\n");
    let ran = cut_off(folder.command(&["diff", "a.mcap", "b.mcap"])).expect(1);
    assert_eq!(ran.stderr, "");
}
