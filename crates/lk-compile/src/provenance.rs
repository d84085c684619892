//! What a recording came from, by content: the facts that say it, and the
//! hashes in them.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use lk::codec::Plan;
use sha2::{Digest, Sha256};

use crate::component::ComponentSpec;
use crate::error::{Error, Result};
use crate::process::Program;
use crate::ticks::Ticks;

/// Fact: the version of lk that wrote it.
pub const PRODUCER: &str = "producer";
/// Fact: the component.
pub const COMPONENT: &str = "component";
/// Fact: who ran: `the reference`, `candidate cpp`.
pub const PROGRAM: &str = "program";
/// Fact: [`program_hash`] of who ran.
pub const PROGRAM_HASH: &str = "program_hash";
/// Fact: [`inputs_hash`] of what was delivered.
pub const INPUTS_HASH: &str = "inputs_hash";
/// Fact: the seed.
pub const SEED: &str = "seed";
/// Fact: language and version of the harness, as the program says.
pub const HARNESS: &str = "harness";
/// Fact: input samples that no tick delivered.
pub const UNDELIVERED: &str = "undelivered_inputs";

/// Hash of a program: its commands, and the names and contents of all files
/// in its folder.
///
/// Left out are `.git`, Python's `__pycache__`, the folder `except`, and,
/// where the program has a build command, the folders `build` and `target`:
/// what is in them comes from the rest. What the program takes from elsewhere
/// (an interpreter, installed packages) is not seen.
///
/// # Errors
/// A file that can't be read.
pub fn program_hash(program: &Program, except: &Path) -> Result<String> {
    let mut hash = Hash::new("program");
    for command in [program.build.as_deref().unwrap_or_default(), &program.run] {
        hash.number(command.len() as u64);
        command.iter().for_each(|part| hash.bytes(part.as_bytes()));
    }
    let walk = Walk {
        except: except.canonicalize().ok(),
        products: if program.build.is_some() { &["build", "target"] } else { &[] },
    };
    walk.folder(&program.dir, "", &mut hash)?;
    Ok(hash.finish())
}

/// Hash of what a program is given: ports, config and every tick.
///
/// # Errors
/// A config that can't be encoded.
pub fn inputs_hash(component: &ComponentSpec, ticks: &Ticks) -> Result<String> {
    let mut hash = Hash::new("inputs");
    for ports in [&component.inputs, &component.outputs, &component.states] {
        hash.number(ports.len() as u64);
        for port in ports {
            hash.bytes(port.key.as_bytes());
            hash.bytes(port.schema.name().as_bytes());
            hash.bytes(&port.schema.fingerprint().0);
        }
    }
    let config = match &component.config {
        Some(config) => Plan::new(&config.schema).encode(&config.value)?,
        None => Vec::new(),
    };
    hash.bytes(&config);
    hash.number(ticks.len() as u64);
    let mut tick = 0;
    while let Some((time, samples)) = ticks.get(tick) {
        hash.number(time.as_nanos().cast_unsigned());
        hash.number(samples.len() as u64);
        for one in samples {
            hash.number(one.port.into());
            hash.number(one.sample.time.as_nanos().cast_unsigned());
            hash.number(one.sample.sequence.into());
            hash.bytes(&one.sample.payload);
        }
        tick += 1;
    }
    Ok(hash.finish())
}

/// SHA-256 over items whose borders are part of it.
pub(crate) struct Hash(Sha256);

impl Hash {
    /// A hash of something of this kind, so that two kinds never agree.
    pub(crate) fn new(kind: &str) -> Hash {
        let mut hash = Hash(Sha256::new());
        hash.bytes(kind.as_bytes());
        hash
    }

    pub(crate) fn number(&mut self, number: u64) {
        self.0.update(number.to_le_bytes());
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.update(bytes);
    }

    fn file(&mut self, path: &Path) -> io::Result<()> {
        let mut file = File::open(path)?;
        let mut room = [0; 1 << 16];
        let mut length = 0;
        loop {
            let count = file.read(&mut room)?;
            if count == 0 {
                // The length comes last, since it may change on the way.
                self.number(length);
                return Ok(());
            }
            self.0.update(&room[..count]);
            length += count as u64;
        }
    }

    /// 32 hexadecimal digits: half of SHA-256 is more than enough here.
    pub(crate) fn finish(self) -> String {
        self.0.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

struct Walk<'a> {
    except: Option<std::path::PathBuf>,
    products: &'a [&'a str],
}

impl Walk<'_> {
    fn folder(&self, path: &Path, relative: &str, hash: &mut Hash) -> Result<()> {
        if self.except.is_some() && path.canonicalize().ok() == self.except {
            return Ok(());
        }
        let mut entries = fs::read_dir(path)
            .and_then(|entries| entries.collect::<io::Result<Vec<_>>>())
            .map_err(Error::io("read", path))?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let relative = format!("{relative}/{name}");
            let failed = |error| Error::io("read", &path)(error);
            let kind = entry.file_type().map_err(failed)?;
            if kind.is_dir() {
                let is_product = self.products.contains(&&*name);
                if !is_product && !matches!(&*name, ".git" | "__pycache__") {
                    self.folder(&path, &relative, hash)?;
                }
            } else if kind.is_symlink() {
                hash.bytes(relative.as_bytes());
                let target = fs::read_link(&path).map_err(failed)?;
                hash.bytes(target.as_os_str().as_encoded_bytes());
                // What it leads to counts too, unless that is a folder, which
                // could lead back here.
                if path.is_file() {
                    hash.file(&path).map_err(failed)?;
                }
            } else if kind.is_file() {
                hash.bytes(relative.as_bytes());
                hash.file(&path).map_err(failed)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::LimitsTable;

    fn write(folder: &Path, files: &[(&str, &str)]) {
        for (name, text) in files {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }

    #[test]
    fn a_program_is_its_commands_and_files_and_not_what_they_make() {
        let folder = tempfile::tempdir().unwrap();
        let mut program = Program {
            label: "candidate cpp".into(),
            dir: folder.path().join("cpp"),
            build: Some(vec!["make".into()]),
            run: vec!["./x".into()],
            scaffold: None,
            limits: LimitsTable::default(),
        };
        let except = folder.path().join("cpp/target/lk");
        let hash = |program: &Program| program_hash(program, &except).unwrap();
        write(folder.path(), &[("cpp/a.cpp", "a"), ("cpp/sub/b.cpp", "b")]);
        let first = hash(&program);
        assert_eq!(first.len(), 32);

        let products = [("cpp/build/x", "x"), ("cpp/__pycache__/y", "y"), ("cpp/.git/z", "z")];
        write(folder.path(), &products);
        assert_eq!(hash(&program), first);
        write(folder.path(), &[("cpp/a.cpp", "b")]);
        let changed = hash(&program);
        assert_ne!(changed, first);
        write(folder.path(), &[("cpp/a.cpp", "a")]);
        fs::rename(folder.path().join("cpp/a.cpp"), folder.path().join("cpp/c.cpp")).unwrap();
        assert_ne!(hash(&program), first);

        // Without a build command what lies in `build` is the program itself.
        program.build = None;
        let unbuilt = hash(&program);
        write(folder.path(), &[("cpp/build/x", "other")]);
        assert_ne!(hash(&program), unbuilt);
        let before = hash(&program);
        write(folder.path(), &[("cpp/target/lk/report.json", "{}")]);
        assert_eq!(hash(&program), before, "lk's own results are no part of it");
        program.run.push("--fast".into());
        assert_ne!(hash(&program), before);
    }
}
