//! A file to read from at any place.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

use super::recycled::Recycled;
use crate::dataset::packed::RecordingFile;
use crate::error::{Error, Result};

/// A file, read by position from several iterators at once.
pub(super) struct Source {
    pub(super) path: String,
    /// Its length when it was opened; what is appended later is not seen.
    pub(super) len: u64,
    file: Mutex<File>,
    /// Memory of packed chunks.
    recycled: Recycled,
    _place: RecordingFile,
}

impl Source {
    pub(super) fn open(place: RecordingFile) -> Result<Source> {
        let failed = |source| Error::Io { action: "open", path: place.name.clone(), source };
        let file = File::open(&place.path).map_err(failed)?;
        let len = file.metadata().map_err(failed)?.len();
        let (path, file, recycled) = (place.name.clone(), Mutex::new(file), Recycled::default());
        Ok(Source { path, len, file, recycled, _place: place })
    }

    /// `len` bytes from `offset`, which the caller knows to lie in the file.
    pub(super) fn read(&self, offset: u64, len: u64) -> Result<Vec<u8>> {
        self.read_into(Vec::new(), offset, len)
    }

    /// As [`read`](Source::read), into memory that was read into before.
    pub(super) fn read_again(&self, offset: u64, len: u64) -> Result<Bytes> {
        let buffer = usize::try_from(len).ok().and_then(|len| self.recycled.take(len));
        let bytes = self.read_into(buffer.unwrap_or_default(), offset, len)?;
        Ok(self.recycled.lend(bytes))
    }

    fn read_into(&self, mut bytes: Vec<u8>, offset: u64, len: u64) -> Result<Vec<u8>> {
        let failed = |source| Error::Io { action: "read", path: self.path.clone(), source };
        bytes.clear();
        let wanted = usize::try_from(len)
            .map_err(|_| std::io::ErrorKind::OutOfMemory)
            .and_then(|n| bytes.try_reserve_exact(n).map_err(|_| std::io::ErrorKind::OutOfMemory));
        wanted.map_err(|kind| failed(kind.into()))?;
        // A reader that panicked left nothing behind but a position.
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(offset)).map_err(failed)?;
        let read = Read::by_ref(&mut *file).take(len).read_to_end(&mut bytes).map_err(failed)?;
        if (read as u64) < len {
            return Err(failed(std::io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(bytes)
    }

    pub(super) fn damaged(&self, offset: u64, reason: impl Into<String>) -> Error {
        Error::Damaged { offset, reason: reason.into(), path: self.path.clone() }
    }
}

/// Small reads that mostly go forward, out of a buffer.
pub(super) struct Window<'a> {
    source: &'a Source,
    start: u64,
    bytes: Vec<u8>,
}

/// What a window reads at once: some record headers, and little of the chunk
/// that is skipped after them.
const WINDOW_BYTES: u64 = 8 << 10;

impl<'a> Window<'a> {
    pub(super) fn new(source: &'a Source) -> Window<'a> {
        Window { source, start: 0, bytes: Vec::new() }
    }

    /// Of the file.
    pub(super) fn len(&self) -> u64 {
        self.source.len
    }

    /// `len` bytes from `offset`; `None` where the file ends before.
    pub(super) fn at(&mut self, offset: u64, len: u64) -> Result<Option<&[u8]>> {
        if offset.checked_add(len).is_none_or(|end| end > self.source.len) {
            return Ok(None);
        }
        let inside = offset >= self.start && offset + len <= self.start + self.bytes.len() as u64;
        if !inside {
            let wanted = len.max(WINDOW_BYTES).min(self.source.len - offset);
            self.bytes = self.source.read(offset, wanted)?;
            self.start = offset;
        }
        let from = (offset - self.start) as usize;
        Ok(self.bytes.get(from..from + len as usize))
    }
}
