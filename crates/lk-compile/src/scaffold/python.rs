//! Python 3.11 with its standard library.

mod layout;
mod read;
mod write;

use lk::schema::{ElementType, FieldType, Primitive};
use lk::value::{Array, Datum};
use minijinja::context;

use super::GeneratedFile;
use super::model::{Member, Model, Port, Type, data_of};
use super::names::Reserved;
use super::template::{Template, comment_if_renamed, hash_line, notice, ports, render};
use crate::{ComponentSpec, Result};

const TEMPLATES: [Template; 3] = [
    Template { path: "lk_types.py", text: include_str!("python/types.py.j2"), refresh: true },
    Template { path: "lk_harness.py", text: include_str!("python/harness.py.j2"), refresh: true },
    Template { path: "component.py", text: include_str!("python/component.py.j2"), refresh: false },
];

const RESERVED: Reserved = Reserved {
    // Keywords, and what the class bodies of lk_types use behind a field.
    everywhere: "False None True and as assert async await break class continue def del elif else except \
        finally for from global if import in is lambda nonlocal not or pass raise return try \
        while with yield __debug__ list bytearray _field _NAN _INF dataclass",
    // Of the library and of the harness.
    types: "Component Element Fatal Fresh FreshSets Inputs NamedTuple PROTOCOL HARNESS NO_TICK \
        READ_SIZE FLUSH_SIZE HELLO INPUT STEP RESET BYE READY OUTPUT DONE ERROR PORTS \
        LITTLE_ENDIAN SIZES NAMES FIELDS INPUTS INPUT_NAMES OUTPUTS INPUT_FD OUTPUT_FD Exception \
        TypeError ValueError OverflowError AttributeError IndexError NotImplementedError \
        UnicodeDecodeError bool bytearray bytes dict float getattr hasattr int isinstance len \
        list memoryview range setattr str super tuple type all any enumerate callable property \
        importlib inspect itertools os struct sys time traceback dataclass arguments body_of \
        build build_one check_read check_written construct decode emit emit_port flush hello NOT_WRITTEN \
        input_frame input_time laid_out load of_length output_frame output_head read_all \
        read_bytes read_numbers read_text read_texts read_wide_text run send serve \
        stale take_pipes talk text_bytes text_of wide_text_bytes write_error write_numbers \
        write_texts annotations frozenset",
    ports: "tick time_ns fresh times_ns",
};

pub(super) fn generate(spec: &ComponentSpec) -> Result<Vec<GeneratedFile>> {
    let model = Model::new(spec, RESERVED)?;
    let config = model.config.map(|index| model.types[index].name.clone());
    let outputs: Vec<&Port> = model.outputs.iter().filter(|port| port.direction == 1).collect();
    let single = match outputs.as_slice() {
        [port] => ports(&model, std::slice::from_ref(*port), "").pop(),
        _ => None,
    };
    let mut imports: Vec<&str> = vec!["Inputs"];
    imports.extend(config.as_deref());
    imports.extend(model.outputs.iter().map(|port| model.types[port.ty].name.as_str()));
    imports.sort_unstable();
    imports.dedup();
    let result = match outputs.as_slice() {
        [port] if model.outputs.len() == 1 => format!("{} | None", model.types[port.ty].name),
        _ => "dict | None".to_owned(),
    };
    let mut type_names: Vec<String> = model.types.iter().map(|ty| ty.name.clone()).collect();
    type_names.sort_unstable();
    let context = context! {
        notice => notice(&model),
        hash_line => hash_line(&model),
        component => spec.name.clone(),
        types => model.types.iter().map(|ty| type_text(&model, ty)).collect::<Vec<_>>(),
        inputs => ports(&model, &model.inputs, "  # "),
        outputs => ports(&model, &model.outputs, "  # "),
        input_code => model.inputs.iter().map(|p| read::port(&model, p)).collect::<Vec<_>>(),
        output_code => model.outputs.iter().map(|p| write::port(&model, p)).collect::<Vec<_>>(),
        ports => model.inputs.iter().chain(&model.outputs).map(table_entry).collect::<Vec<_>>(),
        config => config.clone(),
        imports => imports.join(", "),
        type_names,
        result,
        single,
        codecs => codecs(&model),
        fields => model.types.iter().map(|ty| elements_text(&model, ty)).collect::<Vec<_>>(),
        description => docstring(spec),
        hints => hints(&model),
    };
    Ok(TEMPLATES.iter().map(|template| render(template, &context)).collect())
}

/// What the component does, as it goes between three quotes.
fn docstring(spec: &ComponentSpec) -> String {
    let text = spec.description.as_deref().unwrap_or(&spec.name).trim_end();
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

fn codecs(model: &Model<'_>) -> Vec<String> {
    let read = model.read_types();
    let written = model.written_types();
    let mut out = Vec::new();
    for (index, ty) in model.types.iter().enumerate() {
        if read.contains(&index) {
            out.push(read::codec(model, ty));
        }
        if written.contains(&index) {
            out.push(write::codec(model, ty));
        }
    }
    out
}

fn type_text(model: &Model<'_>, ty: &Type) -> String {
    let mut out =
        format!("@dataclass(slots=True)\nclass {}:\n    \"\"\"{}\"\"\"", ty.name, ty.full_name);
    for c in &ty.constants {
        let value = datum(model, &c.constant.ty, &c.constant.value);
        out += if c.name == ty.constants[0].name { "\n\n" } else { "\n" };
        out += &format!("    {} = {value}{}", c.name, renamed(&c.name, &c.constant.name));
    }
    for (i, member) in ty.fields.iter().enumerate() {
        out += if i == 0 { "\n\n" } else { "\n" };
        out += &format!(
            "    {}: {} = {}{}",
            member.name,
            field_type(model, member),
            default(model, member),
            renamed(&member.name, &member.field.name)
        );
    }
    out
}

fn renamed(name: &str, original: &str) -> String {
    comment_if_renamed("  # ", name, original)
}

/// A port in the table that `hello` is compared with.
fn table_entry(port: &Port) -> String {
    let name = literal(&port.raw_name);
    let (direction, index) = (port.direction, port.index);
    format!("({direction}, {index}, {name}, bytes.fromhex(\"{}\"))", port.fingerprint)
}

/// What a step has at hand, for the one who writes it.
fn hints(model: &Model<'_>) -> Vec<String> {
    let inputs = model.inputs.iter().map(|port| {
        let ty = &model.types[port.ty].full_name;
        format!("inputs.{}: {ty}, or None; inputs.fresh.{0}", port.name)
    });
    let single = model.outputs.len() == 1;
    let outputs = model.outputs.iter().map(|port| {
        let ty = &model.types[port.ty];
        match single {
            true => format!("return {}(...): {}", ty.name, ty.full_name),
            false => {
                format!("return {{\"{}\": {}(...)}}: {}", port.raw_name, ty.name, ty.full_name)
            }
        }
    });
    inputs.chain(outputs).collect()
}

/// Whether an array of these is a `bytearray`.
fn is_octet(element: &ElementType) -> bool {
    use Primitive::{Byte, Char, Uint8};
    matches!(element, ElementType::Primitive(Byte | Char | Uint8))
}

fn element_type(model: &Model<'_>, element: &ElementType) -> String {
    match element {
        ElementType::Primitive(Primitive::Bool) => "bool".to_owned(),
        ElementType::Primitive(Primitive::Float32 | Primitive::Float64) => "float".to_owned(),
        ElementType::Primitive(_) => "int".to_owned(),
        ElementType::String(_) | ElementType::WString(_) => "str".to_owned(),
        ElementType::Message(message) => model.type_of(message).name.clone(),
    }
}

fn field_type(model: &Model<'_>, member: &Member) -> String {
    let element = member.field.ty.element();
    let name = element_type(model, element);
    match &member.field.ty {
        FieldType::One(_) => name,
        _ if member.field.optional => format!("{name} | None"),
        _ if is_octet(element) => "bytearray".to_owned(),
        _ => format!("list[{name}]"),
    }
}

/// What a member is set to in the class body.
fn default(model: &Model<'_>, member: &Member) -> String {
    let element = member.field.ty.element();
    let factory = |value: String| format!("_field(default_factory=lambda: {value})");
    match (&member.field.ty, &member.field.default) {
        (_, None) if member.field.optional => "None".to_owned(),
        (FieldType::One(ElementType::Message(_)), None) => {
            format!("_field(default_factory={})", element_type(model, element))
        }
        (FieldType::One(_), None) => zero(model, element),
        (FieldType::Array(_, n), None) if is_octet(element) => factory(format!("bytearray({n})")),
        (FieldType::Array(ElementType::Message(_), n), None) => {
            factory(format!("[{} for _ in range({n})]", zero(model, element)))
        }
        (FieldType::Array(_, n), None) => factory(format!("[{}] * {n}", zero(model, element))),
        (FieldType::Sequence(..), None) if is_octet(element) => {
            "_field(default_factory=bytearray)".to_owned()
        }
        (FieldType::Sequence(..), None) => "_field(default_factory=list)".to_owned(),
        (_, Some(value)) => match value_of(model, member, value) {
            value if matches!(member.field.ty, FieldType::One(ElementType::Message(_))) => {
                factory(value)
            }
            value if matches!(member.field.ty, FieldType::One(_)) => value,
            value => factory(value),
        },
    }
}

fn zero(model: &Model<'_>, element: &ElementType) -> String {
    match element {
        ElementType::Primitive(Primitive::Bool) => "False".to_owned(),
        ElementType::Primitive(Primitive::Float32 | Primitive::Float64) => "0.0".to_owned(),
        ElementType::Primitive(_) => "0".to_owned(),
        ElementType::String(_) | ElementType::WString(_) => "\"\"".to_owned(),
        ElementType::Message(_) => format!("{}()", element_type(model, element)),
    }
}

fn value_of(model: &Model<'_>, member: &Member, value: &Datum) -> String {
    let element = member.field.ty.element();
    let Datum::Array(array) = value else { return datum(model, element, value) };
    let values = elements(model, element, array);
    if member.field.optional {
        return values.into_iter().next().unwrap_or_else(|| "None".to_owned());
    }
    let list = format!("[{}]", values.join(", "));
    if is_octet(element) { format!("bytearray({list})") } else { list }
}

fn elements(model: &Model<'_>, element: &ElementType, array: &Array) -> Vec<String> {
    data_of(array).iter().map(|value| datum(model, element, value)).collect()
}

/// A value as an expression.
fn datum(model: &Model<'_>, element: &ElementType, value: &Datum) -> String {
    match value {
        Datum::Bool(true) => "True".to_owned(),
        Datum::Bool(false) => "False".to_owned(),
        Datum::Int8(v) => v.to_string(),
        Datum::Uint8(v) => v.to_string(),
        Datum::Int16(v) => v.to_string(),
        Datum::Uint16(v) => v.to_string(),
        Datum::Int32(v) => v.to_string(),
        Datum::Uint32(v) => v.to_string(),
        Datum::Int64(v) => v.to_string(),
        Datum::Uint64(v) => v.to_string(),
        // As the double that it is.
        Datum::Float32(v) => float(f64::from(*v)),
        Datum::Float64(v) => float(*v),
        Datum::String(text) => literal(text),
        Datum::Array(array) => format!("[{}]", elements(model, element, array).join(", ")),
        Datum::Record(_) => unreachable!("lk::Schema lets messages have no defaults"),
    }
}

fn float(value: f64) -> String {
    match value {
        v if v.is_nan() => "_NAN".to_owned(),
        f64::INFINITY => "_INF".to_owned(),
        f64::NEG_INFINITY => "-_INF".to_owned(),
        v => format!("{v:?}"),
    }
}

/// Text as a string literal.
fn literal(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c == ' ' || c.is_ascii_graphic() || c.is_alphanumeric() => out.push(c),
            _ => out.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    out + "\""
}

/// A field in the table of the slow way.
fn elements_text(model: &Model<'_>, ty: &Type) -> String {
    let mut out = format!("    {}: (\n", ty.name);
    for member in &ty.fields {
        let element = match member.field.ty.element() {
            ElementType::Primitive(p) => format!("\"{}\"", layout::letter(*p)),
            ElementType::String(_) => "\"text\"".to_owned(),
            ElementType::WString(_) => "\"wide text\"".to_owned(),
            ElementType::Message(message) => model.type_of(message).name.clone(),
        };
        let count = match &member.field.ty {
            FieldType::One(_) => "one",
            FieldType::Array(..) => "array",
            FieldType::Sequence(..) if member.field.optional => "optional",
            FieldType::Sequence(..) => "sequence",
        };
        let required = match &member.field.default {
            None if !member.field.optional => "True",
            _ => "False",
        };
        out += &format!(
            "        Element({}, {}, {element}, \"{count}\", {required}),\n",
            literal(&member.name),
            literal(&member.field.name)
        );
    }
    out + "    ),"
}
