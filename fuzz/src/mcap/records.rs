//! Records as bytes.

pub(crate) const MAGIC: [u8; 8] = *b"\x89MCAP0\r\n";

/// A record of this kind with this body.
pub(crate) fn record(op: u8, body: &[u8]) -> Vec<u8> {
    [&[op], &(body.len() as u64).to_le_bytes()[..], body].concat()
}

/// Bytes behind their length.
pub(crate) fn block(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_le_bytes()[..], bytes].concat()
}

pub(crate) fn schema(id: u16, name: &[u8], encoding: &[u8], data: &[u8]) -> Vec<u8> {
    record(0x03, &[&id.to_le_bytes()[..], &block(name), &block(encoding), &block(data)].concat())
}

pub(crate) fn channel(id: u16, schema: u16, topic: &[u8], encoding: &[u8]) -> Vec<u8> {
    let numbers = [id.to_le_bytes(), schema.to_le_bytes()].concat();
    record(0x04, &[&numbers[..], &block(topic), &block(encoding), &block(b"")].concat())
}

pub(crate) fn message(channel: u16, sequence: u32, time: u64, payload: &[u8]) -> Vec<u8> {
    let mut body = channel.to_le_bytes().to_vec();
    body.extend(sequence.to_le_bytes());
    body.extend(time.to_le_bytes());
    body.extend(time.to_le_bytes());
    body.extend_from_slice(payload);
    record(0x05, &body)
}

/// Text pairs behind their length in bytes.
pub(crate) fn map(entries: &[(&[u8], &[u8])]) -> Vec<u8> {
    let entries = entries.iter().flat_map(|(key, value)| [block(key), block(value)]);
    block(&entries.collect::<Vec<_>>().concat())
}
