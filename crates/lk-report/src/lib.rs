//! Results as text, JSON and JUnit XML, and graphs as pictures.
//!
//! A result is a plain type of [`lk`]; a report is a view of it: a pure
//! function to a `String`, which whoever calls it prints. The JSON holds
//! everything and is what programs read; the text is bounded and is what
//! people read.

mod number;
mod style;
mod table;

pub mod graph;
pub mod json;
pub mod junit;
pub mod text;

pub use number::{bytes, counted, duration};
pub use style::{Style, printable};
