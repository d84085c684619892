//! Code that writes messages.

use lk::schema::{ElementType, FieldType};

use super::is_octet;
use super::layout::{MAX_SPREAD, Run, is_flat, is_flat_array, letter, listed};
use crate::scaffold::model::{Member, Model, Port, Type};
use crate::scaffold::names::Scope;

/// What the functions use beside variables of their own.
const USED: &str = "body m out time_ns len bytes in is if for from as or and not None True False lambda \
    def class return write_numbers write_texts text_bytes wide_text_bytes check_written \
    of_length element";

/// What the function of an output port does, `send_attitude`.
pub(super) fn port(model: &Model<'_>, port: &Port) -> String {
    let ty = &model.types[port.ty];
    let key = &port.name;
    let head = format!("def send_{key}(out, m, time_ns):\n");
    let mut writer = Writer::new(model, ty);
    writer.message(ty, "m");
    if !writer.in_parts {
        // The frame as one struct: length, kind, port, time and header before.
        let run = writer.run;
        let length = 15 + run.size();
        let index = port.index.to_string();
        let frame = [&length.to_string(), "OUTPUT", &index, "time_ns", "LITTLE_ENDIAN"];
        let values: Vec<String> =
            frame.into_iter().map(str::to_owned).chain(run.values.iter().cloned()).collect();
        let lines: String = writer.lines.iter().map(|line| format!("    {line}\n")).collect();
        let pack = listed(&format!("    out += frame_for_{key}("), &values, ")");
        let fields = run.fields();
        return format!("frame_for_{key} = output_frame(\"{fields}\")\n\n\n{head}{lines}{pack}");
    }
    format!(
        "{head}    body = bytearray()\n    write_{}(body, m)\n    \
         out += output_head(15 + len(body), OUTPUT, {}, time_ns, LITTLE_ENDIAN)\n    out += body",
        ty.name, port.index
    )
}

/// `write_Attitude`, and the structs that it uses.
pub(super) fn codec(model: &Model<'_>, ty: &Type) -> String {
    let mut writer = Writer::new(model, ty);
    writer.message(ty, "m");
    writer.flush();
    let mut out = String::new();
    for (i, fields) in writer.runs.iter().enumerate() {
        out += &format!("write_{}_{i} = run(\"{fields}\")\n", ty.name);
    }
    if !out.is_empty() {
        out += "\n\n";
    }
    out += &format!("def write_{}(body, m):\n", ty.name);
    for line in &writer.lines {
        out += &format!("    {line}\n");
    }
    out.trim_end().to_owned()
}

struct Writer<'a> {
    model: &'a Model<'a>,
    ty: &'a Type,
    names: Scope,
    run: Run,
    /// Fields of the runs that were flushed.
    runs: Vec<String>,
    lines: Vec<String>,
    indent: usize,
    /// Whether the message is more than one run.
    in_parts: bool,
}

impl<'a> Writer<'a> {
    fn new(model: &'a Model<'a>, ty: &'a Type) -> Self {
        let types = model.types.iter().map(|ty| ty.name.as_str());
        let names = Scope::new(USED.split_whitespace().chain(types));
        let (run, runs, lines) = (Run::default(), Vec::new(), Vec::new());
        Writer { model, ty, names, run, runs, lines, indent: 0, in_parts: false }
    }

    fn line(&mut self, line: impl AsRef<str>) {
        self.lines.push(format!("{}{}", "    ".repeat(self.indent), line.as_ref()));
    }

    fn listed(&mut self, before: &str, items: &[String], after: &str) {
        let indent = "    ".repeat(self.indent + 1);
        let text = listed(&format!("{indent}{before}"), items, after);
        self.lines.extend(text.lines().map(|line| line[4..].to_owned()));
    }

    /// Ends the run, so that what follows can be written.
    fn flush(&mut self) {
        self.in_parts = true;
        let run = std::mem::take(&mut self.run);
        if run.is_empty() {
            return;
        }
        let name = format!("write_{}_{}", self.ty.name, self.runs.len());
        self.runs.push(run.fields());
        let at = if run.is_unaligned() { "0" } else { "len(body) & 7" };
        self.listed(&format!("body += {name}[{at}].pack("), &run.values, ")");
    }

    fn message(&mut self, ty: &Type, source: &str) {
        if ty.fields.is_empty() {
            self.run.push_nothing();
        }
        for member in &ty.fields {
            self.field(ty, member, source);
        }
    }

    fn field(&mut self, ty: &Type, member: &Member, owner: &str) {
        let label = format!("\"{}\"", member.label(ty));
        let source = format!("{owner}.{}", member.name);
        let name = match owner {
            "m" => member.name.clone(),
            _ => format!("{owner}_{}", member.name),
        };
        match &member.field.ty {
            FieldType::One(element) => self.one(element, &source, &name, &label),
            FieldType::Array(element, n) => self.array(element, *n, &source, &name, &label),
            FieldType::Sequence(element, _) if member.field.optional => {
                let local = self.names.claim(&name);
                self.line(format!("{local} = {source}"));
                self.run.push('I', format!("{local} is not None"));
                self.flush();
                self.line(format!("if {local} is not None:"));
                self.indent += 1;
                self.one(element, &local, &format!("{name}_value"), &label);
                self.flush();
                self.indent -= 1;
            }
            FieldType::Sequence(element, bound) => {
                let local = self.names.claim(&name);
                let value = match is_octet(element) {
                    // A number would become that many zeros.
                    true => format!("bytes(of_length({source}, len({source}), {label}))"),
                    false => source,
                };
                self.line(format!("{local} = {value}"));
                if let Some(bound) = bound {
                    self.line(format!("check_written({local}, {bound}, {label})"));
                }
                self.run.push('I', format!("len({local})"));
                self.flush();
                match element {
                    _ if is_octet(element) => self.line(format!("body += {local}")),
                    ElementType::Primitive(p) => {
                        let letter = letter(*p);
                        self.line(format!("write_numbers(body, {local}, \"{letter}\")"));
                    }
                    _ => self.several(element, &local, &label),
                }
            }
        }
    }

    fn one(&mut self, element: &ElementType, source: &str, name: &str, label: &str) {
        match element {
            ElementType::Primitive(p) => self.run.push(letter(*p), source),
            ElementType::Message(message) if is_flat(message) => {
                let ty = self.model.type_of(message);
                let local = self.names.claim(name);
                if !ty.fields.is_empty() && local != source {
                    self.line(format!("{local} = {source}"));
                }
                self.message(ty, &local);
            }
            ElementType::Message(message) => {
                self.flush();
                let ty = &self.model.type_of(message).name;
                self.line(format!("write_{ty}(body, {source})"));
            }
            ElementType::String(bound) => {
                let local = self.names.claim(name);
                let bound = bound_of(*bound);
                self.line(format!("{local} = text_bytes({source}, {bound}, {label})"));
                self.run.push('I', format!("len({local})"));
                self.flush();
                self.line(format!("body += {local}"));
            }
            ElementType::WString(bound) => {
                let local = self.names.claim(name);
                let bound = bound_of(*bound);
                self.line(format!("{local} = wide_text_bytes({source}, {bound}, {label})"));
                self.run.push('I', format!("len({local}) // 2"));
                self.flush();
                self.line(format!("body += {local}"));
            }
        }
    }

    fn array(&mut self, element: &ElementType, n: usize, source: &str, name: &str, label: &str) {
        let spread = match element {
            _ if is_octet(element) => {
                let local = self.names.claim(name);
                self.line(format!("{local} = bytes(of_length({source}, {n}, {label}))"));
                self.run.push_bytes(n, local);
                return;
            }
            ElementType::Primitive(_) => n <= MAX_SPREAD,
            ElementType::Message(message) => is_flat_array(message, n),
            ElementType::String(_) | ElementType::WString(_) => false,
        };
        if spread {
            // Taking apart into so many variables checks the length as well.
            let locals: Vec<String> =
                (0..n).map(|i| self.names.claim(&format!("{name}_{i}"))).collect();
            // One variable needs the comma, several don't.
            let comma = if n == 1 { "," } else { "" };
            self.line(format!("{}{comma} = {source}", locals.join(", ")));
            for local in locals {
                match element {
                    ElementType::Message(message) => {
                        self.message(self.model.type_of(message), &local);
                    }
                    _ => self.one(element, &local, &local, label),
                }
            }
            return;
        }
        let local = self.names.claim(name);
        self.line(format!("{local} = of_length({source}, {n}, {label})"));
        if let ElementType::Primitive(p) = element {
            self.flush();
            self.run.push_many(n, letter(*p));
            self.run.values.push(format!("*{local}"));
            self.flush();
        } else {
            self.flush();
            self.several(element, &local, label);
        }
    }

    /// Elements one after the other, by a function.
    fn several(&mut self, element: &ElementType, local: &str, label: &str) {
        match element {
            ElementType::Message(message) => {
                let ty = &self.model.type_of(message).name;
                self.line(format!("for element in {local}:"));
                self.line(format!("    write_{ty}(body, element)"));
            }
            ElementType::String(bound) | ElementType::WString(bound) => {
                let (bytes, unit) = match element {
                    ElementType::String(_) => ("text_bytes", 1),
                    _ => ("wide_text_bytes", 2),
                };
                let bound = bound_of(*bound);
                self.line(format!(
                    "write_texts(body, [{bytes}(text, {bound}, {label}) for text in {local}], {unit})"
                ));
            }
            ElementType::Primitive(_) => unreachable!("numbers are written by runs"),
        }
    }
}

fn bound_of(bound: Option<usize>) -> String {
    bound.unwrap_or(u32::MAX as usize).to_string()
}
