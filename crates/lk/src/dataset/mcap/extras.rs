//! Attachments, and metadata records of others, in a file.

use bytes::Bytes;

use super::Limits;
use super::facts;
use super::records::{
    Fields, RECORD_HEADER, op, parse_metadata, put_block, put_metadata, put_record,
};
use super::source::Source;
use super::writer::MAX_PAYLOAD_BYTES;
use crate::dataset::{Attachment, Extra, Metadata};
use crate::error::{Error, Result};

/// Where a record is that holds something beside samples.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) op: u8,
    pub(super) offset: u64,
    /// Of the whole record.
    pub(super) bytes: u64,
}

impl Place {
    /// Reads and checks what is there.
    pub(super) fn read(&self, source: &Source, limits: &Limits) -> Result<Extra> {
        let limit = limits.chunk_bytes;
        let len = self.bytes - RECORD_HEADER;
        if len > limit {
            let what = format!("a record at byte {} beside the messages", self.offset);
            return Err(Error::Limit { what, actual: len, limit, path: source.path.clone() });
        }
        let body = source.read(self.offset + RECORD_HEADER, len)?;
        let damaged = |reason: &str| source.damaged(self.offset, reason);
        if self.op == op::METADATA {
            let parsed = parse_metadata(&body);
            let (name, entries) =
                parsed.ok_or_else(|| damaged("a metadata record is malformed"))?;
            return Ok(Extra::Metadata(Metadata { name, entries }));
        }
        let (attachment, crc) =
            parse_attachment(&body).ok_or_else(|| damaged("an attachment is malformed"))?;
        if crc != 0 && crc != crc32fast::hash(&body[..body.len() - 4]) {
            let name = &attachment.name;
            return Err(damaged(&format!("attachment {name} doesn't match its checksum")));
        }
        Ok(Extra::Attachment(attachment))
    }
}

/// An attachment and its checksum, which is what the record ends with.
fn parse_attachment(body: &[u8]) -> Option<(Attachment, u32)> {
    let mut fields = Fields(body);
    let (log_time_ns, create_time_ns) = (fields.u64()?, fields.u64()?);
    let (name, media_type) = (fields.string()?, fields.string()?);
    let len = usize::try_from(fields.u64()?).ok()?;
    let data = Bytes::copy_from_slice(fields.bytes(len)?);
    let crc = fields.u32()?;
    let whole = fields.0.is_empty();
    let attachment = Attachment { name, media_type, log_time_ns, create_time_ns, data };
    whole.then_some((attachment, crc))
}

/// A record ready to be written, and what the summary says of it.
pub(super) struct ExtraRecord {
    pub(super) bytes: Vec<u8>,
    pub(super) index: ExtraIndex,
}

/// What the summary says of a record, but for its place.
pub(super) enum ExtraIndex {
    Attachment { log_time_ns: u64, create_time_ns: u64, data_bytes: u64, texts: [String; 2] },
    Metadata { name: String },
}

impl ExtraRecord {
    /// A phrase where the file couldn't give it back as it is.
    pub(super) fn new(extra: &Extra) -> std::result::Result<ExtraRecord, String> {
        let (record, text_bytes) = match extra {
            Extra::Metadata(Metadata { name, entries }) => {
                if name == facts::RECORD {
                    return Err(format!("metadata named `{name}` is lk's own"));
                }
                let texts = entries.iter().map(|(key, value)| key.len() + value.len() + 8);
                (ExtraRecord::metadata(name, entries), texts.sum::<usize>() + name.len())
            }
            Extra::Attachment(attachment) => {
                let texts = attachment.name.len() + attachment.media_type.len();
                (ExtraRecord::attachment(attachment), texts)
            }
        };
        if record.bytes.len() > MAX_PAYLOAD_BYTES || text_bytes > MAX_PAYLOAD_BYTES {
            return Err("it is larger than 512 MiB".to_owned());
        }
        Ok(record)
    }

    /// A metadata record, lk's own too.
    pub(super) fn metadata(
        name: &str,
        entries: &std::collections::BTreeMap<String, String>,
    ) -> ExtraRecord {
        let mut bytes = Vec::new();
        put_metadata(&mut bytes, name, entries);
        ExtraRecord { bytes, index: ExtraIndex::Metadata { name: name.to_owned() } }
    }

    fn attachment(attachment: &Attachment) -> ExtraRecord {
        let Attachment { name, media_type, log_time_ns, create_time_ns, data } = attachment;
        let mut bytes = Vec::with_capacity(data.len() + name.len() + media_type.len() + 64);
        put_record(&mut bytes, op::ATTACHMENT, |out| {
            let start = out.len();
            out.extend_from_slice(&log_time_ns.to_le_bytes());
            out.extend_from_slice(&create_time_ns.to_le_bytes());
            put_block(out, name.as_bytes());
            put_block(out, media_type.as_bytes());
            out.extend_from_slice(&(data.len() as u64).to_le_bytes());
            out.extend_from_slice(data);
            let crc = crc32fast::hash(&out[start..]);
            out.extend_from_slice(&crc.to_le_bytes());
        });
        let index = ExtraIndex::Attachment {
            log_time_ns: *log_time_ns,
            create_time_ns: *create_time_ns,
            data_bytes: data.len() as u64,
            texts: [name.clone(), media_type.clone()],
        };
        ExtraRecord { bytes, index }
    }
}

/// The indexes of a summary.
#[derive(Default)]
pub(super) struct ExtraIndexes {
    pub(super) attachments: u32,
    pub(super) attachment_indexes: Vec<u8>,
    pub(super) metadata: u32,
    pub(super) metadata_indexes: Vec<u8>,
}

impl ExtraIndexes {
    /// A record of so many bytes at `offset`.
    pub(super) fn add(&mut self, index: &ExtraIndex, offset: u64, bytes: u64) {
        match index {
            ExtraIndex::Attachment { log_time_ns, create_time_ns, data_bytes, texts } => {
                self.attachments += 1;
                put_record(&mut self.attachment_indexes, op::ATTACHMENT_INDEX, |out| {
                    for number in [offset, bytes, *log_time_ns, *create_time_ns, *data_bytes] {
                        out.extend_from_slice(&number.to_le_bytes());
                    }
                    texts.iter().for_each(|text| put_block(out, text.as_bytes()));
                });
            }
            ExtraIndex::Metadata { name } => {
                self.metadata += 1;
                put_record(&mut self.metadata_indexes, op::METADATA_INDEX, |out| {
                    out.extend_from_slice(&offset.to_le_bytes());
                    out.extend_from_slice(&bytes.to_le_bytes());
                    put_block(out, name.as_bytes());
                });
            }
        }
    }
}
