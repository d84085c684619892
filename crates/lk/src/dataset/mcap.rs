//! MCAP files, the default for datasets on disk: <https://mcap.dev>.
//!
//! Files are written so that the tools of ROS 2 take them: profile `ros2`,
//! `cdr` payloads with `ros2msg` schemas. A channel's role and its optional
//! fields are in its metadata as `lk.role` and `lk.optional`, the dataset's
//! facts in a metadata record named `lk`. Channels in other encodings are
//! read and written as they are.
//!
//! A reader believes nothing that a file says of itself before it has
//! checked it: sizes against what the bytes could possibly unpack to and
//! against [`Limits`], contents against their checksums. Whole chunks without
//! a checksum are read and called unverified.

mod ahead;
mod channels;
mod chunk;
mod compression;
mod extents;
mod extras;
mod facts;
mod findings;
mod merge;
mod output;
mod piece;
mod queue;
mod reader;
mod records;
mod recycled;
mod scan;
mod sink;
mod source;
mod summary;
mod survey;
mod twins;
mod types;
mod writer;

pub use compression::Compression;
pub(in crate::dataset) use compression::most_believed_from;
pub use reader::Reader;
pub use sink::Sink;
pub(crate) use twins::Twins;
pub use writer::{CreateOptions, MAX_PAYLOAD_BYTES, Writer};

/// What reading a file may take of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest chunk, in bytes uncompressed, at most 4 GiB; a larger one
    /// is passed over and reported. Default: 1 GiB. Whatever this says, it is
    /// no more than 64 MiB and 64 times the file's own size.
    pub chunk_bytes: u64,
    /// All chunks that overlap in time, which are unpacked together; more of
    /// them is an error of reading. Default: 4 GiB, and no more than a chunk.
    pub open_bytes: u64,
    /// What is kept unpacked of such chunks. Of those beyond it only the next
    /// messages are kept, and they are unpacked again for more: slower, in
    /// bounded memory. Default: 32 MiB.
    pub kept_bytes: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { chunk_bytes: 1 << 30, open_bytes: 4 << 30, kept_bytes: 32 << 20 }
    }
}

/// Whether a file that begins with `bytes` is meant to be an MCAP file.
pub(crate) fn is_mcap(bytes: &[u8]) -> bool {
    bytes.starts_with(&records::MAGIC)
}

/// Whether all of a file's bytes are the beginning of MCAP's magic.
pub(crate) fn is_cut_in_magic(bytes: &[u8]) -> bool {
    records::MAGIC.starts_with(bytes)
}

#[cfg(test)]
mod tests;
