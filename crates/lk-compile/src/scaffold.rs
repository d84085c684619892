//! What a component is written in: types, harness and build file in a
//! language, generated from its ports, and a component to fill in.
//!
//! Generating is pure ([`generate`]); [`write`] brings the files to a folder,
//! and [`check_current`] says whether what lies there is still what would be
//! generated. [`add_to_manifest`] adds the candidate to `lk.toml`, and
//! [`from_dataset`] makes an `lk.toml` where there is none.

mod cpp;
mod entry;
mod files;
mod from_dataset;
mod model;
mod names;
mod python;
mod rust;
mod template;

use std::path::PathBuf;
use std::str::FromStr;

pub use crate::manifest::Language;
pub use entry::{NewCandidate, add_to_manifest, manifest_entry};
pub use files::{WriteOutcome, check_current, write};
pub use from_dataset::{FromDataset, from_dataset};

use crate::{ComponentSpec, Error, Result, suggest};

/// A file of a scaffold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedFile {
    /// Relative to the scaffold's folder.
    pub path: PathBuf,
    /// Text, in UTF-8.
    pub contents: String,
    /// Whether the file belongs to lk, which renews it after a schema changed.
    /// The component and the build file belong to the user: they are written
    /// where they don't exist, and never again.
    pub refresh: bool,
}

/// All files of a component in a language, in a fixed order. The same
/// component gives the same bytes.
///
/// # Errors
///
/// Where two ports have types of one name that differ.
pub fn generate(spec: &ComponentSpec, language: Language) -> Result<Vec<GeneratedFile>> {
    match language {
        Language::Cpp => cpp::generate(spec),
        Language::Rust => rust::generate(spec),
        Language::Python => python::generate(spec),
    }
}

impl Language {
    /// Every language.
    pub const ALL: [Language; 3] = [Language::Cpp, Language::Rust, Language::Python];
}

/// From the name: `cpp`.
impl FromStr for Language {
    type Err = Error;

    fn from_str(name: &str) -> Result<Language> {
        Language::ALL.into_iter().find(|language| language.name() == name).ok_or_else(|| {
            Error::UnknownLanguage {
                name: name.to_owned(),
                hint: suggest::hint(name, Language::ALL.map(Language::name)),
            }
        })
    }
}

#[cfg(test)]
mod tests;
