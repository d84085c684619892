//! The tree of a message's fields, each with what it is drawn from.

use std::collections::BTreeSet;

use super::config::{DistConfig, FORMS, FieldDist, Fill, refuse};
use super::leaf::Leaf;
use super::{Draw, Random};
use crate::error::Result;
use crate::schema::{ElementType, Field, FieldType, MessageType, Primitive};
use crate::time::Time;
use crate::value::{Array, Datum, Record};

/// Sequences longer than this are no inputs, but a slip.
const LONGEST: usize = 1 << 24;

/// What the fields of one message are drawn from, in schema order.
#[derive(Clone, Debug)]
pub(super) struct RecordPlan {
    fields: Vec<FieldPlan>,
}

#[derive(Clone, Debug)]
struct FieldPlan {
    name: String,
    /// Of the field, with `[*]` after arrays above it.
    path: String,
    element: ElementType,
    shape: Shape,
    /// Of the value, or of the elements that have nothing of their own;
    /// `None` where all have.
    content: Option<Content>,
    /// Of single elements, by index, in ascending order.
    own: Vec<(usize, Content)>,
}

#[derive(Clone, Debug)]
enum Shape {
    One,
    Array(usize),
    Sequence { least: usize, most: usize, random: Random, edge_random: Random },
}

#[derive(Clone, Debug)]
enum Content {
    /// Always this, whatever the shape.
    Default(Datum),
    Leaf(Box<Leaf>),
    Record(RecordPlan),
    /// The time that the message is for.
    Time(TimeAs),
}

/// How a field holds a time.
#[derive(Clone, Copy, Debug)]
enum TimeAs {
    /// `builtin_interfaces/Time`.
    Stamp,
    /// An int64.
    Nanos,
}

/// What was said of a field, or of an element.
struct Given<'a> {
    name: &'a str,
    field: &'a FieldDist,
}

/// Makes the plans of a message and of what is nested in it.
pub(super) struct Planner<'a> {
    config: &'a DistConfig,
    used: BTreeSet<&'a str>,
    /// The lengths of the grids, in schema order.
    pub(super) grids: Vec<usize>,
    /// Whether a field holds the time in seconds of 32 bits.
    pub(super) stamps: Option<String>,
}

impl<'a> Planner<'a> {
    pub(super) fn new(config: &'a DistConfig) -> Planner<'a> {
        Planner { config, used: BTreeSet::new(), grids: Vec::new(), stamps: None }
    }

    /// The plan of the whole message; every distribution must have a field.
    pub(super) fn plan(&mut self, root: &MessageType) -> Result<RecordPlan> {
        let plan = self.record(root, &[]);
        // First what is said and not there: a slip in a name is two faults.
        let unknown = self.config.fields.keys().find(|path| !known(root, path));
        if let Some(path) = unknown {
            let ends = path.match_indices('.').map(|(dot, _)| dot);
            if let Some(dot) = { ends }.rev().find(|dot| is_value(root, &path[..*dot])) {
                let word = path[dot + 1..].split(['.', '[']).next().unwrap_or_default();
                let reason = format!("there is no distribution `{word}`");
                return Err(refuse(&path[..dot], reason, Some(FORMS)));
            }
            let names: Vec<_> = root.fields.iter().map(|field| field.name.as_str()).collect();
            let hint = match path.contains('[') {
                true => "the elements of an array are `[*]`, a single one `[0]`".to_owned(),
                false => format!("the fields of {} are {}", root.name, names.join(", ")),
            };
            return Err(refuse(path, "there is no such field", Some(&hint)));
        }
        let plan = plan?;
        match self.config.fields.keys().find(|path| !self.used.contains(path.as_str())) {
            None => Ok(plan),
            Some(path) => Err(refuse(
                path,
                "it is a message, or said twice",
                Some("give distributions for the fields in it: `position.x`, `points[*].x`"),
            )),
        }
    }

    /// `above` are the paths of the message, nearest first: `points[0]`, then
    /// `points[*]`; none of the whole message.
    fn record(&mut self, ty: &MessageType, above: &[String]) -> Result<RecordPlan> {
        let fields = ty.fields.iter().map(|field| {
            let paths = match above {
                [] => vec![field.name.clone()],
                above => above.iter().map(|above| format!("{above}.{}", field.name)).collect(),
            };
            self.field(field, &paths)
        });
        Ok(RecordPlan { fields: fields.collect::<Result<_>>()? })
    }

    fn field(&mut self, field: &Field, paths: &[String]) -> Result<FieldPlan> {
        let path = paths.first().expect("a field has a path").clone();
        let (name, element) = (field.name.clone(), field.ty.element().clone());
        let is_one = matches!(field.ty, FieldType::One(_));
        let all = |suffix: &str| -> Vec<String> {
            paths.iter().map(|path| format!("{path}{suffix}")).collect()
        };
        let elements = if is_one { paths.to_vec() } else { all("[*]") };
        // Of an array, the path itself and `[*]` name the elements.
        let names: Vec<String> = match &element {
            ElementType::Message(_) if !is_one => paths.to_vec(),
            _ if is_one => paths.to_vec(),
            _ => paths.iter().zip(&elements).flat_map(|(a, b)| [a.clone(), b.clone()]).collect(),
        };
        let indices = if is_one { BTreeSet::new() } else { self.indices(paths) };
        let given = self.given(&names);
        let nothing = given.is_empty() && indices.is_empty() && !self.says_below(&elements);
        if nothing && self.config.fill == Fill::Default {
            let default = field.default.clone();
            let default = default.unwrap_or_else(|| Datum::default_of(&field.ty));
            let (content, own) = (Some(Content::Default(default)), Vec::new());
            return Ok(FieldPlan { name, path, element, shape: Shape::One, content, own });
        }

        let len = given.iter().find(|given| given.field.len.is_some());
        let shape = self.shape(&field.ty, &path, len.map(|len| (len.name, len.field.len)))?;
        let most = match &shape {
            Shape::One => 0,
            Shape::Array(count) => *count,
            Shape::Sequence { most, .. } => *most,
        };
        let mut own = Vec::new();
        for index in indices {
            let at = all(&format!("[{index}]"));
            if index >= most {
                let reason = format!("it has {most} elements at most, counted from 0");
                return Err(refuse(&at[0], reason, None));
            }
            let names: Vec<String> = at.iter().chain(&names).cloned().collect();
            let above: Vec<String> = at.iter().chain(&elements).cloned().collect();
            let single = FieldType::One(element.clone());
            if let Some(wrong) = self.given(&at).iter().find(|given| given.field.len.is_some()) {
                let reason = format!("a {single} has no length to choose");
                return Err(refuse(wrong.name, reason, None));
            }
            own.push((index, self.content(&single, &names, &above, &at[0])?));
        }
        if let (Some(Datum::Array(default)), Fill::Default) = (&field.default, self.config.fill)
            && given.is_empty()
        {
            let others = (0..most).filter(|n| !own.iter().any(|(index, _)| index == n));
            let others = others.filter_map(|n| Some((n, Content::Default(default.element(n)?))));
            let others: Vec<_> = others.collect();
            own.extend(others);
            own.sort_by_key(|(index, _)| *index);
        }
        let covered = matches!(shape, Shape::Array(count) if own.len() == count && count > 0);
        let content = match covered && given.is_empty() {
            true => None,
            false => {
                // Named is what lacks something, not the whole array.
                let lacking = (0..most).find(|n| own.iter().all(|(index, _)| index != n));
                let lacking = lacking.filter(|_| given.is_empty() && !own.is_empty());
                let (at, ty) = match lacking {
                    None => (path.clone(), field.ty.clone()),
                    Some(n) => (format!("{path}[{n}]"), FieldType::One(element.clone())),
                };
                Some(self.content(&ty, &names, &elements, &at)?)
            }
        };
        Ok(FieldPlan { name, path, element, shape, content, own })
    }

    /// What values, or elements, are drawn from: by the first of `names` that
    /// something is said of; of messages, by the paths in `above`.
    fn content(
        &mut self,
        ty: &FieldType,
        names: &[String],
        above: &[String],
        path: &str,
    ) -> Result<Content> {
        let given = self.given(names);
        let chosen =
            given.iter().find(|given| given.field.values.is_some() || given.field.follows_time);
        if let Some(time) = chosen.filter(|chosen| chosen.field.follows_time) {
            self.used.insert(time.name);
            return self.time(ty.element(), path, time);
        }
        let element = match ty.element() {
            ElementType::Message(ty) => {
                let is_leaf = |given: &&Given<'_>| {
                    let FieldDist { values, allow_nan, allow_infinity, .. } = given.field;
                    values.is_some() || *allow_nan || *allow_infinity
                };
                if given.iter().any(|given| is_leaf(&given)) {
                    if is_stamp(ty) {
                        let hint = format!("write `{path} = {{ follow = \"time\" }}`");
                        return Err(refuse(path, format!("it is a {}", ty.name), Some(&hint)));
                    }
                    let hint = ty.fields.first().map(|first| {
                        let below = &above[above.len() - 1];
                        format!("give distributions for the fields in it: `{below}.{}`", first.name)
                    });
                    return Err(refuse(path, format!("it is a {}", ty.name), hint.as_deref()));
                }
                return Ok(Content::Record(self.record(ty, above)?));
            }
            element => element,
        };
        let Some(chosen) = chosen else {
            if self.config.fill == Fill::Default && given.is_empty() {
                let element = FieldType::One(element.clone());
                return Ok(Content::Default(Datum::default_of(&element)));
            }
            let hint = format!(
                "write `{path} = {}`, or `fill = \"default\"` for its default",
                example(ty)
            );
            return Err(refuse(path, "it has no distribution", Some(&hint)));
        };
        self.used.insert(chosen.name);
        let values = chosen.field.values.as_ref().expect("it was found by that");
        let leaf = Leaf::new(path, element, chosen.field, values, &mut self.grids)?;
        Ok(Content::Leaf(Box::new(leaf)))
    }

    fn time(&mut self, element: &ElementType, path: &str, given: &Given<'_>) -> Result<Content> {
        let FieldDist { values, allow_nan, allow_infinity, .. } = given.field;
        if values.is_some() || *allow_nan || *allow_infinity {
            return Err(refuse(path, "it follows the time, and has a distribution", None));
        }
        match element {
            ElementType::Message(ty) if is_stamp(ty) => {
                self.stamps.get_or_insert_with(|| path.to_owned());
                Ok(Content::Time(TimeAs::Stamp))
            }
            ElementType::Primitive(Primitive::Int64) => Ok(Content::Time(TimeAs::Nanos)),
            other => {
                let hint = "a builtin_interfaces/Time does, and an int64, in nanoseconds";
                Err(refuse(path, format!("a {other} can't follow the time"), Some(hint)))
            }
        }
    }

    /// What is said of these names, in their order.
    fn given(&self, names: &[String]) -> Vec<Given<'a>> {
        let config: &'a DistConfig = self.config;
        let said = names.iter().filter_map(|name| config.fields.get_key_value(name));
        said.map(|(name, field)| Given { name, field }).collect()
    }

    /// Whether something is said of fields of one of these messages.
    fn says_below(&self, messages: &[String]) -> bool {
        let below = |path: &str, above: &String| {
            path.strip_prefix(above.as_str()).is_some_and(|rest| rest.starts_with('.'))
        };
        let mut paths = self.config.fields.keys();
        paths.any(|path| messages.iter().any(|above| below(path, above)))
    }

    /// The elements of an array of which something is said.
    fn indices(&self, arrays: &[String]) -> BTreeSet<usize> {
        let index = |path: &str, array: &String| -> Option<usize> {
            let rest = path.strip_prefix(array.as_str())?.strip_prefix('[')?;
            rest.split_once(']')?.0.parse().ok()
        };
        let paths = self.config.fields.keys();
        paths.flat_map(|path| arrays.iter().filter_map(move |array| index(path, array))).collect()
    }

    fn shape(
        &mut self,
        ty: &FieldType,
        path: &str,
        len: Option<(&'a str, Option<(usize, usize)>)>,
    ) -> Result<Shape> {
        if let Some((name, _)) = len {
            self.used.insert(name);
        }
        let len = len.and_then(|(_, len)| len);
        match (ty, len) {
            (FieldType::One(_), None) => Ok(Shape::One),
            (FieldType::Array(_, count), None) => Ok(Shape::Array(*count)),
            (FieldType::One(_) | FieldType::Array(..), Some(_)) => {
                Err(refuse(path, format!("a {ty} has no length to choose"), None))
            }
            (FieldType::Sequence(..), None) => {
                let hint =
                    format!("write `len = 8` or `len = [0, 8]`: `{path} = {{ ..., len = 8 }}`");
                Err(refuse(path, "it has no number of elements", Some(&hint)))
            }
            (FieldType::Sequence(_, bound), Some((least, most))) => {
                let limit = bound.unwrap_or(LONGEST).min(LONGEST);
                if least > most || most > limit {
                    let reason = format!("{least} to {most} elements, where up to {limit} can be");
                    return Err(refuse(path, reason, None));
                }
                let random = Random::stream(0, &[]);
                Ok(Shape::Sequence { least, most, edge_random: random.clone(), random })
            }
        }
    }
}

/// What could be written for a field.
fn example(ty: &FieldType) -> String {
    let values = match ty.element() {
        ElementType::Primitive(p) if p.name() == "bool" => "uniform = [false, true]",
        ElementType::Primitive(p) if p.name().starts_with("float") => "uniform = [-1.0, 1.0]",
        ElementType::Primitive(_) => "uniform = [0, 100]",
        _ => "choice = [\"a\", \"b\"]",
    };
    match ty {
        FieldType::Sequence(..) => format!("{{ {values}, len = [0, 8] }}"),
        _ => format!("{{ {values} }}"),
    }
}

/// Whether it is ROS 2's type of a time.
fn is_stamp(ty: &MessageType) -> bool {
    let is = |field: &Field, name: &str, primitive: Primitive| {
        field.name == name && field.ty == FieldType::One(ElementType::Primitive(primitive))
    };
    matches!(ty.fields.as_slice(), [sec, nanosec]
        if is(sec, "sec", Primitive::Int32) && is(nanosec, "nanosec", Primitive::Uint32))
}

/// Whether a path names a field that is no message.
fn is_value(ty: &MessageType, path: &str) -> bool {
    // What is below a message can be a field of it; below a value nothing is.
    known(ty, path) && !known_below(ty, path)
}

fn known_below(ty: &MessageType, path: &str) -> bool {
    let (first, rest) = match path.split_once('.') {
        Some((first, rest)) => (first, Some(rest)),
        None => (path, None),
    };
    let name = first.split('[').next().unwrap_or(first);
    let field = ty.fields.iter().find(|field| field.name == name);
    match (field.map(|field| field.ty.element()), rest) {
        (Some(ElementType::Message(ty)), Some(rest)) => known_below(ty, rest),
        (Some(ElementType::Message(_)), None) => true,
        _ => false,
    }
}

/// A path's first part, whether it names elements, and which alone.
fn part(first: &str) -> (&str, bool, Option<usize>) {
    let Some((name, index)) = first.strip_suffix(']').and_then(|first| first.split_once('['))
    else {
        return (first, false, None);
    };
    match (index, index.parse()) {
        ("*", _) => (name, true, None),
        // `[01]` is no other name of `[1]`.
        (_, Ok(number)) if index == format!("{number}") => (name, true, Some(number)),
        _ => (first, false, None),
    }
}

/// Whether a path names a field, by `[*]` or an index below arrays.
fn known(ty: &MessageType, path: &str) -> bool {
    let (first, rest) = match path.split_once('.') {
        Some((first, rest)) => (first, Some(rest)),
        None => (path, None),
    };
    let (name, elements, _) = part(first);
    let Some(field) = ty.fields.iter().find(|field| field.name == name) else { return false };
    let is_one = matches!(field.ty, FieldType::One(_));
    match (rest, field.ty.element()) {
        (None, _) => !(elements && is_one),
        (Some(rest), ElementType::Message(ty)) => elements != is_one && known(ty, rest),
        (Some(_), _) => false,
    }
}

impl RecordPlan {
    pub(super) fn seed(&mut self, seed: u64, stream: &str) {
        for field in &mut self.fields {
            if let Shape::Sequence { random, edge_random, .. } = &mut field.shape {
                *random = Random::stream(seed, &[stream, &field.path, "length"]);
                *edge_random = Random::stream(seed, &[stream, &field.path, "edge cases of length"]);
            }
            if let Some(content) = &mut field.content {
                content.seed(seed, stream, &field.path);
            }
            for (index, content) in &mut field.own {
                content.seed(seed, stream, &format!("{}[{index}]", field.path));
            }
        }
    }

    pub(super) fn draw(&mut self, draw: &Draw<'_>) -> Record {
        Record { fields: self.fields.iter_mut().map(|field| field.draw(draw)).collect() }
    }

    pub(super) fn contains(&self, record: &Record) -> bool {
        self.fields.len() == record.fields.len()
            && self.fields.iter().zip(&record.fields).all(|(field, datum)| field.contains(datum))
    }

    /// The leaf at a path; of an element, its own or that of all.
    pub(super) fn leaf(&self, path: &str) -> Option<&Leaf> {
        let (first, rest) = match path.split_once('.') {
            Some((first, rest)) => (first, Some(rest)),
            None => (path, None),
        };
        let (name, _, index) = part(first);
        let field = self.fields.iter().find(|field| field.name == name)?;
        let own = index.and_then(|index| field.own(index));
        match (own.or(field.content.as_ref())?, rest) {
            (Content::Leaf(leaf), None) => Some(leaf),
            (Content::Record(record), Some(rest)) => record.leaf(rest),
            _ => None,
        }
    }
}

impl FieldPlan {
    fn draw(&mut self, draw: &Draw<'_>) -> Datum {
        let count = match &mut self.shape {
            Shape::One => {
                let content = self.content.as_mut().expect("what is no array has its own");
                return content.draw(draw);
            }
            Shape::Array(count) => *count,
            Shape::Sequence { least, most, random, edge_random } => {
                let drawn = *least + random.up_to((*most - *least) as u64) as usize;
                let edge = draw.edge_cases > 0.0 && edge_random.unit() < draw.edge_cases;
                match edge.then(|| edge_random.up_to(1)) {
                    None => drawn,
                    Some(0) => *least,
                    Some(_) => *most,
                }
            }
        };
        let mut array = Array::default_of(&self.element, 0);
        let mut own = self.own.iter_mut().peekable();
        for index in 0..count {
            let its_own = own.next_if(|(own, _)| *own == index).map(|(_, content)| content);
            let content = its_own.or(self.content.as_mut()).expect("each element was planned");
            array.push(content.draw(draw)).expect("the plan is of the field's type");
        }
        Datum::Array(array)
    }

    fn contains(&self, datum: &Datum) -> bool {
        let (least, most) = match &self.shape {
            Shape::One => return self.content.as_ref().is_some_and(|each| each.contains(datum)),
            Shape::Array(count) => (*count, *count),
            Shape::Sequence { least, most, .. } => (*least, *most),
        };
        let Datum::Array(array) = datum else { return false };
        (least..=most).contains(&array.len())
            && (0..array.len()).all(|index| {
                let content = self.own(index).or(self.content.as_ref());
                let element = array.element(index);
                content.zip(element).is_some_and(|(content, element)| content.contains(&element))
            })
    }

    /// What an element has of its own.
    fn own(&self, index: usize) -> Option<&Content> {
        let place = self.own.binary_search_by_key(&index, |(own, _)| *own).ok()?;
        self.own.get(place).map(|(_, content)| content)
    }
}

impl Content {
    fn seed(&mut self, seed: u64, stream: &str, path: &str) {
        match self {
            Content::Default(_) | Content::Time(_) => {}
            Content::Leaf(leaf) => leaf.seed(seed, stream, path),
            Content::Record(record) => record.seed(seed, stream),
        }
    }

    fn draw(&mut self, draw: &Draw<'_>) -> Datum {
        match self {
            Content::Default(datum) => datum.clone(),
            Content::Leaf(leaf) => leaf.draw(draw.edge_cases, draw.grid_point),
            Content::Record(record) => Datum::Record(record.draw(draw)),
            Content::Time(TimeAs::Nanos) => Datum::Int64(draw.time.as_nanos()),
            Content::Time(TimeAs::Stamp) => {
                let (sec, nanosec) = stamp(draw.time).expect("it was looked at before");
                Datum::Record(Record { fields: vec![Datum::Int32(sec), Datum::Uint32(nanosec)] })
            }
        }
    }

    fn contains(&self, datum: &Datum) -> bool {
        match (self, datum) {
            (Content::Default(default), datum) => default == datum,
            (Content::Leaf(leaf), datum) => leaf.contains(datum),
            (Content::Record(plan), Datum::Record(record)) => plan.contains(record),
            (Content::Time(TimeAs::Nanos), Datum::Int64(_)) => true,
            (Content::Time(TimeAs::Stamp), Datum::Record(record)) => {
                matches!(record.fields.as_slice(),
                    [Datum::Int32(_), Datum::Uint32(nanosec)] if *nanosec < 1_000_000_000)
            }
            (Content::Record(_) | Content::Time(_), _) => false,
        }
    }
}

/// Seconds, rounded down, and nanoseconds of `builtin_interfaces/Time`; `None`
/// for a time that it can't hold.
pub(super) fn stamp(time: Time) -> Option<(i32, u32)> {
    const SECOND: i64 = 1_000_000_000;
    let (sec, nanosec) = (time.as_nanos().div_euclid(SECOND), time.as_nanos().rem_euclid(SECOND));
    Some((sec.try_into().ok()?, nanosec.try_into().ok()?))
}
