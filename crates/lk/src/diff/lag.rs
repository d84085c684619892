//! Whether a constant lag of the candidate explains a difference: estimated
//! and reported, never taken off.

mod series;
mod shift;

use super::TimeLag;
use super::policy::{Policy, TimestampTol};
use super::stream::{KeyJob, Unreadable};
use crate::dataset::Dataset;
use crate::time::{Span, Time};

/// Pairs whose times are put in order for the middle one.
const SAMPLED: usize = 4096;

/// Keys in which a lag of values is looked for: those that part first.
const KEYS: usize = 16;

/// Looks for a lag in each key that is different, and notes it there.
///
/// Memory and work are bounded by key: some thousand messages around the
/// first violation are read again.
pub(super) fn estimate(
    sides: [&Dataset; 2],
    jobs: &mut [KeyJob],
    policy: &Policy,
) -> Result<(), Unreadable> {
    for job in jobs.iter_mut() {
        job.time_lag =
            policy.check_timestamps.then(|| of_times(job, policy.timestamp_tol)).flatten();
    }
    let mut firsts: Vec<(i64, usize)> =
        jobs.iter().enumerate().filter_map(|(i, job)| Some((shift::first(job)?, i))).collect();
    firsts.sort_unstable();
    for (_, i) in firsts.into_iter().take(KEYS) {
        if let Some(job) = jobs.get_mut(i) {
            job.value_lag = shift::of_values(sides, job)?;
        }
    }
    Ok(())
}

/// The middle of what the candidate's times are late by, where that explains
/// most of the violations. Where nothing was paired, messages are taken by
/// position.
fn of_times(job: &KeyJob, tol: TimestampTol) -> Option<TimeLag> {
    let [a, b] = &job.columns;
    let (by_position, pairs) = match job.pairing.len() {
        0 => (true, a.len().min(b.len())),
        pairs if job.pairing.brackets().is_none() => (false, pairs),
        _ => return None,
    };
    let times = |n: usize| {
        let (i, j) = if by_position { (n, n) } else { job.pairing.pair(n)? };
        Some((a.time(i)?, b.time(j)?))
    };
    let late = |n: usize| times(n).map(|(a, b)| b.saturating_sub(a));
    let step = pairs.div_ceil(SAMPLED).max(1);
    let lag =
        middle((0..pairs).step_by(step).filter_map(late).collect()).filter(|lag| *lag != 0)?;
    let time = Time::from_nanos;
    let (mut violations, mut vanish) = (0, 0);
    for (a, b) in (0..pairs).filter_map(times) {
        if !tol.allows(time(a), time(b)) {
            violations += 1;
            vanish += u64::from(tol.allows(time(a), time(b.saturating_sub(lag))));
        }
    }
    let explains = vanish > 0 && 2 * vanish >= violations;
    explains.then_some(TimeLag { span: Span::from_nanos(lag), violations, vanish })
}

/// The one in the middle, the earlier of two.
fn middle(mut numbers: Vec<i64>) -> Option<i64> {
    let at = numbers.len().checked_sub(1)? / 2;
    let (_, middle, _) = numbers.select_nth_unstable(at);
    Some(*middle)
}
