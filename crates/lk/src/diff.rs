//! diffdiff: the comparison of two datasets.

mod result;
mod scalar;

pub use result::*;
pub use scalar::Scalar;
