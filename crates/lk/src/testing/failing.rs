//! Disks and backends that fail to order.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::dataset::mcap::Sink;
use crate::dataset::{
    Backend, Channel, ChannelId, ChannelStats, Extra, Extras, Facts, Integrity, Query, Sample,
    Samples, Together,
};
use crate::{Error, Result};

/// What goes wrong with a [`FailingFile`].
#[derive(Clone, Debug)]
pub enum Fault {
    /// These writes are refused, counted from 0.
    Writes(Range<u64>),
    /// So many bytes fit; the write that crosses the end takes what still
    /// fits.
    Full(u64),
    /// Nothing is refused, but a write takes so many bytes at most.
    Short(usize),
    /// These syncs are refused, counted from 0.
    Syncs(Range<u64>),
    /// This write panics, counted from 0.
    Panic(u64),
}

/// A file on a disk that has a [`Fault`].
#[derive(Debug)]
pub struct FailingFile {
    file: File,
    fault: Fault,
    bytes: u64,
    writes: Arc<AtomicU64>,
    syncs: u64,
}

impl FailingFile {
    /// Creates the file, or empties it.
    ///
    /// # Errors
    /// Where that fails for another reason.
    pub fn create(path: &Path, fault: Fault) -> io::Result<FailingFile> {
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
        Ok(FailingFile { file, fault, bytes: 0, writes: Arc::default(), syncs: 0 })
    }

    /// Counts the writes, refused ones too.
    pub fn writes(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.writes)
    }
}

impl Write for FailingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let number = self.writes.fetch_add(1, Ordering::SeqCst);
        let most = match &self.fault {
            Fault::Writes(refused) if refused.contains(&number) => {
                return Err(ErrorKind::StorageFull.into());
            }
            Fault::Panic(at) if *at == number => panic!("ordered by the test"),
            Fault::Full(size) => match usize::try_from(size - self.bytes).unwrap_or(usize::MAX) {
                0 => return Err(ErrorKind::StorageFull.into()),
                left => left,
            },
            Fault::Short(most) => *most,
            Fault::Writes(_) | Fault::Syncs(_) | Fault::Panic(_) => usize::MAX,
        };
        let written = self.file.write(&bytes[..bytes.len().min(most)])?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        panic!("a sink keeps nothing back, so nothing is to be flushed")
    }
}

impl Sink for FailingFile {
    fn sync(&mut self) -> io::Result<()> {
        let number = self.syncs;
        self.syncs += 1;
        match &self.fault {
            Fault::Syncs(refused) if refused.contains(&number) => {
                Err(io::Error::other("the disk took no sync"))
            }
            _ => self.file.sync_all(),
        }
    }
}

/// Passes everything on to another backend, but for some calls, which fail
/// without reaching it. Each item of an iteration counts as a call.
pub struct FailingBackend {
    inner: Box<dyn Backend>,
    refused: Range<u64>,
    calls: AtomicU64,
}

impl FailingBackend {
    /// `refused` are numbers of calls, from 0, of those that can fail.
    pub fn new(inner: Box<dyn Backend>, refused: Range<u64>) -> FailingBackend {
        FailingBackend { inner, refused, calls: AtomicU64::new(0) }
    }

    /// Calls so far.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    fn call(&self) -> Result<()> {
        let number = self.calls.fetch_add(1, Ordering::SeqCst);
        if !self.refused.contains(&number) {
            return Ok(());
        }
        let source = io::Error::other(format!("call {number} is refused"));
        Err(Error::Io { action: "use", path: self.inner.location(), source })
    }
}

// So that a method that gets a default can't be forgotten here.
#[deny(clippy::missing_trait_methods)]
impl Backend for FailingBackend {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn channels(&self) -> &[Channel] {
        self.inner.channels()
    }

    fn add_channel(&mut self, channel: Channel) -> Result<ChannelId> {
        self.call()?;
        self.inner.add_channel(channel)
    }

    fn write(&mut self, channel: ChannelId, sample: Sample) -> Result<()> {
        self.call()?;
        self.inner.write(channel, sample)
    }

    fn samples(&self, query: &Query) -> Result<Samples<'_>> {
        self.call()?;
        let samples = self.inner.samples(query)?;
        Ok(Box::new(samples.map(|item| self.call().and(item))))
    }

    fn samples_together<'a>(
        &'a self,
        query: &Query,
        together: &'a Together,
    ) -> Result<Samples<'a>> {
        self.call()?;
        let samples = self.inner.samples_together(query, together)?;
        Ok(Box::new(samples.map(|item| self.call().and(item))))
    }

    fn stats(&self) -> Result<Vec<ChannelStats>> {
        self.call()?;
        self.inner.stats()
    }

    fn facts(&self) -> &Facts {
        self.inner.facts()
    }

    fn set_facts(&mut self, facts: Facts) -> Result<()> {
        self.call()?;
        self.inner.set_facts(facts)
    }

    fn extras(&self) -> Extras<'_> {
        Box::new(self.inner.extras().map(|item| self.call().and(item)))
    }

    fn add_extra(&mut self, extra: Extra) -> Result<()> {
        self.call()?;
        self.inner.add_extra(extra)
    }

    fn integrity(&self) -> Integrity {
        self.inner.integrity()
    }

    fn check(&mut self) -> Result<Integrity> {
        self.call()?;
        self.inner.check()
    }

    fn flush(&mut self) -> Result<()> {
        self.call()?;
        self.inner.flush()
    }

    fn sync(&mut self) -> Result<()> {
        self.call()?;
        self.inner.sync()
    }

    fn close(&mut self) -> Result<()> {
        self.call()?;
        self.inner.close()
    }
}
