//! From descriptors to message types.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};

use super::Absent;
use crate::schema::{Constant, ElementType, Field, FieldType, MessageType, Primitive, wrapper};
use crate::value::Datum;

/// Messages inside messages, as `Schema` has it.
const MAX_DEPTH: usize = 64;

/// The message type of a descriptor, where these fields are optional.
pub(super) fn message(
    descriptor: &MessageDescriptor,
    absent: &Absent,
) -> Result<Arc<MessageType>, String> {
    Types { absent, done: BTreeMap::new(), around: Vec::new() }.message(descriptor)
}

struct Types<'a> {
    absent: &'a Absent,
    /// By full name.
    done: BTreeMap<String, Arc<MessageType>>,
    /// Types around the one that is being made.
    around: Vec<String>,
}

impl Types<'_> {
    fn message(&mut self, descriptor: &MessageDescriptor) -> Result<Arc<MessageType>, String> {
        let full_name = descriptor.full_name();
        if let Some(known) = self.done.get(full_name) {
            return Ok(Arc::clone(known));
        }
        if self.around.iter().any(|name| name == full_name) {
            return Err(format!("type {full_name} contains itself"));
        }
        if self.around.len() == MAX_DEPTH {
            return Err(format!("type {full_name} lies {MAX_DEPTH} messages deep"));
        }
        self.around.push(full_name.to_owned());
        let fields = descriptor.fields().map(|field| self.field(descriptor, &field));
        let fields = fields.collect::<Result<Vec<_>, _>>()?;
        self.around.pop();
        let constants = constants(descriptor, &fields);
        let ty = Arc::new(MessageType { name: type_name(descriptor), fields, constants });
        self.done.insert(full_name.to_owned(), Arc::clone(&ty));
        Ok(ty)
    }

    fn field(
        &mut self,
        message: &MessageDescriptor,
        field: &FieldDescriptor,
    ) -> Result<Field, String> {
        let place = (message.full_name().to_owned(), field.name().to_owned());
        // An entry of a map has both, given or not.
        let optional = !message.is_map_entry() && self.absent.contains(&place);
        let is_bytes = matches!(field.kind(), Kind::Bytes);
        let element = match field.is_list() || optional || !is_bytes {
            true => self.element(&field.kind())?,
            false => ElementType::Primitive(Primitive::Uint8),
        };
        let ty = match (field.is_list() || field.is_map() || is_bytes, optional) {
            (_, true) => FieldType::Sequence(element, Some(1)),
            (true, false) => FieldType::Sequence(element, None),
            (false, false) => FieldType::One(element),
        };
        Ok(Field { name: field.name().to_owned(), ty, default: None, optional })
    }

    fn element(&mut self, kind: &Kind) -> Result<ElementType, String> {
        let primitive = match kind {
            Kind::Double => Primitive::Float64,
            Kind::Float => Primitive::Float32,
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 | Kind::Enum(_) => Primitive::Int32,
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Primitive::Int64,
            Kind::Uint32 | Kind::Fixed32 => Primitive::Uint32,
            Kind::Uint64 | Kind::Fixed64 => Primitive::Uint64,
            Kind::Bool => Primitive::Bool,
            Kind::String => return Ok(ElementType::String(None)),
            Kind::Message(nested) => return self.message(nested).map(ElementType::Message),
            Kind::Bytes => {
                let bytes = FieldType::Sequence(ElementType::Primitive(Primitive::Uint8), None);
                let ty = wrapper::data(bytes).ok_or("bytes have no message type")?;
                return Ok(ElementType::Message(Arc::new(ty)));
            }
        };
        Ok(ElementType::Primitive(primitive))
    }
}

/// `pkg.sub.Outer.Inner` is `pkg_sub/msg/Outer_Inner`.
fn type_name(descriptor: &MessageDescriptor) -> String {
    let (package, full_name) = (descriptor.package_name(), descriptor.full_name());
    let short = full_name.strip_prefix(package).unwrap_or(full_name).trim_start_matches('.');
    let package = if package.is_empty() { "lk" } else { package };
    format!("{}/msg/{}", package.replace('.', "_"), short.replace('.', "_"))
}

/// The values of the enums that fields of the message are of. They are for
/// readers alone: one whose name is taken is left out.
fn constants(descriptor: &MessageDescriptor, fields: &[Field]) -> Vec<Constant> {
    let mut taken: BTreeSet<String> = fields.iter().map(|field| field.name.clone()).collect();
    let mut seen = BTreeSet::new();
    let mut constants = Vec::new();
    let enums = descriptor.fields().filter_map(|field| match field.kind() {
        Kind::Enum(descriptor) => Some(descriptor),
        _ => None,
    });
    for of in enums {
        let of: EnumDescriptor = of;
        if !seen.insert(of.full_name().to_owned()) {
            continue;
        }
        for value in of.values() {
            let plain = value.name().to_owned();
            let prefixed = format!("{}_{plain}", of.name().to_uppercase());
            let name = [plain, prefixed].into_iter().find(|name| !taken.contains(name));
            let Some(name) = name else { continue };
            taken.insert(name.clone());
            constants.push(Constant {
                name,
                ty: ElementType::Primitive(Primitive::Int32),
                value: Datum::Int32(value.number()),
            });
        }
    }
    constants
}
