//! Help, completions, streams, and mistakes on the command line.

use crate::fixture::{Folder, Ran};

#[test]
fn help_has_the_exit_codes_and_says_unconfined() {
    let help = Folder::new().lk(&["--help"]).expect(0).stdout;
    let end = help.split_once("Exit codes:").expect("a table of exit codes").1;
    for code in
        ["0  equal", "1  different", "2  a mistake", "3  a candidate did not", "4  lk rejudge"]
    {
        assert!(end.contains(code), "no {code:?} in\n{end}");
    }
    assert!(end.contains("UNCONFINED"), "{end}");
    for command in ["verify", "run"] {
        let help = Folder::new().lk(&[command, "--help"]).expect(0).stdout;
        assert!(help.contains("UNCONFINED"), "{command}: {help}");
    }
}

#[test]
fn every_command_has_a_help_with_a_first_line() {
    let commands = [
        "info",
        "cat",
        "convert",
        "filter",
        "merge",
        "recover",
        "doctor",
        "sample",
        "play",
        "record",
        "run",
        "diff",
        "rejudge",
        "verify",
        "graph",
        "init",
        "schema",
        "completions",
    ];
    let help = Folder::new().lk(&["--help"]).expect(0).stdout;
    for command in commands {
        assert!(help.contains(&format!("\n  {command} ")), "no {command} in\n{help}");
        let help = Folder::new().lk(&[command, "--help"]).expect(0).stdout;
        let first = help.lines().next().unwrap_or_default();
        assert!(!first.is_empty() && !first.starts_with("Usage"), "{command}: {help}");
    }
}

#[test]
fn unknown_commands_and_options_are_mistakes() {
    let folder = Folder::new();
    folder.lk(&["verfy"]).expect_mistake(&["verfy", "verify"]);
    folder.lk(&["diff", "--tolerance", "1"]).expect_mistake(&["--tolerance", "--tol"]);
    folder.lk(&["completions", "klingon"]).expect_mistake(&["klingon", "bash"]);
    folder.lk(&[]).expect_mistake(&["Usage: lk"]);
}

#[test]
fn completions_know_the_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        Folder::new().lk(&["completions", shell]).expect(0).shows(&["verify", "convert"]);
    }
}

#[test]
fn schema_is_json_on_standard_output_alone() {
    let ran = Folder::new().lk(&["schema"]).expect(0);
    assert_eq!(ran.stderr, "");
    let schema: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(schema["title"], "lk.toml");
    assert!(schema["properties"]["candidates"].is_object(), "{schema:#}");
}

#[test]
fn colour_is_for_those_who_ask_for_it() {
    let folder = Folder::new();
    let always = folder.lk(&["info", "none.mcap", "--color", "always"]).expect(2);
    assert!(always.stderr.starts_with("\x1b[1;31merror:"), "{:?}", always.stderr);
    let auto = folder.lk(&["info", "none.mcap"]).expect(2);
    assert!(auto.stderr.starts_with("error: "), "{:?}", auto.stderr);
}

/// What `lk` came to when its reader left after the first byte.
pub(crate) fn cut_off(mut command: std::process::Command) -> Ran {
    use std::io::Read;
    use std::process::Stdio;
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("lk starts");
    let mut first = [0];
    let mut stdout = child.stdout.take().expect("piped");
    stdout.read_exact(&mut first).expect("it writes something");
    drop(stdout);
    Ran::of(child.wait_with_output().expect("it ends"))
}
