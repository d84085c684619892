//! What a Python value is as a message: its schema, and what Python needs
//! beyond it to get the same value back.

use std::sync::Arc;

use lk::schema::Primitive;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyType};

/// How a value, or a part of one, is encoded and what it is in Python.
pub(crate) enum Kind {
    /// `bool`
    Bool,
    /// `int`
    Int(Primitive),
    /// `float`
    Float(Primitive),
    /// A scalar of NumPy; the constructor makes it from a plain number.
    Scalar(Primitive, Py<PyAny>),
    /// `str`, of which `wide` is a `wstring`.
    Text { wide: bool, bound: Option<usize> },
    /// `bytes`
    Bytes,
    /// `None`, where there is nothing else: an empty message.
    Null,
    /// A member of an `enum.Enum`, by its place among the members.
    Enum(Enumeration),
    /// A dataclass, or a dict with the same names each time.
    Record(Arc<Record>),
    /// A list and its like.
    Sequence(Box<Kind>, Length, Container),
    /// A NumPy array of any shape: `uint32[] shape` and the elements.
    NdArray(Primitive, Dtype),
    /// A NumPy array of one dimension: the elements alone.
    Flat(Primitive, Length, Dtype),
    /// A NumPy array of a fixed shape: as many elements.
    Shaped(Primitive, Vec<usize>, Dtype),
    /// `None`, or the value.
    Optional(Box<Kind>),
}

pub(crate) struct Enumeration {
    pub(crate) class: Py<PyType>,
    pub(crate) names: Vec<String>,
    pub(crate) members: Vec<Py<PyAny>>,
    /// Place by member.
    pub(crate) places: Py<PyDict>,
    pub(crate) wire: Primitive,
}

/// A message with named fields.
pub(crate) struct Record {
    /// `package/msg/Type`
    pub(crate) name: String,
    pub(crate) form: Form,
    pub(crate) fields: Vec<Member>,
}

pub(crate) enum Form {
    /// An object of the class; `slots` where it has no `__dict__`.
    Object { class: Py<PyType>, slots: bool },
    /// A dict.
    Dict,
}

pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) interned: Py<PyString>,
    pub(crate) kind: Kind,
    /// Of a dict: the field is left out where it isn't there, not `None`.
    pub(crate) missing: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Length {
    Any,
    AtMost(usize),
    Exactly(usize),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Container {
    List,
    Tuple,
    Set,
    FrozenSet,
}

/// The little-endian dtype of NumPy for an element, `<f8`.
pub(crate) struct Dtype(pub(crate) Py<PyString>);

impl Dtype {
    pub(crate) fn of(py: Python<'_>, primitive: Primitive) -> Dtype {
        Dtype(PyString::intern(py, dtype_code(primitive)).unbind())
    }
}

pub(crate) fn dtype_code(primitive: Primitive) -> &'static str {
    match primitive {
        Primitive::Bool => "|b1",
        Primitive::Byte | Primitive::Char | Primitive::Uint8 => "|u1",
        Primitive::Int8 => "|i1",
        Primitive::Int16 => "<i2",
        Primitive::Uint16 => "<u2",
        Primitive::Int32 => "<i4",
        Primitive::Uint32 => "<u4",
        Primitive::Int64 => "<i8",
        Primitive::Uint64 => "<u8",
        Primitive::Float32 => "<f4",
        Primitive::Float64 => "<f8",
    }
}

impl Container {
    pub(crate) const ALL: [Container; 4] =
        [Container::List, Container::Tuple, Container::Set, Container::FrozenSet];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Container::List => "list",
            Container::Tuple => "tuple",
            Container::Set => "set",
            Container::FrozenSet => "frozenset",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Container> {
        Container::ALL.into_iter().find(|container| container.name() == name)
    }
}

impl Kind {
    /// `int`, `float` and so on, for messages.
    pub(crate) fn describe(&self) -> String {
        match self {
            Kind::Bool => "bool".to_owned(),
            Kind::Int(_) => "int".to_owned(),
            Kind::Float(_) => "float".to_owned(),
            Kind::Scalar(primitive, _) => format!("numpy.{primitive}"),
            Kind::Text { .. } => "str".to_owned(),
            Kind::Bytes => "bytes".to_owned(),
            Kind::Null => "None".to_owned(),
            Kind::Enum(_) => "a member of the enum".to_owned(),
            Kind::Record(record) => match record.form {
                Form::Dict => "dict".to_owned(),
                Form::Object { .. } => record.short_name().to_owned(),
            },
            Kind::Sequence(_, _, container) => container.name().to_owned(),
            Kind::NdArray(p, _) | Kind::Flat(p, ..) => format!("a NumPy array of {p}"),
            Kind::Shaped(p, shape, _) => format!("a NumPy array of {p} of shape {shape:?}"),
            Kind::Optional(inner) => format!("{} or None", inner.describe()),
        }
    }
}

impl Record {
    pub(crate) fn short_name(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or(&self.name)
    }
}

/// A [`Kind`] as Python has it.
#[pyclass(frozen, name = "Kind", module = "lk._lk")]
pub(crate) struct PyKind(pub(crate) Arc<Kind>);

fn primitive(name: &str) -> PyResult<Primitive> {
    let found = Primitive::ALL.into_iter().find(|p| p.name() == name);
    found.ok_or_else(|| PyValueError::new_err(format!("no element type {name}")))
}

fn wrap(kind: Kind) -> PyKind {
    PyKind(Arc::new(kind))
}

/// A copy whose Python objects are the same ones.
pub(crate) fn share(py: Python<'_>, kind: &Kind) -> Kind {
    let dtype = |dtype: &Dtype| Dtype(dtype.0.clone_ref(py));
    match kind {
        Kind::Bool => Kind::Bool,
        Kind::Int(p) => Kind::Int(*p),
        Kind::Float(p) => Kind::Float(*p),
        Kind::Scalar(p, make) => Kind::Scalar(*p, make.clone_ref(py)),
        Kind::Text { wide, bound } => Kind::Text { wide: *wide, bound: *bound },
        Kind::Bytes => Kind::Bytes,
        Kind::Null => Kind::Null,
        Kind::Enum(e) => Kind::Enum(Enumeration {
            class: e.class.clone_ref(py),
            names: e.names.clone(),
            members: e.members.iter().map(|member| member.clone_ref(py)).collect(),
            places: e.places.clone_ref(py),
            wire: e.wire,
        }),
        Kind::Record(record) => Kind::Record(Arc::clone(record)),
        Kind::Sequence(element, length, container) => {
            Kind::Sequence(Box::new(share(py, element)), *length, *container)
        }
        Kind::NdArray(p, d) => Kind::NdArray(*p, dtype(d)),
        Kind::Flat(p, length, d) => Kind::Flat(*p, *length, dtype(d)),
        Kind::Shaped(p, shape, d) => Kind::Shaped(*p, shape.clone(), dtype(d)),
        Kind::Optional(inner) => Kind::Optional(Box::new(share(py, inner))),
    }
}

/// Members of an enum by their place, in the order of their definition.
pub(crate) fn enumeration(class: &Bound<'_, PyType>) -> PyResult<Enumeration> {
    let (mut names, mut members) = (Vec::new(), Vec::new());
    let places = PyDict::new(class.py());
    for member in class.try_iter()? {
        let member = member?;
        names.push(member.getattr("name")?.extract::<String>()?);
        places.set_item(&member, members.len())?;
        members.push(member.unbind());
    }
    let wire = if members.len() <= 256 { Primitive::Uint8 } else { Primitive::Uint16 };
    let (class, places) = (class.clone().unbind(), places.unbind());
    Ok(Enumeration { class, names, members, places, wire })
}

/// An object of such a class is made without calling it, as `pickle` does.
pub(crate) fn object_form(class: &Bound<'_, PyType>) -> PyResult<Form> {
    let slots = class.getattr("__dictoffset__")?.extract::<isize>()? == 0;
    Ok(Form::Object { class: class.clone().unbind(), slots })
}

pub(crate) fn member(py: Python<'_>, name: &str, kind: Kind, missing: bool) -> Member {
    let interned = PyString::intern(py, name).unbind();
    Member { name: name.to_owned(), interned, kind, missing }
}

#[pymethods]
impl PyKind {
    #[staticmethod]
    fn bool() -> PyKind {
        wrap(Kind::Bool)
    }

    #[staticmethod]
    fn int(element: &str) -> PyResult<PyKind> {
        Ok(wrap(Kind::Int(primitive(element)?)))
    }

    #[staticmethod]
    fn float(element: &str) -> PyResult<PyKind> {
        Ok(wrap(Kind::Float(primitive(element)?)))
    }

    #[staticmethod]
    fn scalar(element: &str, constructor: Py<PyAny>) -> PyResult<PyKind> {
        Ok(wrap(Kind::Scalar(primitive(element)?, constructor)))
    }

    #[staticmethod]
    fn text() -> PyKind {
        wrap(Kind::Text { wide: false, bound: None })
    }

    #[staticmethod]
    fn bytes() -> PyKind {
        wrap(Kind::Bytes)
    }

    #[staticmethod]
    fn null() -> PyKind {
        wrap(Kind::Null)
    }

    #[staticmethod]
    fn enumeration(class_: &Bound<'_, PyType>) -> PyResult<PyKind> {
        Ok(wrap(Kind::Enum(enumeration(class_)?)))
    }

    /// `fields` are names, kinds, and whether a missing key is left out.
    #[staticmethod]
    fn record(
        py: Python<'_>,
        name: String,
        class_: Option<&Bound<'_, PyType>>,
        fields: Vec<(String, Py<PyKind>, bool)>,
    ) -> PyResult<PyKind> {
        let form = class_.map(object_form).transpose()?.unwrap_or(Form::Dict);
        let fields = fields
            .iter()
            .map(|(name, kind, missing)| member(py, name, share(py, &kind.get().0), *missing))
            .collect();
        Ok(wrap(Kind::Record(Arc::new(Record { name, form, fields }))))
    }

    #[staticmethod]
    #[pyo3(signature = (element, container, length=None))]
    fn sequence(
        py: Python<'_>,
        element: &PyKind,
        container: &str,
        length: Option<usize>,
    ) -> PyResult<PyKind> {
        let container = Container::named(container)
            .ok_or_else(|| PyValueError::new_err(format!("no container {container}")))?;
        let length = length.map_or(Length::Any, Length::Exactly);
        Ok(wrap(Kind::Sequence(Box::new(share(py, &element.0)), length, container)))
    }

    #[staticmethod]
    #[pyo3(signature = (element, shape=None))]
    fn ndarray(py: Python<'_>, element: &str, shape: Option<Vec<usize>>) -> PyResult<PyKind> {
        let element = primitive(element)?;
        let dtype = Dtype::of(py, element);
        Ok(wrap(match shape {
            Some(shape) => Kind::Shaped(element, shape, dtype),
            None => Kind::NdArray(element, dtype),
        }))
    }

    #[staticmethod]
    fn optional(py: Python<'_>, inner: &PyKind) -> PyKind {
        wrap(Kind::Optional(Box::new(share(py, &inner.0))))
    }

    #[getter]
    fn is_optional(&self) -> bool {
        matches!(*self.0, Kind::Optional(_))
    }

    #[getter]
    fn is_null(&self) -> bool {
        matches!(*self.0, Kind::Null)
    }

    /// The class of its values, `typing.Any` where they have no one class.
    #[getter]
    fn value_type<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(match &*self.0 {
            Kind::Bool => py.get_type::<PyBool>().into_any(),
            Kind::Int(_) => py.get_type::<PyInt>().into_any(),
            Kind::Float(_) => py.get_type::<PyFloat>().into_any(),
            Kind::Text { .. } => py.get_type::<PyString>().into_any(),
            Kind::Bytes => py.get_type::<PyBytes>().into_any(),
            Kind::Enum(e) => e.class.bind(py).clone().into_any(),
            Kind::Record(record) => match &record.form {
                Form::Object { class, .. } => class.bind(py).clone().into_any(),
                Form::Dict => py.get_type::<PyDict>().into_any(),
            },
            Kind::Sequence(..) => py.get_type::<PyList>().into_any(),
            Kind::NdArray(..) | Kind::Flat(..) | Kind::Shaped(..) => {
                py.import("numpy")?.getattr("ndarray")?
            }
            Kind::Scalar(..) | Kind::Null | Kind::Optional(_) => {
                py.import("typing")?.getattr("Any")?
            }
        })
    }

    /// The type of the message: its name, its `.msg` text, what Python knows
    /// beyond it.
    fn describe(&self) -> PyResult<(String, String, String)> {
        let schema = crate::types::schema(&self.0)?;
        let hint = crate::hint::of(&self.0);
        Ok((schema.name().to_owned(), schema.to_msg_text(), hint.to_string()))
    }

    /// What decides whether payloads of two types mean the same: 16 bytes.
    fn fingerprint(&self) -> PyResult<[u8; 16]> {
        Ok(crate::types::schema(&self.0)?.fingerprint().0)
    }

    /// The value as a payload.
    fn encode(&self, value: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
        let mut payload = Vec::new();
        crate::encode::message(&self.0, value, &mut payload, String::new)?;
        Ok(payload)
    }

    /// The value of a payload.
    fn decode<'py>(&self, py: Python<'py>, payload: &[u8]) -> PyResult<Bound<'py, PyAny>> {
        crate::decode::message(py, &self.0, payload)
    }

    /// The paths of what can be a column, in order.
    fn columns(&self) -> Vec<String> {
        crate::column::paths(&self.0)
    }

    fn __repr__(&self) -> String {
        format!("Kind({})", self.0.describe())
    }
}
