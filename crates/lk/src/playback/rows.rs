//! Ticks of a dataset row by row: the first sample of each key, the second.

use std::collections::VecDeque;

use super::player::{Message, Tick};
use crate::dataset::{ChannelId, Dataset, Sample};
use crate::error::Result;
use crate::time::Time;

/// Samples of each key that are read ahead.
const AHEAD: u64 = 4096;

pub(super) struct Rows {
    keys: Vec<Key>,
    /// The next row.
    row: u64,
}

struct Key {
    id: ChannelId,
    ahead: VecDeque<Sample>,
    /// The row after those that were read.
    read: u64,
    ended: bool,
}

impl Rows {
    pub(super) fn new(channels: &[ChannelId]) -> Rows {
        let key = |id: &ChannelId| Key { id: *id, ahead: VecDeque::new(), read: 0, ended: false };
        Rows { keys: channels.iter().map(key).collect(), row: 0 }
    }

    pub(super) fn seek(&mut self, row: u64) {
        self.row = row;
        for key in &mut self.keys {
            key.ahead.clear();
            (key.read, key.ended) = (row, false);
        }
    }

    pub(super) fn row(&self) -> u64 {
        self.row
    }

    /// The next row, at the time that its first key has in it.
    pub(super) fn next(&mut self, dataset: &Dataset) -> Result<Option<Tick>> {
        let mut messages = Vec::new();
        for (n, key) in self.keys.iter_mut().enumerate() {
            if key.ahead.is_empty() && !key.ended {
                let name = &dataset.channels()[key.id.0 as usize].key;
                let view = dataset.channel(name)?.slice(key.read..key.read + AHEAD);
                for sample in view.samples()? {
                    key.ahead.push_back(sample?);
                    key.read += 1;
                }
                key.ended = (key.ahead.len() as u64) < AHEAD;
            }
            messages.extend(key.ahead.pop_front().map(|sample| Message { key: n, sample }));
        }
        let time = messages.first().map_or(Time::ZERO, |message| message.sample.time);
        self.row += u64::from(!messages.is_empty());
        Ok((!messages.is_empty()).then_some(Tick { time, messages }))
    }
}
