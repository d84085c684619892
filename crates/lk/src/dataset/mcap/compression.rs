//! Chunks packed and unpacked.

use std::io::{Cursor, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::recycled::Recycled;

/// How the chunks of a file are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// Not at all.
    None,
    /// Fast to write; for live recording.
    Lz4,
    /// Small, at zstd's level 2: recordings of sensors come out as small as at
    /// its default level, 3, in half the time (`benches/README.md`).
    #[default]
    Zstd,
}

impl Compression {
    /// The name in a chunk record.
    pub(super) fn name(self) -> &'static str {
        match self {
            Compression::None => "",
            Compression::Lz4 => "lz4",
            Compression::Zstd => "zstd",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Compression> {
        [Compression::None, Compression::Lz4, Compression::Zstd]
            .into_iter()
            .find(|compression| compression.name() == name)
    }

    /// The most that `compressed` bytes can possibly unpack to. A block of
    /// 128 KiB takes zstd at least 4 bytes (RFC 8878, an RLE block), and a
    /// byte of lz4 stands for at most 255.
    pub(super) fn most_from(self, compressed: u64) -> u64 {
        let ratio = match self {
            Compression::None => 1,
            Compression::Lz4 => 255,
            Compression::Zstd => 128 * 1024 / 4,
        };
        compressed.saturating_mul(ratio)
    }
}

/// The most that a file, or a chunk, of so many bytes is believed to unpack
/// to, whatever it could: nobody records what packs a hundred to one, and
/// whoever sends it means to fill the memory.
pub(in crate::dataset) fn most_believed_from(packed: u64) -> u64 {
    const ANYWAY: u64 = 64 << 20;
    ANYWAY.saturating_add(packed.saturating_mul(64))
}

/// See [`Compression::Zstd`].
const ZSTD_LEVEL: i32 = 2;

/// Packs chunks, one after another.
pub(super) struct Packer {
    compression: Compression,
    zstd: Option<zstd::bulk::Compressor<'static>>,
}

impl Packer {
    pub(super) fn new(compression: Compression) -> std::io::Result<Packer> {
        let zstd = match compression {
            Compression::Zstd => Some(zstd::bulk::Compressor::new(ZSTD_LEVEL)?),
            _ => None,
        };
        Ok(Packer { compression, zstd })
    }

    pub(super) fn compression(&self) -> Compression {
        self.compression
    }

    /// How large so many bytes may become.
    pub(super) fn most_for(&self, bytes: usize) -> usize {
        match self.compression {
            Compression::None => bytes,
            Compression::Lz4 => lz4_flex::block::get_maximum_output_size(bytes),
            Compression::Zstd => zstd::zstd_safe::compress_bound(bytes),
        }
    }

    /// Appends `content`, packed.
    pub(super) fn pack(&mut self, content: &[u8], out: &mut Vec<u8>) -> std::io::Result<()> {
        match &mut self.zstd {
            Some(zstd) => {
                let at = out.len() as u64;
                out.reserve(zstd::zstd_safe::compress_bound(content.len()));
                let mut end = Cursor::new(out);
                end.set_position(at);
                zstd.compress_to_buffer(content, &mut end)?;
            }
            None if self.compression == Compression::Lz4 => {
                let mut encoder = lz4_flex::frame::FrameEncoder::new(out);
                encoder.write_all(content)?;
                encoder.finish()?;
            }
            None => out.extend_from_slice(content),
        }
        Ok(())
    }
}

/// Unpackers for several threads at once.
#[derive(Default)]
pub(super) struct Unpackers {
    idle: Mutex<Vec<Unpacker>>,
    recycled: Arc<Recycled>,
}

impl Unpackers {
    /// Lends an unpacker that nobody uses.
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Unpacker) -> T) -> T {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Unpacker { recycled: self.recycled.clone(), ..Unpacker::default() };
        let mut unpacker = idle().pop().unwrap_or_else(new);
        let outcome = work(&mut unpacker);
        idle().push(unpacker);
        outcome
    }
}

/// Unpacks chunks, one after another.
#[derive(Default)]
pub(super) struct Unpacker {
    zstd: zstd::bulk::Decompressor<'static>,
    recycled: Arc<Recycled>,
}

impl Unpacker {
    /// The content of a chunk, which must be of exactly this size. What is
    /// wrong is said as a phrase.
    pub(super) fn unpack(
        &mut self,
        compression: Compression,
        packed: &Bytes,
        size: usize,
    ) -> Result<Bytes, String> {
        if compression == Compression::None {
            return check_size(packed.len(), size).map(|()| packed.clone());
        }
        let recycled = self.recycled.take(size);
        let is_fresh = recycled.is_none();
        let mut content = recycled.unwrap_or_default();
        if is_fresh {
            content.try_reserve_exact(size).map_err(|_| format!("no memory for {size} bytes"))?;
        }
        match compression {
            Compression::Zstd => {
                let unpacked = if is_fresh {
                    self.zstd.decompress_to_buffer(packed, &mut content)
                } else {
                    // There may be more room than the chunk is to take.
                    content.resize(size, 0);
                    self.zstd.decompress_to_buffer(packed, &mut content[..])
                };
                let len = unpacked.map_err(|e| format!("its zstd data can't be unpacked: {e}"))?;
                content.truncate(len);
            }
            _ => {
                content.clear();
                // One more than there should be, so that more is noticed.
                let decoder = lz4_flex::frame::FrameDecoder::new(&packed[..]);
                decoder
                    .take((size as u64).saturating_add(1))
                    .read_to_end(&mut content)
                    .map_err(|e| format!("its lz4 data can't be unpacked: {e}"))?;
            }
        }
        check_size(content.len(), size).map(|()| self.recycled.lend(content))
    }
}

fn check_size(actual: usize, declared: usize) -> Result<(), String> {
    if actual == declared {
        return Ok(());
    }
    Err(format!("it unpacks to {actual} bytes where it declares {declared}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_unpacks_to_the_same() {
        let content: Vec<u8> = (0..100_000_u32).flat_map(|n| (n / 7).to_le_bytes()).collect();
        for compression in [Compression::None, Compression::Lz4, Compression::Zstd] {
            for content in [&content[..], &[], &vec![0; 3 << 20]] {
                let mut packed = b"before".to_vec();
                Packer::new(compression).unwrap().pack(content, &mut packed).unwrap();
                assert!(packed.starts_with(b"before"));
                let packed = Bytes::from(packed).slice(6..);
                assert!(compression.most_from(packed.len() as u64) >= content.len() as u64);
                let mut unpacker = Unpacker::default();
                let size = content.len();
                assert_eq!(unpacker.unpack(compression, &packed, size).unwrap(), content);
                assert!(unpacker.unpack(compression, &packed, size + 1).is_err());
                if size > 0 {
                    assert!(unpacker.unpack(compression, &packed, size - 1).is_err());
                }
            }
        }
    }

    #[test]
    fn what_is_wrong_is_said_the_same_in_memory_that_was_used_before() {
        for compression in [Compression::Lz4, Compression::Zstd] {
            let pack = |content: &[u8]| {
                let mut packed = Vec::new();
                Packer::new(compression).unwrap().pack(content, &mut packed).unwrap();
                Bytes::from(packed)
            };
            let (long, short) = (pack(&[7; 100_000]), pack(&[7; 100]));
            for size in [50, 99, 101, 1_000] {
                let mut unpacker = Unpacker::default();
                let fresh = unpacker.unpack(compression, &short, size).unwrap_err();
                drop(unpacker.unpack(compression, &long, 100_000).unwrap());
                let again = unpacker.unpack(compression, &short, size).unwrap_err();
                assert_eq!(again, fresh, "{compression:?} {size}");
            }
        }
    }
}
