//! Files that commands write: whole or not at all.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use lk::Dataset;
use lk::dataset::CreateOptions;

use crate::error::{Error, Result};
use crate::interrupt;

/// Writes a file or folder beside `path` and puts it in its place once it is whole and
/// on the disk, so that a mistake leaves nothing behind and what was there as
/// it was.
pub(crate) fn replace<T>(
    path: &Path,
    force: bool,
    write: impl FnOnce(&Path) -> Result<T>,
) -> Result<T> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let part = path.with_file_name(format!(".part-{}-{name}", std::process::id()));
    let _unfinished = interrupt::Unfinished::new(&part)?;
    let written = write(&part).and_then(|written| {
        if path.exists() && !force {
            return Err(Error::exists(path));
        }
        let whole = File::open(&part).and_then(|file| file.sync_all());
        whole.and_then(|()| fs::rename(&part, path)).map_err(Error::io("write", path))?;
        Ok(written)
    });
    written.map_err(|error| {
        // The first error is what is told, by the name that was asked for.
        let _ = match part.is_dir() {
            true => fs::remove_dir_all(&part),
            false => fs::remove_file(&part),
        };
        let path = path.to_owned();
        match error {
            Error::Lk(lk::Error::Writing { action, source, .. }) => {
                Error::Io { action, path, source: io::Error::new(source.kind(), source) }
            }
            Error::Lk(lk::Error::Io { action, path: failed, source })
                if Path::new(&failed) == part =>
            {
                Error::Io { action, path, source }
            }
            Error::Lk(lk::Error::Unstorable { key, reason, location })
                if Path::new(&location) == part =>
            {
                let location = path.display().to_string();
                Error::Lk(lk::Error::Unstorable { key, reason, location })
            }
            Error::Lk(lk::Error::NotADataset { expected, reason, advice, path: failed })
                if Path::new(&failed) == part =>
            {
                let path = path.display().to_string();
                Error::Lk(lk::Error::NotADataset { expected, reason, advice, path })
            }
            other => other,
        }
    })
}

pub(crate) fn same_file(a: &Path, b: &Path) -> bool {
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}

/// Creates a dataset at `path`, whatever is there, and ends it once `fill` is
/// done. Returns what that gives.
pub(crate) fn write_dataset<T>(
    path: &Path,
    fill: impl FnOnce(&mut Dataset) -> lk::Result<T>,
) -> Result<T> {
    let options = CreateOptions { overwrite: true, ..CreateOptions::default() };
    let mut file = Dataset::create_with(path, options)?;
    let filled = fill(&mut file)?;
    file.close()?;
    Ok(filled)
}

/// Refuses to write where one of the inputs is, or where something else is
/// unless `force` says so.
pub(crate) fn check_output(output: &Path, inputs: &[&Path], force: bool) -> Result<()> {
    if let Some(input) = inputs.iter().find(|input| same_file(input, output)) {
        return Err(Error::Usage {
            message: format!("{} is both input and output", input.display()),
            hint: "name another output".to_owned(),
        });
    }
    if output.is_dir() {
        return Err(Error::Usage {
            message: format!("a folder is there already: {}", output.display()),
            hint: "name another output; lk replaces no folders".to_owned(),
        });
    }
    // Of a link, itself: what it points to is the user's, and so is the link.
    match output.symlink_metadata() {
        Ok(there) if !there.is_file() => Err(Error::Usage {
            message: format!("it is no regular file: {}", output.display()),
            hint: "name another output; lk replaces no links, pipes or devices".to_owned(),
        }),
        Ok(_) if !force => Err(Error::exists(output)),
        _ => Ok(()),
    }
}
