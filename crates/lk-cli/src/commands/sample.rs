//! `lk sample`: inputs drawn from the distributions of `lk.toml`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use lk::codec::Plan;
use lk::dataset::{Channel, ChannelId, Encoding, Facts, Role};
use lk::dist::{DataDist, Permutations};
use lk::{Dataset, Time, Value};
use lk_compile::{ComponentSpec, Manifest, provenance};
use lk_report::{counted, printable};

use crate::context::{Context, Exit};
use crate::error::{Error, Result};
use crate::output::{check_output, replace, write_dataset};

/// Draw inputs from the distributions in lk.toml; a seed gives the same bytes everywhere
#[derive(Debug, clap::Args)]
#[command(after_help = DISTRIBUTIONS)]
pub(crate) struct Args {
    /// The folder of lk.toml
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// The dataset to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// How many messages of each input port
    #[arg(short = 'n', long, value_name = "N", default_value_t = 1000)]
    count: u64,
    /// Instead: for each port, a message for every combination of the values of `grid`
    #[arg(long, conflicts_with = "count")]
    permute: bool,
    /// How many messages of a port per second; the first are at time 0
    #[arg(long, value_name = "HZ", default_value = "100", value_parser = rate_hz)]
    rate: f64,
    /// Another one makes other inputs
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// The share of values that are edge cases, 0 to 1, whatever lk.toml says of it
    #[arg(long, value_name = "SHARE", value_parser = share)]
    edge_cases: Option<f64>,
    /// Overwrite the file where it exists
    #[arg(long)]
    force: bool,
}

const DISTRIBUTIONS: &str = r#"lk.toml has a table for each input port, with a line for each field:
  [distributions.imu]
  gyro.x = { normal = { mean = 0, std = 0.5 } }
  gyro.y = { truncated_normal = { mean = 0, std = 1, low = -2, high = 2 } }
  gyro.z = { uniform = [-1, 1], allow = ["nan", "inf"] }   # as edge cases
  gain = { log_uniform = [0.1, 1000] }
  wait_s = { exponential = { mean = 0.2 } }
  share = { beta = { alpha = 2, beta = 5, low = 0, high = 1 } }
  mode = { choice = ["idle", "run"] }
  angle = { grid = { from = 0, to = 90, count = 10 } }     # or a list
  frame_id = "imu"
  ranges = { uniform = [0, 30], len = [0, 16] }
  points = { len = 4 }
  "points[*].x" = { uniform = [0, 1] }
  gains = [1, 2, { uniform = [0, 1] }]       # by element; or "gains[0]" = 1
  header.stamp = { follow = "time" }         # of the message
  fill = "default"    # fields without a distribution; else they are an error
  edge_cases = 0.05   # zero, the other sign, ends of the range, subnormal"#;

/// An input port that is drawn.
struct Port {
    channel: Channel,
    plan: Plan,
    dist: DataDist,
    /// How many messages there are to be.
    count: u64,
}

/// The messages of a port.
enum Stream<'a> {
    Drawn(&'a mut DataDist),
    Permuted(Permutations<'a>),
}

impl Stream<'_> {
    fn next_at(&mut self, time: Time) -> lk::Result<Option<Value>> {
        match self {
            Stream::Drawn(dist) => dist.sample_at(time).map(Some),
            Stream::Permuted(messages) => messages.next_at(time),
        }
    }
}

pub(crate) fn run(ctx: &Context, args: &Args) -> Result<ExitCode> {
    check_output(&args.output, &[], args.force)?;
    let manifest = Manifest::load(&args.dir)?;
    let component = manifest.component()?;
    let mut ports = args.ports(&manifest, &component)?;
    let longest = ports.iter().map(|port| port.count).max().unwrap_or_default();
    if longest == 0 || args.time(longest - 1).is_none() {
        return Err(Error::Usage {
            message: format!("{longest} messages at {} Hz make no recording", args.rate),
            hint: "choose another -n or --rate".to_owned(),
        });
    }
    let total = ports.iter().map(|port| port.count).sum();
    let spinner = ctx.spinner("sampling");
    replace(&args.output, args.force, |path| {
        write_dataset(path, |file| args.write(file, &component, &mut ports, longest))
    })?;
    drop(spinner);
    let output = args.output.to_string_lossy();
    let messages = counted(total, "message");
    ctx.print(&format!("{}: {messages}, seed {}\n", printable(&output), args.seed))?;
    Ok(Exit::Equal.into())
}

impl Args {
    fn ports(&self, manifest: &Manifest, component: &ComponentSpec) -> Result<Vec<Port>> {
        let port = |port: &lk_compile::PortSpec| {
            let mut dist = manifest.distribution(port, self.edge_cases)?;
            dist.seed(self.seed);
            let count = match self.permute {
                false => self.count,
                true => dist.combinations().ok_or_else(|| Error::Usage {
                    message: format!("the grids of port {} have too many values", port.name),
                    hint: "take fewer, or sample them with -n".to_owned(),
                })?,
            };
            let channel = Channel {
                key: port.key.clone(),
                encoding: Encoding::Cdr(port.schema.clone()),
                role: Role::Input,
                metadata: BTreeMap::new(),
            };
            Ok(Port { channel, plan: Plan::new(&port.schema), dist, count })
        };
        component.inputs.iter().map(port).collect()
    }

    fn write(
        &self,
        file: &mut Dataset,
        component: &ComponentSpec,
        ports: &mut [Port],
        longest: u64,
    ) -> lk::Result<()> {
        file.set_facts(self.facts(component))?;
        let ids = ports.iter().map(|port| file.add_channel(port.channel.clone()));
        let ids = ids.collect::<lk::Result<Vec<ChannelId>>>()?;
        let mut streams: Vec<_> = ports
            .iter_mut()
            .zip(ids)
            .map(|(port, id)| (id, port.count, &port.plan, self.stream(&mut port.dist)))
            .collect();
        for index in 0..longest {
            let time = self.time(index).unwrap_or(Time::MAX);
            for (id, count, plan, stream) in &mut streams {
                if index < *count
                    && let Some(message) = stream.next_at(time)?
                {
                    file.write_payload(*id, plan.encode(&message)?, time)?;
                }
            }
        }
        Ok(())
    }

    fn stream<'a>(&self, dist: &'a mut DataDist) -> Stream<'a> {
        match self.permute {
            true => Stream::Permuted(dist.permute()),
            false => Stream::Drawn(dist),
        }
    }

    /// When the message at `index` is; `None` past the end of time.
    fn time(&self, index: u64) -> Option<Time> {
        let nanos = (index as f64 * 1e9 / self.rate).round();
        (nanos < i64::MAX as f64).then(|| Time::from_nanos(nanos as i64))
    }

    fn facts(&self, component: &ComponentSpec) -> Facts {
        let entries = [
            (provenance::PRODUCER, concat!("lk ", env!("CARGO_PKG_VERSION")).to_owned()),
            (provenance::COMPONENT, component.name.clone()),
            (provenance::SEED, self.seed.to_string()),
        ];
        let entries = entries.map(|(name, value)| (name.to_owned(), value)).into();
        Facts { entries, ..Facts::default() }
    }
}

fn rate_hz(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate_hz) if (1e-6..=1e9).contains(&rate_hz) => Ok(rate_hz),
        _ => Err("it is no rate from 1e-6 to 1e9 hertz".to_owned()),
    }
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("it is no share from 0 to 1".to_owned()),
    }
}
