//! How often something may happen that was seen so many times.

/// The upper Clopper-Pearson bound: the largest probability of an event for
/// which seeing it at most `k` times in `n` independent trials is no less
/// likely than `1 - confidence`. One-sided, exact, and so on the safe side; 1
/// where it happened always, or nothing was tried.
///
/// C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits
/// illustrated in the case of the binomial", Biometrika 26 (1934).
pub(super) fn upper_bound(k: u64, n: u64, confidence: f64) -> f64 {
    if k >= n {
        return 1.0;
    }
    let (k, n) = (k as f64, n as f64);
    if k == 0.0 {
        return -((1.0 - confidence).ln() / n).exp_m1();
    }
    // P(at most k) = 1 - I_p(k + 1, n - k), which falls with p.
    let (mut low, mut high) = (k / n, 1.0);
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            return high;
        }
        match beta_regularized(k + 1.0, n - k, middle) < confidence {
            true => low = middle,
            false => high = middle,
        }
    }
}

/// The regularized incomplete beta function I_x(a, b), by its continued
/// fraction (DLMF 8.17.22) where that converges fast, and its mirror image
/// elsewhere. Its relative error is about 1e-14 times the larger parameter.
fn beta_regularized(a: f64, b: f64, x: f64) -> f64 {
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - beta_regularized(b, a, 1.0 - x);
    }
    let log_beta = log_gamma(a) + log_gamma(b) - log_gamma(a + b);
    let front = (a * x.ln() + b * (-x).ln_1p() - log_beta).exp() / a;
    front * continued_fraction(a, b, x)
}

/// Lentz's method, as modified by Thompson and Barnett (1986).
fn continued_fraction(a: f64, b: f64, x: f64) -> f64 {
    // It takes about as many terms as the root of the larger parameter.
    const TERMS: u32 = 1_000_000;
    let nonzero = |v: f64| if v.abs() < f64::MIN_POSITIVE { f64::MIN_POSITIVE } else { v };
    let mut c = 1.0;
    let mut d = 1.0 / nonzero(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    for term in 1..TERMS {
        let m = f64::from(term);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut step = 1.0;
        for factor in [even, odd] {
            d = 1.0 / nonzero(1.0 + factor * d);
            c = nonzero(1.0 + factor / c);
            value *= d * c;
            step = d * c;
        }
        if (step - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    value
}

/// ln Γ(x) for x > 0.5, by Lanczos's approximation with the coefficients of P.
/// Godfrey for g = 7.
fn log_gamma(x: f64) -> f64 {
    const G: f64 = 7.0;
    const FIRST: f64 = 0.999_999_999_999_809_9;
    const COEFFICIENTS: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    let x = x - 1.0;
    let series: f64 = COEFFICIENTS.iter().zip(1..).map(|(c, n)| c / (x + f64::from(n))).sum();
    let t = x + G + 0.5;
    0.5 * std::f64::consts::TAU.ln() + (x + 0.5) * t.ln() - t + (FIRST + series).ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_bounds() {
        // By sums of binomial terms in 60 decimal digits; 10 of 100 is in many
        // textbooks, and SciPy's `beta.ppf(confidence, k + 1, n - k)` is this.
        for (k, n, confidence, expected) in [
            (0, 10, 0.95, 0.258_865_550_893_052_3),
            (10, 100, 0.975, 0.176_222_597_740_022_7),
            (1, 10, 0.95, 0.394_163_302_436_505),
            (0, 299, 0.95, 0.009_969_146_792_899_27),
            (5, 5000, 0.99, 0.002_619_571_593_218_142),
            (20, 10000, 0.95, 0.002_904_884_868_683_747),
            (99, 100, 0.95, 0.999_487_198_583_737_7),
            (500, 1000, 0.9, 0.520_749_009_150_225_3),
            (300, 1000000, 0.95, 0.000_330_089_281_777_940_3),
            (3, 7, 0.5, 0.5),
        ] {
            let bound = upper_bound(k, n, confidence);
            let error = (bound - expected).abs() / expected;
            assert!(error < 1e-9, "{k} of {n} at {confidence}: {bound}, not {expected}");
        }
        assert_eq!(upper_bound(5, 5, 0.95), 1.0);
        assert_eq!(upper_bound(0, 0, 0.95), 1.0);
    }

    #[test]
    fn known_values_of_the_functions() {
        for (x, factorial) in [(1.0, 1.0_f64), (2.0, 1.0), (5.0, 24.0), (11.0, 3_628_800.0)] {
            assert!((log_gamma(x) - factorial.ln()).abs() < 1e-13, "{x}");
        }
        // I_x(1, b) = 1 - (1 - x)^b, I_x(a, 1) = x^a, I_1/2(a, a) = 1/2.
        for x in [0.01, 0.3, 0.5, 0.99] {
            assert!((beta_regularized(1.0, 3.0, x) - (1.0 - (1.0 - x).powi(3))).abs() < 1e-14);
            assert!((beta_regularized(4.0, 1.0, x) - x.powi(4)).abs() < 1e-14);
        }
        // Logarithms of huge numbers cancel.
        assert!((beta_regularized(1e6, 1e6, 0.5) - 0.5).abs() < 1e-7);
    }

    proptest! {
        #[test]
        fn a_bound_is_above_what_was_seen_and_moves_the_right_way(
            n in 1..100_000_u64, share in 0.0..1.0_f64, confidence in 0.5..0.9999_f64,
        ) {
            let k = (n as f64 * share * share) as u64;
            let bound = upper_bound(k, n, confidence);
            prop_assert!(bound > k as f64 / n as f64 && bound <= 1.0);
            prop_assert!(upper_bound(k, n + 1, confidence) < bound || k == n);
            prop_assert!(k + 1 > n || upper_bound(k + 1, n, confidence) > bound);
            prop_assert!(upper_bound(k, n, (confidence + 1.0) / 2.0) >= bound);
        }
    }
}
