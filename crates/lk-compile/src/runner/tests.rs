//! A program in Python (`tests/fake.py`) behaves well and in every wrong way.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use lk::dataset::{ChannelId, Query, Role, Sample, SequenceMeaning};
use lk::value::{Datum, Record};
use lk::{Schema, Time, Value};

use super::*;
use crate::component::{ConfigSpec, PortSpec};
use crate::manifest::{ERROR_KEY, LimitsTable};
use crate::ticks::{TickRule, TickSample};

pub(crate) const TICKS: usize = 50;

fn port(name: &str, text: &str) -> PortSpec {
    let schema = Schema::parse(&format!("adder/msg/{name}"), text).unwrap();
    PortSpec { name: name.to_lowercase(), key: format!("/adder/{name}"), schema }
}

pub(crate) fn component() -> ComponentSpec {
    ComponentSpec {
        name: "adder".into(),
        description: None,
        inputs: vec![port("X", "float64 x")],
        outputs: vec![port("Sum", "float64 sum")],
        states: vec![port("Count", "uint64 count")],
        config: None,
    }
}

pub(crate) fn ticks(count: usize) -> Ticks {
    let samples = (0..count).map(|n| {
        let time = Time::from_nanos(1_000 * n as i64);
        let payload = [&[0, 1, 0, 0][..], &(n as f64).to_le_bytes()].concat();
        let sequence = u32::try_from(n).unwrap();
        let sample = Sample { time, publish_time: time, sequence, payload: Bytes::from(payload) };
        Ok(TickSample { port: 0, sample })
    });
    Ticks::new(&TickRule::Any, samples).unwrap()
}

pub(crate) fn fake(behaviour: &str, dir: &Path) -> Program {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/runner/tests/fake.py");
    let run = ["python3", "-S", "-E", script.to_str().unwrap()];
    let run = run.into_iter().chain(behaviour.split(' ')).map(str::to_owned).collect();
    let limits = LimitsTable { start_s: 20.0, tick_s: 20.0, build_s: 20.0 };
    let dir = dir.to_path_buf();
    Program { label: "candidate fake".into(), dir, build: None, run, scaffold: None, limits }
}

fn run_with(program: &Program, options: &RunOptions) -> Result<Recorded, Failure> {
    run(program, &component(), &ticks(TICKS), options, &mut |_| {}).unwrap()
}

fn run_fake(behaviour: &str) -> Result<Recorded, Failure> {
    run_with(&fake(behaviour, &std::env::temp_dir()), &RunOptions::default())
}

/// The failure of a misbehaving program, which is the same for any window.
#[track_caller]
fn check(behaviour: &str, message: &str, tick: Option<u64>, hint: &str) {
    let program = fake(behaviour, &std::env::temp_dir());
    for window_ticks in [1, 1024] {
        let options = RunOptions { window_ticks, ..RunOptions::default() };
        let failure = run_with(&program, &options).expect_err("it misbehaves");
        assert_eq!(failure.message, message, "window {window_ticks}");
        assert_eq!(failure.tick, tick, "{failure:?}");
        let given = failure.hint.unwrap_or_default();
        assert!(given.contains(hint) && given.is_empty() == hint.is_empty(), "{given}");
        let log = format!("log of {}", behaviour.split(' ').next().unwrap());
        assert_eq!(failure.log.first(), Some(&log), "its log is kept");
    }
}

/// As [`check`], with limits of 0.3 s in place of 20.
#[track_caller]
fn check_late(behaviour: &str, message: &str, tick: Option<u64>, hint: &str) {
    let mut program = fake(behaviour, &std::env::temp_dir());
    match tick {
        None if behaviour == "never-ready" => program.limits.start_s = 0.3,
        _ => program.limits.tick_s = 0.3,
    }
    let failure = run_with(&program, &RunOptions::default()).expect_err("it misbehaves");
    assert_eq!(failure.message, message);
    assert_eq!(failure.tick, tick);
    assert!(failure.hint.unwrap_or_default().contains(hint));
}

/// All samples as `(key, time in ns, sequence, payload)`.
pub(crate) fn contents(dataset: &Dataset) -> Vec<(String, i64, u32, Vec<u8>)> {
    let key = |id: ChannelId| dataset.channels()[id.0 as usize].key.clone();
    let samples = dataset.samples(&Query::default()).unwrap().map(Result::unwrap);
    samples.map(|(id, s)| (key(id), s.time.as_nanos(), s.sequence, s.payload.to_vec())).collect()
}

#[test]
fn a_run_records_inputs_outputs_and_state_with_the_tick() {
    let mut seen = Vec::new();
    let program = fake("well", &std::env::temp_dir());
    let options = RunOptions { seed: 2, ..RunOptions::default() };
    let mut component = component();
    let schema = Schema::parse("adder/msg/Config", "float64 scale").unwrap();
    let record = Record { fields: vec![Datum::Float64(10.0)] };
    let value = Value::new(schema.clone(), record).unwrap();
    component.config = Some(ConfigSpec { schema, value });
    let progress = &mut |done| seen.push(done);
    let recorded = run(&program, &component, &ticks(TICKS), &options, progress).unwrap().unwrap();

    let outcome = &recorded.outcome;
    assert_eq!(outcome.harness, "fake 1");
    assert_eq!(outcome.ticks, 50);
    assert_eq!(outcome.outputs, BTreeMap::from([("sum".into(), 50), ("count".into(), 50)]));
    assert_eq!(outcome.n_component_errors, 0);
    // The fake says 1000 + tick.
    let step = outcome.step;
    assert_eq!((step.p50_ns, step.p99_ns, step.max_ns), (1024, 1049, 1049));
    assert!(outcome.wall_ns > 0);
    assert!(!cfg!(target_os = "linux") || outcome.peak_memory_bytes > Some(1 << 20));
    assert_eq!(outcome.log, ["log of well"]);
    assert_eq!(seen.last(), Some(&50));
    assert!(seen.is_sorted());

    let dataset = &recorded.dataset;
    let roles: Vec<_> = dataset.channels().iter().map(|c| (c.key.as_str(), c.role)).collect();
    let expected =
        [("/adder/X", Role::Input), ("/adder/Sum", Role::Output), ("/adder/Count", Role::State)];
    assert_eq!(roles, expected);
    assert_eq!(dataset.facts().sequence, SequenceMeaning::Tick);
    assert_eq!(dataset.facts().entries["seed"], "2");
    let all = contents(dataset);
    assert_eq!(all.len(), 150);
    let float = |v: f64| [&[0, 1, 0, 0][..], &v.to_le_bytes()].concat();
    assert_eq!(all[6], ("/adder/X".into(), 2000, 2, float(2.0)));
    // The seed is where the sum begins, and the config is its scale.
    assert_eq!(all[7], ("/adder/Sum".into(), 2000, 2, float(2.0 + 10.0 * 3.0)));
    assert_eq!(all[8].3, [&[0, 1, 0, 0][..], &3u64.to_le_bytes()].concat());
}

#[test]
fn a_paced_run_sends_a_tick_when_it_is_due_and_records_the_same() {
    let program = fake("good", &std::env::temp_dir());
    let options = RunOptions::default();
    let mut asked = Vec::new();
    let mut due = |time: Time| {
        asked.push(time.as_nanos());
        true
    };
    let paced = run_paced(&program, &component(), &ticks(TICKS), &options, &mut due);
    let paced = paced.unwrap().unwrap();
    assert_eq!(asked, (0..TICKS as i64).map(|n| 1_000 * n).collect::<Vec<_>>());
    let free = run_fake("good").unwrap();
    assert_eq!(contents(&paced.dataset), contents(&free.dataset));
    assert_eq!(paced.dataset.facts(), free.dataset.facts());

    let mut left = 3;
    let mut due = |_: Time| {
        left -= 1;
        left >= 0
    };
    let cut = run_paced(&program, &component(), &ticks(TICKS), &options, &mut due);
    let cut = cut.unwrap().unwrap();
    assert_eq!(cut.outcome.ticks, 3);
    assert_eq!(cut.dataset.facts().entries[crate::provenance::UNDELIVERED], "47");
    let failed = run_paced(
        &fake("exits 20", &std::env::temp_dir()),
        &component(),
        &ticks(TICKS),
        &options,
        &mut |_| true,
    );
    assert_eq!(failed.unwrap().expect_err("it exits").tick, Some(20));
}

#[test]
fn the_window_changes_nothing() {
    let runs: Vec<_> = [(1, 1), (1, 1 << 20), (3, 1 << 20), (1024, 100), (1024, 1 << 20)]
        .into_iter()
        .map(|(window_ticks, window_bytes)| {
            let options = RunOptions { window_ticks, window_bytes, ..RunOptions::default() };
            let recorded = run_with(&fake("raises", &std::env::temp_dir()), &options).unwrap();
            let outcome = recorded.outcome;
            (contents(&recorded.dataset), outcome.component_errors, outcome.outputs)
        })
        .collect();
    assert!(runs.iter().all(|run| *run == runs[0]));
}

#[test]
fn an_error_of_the_component_is_an_outcome_and_the_run_goes_on() {
    let recorded = run_fake("raises").unwrap();
    let outcome = recorded.outcome;
    assert_eq!(outcome.ticks, 50);
    assert_eq!(outcome.n_component_errors, 17);
    assert_eq!(outcome.component_errors.len(), 10);
    assert_eq!(outcome.component_errors[1], (4, "tick 4 is bad".into()));
    assert_eq!(outcome.outputs["sum"], 33);
    let errors: Vec<_> =
        contents(&recorded.dataset).into_iter().filter(|one| one.0 == ERROR_KEY).collect();
    assert_eq!(errors.len(), 17);
    let text = b"\0\x01\0\0\x0e\0\0\0tick 4 is bad\0".to_vec();
    assert_eq!(errors[1], (ERROR_KEY.into(), 4000, 4, text));
    assert!(run_fake("well").unwrap().dataset.channel_id(ERROR_KEY).is_none());
}

#[test]
fn a_crash_is_named_with_its_tick_and_signal() {
    check(
        "segfault",
        "at tick 3, candidate fake was killed by SIGSEGV (it touched memory that isn't its own)",
        Some(3),
        "",
    );
    check("exits 20", "at tick 20, candidate fake exited with code 7", Some(20), "");
    check(
        "leaves 0",
        "at tick 0, candidate fake exited with code 0 without an answer",
        Some(0),
        "answers each tick with `done`",
    );
}

#[test]
fn a_crash_that_does_not_come_again_still_fails() {
    let folder = tempfile::tempdir().unwrap();
    let failure = run_with(&fake("segfault-once 40", folder.path()), &RunOptions::default())
        .expect_err("it crashed once");
    assert!(failure.message.contains("SIGSEGV"), "{}", failure.message);
    assert!(failure.message.ends_with("run again, it came to its end"), "{}", failure.message);
    assert!(failure.hint.unwrap().contains("deterministic"));
}

#[test]
fn a_program_that_cannot_start_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = fake("well", folder.path());
    program.run = vec!["./nothing".into()];
    let failure = run_with(&program, &RunOptions::default()).unwrap_err();
    let place = folder.path().display();
    let start = format!("can't start candidate fake: `./nothing` in {place}: No such file");
    assert!(failure.message.starts_with(&start), "{}", failure.message);
    assert!(failure.hint.unwrap().contains("add `build`"));

    std::fs::write(folder.path().join("data"), "").unwrap();
    program.run = vec!["./data".into()];
    let failure = run_with(&program, &RunOptions::default()).unwrap_err();
    assert!(failure.hint.unwrap().contains("chmod +x ./data"));

    program.dir = PathBuf::from("/nowhere/at/all");
    let failure = run_with(&program, &RunOptions::default()).unwrap_err();
    assert!(failure.message.contains("/nowhere/at/all is not a folder"), "{}", failure.message);
    assert!(failure.hint.unwrap().contains("`dir`"));
}

#[test]
fn a_program_that_fails_before_it_is_ready_says_why() {
    check("dies-at-once", "candidate fake exited with code 5 before it was ready", None, "");
    check(
        "stale",
        "candidate fake refused to run: port 0 (x) has another type",
        None,
        "lk init --refresh",
    );
    check(
        "speaks-2",
        "candidate fake speaks lk-run/2, and this lk speaks lk-run/1",
        None,
        "lk init --refresh",
    );
    check(
        "done-before-ready",
        "candidate fake answered before it said that it is ready",
        None,
        "`ready` is the first frame",
    );
    check(
        "prints-at-once",
        "candidate fake printed to standard output, which belongs to the protocol: \
         \"Hello from the component\\n\"",
        None,
        "standard error",
    );
}

#[test]
fn a_hang_is_named_with_its_tick_and_limit() {
    check_late(
        "hangs 30",
        "at tick 30, candidate fake gave no answer within 0.3 s",
        Some(30),
        "tick_s",
    );
    check_late(
        "floods-log 30",
        "at tick 30, candidate fake gave no answer within 0.3 s",
        Some(30),
        "tick_s",
    );
    check_late("never-ready", "candidate fake was not ready within 0.3 s", None, "start_s");
    check_late(
        "hangs-after-bye",
        "after the last tick, candidate fake did not end within 0.3 s of `bye`",
        None,
        "tick_s",
    );
    // It lives, and writes: that is no answer to the tick.
    let mut program = fake("floods", &std::env::temp_dir());
    program.limits.tick_s = 0.3;
    let options = RunOptions { window_ticks: 1, ..RunOptions::default() };
    let failure = run_with(&program, &options).unwrap_err();
    assert_eq!(failure.message, "at tick 3, candidate fake gave no answer within 0.3 s");
}

#[test]
fn a_program_that_closes_its_output_and_goes_on_is_told_from_one_that_ended() {
    check_late(
        "closes",
        "at tick 3, candidate fake closed its standard output and went on running",
        Some(3),
        "",
    );
}

#[test]
fn slow_ticks_are_no_hang_however_many_are_under_way() {
    // 50 ticks of 20 ms answered in one batch would take longer than the limit.
    let mut program = fake("slow", &std::env::temp_dir());
    program.limits.tick_s = 0.3;
    assert_eq!(run_with(&program, &RunOptions::default()).unwrap().outcome.ticks, 50);
}

#[test]
fn prints_and_garbage_are_shown() {
    let prints =
        "at tick 3, candidate fake printed to standard output, which belongs to the protocol: ";
    check("prints", &format!("{prints}\"debug: x = 1\\n\""), Some(3), "standard error");
    check("prints-little", &format!("{prints}\"ok\\n\""), Some(3), "standard error");
    check(
        "garbage",
        "at tick 3, candidate fake sent a frame of 3419064776 bytes, where 1 to 67108864 are \
         allowed, beginning with the bytes c8 c9 ca cb cc cd ce cf ...",
        Some(3),
        "nothing else",
    );
    check(
        "huge-frame",
        "at tick 3, candidate fake sent a frame of 2147483648 bytes, where 1 to 67108864 are \
         allowed, beginning with the bytes 00 00 00 80 82 17 00 00 ...",
        Some(3),
        "nothing else",
    );
}

#[test]
fn what_is_no_answer_is_refused() {
    check(
        "wrong-port",
        "at tick 3, candidate fake wrote to output port 9, and there are 2 of them, from 0",
        Some(3),
        "lk init --refresh",
    );
    check(
        "early",
        "at tick 3, candidate fake wrote sum at 0.000002999 s, before the tick's own time \
         0.000003000 s",
        Some(3),
        "tick's time",
    );
    check(
        "back",
        "at tick 3, candidate fake wrote sum at 0.000003000 s after it wrote that at \
         0.000003005 s: time goes back",
        Some(3),
        "must not go back",
    );
    check(
        "undecodable",
        "at tick 3, candidate fake wrote sum in bytes that are no message: can't decode field sum \
         of adder/msg/Sum at byte 4: 8 bytes wanted, 4 left",
        Some(3),
        "lk init --refresh",
    );
    check(
        "short-frame",
        "at tick 3, candidate fake sent a frame `output` of 3 bytes, beginning with the bytes 03 00 \
         00 00 82 00 00 17 ...",
        Some(3),
        "nothing else",
    );
    check("ready-again", "at tick 3, candidate fake said twice that it is ready", Some(3), "");
    check(
        "error-elsewhere",
        "at tick 3, candidate fake reported an error for tick 8, which was not running",
        Some(3),
        "",
    );
    check("error-twice", "at tick 3, candidate fake reported two errors for tick 3", Some(3), "");
    check("gives-up", "at tick 3, candidate fake gave up: out of ideas", Some(3), "");
}

#[test]
fn answering_too_little_or_too_much_is_refused() {
    check("twice", "at tick 4, candidate fake answered tick 3 twice", Some(4), "");
    check("twice 49", "after the last tick, candidate fake answered tick 49 twice", None, "");
    check_late("skips 49", "at tick 49, candidate fake gave no answer within 0.3 s", Some(49), "");
    check(
        "after-bye",
        "after the last tick, candidate fake wrote an output while no tick was running",
        None,
        "before its `done`",
    );
    check("fails-after-bye", "after the last tick, candidate fake exited with code 9", None, "");
    check(
        "half-a-frame",
        "at tick 3, candidate fake ended in the middle of a frame, after the bytes 11 00 00 00 83 \
         03 00",
        Some(3),
        "",
    );
    check(
        "wrong-tick",
        "at tick 3, candidate fake answered tick 4 while tick 3 was running",
        Some(3),
        "",
    );
}

#[test]
fn a_program_that_writes_without_end_is_stopped() {
    let program = fake("floods", &std::env::temp_dir());
    let options = RunOptions { max_tick_bytes: 10_000, ..RunOptions::default() };
    let failure = run_with(&program, &options).unwrap_err();
    let expected = "at tick 3, candidate fake wrote 10008 bytes in one tick, and 10000 are allowed";
    assert_eq!(failure.message, expected);
    let options = RunOptions { max_total_bytes: 100, ..RunOptions::default() };
    let failure = run_with(&fake("well", &std::env::temp_dir()), &options).unwrap_err();
    let expected = "at tick 4, candidate fake wrote 108 bytes in all, and 100 are allowed";
    assert_eq!(failure.message, expected);
}

#[test]
fn a_log_longer_than_its_pipe_blocks_nobody_and_is_bounded() {
    let options = RunOptions { log_lines: 5, ..RunOptions::default() };
    let outcome = run_with(&fake("chatty", &std::env::temp_dir()), &options).unwrap().outcome;
    assert_eq!(outcome.ticks, 50);
    assert_eq!(outcome.log.len(), 6);
    assert_eq!(outcome.log[0], "(46 lines before these)");
}
