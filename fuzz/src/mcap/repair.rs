//! Checksums made right, so that what lies behind them is reached.

/// Walks the records, and writes the checksums of plain chunks, of the data
/// section and of the summary.
pub(crate) fn checksums(bytes: &mut [u8]) {
    let mut at = 8;
    let mut data_end = None;
    while let Some((op, body, end)) = record(bytes, at) {
        match op {
            0x06 => chunk(&mut bytes[body..end]),
            0x0f if end - body == 4 && data_end.is_none() => {
                let crc = crc32fast::hash(&bytes[..at]);
                bytes[body..end].copy_from_slice(&crc.to_le_bytes());
                data_end = Some(end);
            }
            0x02 if end - body == 20 => {
                let start = u64_at(bytes, body).unwrap_or(0) as usize;
                if (1..body).contains(&start) {
                    let crc = crc32fast::hash(&bytes[start..body + 16]);
                    bytes[body + 16..end].copy_from_slice(&crc.to_le_bytes());
                }
            }
            _ => {}
        }
        at = end;
    }
}

/// Kind, and where body and record end, of the record at `at`.
fn record(bytes: &[u8], at: usize) -> Option<(u8, usize, usize)> {
    let op = *bytes.get(at)?;
    let len = usize::try_from(u64_at(bytes, at + 1)?).ok()?;
    let body = at + 9;
    let end = body.checked_add(len).filter(|&end| end <= bytes.len())?;
    Some((op, body, end))
}

/// Only where the content is plain: that of others is known by unpacking.
fn chunk(body: &mut [u8]) {
    let Some(name) = body.get(28..32).and_then(|len| len.first_chunk().copied()) else { return };
    if u32::from_le_bytes(name) != 0 || body.len() < 40 {
        return;
    }
    let crc = crc32fast::hash(&body[40..]);
    body[24..28].copy_from_slice(&crc.to_le_bytes());
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().copied().map(u64::from_le_bytes)
}
