//! Which value to offer a type that refused the ones before.
//!
//! A type may check itself: `NonZeroU32` takes no 0, a range wants its
//! minimum below its maximum, a unit quaternion one component of 1. No list
//! of values fits all, so a refused node has all its leaves tried together:
//! all 0, all 1, rising, falling, a single 1 in each place, then others.

/// After so many refusals at one node, tracing gives up.
pub(super) const ATTEMPTS: u32 = 48;

const SINGLE_FROM: u32 = 4;
const SINGLE_TO: u32 = 24;
const OTHERS: [f64; 9] = [2.0, 0.5, -1.0, 10.0, 100.0, 5.0, 16.0, 64.0, 1000.0];
const TEXTS: [&str; 11] = [
    "",
    "a",
    "1",
    "a/b",
    "A",
    "lk",
    "2000-01-01T00:00:00Z",
    "00000000-0000-0000-0000-000000000001",
    "http://localhost/",
    "127.0.0.1",
    "aaaaaaaa",
];
const FIRST_LENGTHS: [usize; 4] = [1, 2, 3, 0];
const LAST_LENGTHS: [usize; 11] = [36, 48, 64, 100, 128, 256, 512, 1024, 81, 60, 40];

/// The number for the `ordinal`-th leaf below the node that was refused
/// `attempt` times.
pub(super) fn number(attempt: u32, ordinal: u32) -> f64 {
    match attempt {
        0 => 0.0,
        1 => 1.0,
        2 => f64::from(ordinal),
        3 => 100.0 - f64::from(ordinal),
        SINGLE_FROM..SINGLE_TO => f64::from(u8::from(ordinal == attempt - SINGLE_FROM)),
        _ => OTHERS[(attempt - SINGLE_TO) as usize % OTHERS.len()],
    }
}

pub(super) fn text(attempt: u32) -> &'static str {
    TEXTS[attempt as usize % TEXTS.len()]
}

pub(super) fn character(attempt: u32) -> char {
    ['a', '0', 'A', ' ', '/', '_'][attempt as usize % 6]
}

/// How many elements or bytes: all small numbers, then what is common.
pub(super) fn length(attempt: u32) -> usize {
    match attempt as usize {
        attempt @ 0..=3 => FIRST_LENGTHS[attempt],
        attempt @ 4..=32 => attempt,
        attempt => LAST_LENGTHS[attempt % LAST_LENGTHS.len()],
    }
}
