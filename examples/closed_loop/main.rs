//! A control loop in lk: recorded, replayed, and compared with itself.
//!
//! A cart on a rail is simulated at 1 kHz, an encoder measures it at 200 Hz,
//! and a PD controller pushes it to its target at 100 Hz. `README.md` beside
//! this file says what comes out; `cargo run --example closed_loop` runs it.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use lk::component::{Build, Component, In, Io, Out, Ports, StepResult};
use lk::dataset::Role;
use lk::dataset::mcap::CreateOptions;
use lk::diff::{Policy, Scope, diff};
use lk::playback::{DataPlayback, PlaybackConfig};
use lk::recorder::{DataRecorder, RecorderConfig, Target};
use lk::system::{NodeConfig, RunOptions, System, SystemBuilder};
use lk::{Dataset, Time};
use serde::{Deserialize, Serialize};

/// A message: any type that serde knows.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
struct Motion {
    position_m: f64,
    velocity_m_s: f64,
}

/// The plant: a mass with friction.
struct Cart {
    motion: Motion,
    force: In<f64>,
    out: Out<Motion>,
}

impl Cart {
    const PERIOD_S: f64 = 1e-3;
    const MASS_KG: f64 = 2.0;
    const FRICTION_N_S_M: f64 = 1.5;

    fn new(ports: &mut Ports) -> lk::Result<Cart> {
        let motion = Motion::default();
        Ok(Cart { motion, force: ports.input("force")?, out: ports.output("motion")? })
    }
}

impl Component for Cart {
    fn step(&mut self, io: &mut Io<'_>) -> StepResult {
        // Nothing pushes before the first command.
        let force = io.get(self.force).copied().unwrap_or(0.0);
        let Motion { position_m, velocity_m_s } = &mut self.motion;
        let acceleration = (force - Cart::FRICTION_N_S_M * *velocity_m_s) / Cart::MASS_KG;
        *velocity_m_s += acceleration * Cart::PERIOD_S;
        *position_m += *velocity_m_s * Cart::PERIOD_S;
        io.set(self.out, self.motion);
        Ok(())
    }
}

/// The sensor: an encoder that counts tenths of a millimetre.
struct Encoder {
    last_m: f64,
    motion: In<Motion>,
    measured: Out<Motion>,
}

impl Encoder {
    const RATE_HZ: f64 = 200.0;
    const COUNT_M: f64 = 1e-4;

    fn new(ports: &mut Ports) -> lk::Result<Encoder> {
        let (motion, measured) = (ports.input("motion")?, ports.output("measured")?);
        Ok(Encoder { last_m: 0.0, motion, measured })
    }
}

impl Component for Encoder {
    fn step(&mut self, io: &mut Io<'_>) -> StepResult {
        let Some(motion) = io.get(self.motion) else { return Ok(()) };
        let position_m = (motion.position_m / Encoder::COUNT_M).round() * Encoder::COUNT_M;
        let velocity_m_s = (position_m - self.last_m) * Encoder::RATE_HZ;
        self.last_m = position_m;
        io.set(self.measured, Motion { position_m, velocity_m_s });
        Ok(())
    }
}

#[derive(Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct PdConfig {
    target_m: f64,
    proportional_gain: f64,
    derivative_gain: f64,
    limit_n: f64,
}

impl Default for PdConfig {
    fn default() -> PdConfig {
        let (proportional_gain, derivative_gain) = (40.0, 12.0);
        PdConfig { target_m: 1.0, proportional_gain, derivative_gain, limit_n: 10.0 }
    }
}

struct PdController {
    config: PdConfig,
    measured: In<Motion>,
    force: Out<f64>,
}

impl Build for PdController {
    type Config = PdConfig;

    fn build(config: PdConfig, ports: &mut Ports) -> lk::Result<PdController> {
        let (measured, force) = (ports.input("measured")?, ports.output("force")?);
        Ok(PdController { config, measured, force })
    }
}

impl Component for PdController {
    fn step(&mut self, io: &mut Io<'_>) -> StepResult {
        let Some(measured) = io.get(self.measured) else { return Ok(()) };
        let PdConfig { target_m, proportional_gain, derivative_gain, limit_n } = self.config;
        let error = target_m - measured.position_m;
        let force = proportional_gain * error - derivative_gain * measured.velocity_m_s;
        io.set(self.force, force.clamp(-limit_n, limit_n));
        Ok(())
    }
}

fn at_rate(hz: f64) -> NodeConfig {
    NodeConfig { rate_hz: Some(hz), threaded: false }
}

/// A recorder runs on data: whenever something came.
fn add_recorder(builder: &mut SystemBuilder, path: &Path, keys: &[(&str, Role)]) -> lk::Result<()> {
    let options = CreateOptions { overwrite: true, ..CreateOptions::default() };
    let target = Target::Files { path: path.to_owned(), options };
    builder.node("data", NodeConfig::default())?;
    builder.add_to("data", "recorder", |ports| {
        DataRecorder::new(target, RecorderConfig::default(), keys, ports)
    })
}

/// Cart, encoder and controller, with a recorder that listens.
fn closed_loop(recording: &Path) -> lk::Result<System> {
    let mut builder = SystemBuilder::new("closed loop");
    builder.node("simulation", at_rate(1.0 / Cart::PERIOD_S))?;
    builder.node("sensor", at_rate(Encoder::RATE_HZ))?;
    builder.node("control", at_rate(100.0))?;
    builder.add_to("simulation", "cart", Cart::new)?;
    builder.add_to("sensor", "encoder", Encoder::new)?;
    builder.build_to::<PdController>("control", "controller", PdConfig::default())?;
    builder.connect("cart.motion", "encoder.motion")?;
    builder.connect("encoder.measured", "controller.measured")?;
    // Someone has to begin: the cart gets a command at the tick after the one
    // it was written in. Without a delay the loop is refused.
    builder.connect_delayed("controller.force", "cart.force")?;

    // What is an input and what an output is so to the controller.
    let keys = [("motion", Role::None), ("measured", Role::Input), ("force", Role::Output)];
    add_recorder(&mut builder, recording, &keys)?;
    builder.connect("cart.motion", "recorder.motion")?;
    builder.connect("encoder.measured", "recorder.measured")?;
    builder.connect("controller.force", "recorder.force")?;
    builder.build()
}

/// A controller alone, which gets what was measured before.
fn replay(recorded: &Path, config: PdConfig, replayed: &Path) -> lk::Result<System> {
    let mut builder = SystemBuilder::new("replay");
    builder.node("data", NodeConfig::default())?;
    builder.node("control", at_rate(100.0))?;
    let dataset = Arc::new(Dataset::open(recorded)?);
    let keys = vec!["measured".to_owned()];
    let playback = PlaybackConfig { auto_play: true, keys, ..PlaybackConfig::default() };
    builder.add_to("data", "playback", |ports| DataPlayback::new(dataset, playback, ports))?;
    builder.build_to::<PdController>("control", "controller", config)?;
    builder.connect("playback.measured", "controller.measured")?;
    add_recorder(&mut builder, replayed, &[("force", Role::Output)])?;
    builder.connect("controller.force", "recorder.force")?;
    builder.build()
}

fn three_seconds(system: &mut System) -> lk::Result<()> {
    let until = Some(Time::from_nanos(3_000_000_000));
    system.run_with(&RunOptions { until, ..RunOptions::default() })?;
    // Ends the recording, and tells whether all of it was written.
    system.shutdown()
}

/// Compares what the controllers put out, bit for bit.
fn compare(recorded: &Path, replayed: &Path) -> lk::Result<String> {
    let policy = Policy { scope: Scope::Outputs, ..Policy::exact() };
    let (recorded, replayed) = (Dataset::open(recorded)?, Dataset::open(replayed)?);
    Ok(diff(&recorded, &replayed, &policy)?.summary())
}

fn run(folder: &Path, out: &mut impl Write) -> Result<(), Box<dyn std::error::Error>> {
    let recorded = folder.join("closed_loop.mcap");
    let mut system = closed_loop(&recorded)?;
    writeln!(out, "{}", system.graph().to_mermaid())?;
    three_seconds(&mut system)?;

    let dataset = Dataset::open(&recorded)?;
    for key in dataset.keys() {
        writeln!(out, "recorded {} messages of {key}", dataset.timestamps(key)?.len())?;
    }
    if let Some(last) = dataset.channel("motion")?.typed::<Motion>()?.last() {
        let (time, motion) = last?;
        writeln!(out, "at {time} s the cart is at {:.4} m", motion.position_m)?;
    }

    let replayed = folder.join("replayed.mcap");
    three_seconds(&mut replay(&recorded, PdConfig::default(), &replayed)?)?;
    writeln!(out, "\nthe same controller on the recorded measurements:")?;
    write!(out, "{}", compare(&recorded, &replayed)?)?;

    let changed = folder.join("changed.mcap");
    let config = PdConfig { derivative_gain: 12.1, ..PdConfig::default() };
    three_seconds(&mut replay(&recorded, config, &changed)?)?;
    writeln!(out, "\nwith a derivative gain of 12.1 instead of 12:")?;
    write!(out, "{}", compare(&recorded, &changed)?)?;
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = Path::new("target/closed_loop");
    std::fs::create_dir_all(folder)?;
    run(folder, &mut io::stdout().lock())
}

#[cfg(test)]
mod tests;
