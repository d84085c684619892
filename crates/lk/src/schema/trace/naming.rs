//! Names of Rust as names of the type system.

/// A serde name as the last part of a type's name: letters and digits, each
/// word with a capital, a letter first. `my_type<f64>` gives `MyTypeF64`.
pub(super) fn type_name(serde_name: &str) -> String {
    let mut name = String::with_capacity(serde_name.len());
    let mut word_starts = true;
    for c in serde_name.chars() {
        if !c.is_ascii_alphanumeric() {
            word_starts = true;
        } else if word_starts {
            name.push(c.to_ascii_uppercase());
            word_starts = false;
        } else {
            name.push(c);
        }
    }
    match name.bytes().next() {
        None => "Message".to_owned(),
        Some(b'0'..=b'9') => format!("T{name}"),
        Some(_) => name,
    }
}

/// The parts of a name such as `sensor_msgs/msg/Imu`.
pub(super) fn full_name(name: &str) -> Option<(&str, &str)> {
    let (package, rest) = name.split_once('/')?;
    let base = rest.strip_prefix("msg/")?;
    (is_field_name(package) && is_type_name(base)).then_some((package, base))
}

fn is_type_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Lower case letters, digits and single underscores inside, a letter first:
/// what ROS 2 takes as the name of a field (or package).
pub(super) fn is_field_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && !name.ends_with('_')
        && !name.contains("__")
}

/// A name that [`is_field_name`] and is close to `name`, if there is one.
pub(super) fn field_name_like(name: &str) -> Option<String> {
    let like: String = words(name).map(|c| c.to_ascii_lowercase()).collect();
    is_field_name(&like).then_some(like)
}

/// The constant for a variant of the enum in a field: `MODE_IN_TRANSIT` for
/// field `mode`, variant `InTransit`. As characters, so that comparing with
/// one allocates nothing.
pub(crate) fn constant_chars<'a>(
    field: &'a str,
    variant: &'a str,
) -> impl Iterator<Item = char> + 'a {
    field.chars().map(|c| c.to_ascii_uppercase()).chain(std::iter::once('_')).chain(words(variant))
}

/// The words of a name in capitals, with single underscores between:
/// `HttpServer`, `HTTPServer`, `http-server` all give `HTTP_SERVER`.
fn words(name: &str) -> impl Iterator<Item = char> + '_ {
    let mut chars = name.chars().peekable();
    let mut before: Option<char> = None;
    let mut some = false;
    std::iter::from_fn(move || {
        // At most two characters come of one: an underscore and a letter.
        loop {
            let &c = chars.peek()?;
            if !c.is_ascii_alphanumeric() {
                chars.next();
                before = None;
                continue;
            }
            let starts = match before {
                None => true,
                Some('_') => false,
                Some(b) if b.is_ascii_lowercase() || b.is_ascii_digit() => c.is_ascii_uppercase(),
                Some(_) => {
                    let mut ahead = chars.clone();
                    ahead.next();
                    c.is_ascii_uppercase() && ahead.next().is_some_and(|n| n.is_ascii_lowercase())
                }
            };
            if starts && some {
                before = Some('_');
                some = false;
                return Some('_');
            }
            chars.next();
            before = Some(c);
            some = true;
            return Some(c.to_ascii_uppercase());
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serde_names_become_type_names() {
        let check = |name, expected: &str| assert_eq!(type_name(name), expected);
        check("Imu", "Imu");
        check("imu_data", "ImuData");
        check("Stamped<f64>", "StampedF64");
        check("2d", "T2d");
        check("::", "Message");
        check("Größe", "GrE");
    }

    #[test]
    fn constants_are_upper_snake_case() {
        let check = |variant, expected: &str| {
            assert_eq!(constant_chars("drive_mode", variant).collect::<String>(), expected)
        };
        check("Idle", "DRIVE_MODE_IDLE");
        check("InTransit", "DRIVE_MODE_IN_TRANSIT");
        check("in-transit", "DRIVE_MODE_IN_TRANSIT");
        check("__in__transit__", "DRIVE_MODE_IN_TRANSIT");
        check("HTTPServer", "DRIVE_MODE_HTTP_SERVER");
        check("Fix2D", "DRIVE_MODE_FIX2_D");
        check("ON", "DRIVE_MODE_ON");
        check("A", "DRIVE_MODE_A");
    }

    #[test]
    fn only_ros_field_names_are_field_names() {
        for name in ["x", "linear_acceleration", "e0", "a1_b2"] {
            assert!(is_field_name(name), "{name}");
        }
        for name in ["", "X", "frameId", "_x", "x_", "a__b", "1x", "größe", "a-b"] {
            assert!(!is_field_name(name), "{name}");
        }
        assert_eq!(field_name_like("frameId").as_deref(), Some("frame_id"));
        assert_eq!(field_name_like("_x_").as_deref(), Some("x"));
        assert_eq!(field_name_like("1x"), None);
    }

    #[test]
    fn full_names_have_three_parts() {
        assert_eq!(full_name("sensor_msgs/msg/Imu"), Some(("sensor_msgs", "Imu")));
        for name in
            ["Imu", "sensor_msgs/Imu", "a/msg/b/C", "A/msg/B", "a/msg/b", "a/srv/B", "a/msg/"]
        {
            assert_eq!(full_name(name), None, "{name}");
        }
    }
}
