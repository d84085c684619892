//! One channel of a dataset, or a part of it.

use std::ops::{Bound, RangeBounds};

use serde::de::DeserializeOwned;

use super::{Channel, ChannelId, ChannelStats, Dataset, Encoding, Query, Sample};
use crate::codec::Plan;
use crate::error::{Error, Result};
use crate::schema::Schema;
use crate::time::Time;
use crate::value::Value;

/// One channel of a dataset, or the part of it that lies between two times
/// and two indices. Cheap to copy; reads when asked.
///
/// ```
/// use lk::dataset::{Channel, Dataset, Encoding, ForeignEncoding, Role};
/// use lk::Time;
/// # fn main() -> lk::Result<()> {
/// let mut dataset = Dataset::memory();
/// let id = dataset.add_channel(Channel {
///     key: "note".into(),
///     encoding: Encoding::Foreign(ForeignEncoding::untyped("text")),
///     role: Role::None,
///     metadata: Default::default(),
/// })?;
/// for n in 0..10 {
///     dataset.write_payload(id, n.to_string(), Time::from_nanos(100 * n))?;
/// }
/// let middle = dataset.channel("note")?.between(Time::from_nanos(300)..).slice(1..3);
/// assert_eq!(middle.timestamps()?, [400, 500].map(Time::from_nanos));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ChannelView<'a> {
    dataset: &'a Dataset,
    id: ChannelId,
    start: Option<Time>,
    end: Option<Time>,
    skip: u64,
    take: Option<u64>,
}

impl<'a> ChannelView<'a> {
    pub(super) fn new(dataset: &'a Dataset, id: ChannelId) -> ChannelView<'a> {
        ChannelView { dataset, id, start: None, end: None, skip: 0, take: None }
    }

    /// Its number in the dataset.
    pub fn id(&self) -> ChannelId {
        self.id
    }

    /// The channel itself.
    pub fn channel(&self) -> &'a Channel {
        &self.dataset.channels()[self.id.0 as usize]
    }

    /// Its key.
    pub fn key(&self) -> &'a str {
        &self.channel().key
    }

    /// Its type.
    ///
    /// # Errors
    /// [`Error::Opaque`] where lk passes the payloads through undecoded.
    pub fn schema(&self) -> Result<&'a Schema> {
        match &self.channel().encoding {
            Encoding::Cdr(schema) => Ok(schema),
            Encoding::Foreign(foreign) => Err(Error::Opaque {
                key: self.key().to_owned(),
                reason: foreign.reason.clone(),
                location: self.dataset.location(),
            }),
        }
    }

    /// Count and extent of the whole channel, whatever part this view is.
    ///
    /// # Errors
    /// Where a file has no usable index and reading it fails.
    pub fn stats(&self) -> Result<ChannelStats> {
        Ok(self.dataset.stats()?.get(self.id.0 as usize).copied().unwrap_or_default())
    }

    /// The part between two times. Applied before any slicing by index.
    pub fn between(self, times: impl RangeBounds<Time>) -> ChannelView<'a> {
        let after = |time: Time| time + crate::Span::from_nanos(1);
        let start = match times.start_bound() {
            Bound::Included(&time) => Some(time),
            Bound::Excluded(&time) => Some(after(time)),
            Bound::Unbounded => None,
        };
        let end = match times.end_bound() {
            // Nothing comes after the last time, so that it needs no end.
            Bound::Included(&Time::MAX) | Bound::Unbounded => None,
            Bound::Included(&time) => Some(after(time)),
            Bound::Excluded(&time) => Some(time),
        };
        let start = [self.start, start].into_iter().flatten().max();
        let end = [self.end, end].into_iter().flatten().min();
        ChannelView { start, end, ..self }
    }

    /// The samples at these positions of the view, from 0; fewer where it has
    /// fewer.
    pub fn slice(self, indices: impl RangeBounds<u64>) -> ChannelView<'a> {
        let first = match indices.start_bound() {
            Bound::Included(&index) => index,
            Bound::Excluded(&index) => index.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let end = match indices.end_bound() {
            Bound::Included(&index) => Some(index.saturating_add(1)),
            Bound::Excluded(&index) => Some(index),
            Bound::Unbounded => None,
        };
        let wanted = end.map(|end| end.saturating_sub(first));
        let there = self.take.map(|take| take.saturating_sub(first));
        let take = [wanted, there].into_iter().flatten().min();
        ChannelView { skip: self.skip.saturating_add(first), take, ..self }
    }

    /// The samples, still encoded, in time order.
    ///
    /// # Errors
    /// As [`Dataset::samples`].
    pub fn samples(&self) -> Result<impl Iterator<Item = Result<Sample>> + Send + use<'a>> {
        let query = Query { channels: Some(vec![self.id]), start: self.start, end: self.end };
        let skip = usize::try_from(self.skip).unwrap_or(usize::MAX);
        let take = self.take.and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
        let samples = self.dataset.samples(&query)?;
        Ok(samples.map(|item| item.map(|(_, sample)| sample)).skip(skip).take(take))
    }

    /// The samples decoded, with their times, in time order.
    ///
    /// # Errors
    /// [`Error::Opaque`] where lk can't decode them; as [`Dataset::samples`].
    pub fn values(&self) -> Result<impl Iterator<Item = Result<(Time, Value)>> + Send + use<'a>> {
        let plan = Plan::new(self.schema()?);
        let decode = move |sample: Sample| Ok((sample.time, plan.decode(&sample.payload)?));
        Ok(self.samples()?.map(move |item| item.and_then(&decode)))
    }

    /// The samples decoded as a Rust type, with their times, in time order.
    ///
    /// # Errors
    /// As [`ChannelView::values`]; a sample whose message is not of the Rust
    /// type is an error of the iteration.
    pub fn typed<T: DeserializeOwned>(
        &self,
    ) -> Result<impl Iterator<Item = Result<(Time, T)>> + Send + use<'a, T>> {
        let plan = Plan::new(self.schema()?);
        let decode = move |sample: Sample| Ok((sample.time, plan.decode_typed(&sample.payload)?));
        Ok(self.samples()?.map(move |item| item.and_then(&decode)))
    }

    /// The times of the samples, in order.
    ///
    /// # Errors
    /// As [`Dataset::samples`], and whatever reading brings.
    pub fn timestamps(&self) -> Result<Vec<Time>> {
        self.samples()?.map(|item| item.map(|sample| sample.time)).collect()
    }
}
