//! What is counted together is what is counted one by one.

use super::*;
use crate::diff::histogram::tests::error;
use crate::diff::stats::Sums;
use proptest::prelude::*;

/// The extremes of errors.
fn found(errors: &[f64]) -> Found {
    let max = errors.iter().copied().fold(0.0, f64::max);
    let min = errors.iter().copied().fold(f64::INFINITY, f64::min);
    Found { sums: Sums::default(), min, max, least_reference: 1.0 }
}

fn tallied(chunks: &[&[f64]]) -> Counts {
    let (mut counts, mut tally) = (Counts::default(), Tally::new());
    for errors in chunks {
        let (found, mut errors) = (found(errors), errors.to_vec());
        tally.admit(&mut errors, &found, &mut counts);
        errors.chunks(LANES).for_each(|errors| tally.count(errors));
    }
    tally.flush(&mut counts);
    counts
}

fn one_by_one(chunks: &[&[f64]]) -> Counts {
    let mut counts = Counts::default();
    chunks.iter().copied().flatten().for_each(|error| counts.add(*error));
    counts
}

#[test]
fn errors_at_the_ends_of_all_numbers_are_counted() {
    let tiny = [0.0, 5e-324, 0.0, 1e-310, f64::MIN_POSITIVE, 0.0];
    let huge = [f64::MAX, f64::MAX / 2.0, 1e300, 0.0];
    for chunks in [
        &[&tiny[..]][..],
        &[&huge],
        &[&tiny, &huge, &tiny, &[1.0]],
        &[&[0.0; 8]],
        &[&[0.0; 8], &[1.0], &[0.0; 8]],
        &[],
    ] {
        assert_eq!(tallied(chunks), one_by_one(chunks), "{chunks:?}");
    }
}

#[test]
fn errors_at_every_edge_below_the_largest_are_counted() {
    let largest = 1.0;
    for below in 0..2 * SLOTS as u16 {
        let at = edge(slot(largest) - below);
        let chunks: [&[f64]; 2] = [&[largest], &[at.next_down(), at, at.next_up(), largest]];
        assert_eq!(tallied(&chunks), one_by_one(&chunks), "{at}");
    }
}

#[test]
fn growing_and_shrinking_errors_are_counted() {
    let growing: Vec<f64> = (0..4_000).map(|n| 1e-12 * 1.01_f64.powi(n)).collect();
    let shrinking: Vec<f64> = growing.iter().rev().copied().collect();
    for errors in [growing, shrinking] {
        let chunks: Vec<&[f64]> = errors.chunks(25).collect();
        assert_eq!(tallied(&chunks), one_by_one(&chunks));
    }
}

#[test]
fn more_errors_than_a_lane_can_count_are_handed_over_before() {
    let (mut counts, mut tally) = (Counts::default(), Tally::new());
    let mut errors = [1.0; 4];
    let found = found(&errors);
    tally.admit(&mut errors, &found, &mut counts);
    tally.count(&errors);
    tally.admitted = u32::MAX as usize - 3;
    tally.admit(&mut errors, &found, &mut counts);
    assert_eq!((tally.admitted, counts.clone()), (4, one_by_one(&[&errors])));
    tally.count(&errors);
    tally.flush(&mut counts);
    assert_eq!(counts, one_by_one(&[&errors, &errors]));
}

proptest! {
    #[test]
    fn errors_are_counted_as_one_by_one_wherever_they_are_cut(
        errors in prop::collection::vec(error(), 0..600), cut in 0..600_usize, scale in -300..300_i32,
    ) {
        let (left, right) = errors.split_at(cut.min(errors.len()));
        // Far from what came before, so that the slots have to move.
        let right: Vec<f64> =
            right.iter().map(|e| (e * 10_f64.powi(scale)).min(f64::MAX)).collect();
        let single = one_by_one(&[left, &right]);
        prop_assert_eq!(&tallied(&[left, &right]), &single);
        let mut merged = tallied(&[left]);
        merged.merge(&tallied(&[&right]));
        prop_assert_eq!(&merged, &single);
        let mut merged = tallied(&[&right]);
        merged.merge(&tallied(&[left]));
        prop_assert_eq!(&merged, &single);
    }
}
