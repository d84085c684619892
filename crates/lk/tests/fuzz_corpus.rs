//! The committed inputs of the fuzz targets, run through the same functions:
//! what the fuzzer once found stays found.

use std::panic::catch_unwind;
use std::path::Path;

#[path = "../../../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "public where it is a library of its own")]
mod targets;

#[track_caller]
fn check(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let entries = std::fs::read_dir(&folder).expect("every target has a corpus");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("it can be listed").path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{} is empty", folder.display());
    for path in paths {
        let input = std::fs::read(&path).expect("it can be read");
        assert!(catch_unwind(|| run(&input)).is_ok(), "{} breaks a law", path.display());
    }
}

#[test]
fn payloads_in_the_corpus_keep_the_laws() {
    check("cdr", targets::cdr::run);
}

#[test]
fn schemas_in_the_corpus_keep_the_laws() {
    check("schema", targets::schema::run);
}

#[test]
fn pickles_in_the_corpus_keep_the_laws() {
    check("pickle", targets::pickle::run);
}

#[test]
fn mcap_files_in_the_corpus_keep_the_laws() {
    check("mcap", targets::mcap::run);
}

#[test]
fn policies_in_the_corpus_keep_the_laws() {
    check("policy", targets::policy::run);
}
