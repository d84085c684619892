//! Where a recording goes.

use std::path::{Path, PathBuf};

use crate::dataset::{CreateOptions, Dataset};
use crate::error::Result;

/// Where a recording goes.
pub enum Target {
    /// To a dataset, which [`Recorder::close`](super::Recorder::close) gives
    /// back: closed where it is a file.
    Dataset(Dataset),
    /// To a file, or to several where the config splits: `run.mcap`, then
    /// `run_1.mcap`, `run_2.mcap`.
    Files {
        /// Of the first file.
        path: PathBuf,
        /// Of all files.
        options: CreateOptions,
    },
}

impl Target {
    pub(super) fn location(&self) -> String {
        match self {
            Target::Dataset(dataset) => dataset.location(),
            Target::Files { path, .. } => path.display().to_string(),
        }
    }
}

/// The file of a part, counted from 0.
pub(super) fn part_path(path: &Path, part: u64) -> PathBuf {
    if part == 0 {
        return path.to_owned();
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension = path.extension().map(|e| format!(".{}", e.to_string_lossy()));
    path.with_file_name(format!("{stem}_{part}{}", extension.unwrap_or_default()))
}

pub(super) fn create(path: &Path, options: &CreateOptions, part: u64) -> Result<Dataset> {
    Dataset::create_with(part_path(path, part), options.clone())
}
