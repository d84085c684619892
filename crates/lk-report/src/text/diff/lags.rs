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

#[cfg(test)]
mod tests {
    use lk::Span;

    use super::*;

    #[test]
    fn a_lag_of_values_says_how_much_where_and_what_it_explains() {
        let mut lag = ValueLag {
            messages: 2,
            span: Span::from_nanos(20_000_000),
            fields: ["w", "x", "y", "z", "t", "u"].map(str::to_owned).into(),
            violations: 1_064,
            vanish: 61,
        };
        assert_eq!(
            of_values(&lag),
            "the candidate lags by 2 messages (20.0 ms) in w, x, y, z, 2 more; \
             with that taken off, 61 of 1,064 violations vanish"
        );
        lag.fields.truncate(1);
        (lag.messages, lag.vanish) = (-1, 1);
        let text = of_values(&lag);
        assert!(text.starts_with("the candidate leads by 1 message (20.0 ms) in w;"), "{text}");
        assert!(text.ends_with("1 of 1,064 violations vanishes"), "{text}");
    }

    #[test]
    fn a_lag_of_times_says_whether_they_are_late_or_early() {
        let lag =
            |nanos| of_times(&TimeLag { span: Span::from_nanos(nanos), violations: 9, vanish: 8 });
        let rest = "; with that taken off, 8 of 9 violations vanish";
        assert_eq!(lag(2_500_000), format!("the candidate's times are 2.50 ms late{rest}"));
        assert_eq!(lag(-2_500_000), format!("the candidate's times are 2.50 ms early{rest}"));
    }
}
