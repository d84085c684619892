//! The reading beside the verdict: how many messages violate, and what that
//! says of all.

use lk::diff::{Statistical, ViolationBound};

use super::{SHOWN, address};
use crate::number;
use crate::style::printable;
use crate::text::{Page, mark};

/// What was counted, in any case: an allowance is never silent.
pub(super) fn show(page: &mut Page, reading: &Statistical) {
    let percent = |fraction: f64| format!("{} %", number::error_rounded_up(fraction * 100.0));
    let (sign, ink) = mark(reading.passes);
    let sign = page.paint(ink, sign);
    let allowed = percent(reading.allowed);
    let confidence = format!("{} %", (reading.confidence * 1e6).round() / 1e4);
    let text = format!("{sign} {allowed} of messages may violate, {confidence} confidence");
    page.labelled("statistical", &text);
    let mut keys: Vec<(&String, &ViolationBound)> = reading.keys.iter().collect();
    // Stable: those that fail first, then those that violate at all.
    keys.sort_by_key(|(_, bound)| (bound.passes, bound.violating == 0));
    for (key, bound) in keys.iter().take(SHOWN) {
        let (k, n) = (number::count(bound.violating), number::counted(bound.compared, "message"));
        let share = number::share(bound.violating, bound.compared);
        let most = percent(bound.upper_bound);
        let (sign, ink) = mark(bound.passes);
        let sign = page.paint(ink, sign);
        let key = address(key, "");
        page.line(4, &format!("{sign} {key}: {k} of {n} ({share}), at most {most} of all"));
    }
    page.more(4, keys.len().saturating_sub(SHOWN), "more keys");
    for failure in reading.failures.iter().take(SHOWN) {
        let (sign, ink) = mark(false);
        let sign = page.paint(ink, sign);
        page.line(4, &format!("{sign} {}, which is never allowed", printable(failure)));
    }
    page.more(4, reading.failures.len().saturating_sub(SHOWN), "more that is never allowed");
}
