//! Lines of JSON as a dataset.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeSeed;
use serde_json::value::RawValue;

use super::{FactsLine, Kind, SampleLine, SchemaLine};
use crate::codec::Plan;
use crate::dataset::foreign::without_place;
use crate::dataset::shape::{self, Shape, ShapeSeed};
use crate::dataset::{Channel, ChannelId, Dataset, Encoding, Facts, Role, Sample};
use crate::error::{Error, Result};
use crate::schema::Schema;
use crate::time::Time;
use crate::value::ValueSeed;

/// How to read lines of JSON.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// Types by key. A line in the file that gives such a key another type is
    /// an error.
    pub schemas: BTreeMap<String, Schema>,
    /// Roles by key, where the file says none.
    pub roles: BTreeMap<String, Role>,
}

/// What was read.
#[derive(Clone, Debug, Default)]
pub struct Import {
    /// Samples.
    pub samples: u64,
    /// Keys whose type was inferred from their values.
    pub inferred: Vec<String>,
    /// Samples whose time is before that of the line above. A dataset is read
    /// in order of time, so they come earlier than they stood.
    pub out_of_order: u64,
}

/// Reads a file of JSON lines into new keys of `dataset`.
///
/// A key's type is the one that the options give, or a line of the file
/// before its first sample, or else one inferred from all of its values:
/// `int64` where all numbers are such, `uint64`, `float64`; a field that some
/// objects lack, or that is `null` in some, is optional. Empty lines are
/// passed over. The file is read twice.
///
/// # Errors
/// [`Error::Import`], naming the line, for one that is no JSON, or has
/// another form or another type than it should; [`Error::DuplicateKey`];
/// [`Error::Io`]. What was read before an error in a line has been written.
pub fn import(path: &Path, dataset: &mut Dataset, options: &ImportOptions) -> Result<Import> {
    let lines = Lines { path };
    let (keys, facts) = lines.survey(options)?;
    let mut result = Import::default();
    let mut open = BTreeMap::new();
    for key in keys {
        let schema = match key.kind {
            KeyKind::Known(schema) => schema,
            KeyKind::Inferred(shape) => {
                result.inferred.push(key.name.clone());
                if !matches!(shape, Shape::Record(_)) {
                    return Err(lines.key_error(key.line, &key.name, "the value is not an object"));
                }
                shape::schema(&key.name, &shape)?
                    .map_err(|reason| lines.key_error(key.line, &key.name, reason))?
            }
        };
        let id = dataset.add_channel(Channel {
            key: key.name.clone(),
            encoding: Encoding::Cdr(schema.clone()),
            role: key.role,
            metadata: key.metadata,
        })?;
        open.insert(key.name, (id, Plan::new(&schema)));
    }
    if let Some(facts) = facts {
        dataset.set_facts(facts)?;
    }
    let mut counts: BTreeMap<ChannelId, u32> = BTreeMap::new();
    let mut last = Time::MIN;
    lines.each(|line, text| {
        let Some(sample) = lines.sample(line, text)? else { return Ok(()) };
        let Some((id, plan)) = open.get(sample.key.as_ref()) else {
            return Err(lines.error(line, "the file changed while it was read"));
        };
        let mut json = serde_json::Deserializer::from_str(sample.value.get());
        let value = ValueSeed::new(plan.schema())
            .deserialize(&mut json)
            .map_err(|e| lines.key_error(line, &sample.key, without_place(&e.to_string())))?;
        let count = counts.entry(*id).or_default();
        let sequence = sample.sequence.unwrap_or(*count);
        *count = sequence.wrapping_add(1);
        let time = lines.time_of(line, &sample)?;
        let publish_time = sample.publish_time_ns.map_or(time, Time::from_nanos);
        let payload = plan.encode(&value);
        let payload = payload.map_err(|e| lines.key_error(line, &sample.key, e.to_string()))?;
        let payload = Bytes::from(payload);
        dataset.write_sample(*id, Sample { time, publish_time, sequence, payload })?;
        result.samples += 1;
        result.out_of_order += u64::from(time < last);
        last = time;
        Ok(())
    })?;
    Ok(result)
}

/// A key, from the lines of the file.
struct Key {
    name: String,
    /// Where it is first named.
    line: u64,
    kind: KeyKind,
    role: Role,
    metadata: BTreeMap<String, String>,
}

enum KeyKind {
    Known(Schema),
    Inferred(Shape),
}

type RawSample<'a> = SampleLine<Cow<'a, str>, &'a RawValue>;

struct Lines<'a> {
    path: &'a Path,
}

impl Lines<'_> {
    /// The keys, in the order in which they are first named.
    fn survey(&self, options: &ImportOptions) -> Result<(Vec<Key>, Option<Facts>)> {
        let mut keys: Vec<Key> = Vec::new();
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        let mut facts = None;
        let role = |key: &str| options.roles.get(key).copied().unwrap_or_default();
        self.each(|line, text| {
            let kind: Kind = self.parse(line, text)?;
            if kind.facts.is_some() {
                let given: FactsLine = self.parse(line, text)?;
                facts = Some(given.facts);
                return Ok(());
            }
            if kind.schema.is_some() {
                let given: SchemaLine = self.parse(line, text)?;
                if places.contains_key(&given.key) {
                    let reason = format!("the type of key {} comes after it was used", given.key);
                    return Err(self.error(line, reason));
                }
                let schema = self.schema(line, &given, options)?;
                places.insert(given.key.clone(), keys.len());
                keys.push(Key {
                    line,
                    kind: KeyKind::Known(schema),
                    role: if given.role == Role::None { role(&given.key) } else { given.role },
                    metadata: given.metadata,
                    name: given.key,
                });
                return Ok(());
            }
            let sample: RawSample<'_> = self.parse(line, text)?;
            self.time_of(line, &sample)?;
            let place = match places.get(sample.key.as_ref()) {
                Some(&place) => place,
                None => {
                    let name = sample.key.clone().into_owned();
                    let kind = match options.schemas.get(&name) {
                        Some(schema) => KeyKind::Known(schema.clone()),
                        None => KeyKind::Inferred(Shape::Unknown),
                    };
                    places.insert(name.clone(), keys.len());
                    let (role, metadata) = (role(&name), BTreeMap::new());
                    keys.push(Key { name, line, kind, role, metadata });
                    keys.len() - 1
                }
            };
            if let KeyKind::Inferred(known) = &mut keys[place].kind {
                let mut json = serde_json::Deserializer::from_str(sample.value.get());
                let shape =
                    ShapeSeed::new(&Cell::new(false)).deserialize(&mut json).map_err(|e| {
                        self.key_error(line, &sample.key, without_place(&e.to_string()))
                    })?;
                let before = std::mem::replace(known, Shape::Unknown);
                let merged = before.merge(shape);
                *known = merged.map_err(|reason| self.key_error(line, &sample.key, reason))?;
            }
            Ok(())
        })?;
        Ok((keys, facts))
    }

    fn schema(&self, line: u64, given: &SchemaLine, options: &ImportOptions) -> Result<Schema> {
        let schema = Schema::parse(&given.type_name, &given.schema)
            .and_then(|schema| schema.with_optional_fields(&given.optional))
            .map_err(|e| self.key_error(line, &given.key, e.to_string()))?;
        match options.schemas.get(&given.key) {
            Some(wanted) if wanted.fingerprint() != schema.fingerprint() => {
                let reason = format!(
                    "key {} is {} here, but was to be {}",
                    given.key,
                    schema.name_and_fingerprint(),
                    wanted.name_and_fingerprint()
                );
                Err(self.error(line, reason))
            }
            _ => Ok(schema),
        }
    }

    /// The sample of a line, if it is one.
    fn sample<'l>(&self, line: u64, text: &'l str) -> Result<Option<RawSample<'l>>> {
        let kind: Kind = self.parse(line, text)?;
        if kind.facts.is_some() || kind.schema.is_some() {
            return Ok(None);
        }
        self.parse(line, text).map(Some)
    }

    fn time_of(&self, line: u64, sample: &RawSample<'_>) -> Result<Time> {
        let time = sample.time_ns.map(Time::from_nanos);
        time.ok_or_else(|| self.error(line, "missing field `time_ns`"))
    }

    fn parse<'l, T: Deserialize<'l>>(&self, line: u64, text: &'l str) -> Result<T> {
        serde_json::from_str(text).map_err(|e| self.error(line, without_place(&e.to_string())))
    }

    /// Calls `visit` with each line that isn't empty, counted from 1.
    fn each(&self, mut visit: impl FnMut(u64, &str) -> Result<()>) -> Result<()> {
        let display = || self.path.display().to_string();
        let failed = |source| Error::Io { action: "read", path: display(), source };
        let mut reader = BufReader::new(File::open(self.path).map_err(failed)?);
        let mut bytes = Vec::new();
        for line in 1.. {
            bytes.clear();
            if reader.read_until(b'\n', &mut bytes).map_err(failed)? == 0 {
                break;
            }
            let text = std::str::from_utf8(&bytes)
                .map_err(|_| self.error(line, "the text is not UTF-8"))?
                .trim_start_matches('\u{feff}')
                .trim();
            if !text.is_empty() {
                visit(line, text)?;
            }
        }
        Ok(())
    }

    /// About the value or the type of a key.
    fn key_error(&self, line: u64, key: &str, reason: impl Display) -> Error {
        self.error(line, format!("key {key}: {reason}"))
    }

    fn error(&self, line: u64, reason: impl Into<String>) -> Error {
        let path = self.path.display().to_string();
        Error::Import { reason: reason.into(), line, column: String::new(), path }
    }
}
