//! Recordings of references, kept by what they came from, each with what was
//! measured while it was made.

use std::path::{Path, PathBuf};

use lk::Dataset;
use lk::outcome::RunOutcome;

use crate::error::{Error, Result};
use crate::job::{Built, Job, save};
use crate::provenance::{self, Hash};

/// Bytes that the cache keeps, the newest ones.
const MAX_BYTES: u64 = 2 << 30;

/// A folder of recordings.
pub(crate) struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// The cache in lk's own folder among the user's cached files.
    pub(crate) fn new(cache_dir: &Path) -> Cache {
        Cache { folder: cache_dir.join("lk").join("references") }
    }

    /// Whether a program of this hash can be told from every other.
    pub(crate) fn takes(program_hash: &str) -> bool {
        !program_hash.starts_with(provenance::PARTIAL)
    }

    /// Where the recording of this program on these inputs is, or would be.
    fn path(&self, built: &Built, job: &Job) -> PathBuf {
        let mut hash = Hash::new("reference");
        for part in [env!("CARGO_PKG_VERSION"), &built.hash, &job.inputs_hash] {
            hash.bytes(part.as_bytes());
        }
        hash.number(job.options.seed);
        self.folder.join(format!("{}.mcap", hash.finish()))
    }

    /// The recording, if it is there, whole, and what its name says.
    pub(crate) fn find(&self, built: &Built, job: &Job) -> Option<(Dataset, RunOutcome)> {
        if !Cache::takes(&built.hash) {
            return None;
        }
        let path = self.path(built, job);
        let mut dataset = Dataset::open(&path).ok()?;
        let run = std::fs::read(path.with_extension("json")).ok()?;
        let run = serde_json::from_slice(&run).ok()?;
        let integrity = dataset.check().ok()?;
        let is_whole = integrity.verified && integrity.is_whole() && integrity.problems.is_empty();
        let facts = &dataset.facts().entries;
        let says = |name: &str, value: &str| facts.get(name).is_some_and(|fact| fact == value);
        let is_meant = says(provenance::PROGRAM_HASH, &built.hash)
            && says(provenance::INPUTS_HASH, &job.inputs_hash)
            && says(provenance::SEED, &job.options.seed.to_string());
        (is_whole && is_meant).then_some((dataset, run))
    }

    /// Keeps a recording. Others that do the same at the same time write the
    /// same file, and each whole.
    pub(crate) fn store(
        &self,
        built: &Built,
        job: &Job,
        dataset: &Dataset,
        run: &RunOutcome,
    ) -> Result<()> {
        if !Cache::takes(&built.hash) {
            return Ok(());
        }
        let path = self.path(built, job);
        let own =
            |extension: &str| path.with_extension(format!("{}.{extension}", std::process::id()));
        let put =
            |own: &Path, path: &Path| std::fs::rename(own, path).map_err(Error::io("write", path));
        save(dataset, &own("mcap"))?;
        // The recording last: where it is, what belongs to it is too.
        let (about, own_about) = (path.with_extension("json"), own("json"));
        let text = serde_json::to_vec(run).map_err(Error::report(&about))?;
        std::fs::write(&own_about, text).map_err(Error::io("write", &own_about))?;
        put(&own_about, &about)?;
        put(&own("mcap"), &path)?;
        self.prune()
    }

    /// Removes the oldest files beyond what is kept.
    fn prune(&self) -> Result<()> {
        let failed = |error| Error::io("read", &self.folder)(error);
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&self.folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            // Gone already: another process prunes too.
            let Ok(about) = entry.metadata() else { continue };
            files.push((about.modified().map_err(failed)?, entry.path(), about.len()));
        }
        files.sort_by(|a, b| b.cmp(a));
        let mut kept = 0;
        for (_, path, bytes) in files {
            kept += bytes;
            if kept > MAX_BYTES {
                let _ = std::fs::remove_file(path);
            }
        }
        Ok(())
    }
}
