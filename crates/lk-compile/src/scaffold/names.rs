//! Names of a component's types, fields and ports as identifiers of a
//! language.

use std::collections::BTreeSet;

/// What may not be an identifier in the generated code of one language; words
/// with spaces between.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reserved {
    /// Keywords, and names that mean something everywhere (macros).
    pub(super) everywhere: &'static str,
    /// Names that the generated code uses beside the message types.
    pub(super) types: &'static str,
    /// Members that `Inputs` and `Outputs` have besides the ports.
    pub(super) ports: &'static str,
}

impl Reserved {
    pub(super) fn everywhere<'a>(self) -> impl Iterator<Item = &'a str> {
        self.everywhere.split_whitespace()
    }

    /// What no message type can be called.
    pub(super) fn for_types<'a>(self) -> impl Iterator<Item = &'a str> {
        self.everywhere().chain(self.types.split_whitespace())
    }

    /// What no port can be called.
    pub(super) fn for_ports<'a>(self) -> impl Iterator<Item = &'a str> {
        self.everywhere().chain(self.ports.split_whitespace())
    }
}

/// The identifiers of one scope, such as the members of a struct.
#[derive(Debug)]
pub(super) struct Scope {
    taken: BTreeSet<String>,
}

impl Scope {
    /// A scope in which these names can't be used.
    pub(super) fn new<'a>(taken: impl IntoIterator<Item = &'a str>) -> Scope {
        Scope { taken: taken.into_iter().map(str::to_owned).collect() }
    }

    /// The identifier for `name`: itself where that is free, else with
    /// underscores behind it.
    pub(super) fn claim(&mut self, name: &str) -> String {
        let mut identifier = identifier(name);
        while !self.taken.insert(identifier.clone()) {
            identifier.push('_');
        }
        identifier
    }
}

/// `name` with everything that no identifier holds replaced by underscores.
pub(super) fn identifier(name: &str) -> String {
    let mut out: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if out.is_empty() || out.starts_with(|c: char| c.is_ascii_digit()) {
        out.insert(0, '_');
    }
    out
}

/// `geometry_msgs` as `GeometryMsgs`.
pub(super) fn camel_case(name: &str) -> String {
    name.split(|c: char| !c.is_ascii_alphanumeric())
        .flat_map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters)
        })
        .collect()
}

/// Package and short name of `package/msg/Type`.
pub(super) fn split_type_name(full: &str) -> (&str, &str) {
    let (package, _) = full.split_once('/').unwrap_or(("", full));
    let (_, short) = full.rsplit_once('/').unwrap_or(("", full));
    (package, short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_name_gets_underscores_until_it_is_free() {
        let mut scope = Scope::new(["class", "in_"]);
        assert_eq!(scope.claim("class"), "class_");
        assert_eq!(scope.claim("class_"), "class__");
        assert_eq!(scope.claim("in"), "in");
        assert_eq!(scope.claim("in"), "in__");
    }

    #[test]
    fn what_is_no_identifier_becomes_one() {
        assert_eq!(identifier("/imu/data"), "_imu_data");
        assert_eq!(identifier("2d"), "_2d");
        assert_eq!(identifier("größe"), "gr__e");
        assert_eq!(identifier(""), "_");
    }

    #[test]
    fn packages_read_like_types() {
        assert_eq!(camel_case("geometry_msgs"), "GeometryMsgs");
        assert_eq!(split_type_name("geometry_msgs/msg/Point"), ("geometry_msgs", "Point"));
    }
}
