//! Files that mean harm, through everything that reads a file.
//!
//! Each costs less than a second of CPU and 256 MiB, and ends in an error or
//! in a loss that is told. They are opened in a process of their own, so that
//! one that aborts it is a failure like any other.
#![expect(clippy::print_stderr, reason = "how the child reports")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

#[path = "hostile/cost.rs"]
mod cost;
#[path = "hostile/mcap.rs"]
mod mcap;
#[path = "hostile/pickle.rs"]
mod pickle;
#[path = "hostile/read.rs"]
mod read;
#[path = "../src/testing/soak.rs"]
#[expect(dead_code, unreachable_pub, reason = "public in the library")]
mod soak;
#[path = "hostile/text.rs"]
mod text;

/// Where the child finds the files.
const FOLDER: &str = "LK_HOSTILE_FOLDER";

/// What no file may take, in KiB.
const MEMORY_KIB: u64 = 256 << 10;

/// What no file may take of CPU; builds for debugging are slower by this much.
const SECONDS: f64 = if cfg!(debug_assertions) { 15.0 } else { 1.0 };

/// Fewer where a build for debugging reads them.
const fn scaled(count: usize) -> usize {
    if cfg!(debug_assertions) { count / 16 } else { count }
}

/// A file, and a part of what is said of it.
struct Case {
    name: String,
    bytes: Vec<u8>,
    expected: String,
}

fn case(name: &str, bytes: Vec<u8>, expected: &str) -> Case {
    Case { name: name.to_owned(), bytes, expected: expected.to_owned() }
}

/// Reads all files in a child and looks at what it says of each.
#[track_caller]
fn check(extension: &str, cases: Vec<Case>, at_least: usize) {
    assert!(cases.len() >= at_least, "{} cases", cases.len());
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let mut expected = BTreeMap::new();
    for (number, Case { name, bytes, expected: text }) in cases.iter().enumerate() {
        let file = format!("{number:03}.{extension}");
        std::fs::write(folder.path().join(&file), bytes).expect("it takes files");
        expected.insert(file, (name, text));
    }
    let mut wrong = Vec::new();
    while !expected.is_empty() {
        let (said, died) = run_child(folder.path());
        for line in said.lines().filter_map(|line| line.split_once("case\t")) {
            let report: Vec<&str> = line.1.split('\t').collect();
            let [file, seconds, kib, text] = report[..] else { panic!("{report:?}") };
            let (name, wanted) = expected.remove(file).expect("each file comes once");
            let seconds: f64 = seconds.parse().expect("seconds are a number");
            let kib: u64 = kib.parse().expect("KiB are a number");
            if seconds >= SECONDS || kib >= MEMORY_KIB {
                wrong.push(format!("{name}: {seconds:.2} s of CPU, {} MiB", kib >> 10));
            }
            if !text.contains(wanted.as_str()) {
                wrong.push(format!("{name}: wanted `{wanted}` in: {text}"));
            }
            std::fs::remove_file(folder.path().join(file)).expect("it was there");
        }
        // The child goes on with the next where one has ended it.
        if let Some((file, (name, _))) = expected.pop_first() {
            wrong.push(format!("{name}: the process ended: {died}"));
            std::fs::remove_file(folder.path().join(file)).expect("it was there");
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    soak::count(&format!("hostile {extension} files"), cases.len());
}

/// What a child says of the files in a folder, and of its end.
fn run_child(folder: &Path) -> (String, String) {
    let me = std::env::current_exe().expect("a test knows its own file");
    let mut child = Command::new(me);
    child.args(["--exact", "child_reads_the_files_it_is_given", "--nocapture"]);
    child.args(["--test-threads", "1"]).env(FOLDER, folder);
    let output = child.output().expect("it starts");
    let died = String::from_utf8_lossy(&output.stderr);
    let died: String = died.chars().take(1000).collect();
    (String::from_utf8_lossy(&output.stdout).into_owned(), format!("{}, {died}", output.status))
}

#[test]
fn child_reads_the_files_it_is_given() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let entries = std::fs::read_dir(folder).expect("the parent made it");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("it can be listed").path()).collect();
    paths.sort();
    for path in paths {
        let before = cost::Before::now();
        let watched = cost::Watched::start(4.0 * SECONDS);
        let text = read::everything(&path).replace(['\n', '\r', '\t'], " ");
        let (seconds, kib) = before.cost();
        drop(watched);
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text: String = text.chars().take(2000).collect();
        println!("case\t{name}\t{seconds}\t{kib}\t{text}");
    }
}

#[test]
fn hostile_mcap_files_are_refused_or_their_loss_is_told() {
    check("mcap", mcap::cases(), 40);
}

#[test]
fn hostile_pickles_are_refused() {
    check("pkl", pickle::cases(), 40);
}

#[test]
fn hostile_tables_are_refused_or_read() {
    check("csv", text::csv(), 8);
    check("ndjson", text::ndjson(), 8);
}
