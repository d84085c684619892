//! "Did you mean": the known name that is nearest to what was written.

/// The nearest of `known`, where it is near enough to be meant.
pub(crate) fn nearest<'a>(
    written: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let distance = |name: &str| strsim::damerau_levenshtein(written, name);
    let (distance, name) = known.into_iter().map(|name| (distance(name), name)).min()?;
    // A third of the letters wrong is another word, not a slip.
    (distance <= (written.chars().count() / 3).max(1)).then_some(name)
}

/// A hint for an unknown name: the nearest known one, else all of them.
pub(crate) fn hint<'a>(
    written: &str,
    known: impl IntoIterator<Item = &'a str> + Clone,
) -> Option<String> {
    if let Some(name) = nearest(written, known.clone()) {
        return Some(format!("did you mean `{name}`?"));
    }
    let known: Vec<_> = known.into_iter().map(|name| format!("`{name}`")).collect();
    (!known.is_empty()).then(|| format!("known here: {}", known.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_suggested_and_another_word_lists_what_is_known() {
        assert_eq!(hint("inptus", ["inputs", "outputs"]), Some("did you mean `inputs`?".into()));
        assert_eq!(hint("foo", ["inputs", "state"]), Some("known here: `inputs`, `state`".into()));
        assert_eq!(hint("foo", []), None);
    }
}
