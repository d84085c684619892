//! Systems: components wired by their ports and run in time.
//!
//! A [`SystemBuilder`] takes components, nodes and connections and checks them
//! as they come; a [`System`] runs them. A run is a sequence of ticks: at each
//! the components that are due step once, those that give before those that
//! take. Nothing in it reads the wall clock, so that the same components run
//! twice give the same messages, with any number of threads.
//!
//! ```
//! use lk::component::{Component, In, Io, Out, StepResult};
//! use lk::system::SystemBuilder;
//!
//! struct Count(u64, Out<u64>);
//! impl Component for Count {
//!     fn step(&mut self, io: &mut Io<'_>) -> StepResult {
//!         self.0 += 1;
//!         io.set(self.1, self.0);
//!         Ok(())
//!     }
//! }
//!
//! struct Double(In<u64>, Out<u64>);
//! impl Component for Double {
//!     fn step(&mut self, io: &mut Io<'_>) -> StepResult {
//!         if let Some(n) = io.get(self.0).copied() {
//!             io.set(self.1, 2 * n);
//!         }
//!         Ok(())
//!     }
//! }
//!
//! let mut builder = SystemBuilder::new("demo");
//! builder.add("count", |ports| Ok(Count(0, ports.output("n")?)))?;
//! builder.add("double", |ports| Ok(Double(ports.input("n")?, ports.output("twice")?)))?;
//! builder.connect("count.n", "double.n")?;
//! builder.expose_output("twice", "double.twice")?;
//!
//! let mut system = builder.build()?;
//! system.run_for(3)?;
//! assert_eq!(system.output::<u64>("twice")?, Some(&6));
//! # Ok::<(), lk::Error>(())
//! ```

mod builder;
mod cell;
mod graph;
mod mermaid;
mod node;
mod run;
mod snapshot;
mod workers;

#[cfg(test)]
mod tests;

pub use builder::SystemBuilder;
pub use graph::{Connection, ConnectionGraph, PortRef};
pub use mermaid::mermaid_label;
pub use node::NodeConfig;
pub use run::{RunOptions, System};
pub use snapshot::Snapshot;
