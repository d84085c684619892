//! Runs implementations in lock-step and verifies them.

mod error;
mod suggest;

pub mod component;
pub mod manifest;

pub use component::{ComponentSpec, ConfigSpec, PortSpec};
pub use error::{Error, Result};
pub use manifest::Manifest;
