//! `decode` and `encode` of each message type, in C++.

use lk::schema::{ElementType, FieldType};

use crate::scaffold::model::{Member, Model, Type, min_size};

/// A function each way, for the types that go that way; nested ones first.
pub(super) fn codecs(model: &Model<'_>) -> Vec<String> {
    let read = model.read_types();
    let written = model.written_types();
    let mut out = Vec::new();
    for (index, ty) in model.types.iter().enumerate() {
        if read.contains(&index) {
            out.push(function("void decode(::lk::Reader& in, ", ty, "in.nothing", decode_field));
        }
        if written.contains(&index) {
            out.push(function(
                "void encode(::lk::Writer& out, const ",
                ty,
                "out.nothing",
                encode_field,
            ));
        }
    }
    out
}

fn function(head: &str, ty: &Type, nothing: &str, field: fn(&Type, &Member) -> String) -> String {
    let name = &ty.name;
    if ty.fields.is_empty() {
        let label = if nothing.starts_with("in") { format!("\"{name}\"") } else { String::new() };
        return format!("static {head}{name}&) {{\n  {nothing}({label});\n}}");
    }
    let body: String = ty.fields.iter().map(|member| field(ty, member)).collect();
    format!("static {head}{name}& m) {{\n{body}}}")
}

fn decode_field(ty: &Type, member: &Member) -> String {
    let label = format!("\"{}\"", member.label(ty));
    let target = format!("m.{}", member.name);
    let element = member.field.ty.element();
    let min_size = min_size(element);
    match &member.field.ty {
        FieldType::One(_) => format!("  {}\n", decode_one(element, &target, &label)),
        FieldType::Array(ElementType::Primitive(_), _) => {
            format!("  in.numbers({target}, {label});\n")
        }
        FieldType::Array(..) => {
            format!("  for (auto& e : {target}) {}\n", decode_one(element, "e", &label))
        }
        FieldType::Sequence(_, bound) if member.field.optional => format!(
            "  if (in.length({}, {min_size}, {label}) == 0) {{\n    {target}.reset();\n  }} else {{\n    \
             if (!{target}) {target}.emplace();\n    {}\n  }}\n",
            bound_of(*bound),
            decode_one(element, &format!("*{target}"), &label)
        ),
        FieldType::Sequence(_, bound) => {
            let resize = format!(
                "  {target}.resize(in.length({}, {min_size}, {label}));\n",
                bound_of(*bound)
            );
            let elements = match element {
                ElementType::Primitive(_) => format!("  in.numbers({target}, {label});\n"),
                _ => format!("  for (auto& e : {target}) {}\n", decode_one(element, "e", &label)),
            };
            resize + &elements
        }
    }
}

fn decode_one(element: &ElementType, target: &str, label: &str) -> String {
    match element {
        ElementType::Primitive(_) => format!("in.number({target}, {label});"),
        ElementType::String(bound) | ElementType::WString(bound) => {
            format!("in.text({target}, {}, {label});", bound_of(*bound))
        }
        ElementType::Message(_) => format!("decode(in, {target});"),
    }
}

fn encode_field(ty: &Type, member: &Member) -> String {
    let label = format!("\"{}\"", member.label(ty));
    let source = format!("m.{}", member.name);
    let element = member.field.ty.element();
    let elements = |element: &ElementType| match element {
        ElementType::Primitive(_) => format!("  out.numbers({source});\n"),
        _ => format!("  for (const auto& e : {source}) {}\n", encode_one(element, "e", &label)),
    };
    match &member.field.ty {
        FieldType::One(_) => format!("  {}\n", encode_one(element, &source, &label)),
        FieldType::Array(..) => elements(element),
        FieldType::Sequence(_, bound) if member.field.optional => format!(
            "  out.length({source} ? 1 : 0, {}, {label});\n  if ({source}) {}\n",
            bound_of(*bound),
            encode_one(element, &format!("*{source}"), &label)
        ),
        FieldType::Sequence(_, bound) => {
            let length = format!("  out.length({source}.size(), {}, {label});\n", bound_of(*bound));
            length + &elements(element)
        }
    }
}

fn encode_one(element: &ElementType, source: &str, label: &str) -> String {
    match element {
        ElementType::Primitive(_) => format!("out.number({source});"),
        ElementType::String(bound) | ElementType::WString(bound) => {
            format!("out.text({source}, {}, {label});", bound_of(*bound))
        }
        ElementType::Message(_) => format!("encode(out, {source});"),
    }
}

fn bound_of(bound: Option<usize>) -> String {
    bound
        .filter(|bound| u32::try_from(*bound).is_ok())
        .map_or("::lk::kUnbounded".to_owned(), |bound| bound.to_string())
}
