//! Times out of decimal text, without a float in between.

use super::TimeUnit;
use crate::time::Time;

/// A time, and whether it is rounded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Read {
    pub(super) time: Time,
    pub(super) rounded: bool,
}

/// The time that a decimal number of `unit`s is: `135.326642`, `-1.5e-3`.
/// What is finer than a nanosecond is rounded to the nearest, halves to even.
/// `None` where the text is no such number, or the time can't be held.
pub(super) fn time(text: &str, unit: TimeUnit) -> Option<Read> {
    let (negative, rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (number, exponent) = match rest.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.parse::<i32>().ok()?),
        None => (rest, 0),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) || whole.len() + fraction.len() == 0 {
        return None;
    }
    let digits = [whole, fraction].concat();
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Some(Read { time: Time::ZERO, rounded: false });
    }
    // The number of nanoseconds is `digits` times ten to this power.
    let fraction_len = i32::try_from(fraction.len()).ok()?;
    let power = exponent.checked_add(unit.digits())?.checked_sub(fraction_len)?;
    let (nanos, rounded) = match u32::try_from(power) {
        Ok(power) => {
            let nanos = digits.parse::<i128>().ok()?.checked_mul(10_i128.checked_pow(power)?)?;
            (nanos, false)
        }
        Err(_) => {
            let cut = usize::try_from(power.unsigned_abs()).ok()?;
            if cut > digits.len() {
                (0, true)
            } else {
                let (kept, dropped) = digits.split_at(digits.len() - cut);
                let kept = if kept.is_empty() { 0 } else { kept.parse::<i128>().ok()? };
                let rounded = dropped.bytes().any(|digit| digit != b'0');
                (kept + i128::from(rounds_up(kept, dropped)), rounded)
            }
        }
    };
    let signed = if negative { -nanos } else { nanos };
    let time = Time::from_nanos(i64::try_from(signed).ok()?);
    Some(Read { time, rounded })
}

/// Whether `kept.dropped` is nearer to the next whole number than to `kept`.
fn rounds_up(kept: i128, dropped: &str) -> bool {
    let half = dropped.bytes().skip(1).all(|digit| digit == b'0');
    match dropped.as_bytes().first() {
        Some(b'5') if half => kept % 2 == 1,
        Some(first) => *first >= b'5',
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, unit: TimeUnit, expected: Option<i64>) {
        assert_eq!(time(text, unit).map(|read| read.time.as_nanos()), expected, "{text}");
    }

    #[test]
    fn decimal_text_is_taken_exactly() {
        check("0.010078907", TimeUnit::Seconds, Some(10_078_907));
        // A float of seconds would be off by 100 ns.
        check("1585866235.112411371", TimeUnit::Seconds, Some(1_585_866_235_112_411_371));
        check("1585866235112411371", TimeUnit::Nanos, Some(1_585_866_235_112_411_371));
        check("-1.5", TimeUnit::Millis, Some(-1_500_000));
        check("+7", TimeUnit::Micros, Some(7_000));
        check("1.25e-3", TimeUnit::Seconds, Some(1_250_000));
        check(".5", TimeUnit::Seconds, Some(500_000_000));
        check("5.", TimeUnit::Seconds, Some(5_000_000_000));
        check("000", TimeUnit::Seconds, Some(0));
    }

    #[test]
    fn finer_than_a_nanosecond_is_rounded_to_the_nearest() {
        check("1.5", TimeUnit::Nanos, Some(2));
        check("2.5", TimeUnit::Nanos, Some(2));
        check("2.50000001", TimeUnit::Nanos, Some(3));
        check("0.0000000004999", TimeUnit::Seconds, Some(0));
        check("0.00000000051", TimeUnit::Seconds, Some(1));
        check("1e-30", TimeUnit::Seconds, Some(0));
        check("-0.9", TimeUnit::Nanos, Some(-1));
        check("0.30000000000000004", TimeUnit::Seconds, Some(300_000_000));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "-", ".", "1,5", "NaN", "inf", "0x10", "1e", "1e99999999999", "1_0", "１"]
        {
            check(text, TimeUnit::Seconds, None);
        }
        check("9223372036.854775807", TimeUnit::Seconds, Some(i64::MAX));
        check("9223372036.854775808", TimeUnit::Seconds, None);
        check("-9223372036.854775808", TimeUnit::Seconds, Some(i64::MIN));
        check("1e300", TimeUnit::Seconds, None);
    }
}
