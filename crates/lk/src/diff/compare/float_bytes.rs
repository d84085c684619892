//! Floats as they lie in payloads.

/// The little-endian bytes of a float.
pub(super) trait FloatBytes: Copy + PartialEq {
    /// The value; exact for single precision too.
    fn value(self) -> f64;
    /// The place among all floats of this width, which neighbours differ in by
    /// one; both zeros have 0.
    fn ordinal(self) -> i64;
}

impl FloatBytes for [u8; 8] {
    #[inline]
    fn value(self) -> f64 {
        f64::from_le_bytes(self)
    }
    fn ordinal(self) -> i64 {
        let bits = i64::from_le_bytes(self);
        if bits < 0 { i64::MIN - bits } else { bits }
    }
}

impl FloatBytes for [u8; 4] {
    #[inline]
    fn value(self) -> f64 {
        f64::from(f32::from_le_bytes(self))
    }
    fn ordinal(self) -> i64 {
        let bits = i32::from_le_bytes(self);
        i64::from(if bits < 0 { i32::MIN - bits } else { bits })
    }
}
