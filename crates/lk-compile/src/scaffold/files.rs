//! Scaffolds on disk.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::{GeneratedFile, Language, generate};
use crate::{ComponentSpec, Error, Result};

/// What [`write`] did, by path relative to the folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WriteOutcome {
    /// Files that were written, or written anew.
    pub written: Vec<PathBuf>,
    /// Files that were as they should be.
    pub unchanged: Vec<PathBuf>,
    /// Files of the user's that were left alone.
    pub kept: Vec<PathBuf>,
}

/// Writes a scaffold to `dir`, which is made where it doesn't exist.
///
/// Files that belong to lk are renewed. Those of the user are written where
/// they don't exist, and with `refresh_only` not at all.
pub fn write(files: &[GeneratedFile], dir: &Path, refresh_only: bool) -> Result<WriteOutcome> {
    let mut outcome = WriteOutcome::default();
    for file in files {
        let path = dir.join(&file.path);
        let present = read(&path)?;
        let list = match &present {
            Some(bytes) if bytes == file.contents.as_bytes() => &mut outcome.unchanged,
            Some(_) if !file.refresh => &mut outcome.kept,
            None if !file.refresh && refresh_only => continue,
            _ => {
                if let Some(parent) = path.parent() {
                    fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
                }
                fs::write(&path, &file.contents).map_err(Error::io("write", &path))?;
                &mut outcome.written
            }
        };
        list.push(file.path.clone());
    }
    Ok(outcome)
}

/// Checks that types and harness in `dir` are as they would be generated now.
///
/// # Errors
///
/// [`Error::StaleScaffold`] for the first file that isn't.
pub fn check_current(spec: &ComponentSpec, language: Language, dir: &Path) -> Result<()> {
    for file in generate(spec, language)?.into_iter().filter(|file| file.refresh) {
        let path = dir.join(&file.path);
        let present = read(&path)?;
        if present.as_deref() != Some(file.contents.as_bytes()) {
            return Err(Error::StaleScaffold { path, missing: present.is_none() });
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("read", path)(error)),
    }
}
