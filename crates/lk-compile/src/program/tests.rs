//! The program that behaves well and in every wrong way (`runner/tests`), as a
//! component.

use std::path::{Path, PathBuf};
use std::time::Duration;

use lk::component::{Encoded, In, Out};
use lk::system::{NodeConfig, RunOptions as SystemOptions, System, SystemBuilder};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::*;
use crate::runner;
use crate::runner::tests::{TICKS, component, contents, fake, ticks};

/// The fake, and where it says which process it is.
fn noted(behaviour: &str, folder: &TempDir) -> (Program, PathBuf) {
    let mut program = fake(behaviour, folder.path());
    if !behaviour.contains(' ') {
        program.run.push("3".into());
    }
    let note = folder.path().join("pid");
    program.run.push(note.display().to_string());
    (program, note)
}

/// Whether the process that left the note is gone, and reaped.
#[track_caller]
fn assert_gone(note: &Path) {
    let pid = std::fs::read_to_string(note).expect("it was started");
    assert!(!Path::new("/proc").join(&pid).exists(), "process {pid} is left");
}

fn float(v: f64) -> Vec<u8> {
    [&[0, 1, 0, 0][..], &v.to_le_bytes()].concat()
}

fn start(program: &Program) -> Result<RunningProgram> {
    RunningProgram::start(program, &component(), StartOptions::default())
}

/// Steps it through all ticks; the first error.
fn step_all(running: &mut RunningProgram) -> Result<Vec<Vec<Option<Bytes>>>> {
    let step = |n: usize| {
        let time = Time::from_nanos(1_000 * n as i64);
        Ok(running.step(time, &[(0, float(n as f64))])?.to_vec())
    };
    (0..TICKS).map(step).collect()
}

#[track_caller]
fn check(behaviour: &str, message: &str, hint: &str) {
    let folder = tempfile::tempdir().unwrap();
    let (mut program, note) = noted(behaviour, &folder);
    if message.contains("0.3 s") {
        (program.limits.tick_s, program.limits.start_s) = (0.3, 2.0);
    }
    let mut kept = None;
    let error = start(&program)
        .and_then(|running| step_all(kept.insert(running)))
        .expect_err("it misbehaves");
    let Error::Program(failure) = &error else { panic!("{error}") };
    assert_eq!(failure.message, message);
    assert!(failure.hint.clone().unwrap_or_default().contains(hint), "{:?}", failure.hint);
    assert!(!failure.log.is_empty(), "its log is kept");
    assert_gone(&note);
    if let Some(mut running) = kept {
        assert!(!running.is_alive());
        let again = running.step(Time::MAX, &[]).unwrap_err().to_string();
        assert_eq!(again, "candidate fake has ended, and can't be stepped");
        running.end().unwrap();
    }
}

#[test]
fn steps_give_what_a_run_records() {
    let program = fake("well", &std::env::temp_dir());
    let options = RunOptions::default();
    let run = runner::run(&program, &component(), &ticks(TICKS), &options, &mut |_| {});
    let recorded = contents(&run.unwrap().unwrap().dataset).into_iter();
    let recorded = recorded.filter(|(key, ..)| key != "/adder/X").map(|(.., payload)| payload);

    let mut running = start(&program).unwrap();
    assert_eq!(running.harness(), "fake 1");
    let stepped = step_all(&mut running).unwrap().into_iter().flatten().flatten();
    assert!(stepped.map(|payload| payload.to_vec()).eq(recorded));
    assert_eq!(running.log().unwrap(), ["log of well"]);
    running.end().unwrap();
}

#[test]
fn what_is_not_written_in_a_tick_is_none_and_an_error_of_the_component_is_no_end() {
    let mut running = start(&fake("raises", &std::env::temp_dir())).unwrap();
    let mut step = |n: i64| running.step(Time::from_nanos(n), &[]).map(|out| out.to_vec());
    assert!(step(0).unwrap().iter().all(Option::is_some));
    let error = step(1).unwrap_err();
    let text = "at tick 1, candidate fake raised: tick 1 is bad; its log ends:\n  log of raises";
    assert_eq!(error.to_string(), text);
    assert!(step(2).unwrap().iter().all(Option::is_some));
}

#[test]
fn a_reset_takes_it_back_to_its_beginning() {
    let mut running = start(&fake("well", &std::env::temp_dir())).unwrap();
    let first = step_all(&mut running).unwrap();
    let error = running.step(Time::ZERO, &[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "candidate fake can't be stepped at 0.000000000 s, after it was at 0.000049000 s: time \
         goes back"
    );
    assert_eq!(error.hint().unwrap(), "reset it to begin anew");
    running.reset().unwrap();
    assert_eq!(step_all(&mut running).unwrap(), first);
}

#[test]
fn a_reset_that_fails_is_an_error() {
    for (behaviour, message) in [
        ("dies-in-reset", "at a reset, candidate fake exited with code 6"),
        ("hangs-in-reset", "at a reset, candidate fake did not answer `reset` within 0.3 s"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (mut program, note) = noted(behaviour, &folder);
        program.limits.tick_s = 0.3;
        let mut running = start(&program).unwrap();
        let Error::Program(failure) = running.reset().unwrap_err() else { panic!() };
        assert_eq!(failure.message, message);
        assert_gone(&note);
    }
}

#[test]
fn what_goes_wrong_names_the_tick_and_leaves_no_process() {
    let at = "at tick 3, candidate fake";
    check(
        "segfault",
        &format!("{at} was killed by SIGSEGV (it touched memory that isn't its own)"),
        "",
    );
    check("exits", &format!("{at} exited with code 7"), "");
    check("leaves", &format!("{at} exited with code 0 without an answer"), "`done`");
    check(
        "prints",
        &format!(
            "{at} printed to standard output, which belongs to the protocol: \"debug: x = 1\\n\""
        ),
        "standard error",
    );
    check("wrong-tick", &format!("{at} answered tick 4 while tick 3 was running"), "");
    check(
        "undecodable",
        &format!(
            "{at} wrote sum in bytes that are no message: can't decode field sum of adder/msg/Sum at byte 4: 8 bytes wanted, 4 left"
        ),
        "--refresh",
    );
    check("gives-up", &format!("{at} gave up: out of ideas"), "");
    check(
        "later",
        &format!("{at} wrote sum at 0.000003005 s in a step at 0.000003000 s"),
        "time of its step",
    );
    check("two", &format!("{at} wrote sum twice in one tick"), "one message a step");
    check("dies-at-once", "candidate fake exited with code 5 before it was ready", "");
    check("stale", "candidate fake refused to run: port 0 (x) has another type", "--refresh");
}

#[test]
fn a_hang_of_any_kind_ends_with_its_limit() {
    let late = "at tick 3, candidate fake gave no answer within 0.3 s";
    for behaviour in ["hangs", "skips", "floods-log"] {
        check(behaviour, late, "tick_s");
    }
    let closed = "at tick 3, candidate fake closed its standard output and went on running";
    let folder = tempfile::tempdir().unwrap();
    let (mut program, note) = noted("closes", &folder);
    program.limits.tick_s = 0.3;
    let Error::Program(failure) = step_all(&mut start(&program).unwrap()).unwrap_err() else {
        panic!()
    };
    assert_eq!(failure.message, closed);
    assert_gone(&note);
}

#[test]
fn who_waits_can_end_the_wait() {
    for behaviour in ["hangs", "floods-log", "never-ready"] {
        let folder = tempfile::tempdir().unwrap();
        let (program, note) = noted(behaviour, &folder);
        let begin = Instant::now();
        // Only once it runs.
        let runs = note.clone();
        let watch: Watch = Box::new(move || !runs.exists() || begin.elapsed().as_secs() < 1);
        let options = StartOptions { seed: 0, watch: Some(watch) };
        let running = RunningProgram::start(&program, &component(), options);
        let error = running.and_then(|mut running| step_all(&mut running)).unwrap_err();
        assert!(error.to_string().contains("fake was interrupted"), "{error}");
        assert!(begin.elapsed() < Duration::from_secs(10));
        assert_gone(&note);
    }
}

#[test]
fn a_program_that_does_not_part_is_told_and_killed() {
    let folder = tempfile::tempdir().unwrap();
    let (mut program, note) = noted("hangs-after-bye", &folder);
    program.limits.tick_s = 0.3;
    let error = start(&program).unwrap().end().unwrap_err().to_string();
    let expected = "after the last tick, candidate fake did not end within 0.3 s of `bye`";
    assert!(error.starts_with(expected), "{error}");
    assert_gone(&note);
}

#[test]
fn one_that_is_dropped_or_fails_to_build_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (mut program, note) = noted("well", &folder);
    drop(start(&program).unwrap());
    assert_gone(&note);
    program.build = Some(["sh", "-c", "echo no compiler; exit 1"].map(str::to_owned).to_vec());
    let error = start(&program).map(drop).unwrap_err().to_string();
    assert!(error.contains("doesn't build"), "{error}");
    assert!(error.ends_with("its log ends:\n  no compiler"), "{error}");
}

#[derive(Serialize, Deserialize)]
struct X {
    x: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Sum {
    sum: f64,
}

/// Gives 0, 1, 2, ...
struct Count(f64, Out<X>);

impl Component for Count {
    fn step(&mut self, io: &mut Io<'_>) -> StepResult {
        io.set(self.1, X { x: self.0 });
        self.0 += 1.0;
        Ok(())
    }

    fn save(&self) -> SaveResult {
        Ok(Some(Encoded::of(&self.0)?))
    }
}

/// Keeps what it gets.
struct Keep(In<Sum>, Out<Sum>);

impl Component for Keep {
    fn step(&mut self, io: &mut Io<'_>) -> StepResult {
        if let Some(sum) = io.get_fresh(self.0).copied() {
            io.set(self.1, sum);
        }
        Ok(())
    }
}

fn system(program: &Program) -> lk::Result<System> {
    let mut builder = SystemBuilder::new("adding");
    builder.node("apart", NodeConfig { rate_hz: Some(1e3), threaded: true })?;
    builder.add("count", |ports| Ok(Count(0.0, ports.output("x")?)))?;
    builder.add_to("apart", "adder", |ports| {
        ProgramComponent::new(program.clone(), component(), 2, ports)
    })?;
    builder.add("keep", |ports| Ok(Keep(ports.input("sum")?, ports.output("kept")?)))?;
    builder.connect("count.x", "adder.x")?;
    builder.connect("adder.sum", "keep.sum")?;
    builder.expose_output("kept", "keep.kept")?;
    builder.expose_output("count", "adder.count")?;
    builder.build()
}

#[test]
fn in_a_system_it_is_a_component_like_others_with_any_number_of_threads() {
    for threads in [1, 2, 8] {
        let folder = tempfile::tempdir().unwrap();
        let (program, note) = noted("well", &folder);
        let mut system = system(&program).unwrap();
        let options = SystemOptions { ticks: Some(10), threads, ..SystemOptions::default() };
        system.run_with(&options).unwrap();
        // The seed is where the sum begins.
        assert_eq!(system.output::<Sum>("kept").unwrap(), Some(&Sum { sum: 2.0 + 45.0 }));
        // State ports are outputs as well.
        let count = system.output_any("count").unwrap().unwrap();
        let mut payload = Vec::new();
        count.encode(&Plan::new(&component().states[0].schema), &mut payload).unwrap();
        assert_eq!(payload[4..], 10_u64.to_le_bytes());
        // A pause changes nothing.
        system.deactivate().unwrap();
        system.run_for(1).unwrap();
        assert_eq!(system.output::<Sum>("kept").unwrap(), Some(&Sum { sum: 2.0 + 55.0 }));
        let refused = system.snapshot().map(drop).unwrap_err();
        assert!(refused.to_string().starts_with("component adder failed to save its state"));
        let source = std::error::Error::source(&refused).unwrap().to_string();
        assert!(source.contains("process of candidate fake"), "{source}");
        system.shutdown().unwrap();
        assert_gone(&note);
    }
}

#[test]
fn its_failure_names_the_component_and_shuts_the_system_down() {
    let folder = tempfile::tempdir().unwrap();
    let (program, note) = noted("exits", &folder);
    let mut system = system(&program).unwrap();
    let error = system.run_for(10).unwrap_err();
    assert_eq!(error.to_string(), "component adder failed to step at 0.003000000 s");
    let source = std::error::Error::source(&error).unwrap().to_string();
    let expected = "at tick 3, candidate fake exited with code 7; its log ends:\n  log of exits\n  \
                    Traceback: it broke";
    assert_eq!(source, expected);
    assert_gone(&note);
}

#[test]
fn a_system_that_is_dropped_or_cannot_start_it_leaves_no_process() {
    let folder = tempfile::tempdir().unwrap();
    let (mut program, note) = noted("well", &folder);
    let mut running = system(&program).unwrap();
    running.run_for(3).unwrap();
    drop(running);
    assert_gone(&note);
    program.run = vec!["./nothing".into()];
    let error = system(&program).unwrap().run_for(1).unwrap_err();
    assert!(error.to_string().starts_with("component adder failed to configure"), "{error}");
}

#[test]
fn an_input_of_another_type_is_refused_when_it_is_connected() {
    let program = fake("well", &std::env::temp_dir());
    let mut builder = SystemBuilder::new("adding");
    builder.add("adder", |ports| ProgramComponent::new(program, component(), 0, ports)).unwrap();
    let keep = |ports: &mut Ports| Ok(Keep(ports.input("sum")?, ports.output("kept")?));
    builder.add("keep", keep).unwrap();
    let error = builder.connect("keep.kept", "adder.x").unwrap_err().to_string();
    assert!(error.contains("adder.x takes adder/msg/X"), "{error}");
}
