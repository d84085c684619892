//! `lk convert`: between datasets, CSV and lines of JSON.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;
use lk::Dataset;
use lk::dataset::csv::{self, TimeUnit};
use lk::dataset::{
    CopyOutcome, CreateOptions, Encoding, Extra, OpenOptions, Query, Role, definitions, ndjson,
    rosbag2,
};
use lk_report::printable;

use crate::context::{Context, Exit};
use crate::error::{Error, Result};
use crate::output::{check_output, replace, write_dataset};
use crate::select::only_channel;

/// Convert between .mcap, .pkl, .csv and .ndjson, as the names say
#[derive(Debug, clap::Args)]
#[command(after_help = CSV)]
pub(crate) struct Args {
    /// The file to read
    input: PathBuf,
    /// The file to write
    output: PathBuf,
    /// Overwrite the file where it exists
    #[arg(long)]
    force: bool,
    /// Write a folder as rosbag2 does: an MCAP file and metadata.yaml
    #[arg(long)]
    rosbag2: bool,
    /// From CSV: the key to write to, by default the file's name; to CSV: the key to take
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// From text: the type of the key's messages, by default inferred
    #[arg(long = "type", value_name = "PKG/TYPE")]
    type_name: Option<String>,
    /// A folder of .msg files that define the type, or types that a recording just names
    #[arg(long, value_name = "DIR")]
    msgs: Option<PathBuf>,
    /// From text: what the key is to its component
    #[arg(long, value_name = "ROLE")]
    role: Option<RoleName>,
    /// From CSV: the column of times, by default the one that is called so
    #[arg(long, value_name = "COLUMN")]
    time: Option<String>,
    /// From CSV: the unit of times, by default what header or size tell
    #[arg(long, value_name = "UNIT")]
    time_unit: Option<Unit>,
    /// From CSV: the field of a column; may be given again
    #[arg(long, value_name = "COLUMN=FIELD", value_parser = column)]
    map: Vec<(String, String)>,
    /// From CSV: a column to leave out; may be given again
    #[arg(long, value_name = "COLUMN")]
    ignore: Vec<String>,
    /// From CSV: fields without a column have their default value
    #[arg(long)]
    fill: bool,
    /// From CSV: an empty cell of a float is NaN, rather than a mistake
    #[arg(long)]
    empty_is_nan: bool,
}

const CSV: &str = "\
A column goes to the field whose dotted path is its header: pose.position.x,
covariance[3]. For other headers:
  lk convert imu.csv imu.mcap --time 'Time (s)' --type demo/Imu --msgs msg \\
      --map 'Gyroscope X (deg/s)=gyro.x' --role input";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum RoleName {
    Input,
    Output,
    State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Unit {
    S,
    Ms,
    Us,
    Ns,
}

/// What a file is, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Dataset,
    Rosbag2,
    Csv,
    Ndjson,
}

pub(crate) fn run(ctx: &Context, args: &Args) -> Result<ExitCode> {
    let to = if args.rosbag2 { Kind::Rosbag2 } else { Kind::of(&args.output)? };
    let from = Kind::of(&args.input)?;
    args.check(from, to)?;
    let mut notes = Vec::new();
    let spinner = ctx.spinner("converting");
    let mut dataset = match from {
        // A dataset keeps the bytes of its payloads; text can't.
        Kind::Dataset if matches!(to, Kind::Dataset | Kind::Rosbag2) => args.open()?,
        Kind::Dataset => args.open()?.decoded(),
        Kind::Csv => args.import_csv(&mut notes)?,
        Kind::Ndjson => args.import_ndjson(&mut notes)?,
        // Only an output is said to be one.
        Kind::Rosbag2 => args.open()?,
    };
    let mut written = replace(&args.output, args.force, |path| args.write(&dataset, to, path));
    if matches!(&written, Err(Error::Lk(error)) if error.is_damage()) {
        // It showed only when it was read. Now all damage is found first.
        dataset.check()?;
        written = replace(&args.output, args.force, |path| args.write(&dataset, to, path));
    }
    let CopyOutcome { samples: written, left_out } = written?;
    drop(spinner);
    ctx.warn_of_loss(&dataset);
    if to == Kind::Rosbag2 {
        Args::note_foreign(&dataset, &mut notes);
    }
    notes.extend(left_out.iter().map(|what| format!("not copied: {what}")));
    notes.iter().for_each(|note| ctx.note(note));
    let output = args.output.to_string_lossy();
    let messages = if written == 1 { "message" } else { "messages" };
    ctx.print(&format!("{}: {written} {messages}\n", printable(&output)))?;
    Ok(Exit::Equal.into())
}

impl Args {
    /// That what is said has a meaning for this pair of formats, and that the
    /// output may be written.
    fn check(&self, from: Kind, to: Kind) -> Result<()> {
        let only_csv = [
            ("--time", self.time.is_some()),
            ("--time-unit", self.time_unit.is_some()),
            ("--map", !self.map.is_empty()),
            ("--ignore", !self.ignore.is_empty()),
            ("--fill", self.fill),
            ("--empty-is-nan", self.empty_is_nan),
        ];
        let only_text = [("--type", self.type_name.is_some()), ("--role", self.role.is_some())];
        let key = [("--key", self.key.is_some())];
        let given = |options: &[(&'static str, bool)]| {
            options.iter().find(|(_, given)| *given).map(|(name, _)| *name)
        };
        let wrong = match (from, to) {
            (Kind::Csv, _) => None,
            (Kind::Ndjson, _) => given(&only_csv),
            (Kind::Dataset, Kind::Csv) => given(&only_csv).or(given(&only_text)),
            (Kind::Dataset | Kind::Rosbag2, _) => {
                given(&only_csv).or(given(&only_text)).or(given(&key))
            }
        };
        if let Some(option) = wrong {
            return Err(Error::Usage {
                message: format!("{option} has no meaning here ({})", self.input.display()),
                hint: "lk convert --help says which option is for which format".to_owned(),
            });
        }
        if from != Kind::Dataset && self.msgs.is_some() && self.type_name.is_none() {
            return Err(Error::Usage {
                message: "--msgs says where to look for a type".to_owned(),
                hint: "name the type with --type".to_owned(),
            });
        }
        if from == Kind::Ndjson && self.key.is_none() && given(&only_text).is_some() {
            return Err(Error::Usage {
                message: "a type or a role is that of a key".to_owned(),
                hint: "name the key with --key".to_owned(),
            });
        }
        check_output(&self.output, &[&self.input], self.force)
    }

    /// Writes a folder at `path`, which is renamed to the output.
    fn write_rosbag2(&self, dataset: &Dataset, path: &Path) -> Result<CopyOutcome> {
        let name = self.output.file_name().unwrap_or_default().to_string_lossy();
        let writer = rosbag2::Writer::create_named(path, &name, CreateOptions::default())?;
        let mut folder = Dataset::with_backend(Box::new(writer));
        let outcome = folder.copy_from(dataset)?;
        folder.close()?;
        Ok(outcome)
    }

    /// A key that ROS 2's tools won't take, whose recordings are CDR alone.
    fn note_foreign(dataset: &Dataset, notes: &mut Vec<String>) {
        for channel in dataset.channels() {
            if let Encoding::Foreign(foreign) = &channel.encoding
                && foreign.message_encoding != "cdr"
            {
                let (key, encoding) = (&channel.key, &foreign.message_encoding);
                notes.push(format!("ROS 2 takes CDR alone, and not {key}, which is {encoding}"));
            }
        }
    }

    fn open(&self) -> Result<Dataset> {
        Ok(Dataset::open_with(&self.input, &OpenOptions { msgs: self.msgs.clone() })?)
    }

    /// Writes all of `dataset`, or the key that was asked for.
    fn write(&self, dataset: &Dataset, to: Kind, path: &Path) -> Result<CopyOutcome> {
        let name = self.output.to_string_lossy();
        let create = || File::create(path).map_err(Error::io("create", path));
        let samples = match to {
            Kind::Dataset => return write_dataset(path, |file| file.copy_from(dataset)),
            Kind::Rosbag2 => return self.write_rosbag2(dataset, path),
            Kind::Csv => {
                let view = only_channel(dataset, &self.query(dataset)?)?;
                csv::export(view, &mut create()?, &name)?
            }
            Kind::Ndjson => {
                let options = ndjson::ExportOptions { schemas: true, ..Default::default() };
                ndjson::export(dataset, &Query::default(), &mut create()?, &name, &options)?
            }
        };
        let no_place = |extra: lk::Result<Extra>| match extra {
            Ok(extra) => format!("{}: text has no place for it", extra.describe()),
            Err(error) => error.to_string(),
        };
        Ok(CopyOutcome { samples, left_out: dataset.extras().map(no_place).collect() })
    }

    fn role(&self) -> Role {
        match self.role {
            None => Role::None,
            Some(RoleName::Input) => Role::Input,
            Some(RoleName::Output) => Role::Output,
            Some(RoleName::State) => Role::State,
        }
    }

    fn import_csv(&self, notes: &mut Vec<String>) -> Result<Dataset> {
        let stem = || self.input.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let schema =
            self.type_name.as_deref().map(|name| definitions::schema(name, self.msgs.as_deref()));
        let options = csv::ImportOptions {
            key: self.key.clone().or_else(stem).unwrap_or_default(),
            role: self.role(),
            time: self.time.clone(),
            unit: self.time_unit.map(|unit| match unit {
                Unit::S => TimeUnit::Seconds,
                Unit::Ms => TimeUnit::Millis,
                Unit::Us => TimeUnit::Micros,
                Unit::Ns => TimeUnit::Nanos,
            }),
            schema: schema.transpose()?,
            columns: self.map.iter().cloned().collect(),
            ignore: self.ignore.clone(),
            fill: self.fill,
            empty_is_nan: self.empty_is_nan,
            ..csv::ImportOptions::default()
        };
        let mut dataset = Dataset::memory();
        let import = csv::import(&self.input, &mut dataset, &options)?;
        notes.push(format!("times are in {} from column {}", import.unit.name(), import.time));
        if options.schema.is_none() {
            let fields = import.columns.iter().map(|(_, field)| field.as_str()).collect::<Vec<_>>();
            notes.push(format!("the type is inferred, with fields {}", fields.join(", ")));
        }
        if import.rounded_times > 0 {
            notes.push(format!(
                "{} of {} times are finer than a nanosecond, and were rounded to the nearest",
                import.rounded_times, import.rows
            ));
        }
        note_order(import.out_of_order, "rows", notes);
        Ok(dataset)
    }

    fn import_ndjson(&self, notes: &mut Vec<String>) -> Result<Dataset> {
        let mut options = ndjson::ImportOptions::default();
        if let Some(key) = &self.key {
            if let Some(name) = &self.type_name {
                let schema = definitions::schema(name, self.msgs.as_deref())?;
                options.schemas.insert(key.clone(), schema);
            }
            options.roles.insert(key.clone(), self.role());
        }
        let mut dataset = Dataset::memory();
        let import = ndjson::import(&self.input, &mut dataset, &options)?;
        for key in &import.inferred {
            notes.push(format!("the type of {key} is inferred from its values"));
        }
        note_order(import.out_of_order, "lines", notes);
        Ok(dataset)
    }

    /// What `--key` takes.
    fn query(&self, dataset: &Dataset) -> Result<Query> {
        // Of text that was just read, it is the key that was written to.
        match &self.key {
            Some(key) => Ok(dataset.select(&[key])?),
            None => Ok(Query::default()),
        }
    }
}

fn note_order(out_of_order: u64, what: &str, notes: &mut Vec<String>) {
    if out_of_order > 0 {
        notes.push(format!(
            "{out_of_order} {what} have a time before that of the one above; a dataset is in \
             order of time, so they come earlier than they stood"
        ));
    }
}

impl Kind {
    /// A file without one of these extensions is taken for a dataset, which
    /// opening or creating it decides.
    fn of(path: &Path) -> Result<Kind> {
        let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        match extension.as_deref() {
            Some("csv" | "tsv") => Ok(Kind::Csv),
            Some("ndjson" | "jsonl") => Ok(Kind::Ndjson),
            Some("mcap" | "pkl" | "pickle" | "db3" | "zstd") => Ok(Kind::Dataset),
            _ if path.is_dir() => Ok(Kind::Dataset),
            _ => Err(Error::Usage {
                message: format!("can't tell by its name what {} is", path.display()),
                hint: "name a folder of rosbag2, or a file that ends in .mcap, .db3, .pkl, .csv, .ndjson or .jsonl".to_owned(),
            }),
        }
    }
}

fn column(text: &str) -> Result<(String, String), String> {
    // Headers have all sorts of signs in them, fields have none.
    match text.rsplit_once('=') {
        Some((column, field)) if !column.is_empty() && !field.is_empty() => {
            Ok((column.to_owned(), field.to_owned()))
        }
        _ => Err("it is not of the form column=field.path".to_owned()),
    }
}
