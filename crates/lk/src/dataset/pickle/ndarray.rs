//! The elements of NumPy arrays.

use super::object::RawArray;
use crate::schema::{ElementType, Primitive};
use crate::value::{Array, Datum};

/// The element type that NumPy's code of a dtype stands for.
pub(super) fn primitive(code: &str) -> Option<Primitive> {
    Some(match code {
        "b1" | "?" => Primitive::Bool,
        "i1" => Primitive::Int8,
        "u1" => Primitive::Uint8,
        "i2" => Primitive::Int16,
        "u2" => Primitive::Uint16,
        "i4" => Primitive::Int32,
        "u4" => Primitive::Uint32,
        "i8" => Primitive::Int64,
        "u8" => Primitive::Uint64,
        "f4" => Primitive::Float32,
        "f8" => Primitive::Float64,
        _ => return None,
    })
}

/// How many elements a shape has; `None` beyond what can be counted.
pub(super) fn count(shape: &[u32]) -> Option<usize> {
    shape.iter().try_fold(1_usize, |product, &n| product.checked_mul(n as usize))
}

/// One element of as many bytes as it has; `None` for a bool of another byte.
pub(super) fn element(primitive: Primitive, big_endian: bool, bytes: &[u8]) -> Option<Datum> {
    macro_rules! number {
        ($ty:ty) => {{
            let bytes = bytes.try_into().ok()?;
            let value =
                if big_endian { <$ty>::from_be_bytes(bytes) } else { <$ty>::from_le_bytes(bytes) };
            Datum::from(value)
        }};
    }
    Some(match primitive {
        Primitive::Bool => match bytes {
            [0] => Datum::Bool(false),
            [1] => Datum::Bool(true),
            _ => return None,
        },
        Primitive::Byte | Primitive::Char | Primitive::Uint8 => number!(u8),
        Primitive::Int8 => number!(i8),
        Primitive::Int16 => number!(i16),
        Primitive::Uint16 => number!(u16),
        Primitive::Int32 => number!(i32),
        Primitive::Uint32 => number!(u32),
        Primitive::Int64 => number!(i64),
        Primitive::Uint64 => number!(u64),
        Primitive::Float32 => number!(f32),
        Primitive::Float64 => number!(f64),
    })
}

/// All elements, the last index fastest.
pub(super) fn elements(array: &RawArray, bytes: &[u8]) -> Result<Array, String> {
    let mut elements = Array::default_of(&ElementType::Primitive(array.primitive), 0);
    let size = array.primitive.size();
    let count = bytes.len() / size;
    let mut index = vec![0_u32; array.shape.len()];
    for n in 0..count {
        let place = if array.fortran { fortran_place(&index, &array.shape) } else { n };
        let raw = bytes.get(place * size..(place + 1) * size).unwrap_or_default();
        let Some(datum) = element(array.primitive, array.big_endian, raw) else {
            return Err("a NumPy bool is neither 0 nor 1".to_owned());
        };
        elements.push(datum).expect("the array is of the element's type");
        for (i, extent) in index.iter_mut().zip(&array.shape).rev() {
            *i += 1;
            if *i < *extent {
                break;
            }
            *i = 0;
        }
    }
    Ok(elements)
}

fn fortran_place(index: &[u32], shape: &[u32]) -> usize {
    let from_last = index.iter().zip(shape).rev();
    from_last.fold(0, |place, (&i, &extent)| place * extent as usize + i as usize)
}
