//! A dataset that Python holds, as a recorder writes to it.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use lk::dataset::{
    Backend, Channel, ChannelId, ChannelStats, Facts, Integrity, Query, Sample, Samples,
};
use lk::recorder::RecorderStats;
use lk::{Dataset, Error, Result};

use crate::recording;

/// Writes to a dataset that others write to as well, and that outlives it.
pub(crate) struct Behind {
    dataset: Arc<RwLock<Dataset>>,
    /// As the recorder numbers them, and what they are in the dataset.
    channels: Vec<Channel>,
    ids: Vec<ChannelId>,
    /// None but those that are given: the dataset keeps its own.
    facts: Facts,
}

impl Behind {
    pub(crate) fn new(dataset: Arc<RwLock<Dataset>>) -> Behind {
        Behind { dataset, channels: Vec::new(), ids: Vec::new(), facts: Facts::default() }
    }

    fn read(&self) -> RwLockReadGuard<'_, Dataset> {
        self.dataset.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_lock(&self) -> RwLockWriteGuard<'_, Dataset> {
        self.dataset.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn id(&self, channel: ChannelId) -> Result<ChannelId> {
        self.ids.get(channel.0 as usize).copied().ok_or_else(|| Error::UnknownChannel {
            channel: channel.0,
            count: self.ids.len(),
            location: self.location(),
        })
    }
}

impl Backend for Behind {
    fn location(&self) -> String {
        self.read().location()
    }

    fn channels(&self) -> &[Channel] {
        &self.channels
    }

    fn add_channel(&mut self, channel: Channel) -> Result<ChannelId> {
        let id = recording::find_or_add(&mut self.write_lock(), channel.clone())?;
        let own = ChannelId(self.ids.len() as u32);
        self.channels.push(channel);
        self.ids.push(id);
        Ok(own)
    }

    fn write(&mut self, channel: ChannelId, sample: Sample) -> Result<()> {
        let id = self.id(channel)?;
        // Numbered by the dataset, in which others may have written to the key.
        self.write_lock().write_payload(id, sample.payload, sample.time).map(drop)
    }

    fn samples(&self, _: &Query) -> Result<Samples<'_>> {
        let (reason, location) = ("it is being recorded to", self.location());
        Err(Error::State { action: "read", reason, location })
    }

    fn stats(&self) -> Result<Vec<ChannelStats>> {
        let stats = self.read().stats()?;
        let own = self.ids.iter().map(|id| stats.get(id.0 as usize).copied().unwrap_or_default());
        Ok(own.collect())
    }

    fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Adds the facts to those of the dataset, and the counts to those of the
    /// recorders before.
    fn set_facts(&mut self, facts: Facts) -> Result<()> {
        let mut dataset = self.write_lock();
        let mut all = dataset.facts().clone();
        for (name, text) in facts.entries {
            let text = match all.entries.get(&name) {
                Some(before) if name == Facts::RECORDER => sum(before, &text).unwrap_or(text),
                _ => text,
            };
            all.entries.insert(name, text);
        }
        dataset.set_facts(all)
    }

    fn integrity(&self) -> Integrity {
        self.read().integrity()
    }

    fn flush(&mut self) -> Result<()> {
        self.write_lock().flush()
    }

    fn sync(&mut self) -> Result<()> {
        self.write_lock().sync()
    }

    /// The dataset stays open: it is its owner's.
    fn close(&mut self) -> Result<()> {
        self.flush()
    }
}

/// The counts of two recorders as one's; a key that both recorded has no rate.
fn sum(a: &str, b: &str) -> Option<String> {
    let mut sum: RecorderStats = serde_json::from_str(a).ok()?;
    let other: RecorderStats = serde_json::from_str(b).ok()?;
    for (name, key) in other.keys {
        let both = sum.keys.contains_key(&name);
        let counts = sum.keys.entry(name).or_default();
        counts.offered += key.offered;
        counts.written += key.written;
        counts.skipped += key.skipped;
        counts.dropped += key.dropped;
        counts.rate_hz = if both { None } else { key.rate_hz };
    }
    serde_json::to_string(&sum).ok()
}
