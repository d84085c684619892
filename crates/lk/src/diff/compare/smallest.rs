//! The smallest tolerance that lets something pass, to the last bit.

/// The smallest finite number from `low` on for which `passes` holds, which
/// holds for all numbers above one for which it does; infinite where it holds
/// for none. `low` must not be negative. Searched from a guess over bit
/// patterns, whose order is that of positive floats, so that rounding can't
/// make it off by a bit.
pub(super) fn smallest_passing(low: f64, guess: f64, passes: impl Fn(f64) -> bool) -> f64 {
    const LAST: u64 = f64::MAX.to_bits();
    let passes = |bits: u64| passes(f64::from_bits(bits));
    let mut fails = low.to_bits();
    if passes(fails) {
        return low;
    }
    let start = if guess > low { guess.to_bits().min(LAST) } else { fails + 1 };
    let (mut high, mut step) = (start, 1);
    if passes(start) {
        // Down from the guess, in steps that double, until one fails.
        while high - fails > step {
            match passes(high - step) {
                true => high -= step,
                false => fails = high - step,
            }
            step *= 2;
        }
    } else {
        // Up.
        fails = start;
        loop {
            if fails == LAST {
                return f64::INFINITY;
            }
            high = fails.saturating_add(step).min(LAST);
            if passes(high) {
                break;
            }
            fails = high;
            step = step.saturating_mul(2);
        }
    }
    while high - fails > 1 {
        let middle = fails + (high - fails) / 2;
        match passes(middle) {
            true => high = middle,
            false => fails = middle,
        }
    }
    f64::from_bits(high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number() -> impl Strategy<Value = f64> {
        prop_oneof![
            0.0..2.0,
            Just(0.0),
            (0..=f64::MAX.to_bits()).prop_map(f64::from_bits),
            Just(f64::MAX),
        ]
    }

    proptest! {
        #[test]
        fn the_edge_is_found_from_any_guess(
            low in number(), edge in number(), guess in prop_oneof![number(), Just(f64::NAN), Just(f64::INFINITY), Just(-1.0)],
        ) {
            let found = smallest_passing(low, guess, |v| v >= edge);
            prop_assert_eq!(found, low.max(edge));
            prop_assert_eq!(smallest_passing(low, guess, |_| false), f64::INFINITY);
        }
    }
}
