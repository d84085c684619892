//! What a component is: code and state between typed ports.
//!
//! ```
//! use lk::component::{Component, In, Io, Out, Ports, StepResult};
//! use lk::system::SystemBuilder;
//!
//! struct Gain {
//!     factor: f64,
//!     error: In<f64>,
//!     command: Out<f64>,
//! }
//!
//! impl Component for Gain {
//!     fn step(&mut self, io: &mut Io<'_>) -> StepResult {
//!         if let Some(error) = io.get(self.error).copied() {
//!             io.set(self.command, self.factor * error);
//!         }
//!         Ok(())
//!     }
//! }
//!
//! let mut builder = SystemBuilder::new("loop");
//! builder.add("gain", |ports: &mut Ports| {
//!     Ok(Gain { factor: 2.0, error: ports.input("error")?, command: ports.output("command")? })
//! })?;
//! # Ok::<(), lk::Error>(())
//! ```

mod dx;
mod io;
mod lifecycle;
mod message;
mod ports;

#[cfg(test)]
mod tests;

pub use dx::{Dx, Level};
pub use io::Io;
pub use lifecycle::{Stage, Transition};
pub use message::{AnyMsg, Encoded, Msg};
pub use ports::{In, InAny, InPort, Out, OutAny, Ports};

pub(crate) use io::{Input, Output};
pub(crate) use ports::{Convert, PortSpec};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Result;
use crate::time::Time;

/// What a component's own code returns; any error will do.
pub type StepResult = std::result::Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// What a component gives as its state.
pub type SaveResult =
    std::result::Result<Option<Encoded>, Box<dyn std::error::Error + Send + Sync>>;

/// A component: what runs when its node does.
///
/// It reads its input ports, writes its output ports, and has state of its
/// own. Time stands still during a step. A component that takes time,
/// randomness or anything else from outside its ports can't be replayed; what
/// it needs of these comes by its config (a seed) or [`Io::now`].
pub trait Component: Send {
    /// Runs once at the time of [`Io::now`].
    ///
    /// # Errors
    /// Whatever the component likes: the system names it, stops and shuts
    /// down in order.
    fn step(&mut self, io: &mut Io<'_>) -> StepResult;

    /// When a source wants to run next; asked after each step, and once before
    /// the first. `None` for what runs by its node alone.
    fn next_time(&self, now: Time) -> Option<Time> {
        let _ = now;
        None
    }

    /// Before it is first active: open what it needs.
    ///
    /// # Errors
    /// The component stays unconfigured.
    fn on_configure(&mut self) -> StepResult {
        Ok(())
    }

    /// Before the first step, and again after each pause.
    ///
    /// # Errors
    /// The component stays inactive.
    fn on_activate(&mut self) -> StepResult {
        Ok(())
    }

    /// After the last step before a pause or the end.
    ///
    /// # Errors
    /// The component counts as inactive all the same.
    fn on_deactivate(&mut self) -> StepResult {
        Ok(())
    }

    /// At the end, also after errors: flush, close, let go.
    ///
    /// # Errors
    /// The component counts as finalized all the same.
    fn on_shutdown(&mut self) -> StepResult {
        Ok(())
    }

    /// Its state between two steps as a message, by [`Encoded::of`], for a
    /// [`Snapshot`](crate::system::Snapshot) of its system; of `()` where it
    /// has none. `None`, as it is unless said otherwise, is that it can't be
    /// saved, and neither can its system.
    ///
    /// # Errors
    /// Whatever keeps it from that.
    fn save(&self) -> SaveResult {
        Ok(None)
    }

    /// Goes on from a state that [`Component::save`] gave, of this component or
    /// another one that was made like it.
    ///
    /// # Errors
    /// Whatever keeps it from that, after which its system is shut down.
    fn restore(&mut self, state: &Encoded) -> StepResult {
        let _ = state;
        Err("it has no `restore` to take a state by".into())
    }
}

/// A component that is made from its config.
///
/// ```
/// use lk::component::{Build, Component, In, Io, Out, Ports, StepResult};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// #[serde(default, deny_unknown_fields)]
/// struct GainConfig {
///     factor: f64,
/// }
///
/// impl Default for GainConfig {
///     fn default() -> GainConfig {
///         GainConfig { factor: 1.0 }
///     }
/// }
///
/// struct Gain {
///     config: GainConfig,
///     error: In<f64>,
///     command: Out<f64>,
/// }
///
/// impl Build for Gain {
///     type Config = GainConfig;
///     fn build(config: GainConfig, ports: &mut Ports) -> lk::Result<Gain> {
///         Ok(Gain { config, error: ports.input("error")?, command: ports.output("command")? })
///     }
/// }
/// # impl Component for Gain {
/// #     fn step(&mut self, _: &mut Io<'_>) -> StepResult { Ok(()) }
/// # }
/// ```
pub trait Build: Component + Sized {
    /// Its parameters, with defaults for all of them.
    type Config: Default + Serialize + DeserializeOwned;

    /// Declares the ports, and makes the component.
    ///
    /// # Errors
    /// A config that makes no sense, as
    /// [`Error::Config`](crate::Error::Config); what [`Ports`] refuses.
    fn build(config: Self::Config, ports: &mut Ports) -> Result<Self>;
}
