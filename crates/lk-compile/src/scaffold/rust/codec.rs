//! `Decode` and `Encode` of each message type, in Rust.

use lk::schema::{ElementType, FieldType};

use crate::scaffold::model::{Member, Model, Type, min_size};

/// An implementation each way, for the types that go that way.
pub(super) fn codecs(model: &Model<'_>) -> Vec<String> {
    let read = model.read_types();
    let written = model.written_types();
    let mut out = Vec::new();
    for (index, ty) in model.types.iter().enumerate() {
        if read.contains(&index) {
            out.push(decoder(ty));
        }
        if written.contains(&index) {
            out.push(encoder(ty));
        }
    }
    out
}

fn decoder(ty: &Type) -> String {
    let mut body: String = ty.fields.iter().map(|member| decode_field(ty, member)).collect();
    if ty.fields.is_empty() {
        // An empty message is one byte.
        body = format!("        r.number::<u8>(&mut 0, \"{}\")?;\n", ty.name);
    }
    format!(
        "impl Decode for types::{} {{\n    fn decode(&mut self, r: &mut Reader) -> Result<(), String> \
         {{\n{body}        Ok(())\n    }}\n}}",
        ty.name
    )
}

fn encoder(ty: &Type) -> String {
    let mut body: String = ty.fields.iter().map(|member| encode_field(ty, member)).collect();
    if ty.fields.is_empty() {
        body = "        w.number(0u8);\n".to_owned();
    }
    format!(
        "impl Encode for types::{} {{\n    fn encode(&self, w: &mut Writer) -> Result<(), String> \
         {{\n{body}        Ok(())\n    }}\n}}",
        ty.name
    )
}

fn decode_field(ty: &Type, member: &Member) -> String {
    let label = format!("\"{}\"", member.label(ty));
    let target = format!("self.{}", member.name);
    let element = member.field.ty.element();
    let min_size = min_size(element);
    let each = || {
        let one = decode_one(element, "e", &label);
        format!("        for e in &mut {target} {{\n            {one}\n        }}\n")
    };
    match &member.field.ty {
        FieldType::One(ElementType::Message(_)) => format!("        {target}.decode(r)?;\n"),
        FieldType::One(_) => {
            format!("        {}\n", decode_one(element, &format!("&mut {target}"), &label))
        }
        FieldType::Array(ElementType::Primitive(_), _) => {
            format!("        r.numbers(&mut {target}, {label})?;\n")
        }
        FieldType::Array(..) => each(),
        FieldType::Sequence(_, bound) if member.field.optional => {
            let bound = bound_of(*bound);
            let one = decode_one(element, "e", &label);
            format!(
                "        if r.length({bound}, {min_size}, {label})? == 0 {{\n            {target} = \
                 None;\n        }} else {{\n            let e = \
                 {target}.get_or_insert_with(Default::default);\n            {one}\n        }}\n"
            )
        }
        FieldType::Sequence(ElementType::Primitive(_), bound) => {
            format!("        r.sequence(&mut {target}, {}, {label})?;\n", bound_of(*bound))
        }
        FieldType::Sequence(_, bound) => {
            let bound = bound_of(*bound);
            format!(
                "        let length = r.length({bound}, {min_size}, {label})?;\n        \
                 {target}.resize_with(length, Default::default);\n{}",
                each()
            )
        }
    }
}

fn decode_one(element: &ElementType, target: &str, label: &str) -> String {
    match element {
        ElementType::Primitive(_) => format!("r.number({target}, {label})?;"),
        ElementType::String(bound) => format!("r.text({target}, {}, {label})?;", bound_of(*bound)),
        ElementType::WString(bound) => {
            format!("r.wide_text({target}, {}, {label})?;", bound_of(*bound))
        }
        ElementType::Message(_) => format!("{target}.decode(r)?;"),
    }
}

fn encode_field(ty: &Type, member: &Member) -> String {
    let label = format!("\"{}\"", member.label(ty));
    let source = format!("self.{}", member.name);
    let element = member.field.ty.element();
    let each = || match element {
        ElementType::Primitive(_) => format!("        w.numbers(&{source});\n"),
        _ => {
            let one = encode_one(element, "e", &label);
            format!("        for e in &{source} {{\n            {one}\n        }}\n")
        }
    };
    match &member.field.ty {
        FieldType::One(ElementType::String(_) | ElementType::WString(_)) => {
            format!("        {}\n", encode_one(element, &format!("&{source}"), &label))
        }
        FieldType::One(_) => format!("        {}\n", encode_one(element, &source, &label)),
        FieldType::Array(..) => each(),
        FieldType::Sequence(_, bound) => {
            let length = if member.field.optional { ".iter().len()" } else { ".len()" };
            let bound = bound_of(*bound);
            let head = format!("        w.length({source}{length}, {bound}, {label})?;\n");
            if member.field.optional {
                let value = if matches!(element, ElementType::Primitive(_)) { "*e" } else { "e" };
                let one = encode_one(element, value, &label);
                head + &format!(
                    "        if let Some(e) = &{source} {{\n            {one}\n        }}\n"
                )
            } else {
                head + &each()
            }
        }
    }
}

fn encode_one(element: &ElementType, source: &str, label: &str) -> String {
    match element {
        ElementType::Primitive(_) => format!("w.number({source});"),
        ElementType::String(bound) => format!("w.text({source}, {}, {label})?;", bound_of(*bound)),
        ElementType::WString(bound) => {
            format!("w.wide_text({source}, {}, {label})?;", bound_of(*bound))
        }
        ElementType::Message(_) => format!("{source}.encode(w)?;"),
    }
}

fn bound_of(bound: Option<usize>) -> String {
    bound
        .filter(|bound| u32::try_from(*bound).is_ok())
        .map_or("u32::MAX".to_owned(), |bound| bound.to_string())
}
