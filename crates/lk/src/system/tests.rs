mod determinism;
mod parts;
mod snapshot;

use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};

use super::{NodeConfig, RunOptions, System, SystemBuilder};
use crate::component::{Component, Io, Level, Stage, StepResult};
use crate::error::{Error, Result};
use crate::time::{Span, Time};
use parts::{Adder, Count, Log, Probe, Trace};

fn reason(result: Result<impl Sized>) -> String {
    match result {
        Err(error) => error.to_string(),
        Ok(_) => panic!("it was not refused"),
    }
}

/// A counter that a doubler follows, both probed.
fn pair(log: &Trace) -> SystemBuilder {
    let mut builder = SystemBuilder::new("pair");
    builder.add("b_count", Count::new).unwrap();
    builder.add("a_double", |ports| Adder::new(ports, &["in"], 0)).unwrap();
    builder.add("probe", |ports| Probe::new(ports, log)).unwrap();
    builder.connect("b_count.n", "a_double.in").unwrap();
    builder.connect("a_double.sum", "probe.n").unwrap();
    builder
}

#[test]
fn those_that_give_run_before_those_that_take() {
    let log = Trace::default();
    let mut system = pair(&log).build().unwrap();
    let order: Vec<&str> = system.diagnostics().map(|(name, _)| name).collect();
    assert_eq!(order, ["b_count", "a_double", "probe"]);
    system.run_for(3).unwrap();
    // Within the tick in which it was counted, a millisecond apart.
    let at = |ms: i64| ms * 1_000_000;
    assert_eq!(log.seen(), [(at(0), 1), (at(1), 2), (at(2), 3)]);
    assert_eq!((system.ticks(), system.now()), (3, Time::from_nanos(at(2))));
}

#[test]
fn connections_that_make_no_sense_are_refused_by_name() {
    let mut builder = pair(&Trace::default());
    builder.add("text", |ports| Ok(Log::<String>(ports.input("line")?))).unwrap();
    let refused = reason(builder.connect("b_count.n", "text.line"));
    let begin = "can't connect b_count.n to text.line: b_count.n gives lk/msg/Uint64";
    assert!(refused.starts_with(begin), "{refused}");
    let refused = reason(builder.connect("b_count.n", "probe.n"));
    assert!(refused.contains("a_double.sum writes to it already"), "{refused}");
    let refused = reason(builder.connect("b_count.m", "probe.n"));
    assert_eq!(refused, "b_count has no output m; its outputs are n");
    let refused = reason(builder.connect("probe.n", "a_double.in"));
    assert_eq!(refused, "probe.n is an input, not an output");
    assert!(reason(builder.connect("cuont.n", "probe.n")).contains("no component cuont"));
    assert!(reason(builder.connect("count", "probe.n")).contains("component.port"));
    assert!(reason(builder.add("probe", Count::new)).contains("there already"));
    assert!(reason(builder.add("a.b", Count::new)).contains("without dots"));
    assert!(reason(builder.add_to("fast", "x", Count::new)).contains("no node fast"));
    let config = NodeConfig { rate_hz: Some(-1.0), threaded: false };
    assert!(reason(builder.node("fast", config)).contains("-1 Hz is no rate"));
}

/// `x` adds what `y` gave and `y` what `x` gave.
fn circle(delayed: bool) -> Result<System> {
    let mut builder = SystemBuilder::new("circle");
    builder.add("x", |ports| Adder::new(ports, &["y"], 1))?;
    builder.add("y", |ports| Adder::new(ports, &["x"], 1))?;
    builder.connect("x.sum", "y.x")?;
    match delayed {
        true => builder.connect_delayed("y.sum", "x.y")?,
        false => builder.connect("y.sum", "x.y")?,
    }
    builder.expose_output("y", "y.sum")?;
    builder.build()
}

#[test]
fn a_circle_needs_a_delay_and_is_named_without_one() {
    let refused = reason(circle(false));
    let names = "x -> y -> x wait for each other within one tick";
    let ports = "x.sum goes to y.x, y.sum goes to x.y; connect one of these with a delay";
    assert_eq!(refused, format!("{names}: {ports}"));
    let mut system = circle(true).unwrap();
    // x: 1, y: 2; x: 3, y: 4; each adds 1 to what the other has said.
    for expected in [2, 4, 6] {
        system.run_for(1).unwrap();
        assert_eq!(system.output::<u64>("y").unwrap(), Some(&expected));
    }
}

#[test]
fn a_component_may_take_its_own_output_with_a_delay() {
    let mut builder = SystemBuilder::new("self");
    builder.add("sum", |ports| Adder::new(ports, &["before"], 1)).unwrap();
    assert!(
        reason(builder.connect("sum.sum", "sum.before").and_then(|()| builder.build()))
            .contains("sum -> sum")
    );
    let mut builder = SystemBuilder::new("self");
    builder.add("sum", |ports| Adder::new(ports, &["before"], 1)).unwrap();
    builder.connect_delayed("sum.sum", "sum.before").unwrap();
    builder.expose_output("sum", "sum.sum").unwrap();
    let mut system = builder.build().unwrap();
    system.run_for(5).unwrap();
    assert_eq!(system.output::<u64>("sum").unwrap(), Some(&5));
}

#[test]
fn nodes_run_at_their_rates_and_on_data() {
    let log = Trace::default();
    let mut builder = SystemBuilder::new("rates");
    let rate = |hz| NodeConfig { rate_hz: Some(hz), threaded: false };
    builder.node("slow", rate(100.0)).unwrap();
    builder.node("third", rate(3.0)).unwrap();
    builder.node("data", NodeConfig::default()).unwrap();
    builder.add_to("slow", "count", Count::new).unwrap();
    builder.add_to("third", "odd", Count::new).unwrap();
    builder.add_to("data", "probe", |ports| Probe::new(ports, &log)).unwrap();
    builder.add_to("data", "unheard", |ports| Probe::new(ports, &log)).unwrap();
    builder.connect("count.n", "probe.n").unwrap();
    let mut system = builder.build().unwrap();
    let until = Some(Time::from_nanos(1_000_000_000));
    system.run_with(&RunOptions { until, ..RunOptions::default() }).unwrap();
    assert_eq!(log.seen().len(), 100);
    assert_eq!(log.seen()[99], (990_000_000, 100));
    // Thirds of a second are rounded one by one, and don't drift: 0, 333333333,
    // 666666667. The last of them falls together with none of the others.
    assert_eq!(system.now(), Time::from_nanos(990_000_000));
    assert_eq!(system.ticks(), 102);
    let level = |name| system.diagnostics().find(|(n, _)| *n == name).unwrap().1.level();
    assert_eq!((level("probe"), level("unheard")), (Level::Ok, Level::Stale));
}

/// Wants to run at given times.
struct Source(Vec<i64>, crate::component::Out<u64>);

impl Component for Source {
    fn step(&mut self, io: &mut Io<'_>) -> StepResult {
        self.0.remove(0);
        io.set(self.1, self.0.len() as u64);
        Ok(())
    }
    fn next_time(&self, _: Time) -> Option<Time> {
        self.0.first().map(|nanos| Time::from_nanos(*nanos))
    }
}

#[test]
fn a_source_says_when_it_runs_and_the_run_ends_with_it() {
    let log = Trace::default();
    let run = |times: &[i64]| {
        let mut builder = SystemBuilder::new("source");
        builder.node("data", NodeConfig::default()).unwrap();
        builder
            .add_to("data", "source", |ports| Ok(Source(times.to_vec(), ports.output("n")?)))
            .unwrap();
        builder.add_to("data", "probe", |ports| Probe::new(ports, &log)).unwrap();
        builder.connect("source.n", "probe.n").unwrap();
        builder.build().unwrap().run()
    };
    run(&[5, 7, 100]).unwrap();
    assert_eq!(log.seen(), [(5, 2), (7, 1), (100, 0)]);
    let error = run(&[5, 5]).unwrap_err();
    assert_eq!(error.to_string(), "component source failed to step at 0.000000005 s");
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("not after"), "{source}");
}

#[test]
fn a_subsystem_is_seen_by_its_public_ports() {
    let log = Trace::default();
    let mut arm = SystemBuilder::new("arm");
    arm.add("one", |ports| Adder::new(ports, &["in"], 10)).unwrap();
    arm.add("two", |ports| Adder::new(ports, &["in"], 100)).unwrap();
    arm.connect("one.sum", "two.in").unwrap();
    arm.expose_input("start", "one.in").unwrap();
    arm.expose_output("end", "two.sum").unwrap();
    assert!(reason(arm.expose_input("again", "two.in")).contains("one.sum writes to it"));

    let mut builder = SystemBuilder::new("robot");
    builder.add("count", Count::new).unwrap();
    builder.add_subsystem("arm", arm).unwrap();
    builder.add("probe", |ports| Probe::new(ports, &log)).unwrap();
    builder.connect("count.n", "arm.start").unwrap();
    builder.connect("arm.end", "probe.n").unwrap();
    assert!(reason(builder.connect("arm.middle", "probe.n")).contains("no component arm"));
    let mut system = builder.build().unwrap();
    system.run_for(2).unwrap();
    assert_eq!(log.seen(), [(0, 111), (1_000_000, 112)]);
    let order: Vec<&str> = system.diagnostics().map(|(name, _)| name).collect();
    assert_eq!(order, ["count", "arm/one", "arm/two", "probe"]);
}

#[test]
fn public_inputs_are_written_from_outside() {
    let mut builder = SystemBuilder::new("public");
    builder.add("sum", |ports| Adder::new(ports, &["in"], 1)).unwrap();
    builder.expose_input("in", "sum.in").unwrap();
    builder.expose_output("out", "sum.sum").unwrap();
    let mut system = builder.build().unwrap();
    system.set_input("in", 41_u64).unwrap();
    assert_eq!(system.output::<u64>("out").unwrap(), None);
    system.run_for(1).unwrap();
    assert_eq!(system.output::<u64>("out").unwrap(), Some(&42));
    assert!(reason(system.set_input("in", 1.0_f64)).contains("holds lk/msg/Uint64, not f64"));
    assert!(reason(system.output::<f64>("out").map(|_| ())).contains("not f64"));
    assert!(reason(system.set_input("on", 1_u64)).contains("no public input on; there are in"));
}

#[test]
fn a_shared_public_input_goes_to_all_of_its_ports() {
    let shared = |log: &Trace| {
        let mut builder = SystemBuilder::new("shared");
        builder.add("one", |ports| Adder::new(ports, &["in"], 1)).unwrap();
        builder.add("ten", |ports| Adder::new(ports, &["in"], 10)).unwrap();
        builder.add("probe", |ports| Probe::new(ports, log)).unwrap();
        builder.connect("ten.sum", "probe.n").unwrap();
        builder.expose_shared_input("in", &["one.in", "ten.in"]).unwrap();
        builder.expose_output("out", "one.sum").unwrap();
        builder
    };
    let log = Trace::default();
    let mut system = shared(&log).build().unwrap();
    system.set_input("in", 5_u64).unwrap();
    system.run_for(1).unwrap();
    assert_eq!(system.output::<u64>("out").unwrap(), Some(&6));
    assert_eq!(log.seen(), [(0, 15)]);

    let log = Trace::default();
    let mut builder = SystemBuilder::new("around");
    builder.add("count", Count::new).unwrap();
    builder.add_subsystem("sub", shared(&log)).unwrap();
    builder.connect("count.n", "sub.in").unwrap();
    assert!(reason(builder.connect("count.n", "sub.in")).contains("count.n writes to it already"));
    builder.build().unwrap().run_for(2).unwrap();
    assert_eq!(log.seen(), [(0, 11), (1_000_000, 12)]);

    let mut builder = shared(&log);
    builder.add("text", |ports| Ok(Log::<String>(ports.input("line")?))).unwrap();
    builder.add("two", |ports| Adder::new(ports, &["in"], 2)).unwrap();
    let refused = reason(builder.expose_shared_input("both", &["two.in", "text.line"]));
    assert!(refused.starts_with("two.in and text.line can't be one public input"), "{refused}");
    assert!(reason(builder.expose_shared_input("none", &[])).contains("needs an input"));
    assert!(reason(builder.connect("one.sum", "ten.in")).contains("the public input in"));
}

/// The same message type as another Rust type.
#[derive(Serialize, Deserialize)]
struct Reading {
    data: u64,
}

#[test]
fn rust_types_of_one_message_type_are_converted() {
    let log = Trace::default();
    struct Say(crate::component::Out<Reading>);
    impl Component for Say {
        fn step(&mut self, io: &mut Io<'_>) -> StepResult {
            io.set(self.0, Reading { data: 7 });
            Ok(())
        }
    }
    let mut builder = SystemBuilder::new("convert");
    builder.add("say", |ports| Ok(Say(ports.output("n")?))).unwrap();
    builder.add("probe", |ports| Probe::new(ports, &log)).unwrap();
    builder.connect("say.n", "probe.n").unwrap();
    builder.build().unwrap().run_for(1).unwrap();
    assert_eq!(log.seen(), [(0, 7)]);
}

/// Notes what happens to it; fails where told.
struct Noted {
    name: &'static str,
    notes: Arc<Mutex<Vec<String>>>,
    fails_at: &'static str,
}

impl Noted {
    fn note(&mut self, what: &str) -> StepResult {
        self.notes.lock().unwrap().push(format!("{what} {}", self.name));
        if self.fails_at == what { Err("it was told to".into()) } else { Ok(()) }
    }
}

impl Component for Noted {
    fn step(&mut self, _: &mut Io<'_>) -> StepResult {
        self.note("step")
    }
    fn on_configure(&mut self) -> StepResult {
        self.note("configure")
    }
    fn on_activate(&mut self) -> StepResult {
        self.note("activate")
    }
    fn on_deactivate(&mut self) -> StepResult {
        self.note("deactivate")
    }
    fn on_shutdown(&mut self) -> StepResult {
        self.note("shutdown")
    }
}

fn noted(fails: [&'static str; 2]) -> (System, Arc<Mutex<Vec<String>>>) {
    let notes = Arc::new(Mutex::new(Vec::new()));
    let mut builder = SystemBuilder::new("noted");
    for (name, fails_at) in ["a", "b"].into_iter().zip(fails) {
        let notes = Arc::clone(&notes);
        builder.add(name, move |_| Ok(Noted { name, notes, fails_at })).unwrap();
    }
    (builder.build().unwrap(), notes)
}

fn taken(notes: &Arc<Mutex<Vec<String>>>) -> String {
    std::mem::take(&mut *notes.lock().unwrap()).join(", ")
}

#[test]
fn life_goes_up_in_order_and_down_in_reverse() {
    let (mut system, notes) = noted(["", ""]);
    system.run_for(1).unwrap();
    assert_eq!(taken(&notes), "configure a, configure b, activate a, activate b, step a, step b");
    system.shutdown().unwrap();
    assert_eq!(taken(&notes), "deactivate b, deactivate a, shutdown b, shutdown a");
    assert_eq!(reason(system.run_for(1)), "can't run system noted: it is finalized");
    assert_eq!(reason(system.shutdown()), "can't shut down system noted: it is finalized");
}

#[test]
fn a_call_in_the_wrong_stage_names_the_call_and_the_stage() {
    let (mut system, _) = noted(["", ""]);
    assert_eq!(reason(system.step()), "can't step system noted: it is unconfigured");
    assert_eq!(reason(system.activate()), "can't activate system noted: it is unconfigured");
    system.configure().unwrap();
    assert_eq!(reason(system.configure()), "can't configure system noted: it is inactive");
    assert_eq!(reason(system.deactivate()), "can't deactivate system noted: it is inactive");
    system.activate().unwrap();
    let start = system.start_at(Time::from_nanos(1));
    assert_eq!(reason(start), "can't set the start of system noted: it is active");
}

#[test]
fn after_an_error_everything_is_shut_down_in_reverse() {
    let (mut system, notes) = noted(["step", ""]);
    let error = system.run_for(9).unwrap_err();
    assert!(matches!(&error, Error::Component { component, .. } if component == "a"));
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "it was told to");
    let down = "deactivate b, shutdown b, deactivate a, shutdown a";
    assert!(taken(&notes).ends_with(&format!("step a, step b, {down}")));
    assert_eq!(system.stage(), Stage::Finalized);

    let (mut system, notes) = noted(["", "activate"]);
    assert!(reason(system.run()).contains("component b failed to activate"));
    let down = "shutdown b, deactivate a, shutdown a";
    assert_eq!(taken(&notes), format!("configure a, configure b, activate a, activate b, {down}"));

    let (mut system, notes) = noted(["", "deactivate"]);
    system.run_for(1).unwrap();
    taken(&notes);
    assert!(reason(system.shutdown()).contains("component b failed to deactivate"));
    assert_eq!(taken(&notes), "deactivate b, deactivate a, shutdown b, shutdown a");
}

#[test]
fn a_component_can_end_the_run() {
    struct Three;
    impl Component for Three {
        fn step(&mut self, io: &mut Io<'_>) -> StepResult {
            if io.tick() == 2 {
                io.request_stop();
            }
            Ok(())
        }
    }
    let mut builder = SystemBuilder::new("three");
    builder.add("three", |_| Ok(Three)).unwrap();
    let mut system = builder.build().unwrap();
    system.run().unwrap();
    assert_eq!(system.ticks(), 3);
    // It can go on; a pause in between changes nothing.
    system.deactivate().unwrap();
    system.run_for(2).unwrap();
    assert_eq!((system.ticks(), system.now()), (5, Time::from_nanos(4_000_000)));
}

/// Notes where its messages lie in memory, and keeps none.
struct Where(crate::component::InAny, Arc<Mutex<Vec<usize>>>, Vec<Arc<[u64; 1]>>);

impl Component for Where {
    fn step(&mut self, io: &mut Io<'_>) -> StepResult {
        if let Some(message) = io.get_any(self.0) {
            self.1.lock().unwrap().push(Arc::as_ptr(message).addr());
        }
        // As large as the messages, so that it takes the place of any that is
        // freed.
        self.2.extend([Arc::default(), Arc::default()]);
        Ok(())
    }
}

#[test]
fn a_steady_flow_uses_the_memory_of_its_messages_again() {
    for (readers, delayed, public) in
        [(1, false, false), (1, true, false), (3, false, false), (3, true, false), (1, false, true)]
    {
        let places = Arc::new(Mutex::new(Vec::new()));
        let mut builder = SystemBuilder::new("flow");
        builder.add("count", Count::new).unwrap();
        for reader in 0..readers {
            let places = Arc::clone(&places);
            let name = format!("reader{reader}");
            builder
                .add(&name, |ports| Ok(Where(ports.input_any("n")?, places, Vec::new())))
                .unwrap();
            let to = format!("{name}.n");
            match delayed && reader == 0 {
                true => builder.connect_delayed("count.n", &to).unwrap(),
                false => builder.connect("count.n", &to).unwrap(),
            }
        }
        if public {
            builder.expose_output("n", "count.n").unwrap();
        }
        builder.build().unwrap().run_for(100).unwrap();
        let mut places = places.lock().unwrap().clone();
        let seen = places.len();
        places.sort_unstable();
        places.dedup();
        let flow = (readers, delayed, public);
        assert!(seen >= 99 && places.len() <= 3, "{flow:?}: {} of {seen}", places.len());
    }
}

/// A fan of counters at two rates, adders over them with a delayed way back.
fn fan(log: &Trace, fail_at: u64) -> System {
    let mut builder = SystemBuilder::new("fan");
    let node = |rate_hz| NodeConfig { rate_hz, threaded: true };
    for i in 0..5 {
        let rate = if i % 2 == 0 { 1000.0 } else { 300.0 };
        builder.node(&format!("n{i}"), node(Some(rate))).unwrap();
        builder.add_to(&format!("n{i}"), &format!("count{i}"), Count::new).unwrap();
    }
    builder.node("data", node(None)).unwrap();
    let names = ["0", "1", "2", "3", "4", "back"];
    builder.add_to("data", "sum", |ports| Adder::new(ports, &names, 0)).unwrap();
    builder.add_to("data", "log", |ports| Probe::failing(ports, log, fail_at)).unwrap();
    for i in 0..5 {
        builder.connect(&format!("count{i}.n"), &format!("sum.{i}")).unwrap();
    }
    builder.connect_delayed("sum.sum", "sum.back").unwrap();
    builder.connect("sum.sum", "log.n").unwrap();
    builder.build().unwrap()
}

#[test]
fn any_number_of_threads_gives_the_same_messages() {
    let run = |threads, fail_at| {
        let log = Trace::default();
        let options = RunOptions { threads, ticks: Some(500), ..RunOptions::default() };
        let ran = fan(&log, fail_at).run_with(&options).map_err(|e| e.to_string());
        (log.seen(), ran)
    };
    for fail_at in [u64::MAX, 123] {
        let alone = run(1, fail_at);
        assert_eq!(alone.0.len(), if fail_at == 123 { 124 } else { 500 });
        assert_eq!(alone.1.is_err(), fail_at == 123);
        for threads in [0, 2, 8] {
            assert_eq!(run(threads, fail_at), alone, "{threads} threads");
        }
    }
}

#[test]
#[should_panic(expected = "panicked")]
fn a_panic_on_a_thread_of_its_own_surfaces() {
    struct Panics;
    impl Component for Panics {
        fn step(&mut self, _: &mut Io<'_>) -> StepResult {
            panic!("on purpose");
        }
    }
    let mut builder = SystemBuilder::new("panics");
    for name in ["a", "b"] {
        let config = NodeConfig { rate_hz: Some(1.0), threaded: true };
        builder.node(name, config).unwrap();
        builder.add_to(name, name, |_| Ok(Panics)).unwrap();
    }
    let options = RunOptions { threads: 2, ticks: Some(1), ..RunOptions::default() };
    let _ = builder.build().unwrap().run_with(&options);
}

#[test]
fn a_run_can_wait_before_each_tick_and_be_ended_there() {
    let mut system = pair(&Trace::default()).build().unwrap();
    system.start_at(Time::from_nanos(50)).unwrap();
    let mut times = Vec::new();
    let end = Time::from_nanos(50) + Span::from_nanos(3_000_000);
    system
        .run_paced(&RunOptions::default(), |time| {
            times.push(time.as_nanos());
            Ok(time < end)
        })
        .unwrap();
    assert_eq!(times, [50, 1_000_050, 2_000_050, 3_000_050]);
    assert_eq!(system.ticks(), 3);
}

#[test]
fn the_graph_prints_as_mermaid() {
    let mut builder = pair(&Trace::default());
    builder.add("back", |ports| Adder::new(ports, &["\"x\""], 0)).unwrap();
    builder.connect_delayed("a_double.sum", "back.\"x\"").unwrap();
    let expected = "\
flowchart LR
    c0[\"a_double\"]
    c1[\"b_count\"]
    c2[\"back\"]
    c3[\"probe\"]
    c1 -->|\"n to in\"| c0
    c0 -->|\"sum to n\"| c3
    c0 -.->|\"sum to #34;x#34;\"| c2
";
    assert_eq!(builder.graph().to_mermaid(), expected);
}
