//! Long work without the GIL, which Ctrl-C ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use lk::dataset::{
    Backend, Channel, ChannelId, ChannelStats, Extra, Extras, Facts, Integrity, Query, Sample,
    Samples, Together,
};
use lk::{Dataset, Error, Result};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// How often Python is asked whether a signal has come.
pub(crate) const PERIOD: Duration = Duration::from_millis(20);

/// Does `work` in a thread of its own without the GIL. When Python raises
/// (`KeyboardInterrupt`), `stop` is set, and the work is expected to end soon.
///
/// # Errors
/// What Python raised.
pub(crate) fn interruptible<T: Send>(
    py: Python<'_>,
    stop: &[&Stop],
    work: impl FnOnce() -> T + Send,
) -> PyResult<T> {
    stop.iter().for_each(|stop| stop.0.store(false, Ordering::Relaxed));
    let (done, ended) = channel();
    let outcome = py.detach(move || {
        std::thread::scope(|scope| {
            let worker = scope.spawn(move || {
                let outcome = work();
                // Nobody waits any more only where the scope is left by a panic.
                let _ = done.send(());
                outcome
            });
            let mut raised = None;
            while raised.is_none() && ended.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
                raised = Python::attach(|py| py.check_signals()).err();
            }
            if raised.is_some() {
                stop.iter().for_each(|stop| stop.0.store(true, Ordering::Relaxed));
            }
            (worker.join(), raised)
        })
    });
    match outcome {
        (_, Some(raised)) => Err(raised),
        (Ok(outcome), None) => Ok(outcome),
        (Err(_), None) => Err(PyRuntimeError::new_err("lk panicked, which is a bug in it")),
    }
}

/// Whether reading shall end.
#[derive(Clone, Default)]
pub(crate) struct Stop(Arc<AtomicBool>);

impl Stop {
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A dataset whose samples end, with an error, when told to stop.
pub(crate) struct Stoppable {
    dataset: Dataset,
    stop: Stop,
}

impl Stoppable {
    pub(crate) fn wrap(dataset: Dataset, stop: &Stop) -> Dataset {
        Dataset::with_backend(Box::new(Stoppable { dataset, stop: stop.clone() }))
    }

    fn until_stopped<'a>(&'a self, samples: Samples<'a>) -> Samples<'a> {
        let mut stopped = false;
        Box::new(samples.map_while(move |item| {
            if stopped {
                return None;
            }
            stopped = self.stop.is_set();
            if !stopped {
                return Some(item);
            }
            let location = self.dataset.location();
            Some(Err(Error::State { action: "read", reason: "it was interrupted", location }))
        }))
    }
}

impl Backend for Stoppable {
    fn location(&self) -> String {
        self.dataset.location()
    }

    fn channels(&self) -> &[Channel] {
        self.dataset.channels()
    }

    fn add_channel(&mut self, channel: Channel) -> Result<ChannelId> {
        self.dataset.add_channel(channel)
    }

    fn write(&mut self, channel: ChannelId, sample: Sample) -> Result<()> {
        self.dataset.write_sample(channel, sample)
    }

    fn samples(&self, query: &Query) -> Result<Samples<'_>> {
        Ok(self.until_stopped(self.dataset.samples(query)?))
    }

    fn samples_together<'a>(
        &'a self,
        query: &Query,
        together: &'a Together,
    ) -> Result<Samples<'a>> {
        Ok(self.until_stopped(self.dataset.samples_together(query, together)?))
    }

    fn stats(&self) -> Result<Vec<ChannelStats>> {
        self.dataset.stats()
    }

    fn facts(&self) -> &Facts {
        self.dataset.facts()
    }

    fn set_facts(&mut self, facts: Facts) -> Result<()> {
        self.dataset.set_facts(facts)
    }

    fn extras(&self) -> Extras<'_> {
        self.dataset.extras()
    }

    fn add_extra(&mut self, extra: Extra) -> Result<()> {
        self.dataset.add_extra(extra)
    }

    fn integrity(&self) -> Integrity {
        self.dataset.integrity()
    }

    fn check(&mut self) -> Result<Integrity> {
        self.dataset.check()
    }

    fn flush(&mut self) -> Result<()> {
        self.dataset.flush()
    }

    fn sync(&mut self) -> Result<()> {
        self.dataset.sync()
    }

    fn close(&mut self) -> Result<()> {
        self.dataset.close()
    }
}
