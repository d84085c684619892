//! Recorded messages by key.

mod backend;

pub use backend::{
    Backend, Channel, ChannelId, ChannelStats, Encoding, Facts, ForeignEncoding, Integrity, Query,
    Role, Sample, Samples, SequenceMeaning,
};

/// Recorded messages by key, over a [`Backend`].
pub struct Dataset {
    #[expect(dead_code, reason = "reading and writing come next")]
    backend: Box<dyn Backend>,
}
