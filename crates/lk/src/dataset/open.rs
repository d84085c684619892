//! Datasets from paths.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::mcap::{self, CreateOptions};
use super::packed::{self, Payloads, RecordingFile};
use super::{Backend, ChannelId, Dataset, Facts, Query, loss, pickle, rosbag2};
use crate::error::{Error, Result};

/// Bytes from the start of a file by which it is recognised.
const HEAD_BYTES: u64 = 4096;

/// How to open a dataset.
#[derive(Clone, Debug, Default)]
pub struct OpenOptions {
    /// A folder of `.msg` files, which define types that the recording names
    /// without a definition; ROS 2's common ones are known without it. A file
    /// is `package/Type.msg` or `package/msg/Type.msg` in it.
    pub msgs: Option<PathBuf>,
}

impl Dataset {
    /// Opens a file to read, or a folder that rosbag2 wrote. What a file is,
    /// its content says; lk reads MCAP files, SQLite files of rosbag2 (with the
    /// feature `sqlite`), either of them compressed with zstd, and Python's
    /// pickles (which run no code here).
    ///
    /// A file that was cut off or damaged opens with what is whole:
    /// [`Dataset::integrity`] says what is not.
    ///
    /// # Errors
    /// [`Error::NoSuchFile`], [`Error::Io`] where it can't be read; [`Error::NotADataset`]
    /// where it is something else, saying what it looks like;
    /// [`Error::Damaged`] where it contradicts itself; [`Error::Pickle`] and
    /// [`Error::PickledKey`] for what a pickle may not hold.
    pub fn open(path: impl AsRef<Path>) -> Result<Dataset> {
        Dataset::open_with(path, &OpenOptions::default())
    }

    /// As [`Dataset::open`], with options.
    ///
    /// # Errors
    /// As [`Dataset::open`]; where a definition in [`OpenOptions::msgs`] can't
    /// be read.
    pub fn open_with(path: impl AsRef<Path>, options: &OpenOptions) -> Result<Dataset> {
        let path = path.as_ref();
        let metadata = match std::fs::metadata(path) {
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => {
                let (path, advice) = (path.display().to_string(), advice_for_missing(path));
                return Err(Error::NoSuchFile { path, advice, source });
            }
            other => other.map_err(|source| failed_to_open(path, source))?,
        };
        let mut dataset = Dataset::with_backend(match metadata.is_dir() {
            true => Box::new(rosbag2::Reader::open(path)?),
            false => open_file(path, Payloads::Plain)?,
        });
        dataset.define_types(options.msgs.as_deref())?;
        Ok(dataset)
    }

    /// Creates a file to write, of the kind that its extension says: `.mcap`,
    /// `.pkl` or `.pickle`. The file ends with [`Dataset::close`].
    ///
    /// # Errors
    /// [`Error::FileExists`]; [`Error::NotADataset`] where the extension is
    /// another; [`Error::Io`].
    pub fn create(path: impl AsRef<Path>) -> Result<Dataset> {
        Dataset::create_with(path, CreateOptions::default())
    }

    /// As [`Dataset::create`], with options, of which a pickle heeds
    /// `overwrite` alone.
    ///
    /// # Errors
    /// As [`Dataset::create`]; no [`Error::FileExists`] where the options say
    /// to overwrite.
    pub fn create_with(path: impl AsRef<Path>, options: CreateOptions) -> Result<Dataset> {
        let path = path.as_ref();
        let extension = path.extension().and_then(|extension| extension.to_str());
        if extension.is_some_and(|extension| extension.eq_ignore_ascii_case("mcap")) {
            let writer = mcap::Writer::create(path, options)?;
            return Ok(Dataset::with_backend(Box::new(writer)));
        }
        if pickle::is_named_pickle(path) {
            let writer = pickle::Writer::create(path, options.overwrite)?;
            return Ok(Dataset::with_backend(Box::new(writer)));
        }
        let reason = match extension {
            Some(extension) => format!("the extension .{extension} is not one to write to"),
            None => "there is no extension to say what to write".to_owned(),
        };
        let advice = match extension {
            Some("csv" | "ndjson" | "jsonl") => {
                "record to a .mcap file, and convert it with `lk convert`"
            }
            _ => "give the file a name that ends in .mcap",
        };
        Err(Error::NotADataset {
            expected: EXPECTED,
            reason,
            advice: Some(advice.to_owned()),
            path: path.display().to_string(),
        })
    }

    /// Copies all channels, samples, facts and what there is beside samples
    /// from `source` to the end of this dataset. What `source` has lost is
    /// added to the facts, as [`LOST_SAMPLES`](super::LOST_SAMPLES); the
    /// outcome says what could not be taken along.
    ///
    /// A chunk of `source` that turns out to be damaged only now is an error:
    /// call [`Dataset::check`] on it, and start again.
    ///
    /// # Errors
    /// [`Error::DuplicateKey`] where a key is here already; whatever reading
    /// and writing brings.
    pub fn copy_from(&mut self, source: &Dataset) -> Result<CopyOutcome> {
        self.copy_some(source, &Query::default())
    }

    /// As [`Dataset::copy_from`], of what `query` takes alone; channels that
    /// it doesn't name are left out.
    ///
    /// # Errors
    /// As [`Dataset::copy_from`].
    pub fn copy_some(&mut self, source: &Dataset, query: &Query) -> Result<CopyOutcome> {
        let mut outcome = CopyOutcome::default();
        let mut ids = Vec::with_capacity(source.channels().len());
        for (n, channel) in (0..).zip(source.channels()) {
            let taken = query.channels.as_ref().is_none_or(|all| all.contains(&ChannelId(n)));
            ids.push(if taken { Some(self.add_channel(channel.clone())?) } else { None });
        }
        for item in source.samples(query)? {
            let (id, sample) = item?;
            if let Some(id) = ids.get(id.0 as usize).copied().flatten() {
                self.write_sample(id, sample)?;
                outcome.samples += 1;
            }
        }
        let is_part = query.channels.is_some() || query.start.is_some() || query.end.is_some();
        let Facts { sequence, entries } = match is_part {
            true => source.facts().of_part(),
            false => source.facts().clone(),
        };
        let mut facts = self.facts().clone();
        facts.sequence = sequence;
        facts.entries.extend(entries);
        loss::carry(&mut facts, &source.integrity());
        self.set_facts(facts)?;
        outcome.left_out = self.copy_extras(source)?;
        Ok(outcome)
    }

    /// Copies what there is beside samples; says what could not be.
    pub(super) fn copy_extras(&mut self, source: &Dataset) -> Result<Vec<String>> {
        let mut left_out = Vec::new();
        for extra in source.extras() {
            left_out.push(match extra {
                Ok(extra) => match self.add_extra(extra) {
                    Ok(()) => continue,
                    Err(Error::Unstorable { key, reason, .. }) => format!("{key}: {reason}"),
                    Err(error) => return Err(error),
                },
                Err(error @ (Error::Damaged { .. } | Error::Limit { .. })) => error.to_string(),
                Err(error) => return Err(error),
            });
        }
        Ok(left_out)
    }
}

/// What [`Dataset::copy_from`] came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CopyOutcome {
    /// Samples that were copied: all that could be read.
    pub samples: u64,
    /// What there is beside samples and couldn't be copied, and why: a phrase
    /// each.
    pub left_out: Vec<String>,
}

const SQLITE_MAGIC: &[u8] = b"SQLite format 3\0";

const EXPECTED: &str = "a dataset that lk can read";

fn failed_to_open(path: &Path, source: std::io::Error) -> Error {
    Error::Io { action: "open", path: path.display().to_string(), source }
}

/// Opens a file as what its content says that it is.
pub(super) fn open_file(path: &Path, payloads: Payloads) -> Result<Box<dyn Backend>> {
    let not = |reason: String, advice: Option<String>| {
        let path = path.display().to_string();
        Err(Error::NotADataset { expected: EXPECTED, reason, advice, path })
    };
    let failed = |source| failed_to_open(path, source);
    let metadata = std::fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() {
        let advice = "store what comes out of it in a file first";
        return not("it is no regular file".to_owned(), Some(advice.to_owned()));
    }
    let mut place = RecordingFile::of(path);
    let mut head = head_of(&place).map_err(failed)?;
    let is_packed = packed::is_packed(&head);
    if is_packed {
        place = RecordingFile::unpack(path)?;
        head = head_of(&place).map_err(failed)?;
    }
    if mcap::is_mcap(&head) {
        return Ok(Box::new(mcap::Reader::open_at(place, mcap::Limits::default())?));
    }
    #[cfg(feature = "sqlite")]
    if head.starts_with(SQLITE_MAGIC) {
        return Ok(Box::new(super::sqlite::Reader::open_at(place, payloads)?));
    }
    #[cfg(not(feature = "sqlite"))]
    let _ = payloads;
    if is_packed {
        let (looks, advice) = recognise(&head);
        let why = place.problem.unwrap_or_else(|| looks.to_owned());
        let reason = format!("it is compressed with zstd, and unpacked no recording: {why}");
        return not(reason, advice.map(str::to_owned));
    }
    // Pickles of protocols 0 and 1 have no magic: their name counts too.
    let is_old_pickle = pickle::is_named_pickle(path) && pickle::may_be_old(&head);
    if pickle::is_pickle(&head) || is_old_pickle {
        return Ok(Box::new(pickle::Reader::open(path)?));
    }
    let (looks, advice) = recognise(&head);
    not(looks.to_owned(), advice.map(str::to_owned))
}

fn head_of(place: &RecordingFile) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::new();
    std::fs::File::open(&place.path)?.take(HEAD_BYTES).read_to_end(&mut head)?;
    Ok(head)
}

fn advice_for_missing(path: &Path) -> Option<String> {
    let folder = match path.parent()? {
        parent if parent.as_os_str().is_empty() => Path::new("."),
        parent => parent,
    };
    if !folder.is_dir() {
        return Some(format!("there is no folder {}", folder.display()));
    }
    Some(match datasets_in(folder) {
        Some(names) => format!("what there is in that folder: {names}"),
        None => "there is no .mcap or .db3 file in that folder".to_owned(),
    })
}

/// The first few recordings in a folder; `None` where it has none.
fn datasets_in(folder: &Path) -> Option<String> {
    let names = rosbag2::bag_files(folder).ok()?;
    let (count, first) = (names.len(), names.get(..3).unwrap_or(&names).join(", "));
    match count {
        0 => None,
        1..=3 => Some(first),
        _ => Some(format!("{first} and {} more", count - 3)),
    }
}

/// What a file looks like that is no MCAP file, and what to do about it.
fn recognise(head: &[u8]) -> (&'static str, Option<&'static str>) {
    const CONVERT: &str = "make it a .mcap file with `lk convert`";
    const READS: &str = "lk reads MCAP files; `lk convert` makes them of .csv and .ndjson";
    const RECORD_AGAIN: &str = "convert it to MCAP with the tools that it came from";
    const NO_SQLITE: &str = "lk was built without its feature `sqlite`, which reads .db3 files";
    let magics: [(&[u8], &str, &str); 9] = [
        (SQLITE_MAGIC, "it looks like a SQLite file, such as a rosbag2 .db3", NO_SQLITE),
        (b"#ROSBAG V", "it looks like a ROS 1 bag", RECORD_AGAIN),
        (b"version https://git-lfs", "it is a Git LFS pointer to a file", "run `git lfs pull`"),
        (b"\x04\x22\x4d\x18", "it is compressed with lz4", "unpack it first: `lz4 -d`"),
        (b"\x1f\x8b", "it is compressed with gzip", "unpack it first: `gunzip`"),
        (b"PK\x03\x04", "it looks like a zip archive", "unpack it first: `unzip`"),
        (b"\x89HDF\r\n", "it looks like an HDF5 file", RECORD_AGAIN),
        (b"PAR1", "it looks like a Parquet file", RECORD_AGAIN),
        (b"\x93NUMPY", "it looks like a NumPy array", RECORD_AGAIN),
    ];
    if head.is_empty() {
        let advice = "a recorder that was stopped before its first message may leave this";
        return ("it is empty", Some(advice));
    }
    if mcap::is_cut_in_magic(head) {
        return ("it is cut off within its first 8 bytes", None);
    }
    if let Some((_, looks, advice)) = magics.iter().find(|(magic, ..)| head.starts_with(magic)) {
        return (looks, Some(advice));
    }
    // The last character may be cut in two.
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(e) if e.error_len().is_none() => {
            std::str::from_utf8(&head[..e.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return ("its first bytes are unknown to lk", Some(READS)),
    };
    let first = text.trim_start().lines().next().unwrap_or_default();
    if text.contains('\0') || first.is_empty() {
        ("its first bytes are unknown to lk", Some(READS))
    } else if first.starts_with('{') {
        ("it looks like JSON text", Some(CONVERT))
    } else if first.contains(',') || first.contains('\t') {
        ("it looks like a table in text (CSV)", Some(CONVERT))
    } else {
        ("it is plain text", Some(READS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(content: &[u8], reason: &str, hint: Option<&str>) {
        let file = tempfile::Builder::new().suffix(".mcap").tempfile().unwrap();
        std::fs::write(file.path(), content).unwrap();
        let error = Dataset::open(file.path()).unwrap_err();
        let path = file.path().display();
        assert_eq!(error.to_string(), format!("not a dataset that lk can read: {reason} ({path})"));
        assert_eq!(error.hint().as_deref(), hint);
    }

    #[test]
    fn what_is_no_dataset_is_named() {
        let convert = Some("make it a .mcap file with `lk convert`");
        check(b"a,b\n1,2\n", "it looks like a table in text (CSV)", convert);
        check(b"{\"key\": 1}\n", "it looks like JSON text", convert);
        let reads = Some("lk reads MCAP files; `lk convert` makes them of .csv and .ndjson");
        check(b"hello\n", "it is plain text", reads);
        check("hallo äö".as_bytes(), "it is plain text", reads);
        check(b"\0\0\0\0", "its first bytes are unknown to lk", reads);
        check(b"\xff\xfe\xfd", "its first bytes are unknown to lk", reads);
        check(b"\x89MCA", "it is cut off within its first 8 bytes", None);
        check(b"\x1f\x8b\x08", "it is compressed with gzip", Some("unpack it first: `gunzip`"));
        check(
            b"version https://git-lfs.github.com/spec/v1\n",
            "it is a Git LFS pointer to a file",
            Some("run `git lfs pull`"),
        );
        check(
            b"",
            "it is empty",
            Some("a recorder that was stopped before its first message may leave this"),
        );
    }

    #[test]
    fn a_folder_of_several_recordings_names_the_files_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let error = Dataset::open(folder.path()).unwrap_err();
        assert!(error.to_string().contains("it is a folder without .mcap"), "{error}");
        std::fs::write(folder.path().join("a.mcap"), "").unwrap();
        std::fs::write(folder.path().join("b.mcap"), "").unwrap();
        let error = Dataset::open(folder.path()).unwrap_err();
        assert!(error.to_string().contains("it is a folder with 2 files"), "{error}");
        assert_eq!(error.hint().unwrap(), "name one of them: a.mcap, b.mcap");
    }

    #[test]
    fn a_missing_file_is_named_with_what_there_is() {
        let error = Dataset::open("nowhere/imu.mcap").unwrap_err();
        assert_eq!(error.to_string(), "can't open nowhere/imu.mcap");
        assert!(std::error::Error::source(&error).unwrap().to_string().starts_with("No such file"));
        assert_eq!(error.hint().unwrap(), "there is no folder nowhere");
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("im.mcap");
        let none = "there is no .mcap or .db3 file in that folder";
        assert_eq!(Dataset::open(&missing).unwrap_err().hint().unwrap(), none);
        for name in ["a", "b", "c", "imu", "z"] {
            std::fs::write(folder.path().join(format!("{name}.mcap")), "").unwrap();
        }
        assert_eq!(
            Dataset::open(&missing).unwrap_err().hint().unwrap(),
            "what there is in that folder: a.mcap, b.mcap, c.mcap and 2 more"
        );
    }

    #[test]
    fn the_content_counts_not_the_extension() {
        let folder = tempfile::tempdir().unwrap();
        let (path, renamed) = (folder.path().join("a.mcap"), folder.path().join("a.bag"));
        Dataset::create(&path).unwrap().close().unwrap();
        std::fs::rename(&path, &renamed).unwrap();
        assert!(Dataset::open(&renamed).unwrap().is_empty().unwrap());
    }

    #[test]
    fn an_extension_that_is_not_written_is_named() {
        let error = Dataset::create("a.csv").unwrap_err();
        assert!(error.to_string().contains("the extension .csv is not one to write to"), "{error}");
        assert!(error.hint().unwrap().contains("lk convert"));
        let error = Dataset::create("a").unwrap_err();
        assert_eq!(error.hint().unwrap(), "give the file a name that ends in .mcap");
    }
}
