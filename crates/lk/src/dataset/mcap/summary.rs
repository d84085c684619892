//! The summary at the end of a file.

use std::collections::BTreeSet;

use super::findings::Findings;
use super::piece::Piece;
use super::records::{
    ChannelRecord, ChunkIndex, Fields, Footer, MAGIC, Records, SchemaRecord, Statistics, op,
};
use super::source::Source;
use crate::error::Result;

/// What the end of a file says of the whole.
#[derive(Debug, Default)]
pub(super) struct Summary {
    pub(super) schemas: Vec<SchemaRecord>,
    pub(super) channels: Vec<ChannelRecord>,
    pub(super) statistics: Option<Statistics>,
    pub(super) chunks: Vec<ChunkIndex>,
    /// Whether its checksum is there and right, so that it can be believed.
    pub(super) verified: bool,
    /// Where it begins; where there is none, the footer.
    pub(super) start: Option<u64>,
}

/// The end of a file.
pub(super) enum End {
    /// The footer is missing: the file was cut off, or never closed.
    Missing,
    /// A footer, and what it leads to; a phrase where that is unusable.
    Footer(Result<Summary, String>),
}

impl End {
    /// # Errors
    /// Where the file can't be read; nothing that is in it is an error.
    pub(super) fn read(source: &Source, limit: u64) -> Result<End> {
        let tail = Footer::RECORD_BYTES + MAGIC.len() as u64;
        let Some(footer_at) = source.len.checked_sub(tail) else {
            return Ok(End::Missing);
        };
        let bytes = source.read(footer_at, tail)?;
        let Some(footer) = parse_footer(&bytes) else {
            return Ok(End::Missing);
        };
        if footer.summary_start == 0 {
            let start = Some(footer_at);
            return Ok(End::Footer(Ok(Summary { start, ..Summary::default() })));
        }
        let Some(len) = footer_at.checked_sub(footer.summary_start) else {
            return Ok(End::Footer(Err("the footer points past itself".to_owned())));
        };
        if len > limit {
            return Ok(End::Footer(Err(format!("the summary is larger than {limit} bytes"))));
        }
        let summary = source.read(footer.summary_start, len)?;
        let crc = {
            let mut hasher = crc32fast::Hasher::new();
            hasher.update(&summary);
            hasher.update(&bytes[..(Footer::RECORD_BYTES - 4) as usize]);
            hasher.finalize()
        };
        if footer.crc != 0 && footer.crc != crc {
            return Ok(End::Footer(Err("the summary doesn't match its checksum".to_owned())));
        }
        let verified = footer.crc != 0;
        let parsed = Summary::parse(&summary, verified)
            .map(|summary| Summary { start: Some(footer.summary_start), ..summary });
        Ok(End::Footer(parsed.ok_or_else(|| "the summary has a malformed record".to_owned())))
    }
}

/// A footer record with the magic after it.
fn parse_footer(bytes: &[u8]) -> Option<Footer> {
    let mut fields = Fields(bytes);
    let is_footer = fields.u8()? == op::FOOTER && fields.u64()? == Footer::BODY_BYTES;
    let footer = Footer::parse(fields.bytes(Footer::BODY_BYTES as usize)?)?;
    (is_footer && fields.0 == MAGIC).then_some(footer)
}

impl Summary {
    fn parse(bytes: &[u8], verified: bool) -> Option<Summary> {
        let mut summary = Summary { verified, ..Summary::default() };
        for record in Records::new(bytes) {
            let record = record.ok()?;
            match record.op {
                op::SCHEMA => summary.schemas.push(SchemaRecord::parse(record.body)?),
                op::CHANNEL => summary.channels.push(ChannelRecord::parse(record.body)?),
                op::STATISTICS => summary.statistics = Some(Statistics::parse(record.body)?),
                op::CHUNK_INDEX => summary.chunks.push(ChunkIndex::parse(record.body)?),
                _ => {}
            }
        }
        Some(summary)
    }
}

impl Summary {
    /// Where chunks begin, sorted.
    pub(super) fn chunk_offsets(&self) -> Vec<u64> {
        let mut offsets: Vec<u64> = self.chunks.iter().map(|chunk| chunk.offset).collect();
        offsets.sort_unstable();
        offsets
    }

    /// What the file holds, where this summary can be believed: it carries a
    /// checksum, nothing is wrong with the records of the file, and its
    /// chunks are those that are there. Tells the pieces their channels.
    pub(super) fn describe(&self, pieces: &mut [Piece], findings: &Findings) -> Option<Statistics> {
        let statistics = self.statistics.as_ref()?;
        let counts = statistics.messages_by_channel.values();
        let counted = counts.copied().try_fold(0, u64::checked_add);
        let ids: BTreeSet<u16> = self.channels.iter().map(|channel| channel.id).collect();
        let known = |id: &u16| ids.contains(id);
        let complete = self.verified
            && findings.none_lost()
            && counted == Some(statistics.messages)
            && statistics.channels as usize == self.channels.len()
            && statistics.chunks as usize == self.chunks.len()
            && statistics.messages_by_channel.keys().all(known);
        let mut chunks: Vec<&ChunkIndex> = self.chunks.iter().collect();
        chunks.sort_by_key(|chunk| chunk.offset);
        let there: Vec<&Piece> = pieces.iter().filter(|piece| !piece.loose).collect();
        let agrees = there.len() == chunks.len()
            && there.iter().zip(&chunks).all(|(piece, chunk)| {
                piece.offset == chunk.offset
                    && piece.bytes == chunk.record_bytes
                    && (piece.start, piece.end) == (chunk.start, chunk.end)
                    && piece.packed_bytes == chunk.compressed_bytes
                    && piece.content_bytes == chunk.uncompressed_bytes
                    && piece.compression.name() == chunk.compression
            });
        // Messages outside of chunks are in no index.
        if !complete || !agrees || there.len() < pieces.len() {
            return None;
        }
        for (piece, chunk) in pieces.iter_mut().zip(chunks) {
            // A writer may leave message indexes out, which says nothing.
            if chunk.message_index_bytes > 0 {
                piece.channels = Some(chunk.message_indexes.keys().copied().collect());
            }
        }
        let silent = |piece: &Piece| piece.channels.is_none() && piece.end > 0;
        // Extents of channels then take reading everything.
        if pieces.iter().any(silent) {
            return None;
        }
        Some(statistics.clone())
    }
}
