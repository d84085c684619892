//! An example in a temporary folder, and lk to run on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use lk::diff::{DiffResult, Divergence, KeyDiff};
use lk::outcome::{CandidateResult, VerifyOutcome};
use tempfile::TempDir;

/// A copy of a folder of `examples/`, so that building and running leave the
/// repository as it is.
pub(crate) struct Example {
    root: TempDir,
    name: &'static str,
}

impl Example {
    pub(crate) fn copy(name: &'static str) -> Example {
        let root = tempfile::tempdir().expect("a temporary folder");
        copy_folder(&source(name), &root.path().join("examples").join(name));
        Example { root, name }
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.root.path().join("examples").join(self.name)
    }

    pub(crate) fn read(&self, path: &str) -> String {
        let path = self.dir().join(path);
        fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.dir().join(path);
        fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("writable");
        fs::write(path, text).expect("writable");
    }

    /// Runs lk in the example's folder, which fails unless it ends with `code`.
    #[track_caller]
    pub(crate) fn lk(&self, args: &[&str], code: i32) -> String {
        self.lk_in(&self.dir(), args, code)
    }

    /// As [`Example::lk`], two folders up: where the repository's root would be.
    #[track_caller]
    pub(crate) fn lk_in_root(&self, args: &[&str], code: i32) -> String {
        self.lk_in(self.root.path(), args, code)
    }

    #[track_caller]
    fn lk_in(&self, folder: &Path, args: &[&str], code: i32) -> String {
        let lk = Command::new(env!("CARGO_BIN_EXE_lk"))
            .args(args)
            .current_dir(folder)
            .env("XDG_CACHE_HOME", self.root.path().join("cache"))
            .env_remove("CARGO_TARGET_DIR")
            .output();
        stdout_of(lk.expect("lk starts"), code, &args)
    }

    /// Runs a Python script in the example's folder, which must succeed.
    #[track_caller]
    pub(crate) fn python(&self, args: &[&str]) -> String {
        let python = Command::new("python3").args(args).current_dir(self.dir()).output();
        stdout_of(python.expect("python3 starts"), 0, &args)
    }

    /// `lk verify`, which must end with `code`.
    #[track_caller]
    pub(crate) fn verify(&self, args: &[&str], code: i32) -> Verified {
        let json = self.lk(&[&["verify", "--json"], args].concat(), code);
        Verified(serde_json::from_str(&json).expect("the outcome, as JSON"))
    }
}

/// What a verification came to.
pub(crate) struct Verified(pub(crate) VerifyOutcome);

impl Verified {
    /// Every candidate by name, with its comparison; each must have run.
    pub(crate) fn compared(&self) -> Vec<(&str, &DiffResult)> {
        let compared = self.0.candidates.iter().map(|candidate| match &candidate.result {
            CandidateResult::Compared { diff, .. } => (candidate.name.as_str(), &**diff),
            failed => panic!("{}: {failed:?}", candidate.name),
        });
        compared.collect()
    }

    /// The comparison of the only candidate.
    pub(crate) fn diff(&self) -> &DiffResult {
        let compared = self.compared();
        assert_eq!(compared.len(), 1, "one candidate was asked for");
        compared[0].1
    }

    pub(crate) fn first_divergence(&self) -> &Divergence {
        self.diff().first_divergence.as_ref().expect("what differs does so first somewhere")
    }
}

/// Fails unless every message of the only output was compared.
#[track_caller]
pub(crate) fn all_compared<'a>(diff: &'a DiffResult, key: &str, messages: u64) -> &'a KeyDiff {
    assert_eq!(diff.key_diffs.keys().collect::<Vec<_>>(), [key]);
    let output = &diff.key_diffs[key];
    assert_eq!(output.messages.reference, messages);
    assert_eq!(output.messages.candidate, messages);
    assert_eq!(output.messages.compared, messages);
    assert_eq!(output.timestamps.equal, messages);
    assert!(output.fields.iter().all(|field| field.values.compared == messages));
    output
}

/// A folder of `examples/` in the repository.
pub(crate) fn source(name: &str) -> PathBuf {
    repository().join("examples").join(name)
}

pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[track_caller]
fn stdout_of(output: Output, code: i32, args: &dyn std::fmt::Debug) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    let stdout = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(output.status.code(), Some(code), "{args:?}\n{stdout}\n{said}");
    stdout
}

/// Copies what is in the repository, and not what was built beside it.
fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("writable");
    let entries = fs::read_dir(from).unwrap_or_else(|e| panic!("{}: {e}", from.display()));
    for entry in entries {
        let entry = entry.expect("readable");
        let (name, path) = (entry.file_name(), entry.path());
        if ["build", "target", "__pycache__"].iter().any(|made| name == *made) {
            continue;
        }
        if path.is_dir() {
            copy_folder(&path, &to.join(name));
        } else {
            fs::copy(&path, to.join(name)).expect("writable");
        }
    }
}
