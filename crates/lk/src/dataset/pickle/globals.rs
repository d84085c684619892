//! What a pickle may name, and what may be done with it. Nothing is imported
//! and nothing is called: each of these is data by another name.

use std::borrow::Cow;

use super::decoder::Decoder;
use super::ndarray;
use super::object::{Global, Known, Node, Obj, RawArray, Step};

/// Modules whose names are never the classes of recorded messages. Their
/// functions would be refused where they are called; this says so earlier.
const NO_CLASSES: [&str; 44] = [
    "__builtin__",
    "_codecs",
    "_io",
    "_pickle",
    "apt",
    "ast",
    "asyncio",
    "atexit",
    "bdb",
    "builtins",
    "code",
    "codecs",
    "commands",
    "copy_reg",
    "copyreg",
    "ctypes",
    "functools",
    "gc",
    "httplib",
    "imp",
    "importlib",
    "inspect",
    "io",
    "itertools",
    "marshal",
    "multiprocessing",
    "nt",
    "numpy",
    "operator",
    "os",
    "pickle",
    "pip",
    "pkgutil",
    "posix",
    "pty",
    "pydoc",
    "runpy",
    "shutil",
    "socket",
    "subprocess",
    "sys",
    "timeit",
    "types",
    "webbrowser",
];

/// Of a global's module and name: it is copied where it is used.
const MAX_NAME_BYTES: usize = 512;

impl<'a> Decoder<'a> {
    /// A global that lk knows, or one that can be a class.
    pub(super) fn recognise(&self, module: &str, name: &str) -> Step<Global> {
        if module.len() + name.len() > MAX_NAME_BYTES {
            return self.refuse("a global's name is too long");
        }
        let known = match (module, name) {
            ("numpy.core.multiarray" | "numpy._core.multiarray", "_reconstruct") => {
                Known::Reconstruct
            }
            ("numpy.core.multiarray" | "numpy._core.multiarray", "scalar") => Known::Scalar,
            ("numpy.core.numeric" | "numpy._core.numeric", "_frombuffer") => Known::FromBuffer,
            ("numpy", "ndarray") => Known::NdArray,
            ("numpy", "dtype") => Known::Dtype,
            ("_codecs", "encode") => Known::Encode,
            ("builtins" | "__builtin__", "set") => Known::Set,
            ("builtins" | "__builtin__", "frozenset") => Known::FrozenSet,
            ("builtins" | "__builtin__", "bytearray") => Known::ByteArray,
            ("builtins" | "__builtin__", "bytes") => Known::Bytes,
            ("copyreg" | "copy_reg", "__newobj__") => Known::NewObj,
            _ => {
                let package = module.split('.').next().unwrap_or_default();
                if NO_CLASSES.contains(&package) || !is_dotted(module) || !is_dotted(name) {
                    return self.refuse(format!("it names {module}.{name}, which is no data"));
                }
                Known::Class
            }
        };
        Ok(Global { name: format!("{module}.{name}"), known, offset: self.start })
    }

    /// `callable(*arguments)`, for the few callables that stand for data.
    pub(super) fn reduce(&mut self, callable: Obj, arguments: Obj) -> Step<Obj> {
        let Some(Node::Global(global)) = self.heap.node(callable) else {
            return self.refuse_use("it calls", callable);
        };
        let global = global.clone();
        let Some(arguments) = self.heap.tuple(arguments) else {
            return self.refuse(format!("it calls {} with no tuple", global.name));
        };
        let wrong = |decoder: &Decoder<'a>| {
            let (name, at) = (&global.name, global.offset);
            decoder.refuse(format!("it calls {name} (byte {at}), which is no data"))
        };
        match (global.known, arguments) {
            (Known::Dtype, &[code, ..]) => {
                let Some(code) = self.heap.text(code) else { return wrong(self) };
                match ndarray::primitive(code) {
                    Some(primitive) => self.add(Node::Dtype { primitive, big_endian: false }),
                    None => self.refuse(format!("NumPy dtype {code} has no message type")),
                }
            }
            (Known::Reconstruct, &[class, ..]) => match self.heap.node(class) {
                Some(Node::Global(class)) if class.known == Known::NdArray => {
                    self.add(Node::Array(None))
                }
                _ => wrong(self),
            },
            (Known::FromBuffer, &[buffer, dtype, shape, order]) => {
                let fortran = match self.heap.text(order) {
                    Some("C") => false,
                    Some("F") => true,
                    _ => return self.refuse("a NumPy array is in neither order C nor F"),
                };
                let array = self.array_of(shape, dtype, fortran, buffer)?;
                self.add(Node::Array(Some(array)))
            }
            (Known::Scalar, &[dtype, bytes]) => {
                match (self.heap.node(dtype), self.heap.bytes(bytes)) {
                    (Some(&Node::Dtype { primitive, big_endian }), Some(bytes))
                        if bytes.len() == primitive.size() =>
                    {
                        match ndarray::element(primitive, big_endian, bytes) {
                            Some(scalar) => self.add(Node::Scalar(scalar)),
                            None => self.refuse("a NumPy bool is neither 0 nor 1"),
                        }
                    }
                    _ => self.refuse("a NumPy scalar has not the bytes of its dtype"),
                }
            }
            (Known::Encode, &[text, codec]) => {
                let (Some(text), Some("latin1" | "latin-1")) =
                    (self.heap.text(text), self.heap.text(codec))
                else {
                    return wrong(self);
                };
                self.charge(text.len())?;
                match text.chars().map(|c| u8::try_from(u32::from(c))).collect() {
                    Ok(bytes) => self.add(Node::Bytes(Cow::<[u8]>::Owned(bytes))),
                    Err(_) => self.refuse("bytes have a character beyond latin-1"),
                }
            }
            (Known::Set | Known::FrozenSet, &[]) => self.add(Node::Set(Vec::new())),
            (Known::Set | Known::FrozenSet, &[items]) => {
                let Some(items) = self.heap.items(items) else { return wrong(self) };
                let items = items.to_vec();
                self.charge(items.len())?;
                self.add(Node::Set(items))
            }
            (Known::ByteArray | Known::Bytes, &[]) => {
                self.add(Node::Bytes(Cow::Borrowed(b"".as_slice())))
            }
            (Known::ByteArray, &[bytes]) if self.heap.bytes(bytes).is_some() => Ok(bytes),
            (Known::NewObj, &[class]) => self.instance(class),
            _ => wrong(self),
        }
    }

    /// `class.__new__(class)`.
    pub(super) fn new_object(&mut self, class: Obj, arguments: Obj) -> Step<Obj> {
        match self.heap.tuple(arguments) {
            Some([]) => self.instance(class),
            _ => {
                let what = self.heap.describe(class);
                self.refuse(format!("it makes an object of {what} from arguments"))
            }
        }
    }

    fn instance(&mut self, class: Obj) -> Step<Obj> {
        match self.heap.node(class) {
            Some(Node::Global(global)) if global.known == Known::Class => {
                self.add(Node::Instance { class, state: None })
            }
            _ => self.refuse_use("it makes an object of", class),
        }
    }

    /// Sets the state of an object that was just made; once.
    pub(super) fn build(&mut self, object: Obj, state: Obj) -> Step<()> {
        match self.heap.node(object) {
            Some(Node::Instance { state: None, .. }) => {
                let states = match self.heap.tuple(state) {
                    // Attributes, and those in slots.
                    Some(&[attributes, slots]) => [attributes, slots],
                    Some(_) => return self.refuse_use("BUILD from", state),
                    None => [state, Obj::None],
                };
                for state in states {
                    if state != Obj::None && self.heap.dict(state).is_none() {
                        let (object, state) =
                            (self.heap.describe(object), self.heap.describe(state));
                        return self.refuse(format!("{object} has {state} for attributes"));
                    }
                }
                if let Some(Node::Instance { state, .. }) = self.heap.node_mut(object) {
                    *state = Some(states);
                }
                Ok(())
            }
            Some(Node::Dtype { .. }) => {
                let big = match self.heap.tuple(state) {
                    Some(&[_, order, Obj::None, Obj::None, Obj::None, ..]) => {
                        match self.heap.text(order) {
                            Some("<" | "|" | "=") => false,
                            Some(">") => true,
                            _ => return self.refuse("a NumPy dtype has an unknown byte order"),
                        }
                    }
                    _ => return self.refuse("a NumPy dtype is no plain number"),
                };
                if let Some(Node::Dtype { big_endian, .. }) = self.heap.node_mut(object) {
                    *big_endian = big;
                }
                Ok(())
            }
            Some(Node::Array(None)) => {
                let array = match self.heap.tuple(state) {
                    Some(&[Obj::Int(_), shape, dtype, Obj::Bool(fortran), bytes]) => {
                        self.array_of(shape, dtype, fortran, bytes)?
                    }
                    _ => return self.refuse("a NumPy array has an unknown state"),
                };
                if let Some(Node::Array(empty)) = self.heap.node_mut(object) {
                    *empty = Some(array);
                }
                Ok(())
            }
            _ => self.refuse_use("BUILD of", object),
        }
    }

    fn array_of(&self, shape: Obj, dtype: Obj, fortran: bool, bytes: Obj) -> Step<RawArray> {
        let Some(&Node::Dtype { primitive, big_endian }) = self.heap.node(dtype) else {
            return self.refuse("a NumPy array has no dtype");
        };
        let Some(extents) = self.heap.tuple(shape).filter(|extents| extents.len() <= 64) else {
            return self.refuse("a NumPy array has no shape of up to 64 dimensions");
        };
        let mut shape = Vec::with_capacity(extents.len());
        for &extent in extents {
            match extent {
                Obj::Int(n) if u32::try_from(n).is_ok() => shape.push(n as u32),
                _ => return self.refuse("a NumPy array has a dimension beyond 32 bits"),
            }
        }
        let (Obj::Ref(node), Some(content)) = (bytes, self.heap.bytes(bytes)) else {
            return self.refuse("a NumPy array has no bytes");
        };
        let size = ndarray::count(&shape).and_then(|count| count.checked_mul(primitive.size()));
        if size != Some(content.len()) {
            let actual = content.len();
            return self.refuse(format!("a NumPy array of shape {shape:?} has {actual} bytes"));
        }
        Ok(RawArray { shape, primitive, big_endian, fortran, bytes: node })
    }
}

/// Whether it is names with dots between them, as classes have.
fn is_dotted(text: &str) -> bool {
    text.split('.').all(|name| {
        let name = name.strip_prefix('<').and_then(|n| n.strip_suffix('>')).unwrap_or(name);
        !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_')
    })
}
