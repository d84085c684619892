//! Files that mean harm, through everything that reads a file.
//!
//! Each costs less than a second of CPU and 256 MiB, and ends in an error or
//! in a loss that is told. They are opened in a process of their own, so that
//! one that aborts it is a failure like any other.
#![expect(clippy::print_stderr, reason = "how the child reports")]

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

/// Where the child finds the file.
const FILE: &str = "LK_HOSTILE_FILE";

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

/// Reads each file in a child of its own and looks at what it says: what one
/// leaves in the allocator is not the next one's.
#[track_caller]
fn check(extension: &str, cases: Vec<Case>, at_least: usize) {
    assert!(cases.len() >= at_least, "{} cases", cases.len());
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let path = folder.path().join(format!("file.{extension}"));
    let mut wrong = Vec::new();
    for Case { name, bytes, expected } in &cases {
        std::fs::write(&path, bytes).expect("it takes files");
        let (said, died) = run_child(&path);
        let Some((_, report)) = said.lines().find_map(|line| line.split_once("case\t")) else {
            wrong.push(format!("{name}: the process ended: {died}"));
            continue;
        };
        let report: Vec<&str> = report.split('\t').collect();
        let [seconds, kib, text] = report[..] else { panic!("{report:?}") };
        let seconds: f64 = seconds.parse().expect("seconds are a number");
        let kib: u64 = kib.parse().expect("KiB are a number");
        if seconds >= SECONDS || kib >= MEMORY_KIB {
            wrong.push(format!("{name}: {seconds:.2} s of CPU, {} MiB", kib >> 10));
        }
        if !text.contains(expected.as_str()) {
            wrong.push(format!("{name}: wanted `{expected}` in: {text}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    soak::count(&format!("hostile {extension} files"), cases.len());
}

/// What a child says of a file, and of its end.
fn run_child(file: &Path) -> (String, String) {
    let me = std::env::current_exe().expect("a test knows its own file");
    let mut child = Command::new(me);
    child.args(["--exact", "child_reads_the_file_it_is_given", "--nocapture"]);
    child.args(["--test-threads", "1"]).env(FILE, file);
    let output = child.output().expect("it starts");
    let died = String::from_utf8_lossy(&output.stderr);
    let died: String = died.chars().take(1000).collect();
    (String::from_utf8_lossy(&output.stdout).into_owned(), format!("{}, {died}", output.status))
}

#[test]
fn child_reads_the_file_it_is_given() {
    let Some(path) = std::env::var_os(FILE) else { return };
    let before = cost::Before::now();
    let watched = cost::Watched::start(4.0 * SECONDS);
    let text = read::everything(Path::new(&path)).replace(['\n', '\r', '\t'], " ");
    let (seconds, kib) = before.cost();
    drop(watched);
    let text: String = text.chars().take(2000).collect();
    println!("case\t{seconds}\t{kib}\t{text}");
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
