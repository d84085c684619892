//! What a violation looks like in a report.

use super::float::{self, Standing};
use super::float_bytes::FloatBytes;
use super::integer::{self, Integer};
use super::quaternion;
use crate::diff::MismatchKind;
use crate::diff::plan::{Close, Measure};
use crate::schema::Primitive;
use crate::value::Scalar;

/// Characters of a text that are kept, and bytes of a payload.
const LONGEST_TEXT: usize = 256;
const LONGEST_BYTES: usize = 32;

/// One number that violates.
pub(super) struct Violation {
    pub(super) kind: MismatchKind,
    pub(super) a: Scalar,
    pub(super) b: Scalar,
    pub(super) error: Option<f64>,
}

/// Looks at one pair of numbers, or of quaternions; `None` where they don't
/// violate.
pub(super) fn number(primitive: Primitive, a: &[u8], b: &[u8], close: &Close) -> Option<Violation> {
    if let Measure::Quaternion(places) = close.measure {
        return match primitive {
            Primitive::Float32 => {
                let (a, b) = (a.as_chunks::<4>().0, b.as_chunks::<4>().0);
                quaternion::violation(a, b, places, close)
            }
            _ => {
                let (a, b) = (a.as_chunks::<8>().0, b.as_chunks::<8>().0);
                quaternion::violation(a, b, places, close)
            }
        };
    }
    match primitive {
        Primitive::Float64 => {
            let (a, b): ([u8; 8], [u8; 8]) = (a.try_into().ok()?, b.try_into().ok()?);
            floats(a, b, close, Scalar::Float64)
        }
        Primitive::Float32 => {
            let (a, b): ([u8; 4], [u8; 4]) = (a.try_into().ok()?, b.try_into().ok()?);
            floats(a, b, close, |v| Scalar::Float32(v as f32))
        }
        Primitive::Bool => exact(a, b, |v| Scalar::Bool(v != 0)),
        Primitive::Byte => exact(a, b, |v| Scalar::Uint(v.into())),
        Primitive::Int8 => integers::<i8>(a, b, close),
        Primitive::Uint8 | Primitive::Char => integers::<u8>(a, b, close),
        Primitive::Int16 => integers::<i16>(a, b, close),
        Primitive::Uint16 => integers::<u16>(a, b, close),
        Primitive::Int32 => integers::<i32>(a, b, close),
        Primitive::Uint32 => integers::<u32>(a, b, close),
        Primitive::Int64 => integers::<i64>(a, b, close),
        Primitive::Uint64 => integers::<u64>(a, b, close),
    }
}

fn floats<B: FloatBytes>(
    a: B,
    b: B,
    close: &Close,
    scalar: fn(f64) -> Scalar,
) -> Option<Violation> {
    if float::judge(a, b, close) != Standing::Violation {
        return None;
    }
    let (a, b) = (a.value(), b.value());
    let kind = if a.is_nan() || b.is_nan() {
        MismatchKind::Nan
    } else if a.is_infinite() || b.is_infinite() {
        MismatchKind::Infinity
    } else {
        MismatchKind::Value
    };
    let error = Some(close.difference(a, b).abs()).filter(|error| error.is_finite());
    Some(Violation { kind, a: scalar(a), b: scalar(b), error })
}

fn integers<T: Integer>(a: &[u8], b: &[u8], close: &Close) -> Option<Violation> {
    let mut found = None;
    T::for_each_pair(a, b, |a, b| {
        if !integer::is_within(a, b, close.tolerance) {
            found = Some(Violation {
                kind: MismatchKind::Value,
                a: a.scalar(),
                b: b.scalar(),
                error: Some(a.distance(b) as f64),
            });
        }
    });
    found
}

fn exact(a: &[u8], b: &[u8], scalar: fn(u8) -> Scalar) -> Option<Violation> {
    let (a, b) = (*a.first()?, *b.first()?);
    let kind = MismatchKind::Value;
    (a != b).then(|| Violation { kind, a: scalar(a), b: scalar(b), error: None })
}

/// A text, cut where it is long.
pub(super) fn text(text: &str) -> Scalar {
    let mut shown: String = text.chars().take(LONGEST_TEXT).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    Scalar::Text(shown)
}

/// The beginning of bytes in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> Scalar {
    let mut shown: String = bytes.iter().take(LONGEST_BYTES).map(|b| format!("{b:02x}")).collect();
    if bytes.len() > LONGEST_BYTES {
        shown.push_str(&format!("… ({} bytes)", bytes.len()));
    }
    Scalar::Text(shown)
}

/// One number as it is shown.
pub(super) fn scalar(primitive: Primitive, bytes: &[u8]) -> Scalar {
    fn read<T: crate::codec::number::Number>(bytes: &[u8], to: fn(T) -> Scalar) -> Scalar {
        T::read(bytes, false).map_or(Scalar::Absent, to)
    }
    match primitive {
        Primitive::Float64 => read(bytes, Scalar::Float64),
        Primitive::Float32 => read(bytes, Scalar::Float32),
        Primitive::Bool => read::<u8>(bytes, |v| Scalar::Bool(v != 0)),
        Primitive::Uint8 | Primitive::Char | Primitive::Byte => {
            read::<u8>(bytes, |v| Scalar::Uint(v.into()))
        }
        Primitive::Int8 => read::<i8>(bytes, |v| Scalar::Int(v.into())),
        Primitive::Int16 => read::<i16>(bytes, |v| Scalar::Int(v.into())),
        Primitive::Uint16 => read::<u16>(bytes, |v| Scalar::Uint(v.into())),
        Primitive::Int32 => read::<i32>(bytes, |v| Scalar::Int(v.into())),
        Primitive::Uint32 => read::<u32>(bytes, |v| Scalar::Uint(v.into())),
        Primitive::Int64 => read(bytes, Scalar::Int),
        Primitive::Uint64 => read(bytes, Scalar::Uint),
    }
}
