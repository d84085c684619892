//! Files that are written anew for each input.

use std::path::{Path, PathBuf};

/// A file that goes away.
pub(crate) struct File(PathBuf);

impl File {
    /// A name that is this thread's own; there is nothing there yet.
    pub(crate) fn named(extension: &str) -> File {
        let thread = format!("{:?}", std::thread::current().id());
        let number: String = thread.chars().filter(char::is_ascii_digit).collect();
        let name = format!("lk-fuzz-{}-{number}.{extension}", std::process::id());
        File(std::env::temp_dir().join(name))
    }

    /// A file with these bytes in it.
    pub(crate) fn with(extension: &str, bytes: &[u8]) -> File {
        let file = File::named(extension);
        std::fs::write(&file.0, bytes).expect("the temporary folder takes files");
        file
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // It may never have been made.
        let _ = std::fs::remove_file(&self.0);
    }
}
