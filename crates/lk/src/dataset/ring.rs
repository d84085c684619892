//! The last samples of each key, in memory.

use std::collections::VecDeque;
use std::num::NonZeroUsize;

use bytes::Bytes;

use super::{Backend, Channel, ChannelId, ChannelStats, Facts, Integrity, Query, Sample, Samples};
use crate::error::{Error, Result};

/// Keeps the last samples of each key in memory, and drops the one that was
/// written first for each that is too many. Dropping takes constant time.
///
/// It is for what happened just before something: for whole recordings there
/// is [`Memory`](super::Memory), which reads many keys faster. Samples that were dropped
/// are counted, by [`Ring::dropped`], and are no loss of integrity.
#[derive(Debug)]
pub struct Ring {
    channels: Vec<Channel>,
    kept: Vec<Kept>,
    /// Of each key, in samples.
    length: NonZeroUsize,
    /// Samples ever written: their numbers break ties.
    written: u64,
    facts: Facts,
}

#[derive(Debug, Default)]
struct Kept {
    samples: VecDeque<(u64, Sample)>,
    dropped: u64,
}

impl Ring {
    /// An empty dataset that keeps at most `length` samples of each key.
    pub fn new(length: NonZeroUsize) -> Ring {
        let (channels, kept, facts) = (Vec::new(), Vec::new(), Facts::default());
        Ring { channels, kept, length, written: 0, facts }
    }

    /// Samples of this channel that were dropped; 0 where there is no such
    /// channel.
    pub fn dropped(&self, channel: ChannelId) -> u64 {
        self.kept.get(channel.0 as usize).map_or(0, |kept| kept.dropped)
    }
}

impl Backend for Ring {
    fn location(&self) -> String {
        "memory".to_owned()
    }

    fn channels(&self) -> &[Channel] {
        &self.channels
    }

    fn add_channel(&mut self, channel: Channel) -> Result<ChannelId> {
        let id = ChannelId(self.channels.len() as u32);
        self.channels.push(channel);
        self.kept.push(Kept::default());
        Ok(id)
    }

    fn write(&mut self, channel: ChannelId, sample: Sample) -> Result<()> {
        let count = self.channels.len();
        let Some(kept) = self.kept.get_mut(channel.0 as usize) else {
            let location = self.location();
            return Err(Error::UnknownChannel { channel: channel.0, count, location });
        };
        if kept.samples.len() == self.length.get() {
            kept.samples.pop_front();
            kept.dropped += 1;
        }
        // Copied: it may be a small part of a large piece of memory.
        let payload = Bytes::copy_from_slice(&sample.payload);
        kept.samples.push_back((self.written, Sample { payload, ..sample }));
        self.written += 1;
        Ok(())
    }

    fn samples(&self, query: &Query) -> Result<Samples<'_>> {
        let taken = |id: ChannelId| query.channels.as_ref().is_none_or(|ids| ids.contains(&id));
        let asked = |sample: &Sample| {
            query.start.is_none_or(|start| sample.time >= start)
                && query.end.is_none_or(|end| sample.time < end)
        };
        let mut found = Vec::new();
        for (id, kept) in (0..).map(ChannelId).zip(&self.kept).filter(|(id, _)| taken(*id)) {
            let samples = kept.samples.iter().filter(|(_, sample)| asked(sample));
            found.extend(samples.map(|(number, sample)| (sample.time, *number, id, sample)));
        }
        found.sort_unstable_by_key(|&(time, number, ..)| (time, number));
        Ok(Box::new(found.into_iter().map(|(.., id, sample)| Ok((id, sample.clone())))))
    }

    fn stats(&self) -> Result<Vec<ChannelStats>> {
        let of = |kept: &Kept| {
            let mut stats = ChannelStats::default();
            kept.samples.iter().for_each(|(_, sample)| stats.add(sample.time));
            stats
        };
        Ok(self.kept.iter().map(of).collect())
    }

    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn set_facts(&mut self, facts: Facts) -> Result<()> {
        self.facts = facts;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Encoding, ForeignEncoding, Role, conformance};
    use crate::time::Time;

    fn ring(length: usize) -> Ring {
        Ring::new(NonZeroUsize::new(length).unwrap())
    }

    fn add(ring: &mut Ring, key: &str) -> ChannelId {
        let encoding = Encoding::Foreign(ForeignEncoding::untyped("text"));
        let (key, role, metadata) = (key.to_owned(), Role::None, Default::default());
        ring.add_channel(Channel { key, encoding, role, metadata }).unwrap()
    }

    fn write(ring: &mut Ring, id: ChannelId, n: u32) {
        let time = Time::from_nanos(i64::from(n));
        let payload = Bytes::copy_from_slice(&n.to_le_bytes());
        let sample = Sample { time, publish_time: time, sequence: n, payload };
        ring.write(id, sample).unwrap();
    }

    fn sequences(ring: &Ring) -> Vec<(u32, u32)> {
        let samples = ring.samples(&Query::default()).unwrap();
        samples.map(|item| item.map(|(id, sample)| (id.0, sample.sequence)).unwrap()).collect()
    }

    #[test]
    fn a_ring_that_is_long_enough_conforms() {
        conformance::all(&conformance::Subject {
            create: &|| Box::new(ring(1 << 20)),
            reopen: &|backend| backend,
        });
    }

    #[test]
    fn a_ring_keeps_the_last_of_each_key_and_counts_the_others() {
        let mut ring = ring(3);
        let (a, b) = (add(&mut ring, "a"), add(&mut ring, "b"));
        write(&mut ring, b, 0);
        (1..=10).for_each(|n| write(&mut ring, a, n));
        write(&mut ring, b, 11);
        assert_eq!(sequences(&ring), [(1, 0), (0, 8), (0, 9), (0, 10), (1, 11)]);
        assert_eq!((ring.dropped(a), ring.dropped(b)), (7, 0));
        let stats = ring.stats().unwrap();
        assert_eq!((stats[0].count, stats[0].first), (3, Some(Time::from_nanos(8))));
    }

    #[test]
    fn a_million_samples_take_the_memory_of_the_last_thousand() {
        let mut ring = ring(1000);
        let (fast, slow) = (add(&mut ring, "fast"), add(&mut ring, "slow"));
        write(&mut ring, slow, 0);
        let mut capacity = 0;
        for n in 0..1_000_000 {
            write(&mut ring, fast, n);
            if n == 1000 {
                capacity = ring.kept[0].samples.capacity();
            }
        }
        assert_eq!(ring.kept[0].samples.capacity(), capacity);
        assert_eq!((ring.dropped(fast), ring.dropped(slow)), (999_000, 0));
        let kept = sequences(&ring);
        assert_eq!((kept.len(), kept[0], kept[1]), (1001, (1, 0), (0, 999_000)));
    }
}
