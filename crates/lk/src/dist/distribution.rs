//! What a number, a truth value or a text is drawn from.

use super::Random;
use super::elementary::{exp, ln, normal_quantile};
use crate::value::{Datum, Scalar};

/// What one value is drawn from.
///
/// Integers take the continuous ones too: rounded to the nearest, ties to
/// even, and cut off at the ends of their type.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Distribution {
    /// Each value of `low..=high` as likely.
    Uniform {
        /// The least value.
        low: Scalar,
        /// The greatest.
        high: Scalar,
    },
    /// Uniform in its logarithm: each decade of a range as likely.
    LogUniform {
        /// The least value, positive.
        low: f64,
        /// The greatest.
        high: f64,
    },
    /// Normal, of all finite values.
    Normal {
        /// The mean.
        mean: f64,
        /// The standard deviation, not negative.
        std: f64,
    },
    /// Normal given that the value is in `low..=high`.
    TruncatedNormal {
        /// The mean before the ends are cut off.
        mean: f64,
        /// The standard deviation before that, positive.
        std: f64,
        /// The least value.
        low: f64,
        /// The greatest.
        high: f64,
    },
    /// Exponential, of values from 0.
    Exponential {
        /// The mean, positive.
        mean: f64,
    },
    /// Beta, stretched to `low..=high`.
    Beta {
        /// First shape, at least 1e-6.
        alpha: f64,
        /// Second shape, at least 1e-6.
        beta: f64,
        /// The least value.
        low: f64,
        /// The greatest.
        high: f64,
    },
    /// One of these values, each as likely; a value given twice twice as
    /// likely.
    Choice(Vec<Scalar>),
    /// Always this value.
    Constant(Scalar),
    /// As [`Distribution::Choice`] when it is sampled;
    /// [`DataDist::permute`](super::DataDist::permute) visits all.
    Grid(Vec<Scalar>),
}

impl Distribution {
    /// [`Distribution::Uniform`] of numbers or truth values.
    pub fn uniform(low: impl Into<Datum>, high: impl Into<Datum>) -> Distribution {
        Distribution::Uniform { low: scalar(low), high: scalar(high) }
    }

    /// [`Distribution::Choice`] of these.
    pub fn choice<T: Into<Datum>>(values: impl IntoIterator<Item = T>) -> Distribution {
        Distribution::Choice(values.into_iter().map(scalar).collect())
    }

    /// [`Distribution::Grid`] of these.
    pub fn grid<T: Into<Datum>>(values: impl IntoIterator<Item = T>) -> Distribution {
        Distribution::Grid(values.into_iter().map(scalar).collect())
    }

    /// [`Distribution::Constant`].
    pub fn constant(value: impl Into<Datum>) -> Distribution {
        Distribution::Constant(scalar(value))
    }
}

fn scalar(value: impl Into<Datum>) -> Scalar {
    value.into().scalar().unwrap_or_default()
}

/// A checked distribution of real numbers.
#[derive(Clone, Debug)]
pub(super) enum Continuous {
    Uniform { low: f64, high: f64 },
    LogUniform { low: f64, high: f64 },
    Normal { mean: f64, std: f64 },
    TruncatedNormal { mean: f64, std: f64, low: f64, high: f64 },
    Exponential { mean: f64 },
    Beta { alpha: f64, beta: f64, low: f64, high: f64 },
}

impl Continuous {
    /// The distribution, checked, where it is one of real numbers.
    pub(super) fn of(given: &Distribution) -> Result<Option<Continuous>, String> {
        let continuous = match given {
            Distribution::Uniform { low, high } => {
                Continuous::Uniform { low: real(low)?, high: real(high)? }
            }
            &Distribution::LogUniform { low, high } => Continuous::LogUniform { low, high },
            &Distribution::Normal { mean, std } => Continuous::Normal { mean, std },
            &Distribution::TruncatedNormal { mean, std, low, high } => {
                Continuous::TruncatedNormal { mean, std, low, high }
            }
            &Distribution::Exponential { mean } => Continuous::Exponential { mean },
            &Distribution::Beta { alpha, beta, low, high } => {
                Continuous::Beta { alpha, beta, low, high }
            }
            Distribution::Choice(_) | Distribution::Constant(_) | Distribution::Grid(_) => {
                return Ok(None);
            }
        };
        continuous.check()?;
        Ok(Some(continuous))
    }

    fn check(&self) -> Result<(), String> {
        let positive = |name: &str, value: f64| match value > 0.0 && value.is_finite() {
            true => Ok(()),
            false => Err(format!("{name} is {value:?}, and must be positive and finite")),
        };
        let finite = |name: &str, value: f64| match value.is_finite() {
            true => Ok(()),
            false => Err(format!("{name} is {value:?}, and must be finite")),
        };
        match *self {
            Continuous::Uniform { low, high } => ordered(low, high),
            Continuous::LogUniform { low, high } => {
                positive("low", low)?;
                if low < f64::MIN_POSITIVE {
                    return Err("low is a subnormal number".to_owned());
                }
                ordered(low, high)
            }
            Continuous::Normal { mean, std } => {
                finite("mean", mean)?;
                if std == 0.0 { Ok(()) } else { positive("std", std) }
            }
            Continuous::TruncatedNormal { mean, std, low, high } => {
                finite("mean", mean)?;
                positive("std", std)?;
                ordered(low, high)?;
                let (a, b) = ((low - mean) / std, (high - mean) / std);
                if a.max(-b) > 1e6 || !(b - a).is_finite() {
                    return Err("the range is too far from the mean, in standard deviations".into());
                }
                Ok(())
            }
            Continuous::Exponential { mean } => positive("mean", mean),
            Continuous::Beta { alpha, beta, low, high } => {
                for (name, shape) in [("alpha", alpha), ("beta", beta)] {
                    if !(1e-6..=1e12).contains(&shape) {
                        return Err(format!("{name} is {shape:?}, not between 1e-6 and 1e12"));
                    }
                }
                ordered(low, high)
            }
        }
    }

    /// The least and the greatest value.
    pub(super) fn support(&self) -> (f64, f64) {
        match *self {
            Continuous::Uniform { low, high }
            | Continuous::LogUniform { low, high }
            | Continuous::TruncatedNormal { low, high, .. }
            | Continuous::Beta { low, high, .. } => (low, high),
            Continuous::Normal { mean, std: 0.0 } => (mean, mean),
            Continuous::Normal { .. } => (f64::MIN, f64::MAX),
            Continuous::Exponential { .. } => (0.0, f64::MAX),
        }
    }

    /// A value of the support.
    pub(super) fn draw(&self, random: &mut Random) -> f64 {
        let value = match *self {
            Continuous::Uniform { low, high } => between(low, high, random.unit()),
            Continuous::LogUniform { low, high } => exp(between(ln(low), ln(high), random.unit())),
            Continuous::Normal { mean, std } => mean + std * normal(random),
            Continuous::TruncatedNormal { mean, std, low, high } => {
                mean + std * truncated((low - mean) / std, (high - mean) / std, random)
            }
            Continuous::Exponential { mean } => -ln(random.open_unit()) * mean,
            Continuous::Beta { alpha, beta, low, high } => {
                let (x, y) = (ln_gamma_variate(alpha, random), ln_gamma_variate(beta, random));
                between(low, high, 1.0 / (1.0 + exp(y - x)))
            }
        };
        // Rounding may have gone past an end.
        let (low, high) = self.support();
        value.clamp(low, high)
    }
}

fn ordered(low: f64, high: f64) -> Result<(), String> {
    match low <= high && low.is_finite() && high.is_finite() {
        true => Ok(()),
        false => Err(format!("its range is from {low:?} to {high:?}")),
    }
}

/// The number as a float, where none of it is lost.
pub(super) fn real(value: &Scalar) -> Result<f64, String> {
    let exact = match value {
        Scalar::Float64(v) => Some(*v),
        Scalar::Float32(v) => Some(f64::from(*v)),
        Scalar::Int(v) => Some(*v as f64).filter(|f| *f as i128 == i128::from(*v)),
        Scalar::Uint(v) => Some(*v as f64).filter(|f| *f as i128 == i128::from(*v)),
        _ => return Err(format!("expected a number, got {value}")),
    };
    exact.ok_or_else(|| format!("{value} has more digits than a float64 holds"))
}

fn between(low: f64, high: f64, fraction: f64) -> f64 {
    match high - low {
        width if width.is_finite() => low + width * fraction,
        _ => 2.0 * (low / 2.0 + (high / 2.0 - low / 2.0) * fraction),
    }
}

fn normal(random: &mut Random) -> f64 {
    normal_quantile(random.open_unit())
}

/// A standard normal variable given that it is in `a..=b`: Robert, Simulation
/// of truncated normal variables, Statistics and Computing 5 (1995). A draw
/// takes fewer than four tries on average, however far out the range is.
fn truncated(a: f64, b: f64, random: &mut Random) -> f64 {
    if b < 0.0 {
        return -truncated(-b, -a, random);
    }
    if a <= 0.0 && b - a > 2.5 {
        loop {
            let x = normal(random);
            if (a..=b).contains(&x) {
                return x;
            }
        }
    }
    let peak = a.max(0.0);
    let rate = (peak + (peak * peak + 4.0).sqrt()) / 2.0;
    if a <= 0.0 || (b - a) * rate <= 1.0 {
        loop {
            let x = between(a, b, random.unit());
            // exp((peak^2 - x^2) / 2), without the squares of large numbers.
            if random.unit() <= exp((peak - x) * (peak + x) / 2.0) {
                return x;
            }
        }
    }
    loop {
        let x = a - ln(random.open_unit()) / rate;
        let d = x - rate;
        if x <= b && random.unit() <= exp(-d * d / 2.0) {
            return x;
        }
    }
}

/// The logarithm of a gamma variable of scale 1: Marsaglia and Tsang, A simple
/// method for generating gamma variables, ACM TOMS 26 (2000). Its logarithm,
/// since of small shapes the variable itself is too small for a float.
fn ln_gamma_variate(shape: f64, random: &mut Random) -> f64 {
    if shape < 1.0 {
        return ln_gamma_variate(shape + 1.0, random) + ln(random.open_unit()) / shape;
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = normal(random);
        let t = 1.0 + c * x;
        if t <= 0.0 {
            continue;
        }
        let v = t * t * t;
        if ln(random.open_unit()) < 0.5 * x * x + d * (1.0 - v + ln(v)) {
            return ln(d) + ln(v);
        }
    }
}
