//! What a pickle describes: scalars, and nodes that may be shared.

use std::borrow::Cow;

use crate::schema::Primitive;
use crate::value::Datum;

/// Why a pickle is refused, and at which byte.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) offset: usize,
    pub(super) reason: String,
}

pub(super) type Step<T> = Result<T, Refusal>;

/// A Python object: a scalar, or the number of a node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Obj {
    None,
    Bool(bool),
    Int(i64),
    /// Beyond an `i64`.
    Uint(u64),
    Float(f64),
    Ref(u32),
}

/// An object that other objects can refer to.
#[derive(Debug)]
pub(super) enum Node<'a> {
    Text(&'a str),
    Bytes(Cow<'a, [u8]>),
    List(Vec<Obj>),
    Tuple(Vec<Obj>),
    Set(Vec<Obj>),
    Dict(Vec<(Obj, Obj)>),
    Global(Global),
    /// An object of a class; its attributes are in up to two dicts.
    Instance {
        /// A global.
        class: Obj,
        state: Option<[Obj; 2]>,
    },
    Dtype {
        primitive: Primitive,
        big_endian: bool,
    },
    /// `None` between its creation and its BUILD.
    Array(Option<RawArray>),
    /// A NumPy scalar.
    Scalar(Datum),
}

/// Something that a pickle names, `module.name`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Global {
    pub(super) name: String,
    pub(super) known: Known,
    pub(super) offset: usize,
}

/// What a global is to lk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Known {
    Reconstruct,
    NdArray,
    Dtype,
    FromBuffer,
    Scalar,
    Encode,
    Set,
    FrozenSet,
    ByteArray,
    Bytes,
    NewObj,
    /// A class whose objects can be records; nothing else is done with it.
    Class,
}

/// A NumPy array whose bytes are as many as its shape wants.
#[derive(Clone, Debug)]
pub(super) struct RawArray {
    pub(super) shape: Vec<u32>,
    pub(super) primitive: Primitive,
    pub(super) big_endian: bool,
    /// Whether the first index runs fastest.
    pub(super) fortran: bool,
    /// The node of the bytes: arrays may share it.
    pub(super) bytes: u32,
}

/// All nodes of a pickle. They refer to each other by number, so cycles leak
/// nothing and depth costs no stack.
#[derive(Debug, Default)]
pub(super) struct Heap<'a> {
    nodes: Vec<Node<'a>>,
}

impl<'a> Heap<'a> {
    /// `None` where there are too many nodes to number.
    pub(super) fn add(&mut self, node: Node<'a>) -> Option<Obj> {
        let number = u32::try_from(self.nodes.len()).ok()?;
        self.nodes.push(node);
        Some(Obj::Ref(number))
    }

    pub(super) fn node(&self, obj: Obj) -> Option<&Node<'a>> {
        match obj {
            Obj::Ref(number) => self.nodes.get(number as usize),
            _ => None,
        }
    }

    pub(super) fn node_mut(&mut self, obj: Obj) -> Option<&mut Node<'a>> {
        match obj {
            Obj::Ref(number) => self.nodes.get_mut(number as usize),
            _ => None,
        }
    }

    pub(super) fn text(&self, obj: Obj) -> Option<&'a str> {
        match self.node(obj)? {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn bytes(&self, obj: Obj) -> Option<&[u8]> {
        match self.node(obj)? {
            Node::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    pub(super) fn tuple(&self, obj: Obj) -> Option<&[Obj]> {
        match self.node(obj)? {
            Node::Tuple(items) => Some(items),
            _ => None,
        }
    }

    /// The elements of a list or a tuple.
    pub(super) fn items(&self, obj: Obj) -> Option<&[Obj]> {
        match self.node(obj)? {
            Node::List(items) | Node::Tuple(items) => Some(items),
            _ => None,
        }
    }

    pub(super) fn dict(&self, obj: Obj) -> Option<&[(Obj, Obj)]> {
        match self.node(obj)? {
            Node::Dict(entries) => Some(entries),
            _ => None,
        }
    }

    /// The full name of an object's class.
    pub(super) fn class_name(&self, class: Obj) -> &str {
        match self.node(class) {
            Some(Node::Global(global)) => &global.name,
            _ => "",
        }
    }

    /// What an object is, for messages.
    pub(super) fn describe(&self, obj: Obj) -> String {
        let name = match obj {
            Obj::None => "None",
            Obj::Bool(_) => "a bool",
            Obj::Int(_) | Obj::Uint(_) => "an int",
            Obj::Float(_) => "a float",
            Obj::Ref(_) => match self.node(obj) {
                Some(Node::Text(_)) => "a str",
                Some(Node::Bytes(_)) => "bytes",
                Some(Node::List(_)) => "a list",
                Some(Node::Tuple(_)) => "a tuple",
                Some(Node::Set(_)) => "a set",
                Some(Node::Dict(_)) => "a dict",
                Some(Node::Global(global)) => {
                    return format!("the global {} (byte {})", global.name, global.offset);
                }
                Some(&Node::Instance { class, .. }) => {
                    return format!("an object of {}", self.class_name(class));
                }
                Some(Node::Dtype { .. }) => "a NumPy dtype",
                Some(Node::Array(_)) => "a NumPy array",
                Some(Node::Scalar(_)) => "a NumPy scalar",
                None => "nothing",
            },
        };
        name.to_owned()
    }
}
