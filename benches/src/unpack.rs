//! The floor for whoever reads a recording: unpacking its chunks.

use std::fs;
use std::path::Path;

const RECORD_HEADER: usize = 9;
const CHUNK: u8 = 0x06;

/// Unpacks all chunks of a file of lk's, and does nothing with them. Returns
/// how many bytes there were.
pub fn unpack(path: &Path) -> usize {
    let file = fs::read(path).expect("a file of lk");
    let mut unpacker = zstd::bulk::Decompressor::new().expect("memory");
    let (mut content, mut bytes) = (Vec::new(), 0);
    let number = |at: usize| {
        let field = file[at..at + 8].try_into().expect("eight bytes");
        u64::from_le_bytes(field) as usize
    };
    // Behind the magic; the file ends with it.
    let mut at = 8;
    while at + RECORD_HEADER < file.len() {
        let (body, len) = (at + RECORD_HEADER, number(at + 1));
        if file[at] == CHUNK {
            // Times, size, checksum and the name `zstd` come before the
            // records and their length.
            let records = body + 8 + 8 + 8 + 4 + 4 + "zstd".len() + 8;
            content.clear();
            content.reserve(number(body + 16));
            let unpacked = unpacker.decompress_to_buffer(&file[records..body + len], &mut content);
            bytes += unpacked.expect("a whole chunk");
        }
        at = body + len;
    }
    bytes
}
