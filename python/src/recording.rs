//! Datasets of lk for Python: encoded samples by key.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use bytes::Bytes;
use lk::dataset::mcap::Compression;
use lk::dataset::{Channel, ChannelId, CreateOptions, Encoding, Memory, Query, Role};
use lk::{Dataset, Span, Time};
use pyo3::exceptions::{PyKeyError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyList};
use serde_json::Value as Json;

use crate::column::{self, Column};
use crate::encode;
use crate::error;
use crate::hint;
use crate::interrupt::{Stop, Stoppable, interruptible};
use crate::kind::PyKind;

/// The metadata of a channel that says what its values are in Python.
const HINT: &str = "lk.python";

/// Messages that are read at once when one is asked for.
const BLOCK: usize = 1024;

/// Bytes after which messages in memory go into another block.
const BLOCK_BYTES: usize = 1 << 20;

/// Messages between two looks whether Ctrl-C was pressed.
const BREATH: usize = 1024;

/// A dataset of encoded messages, in memory or in a file.
#[pyclass(frozen, module = "lk._lk")]
pub(crate) struct Recording {
    dataset: Arc<RwLock<Dataset>>,
    cache: Mutex<Cache>,
    stop: Stop,
    is_pickle: bool,
}

/// What was read, to find single messages by their position.
#[derive(Default)]
struct Cache {
    times: HashMap<ChannelId, Arc<Vec<Time>>>,
    /// The position of the first message, and the messages.
    blocks: HashMap<ChannelId, (usize, Vec<Bytes>)>,
}

impl Recording {
    fn new(dataset: Dataset, is_pickle: bool) -> Recording {
        let stop = Stop::default();
        let dataset = Arc::new(RwLock::new(Stoppable::wrap(dataset, &stop)));
        Recording { dataset, cache: Mutex::default(), stop, is_pickle }
    }

    // A panic with the lock held is a bug of lk; what was read or written
    // before it is as it was.
    pub(crate) fn read_lock(&self) -> RwLockReadGuard<'_, Dataset> {
        self.dataset.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_lock(&self) -> RwLockWriteGuard<'_, Dataset> {
        self.dataset.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn stop(&self) -> &Stop {
        &self.stop
    }

    /// The dataset itself, for who else writes to it.
    pub(crate) fn share(&self) -> Arc<RwLock<Dataset>> {
        Arc::clone(&self.dataset)
    }

    /// Messages of a key; none where it isn't there.
    fn count(&self, key: &str) -> u64 {
        let dataset = self.read_lock();
        let stats = dataset.channel_id(key).zip(dataset.stats().ok());
        stats.and_then(|(id, stats)| Some(stats.get(id.0 as usize)?.count)).unwrap_or(0)
    }

    fn id(&self, key: &str) -> PyResult<ChannelId> {
        let found = self.read_lock().channel_id(key);
        found.ok_or_else(|| PyKeyError::new_err(key.to_owned()))
    }

    fn times_of(&self, id: ChannelId) -> lk::Result<Arc<Vec<Time>>> {
        if let Some(times) = self.cache().times.get(&id) {
            return Ok(Arc::clone(times));
        }
        let dataset = self.read_lock();
        let query = Query { channels: Some(vec![id]), ..Query::default() };
        let times: lk::Result<Vec<Time>> =
            dataset.samples(&query)?.map(|item| item.map(|(_, sample)| sample.time)).collect();
        let times = Arc::new(times?);
        self.cache().times.insert(id, Arc::clone(&times));
        Ok(times)
    }

    /// The payloads at these positions in time order.
    fn payloads(&self, id: ChannelId, start: usize, stop: usize) -> lk::Result<Vec<Bytes>> {
        let times = self.times_of(id)?;
        let Some(wanted) = times.get(start..stop).filter(|wanted| !wanted.is_empty()) else {
            return Ok(Vec::new());
        };
        let (first, last) = (wanted[0], wanted[wanted.len() - 1]);
        // Of messages at one time, those before the first that is wanted.
        let skip = start - times.partition_point(|time| *time < first);
        let end = (last != Time::MAX).then(|| last + Span::from_nanos(1));
        let query = Query { channels: Some(vec![id]), start: Some(first), end };
        let dataset = self.read_lock();
        let samples = dataset.samples(&query)?.skip(skip).take(stop - start);
        samples.map(|item| item.map(|(_, sample)| sample.payload)).collect()
    }

    fn one(&self, id: ChannelId, index: usize) -> lk::Result<Option<Bytes>> {
        if let Some((start, block)) = self.cache().blocks.get(&id)
            && let Some(payload) = index.checked_sub(*start).and_then(|n| block.get(n))
        {
            return Ok(Some(payload.clone()));
        }
        let count = self.times_of(id)?.len();
        if index >= count {
            return Ok(None);
        }
        let start = index - index % BLOCK;
        let block = self.payloads(id, start, count.min(start + BLOCK))?;
        let payload = block.get(index - start).cloned();
        self.cache().blocks.insert(id, (start, block));
        Ok(payload)
    }
}

fn value<'py>(
    py: Python<'py>,
    kind: Option<&PyKind>,
    payload: &[u8],
) -> PyResult<Bound<'py, PyAny>> {
    match kind {
        Some(kind) => crate::decode::message(py, &kind.0, payload),
        None => Ok(PyBytes::new(py, payload).into_any()),
    }
}

/// A key whose values are of this kind.
pub(crate) fn channel(key: &str, kind: &PyKind, role: Role) -> PyResult<Channel> {
    let encoding = Encoding::Cdr(crate::types::schema(&kind.0)?);
    let hint = hint::of(&kind.0);
    let mut metadata = BTreeMap::new();
    if !hint.is_null() {
        metadata.insert(HINT.to_owned(), hint.to_string());
    }
    Ok(Channel { key: key.to_owned(), encoding, role, metadata })
}

/// The channel of a key, which is added where it is missing.
pub(crate) fn find_or_add(dataset: &mut Dataset, channel: Channel) -> lk::Result<ChannelId> {
    match dataset.channel_id(&channel.key) {
        Some(id) => Ok(id),
        None => dataset.add_channel(channel),
    }
}

fn role(name: &str) -> PyResult<Role> {
    Ok(match name {
        "" | "none" => Role::None,
        "input" => Role::Input,
        "output" => Role::Output,
        "state" => Role::State,
        _ => return Err(PyValueError::new_err(format!("no role {name}"))),
    })
}

#[pymethods]
impl Recording {
    /// An empty one in memory, with room for so many messages.
    #[staticmethod]
    #[pyo3(signature = (capacity=0))]
    fn memory(capacity: usize) -> Recording {
        let memory = Memory::sharing(capacity);
        Recording::new(Dataset::with_backend(Box::new(memory)), false)
    }

    /// A file to write, of the kind that its extension says.
    #[staticmethod]
    fn create(
        py: Python<'_>,
        path: PathBuf,
        overwrite: bool,
        compression: &str,
        live: bool,
    ) -> PyResult<Recording> {
        let mut options = if live { CreateOptions::live() } else { CreateOptions::default() };
        options.overwrite = overwrite;
        match compression {
            "" => {}
            "zstd" => options.compression = CreateOptions::default().compression,
            "lz4" => options.compression = Compression::Lz4,
            "none" => options.compression = Compression::None,
            _ => {
                let reason = format!("no compression {compression}: zstd, lz4 or none");
                return Err(PyValueError::new_err(reason));
            }
        }
        let dataset = py.detach(|| Dataset::create_with(path, options));
        Ok(Recording::new(dataset.map_err(error::from_lk)?, false))
    }

    /// A file, or a folder of rosbag2, to read.
    #[staticmethod]
    fn open(py: Python<'_>, path: PathBuf) -> PyResult<Recording> {
        let extension = path.extension().and_then(|e| e.to_str()).map(str::to_lowercase);
        let is_pickle = matches!(extension.as_deref(), Some("pkl" | "pickle"));
        let dataset = interruptible(py, &[], || Dataset::open(path))?;
        Ok(Recording::new(dataset.map_err(error::from_lk)?, is_pickle))
    }

    #[getter]
    fn location(&self) -> String {
        self.read_lock().location()
    }

    /// In the order in which they were added.
    fn keys(&self) -> Vec<String> {
        self.read_lock().channels().iter().map(|channel| channel.key.clone()).collect()
    }

    /// Adds a key whose values are of this kind.
    fn add(&self, key: &str, kind: &PyKind, role_name: &str) -> PyResult<()> {
        let channel = channel(key, kind, role(role_name)?)?;
        let added = self.write_lock().add_channel(channel);
        added.map(drop).map_err(error::from_lk)
    }

    /// Appends a value of a key, which is added with this kind where it is
    /// missing, and else is of it.
    fn write(
        &self,
        key: &str,
        kind: &PyKind,
        value: &Bound<'_, PyAny>,
        time_ns: i64,
    ) -> PyResult<()> {
        let mut payload = Vec::new();
        let place = || format!("key {key}, index {}", self.count(key));
        encode::message(&kind.0, value, &mut payload, place)?;
        let time = Time::from_nanos(time_ns);
        let known = self.read_lock().channel_id(key);
        let written = match known {
            Some(id) => self.write_lock().write_payload(id, payload, time),
            None => {
                let channel = channel(key, kind, Role::None)?;
                let mut dataset = self.write_lock();
                find_or_add(&mut dataset, channel)
                    .and_then(|id| dataset.write_payload(id, payload, time))
            }
        };
        written.map(drop).map_err(error::from_lk)
    }

    /// Appends all values, at the times in an array of `int64`.
    fn write_all(
        &self,
        py: Python<'_>,
        key: &str,
        kind: &PyKind,
        values: &Bound<'_, PyList>,
        times_ns: &[u8],
    ) -> PyResult<()> {
        let id = self.id(key)?;
        let (times, _) = times_ns.as_chunks::<8>();
        let mut pairs = values.iter().zip(times).enumerate().peekable();
        let mut payload = Vec::new();
        while pairs.peek().is_some() {
            py.check_signals()?;
            // Payloads that are parts of one block cost no memory of their own.
            let mut block = Vec::new();
            let mut ends = Vec::with_capacity(BREATH);
            while block.len() < BLOCK_BYTES
                && ends.len() < BREATH
                && let Some((index, (value, time))) = pairs.next()
            {
                let place = || format!("key {key}, index {index}");
                encode::message(&kind.0, &value, &mut payload, place)?;
                block.extend_from_slice(&payload);
                ends.push((block.len(), Time::from_nanos(i64::from_le_bytes(*time))));
            }
            block.shrink_to_fit();
            let block = Bytes::from(block);
            let mut start = 0;
            let mut dataset = self.write_lock();
            for (end, time) in ends {
                dataset.write_payload(id, block.slice(start..end), time).map_err(error::from_lk)?;
                start = end;
            }
        }
        Ok(())
    }

    /// Appends all that another one holds.
    fn copy_from(&self, py: Python<'_>, source: &Recording) -> PyResult<()> {
        let copied = interruptible(py, &[&source.stop], || {
            self.write_lock().copy_from(&source.read_lock()).map(drop)
        })?;
        copied.map_err(error::from_lk)
    }

    /// What the values of a key are; `None` where they are bytes that lk can't
    /// decode.
    fn kind(&self, py: Python<'_>, key: &str) -> PyResult<Option<PyKind>> {
        let id = self.id(key)?;
        let (schema, text) = {
            let dataset = self.read_lock();
            let Some(channel) = dataset.channels().get(id.0 as usize) else { return Ok(None) };
            let Encoding::Cdr(schema) = &channel.encoding else { return Ok(None) };
            (schema.clone(), channel.metadata.get(HINT).cloned())
        };
        // A hint that someone else wrote is none.
        let hint = text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or(Json::Null);
        let kind = hint::kind(py, &schema, &hint, self.is_pickle)?;
        Ok(Some(PyKind(Arc::new(kind))))
    }

    /// Name of the type, its `.msg` text, role, and number of messages.
    fn describe(&self, py: Python<'_>, key: &str) -> PyResult<(String, String, String, u64)> {
        let id = self.id(key)?;
        py.detach(|| {
            let dataset = self.read_lock();
            let channel = dataset.channels().get(id.0 as usize);
            let stats = dataset.stats()?.get(id.0 as usize).copied().unwrap_or_default();
            let (name, text) = match channel.map(|channel| &channel.encoding) {
                Some(Encoding::Cdr(schema)) => (schema.name().to_owned(), schema.to_msg_text()),
                Some(Encoding::Foreign(foreign)) => {
                    (foreign.schema_name.clone(), foreign.reason.clone())
                }
                None => Default::default(),
            };
            let role = match channel.map(|channel| channel.role).unwrap_or_default() {
                Role::None => "",
                Role::Input => "input",
                Role::Output => "output",
                Role::State => "state",
            };
            Ok((name, text, role.to_owned(), stats.count))
        })
        .map_err(error::from_lk)
    }

    /// Messages of each key.
    fn counts(&self, py: Python<'_>) -> PyResult<Vec<(String, u64)>> {
        py.detach(|| {
            let dataset = self.read_lock();
            let stats = dataset.stats()?;
            let keys = dataset.channels().iter().map(|channel| channel.key.clone());
            Ok(keys.zip(stats.iter().map(|stats| stats.count)).collect())
        })
        .map_err(error::from_lk)
    }

    /// The times of a key in nanoseconds, as an array of `int64`.
    fn times<'py>(&self, py: Python<'py>, key: &str) -> PyResult<Bound<'py, PyByteArray>> {
        let id = self.id(key)?;
        let times = interruptible(py, &[&self.stop], || self.times_of(id))?;
        let times = times.map_err(error::from_lk)?;
        let bytes: Vec<u8> = times.iter().flat_map(|time| time.as_nanos().to_le_bytes()).collect();
        Ok(PyByteArray::new(py, &bytes))
    }

    /// One value, by its position in time order.
    fn read<'py>(
        &self,
        py: Python<'py>,
        key: &str,
        kind: Option<&PyKind>,
        index: usize,
    ) -> PyResult<Bound<'py, PyAny>> {
        let id = self.id(key)?;
        let payload = py.detach(|| self.one(id, index)).map_err(error::from_lk)?;
        match payload {
            Some(payload) => value(py, kind, &payload),
            None => Err(pyo3::exceptions::PyIndexError::new_err(format!(
                "key {key} has no index {index}"
            ))),
        }
    }

    /// The values from one position up to another.
    fn read_all<'py>(
        &self,
        py: Python<'py>,
        key: &str,
        kind: Option<&PyKind>,
        start: usize,
        stop: usize,
    ) -> PyResult<Bound<'py, PyList>> {
        let id = self.id(key)?;
        let payloads = interruptible(py, &[&self.stop], || self.payloads(id, start, stop))?;
        let values = PyList::empty(py);
        for (index, payload) in payloads.map_err(error::from_lk)?.iter().enumerate() {
            if index % BREATH == 0 {
                py.check_signals()?;
            }
            values.append(value(py, kind, payload)?)?;
        }
        Ok(values)
    }

    /// One field of all messages: the elements' bytes, their dtype, and the
    /// shape of one message's part.
    fn column<'py>(
        &self,
        py: Python<'py>,
        key: &str,
        kind: &PyKind,
        path: &str,
    ) -> PyResult<(Bound<'py, PyByteArray>, &'static str, Vec<usize>)> {
        let id = self.id(key)?;
        let column = Column::new(&kind.0, path)?;
        let (dtype, shape) = column.element();
        let bytes = interruptible(py, &[&self.stop], || {
            let dataset = self.read_lock();
            let query = Query { channels: Some(vec![id]), ..Query::default() };
            let mut bytes = Vec::new();
            for item in dataset.samples(&query)? {
                if let Err(reason) = column.take(&item?.1.payload, &mut bytes) {
                    return Ok(Err(reason));
                }
            }
            Ok(Ok(bytes))
        })?;
        let bytes = bytes.map_err(error::from_lk)?.map_err(column::failed)?;
        Ok((PyByteArray::new(py, &bytes), dtype, shape))
    }

    /// What is damaged or odd: problems and notes, and whether nothing is lost.
    fn integrity(&self) -> (Vec<String>, Vec<String>, bool) {
        let integrity = self.read_lock().integrity();
        let whole = integrity.is_whole();
        (integrity.problems, integrity.notes, whole)
    }

    fn flush(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.write_lock().flush()).map_err(error::from_lk)
    }

    fn sync(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.write_lock().sync()).map_err(error::from_lk)
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.write_lock().close()).map_err(error::from_lk)
    }
}
