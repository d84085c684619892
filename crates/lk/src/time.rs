//! Points in time and the spans between them, in whole nanoseconds.

use std::fmt;
use std::ops::{Add, Sub};

use serde::{Deserialize, Serialize};

const NANOS_PER_SEC: i64 = 1_000_000_000;

/// A point in time: nanoseconds since the UNIX epoch, or since a recording's
/// own zero (the dataset says which).
///
/// No float ever holds a time inside lk: an `f64` of seconds since 1970
/// resolves only 238 ns. As a message field it is `builtin_interfaces/Time`,
/// whose seconds are an `int32`.
///
/// ```
/// use lk::{Span, Time};
/// let start = Time::from_nanos(1_000_000_000);
/// assert_eq!(start + Span::from_nanos(5), Time::from_nanos(1_000_000_005));
/// assert_eq!(start.to_string(), "1.000000000");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

/// A signed difference of two [`Time`]s, in nanoseconds.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Span(i64);

impl Time {
    /// Nanosecond zero.
    pub const ZERO: Time = Time(0);
    /// The earliest time that can be held.
    pub const MIN: Time = Time(i64::MIN);
    /// The latest time that can be held.
    pub const MAX: Time = Time(i64::MAX);

    /// The time `nanos` nanoseconds after zero.
    pub const fn from_nanos(nanos: i64) -> Time {
        Time(nanos)
    }

    /// Nanoseconds since zero.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// The time nearest to `secs` seconds; `None` where that is not a number
    /// or outside the range of about 292 years around zero.
    ///
    /// Whole seconds and fraction are scaled apart, so that no precision is
    /// lost beyond what the float itself lacks.
    pub fn from_secs_f64(secs: f64) -> Option<Time> {
        let whole = secs.floor();
        let fraction = ((secs - whole) * NANOS_PER_SEC as f64).round() as i64;
        // Also false for NaN. 9_223_372_036 is i64::MAX in whole seconds.
        if !(-9_223_372_036.0..=9_223_372_035.0).contains(&whole) {
            return None;
        }
        (whole as i64).checked_mul(NANOS_PER_SEC)?.checked_add(fraction).map(Time)
    }

    /// Seconds since zero as a float, for display and Python only.
    pub fn as_secs_f64(self) -> f64 {
        let whole = self.0.div_euclid(NANOS_PER_SEC);
        let fraction = self.0.rem_euclid(NANOS_PER_SEC);
        whole as f64 + fraction as f64 / NANOS_PER_SEC as f64
    }

    /// The span from `earlier` to this time; `None` on overflow.
    pub fn checked_since(self, earlier: Time) -> Option<Span> {
        self.0.checked_sub(earlier.0).map(Span)
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span(0);

    /// A span of `nanos` nanoseconds.
    pub const fn from_nanos(nanos: i64) -> Span {
        Span(nanos)
    }

    /// Nanoseconds.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// The span without its sign, saturating at the largest.
    pub const fn abs(self) -> Span {
        Span(self.0.saturating_abs())
    }
}

/// Saturates at the ends of the range.
impl Add<Span> for Time {
    type Output = Time;
    fn add(self, span: Span) -> Time {
        Time(self.0.saturating_add(span.0))
    }
}

/// Saturates at the ends of the range.
impl Sub<Time> for Time {
    type Output = Span;
    fn sub(self, earlier: Time) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

fn write_seconds(f: &mut fmt::Formatter<'_>, nanos: i64) -> fmt::Result {
    let sign = if nanos < 0 { "-" } else { "" };
    let magnitude = nanos.unsigned_abs();
    let per_sec = NANOS_PER_SEC.unsigned_abs();
    f.pad(&format!("{sign}{}.{:09}", magnitude / per_sec, magnitude % per_sec))
}

/// Seconds with all nine decimals: `12.345678901`.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_seconds(f, self.0)
    }
}

/// Seconds with all nine decimals: `-0.000000001`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_seconds(f, self.0)
    }
}

/// How a [`Time`] looks to serde: the fields of `builtin_interfaces/Time`.
/// The name is what tracing and encoding know it by.
#[derive(Serialize, Deserialize)]
#[serde(rename = "builtin_interfaces/msg/Time")]
struct Stamp {
    sec: i32,
    nanosec: u32,
}

impl Serialize for Time {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let sec = i32::try_from(self.0.div_euclid(NANOS_PER_SEC)).map_err(|_| {
            serde::ser::Error::custom(format!(
                "time {self} s does not fit builtin_interfaces/Time, whose seconds are an int32"
            ))
        })?;
        let nanosec = self.0.rem_euclid(NANOS_PER_SEC) as u32;
        Stamp { sec, nanosec }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
        let stamp = Stamp::deserialize(deserializer)?;
        if i64::from(stamp.nanosec) >= NANOS_PER_SEC {
            // Carrying it over to the seconds would write other bytes than
            // were read.
            let nanosec = stamp.nanosec;
            return Err(serde::de::Error::custom(format!(
                "time has {nanosec} nanoseconds beside its seconds, which must be below {NANOS_PER_SEC}"
            )));
        }
        Ok(Time(i64::from(stamp.sec) * NANOS_PER_SEC + i64::from(stamp.nanosec)))
    }
}

/// For `#[serde(with)]`: a time in a report, as integer nanoseconds.
pub(crate) mod nanos {
    use super::Time;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(time: &Time, serializer: S) -> Result<S::Ok, S::Error> {
        time.0.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Time, D::Error> {
        i64::deserialize(d).map(Time)
    }
}

/// For `#[serde(with)]`: a time in a report that may be absent.
pub(crate) mod optional_nanos {
    use super::Time;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        time: &Option<Time>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        time.map(Time::as_nanos).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Time>, D::Error> {
        Ok(Option::<i64>::deserialize(d)?.map(Time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_round_to_the_nearest_nanosecond() {
        assert_eq!(Time::from_secs_f64(0.010078907), Some(Time(10_078_907)));
        assert_eq!(Time::from_secs_f64(-0.5), Some(Time(-500_000_000)));
        assert_eq!(Time::from_secs_f64(135.326642), Some(Time(135_326_642_000)));
        assert_eq!(Time::from_secs_f64(f64::NAN), None);
        assert_eq!(Time::from_secs_f64(1e10), None);
    }

    #[test]
    fn display_has_nine_decimals_and_the_sign() {
        assert_eq!(Time(-1).to_string(), "-0.000000001");
        assert_eq!(Time(12_345_678_901).to_string(), "12.345678901");
        assert_eq!(Time::MIN.to_string(), "-9223372036.854775808");
    }
}
