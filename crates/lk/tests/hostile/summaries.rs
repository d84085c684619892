//! Summaries and footers that say other than the file has.

use super::draft::{
    Chunk, PAYLOAD, channel, definitions, footer, head, message, record, schema, statistics, summed,
};
use super::{good, good_chunk};
use crate::{Case, case};

pub(super) fn cases() -> Vec<Case> {
    let chunk = || Chunk::new(&good(), 1, 2);
    let tail = |offset: u64, counts: &[(u16, u64)]| {
        [definitions(), statistics(1, 1, counts), chunk().index(offset, &[1])].concat()
    };
    let closed_at = |start: fn(usize) -> u64| {
        let mut bytes = head();
        bytes.extend(good_chunk());
        bytes.extend(record(0x0f, &[0; 4]));
        let at = start(bytes.len());
        bytes.extend(footer(at, &[]));
        bytes
    };
    let with_index = |make: &dyn Fn(u64) -> Vec<u8>| {
        summed(&[chunk()], |at| [definitions(), statistics(1, 1, &[(1, 2)]), make(at[0])].concat())
    };
    vec![
        case("the summary begins past the end", closed_at(|_| u64::MAX), "points past itself"),
        case("the summary begins at 2^40", closed_at(|_| 1 << 40), "points past itself"),
        case("the summary begins in the chunk", closed_at(|_| 60), "2 samples"),
        case("the summary is the whole file", closed_at(|_| 8), "2 samples"),
        case("the summary begins at the first byte", closed_at(|_| 1), "2 samples"),
        case("the summary is the footer", closed_at(|at| at as u64), "2 samples"),
        case(
            "a summary that tells the truth",
            summed(&[chunk()], |at| tail(at[0], &[(1, 2)])),
            "2 samples; 1 channels; key \"a\"; compared with itself Identical; counted 2",
        ),
        case(
            "counts of 2^64-1",
            summed(&[chunk()], |at| tail(at[0], &[(1, u64::MAX)])),
            "the summary counts",
        ),
        case(
            "counts that overflow",
            summed(&[chunk()], |at| tail(at[0], &[(1, u64::MAX), (2, 3)])),
            "2 samples",
        ),
        case(
            "counts of more than there are",
            summed(&[chunk()], |at| tail(at[0], &[(1, 5)])),
            "the summary counts",
        ),
        case(
            "counts of fewer than there are",
            summed(&[chunk()], |at| tail(at[0], &[(1, 1)])),
            "the summary counts",
        ),
        case(
            "counts of an unknown channel",
            summed(&[chunk()], |at| tail(at[0], &[(1, 2), (9, 0)])),
            "2 samples",
        ),
        case("an index past the end", with_index(&|_| chunk().index(u64::MAX, &[1])), "2 samples"),
        case(
            "an index into another record",
            with_index(&|at| chunk().index(at + 3, &[1])),
            "runs into the next chunk",
        ),
        case(
            "two indexes of one chunk",
            with_index(&|at| [chunk().index(at, &[1]), chunk().index(at, &[1])].concat()),
            "2 samples",
        ),
        case(
            "an index with other times",
            with_index(&|at| Chunk::new(&good(), 5, 9).index(at, &[1])),
            "2 samples",
        ),
        case(
            "an index that names no channel",
            with_index(&|at| chunk().index(at, &[])),
            "the summary counts",
        ),
        case(
            "an index that names another channel",
            with_index(&|at| chunk().index(at, &[7])),
            "their index doesn't name",
        ),
        case(
            "chunk and index lie about times",
            {
                let lying = Chunk::new(&good(), 500, 900);
                summed(std::slice::from_ref(&lying), |at| {
                    let index = lying.index(at[0], &[1]);
                    [definitions(), statistics(1, 1, &[(1, 2)]), index].concat()
                })
            },
            "times that their messages don't have",
        ),
        case(
            "chunk and index lie about times, and come too late",
            {
                let early = [message(1, 2, 0, &PAYLOAD), message(1, 3, 7, &PAYLOAD)].concat();
                let chunks = [chunk(), Chunk::new(&early, 5, 7)];
                summed(&chunks, |at| {
                    let indexes = [chunks[0].index(at[0], &[1]), chunks[1].index(at[1], &[1])];
                    [definitions(), statistics(1, 2, &[(1, 4)]), indexes.concat()].concat()
                })
            },
            "before its declared start",
        ),
        case(
            "a chunk that isn't in the index",
            {
                let other = Chunk::new(&message(1, 2, 3, &PAYLOAD), 3, 3);
                summed(&[chunk(), other], |at| tail(at[0], &[(1, 2)]))
            },
            "3 samples",
        ),
        case("statistics are missing", summed(&[chunk()], |_| definitions()), "2 samples"),
        case(
            "statistics twice",
            {
                summed(&[chunk()], |at| {
                    [tail(at[0], &[(1, 9)]), statistics(1, 1, &[(1, 2)])].concat()
                })
            },
            "2 samples",
        ),
        case(
            "another channel of that number in the summary",
            {
                summed(&[chunk()], |at| {
                    let schema = schema(1, b"demo/msg/A", b"ros2msg", b"float64 x");
                    let other = [schema, channel(1, 1, b"other", b"cdr")].concat();
                    [other, statistics(1, 1, &[(1, 2)]), chunk().index(at[0], &[1])].concat()
                })
            },
            "is both other and another a",
        ),
        case(
            "a map of 2^32-1 in the statistics",
            {
                summed(&[chunk()], |_| {
                    let mut statistics = statistics(1, 1, &[]);
                    let at = statistics.len() - 4;
                    statistics[at..].copy_from_slice(&u32::MAX.to_le_bytes());
                    statistics
                })
            },
            "malformed record",
        ),
    ]
}
