//! From a message to the pair that it is in.

use std::ops::Range;

/// From a message's position on one side to its pair.
pub(crate) enum Lookup {
    /// The n-th is in the n-th, for the first so many.
    Prefix(usize),
    /// So many messages from a position on, and the pair that the first is in;
    /// in ascending order.
    Listed(Vec<(usize, usize, usize)>),
    /// Messages that any number of pairs draw on, or none.
    Span(Range<usize>),
}

impl Lookup {
    /// The ordinal of the pair that the message is in, where it is in one.
    pub(crate) fn ordinal(&self, position: usize) -> Option<usize> {
        match self {
            Lookup::Prefix(n) => (position < *n).then_some(position),
            Lookup::Listed(stretches) => {
                let after = stretches.partition_point(|(first, ..)| *first <= position);
                let (first, len, ordinal) = *stretches.get(after.checked_sub(1)?)?;
                (position - first < len).then_some(ordinal + position - first)
            }
            Lookup::Span(_) => None,
        }
    }

    /// Whether the message was left alone.
    pub(crate) fn is_alone(&self, position: usize) -> bool {
        match self {
            Lookup::Span(span) => !span.contains(&position),
            _ => self.ordinal(position).is_none(),
        }
    }
}
