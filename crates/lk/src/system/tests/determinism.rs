//! The same run twice, on any number of threads, and replayed from its own
//! inputs: the same bytes. And a check that finds where it isn't so.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Dataset;
use crate::component::{Component, In, Io, Out, Ports, StepResult};
use crate::dataset::Role;
use crate::diff::{Policy, diff};
use crate::playback::{DataPlayback, PlaybackConfig};
use crate::recorder::{DataRecorder, RecorderConfig, Target};
use crate::system::{NodeConfig, RunOptions, SystemBuilder};
use crate::testing::soak;
use crate::{Result, Time};

/// What a component computes: from its state, its inputs and the time.
type Law = fn(&mut State, &[f64], f64) -> f64;

/// A component that is one function of floats.
struct Block {
    law: Law,
    state: State,
    inputs: Vec<In<f64>>,
    output: Out<Reading>,
    plain: Out<f64>,
}

#[derive(Clone, Default)]
struct State {
    value: f64,
    memory: [f64; 3],
    random: u64,
}

#[derive(Serialize, Deserialize)]
struct Reading {
    value: f64,
    memory: [f32; 3],
    step: u64,
}

impl Block {
    fn new(law: Law, inputs: &[&str], ports: &mut Ports) -> Result<Block> {
        let inputs = inputs.iter().map(|name| ports.input(name)).collect::<Result<_>>()?;
        let (output, plain) = (ports.output("reading")?, ports.output("y")?);
        Ok(Block { law, state: State { random: 9, ..State::default() }, inputs, output, plain })
    }
}

impl Component for Block {
    fn step(&mut self, io: &mut Io<'_>) -> StepResult {
        let inputs: Vec<f64> = self.inputs.iter().filter_map(|i| io.get(*i).copied()).collect();
        let seconds = io.now().as_nanos() as f64 / 1e9;
        let value = (self.law)(&mut self.state, &inputs, seconds);
        self.state.value = value;
        let memory = self.state.memory.map(|x| x as f32);
        io.set(self.output, Reading { value, memory, step: io.tick() });
        io.set(self.plain, value);
        Ok(())
    }
}

fn noise(state: &mut State) -> f64 {
    state.random = state.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
    (state.random >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
}

const GYRO: Law = |state, _, t| (3.0 * t).sin() + 0.1 * noise(state);
const SETPOINT: Law = |state, _, _| state.value + noise(state);
const FILTER: Law = |state, x, _| {
    let [a, b, _] = state.memory;
    let x: f64 = x.iter().sum();
    state.memory = [0.7 * a + 0.3 * x, 0.9 * b + 0.1 * a, (a - b).exp()];
    state.memory[1] / 3.0
};
const CONTROL: Law = |state, x, t| {
    let error = x.iter().fold(0.0, |sum, x| 0.5 * sum - x) * (1.0 + (t / 7.0).cos());
    state.memory[0] = (state.memory[0] + 0.01 * error).clamp(-10.0, 10.0);
    (1.7 * error + state.memory[0]).tanh()
};
const PLANT: Law = |state, x, _| {
    let [position, velocity, _] = state.memory;
    let force = x.first().copied().unwrap_or(0.0) - 0.3 * velocity;
    state.memory = [position + velocity / 1e3, velocity + force / 1e3, force];
    position
};
const MONITOR: Law = |state, x, _| {
    state.memory[2] += x.iter().map(|x| x * x).sum::<f64>().sqrt();
    state.memory[2].ln_1p()
};

/// Reads the time of day.
const BY_THE_CLOCK: Law = |_, x, _| {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    x.iter().sum::<f64>() + f64::from(since.subsec_nanos())
};

/// Adds up in the order of a hash map.
const BY_HASH: Law = |state, x, _| {
    let parts: HashMap<u64, f64> =
        (0..40).map(|n| (n, noise(state) * 10_f64.powi(n as i32 % 17))).collect();
    parts.values().sum::<f64>() + x.iter().sum::<f64>()
};

/// The whole loop, its inputs made or played again. `law` is of the monitor.
fn build(law: Law, played: Option<Dataset>, path: &Path) -> Result<SystemBuilder> {
    let mut builder = SystemBuilder::new("loop");
    let nodes = [
        ("a", Some(400.0)),
        ("b", Some(10.0)),
        ("c", Some(100.0)),
        ("d", Some(1000.0)),
        ("e", Some(333.0)),
        ("data", None),
    ];
    for (name, rate_hz) in nodes {
        builder.node(name, NodeConfig { rate_hz, threaded: true })?;
    }
    let inputs = match played {
        None => {
            builder.add_to("a", "gyro", |ports| Block::new(GYRO, &[], ports))?;
            builder.add_to("b", "setpoint", |ports| Block::new(SETPOINT, &[], ports))?;
            ["gyro.y", "setpoint.y"]
        }
        Some(dataset) => {
            let keys = ["gyro", "setpoint"].map(str::to_owned).to_vec();
            let config = PlaybackConfig { keys, auto_play: true, ..PlaybackConfig::default() };
            let dataset = Arc::new(dataset);
            builder.add_to("data", "play", |ports| DataPlayback::new(dataset, config, ports))?;
            ["play.gyro", "play.setpoint"]
        }
    };
    builder.add_to("a", "filter", |ports| Block::new(FILTER, &["gyro", "plant"], ports))?;
    builder.add_to("c", "control", |ports| Block::new(CONTROL, &["setpoint", "filter"], ports))?;
    builder.add_to("d", "plant", |ports| Block::new(PLANT, &["force"], ports))?;
    builder.add_to("e", "other", |ports| Block::new(FILTER, &["gyro", "setpoint"], ports))?;
    let all = ["filter", "control", "plant", "other"];
    builder.add_to("data", "monitor", |ports| Block::new(law, &all, ports))?;
    builder.connect(inputs[0], "filter.gyro")?;
    builder.connect(inputs[0], "other.gyro")?;
    builder.connect(inputs[1], "control.setpoint")?;
    builder.connect(inputs[1], "other.setpoint")?;
    builder.connect("filter.y", "control.filter")?;
    builder.connect("control.y", "plant.force")?;
    builder.connect_delayed("plant.y", "filter.plant")?;
    let target = Target::Files { path: path.to_owned(), options: Default::default() };
    builder.add_to("data", "recorder", |ports| {
        let keys = [("gyro", Role::Input), ("setpoint", Role::Input)];
        let mut recorder = DataRecorder::new(target, RecorderConfig::default(), &keys, ports)?;
        for name in all.iter().chain(&["monitor"]) {
            recorder.add_input(name, Role::Output, ports)?;
        }
        Ok(recorder)
    })?;
    builder.connect(inputs[0], "recorder.gyro")?;
    builder.connect(inputs[1], "recorder.setpoint")?;
    for name in all {
        builder.connect(&format!("{name}.y"), &format!("monitor.{name}"))?;
    }
    for name in all.iter().chain(&["monitor"]) {
        builder.connect(&format!("{name}.reading"), &format!("recorder.{name}"))?;
    }
    Ok(builder)
}

/// Runs it again and again, and from its recorded inputs, on 1, 2 and 8
/// threads. What it records must be the same file each time; the error says
/// which run isn't, and where it first goes another way.
fn check(law: Law, ticks: u64) -> std::result::Result<u64, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(format!("{name}.mcap"));
    let run = |name: &str, played: Option<Dataset>, threads| {
        let mut system = build(law, played, &path(name))?.build()?;
        system.run_with(&RunOptions { ticks: Some(ticks), threads, ..RunOptions::default() })?;
        system.shutdown()
    };
    run("first", None, 1).map_err(|error| error.to_string())?;
    let first = std::fs::read(path("first")).unwrap();
    for threads in [1, 2, 8] {
        for replayed in [false, true] {
            let played = replayed.then(|| Dataset::open(path("first")).unwrap());
            let name = format!("{}, {threads} threads", if replayed { "replay" } else { "again" });
            run(&name, played, threads).map_err(|error| error.to_string())?;
            if std::fs::read(path(&name)).unwrap() != first {
                let sides = ["first", &name].map(|name| Dataset::open(path(name)).unwrap());
                let found = diff(&sides[0], &sides[1], &Policy::exact()).unwrap();
                let place =
                    found.first_divergence.map(|at| format!("{} at {}", at.key, at.mismatch.time));
                return Err(format!("{name}: other bytes, first in {place:?}"));
            }
            std::fs::remove_file(path(&name)).unwrap();
        }
    }
    let messages = Dataset::open(path("first")).unwrap().len().unwrap();
    Ok(messages)
}

#[test]
fn a_system_of_many_rates_gives_the_same_bytes_again_replayed_and_on_any_threads() {
    let ticks = if soak::is_on() { 100_000 } else { 1_500 };
    let messages = check(MONITOR, ticks).unwrap();
    assert!(messages > 2 * ticks, "{messages} messages");
}

#[test]
fn a_component_that_reads_a_clock_or_goes_by_hash_order_is_found_by_the_same_check() {
    for law in [BY_THE_CLOCK, BY_HASH] {
        let found = check(law, 200).unwrap_err();
        assert!(
            found.starts_with("again, 1 threads: other bytes, first in Some(\"monitor"),
            "{found}"
        );
    }
}

#[test]
fn time_is_what_the_system_says() {
    // So that the check above can't pass for lack of anything that moves.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.mcap");
    let mut system = build(MONITOR, None, &path).unwrap().build().unwrap();
    system.run_for(300).unwrap();
    system.shutdown().unwrap();
    let dataset = Dataset::open(&path).unwrap();
    let plant = dataset.channel("plant").unwrap().typed::<Reading>().unwrap();
    let (mut moved, mut last) = (0, f64::NAN);
    for item in plant {
        let (time, reading) = item.unwrap();
        assert!(time >= Time::ZERO && reading.value.is_finite());
        moved += u32::from(reading.value != last);
        last = reading.value;
    }
    assert!(moved > 100, "{moved}");
}
