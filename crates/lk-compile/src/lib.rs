//! Runs implementations in lock-step and verifies them.
//!
//! Until the sandbox exists, programs run unconfined: with the caller's
//! rights, environment and network.

mod error;
mod suggest;

pub mod build;
pub mod component;
pub mod manifest;
pub mod process;
pub mod protocol;
pub mod provenance;
pub mod runner;
pub mod scaffold;
pub mod ticks;

pub use component::{ComponentSpec, ConfigSpec, PortSpec};
pub use error::{Error, Result};
pub use manifest::{Language, Manifest};
pub use process::Program;
pub use ticks::{TickRule, Ticks};
