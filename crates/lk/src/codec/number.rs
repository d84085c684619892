//! Fixed-size numbers and their bytes in either order.

/// A number as it lies in a payload. The functions work on whole slices, whose
/// loops compile to plain copies where the byte order is the machine's.
pub(crate) trait Number: Copy {
    /// Size and alignment in bytes.
    const SIZE: usize;

    /// The number at the start of `bytes`, if they are that many.
    fn read(bytes: &[u8], big_endian: bool) -> Option<Self>;

    /// Appends the bytes of one number, little-endian.
    fn write(self, out: &mut Vec<u8>);

    /// Calls `f` with every number in `bytes`, whose length is a multiple of
    /// the size.
    fn for_each(bytes: &[u8], big_endian: bool, f: impl FnMut(Self));

    /// Appends every number in `bytes`, whose length is a multiple of the
    /// size.
    fn extend(out: &mut Vec<Self>, bytes: &[u8], big_endian: bool);

    /// Appends the bytes of `values`, little-endian.
    fn put(values: &[Self], out: &mut Vec<u8>);
}

macro_rules! number {
    ($($ty:ty),*) => {$(
        impl Number for $ty {
            const SIZE: usize = size_of::<$ty>();

            #[inline]
            fn read(bytes: &[u8], big_endian: bool) -> Option<Self> {
                let bytes = *bytes.first_chunk()?;
                Some(if big_endian { Self::from_be_bytes(bytes) } else { Self::from_le_bytes(bytes) })
            }

            #[inline]
            fn write(self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }

            #[inline]
            fn for_each(bytes: &[u8], big_endian: bool, mut f: impl FnMut(Self)) {
                let (chunks, _) = bytes.as_chunks::<{ size_of::<$ty>() }>();
                if big_endian {
                    chunks.iter().for_each(|chunk| f(<$ty>::from_be_bytes(*chunk)));
                } else {
                    chunks.iter().for_each(|chunk| f(<$ty>::from_le_bytes(*chunk)));
                }
            }

            #[inline]
            fn extend(out: &mut Vec<Self>, bytes: &[u8], big_endian: bool) {
                let (chunks, _) = bytes.as_chunks::<{ size_of::<$ty>() }>();
                if big_endian {
                    out.extend(chunks.iter().map(|chunk| <$ty>::from_be_bytes(*chunk)));
                } else {
                    out.extend(chunks.iter().map(|chunk| <$ty>::from_le_bytes(*chunk)));
                }
            }

            #[inline]
            fn put(values: &[Self], out: &mut Vec<u8>) {
                let start = out.len();
                out.resize(start + size_of_val(values), 0);
                let (chunks, _) = out[start..].as_chunks_mut::<{ size_of::<$ty>() }>();
                for (chunk, value) in chunks.iter_mut().zip(values) {
                    *chunk = value.to_le_bytes();
                }
            }
        }
    )*};
}

number!(i8, u8, i16, u16, i32, u32, i64, u64, f32, f64);
