//! Rust: a Cargo package without dependencies.

mod codec;

use lk::schema::{ElementType, FieldType, Primitive};
use lk::value::{Array, Datum};
use minijinja::context;

use super::GeneratedFile;
use super::model::{Member, Model, Port, Type, data_of};
use super::names::{Reserved, identifier};
use super::template::{
    Template, comment_if_renamed, description, hash_line, notice, ports, render,
};
use crate::{ComponentSpec, Result};

const TEMPLATES: [Template; 4] = [
    Template { path: "src/types.rs", text: include_str!("rust/types.rs.j2"), refresh: true },
    Template { path: "src/main.rs", text: include_str!("rust/main.rs.j2"), refresh: true },
    Template {
        path: "src/component.rs",
        text: include_str!("rust/component.rs.j2"),
        refresh: false,
    },
    Template { path: "Cargo.toml", text: include_str!("rust/Cargo.toml.j2"), refresh: false },
];

const RESERVED: Reserved = Reserved {
    everywhere: "Self abstract as async await become box break const continue crate do dyn else enum \
        extern false final fn for gen if impl in let loop macro match mod move mut override priv \
        pub ref return self static struct super trait true try type typeof unsafe unsized use \
        virtual where while yield",
    types: "Box Clone Component Copy Debug Default Drop Err From Input Inputs Into Iterator None Ok \
        Option Output Outputs PartialEq Result Some String Vec bool char f32 f64 i128 i16 i32 \
        i64 i8 isize str u128 u16 u32 u64 u8 usize",
    ports: "tick time_ns",
};

/// Package names that Cargo refuses, or that would hide what every crate has.
const RESERVED_PACKAGES: [&str; 6] = ["test", "core", "std", "alloc", "proc_macro", "main"];

pub(super) fn generate(spec: &ComponentSpec) -> Result<Vec<GeneratedFile>> {
    let model = Model::new(spec, RESERVED)?;
    let config = model.config.map(|index| model.types[index].name.clone());
    let mut imports: Vec<&str> = vec!["Inputs", "Outputs"];
    imports.extend(config.as_deref());
    imports.sort_unstable();
    let context = context! {
        notice => notice(&model),
        hash_line => hash_line(&model),
        component => spec.name.clone(),
        package => package(spec),
        types => model.types.iter().map(|ty| type_text(&model, ty)).collect::<Vec<_>>(),
        inputs => ports(&model, &model.inputs, " // "),
        outputs => ports(&model, &model.outputs, " // "),
        ports => model.inputs.iter().chain(&model.outputs).map(table_entry).collect::<Vec<_>>(),
        config => config.clone(),
        imports => format!("{{{}}}", imports.join(", ")),
        codecs => codec::codecs(&model),
        description => description(spec, "///"),
        hints => hints(&model),
    };
    Ok(TEMPLATES.iter().map(|template| render(template, &context)).collect())
}

/// Name of the package, and of the program.
pub(super) fn package(spec: &ComponentSpec) -> String {
    let mut package = identifier(&spec.name);
    if RESERVED_PACKAGES.into_iter().chain(RESERVED.everywhere()).any(|name| name == package) {
        package.push('_');
    }
    package
}

/// A struct, its constants, and its `Default` where that can't be derived.
fn type_text(model: &Model<'_>, ty: &Type) -> String {
    let name = &ty.name;
    let derived = ty.fields.iter().all(|member| {
        // The standard library has no default of longer arrays.
        member.field.default.is_none() && !matches!(member.field.ty, FieldType::Array(_, 33..))
    });
    let derives =
        if derived { "Clone, Debug, Default, PartialEq" } else { "Clone, Debug, PartialEq" };
    let mut out = format!("/// {}\n#[derive({derives})]\npub struct {name} {{", ty.full_name);
    for member in &ty.fields {
        let comment = renamed(&member.name, &member.field.name);
        out += &format!("\n    pub {}: {},{comment}", member.name, field_type(model, member));
    }
    out += if ty.fields.is_empty() { "}" } else { "\n}" };
    if !ty.constants.is_empty() {
        out += &format!("\n\nimpl {name} {{");
        for c in &ty.constants {
            let (ty, value) = match &c.constant.value {
                Datum::String(text) => ("&'static str".to_owned(), format!("{text:?}")),
                value => (element_type(model, &c.constant.ty), datum(model, &c.constant.ty, value)),
            };
            let comment = renamed(&c.name, &c.constant.name);
            out += &format!("\n    pub const {}: {ty} = {value};{comment}", c.name);
        }
        out += "\n}";
    }
    if !derived {
        out += &format!(
            "\n\nimpl Default for {name} {{\n    fn default() -> Self {{\n        {name} {{"
        );
        for member in &ty.fields {
            out += &format!("\n            {}: {},", member.name, default(model, member));
        }
        out += "\n        }\n    }\n}";
    }
    out
}

fn renamed(name: &str, original: &str) -> String {
    comment_if_renamed(" // ", name, original)
}

/// A port in the table that `hello` is compared with.
fn table_entry(port: &Port) -> String {
    let bytes: Vec<String> = port.fingerprint.0.iter().map(|b| format!("0x{b:02x}")).collect();
    let (first, second) = bytes.split_at(8);
    format!(
        "Port {{\n        direction: {},\n        index: {},\n        name: {:?},\n        \
         fingerprint: [\n            {},\n            {},\n        ],\n    }}",
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
        format!("inputs.{}: {}, with .get() and .fresh", port.name, model.types[port.ty].full_name)
    });
    let outputs = model.outputs.iter().map(|port| {
        let ty = &model.types[port.ty];
        format!("outputs.{}.write(&{} {{ .. }})?: {}", port.name, ty.name, ty.full_name)
    });
    inputs.chain(outputs).collect()
}

fn primitive(primitive: Primitive) -> &'static str {
    match primitive {
        Primitive::Bool => "bool",
        Primitive::Int8 => "i8",
        Primitive::Byte | Primitive::Char | Primitive::Uint8 => "u8",
        Primitive::Int16 => "i16",
        Primitive::Uint16 => "u16",
        Primitive::Int32 => "i32",
        Primitive::Uint32 => "u32",
        Primitive::Int64 => "i64",
        Primitive::Uint64 => "u64",
        Primitive::Float32 => "f32",
        Primitive::Float64 => "f64",
    }
}

fn element_type(model: &Model<'_>, element: &ElementType) -> String {
    match element {
        ElementType::Primitive(p) => primitive(*p).to_owned(),
        ElementType::String(_) | ElementType::WString(_) => "String".to_owned(),
        ElementType::Message(message) => model.type_of(message).name.clone(),
    }
}

fn field_type(model: &Model<'_>, member: &Member) -> String {
    let element = element_type(model, member.field.ty.element());
    match &member.field.ty {
        FieldType::One(_) => element,
        FieldType::Array(_, n) => format!("[{element}; {n}]"),
        FieldType::Sequence(..) if member.field.optional => format!("Option<{element}>"),
        FieldType::Sequence(..) => format!("Vec<{element}>"),
    }
}

/// A member's value in a message of defaults.
fn default(model: &Model<'_>, member: &Member) -> String {
    let element = member.field.ty.element();
    match (&member.field.ty, &member.field.default) {
        (FieldType::Array(ElementType::Primitive(p), n), None) => {
            let zero = match p {
                Primitive::Bool => "false",
                Primitive::Float32 | Primitive::Float64 => "0.0",
                _ => "0",
            };
            format!("[{zero}; {n}]")
        }
        (FieldType::Array(..), None) => "std::array::from_fn(|_| Default::default())".to_owned(),
        (_, None) => "Default::default()".to_owned(),
        (_, Some(value)) => value_of(model, member, element, value),
    }
}

fn value_of(model: &Model<'_>, member: &Member, element: &ElementType, value: &Datum) -> String {
    match (&member.field.ty, value) {
        (FieldType::Array(..), Datum::Array(array)) => {
            format!("[{}]", elements(model, element, array).join(", "))
        }
        (FieldType::Sequence(..), Datum::Array(array)) if member.field.optional => {
            match elements(model, element, array).first() {
                Some(value) => format!("Some({value})"),
                None => "None".to_owned(),
            }
        }
        (_, Datum::Array(array)) => format!("vec![{}]", elements(model, element, array).join(", ")),
        (_, value) => datum(model, element, value),
    }
}

fn elements(model: &Model<'_>, element: &ElementType, array: &Array) -> Vec<String> {
    data_of(array).iter().map(|value| datum(model, element, value)).collect()
}

/// A value as an expression.
fn datum(model: &Model<'_>, element: &ElementType, value: &Datum) -> String {
    match value {
        Datum::Bool(v) => v.to_string(),
        Datum::Int8(v) => v.to_string(),
        Datum::Uint8(v) => v.to_string(),
        Datum::Int16(v) => v.to_string(),
        Datum::Uint16(v) => v.to_string(),
        Datum::Int32(v) => v.to_string(),
        Datum::Uint32(v) => v.to_string(),
        Datum::Int64(v) => v.to_string(),
        Datum::Uint64(v) => v.to_string(),
        Datum::Float32(v) if v.is_finite() => format!("{v:?}"),
        Datum::Float32(v) => not_finite("f32", f64::from(*v)),
        Datum::Float64(v) if v.is_finite() => format!("{v:?}"),
        Datum::Float64(v) => not_finite("f64", *v),
        Datum::String(text) => format!("{text:?}.to_owned()"),
        Datum::Array(array) => format!("[{}]", elements(model, element, array).join(", ")),
        Datum::Record(_) => unreachable!("lk::Schema lets messages have no defaults"),
    }
}

fn not_finite(ty: &str, value: f64) -> String {
    let name = match (value.is_nan(), value > 0.0) {
        (true, _) => "NAN",
        (false, true) => "INFINITY",
        (false, false) => "NEG_INFINITY",
    };
    format!("{ty}::{name}")
}
