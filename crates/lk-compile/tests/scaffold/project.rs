//! A scaffold in a temporary folder.

use std::fs;
use std::path::Path;
use std::process::Command;

use lk_compile::ComponentSpec;
use lk_compile::scaffold::{self, Language};
use tempfile::TempDir;

use crate::conversation::{Said, Script, run};

/// A generated component, built.
pub(crate) struct Project {
    dir: TempDir,
    language: Language,
    name: String,
}

impl Project {
    /// Generates a component, replaces the files given (path, contents), and
    /// builds it with all warnings as errors.
    pub(crate) fn new(
        spec: &ComponentSpec,
        language: Language,
        files: &[(&str, String)],
    ) -> Project {
        let dir = tempfile::tempdir().unwrap();
        let generated = scaffold::generate(spec, language).unwrap();
        scaffold::write(&generated, dir.path(), false).unwrap();
        for (path, contents) in files {
            fs::write(dir.path().join(path), contents).unwrap();
        }
        let project = Project { dir, language, name: spec.name.clone() };
        project.build();
        project
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    fn build(&self) {
        let mut command = match self.language {
            Language::Cpp => {
                let mut command = Command::new("sh");
                command.arg("build.sh");
                // Optimised code is not what is tested here, and takes longer.
                command.env("CXXFLAGS", "-O1 -Werror -Wpedantic -Wconversion -Wshadow");
                command
            }
            Language::Rust => {
                let mut command = Command::new("cargo");
                command.args(["build", "--quiet", "--offline"]);
                command.env("RUSTFLAGS", "-D warnings").env("CARGO_TARGET_DIR", "target");
                command
            }
            Language::Python => {
                let mut command = Command::new("python3");
                command.args(["-W", "error", "-m", "compileall", "-q", "."]);
                command
            }
        };
        let output = command.current_dir(self.path()).output().unwrap();
        assert!(
            output.status.success(),
            "{} does not build:\n{}{}",
            self.language,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// Runs it on a script; a Python component is `target`.
    pub(crate) fn run_target(&self, target: &str, script: &Script, piece: usize) -> Said {
        let mut command = match self.language {
            Language::Cpp => Command::new(self.path().join("build").join(&self.name)),
            Language::Rust => Command::new(self.path().join("target/debug").join(&self.name)),
            Language::Python => {
                let mut command = Command::new("python3");
                command.args(["lk_harness.py", target]);
                command
            }
        };
        run(command.current_dir(self.path()), script, piece)
    }

    pub(crate) fn run(&self, script: &Script) -> Said {
        self.run_target("component:Component", script, usize::MAX)
    }
}
