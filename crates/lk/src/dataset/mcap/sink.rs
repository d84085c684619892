//! Where a file's bytes go.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::dataset::folder::sync_folder;

/// Takes the bytes of a file, once and from front to end.
///
/// [`Write::write`] hands bytes to the operating system, or to what stands for
/// it: nothing is kept back for [`Write::flush`], which is never called.
pub trait Sink: Write + Send + Sync {
    /// Waits until all that was written is on the disk.
    ///
    /// # Errors
    /// Where that can't be said of all of it.
    fn sync(&mut self) -> io::Result<()>;
}

/// A file that was just created.
pub(super) struct NewFile {
    file: File,
    /// Until its name in the folder is on the disk too.
    unnamed: Option<PathBuf>,
}

impl NewFile {
    /// Creates the file at `path`, in the place of another where that is
    /// `overwrite`.
    pub(super) fn create(path: &Path, overwrite: bool) -> io::Result<NewFile> {
        if overwrite && path.is_file() {
            // Unlinked, not truncated: it may be what is being read from.
            std::fs::remove_file(path)?;
        }
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        Ok(NewFile { file, unnamed: Some(path.to_owned()) })
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink for NewFile {
    /// The data, and once the file's name.
    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_all()?;
        if let Some(path) = &self.unnamed {
            sync_folder(path)?;
            self.unnamed = None;
        }
        Ok(())
    }
}
