//! Enums by the constants of the message that holds them.

use crate::codec::layout::Layout;
use crate::schema::{ElementType, Primitive, constant_chars};
use crate::value::Datum;

/// The number of a variant, by the constant `FIELD_VARIANT`.
///
/// `position` is where the type says that the variant is; mostly its constant
/// is there too.
pub(super) fn number(layout: &Layout, field: usize, variant: &str, position: u32) -> Option<i128> {
    let field = &layout.ty.fields.get(field)?.name;
    let constants = &layout.ty.constants;
    let is_it = |name: &str| name.chars().eq(constant_chars(field, variant));
    let found = match constants.get(position as usize) {
        Some(constant) if is_it(&constant.name) => constant,
        _ => constants.iter().find(|constant| is_it(&constant.name))?,
    };
    integer(&found.value)
}

/// The variant for a number.
pub(super) fn name(
    layout: &Layout,
    field: usize,
    number: i128,
    variants: &'static [&'static str],
) -> Option<&'static str> {
    let field = &layout.ty.fields.get(field)?.name;
    // Where the schema is that of the type, the number is the position.
    let guess = usize::try_from(number).ok().and_then(|i| variants.get(i));
    let equal = layout.ty.constants.iter().filter(|c| integer(&c.value) == Some(number));
    equal.into_iter().find_map(|constant| {
        let is_it =
            |variant: &&&'static str| constant.name.chars().eq(constant_chars(field, variant));
        guess.filter(is_it).or_else(|| variants.iter().find(is_it)).copied()
    })
}

/// The constants that could be meant, for an error.
pub(super) fn known(layout: &Layout, field: usize) -> String {
    let integers = |ty: &ElementType| match ty {
        ElementType::Primitive(p) => !matches!(p, Primitive::Float32 | Primitive::Float64),
        _ => false,
    };
    let prefix: String = layout
        .ty
        .fields
        .get(field)
        .map(|f| constant_chars(&f.name, "").collect())
        .unwrap_or_default();
    let names: Vec<&str> = layout
        .ty
        .constants
        .iter()
        .filter(|c| integers(&c.ty) && c.name.starts_with(&prefix))
        .map(|c| c.name.as_str())
        .take(8)
        .collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn integer(datum: &Datum) -> Option<i128> {
    Some(match datum {
        Datum::Int8(v) => i128::from(*v),
        Datum::Uint8(v) => i128::from(*v),
        Datum::Int16(v) => i128::from(*v),
        Datum::Uint16(v) => i128::from(*v),
        Datum::Int32(v) => i128::from(*v),
        Datum::Uint32(v) => i128::from(*v),
        Datum::Int64(v) => i128::from(*v),
        Datum::Uint64(v) => i128::from(*v),
        _ => return None,
    })
}
