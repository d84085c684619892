//! The common types of ROS 2, which need no definition: those of Humble.

/// Definitions in the form of MCAP's `ros2msg`; each begins with a line
/// `MSG: package/msg/Type` after a line of `=`.
const DEFINITIONS: &str = include_str!("builtin.msgs");

/// Every definition: its full name and text.
fn definitions() -> impl Iterator<Item = (&'static str, &'static str)> {
    DEFINITIONS.split("====\n").filter_map(|section| {
        let (name, text) = section.strip_prefix("MSG: ")?.split_once('\n')?;
        Some((name, text))
    })
}

/// The text of a type by its full name, `package/msg/Type`.
pub(super) fn find(name: &str) -> Option<&'static str> {
    definitions().find(|(known, _)| *known == name).map(|(_, text)| text)
}

/// Full names, by package and name.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    definitions().map(|(name, _)| name)
}
