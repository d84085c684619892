//! Chunks that several files have in common, unpacked and checked once.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;

use super::compression::Unpackers;
use super::piece::{Content, Piece};
use super::source::Source;
use crate::error::Result;

/// Bytes of unpacked chunks, and of the packed ones that they come from, that
/// are kept for another file.
const KEPT_BYTES: usize = 24 << 20;

/// Chunks that were read lately, by whichever file. One that is read again, in
/// the same bytes, is the same memory.
#[derive(Default)]
pub(crate) struct Twins {
    unpackers: Unpackers,
    /// The oldest first.
    lately: Mutex<VecDeque<Arc<Unpacked>>>,
}

struct Unpacked {
    packed: Bytes,
    /// What it is declared to be.
    content_bytes: u64,
    crc: Option<u32>,
    compression: super::Compression,
    /// Set by whoever has unpacked it, while others wait for it.
    content: OnceLock<Content>,
}

impl Unpacked {
    fn is_of(&self, piece: &Piece, packed: &Bytes) -> bool {
        self.content_bytes == piece.content_bytes
            && self.crc == piece.crc
            && self.compression == piece.compression
            && self.packed == packed
    }

    /// Memory that is kept alive.
    fn bytes(&self) -> usize {
        self.packed.len() + usize::try_from(self.content_bytes).unwrap_or(usize::MAX / 4)
    }
}

impl Twins {
    /// Reads, unpacks and checks the content of a piece, unless one with the
    /// same bytes was read before.
    ///
    /// # Errors
    /// As [`Piece::read`].
    pub(super) fn content(&self, piece: &Piece, source: &Source) -> Result<Content> {
        let packed = piece.packed(source)?;
        let twin = self.take(piece, &packed).unwrap_or_else(|| self.keep(piece, packed));
        let unpack = || self.unpackers.with(|unpacker| piece.unpack(&twin.packed, unpacker));
        Ok(twin.content.get_or_init(unpack).clone())
    }

    /// One with the same bytes, which is kept no longer.
    fn take(&self, piece: &Piece, packed: &Bytes) -> Option<Arc<Unpacked>> {
        let all: Vec<_> = self.lately().iter().cloned().collect();
        // Outside of the lock, since all of the bytes are compared.
        let twin = all.into_iter().find(|unpacked| unpacked.is_of(piece, packed))?;
        self.lately().retain(|other| !Arc::ptr_eq(other, &twin));
        Some(twin)
    }

    fn keep(&self, piece: &Piece, packed: Bytes) -> Arc<Unpacked> {
        let Piece { content_bytes, crc, compression, .. } = *piece;
        let content = OnceLock::new();
        let unpacked = Arc::new(Unpacked { packed, content_bytes, crc, compression, content });
        let mut lately = self.lately();
        lately.push_back(unpacked.clone());
        let mut bytes: usize = lately.iter().map(|unpacked| unpacked.bytes()).sum();
        while bytes > KEPT_BYTES
            && let Some(oldest) = lately.pop_front()
        {
            bytes -= oldest.bytes();
        }
        unpacked
    }

    fn lately(&self) -> MutexGuard<'_, VecDeque<Arc<Unpacked>>> {
        self.lately.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
