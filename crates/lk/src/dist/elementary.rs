//! Logarithm, exponential function and normal quantile by operations that
//! IEEE 754 defines to the last bit: + - * / and the square root, in a fixed
//! order. Those of the standard library are the platform's, and differ.
//!
//! Rust neither contracts nor reorders floating point operations.

use std::f64::consts::SQRT_2;

/// Natural logarithm of a positive, normal and finite number, within 2 ulp.
///
/// With x = m 2^k and m near 1, ln m = 2 artanh((m - 1) / (m + 1)), whose
/// series ends here where its terms are below 2^-56.
pub(super) fn ln(x: f64) -> f64 {
    let bits = x.to_bits();
    let mut exponent = (bits >> 52) as i64 - 1023;
    let mut m = f64::from_bits((bits & ((1 << 52) - 1)) | (1023 << 52));
    if m > SQRT_2 {
        m *= 0.5;
        exponent += 1;
    }
    let f = m - 1.0;
    let s = f / (m + 1.0);
    let z = s * s;
    let mut sum = 0.0;
    for n in (1..=11).rev() {
        sum = z * (1.0 / f64::from(2 * n + 1) + sum);
    }
    // 2 s = f - s f: the first term without the error of the division.
    let k = exponent as f64;
    k * LN_2_HIGH + (f - (s * (f - 2.0 * sum) - k * LN_2_LOW))
}

/// Exponential function, within 2 ulp where the result is a normal number; 0
/// and infinity beyond.
///
/// With x = k ln 2 + r and |r| <= ln 2 / 2, the series of exp r up to r^13.
pub(super) fn exp(x: f64) -> f64 {
    if x > 709.0 {
        return f64::INFINITY;
    }
    if x < -708.0 {
        return 0.0;
    }
    let k = (x * std::f64::consts::LOG2_E + 0.5).floor();
    let r = (x - k * LN_2_HIGH) - k * LN_2_LOW;
    let mut sum = 0.0;
    for n in (2..=13).rev() {
        sum = r / f64::from(n) * (1.0 + sum);
    }
    let fraction = 1.0 + (r + r * sum);
    fraction * f64::from_bits(((k as i64 + 1023) as u64) << 52)
}

/// ln 2 with the last 32 bits zero, so that its product with an exponent is
/// exact, and the rest.
const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// The x below which a standard normal variable is with probability `p`, in
/// (0, 1): Wichura, Algorithm AS 241 (PPND16), Applied Statistics 37 (1988),
/// with a relative error of about 1e-16.
pub(super) fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if (-0.425..=0.425).contains(&q) {
        let r = 0.180625 - q * q;
        return q * polynomial(&CENTRE.0, r) / polynomial(&CENTRE.1, r);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    let r = (-ln(tail)).sqrt();
    let (shift, (above, below)) = if r <= 5.0 { (1.6, &MIDDLE) } else { (5.0, &FAR) };
    let x = polynomial(above, r - shift) / polynomial(below, r - shift);
    if q < 0.0 { -x } else { x }
}

fn polynomial(coefficients: &[f64; 8], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

type Rational = ([f64; 8], [f64; 8]);

#[rustfmt::skip]
#[allow(clippy::excessive_precision, reason = "as they are published")]
mod coefficients {
    use super::Rational;
    pub(super) const CENTRE: Rational = (
        [3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3,
         1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
         3.3430575583588128105e4, 2.5090809287301226727e3],
        [1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
         2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4,
         5.2264952788528545610e3],
    );
    pub(super) const MIDDLE: Rational = (
        [1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0,
         3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1,
         2.27238449892691845833e-2, 7.74545014278341407640e-4],
        [1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
         1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4,
         1.05075007164441684324e-9],
    );
    pub(super) const FAR: Rational = (
        [6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0,
         2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
         2.71155556874348757815e-5, 2.01033439929228813265e-7],
        [1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
         7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7,
         2.04426310338993978564e-15],
    );
}
use coefficients::{CENTRE, FAR, MIDDLE};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dist::Random;

    fn ulps(a: f64, b: f64) -> u64 {
        a.to_bits().abs_diff(b.to_bits())
    }

    #[test]
    fn the_logarithm_is_within_two_ulp() {
        let mut random = Random::stream(0, &["ln"]);
        for _ in 0..100_000 {
            let x = f64::from_bits(random.bits() & !(1 << 63));
            if x.is_normal() {
                assert!(ulps(ln(x), x.ln()) <= 2, "{x:e}: {:e}, {:e}", ln(x), x.ln());
            }
            let u = random.open_unit();
            assert!(ulps(ln(u), u.ln()) <= 2, "{u:e}: {:e}, {:e}", ln(u), u.ln());
        }
        assert_eq!(ln(1.0), 0.0);
    }

    #[test]
    fn the_exponential_is_within_two_ulp_and_ends_in_zero_and_infinity() {
        let mut random = Random::stream(0, &["exp"]);
        for _ in 0..100_000 {
            for x in [1417.0 * random.unit() - 708.0, random.unit() - 0.5] {
                assert!(ulps(exp(x), x.exp()) <= 2, "{x:e}: {:e}, {:e}", exp(x), x.exp());
            }
        }
        assert_eq!((exp(0.0), exp(-800.0), exp(800.0)), (1.0, 0.0, f64::INFINITY));
        assert_eq!((exp(f64::NEG_INFINITY), exp(f64::INFINITY)), (0.0, f64::INFINITY));
    }

    #[test]
    fn normal_quantiles_are_those_of_the_paper() {
        // The paper's test values for PPND16.
        for (p, x) in [
            (0.25, -0.674_489_750_196_081_7),
            (0.001, -3.090_232_306_167_813_5),
            (1e-20, -9.262_340_089_798_409),
            (0.975, 1.959_963_984_540_054),
        ] {
            let error = (normal_quantile(p) - x).abs() / x.abs();
            assert!(error < 1e-15, "{p}: {}", normal_quantile(p));
        }
        assert_eq!(normal_quantile(0.5), 0.0);
    }
}
