//! What decides whether two payloads mean the same.

use sha2::{Digest, Sha256};

use super::{ElementType, FieldType, Fingerprint, MessageType, Primitive};

/// The first 16 bytes of the SHA-256 of field names, types and bounds in
/// order, nested messages spelled out in place. Type names, constants,
/// defaults and marks of optional fields don't enter.
pub(super) fn fingerprint(root: &MessageType) -> Fingerprint {
    let mut hash = Sha256::new();
    // Versions the form below; it is stored in datasets and generated code.
    hash.update(b"lk schema 1");
    message(&mut hash, root);
    let digest = hash.finalize();
    let mut short = [0; 16];
    short.copy_from_slice(&digest[..16]);
    Fingerprint(short)
}

fn message(hash: &mut Sha256, ty: &MessageType) {
    number(hash, ty.fields.len());
    for field in &ty.fields {
        number(hash, field.name.len());
        hash.update(field.name.as_bytes());
        match &field.ty {
            FieldType::One(_) => hash.update([0]),
            FieldType::Array(_, len) => {
                hash.update([1]);
                number(hash, *len);
            }
            FieldType::Sequence(_, bound) => {
                hash.update([2]);
                optional(hash, *bound);
            }
        }
        match field.ty.element() {
            ElementType::Primitive(primitive) => hash.update([tag(*primitive)]),
            ElementType::String(bound) => {
                hash.update([32]);
                optional(hash, *bound);
            }
            ElementType::WString(bound) => {
                hash.update([33]);
                optional(hash, *bound);
            }
            ElementType::Message(nested) => {
                hash.update([34]);
                message(hash, nested);
            }
        }
    }
}

fn number(hash: &mut Sha256, n: usize) {
    hash.update((n as u64).to_le_bytes());
}

/// A bound is never 0, which stands for none.
fn optional(hash: &mut Sha256, bound: Option<usize>) {
    number(hash, bound.unwrap_or(0));
}

fn tag(primitive: Primitive) -> u8 {
    match primitive {
        Primitive::Bool => 0,
        Primitive::Byte => 1,
        Primitive::Char => 2,
        Primitive::Int8 => 3,
        Primitive::Uint8 => 4,
        Primitive::Int16 => 5,
        Primitive::Uint16 => 6,
        Primitive::Int32 => 7,
        Primitive::Uint32 => 8,
        Primitive::Int64 => 9,
        Primitive::Uint64 => 10,
        Primitive::Float32 => 11,
        Primitive::Float64 => 12,
    }
}
