//! Entries of maps, as they are on the wire. Reading them drops whatever is
//! beside a key and a value, so that it is looked for before.

use prost_reflect::{Kind, MessageDescriptor};

/// Messages inside each other that are looked into; more can't be read at all.
const MAX_DEPTH: usize = 100;

/// Whether a message of this type can hold a map, itself or in what it holds.
pub(super) fn has_maps(root: &MessageDescriptor) -> bool {
    let mut known = vec![root.clone()];
    let mut next = 0;
    while let Some(message) = known.get(next).cloned() {
        next += 1;
        for field in message.fields() {
            let Kind::Message(of) = field.kind() else { continue };
            if of.is_map_entry() {
                return true;
            }
            if !known.contains(&of) {
                known.push(of);
            }
        }
    }
    false
}

/// A reason where an entry of a map in `payload`, which can be read as
/// `descriptor`, has something beside a key and a value.
pub(super) fn check(descriptor: &MessageDescriptor, payload: &[u8]) -> Result<(), String> {
    message(descriptor, &mut { payload }, None, MAX_DEPTH)
}

/// Walks one message, or a group up to its end. Of what isn't well-formed,
/// which reading refuses, nothing is said.
fn message(
    descriptor: &MessageDescriptor,
    wire: &mut &[u8],
    group: Option<u32>,
    depth: usize,
) -> Result<(), String> {
    while let Some(tag) = varint(wire) {
        let (number, kind) = ((tag >> 3) as u32, tag & 7);
        if descriptor.is_map_entry() && !matches!(number, 1 | 2) {
            let name = descriptor.full_name();
            return Err(format!(
                "a message has field {number}, which the map's type {name} has not"
            ));
        }
        let of = descriptor.get_field(number).and_then(|field| match field.kind() {
            Kind::Message(of) => Some(of),
            _ => None,
        });
        match (kind, of.filter(|_| depth > 0)) {
            (0, _) => drop(varint(wire)),
            (1, _) => drop(take(wire, 8)),
            (2, of) => {
                let len = varint(wire).unwrap_or(u64::MAX);
                let Some(mut inner) = take(wire, len) else { return Ok(()) };
                if let Some(of) = of {
                    message(&of, &mut inner, None, depth - 1)?;
                }
            }
            (3, Some(of)) => message(&of, wire, Some(number), depth - 1)?,
            (4, _) if group == Some(number) => return Ok(()),
            (5, _) => drop(take(wire, 4)),
            // An unknown group is an unknown field, which is told as such.
            _ => return Ok(()),
        }
    }
    Ok(())
}

fn varint(wire: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = wire.split_first()?;
        *wire = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

fn take<'a>(wire: &mut &'a [u8], len: u64) -> Option<&'a [u8]> {
    let (taken, rest) = wire.split_at_checked(usize::try_from(len).ok()?)?;
    *wire = rest;
    Some(taken)
}
