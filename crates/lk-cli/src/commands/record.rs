//! `lk record`: lines of JSON, or what a program does, to a file while they
//! come.

mod program;

use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use lk::clock::Clock;
use lk::component::Encoded;
use lk::dataset::mcap::Compression;
use lk::dataset::ndjson::{Stream, StreamOptions, Streamed, StreamedSample};
use lk::dataset::{CreateOptions, Encoding, definitions};
use lk::recorder::{Key, Overflow, Recorder, RecorderConfig, RecorderStats, Stamp, Target};
use lk::{Span, Time};
use lk_report::{counted, text};

use crate::commands::run;
use crate::context::{Context, Exit};
use crate::error::{Error, Result};
use crate::interrupt;
use crate::output::check_output;
use crate::progress::Watch;
use crate::select::seconds;

/// Record lines of JSON from standard input, or a program, to a file as they come
#[derive(Debug, clap::Args)]
#[command(after_help = LINES)]
pub(crate) struct Args {
    /// The file to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Overwrite the file where it exists
    #[arg(long)]
    force: bool,
    /// Record what a program of the lk.toml in this folder writes, stepped in real time
    #[arg(long, value_name = "DIR", requires = "rate_hz", conflicts_with_all = ["key", "types"])]
    from: Option<PathBuf>,
    /// `reference`, or the name of a candidate
    #[arg(long, value_name = "NAME", requires = "from", default_value = run::REFERENCE)]
    program: String,
    /// Steps of the program in a second
    #[arg(long, value_name = "HZ", requires = "from", value_parser = program::hertz)]
    rate_hz: Option<f64>,
    /// End after so many seconds; otherwise Ctrl-C ends it
    #[arg(long = "for", value_name = "SECONDS", requires = "from", value_parser = seconds)]
    duration: Option<Time>,
    /// Every line is just a value, of this key, at the time when it comes
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// The type of a key's messages, or of all keys'; by default inferred from a key's first
    #[arg(long = "type", value_name = "[KEY=]PKG/TYPE")]
    types: Vec<String>,
    /// A folder of .msg files that define the types
    #[arg(long, value_name = "DIR", requires = "types")]
    msgs: Option<PathBuf>,
    /// Of each key, record one message in so many
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    every: u64,
    /// Of each key, record so many messages at most
    #[arg(long, value_name = "N")]
    max: Option<u64>,
    /// What becomes of a message when the disk can't keep up: whoever sends it waits, or it is
    /// dropped, or the one that waits longest is
    #[arg(long, value_name = "POLICY", default_value = "block")]
    overflow: OverflowName,
    /// Go on in a new file after so many bytes of messages; k, M and G are powers of 1000
    #[arg(long, value_name = "BYTES", value_parser = size)]
    split_size: Option<u64>,
    /// Go on in a new file after so much recorded time
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    split_after: Option<Time>,
    /// How the file is compressed: fast, small, or not at all
    #[arg(long, value_name = "HOW", default_value = "lz4")]
    compression: CompressionName,
}

const LINES: &str = r#"A line is a message, without time_ns at the time when it comes:
  {"key": "imu", "time_ns": 1700000000000000000, "value": {"gyro": {"x": 0.5}}}
lk play, lk cat --format ndjson and lk convert write such lines; a line with
"type" and "schema" says the type of a key. With --key, a line is just the value:
  my_program | lk record -o run.mcap --key pose

A program of lk.toml that needs no inputs is stepped at a rate:
  lk record -o run.mcap --from . --rate-hz 100 --for 10
With inputs, lk run and lk play --to record what it does. Programs run
UNCONFINED: with your rights, on your files, until lk has its sandbox.

The file is flushed each second, so that no more than that is lost to a crash.
Ctrl-C ends the recording in order. A line that can't be recorded is told and
passed over; the exit code is 2 then."#;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum OverflowName {
    Block,
    DropNewest,
    DropOldest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum CompressionName {
    Lz4,
    Zstd,
    None,
}

/// What standard input is called in messages.
const STDIN: &str = "standard input";

/// The longest line that is taken, in bytes.
const LONGEST_LINE: u64 = 64 << 20;

/// Lines that may wait for the one that reads them.
const AHEAD: usize = 1024;

/// Lines that are told one by one when they can't be recorded.
const TOLD: u64 = 5;

/// What happens while it records.
enum Event {
    /// A line, and when it came.
    Line(Vec<u8>, Time),
    /// There are no more: it ended, it failed, or someone wants an end.
    End(io::Result<()>),
}

pub(crate) fn run(ctx: &Context, args: &Args) -> Result<ExitCode> {
    if let (Some(dir), Some(rate_hz)) = (&args.from, args.rate_hz) {
        return program::record(ctx, args, dir, rate_hz);
    }
    let options = args.stream_options()?;
    check_output(&args.output, &[], args.force)?;
    let (sender, events) = sync_channel(AHEAD);
    let stopped = sender.clone();
    // Lines that came before are recorded first. From when the file is there,
    // a signal ends it in order.
    interrupt::stop_first(move |_| _ = stopped.send(Event::End(Ok(()))))?;
    let recorder = Recorder::new(args.target(), args.config())?;
    thread::spawn(move || read(&sender));

    let watch = ctx.spinner("waiting for the first line");
    let mut recording = Recording {
        ctx,
        watch,
        recorder,
        stream: Stream::new(STDIN, options),
        keys: Vec::new(),
        refused: 0,
    };
    let mut shown = Instant::now();
    let ended = loop {
        match events.recv() {
            Ok(Event::Line(line, time)) => recording.line(&line, time)?,
            Ok(Event::End(ended)) => break ended,
            Err(_) => break Ok(()),
        }
        if shown.elapsed() > Duration::from_millis(100) {
            shown = Instant::now();
            recording.show();
        }
    };
    let (stats, refused) = recording.close()?;
    ctx.print(&text::recorded(&args.output.to_string_lossy(), &stats, ctx.style))?;
    ended.map_err(Error::io("read", STDIN.as_ref()))?;
    if refused > 0 {
        ctx.warn(&format!("{} could not be recorded", counted(refused, "line")));
        return Ok(Exit::Mistake.into());
    }
    if stats.keys.is_empty() {
        ctx.warn("not one message came");
        return Ok(Exit::Mistake.into());
    }
    Ok(Exit::Equal.into())
}

/// Sends lines until there are no more, or nobody takes them.
fn read(events: &SyncSender<Event>) {
    // The clock of the recording: what is read by others is no later.
    let clock = Clock::wall();
    let mut input = BufReader::new(io::stdin().lock());
    let ended = loop {
        let mut line = Vec::new();
        match input.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line) {
            Err(error) => break Err(error),
            Ok(0) => break Ok(()),
            Ok(count) if count as u64 == LONGEST_LINE => {
                let what = format!("a line is longer than {LONGEST_LINE} bytes");
                break Err(io::Error::new(io::ErrorKind::InvalidData, what));
            }
            Ok(_) if events.send(Event::Line(line, clock.now())).is_err() => return,
            Ok(_) => {}
        }
    };
    // Whoever took them is gone where this fails.
    let _ = events.send(Event::End(ended));
}

struct Recording<'a> {
    ctx: &'a Context,
    watch: Watch,
    recorder: Recorder,
    stream: Stream,
    /// By channel of the stream.
    keys: Vec<Key>,
    /// Lines that could not be recorded.
    refused: u64,
}

impl Recording<'_> {
    fn line(&mut self, line: &[u8], came: Time) -> Result<()> {
        let streamed = self.stream.line(line);
        for (n, channel) in self.stream.channels().iter().enumerate().skip(self.keys.len()) {
            let metadata = channel.metadata.clone();
            self.keys.push(self.recorder.key_with(&channel.key, channel.role, metadata));
            if self.stream.is_inferred(n)
                && let Encoding::Cdr(schema) = &channel.encoding
            {
                let fields: Vec<&str> =
                    schema.root().fields.iter().map(|field| field.name.as_str()).collect();
                let (key, fields) = (&channel.key, fields.join(", "));
                self.tell(|ctx| {
                    ctx.note(&format!(
                        "the type of {key} is inferred from its first message, with fields {fields}"
                    ));
                });
            }
        }
        match streamed {
            Ok(None | Some(Streamed::Channel)) => Ok(()),
            Ok(Some(Streamed::Facts(facts))) => {
                self.recorder.set_facts(facts);
                Ok(())
            }
            Ok(Some(Streamed::Sample(sample))) => self.sample(sample, came),
            Err(error) => {
                self.refuse(&error.to_string());
                Ok(())
            }
        }
    }

    fn refuse(&mut self, reason: &str) {
        self.refused += 1;
        match self.refused {
            ..=TOLD => self.tell(|ctx| ctx.warn(&format!("not recorded: {reason}"))),
            n if n == TOLD + 1 => {
                self.tell(|ctx| ctx.warn("further lines that can't be recorded are counted"));
            }
            _ => {}
        }
    }

    fn sample(&mut self, sample: StreamedSample, came: Time) -> Result<()> {
        let StreamedSample { key, time, publish_time, sequence, payload } = sample;
        let Encoding::Cdr(schema) = &self.stream.channels()[key].encoding else { return Ok(()) };
        let message = Arc::new(Encoded { schema: schema.clone(), payload });
        let time = time.unwrap_or(came);
        // The writer would fail at it, and take nothing more.
        if let Some(before) =
            [Some(time), publish_time].into_iter().flatten().find(|t| *t < Time::ZERO)
        {
            let key = &self.stream.channels()[key].key;
            let reason =
                format!("key {key}: time {before} s is before zero, where MCAP times begin");
            self.refuse(&reason);
            return Ok(());
        }
        let stamp = Stamp { time, publish_time, sequence };
        self.recorder.record(&self.keys[key], message, stamp)?;
        Ok(())
    }

    fn show(&self) {
        let stats = self.recorder.stats();
        let (messages, keys) = (stats.total().offered, stats.keys.len() as u64);
        let dropped = match stats.total().dropped {
            0 => String::new(),
            dropped => format!(", {} dropped", counted(dropped, "message")),
        };
        let text = format!(
            "recording: {} of {}{dropped}",
            counted(messages, "message"),
            counted(keys, "key")
        );
        self.watch.say(&text);
    }

    /// Says something above the line of progress.
    fn tell(&self, say: impl FnOnce(&Context)) {
        self.watch.aside(|| say(self.ctx));
    }

    /// What became of the messages, and how many lines were none.
    fn close(self) -> Result<(RecorderStats, u64)> {
        let (_, stats) = self.recorder.close()?;
        Ok((stats, self.refused))
    }
}

impl Args {
    fn stream_options(&self) -> Result<StreamOptions> {
        let mut options = StreamOptions { key: self.key.clone(), ..StreamOptions::default() };
        for given in &self.types {
            let (key, name) = match given.split_once('=') {
                Some((key, name)) => (Some(key), name),
                None => (None, given.as_str()),
            };
            let schema = definitions::schema(name, self.msgs.as_deref())?;
            let before = match key {
                Some(key) => options.schemas.insert(key.to_owned(), schema),
                None => options.schema.replace(schema),
            };
            if before.is_some() {
                return Err(Error::Usage {
                    message: format!("--type {given} is the second type of the same keys"),
                    hint: "write --type KEY=PKG/TYPE for each key".to_owned(),
                });
            }
        }
        Ok(options)
    }

    fn config(&self) -> RecorderConfig {
        RecorderConfig {
            sample_every_n: self.every,
            max_samples: self.max,
            auto_flush: true,
            // By time alone.
            flush_every_n: u64::MAX,
            overflow: match self.overflow {
                OverflowName::Block => Overflow::Block,
                OverflowName::DropNewest => Overflow::DropNewest,
                OverflowName::DropOldest => Overflow::DropOldest,
            },
            split_bytes: self.split_size,
            split_after: self.split_after.map(|time| Span::from_nanos(time.as_nanos())),
            ..RecorderConfig::default()
        }
    }

    fn target(&self) -> Target {
        let compression = match self.compression {
            CompressionName::Lz4 => Compression::Lz4,
            CompressionName::Zstd => Compression::Zstd,
            CompressionName::None => Compression::None,
        };
        let live = CreateOptions::live();
        let options = CreateOptions { overwrite: self.force, compression, ..live };
        Target::Files { path: self.output.clone(), options }
    }
}

/// A number of bytes: `500M`.
fn size(text: &str) -> Result<u64, String> {
    let (digits, unit) = match text.as_bytes().last() {
        Some(b'k' | b'K') => (&text[..text.len() - 1], 1_000),
        Some(b'M') => (&text[..text.len() - 1], 1_000_000),
        Some(b'G') => (&text[..text.len() - 1], 1_000_000_000),
        _ => (text, 1),
    };
    let bytes = digits.parse::<u64>().ok().and_then(|n| n.checked_mul(unit));
    bytes.filter(|bytes| *bytes > 0).ok_or("it is no number of bytes, such as 500M".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units_of_a_thousand() {
        for (text, bytes) in [("7", 7), ("2k", 2_000), ("500M", 500_000_000), ("1G", 1_000_000_000)]
        {
            assert_eq!(size(text), Ok(bytes));
        }
        for bad in ["", "0", "k", "-1", "1.5M", "1 M", "99999999999G"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }
}
