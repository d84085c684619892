//! How messages are paired, as a policy asks for it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::span;
use crate::error::{Error, Result};
use crate::time::Span;

/// How messages of the two sides are paired.
///
/// As text: its name, and the window after it where there is one.
///
/// ```
/// use lk::diff::AlignBy;
/// let by: AlignBy = "nearest,window=5ms".parse()?;
/// assert_eq!(by, AlignBy::Nearest { window: lk::Span::from_nanos(5_000_000) });
/// assert!("nearest".parse::<AlignBy>().is_err(), "there is no window for all");
/// # Ok::<(), lk::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AlignBy {
    /// By tick where the runner wrote both sides; else by exact time where
    /// times are unique on both sides, and at least one is common; else by
    /// index. The result says which.
    #[default]
    Auto,
    /// The number of the tick, then the order within it. An error where a side
    /// wasn't written by the runner.
    Tick,
    /// The exact time, then the order within it.
    Time,
    /// The position: what one side has more of is missing, or extra.
    Index,
    /// The sequence number, then the order within it.
    Sequence,
    /// The nearest in time, one to one, in order, and no further apart than the
    /// window; the earlier on a tie. No two messages within the window are left
    /// alone, even where that costs another its nearest: a window below half a
    /// period pairs what belongs together.
    Nearest {
        /// Furthest apart that two times may be; not negative.
        window: Span,
    },
    /// The candidate's values at the times of the reference: floats linear
    /// between the messages around that time, angles the shorter way round,
    /// quaternions along the arc (slerp), by the rules that call them so.
    /// What is no float, or in sequences of different lengths, is that of the
    /// message before. Nothing is extrapolated: what is outside of the other
    /// side's span is unaligned, which is a difference. Messages of the
    /// candidate between the reference's times are drawn on, not judged by
    /// themselves.
    Interpolate,
}

const NAMES: [(&str, AlignBy); 7] = [
    ("auto", AlignBy::Auto),
    ("tick", AlignBy::Tick),
    ("time", AlignBy::Time),
    ("index", AlignBy::Index),
    ("sequence", AlignBy::Sequence),
    ("nearest", AlignBy::Nearest { window: Span::ZERO }),
    ("interpolate", AlignBy::Interpolate),
];

impl AlignBy {
    /// Whether it makes sense, which a value made in code may not.
    pub(super) fn check(self) -> Result<(), String> {
        match self {
            AlignBy::Nearest { window } if window < Span::ZERO => {
                Err("a window must not be negative".to_owned())
            }
            _ => Ok(()),
        }
    }

    fn named(name: &str, window: Option<&str>) -> Result<AlignBy, String> {
        let found = NAMES.iter().find(|(known, _)| *known == name).ok_or_else(|| {
            let names: Vec<String> = NAMES.iter().map(|(name, _)| format!("`{name}`")).collect();
            format!("`{name}` is no alignment; expected one of {}", names.join(", "))
        })?;
        let by = match (found.1, window) {
            (AlignBy::Nearest { .. }, None) => {
                return Err("`nearest` needs a window, as in `nearest,window=5ms`".to_owned());
            }
            (AlignBy::Nearest { .. }, Some(text)) => {
                let window = span::parse(text).ok_or_else(|| {
                    format!("window is `{text}`; expected a span such as `5ms`, `250us`, `0.5s`")
                })?;
                AlignBy::Nearest { window }
            }
            (_, Some(_)) => return Err(format!("`{name}` has no window, `nearest` has")),
            (by, None) => by,
        };
        by.check()?;
        Ok(by)
    }

    fn read(text: &str) -> Result<AlignBy, String> {
        let (name, rest) = match text.split_once(',') {
            Some((name, rest)) => (name, Some(rest.trim())),
            None => (text, None),
        };
        let window = rest
            .map(|rest| {
                let window = rest.strip_prefix("window=").map(str::trim);
                window.ok_or_else(|| format!("`{rest}` is not understood; expected `window=`"))
            })
            .transpose()?;
        AlignBy::named(name.trim(), window)
    }
}

/// As text that reads back as the same.
impl fmt::Display for AlignBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let same = |known: &AlignBy| std::mem::discriminant(known) == std::mem::discriminant(self);
        let name = NAMES.iter().find(|(_, known)| same(known)).map_or("auto", |(name, _)| name);
        f.write_str(name)?;
        match self {
            AlignBy::Nearest { window } => write!(f, ",window={}", span::print(*window)),
            _ => Ok(()),
        }
    }
}

impl FromStr for AlignBy {
    type Err = Error;

    fn from_str(text: &str) -> Result<AlignBy> {
        AlignBy::read(text).map_err(|reason| Error::policy(text, reason))
    }
}

impl Serialize for AlignBy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// `{ by = "nearest", window = "5ms" }`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    by: String,
    window: Option<String>,
}

/// From text, or from a table.
impl<'de> Deserialize<'de> for AlignBy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<AlignBy, D::Error> {
        struct AlignByVisitor;

        impl<'de> de::Visitor<'de> for AlignByVisitor {
            type Value = AlignBy;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an alignment such as \"nearest,window=5ms\", or a table with `by`")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<AlignBy, E> {
                AlignBy::read(text).map_err(E::custom)
            }
            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<AlignBy, A::Error> {
                let table = Table::deserialize(de::value::MapAccessDeserializer::new(map))?;
                AlignBy::named(&table.by, table.window.as_deref()).map_err(de::Error::custom)
            }
        }

        deserializer.deserialize_any(AlignByVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_reads_back_as_the_same_alignment() {
        for text in
            ["auto", "tick", "time", "index", "sequence", "nearest,window=5ms", "interpolate"]
        {
            assert_eq!(text.parse::<AlignBy>().unwrap().to_string(), text);
        }
        let spaced: AlignBy = " nearest , window = 5ms".parse::<AlignBy>().unwrap_or_default();
        assert_eq!(spaced, AlignBy::Auto, "a space before `=` is no `window=`");
    }

    #[test]
    fn a_table_says_the_same_as_text() {
        let read = |json: &str| serde_json::from_str::<AlignBy>(json);
        let nearest = AlignBy::Nearest { window: Span::from_nanos(5_000_000) };
        assert_eq!(read(r#"{"by": "nearest", "window": "5ms"}"#).unwrap(), nearest);
        assert_eq!(read(r#""nearest,window=5ms""#).unwrap(), nearest);
        assert_eq!(serde_json::to_string(&nearest).unwrap(), r#""nearest,window=5ms""#);
        let error = read(r#"{"by": "nearest", "windov": "5ms"}"#).unwrap_err().to_string();
        assert!(error.contains("windov"), "{error}");
    }

    #[test]
    fn what_makes_no_sense_says_why() {
        for (text, reason) in [
            ("nearst,window=5ms", "`nearst` is no alignment; expected one of `auto`, `tick`"),
            ("nearest", "needs a window"),
            ("nearest,window=5", "window is `5`"),
            ("nearest,window=-5ms", "not be negative"),
            ("nearest,wide=5ms", "`wide=5ms` is not understood"),
            ("index,window=5ms", "`index` has no window"),
            ("", "`` is no alignment"),
        ] {
            let error = text.parse::<AlignBy>().unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
