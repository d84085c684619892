//! What all languages generate from: the component's types in the order in
//! which they need each other, with the names that the language gives them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lk::Schema;
use lk::schema::{Constant, ElementType, Field, FieldType, Fingerprint, MessageType};
use lk::value::{Array, Datum};
use sha2::{Digest, Sha256};

use super::names::{Reserved, Scope, camel_case, split_type_name};
use crate::{ComponentSpec, Error, PortSpec, Result};

/// A component with names chosen for one language.
pub(super) struct Model<'a> {
    pub(super) spec: &'a ComponentSpec,
    /// 16 hexadecimal digits over everything that the generated code depends
    /// on.
    pub(super) hash: String,
    /// Every message type once, nested ones before those that hold them.
    pub(super) types: Vec<Type>,
    pub(super) inputs: Vec<Port>,
    /// Outputs, then states, in the numbering of `lk-run/1`.
    pub(super) outputs: Vec<Port>,
    /// Index of the config's type in `types`.
    pub(super) config: Option<usize>,
    index: BTreeMap<String, usize>,
}

/// A message type.
pub(super) struct Type {
    /// `package/msg/Type`.
    pub(super) full_name: String,
    /// Name in the generated code.
    pub(super) name: String,
    pub(super) constants: Vec<NamedConstant>,
    pub(super) fields: Vec<Member>,
}

/// A field with its name in the generated code.
pub(super) struct Member {
    pub(super) name: String,
    pub(super) field: Field,
}

/// A constant with its name in the generated code.
pub(super) struct NamedConstant {
    pub(super) name: String,
    pub(super) constant: Constant,
}

/// A port with its name in the generated code.
pub(super) struct Port {
    pub(super) name: String,
    /// Name in `lk.toml`.
    pub(super) raw_name: String,
    /// As in `hello`: 0 input, 1 output, 2 state.
    pub(super) direction: u8,
    pub(super) index: usize,
    /// Index of its type in [`Model::types`].
    pub(super) ty: usize,
    pub(super) fingerprint: Fingerprint,
}

impl<'a> Model<'a> {
    /// # Errors
    ///
    /// Two ports whose types share a name and differ.
    pub(super) fn new(spec: &'a ComponentSpec, reserved: Reserved) -> Result<Model<'a>> {
        let mut found = Found::default();
        for port in spec.inputs.iter().chain(spec.outgoing()) {
            found.add(&format!("port {}", port.name), port.schema.root())?;
        }
        if let Some(config) = &spec.config {
            found.add("the config", config.schema.root())?;
        }
        let types = name_types(&found.types, reserved);
        let index: BTreeMap<String, usize> =
            types.iter().enumerate().map(|(i, ty)| (ty.full_name.clone(), i)).collect();

        let name_ports = |ports: &mut dyn Iterator<Item = (u8, &PortSpec)>| {
            let type_names = types.iter().map(|ty| ty.name.as_str());
            let mut scope = Scope::new(reserved.for_ports().chain(type_names));
            ports
                .enumerate()
                .map(|(i, (direction, port))| Port {
                    name: scope.claim(&port.name),
                    raw_name: port.name.clone(),
                    direction,
                    index: i,
                    ty: index[port.schema.name()],
                    fingerprint: port.schema.fingerprint(),
                })
                .collect::<Vec<_>>()
        };
        let inputs = name_ports(&mut spec.inputs.iter().map(|port| (0, port)));
        let outputs = name_ports(
            &mut (spec.outputs.iter().map(|port| (1, port)))
                .chain(spec.states.iter().map(|port| (2, port))),
        );
        let config = spec.config.as_ref().map(|config| index[config.schema.name()]);
        Ok(Model { spec, hash: hash(spec), types, inputs, outputs, config, index })
    }

    /// The type of a nested message.
    pub(super) fn type_of(&self, message: &MessageType) -> &Type {
        &self.types[self.index[&message.name]]
    }

    /// Types that a program reads: those of inputs and config, with what is
    /// nested in them.
    pub(super) fn read_types(&self) -> BTreeSet<usize> {
        self.closure(self.inputs.iter().map(|port| port.ty).chain(self.config))
    }

    /// Types that a program writes: those of outputs and states.
    pub(super) fn written_types(&self) -> BTreeSet<usize> {
        self.closure(self.outputs.iter().map(|port| port.ty))
    }

    fn closure(&self, roots: impl Iterator<Item = usize>) -> BTreeSet<usize> {
        let mut all = BTreeSet::new();
        let mut open: Vec<usize> = roots.collect();
        while let Some(index) = open.pop() {
            if all.insert(index) {
                open.extend(self.types[index].fields.iter().filter_map(|member| {
                    match member.field.ty.element() {
                        ElementType::Message(message) => Some(self.index[&message.name]),
                        _ => None,
                    }
                }));
            }
        }
        all
    }
}

impl Member {
    /// What errors call the field: `Imu.gyro`.
    pub(super) fn label(&self, ty: &Type) -> String {
        format!("{}.{}", split_type_name(&ty.full_name).1, self.field.name)
    }
}

/// Message types in the order of need, by full name.
#[derive(Default)]
struct Found {
    types: Vec<Arc<MessageType>>,
    /// Full name to index and to who brought it.
    seen: BTreeMap<String, (usize, String)>,
}

impl Found {
    fn add(&mut self, user: &str, message: &Arc<MessageType>) -> Result<()> {
        if let Some((index, first)) = self.seen.get(&message.name) {
            let known = &self.types[*index];
            // By text: a default may be NaN, which is not equal to itself.
            if Arc::ptr_eq(known, message) || format!("{known:?}") == format!("{message:?}") {
                return Ok(());
            }
            return Err(Error::TypesDiffer {
                type_name: message.name.clone(),
                first: first.clone(),
                second: user.to_owned(),
            });
        }
        for field in &message.fields {
            if let ElementType::Message(nested) = field.ty.element() {
                self.add(user, nested)?;
            }
        }
        self.seen.insert(message.name.clone(), (self.types.len(), user.to_owned()));
        self.types.push(message.clone());
        Ok(())
    }
}

fn name_types(types: &[Arc<MessageType>], reserved: Reserved) -> Vec<Type> {
    let mut uses: BTreeMap<&str, usize> = BTreeMap::new();
    for message in types {
        *uses.entry(split_type_name(&message.name).1).or_default() += 1;
    }
    let mut scope = Scope::new(reserved.for_types());
    // Those with a name of their own come first, so that they keep it.
    let mut names: BTreeMap<&str, String> = BTreeMap::new();
    for message in types {
        let (_, short) = split_type_name(&message.name);
        if uses[short] == 1 {
            names.insert(&message.name, scope.claim(short));
        }
    }
    for message in types {
        let (package, short) = split_type_name(&message.name);
        if uses[short] > 1 {
            names.insert(&message.name, scope.claim(&(camel_case(package) + short)));
        }
    }
    types
        .iter()
        .map(|message| {
            let mut members =
                Scope::new(reserved.everywhere().chain(names.values().map(String::as_str)));
            let fields = (message.fields.iter())
                .map(|field| Member { name: members.claim(&field.name), field: field.clone() })
                .collect();
            let constants = (message.constants.iter())
                .map(|constant| NamedConstant {
                    name: members.claim(&constant.name),
                    constant: constant.clone(),
                })
                .collect();
            let name = names[message.name.as_str()].clone();
            Type { full_name: message.name.clone(), name, constants, fields }
        })
        .collect()
}

/// Over everything that the user gave; what lk makes of it is compared file by
/// file.
fn hash(spec: &ComponentSpec) -> String {
    let mut hasher = Sha256::new();
    let mut add = |kind: &str, name: &str, schema: Option<&Schema>| {
        let text = schema.map(Schema::to_msg_text).unwrap_or_default();
        let optional = schema.map(Schema::optional_fields).unwrap_or_default().join(" ");
        for part in [kind, name, &text, &optional] {
            hasher.update(part);
            hasher.update([0]);
        }
    };
    add("component", &spec.name, None);
    spec.inputs.iter().for_each(|port| add("input", &port.name, Some(&port.schema)));
    spec.outputs.iter().for_each(|port| add("output", &port.name, Some(&port.schema)));
    spec.states.iter().for_each(|port| add("state", &port.name, Some(&port.schema)));
    if let Some(config) = &spec.config {
        add("config", "", Some(&config.schema));
    }
    hasher.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// The fewest bytes that an element can take, for the check that a length
/// fits in what is left: never 0, as the empty message is one byte.
pub(super) fn min_size(element: &ElementType) -> usize {
    match element {
        ElementType::Primitive(primitive) => primitive.size(),
        ElementType::String(_) | ElementType::WString(_) => 4,
        ElementType::Message(message) => {
            let fields = message.fields.iter().map(|field| match &field.ty {
                FieldType::One(element) => min_size(element),
                FieldType::Array(element, n) => min_size(element).saturating_mul(*n),
                FieldType::Sequence(..) => 4,
            });
            fields.fold(0, usize::saturating_add).max(1)
        }
    }
}

/// The elements of an array, one by one.
pub(super) fn data_of(array: &Array) -> Vec<Datum> {
    fn each<T: Clone>(values: &[T], datum: impl Fn(T) -> Datum) -> Vec<Datum> {
        values.iter().cloned().map(datum).collect()
    }
    match array {
        Array::Bool(v) => each(v, Datum::Bool),
        Array::Int8(v) => each(v, Datum::Int8),
        Array::Uint8(v) => each(v, Datum::Uint8),
        Array::Int16(v) => each(v, Datum::Int16),
        Array::Uint16(v) => each(v, Datum::Uint16),
        Array::Int32(v) => each(v, Datum::Int32),
        Array::Uint32(v) => each(v, Datum::Uint32),
        Array::Int64(v) => each(v, Datum::Int64),
        Array::Uint64(v) => each(v, Datum::Uint64),
        Array::Float32(v) => each(v, Datum::Float32),
        Array::Float64(v) => each(v, Datum::Float64),
        Array::String(v) => each(v, Datum::String),
        Array::Record(v) => each(v, Datum::Record),
    }
}
