//! One file per command: its arguments, and `run(ctx, args)`.

pub(crate) mod cat;
pub(crate) mod completions;
pub(crate) mod convert;
pub(crate) mod diff;
pub(crate) mod doctor;
pub(crate) mod filter;
pub(crate) mod graph;
pub(crate) mod info;
pub(crate) mod init;
pub(crate) mod merge;
pub(crate) mod play;
pub(crate) mod record;
pub(crate) mod recover;
pub(crate) mod rejudge;
pub(crate) mod run;
pub(crate) mod sample;
pub(crate) mod schema;
pub(crate) mod verify;
