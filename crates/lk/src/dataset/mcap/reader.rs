//! Reading MCAP files.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::channels::{MAX_CHANNELS, Registry, Resolved};
use super::compression::{self, Unpacker};
use super::extras::Place;
use super::findings::Findings;
use super::merge::Merge;
use super::piece::Piece;
use super::records::{ChannelRecord, MAGIC, SchemaRecord, Statistics};
use super::scan::{DataSection, Scan};
use super::source::Source;
use super::summary::{End, Summary};
use super::survey::{PieceSurvey, Survey, declared_by_liars};
use super::{Limits, extents, facts};
use crate::dataset::packed::RecordingFile;
use crate::dataset::{
    Backend, Channel, ChannelId, ChannelStats, Extra, Extras, Facts, Integrity, Query, Sample,
    Samples, Together,
};
use crate::error::{Error, Result};

/// Reads an MCAP file; a [`Backend`] that can't be written to.
///
/// Opening walks the headers of the records, not the chunks in them. Where
/// the summary at the end carries a checksum and agrees with what is there,
/// it says what the file holds; otherwise, as in a file that was cut off,
/// every chunk is read once to find out. Every chunk's checksum is checked
/// when it is read. Damage that only shows then is an error of the iteration,
/// which can go on behind it; [`Backend::check`] finds it beforehand. So does
/// it find chunks that hold other times than a checked summary says: without
/// it, reading such a chunk in order is an error. The first query by time reads
/// the message indexes of all chunks, or unpacks those that have none, so that
/// it passes over no chunk with such times.
pub struct Reader {
    source: Arc<Source>,
    limits: Limits,
    /// As the file declares them; [`Survey::pieces`] knows better.
    pieces: Vec<Piece>,
    data: Option<DataSection>,
    extras: Vec<Place>,
    registry: Registry,
    resolved: Resolved,
    /// By the summary, where it can be believed.
    statistics: Option<Statistics>,
    /// Messages in the file by a summary whose checksum is right, even where
    /// the file no longer has what it says.
    counted: Option<u64>,
    /// What the messages say, once they were all read.
    survey: OnceLock<Survey>,
    /// For queries by time, where there was no survey.
    widened: OnceLock<Vec<Piece>>,
    stats: OnceLock<Vec<ChannelStats>>,
    findings: Mutex<Findings>,
    facts: Facts,
}

impl Reader {
    /// Opens the file at `path`.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::NotADataset`] where it doesn't begin as MCAP
    /// files do; [`Error::Damaged`] where it contradicts itself, one channel
    /// number standing for two channels. A file that is damaged or cut off
    /// opens, and [`Backend::integrity`] says what is not whole.
    pub fn open(path: &Path, limits: Limits) -> Result<Reader> {
        Reader::open_at(RecordingFile::of(path), limits)
    }

    pub(in crate::dataset) fn open_at(place: RecordingFile, limits: Limits) -> Result<Reader> {
        let unpacked_in_part = place.problem.clone();
        let source = Source::open(place)?;
        let believable = compression::most_believed_from(source.len);
        let limits = Limits {
            chunk_bytes: limits.chunk_bytes.min(u64::from(u32::MAX)).min(believable),
            open_bytes: limits.open_bytes.min(believable),
            ..limits
        };
        if source.len < MAGIC.len() as u64 || source.read(0, MAGIC.len() as u64)? != MAGIC {
            return Err(Error::NotADataset {
                expected: "an MCAP file",
                reason: "it does not begin with MCAP's magic bytes".to_owned(),
                advice: None,
                path: source.path,
            });
        }
        let mut findings = Findings::default();
        let (mut summary, closed) = match End::read(&source, limits.chunk_bytes)? {
            End::Footer(Ok(summary)) => (summary, true),
            End::Footer(Err(problem)) => {
                findings.note(problem);
                (Summary::default(), true)
            }
            End::Missing => (Summary::default(), false),
        };
        let chunks_at = if summary.verified { summary.chunk_offsets() } else { Vec::new() };
        let mut scan = Scan::run(&source, &chunks_at, &limits, &mut findings)?;
        if !closed || scan.data.is_none() {
            findings.cut_off(scan.data.is_some());
        }
        unpacked_in_part.into_iter().for_each(|problem| findings.unpacked_in_part(problem));
        let ends = (scan.data.map(|data| data.record_end), summary.start);
        if let (Some(data_end), Some(start)) = ends
            && data_end < start
        {
            let problem = "the summary doesn't follow the data: what lies between is not read";
            findings.lost(data_end, start - data_end, problem);
        }
        check_loose(&source, &mut scan, &mut findings)?;
        let facts = match scan.facts.take().map(facts::from_entries) {
            Some(Ok(facts)) => facts,
            Some(Err(problem)) => {
                findings.note(problem);
                Facts::default()
            }
            None => Facts::default(),
        };
        findings.unverified = note_unverified(&scan.pieces, &mut findings);
        let mut registry = Registry::default();
        let survey = OnceLock::new();
        let statistics = summary.describe(&mut scan.pieces, &findings);
        let counted = summary.statistics.as_ref().filter(|_| summary.verified);
        let counted = counted.map(|statistics| statistics.messages);
        if statistics.is_some() {
            registry.add_missing(summary.schemas, summary.channels);
        } else {
            if summary.verified {
                let channels = std::mem::take(&mut summary.channels);
                registry.add_missing(std::mem::take(&mut summary.schemas), channels);
            }
            let mut found = Survey::run(&source, &scan.pieces, &mut registry, findings.clone())?;
            registry.add_missing(summary.schemas, summary.channels);
            found.drop_orphans(&registry);
            // A fresh cell takes its first value.
            let _ = survey.set(found);
        }
        if registry.channel_count() > MAX_CHANNELS {
            return Err(Error::TooManyChannels {
                actual: registry.channel_count(),
                limit: MAX_CHANNELS,
                path: source.path.clone(),
            });
        }
        let resolved = registry.resolve();
        resolved.notes.iter().for_each(|note| findings.note(note.clone()));
        Ok(Reader {
            source: Arc::new(source),
            limits,
            pieces: scan.pieces,
            data: scan.data,
            extras: scan.extras,
            registry,
            resolved,
            statistics,
            counted,
            survey,
            widened: OnceLock::new(),
            stats: OnceLock::new(),
            findings: Mutex::new(findings),
            facts,
        })
    }

    /// Where the messages are, as far as is known.
    pub(super) fn pieces(&self) -> &[Piece] {
        self.survey.get().map_or(&self.pieces, |survey| &survey.pieces)
    }

    /// Where the messages are that a query may ask for.
    fn pieces_for(&self, query: &Query) -> Result<&[Piece]> {
        let is_bounded = query.start.is_some() || query.end.is_some();
        if !is_bounded || self.is_surveyed() {
            return Ok(self.pieces());
        }
        if let Some(widened) = self.widened.get() {
            return Ok(widened);
        }
        let (widened, liars) = extents::widened(&self.source, &self.pieces)?;
        if liars > 0 {
            self.note(&declared_by_liars(liars));
        }
        Ok(self.widened.get_or_init(|| widened))
    }

    pub(super) fn source(&self) -> &Arc<Source> {
        &self.source
    }

    pub(super) fn path(&self) -> &str {
        &self.source.path
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) fn channel_count(&self) -> usize {
        self.resolved.channels.len()
    }

    pub(super) fn id(&self, file_channel: u16) -> Option<ChannelId> {
        self.resolved.id(file_channel)
    }

    pub(super) fn is_surveyed(&self) -> bool {
        self.survey.get().is_some()
    }

    /// A phrase where the same number stood for another schema.
    pub(super) fn check_schema(&self, schema: SchemaRecord) -> Result<(), String> {
        self.registry.agrees_on_schema(&schema)
    }

    /// A phrase where the same number stood for another channel.
    pub(super) fn check_channel(&self, channel: ChannelRecord) -> Result<(), String> {
        self.registry.agrees_on_channel(&channel)
    }

    /// The error for a piece that turned out to be damaged, which is noted.
    pub(super) fn damaged(&self, piece: &Piece, problem: String) -> Error {
        self.findings().lost(piece.offset, piece.bytes, problem.clone());
        self.source.damaged(piece.offset, problem)
    }

    pub(super) fn note(&self, problem: &str) {
        self.findings().note(problem);
    }

    /// Messages of each channel by the summary, where that is what is known.
    pub(super) fn counted(&self) -> Option<Vec<i128>> {
        let statistics = self.statistics.as_ref().filter(|_| !self.is_surveyed())?;
        let mut counts = vec![0; self.channel_count()];
        for (&channel, &count) in &statistics.messages_by_channel {
            if let Some(ChannelId(id)) = self.id(channel) {
                counts[id as usize] += i128::from(count);
            }
        }
        Some(counts)
    }

    /// The error for a summary that counts other messages than there are,
    /// which is noted.
    pub(super) fn miscounted(&self, id: usize, missing: i128) -> Error {
        let key = &self.resolved.channels[id].key;
        let (count, than) = match missing {
            0.. => (missing, "more"),
            _ => (-missing, "fewer"),
        };
        let problem =
            format!("the summary counts {count} {than} messages of key {key} than there are");
        self.note(&problem);
        self.source.damaged(self.data.map_or(self.source.len, |data| data.end), problem)
    }

    fn findings(&self) -> MutexGuard<'_, Findings> {
        self.findings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads every message once, unless that was done.
    fn survey(&self) -> Result<&Survey> {
        if let Some(survey) = self.survey.get() {
            return Ok(survey);
        }
        let mut registry = self.registry.clone();
        let findings = self.findings().clone();
        let mut found = Survey::run(&self.source, &self.pieces, &mut registry, findings)?;
        // Not of what the survey came upon: the dataset's channels are those
        // that it had when it was opened.
        found.drop_orphans(&self.registry);
        Ok(self.survey.get_or_init(|| found))
    }

    /// Counts by the summary, and extents by reading the pieces at either
    /// end; `None` where that can't be done.
    fn quick_stats(&self) -> Result<Option<Vec<ChannelStats>>> {
        let Some(statistics) = &self.statistics else {
            return Ok(None);
        };
        let mut stats = vec![ChannelStats::default(); self.channel_count()];
        let mut surveyed: BTreeMap<usize, PieceSurvey> = BTreeMap::new();
        let mut unpacker = Unpacker::default();
        let mut by_channel: BTreeMap<u16, Vec<usize>> = BTreeMap::new();
        for (n, piece) in self.pieces.iter().enumerate() {
            for &channel in piece.channels.iter().flatten() {
                by_channel.entry(channel).or_default().push(n);
            }
        }
        for (&channel, &count) in &statistics.messages_by_channel {
            let Some(id) = self.id(channel).filter(|_| count > 0) else { continue };
            let mut pieces = by_channel.remove(&channel).unwrap_or_default();
            let mut found = ChannelStats::default();
            // From the front until no piece can begin earlier, then from the
            // back until none can end later.
            for from_end in [false, true] {
                pieces.sort_by_key(|&n| {
                    if from_end { !self.pieces[n].end } else { self.pieces[n].start }
                });
                for &n in &pieces {
                    let piece = &self.pieces[n];
                    let decided = match (from_end, found.first, found.last) {
                        (false, Some(first), _) => {
                            i128::from(piece.start) > first.as_nanos().into()
                        }
                        (true, _, Some(last)) => i128::from(piece.end) < last.as_nanos().into(),
                        _ => false,
                    };
                    if decided {
                        break;
                    }
                    if let std::collections::btree_map::Entry::Vacant(entry) = surveyed.entry(n) {
                        match PieceSurvey::of(&self.source, piece, &mut unpacker)? {
                            Ok(survey) => entry.insert(survey),
                            Err(_) => return Ok(None),
                        };
                    }
                    if let Some(of_piece) = surveyed[&n].stats.get(&channel) {
                        found.merge(of_piece);
                    }
                }
            }
            if found.first.is_none() {
                return Ok(None);
            }
            stats[id.0 as usize].merge(&ChannelStats { count, ..found });
        }
        Ok(Some(stats))
    }

    fn read_only<T>(&self) -> Result<T> {
        let reason = "it was opened for reading";
        Err(Error::State { action: "write to", reason, location: self.location() })
    }
}

/// Leaves messages outside of chunks out where the checksum of the whole data
/// section says that something in it is wrong: they have none of their own.
fn check_loose(source: &Source, scan: &mut Scan, findings: &mut Findings) -> Result<()> {
    if !scan.pieces.iter().any(|piece| piece.loose) {
        return Ok(());
    }
    match scan.data.map_or(Ok(None), |data| data.is_whole(source))? {
        None => {}
        Some(true) => {
            for piece in scan.pieces.iter_mut().filter(|piece| piece.loose) {
                piece.verified = true;
            }
        }
        Some(false) => {
            let problem = "the data section doesn't match its checksum, which is the only one \
                           over these records outside of chunks";
            for piece in scan.pieces.extract_if(.., |piece| piece.loose) {
                findings.lost(piece.offset, piece.bytes, problem);
            }
        }
    }
    Ok(())
}

/// Whether there is a piece without a checksum, which is noted.
fn note_unverified(pieces: &[Piece], findings: &mut Findings) -> bool {
    let without =
        |loose: bool| pieces.iter().filter(|piece| piece.loose == loose && !piece.verified).count();
    let (chunks, runs) = (without(false), without(true));
    if chunks > 0 {
        let all = pieces.iter().filter(|piece| !piece.loose).count();
        findings.note(format!("{chunks} of {all} chunks have no checksum"));
    }
    if runs > 0 {
        findings.note("messages outside of chunks have no checksum");
    }
    chunks + runs > 0
}

impl Backend for Reader {
    fn location(&self) -> String {
        self.source.path.clone()
    }

    fn channels(&self) -> &[Channel] {
        &self.resolved.channels
    }

    fn add_channel(&mut self, _channel: Channel) -> Result<ChannelId> {
        self.read_only()
    }

    fn write(&mut self, _channel: ChannelId, _sample: Sample) -> Result<()> {
        self.read_only()
    }

    fn samples(&self, query: &Query) -> Result<Samples<'_>> {
        Ok(Box::new(Merge::new(self, self.pieces_for(query)?, query, None)))
    }

    fn samples_together<'a>(
        &'a self,
        query: &Query,
        together: &'a Together,
    ) -> Result<Samples<'a>> {
        Ok(Box::new(Merge::new(self, self.pieces_for(query)?, query, Some(together))))
    }

    fn stats(&self) -> Result<Vec<ChannelStats>> {
        if let Some(stats) = self.stats.get() {
            return Ok(stats.clone());
        }
        let quick = if self.is_surveyed() { None } else { self.quick_stats()? };
        let stats = match quick {
            Some(stats) => stats,
            None => {
                let mut stats = vec![ChannelStats::default(); self.channel_count()];
                for (&channel, found) in &self.survey()?.stats {
                    if let Some(id) = self.id(channel) {
                        stats[id.0 as usize].merge(found);
                    }
                }
                stats
            }
        };
        Ok(self.stats.get_or_init(|| stats).clone())
    }

    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn set_facts(&mut self, _facts: Facts) -> Result<()> {
        self.read_only()
    }

    fn extras(&self) -> Extras<'_> {
        Box::new(self.extras.iter().map(|place| place.read(&self.source, &self.limits)))
    }

    fn add_extra(&mut self, _extra: Extra) -> Result<()> {
        self.read_only()
    }

    fn integrity(&self) -> Integrity {
        match self.survey.get() {
            Some(survey) => {
                let found = survey.stats.values().map(|stats| stats.count).sum();
                let mut findings = survey.findings.clone();
                self.resolved.notes.iter().for_each(|note| findings.note(note.clone()));
                findings.integrity(self.counted, Some(found))
            }
            None => self.findings().integrity(None, None),
        }
    }

    fn check(&mut self) -> Result<Integrity> {
        self.survey()?;
        // Counts by the summary include what turned out to be lost.
        self.stats = OnceLock::new();
        let whole = self.data.map_or(Ok(None), |data| data.is_whole(&self.source))?;
        if whole == Some(false)
            && let Some(survey) = self.survey.get_mut()
            && survey.findings.none_lost()
        {
            survey.findings.note(
                "the data section doesn't match its checksum: something beside the messages, \
                 which match theirs, is damaged",
            );
        }
        Ok(self.integrity())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }

    fn sync(&mut self) -> Result<()> {
        Ok(())
    }

    /// Nothing to end: the file stays readable.
    fn close(&mut self) -> Result<()> {
        Ok(())
    }
}
