//! What lk knows of a dataset and Python has no place for: a second pickle,
//! behind the one that `pickle.load` reads.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::decoder;
use super::dump;
use super::object::{Heap, Obj, Refusal, Step};
use super::opcode as op;
use crate::dataset::{Channel, Encoding, Facts, ForeignEncoding, Role, SequenceMeaning};
use crate::schema::Schema;

/// The form of what is written here.
const VERSION: i64 = 1;

/// The bytes of a sample's [`Stamp`].
const STAMP_BYTES: usize = 28;

/// A sample without its payload.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stamp {
    pub(super) time: i64,
    pub(super) publish_time: i64,
    pub(super) sequence: u32,
    /// Place among the samples of all keys, as they were recorded.
    pub(super) place: u64,
}

/// All of it.
#[derive(Debug, Default)]
pub(super) struct Sidecar {
    pub(super) facts: Facts,
    pub(super) channels: Vec<(Channel, Vec<Stamp>)>,
}

/// The second pickle; `crc` has seen the first.
pub(super) fn write(
    facts: &Facts,
    channels: &[(&Channel, &[Stamp])],
    mut crc: crc32fast::Hasher,
) -> Vec<u8> {
    let mut inner = dump::HEADER.to_vec();
    inner.extend([op::EMPTY_DICT, op::MARK]);
    dump::text(&mut inner, "sequence");
    let meaning = match facts.sequence {
        SequenceMeaning::Count => "count",
        SequenceMeaning::Tick => "tick",
    };
    dump::text(&mut inner, meaning);
    dump::text(&mut inner, "entries");
    dump::text_dict(&mut inner, &facts.entries);
    dump::text(&mut inner, "channels");
    dump::list(&mut inner, channels, |out, (channel, stamps)| put_channel(out, channel, stamps));
    inner.extend([op::SETITEMS, op::STOP]);
    crc.update(&inner);
    let mut out = dump::HEADER.to_vec();
    out.extend([op::EMPTY_DICT, op::MARK]);
    dump::text(&mut out, "lk");
    dump::int(&mut out, VERSION.into());
    dump::text(&mut out, "crc32");
    dump::int(&mut out, crc.finalize().into());
    dump::text(&mut out, "facts");
    dump::bytes(&mut out, &inner);
    out.extend([op::SETITEMS, op::STOP]);
    out
}

fn put_channel(out: &mut Vec<u8>, channel: &Channel, stamps: &[Stamp]) {
    out.push(op::MARK);
    dump::text(out, &channel.key);
    dump::text(out, role_name(channel.role));
    dump::text_dict(out, &channel.metadata);
    out.push(op::MARK);
    match &channel.encoding {
        Encoding::Cdr(schema) => {
            dump::text(out, schema.name());
            dump::text(out, &schema.to_msg_text());
            dump::list(out, schema.optional_fields(), |out, name| dump::text(out, &name));
        }
        Encoding::Foreign(foreign) => {
            dump::text(out, &foreign.message_encoding);
            dump::text(out, &foreign.schema_name);
            dump::text(out, &foreign.schema_encoding);
            dump::bytes(out, &foreign.schema_data);
            dump::text(out, &foreign.reason);
        }
    }
    out.push(op::TUPLE);
    let mut packed = Vec::with_capacity(stamps.len() * STAMP_BYTES);
    for stamp in stamps {
        packed.extend(stamp.time.to_le_bytes());
        packed.extend(stamp.publish_time.to_le_bytes());
        packed.extend(stamp.sequence.to_le_bytes());
        packed.extend(stamp.place.to_le_bytes());
    }
    dump::bytes(out, &packed);
    out.push(op::TUPLE);
}

/// Reads what follows the first pickle, which is `input` up to `start`.
pub(super) fn read(input: &[u8], start: usize) -> Step<Sidecar> {
    let refuse = |reason: String| Err(Refusal { offset: start, reason });
    let (first, rest) = input.split_at(start);
    let outer = match decoder::decode(rest) {
        Ok(outer) => outer,
        Err(inner) => {
            let reason = format!("what follows the first pickle can't be read: {}", inner.reason);
            return Err(Refusal { offset: start + inner.offset, reason });
        }
    };
    let heap = &outer.heap;
    let fields = by_name(heap, outer.root);
    let field = |name: &str| fields.get(name).copied();
    let (Some(Obj::Int(version)), Some(Obj::Int(expected)), Some(facts)) =
        (field("lk"), field("crc32"), field("facts").and_then(|facts| heap.bytes(facts)))
    else {
        return refuse("a second pickle follows the first, and none of lk's".to_owned());
    };
    if version != VERSION {
        return refuse(format!("its facts are of form {version}, which a newer lk may read"));
    }
    let left = rest.len() - outer.end;
    if left > 0 {
        return refuse(format!("{left} bytes follow the facts of lk"));
    }
    let mut crc = crc32fast::Hasher::new();
    crc.update(first);
    crc.update(facts);
    let actual = crc.finalize();
    if i64::from(actual) != expected {
        return refuse(format!("its checksum is {actual:#x}, not {expected:#x}: it is damaged"));
    }
    match parse(facts) {
        Ok(sidecar) => Ok(sidecar),
        Err(reason) => refuse(format!("its facts can't be read: {reason}")),
    }
}

fn by_name<'a>(heap: &Heap<'a>, dict: Obj) -> BTreeMap<&'a str, Obj> {
    let entries = heap.dict(dict).unwrap_or_default();
    entries.iter().filter_map(|&(key, value)| Some((heap.text(key)?, value))).collect()
}

fn parse(inner: &[u8]) -> Result<Sidecar, String> {
    let decoded = decoder::decode(inner).map_err(|refusal| refusal.reason)?;
    let heap = &decoded.heap;
    let fields = by_name(heap, decoded.root);
    let field = |name: &str| fields.get(name).copied().ok_or(format!("{name} is missing"));
    let sequence = match heap.text(field("sequence")?) {
        Some("count") => SequenceMeaning::Count,
        Some("tick") => SequenceMeaning::Tick,
        _ => return Err("what the sequence counts is unknown".to_owned()),
    };
    let facts = Facts { sequence, entries: texts(heap, field("entries")?)? };
    let channels = heap.items(field("channels")?).ok_or("channels are no list")?;
    let channels = channels.iter().map(|&channel| get_channel(heap, channel));
    Ok(Sidecar { facts, channels: channels.collect::<Result<_, _>>()? })
}

fn get_channel(heap: &Heap<'_>, obj: Obj) -> Result<(Channel, Vec<Stamp>), String> {
    let text = |obj| heap.text(obj).map(str::to_owned).ok_or("a text is missing");
    let Some(&[key, role, metadata, encoding, stamps]) = heap.tuple(obj) else {
        return Err("a channel has not its five parts".to_owned());
    };
    let encoding = match heap.tuple(encoding) {
        Some(&[name, definition, optional]) => {
            let optional = heap.items(optional).ok_or("optional fields are no list")?;
            let optional: Vec<String> =
                optional.iter().map(|&name| text(name)).collect::<Result<_, _>>()?;
            let schema = Schema::parse(&text(name)?, &text(definition)?)
                .and_then(|schema| schema.with_optional_fields(&optional));
            Encoding::Cdr(schema.map_err(|e| e.to_string())?)
        }
        Some(&[message_encoding, schema_name, schema_encoding, schema_data, reason]) => {
            let data = heap.bytes(schema_data).ok_or("a schema is missing")?;
            Encoding::Foreign(ForeignEncoding {
                message_encoding: text(message_encoding)?,
                schema_name: text(schema_name)?,
                schema_encoding: text(schema_encoding)?,
                schema_data: Bytes::copy_from_slice(data),
                reason: text(reason)?,
            })
        }
        _ => return Err("an encoding is unknown".to_owned()),
    };
    let roles = [Role::None, Role::Input, Role::Output, Role::State];
    let name = text(role)?;
    let role = roles.into_iter().find(|&role| role_name(role) == name).ok_or("unknown role")?;
    let channel = Channel { key: text(key)?, encoding, role, metadata: texts(heap, metadata)? };
    let packed = heap.bytes(stamps).ok_or("the stamps of samples are missing")?;
    let (stamps, rest) = packed.as_chunks::<STAMP_BYTES>();
    if !rest.is_empty() {
        return Err("the stamps of samples are cut off".to_owned());
    }
    Ok((channel, stamps.iter().map(unpack).collect()))
}

fn unpack(packed: &[u8; STAMP_BYTES]) -> Stamp {
    fn part<const N: usize>(packed: &[u8; STAMP_BYTES], at: usize) -> [u8; N] {
        packed[at..at + N].try_into().expect("the parts lie within a stamp")
    }
    Stamp {
        time: i64::from_le_bytes(part(packed, 0)),
        publish_time: i64::from_le_bytes(part(packed, 8)),
        sequence: u32::from_le_bytes(part(packed, 16)),
        place: u64::from_le_bytes(part(packed, 20)),
    }
}

fn texts(heap: &Heap<'_>, dict: Obj) -> Result<BTreeMap<String, String>, String> {
    let entries = heap.dict(dict).ok_or("expected a dict of texts")?;
    let entry = |&(name, value): &(Obj, Obj)| {
        Some((heap.text(name)?.to_owned(), heap.text(value)?.to_owned()))
    };
    entries.iter().map(|pair| entry(pair).ok_or("expected a text".to_owned())).collect()
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::None => "none",
        Role::Input => "input",
        Role::Output => "output",
        Role::State => "state",
    }
}
