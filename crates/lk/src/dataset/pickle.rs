//! Python pickles: `{key: {"data": [...], "timestamps": [...]}}`.
//!
//! Read from protocol 2 on, by a decoder that can't run code: it knows the
//! opcodes of plain data, and builds NumPy arrays and scalars and the objects
//! of ordinary classes (such as dataclasses) as data. Whatever else a pickle
//! asks for is refused by name; nothing is turned into something else.
//!
//! Values of a file that names no types get an inferred one for each key:
//! numbers, text and lists become `lk/msg/Float64`, `lk/msg/Float64Array` and
//! so on, NumPy arrays `lk/msg/Float64NdArray`, dicts and objects messages of
//! their fields. A list that is empty in every value is a `float64[]`, as
//! NumPy has it; a set is a sorted list.
//!
//! Written is protocol 5 and nothing but plain data: a message is a dict, an
//! optional field that isn't there `None`, an array of `uint8` is `bytes`, the
//! inferred types are numbers, text and lists again. Timestamps are float
//! seconds, which near today resolve 238 ns. What Python doesn't need (types,
//! roles, whole nanoseconds, publish times, sequence numbers, the order of
//! ties, facts, a checksum) follows as a second pickle, which `pickle.load`
//! doesn't read: so lk reads back just what it wrote, and a file that Python
//! has written again lacks it and is read by inference.

mod convert;
mod decoder;
mod dump;
mod globals;
mod infer;
mod ndarray;
mod object;
mod opcode;
mod reader;
mod sidecar;
mod writer;

use std::path::Path;

pub use reader::Reader;
pub use writer::Writer;

/// Levels of lists, dicts and objects within each other.
const MAX_DEPTH: usize = 64;

/// Whether a file that begins with `head` is a pickle of a protocol with a
/// header.
pub(crate) fn is_pickle(head: &[u8]) -> bool {
    matches!(head, [opcode::PROTO, 2..=5, ..])
}

/// Whether a file that begins with `head` can be a pickle of a container in
/// protocol 0 or 1, which have no header.
pub(crate) fn may_be_old(head: &[u8]) -> bool {
    matches!(head, [opcode::MARK | opcode::EMPTY_DICT | opcode::EMPTY_LIST, ..])
}

/// Whether a file is meant to be a pickle by its name.
pub(crate) fn is_named_pickle(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|e| e.eq_ignore_ascii_case("pkl") || e.eq_ignore_ascii_case("pickle"))
}

#[cfg(test)]
mod tests;
