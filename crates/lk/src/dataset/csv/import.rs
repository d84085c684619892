//! A table as a channel.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use super::leaves::{Kind, Leaf, MAX_COLUMNS, leaves, parse_bool};
use super::{TimeUnit, decimal, header};
use crate::codec::Plan;
use crate::dataset::shape::{self, Integers, Member, Shape};
use crate::dataset::{Channel, Dataset, Encoding, Role};
use crate::error::{Error, Result};
use crate::schema::Schema;
use crate::time::Time;
use crate::value::{Datum, Value};

/// Fields in each other, as deep as messages can be.
const MAX_DEPTH: usize = 64;

/// How to read a table.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// The key to write to, which must be new.
    pub key: String,
    /// What the channel is to its component.
    pub role: Role,
    /// Header of the column of times. By default the first that says so:
    /// `Time (s)`, `time_ns`, `timestamp`.
    pub time: Option<String>,
    /// Unit of the times. By default what the header says, or else what their
    /// size tells: seconds since 1970 have ten digits, nanoseconds nineteen.
    pub unit: Option<TimeUnit>,
    /// The type. By default one is inferred: a column is `int64` where all of
    /// its cells are, else `uint64`, `float64`, `bool`, `string`. A column of
    /// numbers with a few cells that are none is an error, not text.
    pub schema: Option<Schema>,
    /// Fields by header, as dotted paths. Other columns go to the field whose
    /// path is their header, or their header in lower case with underscores.
    pub columns: BTreeMap<String, String>,
    /// Headers of columns to leave out.
    pub ignore: Vec<String>,
    /// Give fields without a column their default values. By default such a
    /// field is an error, unless the schema gives it a default.
    pub fill: bool,
    /// Take an empty cell in a column of floats for NaN. By default it is an
    /// error.
    pub empty_is_nan: bool,
    /// What separates cells. By default whichever of comma, semicolon and tab
    /// the header has most of.
    pub delimiter: Option<u8>,
}

/// What was read from a table.
#[derive(Clone, Debug)]
pub struct Import {
    /// Rows, each a sample.
    pub rows: u64,
    /// Header of the column of times.
    pub time: String,
    /// Unit of the times.
    pub unit: TimeUnit,
    /// Field of each column, by header, in the order of the columns.
    pub columns: Vec<(String, String)>,
    /// The type.
    pub schema: Schema,
    /// Rows whose time is before that of the row above. A dataset is read in
    /// order of time, so they come earlier than they stood.
    pub out_of_order: u64,
    /// Rows whose time is finer than a nanosecond, and was rounded to the
    /// nearest.
    pub rounded_times: u64,
}

/// Reads a CSV file into a new key of `dataset`.
///
/// The first line names the columns. Times are taken from the decimal text to
/// the nanosecond, without a float in between. The file is read twice where
/// the type is to be inferred. A number that its float could only hold as an
/// infinity or as 0 is an error, as is an integer in a column inferred to be
/// `float64` that such a float would round.
///
/// # Errors
/// [`Error::Import`], naming line and column, for a row that has more or
/// fewer cells than the header, a cell that is not of its field's type, a
/// column without a field or a field without a column, no column of times;
/// [`Error::DuplicateKey`]; [`Error::Io`]. What was read before an error in a
/// row has been written.
pub fn import(path: &Path, dataset: &mut Dataset, options: &ImportOptions) -> Result<Import> {
    let table = Table::open(path, options)?;
    let time_index = table.time_column(options)?;
    let unit = table.unit(time_index, options)?;
    let targets = table.targets(time_index, options)?;
    let (schema, targets) = match &options.schema {
        Some(schema) => (schema.clone(), table.match_fields(schema, &targets, options)?),
        None => {
            let schema = table.infer(&targets, options)?;
            let matched = table.match_fields(&schema, &targets, options)?;
            (schema, matched)
        }
    };
    let id = dataset.add_channel(Channel {
        key: options.key.clone(),
        encoding: Encoding::Cdr(schema.clone()),
        role: options.role,
        metadata: BTreeMap::new(),
    })?;
    let columns = targets
        .iter()
        .map(|(index, leaf)| (table.headers[*index].clone(), leaf.path.clone()))
        .collect();
    let plan = Plan::new(&schema);
    let mut value = Value::default_of(&schema);
    let mut result = Import {
        rows: 0,
        time: table.headers[time_index].clone(),
        unit,
        columns,
        schema,
        out_of_order: 0,
        rounded_times: 0,
    };
    let mut last = Time::MIN;
    table.rows(|line, row| {
        let text = row.get(time_index).unwrap_or_default();
        let decimal::Read { time, rounded } =
            decimal::time(text.trim(), unit).ok_or_else(|| {
                let reason = format!("{text:?} is not a time in {}", unit.name());
                table.error(line, time_index, reason)
            })?;
        for (index, leaf) in &targets {
            let datum = cell(leaf.kind, row.get(*index).unwrap_or_default(), options)
                .map_err(|reason| table.error(line, *index, reason))?;
            leaf.put(value.record_mut(), datum).expect("the leaf is one of the value's schema");
        }
        dataset.write_payload(id, plan.encode(&value)?, time)?;
        result.rows += 1;
        result.out_of_order += u64::from(time < last);
        result.rounded_times += u64::from(rounded);
        last = time;
        Ok(())
    })?;
    Ok(result)
}

fn cell(kind: Kind, text: &str, options: &ImportOptions) -> Result<Datum, String> {
    let empty = text.trim().is_empty() && matches!(kind, Kind::Primitive(_));
    let parsed = match empty && options.empty_is_nan {
        true => kind.parse("NaN"),
        false => kind.parse(text),
    };
    parsed.map_err(|expected| match empty {
        true => format!("an empty cell is not {expected}"),
        false => format!("{text:?} is not {expected}"),
    })
}

/// A file, and what its first line says.
struct Table<'a> {
    path: &'a Path,
    delimiter: u8,
    headers: Vec<String>,
}

impl<'a> Table<'a> {
    fn open(path: &'a Path, options: &ImportOptions) -> Result<Table<'a>> {
        let mut table = Table { path, delimiter: b',', headers: Vec::new() };
        table.delimiter = match options.delimiter {
            Some(delimiter) => delimiter,
            None => table.guess_delimiter()?,
        };
        let mut reader = table.reader()?;
        let headers = reader.headers().map_err(|e| table.csv_error(e))?;
        let clean = |header: &str| header.trim_start_matches('\u{feff}').trim().to_owned();
        table.headers = headers.iter().map(clean).collect();
        if table.headers.iter().all(|header| header.is_empty()) {
            return Err(table.line_error(1, "the file has no header line"));
        }
        if table.headers.iter().all(|header| header.parse::<f64>().is_ok()) {
            return Err(table.line_error(1, "the first line holds numbers, not column names"));
        }
        Ok(table)
    }

    fn guess_delimiter(&self) -> Result<u8> {
        use std::io::{BufRead, Read};
        let file = File::open(self.path).map_err(|e| self.io_error(e))?;
        let mut line = Vec::new();
        let mut head = std::io::BufReader::new(file.take(1 << 20));
        head.read_until(b'\n', &mut line).map_err(|e| self.io_error(e))?;
        let count = |delimiter: &u8| line.iter().filter(|byte| *byte == delimiter).count();
        // The first of equals wins: `max_by_key` takes the last.
        Ok([b'\t', b';', b','].into_iter().max_by_key(count).unwrap_or(b','))
    }

    fn reader(&self) -> Result<csv::Reader<File>> {
        let file = File::open(self.path).map_err(|e| self.io_error(e))?;
        Ok(csv::ReaderBuilder::new().delimiter(self.delimiter).from_reader(file))
    }

    /// Calls `visit` with the line and the cells of each row.
    fn rows(&self, mut visit: impl FnMut(u64, &csv::StringRecord) -> Result<()>) -> Result<()> {
        let mut reader = self.reader()?;
        let mut row = csv::StringRecord::new();
        while reader.read_record(&mut row).map_err(|e| self.csv_error(e))? {
            visit(row.position().map_or(0, csv::Position::line), &row)?;
        }
        Ok(())
    }

    fn index_of(&self, wanted: &str) -> Result<usize> {
        self.headers.iter().position(|header| header == wanted).ok_or_else(|| {
            let known = self.headers.join(", ");
            self.line_error(1, format!("there is no column {wanted}; the columns are {known}"))
        })
    }

    fn time_column(&self, options: &ImportOptions) -> Result<usize> {
        if let Some(wanted) = &options.time {
            return self.index_of(wanted);
        }
        let found = self.headers.iter().position(|h| header::time_column(h).is_some());
        found.ok_or_else(|| {
            let known = self.headers.join(", ");
            self.line_error(
                1,
                format!("no column is named as one of times; which of {known} is it?"),
            )
        })
    }

    fn unit(&self, time_index: usize, options: &ImportOptions) -> Result<TimeUnit> {
        let header = &self.headers[time_index];
        if let Some(unit) = options.unit.or(header::time_column(header).flatten()) {
            return Ok(unit);
        }
        let (mut first, mut has_points) = (None, false);
        self.rows(|line, row| {
            let text = row.get(time_index).unwrap_or_default().trim();
            first.get_or_insert_with(|| (line, text.to_owned()));
            has_points |= text.contains('.');
            Ok(())
        })?;
        let (line, first) = first.unwrap_or((1, String::new()));
        let unit = header::unit_by_size(&first, has_points);
        unit.ok_or_else(|| {
            let reason = "neither the header nor the size of the times tells their unit: give \
                          the unit, one of s, ms, us and ns";
            self.error(line, time_index, reason)
        })
    }

    /// The columns to take, and the field that each is said to go to.
    fn targets(
        &self,
        time_index: usize,
        options: &ImportOptions,
    ) -> Result<Vec<(usize, Option<String>)>> {
        for named in options.columns.keys().chain(&options.ignore) {
            self.index_of(named)?;
        }
        let mut targets = Vec::new();
        for (index, header) in self.headers.iter().enumerate() {
            let field = options.columns.get(header).cloned();
            let taken =
                !options.ignore.contains(header) && (index != time_index || field.is_some());
            if taken {
                targets.push((index, field));
            }
        }
        if targets.len() > MAX_COLUMNS {
            let count = targets.len();
            return Err(self.line_error(1, format!("{count} columns are over {MAX_COLUMNS}")));
        }
        Ok(targets)
    }

    fn match_fields(
        &self,
        schema: &Schema,
        targets: &[(usize, Option<String>)],
        options: &ImportOptions,
    ) -> Result<Vec<(usize, Leaf)>> {
        let leaves = leaves(schema).map_err(|reason| {
            self.line_error(1, format!("{} is no type for a table: {reason}", schema.name()))
        })?;
        let (mut by_path, mut by_name) = (BTreeMap::new(), BTreeMap::new());
        for (place, leaf) in leaves.iter().enumerate() {
            by_path.insert(leaf.path.as_str(), place);
            by_name.entry(header::field_name(&leaf.path)).or_insert(place);
        }
        let mut matched: Vec<(usize, Leaf)> = Vec::new();
        // By leaf, the column that goes to it.
        let mut taken: BTreeMap<usize, usize> = BTreeMap::new();
        for (index, wanted) in targets {
            let header = &self.headers[*index];
            let exact = |name: &str| by_path.get(name).copied();
            let place = match wanted {
                Some(wanted) => exact(wanted),
                None => exact(header).or_else(|| by_name.get(&header::field_name(header)).copied()),
            };
            let Some(place) = place else {
                let field = wanted.as_ref().map_or(String::new(), |wanted| format!(" {wanted}"));
                let reason = format!("{} has no field{field} for it", schema.name());
                return Err(self.error(1, *index, reason));
            };
            let leaf = &leaves[place];
            if let Some(other) = taken.insert(place, *index) {
                let other = &self.headers[other];
                let reason = format!("it and column {other} both go to field {}", leaf.path);
                return Err(self.error(1, *index, reason));
            }
            matched.push((*index, leaf.clone()));
        }
        let missing: Vec<&str> = leaves
            .iter()
            .enumerate()
            .filter(|(place, leaf)| {
                !leaf.has_default && !options.fill && !taken.contains_key(place)
            })
            .map(|(_, leaf)| leaf.path.as_str())
            .collect();
        if missing.is_empty() {
            return Ok(matched);
        }
        let reason = format!("no column goes to {} of {}", missing.join(", "), schema.name());
        Err(self.line_error(1, reason))
    }

    /// A type that holds all cells.
    fn infer(
        &self,
        targets: &[(usize, Option<String>)],
        options: &ImportOptions,
    ) -> Result<Schema> {
        let mut shapes = vec![CellShapes::default(); targets.len()];
        self.rows(|line, row| {
            for ((index, _), shapes) in targets.iter().zip(&mut shapes) {
                shapes.add(line, row.get(*index).unwrap_or_default().trim());
            }
            Ok(())
        })?;
        let mut root = Vec::new();
        for ((index, field), shapes) in targets.iter().zip(&shapes) {
            let header = &self.headers[*index];
            if let Some((line, text)) = shapes.stray() {
                let reason = format!(
                    "{text:?} is not a number, as {} of {} cells are; give a type if the column \
                     is text",
                    shapes.numbers, shapes.cells
                );
                return Err(self.error(*line, *index, reason));
            }
            if let (Shape::Float, Some((line, text))) = (shapes.shape(), &shapes.inexact) {
                let reason = format!(
                    "{text:?} would be rounded as a float64, which is what the cells of the \
                     column have in common; give a type with an int64, uint64 or string field, \
                     or with a float64 if it may be rounded"
                );
                return Err(self.error(*line, *index, reason));
            }
            let path = match field {
                Some(field) => field.clone(),
                None if header::is_path(header) => header.clone(),
                None => header::field_name(header),
            };
            if path.split('.').count() > MAX_DEPTH {
                let reason = format!("it names more than {MAX_DEPTH} fields in each other");
                return Err(self.error(1, *index, reason));
            }
            insert(&mut root, &path, shapes.shape())
                .map_err(|reason| self.error(1, *index, reason))?;
        }
        shape::schema(&options.key, &Shape::Record(root))?
            .map_err(|reason| self.line_error(1, reason))
    }

    fn error(&self, line: u64, column: usize, reason: impl Into<String>) -> Error {
        Error::Import {
            reason: reason.into(),
            line,
            column: self.headers[column].clone(),
            path: self.path.display().to_string(),
        }
    }

    fn line_error(&self, line: u64, reason: impl Into<String>) -> Error {
        let path = self.path.display().to_string();
        Error::Import { reason: reason.into(), line, column: String::new(), path }
    }

    fn io_error(&self, source: std::io::Error) -> Error {
        Error::Io { action: "read", path: self.path.display().to_string(), source }
    }

    fn csv_error(&self, error: csv::Error) -> Error {
        let line = error.position().map_or(0, csv::Position::line);
        match error.into_kind() {
            csv::ErrorKind::Io(source) => self.io_error(source),
            csv::ErrorKind::UnequalLengths { expected_len, len, .. } => self.line_error(
                line,
                format!("the row has {len} cells where the header has {expected_len}"),
            ),
            csv::ErrorKind::Utf8 { .. } => self.line_error(line, "the text is not UTF-8"),
            other => self.line_error(line, format!("{other:?}")),
        }
    }
}

/// Puts a leaf into a tree of fields.
fn insert(members: &mut Vec<Member>, path: &str, shape: Shape) -> Result<(), String> {
    let (name, rest) = match path.split_once('.') {
        Some((name, rest)) => (name, Some(rest)),
        None => (path, None),
    };
    let known = members.iter_mut().find(|member| member.name == name);
    match (known, rest) {
        (Some(Member { shape: Shape::Record(nested), .. }), Some(rest)) => {
            insert(nested, rest, shape)
        }
        (Some(_), _) => Err(format!("another column goes to field {name} already")),
        (None, rest) => {
            let shape = match rest {
                None => shape,
                Some(rest) => {
                    let mut nested = Vec::new();
                    insert(&mut nested, rest, shape)?;
                    Shape::Record(nested)
                }
            };
            members.push(Member { name: name.to_owned(), shape, optional: false });
            Ok(())
        }
    }
}

/// What all cells of a column could be, so far.
#[derive(Clone)]
struct CellShapes {
    int: bool,
    uint: bool,
    bool: bool,
    /// Cells that are not empty, and those of them that are numbers.
    cells: u64,
    numbers: u64,
    /// The first cell that is no number, with its line.
    no_number: Option<(u64, String)>,
    /// The first cell that is an integer and no float, with its line.
    inexact: Option<(u64, String)>,
}

impl Default for CellShapes {
    fn default() -> CellShapes {
        let (int, uint, bool) = (true, true, true);
        CellShapes { int, uint, bool, cells: 0, numbers: 0, no_number: None, inexact: None }
    }
}

impl CellShapes {
    /// An empty cell tells nothing.
    fn add(&mut self, line: u64, cell: &str) {
        if cell.is_empty() {
            return;
        }
        self.cells += 1;
        self.int = self.int && cell.parse::<i64>().is_ok();
        self.uint = self.uint && cell.parse::<u64>().is_ok();
        self.bool = self.bool && parse_bool(cell).is_some();
        if cell.parse::<f64>().is_ok() {
            self.numbers += 1;
        } else if self.no_number.is_none() {
            self.no_number = Some((line, cell.to_owned()));
        }
        if self.inexact.is_none() && is_rounded_integer(cell) {
            self.inexact = Some((line, cell.to_owned()));
        }
    }

    /// A cell that is no number in a column that is all but one of numbers.
    fn stray(&self) -> Option<&(u64, String)> {
        self.no_number.as_ref().filter(|_| !self.bool && self.numbers * 10 >= self.cells * 9)
    }

    fn shape(&self) -> Shape {
        match self {
            CellShapes { cells: 0, .. } => Shape::Text,
            CellShapes { int: true, .. } => Shape::Integer(Integers::default()),
            CellShapes { uint: true, .. } => {
                Shape::Integer(Integers { beyond_int64: true, ..Integers::default() })
            }
            CellShapes { no_number: None, .. } => Shape::Float,
            CellShapes { bool: true, .. } => Shape::Bool,
            _ => Shape::Text,
        }
    }
}

/// Whether a cell is an integer that is another one as a `float64`.
fn is_rounded_integer(cell: &str) -> bool {
    let digits = cell.trim_start_matches(['+', '-']).trim_start_matches('0');
    // All integers of 15 digits are floats.
    if digits.len() <= 15 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    // What overflows is told by its own error, where it is read.
    digits.parse::<f64>().is_ok_and(|float| float.is_finite() && format!("{float:.0}") != digits)
}
