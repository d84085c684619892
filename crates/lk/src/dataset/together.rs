//! What datasets share that are read at the same time.

use std::sync::Arc;

use super::mcap::Twins;
use crate::pool::Pool;

/// What datasets share that are read at the same time: threads that unpack
/// what comes next, and chunks of files that are the same in both.
///
/// ```
/// use lk::Dataset;
/// use lk::dataset::{Query, Together};
/// # fn main() -> lk::Result<()> {
/// # let (a, b) = (Dataset::memory(), Dataset::memory());
/// let together = Together::new(2);
/// let a = a.samples_together(&Query::default(), &together)?;
/// let b = b.samples_together(&Query::default(), &together)?;
/// assert_eq!(a.zip(b).count(), 0);
/// # Ok(())
/// # }
/// ```
pub struct Together {
    pool: Pool,
    twins: Arc<Twins>,
}

impl Together {
    /// With so many threads, the caller's among them; 0 is taken for 1.
    pub fn new(threads: usize) -> Together {
        Together { pool: Pool::new(threads), twins: Arc::new(Twins::new(threads)) }
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    pub(crate) fn twins(&self) -> &Arc<Twins> {
        &self.twins
    }
}
