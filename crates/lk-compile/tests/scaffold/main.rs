//! Generated scaffolds, built and run: their codecs agree with lk's, and they
//! keep to the protocol.

#![allow(clippy::unwrap_used, reason = "a test may fail so")]

mod behaviour;
mod conversation;
mod echo;
mod law;
mod project;
mod python;
mod trial;
