//! One rule of a policy, and the language that it is written in.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::glob::Glob;
use crate::error::{Error, Result};

/// What counts as equal for the fields that a pattern matches.
///
/// As text: a bare tolerance for all floats (`1e-6`, `abs=1e-6,rel=1e-9`,
/// `exact`), or a pattern, a colon and what shall hold (`pose.**:abs=1e-3`,
/// `imu.count:exact`, `scan.ranges:ignore,reason=noisy sensor`). A reason
/// comes last and may have commas in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Which fields.
    pub glob: Glob,
    /// What shall hold.
    pub effect: Effect,
    /// Whether NaN equals NaN here; as the policy says where `None`.
    pub nan_equal: Option<bool>,
    /// Why, for reports.
    pub reason: Option<String>,
}

/// What a rule asks of its fields.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Effect {
    /// Numbers may differ within a tolerance; integers only where the rule
    /// names them.
    Close(Tolerance),
    /// Equal as numbers (0.0 and -0.0 are), as text, as bytes.
    Exact,
    /// Not compared.
    Ignore,
}

/// `|candidate - reference| <= abs + rel * |reference|`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tolerance {
    /// In the unit of the field; not negative, finite.
    #[serde(default)]
    pub abs: f64,
    /// As a fraction of the reference's magnitude; not negative, finite.
    #[serde(default)]
    pub rel: f64,
}

impl Tolerance {
    /// Equal as numbers.
    pub const EXACT: Tolerance = Tolerance { abs: 0.0, rel: 0.0 };

    /// Whether both bounds are finite and not negative.
    pub fn is_valid(self) -> bool {
        [self.abs, self.rel].iter().all(|bound| bound.is_finite() && *bound >= 0.0)
    }
}

/// `abs=1e-6`, `rel=0.1`, `abs=1e-6,rel=0.1`, `exact`.
impl fmt::Display for Tolerance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.abs, self.rel) {
            (0.0, 0.0) => f.write_str("exact"),
            (abs, 0.0) => write!(f, "abs={abs:?}"),
            (0.0, rel) => write!(f, "rel={rel:?}"),
            (abs, rel) => write!(f, "abs={abs:?},rel={rel:?}"),
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Effect::Close(tolerance) => write!(f, "{tolerance}"),
            Effect::Exact => f.write_str("exact"),
            Effect::Ignore => f.write_str("ignore"),
        }
    }
}

/// As text that reads back as the same rule.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.glob.is_everything() || self.effect == Effect::Ignore {
            write!(f, "{}:", self.glob)?;
        }
        write!(f, "{}", self.effect)?;
        if let Some(nan_equal) = self.nan_equal {
            write!(f, ",nan_equal={nan_equal}")?;
        }
        self.reason.as_ref().map_or(Ok(()), |reason| write!(f, ",reason={reason}"))
    }
}

impl FromStr for Rule {
    type Err = Error;

    fn from_str(text: &str) -> Result<Rule> {
        parse(text.trim()).map_err(|reason| Error::policy(text, reason))
    }
}

fn parse(text: &str) -> Result<Rule, String> {
    let (glob, effect) = match unquoted_colon(text) {
        Some(colon) => (Glob::parse(text[..colon].trim())?, &text[colon + 1..]),
        None => (Glob::everything(), text),
    };
    let bare = unquoted_colon(text).is_none();
    let mut parts = Parts::default();
    let mut rest = effect.trim();
    if rest.is_empty() {
        return Err("it says nothing; expected a tolerance, `exact` or `ignore`".to_owned());
    }
    while !rest.is_empty() {
        if let Some(reason) = rest.strip_prefix("reason=") {
            parts.reason = Some(reason.trim().to_owned());
            break;
        }
        let (item, after) = rest.split_once(',').unwrap_or((rest, ""));
        parts.take(item.trim(), bare)?;
        rest = after.trim_start();
    }
    if bare && parts.ignore {
        return Err("`ignore` needs a pattern before it".to_owned());
    }
    parts.into_rule(glob)
}

/// What a rule says, before it is known to make sense together.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    abs: Option<f64>,
    rel: Option<f64>,
    #[serde(default)]
    exact: bool,
    #[serde(default)]
    ignore: bool,
    nan_equal: Option<bool>,
    reason: Option<String>,
    #[serde(rename = "match")]
    glob: Option<String>,
}

impl Parts {
    fn take(&mut self, item: &str, bare: bool) -> Result<(), String> {
        let number =
            |text: &str| text.parse::<f64>().map_err(|_| format!("`{text}` is not a number"));
        let once = |slot: &mut Option<f64>, name, text| match slot.replace(number(text)?) {
            Some(_) => Err(format!("it gives `{name}` twice")),
            None => Ok(()),
        };
        match item.split_once('=') {
            Some(("abs", text)) => once(&mut self.abs, "abs", text),
            Some(("rel", text)) => once(&mut self.rel, "rel", text),
            Some(("nan_equal", text)) => {
                let value = text
                    .parse()
                    .map_err(|_| format!("nan_equal is `{text}`; expected `true` or `false`"))?;
                self.nan_equal = Some(value);
                Ok(())
            }
            None if item == "exact" => {
                self.exact = true;
                Ok(())
            }
            None if item == "ignore" => {
                self.ignore = true;
                Ok(())
            }
            None if item.parse::<f64>().is_ok() => once(&mut self.abs, "abs", item),
            _ => Err(format!(
                "`{item}` is not understood; expected a number, `abs=`, `rel=`, `exact`, \
                 `ignore`, `nan_equal=` or `reason=`{}",
                if bare { ", or a pattern and a colon before it" } else { "" }
            )),
        }
    }

    fn into_rule(self, glob: Glob) -> Result<Rule, String> {
        let close = self.abs.is_some() || self.rel.is_some();
        let effect = match (close, self.exact, self.ignore) {
            (true, false, false) => Effect::Close(Tolerance {
                abs: self.abs.unwrap_or(0.0),
                rel: self.rel.unwrap_or(0.0),
            }),
            (false, true, false) => Effect::Exact,
            (false, false, true) => Effect::Ignore,
            (false, false, false) => {
                return Err("it has no tolerance, `exact` or `ignore`".to_owned());
            }
            _ => {
                return Err(
                    "it says two things; a tolerance, `exact` and `ignore` exclude each other"
                        .to_owned(),
                );
            }
        };
        if let Effect::Close(tolerance) = effect
            && !tolerance.is_valid()
        {
            return Err("a tolerance must be finite and not negative".to_owned());
        }
        Ok(Rule { glob, effect, nan_equal: self.nan_equal, reason: self.reason })
    }
}

/// The colon that ends the pattern: the first outside of quotes.
fn unquoted_colon(text: &str) -> Option<usize> {
    // A reason may have colons in it, and starts no pattern.
    let end = text.find("reason=").unwrap_or(text.len());
    let mut quoted = false;
    text.char_indices().take_while(|(i, _)| *i < end).find_map(|(i, c)| {
        quoted ^= c == '"';
        (c == ':' && !quoted).then_some(i)
    })
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// From text, or from a table: `{ match = "pose.**", abs = 1e-6, reason =
/// "..." }`.
impl<'de> Deserialize<'de> for Rule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Rule, D::Error> {
        struct RuleVisitor;

        impl<'de> de::Visitor<'de> for RuleVisitor {
            type Value = Rule;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a rule such as \"pose.**:abs=1e-6\", or a table with `match`")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Rule, E> {
                let error = |reason| E::custom(format!("rule `{text}`: {reason}"));
                parse(text.trim()).map_err(error)
            }
            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Rule, A::Error> {
                let mut parts = Parts::deserialize(de::value::MapAccessDeserializer::new(map))?;
                let text = parts.glob.take().unwrap_or_else(|| "**".to_owned());
                let error = |reason| de::Error::custom(format!("rule for `{text}`: {reason}"));
                parts.into_rule(Glob::parse(&text).map_err(error)?).map_err(error)
            }
        }

        deserializer.deserialize_any(RuleVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> Rule {
        text.parse().unwrap()
    }

    #[test]
    fn a_bare_tolerance_is_for_everything() {
        let close = |abs, rel| Effect::Close(Tolerance { abs, rel });
        assert_eq!(rule("1e-6").effect, close(1e-6, 0.0));
        assert!(rule("1e-6").glob.is_everything());
        assert_eq!(rule("abs=1e-6,rel=1e-9").effect, close(1e-6, 1e-9));
        assert_eq!(rule("exact").effect, Effect::Exact);
    }

    #[test]
    fn a_pattern_a_colon_and_what_shall_hold() {
        let rule = rule("\"/a:b\".x:ignore,reason=noisy: sensor, really");
        assert_eq!(rule.glob.as_str(), "\"/a:b\".x");
        assert_eq!(rule.effect, Effect::Ignore);
        assert_eq!(rule.reason.as_deref(), Some("noisy: sensor, really"));
    }

    #[test]
    fn display_reads_back_as_the_same_rule() {
        for text in [
            "abs=1e-6",
            "abs=0.001,rel=1e-9",
            "exact",
            "pose.x:exact",
            "pose.**:rel=0.5,nan_equal=false,reason=why, oh why",
            "**:ignore,reason=all of it",
            "\"/a.b\".x[3]:abs=1.0",
        ] {
            assert_eq!(rule(text).to_string(), text);
            assert_eq!(rule(&rule(text).to_string()), rule(text));
        }
    }

    #[test]
    fn a_rule_that_makes_no_sense_says_why() {
        for (text, reason) in [
            ("", "says nothing"),
            ("pose.x:", "says nothing"),
            ("pose.x", "pattern and a colon"),
            ("pose.x:abs=tiny", "`tiny` is not a number"),
            ("pose.x:abs=-1", "not negative"),
            ("pose.x:abs=inf", "finite"),
            ("NaN", "finite"),
            ("pose.x:abs=1,abs=2", "twice"),
            ("pose.x:exact,ignore", "two things"),
            ("pose.x:reason=none", "no tolerance"),
            ("ignore", "needs a pattern"),
            ("pose.x:fuzzy", "`fuzzy` is not understood"),
            ("pose.x:1,nan_equal=maybe", "expected `true` or `false`"),
            ("pose.[:1", "not closed"),
        ] {
            let error = text.parse::<Rule>().unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn a_table_says_the_same_as_text() {
        let table = r#"{"match": "pose.**", "abs": 1e-3, "reason": "loose"}"#;
        let from_table: Rule = serde_json::from_str(table).unwrap();
        assert_eq!(from_table, rule("pose.**:abs=1e-3,reason=loose"));
        let from_text: Rule = serde_json::from_str(r#""pose.**:abs=1e-3,reason=loose""#).unwrap();
        assert_eq!(from_text, from_table);
        let error = serde_json::from_str::<Rule>(r#"{"match": "x", "abz": 1}"#).unwrap_err();
        assert!(error.to_string().contains("abz"), "{error}");
    }
}
