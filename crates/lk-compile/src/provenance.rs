//! What a recording came from, by content: the facts that say it, and the
//! hashes in them.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

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
/// What the hash of a program begins with that could not be read whole; it
/// never stands for a recording in the cache.
pub const PARTIAL: &str = "partial-";
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
/// What links in it lead to counts too, files and whole folders, each folder
/// once; of a link that leads nowhere, its text. Where links lead to more than
/// can be read in a while, the rest is not seen, and the hash begins with
/// [`PARTIAL`].
///
/// Left out are `.git`, Python's `__pycache__`, the folder `except`, and,
/// where the program has a build command, `build` and `target` right in its
/// folder: what is in them comes from the rest. What the program takes from
/// elsewhere (an interpreter, installed packages) is not seen.
///
/// # Errors
/// A file that can't be read.
pub fn program_hash(program: &Program, except: &Path) -> Result<String> {
    let mut hash = Hash::new("program");
    for command in [program.build.as_deref().unwrap_or_default(), &program.run] {
        hash.number(command.len() as u64);
        command.iter().for_each(|part| hash.bytes(part.as_bytes()));
    }
    let mut walk = Walk {
        except: except.canonicalize().ok(),
        products: if program.build.is_some() { &["build", "target"] } else { &[] },
        seen: HashMap::new(),
        linked: Linked::default(),
    };
    walk.folder(&program.dir, "", false, &mut hash)?;
    if walk.linked.is_too_much() {
        // Not all of it was read, so that nobody can say it is the same again.
        return Ok(format!("{PARTIAL}{}", hash.finish()));
    }
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
    except: Option<PathBuf>,
    products: &'a [&'a str],
    /// Folders that were come to, by their real paths, numbered.
    seen: HashMap<PathBuf, u64>,
    linked: Linked,
}

/// What was found in folders that links lead to.
#[derive(Default)]
struct Linked {
    entries: u64,
    bytes: u64,
}

impl Linked {
    fn is_too_much(&self) -> bool {
        self.entries > MAX_LINKED_ENTRIES || self.bytes > MAX_LINKED_BYTES
    }
}

/// Entries in folders behind links that are looked at.
const MAX_LINKED_ENTRIES: u64 = 20_000;
/// Bytes of files in folders behind links that are read.
const MAX_LINKED_BYTES: u64 = 4 << 30;

impl Walk<'_> {
    /// `is_linked`: a link led here.
    fn folder(
        &mut self,
        path: &Path,
        relative: &str,
        is_linked: bool,
        hash: &mut Hash,
    ) -> Result<()> {
        let real = path.canonicalize().map_err(Error::io("read", path))?;
        if self.except.as_ref() == Some(&real) {
            return Ok(());
        }
        let number = self.seen.len() as u64;
        if let Some(earlier) = self.seen.get(&real) {
            // Which one it is, since a link on the way may lead elsewhere.
            hash.bytes(relative.as_bytes());
            hash.number(*earlier);
            return Ok(());
        }
        // By its real path, which has no more links to follow each time.
        let mut entries = fs::read_dir(&real)
            .and_then(|entries| entries.collect::<io::Result<Vec<_>>>())
            .map_err(Error::io("read", path))?;
        self.seen.insert(real, number);
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            if is_linked {
                self.linked.entries += 1;
                if self.linked.is_too_much() {
                    break;
                }
            }
            match self.entry(&entry, relative, is_linked, hash) {
                // What can't be read there can't be read by the program either.
                Err(_) if is_linked => hash.bytes(b"unreadable"),
                result => result?,
            }
        }
        Ok(())
    }

    fn entry(
        &mut self,
        entry: &fs::DirEntry,
        folder: &str,
        is_linked: bool,
        hash: &mut Hash,
    ) -> Result<()> {
        let path = entry.path();
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let relative = format!("{folder}/{name}");
        let failed = |error| Error::io("read", &path)(error);
        let is_derived = matches!(&*name, ".git" | "__pycache__")
            || folder.is_empty() && self.products.contains(&&*name);
        let mut kind = entry.file_type().map_err(failed)?;
        let is_link = kind.is_symlink();
        if is_link {
            hash.bytes(relative.as_bytes());
            let target = fs::read_link(&path).map_err(failed)?;
            hash.bytes(target.as_os_str().as_encoded_bytes());
            // It may lead nowhere, or in a circle.
            let Ok(about) = path.metadata() else { return Ok(()) };
            kind = about.file_type();
        }
        if kind.is_dir() && !is_derived {
            let folder = self.folder(&path, &relative, is_linked || is_link, hash);
            match folder {
                Err(_) if is_link => hash.bytes(b"unreadable"),
                result => result?,
            }
        } else if kind.is_file() {
            if is_linked {
                self.linked.bytes += path.metadata().map_err(failed)?.len();
                if self.linked.is_too_much() {
                    return Ok(());
                }
            }
            hash.bytes(relative.as_bytes());
            hash.file(&path).map_err(failed)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Cache;
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

    fn program_in(folder: &Path) -> Program {
        Program {
            label: "reference".into(),
            dir: folder.join("program"),
            build: Some(vec!["make".into()]),
            run: vec!["./x".into()],
            scaffold: None,
            limits: LimitsTable::default(),
        }
    }

    #[test]
    fn what_is_behind_a_link_is_part_of_a_program() {
        let folder = tempfile::tempdir().unwrap();
        let program = program_in(folder.path());
        let hash = || program_hash(&program, Path::new("/nowhere")).unwrap();
        write(folder.path(), &[("program/a.py", "a"), ("shared/pkg/b.py", "b"), ("c.py", "c")]);
        let link = |to: &str, name: &str| {
            std::os::unix::fs::symlink(to, folder.path().join("program").join(name)).unwrap();
        };
        link("../shared", "shared");
        link("../c.py", "c.py");
        link("nothing", "dangling");
        let mut last = hash();
        assert_eq!(hash(), last);
        for (name, text) in [("shared/pkg/b.py", "other"), ("c.py", "other"), ("shared/d.py", "")] {
            write(folder.path(), &[(name, text)]);
            assert_ne!(hash(), last, "{name}");
            last = hash();
        }
        let dangling = folder.path().join("program/dangling");
        fs::remove_file(&dangling).unwrap();
        link("nothing else", "dangling");
        assert_ne!(hash(), last);
    }

    #[test]
    fn links_in_circles_come_to_an_end() {
        let folder = tempfile::tempdir().unwrap();
        let program = program_in(folder.path());
        write(folder.path(), &[("program/sub/a.py", "a"), ("outside/b.py", "b")]);
        for (to, name) in [
            (".", "program/self"),
            ("..", "program/sub/up"),
            ("../../outside", "program/sub/outside"),
            ("../program", "outside/back"),
            ("loop", "program/loop"),
        ] {
            std::os::unix::fs::symlink(to, folder.path().join(name)).unwrap();
        }
        let hash = || program_hash(&program, Path::new("/nowhere")).unwrap();
        let first = hash();
        assert_eq!(hash(), first);
        write(folder.path(), &[("outside/b.py", "other")]);
        assert_ne!(hash(), first);
    }

    #[test]
    fn links_to_more_than_can_be_read_make_the_hash_partial() {
        let folder = tempfile::tempdir().unwrap();
        let program = program_in(folder.path());
        write(folder.path(), &[("program/a.py", "a"), ("outside/b", "")]);
        let large = File::create(folder.path().join("outside/large")).unwrap();
        large.set_len(MAX_LINKED_BYTES + 1).unwrap();
        std::os::unix::fs::symlink("../outside", folder.path().join("program/outside")).unwrap();
        let hash = || program_hash(&program, Path::new("/nowhere")).unwrap();
        let first = hash();
        assert!(first.starts_with(PARTIAL), "{first}");
        assert_eq!(hash(), first, "no clock in it");
        assert!(!Cache::takes(&first));
    }

    #[test]
    fn only_what_is_right_in_the_folder_is_a_product() {
        let folder = tempfile::tempdir().unwrap();
        let program = program_in(folder.path());
        let hash = || program_hash(&program, Path::new("/nowhere")).unwrap();
        let sources = ["program/pkg/build/x.py", "program/pkg/target/y.py"];
        write(folder.path(), &sources.map(|name| (name, "1")));
        for name in sources {
            let before = hash();
            write(folder.path(), &[(name, "2")]);
            assert_ne!(hash(), before, "{name}");
        }
        let before = hash();
        write(folder.path(), &[("program/build/x.o", ""), ("program/target/x.o", "")]);
        write(folder.path(), &[("program/pkg/__pycache__/x.pyc", "")]);
        assert_eq!(hash(), before);
    }
}
