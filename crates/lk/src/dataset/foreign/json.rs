//! Messages of JSON, read strictly (RFC 8259).

use serde::de::DeserializeSeed;

/// Reads a payload that is one JSON value; a reason where it isn't. Depth is
/// bounded by `serde_json`, at 128 levels.
pub(super) fn read<'de, S: DeserializeSeed<'de>>(
    payload: &'de [u8],
    seed: S,
) -> Result<S::Value, String> {
    let text = std::str::from_utf8(payload)
        .map_err(|e| format!("the text is not UTF-8 from byte {}", e.valid_up_to()))?;
    let mut json = serde_json::Deserializer::from_str(text);
    let value = seed.deserialize(&mut json).map_err(|e| e.to_string())?;
    json.end().map_err(|e| e.to_string())?;
    Ok(value)
}

/// A reason where an integer is neither of 64 bits nor a `float64`. The parser
/// would take it for the nearest float, and say nothing.
pub(super) fn check_integers(json: &[u8]) -> Result<(), String> {
    let mut rest = json;
    let begins = |b: &u8| matches!(b, b'"' | b'-') || b.is_ascii_digit();
    while let Some(at) = rest.iter().position(begins) {
        rest = rest.get(at..).unwrap_or_default();
        if rest.first() == Some(&b'"') {
            rest = after_string(rest);
            continue;
        }
        let end = rest.iter().position(|b| !is_in_number(*b)).unwrap_or(rest.len());
        let (number, after) = rest.split_at(end);
        rest = after;
        // 18 digits fit all integers of 64 bits.
        if number.len() > 18 && !number.iter().any(|b| matches!(b, b'.' | b'e' | b'E')) {
            let text = String::from_utf8_lossy(number);
            if text.parse::<i64>().is_err() && text.parse::<u64>().is_err() && !is_float64(&text) {
                return Err(format!("neither 64 bits nor a float64 holds {text}"));
            }
        }
    }
    Ok(())
}

fn is_in_number(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-')
}

/// What follows a string, which begins with its quote.
fn after_string(json: &[u8]) -> &[u8] {
    let mut at = 1;
    while let Some(byte) = json.get(at) {
        match byte {
            b'"' => return &json[at + 1..],
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    &[]
}

/// Whether the digits are those of a float: JavaScript writes 1e20 so.
fn is_float64(digits: &str) -> bool {
    digits.parse::<f64>().is_ok_and(|float| format!("{float:.0}") == digits)
}

/// An error of JSON without its place, which is one in the text or in a part
/// of it.
pub(in crate::dataset) fn without_place(error: &str) -> &str {
    error.rfind(" at line ").map_or(error, |at| &error[..at])
}
