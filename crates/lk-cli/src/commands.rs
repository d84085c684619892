//! One file per command: its arguments, and `run(ctx, args)`.

pub(crate) mod completions;
pub(crate) mod schema;
