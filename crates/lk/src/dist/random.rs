//! Random bits that are the same on every machine.

use sha2::{Digest, Sha256};

/// A generator of random bits: xoshiro256++ 1.0 by Blackman and Vigna
/// (<https://prng.di.unimi.it/xoshiro256plusplus.c>), public domain, period
/// 2^256 - 1.
///
/// It is lk's own so that a seed means the same for as long as lk exists; the
/// generators of `rand` may change with its versions. Not for secrets.
///
/// ```
/// use lk::dist::Random;
///
/// let (mut imu, mut gps) = (Random::stream(7, &["imu"]), Random::stream(7, &["gps"]));
/// assert_ne!(imu.bits(), gps.bits());
/// assert!((0.0..1.0).contains(&imu.unit()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Random {
    state: [u64; 4],
}

impl Random {
    /// The stream of a seed and a place, such as a port and a field: SHA-256
    /// over both fills the state, so that streams are independent, and another
    /// place more leaves the others as they are.
    pub fn stream(seed: u64, place: &[&str]) -> Random {
        let mut hash = Sha256::new();
        hash.update(b"lk-dist/1");
        hash.update(seed.to_le_bytes());
        for name in place {
            // With the length, so that ["ab", "c"] isn't ["a", "bc"].
            hash.update((name.len() as u64).to_le_bytes());
            hash.update(name.as_bytes());
        }
        let digest = hash.finalize();
        let mut state = [0; 4];
        for (word, bytes) in state.iter_mut().zip(digest.as_chunks::<8>().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        Random { state }
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        let s = &mut self.state;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// A multiple of 2^-53 in [0, 1), each as likely.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// In (0, 1), symmetric about a half: the middles of 2^52 equal parts.
    pub fn open_unit(&mut self) -> f64 {
        ((self.bits() >> 12) as f64 + 0.5) * (1.0 / (1u64 << 52) as f64)
    }

    /// A whole number in 0..=`last`, each as likely: Lemire's method
    /// (<https://arxiv.org/abs/1805.10941>).
    pub fn up_to(&mut self, last: u64) -> u64 {
        let Some(count) = last.checked_add(1) else { return self.bits() };
        let surplus = count.wrapping_neg() % count;
        loop {
            let product = u128::from(self.bits()) * u128::from(count);
            if product as u64 >= surplus {
                return (product >> 64) as u64;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bits_are_those_of_the_published_generator() {
        // The vector that rand_xoshiro took from the authors' C code.
        let mut random = Random { state: [1, 2, 3, 4] };
        let expected = [
            41943041,
            58720359,
            3588806011781223,
            3591011842654386,
            9228616714210784205,
            9973669472204895162,
            14011001112246962877,
            12406186145184390807,
            15849039046786891736,
            10450023813501588000,
        ];
        assert_eq!(expected.map(|_| random.bits()), expected);
    }

    #[test]
    fn numbers_up_to_a_bound_reach_both_ends_and_no_more() {
        let mut random = Random::stream(0, &["die"]);
        let mut counts = [0u32; 6];
        for _ in 0..60_000 {
            counts[random.up_to(5) as usize] += 1;
        }
        assert!(counts.iter().all(|n| (9_600..10_400).contains(n)), "{counts:?}");
        assert_eq!(random.up_to(0), 0);
        let large = (0..100).map(|_| random.up_to(u64::MAX)).max();
        assert!(large > Some(u64::MAX / 2));
    }

    #[test]
    fn a_place_is_more_than_its_letters() {
        assert_ne!(Random::stream(0, &["ab", "c"]), Random::stream(0, &["a", "bc"]));
        assert_ne!(Random::stream(0, &["a"]), Random::stream(1, &["a"]));
    }
}
