//! What a row of numbers that diverge looks like: the most telling reading of
//! them that holds for all that differ.

use super::window::Window;
use super::{Cause, CauseKind};
use crate::diff::plan::Close;

/// One number of a message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Num {
    Double(f64),
    Single(f32),
    Integer(i128),
}

impl Num {
    pub(super) fn as_f64(self) -> f64 {
        match self {
            Num::Double(value) => value,
            Num::Single(value) => value.into(),
            Num::Integer(value) => value as f64,
        }
    }

    /// As an integer, where it is one; exact.
    fn whole(self) -> Option<i128> {
        match self {
            Num::Integer(value) => Some(value),
            // Beyond this, floats have no units.
            _ => Some(self.as_f64())
                .filter(|v| v.fract() == 0.0 && v.abs() < 9e15)
                .map(|v| v as i128),
        }
    }
}

/// One number on both sides.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub(super) path: String,
    pub(super) a: Num,
    pub(super) b: Num,
    pub(super) close: Close,
}

/// The numbers of a pair of messages.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    pub(super) cells: Vec<Cell>,
    /// The one that diverged among them.
    pub(super) target: Option<usize>,
}

impl Row {
    pub(super) fn target(&self) -> Option<&Cell> {
        self.cells.get(self.target?)
    }
}

impl Cell {
    /// Whether `found` is near enough to `expected` to be it.
    fn near(&self, expected: f64, found: f64) -> bool {
        let apart = (expected - found).abs();
        let bound = self.close.tolerance.bound(expected.abs(), found.abs());
        let noise = match self.a {
            Num::Single(_) => 1e-6,
            Num::Double(_) => 1e-9,
            Num::Integer(_) => 0.0,
        };
        expected == found || apart <= bound.max(noise * expected.abs())
    }

    fn values(&self) -> (f64, f64) {
        (self.a.as_f64(), self.b.as_f64())
    }

    fn differs(&self) -> bool {
        let (a, b) = self.values();
        let bound = self.close.tolerance.bound(a.abs(), b.abs());
        if let (Num::Integer(a), Num::Integer(b)) = (self.a, self.b) {
            return a != b && (a - b).unsigned_abs() as f64 > bound;
        }
        // As many representable numbers as are allowed are not seen here.
        let error = self.close.difference(a, b).abs();
        match a == b {
            true => self.close.signed_zero && a.to_bits() != b.to_bits(),
            false => !(a.is_nan() && b.is_nan() || error.is_finite() && error <= bound),
        }
    }
}

/// Factors between units, with what they are from and to.
const FACTORS: [(f64, &str); 13] = [
    (180.0 / std::f64::consts::PI, "radians to degrees"),
    (1_000.0, "such as from m to mm, or s to ms"),
    (1e6, "such as from s to us"),
    (1e9, "such as from s to ns"),
    (100.0, "such as from m to cm, or a fraction to per cent"),
    (9.80665, "g to m/s^2"),
    (9.81, "g to m/s^2"),
    (3.6, "m/s to km/h"),
    (60.0, "such as from minutes to seconds"),
    (3_600.0, "hours to seconds"),
    (0.3048, "feet to metres"),
    (0.0254, "inches to metres"),
    (std::f64::consts::TAU, "turns to radians"),
];

/// Messages that a reading over time needs.
const ENOUGH: usize = 4;

/// The most telling reading of the numbers around a divergence.
pub(super) fn classify(window: &Window) -> Option<Cause> {
    let after: Vec<&Cell> = window.after().iter().map_while(Row::target).collect();
    let differing: Vec<&Cell> = after.iter().copied().filter(|cell| cell.differs()).collect();
    let first = *differing.first()?;
    let of_each = [sign, wrap, precision, rounding, unit];
    exchanged_messages(window)
        .or_else(|| of_each.iter().find_map(|reading| reading(&differing)))
        .or_else(|| swapped(window))
        .or_else(|| beside(window))
        .or_else(|| lag(window))
        .or_else(|| saturation(window, &differing))
        .or_else(|| frozen(&after))
        .or_else(|| step(&after))
        .or_else(|| factor(&differing))
        .or_else(|| drift(&after))
        .or_else(|| {
            let alone = differing.len() == 1 && after.len() >= ENOUGH && first.differs();
            let n = after.len() - 1;
            alone.then(|| {
                let text = format!("this message alone: the next {n} are within tolerance");
                Cause::new(CauseKind::Single, text)
            })
        })
}

/// A number as a guess may show it: in four digits.
fn short(value: f64) -> String {
    let rounded: f64 = format!("{value:.3e}").parse().unwrap_or(value);
    format!("{rounded:?}")
}

/// How often it was seen.
fn seen(n: usize) -> String {
    match n {
        1 => "in this message".to_owned(),
        n => format!("in all {n} messages around that differ"),
    }
}

fn all(differing: &[&Cell], holds: impl Fn(&Cell, f64, f64) -> bool) -> bool {
    differing.iter().all(|cell| {
        let (a, b) = cell.values();
        a.is_finite() && b.is_finite() && holds(cell, a, b)
    })
}

fn sign(differing: &[&Cell]) -> Option<Cause> {
    let n = differing.len();
    all(differing, |cell, a, b| {
        a.to_bits() != b.to_bits() && (a != 0.0 || b == 0.0) && cell.near(-a, b)
    })
    .then(|| Cause::new(CauseKind::Sign, format!("looks like another sign: b = -a {}", seen(n))))
}

fn wrap(differing: &[&Cell]) -> Option<Cause> {
    let whole = |cell: &&Cell| Some((cell.a.whole()?, cell.b.whole()?));
    let pairs: Vec<(i128, i128)> = differing.iter().map(whole).collect::<Option<_>>()?;
    let wraps = |bits: u32| {
        let turn = 1_i128 << bits;
        pairs.iter().all(|(a, b)| a != b && (a - b) % turn == 0 && (-turn / 2..turn).contains(b))
    };
    let bits = [8, 16, 32].into_iter().find(|bits| wraps(*bits))?;
    let text = format!(
        "looks like a wrap at {bits} bits: off by a multiple of 2^{bits} {}",
        seen(pairs.len())
    );
    Some(Cause::new(CauseKind::Wrap, text))
}

/// Near in proportion, as a conversion of units is.
fn proportional(cell: &Cell, expected: f64, found: f64) -> bool {
    let noise = if matches!(cell.a, Num::Single(_)) { 1e-5 } else { 1e-7 };
    (expected - found).abs() <= noise * expected.abs()
}

fn unit(differing: &[&Cell]) -> Option<Cause> {
    let fits = |factor: f64| {
        let nonzero = differing.iter().any(|cell| cell.a.as_f64() != 0.0);
        nonzero && all(differing, |cell, a, b| proportional(cell, a * factor, b))
    };
    for (factor, what) in FACTORS {
        let up = fits(factor);
        if up || fits(1.0 / factor) {
            let (way, back) = if up { ("times", "") } else { ("divided by", ", the other way") };
            let text = format!(
                "looks like another unit: the reference {way} {} ({what}{back}) {}",
                short(factor),
                seen(differing.len())
            );
            return Some(Cause::new(CauseKind::Unit, text));
        }
    }
    let kelvin = |by: f64| all(differing, |_, a, b| (a + by - b).abs() < 1e-4 * by.abs());
    let by = [273.15, -273.15].into_iter().find(|by| kelvin(*by))?;
    let text = format!("looks like another unit: off by {by}, as kelvin and Celsius are");
    Some(Cause::new(CauseKind::Unit, text))
}

/// A factor that is no known unit, seen often.
fn factor(differing: &[&Cell]) -> Option<Cause> {
    let (a, b) = differing.first()?.values();
    let factor = b / a;
    let varies = differing.iter().any(|cell| cell.a != differing[0].a);
    // Next to 1, it is any small error.
    let far = factor.is_finite() && factor.abs() > 1e-3 && (factor - 1.0).abs() > 1e-3;
    let fits = far && differing.len() >= ENOUGH && varies;
    (fits && all(differing, |cell, a, b| proportional(cell, a * factor, b))).then(|| {
        let (by, n) = (short(factor), seen(differing.len()));
        let text = format!("looks like a factor: the reference times {by} {n}");
        Cause::new(CauseKind::Unit, text)
    })
}

fn precision(differing: &[&Cell]) -> Option<Cause> {
    let narrowed =
        all(differing, |cell, a, b| matches!(cell.a, Num::Double(_)) && b == f64::from(a as f32));
    narrowed.then(|| {
        let text = format!("looks like single precision: b = float32(a) {}", seen(differing.len()));
        Cause::new(CauseKind::Precision, text)
    })
}

fn rounding(differing: &[&Cell]) -> Option<Cause> {
    const FEW: f64 = 8.0;
    let few = all(differing, |cell, a, b| {
        let step = match cell.a {
            Num::Single(a) => f64::from(a.abs().next_up() - a.abs()),
            Num::Double(a) => a.abs().next_up() - a.abs(),
            Num::Integer(_) => return false,
        };
        (a - b).abs() <= FEW * step
    });
    few.then(|| {
        let text = format!("looks like rounding: the last bits {}", seen(differing.len()));
        Cause::new(CauseKind::Rounding, text)
    })
}

/// Another field of the message that has what is expected here, and the other
/// way round.
fn swapped(window: &Window) -> Option<Cause> {
    let rows: Vec<&Row> = window.after().iter().collect();
    let differing: Vec<&&Row> =
        rows.iter().filter(|row| row.target().is_some_and(Cell::differs)).collect();
    let candidates = &differing.first()?.cells;
    let here = differing.first()?.target()?;
    let other = candidates.iter().find(|other| {
        other.path != here.path
            && differing.iter().all(|row| {
                let (Some(x), Some(y)) =
                    (row.target(), row.cells.iter().find(|cell| cell.path == other.path))
                else {
                    return false;
                };
                let ((a, b), (c, d)) = (x.values(), y.values());
                !x.near(a, c) && x.near(c, b) && y.near(a, d)
            })
    })?;
    let text = format!(
        "looks swapped: `{}` and `{}` are exchanged {}",
        here.path,
        other.path,
        seen(differing.len())
    );
    Some(Cause::new(CauseKind::Swapped, text))
}

/// The array moved by one element.
fn beside(window: &Window) -> Option<Cause> {
    let row = window.after().first()?;
    let (array, _) = row.target()?.path.rsplit_once('[')?;
    let of_array = |cell: &&Cell| {
        let rest = cell.path.strip_prefix(array).and_then(|rest| rest.strip_prefix('['));
        rest.is_some_and(|rest| rest.ends_with(']') && !rest.contains('['))
    };
    let cells: Vec<&Cell> = row.cells.iter().filter(of_array).collect();
    let moved = |a: &[&Cell], b: &[&Cell]| {
        let equal = |(a, b): (&&Cell, &&Cell)| b.near(a.a.as_f64(), b.b.as_f64());
        a.len() >= 2 && a.iter().zip(b).all(equal)
    };
    let distinct = cells.windows(2).filter(|pair| pair[0].a != pair[1].a).count();
    if distinct < 2 {
        return None;
    }
    let (to_the_front, to_the_back) = (moved(&cells[1..], &cells), moved(&cells, &cells[1..]));
    let what = match (to_the_front, to_the_back) {
        (true, _) => "one element early: b[i] = a[i + 1]",
        (_, true) => "one element late: b[i] = a[i - 1]",
        _ => return None,
    };
    Some(Cause::new(CauseKind::Offset, format!("looks off by one: `{array}` is {what}")))
}

/// Two neighbours in the wrong order.
fn exchanged_messages(window: &Window) -> Option<Cause> {
    let [one, two, ..] = window.after() else { return None };
    let has = |row: &Row, of: &Row| {
        row.cells.len() == of.cells.len()
            && row.cells.iter().zip(&of.cells).all(|(x, y)| {
                let (b, a) = (x.b.as_f64(), y.a.as_f64());
                x.near(a, b) || a.is_nan() && b.is_nan()
            })
    };
    let differ = one.target()?.differs() && two.cells.iter().any(Cell::differs);
    let rest = window.after().get(2..).unwrap_or_default();
    let apart = rest.iter().take(2).flat_map(|row| &row.cells).any(Cell::differs);
    (differ && !apart && has(one, two) && has(two, one)).then(|| {
        let text = "looks reordered: this message and the next are exchanged";
        Cause::new(CauseKind::Order, text)
    })
}

/// The reference's values some messages earlier or later.
fn lag(window: &Window) -> Option<Cause> {
    const FARTHEST: usize = 32;
    let cells: Vec<&Cell> =
        window.before().iter().chain(window.after()).map_while(Row::target).collect();
    let first = window.before().len();
    let fits = |shift: isize| {
        let pair = |i: usize| Some((cells.get(i)?, cells.get(i.checked_add_signed(-shift)?)?));
        let pairs: Vec<_> = (first..cells.len()).filter_map(pair).collect();
        let mut seen: Vec<u64> = pairs.iter().map(|(_, a)| a.a.as_f64().to_bits()).collect();
        seen.sort_unstable();
        seen.dedup();
        let differing = pairs.iter().filter(|(here, _)| here.differs()).count();
        let enough = pairs.len() >= ENOUGH && seen.len() >= 3 && 2 * differing >= pairs.len();
        let equal = |(b, a): &(&&Cell, &&Cell)| b.near(a.a.as_f64(), b.b.as_f64());
        (enough && pairs.iter().all(equal)).then_some(pairs.len())
    };
    let farthest = FARTHEST as isize;
    let shifts = (1..=farthest).flat_map(|shift| [shift, -shift]);
    let (shift, n) = { shifts }.find_map(|shift| Some((shift, fits(shift)?)))?;
    let text = format!("{}, in all of the next {n}", super::lagging(shift as i64));
    Some(Cause::new(CauseKind::Lag, text))
}

/// Held at a bound that the reference goes beyond.
fn saturation(window: &Window, differing: &[&Cell]) -> Option<Cause> {
    let (a, held) = differing.first()?.values();
    let above = a > held;
    let varies = differing.iter().any(|cell| !cell.near(cell.a.as_f64(), a));
    let held_back = all(differing, |cell, a, b| cell.near(held, b) && a != b && (a > b) == above);
    // Else it might be that it never moves.
    let all = window.before().iter().chain(window.after()).filter_map(Row::target);
    let follows = { all }.any(|cell| !cell.differs() && cell.b.as_f64() != held);
    (differing.len() >= ENOUGH && varies && held_back && follows).then(|| {
        let (way, n) = (if above { "above" } else { "below" }, seen(differing.len()));
        let text =
            format!("looks like saturation: held at {}, the reference goes {way} {n}", short(held));
        Cause::new(CauseKind::Saturation, text)
    })
}

fn frozen(after: &[&Cell]) -> Option<Cause> {
    let (a, b) = after.first()?.values();
    let still = after.iter().all(|cell| cell.b.as_f64() == b);
    let moves = after.iter().any(|cell| !cell.near(cell.a.as_f64(), a));
    (after.len() >= ENOUGH && still && moves).then(|| {
        let n = after.len();
        let text = format!("looks frozen: it stays {} in all {n} messages from there on", short(b));
        Cause::new(CauseKind::Frozen, text)
    })
}

/// The errors from the divergence on, where all are finite.
fn errors(after: &[&Cell]) -> Option<Vec<f64>> {
    let error = |cell: &&Cell| {
        let (a, b) = cell.values();
        Some(cell.close.difference(a, b)).filter(|error| error.is_finite())
    };
    after.iter().map(error).collect()
}

fn step(after: &[&Cell]) -> Option<Cause> {
    let errors = errors(after)?;
    let offset = *errors.first()?;
    let constant = after.iter().zip(&errors).all(|(cell, error)| {
        let (a, b) = cell.values();
        let noise = 1e-9 * a.abs().max(b.abs());
        (error - offset).abs() <= (1e-3 * offset.abs()).max(noise)
    });
    (errors.len() >= ENOUGH && offset != 0.0 && constant).then(|| {
        let n = errors.len();
        let text = format!(
            "looks like a step: off by {} in all {n} messages from there on",
            short(offset)
        );
        Cause::new(CauseKind::Step, text)
    })
}

/// Errors that grow: by their averages over eight stretches, each larger than
/// the one before.
fn drift(after: &[&Cell]) -> Option<Cause> {
    let errors = errors(after)?;
    if errors.len() < 2 * ENOUGH {
        return None;
    }
    let stretch = errors.len().div_ceil(8);
    let means: Vec<f64> = errors
        .chunks(stretch)
        .map(|part| part.iter().map(|error| error.abs()).sum::<f64>() / part.len() as f64)
        .collect();
    let (start, end) = (*means.first()?, *means.last()?);
    let grows = means.windows(2).all(|pair| pair[1] > pair[0]) && end >= 1.5 * start;
    grows.then(|| {
        let (first, last) = (short(errors[0].abs()), short(errors[errors.len() - 1].abs()));
        let n = errors.len();
        let text =
            format!("looks like a drift: the error grows from {first} to {last} over {n} messages");
        Cause::new(CauseKind::Drift, text)
    })
}

#[cfg(test)]
mod tests;
