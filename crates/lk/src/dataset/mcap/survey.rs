//! What the messages of a file say, rather than its index.

use std::collections::{BTreeMap, BTreeSet};

use super::channels::Registry;
use super::compression::Unpacker;
use super::findings::Findings;
use super::piece::{Item, Piece, items, misplaced};
use super::records::{ChannelRecord, LATE_PUBLISHING, SchemaRecord};
use super::source::Source;
use crate::dataset::ChannelStats;
use crate::error::Result;
use crate::time::Time;

/// The outcome of reading every message once.
#[derive(Clone, Debug, Default)]
pub(super) struct Survey {
    /// Those that are whole, with the times and channels that they have.
    pub(super) pieces: Vec<Piece>,
    /// By the file's channel numbers.
    pub(super) stats: BTreeMap<u16, ChannelStats>,
    pub(super) findings: Findings,
    /// Chunks whose declared times are others than those of their messages.
    liars: u64,
}

/// What one piece holds.
#[derive(Clone, Debug, Default)]
pub(super) struct PieceSurvey {
    pub(super) stats: BTreeMap<u16, ChannelStats>,
    /// Messages whose time can't be held.
    beyond: u64,
    /// Whether there are messages whose time of publishing can't be held.
    published_beyond: bool,
    /// Kinds of records that have no place there.
    misplaced: BTreeSet<u8>,
}

impl Survey {
    /// Reads all of `pieces`, and adds the schemas and channels in them to
    /// `registry`.
    ///
    /// # Errors
    /// Where the file can't be read, or contradicts itself; damage goes to
    /// the findings.
    pub(super) fn run(
        source: &Source,
        pieces: &[Piece],
        registry: &mut Registry,
        findings: Findings,
    ) -> Result<Survey> {
        let mut survey = Survey { findings, ..Survey::default() };
        let mut unpacker = Unpacker::default();
        for piece in pieces {
            let content = piece.read(source, &mut unpacker)?;
            let found = match content {
                Ok(content) => match survey_content(&content) {
                    Ok(found) => found,
                    Err(problem) => {
                        survey.findings.lost(piece.offset, piece.bytes, problem);
                        continue;
                    }
                },
                Err(problem) => {
                    survey.findings.lost(piece.offset, piece.bytes, problem);
                    continue;
                }
            };
            let (found, schemas, channels) = found;
            let conflict = |reason| source.damaged(piece.offset, reason);
            for schema in schemas {
                registry.add_schema(schema).map_err(conflict)?;
            }
            for channel in channels {
                registry.add_channel(channel).map_err(conflict)?;
            }
            survey.add(piece, found);
        }
        if survey.liars > 0 {
            survey.findings.note(declared_by_liars(survey.liars));
        }
        Ok(survey)
    }

    fn add(&mut self, piece: &Piece, found: PieceSurvey) {
        let times = || found.stats.values().flat_map(|stats| [stats.first, stats.last]).flatten();
        let nanos = |time: Time| time.as_nanos().unsigned_abs();
        let start = times().min().map_or(0, nanos);
        let end = times().max().map_or(0, nanos);
        if !found.stats.is_empty() && !piece.loose && (piece.start, piece.end) != (start, end) {
            self.liars += 1;
        }
        if found.beyond > 0 {
            let problem = "messages after the year 2262 can't be held";
            self.findings.lost_samples(piece.offset, found.beyond, problem);
        }
        if found.published_beyond {
            self.findings.note(LATE_PUBLISHING);
        }
        found.misplaced.iter().for_each(|&op| self.findings.note(misplaced(op)));
        let channels = Some(found.stats.keys().copied().collect());
        self.pieces.push(Piece { start, end, channels, ..piece.clone() });
        for (channel, stats) in found.stats {
            self.stats.entry(channel).or_default().merge(&stats);
        }
    }

    /// Takes out the messages whose channel is nowhere to be found.
    pub(super) fn drop_orphans(&mut self, registry: &Registry) {
        let orphans = self.stats.extract_if(.., |&channel, _| !registry.has_channel(channel));
        let orphans: Vec<_> = orphans.collect();
        let mut offsets = BTreeMap::new();
        for piece in self.pieces.iter().filter(|_| !orphans.is_empty()) {
            for channel in piece.channels.iter().flatten() {
                offsets.entry(*channel).or_insert(piece.offset);
            }
        }
        for (channel, stats) in orphans {
            let offset = offsets.get(&channel).copied().unwrap_or(0);
            let problem = format!(
                "{} messages are of channel {channel}, which is missing from the file",
                stats.count
            );
            self.findings.lost_samples(offset, stats.count, problem);
        }
    }
}

/// What is said of chunks whose declared times are others than those of their
/// messages.
pub(super) fn declared_by_liars(count: u64) -> String {
    format!("{count} chunks declare times that their messages don't have")
}

type Definitions = (PieceSurvey, Vec<SchemaRecord>, Vec<ChannelRecord>);

fn survey_content(content: &[u8]) -> Result<Definitions, String> {
    let mut found = PieceSurvey::default();
    let (mut schemas, mut channels) = (Vec::new(), Vec::new());
    for item in items(content) {
        match item? {
            Item::Message(message) => match i64::try_from(message.header.log_time) {
                Ok(nanos) => {
                    found.published_beyond |= message.header.publish_time > i64::MAX as u64;
                    let stats = found.stats.entry(message.header.channel).or_default();
                    stats.add(Time::from_nanos(nanos));
                }
                Err(_) => found.beyond += 1,
            },
            Item::Other(op) => {
                found.misplaced.insert(op);
            }
            Item::Schema(body) => {
                schemas.push(SchemaRecord::parse(body).ok_or("a schema is malformed")?);
            }
            Item::Channel(body) => {
                channels.push(ChannelRecord::parse(body).ok_or("a channel is malformed")?);
            }
        }
    }
    Ok((found, schemas, channels))
}

impl PieceSurvey {
    /// Counts and extents of one piece, by the file's channel numbers; a
    /// phrase where it is damaged.
    pub(super) fn of(
        source: &Source,
        piece: &Piece,
        unpacker: &mut Unpacker,
    ) -> Result<Result<PieceSurvey, String>> {
        let content = piece.read(source, unpacker)?;
        Ok(content.and_then(|content| survey_content(&content).map(|(found, ..)| found)))
    }
}
