//! Systems that go on from where they were.

use proptest::prelude::*;

use crate::component::{
    Component, Encoded, In, Io, Level, Out, Ports, SaveResult, Stage, StepResult,
};
use crate::error::{Error, Result};
use crate::system::{NodeConfig, RunOptions, System, SystemBuilder};
use crate::time::Time;

/// A filter of the first order that starts with noise of its own.
struct Filter {
    state: f64,
    noise: u64,
    input: In<f64>,
    output: Out<f64>,
}

impl Filter {
    fn new(ports: &mut Ports) -> Result<Filter> {
        Ok(Filter { state: 0.1, noise: 7, input: ports.input("in")?, output: ports.output("out")? })
    }
}

impl Component for Filter {
    fn step(&mut self, io: &mut Io<'_>) -> StepResult {
        self.noise = self.noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let noise = (self.noise >> 40) as f64 / 1e8;
        let target = io.get(self.input).copied().unwrap_or(1.0) + noise;
        self.state += 0.3 * (target - self.state);
        io.dx().count("steps", 1);
        if self.noise.is_multiple_of(3) {
            let tick = io.tick();
            io.dx().warn(format!("at {tick}"));
        }
        io.set(self.output, self.state);
        Ok(())
    }

    fn save(&self) -> SaveResult {
        Ok(Some(Encoded::of(&(self.state, self.noise))?))
    }

    fn restore(&mut self, state: &Encoded) -> StepResult {
        (self.state, self.noise) = state.to()?;
        Ok(())
    }
}

/// Runs at times of its own: each step further away than the last.
struct Source(i64, Out<f64>);

impl Component for Source {
    fn step(&mut self, io: &mut Io<'_>) -> StepResult {
        self.0 += 1;
        io.set(self.1, 1.0 / self.0 as f64);
        Ok(())
    }

    fn next_time(&self, now: Time) -> Option<Time> {
        Some(Time::from_nanos(now.as_nanos() + 1_000_000 * (1 + self.0)))
    }

    fn save(&self) -> SaveResult {
        Ok(Some(Encoded::of(&self.0)?))
    }

    fn restore(&mut self, state: &Encoded) -> StepResult {
        self.0 = state.to()?;
        Ok(())
    }
}

/// A source and three filters at different rates, in a circle with a delay.
fn build() -> System {
    let mut builder = SystemBuilder::new("filters");
    let node = |rate_hz| NodeConfig { rate_hz, threaded: true };
    for (name, rate) in [("fast", Some(1000.0)), ("slow", Some(300.0)), ("data", None)] {
        builder.node(name, node(rate)).unwrap();
        builder.add_to(name, &format!("{name}_filter"), Filter::new).unwrap();
    }
    builder.add_to("data", "source", |ports| Ok(Source(0, ports.output("x")?))).unwrap();
    builder.connect("source.x", "data_filter.in").unwrap();
    builder.connect("slow_filter.out", "fast_filter.in").unwrap();
    builder.connect_delayed("fast_filter.out", "slow_filter.in").unwrap();
    for name in ["fast", "slow", "data"] {
        builder.expose_output(name, &format!("{name}_filter.out")).unwrap();
    }
    builder.build().unwrap()
}

/// What a run of some ticks shows, bit for bit.
fn run(system: &mut System, ticks: u64, threads: usize) -> Vec<(i64, u64, Vec<Option<u64>>)> {
    let mut seen = Vec::new();
    for _ in 0..ticks {
        let options = RunOptions { ticks: Some(1), threads, ..RunOptions::default() };
        system.run_with(&options).unwrap();
        let value = |name| system.output::<f64>(name).unwrap().map(|x: &f64| x.to_bits());
        let values = ["fast", "slow", "data"].map(value).to_vec();
        seen.push((system.now().as_nanos(), system.ticks(), values));
    }
    seen
}

fn diagnostics(system: &System) -> Vec<(Level, String, u64)> {
    let of = |dx: &crate::component::Dx| {
        (dx.level(), dx.message().to_owned(), dx.counters().get("steps").copied().unwrap_or(0))
    };
    system.diagnostics().map(|(_, dx)| of(dx)).collect()
}

proptest! {
    #[test]
    fn from_a_snapshot_a_system_does_what_it_did_before(
        before in 0_u64..20,
        after in 1_u64..20,
        between in 0_u64..20,
        threads in 0_usize..4,
    ) {
        let mut system = build();
        system.configure().unwrap();
        system.activate().unwrap();
        run(&mut system, before, threads);
        let snapshot = system.snapshot().unwrap();
        prop_assert_eq!(snapshot.ticks(), before);
        let first = run(&mut system, after, threads);
        let said = diagnostics(&system);
        run(&mut system, between, threads);

        system.restore(&snapshot).unwrap();
        prop_assert_eq!(&run(&mut system, after, threads), &first);
        prop_assert_eq!(diagnostics(&system), said);

        // Another system that is put together alike goes on from it too.
        let mut other = build();
        other.configure().unwrap();
        other.activate().unwrap();
        other.restore(&snapshot).unwrap();
        prop_assert_eq!(run(&mut other, after, 0), first);
    }
}

/// Has a state that it doesn't give, or doesn't take back.
struct Closed(bool);

impl Component for Closed {
    fn step(&mut self, _: &mut Io<'_>) -> StepResult {
        Ok(())
    }

    fn save(&self) -> SaveResult {
        if self.0 { Ok(Some(Encoded::of(&1_u64)?)) } else { Ok(None) }
    }
}

fn closed(gives: bool, name: &str) -> System {
    let mut builder = SystemBuilder::new("closed");
    builder.add("open", |ports| Ok(Source(0, ports.output("x")?))).unwrap();
    builder.add(name, |_| Ok(Closed(gives))).unwrap();
    let mut system = builder.build().unwrap();
    system.configure().unwrap();
    system
}

#[test]
fn a_component_that_cant_be_saved_or_restored_is_named() {
    let text = |error: &Error| {
        format!("{error}: {}", std::error::Error::source(error).map(ToString::to_string).unwrap())
    };
    let error = closed(false, "shut").snapshot().err().expect("refused");
    let expected = "component shut failed to save its state at 0.000000000 s: it has no state";
    assert!(text(&error).starts_with(expected), "{}", text(&error));

    let mut system = closed(true, "shut");
    let snapshot = system.snapshot().unwrap();
    assert_eq!(snapshot.state("open").unwrap().to::<i64>().unwrap(), 0);
    let error = system.restore(&snapshot).expect_err("refused");
    let expected = "component shut failed to restore its state at 0.000000000 s: it has no";
    assert!(text(&error).starts_with(expected), "{}", text(&error));
    // Half of it was restored: it doesn't go on from there.
    assert_eq!(system.stage(), Stage::Finalized);
}

#[test]
fn a_snapshot_of_another_system_or_in_the_wrong_stage_is_refused() {
    let snapshot = closed(true, "shut").snapshot().unwrap();
    let error = closed(true, "other").restore(&snapshot).expect_err("refused").to_string();
    assert!(error.contains("it has the components open, shut, this one open, other"), "{error}");
    let mut system = build();
    let error = system.snapshot().err().expect("refused").to_string();
    assert_eq!(error, "can't take a snapshot of system filters: it is unconfigured");
    let error = system.restore(&snapshot).expect_err("refused").to_string();
    assert_eq!(error, "can't restore system filters: it is unconfigured");
}

#[test]
fn a_snapshot_doesnt_go_on_at_other_rates_or_on_other_nodes() {
    let with = |rate_hz: f64, node: &str| {
        let mut builder = SystemBuilder::new("rates");
        for name in ["a", "b"] {
            let rate_hz = Some(if name == "a" { rate_hz } else { 50.0 });
            builder.node(name, NodeConfig { rate_hz, threaded: false }).unwrap();
        }
        builder.add_to(node, "first", Filter::new).unwrap();
        builder.add_to("b", "second", Filter::new).unwrap();
        builder.add_to("a", "third", Filter::new).unwrap();
        let mut system = builder.build().unwrap();
        system.run_for(3).unwrap();
        system
    };
    let snapshot = with(100.0, "a").snapshot().unwrap();
    with(100.0, "a").restore(&snapshot).unwrap();
    for (rate_hz, node) in [(200.0, "a"), (100.0, "b")] {
        let refused = with(rate_hz, node).restore(&snapshot).expect_err("refused").to_string();
        assert!(refused.contains("its nodes have other components or other rates"), "{refused}");
    }
}
