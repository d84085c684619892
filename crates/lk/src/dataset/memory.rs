//! Samples in memory.

use std::borrow::Cow;

use bytes::{Bytes, BytesMut};

use super::{
    Backend, Channel, ChannelId, ChannelStats, Extra, Extras, Facts, Integrity, Query, Sample,
    Samples,
};
use crate::error::{Error, Result};
use crate::time::Time;

/// The first block that holds a channel's payloads, and the largest one.
const BLOCK_BYTES: std::ops::RangeInclusive<usize> = 4 << 10..=1 << 20;

/// Samples in memory, in the order in which they were written.
///
/// Payloads are copied into blocks of up to 1 MiB, one series of blocks per
/// channel, so that a sample taken from a file doesn't keep a whole chunk of
/// that file alive ([`Memory::sharing`] keeps them as they are). Samples may be
/// written in any order of time.
#[derive(Debug, Default)]
pub struct Memory {
    channels: Vec<Channel>,
    buffers: Vec<Buffer>,
    /// Everything in the order of writing: the position is what breaks ties.
    log: Vec<(ChannelId, Sample)>,
    /// Whether no time in `log` runs back.
    ordered: bool,
    /// Whether payloads are kept as they are given.
    sharing: bool,
    facts: Facts,
    extras: Vec<Extra>,
}

#[derive(Debug, Default)]
struct Buffer {
    /// Positions in the log.
    positions: Vec<usize>,
    block: BytesMut,
    block_bytes: usize,
    stats: ChannelStats,
}

impl Memory {
    /// An empty dataset.
    pub fn new() -> Memory {
        Memory { ordered: true, ..Memory::default() }
    }

    /// An empty dataset that keeps payloads as they are given, not copied, with
    /// room for so many samples: for a writer that knows what memory payloads
    /// are part of, and how many will come.
    pub fn sharing(capacity: usize) -> Memory {
        Memory { sharing: true, log: Vec::with_capacity(capacity), ..Memory::new() }
    }

    fn positions(&self, query: &Query) -> Cow<'_, [usize]> {
        let mut positions = match query.channels.as_deref() {
            None => Cow::Owned((0..self.log.len()).collect()),
            Some([one]) => match self.buffers.get(one.0 as usize) {
                Some(buffer) => Cow::Borrowed(buffer.positions.as_slice()),
                None => Cow::Borrowed([].as_slice()),
            },
            Some(many) => {
                let mut ids = many.to_vec();
                ids.sort_unstable();
                ids.dedup();
                let buffers = ids.iter().filter_map(|id| self.buffers.get(id.0 as usize));
                let mut all: Vec<usize> = buffers.flat_map(|b| &b.positions).copied().collect();
                all.sort_unstable();
                Cow::Owned(all)
            }
        };
        if !self.ordered {
            // Stable: what was written first comes first within one time.
            positions.to_mut().sort_by_key(|&position| self.time(position));
        }
        positions
    }

    fn time(&self, position: usize) -> Time {
        self.log[position].1.time
    }
}

impl Buffer {
    fn copy(&mut self, payload: &[u8]) -> Bytes {
        if self.block.capacity() - self.block.len() < payload.len() {
            self.block_bytes =
                (self.block_bytes * 2).clamp(*BLOCK_BYTES.start(), *BLOCK_BYTES.end());
            self.block = BytesMut::with_capacity(self.block_bytes.max(payload.len()));
        }
        self.block.extend_from_slice(payload);
        self.block.split().freeze()
    }
}

impl Backend for Memory {
    fn location(&self) -> String {
        "memory".to_owned()
    }

    fn channels(&self) -> &[Channel] {
        &self.channels
    }

    fn add_channel(&mut self, channel: Channel) -> Result<ChannelId> {
        let id = ChannelId(self.channels.len() as u32);
        self.channels.push(channel);
        self.buffers.push(Buffer::default());
        Ok(id)
    }

    fn write(&mut self, channel: ChannelId, sample: Sample) -> Result<()> {
        let count = self.channels.len();
        let Some(buffer) = self.buffers.get_mut(channel.0 as usize) else {
            let location = self.location();
            return Err(Error::UnknownChannel { channel: channel.0, count, location });
        };
        let payload = if self.sharing { sample.payload } else { buffer.copy(&sample.payload) };
        buffer.stats.add(sample.time);
        buffer.positions.push(self.log.len());
        self.ordered &= self.log.last().is_none_or(|(_, last)| last.time <= sample.time);
        self.log.push((channel, Sample { payload, ..sample }));
        Ok(())
    }

    fn samples(&self, query: &Query) -> Result<Samples<'_>> {
        let positions = self.positions(query);
        let from = |bound: Time| positions.partition_point(|&position| self.time(position) < bound);
        let start = query.start.map_or(0, from);
        let end = query.end.map_or(positions.len(), from).max(start);
        let sample = |position: usize| Ok(self.log[position].clone());
        Ok(match positions {
            Cow::Borrowed(positions) => {
                Box::new(positions[start..end].iter().map(move |&position| sample(position)))
            }
            Cow::Owned(mut positions) => {
                positions.truncate(end);
                Box::new(positions.into_iter().skip(start).map(sample))
            }
        })
    }

    fn stats(&self) -> Result<Vec<ChannelStats>> {
        Ok(self.buffers.iter().map(|buffer| buffer.stats).collect())
    }

    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn set_facts(&mut self, facts: Facts) -> Result<()> {
        self.facts = facts;
        Ok(())
    }

    fn extras(&self) -> Extras<'_> {
        Box::new(self.extras.iter().cloned().map(Ok))
    }

    fn add_extra(&mut self, extra: Extra) -> Result<()> {
        self.extras.push(extra);
        Ok(())
    }

    fn integrity(&self) -> Integrity {
        Integrity { verified: true, ..Integrity::default() }
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }

    fn sync(&mut self) -> Result<()> {
        Ok(())
    }

    /// Nothing to end: memory stays readable and writable.
    fn close(&mut self) -> Result<()> {
        Ok(())
    }
}
