//! Which files of a folder are a recording.

use std::path::{Component, Path};

use super::METADATA;
use super::metadata::{Metadata, VERSION};
use crate::error::{Error, Result};

/// More than any recorder writes.
const METADATA_BYTES: u64 = 16 << 20;

/// What the files of a recording end with.
const EXTENSIONS: [&str; 4] = [".mcap", ".db3", ".mcap.zstd", ".db3.zstd"];

/// The files of a recording, and what was found about them.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// Names in the folder, in the order of recording.
    pub(super) names: Vec<String>,
    /// `None` where there is none that can be read.
    pub(super) metadata: Option<Metadata>,
    /// Whether a file is listed and missing.
    pub(super) missing: bool,
    pub(super) problems: Vec<String>,
    /// Harmless findings.
    pub(super) notes: Vec<String>,
}

/// Names of the files in a folder that may be of a recording, sorted as they
/// are numbered.
pub(in crate::dataset) fn bag_files(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if let Ok(name) = entry.file_name().into_string()
            && stem(&name).is_some()
            && entry.path().is_file()
        {
            names.push(name);
        }
    }
    names.sort_by_key(|name| {
        let (stem, number) = numbered(name);
        (stem.to_owned(), number, name.clone())
    });
    Ok(names)
}

impl Files {
    /// # Errors
    /// [`Error::Io`]; [`Error::NotADataset`] where there is no file of a
    /// recording, or several of which nothing says that they are one.
    pub(super) fn find(folder: &Path) -> Result<Files> {
        let path = || folder.display().to_string();
        let not = |reason: String, advice: Option<String>| {
            Err(Error::NotADataset {
                expected: "a recording of rosbag2",
                reason,
                advice,
                path: path(),
            })
        };
        let there = bag_files(folder).map_err(|source| Error::Io {
            action: "list",
            path: path(),
            source,
        })?;
        let mut files = Files::default();
        match read_metadata(folder)? {
            Some(Ok(metadata)) => files.take_listed(folder, &metadata, &there),
            Some(Err(reason)) => files.problems.push(format!(
                "{METADATA} can't be read: {reason}; its files are told by their names"
            )),
            None => files.notes.push(format!("there is no {METADATA}")),
        }
        if !files.names.is_empty() {
            return Ok(files);
        }
        let Some((stem, _)) = there.first().map(|name| numbered(name)) else {
            let reason = match files.metadata {
                Some(_) => format!("none of the files that {METADATA} lists is there"),
                None => "it is a folder without .mcap or .db3 files".to_owned(),
            };
            return not(reason, None);
        };
        if there.iter().any(|name| numbered(name).0 != stem) {
            let reason = format!(
                "it is a folder with {} files of which nothing says that they are one recording",
                there.len()
            );
            return not(reason, Some(format!("name one of them: {}", some_of(&there))));
        }
        if files.metadata.is_some() {
            files.notes.extend(there.iter().map(|name| unlisted(name)));
        }
        files.names = there;
        Ok(files)
    }

    /// Takes the files that `metadata` lists, and those that go on where it
    /// ends: a recorder that was killed leaves such.
    fn take_listed(&mut self, folder: &Path, metadata: &Metadata, there: &[String]) {
        if let Some(version) = metadata.version.filter(|version| *version > VERSION) {
            self.notes.push(format!("{METADATA} is of version {version}, which is newer than lk"));
        }
        for listed in &metadata.files {
            // Up to version 3 with the folder's name before it; never further
            // away than this folder.
            let name = Path::new(listed).file_name().and_then(|name| name.to_str());
            let strange =
                Path::new(listed).components().any(|part| !matches!(part, Component::Normal(_)));
            match name.filter(|name| folder.join(name).is_file()) {
                Some(name) if self.names.iter().any(|known| known == name) => {
                    self.notes.push(format!("{METADATA} lists {name} twice"));
                }
                Some(name) => {
                    self.names.push(name.to_owned());
                    if strange {
                        self.notes.push(format!(
                            "{METADATA} lists {listed}, of which only {name} in this folder is read"
                        ));
                    }
                }
                None => {
                    self.missing = true;
                    self.problems.push(format!("{listed} is listed in {METADATA} and missing"));
                }
            }
        }
        let last = self.names.iter().map(|name| numbered(name)).max();
        let last = last.map(|(stem, number)| (stem.to_owned(), number));
        for name in there {
            if self.names.is_empty() || self.names.contains(name) {
                continue;
            }
            let (stem, number) = numbered(name);
            let goes_on =
                number.is_some() && last.as_ref().is_some_and(|(s, n)| s == stem && *n < number);
            if goes_on {
                self.notes.push(unlisted(name));
                self.names.push(name.clone());
            } else {
                self.notes.push(format!("{name} is left out, since {METADATA} doesn't list it"));
            }
        }
        self.metadata = Some(metadata.clone());
    }
}

fn unlisted(name: &str) -> String {
    format!("{name} is read, though {METADATA} doesn't list it")
}

/// `None` where there is no such file; a phrase where it can't be understood.
fn read_metadata(folder: &Path) -> Result<Option<Result<Metadata, String>>> {
    use std::io::Read;
    let path = folder.join(METADATA);
    let failed = |source| Error::Io { action: "read", path: path.display().to_string(), source };
    let file = match std::fs::File::open(&path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(failed)?,
    };
    let mut bytes = Vec::new();
    file.take(METADATA_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > METADATA_BYTES {
        return Ok(Some(Err(format!("it is larger than {METADATA_BYTES} bytes"))));
    }
    let text = String::from_utf8(bytes).map_err(|_| "it is not text".to_owned());
    Ok(Some(text.and_then(|text| Metadata::parse(&text))))
}

/// The name without what files of recordings end with.
fn stem(name: &str) -> Option<&str> {
    EXTENSIONS.iter().rev().find_map(|extension| name.strip_suffix(extension))
}

/// `talk_12.mcap` is number 12 of `talk`.
fn numbered(name: &str) -> (&str, Option<u64>) {
    let stem = stem(name).unwrap_or(name);
    match stem.rsplit_once('_') {
        Some((before, digits)) if digits.bytes().all(|b| b.is_ascii_digit()) => {
            match digits.parse() {
                Ok(number) => (before, Some(number)),
                Err(_) => (stem, None),
            }
        }
        _ => (stem, None),
    }
}

/// The first few names.
fn some_of(names: &[String]) -> String {
    let first = names.get(..3).unwrap_or(names).join(", ");
    match names.len().saturating_sub(3) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}
