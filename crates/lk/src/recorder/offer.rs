//! Messages that are counted before they are made.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::queue::Item;
use super::{Key, Shared, Stamp};
use crate::component::AnyMsg;

/// A message that was offered, counted and not skipped, and is yet to be made:
/// for those that cost something to make, or whose producer can't wait just
/// anywhere.
///
/// ```
/// use std::sync::Arc;
/// use lk::recorder::{Recorder, RecorderConfig, Target};
/// use lk::{Dataset, Time};
///
/// let config = RecorderConfig { sample_every_n: 10, ..RecorderConfig::default() };
/// let mut recorder = Recorder::new(Target::Dataset(Dataset::memory()), config)?;
/// let (key, feeder) = (recorder.key("image"), recorder.feeder());
/// let mut made = 0;
/// for n in 0..100 {
///     if let Some(offer) = feeder.offer(&key)? {
///         made += 1;
///         offer.put(Arc::new(vec![0_u8; 1000]), Time::from_nanos(n));
///     }
/// }
/// assert_eq!((made, recorder.close()?.1.keys["image"].written), (10, 10));
/// # Ok::<(), lk::Error>(())
/// ```
///
/// One that is let go of counts as dropped.
#[must_use = "an offer without a message counts as dropped"]
pub struct Offer<'a> {
    shared: &'a Shared,
    key: &'a Key,
    is_put: bool,
}

impl<'a> Offer<'a> {
    pub(super) fn new(shared: &'a Shared, key: &'a Key) -> Offer<'a> {
        Offer { shared, key, is_put: false }
    }

    /// Puts the message into the queue, and waits for a place where the config
    /// says so. Returns whether it was taken, not dropped.
    pub fn put(mut self, message: Arc<dyn AnyMsg>, stamp: impl Into<Stamp>) -> bool {
        self.push(message, stamp.into(), None).unwrap_or(false)
    }

    /// As [`Offer::put`], and waits no longer than `patience`.
    ///
    /// # Errors
    /// The offer itself, where the queue is still full then.
    pub fn put_within(
        mut self,
        message: Arc<dyn AnyMsg>,
        stamp: impl Into<Stamp>,
        patience: Duration,
    ) -> Result<bool, Offer<'a>> {
        self.push(message, stamp.into(), Some(patience)).ok_or(self)
    }

    fn push(
        &mut self,
        message: Arc<dyn AnyMsg>,
        stamp: Stamp,
        patience: Option<Duration>,
    ) -> Option<bool> {
        let item = Item { key: self.key.place, stamp, message, size: 0 };
        let overflow = self.shared.config.overflow;
        let taken = self.shared.queue.push(item, &self.key.counts, overflow, patience);
        self.is_put = taken.is_some();
        taken
    }
}

impl Drop for Offer<'_> {
    fn drop(&mut self) {
        if !self.is_put {
            self.key.counts.dropped.fetch_add(1, Relaxed);
        }
    }
}
