//! Chunks that several files have in common, unpacked and checked once.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;

use super::compression::Unpackers;
use super::piece::{Content, Piece};
use super::source::Source;
use crate::error::Result;

/// Bytes of unpacked chunks, and of the packed ones that they come from, that
/// are kept for another file: for each thread, which may read a chunk ahead.
const KEPT_BYTES: usize = 4 << 20;
const MOST_THREADS: usize = 8;

/// After so many chunks without a twin only one in so many is kept, to see
/// whether that changes: keeping them all takes the cache from the rest.
const MISSES: usize = 16;
const PROBE: usize = 8;

/// Chunks that were read lately, by whichever file. One that is read again, in
/// the same bytes, is the same memory.
pub(crate) struct Twins {
    unpackers: Unpackers,
    kept_bytes: usize,
    lately: Mutex<Lately>,
}

#[derive(Default)]
struct Lately {
    /// The oldest first.
    unpacked: VecDeque<Arc<Unpacked>>,
    /// Chunks since the last one that was read twice.
    misses: usize,
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
    /// For readers with so many threads between them.
    pub(crate) fn new(threads: usize) -> Twins {
        let kept_bytes = KEPT_BYTES * (threads.min(MOST_THREADS) + 1);
        Twins { unpackers: Unpackers::default(), kept_bytes, lately: Mutex::default() }
    }

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
        let all = self.lately().unpacked.clone();
        // Outside of the lock, since all of the bytes are compared.
        let twin = all.into_iter().find(|unpacked| unpacked.is_of(piece, packed))?;
        let mut lately = self.lately();
        lately.misses = 0;
        lately.unpacked.retain(|other| !Arc::ptr_eq(other, &twin));
        Some(twin)
    }

    fn keep(&self, piece: &Piece, packed: Bytes) -> Arc<Unpacked> {
        let Piece { content_bytes, crc, compression, .. } = *piece;
        let content = OnceLock::new();
        let unpacked = Arc::new(Unpacked { packed, content_bytes, crc, compression, content });
        let mut lately = self.lately();
        lately.misses += 1;
        if lately.misses > MISSES && !lately.misses.is_multiple_of(PROBE) {
            return unpacked;
        }
        lately.unpacked.push_back(unpacked.clone());
        let mut bytes: usize = lately.unpacked.iter().map(|unpacked| unpacked.bytes()).sum();
        while bytes > self.kept_bytes
            && let Some(oldest) = lately.unpacked.pop_front()
        {
            bytes -= oldest.bytes();
        }
        unpacked
    }

    fn lately(&self) -> MutexGuard<'_, Lately> {
        self.lately.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
