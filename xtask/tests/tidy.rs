//! What ARCHITECTURE.md promises about the code, as far as a text search can
//! check it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Lines of code (no blanks, no comments) past which a file has a second
/// idea in it.
const LONGEST_FILE: usize = 500;

/// For each room of the library, the rooms that it may use.
const ROOMS: &[(&str, &[&str])] = &[
    ("time", &[]),
    ("error", &["time"]),
    ("pool", &[]),
    ("schema", &["error", "value"]),
    ("value", &["error", "schema"]),
    ("codec", &["error", "schema", "value"]),
    ("dataset", &["codec", "error", "pool", "schema", "time", "value"]),
    ("diff", &["codec", "dataset", "error", "pool", "schema", "time", "value"]),
    ("dist", &["error", "schema", "time", "value"]),
    ("outcome", &["diff"]),
    ("clock", &["error", "time"]),
    ("recorder", &["clock", "codec", "component", "dataset", "error", "schema", "time"]),
    ("playback", &["clock", "component", "dataset", "error", "time"]),
    ("component", &["codec", "error", "schema", "time"]),
    ("system", &["codec", "component", "error", "schema", "time"]),
    (
        "consensus",
        &["codec", "component", "dataset", "diff", "error", "recorder", "schema", "system"],
    ),
];

/// For each crate, the crates of the workspace that it may depend on.
const CRATES: &[(&str, &[&str])] = &[
    ("lk", &[]),
    ("lk-report", &["lk"]),
    ("lk-compile", &["lk"]),
    ("lk-cli", &["lk", "lk-compile", "lk-report"]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace").to_owned()
}

/// All files below `folder` with one of the extensions, sorted; build output
/// left out.
fn files(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() {
                if !name.starts_with('.') && !["target", "build"].contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if extensions.iter().any(|e| path.extension().is_some_and(|x| x == *e)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

fn assert_none(findings: &[String]) {
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}

/// The part of a source file before its unit tests.
fn without_tests(source: &str) -> &str {
    source.split("#[cfg(test)]\nmod ").next().unwrap_or(source)
}

#[test]
fn rooms_use_only_the_rooms_they_may() {
    let src = root().join("crates/lk/src");
    let mut findings = Vec::new();
    for (room, allowed) in ROOMS {
        let mut paths = files(&src.join(room), &["rs"]);
        paths.push(src.join(format!("{room}.rs")));
        // Tests may use what they check with.
        let is_test =
            |path: &Path| path.ends_with("tests.rs") || relative(path).contains("/tests/");
        for path in paths.iter().filter(|p| !is_test(p) && p.exists()) {
            let source = read(path);
            for used in uses(without_tests(&source)) {
                let is_room = ROOMS.iter().any(|(name, _)| *name == used);
                if is_room && used != *room && !allowed.contains(&used.as_str()) {
                    findings.push(format!("{} may not use {used}", relative(path)));
                }
            }
        }
    }
    assert_none(&findings);
}

/// The first path segment after each `crate::`, those in braces too.
fn uses(source: &str) -> Vec<String> {
    let ident = |text: &str| -> String {
        text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
    };
    let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code: String = code.flat_map(|line| [line, "\n"]).collect();
    code.split("crate::")
        .skip(1)
        .flat_map(|rest| match rest.strip_prefix('{') {
            None => vec![ident(rest)],
            Some(list) => {
                list.split(';').next().unwrap_or(list).split(',').map(|p| ident(p.trim())).collect()
            }
        })
        .collect()
}

#[test]
fn every_room_of_the_library_is_in_the_list() {
    let lib = read(&root().join("crates/lk/src/lib.rs"));
    let rooms = lib
        .lines()
        .filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'));
    let findings: Vec<String> = rooms
        .filter(|room| *room != "testing" && !ROOMS.iter().any(|(name, _)| name == room))
        .map(|room| format!("{room} isn't in ROOMS: say what it may use"))
        .collect();
    assert_none(&findings);
}

#[test]
fn crates_depend_one_way() {
    let mut findings = Vec::new();
    for (name, allowed) in CRATES {
        let manifest = read(&root().join("crates").join(name).join("Cargo.toml"));
        for (other, _) in CRATES {
            let depends = manifest.lines().any(|line| {
                line.strip_prefix(other).is_some_and(|rest| rest.starts_with([' ', '.', '=']))
            });
            if depends && !allowed.contains(other) {
                findings.push(format!("{name} may not depend on {other}"));
            }
        }
    }
    assert_none(&findings);
}

#[test]
fn every_dependency_says_why_it_is_there() {
    let mut findings = Vec::new();
    for path in files(&root(), &["toml"]).iter().filter(|p| p.ends_with("Cargo.toml")) {
        if relative(path).starts_with("examples") {
            continue;
        }
        let mut in_dependencies = false;
        let mut explained = false;
        for line in read(path).lines() {
            if line.starts_with('[') {
                in_dependencies = line.contains("dependencies");
                explained = false;
                continue;
            }
            let ours = line.contains("workspace = true") || line.contains("path = ");
            if in_dependencies && line.contains(" = ") && !ours && !explained {
                findings.push(format!("{}: no comment above `{line}`", relative(path)));
            }
            // One comment may explain a block; a blank line or table ends it.
            explained = line.starts_with('#') || (explained && line.contains(" = "));
        }
    }
    assert_none(&findings);
}

#[test]
fn no_file_has_grown_a_second_idea() {
    let mut findings = Vec::new();
    for path in files(&root(), &["rs", "py"]) {
        let source = read(&path);
        let code = source
            .lines()
            .map(str::trim)
            .filter(|line| !(line.is_empty() || line.starts_with("//") || line.starts_with('#')));
        let lines = code.count();
        // The harnesses in examples/ are generated whole.
        if lines > LONGEST_FILE && !relative(&path).starts_with("examples") {
            findings.push(format!("{} has {lines} lines of code", relative(&path)));
        }
    }
    assert_none(&findings);
}

#[test]
fn links_in_the_docs_lead_somewhere() {
    let mut findings = Vec::new();
    for path in files(&root(), &["md"]) {
        let text = read(&path);
        let folder = path.parent().expect("a file lies in a folder");
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") {
                continue;
            }
            if !folder.join(file).exists() {
                findings.push(format!("{}: dead link to {target}", relative(&path)));
            }
        }
    }
    assert_none(&findings);
}

#[test]
fn every_example_is_described_and_verified() {
    let tests: String =
        files(&root().join("crates/lk-cli/tests"), &["rs"]).iter().map(|path| read(path)).collect();
    let manifests =
        ["lk", "lk-compile"].map(|name| read(&root().join("crates").join(name).join("Cargo.toml")));
    let mut by_folder = BTreeMap::new();
    for entry in fs::read_dir(root().join("examples")).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            by_folder.insert(entry.file_name().to_string_lossy().into_owned(), entry.path());
        }
    }
    let mut findings = Vec::new();
    for (name, folder) in by_folder {
        if !folder.join("README.md").exists() {
            findings.push(format!("examples/{name} has no README.md"));
        }
        // Systems in Rust are examples of a crate, with tests of their own.
        let stanza = format!("\"../../examples/{name}/main.rs\"\ntest = true");
        let own_tests = folder.join("tests.rs").exists()
            && manifests.iter().any(|manifest| manifest.contains(&stanza));
        if !own_tests && !tests.contains(&name) {
            findings.push(format!("no test runs examples/{name}"));
        }
    }
    assert_none(&findings);
}

#[test]
fn every_fuzz_target_is_run_and_its_corpus_tested() {
    let fuzz = root().join("fuzz");
    let manifest = read(&fuzz.join("Cargo.toml"));
    let runner = read(&root().join("xtask/src/fuzz.rs"));
    let test = read(&root().join("crates/lk/tests/fuzz_corpus.rs"));
    let mut findings = Vec::new();
    for path in files(&fuzz.join("fuzz_targets"), &["rs"]) {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let quoted = format!("\"{name}\"");
        for (place, text) in [("fuzz/Cargo.toml", &manifest), ("xtask", &runner), ("lk", &test)] {
            if !text.contains(&quoted) {
                findings.push(format!("{place} doesn't know the fuzz target {name}"));
            }
        }
        let inputs = fs::read_dir(fuzz.join("corpus").join(&name)).into_iter().flatten().flatten();
        let bytes: u64 = inputs.filter_map(|entry| entry.metadata().ok()).map(|m| m.len()).sum();
        if !(1..=100_000).contains(&bytes) {
            findings.push(format!("the corpus of {name} has {bytes} bytes; keep it small"));
        }
    }
    assert_none(&findings);
}
