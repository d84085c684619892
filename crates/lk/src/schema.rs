//! Message types: the type system of ROS 2 interfaces.
//!
//! A [`Schema`] is a checked, immutable, cheaply cloned message type with
//! everything nested in it. It comes from `.msg` text ([`Schema::parse`]),
//! from a Rust type ([`Schema::of`]) or from its parts ([`Schema::new`]).

mod builtin;
mod check;
mod fingerprint;
mod literal;
mod msg;
mod print;
pub mod trace;
pub(crate) mod wrapper;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use crate::error::Result;
use crate::value::Datum;

pub(crate) use trace::constant_chars;
#[cfg(test)]
pub(crate) use trace::many;

/// A message type with all nested types, checked on construction.
///
/// Equality is that of the whole definition (names of types, constants and
/// defaults too); [`Schema::fingerprint`] is what decides whether two encoded
/// payloads mean the same.
#[derive(Clone)]
pub struct Schema(Arc<Inner>);

struct Inner {
    root: Arc<MessageType>,
    fingerprint: Fingerprint,
    fields: u64,
}

/// One record type: a name and its fields in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageType {
    /// Full name, `package/msg/Type`.
    pub name: String,
    /// Fields in the order in which they are encoded.
    pub fields: Vec<Field>,
    /// Named constants; not part of the encoding or the fingerprint.
    pub constants: Vec<Constant>,
}

/// A named member of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Name, unique in its message.
    pub name: String,
    /// Type of the value.
    pub ty: FieldType,
    /// Value where none is given; not part of the fingerprint.
    pub default: Option<Datum>,
    /// Whether a sequence `T[<=1]` stands for an optional value. Kept beside
    /// the `.msg` text (which can't say it), in the channel's metadata.
    pub optional: bool,
}

/// What a field holds: one element, or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// A single element.
    One(ElementType),
    /// `T[N]`: exactly `N` elements, without a length on the wire.
    Array(ElementType, usize),
    /// `T[]`, or `T[<=bound]`: a length and that many elements.
    Sequence(ElementType, Option<usize>),
}

/// What is held once, or repeated in an array or sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ElementType {
    /// A number, bool, byte or char.
    Primitive(Primitive),
    /// UTF-8 text, `string` or `string<=bound` (in bytes).
    String(Option<usize>),
    /// UTF-16 text, `wstring` or `wstring<=bound` (in code units).
    WString(Option<usize>),
    /// A nested message.
    Message(Arc<MessageType>),
}

/// The fixed-size element types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Primitive {
    /// One byte, 0 or 1.
    Bool,
    /// One opaque byte.
    Byte,
    /// One byte, ROS 2's `char` (unsigned).
    Char,
    /// Signed, 8 bits.
    Int8,
    /// Unsigned, 8 bits.
    Uint8,
    /// Signed, 16 bits.
    Int16,
    /// Unsigned, 16 bits.
    Uint16,
    /// Signed, 32 bits.
    Int32,
    /// Unsigned, 32 bits.
    Uint32,
    /// Signed, 64 bits.
    Int64,
    /// Unsigned, 64 bits.
    Uint64,
    /// IEEE 754, 32 bits.
    Float32,
    /// IEEE 754, 64 bits.
    Float64,
}

/// A named constant of a message, such as an enum's variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constant {
    /// Name, in capitals by custom.
    pub name: String,
    /// Primitive or string type.
    pub ty: ElementType,
    /// Its value, of that type.
    pub value: Datum,
}

/// 128 bits over field names, types and bounds in order, nested ones
/// included; type names, constants and defaults are not part of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; 16]);

impl Schema {
    /// Checks a message type and everything nested in it.
    ///
    /// Names: a type's is `package/msg/Type` (or `srv`, `action` in the
    /// middle), a field's and a constant's is letters, digits and underscores,
    /// not beginning with a digit, unique in its message. Types of one name are
    /// the same, and none contains itself. Defaults and constants are of their
    /// type. Limits: 64 messages deep, 65,536 fields with the nested ones, and
    /// 256 MiB for a value with empty sequences.
    ///
    /// # Errors
    ///
    /// [`Error::Schema`](crate::Error::Schema), naming the type and the rule.
    pub fn new(root: Arc<MessageType>) -> Result<Schema> {
        let fields = check::check(&root)?;
        let fingerprint = fingerprint::fingerprint(&root);
        Ok(Schema(Arc::new(Inner { root, fingerprint, fields })))
    }

    /// Reads `.msg` text, with the definitions of nested types after it as
    /// MCAP's `ros2msg` has them: a line of `=`, a line `MSG: package/Type`,
    /// the text.
    ///
    /// The common types of ROS 2 (`builtin_interfaces`, `std_msgs`,
    /// `geometry_msgs`, `sensor_msgs`, `nav_msgs` and a few more) need not be
    /// given; they are those of Humble, from which later distributions differ in
    /// single fields (`sensor_msgs/Range`). What is given comes first. `name` is `package/msg/Type` or `package/Type`; without a package
    /// it is in `lk`.
    ///
    /// # Errors
    ///
    /// [`Error::MsgText`](crate::Error::MsgText) with the line,
    /// [`Error::UnknownType`](crate::Error::UnknownType), or what
    /// [`Schema::new`] refuses.
    pub fn parse(name: &str, text: &str) -> Result<Schema> {
        msg::parse(name, text)
    }

    /// Reads `.msg` text that a function finds, such as from files.
    ///
    /// It is asked for the type itself and every nested type by its full name,
    /// `package/msg/Type`, and comes before the built-in definitions.
    ///
    /// # Errors
    ///
    /// As [`Schema::parse`].
    pub fn parse_with(name: &str, find: &dyn Fn(&str) -> Option<String>) -> Result<Schema> {
        msg::parse_with(name, find)
    }

    /// `.msg` text that [`Schema::parse`] reads back: the type's own, then each
    /// nested type once, after a line of `=` and `MSG: package/Type`.
    ///
    /// It can't say which fields are optional: see
    /// [`Schema::optional_fields`].
    pub fn to_msg_text(&self) -> String {
        print::schema(self.root())
    }

    /// The fields that are marked as optional, each once, as
    /// `package/msg/Type.field`, sorted.
    pub fn optional_fields(&self) -> Vec<String> {
        let mut found = Vec::new();
        for ty in self.types() {
            let optional = ty.fields.iter().filter(|field| field.optional);
            found.extend(optional.map(|field| format!("{}.{}", ty.name, field.name)));
        }
        found.sort();
        found
    }

    /// The same schema with just these fields marked as optional, named as
    /// [`Schema::optional_fields`] does.
    ///
    /// # Errors
    ///
    /// [`Error::Schema`](crate::Error::Schema) where a name is no field
    /// `T[<=1]` of a type in this schema.
    pub fn with_optional_fields<S: AsRef<str>>(&self, names: &[S]) -> Result<Schema> {
        check::with_optional(self, names.iter().map(AsRef::as_ref).collect())
    }

    /// The message types in this schema, each once: the root, then nested ones
    /// where they are met first, depth first.
    pub fn types(&self) -> Vec<&Arc<MessageType>> {
        types_of(self.root())
    }

    /// Fields, nested ones counted wherever they occur.
    pub(crate) fn field_count(&self) -> u64 {
        self.0.fields
    }

    /// Whether this is a clone of the other: a check in constant time.
    pub(crate) fn same_as(&self, other: &Schema) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// For errors about two schemas whose names may be the same.
    pub(crate) fn name_and_fingerprint(&self) -> String {
        format!("{} ({})", self.name(), self.fingerprint())
    }

    /// The message type itself.
    pub fn root(&self) -> &Arc<MessageType> {
        &self.0.root
    }

    /// Full name, `package/msg/Type`.
    pub fn name(&self) -> &str {
        &self.0.root.name
    }

    /// What decides whether payloads of two schemas mean the same.
    pub fn fingerprint(&self) -> Fingerprint {
        self.0.fingerprint
    }
}

fn types_of(root: &Arc<MessageType>) -> Vec<&Arc<MessageType>> {
    fn collect<'a>(
        ty: &'a Arc<MessageType>,
        seen: &mut BTreeSet<&'a str>,
        types: &mut Vec<&'a Arc<MessageType>>,
    ) {
        if !seen.insert(&ty.name) {
            return;
        }
        types.push(ty);
        for field in &ty.fields {
            if let ElementType::Message(nested) = field.ty.element() {
                collect(nested, seen, types);
            }
        }
    }
    let mut types = Vec::new();
    collect(root, &mut BTreeSet::new(), &mut types);
    types
}

impl MessageType {
    /// The text of this definition alone, without those of nested types.
    pub fn to_msg_text(&self) -> String {
        print::definition(self)
    }
}

impl Primitive {
    /// Every primitive, in the order of the declaration.
    pub const ALL: [Primitive; 13] = [
        Primitive::Bool,
        Primitive::Byte,
        Primitive::Char,
        Primitive::Int8,
        Primitive::Uint8,
        Primitive::Int16,
        Primitive::Uint16,
        Primitive::Int32,
        Primitive::Uint32,
        Primitive::Int64,
        Primitive::Uint64,
        Primitive::Float32,
        Primitive::Float64,
    ];

    /// The name in `.msg` text: `float64`.
    pub const fn name(self) -> &'static str {
        match self {
            Primitive::Bool => "bool",
            Primitive::Byte => "byte",
            Primitive::Char => "char",
            Primitive::Int8 => "int8",
            Primitive::Uint8 => "uint8",
            Primitive::Int16 => "int16",
            Primitive::Uint16 => "uint16",
            Primitive::Int32 => "int32",
            Primitive::Uint32 => "uint32",
            Primitive::Int64 => "int64",
            Primitive::Uint64 => "uint64",
            Primitive::Float32 => "float32",
            Primitive::Float64 => "float64",
        }
    }

    /// Size and alignment in bytes: 1, 2, 4 or 8.
    pub const fn size(self) -> usize {
        match self {
            Primitive::Bool
            | Primitive::Byte
            | Primitive::Char
            | Primitive::Int8
            | Primitive::Uint8 => 1,
            Primitive::Int16 | Primitive::Uint16 => 2,
            Primitive::Int32 | Primitive::Uint32 | Primitive::Float32 => 4,
            Primitive::Int64 | Primitive::Uint64 | Primitive::Float64 => 8,
        }
    }
}

/// As in `.msg` text.
impl fmt::Display for Primitive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FieldType {
    /// The element type, whatever the count.
    pub fn element(&self) -> &ElementType {
        match self {
            FieldType::One(e) | FieldType::Array(e, _) | FieldType::Sequence(e, _) => e,
        }
    }
}

/// As in `.msg` text: `float64[9]`, `string<=8[]`, `geometry_msgs/Point`.
impl fmt::Display for FieldType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.element())?;
        match self {
            FieldType::One(_) => Ok(()),
            FieldType::Array(_, n) => write!(f, "[{n}]"),
            FieldType::Sequence(_, None) => f.write_str("[]"),
            FieldType::Sequence(_, Some(n)) => write!(f, "[<={n}]"),
        }
    }
}

/// As in `.msg` text.
impl fmt::Display for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, bound) = match self {
            ElementType::Primitive(p) => return f.write_str(p.name()),
            ElementType::Message(m) => return f.write_str(&m.name.replacen("/msg/", "/", 1)),
            ElementType::String(bound) => ("string", bound),
            ElementType::WString(bound) => ("wstring", bound),
        };
        f.write_str(name)?;
        bound.map_or(Ok(()), |n| write!(f, "<={n}"))
    }
}

impl Eq for Schema {}

impl PartialEq for Schema {
    fn eq(&self, other: &Schema) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.root == other.0.root
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schema({} {})", self.name(), self.fingerprint())
    }
}

/// 32 hexadecimal digits.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

#[cfg(test)]
mod tests;
