//! `lk diff`: two datasets, field by field.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lk::Dataset;
use lk::dataset::OpenOptions;
use lk::diff::{DiffOptions, Policy, diff_with};
use lk_report::{json, junit, text};

use crate::context::{Context, Exit};
use crate::error::{Error, Result};
use crate::files;

/// Compare two datasets, field by field: exit code 0 where nothing differs, 1 where something does
#[derive(Debug, clap::Args)]
#[command(after_help = RULES)]
pub(crate) struct Args {
    /// The dataset of the reference
    a: PathBuf,
    /// The dataset of the candidate
    b: PathBuf,
    #[command(flatten)]
    policy: PolicyArgs,
    /// How messages are paired, or KEY:HOW for those of one key (see below)
    #[arg(long, value_name = "HOW")]
    align: Vec<String>,
    /// How far apart two messages may be that `--align nearest` pairs
    #[arg(long, value_name = "SPAN")]
    window: Option<String>,
    /// Count times from each side's first message, of whatever key it is
    #[arg(long)]
    relative_time: bool,
    /// Threads that read and compare: as many as can run at once, unless said
    /// otherwise. What is printed is the same for any number
    #[arg(short = 'j', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// A folder of .msg files, for types that the recordings just name
    #[arg(long, value_name = "DIR")]
    msgs: Option<PathBuf>,
    /// Print the whole result as JSON
    #[arg(long)]
    json: bool,
    /// Write the whole result as JSON to a file
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write the result as JUnit XML to a file, a case for each field
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

/// What counts as equal.
#[derive(Debug, clap::Args)]
pub(crate) struct PolicyArgs {
    /// What counts as equal, in one or more rules (see below)
    #[arg(long, value_name = "RULE", num_args = 1..)]
    tol: Vec<String>,
    /// A file of rules, as in [tolerance] of lk.toml; those of --tol come after
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// How far apart times may be: 1ms unless said otherwise; +5ms/-0ms where the candidate may be
    /// later and not earlier
    #[arg(long, value_name = "SPAN", allow_hyphen_values = true)]
    timestamp_tol: Option<String>,
    /// Pass where no more than this fraction of all messages of a key is likely to violate
    #[arg(long, value_name = "FRACTION")]
    allowed_violations: Option<f64>,
    /// How likely that is to be, from 0 to 1: 0.95 unless said otherwise
    #[arg(long, value_name = "FRACTION")]
    confidence: Option<f64>,
}

pub(crate) const RULES: &str = "\
Rules: the last one that matches a field decides it.
  1e-6                       |a - b| <= 1e-6, for every float
  abs=1e-6,rel=1e-3          |a - b| <= 1e-6 + 1e-3 |a|, for every float
  pose.position:abs=1e-3     for a field and what is under it
  x:abs=1e-6,rel=1e-3,form=max_ref
                             max(abs, rel |a|); max_sym takes the larger of |a| and |b|
  x:range=0.01               1 % of what the reference ranges over in that field
  x:ulp=4                    representable numbers apart, of the float's own width
  dtype                      float32 abs=1e-5,rel=1.3e-6; float64 abs=1e-7,rel=1e-7
  pose.yaw:angle,abs=1e-3    radians, wrapped; angle=deg for degrees
  pose.q:quaternion,abs=1e-3 an angle in radians, q = -q; quaternion=wxyz for arrays
  k.points:unordered,abs=1e-3 arrays whose order says nothing; up to 1,000 messages
  **:signed_zero             -0.0 differs from 0.0; nan_equal=false: NaN from NaN
  **.stamp:ignore,reason=... left out, and reported as such
  scan.ranges[*]:exact       no tolerance at all; elements by number or *
  '\"/imu/data\".gyro:rel=0.1' a key with dots or slashes is quoted
`*` stops at a dot, `**` doesn't. A rule that matches nothing is a mistake.

Alignment: how messages of the two sides are paired.
  auto                       tick where lk's runner wrote both sides, else exact time, else index
  tick, time, sequence       the same one, then the order within it
  index                      the n-th with the n-th
  nearest,window=5ms         the nearest in time, one to one, in order, no further apart;
                             as well --align nearest --window 5ms
  interpolate                what the candidate is at the reference's times: floats linear, angles
                             the shorter way, quaternions along the arc, all else as before
  imu:index                  for one key

A policy file may also have differences that shall be there; one that isn't fails:
  [[known_differences]]
  match = \"pose.yaw\"       # and kind = \"nan\", at_least = 1, at_most = 3
  reason = \"the original wraps late\"";

pub(crate) fn run(ctx: &Context, args: &Args) -> Result<ExitCode> {
    let mut policy = args.policy.read(Policy::default())?;
    align(args, &mut policy)?;
    policy.relative_time |= args.relative_time;
    for (path, option) in [(&args.output, "--output"), (&args.junit, "--junit")] {
        if let Some(output) = path.as_deref().and_then(|path| path.canonicalize().ok())
            && [&args.a, &args.b].iter().any(|read| read.canonicalize().is_ok_and(|r| r == output))
        {
            let output = output.display();
            return Err(Error::Usage {
                message: format!("the report would overwrite what is compared: {output}"),
                hint: format!("name another file with {option}"),
            });
        }
    }
    let options = OpenOptions { msgs: args.msgs.clone() };
    let mut a = Dataset::open_with(&args.a, &options)?;
    let mut b = Dataset::open_with(&args.b, &options)?;
    a.define_types_as_in(&b)?;
    b.define_types_as_in(&a)?;
    let spinner = ctx.spinner("comparing");
    let mut options = DiffOptions::default();
    if let Some(threads) = args.threads {
        options.threads = threads.into();
    }
    let result = diff_with(&a, &b, &policy, &options)?;
    drop(spinner);
    if let Some(path) = &args.output {
        files::write_text(path, &json::diff(&result))?;
    }
    if let Some(path) = &args.junit {
        files::write_text(path, &junit::diff(&result))?;
    }
    if args.json {
        ctx.print(&json::diff(&result))?;
    } else {
        let report = args.output.as_deref().map(Path::to_string_lossy);
        ctx.print(&text::diff(&result, report.as_deref(), ctx.style))?;
    }
    let exit = if result.passes() { Exit::Equal } else { Exit::Different };
    Ok(exit.into())
}

impl PolicyArgs {
    /// The policy of the file, or `base` where none is given, then what the
    /// command line adds to it.
    pub(crate) fn read(&self, base: Policy) -> Result<Policy> {
        let mut policy = match &self.policy {
            None => base,
            Some(path) => toml::from_str(&files::read_text(path)?)
                .map_err(|source| Error::Policy { path: path.clone(), source: Box::new(source) })?,
        };
        policy.rules.extend(Policy::parse_rules(&self.tol)?.rules);
        if let Some(text) = &self.timestamp_tol {
            policy.timestamp_tol = text.parse()?;
        }
        policy.allowed_violations = self.allowed_violations.or(policy.allowed_violations);
        policy.confidence = self.confidence.unwrap_or(policy.confidence);
        Ok(policy)
    }
}

/// Takes `HOW` and `KEY:HOW`, and the window for those that lack one.
fn align(args: &Args, policy: &mut Policy) -> Result<()> {
    let mut window = args.window.as_deref();
    for text in &args.align {
        let (key, how) = match text.rsplit_once(':') {
            Some((key, how)) => (Some(key.trim_matches('"')), how.trim()),
            None => (None, text.as_str()),
        };
        let how = match args.window.as_deref().filter(|_| how == "nearest") {
            Some(span) => {
                window = None;
                format!("{how},window={span}").parse()?
            }
            None => how.parse()?,
        };
        match key {
            Some(key) => drop(policy.align_keys.insert(key.to_owned(), how)),
            None => policy.align = how,
        }
    }
    match window {
        Some(_) => Err(Error::Usage {
            message: "--window says nothing without an alignment that lacks one".to_owned(),
            hint: "add --align nearest".to_owned(),
        }),
        None => Ok(()),
    }
}
