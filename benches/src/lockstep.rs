//! Programs stepped over pipes: 144 bytes in and 76 bytes out per tick, what
//! they answer checked and recorded.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use bytes::Bytes;
use lk::component::{Component, Io, OutAny, StepResult};
use lk::dataset::{Channel, Encoding, Role};
use lk::system::{System, SystemBuilder};
use lk::{Dataset, Time};
use lk_compile::scaffold::{generate, write};
use lk_compile::{
    ComponentSpec, Language, Manifest, Program, ProgramComponent, RunOptions, TickRule, Ticks,
};

use crate::measure::{Subject, Table};

const PIPELINED_TICKS: usize = 300_000;
const SINGLE_TICKS: usize = 20_000;
const STEP_TICKS: u64 = 5_000;
const STEP_ROUNDS: usize = 7;
const IN_BYTES: usize = 144;
const OUT_BYTES: usize = 76;

pub fn run(table: &mut Table) {
    const PIPELINED: &str = "lockstep/window-1024/144B-76B";
    const SINGLE: &str = "lockstep/window-1/144B-76B";
    const STEP: &str = "lockstep/step/144B-76B";
    if ![PIPELINED, SINGLE, STEP].iter().any(|name| table.wants(name)) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder for files");
    let (component, [cpp, python]) = build(folder.path());
    let bare = folder.path().join("bare");
    compile_bare(folder.path(), &bare);

    let ticks = ticks(&component, PIPELINED_TICKS);
    let step = |program: &Program, ticks: &Ticks, count: usize, window_ticks: usize| {
        let options = RunOptions { window_ticks, ..RunOptions::default() };
        let run = lk_compile::runner::run(program, &component, ticks, &options, &mut |_| {});
        let recorded = run.expect("pipes that work").expect("a program that runs to its end");
        assert_eq!(recorded.outcome.outputs["out"], count as u64);
        count as u64
    };
    table.measure(
        PIPELINED,
        "ticks/s",
        vec![
            Subject::new("lk, C++ harness", || step(&cpp, &ticks, PIPELINED_TICKS, 1024)),
            Subject::new("lk, Python harness", || step(&python, &ticks, PIPELINED_TICKS, 1024)),
        ],
    );

    let ticks = self::ticks(&component, SINGLE_TICKS);
    table.measure(
        SINGLE,
        "ticks/s",
        vec![
            Subject::new("lk, C++ harness", || step(&cpp, &ticks, SINGLE_TICKS, 1)),
            Subject::new("lk, Python harness", || step(&python, &ticks, SINGLE_TICKS, 1)),
            Subject::peer("two bare pipes, nothing framed, checked or kept", || ping_pong(&bare)),
        ],
    );

    if table.wants(STEP) {
        eprintln!("{STEP}");
        let mut nanos = [Vec::new(), Vec::new()];
        for _ in 0..STEP_ROUNDS {
            for (program, nanos) in [&cpp, &python].into_iter().zip(&mut nanos) {
                step_system(program, &component, nanos);
            }
        }
        let [cpp, python] = nanos;
        table.calls(STEP, "a system with a program in C++", cpp);
        table.calls(STEP, "a system with a program in Python", python);
    }
}

/// Gives a message of the type at each step.
struct Source {
    payload: Bytes,
    out: OutAny,
}

impl Component for Source {
    fn step(&mut self, io: &mut Io<'_>) -> StepResult {
        io.set_payload(&self.out, self.payload.clone());
        Ok(())
    }
}

/// What each tick takes of a system that is a source and the program.
fn step_system(program: &Program, component: &ComponentSpec, nanos: &mut Vec<u64>) {
    let mut system = system(program, component).expect("ports that fit");
    system.run_for(STEP_TICKS / 10).expect("a program that answers");
    for _ in 0..STEP_TICKS {
        let start = Instant::now();
        system.step().expect("a program that answers");
        nanos.push(start.elapsed().as_nanos() as u64);
    }
    system.shutdown().expect("a program that ends");
}

fn system(program: &Program, component: &ComponentSpec) -> lk::Result<System> {
    let mut builder = SystemBuilder::new("step");
    let schema = &component.inputs[0].schema;
    let payload = Bytes::from([&[0, 1, 0, 0][..], &[0; IN_BYTES - 4]].concat());
    builder
        .add("source", |ports| Ok(Source { payload, out: ports.output_any("port", schema)? }))?;
    builder.add("program", |ports| {
        ProgramComponent::new(program.clone(), component.clone(), 0, ports)
    })?;
    builder.connect("source.port", "program.port")?;
    builder.build()
}

/// The component with its programs, generated and built.
fn build(folder: &Path) -> (ComponentSpec, [Program; 2]) {
    let put = |path: &str, text: &str| {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().expect("a file in a folder")).expect("a new folder");
        fs::write(path, text).expect("room on the disk");
    };
    put("lk.toml", include_str!("lockstep/lk.toml"));
    put("msg/In.msg", "float64[17] a\nint32 n\n");
    put("msg/Out.msg", "float64[9] b\n");
    put("cpp/component.hpp", include_str!("lockstep/component.hpp"));
    put("cpp/component.cpp", include_str!("lockstep/component.cpp"));
    put("python/component.py", include_str!("lockstep/component.py"));
    let manifest = Manifest::load(folder).expect("a manifest that is right");
    let component = manifest.component().expect("types that are there");
    let programs = [(Language::Cpp, "cpp"), (Language::Python, "python")].map(|(language, dir)| {
        let files = generate(&component, language).expect("types of every language");
        write(&files, &folder.join(dir), false).expect("room on the disk");
        let program = manifest.candidate_program(dir).expect("it is in the manifest");
        let built = lk_compile::build::build(&program, 20).expect("a build that can be started");
        built.expect("a program that builds");
        program
    });
    (component, programs)
}

/// Ticks of one input each, at 1 kHz.
fn ticks(component: &ComponentSpec, count: usize) -> Ticks {
    let mut inputs = Dataset::memory();
    let channel = Channel {
        key: "port".to_owned(),
        encoding: Encoding::Cdr(component.inputs[0].schema.clone()),
        role: Role::Input,
        metadata: Default::default(),
    };
    let id = inputs.add_channel(channel).expect("a new key");
    let mut random = fastrand::Rng::with_seed(1);
    for i in 0..count {
        let mut payload = vec![0, 1, 0, 0];
        (0..17).for_each(|_| payload.extend(random.f64().to_le_bytes()));
        payload.extend((i as i32).to_le_bytes());
        assert_eq!(payload.len(), IN_BYTES);
        let time = Time::from_nanos(i as i64 * 1_000_000);
        inputs.write_payload(id, Bytes::from(payload), time).expect("a payload of the type");
    }
    Ticks::read(&inputs, component, &TickRule::Any).expect("inputs of the component")
}

fn compile_bare(folder: &Path, program: &Path) {
    let source = folder.join("bare.cpp");
    fs::write(&source, include_str!("lockstep/bare.cpp")).expect("room on the disk");
    let mut command = Command::new("g++");
    command.arg("-O2").arg(&source).arg("-o").arg(program);
    assert!(command.status().expect("g++ is installed").success());
}

fn ping_pong(program: &Path) -> u64 {
    let mut command = Command::new(program);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("built");
    let (mut to, mut from) =
        (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
    let mut answer = [0; OUT_BYTES];
    for _ in 0..SINGLE_TICKS {
        to.write_all(&[7; IN_BYTES]).expect("it reads");
        from.read_exact(&mut answer).expect("it answers");
    }
    drop(to);
    child.wait().expect("it ends with its input");
    SINGLE_TICKS as u64
}
