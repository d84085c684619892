//! Code that reads messages.

use lk::schema::{ElementType, FieldType};

use super::is_octet;
use super::layout::{MAX_SPREAD, Run, is_flat, is_flat_array, letter, listed};
use crate::scaffold::model::{Member, Model, Port, Type, min_size};
use crate::scaffold::names::Scope;

/// What the functions use beside variables of their own.
const USED: &str = "body pos run inputs frame stop time_ns header part list bytearray decode range in is \
    if for from as or and not None True False lambda def class read_numbers read_bytes \
    read_text read_wide_text read_texts read_all check_read return";

/// What the function of an input port does, `take_imu`.
pub(super) fn port(model: &Model<'_>, port: &Port) -> String {
    let ty = &model.types[port.ty];
    let (name, key) = (&ty.name, &port.name);
    let slow = format!(
        "    (time_ns,) = input_time(frame, pos + 7)\n    try:\n        \
         inputs.{key} = decode(read_{name}, frame[pos + 23 : stop])\n    \
         except Fatal as error:\n        raise Fatal(f\"input {}: {{error}}\") from None\n    \
         inputs.times_ns[\"{key}\"] = time_ns",
        port.raw_name
    );
    let head = format!("def take_{key}(inputs, frame, pos, stop):\n");
    let Some((run, message)) = fixed(model, ty) else { return head + &slow };
    // The frame as one struct: kind, port, time, sequence and header before.
    let length = 27 + run.size();
    let mut values = vec!["time_ns".to_owned(), "header".to_owned()];
    values.extend_from_slice(&run.values);
    let unpack = listed("        (", &values, &format!(") = frame_of_{key}(frame, pos + 7)"));
    let assign =
        listed(&format!("            inputs.{key} = {}(", message.name), &message.values, ")");
    format!(
        "frame_of_{key} = input_frame(\"{}\")\n\n\n{head}    if stop - pos == {length}:\n{unpack}\n        \
         if header == LITTLE_ENDIAN:\n{assign}\n            \
         inputs.times_ns[\"{key}\"] = time_ns\n            return\n{slow}",
        run.fields()
    )
}

/// A message that is one run, and the expression that makes it.
fn fixed(model: &Model<'_>, ty: &Type) -> Option<(Run, Construction)> {
    let mut reader = Reader::new(model, ty);
    let message = reader.message(ty);
    (reader.lines.is_empty() && reader.runs.is_empty()).then_some((reader.run, message))
}

/// `read_Imu`, and the structs that it uses.
pub(super) fn codec(model: &Model<'_>, ty: &Type) -> String {
    let mut reader = Reader::new(model, ty);
    let message = reader.message(ty);
    reader.flush();
    let mut out = String::new();
    for (i, fields) in reader.runs.iter().enumerate() {
        out += &format!("read_{}_{i} = run(\"{fields}\")\n", ty.name);
    }
    if !out.is_empty() {
        out += "\n\n";
    }
    out += &format!("def read_{}(body, pos):\n", ty.name);
    for line in &reader.lines {
        out += &format!("    {line}\n");
    }
    out + &listed(&format!("    return {}(", message.name), &message.values, "), pos")
}

/// A message and the expressions of its fields.
struct Construction {
    name: String,
    values: Vec<String>,
}

struct Reader<'a> {
    model: &'a Model<'a>,
    ty: &'a Type,
    names: Scope,
    run: Run,
    /// Fields of the runs that were flushed.
    runs: Vec<String>,
    lines: Vec<String>,
    indent: usize,
}

impl<'a> Reader<'a> {
    fn new(model: &'a Model<'a>, ty: &'a Type) -> Self {
        let types = model.types.iter().map(|ty| ty.name.as_str());
        let names = Scope::new(USED.split_whitespace().chain(types));
        let (run, runs, lines) = (Run::default(), Vec::new(), Vec::new());
        Reader { model, ty, names, run, runs, lines, indent: 0 }
    }

    fn line(&mut self, line: impl AsRef<str>) {
        self.lines.push(format!("{}{}", "    ".repeat(self.indent), line.as_ref()));
    }

    fn listed(&mut self, before: &str, items: &[String], after: &str) {
        let indent = "    ".repeat(self.indent + 1);
        let text = listed(&format!("{indent}{before}"), items, after);
        self.lines.extend(text.lines().map(|line| line[4..].to_owned()));
    }

    fn flush(&mut self) {
        let run = std::mem::take(&mut self.run);
        if run.is_empty() {
            return;
        }
        let name = format!("read_{}_{}", self.ty.name, self.runs.len());
        self.runs.push(run.fields());
        self.line(format!("part = {name}[pos & 7]"));
        match run.values.as_slice() {
            // An empty message has no value.
            [] => {}
            [value] => self.line(format!("({value},) = part.unpack_from(body, pos)")),
            values => self.listed("(", values, ") = part.unpack_from(body, pos)"),
        }
        self.line("pos += part.size");
    }

    /// The expression that makes a message of this type.
    fn message(&mut self, ty: &Type) -> Construction {
        if ty.fields.is_empty() {
            self.run.push_nothing();
        }
        let values = ty.fields.iter().map(|member| self.field(ty, member, &member.name));
        Construction { values: values.collect(), name: ty.name.clone() }
    }

    fn field(&mut self, ty: &Type, member: &Member, name: &str) -> String {
        let label = format!("\"{}\"", member.label(ty));
        let element = member.field.ty.element();
        match &member.field.ty {
            FieldType::One(element) => self.one(element, name, &label),
            FieldType::Array(element, n) if is_octet(element) => {
                let local = self.names.claim(name);
                self.run.push_bytes(*n, &local);
                format!("bytearray({local})")
            }
            FieldType::Array(ElementType::Primitive(p), n) if *n > MAX_SPREAD => {
                self.flush();
                let local = self.names.claim(name);
                self.run.push_many(*n, letter(*p));
                self.run.values.push(format!("*{local}"));
                self.flush();
                local
            }
            FieldType::Array(ElementType::Primitive(_), n) => {
                self.spread(element, *n, name, &label)
            }
            FieldType::Array(ElementType::Message(message), n) if is_flat_array(message, *n) => {
                self.spread(element, *n, name, &label)
            }
            FieldType::Array(_, n) => {
                self.flush();
                self.several(element, &n.to_string(), name, &label)
            }
            FieldType::Sequence(..) if member.field.optional => {
                self.optional(element, name, &label)
            }
            FieldType::Sequence(_, bound) => {
                let length = self.length(name);
                self.flush();
                self.sequence(element, &length, *bound, name, &label)
            }
        }
    }

    fn length(&mut self, name: &str) -> String {
        let length = self.names.claim(&format!("{name}_length"));
        self.run.push('I', &length);
        length
    }

    fn one(&mut self, element: &ElementType, name: &str, label: &str) -> String {
        match element {
            ElementType::Primitive(p) => {
                let local = self.names.claim(name);
                self.run.push(letter(*p), &local);
                local
            }
            ElementType::Message(message) if is_flat(message) => {
                let ty = self.model.type_of(message);
                if ty.fields.is_empty() {
                    self.run.push_nothing();
                }
                let values: Vec<String> = (ty.fields.iter())
                    .map(|member| self.field(ty, member, &format!("{name}_{}", member.name)))
                    .collect();
                format!("{}({})", ty.name, values.join(", "))
            }
            ElementType::Message(message) => {
                self.flush();
                let local = self.names.claim(name);
                let ty = &self.model.type_of(message).name;
                self.line(format!("{local}, pos = read_{ty}(body, pos)"));
                local
            }
            ElementType::String(bound) => self.text("read_text", *bound, name, label),
            ElementType::WString(bound) => self.text("read_wide_text", *bound, name, label),
        }
    }

    fn text(&mut self, read: &str, bound: Option<usize>, name: &str, label: &str) -> String {
        let length = self.length(name);
        self.flush();
        let local = self.names.claim(name);
        let bound = bound_of(bound);
        self.line(format!("{local}, pos = {read}(body, pos, {length}, {bound}, {label})"));
        local
    }

    fn spread(&mut self, element: &ElementType, n: usize, name: &str, label: &str) -> String {
        let values: Vec<String> =
            (0..n).map(|i| self.one(element, &format!("{name}_{i}"), label)).collect();
        format!("[{}]", values.join(", "))
    }

    fn optional(&mut self, element: &ElementType, name: &str, label: &str) -> String {
        let length = self.length(name);
        self.flush();
        let local = self.names.claim(name);
        let min_size = min_size(element);
        self.line(format!("check_read(body, pos, {length}, {min_size}, 1, {label})"));
        self.line(format!("{local} = None"));
        self.line(format!("if {length}:"));
        self.indent += 1;
        let value = self.one(element, &format!("{name}_value"), label);
        self.flush();
        self.line(format!("{local} = {value}"));
        self.indent -= 1;
        local
    }

    fn sequence(
        &mut self,
        element: &ElementType,
        length: &str,
        bound: Option<usize>,
        name: &str,
        label: &str,
    ) -> String {
        let bound = bound_of(bound);
        match element {
            ElementType::Primitive(_) if is_octet(element) => {
                let local = self.names.claim(name);
                self.line(format!(
                    "{local}, pos = read_bytes(body, pos, {length}, {bound}, {label})"
                ));
                local
            }
            ElementType::Primitive(p) => {
                let local = self.names.claim(name);
                self.line(format!(
                    "{local}, pos = read_numbers(body, pos, {length}, \"{}\", {bound}, {label})",
                    letter(*p)
                ));
                local
            }
            _ => {
                let min_size = min_size(element);
                self.line(format!("check_read(body, pos, {length}, {min_size}, {bound}, {label})"));
                self.several(element, length, name, label)
            }
        }
    }

    /// Elements one after the other, by a function.
    fn several(&mut self, element: &ElementType, count: &str, name: &str, label: &str) -> String {
        let local = self.names.claim(name);
        match element {
            ElementType::Message(message) => {
                let ty = &self.model.type_of(message).name;
                self.line(format!("{local}, pos = read_all(read_{ty}, body, pos, {count})"));
            }
            ElementType::String(bound) | ElementType::WString(bound) => {
                let read = match element {
                    ElementType::String(_) => "read_text",
                    _ => "read_wide_text",
                };
                let bound = bound_of(*bound);
                self.line(format!(
                    "{local}, pos = read_texts({read}, body, pos, {count}, {bound}, {label})"
                ));
            }
            ElementType::Primitive(_) => unreachable!("numbers are read by runs"),
        }
        local
    }
}

fn bound_of(bound: Option<usize>) -> String {
    bound.unwrap_or(u32::MAX as usize).to_string()
}
