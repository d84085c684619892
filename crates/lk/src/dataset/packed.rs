//! Recordings that were compressed with zstd: as whole files, or message by
//! message.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use tempfile::{NamedTempFile, TempPath};

use super::mcap::{MAX_PAYLOAD_BYTES, most_believed_from};
use crate::error::{Error, Result};

const ZSTD_MAGIC: &[u8] = b"\x28\xb5\x2f\xfd";

/// Whether a file that begins with `bytes` is compressed with zstd.
pub(super) fn is_packed(bytes: &[u8]) -> bool {
    bytes.starts_with(ZSTD_MAGIC)
}

/// What a recording's payloads are, as far as their own encoding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Payloads {
    #[default]
    Plain,
    /// Each is compressed for itself.
    Zstd,
}

/// Where the bytes of a recording are, and what it is called.
#[derive(Clone, Debug)]
pub(super) struct RecordingFile {
    pub(super) path: PathBuf,
    /// For messages. Offsets are those in the unpacked file.
    pub(super) name: String,
    /// Why not all of it was unpacked.
    pub(super) problem: Option<String>,
    /// What was unpacked goes with the last who reads it.
    _unpacked: Option<Arc<TempPath>>,
}

impl RecordingFile {
    /// A file as it is.
    pub(super) fn of(path: &Path) -> RecordingFile {
        let name = path.display().to_string();
        RecordingFile { path: path.to_owned(), name, problem: None, _unpacked: None }
    }

    /// Unpacks a file into the system's folder for temporary ones: recordings
    /// are larger than memory, and nothing is written beside them. What comes
    /// before damage is kept.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Limit`] where it unpacks to more than anybody
    /// records.
    pub(super) fn unpack(path: &Path) -> Result<RecordingFile> {
        let name = path.display().to_string();
        let failed = |action| {
            let path = name.clone();
            move |source| Error::Io { action, path, source }
        };
        let file = File::open(path).map_err(failed("open"))?;
        let limit = most_believed_from(file.metadata().map_err(failed("open"))?.len());
        let mut decoder = zstd::stream::read::Decoder::new(file).map_err(failed("unpack"))?;
        let mut unpacked = NamedTempFile::new().map_err(failed("unpack"))?;
        let mut block = vec![0; 128 << 10];
        let mut bytes = 0;
        let problem = loop {
            let read = match decoder.read(&mut block) {
                Ok(0) => break None,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                // The operating system's errors have a number, zstd's have none.
                Err(error) if error.raw_os_error().is_some() => {
                    return Err(failed("read")(error));
                }
                Err(error) => {
                    break Some(format!("only its first {bytes} bytes can be unpacked: {error}"));
                }
            };
            bytes += read as u64;
            if bytes > limit {
                let what = "its content, unpacked,".to_owned();
                return Err(Error::Limit { what, actual: bytes, limit, path: name });
            }
            unpacked.write_all(&block[..read]).map_err(failed("unpack"))?;
        };
        let unpacked = Arc::new(unpacked.into_temp_path());
        Ok(RecordingFile { path: unpacked.to_path_buf(), name, problem, _unpacked: Some(unpacked) })
    }
}

/// Unpacks payloads, one after another.
#[derive(Default)]
pub(super) struct PayloadUnpacker {
    zstd: zstd::bulk::Decompressor<'static>,
}

impl PayloadUnpacker {
    /// The payload; what is wrong is said as a phrase.
    pub(super) fn unpack(&mut self, packed: &[u8]) -> Result<Bytes, String> {
        if !is_packed(packed) {
            return Err("it is not compressed with zstd".to_owned());
        }
        let limit = most_believed_from(packed.len() as u64).min(MAX_PAYLOAD_BYTES as u64);
        let failed = |error: io::Error| format!("it can't be unpacked: {error}");
        // What compresses messages knows their sizes and says them.
        let size = match zstd::zstd_safe::get_frame_content_size(packed) {
            Ok(size) => size,
            Err(_) => return Err("it can't be unpacked: its header is cut off".to_owned()),
        };
        let mut payload = Vec::new();
        match size {
            Some(size) if size > limit => {
                return Err(format!("it says that it unpacks to {size} bytes"));
            }
            Some(size) => {
                let room = payload.try_reserve_exact(size as usize);
                room.map_err(|_| format!("no memory for {size} bytes"))?;
                self.zstd.decompress_to_buffer(packed, &mut payload).map_err(failed)?;
            }
            None => {
                let decoder = zstd::stream::read::Decoder::new(packed).map_err(failed)?;
                decoder.take(limit + 1).read_to_end(&mut payload).map_err(failed)?;
                if payload.len() as u64 > limit {
                    return Err(format!("it unpacks to more than {limit} bytes"));
                }
            }
        }
        Ok(payload.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_unpacks_to_what_it_was_and_damage_is_said() {
        let mut unpacker = PayloadUnpacker::default();
        for payload in [&b""[..], b"some bytes", &[7; 200_000]] {
            let packed = zstd::bulk::compress(payload, 1).unwrap();
            assert_eq!(unpacker.unpack(&packed).unwrap(), payload);
            let streamed = zstd::stream::encode_all(payload, 1).unwrap();
            assert_eq!(unpacker.unpack(&streamed).unwrap(), payload);
            assert!(unpacker.unpack(&packed[..packed.len() - 1]).is_err());
        }
        let plain = unpacker.unpack(&[0, 1, 0, 0]).unwrap_err();
        assert_eq!(plain, "it is not compressed with zstd");
        assert!(unpacker.unpack(&ZSTD_MAGIC[..4]).is_err());
        // A frame of one segment, which declares 2^60 bytes.
        let bomb = [ZSTD_MAGIC, &[0xe0], &(1_u64 << 60).to_le_bytes()].concat();
        assert!(unpacker.unpack(&bomb).unwrap_err().contains("it says that it unpacks to"));
    }

    #[test]
    fn a_file_that_unpacks_to_more_than_anybody_records_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bomb.zstd");
        let mut encoder =
            zstd::stream::write::Encoder::new(File::create(&path).unwrap(), 1).unwrap();
        for _ in 0..66 {
            encoder.write_all(&vec![0; 1 << 20]).unwrap();
        }
        encoder.finish().unwrap();
        assert!(matches!(RecordingFile::unpack(&path), Err(Error::Limit { .. })));
    }
}
