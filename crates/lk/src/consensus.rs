//! Several implementations of one component, fed with the same inputs and held
//! against each other while they run.
//!
//! A [`Consensus`] puts them together as one subsystem that stands where the
//! component did: its inputs go to all of them, its outputs are the first
//! one's. A [`ConsensusRecorder`] records where they disagree, which is what to
//! train or test with next; a [`ConsensusDx`] keeps count. What agrees is
//! decided by the closeness of [`diff`](crate::diff), on the same payloads.
//!
//! ```
//! use lk::component::{Component, In, Io, Out, Ports, StepResult};
//! use lk::consensus::{Consensus, ConsensusDxConfig, Record};
//! use lk::diff::Policy;
//! use lk::recorder::{RecorderConfig, Target};
//! use lk::system::{NodeConfig, SystemBuilder};
//!
//! struct Gain(f64, In<f64>, Out<f64>);
//!
//! impl Gain {
//!     fn new(factor: f64, ports: &mut Ports) -> lk::Result<Gain> {
//!         Ok(Gain(factor, ports.input("error")?, ports.output("command")?))
//!     }
//! }
//!
//! impl Component for Gain {
//!     fn step(&mut self, io: &mut Io<'_>) -> StepResult {
//!         if let Some(error) = io.get(self.1).copied() {
//!             io.set(self.2, self.0 * error);
//!         }
//!         Ok(())
//!     }
//! }
//!
//! let folder = std::env::temp_dir().join(format!("lk-consensus-{}", std::process::id()));
//! std::fs::create_dir_all(&folder)?;
//! let path = folder.join("disagreements.mcap");
//! let node = NodeConfig { rate_hz: Some(100.0), threaded: false };
//! let mut gains = Consensus::new("gain", node, Policy::default());
//! gains.add("original", |ports| Gain::new(2.0, ports))?;
//! gains.add("port", |ports| Gain::new(2.0001, ports))?;
//! let target = Target::Files { path: path.clone(), options: Default::default() };
//! gains.record(target, RecorderConfig::default(), Record::Mismatches)?;
//! let agreement = gains.watch(ConsensusDxConfig::default())?;
//!
//! let mut builder = SystemBuilder::new("loop");
//! builder.add_subsystem("gain", gains.build()?)?;
//! builder.expose_input("error", "gain.error")?;
//! let mut system = builder.build()?;
//! for error in [0.0, 1.0, -1.0] {
//!     system.set_input("error", error)?;
//!     system.run_for(1)?;
//! }
//! system.shutdown()?;
//! assert_eq!(agreement.pairs()[0].agreed, 1);
//! assert_eq!(lk::Dataset::open(&path)?.timestamps("port/command")?.len(), 2);
//! # std::fs::remove_dir_all(&folder)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod assemble;
mod dx;
mod panel;
mod recorder;

#[cfg(test)]
mod tests;

pub use assemble::Consensus;
pub use dx::{Agreement, ConsensusDx, ConsensusDxConfig, PairAgreement};
pub use panel::{Implementation, Watched};
pub use recorder::{ConsensusRecorder, Record};
