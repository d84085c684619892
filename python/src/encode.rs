//! Python values to payloads.

use lk::schema::Primitive;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyString, PyTuple};

use crate::error;
use crate::kind::{Container, Enumeration, Form, Kind, Length, Record, dtype_code};

/// Bytes before the first field, which alignment doesn't count.
pub(crate) const HEADER: [u8; 4] = [0, 1, 0, 0];

/// The largest integer up to which a float holds each.
const EXACT_IN_FLOAT64: u64 = 1 << 53;

/// Why a value doesn't fit, and where in it, innermost first.
pub(crate) enum Fault {
    Misfit {
        path: Vec<String>,
        reason: String,
    },
    /// What Python raised on the way.
    Raised(PyErr),
}

impl From<PyErr> for Fault {
    fn from(error: PyErr) -> Fault {
        Fault::Raised(error)
    }
}

type Step = Result<(), Fault>;

fn misfit<T>(reason: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Misfit { path: Vec::new(), reason: reason.into() })
}

impl Fault {
    fn within(self, segment: impl FnOnce() -> String) -> Fault {
        match self {
            Fault::Misfit { mut path, reason } => {
                path.push(segment());
                Fault::Misfit { path, reason }
            }
            raised => raised,
        }
    }

    fn into_error(self, place: &str) -> PyErr {
        let (path, reason) = match self {
            Fault::Raised(error) => return error,
            Fault::Misfit { path, reason } => (path, reason),
        };
        let mut text = place.to_owned();
        for (n, segment) in path.iter().rev().enumerate() {
            text += match n {
                _ if n > 0 && segment.starts_with('[') => "",
                0 if place.is_empty() => "field ",
                0 => ": field ",
                _ => ".",
            };
            text += segment;
        }
        let colon = if text.is_empty() { "" } else { ": " };
        error::schema(&format!("{text}{colon}{reason}"))
    }
}

/// Replaces `out` by the payload of `value`; `place` says where the value is.
pub(crate) fn message(
    kind: &Kind,
    value: &Bound<'_, PyAny>,
    out: &mut Vec<u8>,
    place: impl Fn() -> String,
) -> PyResult<()> {
    out.clear();
    out.extend(HEADER);
    put(kind, value, out).map_err(|fault| fault.into_error(&place()))
}

fn align(out: &mut Vec<u8>, size: usize) {
    let position = out.len() - HEADER.len();
    let padding = position.wrapping_neg() & (size - 1);
    out.extend(&[0; 8][..padding]);
}

fn put_bytes(out: &mut Vec<u8>, number: &[u8]) {
    align(out, number.len());
    out.extend(number);
}

fn put_count(out: &mut Vec<u8>, count: usize) -> Step {
    match u32::try_from(count) {
        Ok(count) => {
            put_bytes(out, &count.to_le_bytes());
            Ok(())
        }
        Err(_) => misfit(format!("{count} elements are more than 32 bits count")),
    }
}

fn put(kind: &Kind, value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> Step {
    let py = value.py();
    match kind {
        Kind::Bool => {
            let truth = match value.cast::<PyBool>() {
                Ok(truth) => truth.is_true(),
                Err(_) if is_numpy(value, "|b1") => value.is_truthy()?,
                Err(_) => return unexpected(kind, value),
            };
            out.push(u8::from(truth));
        }
        Kind::Int(primitive) => {
            let exact = value.is_instance_of::<PyInt>() && !value.is_instance_of::<PyBool>();
            if !exact && !is_numpy_integer(value) {
                return unexpected(kind, value);
            }
            integer(*primitive, value, out)?;
        }
        Kind::Float(primitive) => float(kind, *primitive, value, out)?,
        Kind::Scalar(primitive, _) => {
            if !is_numpy(value, dtype_code(*primitive)) {
                return unexpected(kind, value);
            }
            let bytes = value.call_method0(intern!(py, "tobytes"))?;
            put_bytes(out, bytes.cast::<PyBytes>().map_err(PyErr::from)?.as_bytes());
        }
        Kind::Text { wide, bound } => {
            let Ok(text) = value.cast::<PyString>() else { return unexpected(kind, value) };
            let Ok(text) = text.to_cow() else {
                return misfit("the text has half of a surrogate pair, which UTF-8 can't hold");
            };
            let length = if *wide { text.encode_utf16().count() } else { text.len() };
            if bound.is_some_and(|bound| length > bound) {
                return misfit(format!("text of length {length} is longer than its bound"));
            }
            if *wide {
                put_count(out, length)?;
                out.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
            } else {
                put_count(out, length + 1)?;
                out.extend(text.as_bytes());
                out.push(0);
            }
        }
        Kind::Bytes => {
            let Ok(bytes) = value.cast::<PyBytes>() else { return unexpected(kind, value) };
            put_count(out, bytes.as_bytes().len())?;
            out.extend(bytes.as_bytes());
        }
        // An empty message is one zero byte, as ROS 2 has it.
        Kind::Null if value.is_none() => out.push(0),
        Kind::Null => return unexpected(kind, value),
        Kind::Enum(enumeration) => place(enumeration, value, out)?,
        Kind::Record(fields) => {
            record(fields, value, out)?;
            if fields.fields.is_empty() {
                out.push(0);
            }
        }
        Kind::Sequence(element, length, container) => {
            sequence(element, *length, *container, value, out)?;
        }
        Kind::NdArray(..) | Kind::Flat(..) | Kind::Shaped(..) => array(kind, value, out)?,
        Kind::Optional(_) if value.is_none() => put_count(out, 0)?,
        Kind::Optional(inner) => {
            put_count(out, 1)?;
            put(inner, value, out)?;
        }
    }
    Ok(())
}

fn unexpected(kind: &Kind, value: &Bound<'_, PyAny>) -> Step {
    let expected = match kind {
        Kind::Enum(e) => Python::attach(|py| e.class.bind(py).name().map(|name| name.to_string()))?,
        kind => kind.describe(),
    };
    misfit(format!("expected {expected}, got {}", described(value)))
}

/// The type of a value; of an array its dtype and shape too.
fn described(value: &Bound<'_, PyAny>) -> String {
    let name = value.get_type().name().map_or_else(|_| "an object".to_owned(), |n| n.to_string());
    match (value.getattr("dtype"), value.getattr("shape")) {
        (Ok(dtype), Ok(shape)) => format!("{name} of {dtype} of shape {shape}"),
        _ => name,
    }
}

fn is_numpy(value: &Bound<'_, PyAny>, code: &str) -> bool {
    let dtype = value.getattr(intern!(value.py(), "dtype"));
    let text = dtype.and_then(|dtype| dtype.getattr(intern!(value.py(), "str")));
    text.is_ok_and(|text| text.eq(code).unwrap_or(false))
}

fn is_numpy_integer(value: &Bound<'_, PyAny>) -> bool {
    if value.is_instance_of::<PyInt>() || value.is_instance_of::<PyFloat>() {
        return false;
    }
    let kind = value.getattr(intern!(value.py(), "dtype")).and_then(|dtype| dtype.getattr("kind"));
    let is_scalar = value.getattr("ndim").is_ok_and(|n| n.eq(0).unwrap_or(false));
    is_scalar
        && kind.is_ok_and(|kind| kind.eq("i").unwrap_or(false) || kind.eq("u").unwrap_or(false))
}

fn integer(primitive: Primitive, value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> Step {
    macro_rules! put_as {
        ($ty:ty) => {
            match value.extract::<$ty>() {
                Ok(number) => put_bytes(out, &number.to_le_bytes()),
                Err(_) => return misfit(format!("{value} is no {primitive}")),
            }
        };
    }
    match primitive {
        Primitive::Int8 => put_as!(i8),
        Primitive::Bool | Primitive::Byte | Primitive::Char | Primitive::Uint8 => put_as!(u8),
        Primitive::Int16 => put_as!(i16),
        Primitive::Uint16 => put_as!(u16),
        Primitive::Int32 => put_as!(i32),
        Primitive::Uint32 => put_as!(u32),
        Primitive::Uint64 => put_as!(u64),
        _ => put_as!(i64),
    }
    Ok(())
}

fn float(kind: &Kind, primitive: Primitive, value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> Step {
    let number = if let Ok(number) = value.cast::<PyFloat>() {
        number.value()
    } else if value.is_instance_of::<PyBool>() {
        return unexpected(kind, value);
    } else if value.is_instance_of::<PyInt>() || is_numpy_integer(value) {
        match value.extract::<i64>() {
            Ok(n) if n.unsigned_abs() <= EXACT_IN_FLOAT64 => n as f64,
            _ => return misfit(format!("a float64 would round the integer {value}")),
        }
    } else if is_numpy(value, "<f4") || is_numpy(value, "<f2") {
        value.extract::<f64>()?
    } else {
        return unexpected(kind, value);
    };
    match primitive {
        Primitive::Float32 => put_bytes(out, &(number as f32).to_le_bytes()),
        _ => put_bytes(out, &number.to_le_bytes()),
    }
    Ok(())
}

fn place(e: &Enumeration, value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> Step {
    let py = value.py();
    if !value.is_instance(e.class.bind(py))? {
        let expected = e.class.bind(py).name()?;
        return misfit(format!("expected a member of {expected}, got {}", described(value)));
    }
    let Some(place) = e.places.bind(py).get_item(value)? else {
        return misfit(format!("{} is no single member of its enum", value.repr()?));
    };
    let place: u16 = place.extract()?;
    match e.wire {
        Primitive::Uint8 => put_bytes(out, &(place as u8).to_le_bytes()),
        _ => put_bytes(out, &place.to_le_bytes()),
    }
    Ok(())
}

fn record(record: &Record, value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> Step {
    let py = value.py();
    match &record.form {
        Form::Object { class, .. } => {
            if !value.get_type().is(class.bind(py)) {
                let (expected, actual) = (record.short_name(), described(value));
                return misfit(format!("expected {expected}, got {actual}"));
            }
            for member in &record.fields {
                let name = || member.name.clone();
                let field = value.getattr(member.interned.bind(py)).map_err(|_| Fault::Misfit {
                    path: Vec::new(),
                    reason: "it is not set".to_owned(),
                });
                field
                    .and_then(|field| put(&member.kind, &field, out))
                    .map_err(|f| f.within(name))?;
            }
        }
        Form::Dict => {
            let Ok(dict) = value.cast_exact::<PyDict>() else {
                return misfit(format!("expected dict, got {}", described(value)));
            };
            let mut used = 0;
            for member in &record.fields {
                let field = dict.get_item(member.interned.bind(py))?;
                used += usize::from(field.is_some());
                let done = match (&member.kind, field) {
                    (_, Some(field)) if member.missing && field.is_none() => {
                        misfit("it is None, where dicts before left it out")
                    }
                    (kind, Some(field)) => put(kind, &field, out),
                    (Kind::Optional(_), None) if member.missing => put_count(out, 0),
                    (_, None) => misfit("the dict has no such key, as those before it had"),
                };
                done.map_err(|fault| fault.within(|| member.name.clone()))?;
            }
            if used < dict.len() {
                for name in dict.keys() {
                    let name = name.to_string();
                    if !record.fields.iter().any(|member| member.name == name) {
                        return misfit(format!("key {name} was not in the first dict"));
                    }
                }
            }
        }
    }
    Ok(())
}

fn sequence(
    element: &Kind,
    length: Length,
    container: Container,
    value: &Bound<'_, PyAny>,
    out: &mut Vec<u8>,
) -> Step {
    let py = value.py();
    let expected = match container {
        Container::List => py.get_type::<pyo3::types::PyList>(),
        Container::Tuple => py.get_type::<PyTuple>(),
        Container::Set => py.get_type::<pyo3::types::PySet>(),
        Container::FrozenSet => py.get_type::<pyo3::types::PyFrozenSet>(),
    };
    if !value.is_instance(&expected)? {
        return misfit(format!("expected {}, got {}", container.name(), described(value)));
    }
    let count = value.len()?;
    match length {
        Length::Exactly(wanted) if count != wanted => {
            return misfit(format!("expected {wanted} elements, got {count}"));
        }
        Length::AtMost(bound) if count > bound => {
            return misfit(format!("{count} elements, at most {bound} are allowed"));
        }
        Length::Exactly(_) => {}
        Length::AtMost(_) | Length::Any => put_count(out, count)?,
    }
    let items = match container {
        Container::List | Container::Tuple => value.clone(),
        // Sets have no order of their own.
        Container::Set | Container::FrozenSet => {
            py.import(intern!(py, "builtins"))?.call_method1(intern!(py, "sorted"), (value,))?
        }
    };
    for (n, item) in items.try_iter()?.enumerate() {
        put(element, &item?, out).map_err(|fault| fault.within(|| format!("[{n}]")))?;
    }
    Ok(())
}

fn array(kind: &Kind, value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> Step {
    let py = value.py();
    let (Kind::NdArray(element, dtype)
    | Kind::Flat(element, _, dtype)
    | Kind::Shaped(element, _, dtype)) = kind
    else {
        return unexpected(kind, value);
    };
    let is_array = value.is_instance(ndarray(py)?)?;
    if !is_array {
        return unexpected(kind, value);
    }
    let code = value.getattr(intern!(py, "dtype"))?.getattr(intern!(py, "str"))?;
    let bytes = if code.eq(dtype.0.bind(py))? {
        value.call_method0(intern!(py, "tobytes"))?
    } else {
        // The other byte order, or a type that each value goes into unchanged.
        let options = PyDict::new(py);
        options.set_item("casting", "safe")?;
        let Ok(cast) =
            value.call_method(intern!(py, "astype"), (dtype.0.bind(py),), Some(&options))
        else {
            return unexpected(kind, value);
        };
        if matches!(element, Primitive::Float64) && rounds(value)? {
            return misfit("a float64 would round an integer of the array".to_owned());
        }
        cast.call_method0(intern!(py, "tobytes"))?
    };
    let bytes = bytes.cast::<PyBytes>().map_err(PyErr::from)?.as_bytes();
    let shape: Vec<usize> = value.getattr(intern!(py, "shape"))?.extract()?;
    match kind {
        Kind::Shaped(_, wanted, _) if *wanted != shape => return unexpected(kind, value),
        Kind::Flat(_, length, _) => {
            let &[count] = shape.as_slice() else { return unexpected(kind, value) };
            match length {
                Length::Exactly(wanted) if count != *wanted => return unexpected(kind, value),
                Length::AtMost(bound) if count > *bound => return unexpected(kind, value),
                Length::Exactly(_) => {}
                Length::AtMost(_) | Length::Any => put_count(out, count)?,
            }
        }
        Kind::NdArray(..) => {
            put_count(out, shape.len())?;
            for extent in &shape {
                put_count(out, *extent)?;
            }
            put_count(out, shape.iter().product())?;
        }
        _ => {}
    }
    if !bytes.is_empty() {
        align(out, element.size());
        out.extend(bytes);
    }
    Ok(())
}

/// Whether an array of integers, which NumPy calls safe to cast to float64,
/// has one that float64 can't hold.
fn rounds(array: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = array.py();
    let dtype = array.getattr(intern!(py, "dtype"))?;
    let is_integer = matches!(dtype.getattr(intern!(py, "kind"))?.extract()?, 'i' | 'u');
    if !is_integer || array.getattr(intern!(py, "size"))?.extract::<usize>()? == 0 {
        return Ok(false);
    }
    let most = array.call_method0(intern!(py, "max"))?;
    let least = array.call_method0(intern!(py, "min"))?;
    Ok(most.gt(EXACT_IN_FLOAT64)? || least.lt(-(EXACT_IN_FLOAT64 as i64))?)
}

/// `numpy.ndarray`
fn ndarray(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    use pyo3::sync::PyOnceLock;
    static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    CLASS
        .get_or_try_init(py, || Ok(py.import("numpy")?.getattr("ndarray")?.unbind()))
        .map(|class| class.bind(py))
}
