//! What a rule can ask of its fields.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a rule asks of its fields.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Effect {
    /// Numbers may differ within a tolerance; integers only where the rule
    /// names them.
    Close(Tolerance),
    /// Numbers may differ by this fraction of the field's range: from the
    /// smallest to the largest finite value that the reference has in it, over
    /// all messages of the key. Integers only where the rule names them.
    Range(f64),
    /// Floats may be so many representable numbers apart, of their own width
    /// (units in the last place). An infinity is close to itself alone.
    Ulp(u64),
    /// Floats within [`Tolerance::of_float32`] or [`Tolerance::of_float64`],
    /// integers that the rule names exact.
    Dtype,
    /// Floats that are angles: a whole turn apart is equal.
    Angle {
        /// Largest wrapped difference, in `unit`; the default's `abs` where
        /// `None`.
        abs: Option<f64>,
        /// What the field is in.
        unit: AngleUnit,
    },
    /// A message of x, y, z and w, or an array of four floats, that is a
    /// rotation: `q` and `-q` are the same one, norms don't matter, and the
    /// error is the angle between two.
    Quaternion {
        /// Largest angle, in radians; the default's `abs` where `None`.
        abs: Option<f64>,
        /// Of the elements of an array.
        order: Option<QuaternionOrder>,
    },
    /// Arrays and sequences as multisets: as many elements as can be are paired
    /// with one within the tolerance, the default's where `None`; one without a
    /// partner is a violation.
    Unordered(Option<Tolerance>),
    /// As decided without this rule, but for what it says of NaN and the sign
    /// of zero.
    Keep,
    /// Equal as numbers (0.0 and -0.0 are), as text, as bytes.
    Exact,
    /// Not compared.
    Ignore,
}

/// How far apart numbers may be. The difference must be finite, whatever the
/// bounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tolerance {
    /// In the unit of the field; not negative, finite.
    #[serde(default)]
    pub abs: f64,
    /// As a fraction of a magnitude; not negative, finite.
    #[serde(default)]
    pub rel: f64,
    /// How the two bounds make one.
    #[serde(default)]
    pub form: Form,
}

/// How an absolute and a relative bound make one: `a` is the reference, `b`
/// the candidate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// `abs + rel * |a|`, as NumPy and PyTorch have it.
    #[default]
    Sum,
    /// `max(abs, rel * |a|)`.
    MaxRef,
    /// `max(abs, rel * max(|a|, |b|))`, as Python's `math.isclose` has it: the
    /// same for either side as the reference.
    MaxSym,
}

/// The unit of an angle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum AngleUnit {
    /// A turn is 2 pi.
    #[default]
    Radians,
    /// A turn is 360.
    Degrees,
}

/// How the four numbers of a quaternion lie in an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QuaternionOrder {
    /// The scalar part first, as Eigen's constructor and MuJoCo have it.
    Wxyz,
    /// The scalar part last, as ROS and SciPy have it.
    Xyzw,
}

impl Tolerance {
    /// Equal as numbers.
    pub const EXACT: Tolerance = Tolerance::sum(0.0, 0.0);

    /// `abs + rel * |reference|`.
    pub const fn sum(abs: f64, rel: f64) -> Tolerance {
        Tolerance { abs, rel, form: Form::Sum }
    }

    /// What PyTorch's `assert_close` allows in single precision.
    pub const fn of_float32() -> Tolerance {
        Tolerance::sum(1e-5, 1.3e-6)
    }

    /// What PyTorch's `assert_close` allows in double precision.
    pub const fn of_float64() -> Tolerance {
        Tolerance::sum(1e-7, 1e-7)
    }

    /// Whether both bounds are finite and not negative.
    pub fn is_valid(self) -> bool {
        [self.abs, self.rel].iter().all(|bound| bound.is_finite() && *bound >= 0.0)
    }

    /// The largest difference between numbers of these magnitudes.
    #[inline]
    pub(in crate::diff) fn bound(self, a: f64, b: f64) -> f64 {
        match self.form {
            Form::Sum => self.abs + self.rel * a,
            Form::MaxRef => larger(self.abs, self.rel * a),
            Form::MaxSym => larger(self.abs, self.rel * larger(a, b)),
        }
    }
}

/// Not `f64::max`, whose care for NaN costs inner loops more than the rest.
#[inline]
pub(in crate::diff) fn larger(a: f64, b: f64) -> f64 {
    if b > a { b } else { a }
}

impl Form {
    /// All of them, by name.
    const NAMES: [(&str, Form); 3] =
        [("sum", Form::Sum), ("max_ref", Form::MaxRef), ("max_sym", Form::MaxSym)];

    pub(super) fn parse(name: &str) -> Result<Form, String> {
        let found = Form::NAMES.iter().find(|(known, _)| *known == name);
        found
            .map(|(_, form)| *form)
            .ok_or_else(|| format!("`{name}` is no form; expected `sum`, `max_ref` or `max_sym`"))
    }

    fn name(self) -> &'static str {
        Form::NAMES.iter().find(|(_, form)| *form == self).map_or("sum", |(name, _)| name)
    }

    /// Behind the numbers of a tolerance; the plain sum goes without saying.
    fn fmt_after(self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Form::Sum => Ok(()),
            form => write!(f, ",form={}", form.name()),
        }
    }
}

impl AngleUnit {
    pub(super) fn parse(name: &str) -> Result<AngleUnit, String> {
        match name {
            "rad" => Ok(AngleUnit::Radians),
            "deg" => Ok(AngleUnit::Degrees),
            _ => Err(format!("`{name}` is no unit of angles; expected `rad` or `deg`")),
        }
    }

    /// A whole turn in this unit.
    pub(in crate::diff) fn turn(self) -> f64 {
        match self {
            AngleUnit::Radians => std::f64::consts::TAU,
            AngleUnit::Degrees => 360.0,
        }
    }
}

impl QuaternionOrder {
    pub(super) fn parse(name: &str) -> Result<QuaternionOrder, String> {
        match name {
            "wxyz" => Ok(QuaternionOrder::Wxyz),
            "xyzw" => Ok(QuaternionOrder::Xyzw),
            _ => Err(format!("`{name}` is no order of quaternions; expected `wxyz` or `xyzw`")),
        }
    }

    /// Positions of w, x, y and z.
    pub(in crate::diff) fn places(self) -> [u8; 4] {
        match self {
            QuaternionOrder::Wxyz => [0, 1, 2, 3],
            QuaternionOrder::Xyzw => [3, 0, 1, 2],
        }
    }
}

/// `abs=1e-6`, `rel=0.1`, `abs=1e-6,rel=0.1,form=max_ref`, `exact`.
impl fmt::Display for Tolerance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.abs, self.rel) {
            (0.0, 0.0) => return f.write_str("exact"),
            (abs, 0.0) => write!(f, "abs={abs:?}")?,
            (0.0, rel) => write!(f, "rel={rel:?}")?,
            (abs, rel) => write!(f, "abs={abs:?},rel={rel:?}")?,
        }
        self.form.fmt_after(f)
    }
}

/// As rules write it; nothing for [`Effect::Keep`].
impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // As a rule, `exact` is another.
            Effect::Close(Tolerance { abs: 0.0, rel: 0.0, form }) => {
                f.write_str("abs=0.0")?;
                form.fmt_after(f)
            }
            Effect::Close(tolerance) => write!(f, "{tolerance}"),
            Effect::Range(fraction) => write!(f, "range={fraction:?}"),
            Effect::Ulp(n) => write!(f, "ulp={n}"),
            Effect::Dtype => f.write_str("dtype"),
            Effect::Angle { abs, unit } => {
                f.write_str(if *unit == AngleUnit::Degrees { "angle=deg" } else { "angle" })?;
                abs.map_or(Ok(()), |abs| write!(f, ",abs={abs:?}"))
            }
            Effect::Quaternion { abs, order } => {
                f.write_str(match order {
                    None => "quaternion",
                    Some(QuaternionOrder::Wxyz) => "quaternion=wxyz",
                    Some(QuaternionOrder::Xyzw) => "quaternion=xyzw",
                })?;
                abs.map_or(Ok(()), |abs| write!(f, ",abs={abs:?}"))
            }
            Effect::Unordered(None) => f.write_str("unordered"),
            // Without a bound it would be the default's.
            Effect::Unordered(Some(tolerance)) => {
                write!(f, "unordered,{}", Effect::Close(*tolerance))
            }
            Effect::Keep => Ok(()),
            Effect::Exact => f.write_str("exact"),
            Effect::Ignore => f.write_str("ignore"),
        }
    }
}
