//! Lags that explain differences, a line each.

use lk::diff::{DiffResult, TimeLag, ValueLag};

use super::{SHOWN, address};
use crate::number;
use crate::style::printable;
use crate::text::Page;

/// Fields named at most.
const FIELDS: usize = 4;

/// What would be right if the candidate weren't late, or early.
pub(super) fn show(page: &mut Page, result: &DiffResult) {
    let mut lines = Vec::new();
    for (key, found) in &result.key_diffs {
        let key = address(key, "");
        lines.extend(found.value_lag.iter().map(|lag| format!("{key}: {}", of_values(lag))));
        lines.extend(found.time_lag.iter().map(|lag| format!("{key}: {}", of_times(lag))));
    }
    for line in lines.iter().take(SHOWN) {
        page.labelled("lag", line);
    }
    page.more(2, lines.len().saturating_sub(SHOWN), "more lags");
}

fn of_values(lag: &ValueLag) -> String {
    let verb = if lag.messages < 0 { "leads" } else { "lags" };
    let mut fields: Vec<String> =
        lag.fields.iter().take(FIELDS).map(|path| printable(path).into_owned()).collect();
    if lag.fields.len() > FIELDS {
        fields.push(format!("{} more", lag.fields.len() - FIELDS));
    }
    format!(
        "the candidate {verb} by {} ({}) in {}; with that taken off, {}",
        number::counted(lag.messages.unsigned_abs(), "message"),
        number::duration(lag.span.as_nanos().unsigned_abs()),
        fields.join(", "),
        vanishing(lag.vanish, lag.violations)
    )
}

fn of_times(lag: &TimeLag) -> String {
    let nanos = lag.span.as_nanos();
    format!(
        "the candidate's times are {} {}; with that taken off, {}",
        number::duration(nanos.unsigned_abs()),
        if nanos < 0 { "early" } else { "late" },
        vanishing(lag.vanish, lag.violations)
    )
}

fn vanishing(vanish: u64, violations: u64) -> String {
    let all = number::counted(violations, "violation");
    let verb = if vanish == 1 { "vanishes" } else { "vanish" };
    format!("{} of {all} {verb}", number::count(vanish))
}
