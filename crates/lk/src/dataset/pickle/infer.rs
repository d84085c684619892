//! Message types of values that have none.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::MAX_DEPTH;
use super::convert::Budget;
use super::object::{Heap, Node, Obj};
use crate::error::Result;
use crate::schema::wrapper;
use crate::schema::{ElementType, Field, FieldType, MessageType, Primitive, Schema};

/// What is known of a value's type.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// Nothing was seen but `None`, or no element.
    Unknown,
    /// An int of Python's that an `int64` holds: it goes with every number.
    Int,
    Number(Primitive),
    Text,
    Bytes,
    List(Box<Kind>),
    NdArray(Primitive),
    Record {
        class: Option<String>,
        members: Vec<Member>,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Member {
    name: String,
    kind: Kind,
    /// Whether it is `None` or missing in some record.
    optional: bool,
}

/// The type of one value.
pub(super) fn kind(
    heap: &Heap<'_>,
    obj: Obj,
    depth: usize,
    budget: &mut Budget,
) -> Result<Kind, String> {
    budget.spend(1, 0)?;
    if depth > MAX_DEPTH {
        return Err(format!("it is nested deeper than {MAX_DEPTH} levels"));
    }
    Ok(match obj {
        Obj::None => Kind::Unknown,
        Obj::Bool(_) => Kind::Number(Primitive::Bool),
        Obj::Int(_) => Kind::Int,
        Obj::Uint(_) => Kind::Number(Primitive::Uint64),
        Obj::Float(_) => Kind::Number(Primitive::Float64),
        Obj::Ref(_) => match heap.node(obj) {
            Some(Node::Text(_)) => Kind::Text,
            Some(Node::Bytes(_)) => Kind::Bytes,
            Some(Node::List(items) | Node::Tuple(items) | Node::Set(items)) => {
                let mut element = Kind::Unknown;
                for (n, &item) in items.iter().enumerate() {
                    element = match kind(heap, item, depth + 1, budget)? {
                        Kind::Unknown => return Err(format!("[{n}] is None")),
                        kind => element
                            .merge(kind, budget)
                            .map_err(|reason| format!("[{n}]: {reason}"))?,
                    };
                }
                Kind::List(Box::new(element))
            }
            Some(Node::Array(Some(array))) => Kind::NdArray(array.primitive),
            Some(Node::Scalar(scalar)) => Kind::Number(primitive_of(scalar.type_name())),
            Some(&Node::Instance { class, .. }) => {
                let members = members(heap, obj, depth, budget)?;
                Kind::Record { class: Some(heap.class_name(class).to_owned()), members }
            }
            Some(Node::Dict(_)) => {
                Kind::Record { class: None, members: members(heap, obj, depth, budget)? }
            }
            _ => return Err(format!("{} is no data", heap.describe(obj))),
        },
    })
}

fn members(
    heap: &Heap<'_>,
    obj: Obj,
    depth: usize,
    budget: &mut Budget,
) -> Result<Vec<Member>, String> {
    let mut members = Vec::new();
    for (name, value) in entries(heap, obj)? {
        let kind = kind(heap, value, depth + 1, budget).map_err(|e| in_field(name, &e))?;
        let optional = kind == Kind::Unknown;
        members.push(Member { name: name.to_owned(), kind, optional });
    }
    Ok(members)
}

/// The fields of a dict or an object; none comes twice.
pub(super) fn entries<'a>(heap: &Heap<'a>, obj: Obj) -> Result<Vec<(&'a str, Obj)>, String> {
    let dicts = match heap.node(obj) {
        Some(Node::Dict(_)) => [obj, Obj::None],
        Some(Node::Instance { state, .. }) => state.unwrap_or([Obj::None; 2]),
        _ => return Err(format!("expected a dict or an object, got {}", heap.describe(obj))),
    };
    let mut entries = Vec::new();
    let mut seen = BTreeSet::new();
    for &(key, value) in dicts.into_iter().filter_map(|dict| heap.dict(dict)).flatten() {
        let Some(name) = heap.text(key) else {
            return Err(format!("a dict has {} for a key, not a str", heap.describe(key)));
        };
        if !seen.insert(name) {
            return Err(format!("field {name} comes twice"));
        }
        entries.push((name, value));
    }
    Ok(entries)
}

impl Kind {
    /// What holds both; a reason, naming the field, where nothing does.
    pub(super) fn merge(self, other: Kind, budget: &mut Budget) -> Result<Kind, String> {
        Ok(match (self, other) {
            (Kind::Unknown, kind) | (kind, Kind::Unknown) => kind,
            (Kind::Int, Kind::Number(p)) | (Kind::Number(p), Kind::Int) if p != Primitive::Bool => {
                Kind::Number(wider(Primitive::Int64, p)?)
            }
            (Kind::Number(a), Kind::Number(b)) => Kind::Number(wider(a, b)?),
            (Kind::NdArray(a), Kind::NdArray(b)) => Kind::NdArray(wider(a, b)?),
            (Kind::List(a), Kind::List(b)) => Kind::List(Box::new(a.merge(*b, budget)?)),
            (Kind::Record { class: a, members }, Kind::Record { class: b, members: others })
                if a == b =>
            {
                Kind::Record { class: a, members: merge_members(members, others, budget)? }
            }
            (a, b) if a == b => a,
            (a, b) => {
                return Err(format!("{} comes where {} came before", b.describe(), a.describe()));
            }
        })
    }

    fn describe(&self) -> String {
        match self {
            Kind::Unknown => "None".to_owned(),
            Kind::Int => "an int".to_owned(),
            Kind::Number(p) => format!("a {p}"),
            Kind::Text => "a str".to_owned(),
            Kind::Bytes => "bytes".to_owned(),
            Kind::List(_) => "a list".to_owned(),
            Kind::NdArray(p) => format!("a NumPy array of {p}"),
            Kind::Record { class: None, .. } => "a dict".to_owned(),
            Kind::Record { class: Some(class), .. } => format!("an object of {class}"),
        }
    }
}

/// The element type that holds both; of a float and an integer `float64`, into
/// which each value must then fit exactly.
fn wider(a: Primitive, b: Primitive) -> Result<Primitive, String> {
    use Primitive::{Bool, Float32, Float64, Int64, Uint64};
    let is_float = |p| matches!(p, Float32 | Float64);
    let is_unsigned = |p: Primitive| p.name().starts_with('u');
    Ok(match (a, b) {
        (a, b) if a == b => a,
        (Bool, other) | (other, Bool) => return Err(format!("a bool and a {other} are mixed")),
        (a, b) if is_float(a) || is_float(b) => Float64,
        // An int of Python's below 2^63 may well be one of many from 0 up.
        (Uint64, Int64) | (Int64, Uint64) => Uint64,
        (Uint64, other) | (other, Uint64) if is_unsigned(other) => Uint64,
        (Uint64, other) | (other, Uint64) => {
            return Err(format!("no integer of 64 bits holds both a uint64 and a {other}"));
        }
        _ => Int64,
    })
}

fn merge_members(
    mut known: Vec<Member>,
    other: Vec<Member>,
    budget: &mut Budget,
) -> Result<Vec<Member>, String> {
    budget.spend(known.len() as u64, 0)?;
    let alike = known.len() == other.len()
        && known.iter().zip(&other).all(|(member, other)| member.name == other.name);
    let places: BTreeMap<String, usize> = match alike {
        true => BTreeMap::new(),
        false => known.iter().enumerate().map(|(n, member)| (member.name.clone(), n)).collect(),
    };
    let mut met = vec![false; known.len()];
    for (n, member) in other.into_iter().enumerate() {
        let place = if alike { Some(n) } else { places.get(&member.name).copied() };
        match place {
            Some(place) => {
                met[place] = true;
                let k = &mut known[place];
                let kind = std::mem::replace(&mut k.kind, Kind::Unknown);
                k.kind = kind.merge(member.kind, budget).map_err(|e| in_field(&k.name, &e))?;
                k.optional |= member.optional;
            }
            None => known.push(Member { optional: true, ..member }),
        }
    }
    for (member, met) in known.iter_mut().zip(met) {
        member.optional |= !met;
    }
    Ok(known)
}

pub(super) fn in_field(name: &str, reason: &str) -> String {
    format!("field {name}: {reason}")
}

fn primitive_of(type_name: &str) -> Primitive {
    let named = |p: &Primitive| p.name() == type_name;
    Primitive::ALL.into_iter().find(named).unwrap_or(Primitive::Float64)
}

/// The message type for all values of a key. A reason where there is none.
pub(super) fn schema(key: &str, kind: &Kind) -> Result<Result<Schema, String>> {
    let mut types = Types::default();
    match types.root(key, kind) {
        Ok(root) => Schema::new(root).map(Ok),
        Err(reason) => Ok(Err(reason)),
    }
}

/// The types that were made, by name.
#[derive(Default)]
struct Types(BTreeMap<String, Arc<MessageType>>);

impl Types {
    fn root(&mut self, key: &str, kind: &Kind) -> Result<Arc<MessageType>, String> {
        match kind {
            Kind::Record { .. } => self.record(&pascal(key), kind),
            Kind::NdArray(primitive) => Ok(wrapper::nd_array(*primitive)),
            kind => {
                let ty = self.field_type(&pascal(key), kind)?;
                self.wrapped(ty)
            }
        }
    }

    fn wrapped(&mut self, ty: FieldType) -> Result<Arc<MessageType>, String> {
        let ty = wrapper::data(ty).ok_or("there is no message type for it")?;
        Ok(Arc::new(ty))
    }

    /// The type of a record; `hint` names it where it has no class.
    fn record(&mut self, hint: &str, kind: &Kind) -> Result<Arc<MessageType>, String> {
        let Kind::Record { class, members } = kind else {
            return Err("it is no record".to_owned());
        };
        let short = class.as_deref().and_then(|class| class.rsplit('.').next());
        let base = short.map_or_else(|| hint.to_owned(), pascal);
        let mut fields = Vec::with_capacity(members.len());
        for member in members {
            let nested = format!("{base}{}", pascal(&member.name));
            let field = self.field(&nested, member).map_err(|e| in_field(&member.name, &e))?;
            fields.push(field);
        }
        for n in 1.. {
            let name = match n {
                1 => format!("lk/msg/{base}"),
                n => format!("lk/msg/{base}{n}"),
            };
            let fields = fields.clone();
            let ty = Arc::new(MessageType { name, fields, constants: Vec::new() });
            let known = self.0.entry(ty.name.clone()).or_insert_with(|| Arc::clone(&ty));
            if *known == ty {
                return Ok(ty);
            }
        }
        Err("there are too many types of one name".to_owned())
    }

    fn field(&mut self, nested: &str, member: &Member) -> Result<Field, String> {
        let ty = self.field_type(nested, &member.kind)?;
        let ty = match (member.optional, ty) {
            (false, ty) => ty,
            (true, FieldType::One(element)) => FieldType::Sequence(element, Some(1)),
            // So that no list and an empty one are not the same.
            (true, ty) => FieldType::Sequence(ElementType::Message(self.wrapped(ty)?), Some(1)),
        };
        Ok(Field { name: member.name.clone(), ty, default: None, optional: member.optional })
    }

    fn field_type(&mut self, nested: &str, kind: &Kind) -> Result<FieldType, String> {
        Ok(match kind {
            Kind::List(element) => FieldType::Sequence(
                match &**element {
                    Kind::Unknown => ElementType::Primitive(Primitive::Float64),
                    element => self.element(nested, element)?,
                },
                None,
            ),
            Kind::Bytes => FieldType::Sequence(ElementType::Primitive(Primitive::Uint8), None),
            kind => FieldType::One(self.element(nested, kind)?),
        })
    }

    fn element(&mut self, nested: &str, kind: &Kind) -> Result<ElementType, String> {
        Ok(match kind {
            Kind::Unknown => return Err("it is always None, which says no type".to_owned()),
            Kind::Int => ElementType::Primitive(Primitive::Int64),
            Kind::Number(primitive) => ElementType::Primitive(*primitive),
            Kind::Text => ElementType::String(None),
            Kind::NdArray(primitive) => ElementType::Message(wrapper::nd_array(*primitive)),
            Kind::Record { .. } => ElementType::Message(self.record(nested, kind)?),
            kind @ (Kind::List(_) | Kind::Bytes) => {
                let ty = self.field_type(nested, kind)?;
                ElementType::Message(self.wrapped(ty)?)
            }
        })
    }
}

/// `/imu/data` is `ImuData`.
fn pascal(text: &str) -> String {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let name: String = words
        .flat_map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters)
        })
        .collect();
    match name.chars().next() {
        Some(c) if c.is_ascii_alphabetic() => name,
        _ => format!("Key{name}"),
    }
}
