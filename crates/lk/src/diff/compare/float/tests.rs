//! Known numbers, and what holds for all.

use super::*;
use proptest::prelude::*;

const AT: At = At { index: 7, time: 70, tick: None };

fn close(abs: f64, rel: f64) -> Close {
    Close {
        measure: Measure::Difference,
        tolerance: Tolerance::sum(abs, rel),
        nan_equal: true,
        signed_zero: false,
        ignore: false,
    }
}

fn judge(a: f64, b: f64, close: &Close) -> Standing {
    super::judge(a.to_le_bytes(), b.to_le_bytes(), close)
}

fn judge_single(a: f32, b: f32, close: &Close) -> Standing {
    super::judge(a.to_le_bytes(), b.to_le_bytes(), close)
}

fn bytes(values: &[f64]) -> Vec<[u8; 8]> {
    values.iter().map(|v| v.to_le_bytes()).collect()
}

fn stats(a: &[f64], b: &[f64], close: &Close) -> LeafStats {
    let mut leaf = LeafStats::default();
    compare(&bytes(a), &bytes(b), close, &mut leaf, &AT);
    leaf
}

#[test]
fn closeness_is_absolute_plus_relative_to_the_reference() {
    let inf = f64::INFINITY;
    let cases = [
        (1.0, 1.0, 0.0, 0.0, Standing::Equal),
        (0.0, -0.0, 0.0, 0.0, Standing::Equal),
        (10.0, 11.0, 0.0, 0.1, Standing::Within),
        // Relative to the reference, not to the larger one.
        (10.0, 11.05, 0.0, 0.1, Standing::Violation),
        (11.05, 10.0, 0.0, 0.1, Standing::Within),
        (1.0, 1.5, 0.5, 0.0, Standing::Within),
        (inf, inf, 0.0, 0.0, Standing::Equal),
        (inf, -inf, 1e300, 1e300, Standing::Violation),
        (inf, 1.0, 1e300, 1.0, Standing::Violation),
        (1.0, inf, 1e300, 1e300, Standing::Violation),
        (f64::NAN, f64::NAN, 0.0, 0.0, Standing::Equal),
        (f64::NAN, 1.0, 1e300, 0.0, Standing::Violation),
        // A difference that overflows is not finite.
        (-1e308, 1e308, 1e308, 100.0, Standing::Violation),
    ];
    for (a, b, abs, rel, expected) in cases {
        assert_eq!(judge(a, b, &close(abs, rel)), expected, "{a} {b} abs={abs} rel={rel}");
    }
    let strict = Close { nan_equal: false, ..close(1.0, 0.0) };
    assert_eq!(judge(f64::NAN, f64::NAN, &strict), Standing::Violation);
}

#[test]
fn forms_of_known_numbers() {
    use Form::{MaxRef, MaxSym, Sum};
    for (a, b, abs, rel, form, expected) in [
        (10.0, 11.5, 0.5, 0.1, Sum, Standing::Within),
        (10.0, 11.5, 0.5, 0.1, MaxRef, Standing::Violation),
        (10.0, 11.0, 0.5, 0.1, MaxRef, Standing::Within),
        (0.0, 0.5, 0.5, 0.1, MaxRef, Standing::Within),
        // 1.1 is a tenth of the larger, not of the reference.
        (9.9, 11.0, 0.0, 0.1, MaxRef, Standing::Violation),
        (9.9, 11.0, 0.0, 0.1, MaxSym, Standing::Within),
        (11.0, 9.9, 0.0, 0.1, MaxSym, Standing::Within),
        (f64::INFINITY, 1.0, 1e300, 1e300, MaxRef, Standing::Violation),
        (1.0, f64::INFINITY, 1e300, 1e300, MaxSym, Standing::Violation),
        (f64::NAN, 1.0, 1e300, 1e300, MaxSym, Standing::Violation),
    ] {
        let close = Close { tolerance: Tolerance { abs, rel, form }, ..close(0.0, 0.0) };
        assert_eq!(judge(a, b, &close), expected, "{a} {b} abs={abs} rel={rel} {form:?}");
    }
}

#[test]
fn steps_are_of_the_width_of_the_field_and_count_across_zero() {
    let ulp = |n| Close { measure: Measure::Ulp(n), ..close(0.0, 0.0) };
    let near = |a: f64, b: f64, n| judge(a, b, &ulp(n)) != Standing::Violation;
    assert!(near(1.0, 1.0_f64.next_up(), 1) && !near(1.0, 1.0_f64.next_up(), 0));
    let tiny = f64::from_bits(1);
    assert!(near(-tiny, tiny, 2) && !near(-tiny, tiny, 1));
    assert!(near(-0.0, tiny, 1) && near(0.0, -0.0, 0));
    assert!(!near(f64::MAX, f64::INFINITY, u64::MAX) && near(f64::MIN, f64::MAX, u64::MAX));
    assert!(!near(f64::NAN, f64::INFINITY, u64::MAX) && near(f64::NAN, f64::NAN, 0));
    let (a, b) = (1.0_f32, 1.0_f32.next_up());
    assert_eq!(judge_single(a, b, &ulp(1)), Standing::Within);
    assert!(!near(a.into(), b.into(), 1 << 28) && near(a.into(), b.into(), 1 << 29));
}

#[test]
fn the_sign_of_zero_violates_whatever_the_tolerance_where_it_is_asked_for() {
    for measure in [Measure::Difference, Measure::Ulp(9)] {
        let close = Close { measure, signed_zero: true, ..close(1.0, 1.0) };
        assert_eq!(judge(0.0, -0.0, &close), Standing::Violation);
        assert_eq!(judge(-0.0, -0.0, &close), Standing::Equal);
        assert_eq!(judge(-0.0, f64::from_bits(1), &close), Standing::Within);
        let leaf = stats(&[0.0; 9], &[-0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -0.0], &close);
        let counts = leaf.counts();
        assert_eq!((counts.equal, counts.violations, counts.bit_equal), (7, 2, 7));
        assert_eq!(leaf.error(&close, &AT).unwrap().passing_abs, None);
    }
}

#[test]
fn angles_wrap_at_half_a_turn() {
    use std::f64::consts::PI;
    let angle = |turn| Close { measure: Measure::Angle { turn }, ..close(1e-3, 0.0) };
    let near = PI - 1e-4;
    let leaf = stats(&[PI, near, 0.0, 0.0], &[-PI, -near, 0.1, 6.2], &angle(2.0 * PI));
    let counts = leaf.counts();
    assert_eq!((counts.equal, counts.within, counts.violations), (0, 2, 2));
    assert!((leaf.max - 0.1).abs() < 1e-15, "{}", leaf.max);
    let degrees = angle(360.0);
    assert_eq!(degrees.difference(179.0, -179.0), 2.0);
    assert_eq!(degrees.difference(-179.0, 179.0), -2.0);
    assert_eq!(degrees.difference(10.0, 370.0), 0.0);
    assert_eq!(degrees.difference(0.0, 180.0), 180.0);
    assert_eq!(judge(f64::INFINITY, 0.0, &degrees), Standing::Violation);
    assert_eq!(judge(f64::NAN, 0.0, &degrees), Standing::Violation);
}

#[test]
fn statistics_of_known_numbers() {
    let close = close(0.5, 0.0);
    let leaf = stats(&[1.0, 2.0, 0.0, 4.0], &[1.0, 2.5, -1.0, 4.25], &close);
    let counts = leaf.counts();
    assert_eq!((counts.equal, counts.within, counts.violations), (1, 2, 1));
    assert_eq!((counts.bit_equal, counts.zero_reference), (1, 1));
    let error = leaf.error(&close, &AT).unwrap();
    assert_eq!((error.count, error.max, error.max_index), (4, 1.0, 7));
    assert_eq!((error.mean, error.bias), (1.75 / 4.0, -0.25 / 4.0));
    assert_eq!(error.rms, (1.3125_f64 / 4.0).sqrt());
    assert_eq!(error.passing_abs, Some(1.0));
}

#[test]
fn huge_errors_have_finite_statistics() {
    let close = close(0.0, 0.0);
    let leaf = stats(&[0.0; 8], &[1e308; 8], &close);
    let error = leaf.error(&close, &AT).unwrap();
    assert_eq!((error.mean, error.rms, error.bias), (1e308, 1e308, 1e308));
    let leaf = stats(&[0.0; 8], &[1e-200; 8], &close);
    assert!(leaf.error(&close, &AT).unwrap().rms > 0.0);
}

#[test]
fn the_smallest_relative_tolerance_of_known_numbers() {
    for (a, b, abs, expected) in [
        (&[2.0, 4.0][..], &[2.5, 4.5][..], 0.0, Some(0.25)),
        (&[2.0, 4.0], &[2.5, 4.5], 0.25, Some(0.125)),
        (&[2.0, 4.0], &[2.5, 4.5], 0.5, Some(0.0)),
        // No share of 0 is as much as 1, but 1 is allowed as it is.
        (&[0.0], &[1.0], 0.5, None),
        (&[0.0, 2.0], &[1.0, 4.0], 1.0, Some(0.5)),
        // More than the largest float times the reference.
        (&[5e-324], &[1.0], 0.0, None),
    ] {
        let close = close(abs, 0.0);
        let error = stats(a, b, &close).error(&close, &AT).unwrap();
        // The sum of both tolerances rounds.
        let near = |rel: f64, expected: f64| (rel - expected).abs() <= f64::EPSILON * expected;
        let same = match (error.passing_rel, expected) {
            (Some(rel), Some(expected)) => near(rel, expected),
            (rel, expected) => rel == expected,
        };
        assert!(same, "{a:?} {b:?} abs={abs}: {:?}", error.passing_rel);
    }
}

#[test]
fn quantiles_of_known_errors() {
    // One in a hundred is 1, the others are 1e-3 or nothing.
    let b: Vec<f64> = (0..4_000)
        .map(|i| match i % 100 {
            0 => 1.0,
            1..40 => 0.001,
            _ => 0.0,
        })
        .collect();
    let close = close(0.0, 0.0);
    let leaf = stats(&vec![0.0; 4_000], &b, &close);
    let quantiles = leaf.error(&close, &AT).unwrap().quantiles.unwrap();
    assert_eq!((quantiles.p50, quantiles.p999), (0.0, 1.0));
    for near in [quantiles.p90, quantiles.p99] {
        assert!((0.001..=0.001 * 1.125).contains(&near), "{near}");
    }
    let histogram = leaf.histogram().unwrap();
    assert_eq!((histogram.zero(), histogram.count()), (2_400, 4_000));
    assert_eq!(histogram.bins().map(|bin| bin.count).collect::<Vec<_>>(), [1_560, 40]);
}

#[test]
fn an_infinity_or_nan_on_one_side_never_passes() {
    for bad in [f64::NAN, f64::INFINITY] {
        let close = close(1.0, 0.0);
        let leaf = stats(&[1.0; 5], &[1.0, 1.0, bad, 1.0, 1.0], &close);
        assert_eq!(leaf.counts().violations, 1);
        let error = leaf.error(&close, &AT).unwrap();
        assert_eq!((error.count, error.passing_abs), (4, None));
    }
}

fn any_value() -> impl Strategy<Value = f64> {
    prop_oneof![
        8 => -4.0..4.0,
        2 => prop::num::f64::ANY,
        1 => prop::sample::select(vec![0.0, -0.0, f64::NAN, f64::INFINITY, -f64::INFINITY]),
    ]
}

/// What a chunk of a long array is like.
#[derive(Clone, Copy, Debug)]
enum Like {
    Near,
    Equal,
    /// A difference here and there.
    Sparse,
    /// Zeros of other signs.
    Signs,
    NotFinite,
    /// Errors whose squares are beyond all numbers.
    Huge,
    Tiny,
}

const LIKE: [Like; 7] =
    [Like::Near, Like::Equal, Like::Sparse, Like::Signs, Like::NotFinite, Like::Huge, Like::Tiny];

/// Pairs of numbers of which single precision has close ones, too.
fn chunk_like(like: Like, n: usize, seed: u64) -> Vec<(f64, f64)> {
    let mut state = seed;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        (state >> 40) as f64 / (1_u64 << 24) as f64
    };
    let mut pair = |i: usize| match like {
        Like::Near => (random(), random()),
        Like::Equal => (1.5, 1.5),
        Like::Sparse => (1.5, if i.is_multiple_of(37) { 1.5 + random() } else { 1.5 }),
        Like::Signs => (0.0, if random() < 0.5 { -0.0 } else { 0.0 }),
        Like::NotFinite if i == n / 2 => (1.0, [f64::NAN, f64::INFINITY][seed as usize % 2]),
        Like::NotFinite => (random(), random()),
        Like::Huge => (0.0, 1e38 * random()),
        Like::Tiny => (0.0, 1e-40 * random()),
    };
    (0..n).map(&mut pair).collect()
}

/// Holds that elements at once come to what single ones come to.
fn holds_as_single<B: FloatBytes + std::fmt::Debug>(
    pairs: &[(f64, f64)],
    of: impl Fn(f64) -> B,
    close: &Close,
) -> Result<(), TestCaseError> {
    let (a, b): (Vec<B>, Vec<B>) = pairs.iter().map(|(a, b)| (of(*a), of(*b))).unzip();
    let (mut whole, mut single) = (LeafStats::default(), LeafStats::default());
    let violations = compare(&a, &b, close, &mut whole, &AT);
    prop_assert_eq!(violations, each(&a, &b, close, &mut single, &AT));
    let (sums, expected) = (std::mem::take(&mut whole.open), std::mem::take(&mut single.open));
    for (sum, expected) in [
        (sums.absolute, expected.absolute),
        (sums.square, expected.square),
        // Of both signs: what cancels out leaves an error of the larger ones.
        (sums.signed + sums.absolute, expected.signed + expected.absolute),
    ] {
        prop_assert!(sum == expected || (sum / expected - 1.0).abs() < 1e-9, "{sum} {expected}");
    }
    prop_assert_eq!(whole, single);
    Ok(())
}

proptest! {
    #[test]
    fn a_long_array_of_unlike_chunks_counts_what_single_elements_count(
        chunks in prop::collection::vec((prop::sample::select(LIKE.to_vec()), any::<u64>()), 2..6),
        last in (prop::sample::select(LIKE.to_vec()), 0..10_usize),
        rel in prop::sample::select(vec![0.0, 0.1]),
        nan_equal: bool,
        signed_zero: bool,
    ) {
        let mut pairs: Vec<(f64, f64)> = Vec::new();
        chunks.iter().for_each(|(like, seed)| pairs.extend(chunk_like(*like, CHUNK, *seed)));
        pairs.extend(chunk_like(last.0, last.1, 1));
        let close = Close { nan_equal, signed_zero, ..close(1e-3, rel) };
        holds_as_single(&pairs, f64::to_le_bytes, &close)?;
        holds_as_single(&pairs, |x| (x as f32).to_le_bytes(), &close)?;
        // So huge that squares overflow where errors don't.
        let scaled: Vec<_> = pairs.iter().map(|(a, b)| (a * 1e200, b * 1e200)).collect();
        holds_as_single(&scaled, f64::to_le_bytes, &close)?;
    }

    #[test]
    fn chunks_count_what_single_elements_count(
        mut pairs in prop::collection::vec((any_value(), any_value()), 0..900),
        equal_share in 0.0..1.0,
        abs in prop::sample::select(vec![0.0, 1e-6, 2.0]),
        rel in prop::sample::select(vec![0.0, 0.1, 1e6]),
        form in prop::sample::select(vec![Form::Sum, Form::MaxRef, Form::MaxSym]),
        measure in prop::sample::select(vec![
            Measure::Difference, Measure::Difference, Measure::Ulp(0), Measure::Ulp(1 << 52),
            Measure::Angle { turn: 1.5 },
        ]),
        nan_equal: bool,
        signed_zero: bool,
        finite: bool,
    ) {
        for (i, (a, b)) in pairs.iter_mut().enumerate() {
            // Else hardly a chunk would be without one that isn't.
            for v in [&mut *a, &mut *b] {
                if finite && (!v.is_finite() || v.abs() > 1e6) { *v = 0.0_f64.copysign(*v); }
            }
            if (i % 16) as f64 <= equal_share * 16.0 { *b = *a; }
        }
        let tolerance = Tolerance { abs, rel, form };
        let close = Close { nan_equal, signed_zero, measure, tolerance, ignore: false };
        let (a, b): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
        let whole = stats(&a, &b, &close);
        let counts = whole.counts();
        let sum = counts.equal + counts.within + counts.violations;
        prop_assert_eq!((counts.compared, sum), (a.len() as u64, a.len() as u64));
        let mut single = LeafStats::default();
        each(&bytes(&a), &bytes(&b), &close, &mut single, &AT);
        prop_assert_eq!(whole.counts(), single.counts());
        prop_assert_eq!(whole.n_errors(), single.n_errors());
        prop_assert_eq!((whole.max, whole.passing), (single.max, single.passing));
        prop_assert_eq!((whole.passing_rel, whole.steps), (single.passing_rel, single.steps));
        prop_assert_eq!(whole.errors, single.errors);
    }

    #[test]
    fn the_passing_tolerance_passes_and_no_smaller_one_does(
        pairs in prop::collection::vec((-4.0..4.0, -4.0..4.0), 1..40),
        rel in prop::sample::select(vec![0.0, 0.1, 0.9]),
        form in prop::sample::select(vec![Form::Sum, Form::MaxRef, Form::MaxSym]),
        angle: bool,
    ) {
        let (a, b): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
        let close = |abs| match angle {
            true => Close { measure: Measure::Angle { turn: 1.5 }, ..close(abs, 0.0) },
            false => Close { tolerance: Tolerance { abs, rel, form }, ..close(abs, rel) },
        };
        let passing = stats(&a, &b, &close(0.0)).passing;
        prop_assert_eq!(stats(&a, &b, &close(passing)).violations, 0);
        if passing > 0.0 {
            prop_assert!(stats(&a, &b, &close(passing.next_down())).violations > 0);
        }
    }

    #[test]
    fn the_passing_relative_tolerance_passes_and_no_smaller_one_does(
        pairs in prop::collection::vec(
            (prop_oneof![9 => -4.0..4.0, 1 => Just(0.0)], -4.0..4.0), 1..40,
        ),
        abs in prop::sample::select(vec![0.0, 0.1, 5.0]),
        form in prop::sample::select(vec![Form::Sum, Form::MaxRef, Form::MaxSym]),
    ) {
        let (a, b): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
        let close = |rel| Close { tolerance: Tolerance { abs, rel, form }, ..close(0.0, 0.0) };
        let leaf = stats(&a, &b, &close(0.0));
        let Some(rel) = leaf.error(&close(0.0), &AT).and_then(|error| error.passing_rel) else {
            prop_assert!(stats(&a, &b, &close(f64::MAX)).violations > 0);
            return Ok(());
        };
        prop_assert_eq!(stats(&a, &b, &close(rel)).violations, 0);
        if rel > 0.0 {
            prop_assert!(stats(&a, &b, &close(rel.next_down())).violations > 0);
        }
        // Whatever the relative tolerance that it was worked out at.
        prop_assert_eq!(stats(&a, &b, &close(0.5)).passing_rel, leaf.passing_rel);
    }

    #[test]
    fn the_passing_number_of_steps_passes_and_no_smaller_one_does(
        pairs in prop::collection::vec((-4.0..4.0, 0..40_u64), 1..40), n in 0..50_u64,
    ) {
        let a: Vec<f64> = pairs.iter().map(|(a, _)| *a).collect();
        let up = |(a, steps): &(f64, u64)| (0..*steps).fold(*a, |b, _| b.next_up());
        let b: Vec<f64> = pairs.iter().map(up).collect();
        let ulp = |n| Close { measure: Measure::Ulp(n), ..close(0.0, 0.0) };
        let error = stats(&a, &b, &ulp(n)).error(&ulp(n), &AT).unwrap();
        prop_assert_eq!(error.passing_ulp, pairs.iter().map(|(_, steps)| *steps).max());
        let passing = error.passing_ulp.unwrap_or(0);
        prop_assert_eq!(stats(&a, &b, &ulp(passing)).violations, 0);
        prop_assert!(passing == 0 || stats(&a, &b, &ulp(passing - 1)).violations > 0);
        prop_assert_eq!((error.passing_abs, error.passing_rel), (None, None));
    }

    #[test]
    fn loosening_never_parts_what_was_close(
        a in any_value(),
        b in any_value(),
        (abs, rel) in (0.0..2.0, 0.0..2.0),
        (more_abs, more_rel) in (0.0..2.0, 0.0..2.0),
        (n, more) in (any::<u64>(), any::<u64>()),
        signed_zero: bool,
    ) {
        for form in [Form::Sum, Form::MaxRef, Form::MaxSym] {
            let tight = Tolerance { abs, rel, form };
            let loose = Tolerance { abs: abs + more_abs, rel: rel + more_rel, form };
            let at = |tolerance| Close { tolerance, signed_zero, ..close(0.0, 0.0) };
            if judge(a, b, &at(tight)) != Standing::Violation {
                prop_assert_ne!(judge(a, b, &at(loose)), Standing::Violation);
            }
            // The sum is never tighter than the larger of the two.
            if form == Form::MaxRef && judge(a, b, &at(tight)) != Standing::Violation {
                let sum = Tolerance { form: Form::Sum, ..tight };
                prop_assert_ne!(judge(a, b, &at(sum)), Standing::Violation);
            }
        }
        let angle = |abs| Close { measure: Measure::Angle { turn: 1.5 }, ..close(abs, 0.0) };
        if judge(a, b, &angle(abs)) != Standing::Violation {
            prop_assert_ne!(judge(a, b, &angle(abs + more_abs)), Standing::Violation);
        }
        let ulp = |n| Close { measure: Measure::Ulp(n), signed_zero, ..close(0.0, 0.0) };
        if judge(a, b, &ulp(n)) != Standing::Violation {
            prop_assert_ne!(judge(a, b, &ulp(n.saturating_add(more))), Standing::Violation);
        }
    }

    #[test]
    fn the_symmetric_forms_are_the_same_for_either_side_as_the_reference(
        a in any_value(), b in any_value(), abs in 0.0..1.0, rel in 0.0..1.0, n: u64,
    ) {
        let max_sym = Tolerance { abs, rel, form: Form::MaxSym };
        for close in [
            Close { tolerance: max_sym, ..close(0.0, 0.0) },
            Close { measure: Measure::Ulp(n), ..close(0.0, 0.0) },
            Close { measure: Measure::Angle { turn: 1.5 }, ..close(abs, 0.0) },
        ] {
            prop_assert_eq!(judge(a, b, &close), judge(b, a, &close));
        }
    }

    #[test]
    fn steps_are_counted_as_walking_them_one_by_one_does(
        start in prop_oneof![-20..20_i32, any::<i32>()], steps in 0..40_u64, allowed in 0..40_u64,
    ) {
        // Around zero, where signs change, as well as anywhere else.
        let a = match start {
            -20..20 => f32::from_bits(start.unsigned_abs()).copysign(start as f32),
            _ => f32::from_bits(start.cast_unsigned()),
        };
        let b = (0..steps).fold(a, |b, _| b.next_up());
        // No step leads out of NaN and infinity, or from one zero to the other.
        prop_assume!(a.is_finite() && b.is_finite());
        let close = Close { measure: Measure::Ulp(allowed), ..close(0.0, 0.0) };
        let near = judge_single(a, b, &close) != Standing::Violation;
        prop_assert_eq!(near, steps <= allowed, "{} to {} in {}", a, b, steps);
    }

    #[test]
    fn whole_turns_change_nothing_and_the_error_is_at_most_half_a_turn(
        a in -1000..1000_i32, b in -1000..1000_i32, turns in -5..5_i32, abs in 0..200_u32,
    ) {
        // Whole degrees, so that nothing rounds.
        let close = Close { measure: Measure::Angle { turn: 360.0 }, ..close(abs.into(), 0.0) };
        let [x, y, z] = [a, b, b + 360 * turns].map(f64::from);
        let error = close.difference(x, y);
        let naive = (a - b).rem_euclid(360).min((b - a).rem_euclid(360));
        prop_assert_eq!(error.abs(), f64::from(naive));
        let near = |b| judge(x, b, &close) != Standing::Violation;
        prop_assert_eq!(near(y), naive <= abs as i32);
        prop_assert_eq!(near(y), near(z));
    }
}
