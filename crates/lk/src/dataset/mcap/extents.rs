//! When the messages of chunks are, rather than what the chunks declare: a
//! chunk that is passed over for its times is never unpacked, which is where a
//! lie would show.

use super::compression::Unpacker;
use super::piece::Piece;
use super::records::{Fields, Records, op};
use super::source::Source;
use super::survey::PieceSurvey;
use crate::error::Result;

/// Message indexes larger than this are passed over, and their chunk unpacked.
const INDEX_BYTES: u64 = 64 << 20;

/// First and last time.
type Extent = (u64, u64);

/// The pieces with the times of their messages beside those that they declare,
/// by the message indexes that follow them in the file, or by the messages
/// where there are none; and how many declare others.
///
/// # Errors
/// Where the file can't be read.
pub(super) fn widened(source: &Source, pieces: &[Piece]) -> Result<(Vec<Piece>, u64)> {
    let mut unpacker = Unpacker::default();
    let mut liars = 0;
    let mut widened = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let mut piece = piece.clone();
        // Those outside of chunks declare nothing.
        if !piece.loose {
            let found = match indexed(source, &piece)? {
                Some(found) => Some(found),
                None => surveyed(source, &piece, &mut unpacker)?,
            };
            if let Some((start, end)) = found {
                liars += u64::from((start, end) != (piece.start, piece.end));
                piece.start = piece.start.min(start);
                piece.end = piece.end.max(end);
            }
        }
        widened.push(piece);
    }
    Ok((widened, liars))
}

/// By the message indexes; `None` where there are none that can be read.
fn indexed(source: &Source, piece: &Piece) -> Result<Option<Extent>> {
    if piece.index_bytes == 0 || piece.index_bytes > INDEX_BYTES {
        return Ok(None);
    }
    let bytes = source.read(piece.offset + piece.bytes, piece.index_bytes)?;
    Ok(extent_of(&bytes))
}

fn extent_of(bytes: &[u8]) -> Option<Extent> {
    let mut extent: Option<Extent> = None;
    for record in Records::new(bytes) {
        let record = record.ok().filter(|record| record.op == op::MESSAGE_INDEX)?;
        let mut fields = Fields(record.body);
        let (_channel, _bytes) = (fields.u16()?, fields.u32()?);
        while !fields.0.is_empty() {
            let (time, _offset) = (fields.u64()?, fields.u64()?);
            let (start, end) = extent.unwrap_or((time, time));
            extent = Some((start.min(time), end.max(time)));
        }
    }
    extent
}

/// By the messages. What is damaged can be of any time.
fn surveyed(source: &Source, piece: &Piece, unpacker: &mut Unpacker) -> Result<Option<Extent>> {
    let Ok(found) = PieceSurvey::of(source, piece, unpacker)? else {
        return Ok(Some((0, u64::MAX)));
    };
    let times = || found.stats.values().flat_map(|stats| [stats.first, stats.last]).flatten();
    let nanos = |time: crate::time::Time| time.as_nanos().unsigned_abs();
    Ok(times().min().map(nanos).zip(times().max().map(nanos)))
}
