//! Memory of chunks that nobody looks at any more, for those that come next.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use bytes::{Bytes, BytesMut};

/// Bytes that are kept for reuse, at most. That is a few chunks of usual
/// size: the one that each of two readers is in, and the one before.
const KEPT_BYTES: usize = 6 << 20;

/// Less is not worth it, and thousands of chunks of some bytes would have to be
/// looked through.
const LEAST_BYTES: usize = 64 << 10;

/// Memory that was lent, to be used again once all slices of it are gone. Fresh
/// memory comes from the system page by page, which takes a good part of the
/// time that it takes to unpack into it.
#[derive(Default)]
pub(super) struct Recycled {
    /// The oldest first.
    lent: Mutex<VecDeque<Bytes>>,
}

impl Recycled {
    /// Memory of at least `len` bytes that is in use no more, with what was in
    /// it; nothing where there is none.
    pub(super) fn take(&self, len: usize) -> Option<Vec<u8>> {
        let mut lent = self.lent.lock().unwrap_or_else(PoisonError::into_inner);
        let free = lent.iter().position(Bytes::is_unique)?;
        let bytes = lent.remove(free)?;
        drop(lent);
        let buffer = bytes.try_into_mut().map(|bytes: BytesMut| Vec::from(bytes)).ok()?;
        (buffer.capacity() >= len).then_some(buffer)
    }

    /// Lends memory out. It may be used again once all clones are gone.
    pub(super) fn lend(&self, buffer: Vec<u8>) -> Bytes {
        let bytes = Bytes::from(buffer);
        if !(LEAST_BYTES..=KEPT_BYTES).contains(&bytes.len()) {
            return bytes;
        }
        let mut lent = self.lent.lock().unwrap_or_else(PoisonError::into_inner);
        lent.push_back(bytes.clone());
        let mut all: usize = lent.iter().map(Bytes::len).sum();
        while all > KEPT_BYTES
            && let Some(oldest) = lent.pop_front()
        {
            all -= oldest.len();
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_used_again_once_no_slice_of_it_is_left() {
        let recycled = Recycled::default();
        const LEN: usize = LEAST_BYTES;
        drop(recycled.lend(vec![1; LEN - 1]));
        assert_eq!(recycled.take(1), None);
        let lent = recycled.lend(vec![1; LEN]);
        let at = lent.as_ptr();
        let slice = lent.slice(10..20);
        drop(lent);
        assert_eq!(recycled.take(LEN), None);
        assert_eq!(slice[..], [1; 10]);
        drop(slice);
        let again = recycled.take(LEN).unwrap();
        assert_eq!(again.as_ptr(), at);
        assert_eq!(recycled.take(LEN), None);
        drop(recycled.lend(again));
        // Too small, so that it goes.
        assert_eq!(recycled.take(LEN + 1), None);
        assert_eq!(recycled.take(1), None);
    }

    #[test]
    fn no_more_is_kept_than_a_few_chunks() {
        let recycled = Recycled::default();
        drop(recycled.lend(vec![0; KEPT_BYTES + 1]));
        assert_eq!(recycled.take(1), None);
        for _ in 0..10 {
            drop(recycled.lend(vec![0; KEPT_BYTES / 3]));
        }
        let kept = std::iter::from_fn(|| recycled.take(1)).count();
        assert_eq!(kept, 3);
    }
}
