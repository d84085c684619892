//! Numbers with as many digits as a reader needs.

use lk::Time;

/// A count with its thousands set apart: `12,168`.
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A count and what is counted: `1 message`, `2 messages`.
pub fn counted(n: u64, noun: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{} {noun}{s}", count(n))
}

/// An error by its size: `1.0e-4`, and `0.512`, `12.5` where that is shorter
/// to read.
pub(crate) fn error(e: f64) -> String {
    match e.abs() {
        0.0 => "0".to_owned(),
        m if (0.1..1.0).contains(&m) => format!("{e:.3}"),
        m if (1.0..1e5).contains(&m) => {
            // Three digits in all, but never fewer than the whole part has.
            let whole = m.log10().floor() as usize + 1;
            format!("{e:.*}", 3_usize.saturating_sub(whole))
        }
        _ => format!("{e:.1e}"),
    }
}

/// The least number of two digits that isn't below `e`: a tolerance that is
/// given as shown lets `e` pass.
pub(crate) fn error_rounded_up(e: f64) -> String {
    if e == 0.0 || !e.is_finite() {
        return format!("{e}");
    }
    let nearest = format!("{e:.1e}");
    let (mantissa, exponent) = nearest.split_once('e').unwrap_or((&nearest, "0"));
    let mut tenths = mantissa.replace('.', "").parse::<u32>().unwrap_or(0);
    let mut exponent = exponent.parse::<i32>().unwrap_or(0);
    if nearest.parse::<f64>().is_ok_and(|rounded| rounded < e) {
        tenths += 1;
    }
    if tenths >= 100 {
        (tenths, exponent) = (tenths / 10, exponent + 1);
    }
    let (whole, tenth) = (tenths / 10, tenths % 10);
    match exponent {
        -1 => format!("0.{whole}{tenth}"),
        0 => format!("{whole}.{tenth}"),
        1 => format!("{whole}{tenth}"),
        2..=4 => format!("{whole}{tenth}{}", "0".repeat(exponent.unsigned_abs() as usize - 1)),
        _ => format!("{whole}.{tenth}e{exponent}"),
    }
}

/// A share that says 0 % and 100 % only where that is exact.
pub(crate) fn share(part: u64, whole: u64) -> String {
    let percent = 100.0 * part as f64 / whole as f64;
    match part {
        _ if whole == 0 => "-".to_owned(),
        0 => "0 %".to_owned(),
        p if p == whole => "100 %".to_owned(),
        _ if percent < 0.1 => "<0.1 %".to_owned(),
        _ if percent > 99.9 => ">99.9 %".to_owned(),
        _ => format!("{percent:.1} %"),
    }
}

/// Seconds with three, six or nine decimals, none of them lost: `12.040 s`.
pub(crate) fn time(t: Time) -> String {
    seconds(&t.to_string())
}

/// As [`time`], of a decimal text with nine decimals.
pub(crate) fn seconds(nine_decimals: &str) -> String {
    let mut text = nine_decimals;
    for _ in 0..2 {
        text = text.strip_suffix("000").unwrap_or(text);
    }
    format!("{text} s")
}

/// A duration with three digits: `812 ns`, `1.24 µs`, `182 µs`, `4.10 ms`.
pub fn duration(ns: u64) -> String {
    let (value, unit) = match ns {
        0..1_000 => return format!("{ns} ns"),
        1_000..1_000_000 => (ns as f64 / 1e3, "µs"),
        1_000_000..1_000_000_000 => (ns as f64 / 1e6, "ms"),
        _ => (ns as f64 / 1e9, "s"),
    };
    format!("{} {unit}", three_digits(value))
}

/// Memory: `512 KiB`, `3.20 MiB`.
pub fn bytes(n: u64) -> String {
    const STEP: f64 = 1024.0;
    match n as f64 {
        b if b < STEP => format!("{n} B"),
        b if b < STEP * STEP => format!("{} KiB", three_digits(b / STEP)),
        b if b < STEP * STEP * STEP => format!("{} MiB", three_digits(b / STEP / STEP)),
        b => format!("{} GiB", three_digits(b / STEP / STEP / STEP)),
    }
}

/// Events in a second, rounded to three digits: `410,000`.
pub(crate) fn rate(events: u64, wall_ns: u64) -> String {
    if events == 0 || wall_ns == 0 {
        return "-".to_owned();
    }
    let rate = events as f64 / (wall_ns as f64 / 1e9);
    if rate < 100.0 {
        return three_digits(rate);
    }
    let unit = 10_f64.powi(rate.log10().floor() as i32 - 2);
    count(((rate / unit).round() * unit) as u64)
}

/// How much shorter `ns` is than `reference_ns`: `152x faster`; `None` within
/// a tenth, or where either is too short to tell.
pub(crate) fn speedup(reference_ns: u64, ns: u64) -> Option<String> {
    if reference_ns == 0 || ns == 0 {
        return None;
    }
    let ratio = reference_ns as f64 / ns as f64;
    match ratio {
        r if r >= 1.1 => Some(format!("{}x faster", two_digits(r))),
        r if r <= 1.0 / 1.1 => Some(format!("{}x slower", two_digits(1.0 / r))),
        _ => None,
    }
}

fn three_digits(value: f64) -> String {
    match value {
        v if v < 9.995 => format!("{v:.2}"),
        v if v < 99.95 => format!("{v:.1}"),
        v => format!("{v:.0}"),
    }
}

fn two_digits(value: f64) -> String {
    if value < 9.95 { format!("{value:.1}") } else { count(value.round() as u64) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_their_thousands_set_apart() {
        let shown: Vec<_> = [0, 999, 1_000, 1_234_567].into_iter().map(count).collect();
        assert_eq!(shown, ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn errors_are_shown_by_their_size() {
        let shown: Vec<_> = [0.0, 1e-4, 3.33e-16, 0.5123, 1.0, 12.5, 1234.4, 99_999.4, 2.5e9]
            .into_iter()
            .map(error)
            .collect();
        let expected =
            ["0", "1.0e-4", "3.3e-16", "0.512", "1.00", "12.5", "1234", "99999", "2.5e9"];
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_tolerance_as_shown_lets_the_error_pass() {
        let small = [1e-4, 1.0001e-4, 3.33e-16, 9.96e-3, 0.0996, f64::MIN_POSITIVE, 5e-324];
        let large = [0.501, 0.996, 1.0, 6.27, 9.96, 12.3, 99.6, 123.0, 99_600.0, 1e300];
        for e in small.into_iter().chain(large) {
            let shown: f64 = error_rounded_up(e).parse().unwrap();
            assert!(shown >= e && shown <= e * 1.11, "{e:e} is shown as {shown:e}");
        }
        assert_eq!(error_rounded_up(1.0001e-4), "1.1e-4");
        assert_eq!(error_rounded_up(9.96e-3), "1.0e-2");
        assert_eq!(error_rounded_up(0.501), "0.51");
        assert_eq!(error_rounded_up(6.27), "6.3");
        assert_eq!(error_rounded_up(99.6), "100");
        assert_eq!(error_rounded_up(1234.0), "1300");
    }

    #[test]
    fn nothing_and_everything_are_said_only_where_exact() {
        assert_eq!(share(0, 10), "0 %");
        assert_eq!(share(1, 1_000_000), "<0.1 %");
        assert_eq!(share(999_999, 1_000_000), ">99.9 %");
        assert_eq!(share(7, 7), "100 %");
        assert_eq!(share(0, 0), "-");
    }

    #[test]
    fn times_keep_every_digit_that_counts() {
        assert_eq!(time(Time::from_nanos(12_040_000_000)), "12.040 s");
        assert_eq!(time(Time::from_nanos(12_040_001_000)), "12.040001 s");
        assert_eq!(time(Time::from_nanos(-1)), "-0.000000001 s");
        assert_eq!(time(Time::ZERO), "0.000 s");
    }

    #[test]
    fn durations_memory_and_rates_have_three_digits() {
        assert_eq!(duration(812), "812 ns");
        assert_eq!(duration(1_240), "1.24 µs");
        assert_eq!(duration(182_400), "182 µs");
        assert_eq!(duration(2_000_000_000), "2.00 s");
        assert_eq!(bytes(3_355_443), "3.20 MiB");
        assert_eq!(rate(410_318, 1_000_000_000), "410,000");
        assert_eq!(rate(1, 3_000_000_000), "0.33");
    }

    #[test]
    fn a_speedup_within_a_tenth_is_not_claimed() {
        assert_eq!(speedup(182_000, 1_200).as_deref(), Some("152x faster"));
        assert_eq!(speedup(1_000, 2_500).as_deref(), Some("2.5x slower"));
        assert_eq!(speedup(1_000, 1_050), None);
        assert_eq!(speedup(1_000, 0), None);
    }
}
