//! What lies between two values.

use super::Node;
use crate::value::{Array, Datum, Record};

/// What numbers mean when they are interpolated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Mean {
    /// Points on a line; what is no float stays that of the message before.
    Line,
    /// Points on a circle of this circumference: the shorter way round.
    Angle { turn: f64 },
    /// Elements without an order: nothing says which becomes which, so those of
    /// the message before hold.
    Hold,
    /// Four numbers that are a rotation, in whatever order: along the arc.
    Rotation,
}

/// The fields at a share of the way from `a` to `b`.
pub(super) fn record(node: &Node, a: &Record, b: &Record, share: f64) -> Record {
    if node.mean == Mean::Rotation {
        return Record { fields: rotation_of_fields(&a.fields, &b.fields, share) };
    }
    let fields = a.fields.iter().zip(&b.fields).zip(&node.fields);
    Record { fields: fields.map(|((a, b), node)| datum(node, a, b, share)).collect() }
}

fn datum(node: &Node, a: &Datum, b: &Datum, share: f64) -> Datum {
    match (a, b) {
        (Datum::Float64(a), Datum::Float64(b)) => Datum::Float64(number(node.mean, *a, *b, share)),
        (Datum::Float32(a), Datum::Float32(b)) => {
            Datum::Float32(number(node.mean, (*a).into(), (*b).into(), share) as f32)
        }
        (Datum::Record(a), Datum::Record(b)) => Datum::Record(record(node, a, b, share)),
        (Datum::Array(a), Datum::Array(b)) => Datum::Array(array(node, a, b, share)),
        (held, _) => held.clone(),
    }
}

fn array(node: &Node, a: &Array, b: &Array, share: f64) -> Array {
    macro_rules! floats {
        ($array:path, $a:expr, $b:expr, $ty:ty) => {{
            let (a, b) = (wide($a), wide($b));
            let mixed = floats(node, &a, &b, share);
            $array(mixed.into_iter().map(|x| x as $ty).collect())
        }};
    }
    match (a, b) {
        (Array::Float64(a), Array::Float64(b)) if a.len() == b.len() => {
            floats!(Array::Float64, a, b, f64)
        }
        (Array::Float32(a), Array::Float32(b)) if a.len() == b.len() => {
            floats!(Array::Float32, a, b, f32)
        }
        (Array::Record(a), Array::Record(b)) if a.len() == b.len() => {
            let pairs = a.iter().zip(b).enumerate();
            Array::Record(pairs.map(|(i, (a, b))| record(node.of(i), a, b, share)).collect())
        }
        (held, _) => held.clone(),
    }
}

fn wide<F: Copy + Into<f64>>(floats: &[F]) -> Vec<f64> {
    floats.iter().map(|x| (*x).into()).collect()
}

fn floats(node: &Node, a: &[f64], b: &[f64], share: f64) -> Vec<f64> {
    if node.mean == Mean::Rotation && a.len() == 4 {
        return rotation(a, b, share);
    }
    let pairs = a.iter().zip(b).enumerate();
    pairs.map(|(i, (a, b))| number(node.of(i).mean, *a, *b, share)).collect()
}

/// A number on the way. Where an end isn't finite there is no way, and the
/// number before it holds.
fn number(mean: Mean, a: f64, b: f64, share: f64) -> f64 {
    if mean == Mean::Hold || !a.is_finite() || !b.is_finite() {
        return a;
    }
    let apart = match mean {
        Mean::Angle { turn } => (b - a) - turn * ((b - a) / turn).round(),
        Mean::Line | Mean::Hold | Mean::Rotation => b - a,
    };
    match apart.is_finite() {
        true => a + apart * share,
        false => a * (1.0 - share) + b * share,
    }
}

fn rotation_of_fields(a: &[Datum], b: &[Datum], share: f64) -> Vec<Datum> {
    let numbers = |fields: &[Datum]| -> Option<Vec<f64>> {
        let number = |field: &Datum| match field {
            Datum::Float64(x) => Some(*x),
            Datum::Float32(x) => Some((*x).into()),
            _ => None,
        };
        fields.iter().map(number).collect()
    };
    match (numbers(a), numbers(b)) {
        (Some(x), Some(y)) if x.len() == 4 && y.len() == 4 => {
            let mixed = rotation(&x, &y, share);
            let like = |(before, x): (&Datum, f64)| match before {
                Datum::Float32(_) => Datum::Float32(x as f32),
                _ => Datum::Float64(x),
            };
            a.iter().zip(mixed).map(like).collect()
        }
        _ => a.to_vec(),
    }
}

/// Spherical linear interpolation (Shoemake, 1985), along the shorter of the
/// two arcs, of unit length. Where an end is no rotation, the one before holds.
fn rotation(a: &[f64], b: &[f64], share: f64) -> Vec<f64> {
    let norm = |q: &[f64]| q.iter().fold(0.0_f64, |norm, x| norm.hypot(*x));
    let (norm_a, norm_b) = (norm(a), norm(b));
    let is_rotation = |norm: f64| norm.is_finite() && norm > 0.0;
    if !is_rotation(norm_a) || !is_rotation(norm_b) {
        return a.to_vec();
    }
    let unit = |q: &[f64], norm: f64| q.iter().map(|x| x / norm).collect::<Vec<f64>>();
    let (a, mut b) = (unit(a, norm_a), unit(b, norm_b));
    if a.iter().zip(&b).map(|(a, b)| a * b).sum::<f64>() < 0.0 {
        b.iter_mut().for_each(|x| *x = -*x);
    }
    let of_both = |f: fn(f64, f64) -> f64| a.iter().zip(&b).map(|(a, b)| f(*a, *b)).collect();
    let (sum, difference): (Vec<f64>, Vec<f64>) = (of_both(|a, b| a + b), of_both(|a, b| a - b));
    // Of small angles the cosine says nothing.
    let angle = 2.0 * norm(&difference).atan2(norm(&sum));
    let (from, to) = match angle.sin() {
        sine if sine > 1e-9 => (((1.0 - share) * angle).sin() / sine, (share * angle).sin() / sine),
        _ => (1.0 - share, share),
    };
    a.iter().zip(&b).map(|(a, b)| from * a + to * b).collect()
}
