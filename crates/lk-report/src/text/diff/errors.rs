//! The errors of the worst field, by size.

use lk::diff::{ErrorHistogram, FieldDiff};

use super::address;
use crate::number;
use crate::style::Ink;
use crate::text::Page;

/// Columns of a histogram at most.
const COLUMNS: usize = 40;

/// Quantiles of the errors of a field, and how many there are of which size.
pub(super) fn show(page: &mut Page, key: &str, field: &FieldDiff) {
    let Some((error, quantiles)) = field.error.and_then(|e| Some((e, e.quantiles?))) else {
        return;
    };
    if error.max == 0.0 {
        return;
    }
    let shares = [
        ("50 %", quantiles.p50),
        ("90 %", quantiles.p90),
        ("99 %", quantiles.p99),
        ("99.9 %", quantiles.p999),
    ];
    let shares =
        shares.map(|(share, most)| format!("{share} ≤ {}", number::error_rounded_up(most)));
    page.blank();
    let text = format!("{}: {}", address(key, &field.path), shares.join(", "));
    page.labelled("errors", &text);
    if let Some(histogram) = &field.histogram {
        bars(page, histogram);
    }
}

/// `7.5e-9 ▁▂▅█▇▃▁ 4.8e-7, 12.3 % are 0`: columns of one ratio of sizes.
fn bars(page: &mut Page, histogram: &ErrorHistogram) {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    // Of subnormal numbers all.
    let octave = |size: f64| size.max(f64::MIN_POSITIVE).log2().floor() as i64;
    let octaves: Vec<(i64, u64)> =
        histogram.bins().map(|bin| (octave(bin.lower), bin.count)).collect();
    let (Some((first, _)), Some((last, _))) = (octaves.first(), octaves.last()) else { return };
    let span = usize::try_from(last - first + 1).unwrap_or(1);
    let width = span.div_ceil(COLUMNS);
    let mut columns = vec![0_u64; span.div_ceil(width)];
    for (octave, count) in &octaves {
        let column = usize::try_from(octave - first).unwrap_or(0) / width;
        if let Some(sum) = columns.get_mut(column) {
            *sum += count;
        }
    }
    let highest = columns.iter().copied().max().unwrap_or(1).max(1);
    let bar = |count: &u64| match count {
        0 => ' ',
        n => BARS[(u128::from(*n) * 8).div_ceil(u128::from(highest)) as usize - 1],
    };
    let bars: String = columns.iter().map(bar).collect();
    let low = histogram.bins().next().map_or(0.0, |bin| bin.lower);
    let high = histogram.bins().next_back().map_or(0.0, |bin| bin.upper.min(f64::MAX));
    let bars = page.paint(Ink::Strong, &bars);
    let mut text = format!("{} {bars} {}", number::error(low), number::error(high));
    if histogram.zero() > 0 {
        let share = number::share(histogram.zero(), histogram.count());
        text += &format!(", {share} are 0");
    }
    page.labelled("", &text);
}
