//! Runs implementations in lock-step and verifies them.
//!
//! Until the sandbox exists, programs run unconfined: with the caller's
//! rights, environment and network.

mod cache;
mod error;
mod link;
mod suggest;

pub mod build;
pub mod component;
pub mod job;
pub mod manifest;
pub mod process;
pub mod program;
pub mod protocol;
pub mod provenance;
pub mod runner;
pub mod scaffold;
pub mod ticks;
pub mod verify;

pub use component::{ComponentSpec, ConfigSpec, PortSpec};
pub use error::{Error, Result};
pub use job::{Built, Job, Progress};
pub use manifest::{Language, Manifest};
pub use process::{Program, Watch};
pub use program::{ProgramComponent, RunningProgram, StartOptions};
pub use runner::{Recorded, RunOptions};
pub use ticks::{TickRule, Ticks};
pub use verify::{VerifyOptions, exit_code, verify};
