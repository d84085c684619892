//! Recording a program that speaks `lk-run/1`, stepped in real time.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lk::clock::{Clock, Lateness, Wait};
use lk::component::Encoded;
use lk::dataset::{Facts, Role};
use lk::recorder::{Key, Recorder, RecorderStats};
use lk::{Schema, Span, Time};
use lk_compile::{Manifest, RunningProgram, StartOptions, provenance};
use lk_report::{counted, text};

use super::Args;
use crate::commands::run::program_of;
use crate::context::{Context, Exit};
use crate::error::Result;
use crate::interrupt;
use crate::output::check_output;

/// Nanoseconds in a second.
const SECOND: f64 = 1e9;

pub(super) fn record(ctx: &Context, args: &Args, dir: &Path, rate_hz: f64) -> Result<ExitCode> {
    check_output(&args.output, &[], args.force)?;
    let manifest = Manifest::load(dir)?;
    let program = program_of(&manifest, &args.program)?;
    let spec = manifest.component()?;
    let inputs: Vec<&str> = spec.inputs.iter().map(|port| port.name.as_str()).collect();
    if !inputs.is_empty() {
        ctx.note(&format!(
            "nobody writes its inputs: {}; `lk play FILE --to {}` plays a recording to it",
            inputs.join(", "),
            dir.display()
        ));
    }
    ctx.note("the program runs unconfined, with your rights");
    let begin = Clock::wall().now();
    let mut clock = Clock::paced(begin, 1.0)?;
    let remote = clock.remote();
    interrupt::stop_first(move |_| _ = remote.map(|remote| remote.stop()))?;
    let watch = ctx.spinner(&format!("starting {}", program.label));
    let options = StartOptions { seed: manifest.seed(), watch: None };
    let mut running = match RunningProgram::start(&program, &spec, options) {
        Err(lk_compile::Error::Program(failure)) => {
            drop(watch);
            return Ok(ctx.fail_program(&failure));
        }
        started => started?,
    };

    let mut recorder = Recorder::new(args.target(), args.config())?;
    let entries = [
        (provenance::PRODUCER, concat!("lk ", env!("CARGO_PKG_VERSION"))),
        (provenance::COMPONENT, &spec.name),
        (provenance::PROGRAM, &program.label),
        (provenance::HARNESS, running.harness()),
        (provenance::SEED, &manifest.seed().to_string()),
    ];
    let entries = entries.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    recorder.set_facts(Facts { entries, ..Facts::default() });
    let roles =
        spec.outputs.iter().map(|_| Role::Output).chain(spec.states.iter().map(|_| Role::State));
    let ports = spec.outgoing().zip(roles);
    let ports: Vec<(Key, Schema)> =
        ports.map(|(port, role)| (recorder.key_as(&port.key, role), port.schema.clone())).collect();

    // It took its time to start, which isn't made up for.
    let mut paced =
        Paced { first: clock.now(), rate_hz, end: None, steps: 0, late: Lateness::default() };
    paced.end = args.duration.map(|duration| paced.first + (duration - Time::ZERO));
    let mut shown = Instant::now();
    let stepped = loop {
        let Some(time) = paced.next(&mut clock) else { break Ok(()) };
        let written = match running.step(time, &[]) {
            Ok(written) => written,
            Err(error) => break Err(error),
        };
        for ((key, schema), payload) in ports.iter().zip(written) {
            if let Some(payload) = payload.take() {
                recorder.record(
                    key,
                    Arc::new(Encoded { schema: schema.clone(), payload }),
                    time,
                )?;
            }
        }
        if shown.elapsed() > Duration::from_millis(100) {
            shown = Instant::now();
            watch.say(&format!("recording: {}", counted(paced.steps, "step")));
        }
    };
    drop(watch);
    // Whatever became of the program, what it wrote is kept.
    let ended = stepped.and_then(|()| running.end());
    let (_, stats) = recorder.close()?;
    ctx.print(&text::recorded(&args.output.to_string_lossy(), &stats, ctx.style))?;
    match ended {
        Err(lk_compile::Error::Program(failure)) => Ok(ctx.fail_program(&failure)),
        Err(error) => Err(error.into()),
        Ok(()) => Ok(paced.tell(ctx, &stats)),
    }
}

/// The steps of a program, at their times.
struct Paced {
    first: Time,
    rate_hz: f64,
    /// None at this time or after it.
    end: Option<Time>,
    steps: u64,
    late: Lateness,
}

impl Paced {
    /// Waits for the next step; its time, or `None` at the end. Times are those
    /// that were due: a step that comes late changes nothing after it.
    fn next(&mut self, clock: &mut Clock) -> Option<Time> {
        let passed = (self.steps as f64 * (SECOND / self.rate_hz)).round() as i64;
        let time = self.first + Span::from_nanos(passed);
        if self.end.is_some_and(|end| time >= end) {
            return None;
        }
        match clock.wait_until(time) {
            Wait::Stopped => return None,
            Wait::Reached { late } => self.late.add(late),
            Wait::Moved(_) => {}
        }
        self.steps += 1;
        Some(time)
    }

    fn tell(&self, ctx: &Context, stats: &RecorderStats) -> ExitCode {
        let period = Span::from_nanos((SECOND / self.rate_hz) as i64);
        let late = self.late.quantile(0.5);
        if late > period {
            ctx.warn(&format!(
                "half of the steps were over {late} s late: the program takes longer for one than \
                 {} Hz allow",
                self.rate_hz
            ));
        }
        if stats.total().offered == 0 {
            ctx.warn("not one message came");
            return Exit::Mistake.into();
        }
        Exit::Equal.into()
    }
}

/// A rate above 0 that is one.
pub(super) fn hertz(text: &str) -> std::result::Result<f64, String> {
    match text.parse() {
        Ok(rate) if (1e-3..=1e6).contains(&rate) => Ok(rate),
        _ => Err("it is no rate from 0.001 to 1e6 Hz".to_owned()),
    }
}
