//! Where a file's bytes go.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

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
    /// The folder that has the file's name, until that is on the disk too.
    folder: Option<PathBuf>,
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
        let folder = match path.parent() {
            Some(folder) if folder.as_os_str().is_empty() => Some(PathBuf::from(".")),
            folder => folder.map(Path::to_owned),
        };
        Ok(NewFile { file, folder })
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
    /// The data, and once the file's name in its folder: without it a new
    /// file can be gone after a power cut, whatever is in it.
    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_all()?;
        // Folders can't be opened elsewhere, and needn't be.
        if cfg!(unix)
            && let Some(folder) = &self.folder
        {
            File::open(folder)?.sync_all()?;
        }
        self.folder = None;
        Ok(())
    }
}
