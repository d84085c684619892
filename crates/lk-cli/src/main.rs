//! The command `lk`.

fn main() {}
