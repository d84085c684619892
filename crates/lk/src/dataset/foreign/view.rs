//! A dataset whose foreign channels read as if they were CDR.

use super::{Decoders, survey};
use crate::dataset::{
    Backend, Channel, ChannelId, ChannelStats, Dataset, Extra, Extras, Facts, Integrity, Query,
    Sample, Samples,
};
use crate::error::{Error, Result};

impl Dataset {
    /// This dataset with its foreign channels decoded where lk can decode
    /// them, to be shown or converted; reads all messages of those channels
    /// once, to find their types. The rest stays as it is, with the reason in
    /// its encoding.
    ///
    /// A message that can't be decoded is an error of the iteration. Nothing
    /// can be written: copying it would not keep the payloads.
    pub fn decoded(self) -> Dataset {
        let [decoders] = survey([&self]);
        let ids = (0..).map(ChannelId);
        let channels = ids.zip(self.channels()).map(|(id, channel)| {
            let encoding = decoders.encoding(id, channel);
            Channel { encoding, ..channel.clone() }
        });
        let channels = channels.collect();
        Dataset::with_backend(Box::new(Decoded { inner: self, decoders, channels }))
    }
}

struct Decoded {
    inner: Dataset,
    decoders: Decoders,
    channels: Vec<Channel>,
}

impl Decoded {
    fn read_only<T>(&self) -> Result<T> {
        let reason = "it is a decoded view of another dataset";
        Err(Error::State { action: "write to", reason, location: self.location() })
    }
}

impl Backend for Decoded {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn channels(&self) -> &[Channel] {
        &self.channels
    }

    fn add_channel(&mut self, _: Channel) -> Result<ChannelId> {
        self.read_only()
    }

    fn write(&mut self, _: ChannelId, _: Sample) -> Result<()> {
        self.read_only()
    }

    fn samples(&self, query: &Query) -> Result<Samples<'_>> {
        let decode = |(id, sample): (ChannelId, Sample)| {
            let Some(decoder) = self.decoders.get(id) else { return Ok((id, sample)) };
            match decoder.decode(&sample.payload) {
                Ok(payload) => Ok((id, Sample { payload: payload.into(), ..sample })),
                Err(Error::Foreign { encoding, key, reason, .. }) => {
                    Err(Error::Foreign { encoding, key, time: Some(sample.time), reason })
                }
                Err(other) => Err(other),
            }
        };
        let samples = self.inner.samples(query)?;
        Ok(Box::new(samples.map(move |item| item.and_then(decode))))
    }

    fn stats(&self) -> Result<Vec<ChannelStats>> {
        self.inner.stats()
    }

    fn facts(&self) -> &Facts {
        self.inner.facts()
    }

    fn set_facts(&mut self, _: Facts) -> Result<()> {
        self.read_only()
    }

    fn extras(&self) -> Extras<'_> {
        self.inner.extras()
    }

    fn add_extra(&mut self, _: Extra) -> Result<()> {
        self.read_only()
    }

    fn integrity(&self) -> Integrity {
        self.inner.integrity()
    }

    fn check(&mut self) -> Result<Integrity> {
        self.inner.check()
    }

    fn flush(&mut self) -> Result<()> {
        self.read_only()
    }

    fn sync(&mut self) -> Result<()> {
        self.read_only()
    }

    fn close(&mut self) -> Result<()> {
        self.read_only()
    }
}
