//! By how many messages the candidate's values are late.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::middle;
use super::series::{self, Rows, Series};
use crate::dataset::Dataset;
use crate::diff::ValueLag;
use crate::diff::plan::LeafSide;
use crate::diff::stream::{KeyJob, Unreadable};
use crate::time::Span;

/// Messages that a lag is looked for among, from some before the first
/// violation on.
const ROWS: usize = 4096;

/// The largest lag that is looked for, in messages; at most a quarter of what
/// there is.
const LARGEST: usize = 64;

/// Fields that are looked at.
const LEAVES: usize = 16;

/// The numeric fields with violations, in order.
pub(super) fn wanted(job: &KeyJob) -> Vec<usize> {
    if job.pairing.brackets().is_some() {
        return Vec::new();
    }
    let leaves = job.plan.leaves.iter().zip(&job.partial.leaves).enumerate();
    let wanted = leaves.filter(|(_, (leaf, stats))| {
        leaf.is_number && leaf.side == LeafSide::Both && stats.violations > 0
    });
    wanted.map(|(i, _)| i).take(LEAVES).collect()
}

/// When the first of them violates, in nanoseconds.
pub(super) fn first(job: &KeyJob) -> Option<i64> {
    wanted(job).iter().filter_map(|i| job.partial.leaves.get(*i)?.first_violation).min()
}

/// The lag of most of what it explains; `None` where none explains much.
pub(super) fn of_values(
    sides: [&Dataset; 2],
    job: &KeyJob,
) -> Result<Option<ValueLag>, Unreadable> {
    let Some(first) = first(job) else { return Ok(None) };
    let a = &job.columns[0];
    // Pairs are in ascending order of the reference.
    let position = a.first_at(first);
    let start = job.pairing.first_from(position).saturating_sub(LARGEST);
    let pairs: Vec<(usize, usize)> =
        (start..start + ROWS).map_while(|ordinal| job.pairing.pair(ordinal)).collect();
    let rows = |side: usize| {
        let positions = pairs.iter().map(|pair| if side == 0 { pair.0 } else { pair.1 });
        let mut rows: Vec<(usize, usize)> =
            positions.enumerate().map(|(row, position)| (position, row)).collect();
        rows.sort_unstable();
        let moved = if side == 0 { Span::ZERO } else { job.moved };
        Rows { id: job.ids[side], column: &job.columns[side], rows, moved }
    };
    let series = series::read(sides, &job.plan, &wanted(job), [rows(0), rows(1)], pairs.len())?;

    let mut by_lag: BTreeMap<isize, (Found, Vec<usize>)> = BTreeMap::new();
    for one in &series {
        if let Some((lag, found)) = best(one, pairs.len()) {
            let (sum, leaves) = by_lag.entry(lag).or_default();
            sum.violations += found.violations;
            sum.vanish += found.vanish;
            if leaves.last() != Some(&one.leaf) {
                leaves.push(one.leaf);
            }
        }
    }
    // Where two explain as much, the smaller; and late rather than early.
    let most = by_lag
        .into_iter()
        .max_by_key(|(lag, (found, _))| (found.vanish, Reverse(lag.unsigned_abs()), *lag));
    Ok(most.map(|(lag, (found, leaves))| {
        let leaf = |i: &usize| job.plan.leaves.get(*i).map(|leaf| leaf.path.clone());
        let times: Vec<i64> = pairs.iter().filter_map(|pair| a.time(pair.0)).collect();
        ValueLag {
            messages: lag as i64,
            span: span(&times, lag),
            fields: leaves.iter().filter_map(leaf).collect(),
            violations: found.violations,
            vanish: found.vanish,
        }
    }))
}

/// What a lag does to violations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Found {
    /// Of the values that are compared with and without it.
    violations: u64,
    /// Fewer with it taken off.
    vanish: u64,
}

/// The lag that explains most, where one explains three quarters: less can
/// come of a tolerance that a slow signal stays within for a while.
fn best(series: &Series, rows: usize) -> Option<(isize, Found)> {
    let plain: Vec<Option<bool>> = (0..rows).map(|row| series.violates(row, row)).collect();
    let first = plain.iter().position(|violates| *violates == Some(true))?;
    // What stays the same from there on is stuck, and not late.
    let stuck = series.value(1, first);
    if (first..rows).all(|row| series.value(1, row).is_none_or(|value| Some(value) == stuck)) {
        return None;
    }
    let largest = LARGEST.min(rows / 4).cast_signed();
    let lags = (1..=largest).flat_map(|lag| [lag, -lag]);
    let explained = lags.filter_map(|lag| Some((lag, with(series, &plain, first, lag)?)));
    // Of equals the first, which is the smallest.
    explained.min_by_key(|(_, found)| Reverse(found.vanish))
}

/// What taking off a lag does from the first violation on, since it may only
/// begin there; `None` where that explains little.
fn with(series: &Series, plain: &[Option<bool>], first: usize, lag: isize) -> Option<Found> {
    let source = |row: usize| row.checked_add_signed(-lag).filter(|row| *row < plain.len());
    let both = |row: usize| {
        let source = source(row)?;
        let plain = (*plain.get(row)?)?;
        series.value(0, source).map(|_| (source, plain))
    };
    let violations =
        (first..plain.len()).filter_map(both).filter(|(_, plain)| *plain).count() as u64;
    let bearable = violations / 4;
    let mut left = 0;
    for row in first..plain.len() {
        if let Some((source, _)) = both(row)
            && series.violates(source, row) == Some(true)
        {
            left += 1;
            if left > bearable {
                return None;
            }
        }
    }
    (violations > 0).then_some(Found { violations, vanish: violations - left })
}

/// The middle of the spans from one message to the one so many later.
fn span(times: &[i64], lag: isize) -> Span {
    let apart = lag.unsigned_abs();
    let spans = times.iter().zip(times.iter().skip(apart));
    let span = middle(spans.map(|(from, to)| to.saturating_sub(*from)).collect()).unwrap_or(0);
    Span::from_nanos(if lag < 0 { -span } else { span })
}
