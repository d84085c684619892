//! Reading `.msg` text.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::check::is_identifier;
use super::{Constant, ElementType, Field, FieldType, MessageType, Primitive, Schema};
use super::{builtin, literal};
use crate::error::{Error, Result};
use crate::value::{Datum, fits};

/// Types inside types while reading; [`Schema::new`] has the final word.
const MAX_DEPTH: usize = 64;

/// Reads text that has the definitions of nested types after it.
pub(super) fn parse(name: &str, text: &str) -> Result<Schema> {
    read(name, Some(text), &|_| None)
}

/// Reads text that a function finds by full type name.
pub(super) fn parse_with(name: &str, find: &dyn Fn(&str) -> Option<String>) -> Result<Schema> {
    read(name, None, find)
}

fn read(name: &str, text: Option<&str>, find: &dyn Fn(&str) -> Option<String>) -> Result<Schema> {
    let name = full_name(name, "lk");
    let mut reader = Reader { given: BTreeMap::new(), find, done: BTreeMap::new(), around: vec![] };
    if let Some(text) = text {
        reader.given = sections(&name, text)?;
    }
    let root = reader.definition(&name, None)?;
    Schema::new(root)
}

/// `package/msg/Type` of a name as `.msg` text has it.
fn full_name(name: &str, package: &str) -> String {
    match name.split('/').collect::<Vec<_>>()[..] {
        // The one type that may be named without its package from anywhere.
        ["Header"] => "std_msgs/msg/Header".to_owned(),
        [short] => format!("{package}/msg/{short}"),
        [package, short] => format!("{package}/msg/{short}"),
        _ => name.to_owned(),
    }
}

/// The text of one definition, and the line before its first.
struct Source {
    text: String,
    line: usize,
}

/// Splits text at lines of `=`: the root's definition, then others after a
/// line `MSG: package/Type`. A name that comes twice keeps its first text.
fn sections(root: &str, text: &str) -> Result<BTreeMap<String, Source>> {
    let mut found = BTreeMap::new();
    let mut name = Some(root.to_owned());
    let mut body = Source { text: String::new(), line: 0 };
    let mut last = 0;
    for (index, line) in text.lines().enumerate() {
        last = index + 1;
        let trimmed = line.trim();
        if trimmed.len() >= 3 && trimmed.bytes().all(|b| b == b'=') {
            if let Some(name) = name.take() {
                found.entry(name).or_insert(body);
            }
            body = Source { text: String::new(), line: last };
        } else if name.is_some() {
            body.text.push_str(line);
            body.text.push('\n');
        } else if let Some(given) = trimmed.strip_prefix("MSG:") {
            name = Some(full_name(given.trim(), "lk"));
            body.line = last;
        } else if !trimmed.is_empty() {
            return Err(Error::MsgText {
                type_name: root.to_owned(),
                line: last,
                reason: format!("after a line of `=` comes `MSG: package/Type`, not `{trimmed}`"),
            });
        }
    }
    match name {
        Some(name) => found.entry(name).or_insert(body),
        None => {
            return Err(Error::MsgText {
                type_name: root.to_owned(),
                line: last,
                reason: "the text ends at a line of `=`; `MSG: package/Type` should follow"
                    .to_owned(),
            });
        }
    };
    Ok(found)
}

struct Reader<'a> {
    given: BTreeMap<String, Source>,
    find: &'a dyn Fn(&str) -> Option<String>,
    done: BTreeMap<String, Arc<MessageType>>,
    /// Names of the types around the one that is being read.
    around: Vec<String>,
}

/// Where a type is named: in which type's text, on which line.
#[derive(Clone, Copy)]
struct Place<'a> {
    type_name: &'a str,
    line: usize,
}

impl Place<'_> {
    fn error(&self, reason: impl Into<String>) -> Error {
        Error::MsgText {
            type_name: self.type_name.to_owned(),
            line: self.line,
            reason: reason.into(),
        }
    }
}

impl Reader<'_> {
    fn definition(&mut self, name: &str, place: Option<Place<'_>>) -> Result<Arc<MessageType>> {
        if let Some(done) = self.done.get(name) {
            return Ok(done.clone());
        }
        let here = place.unwrap_or(Place { type_name: name, line: 0 });
        if self.around.iter().any(|outer| outer == name) {
            return Err(here.error(format!("{name} contains itself")));
        }
        if self.around.len() == MAX_DEPTH {
            return Err(here.error(format!("{name} lies {MAX_DEPTH} messages deep")));
        }
        let source = self
            .given
            .remove(name)
            .or_else(|| (self.find)(name).map(|text| Source { text, line: 0 }))
            .or_else(|| builtin::find(name).map(|text| Source { text: text.to_owned(), line: 0 }))
            .ok_or_else(|| Error::UnknownType {
                wanted: name.to_owned(),
                type_name: here.type_name.to_owned(),
                line: here.line,
                similar: similar(name, &self.given),
            })?;
        self.around.push(name.to_owned());
        let ty = Arc::new(self.body(name, &source)?);
        self.around.pop();
        self.done.insert(name.to_owned(), ty.clone());
        Ok(ty)
    }

    fn body(&mut self, name: &str, source: &Source) -> Result<MessageType> {
        let mut ty = MessageType { name: name.to_owned(), fields: vec![], constants: vec![] };
        for (index, line) in source.text.lines().enumerate() {
            let place = Place { type_name: name, line: source.line + index + 1 };
            let mut line = line.trim();
            // Annotations such as `@key`, on a line of their own or before a
            // field, say nothing about the encoding.
            while line.starts_with('@') {
                line = line.split_once(char::is_whitespace).map_or("", |(_, rest)| rest.trim());
            }
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if line.starts_with("---") {
                return Err(place.error("`---` belongs to services and actions, not to messages"));
            }
            self.member(&mut ty, place, line)?;
        }
        Ok(ty)
    }

    /// A field or constant: `type name`, `type name default`, `type NAME=value`.
    fn member(&mut self, ty: &mut MessageType, place: Place<'_>, line: &str) -> Result<()> {
        let (type_text, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = rest.trim_start();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let (name, rest) = rest.split_at(end.unwrap_or(rest.len()));
        if !is_identifier(name) {
            let found = rest.split_whitespace().next().unwrap_or_default();
            return Err(place.error(format!(
                "a line is `type name`, `type name default` or `type NAME=value`; \
                 `{name}{found}` is no name"
            )));
        }
        let field_ty = self.field_type(place, type_text)?;
        let value = rest.trim_start();
        if let Some(value) = value.strip_prefix('=') {
            let FieldType::One(element) = &field_ty else {
                return Err(place.error(format!("constant {name} can't be an array")));
            };
            if matches!(element, ElementType::Message(_)) {
                return Err(place.error(format!("constant {name} can't be a message")));
            }
            let value = value_of(place, name, &field_ty, value)?;
            ty.constants.push(Constant { name: name.to_owned(), ty: element.clone(), value });
            return Ok(());
        }
        let default = if value.is_empty() || value.starts_with('#') {
            None
        } else if !rest.starts_with(char::is_whitespace) {
            return Err(place.error(format!("`{name}{rest}` is no name")));
        } else if matches!(field_ty.element(), ElementType::Message(_)) {
            return Err(place.error(format!("field {name} is a message, which has no default")));
        } else {
            Some(value_of(place, name, &field_ty, value)?)
        };
        ty.fields.push(Field { name: name.to_owned(), ty: field_ty, default, optional: false });
        Ok(())
    }

    /// `float64`, `string<=8[<=3]`, `pkg/Type[9]`.
    fn field_type(&mut self, place: Place<'_>, text: &str) -> Result<FieldType> {
        let Some(open) = text.find('[') else {
            return Ok(FieldType::One(self.element_type(place, text)?));
        };
        let count = text[open + 1..]
            .strip_suffix(']')
            .ok_or_else(|| place.error(format!("`{text}` has no closing `]` at its end")))?;
        let element = self.element_type(place, &text[..open])?;
        if count.is_empty() {
            return Ok(FieldType::Sequence(element, None));
        }
        let (digits, bounded) = match count.strip_prefix("<=") {
            Some(digits) => (digits, true),
            None => (count, false),
        };
        let n = length(place, text, digits)?;
        Ok(if bounded {
            FieldType::Sequence(element, Some(n))
        } else {
            FieldType::Array(element, n)
        })
    }

    fn element_type(&mut self, place: Place<'_>, text: &str) -> Result<ElementType> {
        let (name, bound) = match text.split_once("<=") {
            Some((name, bound)) => (name, Some(length(place, text, bound)?)),
            None => (text, None),
        };
        match (name, bound) {
            ("string", bound) => return Ok(ElementType::String(bound)),
            ("wstring", bound) => return Ok(ElementType::WString(bound)),
            (_, Some(_)) => {
                return Err(place.error(format!("`{text}`: only string and wstring have bounds")));
            }
            ("time" | "duration", None) => {
                let ros2 = if name == "time" { "Time" } else { "Duration" };
                return Err(place.error(format!(
                    "`{name}` is of ROS 1; in ROS 2 it is builtin_interfaces/{ros2}"
                )));
            }
            (name, None) => {
                if let Some(primitive) = Primitive::ALL.into_iter().find(|p| p.name() == name) {
                    return Ok(ElementType::Primitive(primitive));
                }
            }
        }
        if !name.split('/').all(is_identifier) || name.split('/').count() > 3 {
            return Err(place.error(format!("`{name}` is no type")));
        }
        let package = place.type_name.split('/').next().unwrap_or_default();
        let full = full_name(name, package);
        Ok(ElementType::Message(self.definition(&full, Some(place))?))
    }
}

fn length(place: Place<'_>, text: &str, digits: &str) -> Result<usize> {
    match digits.parse() {
        Ok(n) if n > 0 && digits.bytes().all(|b| b.is_ascii_digit()) => Ok(n),
        _ => Err(place.error(format!("`{text}`: `{digits}` is no length above 0"))),
    }
}

/// The value at the end of a line, before a comment.
fn value_of(place: Place<'_>, name: &str, ty: &FieldType, text: &str) -> Result<Datum> {
    let (value, rest) = literal::parse(ty, text)
        .map_err(|reason| place.error(format!("value of {name}: {reason}")))?;
    let rest = rest.trim_start();
    if !rest.is_empty() && !rest.starts_with('#') {
        return Err(place.error(format!("value of {name}: `{rest}` follows it")));
    }
    fits(ty, &value).map_err(|fault| place.error(format!("value of {name}: {}", fault.reason)))?;
    Ok(value)
}

/// A known type whose own name is that of the unknown one.
fn similar(name: &str, given: &BTreeMap<String, Source>) -> Option<String> {
    let short = name.rsplit('/').next()?;
    let same = |known: &&str| known.rsplit('/').next() == Some(short) && *known != name;
    given
        .keys()
        .map(String::as_str)
        .find(same)
        .or_else(|| builtin::names().find(same))
        .map(str::to_owned)
}
