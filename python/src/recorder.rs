//! Recording for Python: values are encoded at the call, which needs the GIL;
//! all else happens behind a queue, without it.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};

use lk::component::{AnyMsg, Encoded};
use lk::dataset::{CreateOptions, Role};
use lk::recorder::{Feeder, Key, Recorder, RecorderConfig, Target};
use lk::{Dataset, Schema, Span, Time};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::behind::Behind;
use crate::encode;
use crate::error;
use crate::interrupt::PERIOD;
use crate::kind::{Kind, PyKind};
use crate::recording::{self, Recording};

/// What became of a key: its name; offered, written, skipped, dropped; values
/// per second of their own time.
type Counts = (String, u64, u64, u64, u64, f64);

/// Takes values, and writes them on a thread of its own.
#[pyclass(frozen, name = "Recorder", module = "lk._lk")]
pub(crate) struct PyRecorder {
    feeder: Feeder,
    /// `None` after the end.
    recorder: RwLock<Option<Recorder>>,
    keys: RwLock<Keys>,
    /// To which a key is added when its first value comes, so that one it has
    /// no place for is refused there and then. Not where rings may never
    /// write it.
    dataset: Option<Arc<RwLock<Dataset>>>,
    /// Values that came into the queue.
    taken: AtomicU64,
    /// Who triggers waits for who did before, to tell what it wrote.
    triggers: Mutex<()>,
    /// The process that has the thread which writes.
    process: u32,
}

/// In the order in which they came.
#[derive(Default)]
struct Keys {
    entries: Vec<Arc<Entry>>,
    places: HashMap<String, usize>,
}

struct Entry {
    name: String,
    key: Key,
    /// Once a value was found to have one.
    kind: OnceLock<(Arc<Kind>, Schema)>,
    taken: Mutex<Taken>,
}

/// Values that came into the queue, and their times.
#[derive(Clone, Copy, Default)]
struct Taken {
    /// In the dataset when the first came.
    before: u64,
    count: u64,
    times: Option<(Time, Time)>,
}

impl Entry {
    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    fn add(&mut self, time: Time) {
        self.count += 1;
        self.times = Some((self.times.map_or(time, |(first, _)| first), time));
    }

    fn rate_hz(&self) -> f64 {
        let span_ns = self.times.map_or(0, |(first, last)| (last - first).as_nanos());
        if self.count < 2 || span_ns <= 0 {
            return 0.0;
        }
        (self.count - 1) as f64 * 1e9 / span_ns as f64
    }
}

impl PyRecorder {
    fn start(
        py: Python<'_>,
        target: Target,
        config: &str,
        dataset: Option<Arc<RwLock<Dataset>>>,
    ) -> PyResult<PyRecorder> {
        let config: RecorderConfig = serde_json::from_str(config)
            .map_err(|e| PyValueError::new_err(format!("config of a recorder: {e}")))?;
        let has_rings = config.use_ring_buffer;
        let recorder = py.detach(|| Recorder::new(target, config)).map_err(error::from_lk)?;
        Ok(PyRecorder {
            feeder: recorder.feeder(),
            recorder: RwLock::new(Some(recorder)),
            keys: RwLock::default(),
            dataset: dataset.filter(|_| !has_rings),
            taken: AtomicU64::new(0),
            triggers: Mutex::new(()),
            process: std::process::id(),
        })
    }

    fn entry(&self, key: &str) -> Option<Arc<Entry>> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.places.get(key).map(|place| Arc::clone(&keys.entries[*place]))
    }

    /// The entry of a key, which is made where it is missing.
    fn enter(&self, name: &str, metadata: BTreeMap<String, String>) -> Arc<Entry> {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        // Facts that come later count as long as nothing was written.
        let key = self.feeder.key_with(name, Role::None, metadata);
        if let Some(place) = keys.places.get(name) {
            return Arc::clone(&keys.entries[*place]);
        }
        let (kind, taken) = (OnceLock::new(), Mutex::default());
        let entry = Arc::new(Entry { name: name.to_owned(), key, kind, taken });
        let place = keys.entries.len();
        keys.entries.push(Arc::clone(&entry));
        keys.places.insert(name.to_owned(), place);
        entry
    }

    fn check_process(&self) -> PyResult<()> {
        if self.process == std::process::id() {
            return Ok(());
        }
        let raised = error::other("this recorder belongs to the process that this one forked from");
        Err(error::with_hint(raised, "make a recorder in each process"))
    }

    /// Does something with the recorder and without the GIL; nothing after
    /// its end.
    fn with<T: Send + Default>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&Recorder) -> lk::Result<T> + Send,
    ) -> PyResult<T> {
        self.check_process()?;
        let done = py.detach(|| {
            let recorder = self.recorder.read().unwrap_or_else(PoisonError::into_inner);
            recorder.as_ref().map_or_else(|| Ok(T::default()), work)
        });
        done.map_err(error::from_lk)
    }
}

#[pymethods]
impl PyRecorder {
    /// Records into a dataset, which stays open; `config` is JSON with the
    /// names of the core.
    #[staticmethod]
    fn to_recording(py: Python<'_>, target: &Recording, config: &str) -> PyResult<PyRecorder> {
        let dataset = target.share();
        let behind = Dataset::with_backend(Box::new(Behind::new(Arc::clone(&dataset))));
        PyRecorder::start(py, Target::Dataset(behind), config, Some(dataset))
    }

    /// Records into files of its own: `run.mcap`, `run_1.mcap` and so on.
    #[staticmethod]
    fn to_files(py: Python<'_>, path: PathBuf, config: &str) -> PyResult<PyRecorder> {
        let options = CreateOptions::live();
        PyRecorder::start(py, Target::Files { path, options }, config, None)
    }

    /// Adds a key whose values are of this kind.
    fn add(&self, py: Python<'_>, key: &str, kind: &PyKind) -> PyResult<()> {
        self.check_process()?;
        let channel = recording::channel(key, kind, Role::None)?;
        let schema = crate::types::schema(&kind.0)?;
        let entry = self.enter(key, channel.metadata.clone());
        if let Some(dataset) = &self.dataset {
            let before = py.detach(|| {
                let mut dataset = dataset.write().unwrap_or_else(PoisonError::into_inner);
                let id = recording::find_or_add(&mut dataset, channel)?;
                Ok(dataset.stats()?.get(id.0 as usize).map_or(0, |stats| stats.count))
            });
            entry.taken().before = before.map_err(error::from_lk)?;
        }
        // Where two threads come with the first value, they bring the same kind.
        let _ = entry.kind.set((Arc::clone(&kind.0), schema));
        Ok(())
    }

    /// Counts a value that has no kind: it was offered, and is dropped.
    fn refuse(&self, key: &str) -> PyResult<()> {
        let entry = self.enter(key, BTreeMap::new());
        self.feeder.offer(&entry.key).map(drop).map_err(error::from_lk)
    }

    /// Offers a value; whether it was taken. `None` for a key that is yet to
    /// be added.
    fn record(
        &self,
        py: Python<'_>,
        key: &str,
        value: &Bound<'_, PyAny>,
        time_ns: i64,
    ) -> PyResult<Option<bool>> {
        self.check_process()?;
        let Some(entry) = self.entry(key) else { return Ok(None) };
        let Some((kind, schema)) = entry.kind.get() else { return Ok(None) };
        let offer = self.feeder.offer(&entry.key).map_err(error::from_lk)?;
        let Some(mut offer) = offer else { return Ok(Some(false)) };
        let mut payload = Vec::new();
        encode::message(kind, value, &mut payload, || {
            let taken = *entry.taken();
            format!("key {key}, index {}", taken.before + taken.count)
        })?;
        let (schema, payload) = (schema.clone(), payload.into());
        let message: Arc<dyn AnyMsg> = Arc::new(Encoded { schema, payload });
        let time = Time::from_nanos(time_ns);
        let mut put = offer.put_within(Arc::clone(&message), time, std::time::Duration::ZERO);
        let taken = loop {
            match put {
                Ok(taken) => break taken,
                Err(back) => offer = back,
            }
            py.check_signals()?;
            // Letting go of the GIL at each call would cost more than the rest
            // where other threads want it: only who waits does.
            let again = Arc::clone(&message);
            put = py.detach(|| offer.put_within(again, time, PERIOD));
        };
        if taken {
            entry.taken().add(time);
            self.taken.fetch_add(1, Relaxed);
        }
        Ok(Some(taken))
    }

    /// Values that came into the queue so far.
    fn taken(&self) -> u64 {
        self.taken.load(Relaxed)
    }

    /// Writes what rings hold, and what comes in so much more recorded time;
    /// how many the rings held.
    fn trigger(&self, py: Python<'_>, after_ns: i64) -> PyResult<u64> {
        let entries = self.keys.read().unwrap_or_else(PoisonError::into_inner).entries.clone();
        let last = entries.iter().filter_map(|entry| entry.taken().times).map(|(_, last)| last);
        let Some(last) = last.max() else { return Ok(0) };
        self.with(py, |recorder| {
            let _turn = self.triggers.lock().unwrap_or_else(PoisonError::into_inner);
            let before = recorder.triggered();
            recorder.trigger(last, Span::from_nanos(after_ns))?;
            recorder.flush()?;
            Ok(recorder.triggered() - before)
        })
    }

    /// Waits until all that was taken is written, and flushed.
    fn flush(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, Recorder::flush)
    }

    /// Writes what waits, and the counts. A second time it does nothing.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.check_process()?;
        let closed = py.detach(|| {
            let mut recorder = self.recorder.write().unwrap_or_else(PoisonError::into_inner);
            recorder.take().map_or(Ok(()), |recorder| recorder.close().map(drop))
        });
        closed.map_err(error::from_lk)
    }

    /// What became of all values, by key.
    fn stats(&self) -> Vec<Counts> {
        let stats = self.feeder.stats();
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let counts = keys.entries.iter().map(|entry| {
            let key = stats.keys.get(&entry.name).copied().unwrap_or_default();
            let rate_hz = entry.taken().rate_hz();
            (entry.name.clone(), key.offered, key.written, key.skipped, key.dropped, rate_hz)
        });
        counts.collect()
    }
}

impl Drop for PyRecorder {
    fn drop(&mut self) {
        let recorder = self.recorder.get_mut().unwrap_or_else(PoisonError::into_inner);
        let Some(recorder) = recorder.take() else { return };
        if self.check_process().is_err() {
            // Its thread is in another process, and would be waited for in vain.
            std::mem::forget(recorder);
            return;
        }
        // It writes what it took, which others needn't wait for.
        let mut recorder = Some(recorder);
        let _ = Python::try_attach(|py| py.detach(|| drop(recorder.take())));
        drop(recorder);
    }
}
