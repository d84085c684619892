//! A component in a temporary folder, and the command to use on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// What a run of `lk` came to.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn of(output: Output) -> Ran {
        Ran {
            code: output.status.code().expect("lk is not killed by a signal"),
            stdout: String::from_utf8(output.stdout).expect("lk writes UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("lk writes UTF-8"),
        }
    }

    /// Fails unless it ended with `code`, with everything that it said.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Ran {
        assert_eq!(self.code, code, "\n{}\n{}", self.stdout, self.stderr);
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        self
    }

    /// Fails unless a mistake was reported: nothing on standard output, and
    /// all of these on standard error.
    #[track_caller]
    pub(crate) fn expect_mistake(self, said: &[&str]) -> Ran {
        let ran = self.expect(2);
        assert_eq!(ran.stdout, "", "a mistake has no result");
        ran.says(said)
    }

    #[track_caller]
    pub(crate) fn says(self, said: &[&str]) -> Ran {
        for part in said {
            assert!(self.stderr.contains(part), "no {part:?} in\n{}", self.stderr);
        }
        self
    }

    #[track_caller]
    pub(crate) fn shows(self, shown: &[&str]) -> Ran {
        for part in shown {
            assert!(self.stdout.contains(part), "no {part:?} in\n{}", self.stdout);
        }
        self
    }
}

/// A folder to work in, and one beside it for the cache, both gone when this is
/// dropped.
pub(crate) struct Folder {
    root: tempfile::TempDir,
    work: PathBuf,
}

impl Folder {
    pub(crate) fn new() -> Folder {
        let root = tempfile::tempdir().expect("a temporary folder");
        let work = root.path().join("work");
        fs::create_dir(&work).expect("writable");
        Folder { root, work }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.work
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("writable");
        fs::write(&path, text).expect("writable");
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).expect("readable")
    }

    /// `lk` in this folder, with a cache of its own.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lk"));
        command
            .args(args)
            .current_dir(self.path())
            .env("XDG_CACHE_HOME", self.root.path().join("cache"))
            .env_remove("NO_COLOR")
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn lk(&self, args: &[&str]) -> Ran {
        Ran::of(self.command(args).output().expect("lk starts"))
    }
}

/// As many ticks as the component's inputs have.
pub(crate) const TICKS: usize = 20;

/// A component that doubles numbers: the reference is a program, the
/// candidates are what `candidates` says, in the syntax of `lk.toml`.
pub(crate) fn doubler(candidates: &str) -> Folder {
    let folder = Folder::new();
    folder.write("fake.py", include_str!("fake.py"));
    folder.write("msg/Number.msg", "float64 value\n");
    let rows = (0..TICKS).map(|n| format!("{}.5,{n}.25\n", n));
    folder.write("inputs.csv", &("t,value\n".to_owned() + &rows.collect::<String>()));
    folder
        .lk(&[
            "convert",
            "inputs.csv",
            "inputs.mcap",
            "--key",
            "x",
            "--time",
            "t",
            "--time-unit",
            "s",
        ]
        .into_iter()
        .chain(["--type", "doubler/Number", "--msgs", "msg", "--role", "input"])
        .collect::<Vec<_>>())
        .expect(0);
    folder.write(
        "lk.toml",
        &format!(
            r#"[component]
name = "doubler"

[inputs]
x = "doubler/Number"

[outputs]
y = "doubler/Number"

[data]
inputs = "inputs.mcap"

[reference]
run = ["python3", "fake.py"]

{candidates}
[tolerance]
rules = ["1e-9"]
"#
        ),
    );
    folder
}

/// The table of a candidate that is the fake in `mode`.
pub(crate) fn fake(name: &str, mode: &str) -> String {
    format!(
        "[candidates.{name}]\nrun = [\"python3\", \"fake.py\", \"{mode}\"]\n\
         limits = {{ start_s = 2, tick_s = 1 }}\n"
    )
}
