//! Distributions as a file says them: fields by path, each with what it is
//! drawn from.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::Distribution;
use super::distribution::real;
use crate::error::{Error, Result};
use crate::value::Scalar;

/// What the fields of a message are drawn from.
///
/// As it is read from `lk.toml` (any serde format will do), a table of fields:
///
/// ```toml
/// angular_velocity.x = { normal = { mean = 0, std = 0.5 } }
/// "points[*].range_m" = { log_uniform = [0.1, 100] }
/// points = { len = [0, 16] }
/// frame_id = "imu"
/// ```
///
/// A path's parts are tables or joined by dots; `[*]` stands for the elements
/// of an array of messages, and may be left out after one of numbers. A single
/// element can have its own, by its index (`"gains[0]"`, `"points[0].x"`), or
/// all of them in a list: `gains = [1, { uniform = [0, 1] }]`. A stamp follows
/// the time of the message by `header.stamp = { follow = "time" }`. Beside the
/// fields, `fill = "default"` and `edge_cases = 0.05` say how it is sampled.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DistConfig {
    /// By dotted path: `pose.position.x`, `ranges`, `points[*].x`.
    pub fields: BTreeMap<String, FieldDist>,
    /// What becomes of fields without a distribution.
    pub fill: Fill,
    /// The share of single values that are edge cases, 0 to 1: zero, the other
    /// sign, the ends of the range, subnormal numbers; NaN and infinity where
    /// a field allows them.
    pub edge_cases: f64,
}

/// What one field is drawn from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FieldDist {
    /// Of the value, or of each element. Not given for sequences of messages.
    pub values: Option<Distribution>,
    /// How many elements a sequence has: the least and the greatest number,
    /// each between them as likely.
    pub len: Option<(usize, usize)>,
    /// Whether NaN is among the edge cases.
    pub allow_nan: bool,
    /// Whether infinity of both signs is.
    pub allow_infinity: bool,
    /// Whether it holds the time that the message is for, instead of a
    /// value that is drawn: a `builtin_interfaces/Time`, or an int64 in
    /// nanoseconds.
    pub follows_time: bool,
}

/// What becomes of fields without a distribution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fill {
    /// They are an error.
    #[default]
    Refuse,
    /// They hold their type's default: what the `.msg` text says, else zero,
    /// `false` and empty.
    Default,
}

impl DistConfig {
    /// The same with a distribution for a field.
    #[must_use]
    pub fn with(mut self, path: &str, values: Distribution) -> DistConfig {
        self.fields.entry(path.to_owned()).or_default().values = Some(values);
        self
    }

    /// The same with a number of elements for a sequence.
    #[must_use]
    pub fn with_len(mut self, path: &str, least: usize, most: usize) -> DistConfig {
        self.fields.entry(path.to_owned()).or_default().len = Some((least, most));
        self
    }

    /// The same with a field that holds the time that the message is for.
    #[must_use]
    pub fn with_time(mut self, path: &str) -> DistConfig {
        self.fields.entry(path.to_owned()).or_default().follows_time = true;
        self
    }

    /// The same with fields without a distribution at their defaults.
    #[must_use]
    pub fn filled(mut self) -> DistConfig {
        self.fill = Fill::Default;
        self
    }

    fn add(&mut self, path: &str, tree: Tree) -> Result<()> {
        let refused = |reason: String| Err(refuse(path, reason, Some(FORMS)));
        let entries = match tree {
            Tree::Table(entries) if !entries.is_empty() => entries,
            Tree::One(value) => {
                let values = Some(Distribution::Constant(value));
                return self.insert(path, FieldDist { values, ..FieldDist::default() });
            }
            Tree::List(elements) if !elements.is_empty() => {
                let mut elements = elements.into_iter().enumerate();
                return elements.try_for_each(|(n, tree)| self.add(&format!("{path}[{n}]"), tree));
            }
            other => return refused(format!("{} is no distribution", other.describe())),
        };
        if entries.iter().any(|(name, _)| WORDS.contains(&name.as_str())) {
            return self.insert(path, field(path, entries)?);
        }
        for (name, tree) in entries {
            self.add(&format!("{path}.{name}"), tree)?;
        }
        Ok(())
    }

    fn insert(&mut self, path: &str, field: FieldDist) -> Result<()> {
        match self.fields.insert(path.to_owned(), field) {
            None => Ok(()),
            Some(_) => Err(refuse(path, "it is given twice", None)),
        }
    }
}

const WORDS: [&str; 12] = [
    "uniform",
    "log_uniform",
    "normal",
    "truncated_normal",
    "exponential",
    "beta",
    "choice",
    "constant",
    "grid",
    "len",
    "allow",
    "follow",
];

pub(super) const FORMS: &str = "write `{ uniform = [-1, 1] }`; there are uniform, log_uniform, normal, \
                     truncated_normal, exponential, beta, choice, constant and grid";

pub(super) fn refuse(field: &str, reason: impl Into<String>, advice: Option<&str>) -> Error {
    Error::Distribution {
        field: field.to_owned(),
        reason: reason.into(),
        advice: advice.map(str::to_owned),
    }
}

fn field(path: &str, entries: Vec<(String, Tree)>) -> Result<FieldDist> {
    let mut field = FieldDist::default();
    for (word, tree) in entries {
        let refused = |reason: String| refuse(path, format!("{word}: {reason}"), None);
        match word.as_str() {
            "follow" => match tree {
                Tree::One(Scalar::Text(time)) if time == "time" => field.follows_time = true,
                other => {
                    let other = other.describe();
                    return Err(refused(format!("{other} can't be followed, \"time\" only")));
                }
            },
            "len" => field.len = Some(tree.len().map_err(refused)?),
            "allow" => {
                for name in tree.scalars().map_err(refused)? {
                    match &name {
                        Scalar::Text(name) if name == "nan" => field.allow_nan = true,
                        Scalar::Text(name) if name == "inf" => field.allow_infinity = true,
                        other => {
                            return Err(refused(format!("{other} is neither \"nan\" nor \"inf\"")));
                        }
                    }
                }
            }
            word => {
                let values = distribution(word, tree).map_err(refused)?;
                let Some(values) = values else {
                    let reason = format!("there is no distribution `{word}`");
                    return Err(refuse(path, reason, Some(FORMS)));
                };
                if field.values.replace(values).is_some() {
                    return Err(refuse(path, "it has two distributions", None));
                }
            }
        }
    }
    Ok(field)
}

fn distribution(word: &str, tree: Tree) -> Result<Option<Distribution>, String> {
    Ok(Some(match word {
        "uniform" => {
            let [low, high] = tree.pair()?;
            Distribution::Uniform { low, high }
        }
        "log_uniform" => {
            let [low, high] = tree.pair()?;
            Distribution::LogUniform { low: real(&low)?, high: real(&high)? }
        }
        "normal" => {
            let [mean, std] = tree.named([("mean", None), ("std", None)])?;
            Distribution::Normal { mean, std }
        }
        "truncated_normal" => {
            let names = [("mean", None), ("std", None), ("low", None), ("high", None)];
            let [mean, std, low, high] = tree.named(names)?;
            Distribution::TruncatedNormal { mean, std, low, high }
        }
        "exponential" => {
            let [mean] = tree.named([("mean", None)])?;
            Distribution::Exponential { mean }
        }
        "beta" => {
            let names = [("alpha", None), ("beta", None), ("low", Some(0.0)), ("high", Some(1.0))];
            let [alpha, beta, low, high] = tree.named(names)?;
            Distribution::Beta { alpha, beta, low, high }
        }
        "choice" => Distribution::Choice(tree.scalars()?),
        "constant" => match tree {
            Tree::One(value) => Distribution::Constant(value),
            other => return Err(format!("expected one value, got {}", other.describe())),
        },
        "grid" => match tree {
            Tree::Table(_) => {
                let [from, to, count] =
                    tree.named([("from", None), ("to", None), ("count", None)])?;
                steps(from, to, count)?
            }
            list => Distribution::Grid(list.scalars()?),
        },
        _ => return Ok(None),
    }))
}

/// So many values in equal steps, both ends among them.
fn steps(from: f64, to: f64, count: f64) -> Result<Distribution, String> {
    if !(2.0..=1e6).contains(&count) || count.fract() != 0.0 {
        return Err(format!("count is {count:?}, not a whole number from 2 to 1,000,000"));
    }
    let value = |n: u32| {
        let fraction = f64::from(n) / (count - 1.0);
        // Exact at both ends, where one of the terms is zero.
        Scalar::Float64(from * (1.0 - fraction) + to * fraction)
    };
    Ok(Distribution::Grid((0..count as u32).map(value).collect()))
}

/// Any plain data.
enum Tree {
    One(Scalar),
    List(Vec<Tree>),
    Table(Vec<(String, Tree)>),
}

impl Tree {
    fn describe(&self) -> String {
        match self {
            Tree::One(value) => value.to_string(),
            Tree::List(items) => format!("a list of {}", items.len()),
            Tree::Table(entries) if entries.is_empty() => "an empty table".to_owned(),
            Tree::Table(_) => "a table".to_owned(),
        }
    }

    fn scalars(self) -> Result<Vec<Scalar>, String> {
        let Tree::List(items) = self else {
            return Err(format!("expected a list, got {}", self.describe()));
        };
        let each = items.into_iter().map(|item| match item {
            Tree::One(value) => Ok(value),
            other => Err(format!("expected single values, got {}", other.describe())),
        });
        each.collect()
    }

    fn pair(self) -> Result<[Scalar; 2], String> {
        let values = self.scalars()?;
        let count = values.len();
        values.try_into().map_err(|_| format!("expected [low, high], got {count} values"))
    }

    /// Numbers by name, some with a default.
    fn named<const N: usize>(self, names: [(&str, Option<f64>); N]) -> Result<[f64; N], String> {
        let expected = || {
            let names: Vec<_> = names.iter().map(|(name, _)| format!("{name} = ...")).collect();
            format!("expected {{ {} }}", names.join(", "))
        };
        let Tree::Table(entries) = self else { return Err(expected()) };
        let mut values = names.map(|(_, default)| default);
        for (given, tree) in entries {
            let index = names.iter().position(|(name, _)| *name == given);
            let (Some(index), Tree::One(value)) = (index, tree) else {
                return Err(format!("{}: `{given}` is not understood", expected()));
            };
            values[index] = Some(real(&value)?);
        }
        let mut found = [0.0; N];
        for ((slot, value), (name, _)) in found.iter_mut().zip(values).zip(names) {
            *slot = value.ok_or_else(|| format!("{}: `{name}` is missing", expected()))?;
        }
        Ok(found)
    }

    fn len(self) -> Result<(usize, usize), String> {
        let number = |value: &Scalar| match value {
            Scalar::Int(n) => usize::try_from(*n).ok(),
            Scalar::Uint(n) => usize::try_from(*n).ok(),
            _ => None,
        };
        let numbers = match &self {
            Tree::One(value) => number(value).map(|n| (n, n)),
            Tree::List(items) => match items.as_slice() {
                [Tree::One(least), Tree::One(most)] => number(least).zip(number(most)),
                _ => None,
            },
            Tree::Table(_) => None,
        };
        numbers.ok_or_else(|| "expected a number of elements, or [least, most]".to_owned())
    }
}

impl<'de> Deserialize<'de> for DistConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<DistConfig, D::Error> {
        let Tree::Table(entries) = Tree::deserialize(deserializer)? else {
            return Err(D::Error::custom("expected a table of fields"));
        };
        let mut config = DistConfig::default();
        for (name, tree) in entries {
            match (name.as_str(), tree) {
                // A field may be called so too: its distribution is a table.
                ("fill", Tree::One(value)) => match &value {
                    Scalar::Text(text) if text == "default" => config.fill = Fill::Default,
                    other => {
                        let message = format!("fill = {other}: it can be \"default\" only");
                        return Err(D::Error::custom(message));
                    }
                },
                ("edge_cases", Tree::One(value)) => match real(&value) {
                    Ok(share) => config.edge_cases = share,
                    Err(reason) => return Err(D::Error::custom(format!("edge_cases: {reason}"))),
                },
                (name, tree) => config.add(name, tree).map_err(|error| {
                    let hint = error.hint().map_or_else(String::new, |hint| format!("; {hint}"));
                    D::Error::custom(format!("{error}{hint}"))
                })?,
            }
        }
        Ok(config)
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Tree, D::Error> {
        struct TreeVisitor;

        impl<'de> Visitor<'de> for TreeVisitor {
            type Value = Tree;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value, a list or a table")
            }
            fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
                Ok(Tree::One(Scalar::Bool(value)))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
                Ok(Tree::One(Scalar::Int(value)))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
                Ok(Tree::One(Scalar::Uint(value)))
            }
            fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
                Ok(Tree::One(Scalar::Float64(value)))
            }
            fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
                Ok(Tree::One(Scalar::Text(value.to_owned())))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Tree, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Tree::List(items))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Tree::Table(entries))
            }
        }

        deserializer.deserialize_any(TreeVisitor)
    }
}
