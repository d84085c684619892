//! Rotations against rotations: four numbers that stand or fall together.

use super::float::Standing;
use super::float_bytes::FloatBytes;
use crate::diff::MismatchKind;
use crate::diff::plan::Close;
use crate::diff::stats::{At, LeafStats};
use crate::value::Scalar;

use super::evidence::Violation;

/// Positions of w, x, y and z among four numbers.
pub(in crate::diff) type Places = [u8; 4];

/// The numbers of a quaternion as w, x, y, z.
fn components<B: FloatBytes>(numbers: &[B], places: Places) -> Option<[B; 4]> {
    let at = |n: usize| numbers.get(usize::from(places[n])).copied();
    Some([at(0)?, at(1)?, at(2)?, at(3)?])
}

/// Largest magnitude 1, so that products neither overflow nor vanish; `None`
/// where it is no rotation.
fn scaled(q: [f64; 4]) -> Option<[f64; 4]> {
    let largest = q.iter().fold(0.0_f64, |largest, v| largest.max(v.abs()));
    (q.iter().all(|v| v.is_finite()) && largest > 0.0).then(|| q.map(|v| v / largest))
}

/// The angle of the rotation from `a` to `b`, from 0 to pi, whatever their
/// norms; `None` where one of them is no rotation.
fn angle(a: [f64; 4], b: [f64; 4]) -> Option<f64> {
    let ([aw, ax, ay, az], [bw, bx, by, bz]) = (scaled(a)?, scaled(b)?);
    let w = aw * bw + ax * bx + ay * by + az * bz;
    let x = aw * bx - bw * ax - (ay * bz - az * by);
    let y = aw * by - bw * ay - (az * bx - ax * bz);
    let z = aw * bz - bw * az - (ax * by - ay * bx);
    // The sine as well as the cosine, which alone says little of small angles.
    Some(2.0 * x.hypot(y).hypot(z).atan2(w.abs()))
}

fn judge(a: [f64; 4], b: [f64; 4], close: &Close) -> (Standing, Option<f64>) {
    let error = angle(a, b);
    let standing = match error {
        None => Standing::Violation,
        Some(_) if a == b => Standing::Equal,
        Some(error) if error <= close.tolerance.abs => Standing::Within,
        Some(_) => Standing::Violation,
    };
    (standing, error)
}

/// Compares one quaternion. All its scalars count as what the whole is; its
/// error is one. Returns how many scalars violate.
pub(super) fn compare<B: FloatBytes>(
    a: &[B],
    b: &[B],
    places: [Places; 2],
    close: &Close,
    leaf: &mut LeafStats,
    at: &At,
) -> u64 {
    let (Some(a), Some(b)) = (components(a, places[0]), components(b, places[1])) else {
        return 0;
    };
    let (x, y) = (a.map(B::value), b.map(B::value));
    let count = |holds: &dyn Fn(usize) -> bool| (0..4).filter(|n| holds(*n)).count() as u64;
    leaf.compared += 4;
    leaf.not_bit_equal += if a == b { 0 } else { 4 };
    leaf.zero_reference += count(&|n| x[n] == 0.0);
    leaf.nan_reference += count(&|n| x[n].is_nan());
    leaf.nan_candidate += count(&|n| y[n].is_nan());
    leaf.inf += count(&|n| x[n].is_infinite() || y[n].is_infinite());
    let (standing, error) = judge(x, y, close);
    match error {
        Some(error) => {
            leaf.no_error += 3;
            leaf.take(error, at);
            leaf.passing = leaf.passing.max(error);
        }
        None => {
            leaf.no_error += 4;
            leaf.unbounded += 4;
        }
    }
    let violations = if standing == Standing::Violation { 4 } else { 0 };
    leaf.within += if standing == Standing::Within { 4 } else { 0 };
    leaf.violate(violations, at);
    violations
}

/// A quaternion that violates, as reports show it.
pub(super) fn violation<B: FloatBytes>(
    a: &[B],
    b: &[B],
    places: [Places; 2],
    close: &Close,
) -> Option<Violation> {
    let [a, b] = [components(a, places[0])?, components(b, places[1])?].map(|q| q.map(B::value));
    let (standing, error) = judge(a, b, close);
    if standing != Standing::Violation {
        return None;
    }
    let any = |holds: fn(f64) -> bool| a.iter().chain(&b).any(|v| holds(*v));
    let kind = match () {
        () if any(f64::is_nan) => MismatchKind::Nan,
        () if any(f64::is_infinite) => MismatchKind::Infinity,
        () => MismatchKind::Value,
    };
    let show = |[w, x, y, z]: [f64; 4]| {
        // Single precision in as many digits as it has.
        let number = |v: f64| match size_of::<B>() {
            4 => format!("{:?}", v as f32),
            _ => format!("{v:?}"),
        };
        let [w, x, y, z] = [w, x, y, z].map(number);
        Scalar::Text(format!("w={w} x={x} y={y} z={z}"))
    };
    Some(Violation { kind, a: show(a), b: show(b), error })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::Tolerance;
    use crate::diff::plan::Measure;
    use proptest::prelude::*;
    use std::f64::consts::{FRAC_PI_2, PI};

    const WXYZ: Places = [0, 1, 2, 3];

    fn close(abs: f64) -> Close {
        Close {
            measure: Measure::Quaternion([WXYZ; 2]),
            tolerance: Tolerance::sum(abs, 0.0),
            nan_equal: true,
            signed_zero: false,
            ignore: false,
        }
    }

    fn about_z(angle: f64) -> [f64; 4] {
        [(angle / 2.0).cos(), 0.0, 0.0, (angle / 2.0).sin()]
    }

    #[test]
    fn known_rotations_are_their_angle_apart() {
        let one = [1.0, 0.0, 0.0, 0.0];
        for (a, b, expected) in [
            (one, about_z(FRAC_PI_2), FRAC_PI_2),
            (one, [0.0, 1.0, 0.0, 0.0], PI),
            (one, [-1.0, 0.0, 0.0, 0.0], 0.0),
            (one, [5e-324, 0.0, 0.0, 0.0], 0.0),
            (one, [1e308, 1e308, 0.0, 0.0], FRAC_PI_2),
            (about_z(0.1), about_z(0.3), 0.2),
            // The cosine alone would say 0, or 2e-8.
            (one, about_z(1e-9), 1e-9),
            (one, [1.0, 0.0, 5e-200, 0.0], 1e-199),
            // 90 degrees about x, then y: 120 about a diagonal.
            ([0.5, 0.5, 0.5, 0.5], one, 2.0 * PI / 3.0),
        ] {
            let error = angle(a, b).unwrap();
            assert!((error - expected).abs() <= 1e-15 * expected.max(1e-3), "{a:?} {b:?}: {error}");
        }
    }

    #[test]
    fn what_is_no_rotation_violates_even_against_itself() {
        let one = [1.0, 0.0, 0.0, 0.0];
        for bad in [[0.0; 4], [f64::NAN, 0.0, 0.0, 1.0], [f64::INFINITY, 0.0, 0.0, 0.0]] {
            for (a, b) in [(bad, bad), (one, bad), (bad, one)] {
                assert_eq!(judge(a, b, &close(10.0)), (Standing::Violation, None), "{a:?} {b:?}");
            }
        }
    }

    fn quaternion() -> impl Strategy<Value = [f64; 4]> {
        prop_oneof![
            4 => prop::array::uniform4(-1.0..1.0),
            1 => prop::array::uniform4(prop::num::f64::ANY),
            1 => prop::array::uniform4(prop::sample::select(vec![0.0, -0.0, 1.0, f64::NAN])),
        ]
    }

    proptest! {
        #[test]
        fn the_sign_of_a_quaternion_and_the_side_make_no_difference(
            a in quaternion(), b in quaternion(), abs in 0.0..4.0, more in 0.0..1.0,
        ) {
            let error = angle(a, b);
            prop_assert_eq!(error, angle(a, b.map(|v| -v)));
            prop_assert_eq!(error, angle(a.map(|v| -v), b));
            prop_assert_eq!(error, angle(b, a));
            prop_assert!(error.is_none_or(|error| (0.0..=PI).contains(&error)));
            let violates = |abs| judge(a, b, &close(abs)).0 == Standing::Violation;
            prop_assert!(violates(abs) || !violates(abs + more));
            // A quaternion and its negative pass at no tolerance at all.
            let opposite = judge(a, a.map(|v| -v), &close(0.0));
            prop_assert_eq!(opposite.0 == Standing::Violation, angle(a, a).is_none());
        }

        #[test]
        fn a_rotation_by_an_angle_is_that_angle_apart(
            a in prop::array::uniform4(-1.0..1.0), by in -PI..PI, norm in 1e-3..1e3,
        ) {
            prop_assume!(a.iter().any(|v: &f64| v.abs() > 1e-3));
            // a times a rotation about z.
            let [c, _, _, s] = about_z(by);
            let [w, x, y, z] = a;
            let b = [w * c - z * s, x * c + y * s, y * c - x * s, z * c + w * s];
            let error = angle(a, b.map(|v| v * norm)).unwrap();
            prop_assert!((error - by.abs()).abs() < 1e-14, "{} {}", error, by);
        }

        #[test]
        fn scalars_of_a_quaternion_count_together_and_its_error_once(
            pairs in prop::collection::vec((quaternion(), quaternion(), any::<bool>()), 1..20),
            abs in 0.0..4.0,
        ) {
            let close = close(abs);
            let mut leaf = LeafStats::default();
            let (mut errors, mut largest) = (0, 0.0_f64);
            for (a, b, same) in &pairs {
                let b = if *same { a } else { b };
                let bytes = |q: &[f64; 4]| q.map(f64::to_le_bytes);
                compare(&bytes(a), &bytes(b), [WXYZ; 2], &close, &mut leaf, &At::default());
                errors += u64::from(angle(*a, *b).is_some());
                largest = largest.max(angle(*a, *b).unwrap_or(0.0));
            }
            let counts = leaf.counts();
            prop_assert_eq!(counts.compared, 4 * pairs.len() as u64);
            prop_assert_eq!(counts.compared, counts.equal + counts.within + counts.violations);
            for n in [counts.equal, counts.within, counts.violations, counts.bit_equal] {
                prop_assert_eq!(n % 4, 0);
            }
            prop_assert_eq!((leaf.n_errors(), leaf.max, leaf.passing), (errors, largest, largest));
        }
    }
}
