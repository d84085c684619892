//! Patterns over the paths of fields.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Stands between the segments of a [`FieldPath`]'s text, so that a dot in a
/// key is an ordinary character.
const SEPARATOR: char = '\u{1f}';

/// A pattern over `key.field.path`.
///
/// `*` matches any run of characters up to the next dot, `**` any run at all,
/// and `**` as a whole segment also none. `[3]` matches one element, `[*]`
/// all; a pattern without brackets covers the elements too. A key with dots
/// is quoted, and what is quoted is literal: `"/robot.v2/imu".gyro.*`.
///
/// A pattern covers the whole subtree below what it matches.
#[derive(Clone, Debug, PartialEq)]
pub struct Glob {
    text: String,
    tokens: Vec<Token>,
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Literal(char),
    /// `*`: anything up to the next separator.
    Star,
    /// `**`: anything.
    DoubleStar,
    /// `**.` in front: nothing, or whole segments and their separator.
    Segments,
    /// `.**.`: one separator, or two with whole segments between them.
    SeparatedSegments,
}

/// The path of a key, a field or an element, in the form that globs match.
#[derive(Clone, Debug)]
pub(crate) struct FieldPath {
    /// With `[*]` or `[3]` behind arrays.
    exact: Vec<char>,
    /// Without.
    unindexed: Vec<char>,
}

impl FieldPath {
    pub(crate) fn key(key: &str) -> FieldPath {
        let exact: Vec<char> = key.chars().collect();
        FieldPath { unindexed: exact.clone(), exact }
    }

    pub(crate) fn field(&self, name: &str) -> FieldPath {
        let mut path = self.clone();
        for text in [&mut path.exact, &mut path.unindexed] {
            text.push(SEPARATOR);
            text.extend(name.chars());
        }
        path
    }

    /// The element at `index`, or every one without a rule of its own.
    pub(crate) fn element(&self, index: Option<usize>) -> FieldPath {
        let mut path = self.clone();
        let text = index.map_or_else(|| "[*]".to_owned(), |i| format!("[{i}]"));
        path.exact.extend(text.chars());
        path
    }
}

/// How a glob matches a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Match {
    /// The path lies below what the glob matches, or the glob has no text of
    /// its own for the last segment.
    Covers,
    /// The glob names the path itself.
    Names,
}

impl Glob {
    /// Reads a pattern.
    ///
    /// # Errors
    ///
    /// A phrase that says what is wrong with it.
    pub fn parse(text: &str) -> Result<Glob, String> {
        if text.is_empty() {
            return Err("the pattern is empty".to_owned());
        }
        let mut tokens = Vec::new();
        let mut chars = text.chars().peekable();
        let mut open_bracket = false;
        while let Some(c) = chars.next() {
            match c {
                '"' => loop {
                    match chars.next() {
                        Some('"') => break,
                        Some(c) => tokens.push(Token::Literal(c)),
                        None => return Err("a quote is not closed".to_owned()),
                    }
                },
                '*' if chars.next_if_eq(&'*').is_some() => {
                    if chars.peek() == Some(&'*') {
                        return Err("`***` means nothing; use `*` or `**`".to_owned());
                    }
                    tokens.push(Token::DoubleStar);
                }
                '*' => tokens.push(Token::Star),
                '.' => tokens.push(Token::Literal(SEPARATOR)),
                '[' if open_bracket => return Err("a bracket opens inside another".to_owned()),
                ']' if !open_bracket => return Err("a bracket closes that never opened".to_owned()),
                '[' | ']' => {
                    open_bracket = c == '[';
                    tokens.push(Token::Literal(c));
                }
                c => tokens.push(Token::Literal(c)),
            }
        }
        if open_bracket {
            return Err("a bracket is not closed".to_owned());
        }
        if tokens.last() == Some(&Token::Literal(SEPARATOR)) {
            return Err("it ends in a dot".to_owned());
        }
        Ok(Glob { text: text.to_owned(), tokens: join_segments(tokens) })
    }

    /// The pattern that matches everything, `**`.
    pub fn everything() -> Glob {
        Glob { text: "**".to_owned(), tokens: vec![Token::DoubleStar] }
    }

    /// Whether it is `**`.
    pub fn is_everything(&self) -> bool {
        self.tokens == [Token::DoubleStar]
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn matches(&self, path: &FieldPath) -> Option<Match> {
        let mut best = None;
        for text in [&path.exact, &path.unindexed] {
            match longest_match(&self.tokens, text) {
                Some(end) if end == text.len() && self.names_last_segment() => {
                    return Some(Match::Names);
                }
                // `scan.ranges` names the elements of `ranges` too.
                Some(end) if text.get(end) == Some(&'[') && self.names_last_segment() => {
                    let rest = text.get(end..).unwrap_or_default();
                    best =
                        Some(if rest.contains(&SEPARATOR) { Match::Covers } else { Match::Names });
                }
                Some(_) => best = best.or(Some(Match::Covers)),
                None => {}
            }
        }
        best
    }

    /// Elements that the pattern asks for by number, whatever the array.
    pub(crate) fn indices(&self) -> impl Iterator<Item = usize> {
        self.text
            .split('[')
            .skip(1)
            .filter_map(|rest| rest.split_once(']').and_then(|(index, _)| index.parse().ok()))
    }

    fn names_last_segment(&self) -> bool {
        self.tokens
            .iter()
            .rev()
            .take_while(|t| {
                !matches!(t, Token::Literal(SEPARATOR) | Token::Segments | Token::SeparatedSegments)
            })
            .any(|t| matches!(t, Token::Literal(c) if !matches!(c, '[' | ']')))
    }
}

/// Replaces `**.` in front and `.**.` within, which may stand for no segment.
fn join_segments(tokens: Vec<Token>) -> Vec<Token> {
    const DOT: Token = Token::Literal(SEPARATOR);
    let mut joined = Vec::with_capacity(tokens.len());
    let mut rest = tokens.as_slice();
    if let [Token::DoubleStar, DOT, after @ ..] = rest {
        joined.push(Token::Segments);
        rest = after;
    }
    while let [first, after @ ..] = rest {
        if let [DOT, Token::DoubleStar, DOT, after @ ..] = rest {
            joined.push(Token::SeparatedSegments);
            rest = after;
        } else {
            joined.push(first.clone());
            rest = after;
        }
    }
    joined
}

/// The end of the longest beginning of `text` that the tokens match and that
/// ends where a segment or an index does.
///
/// Advances the set of all positions that the tokens so far can have reached,
/// so that no pattern takes more than `tokens * text` steps.
fn longest_match(tokens: &[Token], text: &[char]) -> Option<usize> {
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    for token in tokens {
        let mut next = vec![false; text.len() + 1];
        // Whether a start further left reaches everything from here on.
        let mut running = false;
        for i in 0..=text.len() {
            let before = i.checked_sub(1).and_then(|j| Some((j, *text.get(j)?)));
            match token {
                Token::Literal(c) => {
                    next[i] = before.is_some_and(|(j, t)| t == *c && reached[j]);
                }
                Token::Star => {
                    running = reached[i] || running && before.is_some_and(|(_, t)| t != SEPARATOR);
                    next[i] = running;
                }
                Token::DoubleStar => {
                    running |= reached[i];
                    next[i] = running;
                }
                Token::Segments => {
                    next[i] = reached[i] || running && before.is_some_and(|(_, t)| t == SEPARATOR);
                    running |= reached[i];
                }
                Token::SeparatedSegments => {
                    let at_separator = before.is_some_and(|(_, t)| t == SEPARATOR);
                    let direct = before.is_some_and(|(j, _)| reached[j]);
                    next[i] = at_separator && (direct || running);
                    running |= at_separator && direct;
                }
            }
        }
        reached = next;
    }
    (0..=text.len())
        .rev()
        .find(|&i| reached[i] && text.get(i).is_none_or(|c| matches!(*c, SEPARATOR | '[')))
}

impl Serialize for Glob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Glob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Glob, D::Error> {
        let text = String::deserialize(deserializer)?;
        Glob::parse(&text).map_err(|reason| de::Error::custom(format!("`{text}`: {reason}")))
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A key as rules write it: quoted where it has a character that globs read
/// otherwise.
pub(crate) fn quote_key(key: &str) -> String {
    match key.contains(['.', ':', '*', '[', ']', '/', ',']) {
        true => format!("\"{key}\""),
        false => key.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Builds a path from `|`-separated segments; `[..]` ends a segment.
    fn path(text: &str) -> FieldPath {
        let mut segments = text.split('|');
        let mut path = FieldPath::key(segments.next().unwrap());
        for segment in segments {
            let (name, index) = segment.split_once('[').map_or((segment, None), |(n, i)| {
                (n, Some(i.trim_end_matches(']').parse::<usize>().ok()))
            });
            path = path.field(name);
            if let Some(index) = index {
                path = path.element(index);
            }
        }
        path
    }

    fn check(glob: &str, target: &str, expected: Option<Match>) {
        let found = Glob::parse(glob).unwrap().matches(&path(target));
        assert_eq!(found, expected, "{glob} against {target}");
    }

    #[test]
    fn star_stops_at_a_dot_and_two_stars_do_not() {
        check("pose.*", "pose|x", Some(Match::Covers));
        check("pose.*.x", "pose|position|x", Some(Match::Names));
        check("pose.*.x", "pose|a|b|x", None);
        check("pose.**.x", "pose|a|b|x", Some(Match::Names));
        check("pose.**.x", "pose|x", Some(Match::Names));
        check("pose**x", "pose|a|b|x", Some(Match::Names));
        check("**.stamp", "imu|header|stamp", Some(Match::Names));
        check("**.stamp", "imu|header|stamp|sec", Some(Match::Covers));
        check("**.stamp", "imu|header|timestamp", None);
        check("**.nanosec", "imu|nanosec", Some(Match::Names));
        check("**", "imu|x", Some(Match::Covers));
    }

    #[test]
    fn a_rule_covers_its_subtree_but_no_sibling_with_the_same_beginning() {
        check("pose.orientation", "pose|orientation|w", Some(Match::Covers));
        check("pose.orientation", "pose|orientation_covariance", None);
        check("pose", "pose|x", Some(Match::Covers));
        check("pose", "poses|x", None);
        check("pose.x", "pose", None);
    }

    #[test]
    fn elements_are_matched_by_number_by_star_or_by_leaving_the_index_out() {
        check("scan.ranges[*]", "scan|ranges[*]", Some(Match::Names));
        check("scan.ranges[3]", "scan|ranges[3]", Some(Match::Names));
        check("scan.ranges[3]", "scan|ranges[*]", None);
        check("scan.ranges[3]", "scan|ranges[31]", None);
        check("scan.ranges", "scan|ranges[*]", Some(Match::Names));
        check("scan.points.x", "scan|points[*]|x", Some(Match::Names));
        check("scan.points[*].x", "scan|points[7]|x", Some(Match::Names));
        check("scan.points", "scan|points[7]|x", Some(Match::Covers));
        check("scan.*", "scan|ranges[*]", Some(Match::Covers));
    }

    #[test]
    fn a_quoted_key_is_literal_and_its_dots_do_not_part_segments() {
        check("\"/imu.raw\".x", "/imu.raw|x", Some(Match::Names));
        check("*.x", "/imu.raw|x", Some(Match::Names));
        check("\"*\".x", "imu|x", None);
        check("/imu/data.x", "/imu/data|x", Some(Match::Names));
    }

    #[test]
    fn only_text_in_the_last_segment_names_a_field() {
        check("imu.co*", "imu|count", Some(Match::Names));
        check("imu.**", "imu|count", Some(Match::Covers));
        check("imu.*[*]", "imu|counts[*]", Some(Match::Covers));
    }

    #[test]
    fn a_broken_pattern_says_what_is_wrong() {
        for (text, reason) in [
            ("", "empty"),
            ("\"/imu.x", "quote"),
            ("a***", "***"),
            ("a[3", "not closed"),
            ("a]3", "never opened"),
            ("a[[3]]", "inside another"),
            ("a.", "dot"),
        ] {
            let error = Glob::parse(text).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn a_hostile_pattern_takes_no_exponential_time() {
        let glob = Glob::parse(&"*a".repeat(200)).unwrap();
        assert_eq!(glob.matches(&FieldPath::key(&"a".repeat(199))), None);
    }
}
