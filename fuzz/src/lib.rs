//! What the fuzz targets do with their bytes.
//!
//! Each target is a function that panics where a law is broken. The test
//! `fuzz_corpus` of `lk` includes this file, and runs the committed inputs
//! through the same functions.

pub mod cdr;
mod feed;
pub mod mcap;
pub mod pickle;
pub mod policy;
pub mod schema;
mod scratch;
