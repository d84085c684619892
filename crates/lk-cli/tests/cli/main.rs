//! The binary `lk` from outside: exit codes, streams, and what bad use is
//! told.

mod fixture;

mod diff;
mod files;
mod foreign;
mod graph;
mod init;
mod output;
mod play;
mod record;
mod sample;
mod tools;
mod usage;
mod verify;
