//! Payloads to Python values.

use lk::schema::Primitive;
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet, PyString,
    PyTuple,
};

use crate::cursor::{Cursor, Read};
use crate::error;
use crate::kind::{Container, Dtype, Form, Kind, Record};

/// The value of a payload.
pub(crate) fn message<'py>(
    py: Python<'py>,
    kind: &Kind,
    payload: &[u8],
) -> PyResult<Bound<'py, PyAny>> {
    if Cursor::is_big_endian(payload) {
        let schema = crate::types::schema(kind)?;
        let plan = lk::codec::Plan::new(&schema);
        let value = plan.decode(payload).map_err(error::from_lk)?;
        let payload = plan.encode(&value).map_err(error::from_lk)?;
        return whole(py, kind, &payload);
    }
    whole(py, kind, payload)
}

fn whole<'py>(py: Python<'py>, kind: &Kind, payload: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let mut cursor = Cursor::new(payload).or_raise()?;
    let value = get(py, kind, &mut cursor)?;
    cursor.finish().or_raise()?;
    Ok(value)
}

pub(crate) fn undecodable(reason: String) -> PyErr {
    error::other(format!("can't decode a message: {reason}"))
}

trait OrRaise<T> {
    fn or_raise(self) -> PyResult<T>;
}

impl<T> OrRaise<T> for Read<T> {
    fn or_raise(self) -> PyResult<T> {
        self.map_err(undecodable)
    }
}

fn get<'py>(py: Python<'py>, kind: &Kind, cursor: &mut Cursor<'_>) -> PyResult<Bound<'py, PyAny>> {
    Ok(match kind {
        Kind::Bool => PyBool::new(py, cursor.truth().or_raise()?).to_owned().into_any(),
        Kind::Int(primitive) => integer(py, *primitive, cursor)?.into_any(),
        Kind::Float(Primitive::Float32) => {
            let number = f32::from_le_bytes(cursor.number().or_raise()?);
            PyFloat::new(py, number.into()).into_any()
        }
        Kind::Float(_) => {
            let number = f64::from_le_bytes(cursor.number().or_raise()?);
            PyFloat::new(py, number).into_any()
        }
        Kind::Scalar(primitive, make) => {
            let number = match primitive {
                Primitive::Bool => {
                    PyBool::new(py, cursor.truth().or_raise()?).to_owned().into_any()
                }
                Primitive::Float32 | Primitive::Float64 => {
                    get(py, &Kind::Float(*primitive), cursor)?
                }
                _ => integer(py, *primitive, cursor)?.into_any(),
            };
            make.bind(py).call1((number,))?
        }
        Kind::Text { wide: false, .. } => {
            let text = std::str::from_utf8(cursor.text().or_raise()?);
            let text = text.map_err(|e| undecodable(format!("text is no UTF-8: {e}")))?;
            PyString::new(py, text).into_any()
        }
        Kind::Text { wide: true, .. } => {
            let count = cursor.count().or_raise()?;
            let units = cursor.bytes(count.saturating_mul(2)).or_raise()?;
            let (units, _) = units.as_chunks::<2>();
            let units = units.iter().map(|unit| u16::from_le_bytes(*unit));
            let text: Result<String, _> = char::decode_utf16(units).collect();
            let text = text.map_err(|e| undecodable(format!("text is no UTF-16: {e}")))?;
            PyString::new(py, &text).into_any()
        }
        Kind::Bytes => {
            let count = cursor.count().or_raise()?;
            PyBytes::new(py, cursor.bytes(count).or_raise()?).into_any()
        }
        Kind::Null => {
            cursor.bytes(1).or_raise()?;
            py.None().into_bound(py)
        }
        Kind::Enum(e) => {
            let place = match e.wire {
                Primitive::Uint8 => u16::from(u8::from_le_bytes(cursor.number().or_raise()?)),
                _ => u16::from_le_bytes(cursor.number().or_raise()?),
            };
            match e.members.get(usize::from(place)) {
                Some(member) => member.bind(py).clone(),
                None => {
                    let name = e.class.bind(py).name()?;
                    return Err(undecodable(format!("{name} has no member number {place}")));
                }
            }
        }
        Kind::Record(fields) => record(py, fields, cursor)?,
        Kind::Sequence(element, length, container) => {
            let count = cursor.length(*length).or_raise()?;
            let mut items = Vec::with_capacity(cursor.at_most(count));
            for _ in 0..count {
                items.push(get(py, element, cursor)?);
            }
            match container {
                Container::List => PyList::new(py, items)?.into_any(),
                Container::Tuple => PyTuple::new(py, items)?.into_any(),
                Container::Set => PySet::new(py, items)?.into_any(),
                Container::FrozenSet => PyFrozenSet::new(py, items)?.into_any(),
            }
        }
        Kind::NdArray(element, dtype) => {
            let (shape, bytes) = cursor.nd_array(*element).or_raise()?;
            array(py, bytes, dtype, &shape)?
        }
        Kind::Flat(element, length, dtype) => {
            let count = cursor.length(*length).or_raise()?;
            let bytes = cursor.numbers(count, element.size()).or_raise()?;
            array(py, bytes, dtype, &[count])?
        }
        Kind::Shaped(element, shape, dtype) => {
            let count = shape.iter().product();
            let bytes = cursor.numbers(count, element.size()).or_raise()?;
            array(py, bytes, dtype, shape)?
        }
        Kind::Optional(inner) => match cursor.present().or_raise()? {
            true => get(py, inner, cursor)?,
            false => py.None().into_bound(py),
        },
    })
}

fn integer<'py>(
    py: Python<'py>,
    primitive: Primitive,
    cursor: &mut Cursor<'_>,
) -> PyResult<Bound<'py, PyInt>> {
    macro_rules! get_as {
        ($ty:ty) => {
            <$ty>::from_le_bytes(cursor.number().or_raise()?).into_pyobject(py)?
        };
    }
    Ok(match primitive {
        Primitive::Int8 => get_as!(i8),
        Primitive::Bool | Primitive::Byte | Primitive::Char | Primitive::Uint8 => get_as!(u8),
        Primitive::Int16 => get_as!(i16),
        Primitive::Uint16 => get_as!(u16),
        Primitive::Int32 => get_as!(i32),
        Primitive::Uint32 => get_as!(u32),
        Primitive::Uint64 => get_as!(u64),
        _ => get_as!(i64),
    })
}

fn record<'py>(
    py: Python<'py>,
    record: &Record,
    cursor: &mut Cursor<'_>,
) -> PyResult<Bound<'py, PyAny>> {
    if record.fields.is_empty() {
        cursor.bytes(1).or_raise()?;
    }
    let (class, slots) = match &record.form {
        Form::Dict => {
            let dict = PyDict::new(py);
            for member in &record.fields {
                let value = get(py, &member.kind, cursor)?;
                if !(member.missing && value.is_none()) {
                    dict.set_item(member.interned.bind(py), value)?;
                }
            }
            return Ok(dict.into_any());
        }
        Form::Object { class, slots } => (class.bind(py), *slots),
    };
    let object = object(py)?;
    let made = object.getattr(intern!(py, "__new__"))?.call1((class,))?;
    if slots {
        // The way around a frozen class.
        let set = object.getattr(intern!(py, "__setattr__"))?;
        for member in &record.fields {
            let value = get(py, &member.kind, cursor)?;
            set.call1((&made, member.interned.bind(py), value))?;
        }
    } else {
        let attributes = made.getattr(intern!(py, "__dict__"))?;
        let attributes = attributes.cast_into::<PyDict>().map_err(|_| {
            PyTypeError::new_err(format!("{} has no dict of attributes", record.short_name()))
        })?;
        for member in &record.fields {
            attributes.set_item(member.interned.bind(py), get(py, &member.kind, cursor)?)?;
        }
    }
    Ok(made)
}

/// `object`
fn object(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let class =
        CLASS.get_or_try_init(py, || Ok::<_, PyErr>(py.get_type::<PyAny>().into_any().unbind()))?;
    Ok(class.bind(py))
}

/// An array that may be written to, of bytes that are copied once.
pub(crate) fn array<'py>(
    py: Python<'py>,
    bytes: &[u8],
    dtype: &Dtype,
    shape: &[usize],
) -> PyResult<Bound<'py, PyAny>> {
    static FROM_BUFFER: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let from_buffer = FROM_BUFFER
        .get_or_try_init(py, || py.import("numpy")?.getattr("frombuffer").map(Bound::unbind))?;
    let bytes = PyByteArray::new(py, bytes);
    let flat = from_buffer.bind(py).call1((bytes, dtype.0.bind(py)))?;
    match shape {
        [_] => Ok(flat),
        shape => flat.call_method1(intern!(py, "reshape"), (PyTuple::new(py, shape)?,)),
    }
}
