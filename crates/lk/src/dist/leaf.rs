//! A distribution fitted to the type of a field: its ends, its draws, its edge
//! cases.

use std::cmp::Ordering;

use super::config::{FieldDist, refuse};
use super::distribution::{Continuous, real};
use super::{Distribution, Random};
use crate::error::Result;
use crate::schema::{ElementType, FieldType, Primitive};
use crate::value::{Datum, Scalar, fits};

/// Draws values of one element type.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    source: Source,
    edges: Vec<Datum>,
    /// Whether the negated value is an edge case where the support has it.
    flips: bool,
    allow_nan: bool,
    allow_infinity: bool,
    /// What values are drawn from.
    random: Random,
    /// What decides on edge cases: of its own, so that they change no other
    /// value.
    edge_random: Random,
}

#[derive(Clone, Debug)]
enum Source {
    /// Of float32 (`single`) or float64, with the ends as that type has them.
    Float { values: Continuous, single: bool, low: f64, high: f64 },
    /// Whole numbers from `low`, each as likely.
    Whole { primitive: Primitive, low: i128, high: i128 },
    /// Rounded to whole numbers.
    Rounded { values: Continuous, primitive: Primitive, low: i128, high: i128 },
    /// One of these; `grid` is the place among the fields that are permuted.
    OneOf { values: Vec<Datum>, grid: Option<usize> },
}

impl Leaf {
    /// Fits a distribution to elements of a type. Each grid takes a place in
    /// `grids`, with its length.
    pub(super) fn new(
        path: &str,
        element: &ElementType,
        field: &FieldDist,
        values: &Distribution,
        grids: &mut Vec<usize>,
    ) -> Result<Leaf> {
        let refused = |reason: String| refuse(path, reason, None);
        let source = Source::new(element, values, grids).map_err(refused)?;
        if (field.allow_nan || field.allow_infinity) && !is_float(element) {
            return Err(refused(format!("{element} holds neither NaN nor infinity")));
        }
        let mut leaf = Leaf {
            source,
            edges: Vec::new(),
            flips: false,
            allow_nan: field.allow_nan,
            allow_infinity: field.allow_infinity,
            random: Random::stream(0, &[]),
            edge_random: Random::stream(0, &[]),
        };
        leaf.set_edges();
        Ok(leaf)
    }

    pub(super) fn seed(&mut self, seed: u64, stream: &str, path: &str) {
        self.random = Random::stream(seed, &[stream, path, "values"]);
        self.edge_random = Random::stream(seed, &[stream, path, "edge cases"]);
    }

    pub(super) fn draw(&mut self, edge_cases: f64, grid_point: Option<&[usize]>) -> Datum {
        let drawn = self.source.draw(&mut self.random, grid_point);
        if edge_cases == 0.0 || self.edge_random.unit() >= edge_cases {
            return drawn;
        }
        if let (Source::OneOf { grid: Some(_), .. }, Some(_)) = (&self.source, grid_point) {
            return drawn;
        }
        let flipped = negated(&drawn).filter(|value| self.flips && self.contains(value));
        let count = self.edges.len() + usize::from(flipped.is_some());
        let Some(last) = count.checked_sub(1) else { return drawn };
        let index = self.edge_random.up_to(last as u64) as usize;
        self.edges.get(index).cloned().or(flipped).unwrap_or(drawn)
    }

    pub(super) fn contains(&self, value: &Datum) -> bool {
        if let Some(float) = float(value)
            && !float.is_finite()
        {
            let allowed = if float.is_nan() { self.allow_nan } else { self.allow_infinity };
            return allowed || self.source.contains(value);
        }
        self.source.contains(value)
    }

    pub(super) fn range(&self) -> Option<(Datum, Datum)> {
        match &self.source {
            Source::Float { single, low, high, .. } => {
                Some((float_datum(*low, *single), float_datum(*high, *single)))
            }
            Source::Whole { primitive, low, high }
            | Source::Rounded { primitive, low, high, .. } => {
                Some((whole(*primitive, *low)?, whole(*primitive, *high)?))
            }
            Source::OneOf { values, .. } => {
                let (first, rest) = values.split_first()?;
                order(first, first)?;
                let end = |wanted: Ordering| {
                    let further =
                        |best, value| if order(value, best) == Some(wanted) { value } else { best };
                    rest.iter().fold(first, further).clone()
                };
                Some((end(Ordering::Less), end(Ordering::Greater)))
            }
        }
    }

    fn set_edges(&mut self) {
        let candidates: Vec<Datum> = match &self.source {
            Source::Float { single, low, high, .. } => {
                let (normal, subnormal) = match single {
                    true => (f64::from(f32::MIN_POSITIVE), f64::from(f32::from_bits(1))),
                    false => (f64::MIN_POSITIVE, f64::from_bits(1)),
                };
                let values = [0.0, -0.0, *low, *high, normal, subnormal, -subnormal];
                values.iter().map(|value| float_datum(*value, *single)).collect()
            }
            Source::Whole { primitive, low, high }
            | Source::Rounded { primitive, low, high, .. } => {
                let values = [0, 1, -1, *low, *high];
                values.iter().filter_map(|value| whole(*primitive, *value)).collect()
            }
            Source::OneOf { .. } => Vec::new(),
        };
        self.flips = !matches!(self.source, Source::OneOf { .. });
        let special = [
            (self.allow_nan, f64::NAN),
            (self.allow_infinity, f64::INFINITY),
            (self.allow_infinity, f64::NEG_INFINITY),
        ];
        let single = self.source.is_single();
        let special = special.iter().filter(|(allowed, _)| *allowed);
        let special = special.map(|(_, value)| float_datum(*value, single));
        for edge in candidates.into_iter().chain(special) {
            if self.contains(&edge) && !self.edges.contains(&edge) {
                self.edges.push(edge);
            }
        }
    }
}

impl Source {
    fn new(
        element: &ElementType,
        given: &Distribution,
        grids: &mut Vec<usize>,
    ) -> Result<Source, String> {
        let one_of = |list: &[Scalar]| {
            if list.is_empty() {
                return Err("there is nothing to choose from".to_owned());
            }
            list.iter().map(|value| datum(element, value)).collect::<Result<Vec<_>, _>>()
        };
        match given {
            Distribution::Choice(list) => {
                return Ok(Source::OneOf { values: one_of(list)?, grid: None });
            }
            Distribution::Constant(value) => {
                let values = one_of(std::slice::from_ref(value))?;
                return Ok(Source::OneOf { values, grid: None });
            }
            Distribution::Grid(list) => {
                let values = one_of(list)?;
                grids.push(values.len());
                return Ok(Source::OneOf { values, grid: Some(grids.len() - 1) });
            }
            _ => {}
        }
        let ElementType::Primitive(primitive) = *element else {
            return Err(format!("{element} takes `choice`, `constant` and `grid` only"));
        };
        match (primitive, given) {
            (Primitive::Bool, Distribution::Uniform { low, high }) => {
                let ends = [Scalar::Bool(false), Scalar::Bool(true)];
                if [low, high] != [&ends[0], &ends[1]] {
                    return Err("of a bool it can be [false, true] only".to_owned());
                }
                Ok(Source::OneOf { values: one_of(&ends)?, grid: None })
            }
            (Primitive::Bool, _) => {
                Err("a bool takes `uniform = [false, true]`, `choice` and `constant`".to_owned())
            }
            (Primitive::Float32 | Primitive::Float64, given) => {
                Source::float(given, primitive == Primitive::Float32)
            }
            (primitive, Distribution::Uniform { low, high }) => {
                let [low, high] = [integer(primitive, low)?, integer(primitive, high)?];
                match low <= high {
                    true => Ok(Source::Whole { primitive, low, high }),
                    false => Err(format!("its range is from {low} to {high}")),
                }
            }
            (primitive, given) => Source::rounded(given, primitive),
        }
    }

    fn float(given: &Distribution, single: bool) -> Result<Source, String> {
        let values = Continuous::of(given)?.ok_or("it is none of numbers")?;
        let (mut low, mut high) = values.support();
        if single {
            // The nearest numbers of that type inside of the range.
            let (first, last) = (low.max(f64::from(f32::MIN)), high.min(f64::from(f32::MAX)));
            let (mut least, mut most) = (first as f32, last as f32);
            if f64::from(least) < first {
                least = least.next_up();
            }
            if f64::from(most) > last {
                most = most.next_down();
            }
            if least > most {
                return Err(format!("no float32 lies between {low:?} and {high:?}"));
            }
            (low, high) = (f64::from(least), f64::from(most));
        }
        Ok(Source::Float { values, single, low, high })
    }

    fn rounded(given: &Distribution, primitive: Primitive) -> Result<Source, String> {
        let values = Continuous::of(given)?.ok_or("it is none of numbers")?;
        let (low, high) = values.support();
        let (least, most) = limits(primitive).ok_or("it is none of this type")?;
        // The cast saturates, far outside of any type.
        let ends = (low.ceil() as i128, high.floor() as i128);
        let (low, high) = match &values {
            // All of a normal variable without spread may lie between two
            // whole numbers, and is rounded to one.
            Continuous::Normal { mean, std: 0.0 } => {
                let mean = mean.round_ties_even() as i128;
                (mean.max(least), mean.min(most))
            }
            _ => (ends.0.max(least), ends.1.min(most)),
        };
        match low <= high {
            true => Ok(Source::Rounded { values, primitive, low, high }),
            false => Err(format!("no {} lies in its range", primitive.name())),
        }
    }

    fn is_single(&self) -> bool {
        match self {
            Source::Float { single, .. } => *single,
            Source::OneOf { values, .. } => matches!(values.first(), Some(Datum::Float32(_))),
            Source::Whole { .. } | Source::Rounded { .. } => false,
        }
    }

    fn draw(&self, random: &mut Random, grid_point: Option<&[usize]>) -> Datum {
        match self {
            Source::Float { values, single, low, high } => {
                let value = values.draw(random);
                let value = if *single { f64::from(value as f32) } else { value };
                float_datum(value.clamp(*low, *high), *single)
            }
            Source::Whole { primitive, low, high } => {
                let offset = random.up_to((high - low) as u64);
                whole(*primitive, low + i128::from(offset)).expect("it is between the ends")
            }
            Source::Rounded { values, primitive, low, high } => {
                let value = values.draw(random).round_ties_even() as i128;
                whole(*primitive, value.clamp(*low, *high)).expect("it is between the ends")
            }
            Source::OneOf { values, grid } => {
                let chosen = grid.and_then(|place| grid_point?.get(place).copied());
                let index =
                    chosen.unwrap_or_else(|| random.up_to(values.len() as u64 - 1) as usize);
                values[index].clone()
            }
        }
    }

    fn contains(&self, value: &Datum) -> bool {
        match self {
            Source::Float { low, high, .. } => {
                float(value).is_some_and(|value| (*low..=*high).contains(&value))
            }
            Source::Whole { low, high, .. } | Source::Rounded { low, high, .. } => {
                as_integer(value).is_some_and(|value| (*low..=*high).contains(&value))
            }
            Source::OneOf { values, .. } => values.contains(value),
        }
    }
}

/// A configured value as one of an element type.
fn datum(element: &ElementType, value: &Scalar) -> Result<Datum, String> {
    let refused = || Err(format!("{value} is no {element}"));
    let datum = match (element, value) {
        (ElementType::String(_) | ElementType::WString(_), Scalar::Text(text)) => {
            Datum::String(text.clone())
        }
        (ElementType::Primitive(Primitive::Bool), Scalar::Bool(value)) => Datum::Bool(*value),
        (ElementType::Primitive(Primitive::Float64), value) => match real(value) {
            Ok(value) => Datum::Float64(value),
            Err(_) => return refused(),
        },
        (ElementType::Primitive(Primitive::Float32), value) => match real(value) {
            // Decimals are rounded, since few of them are a float; what is
            // beyond the type is another value.
            Ok(value) if value.is_finite() && !(value as f32).is_finite() => return refused(),
            Ok(value) => Datum::Float32(value as f32),
            Err(_) => return refused(),
        },
        (ElementType::Primitive(primitive), value) => match integer(*primitive, value) {
            Ok(number) => whole(*primitive, number).ok_or_else(|| format!("{value} is none"))?,
            Err(_) => return refused(),
        },
        _ => return refused(),
    };
    match fits(&FieldType::One(element.clone()), &datum) {
        Ok(()) => Ok(datum),
        Err(_) => refused(),
    }
}

fn is_float(element: &ElementType) -> bool {
    matches!(element, ElementType::Primitive(Primitive::Float32 | Primitive::Float64))
}

fn float(value: &Datum) -> Option<f64> {
    match value {
        Datum::Float32(value) => Some(f64::from(*value)),
        Datum::Float64(value) => Some(*value),
        _ => None,
    }
}

/// `value`, which a float32 holds exactly where it is `single`.
fn float_datum(value: f64, single: bool) -> Datum {
    if single { Datum::Float32(value as f32) } else { Datum::Float64(value) }
}

/// The least and the greatest value of an integer type.
fn limits(primitive: Primitive) -> Option<(i128, i128)> {
    Some(match primitive {
        Primitive::Byte | Primitive::Char | Primitive::Uint8 => (0, u8::MAX.into()),
        Primitive::Int8 => (i8::MIN.into(), i8::MAX.into()),
        Primitive::Int16 => (i16::MIN.into(), i16::MAX.into()),
        Primitive::Uint16 => (0, u16::MAX.into()),
        Primitive::Int32 => (i32::MIN.into(), i32::MAX.into()),
        Primitive::Uint32 => (0, u32::MAX.into()),
        Primitive::Int64 => (i64::MIN.into(), i64::MAX.into()),
        Primitive::Uint64 => (0, u64::MAX.into()),
        Primitive::Bool | Primitive::Float32 | Primitive::Float64 => return None,
    })
}

/// A configured value as an integer of a type.
fn integer(primitive: Primitive, value: &Scalar) -> Result<i128, String> {
    let number = match value {
        Scalar::Int(value) => i128::from(*value),
        Scalar::Uint(value) => i128::from(*value),
        other => return Err(format!("expected a whole number, got {other}")),
    };
    let (least, most) = limits(primitive).ok_or("expected an integer")?;
    match (least..=most).contains(&number) {
        true => Ok(number),
        false => Err(format!("{number} is no {}", primitive.name())),
    }
}

/// The integer as a value of the type; `None` beyond it.
fn whole(primitive: Primitive, value: i128) -> Option<Datum> {
    Some(match primitive {
        Primitive::Byte | Primitive::Char | Primitive::Uint8 => {
            Datum::Uint8(value.try_into().ok()?)
        }
        Primitive::Int8 => Datum::Int8(value.try_into().ok()?),
        Primitive::Int16 => Datum::Int16(value.try_into().ok()?),
        Primitive::Uint16 => Datum::Uint16(value.try_into().ok()?),
        Primitive::Int32 => Datum::Int32(value.try_into().ok()?),
        Primitive::Uint32 => Datum::Uint32(value.try_into().ok()?),
        Primitive::Int64 => Datum::Int64(value.try_into().ok()?),
        Primitive::Uint64 => Datum::Uint64(value.try_into().ok()?),
        Primitive::Bool | Primitive::Float32 | Primitive::Float64 => return None,
    })
}

fn as_integer(value: &Datum) -> Option<i128> {
    value.as_i64().map(i128::from).or_else(|| value.as_u64().map(i128::from))
}

/// The other sign.
fn negated(value: &Datum) -> Option<Datum> {
    Some(match value {
        Datum::Float32(value) => Datum::Float32(-value),
        Datum::Float64(value) => Datum::Float64(-value),
        Datum::Int8(value) => Datum::Int8(value.checked_neg()?),
        Datum::Int16(value) => Datum::Int16(value.checked_neg()?),
        Datum::Int32(value) => Datum::Int32(value.checked_neg()?),
        Datum::Int64(value) => Datum::Int64(value.checked_neg()?),
        _ => return None,
    })
}

/// The order of two numbers of one type; none for what has no order.
fn order(a: &Datum, b: &Datum) -> Option<Ordering> {
    match (float(a), float(b)) {
        (Some(a), Some(b)) => Some(a.total_cmp(&b)),
        _ => Some(as_integer(a)?.cmp(&as_integer(b)?)),
    }
}
