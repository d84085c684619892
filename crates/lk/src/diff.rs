//! diffdiff: the comparison of two datasets.

mod result;

pub use result::*;
