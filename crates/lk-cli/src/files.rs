//! Text files of the command line, read and written with errors that name
//! them.

use std::fs;
use std::path::Path;

use crate::error::{Error, Result};

pub(crate) fn read_text(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(Error::io("read", path))
}

pub(crate) fn write_text(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).map_err(Error::io("write", path))
}
