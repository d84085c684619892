//! Floats that aren't finite, as text: `NaN`, `Infinity`, `-Infinity`. A NaN of
//! other bits than the usual ones has them in hexadecimal, `NaN(fff8000000000000)`,
//! so that text loses nothing.

use std::borrow::Cow;

pub(super) fn text32(v: f32) -> Cow<'static, str> {
    match v.is_nan() && v.to_bits() != f32::NAN.to_bits() {
        true => format!("NaN({:08x})", v.to_bits()).into(),
        false => super::scalar::non_finite(f64::from(v)).into(),
    }
}

pub(super) fn text64(v: f64) -> Cow<'static, str> {
    match v.is_nan() && v.to_bits() != f64::NAN.to_bits() {
        true => format!("NaN({:016x})", v.to_bits()).into(),
        false => super::scalar::non_finite(v).into(),
    }
}

pub(super) fn parse32(text: &str) -> Option<f32> {
    match bits(text, 8) {
        Some(bits) => Some(f32::from_bits(bits as u32)).filter(|v| v.is_nan()),
        None => plain(text).map(|v| v as f32),
    }
}

pub(super) fn parse64(text: &str) -> Option<f64> {
    match bits(text, 16) {
        Some(bits) => Some(f64::from_bits(bits)).filter(|v| v.is_nan()),
        None => plain(text),
    }
}

/// Whether a text is one of these, of either width.
pub(crate) fn is_special(text: &str) -> bool {
    parse64(text).is_some() || parse32(text).is_some()
}

fn plain(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

fn bits(text: &str, digits: usize) -> Option<u64> {
    let bits = text.strip_prefix("NaN(")?.strip_suffix(')')?;
    let is_hex = bits.len() == digits && bits.bytes().all(|b| b.is_ascii_hexdigit());
    is_hex.then(|| u64::from_str_radix(bits, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_nan_keeps_its_bits_and_no_other_text_is_one() {
        for bits in [0x7ff8_0000_0000_0000, 0xfff8_0000_0000_0000, 0x7ff0_0000_0000_0001, u64::MAX]
        {
            let text = text64(f64::from_bits(bits));
            assert_eq!(parse64(&text).map(f64::to_bits), Some(bits), "{text}");
        }
        for bits in [0x7fc0_0000, 0xffc0_0000, 0x7f80_0001, u32::MAX] {
            let text = text32(f32::from_bits(bits));
            assert_eq!(parse32(&text).map(f32::to_bits), Some(bits), "{text}");
        }
        assert_eq!((text64(f64::NAN), text32(f32::NAN)), ("NaN".into(), "NaN".into()));
        assert_eq!(text64(f64::from_bits(0xfff8 << 48)), "NaN(fff8000000000000)");
        for bad in ["nan", "NaN()", "NaN(7ff0000000000000)", "NaN(+ff8000000000000)", "NaN(1)"] {
            assert!(!is_special(bad), "{bad}");
        }
    }
}
