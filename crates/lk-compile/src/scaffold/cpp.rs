//! C++17: `types.hpp`, `harness.cpp`, `component.hpp`, `component.cpp` and
//! `build.sh`.

mod codec;

use std::collections::BTreeSet;

use lk::schema::{ElementType, FieldType, Primitive};
use lk::value::{Array, Datum};
use minijinja::{Value, context};

use super::GeneratedFile;
use super::model::{Member, Model, Port, Type, data_of};
use super::names::{Reserved, identifier};
use super::template::{
    Template, comment_if_renamed, description, hash_line, notice, ports, render,
};
use crate::{ComponentSpec, Result};

const TEMPLATES: [Template; 5] = [
    Template { path: "types.hpp", text: include_str!("cpp/types.hpp.j2"), refresh: true },
    Template { path: "harness.cpp", text: include_str!("cpp/harness.cpp.j2"), refresh: true },
    Template { path: "component.hpp", text: include_str!("cpp/component.hpp.j2"), refresh: false },
    Template { path: "component.cpp", text: include_str!("cpp/component.cpp.j2"), refresh: false },
    Template { path: "build.sh", text: include_str!("cpp/build.sh.j2"), refresh: false },
];

const RESERVED: Reserved = Reserved {
    // Keywords of C++20, so that a later standard can be asked for, and macros
    // of the C library and of GNU dialects.
    everywhere: "alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t \
        char32_t char8_t class co_await co_return co_yield compl concept const const_cast \
        consteval constexpr constinit continue decltype default delete do double dynamic_cast \
        else enum explicit export extern false float for friend goto if inline int long mutable \
        namespace new noexcept not not_eq nullptr operator or or_eq private protected public \
        register reinterpret_cast requires return short signed sizeof static static_assert \
        static_cast struct switch template this thread_local throw true try typedef typeid \
        typename union unsigned using virtual void volatile wchar_t while xor xor_eq linux unix \
        assert errno stdin stdout stderr signbit isnan isinf major minor makedev NULL EOF BUFSIZ \
        NAN INFINITY HUGE_VAL HUGE_VALF DOMAIN SING OVERFLOW UNDERFLOW PLOSS TLOSS FP_NAN \
        FP_INFINITE FP_ZERO FP_SUBNORMAL FP_NORMAL RAND_MAX EXIT_SUCCESS EXIT_FAILURE SEEK_SET \
        SEEK_CUR SEEK_END INT_MAX INT_MIN UINT_MAX LONG_MAX LONG_MIN CHAR_MAX CHAR_MIN DBL_MAX \
        DBL_MIN DBL_EPSILON FLT_MAX FLT_MIN FLT_EPSILON M_PI M_E M_SQRT2 EDOM ERANGE EINTR EIO \
        EAGAIN EBUSY EINVAL",
    types: "std lk Inputs Outputs Component encode decode",
    ports: "tick time_ns Inputs Outputs",
};

/// Namespaces that a component can't be put into.
const RESERVED_NAMESPACES: [&str; 4] = ["std", "lk", "posix", "main"];

pub(super) fn generate(spec: &ComponentSpec) -> Result<Vec<GeneratedFile>> {
    let model = Model::new(spec, RESERVED)?;
    let program = identifier(&spec.name);
    let mut namespace = program.clone();
    if RESERVED_NAMESPACES.contains(&program.as_str())
        || RESERVED.everywhere().any(|word| word == program)
    {
        namespace.push('_');
    }
    let written: BTreeSet<usize> = model.outputs.iter().map(|port| port.ty).collect();
    let context = context! {
        notice => notice(&model),
        hash_line => hash_line(&model),
        component => spec.name.clone(),
        program,
        namespace,
        types => model.types.iter().map(|ty| type_text(&model, ty)).collect::<Vec<_>>(),
        inputs => ports(&model, &model.inputs, "  // "),
        outputs => ports(&model, &model.outputs, "  // "),
        ports => model.inputs.iter().chain(&model.outputs).map(table_entry).collect::<Vec<_>>(),
        config => model.config.map(|index| model.types[index].name.clone()),
        codecs => codec::codecs(&model),
        written => written.iter().map(|i| model.types[*i].name.clone()).collect::<Vec<_>>(),
        description => description(spec, "///"),
        hints => hints(&model),
    };
    Ok(TEMPLATES.iter().map(|template| render(template, &context)).collect())
}

/// A struct: its names, and its members as lines.
fn type_text(model: &Model<'_>, ty: &Type) -> Value {
    let constants = ty.constants.iter().map(|c| {
        let name = &c.name;
        let comment = renamed(name, &c.constant.name);
        match &c.constant.value {
            Datum::String(text) if matches!(c.constant.ty, ElementType::WString(_)) => {
                format!(
                    "  static constexpr const char16_t* {name} = {};{comment}",
                    wide_literal(text)
                )
            }
            Datum::String(text) => {
                format!("  static constexpr const char* {name} = {};{comment}", literal(text))
            }
            value => {
                let ty = element_type(model, &c.constant.ty);
                format!(
                    "  static constexpr {ty} {name} = {};{comment}",
                    datum(model, &c.constant.ty, value)
                )
            }
        }
    });
    let fields = ty.fields.iter().map(|member| {
        let ty = field_type(model, member);
        let initialiser = initialiser(model, member);
        let comment = renamed(&member.name, &member.field.name);
        format!("  {ty} {}{initialiser};{comment}", member.name)
    });
    let mut lines: Vec<String> = constants.collect();
    if !lines.is_empty() && !ty.fields.is_empty() {
        lines.push(String::new());
    }
    lines.extend(fields);
    context! { name => ty.name.clone(), full_name => ty.full_name.clone(), lines }
}

/// A comment where the name in the code is not that of the definition.
fn renamed(name: &str, original: &str) -> String {
    comment_if_renamed("  // ", name, original)
}

/// A port in the table that `hello` is compared with.
fn table_entry(port: &Port) -> String {
    let bytes: Vec<String> =
        port.fingerprint.0.iter().map(|byte| format!("0x{byte:02x}")).collect();
    let (first, second) = bytes.split_at(8);
    format!(
        "{{{}, {}, \"{}\",\n     {{{},\n      {}}}}}",
        port.direction,
        port.index,
        port.raw_name,
        first.join(", "),
        second.join(", ")
    )
}

/// What a step has at hand, for the one who writes it.
fn hints(model: &Model<'_>) -> Vec<String> {
    let inputs = model.inputs.iter().map(|port| {
        format!(
            "in.{}: {}, with .fresh and .has_value()",
            port.name, model.types[port.ty].full_name
        )
    });
    let outputs = model.outputs.iter().map(|port| {
        format!("out.{}.write({{...}}): {}", port.name, model.types[port.ty].full_name)
    });
    inputs.chain(outputs).collect()
}

fn primitive(primitive: Primitive) -> &'static str {
    match primitive {
        Primitive::Bool => "bool",
        Primitive::Int8 => "std::int8_t",
        Primitive::Byte | Primitive::Char | Primitive::Uint8 => "std::uint8_t",
        Primitive::Int16 => "std::int16_t",
        Primitive::Uint16 => "std::uint16_t",
        Primitive::Int32 => "std::int32_t",
        Primitive::Uint32 => "std::uint32_t",
        Primitive::Int64 => "std::int64_t",
        Primitive::Uint64 => "std::uint64_t",
        Primitive::Float32 => "float",
        Primitive::Float64 => "double",
    }
}

fn element_type(model: &Model<'_>, element: &ElementType) -> String {
    match element {
        ElementType::Primitive(p) => primitive(*p).to_owned(),
        ElementType::String(_) => "std::string".to_owned(),
        ElementType::WString(_) => "std::u16string".to_owned(),
        ElementType::Message(message) => model.type_of(message).name.clone(),
    }
}

fn field_type(model: &Model<'_>, member: &Member) -> String {
    let element = element_type(model, member.field.ty.element());
    match &member.field.ty {
        FieldType::One(_) => element,
        FieldType::Array(_, n) => format!("std::array<{element}, {n}>"),
        FieldType::Sequence(..) if member.field.optional => format!("std::optional<{element}>"),
        FieldType::Sequence(..) => format!("std::vector<{element}>"),
    }
}

/// What follows a member's name: ` = 0.5`, `{}`, or nothing.
fn initialiser(model: &Model<'_>, member: &Member) -> String {
    let element = member.field.ty.element();
    let Some(default) = &member.field.default else {
        return match (&member.field.ty, element) {
            (FieldType::One(_), ElementType::Primitive(Primitive::Bool)) => " = false".to_owned(),
            (FieldType::One(_), ElementType::Primitive(Primitive::Float32)) => " = 0.0f".to_owned(),
            (FieldType::One(_), ElementType::Primitive(Primitive::Float64)) => " = 0.0".to_owned(),
            (FieldType::One(_), ElementType::Primitive(_)) => " = 0".to_owned(),
            (FieldType::Array(..), _) => "{}".to_owned(),
            _ => String::new(),
        };
    };
    match (&member.field.ty, default) {
        (FieldType::Array(..), Datum::Array(array)) => {
            format!(" = {{{{{}}}}}", elements(model, element, array).join(", "))
        }
        (FieldType::Sequence(..), Datum::Array(array)) if member.field.optional => {
            match elements(model, element, array).first() {
                Some(value) => format!(" = {value}"),
                None => String::new(),
            }
        }
        (_, Datum::Array(array)) => {
            format!(" = {{{}}}", elements(model, element, array).join(", "))
        }
        (_, value) => format!(" = {}", datum(model, element, value)),
    }
}

fn elements(model: &Model<'_>, element: &ElementType, array: &Array) -> Vec<String> {
    data_of(array).iter().map(|value| datum(model, element, value)).collect()
}

/// A value as an initialiser.
fn datum(model: &Model<'_>, element: &ElementType, value: &Datum) -> String {
    match value {
        Datum::Bool(v) => v.to_string(),
        Datum::Int8(v) => v.to_string(),
        Datum::Uint8(v) => v.to_string(),
        Datum::Int16(v) => v.to_string(),
        Datum::Uint16(v) => v.to_string(),
        // The literal 2147483648 is a long, and so is its negation; cast away.
        Datum::Int32(i32::MIN) => "std::numeric_limits<std::int32_t>::min()".to_owned(),
        Datum::Int32(v) => v.to_string(),
        Datum::Uint32(v) => format!("{v}u"),
        Datum::Int64(i64::MIN) => "std::numeric_limits<std::int64_t>::min()".to_owned(),
        Datum::Int64(v) => v.to_string(),
        Datum::Uint64(v) => format!("{v}u"),
        Datum::Float32(v) if v.is_finite() => format!("{v:?}f"),
        Datum::Float32(v) => not_finite("float", f64::from(*v)),
        Datum::Float64(v) if v.is_finite() => format!("{v:?}"),
        Datum::Float64(v) => not_finite("double", *v),
        Datum::String(text) if matches!(element, ElementType::WString(_)) => wide_literal(text),
        Datum::String(text) if text.contains('\0') => {
            format!("std::string({}, {})", literal(text), text.len())
        }
        Datum::String(text) => literal(text),
        Datum::Record(_) => unreachable!("lk::Schema lets messages have no defaults"),
        Datum::Array(array) => format!("{{{}}}", elements(model, element, array).join(", ")),
    }
}

fn not_finite(ty: &str, value: f64) -> String {
    match (value.is_nan(), value > 0.0) {
        (true, _) => format!("std::numeric_limits<{ty}>::quiet_NaN()"),
        (false, true) => format!("std::numeric_limits<{ty}>::infinity()"),
        (false, false) => format!("-std::numeric_limits<{ty}>::infinity()"),
    }
}

/// UTF-8 text as a string literal. Octal escapes are three digits long, so
/// that what follows can't become part of them.
fn literal(text: &str) -> String {
    let mut out = String::from("\"");
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend(['\\', byte as char]),
            // No trigraph, however old the standard.
            b'?' => out.push_str("\\?"),
            b' '..=b'~' => out.push(byte as char),
            _ => out.push_str(&format!("\\{byte:03o}")),
        }
    }
    out + "\""
}

/// Text as a UTF-16 literal. A hexadecimal escape has no end of its own, so
/// the literal is closed and opened again behind it.
fn wide_literal(text: &str) -> String {
    let mut out = String::from("u\"");
    for unit in text.encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte @ (b'"' | b'\\' | b'?')) => out.extend(['\\', byte as char]),
            Ok(byte @ b' '..=b'~') => out.push(byte as char),
            _ => out.push_str(&format!("\\x{unit:04x}\" u\"")),
        }
    }
    out + "\""
}
