//! Known numbers, and what holds for all.

use super::*;
use proptest::prelude::*;

fn counted(errors: &[f64]) -> ErrorHistogram {
    let mut counts = Counts::default();
    errors.iter().for_each(|error| counts.add(*error));
    counts.histogram(errors.len() as u64)
}

#[test]
fn known_errors_are_in_bins_of_an_eighth() {
    let histogram = counted(&[0.0, 1.0, 1.124, 1.125, 0.0, 1.99, 2.0, 2.24]);
    assert_eq!((histogram.zero(), histogram.count()), (2, 8));
    let bins: Vec<_> = histogram.bins().map(|b| (b.lower, b.upper, b.count)).collect();
    assert_eq!(bins, [(1.0, 1.125, 2), (1.125, 1.25, 1), (1.875, 2.0, 1), (2.0, 2.25, 2)]);
}

#[test]
fn quantiles_are_upper_bounds_by_rank() {
    let histogram = counted(&[0.0, 0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0]);
    for (per_mille, bound) in [(0, 0.0), (200, 0.0), (201, 1.125), (500, 4.5), (900, 72.0)] {
        assert_eq!(histogram.quantile(per_mille), Some(bound), "{per_mille}");
    }
    assert_eq!(histogram.quantile(1_000), Some(144.0));
    assert_eq!(counted(&[]).quantile(500), None);
}

#[test]
fn a_histogram_that_no_comparison_makes_is_refused() {
    for (json, reason) in [
        (r#"{"zero": 0, "bins": {"0.3": 1}}"#, "`0.3` is no edge"),
        (r#"{"zero": 0, "bins": {"-1.0": 1}}"#, "no edge"),
        (r#"{"zero": 0, "bins": {"-0.0": 1}}"#, "no edge"),
        (r#"{"zero": 0, "bins": {"inf": 1}}"#, "no edge"),
        (r#"{"zero": 0, "bins": {"x": 1}}"#, "no edge"),
        (r#"{"zero": 0, "bins": {"2.0": 1, "1.0": 1}}"#, "ascend"),
        (r#"{"zero": 0, "bins": {"2.0": 0}}"#, "errors in them"),
        (r#"{"zero": 1, "bins": {"2.0": 18446744073709551615}}"#, "overflow"),
    ] {
        let error = serde_json::from_str::<ErrorHistogram>(json).unwrap_err().to_string();
        assert!(error.contains(reason), "{json}: {error}");
    }
}

/// Errors of all sizes, many of them about the same, and 0.
pub(in crate::diff) fn error() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => 0.0..1e-6,
        1 => Just(0.0),
        1 => prop::num::f64::POSITIVE.prop_filter("finite", |e| e.is_finite()),
        1 => prop::num::f64::SUBNORMAL.prop_map(f64::abs),
    ]
}

proptest! {
    #[test]
    fn every_error_is_within_its_bin_and_none_is_lost(
        errors in prop::collection::vec(error(), 0..200),
    ) {
        let histogram = counted(&errors);
        prop_assert_eq!(histogram.count(), errors.len() as u64);
        for bin in histogram.bins() {
            let inside = errors.iter().filter(|e| (bin.lower..bin.upper).contains(e) && **e > 0.0);
            prop_assert_eq!(inside.count() as u64, bin.count);
            prop_assert!(bin.upper <= bin.lower * 1.125 || bin.upper < f64::MIN_POSITIVE * 2.0);
        }
    }

    #[test]
    fn a_quantile_is_not_below_the_true_one_and_at_most_an_eighth_above(
        mut errors in prop::collection::vec(error(), 1..200), per_mille in 0..=1_000_u32,
    ) {
        let bound = counted(&errors).quantile(per_mille).unwrap();
        errors.sort_by(f64::total_cmp);
        let rank = (errors.len() * per_mille as usize).div_ceil(1_000).max(1);
        let exact = errors[rank - 1];
        prop_assert!(exact <= bound, "{} {}", exact, bound);
        let step = f64::from_bits(1 << SHIFT);
        prop_assert!(bound <= exact * 1.125 || bound <= exact + step, "{} {}", exact, bound);
    }

    #[test]
    fn a_histogram_reads_back_from_json(errors in prop::collection::vec(error(), 0..50)) {
        let histogram = counted(&errors);
        let text = serde_json::to_string(&histogram).unwrap();
        prop_assert_eq!(serde_json::from_str::<ErrorHistogram>(&text).unwrap(), histogram);
    }
}
