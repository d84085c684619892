//! Playing to a program: its ticks at their times, its outputs to a file.

use std::path::Path;
use std::process::ExitCode;

use lk::Dataset;
use lk::playback::{PlayReport, Player};
use lk_compile::{Job, Manifest, RunOptions, job};
use lk_report::text;

use super::control::Control;
use super::{Args, Sink, played};
use crate::commands::run::{check_output, program_of};
use crate::context::{Context, Exit};
use crate::error::Result;

pub(super) fn play(
    ctx: &Context,
    args: &Args,
    dir: &Path,
    output: &Path,
    mut player: Player,
    control: Control,
) -> Result<ExitCode> {
    check_output(output, args.force)?;
    let manifest = Manifest::load(dir)?;
    let program = program_of(&manifest, &args.program)?;
    let inputs = part(&mut player)?;
    let job = Job::on(&manifest, &inputs, args.file.clone(), None, RunOptions::default());
    let job = job.map_err(|error| match error {
        // What was read is what it is about, not the part in memory.
        lk_compile::Error::Data { message, hint, .. } => {
            let path = args.file.display().to_string();
            lk_compile::Error::Data { message, path, hint }
        }
        other => other,
    })?;
    let built = match job.build(program, &mut |_| {})? {
        Ok(built) => built,
        Err(failure) => {
            drop(control);
            return Ok(ctx.fail_program(&failure));
        }
    };
    let mut report = PlayReport::default();
    let recorded = job.run_paced(&built, &mut control.due(&mut report))?;
    let signal = control.signal();
    drop(control);
    let recorded = match recorded {
        Ok(recorded) => recorded,
        Err(failure) => return Ok(ctx.fail_program(&failure)),
    };
    job::save(&recorded.dataset, output)?;
    ctx.warn_of_loss(player.dataset());
    job.notes().iter().for_each(|note| ctx.note(note));
    report.ticks = recorded.outcome.ticks;
    let answered = usize::try_from(report.ticks).unwrap_or(usize::MAX);
    let sent = (0..answered).filter_map(|tick| job.ticks.get(tick));
    report.messages = sent.map(|(_, samples)| samples.len() as u64).sum();
    let path = output.to_string_lossy();
    let ran = text::run(&args.program, &recorded.outcome, &path, ctx.style);
    ctx.print(&format!("{ran}\n"))?;
    args.tell(ctx, Sink::Nobody, report)?;
    Ok(signal.map_or_else(|| Exit::Equal.into(), |signal| ExitCode::from(128 + signal)))
}

/// What is to be played, in memory, under the names that it gets.
fn part(player: &mut Player) -> lk::Result<Dataset> {
    let mut part = Dataset::memory();
    let ids = played(player).into_iter().map(|channel| part.add_channel(channel));
    let ids = ids.collect::<lk::Result<Vec<_>>>()?;
    while let Some(tick) = player.step()? {
        for message in tick.messages {
            part.write_sample(ids[message.key], message.sample)?;
        }
    }
    Ok(part)
}
