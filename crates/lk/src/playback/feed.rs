//! Ticks of a dataset by time, read ahead a piece at a time.

use std::collections::VecDeque;

use super::player::{Message, Tick};
use super::{Order, PlaybackConfig};
use crate::dataset::{ChannelId, Dataset, Query, Sample};
use crate::error::Result;
use crate::time::Time;

/// Samples and bytes read ahead. A piece ends with whichever comes first; to
/// go on in a file is to unpack the chunk again in which it ended.
const AHEAD_SAMPLES: usize = 65_536;
const AHEAD_BYTES: usize = 16 << 20;

/// What is left to play, in order.
pub(super) struct Feed {
    channels: Vec<ChannelId>,
    order: Order,
    until: Option<Time>,
    ahead: VecDeque<(usize, Sample)>,
    /// The next tick, whole before its time comes: nothing is read then.
    ready: Option<Tick>,
    /// Where reading goes on: at this time, but for so many samples of it.
    from: Option<Time>,
    done_there: usize,
    /// Everything was read.
    ended: bool,
}

impl Feed {
    pub(super) fn new(channels: &[ChannelId], config: &PlaybackConfig) -> Feed {
        Feed {
            channels: channels.to_vec(),
            order: config.order,
            until: config.until,
            ahead: VecDeque::new(),
            ready: None,
            from: None,
            done_there: 0,
            ended: false,
        }
    }

    /// Goes on from the first sample at or after `time`; from the first of all
    /// where `None`.
    pub(super) fn seek(&mut self, time: Option<Time>) {
        self.ahead.clear();
        self.ready = None;
        self.from = time;
        self.done_there = 0;
        self.ended = false;
    }

    /// The time of the next tick.
    pub(super) fn peek(&mut self, dataset: &Dataset) -> Result<Option<Time>> {
        if self.ready.is_none() {
            self.ready = self.gather(dataset)?;
        }
        Ok(self.ready.as_ref().map(|tick| tick.time))
    }

    /// All samples of the next time.
    pub(super) fn next(&mut self, dataset: &Dataset) -> Result<Option<Tick>> {
        self.peek(dataset)?;
        Ok(self.ready.take())
    }

    fn gather(&mut self, dataset: &Dataset) -> Result<Option<Tick>> {
        self.fill(dataset)?;
        let Some((_, first)) = self.ahead.front() else { return Ok(None) };
        let time = self.order.time(first);
        let mut messages = Vec::new();
        while let Some((key, sample)) = self.ahead.pop_front() {
            messages.push(Message { key, sample });
            self.fill(dataset)?;
            if self.ahead.front().is_none_or(|(_, next)| self.order.time(next) != time) {
                break;
            }
        }
        Ok(Some(Tick { time, messages }))
    }

    fn fill(&mut self, dataset: &Dataset) -> Result<()> {
        if !self.ahead.is_empty() || self.ended {
            return Ok(());
        }
        let channels = Some(self.channels.clone());
        let key_of = |id: ChannelId| self.channels.iter().position(|known| *known == id);
        if self.order == Order::Publish {
            let mut all: Vec<(usize, Sample)> = Vec::new();
            for item in dataset.samples(&Query { channels, ..Query::default() })? {
                let (id, sample) = item?;
                all.extend(key_of(id).map(|key| (key, sample)));
            }
            // Stable: what was recorded first comes first within one time.
            all.sort_by_key(|(_, sample)| sample.publish_time);
            let (from, until) = (self.from.unwrap_or(Time::MIN), self.until);
            all.retain(|(_, sample)| {
                sample.publish_time >= from && until.is_none_or(|end| sample.publish_time < end)
            });
            self.ahead = all.into();
            self.ended = true;
            return Ok(());
        }
        let query = Query { channels, start: self.from, end: self.until };
        let mut bytes = 0;
        let mut samples = dataset.samples(&query)?.skip(self.done_there);
        loop {
            let Some(item) = samples.next() else {
                self.ended = true;
                break;
            };
            let (id, sample) = item?;
            match self.from {
                Some(time) if time == sample.time => self.done_there += 1,
                _ => (self.from, self.done_there) = (Some(sample.time), 1),
            }
            bytes += sample.payload.len();
            self.ahead.extend(key_of(id).map(|key| (key, sample)));
            if self.ahead.len() >= AHEAD_SAMPLES || bytes >= AHEAD_BYTES {
                break;
            }
        }
        Ok(())
    }
}
