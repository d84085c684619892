//! A control loop in two processes: the plant in Rust, the controller a
//! program of an `lk.toml`, in Python or whatever language.
//!
//! `cargo run -p lk-compile --example mixed_loop` runs it with the Python
//! original of `examples/pd_controller`, `... -- cpp` with the port in C++.
//! `README.md` beside this file says what comes out.

use std::io::{self, Write};
use std::path::Path;

use lk::component::{Component, In, Io, Out, Ports, StepResult};
use lk::dataset::Role;
use lk::dataset::mcap::CreateOptions;
use lk::diff::{DiffResult, Policy, diff};
use lk::recorder::{DataRecorder, RecorderConfig, Target};
use lk::system::{NodeConfig, RunOptions, System, SystemBuilder};
use lk::{Dataset, Time};
use lk_compile::{Manifest, ProgramComponent};
use serde::{Deserialize, Serialize};

const CONTROLLER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/pd_controller");

/// As `pd_controller/State`: types are one where their fields are.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
struct State {
    position_m: f64,
    velocity_m_s: f64,
}

/// As `pd_controller/Control`.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
struct Control {
    force_n: f64,
}

/// The plant: a mass with friction, at 1 kHz.
struct Cart {
    state: State,
    control: In<Control>,
    out: Out<State>,
}

impl Cart {
    const PERIOD_S: f64 = 1e-3;
    const MASS_KG: f64 = 2.0;
    const FRICTION_N_S_M: f64 = 1.5;

    fn new(ports: &mut Ports) -> lk::Result<Cart> {
        let state = State::default();
        Ok(Cart { state, control: ports.input("control")?, out: ports.output("state")? })
    }
}

impl Component for Cart {
    fn step(&mut self, io: &mut Io<'_>) -> StepResult {
        // Nothing pushes before the first command.
        let force_n = io.get(self.control).map_or(0.0, |control| control.force_n);
        let State { position_m, velocity_m_s } = &mut self.state;
        let acceleration = (force_n - Cart::FRICTION_N_S_M * *velocity_m_s) / Cart::MASS_KG;
        *velocity_m_s += acceleration * Cart::PERIOD_S;
        *position_m += *velocity_m_s * Cart::PERIOD_S;
        io.set(self.out, self.state);
        Ok(())
    }
}

/// The controller in Rust, beside which the others are held.
struct PdController {
    state: In<State>,
    control: Out<Control>,
}

impl PdController {
    fn new(ports: &mut Ports) -> lk::Result<PdController> {
        Ok(PdController { state: ports.input("state")?, control: ports.output("control")? })
    }
}

impl Component for PdController {
    fn step(&mut self, io: &mut Io<'_>) -> StepResult {
        let Some(state) = io.get(self.state) else { return Ok(()) };
        let error = 1.0 - state.position_m;
        let force = 40.0 * error - 12.0 * state.velocity_m_s;
        io.set(self.control, Control { force_n: force.clamp(-10.0, 10.0) });
        Ok(())
    }
}

fn at_rate(hz: f64) -> NodeConfig {
    NodeConfig { rate_hz: Some(hz), threaded: true }
}

/// Cart and controller, with a recorder that listens. `implementation` is one
/// of `lk.toml`; the controller in Rust where there is none.
fn closed_loop(
    implementation: Option<&str>,
    recording: &Path,
) -> Result<System, lk_compile::Error> {
    let mut builder = SystemBuilder::new("mixed loop");
    builder.node("simulation", at_rate(1.0 / Cart::PERIOD_S))?;
    builder.node("control", at_rate(100.0))?;
    builder.node("data", NodeConfig::default())?;
    builder.add_to("simulation", "cart", Cart::new)?;
    match implementation {
        None => builder.add_to("control", "controller", PdController::new)?,
        Some(name) => {
            let manifest = Manifest::load(CONTROLLER)?;
            let (spec, program) = (manifest.component()?, manifest.implementation(name)?);
            builder.add_to("control", "controller", |ports| {
                ProgramComponent::new(program, spec, manifest.seed(), ports)
            })?;
        }
    }
    builder.connect("cart.state", "controller.state")?;
    builder.connect_delayed("controller.control", "cart.control")?;

    let options = CreateOptions { overwrite: true, ..CreateOptions::default() };
    let target = Target::Files { path: recording.to_owned(), options };
    let keys = [("state", Role::Input), ("control", Role::Output)];
    builder.add_to("data", "recorder", |ports| {
        DataRecorder::new(target, RecorderConfig::default(), &keys, ports)
    })?;
    builder.connect("cart.state", "recorder.state")?;
    builder.connect("controller.control", "recorder.control")?;
    Ok(builder.build()?)
}

fn three_seconds(system: &mut System, threads: usize) -> lk::Result<()> {
    let until = Some(Time::from_nanos(3_000_000_000));
    system.run_with(&RunOptions { until, threads, ..RunOptions::default() })?;
    // Ends the recording, and the program.
    system.shutdown()
}

/// Compares everything that was recorded.
fn compare(a: &Path, b: &Path) -> lk::Result<DiffResult> {
    let policy = Policy::parse_rules(&["1e-12"])?;
    diff(&Dataset::open(a)?, &Dataset::open(b)?, &policy)
}

fn run(
    folder: &Path,
    implementation: &str,
    out: &mut impl Write,
) -> Result<(), Box<dyn std::error::Error>> {
    let rust = folder.join("rust.mcap");
    three_seconds(&mut closed_loop(None, &rust)?, 1)?;
    let mixed = folder.join("mixed.mcap");
    three_seconds(&mut closed_loop(Some(implementation), &mixed)?, 2)?;

    let dataset = Dataset::open(&mixed)?;
    if let Some(last) = dataset.channel("state")?.typed::<State>()?.last() {
        let (time, state) = last?;
        writeln!(out, "at {time} s the cart is at {:.4} m", state.position_m)?;
    }
    writeln!(out, "\nthe loop with a program in it, held against the loop in Rust:")?;
    write!(out, "{}", compare(&rust, &mixed)?.summary())?;
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = Path::new("target/mixed_loop");
    std::fs::create_dir_all(folder)?;
    let implementation = std::env::args().nth(1);
    let implementation = implementation.as_deref().unwrap_or("reference");
    run(folder, implementation, &mut io::stdout().lock())
}

#[cfg(test)]
mod tests;
