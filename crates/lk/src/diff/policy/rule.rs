//! One rule of a policy, and the language that it is written in.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::effect::{AngleUnit, Effect, Form, QuaternionOrder, Tolerance};
use super::glob::Glob;
use crate::error::{Error, Result};

/// What counts as equal for the fields that a pattern matches.
///
/// As text: a bare tolerance for all floats (`1e-6`, `abs=1e-6,rel=1e-9`,
/// `exact`), or a pattern, a colon and what shall hold (`pose.**:abs=1e-3`,
/// `imu.count:exact`, `scan.ranges:ignore,reason=noisy sensor`):
///
/// - `abs=`, `rel=` (a bare number is `abs`): `|a - b| <= abs + rel * |a|`,
///   where `a` is the reference. With `form=max_ref` the bound is
///   `max(abs, rel * |a|)`, with `form=max_sym` `max(abs, rel * max(|a|, |b|))`.
/// - `range=0.01`: at most this fraction, from 0 to 1, of the distance from the
///   smallest to the largest finite value that the reference has in that field,
///   over all messages of the key and all elements of an array. Worked out
///   before anything is compared; the tolerance in the result has the bound that
///   came of it, as in `range=0.01 (= 0.035)`. A field that never changes in the
///   reference has the range 0, so that it is exact.
/// - `ulp=4`: floats at most four representable numbers of their own width
///   apart, counted across zero.
/// - `dtype`: PyTorch's table, `abs=1e-5,rel=1.3e-6` for `float32`,
///   `abs=1e-7,rel=1e-7` for `float64`.
/// - `angle`, in radians, or `angle=deg`: a whole turn apart is equal, and the
///   error is the difference that is left, at most half a turn. `abs=` is its
///   tolerance, the default's unless given. A field that is no float is an
///   error.
/// - `quaternion`, for a message of x, y, z and w, or `quaternion=wxyz`,
///   `quaternion=xyzw`, for an array of four floats in that order: a rotation,
///   so that q and -q are the same and norms don't matter. The error is the
///   angle between the two in radians, and `abs=` is its tolerance. A zero norm,
///   NaN or infinity on either side is a violation. The four scalars are
///   counted as equal, within or violations together, in one entry with the
///   path of the quaternion, and the error once. Any other field is an error.
/// - `unordered`, for arrays and sequences of anything: multisets, so that their
///   order says nothing. As many elements as can be are paired with one that is
///   close enough: numbers by `abs=` and `rel=` below 1 (the default's unless
///   given; integers exactly unless given), messages by what the rules say of all
///   their fields, up to 1,000 of them. An element without a partner is a
///   violation; a longer sequence of messages is one as a whole, uncompared.
/// - `exact`, `ignore`.
///
/// Beside any of these, `nan_equal=false` makes NaN equal nothing, and
/// `signed_zero` makes -0.0 and 0.0 a violation whatever the tolerance; alone
/// in a rule (`**:signed_zero`), they change what the rules before it decided.
/// Infinity is close to itself alone under all of these. A reason comes last
/// and may have commas in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Which fields.
    pub glob: Glob,
    /// What shall hold.
    pub effect: Effect,
    /// Whether NaN equals NaN here; as the policy says where `None`.
    pub nan_equal: Option<bool>,
    /// Whether -0.0 and 0.0 violate as numbers here; they don't where `None`.
    pub signed_zero: Option<bool>,
    /// Why, for reports.
    pub reason: Option<String>,
}

/// As text that reads back as the same rule.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.glob.is_everything() || needs_pattern(&self.effect) {
            write!(f, "{}:", self.glob)?;
        }
        let mut items = Vec::new();
        if self.effect != Effect::Keep {
            items.push(self.effect.to_string());
        }
        items.extend(self.nan_equal.map(|is| format!("nan_equal={is}")));
        items.extend(self.signed_zero.map(|is| match is {
            true => "signed_zero".to_owned(),
            false => "signed_zero=false".to_owned(),
        }));
        items.extend(self.reason.as_ref().map(|reason| format!("reason={reason}")));
        f.write_str(&items.join(","))
    }
}

/// Effects that mean nothing for everything.
fn needs_pattern(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::Ignore | Effect::Unordered(_) | Effect::Angle { .. } | Effect::Quaternion { .. }
    )
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
    let rule = parts.into_rule(glob)?;
    if bare && needs_pattern(&rule.effect) {
        return Err(format!("`{}` needs a pattern before it", rule.effect));
    }
    Ok(rule)
}

/// What a rule says, before it is known to make sense together.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    abs: Option<f64>,
    rel: Option<f64>,
    form: Option<Form>,
    range: Option<f64>,
    ulp: Option<u64>,
    #[serde(default)]
    dtype: bool,
    angle: Option<Choice>,
    quaternion: Option<Choice>,
    #[serde(default)]
    unordered: bool,
    #[serde(default)]
    exact: bool,
    #[serde(default)]
    ignore: bool,
    nan_equal: Option<bool>,
    signed_zero: Option<bool>,
    reason: Option<String>,
    #[serde(rename = "match")]
    glob: Option<String>,
}

/// `angle = true`, or `angle = "deg"`; `quaternion = "wxyz"`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Choice {
    Is(bool),
    Named(String),
}

impl Choice {
    fn new(text: Option<&str>) -> Choice {
        text.map_or(Choice::Is(true), |text| Choice::Named(text.to_owned()))
    }

    /// Whether it holds, and what the name means where there is one.
    fn read<T>(self, parse: fn(&str) -> Result<T, String>) -> Result<Option<Option<T>>, String> {
        match self {
            Choice::Is(is) => Ok(is.then_some(None)),
            Choice::Named(name) => parse(&name).map(|value| Some(Some(value))),
        }
    }
}

impl Parts {
    fn take(&mut self, item: &str, bare: bool) -> Result<(), String> {
        let (name, value) = match item.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None if item.parse::<f64>().is_ok() => ("abs", Some(item)),
            None => (item, None),
        };
        let once = |again: bool| match again {
            true => Err(format!("it gives `{name}` twice")),
            false => Ok(()),
        };
        match (name, value) {
            ("abs", Some(text)) => once(self.abs.replace(number(text)?).is_some()),
            ("rel", Some(text)) => once(self.rel.replace(number(text)?).is_some()),
            ("form", Some(text)) => once(self.form.replace(Form::parse(text)?).is_some()),
            ("range", Some(text)) => once(self.range.replace(number(text)?).is_some()),
            ("ulp", Some(text)) => {
                let n = text.parse().map_err(|_| format!("ulp is `{text}`, no whole number"))?;
                once(self.ulp.replace(n).is_some())
            }
            ("nan_equal", Some(text)) => once(self.nan_equal.replace(flag(name, text)?).is_some()),
            ("signed_zero", text) => {
                let flag = flag(name, text.unwrap_or("true"))?;
                once(self.signed_zero.replace(flag).is_some())
            }
            ("angle", text) => once(self.angle.replace(Choice::new(text)).is_some()),
            ("quaternion", text) => once(self.quaternion.replace(Choice::new(text)).is_some()),
            ("unordered", None) => once(std::mem::replace(&mut self.unordered, true)),
            ("dtype", None) => once(std::mem::replace(&mut self.dtype, true)),
            ("exact", None) => once(std::mem::replace(&mut self.exact, true)),
            ("ignore", None) => once(std::mem::replace(&mut self.ignore, true)),
            _ => Err(format!(
                "`{item}` is not understood; expected a number, `abs=`, `rel=`, `form=`, `range=`, `ulp=`, \
                 `dtype`, `angle`, `quaternion`, `unordered`, `exact`, `ignore`, `nan_equal=`, `signed_zero` or `reason=`{}",
                if bare { ", or a pattern and a colon before it" } else { "" }
            )),
        }
    }

    fn into_rule(self, glob: Glob) -> Result<Rule, String> {
        let bounds = [self.abs, self.rel];
        if !bounds.iter().flatten().all(|bound| bound.is_finite() && *bound >= 0.0) {
            return Err("a tolerance must be finite and not negative".to_owned());
        }
        if self.range.is_some_and(|fraction| !(0.0..=1.0).contains(&fraction)) {
            return Err("`range` is a fraction, from 0 to 1".to_owned());
        }
        let angle = self.angle.map_or(Ok(None), |choice| choice.read(AngleUnit::parse))?;
        let quaternion =
            self.quaternion.map_or(Ok(None), |choice| choice.read(QuaternionOrder::parse))?;
        let close = self.abs.is_some() || self.rel.is_some();
        if self.form.is_some() && !close {
            return Err("`form` says how `abs` and `rel` make one bound, and there is none".into());
        }
        let mut effects = Vec::new();
        if angle.is_some() || quaternion.is_some() {
            if self.rel.is_some() || self.form.is_some() {
                return Err("the tolerance of an angle or a rotation is `abs` alone".to_owned());
            }
            if self.signed_zero == Some(true) {
                return Err("an angle or a rotation has no signed zero".to_owned());
            }
            let abs = self.abs;
            let unit = |unit: Option<AngleUnit>| unit.unwrap_or_default();
            effects.extend(angle.map(|given| Effect::Angle { abs, unit: unit(given) }));
            effects.extend(quaternion.map(|order| Effect::Quaternion { abs, order }));
        }
        if self.unordered {
            if self.signed_zero == Some(true) || self.rel.is_some_and(|rel| rel >= 1.0) {
                return Err("`unordered` takes a `rel` below 1, and no signed zero".to_owned());
            }
            let (abs, rel) = (self.abs.unwrap_or(0.0), self.rel.unwrap_or(0.0));
            let form = self.form.unwrap_or_default();
            effects.push(Effect::Unordered(close.then_some(Tolerance { abs, rel, form })));
        } else if effects.is_empty() && close {
            let (abs, rel) = (self.abs.unwrap_or(0.0), self.rel.unwrap_or(0.0));
            let form = self.form.unwrap_or_default();
            effects.push(Effect::Close(Tolerance { abs, rel, form }));
        }
        effects.extend(self.range.map(Effect::Range));
        effects.extend(self.ulp.map(Effect::Ulp));
        let simple = [
            (self.dtype, Effect::Dtype),
            (self.exact, Effect::Exact),
            (self.ignore, Effect::Ignore),
        ];
        effects.extend(simple.into_iter().filter(|(is, _)| *is).map(|(_, effect)| effect));
        let effect = match effects.as_slice() {
            [effect] => *effect,
            [] if self.nan_equal.is_some() || self.signed_zero.is_some() => Effect::Keep,
            [] => return Err("it has no tolerance, `exact` or `ignore`".to_owned()),
            [first, second, ..] => {
                return Err(format!(
                    "it says two things; `{first}` and `{second}` exclude each other"
                ));
            }
        };
        let (nan_equal, signed_zero) = (self.nan_equal, self.signed_zero);
        Ok(Rule { glob, effect, nan_equal, signed_zero, reason: self.reason })
    }
}

fn number(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| format!("`{text}` is not a number"))
}

fn flag(name: &str, text: &str) -> Result<bool, String> {
    text.parse().map_err(|_| format!("{name} is `{text}`; expected `true` or `false`"))
}

/// The colon that ends the pattern: the first outside of quotes.
fn unquoted_colon(text: &str) -> Option<usize> {
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        quoted ^= c == '"';
        // A reason may have colons in it, and starts no pattern.
        if !quoted && text[at..].starts_with("reason=") {
            return None;
        }
        if c == ':' && !quoted {
            return Some(at);
        }
    }
    None
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
                parts.reason = parts.reason.map(|reason| reason.trim().to_owned());
                // Reports write rules as text, and what judges again reads it.
                if unquoted_colon(&format!("{text}:")) != Some(text.len()) || text.trim() != text {
                    let reason = "a name with a colon or `reason=` in it, or blanks around it, \
                                  stands in double quotes";
                    return Err(error(reason.to_owned()));
                }
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
        let close = |abs, rel| Effect::Close(Tolerance::sum(abs, rel));
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
            "abs=0.0",
            "x:abs=0.0,form=max_ref",
            "pose.x:exact",
            "pose.**:rel=0.5,nan_equal=false,reason=why, oh why",
            "**:ignore,reason=all of it",
            "\"/a.b\".x[3]:abs=1.0",
            "pose.**:abs=1e-6,rel=1e-6,form=max_ref",
            "rel=0.1,form=max_sym",
            "x:range=0.01",
            "range=0.5,nan_equal=false",
            "x:ulp=4",
            "dtype",
            "signed_zero",
            "x.**:nan_equal=false,signed_zero,reason=both",
            "x:exact,signed_zero=false",
            "pose.yaw:angle",
            "pose.yaw:angle=deg,abs=0.5",
            "**:angle",
            "pose.orientation:quaternion",
            "q:quaternion=wxyz,abs=0.001",
            "q:quaternion=xyzw",
            "k.ps:unordered",
            "k.v:unordered,abs=0.0",
            "k.v:unordered,abs=0.0,form=max_ref",
            "k.v:unordered,abs=0.5,rel=0.1,form=max_sym,reason=a set",
        ] {
            assert_eq!(rule(text).to_string(), text);
            assert_eq!(rule(&rule(text).to_string()), rule(text));
        }
    }

    #[test]
    fn a_table_reads_back_from_its_text() {
        let table = |text: &str| serde_json::from_str::<Rule>(text);
        for text in [
            r#"{"match": "\"/a:b\".x", "abs": 1.0}"#,
            r#"{"match": "\"reason=a\".x", "ignore": true}"#,
            r#"{"match": "x", "abs": 1.0, "reason": " so: it is "}"#,
        ] {
            let read = table(text).unwrap();
            assert_eq!(rule(&read.to_string()), read, "{text}");
        }
        for pattern in ["/a:b.x", " x", "x ", "reason=a.x"] {
            let error = table(&format!(r#"{{"match": "{pattern}", "abs": 1.0}}"#)).unwrap_err();
            assert!(error.to_string().contains("double quotes"), "{error}");
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
            ("x:form=max_ref", "there is none"),
            ("x:1,form=min", "`min` is no form"),
            ("x:range=1%", "`1%` is not a number"),
            ("x:range=1.5", "from 0 to 1"),
            ("x:range=NaN", "from 0 to 1"),
            ("x:range=0.1,abs=1", "exclude"),
            ("x:ulp=1.5", "no whole number"),
            ("x:ulp=-1", "no whole number"),
            ("x:ulp=1,abs=1", "`abs=1.0` and `ulp=1` exclude"),
            ("x:dtype,exact", "two things"),
            ("x:signed_zero=maybe", "expected `true` or `false`"),
            ("x:signed_zero,signed_zero", "twice"),
            ("angle", "needs a pattern"),
            ("x:angle=grad", "`grad` is no unit"),
            ("x:angle,rel=1", "`abs` alone"),
            ("x:angle,ulp=1", "two things"),
            ("x:angle,quaternion", "two things"),
            ("x:quaternion=zyxw", "`zyxw` is no order"),
            ("x:quaternion,rel=1", "`abs` alone"),
            ("quaternion=wxyz", "needs a pattern"),
            ("x:angle,signed_zero", "no signed zero"),
            ("unordered", "needs a pattern"),
            ("x:unordered,rel=1", "below 1"),
            ("x:unordered,signed_zero", "no signed zero"),
            ("x:unordered,exact", "two things"),
            ("x:unordered,angle", "two things"),
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
        let table = |json: &str| serde_json::from_str::<Rule>(json).unwrap();
        assert_eq!(
            table(r#"{"match": "x", "ulp": 4, "signed_zero": true}"#),
            rule("x:ulp=4,signed_zero")
        );
        assert_eq!(table(r#"{"match": "x", "range": 0.01}"#), rule("x:range=0.01"));
        assert_eq!(table(r#"{"rel": 0.1, "form": "max_sym"}"#), rule("rel=0.1,form=max_sym"));
        assert_eq!(table(r#"{"match": "x", "angle": "deg"}"#), rule("x:angle=deg"));
        assert_eq!(table(r#"{"match": "x", "angle": true, "abs": 1.0}"#), rule("x:angle,abs=1"));
        let error = serde_json::from_str::<Rule>(r#"{"match": "x", "abz": 1}"#).unwrap_err();
        assert!(error.to_string().contains("abz"), "{error}");
    }
}
