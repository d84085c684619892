//! The worked examples, run as a user would run them.

mod example;
mod mutants;
mod real_rows;
mod worked;
