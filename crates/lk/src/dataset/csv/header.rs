//! What the headers of columns say.

use super::TimeUnit;

/// A header as the name of a field: `Gyroscope X (deg/s)` is
/// `gyroscope_x_deg_s`.
pub(super) fn field_name(header: &str) -> String {
    let words = header.split(|c: char| !c.is_ascii_alphanumeric());
    let name = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("_");
    let name = name.to_ascii_lowercase();
    match name.chars().next() {
        None => "column".to_owned(),
        Some(c) if c.is_ascii_digit() => format!("column_{name}"),
        Some(_) => name,
    }
}

/// Whether a header is the dotted path of a field already.
pub(super) fn is_path(header: &str) -> bool {
    header.split('.').all(|name| {
        name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

/// Whether a header is that of a column of times, and the unit that it says.
pub(super) fn time_column(header: &str) -> Option<Option<TimeUnit>> {
    let name = field_name(header);
    let mut words: Vec<&str> = name.split('_').collect();
    let unit = match words.last().copied() {
        Some("s" | "sec" | "secs" | "seconds") => Some(TimeUnit::Seconds),
        Some("ms" | "msec" | "millis" | "milliseconds") => Some(TimeUnit::Millis),
        Some("us" | "usec" | "micros" | "microseconds") => Some(TimeUnit::Micros),
        Some("ns" | "nsec" | "nanos" | "nanoseconds") => Some(TimeUnit::Nanos),
        _ => None,
    };
    if unit.is_some() {
        words.pop();
    }
    matches!(words[..], ["time" | "timestamp" | "stamp" | "t"] | ["log", "time"]).then_some(unit)
}

/// The unit of times by the first of them: seconds, milliseconds and so on
/// since 1970 differ in their number of digits for the years from 2001 to
/// 2286. Small numbers are seconds if some of them have a decimal point.
/// `None` where that doesn't tell.
pub(super) fn unit_by_size(first: &str, has_points: bool) -> Option<TimeUnit> {
    let whole = first.split('.').next().unwrap_or_default();
    let digits = whole.trim_start_matches(['+', '-']).trim_start_matches('0');
    match digits.len() {
        10 => Some(TimeUnit::Seconds),
        13 => Some(TimeUnit::Millis),
        16 => Some(TimeUnit::Micros),
        19 => Some(TimeUnit::Nanos),
        ..7 if has_points => Some(TimeUnit::Seconds),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_become_field_names() {
        for (header, name) in [
            ("Gyroscope X (deg/s)", "gyroscope_x_deg_s"),
            ("speed", "speed"),
            ("  a--b ", "a_b"),
            ("2nd", "column_2nd"),
            ("", "column"),
            ("Größe", "gr_e"),
        ] {
            assert_eq!(field_name(header), name);
        }
    }

    #[test]
    fn time_columns_are_known_by_their_header() {
        for (header, expected) in [
            ("Time (s)", Some(Some(TimeUnit::Seconds))),
            ("time_ns", Some(Some(TimeUnit::Nanos))),
            ("timestamp [us]", Some(Some(TimeUnit::Micros))),
            ("t_ms", Some(Some(TimeUnit::Millis))),
            ("Timestamp", Some(None)),
            ("log_time", Some(None)),
            ("step_time_ms", None),
            ("s", None),
            ("times", None),
        ] {
            assert_eq!(time_column(header), expected, "{header}");
        }
    }

    #[test]
    fn the_size_of_a_time_tells_its_unit_or_nothing() {
        assert_eq!(unit_by_size("1585866235.11", true), Some(TimeUnit::Seconds));
        assert_eq!(unit_by_size("1585866235112", false), Some(TimeUnit::Millis));
        assert_eq!(unit_by_size("1585866235112411371", false), Some(TimeUnit::Nanos));
        assert_eq!(unit_by_size("0", true), Some(TimeUnit::Seconds));
        assert_eq!(unit_by_size("0", false), None);
        assert_eq!(unit_by_size("20000000", true), None);
    }
}
