//! `lk play`: a recording at its times, to a file, to standard output or to
//! nobody.

mod control;
mod onward;
mod program;

use std::fs;
use std::io::{self, BufWriter, IsTerminal};
use std::os::unix::fs::FileTypeExt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use lk::clock::Lateness;
use lk::dataset::{Channel, ChannelId, OpenOptions, ndjson};
use lk::playback::{PlayReport, PlaybackConfig, Player, Tick};
use lk::{Dataset, Span, Time};
use lk_report::{counted, printable, text};

use crate::commands::run;
use crate::context::{Context, Exit};
use crate::error::Result;
use crate::output::{check_output, replace, write_dataset};
use crate::select::{Selection, seconds};
use control::{Control, Kind};
use onward::Onward;

/// Play a recording again at its times: to standard output, or to another file
#[derive(Debug, clap::Args)]
#[command(after_help = KEYS)]
pub(crate) struct Args {
    /// The dataset
    file: PathBuf,
    /// A folder of .msg files, for types that the recording just names
    #[arg(long, value_name = "DIR")]
    msgs: Option<PathBuf>,
    /// The dataset to write, instead of lines of JSON on standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Play to a program of the lk.toml in this folder, and write what it does
    #[arg(long, value_name = "DIR", requires = "output", conflicts_with_all = ["repeat", "step"])]
    to: Option<PathBuf>,
    /// `reference`, or the name of a candidate
    #[arg(long, value_name = "NAME", requires = "to", default_value = run::REFERENCE)]
    program: String,
    /// Overwrite the file where it exists
    #[arg(long, requires = "output")]
    force: bool,
    /// Only keys that match; `*` stands for anything, and may be given again
    #[arg(long, value_name = "GLOB")]
    key: Vec<String>,
    /// Another name for a key; may be given again
    #[arg(long, value_name = "KEY=NAME", value_parser = renaming)]
    rename: Vec<(String, String)>,
    /// How many times as fast as it was recorded
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = factor)]
    rate: f64,
    /// As fast as it goes, rather than at its times
    #[arg(long, conflicts_with_all = ["rate", "repeat", "step"])]
    unpaced: bool,
    /// Begin again at the end, until it is stopped; times go on
    #[arg(id = "repeat", long = "loop", conflicts_with = "step")]
    repeat: bool,
    /// Begin so long after the first message
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    start_offset: Option<Time>,
    /// Up to this time, itself left out, in seconds on the dataset's clock
    #[arg(long, value_name = "SECONDS", value_parser = seconds, allow_negative_numbers = true)]
    until: Option<Time>,
    /// Wait for Enter, or a line on standard input, before the messages of each time
    #[arg(long, conflicts_with = "rate")]
    step: bool,
}

const KEYS: &str = "\
In a terminal: space pauses and goes on, left and right move by 5 s, down and up
by a minute, - and + halve and double the rate, q ends it. Ctrl-C ends it too: a
file that was being written has what was played until then. A program can be
paused, and not moved.

Standard output gets lines of JSON where it is no terminal:
  lk play run.mcap --rate 2 | my_program
  lk play run.mcap | lk record -o copy.mcap

Programs run UNCONFINED: with your rights, on your files, until lk has its
sandbox. Don't run code that you wouldn't run yourself.";

/// What is written to, in messages.
const STDOUT: &str = "standard output";

/// So fast that nothing is waited for: a year in 30 milliseconds.
const UNPACED: f64 = 1e9;

/// Where messages go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sink {
    File,
    Lines,
    /// A terminal, which they would flood.
    Nobody,
}

pub(crate) fn run(ctx: &Context, args: &Args) -> Result<ExitCode> {
    let sink = match &args.output {
        Some(_) => Sink::File,
        None if io::stdout().is_terminal() => Sink::Nobody,
        None => Sink::Lines,
    };
    if let Some(output) = &args.output {
        check_output(output, &[&args.file], args.force)?;
    }
    let mut player = args.player(sink)?;
    let dataset = Arc::clone(player.dataset());
    let channels = played(&player);
    // Two programs that draw at the bottom of one terminal draw over each
    // other: the one at the end of the pipe may.
    let drawn = sink != Sink::Lines || !is_pipe();
    let kind = match (&args.to, args.step) {
        (Some(_), _) => Kind::Program,
        (None, true) => Kind::Steps,
        (None, false) => Kind::Free,
    };
    let control = Control::take(ctx, &mut player, kind, drawn)?;
    if let (Some(dir), Some(output)) = (&args.to, &args.output) {
        return program::play(ctx, args, dir, output, player, control);
    }
    let mut onward = Onward::default();
    let report = match (&args.output, sink) {
        (Some(output), _) => replace(output, args.force, |path| {
            write_dataset(path, |file| {
                file.set_facts(dataset.facts().of_part())?;
                let ids = channels.into_iter().map(|channel| file.add_channel(channel));
                let ids = ids.collect::<lk::Result<Vec<ChannelId>>>()?;
                let report = control.play(&mut player, |tick| {
                    let shift = onward.shift(tick.time);
                    tick.messages.iter().try_for_each(|message| {
                        file.write_sample(ids[message.key], shift.of(&message.sample))
                    })
                })?;
                file.note_loss(&dataset.integrity())?;
                Ok(report)
            })
        })?,
        (None, Sink::Lines) => {
            let mut lines = ndjson::Writer::new(BufWriter::new(io::stdout().lock()), STDOUT);
            lines.write_facts(dataset.facts().of_part())?;
            for channel in &channels {
                lines.add(channel)?;
                lines.write_channel(channel)?;
            }
            let report = control.play(&mut player, |tick| {
                let shift = onward.shift(tick.time);
                for message in &tick.messages {
                    lines.write(message.key, &shift.of(&message.sample))?;
                }
                // Whoever reads it is to have it at its time.
                if args.unpaced { Ok(()) } else { lines.flush() }
            })?;
            lines.flush()?;
            report
        }
        (None, _) => control.play(&mut player, |_: &Tick| Ok(()))?,
    };
    let signal = control.signal();
    drop(control);
    ctx.warn_of_loss(&dataset);
    args.tell(ctx, sink, report)?;
    // As a shell knows a program that a signal ended.
    Ok(signal.map_or_else(|| Exit::Equal.into(), |signal| ExitCode::from(128 + signal)))
}

impl Args {
    fn player(&self, sink: Sink) -> Result<Player> {
        let dataset = Dataset::open_with(&self.file, &OpenOptions { msgs: self.msgs.clone() })?;
        let dataset = match sink {
            Sink::Lines => dataset.decoded(),
            // What is copied keeps its bytes.
            Sink::File | Sink::Nobody => dataset,
        };
        let config = PlaybackConfig {
            rate: if self.unpaced { UNPACED } else { self.rate },
            repeat: self.repeat,
            start_offset: self.start_offset.map_or(Span::ZERO, |time| time - Time::ZERO),
            until: self.until,
            keys: Selection::keys(&self.key, &dataset)?,
            rename: self.rename.iter().cloned().collect(),
            ..PlaybackConfig::default()
        };
        Ok(Player::new(Arc::new(dataset), config)?)
    }

    /// On standard output, unless that has the messages.
    fn tell(&self, ctx: &Context, sink: Sink, report: PlayReport) -> Result<()> {
        // Nothing was to be in time.
        let timed = !self.unpaced && !self.step;
        let lateness = if timed { report.lateness } else { Lateness::default() };
        let rate = report.rate.filter(|_| !self.step);
        let messages = counted(report.messages, "message");
        let told = text::played(&PlayReport { lateness, rate, ..report }, ctx.style);
        match (&self.output, sink) {
            (_, Sink::Lines) => ctx.tell(&told),
            (Some(output), Sink::File) => {
                let output = output.to_string_lossy();
                ctx.print(&format!("{}: {messages}\n{told}", printable(&output)))?;
            }
            _ => ctx.print(&told)?,
        }
        Ok(())
    }
}

/// The channels that are played, by the names that they get.
fn played(player: &Player) -> Vec<Channel> {
    let channels = player.dataset().channels();
    let named = |key: &lk::playback::Played| {
        let channel = channels.get(key.channel.0 as usize).cloned();
        channel.map(|channel| Channel { key: key.name.clone(), ..channel })
    };
    player.keys().iter().filter_map(named).collect()
}

fn is_pipe() -> bool {
    fs::metadata("/dev/stdout").is_ok_and(|stdout| stdout.file_type().is_fifo())
}

fn renaming(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, name)) if !key.is_empty() && !name.is_empty() => {
            Ok((key.to_owned(), name.to_owned()))
        }
        _ => Err("it is not of the form key=name".to_owned()),
    }
}

fn factor(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(factor) if (1e-6..=1e6).contains(&factor) => Ok(factor),
        _ => Err("it is no factor from 1e-6 to 1e6".to_owned()),
    }
}
