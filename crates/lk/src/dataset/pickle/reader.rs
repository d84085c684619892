//! Reading pickles as datasets.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bytes::Bytes;

use super::convert::{Budget, Converter};
use super::object::{Heap, Node, Obj, Refusal};
use super::sidecar::{self, Stamp};
use super::{decoder, infer};
use crate::codec::Plan;
use crate::dataset::{
    Backend, Channel, ChannelId, ChannelStats, Encoding, Facts, Integrity, Memory, Query, Role,
    Sample, Samples,
};
use crate::error::{Error, Result};
use crate::schema::Schema;
use crate::time::Time;
use crate::value::Value;

/// A pickle as a dataset to read from.
///
/// It is read as a whole when it is opened, and takes a small multiple of the
/// file's size; a file whose shared objects would come to much more than that
/// is refused. A pickle that is damaged anywhere can't be read at all.
#[derive(Debug)]
pub struct Reader {
    location: String,
    memory: Memory,
    /// Whether lk wrote it, and the checksum holds.
    verified: bool,
}

impl Reader {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Pickle`] where it is no pickle of plain data,
    /// with the offset; [`Error::NotADataset`] where it holds something else
    /// than keys; [`Error::PickledKey`] where a key's values have no common
    /// type, or no good timestamps.
    pub fn open(path: &Path) -> Result<Reader> {
        let location = path.display().to_string();
        let failed = |source| Error::Io { action: "read", path: location.clone(), source };
        let input = std::fs::read(path).map_err(failed)?;
        Reader::parse(&input, location)
    }

    pub(super) fn parse(input: &[u8], location: String) -> Result<Reader> {
        let refused = |refusal: Refusal| Error::Pickle {
            offset: refusal.offset as u64,
            reason: refusal.reason,
            path: location.clone(),
        };
        let decoded = decoder::decode(input).map_err(refused)?;
        let sidecar = match decoded.end == input.len() {
            true => None,
            false => Some(sidecar::read(input, decoded.end).map_err(refused)?),
        };
        let source = Source { heap: &decoded.heap, location: &location, input_bytes: input.len() };
        let keys = source.keys(decoded.root)?;
        let mut memory = Memory::new();
        let verified = sidecar.is_some();
        match sidecar {
            Some(sidecar) => {
                memory.set_facts(sidecar.facts)?;
                source.read_as_told(keys, sidecar.channels, &mut memory)?;
            }
            None => source.read_by_inference(keys, &mut memory)?,
        }
        Ok(Reader { location, memory, verified })
    }

    fn read_only(&self) -> Error {
        let reason = "it was opened to read";
        Error::State { action: "write to", reason, location: self.location.clone() }
    }
}

/// The values and times of a key.
struct Series<'h> {
    key: &'h str,
    data: &'h [Obj],
    timestamps: Obj,
}

struct Source<'h, 'a> {
    heap: &'h Heap<'a>,
    location: &'h str,
    input_bytes: usize,
}

impl<'h> Source<'h, '_> {
    fn error(&self, key: &str, index: Option<usize>, reason: impl Into<String>) -> Error {
        Error::PickledKey {
            key: key.to_owned(),
            index,
            reason: reason.into(),
            path: self.location.to_owned(),
        }
    }

    fn keys(&self, root: Obj) -> Result<Vec<Series<'h>>> {
        let not = |reason: String| Error::NotADataset {
            expected: "a pickled dataset",
            reason,
            advice: Some(
                "it is to hold {key: {\"data\": [...], \"timestamps\": [...]}}".to_owned(),
            ),
            path: self.location.to_owned(),
        };
        let Some(entries) = self.heap.dict(root) else {
            return Err(not(format!("it holds {}, not a dict", self.heap.describe(root))));
        };
        let mut seen = BTreeSet::new();
        let mut keys = Vec::with_capacity(entries.len());
        for &(key, series) in entries {
            let Some(key) = self.heap.text(key) else {
                return Err(not(format!("{} is a key, not a str", self.heap.describe(key))));
            };
            if !seen.insert(key) {
                return Err(self.error(key, None, "it comes twice"));
            }
            keys.push(self.series(key, series)?);
        }
        Ok(keys)
    }

    fn series(&self, key: &'h str, obj: Obj) -> Result<Series<'h>> {
        if self.heap.dict(obj).is_none() {
            let actual = self.heap.describe(obj);
            let reason = format!("expected a dict of \"data\" and \"timestamps\", got {actual}");
            return Err(self.error(key, None, reason));
        }
        let entries = infer::entries(self.heap, obj).map_err(|e| self.error(key, None, e))?;
        let mut entries: BTreeMap<&str, Obj> = entries.into_iter().collect();
        let mut take = |name: &str| {
            let missing = || self.error(key, None, format!("it has no \"{name}\""));
            entries.remove(name).ok_or_else(missing)
        };
        let (data, timestamps) = (take("data")?, take("timestamps")?);
        if let Some(other) = entries.keys().next() {
            let reason = format!("it has \"{other}\" beside \"data\" and \"timestamps\"");
            return Err(self.error(key, None, reason));
        }
        let Some(data) = self.heap.items(data) else {
            let actual = self.heap.describe(data);
            return Err(self.error(key, None, format!("its data is {actual}, not a list")));
        };
        Ok(Series { key, data, timestamps })
    }

    /// Reads a file of lk's, by the types and stamps that it gives.
    fn read_as_told(
        &self,
        keys: Vec<Series<'h>>,
        channels: Vec<(Channel, Vec<Stamp>)>,
        memory: &mut Memory,
    ) -> Result<()> {
        let (actual, expected) = (keys.len(), channels.len());
        let differ =
            keys.iter().zip(&channels).find(|(series, (channel, _))| series.key != channel.key);
        if actual != expected || differ.is_some() {
            return Err(Error::NotADataset {
                expected: "a pickled dataset",
                reason: format!("its {actual} keys are not the {expected} of its facts"),
                advice: None,
                path: self.location.to_owned(),
            });
        }
        let mut samples = Vec::new();
        let mut converter = self.converter();
        for (series, (channel, stamps)) in keys.into_iter().zip(channels) {
            if series.data.len() != stamps.len() {
                let (data, stamps) = (series.data.len(), stamps.len());
                let reason = format!("it has {data} values, and its facts tell of {stamps}");
                return Err(self.error(series.key, None, reason));
            }
            let plan = match &channel.encoding {
                Encoding::Cdr(schema) => Some(Plan::new(schema)),
                Encoding::Foreign(_) => None,
            };
            let id = memory.add_channel(channel)?;
            for (index, (&obj, stamp)) in series.data.iter().zip(stamps).enumerate() {
                let payload = match &plan {
                    Some(plan) => self.payload(&mut converter, plan, series.key, index, obj)?,
                    None => match self.heap.bytes(obj) {
                        Some(bytes) => {
                            let spent = converter.budget.spend(1, bytes.len());
                            spent.map_err(|e| self.error(series.key, Some(index), e))?;
                            Bytes::copy_from_slice(bytes)
                        }
                        None => {
                            let reason = format!("expected bytes, got {}", self.heap.describe(obj));
                            return Err(self.error(series.key, Some(index), reason));
                        }
                    },
                };
                let sample = Sample {
                    time: Time::from_nanos(stamp.time),
                    publish_time: Time::from_nanos(stamp.publish_time),
                    sequence: stamp.sequence,
                    payload,
                };
                samples.push((stamp.place, id, sample));
            }
        }
        samples.sort_by_key(|(place, ..)| *place);
        samples.into_iter().try_for_each(|(_, id, sample)| memory.write(id, sample))
    }

    /// Reads a file that Python wrote: types are those of all values of a key.
    fn read_by_inference(&self, keys: Vec<Series<'h>>, memory: &mut Memory) -> Result<()> {
        let mut budget = Budget::new(self.input_bytes);
        let mut converter = self.converter();
        for series in keys {
            let key = series.key;
            let times = self.times(&series, &mut budget)?;
            if times.len() != series.data.len() {
                let (data, times) = (series.data.len(), times.len());
                let index = Some(data.min(times));
                let reason = format!("it has {data} values and {times} timestamps");
                return Err(self.error(key, index, reason));
            }
            let mut kind = infer::Kind::Unknown;
            for (index, &obj) in series.data.iter().enumerate() {
                let merged =
                    infer::kind(self.heap, obj, 0, &mut budget).and_then(
                        |of_value| match of_value {
                            infer::Kind::Unknown => Err("the value is None".to_owned()),
                            of_value => kind_of_both(&mut kind, of_value, &mut budget),
                        },
                    );
                merged.map_err(|reason| self.error(key, Some(index), reason))?;
            }
            let schema = match series.data {
                // Nothing says what would have come.
                [] => Schema::parse("lk/msg/Float64", "float64 data")?,
                _ => infer::schema(key, &kind)
                    .and_then(|schema| schema.map_err(|e| self.error(key, None, e)))
                    .map_err(|e| match e {
                        Error::Schema { reason, .. } => self.error(key, None, reason),
                        other => other,
                    })?,
            };
            let plan = Plan::new(&schema);
            let id = memory.add_channel(Channel {
                key: key.to_owned(),
                encoding: Encoding::Cdr(schema),
                role: Role::None,
                metadata: BTreeMap::new(),
            })?;
            for (index, (&obj, time)) in series.data.iter().zip(times).enumerate() {
                let payload = self.payload(&mut converter, &plan, key, index, obj)?;
                let sequence = index as u32;
                memory.write(id, Sample { time, publish_time: time, sequence, payload })?;
            }
        }
        Ok(())
    }

    fn converter(&self) -> Converter<'h, '_> {
        Converter { heap: self.heap, budget: Budget::new(self.input_bytes) }
    }

    fn payload(
        &self,
        converter: &mut Converter<'_, '_>,
        plan: &Plan,
        key: &str,
        index: usize,
        obj: Obj,
    ) -> Result<Bytes> {
        let schema = plan.schema();
        let record = converter.message(schema.root(), obj, 0);
        let record = record.map_err(|reason| self.error(key, Some(index), reason))?;
        let encoded = Value::new(schema.clone(), record).and_then(|value| plan.encode(&value));
        match encoded {
            Ok(payload) => Ok(payload.into()),
            Err(e) => Err(self.error(key, Some(index), e.to_string())),
        }
    }

    fn times(&self, series: &Series<'_>, budget: &mut Budget) -> Result<Vec<Time>> {
        let wrong = |index, reason: String| self.error(series.key, index, reason);
        let seconds = |secs: f64| {
            Time::from_secs_f64(secs).ok_or(format!("no time is {secs} seconds from zero"))
        };
        let time = |obj| match obj {
            Obj::Float(secs) => seconds(secs),
            Obj::Int(secs) => secs
                .checked_mul(1_000_000_000)
                .map(Time::from_nanos)
                .ok_or(format!("no time is {secs} seconds from zero")),
            _ => {
                let scalar = match self.heap.node(obj) {
                    Some(Node::Scalar(scalar)) => {
                        scalar.as_f64().or_else(|| scalar.as_i64().map(|secs| secs as f64))
                    }
                    _ => None,
                };
                let actual = || self.heap.describe(obj);
                scalar.ok_or_else(|| format!("its timestamp is {}", actual())).and_then(seconds)
            }
        };
        if let Some(Node::Array(Some(array))) = self.heap.node(series.timestamps) {
            let bytes = self.heap.bytes(Obj::Ref(array.bytes)).unwrap_or_default();
            budget.spend(1, bytes.len()).map_err(|e| wrong(None, e))?;
            let elements = super::ndarray::elements(array, bytes).map_err(|e| wrong(None, e))?;
            let each = (0..elements.len()).map(|n| {
                let secs = elements.element(n).and_then(|element| {
                    element.as_f64().or_else(|| element.as_i64().map(|secs| secs as f64))
                });
                let secs = secs.ok_or("its timestamp is no number".to_owned());
                secs.and_then(seconds).map_err(|e| wrong(Some(n), e))
            });
            return each.collect();
        }
        let Some(items) = self.heap.items(series.timestamps) else {
            let actual = self.heap.describe(series.timestamps);
            return Err(wrong(None, format!("its timestamps are {actual}, not a list")));
        };
        let each = items.iter().enumerate();
        each.map(|(n, &obj)| time(obj).map_err(|e| wrong(Some(n), e))).collect()
    }
}

fn kind_of_both(
    kind: &mut infer::Kind,
    other: infer::Kind,
    budget: &mut Budget,
) -> Result<(), String> {
    let known = std::mem::replace(kind, infer::Kind::Unknown);
    *kind = known.merge(other, budget)?;
    Ok(())
}

impl Backend for Reader {
    fn location(&self) -> String {
        self.location.clone()
    }

    fn channels(&self) -> &[Channel] {
        self.memory.channels()
    }

    fn add_channel(&mut self, _: Channel) -> Result<ChannelId> {
        Err(self.read_only())
    }

    fn write(&mut self, _: ChannelId, _: Sample) -> Result<()> {
        Err(self.read_only())
    }

    fn samples(&self, query: &Query) -> Result<Samples<'_>> {
        self.memory.samples(query)
    }

    fn stats(&self) -> Result<Vec<ChannelStats>> {
        self.memory.stats()
    }

    fn facts(&self) -> &Facts {
        self.memory.facts()
    }

    fn set_facts(&mut self, _: Facts) -> Result<()> {
        Err(self.read_only())
    }

    fn integrity(&self) -> Integrity {
        Integrity { verified: self.verified, ..Integrity::default() }
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }

    fn sync(&mut self) -> Result<()> {
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        Ok(())
    }
}
