//! The folder that has a file's name.

use std::io;
use std::path::Path;

/// Waits until the name of the file at `path` is on the disk. Without it a new
/// file can be gone after a power cut, whatever was in it.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    // Elsewhere folders can't be opened, and needn't be.
    if !cfg!(unix) {
        return Ok(());
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    std::fs::File::open(folder)?.sync_all()
}
