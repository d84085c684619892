//! Walking the records of a file without reading its chunks.

use std::collections::BTreeMap;

use super::extras::Place;
use super::findings::Findings;
use super::piece::Piece;
use super::records::{
    ChunkHeader, Fields, MAGIC, MESSAGE_HEADER, MessageHeader, RECORD_HEADER, op, parse_metadata,
};
use super::source::{Source, Window};
use super::{Compression, Limits, facts};
use crate::error::Result;

/// A run of records outside of chunks is cut when it has come to this size.
const LOOSE_BYTES: u64 = 1 << 20;

/// More than any chunk header takes, unless its compression has a long name.
const CHUNK_HEADER_BYTES: u64 = 256;

/// The longest metadata record that is looked into.
const METADATA_BYTES: u64 = 16 << 20;

/// Records beside samples that are kept track of.
const MOST_EXTRAS: usize = 1 << 16;

/// What a file holds, by its records' headers.
pub(super) struct Scan {
    /// In file order.
    pub(super) pieces: Vec<Piece>,
    /// The last metadata record of lk's.
    pub(super) facts: Option<BTreeMap<String, String>>,
    /// Attachments, and metadata records of others.
    pub(super) extras: Vec<Place>,
    /// `None` where the file ends before its data section does.
    pub(super) data: Option<DataSection>,
    header_end: u64,
}

impl Scan {
    /// Walks the data section. Where its structure breaks, goes on at the
    /// next of `chunks_at`, the offsets of chunks by the summary, sorted.
    ///
    /// # Errors
    /// Where the file can't be read; what is wrong in it goes to `findings`.
    pub(super) fn run(
        source: &Source,
        chunks_at: &[u64],
        limits: &Limits,
        findings: &mut Findings,
    ) -> Result<Scan> {
        let mut scan = Scan {
            pieces: Vec::new(),
            facts: None,
            extras: Vec::new(),
            data: None,
            header_end: MAGIC.len() as u64,
        };
        let mut window = Window::new(source);
        let mut at = MAGIC.len() as u64;
        while at < source.len {
            let resume = chunks_at.get(chunks_at.partition_point(|&chunk| chunk <= at)).copied();
            // No record reaches into the next chunk.
            let until = resume.unwrap_or(source.len);
            match scan.step(&mut window, at, until, limits, findings)? {
                Step::Next(next) => at = next,
                Step::End => return Ok(scan),
                Step::Broken(problem) => {
                    findings.lost(at, until - at, problem);
                    at = until;
                }
            }
        }
        Ok(scan)
    }

    fn step(
        &mut self,
        window: &mut Window<'_>,
        at: u64,
        until: u64,
        limits: &Limits,
        findings: &mut Findings,
    ) -> Result<Step> {
        let Some(header) = window.at(at, RECORD_HEADER)? else {
            return Ok(Step::Broken("the file is cut off inside a record".to_owned()));
        };
        let mut fields = Fields(header);
        let (Some(op), Some(len)) = (fields.u8(), fields.u64()) else {
            return Ok(Step::Broken("the file is cut off inside a record".to_owned()));
        };
        let body_at = at + RECORD_HEADER;
        let Some(end) = body_at.checked_add(len).filter(|&end| end <= until) else {
            let into = if until < window.len() { "into the next chunk" } else { "past the end" };
            return Ok(Step::Broken(format!("a record of {len} bytes runs {into}")));
        };
        let body = |most: u64| len.min(most);
        let mut lost = |problem: String| findings.lost(at, end - at, problem);
        match op {
            op::HEADER if at == MAGIC.len() as u64 => self.header_end = end,
            op::CHUNK => {
                let head = window.at(body_at, body(CHUNK_HEADER_BYTES))?.unwrap_or_default();
                let piece = match ChunkHeader::parse(head) {
                    Some((header, header_bytes)) => {
                        let header_bytes = header_bytes as u64;
                        Piece::chunk(at, body_at, len, &header, header_bytes, limits.chunk_bytes)
                    }
                    None => Err("a chunk's header is malformed".to_owned()),
                };
                match piece {
                    Ok(piece) => self.pieces.push(piece),
                    Err(problem) => lost(problem),
                }
            }
            op::SCHEMA | op::CHANNEL | op::MESSAGE if len > limits.chunk_bytes => {
                lost(format!(
                    "a record of {len} bytes is over the limit of {}",
                    limits.chunk_bytes
                ));
            }
            op::MESSAGE => {
                let head = window.at(body_at, body(MESSAGE_HEADER as u64))?.unwrap_or_default();
                match MessageHeader::parse(head) {
                    Some(header) => self.loose(at, end, Some(header.log_time)),
                    None => lost("a message is too short".to_owned()),
                }
            }
            op::SCHEMA | op::CHANNEL => self.loose(at, end, None),
            op::MESSAGE_INDEX => {
                // A chunk whose kind was damaged mustn't pass for one.
                let mut fields = Fields(window.at(body_at, body(6))?.unwrap_or_default());
                let entries = fields.u16().and_then(|_| fields.u32());
                if entries.map(|bytes| u64::from(bytes) + 6) != Some(len) {
                    lost("a message index is malformed".to_owned());
                } else if let Some(chunk) = self.pieces.last_mut()
                    && chunk.offset + chunk.bytes + chunk.index_bytes == at
                    && !chunk.loose
                {
                    chunk.index_bytes += end - at;
                }
            }
            op::METADATA => {
                let head = window.at(body_at, body(METADATA_BYTES))?.unwrap_or_default();
                match parse_metadata(head) {
                    Some((name, entries)) if name == facts::RECORD => self.facts = Some(entries),
                    Some(_) => self.extra(op, at, end, findings),
                    None if len > METADATA_BYTES => self.extra(op, at, end, findings),
                    None => lost("a metadata record is malformed".to_owned()),
                }
            }
            op::ATTACHMENT => self.extra(op, at, end, findings),
            op::DATA_END if until < window.len() => {
                return Ok(Step::Broken("the data ends before the last chunk".to_owned()));
            }
            op::DATA_END if len == 4 => {
                let crc = Fields(window.at(body_at, 4)?.unwrap_or_default()).u32();
                let (header_end, crc) = (self.header_end, crc.unwrap_or(0));
                self.data = Some(DataSection { header_end, end: at, record_end: end, crc });
                return Ok(Step::End);
            }
            private @ 0x80.. => {
                findings.note(format!("records of private kind {private:#04x} are passed over"));
            }
            // What a crash of the system leaves: a file that ends in zeros.
            0 => return Ok(Step::Broken("there are zeros where a record should be".to_owned())),
            op::FOOTER if end + MAGIC.len() as u64 == window.len() => return Ok(Step::End),
            other => lost(format!("a record of kind {other:#04x} has no place here")),
        }
        Ok(Step::Next(end))
    }

    fn extra(&mut self, op: u8, at: u64, end: u64, findings: &mut Findings) {
        if self.extras.len() < MOST_EXTRAS {
            self.extras.push(Place { op, offset: at, bytes: end - at });
        } else {
            findings.note("attachments and metadata records beyond 65,536 are passed over");
        }
    }

    /// Takes a record outside of chunks into the run before it, or begins a
    /// new one.
    fn loose(&mut self, at: u64, end: u64, time: Option<u64>) {
        let follows = |last: &&mut Piece| {
            last.loose && last.at + last.packed_bytes == at && last.bytes < LOOSE_BYTES
        };
        if self.pieces.last_mut().filter(follows).is_none() {
            self.pieces.push(Piece {
                offset: at,
                bytes: 0,
                at,
                packed_bytes: 0,
                content_bytes: 0,
                index_bytes: 0,
                compression: Compression::None,
                crc: None,
                start: u64::MAX,
                end: 0,
                channels: None,
                loose: true,
                verified: false,
            });
        }
        if let Some(piece) = self.pieces.last_mut() {
            piece.bytes = end - piece.at;
            piece.packed_bytes = piece.bytes;
            piece.content_bytes = piece.bytes;
            for time in time.into_iter() {
                piece.start = piece.start.min(time);
                piece.end = piece.end.max(time);
            }
        }
    }
}

/// Where the data section lies, and its checksum.
#[derive(Clone, Copy, Debug)]
pub(super) struct DataSection {
    /// Where the header record ends.
    pub(super) header_end: u64,
    pub(super) end: u64,
    /// Where the record ends that says so.
    pub(super) record_end: u64,
    /// 0 for none.
    pub(super) crc: u32,
}

impl DataSection {
    /// Whether the data section is what was written; `None` where there is no
    /// checksum. Reads the whole file.
    pub(super) fn is_whole(&self, source: &Source) -> Result<Option<bool>> {
        if self.crc == 0 {
            return Ok(None);
        }
        // Writers differ in whether the magic and the header are part of it.
        let (mut whole, mut data) = (crc32fast::Hasher::new(), crc32fast::Hasher::new());
        whole.update(&source.read(0, self.header_end)?);
        let mut at = self.header_end;
        while at < self.end {
            let bytes = source.read(at, LOOSE_BYTES.min(self.end - at))?;
            whole.update(&bytes);
            data.update(&bytes);
            at += bytes.len() as u64;
        }
        Ok(Some(whole.finalize() == self.crc || data.finalize() == self.crc))
    }
}

enum Step {
    Next(u64),
    End,
    Broken(String),
}
