//! Values in `.msg` text: of constants and defaults.

use super::{ElementType, FieldType, Primitive};
use crate::value::{Array, Datum};

/// A value as text that [`parse`] reads back to the same bits.
pub(super) fn print(value: &Datum) -> String {
    match value {
        Datum::Bool(v) => v.to_string(),
        Datum::String(v) => quote(v),
        Datum::Float32(v) => format!("{v:?}"),
        Datum::Float64(v) => format!("{v:?}"),
        Datum::Array(array) => {
            let elements: Vec<_> = (0..array.len())
                .filter_map(|index| array.element(index))
                .map(|element| print(&element))
                .collect();
            format!("[{}]", elements.join(", "))
        }
        // Integers; messages have no literals.
        other => other.scalar().map(|v| v.to_string()).unwrap_or_default(),
    }
}

/// In double quotes; whatever some reader might take for the end of the line
/// is escaped. That goes for `#` and `=` too: rosidl, and what is made from
/// it, looks for them without regard to quotes.
fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '#' | '=' => quoted.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
                quoted.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Reads the value of a field or constant; gives what follows it. The error
/// is a phrase.
pub(super) fn parse<'a>(ty: &FieldType, text: &'a str) -> Result<(Datum, &'a str), String> {
    let text = text.trim_start();
    match ty {
        FieldType::One(element) => {
            let (token, rest) = token(element, text, "#")?;
            Ok((single(element, token)?, rest))
        }
        FieldType::Array(element, _) | FieldType::Sequence(element, _) => array(element, text),
    }
}

fn array<'a>(element: &ElementType, text: &'a str) -> Result<(Datum, &'a str), String> {
    let mut rest = text
        .strip_prefix('[')
        .ok_or_else(|| format!("a default of several elements is `[a, b]`, not `{text}`"))?
        .trim_start();
    let mut array = Array::default_of(element, 0);
    while !rest.starts_with(']') {
        let (token, after) = token(element, rest, ",]#")?;
        array
            .push(single(element, token)?)
            .map_err(|_| format!("{element} can't have a default"))?;
        rest = after.trim_start();
        match rest.strip_prefix(',') {
            Some(after) => rest = after.trim_start(),
            None if rest.starts_with(']') => {}
            None => return Err("the default has no closing `]`".to_owned()),
        }
    }
    Ok((Datum::Array(array), &rest[1..]))
}

/// One element's text: quoted, or up to one of `ends`.
enum Token<'a> {
    Quoted(String),
    Bare(&'a str),
}

fn token<'a>(
    element: &ElementType,
    text: &'a str,
    ends: &str,
) -> Result<(Token<'a>, &'a str), String> {
    let is_text = matches!(element, ElementType::String(_) | ElementType::WString(_));
    match text.chars().next() {
        Some(quote @ ('"' | '\'')) if is_text => {
            let (text, rest) = unquote(&text[1..], quote)?;
            Ok((Token::Quoted(text), rest))
        }
        _ => {
            let end = text.find(|c| ends.contains(c)).unwrap_or(text.len());
            Ok((Token::Bare(text[..end].trim_end()), &text[end..]))
        }
    }
}

fn unquote(text: &str, quote: char) -> Result<(String, &str), String> {
    let mut unquoted = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            c if c == quote => return Ok((unquoted, &text[at + c.len_utf8()..])),
            '\\' => match chars.next().map(|(_, c)| c) {
                Some('n') => unquoted.push('\n'),
                Some('r') => unquoted.push('\r'),
                Some('t') => unquoted.push('\t'),
                Some(c @ ('\\' | '"' | '\'')) => unquoted.push(c),
                Some(c @ ('x' | 'u')) => {
                    let digits = if c == 'x' { 2 } else { 4 };
                    let code: String = chars.by_ref().take(digits).map(|(_, c)| c).collect();
                    let parsed =
                        u32::from_str_radix(&code, 16).ok().filter(|_| code.len() == digits);
                    unquoted.push(
                        parsed
                            .and_then(char::from_u32)
                            .ok_or_else(|| format!("`\\{c}{code}` is no character"))?,
                    );
                }
                // As ROS 2 has it: a backslash before anything else is one.
                Some(c) => unquoted.extend(['\\', c]),
                None => break,
            },
            c => unquoted.push(c),
        }
    }
    Err(format!("the text has no closing {quote}"))
}

fn single(element: &ElementType, token: Token<'_>) -> Result<Datum, String> {
    let text = match (element, token) {
        (ElementType::String(_) | ElementType::WString(_), Token::Quoted(text)) => {
            return Ok(Datum::String(text));
        }
        (ElementType::String(_) | ElementType::WString(_), Token::Bare(text)) => {
            return Ok(Datum::String(text.to_owned()));
        }
        (_, Token::Bare(text)) => text,
        (_, Token::Quoted(_)) => return Err(format!("a text where {element} is expected")),
    };
    let ElementType::Primitive(primitive) = element else {
        return Err(format!("{element} can't have a default"));
    };
    let wrong = || format!("`{text}` is no {primitive}");
    let integer = || integer(text).ok_or_else(wrong);
    let range = |_| format!("`{text}` is out of the range of {primitive}");
    Ok(match primitive {
        Primitive::Bool => match text {
            "true" | "True" | "TRUE" | "1" => Datum::Bool(true),
            "false" | "False" | "FALSE" | "0" => Datum::Bool(false),
            _ => return Err(wrong()),
        },
        Primitive::Byte | Primitive::Char | Primitive::Uint8 => {
            Datum::Uint8(integer()?.try_into().map_err(range)?)
        }
        Primitive::Int8 => Datum::Int8(integer()?.try_into().map_err(range)?),
        Primitive::Int16 => Datum::Int16(integer()?.try_into().map_err(range)?),
        Primitive::Uint16 => Datum::Uint16(integer()?.try_into().map_err(range)?),
        Primitive::Int32 => Datum::Int32(integer()?.try_into().map_err(range)?),
        Primitive::Uint32 => Datum::Uint32(integer()?.try_into().map_err(range)?),
        Primitive::Int64 => Datum::Int64(integer()?.try_into().map_err(range)?),
        Primitive::Uint64 => Datum::Uint64(integer()?.try_into().map_err(range)?),
        Primitive::Float32 => Datum::Float32(text.parse().map_err(|_| wrong())?),
        Primitive::Float64 => Datum::Float64(text.parse().map_err(|_| wrong())?),
    })
}

/// Decimal, or with `0x`, `0o`, `0b`.
fn integer(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (radix, digits) = match digits.get(..2) {
        Some("0x" | "0X") => (16, &digits[2..]),
        Some("0o" | "0O") => (8, &digits[2..]),
        Some("0b" | "0B") => (2, &digits[2..]),
        _ => (10, digits),
    };
    // `from_str_radix` takes a sign of its own.
    if !digits.starts_with(|c: char| c.is_ascii_hexdigit()) {
        return None;
    }
    let magnitude = i128::from_str_radix(digits, radix).ok()?;
    Some(if negative { -magnitude } else { magnitude })
}
