//! The items of CBOR (RFC 8949).

use super::binary::{Bytes, Item, Items};

pub(super) struct Cbor;

impl<'a> Items<'a> for Cbor {
    fn next(&mut self, bytes: &mut Bytes<'a>) -> Result<Item<'a>, String> {
        let [head] = bytes.array()?;
        let (major, info) = (head >> 5, head & 0x1f);
        if major == 7 {
            return simple(info, bytes);
        }
        let argument = match info {
            0..=23 => Some(u64::from(info)),
            24 => Some(u8::from_be_bytes(bytes.array()?).into()),
            25 => Some(u16::from_be_bytes(bytes.array()?).into()),
            26 => Some(u32::from_be_bytes(bytes.array()?).into()),
            27 => Some(u64::from_be_bytes(bytes.array()?)),
            31 => None,
            _ => return Err(format!("the byte {head:02x} begins no item")),
        };
        Ok(match (major, argument) {
            (0, Some(n)) => Item::Int(n.into()),
            (1, Some(n)) => Item::Int(-1 - i128::from(n)),
            (2, Some(len)) => Item::Bytes(bytes.take(len)?),
            (3, Some(len)) => Item::Text(bytes.text(len)?),
            (2, None) => Item::Other("a byte string in pieces"),
            (3, None) => Item::Other("a text in pieces"),
            (4, len) => Item::List(len),
            (5, len) => Item::Map(len),
            (6, Some(_)) => Item::Other("a tagged value"),
            _ => return Err(format!("the byte {head:02x} begins no item")),
        })
    }
}

/// Floats, and values that are all said by their head.
fn simple<'a>(info: u8, bytes: &mut Bytes<'a>) -> Result<Item<'a>, String> {
    Ok(match info {
        20 => Item::Bool(false),
        21 => Item::Bool(true),
        // Null, and what JavaScript calls undefined.
        22 | 23 => Item::Null,
        // Canonical CBOR takes the fewest bytes that hold a number: how wide
        // one is says nothing of its type.
        25 => Item::Float(half(u16::from_be_bytes(bytes.array()?))),
        26 => Item::Float(f32::from_be_bytes(bytes.array()?).into()),
        27 => Item::Float(f64::from_be_bytes(bytes.array()?)),
        31 => Item::End,
        0..=19 => Item::Other("a simple value"),
        24 => {
            let [_] = bytes.array()?;
            Item::Other("a simple value")
        }
        _ => return Err(format!("the byte {:02x} begins no item", 0xe0 | info)),
    })
}

/// A float of 16 bits (RFC 8949, appendix D).
fn half(bits: u16) -> f64 {
    let (exponent, mantissa) = ((bits >> 10) & 0x1f, f64::from(bits & 0x3ff));
    let magnitude = match exponent {
        0 => mantissa * 2.0_f64.powi(-24),
        31 if mantissa == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (mantissa + 1024.0) * 2.0_f64.powi(i32::from(exponent) - 25),
    };
    if bits & 0x8000 == 0 { magnitude } else { -magnitude }
}
