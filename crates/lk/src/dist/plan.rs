//! The tree of a message's fields, each with what it is drawn from.

use std::collections::BTreeSet;

use super::config::{DistConfig, FieldDist, Fill, refuse};
use super::leaf::Leaf;
use super::{Draw, Random};
use crate::error::Result;
use crate::schema::{ElementType, Field, FieldType, MessageType};
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
    content: Content,
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
}

/// Makes the plans of a message and of what is nested in it.
pub(super) struct Planner<'a> {
    config: &'a DistConfig,
    used: BTreeSet<&'a str>,
    /// The lengths of the grids, in schema order.
    pub(super) grids: Vec<usize>,
}

impl<'a> Planner<'a> {
    pub(super) fn new(config: &'a DistConfig) -> Planner<'a> {
        Planner { config, used: BTreeSet::new(), grids: Vec::new() }
    }

    /// The plan of the whole message; every distribution must have a field.
    pub(super) fn plan(&mut self, root: &MessageType) -> Result<RecordPlan> {
        let plan = self.record(root, "");
        // First what is said and not there: a slip in a name is two faults.
        let unknown = self.config.fields.keys().find(|path| !known(root, path));
        if let Some(path) = unknown {
            let known: Vec<_> = root.fields.iter().map(|field| field.name.as_str()).collect();
            let hint = match path.contains(|c: char| c.is_ascii_digit() || c == '*') {
                true => "elements of an array are `[*]`: one distribution for all".to_owned(),
                false => format!("the fields of {} are {}", root.name, known.join(", ")),
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

    fn record(&mut self, ty: &MessageType, above: &str) -> Result<RecordPlan> {
        let fields = ty.fields.iter().map(|field| {
            let path = match above {
                "" => field.name.clone(),
                above => format!("{above}.{}", field.name),
            };
            self.field(field, path)
        });
        Ok(RecordPlan { fields: fields.collect::<Result<_>>()? })
    }

    fn field(&mut self, field: &Field, path: String) -> Result<FieldPlan> {
        let element = field.ty.element().clone();
        let is_message = matches!(element, ElementType::Message(_));
        let is_one = matches!(field.ty, FieldType::One(_));
        let elements = if is_one { path.clone() } else { format!("{path}[*]") };

        // Of an array of numbers, both name the elements.
        let names = if is_one || is_message { vec![&path] } else { vec![&path, &elements] };
        let given: Vec<(&str, &FieldDist)> = names
            .into_iter()
            .filter_map(|name| self.config.fields.get_key_value(name))
            .map(|(name, field)| (name.as_str(), field))
            .collect();
        let values = given.iter().copied().find(|(_, field)| field.values.is_some());
        let len = given.iter().copied().find(|(_, field)| field.len.is_some());

        let below = format!("{elements}.");
        let nothing = given.is_empty()
            && !(is_message && self.config.fields.keys().any(|path| path.starts_with(&below)));
        if nothing && self.config.fill == Fill::Default {
            let default = field.default.clone();
            let content = Content::Default(default.unwrap_or_else(|| Datum::default_of(&field.ty)));
            let name = field.name.clone();
            return Ok(FieldPlan { name, path, element, shape: Shape::One, content });
        }

        let shape = self.shape(&field.ty, &path, len.map(|(name, field)| (name, field.len)))?;
        let content = match &element {
            ElementType::Message(ty) => {
                if let Some((_, field)) = given.first()
                    && (field.values.is_some() || field.allow_nan || field.allow_infinity)
                {
                    let hint = ty.fields.first().map(|first| {
                        format!("give distributions for the fields in it: `{below}{}`", first.name)
                    });
                    return Err(refuse(&path, format!("it is a {}", ty.name), hint.as_deref()));
                }
                Content::Record(self.record(ty, &elements)?)
            }
            element => {
                let Some((name, chosen)) = values else {
                    let hint = format!(
                        "write `{path} = {}`, or `fill = \"default\"` for its default",
                        example(&field.ty)
                    );
                    return Err(refuse(&path, "it has no distribution", Some(&hint)));
                };
                self.used.insert(name);
                let values = chosen.values.as_ref().expect("it was found by that");
                Content::Leaf(Box::new(Leaf::new(&path, element, chosen, values, &mut self.grids)?))
            }
        };
        Ok(FieldPlan { name: field.name.clone(), path, element, shape, content })
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

/// Whether a path names a field, by `[*]` below arrays.
fn known(ty: &MessageType, path: &str) -> bool {
    let (first, rest) = match path.split_once('.') {
        Some((first, rest)) => (first, Some(rest)),
        None => (path, None),
    };
    let (name, elements) = match first.strip_suffix("[*]") {
        Some(name) => (name, true),
        None => (first, false),
    };
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
            match &mut field.content {
                Content::Default(_) => {}
                Content::Leaf(leaf) => leaf.seed(seed, stream, &field.path),
                Content::Record(record) => record.seed(seed, stream),
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

    /// The leaf at a path without indices.
    pub(super) fn leaf(&self, path: &str) -> Option<&Leaf> {
        let (first, rest) = match path.split_once('.') {
            Some((first, rest)) => (first, Some(rest)),
            None => (path, None),
        };
        let name = first.strip_suffix("[*]").unwrap_or(first);
        let field = self.fields.iter().find(|field| field.name == name)?;
        match (&field.content, rest) {
            (Content::Leaf(leaf), None) => Some(leaf),
            (Content::Record(record), Some(rest)) => record.leaf(rest),
            _ => None,
        }
    }
}

impl FieldPlan {
    fn draw(&mut self, draw: &Draw<'_>) -> Datum {
        let count = match &mut self.shape {
            Shape::One => return self.content.draw(draw),
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
        for _ in 0..count {
            array.push(self.content.draw(draw)).expect("the plan is of the field's type");
        }
        Datum::Array(array)
    }

    fn contains(&self, datum: &Datum) -> bool {
        let (least, most) = match (&self.shape, &self.content) {
            (_, Content::Default(default)) => return default == datum,
            (Shape::One, content) => return content.contains(datum),
            (Shape::Array(count), _) => (*count, *count),
            (Shape::Sequence { least, most, .. }, _) => (*least, *most),
        };
        let Datum::Array(array) = datum else { return false };
        (least..=most).contains(&array.len())
            && (0..array.len()).all(|index| {
                array.element(index).is_some_and(|element| self.content.contains(&element))
            })
    }
}

impl Content {
    fn draw(&mut self, draw: &Draw<'_>) -> Datum {
        match self {
            Content::Default(datum) => datum.clone(),
            Content::Leaf(leaf) => leaf.draw(draw.edge_cases, draw.grid_point),
            Content::Record(record) => Datum::Record(record.draw(draw)),
        }
    }

    fn contains(&self, datum: &Datum) -> bool {
        match (self, datum) {
            (Content::Default(default), datum) => default == datum,
            (Content::Leaf(leaf), datum) => leaf.contains(datum),
            (Content::Record(plan), Datum::Record(record)) => plan.contains(record),
            (Content::Record(_), _) => false,
        }
    }
}
