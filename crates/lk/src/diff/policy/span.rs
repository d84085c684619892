//! Spans in configuration: `1ms`, `250us`, `10ns`, `1.5s`.

use crate::time::Span;

const UNITS: [(&str, i64); 4] = [("ns", 1), ("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000)];

/// Reads a number with its unit; parts of a nanosecond are refused, since they
/// would be dropped silently.
pub(super) fn parse(text: &str) -> Option<Span> {
    let text = text.trim();
    let (name, scale) = UNITS.iter().find(|(name, _)| {
        text.strip_suffix(name)
            .is_some_and(|n| n.trim_end().ends_with(|c: char| c.is_ascii_digit()))
    })?;
    let number = text.strip_suffix(name)?.trim_end();
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let whole: i64 = whole.parse().ok()?;
    let digits = fraction.trim_end_matches('0');
    let parts: i64 = if digits.is_empty() { 0 } else { digits.parse().ok().filter(|n| *n >= 0)? };
    let divisor = 10_i64.checked_pow(u32::try_from(digits.len()).ok()?)?;
    let scaled = parts.checked_mul(*scale)?;
    if scaled % divisor != 0 || digits.starts_with(['+', '-']) {
        return None;
    }
    let parts = if number.starts_with('-') { -(scaled / divisor) } else { scaled / divisor };
    whole.checked_mul(*scale)?.checked_add(parts).map(Span::from_nanos)
}

pub(super) fn print(span: Span) -> String {
    let nanos = span.as_nanos();
    let (name, scale) =
        UNITS.iter().rev().find(|(_, scale)| nanos != 0 && nanos % scale == 0).unwrap_or(&UNITS[0]);
    format!("{}{name}", nanos / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_its_unit_are_exact_nanoseconds() {
        for (text, nanos) in [
            ("1ms", 1_000_000),
            ("250us", 250_000),
            ("10 ns", 10),
            ("1.5s", 1_500_000_000),
            ("-0.5s", -500_000_000),
            ("0.001us", 1),
            ("0s", 0),
        ] {
            assert_eq!(parse(text), Some(Span::from_nanos(nanos)), "{text}");
        }
        for text in ["", "1", "ms", "1m", "1.5ns", "1e3s", "1.-5s", "1.+5s", "99999999999s"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn printing_takes_the_largest_whole_unit() {
        for (nanos, text) in [(0, "0ns"), (1_000_000, "1ms"), (1_500, "1500ns"), (-2_000, "-2us")] {
            assert_eq!(print(Span::from_nanos(nanos)), text);
            assert_eq!(parse(text), Some(Span::from_nanos(nanos)));
        }
    }
}
