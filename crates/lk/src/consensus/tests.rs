use serde::{Deserialize, Serialize};

use super::*;
use crate::component::{Component, In, InAny, Io, Level, Out, OutAny, Ports, StepResult};
use crate::dataset::Role;
use crate::diff::{Policy, Verdict, diff};
use crate::recorder::{RecorderConfig, Target};
use crate::system::{NodeConfig, RunOptions, SystemBuilder};
use crate::time::Time;
use crate::{Dataset, Error, Result, Schema};

/// How an implementation goes wrong, and at which inputs.
#[derive(Clone, Copy)]
enum Slip {
    None,
    /// Adds this from an input on.
    Off(f64, f64),
    /// Gives NaN from an input on.
    Nan(f64),
    /// Gives nothing from an input on.
    Silent(f64),
}

/// Adds up its inputs.
struct Sum {
    sum: f64,
    slip: Slip,
    x: In<f64>,
    y: Out<f64>,
}

impl Sum {
    fn new(slip: Slip, ports: &mut Ports) -> Result<Sum> {
        Ok(Sum { sum: 0.0, slip, x: ports.input("x")?, y: ports.output("y")? })
    }
}

impl Component for Sum {
    fn step(&mut self, io: &mut Io<'_>) -> StepResult {
        let Some(x) = io.get_fresh(self.x).copied() else { return Ok(()) };
        self.sum += x;
        match self.slip {
            Slip::Off(by, from) if x >= from => io.set(self.y, self.sum + by),
            Slip::Nan(from) if x >= from => io.set(self.y, f64::NAN),
            Slip::Silent(from) if x >= from => {}
            _ => io.set(self.y, self.sum),
        }
        Ok(())
    }
}

/// Counts 0, 1, 2 with each tick.
struct Count(f64, Out<f64>);

impl Component for Count {
    fn step(&mut self, io: &mut Io<'_>) -> StepResult {
        io.set(self.1, self.0);
        self.0 += 1.0;
        Ok(())
    }
}

fn on_data() -> NodeConfig {
    NodeConfig { rate_hz: None, threaded: true }
}

/// Runs implementations for some ticks; the recording, the counts, and what
/// the watcher says.
fn run(
    slips: &[Slip],
    record: Record,
    rules: &[&str],
    config: ConsensusDxConfig,
    ticks: u64,
    threads: usize,
) -> (Dataset, Vec<PairAgreement>, (Level, String)) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("consensus.mcap");
    let mut sums = Consensus::new("sums", on_data(), Policy::parse_rules(rules).unwrap());
    for (name, slip) in ["a", "b", "c"].iter().zip(slips) {
        sums.add(name, |ports| Sum::new(*slip, ports)).unwrap();
    }
    let target = Target::Files { path: path.clone(), options: Default::default() };
    let outcome = sums.record(target, RecorderConfig::default(), record).unwrap();
    let agreement = sums.watch(config).unwrap();
    let mut builder = SystemBuilder::new("test");
    builder.add("count", |ports| Ok(Count(0.0, ports.output("n")?))).unwrap();
    builder.add_subsystem("sums", sums.build().unwrap()).unwrap();
    builder.connect("count.n", "sums.x").unwrap();
    builder.expose_output("y", "sums.y").unwrap();
    let mut system = builder.build().unwrap();
    let options = RunOptions { ticks: Some(ticks), threads, ..RunOptions::default() };
    system.run_with(&options).unwrap();
    // The first is what others hear.
    assert!(system.output::<f64>("y").unwrap().is_some());
    let dx = system.diagnostics().find(|(name, _)| *name == "sums/dx").unwrap().1;
    let said = (dx.level(), dx.message().to_owned());
    system.shutdown().unwrap();
    assert!(outcome.lock().unwrap().as_ref().unwrap().total().balances());
    (Dataset::open(&path).unwrap(), agreement.pairs(), said)
}

fn numbers(dataset: &Dataset, key: &str) -> Vec<f64> {
    let Ok(channel) = dataset.channel(key) else { return Vec::new() };
    channel.typed::<f64>().unwrap().map(|item| item.unwrap().1).collect()
}

fn record(slips: &[Slip], record: Record, rules: &[&str]) -> Dataset {
    run(slips, record, rules, ConsensusDxConfig::default(), 6, 0).0
}

#[test]
fn where_two_disagree_is_recorded_with_inputs_and_each_output_under_its_own_key() {
    let slips = [Slip::None, Slip::Off(0.5, 4.0)];
    let mismatches = record(&slips, Record::Mismatches, &[]);
    assert_eq!(numbers(&mismatches, "x"), [4.0, 5.0]);
    assert_eq!(numbers(&mismatches, "a/y"), [10.0, 15.0]);
    assert_eq!(numbers(&mismatches, "b/y"), [10.5, 15.5]);
    let role = |key| mismatches.channel(key).unwrap().channel().role;
    assert_eq!([role("x"), role("b/y")], [Role::Input, Role::Output]);
    let times = mismatches.timestamps("a/y").unwrap();
    assert_eq!(times, [4, 5].map(|ms| Time::from_nanos(ms * 1_000_000)));

    let matches = record(&slips, Record::Matches, &[]);
    assert_eq!(numbers(&matches, "a/y"), [0.0, 1.0, 3.0, 6.0]);
    assert_eq!(numbers(&record(&slips, Record::All, &[]), "x"), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    // By the tolerance that is given, which names the output.
    let tolerant = record(&slips, Record::Mismatches, &["y.data:abs=0.5"]);
    assert!(numbers(&tolerant, "x").is_empty());
}

/// Multiplies by a gain that comes now and then.
struct Scale(f64, In<f64>, In<f64>, Out<f64>);

impl Component for Scale {
    fn step(&mut self, io: &mut Io<'_>) -> StepResult {
        let gain = io.get(self.1).copied().unwrap_or(1.0);
        if let Some(x) = io.get_fresh(self.2).copied() {
            // One of them goes wrong at its limit.
            io.set(self.3, (gain * x).min(self.0));
        }
        Ok(())
    }
}

#[test]
fn an_input_that_came_before_a_recorded_tick_is_recorded_with_it_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("consensus.mcap");
    let mut scales = Consensus::new("scales", on_data(), Policy::default());
    for (name, limit) in [("free", f64::INFINITY), ("limited", 100.0)] {
        let new = |ports: &mut Ports| {
            Ok(Scale(limit, ports.input("gain")?, ports.input("x")?, ports.output("y")?))
        };
        scales.add(name, new).unwrap();
    }
    let target = Target::Files { path: path.clone(), options: Default::default() };
    scales.record(target, RecorderConfig::default(), Record::Mismatches).unwrap();
    let mut builder = SystemBuilder::new("test");
    builder.add("count", |ports| Ok(Count(0.0, ports.output("n")?))).unwrap();
    builder.add_subsystem("scales", scales.build().unwrap()).unwrap();
    builder.connect("count.n", "scales.x").unwrap();
    builder.expose_input("gain", "scales.gain").unwrap();
    let mut system = builder.build().unwrap();
    for gain in [5.0, 30.0] {
        system.set_input("gain", gain).unwrap();
        system.run_for(3).unwrap();
    }
    system.shutdown().unwrap();
    let recorded = Dataset::open(&path).unwrap();
    // The last gain came with x = 3, and is recorded with x = 4.
    assert_eq!(numbers(&recorded, "x"), [4.0, 5.0]);
    assert_eq!(numbers(&recorded, "gain"), [30.0]);
    assert_eq!(recorded.timestamps("gain").unwrap(), [Time::from_nanos(4_000_000)]);
    assert_eq!(numbers(&recorded, "free/y"), [120.0, 150.0]);
    assert_eq!(numbers(&recorded, "limited/y"), [100.0, 100.0]);
}

#[test]
fn nan_on_one_side_and_silence_of_one_are_disagreements() {
    let nan = record(&[Slip::None, Slip::Nan(5.0)], Record::Mismatches, &["1e300"]);
    assert_eq!(numbers(&nan, "x"), [5.0]);
    let both = record(&[Slip::Nan(5.0), Slip::Nan(5.0)], Record::Mismatches, &[]);
    assert!(numbers(&both, "x").is_empty());
    let silent = record(&[Slip::None, Slip::Silent(4.0)], Record::Mismatches, &["1e300"]);
    assert_eq!(numbers(&silent, "a/y"), [10.0, 15.0]);
    assert!(numbers(&silent, "b/y").is_empty());
    // Where nobody says anything, nobody disagrees.
    let all_silent = record(&[Slip::Silent(3.0); 2], Record::Mismatches, &[]);
    assert!(numbers(&all_silent, "x").is_empty());
}

#[test]
fn copies_of_one_implementation_always_agree_at_any_number_of_threads() {
    for threads in [0, 2, 8] {
        let config = ConsensusDxConfig::default();
        let slips = [Slip::Nan(70.0); 3];
        let (recorded, pairs, said) = run(&slips, Record::Mismatches, &["0"], config, 100, threads);
        assert!(recorded.is_empty().unwrap());
        assert_eq!(pairs.len(), 3);
        for pair in pairs {
            assert_eq!(
                (pair.agreed, pair.disagreed, pair.one_alone, pair.recent),
                (100, 0, 0, 0.0)
            );
            assert_eq!((pair.fields[0].compared, pair.fields[0].violations), (100, 0));
        }
        assert_eq!(said, (Level::Ok, String::new()));
    }
}

#[test]
fn counts_are_kept_by_pair_and_field_and_the_level_turns_at_its_rates() {
    let slips = [Slip::None, Slip::Off(0.5, 8.0), Slip::Silent(9.0)];
    let level = |warn_above, error_above| {
        let config = ConsensusDxConfig { window: 5, warn_above, error_above };
        let (_, pairs, said) = run(&slips, Record::Mismatches, &[], config, 10, 0);
        (pairs, said)
    };
    let (pairs, (at, message)) = level(0.0, 0.3);
    let of = |n: usize| {
        let pair = &pairs[n];
        let names = format!("{}{} {}", pair.first, pair.second, pair.port);
        (names, [pair.agreed, pair.disagreed, pair.one_alone], pair.recent)
    };
    assert_eq!(of(0), ("ab y".to_owned(), [8, 2, 0], 0.4));
    assert_eq!(of(1), ("ac y".to_owned(), [9, 0, 1], 0.2));
    assert_eq!(of(2), ("bc y".to_owned(), [8, 1, 1], 0.4));
    let field = &pairs[0].fields[0];
    assert_eq!((field.path.as_str(), field.violations, field.max_error), ("y.data", 2, 0.5));
    assert_eq!(at, Level::Error);
    assert_eq!(message, "b disagrees with a in 2 of the last 5 messages of y, most in y.data");
    assert_eq!(level(0.3, 0.4).1.0, Level::Warn);
    assert_eq!(level(0.4, 0.5).1.0, Level::Ok);
}

#[test]
fn disagreement_is_forgotten_by_the_level_and_never_by_the_counts() {
    let config = ConsensusDxConfig { window: 4, ..ConsensusDxConfig::default() };
    /// Wrong once.
    struct Once(In<f64>, Out<f64>);
    impl Component for Once {
        fn step(&mut self, io: &mut Io<'_>) -> StepResult {
            let x = io.get(self.0).copied().unwrap_or_default();
            io.set(self.1, if x == 3.0 { 0.0 } else { x });
            Ok(())
        }
    }
    struct Same(In<f64>, Out<f64>);
    impl Component for Same {
        fn step(&mut self, io: &mut Io<'_>) -> StepResult {
            let x = io.get(self.0).copied().unwrap_or_default();
            io.set(self.1, x);
            Ok(())
        }
    }
    let mut both = Consensus::new("both", on_data(), Policy::default());
    both.add("same", |ports| Ok(Same(ports.input("x")?, ports.output("y")?))).unwrap();
    both.add("once", |ports| Ok(Once(ports.input("x")?, ports.output("y")?))).unwrap();
    let agreement = both.watch(config).unwrap();
    let mut builder = SystemBuilder::new("test");
    builder.add("count", |ports| Ok(Count(0.0, ports.output("n")?))).unwrap();
    builder.add_subsystem("both", both.build().unwrap()).unwrap();
    builder.connect("count.n", "both.x").unwrap();
    let mut system = builder.build().unwrap();
    let mut levels = Vec::new();
    for _ in 0..8 {
        system.run_for(1).unwrap();
        let dx = system.diagnostics().find(|(name, _)| *name == "both/dx").unwrap().1;
        levels.push(dx.level() == Level::Error);
    }
    assert_eq!(levels, [false, false, false, true, true, true, true, false]);
    let pair = &agreement.pairs()[0];
    assert_eq!((pair.agreed, pair.disagreed, pair.recent), (7, 1, 0.0));
}

#[test]
fn what_is_recorded_of_all_is_judged_the_same_by_comparing_the_recordings() {
    for (slips, verdict) in
        [([Slip::None; 2], Verdict::Identical), ([Slip::None, Slip::Nan(3.0)], Verdict::Different)]
    {
        let all = record(&slips, Record::All, &[]);
        let side = |name: &str| {
            let mut side = Dataset::memory();
            for item in all.channel(&format!("{name}/y")).unwrap().typed::<f64>().unwrap() {
                let (time, y) = item.unwrap();
                side.write("y", &y, time).unwrap();
            }
            side
        };
        assert_eq!(diff(&side("a"), &side("b"), &Policy::default()).unwrap().verdict, verdict);
    }
}

/// Gives its input as another type.
struct Relay(InAny, OutAny);

impl Component for Relay {
    fn step(&mut self, io: &mut Io<'_>) -> StepResult {
        if io.get_any(self.0).is_some() {
            io.set_payload(&self.1, vec![0, 1, 0, 0, 0, 0, 0, 0].into());
        }
        Ok(())
    }
}

#[test]
fn outputs_of_different_types_never_agree() {
    let schema = Schema::of::<f32>().unwrap();
    let mut both = Consensus::new("both", on_data(), Policy::parse_rules(&["1e300"]).unwrap());
    both.add("a", |ports| Sum::new(Slip::None, ports)).unwrap();
    both.add("b", |ports| Ok(Relay(ports.input_any("x")?, ports.output_any("y", &schema)?)))
        .unwrap();
    let agreement = both.watch(ConsensusDxConfig::default()).unwrap();
    let mut builder = SystemBuilder::new("test");
    builder.add("count", |ports| Ok(Count(0.0, ports.output("n")?))).unwrap();
    builder.add_subsystem("both", both.build().unwrap()).unwrap();
    builder.connect("count.n", "both.x").unwrap();
    builder.build().unwrap().run_for(3).unwrap();
    let pair = &agreement.pairs()[0];
    assert_eq!((pair.agreed, pair.disagreed), (0, 3));
}

/// With ports by other names.
#[derive(Default, Serialize, Deserialize)]
struct Odd;

impl Component for Odd {
    fn step(&mut self, _: &mut Io<'_>) -> StepResult {
        Ok(())
    }
}

#[test]
fn implementations_that_cant_be_compared_are_refused_by_name_and_port() {
    let refused = |result: Result<()>| result.expect_err("refused").to_string();
    let new = || Consensus::new("sums", on_data(), Policy::default());
    let one = |sums: &mut Consensus| sums.add("a", |ports| Sum::new(Slip::None, ports));

    let mut sums = new();
    one(&mut sums).unwrap();
    let watched = sums.watch(ConsensusDxConfig::default()).map(drop);
    assert!(refused(watched).contains("1 implementations can't be compared"));

    let mut sums = new();
    one(&mut sums).unwrap();
    sums.add("b", |ports| {
        ports.input::<f64>("x")?;
        ports.output::<f64>("z")?;
        Ok(Odd)
    })
    .unwrap();
    let watched = refused(sums.watch(ConsensusDxConfig::default()).map(drop));
    assert!(watched.contains("implementation b has no output y, which a has"), "{watched}");

    let mut sums = new();
    one(&mut sums).unwrap();
    sums.add("b", |ports| {
        ports.input::<f64>("u")?;
        ports.output::<f64>("y")?;
        Ok(Odd)
    })
    .unwrap();
    let built = refused(sums.build().map(drop));
    assert!(built.contains("implementation b has no input x, which a has"), "{built}");

    let mut sums = new();
    one(&mut sums).unwrap();
    sums.add("b", |ports| {
        ports.input::<bool>("x")?;
        ports.output::<f64>("y")?;
        Ok(Odd)
    })
    .unwrap();
    let built = refused(sums.build().map(drop));
    assert!(built.contains("a.x takes lk/msg/Float64") && built.contains("b.x takes"), "{built}");

    let mut sums = new();
    one(&mut sums).unwrap();
    sums.add("b", |ports| Sum::new(Slip::None, ports)).unwrap();
    sums.watch(ConsensusDxConfig::default()).unwrap();
    let late = refused(sums.add("c", |ports| Sum::new(Slip::None, ports)));
    assert!(late.contains("add c before dx"), "{late}");
    assert!(refused(new().add("dx", |_| Ok(Odd))).contains("dx can't name an implementation"));

    let mut sums = Consensus::new("sums", on_data(), Policy::parse_rules(&["z:abs=1"]).unwrap());
    one(&mut sums).unwrap();
    sums.add("b", |ports| Sum::new(Slip::None, ports)).unwrap();
    let stale = sums.watch(ConsensusDxConfig::default()).map(drop).expect_err("refused");
    assert!(matches!(stale, Error::Policy { .. }), "{stale}");

    let config = ConsensusDxConfig { warn_above: 0.5, ..ConsensusDxConfig::default() };
    let mut sums = new();
    one(&mut sums).unwrap();
    sums.add("b", |ports| Sum::new(Slip::None, ports)).unwrap();
    assert!(refused(sums.watch(config).map(drop)).contains("warn_above must not be above"));
}
