//! How far apart times of paired messages may be.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::span;
use crate::error::{Error, Result};
use crate::time::{Span, Time};

/// How far apart times of paired messages may be: 1 ms either way by default.
///
/// As text `1ms` for either way, or `+5ms/-0ms` for a candidate that may be up
/// to 5 ms later than the reference, and no earlier.
///
/// ```
/// use lk::diff::TimestampTol;
/// let tol: TimestampTol = "+5ms/-0ms".parse()?;
/// assert_eq!((tol.later.as_nanos(), tol.earlier.as_nanos()), (5_000_000, 0));
/// assert_eq!("1ms".parse::<TimestampTol>()?, TimestampTol::default());
/// # Ok::<(), lk::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimestampTol {
    /// How much later than the reference the candidate may be; not negative.
    pub later: Span,
    /// How much earlier; not negative.
    pub earlier: Span,
}

impl Default for TimestampTol {
    fn default() -> TimestampTol {
        Span::from_nanos(1_000_000).into()
    }
}

/// Either way.
impl From<Span> for TimestampTol {
    fn from(span: Span) -> TimestampTol {
        TimestampTol { later: span, earlier: span }
    }
}

impl TimestampTol {
    pub(super) fn is_valid(self) -> bool {
        self.later >= Span::ZERO && self.earlier >= Span::ZERO
    }

    /// Whether the candidate's time is near enough to the reference's.
    pub(in crate::diff) fn allows(self, reference: Time, candidate: Time) -> bool {
        let (a, b) = (reference.as_nanos(), candidate.as_nanos());
        let bound = if b >= a { self.later } else { self.earlier };
        a.abs_diff(b) <= bound.as_nanos().max(0).unsigned_abs()
    }

    fn read(text: &str) -> Result<TimestampTol, String> {
        let span = |text: &str| {
            span::parse(text).ok_or_else(|| {
                format!("`{text}` is not a span; expected such as `1ms`, `250us`, `1.5s`")
            })
        };
        let text = text.trim();
        let Some((first, second)) = text.split_once('/') else {
            if text.starts_with('+') {
                return Err(format!(
                    "`{text}` says how much later, and not how much earlier; \
                     expected such as `{text}/-0ms`, or one span for both"
                ));
            }
            let span = span(text)?;
            if span < Span::ZERO || text.starts_with('-') {
                return Err(format!("`{text}` is negative; expected such as `1ms`, `+5ms/-0ms`"));
            }
            return Ok(span.into());
        };
        let (later, earlier) = match (first.trim(), second.trim()) {
            (a, b) if a.starts_with('-') => (b, a),
            sides => sides,
        };
        match (later.strip_prefix('+'), earlier.strip_prefix('-')) {
            (Some(later), Some(earlier))
                if !later.starts_with('-') && !earlier.starts_with('-') =>
            {
                Ok(TimestampTol { later: span(later)?, earlier: span(earlier)? })
            }
            _ => Err(format!(
                "`{text}` is not understood; expected how much later and how much earlier, \
                 such as `+5ms/-0ms`"
            )),
        }
    }
}

/// As text that reads back as the same.
impl fmt::Display for TimestampTol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (later, earlier) = (span::print(self.later), span::print(self.earlier));
        match self.later == self.earlier {
            true => f.write_str(&later),
            false => write!(f, "+{later}/-{earlier}"),
        }
    }
}

impl FromStr for TimestampTol {
    type Err = Error;

    fn from_str(text: &str) -> Result<TimestampTol> {
        TimestampTol::read(text).map_err(|reason| Error::policy("timestamp_tol", reason))
    }
}

impl Serialize for TimestampTol {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimestampTol {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<TimestampTol, D::Error> {
        let text = String::deserialize(deserializer)?;
        TimestampTol::read(&text).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_reads_back_as_the_same_tolerance() {
        for (text, printed) in [
            ("1ms", "1ms"),
            ("+5ms/-0ms", "+5ms/-0ns"),
            ("-250us/+1.5s", "+1500ms/-250us"),
            ("+1ms/-1ms", "1ms"),
            (" +2us / -1us ", "+2us/-1us"),
        ] {
            let tol: TimestampTol = text.parse().unwrap();
            assert_eq!(tol.to_string(), printed);
            assert_eq!(printed.parse::<TimestampTol>().unwrap(), tol);
        }
    }

    #[test]
    fn what_makes_no_sense_says_why() {
        for (text, reason) in [
            ("-1ms", "negative"),
            ("-0.5ms", "negative"),
            ("+5ms", "not how much earlier"),
            ("+5ms/+1ms", "not understood"),
            ("5ms/1ms", "not understood"),
            ("+5ms/--1ms", "not understood"),
            ("+5/-1ms", "`5` is not a span"),
            ("soon", "`soon` is not a span"),
            ("+5ms/-", "`` is not a span"),
        ] {
            let error = text.parse::<TimestampTol>().unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn a_candidate_may_lag_and_not_lead() {
        let tol: TimestampTol = "+5ns/-0ns".parse().unwrap();
        let allows = |a, b| tol.allows(Time::from_nanos(a), Time::from_nanos(b));
        assert!(allows(10, 10) && allows(10, 15));
        assert!(!allows(10, 16) && !allows(10, 9));
        assert!(!allows(i64::MIN, i64::MAX) && !allows(i64::MAX, i64::MIN));
    }
}
