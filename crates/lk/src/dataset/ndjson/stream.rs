//! Lines of JSON that come one by one, for as long as their writer runs.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeSeed;
use serde_json::value::RawValue;

use super::{FactsLine, Kind, SampleLine, SchemaLine};
use crate::codec::Plan;
use crate::dataset::foreign::without_place;
use crate::dataset::shape::{self, Shape, ShapeSeed};
use crate::dataset::{Channel, Encoding, Facts, Role};
use crate::error::{Error, Result};
use crate::schema::Schema;
use crate::time::Time;
use crate::value::ValueSeed;

/// How to read lines that come one by one.
#[derive(Clone, Debug, Default)]
pub struct StreamOptions {
    /// Types by key. A line that gives such a key another type is an error.
    pub schemas: BTreeMap<String, Schema>,
    /// The type of every other key of which no line says the type.
    pub schema: Option<Schema>,
    /// Every line is a value of this key, rather than an object with `key`,
    /// `time_ns` and `value`.
    pub key: Option<String>,
}

/// Reads lines of JSON as they come.
///
/// A key's type is the one that the options give, or a line before its first
/// sample, or else one inferred from the first: nothing that comes later can
/// change it. There numbers are `float64`, so that one that happens to be
/// whole keeps none out, but for integers that a `float64` would round.
///
/// ```
/// use lk::dataset::ndjson::{Stream, StreamOptions, Streamed};
/// let mut stream = Stream::new("standard input", StreamOptions::default());
/// let line = r#"{"key": "wheel", "time_ns": 5, "value": {"speed": 1}}"#;
/// let Some(Streamed::Sample(sample)) = stream.line(line)? else { panic!() };
/// assert_eq!(stream.channels()[sample.key].key, "wheel");
/// # Ok::<(), lk::Error>(())
/// ```
#[derive(Debug)]
pub struct Stream {
    name: String,
    options: StreamOptions,
    /// Lines read.
    line: u64,
    places: BTreeMap<String, usize>,
    channels: Vec<Channel>,
    plans: Vec<Plan>,
    inferred: Vec<bool>,
}

/// What a line holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Streamed {
    /// Facts about all of it.
    Facts(Facts),
    /// What the last of [`Stream::channels`] holds.
    Channel,
    /// A message.
    Sample(StreamedSample),
}

/// A message of a line.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamedSample {
    /// Index in [`Stream::channels`].
    pub key: usize,
    /// When it was recorded, where the line says that.
    pub time: Option<Time>,
    /// When it was published, where the line says that.
    pub publish_time: Option<Time>,
    /// Its number, where the line says that.
    pub sequence: Option<u32>,
    /// CDR of the channel's schema.
    pub payload: Bytes,
}

impl Stream {
    /// Reads from `name`, which is what messages call it.
    pub fn new(name: impl Into<String>, options: StreamOptions) -> Stream {
        Stream {
            name: name.into(),
            options,
            line: 0,
            places: BTreeMap::new(),
            channels: Vec::new(),
            plans: Vec::new(),
            inferred: Vec::new(),
        }
    }

    /// The keys so far, in the order in which they came.
    pub fn channels(&self) -> &[Channel] {
        &self.channels
    }

    /// Whether the type of a channel was inferred from its first message.
    pub fn is_inferred(&self, channel: usize) -> bool {
        self.inferred.get(channel).copied().unwrap_or_default()
    }

    /// Takes the next line; `None` for an empty one.
    ///
    /// # Errors
    /// [`Error::Import`], naming the line, for one that is no JSON, or has
    /// another form or another type than it should. The next may be fine.
    pub fn line(&mut self, line: impl AsRef<[u8]>) -> Result<Option<Streamed>> {
        self.line += 1;
        let text = std::str::from_utf8(line.as_ref())
            .map_err(|_| self.error("the text is not UTF-8"))?
            .trim_start_matches('\u{feff}')
            .trim();
        if text.is_empty() {
            return Ok(None);
        }
        if let Some(key) = self.options.key.clone() {
            let value: &RawValue = self.parse(text)?;
            let line = SampleLine {
                key: Cow::from(key),
                time_ns: None,
                publish_time_ns: None,
                sequence: None,
                value,
            };
            return self.sample(line).map(Some);
        }
        let kind: Kind = self.parse(text)?;
        if kind.facts.is_some() {
            let given: FactsLine = self.parse(text)?;
            return Ok(Some(Streamed::Facts(given.facts)));
        }
        if kind.schema.is_some() {
            return self.schema(self.parse(text)?).map(Some);
        }
        self.sample(self.parse(text)?).map(Some)
    }

    fn schema(&mut self, given: SchemaLine) -> Result<Streamed> {
        let schema = Schema::parse(&given.type_name, &given.schema)
            .and_then(|schema| schema.with_optional_fields(&given.optional))
            .map_err(|e| self.error(e.to_string()))?;
        let known = self.places.get(&given.key).map(|&place| self.plans[place].schema());
        let wanted = known.or_else(|| self.options.schemas.get(&given.key));
        if let Some(wanted) = wanted.filter(|wanted| wanted.fingerprint() != schema.fingerprint()) {
            let (is, wanted) = (schema.name_and_fingerprint(), wanted.name_and_fingerprint());
            return Err(self.error(format!("key {} is {is} here, and was {wanted}", given.key)));
        }
        if known.is_none() {
            self.add(given.key, schema, given.role, given.metadata, false);
        }
        Ok(Streamed::Channel)
    }

    fn sample(&mut self, line: SampleLine<Cow<'_, str>, &RawValue>) -> Result<Streamed> {
        let json = line.value.get();
        let key = match self.places.get(line.key.as_ref()) {
            Some(&place) => place,
            None => self.first(line.key.as_ref(), json)?,
        };
        let plan = &self.plans[key];
        let value = ValueSeed::new(plan.schema())
            .deserialize(&mut serde_json::Deserializer::from_str(json))
            .map_err(|e| self.error(without_place(&e.to_string())))?;
        Ok(Streamed::Sample(StreamedSample {
            key,
            time: line.time_ns.map(Time::from_nanos),
            publish_time: line.publish_time_ns.map(Time::from_nanos),
            sequence: line.sequence,
            payload: Bytes::from(plan.encode(&value)?),
        }))
    }

    /// Adds the key of a first sample, of which no line said the type.
    fn first(&mut self, key: &str, json: &str) -> Result<usize> {
        let given = self.options.schemas.get(key).or(self.options.schema.as_ref());
        if let Some(schema) = given.cloned() {
            return Ok(self.add(key.to_owned(), schema, Role::None, BTreeMap::new(), false));
        }
        let shape = ShapeSeed::new(&Cell::new(false))
            .deserialize(&mut serde_json::Deserializer::from_str(json))
            .map_err(|e| self.error(without_place(&e.to_string())))?;
        let schema =
            shape::schema(key, &widened(shape.settled()))?.map_err(|reason| self.error(reason))?;
        Ok(self.add(key.to_owned(), schema, Role::None, BTreeMap::new(), true))
    }

    fn add(
        &mut self,
        key: String,
        schema: Schema,
        role: Role,
        metadata: BTreeMap<String, String>,
        inferred: bool,
    ) -> usize {
        self.places.insert(key.clone(), self.channels.len());
        self.plans.push(Plan::new(&schema));
        self.inferred.push(inferred);
        self.channels.push(Channel { key, encoding: Encoding::Cdr(schema), role, metadata });
        self.channels.len() - 1
    }

    fn parse<'l, T: Deserialize<'l>>(&self, text: &'l str) -> Result<T> {
        serde_json::from_str(text).map_err(|e| self.error(without_place(&e.to_string())))
    }

    fn error(&self, reason: impl Into<String>) -> Error {
        let (line, column, path) = (self.line, String::new(), self.name.clone());
        Error::Import { reason: reason.into(), line, column, path }
    }
}

/// With room for the fractions that may come later.
fn widened(shape: Shape) -> Shape {
    match shape {
        Shape::Integer(integers) if !integers.beyond_float64 => Shape::Float,
        Shape::List(element) => Shape::List(Box::new(widened(*element))),
        Shape::Record(members) => {
            let member = |m: shape::Member| shape::Member { shape: widened(m.shape), ..m };
            Shape::Record(members.into_iter().map(member).collect())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests;
