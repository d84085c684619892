//! A recording of several files as one dataset.

use std::path::Path;
use std::sync::OnceLock;

use super::agreement::{Disagreements, Found};
use super::files::Files;
use super::merge::Merge;
use super::parts::{Part, unite};
use super::sequence::Joins;
use crate::dataset::open::open_file;
use crate::dataset::packed::{PayloadUnpacker, Payloads};
use crate::dataset::{
    Backend, Channel, ChannelId, ChannelStats, Extra, Extras, Facts, Integrity, Query, Sample,
    Samples, SequenceMeaning, Together,
};
use crate::error::{Error, Result};

/// Reads a folder that rosbag2 wrote; a [`Backend`] that can't be written to.
pub struct Reader {
    location: String,
    parts: Vec<Part>,
    channels: Vec<Channel>,
    facts: Facts,
    /// Whether a file is listed and can't be read.
    missing: bool,
    /// Messages that are counted in the metadata and are in no file.
    uncounted: u64,
    /// What was found about the folder; the files speak for themselves.
    problems: Vec<String>,
    notes: Vec<String>,
    payloads: Payloads,
    /// What unpacking every payload came to, once that was done.
    unpacked: Option<Unpacked>,
    stats: OnceLock<Counted>,
    joins: OnceLock<Joins>,
}

/// Counts and extents.
struct Counted {
    /// By file, by its own channels.
    by_part: Vec<Vec<ChannelStats>>,
    /// By channel of the dataset.
    all: Vec<ChannelStats>,
}

/// What unpacking every payload came to.
struct Unpacked {
    /// By channel, of those that are whole.
    stats: Vec<ChannelStats>,
    lost: u64,
    /// The first that can't be unpacked.
    problem: Option<String>,
}

impl Reader {
    /// Opens the recording in the folder at `path`.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::NotADataset`] where the folder holds no files
    /// of a recording, or several of which nothing says that they are one;
    /// what opening a file brings.
    pub fn open(path: &Path) -> Result<Reader> {
        let files = Files::find(path)?;
        let payloads = match files.metadata.as_ref().filter(|said| said.compresses_messages()) {
            None => Payloads::Plain,
            Some(said) if said.compression_format.eq_ignore_ascii_case("zstd") => Payloads::Zstd,
            Some(said) => {
                let format = &said.compression_format;
                return Err(Error::NotADataset {
                    expected: "a recording that lk can read",
                    reason: format!("its messages are compressed one by one, as `{format}`"),
                    advice: Some("unpack it with `ros2 bag convert` first".to_owned()),
                    path: path.display().to_string(),
                });
            }
        };
        let mut parts = Vec::with_capacity(files.names.len());
        let mut unreadable = Vec::new();
        for name in files.names {
            match open_file(&path.join(&name), payloads) {
                Ok(backend) => parts.push(Part { name, backend, ids: Vec::new() }),
                // What a recorder that was killed leaves is no reason to
                // lose the files beside it.
                Err(error @ (Error::NotADataset { .. } | Error::Database { .. })) => {
                    unreadable.push(error);
                }
                Err(other) => return Err(other),
            }
        }
        if parts.is_empty() && !unreadable.is_empty() {
            return Err(unreadable.swap_remove(0));
        }
        let united = unite(&mut parts);
        let mut reader = Reader {
            location: path.display().to_string(),
            parts,
            channels: united.channels,
            facts: united.facts,
            missing: files.missing || !unreadable.is_empty(),
            uncounted: 0,
            problems: files.problems,
            notes: files.notes,
            payloads,
            unpacked: None,
            stats: OnceLock::new(),
            joins: OnceLock::new(),
        };
        reader.notes.extend(united.notes);
        reader.problems.extend(unreadable.iter().map(Error::to_string));
        if let Some(metadata) = &files.metadata {
            let counted = reader.counted()?;
            let by_file = reader.parts.iter().zip(&counted.by_part);
            let by_file = by_file.map(|(part, stats)| (part.name.as_str(), total(stats)));
            let found = Found {
                channels: &reader.channels,
                stats: &counted.all,
                by_file: by_file.collect(),
            };
            let Disagreements { problems, notes, missing } = Disagreements::find(metadata, &found);
            reader.uncounted = missing;
            reader.problems.extend(problems);
            reader.notes.extend(notes);
        }
        Ok(reader)
    }

    fn counted(&self) -> Result<&Counted> {
        if let Some(counted) = self.stats.get() {
            return Ok(counted);
        }
        let mut all = vec![ChannelStats::default(); self.channels.len()];
        let mut by_part = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            let stats = part.backend.stats()?;
            for (id, stats) in part.ids.iter().zip(&stats) {
                all[id.0 as usize].merge(stats);
            }
            by_part.push(stats);
        }
        Ok(self.stats.get_or_init(|| Counted { by_part, all }))
    }

    fn joins(&self) -> Result<&Joins> {
        if let Some(joins) = self.joins.get() {
            return Ok(joins);
        }
        let joins = match self.facts.sequence {
            SequenceMeaning::Count => Joins::find(&self.parts, &self.counted()?.by_part)?,
            SequenceMeaning::Tick => Joins::default(),
        };
        Ok(self.joins.get_or_init(|| joins))
    }

    fn merge<'a>(&'a self, query: &Query, together: Option<&'a Together>) -> Result<Merge<'a>> {
        let first = |stats: &Vec<ChannelStats>| stats.iter().filter_map(|stats| stats.first).min();
        let firsts: Vec<_> = self.counted()?.by_part.iter().map(first).collect();
        Ok(Merge::new(&self.parts, self.joins()?, &firsts, query, together))
    }

    fn read<'a>(&'a self, query: &Query, together: Option<&'a Together>) -> Result<Samples<'a>> {
        let merge = self.merge(query, together)?;
        if self.payloads == Payloads::Plain {
            return Ok(Box::new(merge));
        }
        let mut unpacker = PayloadUnpacker::default();
        let is_known = self.unpacked.is_some();
        Ok(Box::new(merge.filter_map(move |item| {
            let unpacked = item.and_then(|(id, sample)| self.unpack(id, sample, &mut unpacker));
            // What is damaged is left out once all damage is known.
            let is_left_out = is_known && matches!(unpacked, Err(Error::Payload { .. }));
            (!is_left_out).then_some(unpacked)
        })))
    }

    fn unpack(
        &self,
        id: ChannelId,
        sample: Sample,
        unpacker: &mut PayloadUnpacker,
    ) -> Result<(ChannelId, Sample)> {
        match unpacker.unpack(&sample.payload) {
            Ok(payload) => Ok((id, Sample { payload, ..sample })),
            Err(reason) => Err(Error::Payload {
                key: self.channels[id.0 as usize].key.clone(),
                time: sample.time,
                reason,
                path: self.location.clone(),
            }),
        }
    }

    /// Unpacks every payload once.
    fn unpack_all(&self) -> Result<Unpacked> {
        let mut all = Unpacked {
            stats: vec![ChannelStats::default(); self.channels.len()],
            lost: 0,
            problem: None,
        };
        for item in self.read(&Query::default(), None)? {
            match item {
                Ok((id, sample)) => all.stats[id.0 as usize].add(sample.time),
                Err(error @ Error::Payload { .. }) => {
                    all.lost += 1;
                    all.problem.get_or_insert_with(|| error.to_string());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(all)
    }

    fn read_only<T>(&self) -> Result<T> {
        let reason = "it was opened for reading";
        Err(Error::State { action: "write to", reason, location: self.location() })
    }
}

fn total(stats: &[ChannelStats]) -> u64 {
    stats.iter().map(|stats| stats.count).sum()
}

impl Backend for Reader {
    fn location(&self) -> String {
        self.location.clone()
    }

    fn channels(&self) -> &[Channel] {
        &self.channels
    }

    fn add_channel(&mut self, _channel: Channel) -> Result<ChannelId> {
        self.read_only()
    }

    fn write(&mut self, _channel: ChannelId, _sample: Sample) -> Result<()> {
        self.read_only()
    }

    fn samples(&self, query: &Query) -> Result<Samples<'_>> {
        self.read(query, None)
    }

    fn samples_together<'a>(
        &'a self,
        query: &Query,
        together: &'a Together,
    ) -> Result<Samples<'a>> {
        self.read(query, Some(together))
    }

    fn stats(&self) -> Result<Vec<ChannelStats>> {
        match &self.unpacked {
            Some(unpacked) => Ok(unpacked.stats.clone()),
            None => Ok(self.counted()?.all.clone()),
        }
    }

    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn set_facts(&mut self, _facts: Facts) -> Result<()> {
        self.read_only()
    }

    /// Those of all files.
    fn extras(&self) -> Extras<'_> {
        Box::new(self.parts.iter().flat_map(|part| part.backend.extras()))
    }

    fn add_extra(&mut self, _extra: Extra) -> Result<()> {
        self.read_only()
    }

    /// Offsets are those in the first file that has a bad one.
    fn integrity(&self) -> Integrity {
        let mut whole = Integrity { verified: true, ..Integrity::default() };
        if self.missing {
            whole.lost_samples = None;
        }
        let parts: Vec<_> =
            self.parts.iter().map(|part| (&part.name, part.backend.integrity())).collect();
        for (name, found) in &parts {
            whole.verified &= found.verified;
            whole.lost_bytes += found.lost_bytes;
            let lost = whole.lost_samples.zip(found.lost_samples);
            whole.lost_samples = lost.map(|(before, here)| before + here);
            whole.first_bad_offset = whole.first_bad_offset.or(found.first_bad_offset);
            // What joining the files came upon again is said of all of them.
            let of_file = |found: &&String| !self.notes.contains(*found);
            let named = |found: &String| format!("{name}: {found}");
            whole.problems.extend(found.problems.iter().filter(of_file).map(named));
            whole.notes.extend(found.notes.iter().filter(of_file).map(named));
        }
        // Those that the files know to be lost are in the count as well.
        if whole.lost_samples.is_some_and(|lost| lost < self.uncounted) {
            whole.lost_samples = None;
        }
        if let Some(Unpacked { lost: lost @ 1.., problem, .. }) = &self.unpacked {
            whole.lost_samples = whole.lost_samples.map(|others| others + lost);
            let first = problem.as_deref().unwrap_or_default();
            whole.problems.push(format!("payloads that can't be unpacked: {lost}, first {first}"));
        }
        whole.problems.extend(self.problems.iter().cloned());
        whole.notes.extend(self.notes.iter().cloned());
        whole
    }

    fn check(&mut self) -> Result<Integrity> {
        for part in &mut self.parts {
            part.backend.check()?;
        }
        // Counts include what turned out to be lost.
        self.stats = OnceLock::new();
        self.joins = OnceLock::new();
        if self.payloads == Payloads::Zstd {
            self.unpacked = None;
            self.unpacked = Some(self.unpack_all()?);
        }
        Ok(self.integrity())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }

    fn sync(&mut self) -> Result<()> {
        Ok(())
    }

    /// Nothing to end: the files stay readable.
    fn close(&mut self) -> Result<()> {
        Ok(())
    }
}
