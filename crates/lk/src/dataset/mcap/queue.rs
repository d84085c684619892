//! Chunks on their way from the caller to the file: packed by threads,
//! written in the order in which they were filled.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::chunk::{Chunk, Packed};
use super::compression::{Compression, Packer};
use super::extras::ExtraRecord;
use super::output::{Ending, Output};

/// Chunks that wait or are being packed, as a multiple of a chunk's size; then
/// the caller waits.
const WAITING_CHUNKS: usize = 4;

/// What may wait at least, so that small chunks needn't wait for each other.
const WAITING_BYTES: usize = 1 << 20;

/// Emptied chunks that are kept to be filled again, and as many buffers to pack
/// into: fresh memory for each costs a fault for every page of it.
const SPARE: usize = 4;

/// Fills chunks, and has them packed and written in the background.
///
/// Everything is a job with a number. Threads take jobs in order and pack in
/// parallel; one at a time writes what is packed, as long as the next number is
/// there, and the others go on packing meanwhile: what is in the file doesn't
/// depend on how many there are, or how fast.
pub(super) struct Queue {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    /// Of the caller's thread, where there is no other.
    packer: Option<Packer>,
}

/// How chunks close, and who packs them.
#[derive(Clone, Copy)]
pub(super) struct QueueOptions {
    pub(super) compression: Compression,
    pub(super) chunk_bytes: usize,
    pub(super) close_after: Option<Duration>,
    pub(super) threads: usize,
}

/// Why nothing more is written.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    /// What was tried.
    pub(super) action: &'static str,
    pub(super) source: Arc<io::Error>,
    /// The first so many samples are in the file, or on the disk where that
    /// is what was tried.
    pub(super) safe_samples: u64,
}

struct Shared {
    state: Mutex<State>,
    /// Locked by the one who writes, and never together with `state`.
    output: Mutex<Output>,
    /// There is something to do for a thread.
    work: Condvar,
    /// A job is done, or all has failed.
    progress: Condvar,
    options: QueueOptions,
}

#[derive(Default)]
struct State {
    /// What is filled.
    open: Chunk,
    /// When its first message came, where it closes by time.
    since: Option<Instant>,
    jobs: VecDeque<Job>,
    /// Jobs that were ever queued, taken, and done.
    queued: u64,
    taken: u64,
    done: u64,
    /// What is packed and waits to be written, by number.
    ready: BTreeMap<u64, Ready>,
    /// Somebody writes, and takes from `ready` until the next isn't there.
    writing: bool,
    /// Bytes of chunks that were queued and aren't done.
    waiting_bytes: usize,
    spare: Vec<Chunk>,
    spare_buffers: Vec<Vec<u8>>,
    /// Memory to begin a chunk with, in bytes.
    room: usize,
    /// No job will come.
    stopping: bool,
    failure: Option<Failure>,
}

enum Job {
    Chunk(Chunk),
    Extra(Box<ExtraRecord>),
    Sync,
    Finish(Box<Ending>),
}

/// A job that somebody has taken.
struct Taken {
    number: u64,
    job: Job,
    /// Empty memory to pack it into.
    buffer: Vec<u8>,
}

/// A job that is to be written.
enum Ready {
    /// The chunk as it was filled, and packed.
    Chunk(Chunk, io::Result<Packed>),
    Other(Job),
}

/// What is left of a chunk that is written, to be used again.
struct Emptied {
    chunk: Chunk,
    /// What it was packed into.
    buffer: Vec<u8>,
}

impl Queue {
    /// Begins with what goes to `output`.
    pub(super) fn new(output: Output, options: QueueOptions) -> io::Result<Queue> {
        let open = Chunk::with_capacity(options.room());
        let shared = Arc::new(Shared {
            state: Mutex::new(State { open, room: options.room(), ..State::default() }),
            output: Mutex::new(output),
            work: Condvar::new(),
            progress: Condvar::new(),
            options,
        });
        let mut queue = Queue { shared, threads: Vec::new(), packer: None };
        for _ in 0..options.threads {
            let (shared, mut packer) =
                (Arc::clone(&queue.shared), Packer::new(options.compression)?);
            let thread = std::thread::Builder::new().name("lk-mcap".to_owned());
            queue.threads.push(thread.spawn(move || shared.work(&mut packer))?);
        }
        if queue.threads.is_empty() {
            queue.packer = Some(Packer::new(options.compression)?);
        }
        Ok(queue)
    }

    /// Whether all went well, as far as is known.
    pub(super) fn check(&self) -> Result<(), Failure> {
        self.shared.lock().check()
    }

    /// Puts something into the open chunk, and closes it where that is full.
    pub(super) fn append(&mut self, put: impl FnOnce(&mut Chunk)) -> Result<(), Failure> {
        let options = self.shared.options;
        let mut state = self.shared.lock();
        state.check()?;
        let queued = state.queued;
        put(&mut state.open);
        if let Some(close_after) = options.close_after
            && state.open.has_messages()
        {
            match state.since {
                None => {
                    state.since = Some(Instant::now());
                    self.shared.work.notify_one();
                }
                Some(since) if self.threads.is_empty() && since.elapsed() >= close_after => {
                    state.close_open();
                }
                Some(_) => {}
            }
        }
        if state.open.len() >= options.chunk_bytes {
            let most = WAITING_BYTES.max(options.chunk_bytes.saturating_mul(WAITING_CHUNKS));
            while state.waiting_bytes > 0
                && state.waiting_bytes.saturating_add(state.open.len()) > most
                && state.failure.is_none()
            {
                state = wait(&self.shared.progress, state);
            }
            state.check()?;
            state.close_open();
        }
        // Waking a thread is a call of the system: once a chunk, not each time.
        if state.queued > queued {
            drop(state);
            self.start();
        }
        Ok(())
    }

    /// Returns when all that was appended is with the operating system.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        self.await_all(None)
    }

    /// Writes something beside samples, after all that was appended. Returns
    /// when it is written: it may be large, and none shall wait.
    pub(super) fn extra(&mut self, extra: ExtraRecord) -> Result<(), Failure> {
        self.await_all(Some(Job::Extra(Box::new(extra))))
    }

    /// Returns when all that was appended is on the disk.
    pub(super) fn sync(&mut self) -> Result<(), Failure> {
        self.await_all(Some(Job::Sync))
    }

    /// Returns when the file has come to its end.
    pub(super) fn finish(&mut self, ending: Ending) -> Result<(), Failure> {
        self.await_all(Some(Job::Finish(Box::new(ending))))
    }

    fn await_all(&mut self, last: Option<Job>) -> Result<(), Failure> {
        let mut state = self.shared.lock();
        state.check()?;
        state.close_open();
        state.queue(last);
        drop(state);
        self.start();
        let mut state = self.shared.lock();
        while state.done < state.queued && state.failure.is_none() {
            state = wait(&self.shared.progress, state);
        }
        state.check()
    }

    /// Has the queued jobs done.
    fn start(&mut self) {
        match &mut self.packer {
            None => self.shared.work.notify_one(),
            Some(packer) => loop {
                let next = self.shared.lock().take();
                let Some(taken) = next else { break };
                self.shared.perform(taken, packer);
            },
        }
    }
}

/// Writes what there is, and ends nothing.
impl Drop for Queue {
    fn drop(&mut self) {
        {
            let mut state = self.shared.lock();
            // What failed takes nothing more.
            if state.failure.is_none() {
                state.close_open();
            }
            state.stopping = true;
        }
        self.start();
        self.shared.work.notify_all();
        for thread in self.threads.drain(..) {
            // One that panicked has told so as a failure.
            let _ = thread.join();
        }
    }
}

impl QueueOptions {
    /// Memory to begin a chunk with: a full one, and the message that fills
    /// it.
    fn room(&self) -> usize {
        self.chunk_bytes.min(WAITING_BYTES) + (64 << 10)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Whoever panicked with the lock in hand is told as a failure.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn output(&self) -> MutexGuard<'_, Output> {
        self.output.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a thread does.
    fn work(&self, packer: &mut Packer) {
        let _watch = Watch(self);
        while let Some(taken) = self.next() {
            self.perform(taken, packer);
        }
    }

    /// Waits for the next job; `None` where there will be none.
    fn next(&self) -> Option<Taken> {
        let mut state = self.lock();
        loop {
            if state.failure.is_some() {
                return None;
            }
            if let Some(next) = state.take() {
                return Some(next);
            }
            if state.stopping {
                return None;
            }
            let due = self.options.close_after.zip(state.since);
            state = match due.map(|(after, since)| after.saturating_sub(since.elapsed())) {
                None => wait(&self.work, state),
                Some(Duration::ZERO) => {
                    state.close_open();
                    state
                }
                Some(left) => {
                    let woken = self.work.wait_timeout(state, left);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// Packs a job that was taken, and writes all whose turn has come, unless
    /// another does.
    fn perform(&self, Taken { number, job, buffer }: Taken, packer: &mut Packer) {
        let ready = match job {
            Job::Chunk(chunk) => {
                let packed = chunk.pack(packer, buffer);
                Ready::Chunk(chunk, packed)
            }
            other => Ready::Other(other),
        };
        let mut state = self.lock();
        state.ready.insert(number, ready);
        if state.writing {
            return;
        }
        state.writing = true;
        while state.failure.is_none()
            && let Some(ready) = state.next_ready()
        {
            drop(state);
            let written = self.write(ready);
            state = self.lock();
            match written {
                Ok(emptied) => state.finished(emptied),
                Err((action, source)) => {
                    drop(state);
                    self.fail(action, source);
                    state = self.lock();
                }
            }
            self.progress.notify_all();
        }
        state.writing = false;
    }

    fn write(&self, ready: Ready) -> Result<Option<Emptied>, (&'static str, io::Error)> {
        let mut output = self.output();
        match ready {
            Ready::Chunk(_, Err(e)) => return Err(("compress a chunk of", e)),
            Ready::Chunk(chunk, Ok(packed)) => {
                let buffer = output.chunk(packed).map_err(|e| ("write", e))?;
                return Ok(Some(Emptied { chunk, buffer }));
            }
            Ready::Other(Job::Extra(extra)) => output.extra(&extra).map_err(|e| ("write", e))?,
            Ready::Other(Job::Sync) => output.sync().map_err(|e| ("sync", e))?,
            Ready::Other(Job::Finish(ending)) => {
                output.finish(*ending).map_err(|e| ("write", e))?;
            }
            Ready::Other(Job::Chunk(_)) => unreachable!("a chunk was packed"),
        }
        Ok(None)
    }

    fn fail(&self, action: &'static str, source: io::Error) {
        let output = self.output();
        let safe_samples = match action {
            "sync" => output.synced_samples(),
            _ => output.samples(),
        };
        drop(output);
        let failure = Failure { action, source: Arc::new(source), safe_samples };
        let mut state = self.lock();
        state.failure.get_or_insert(failure);
        state.jobs.clear();
        drop(state);
        self.progress.notify_all();
        self.work.notify_all();
    }
}

impl State {
    fn check(&self) -> Result<(), Failure> {
        match &self.failure {
            None => Ok(()),
            Some(failure) => Err(failure.clone()),
        }
    }

    fn queue(&mut self, job: Option<Job>) {
        self.queued += u64::from(job.is_some());
        self.jobs.extend(job);
    }

    /// Queues what is in the open chunk.
    fn close_open(&mut self) {
        self.since = None;
        if self.open.len() > 0 {
            let empty = self.spare.pop().unwrap_or_else(|| Chunk::with_capacity(self.room));
            let full = std::mem::replace(&mut self.open, empty);
            self.waiting_bytes += full.len();
            self.queue(Some(Job::Chunk(full)));
        }
    }

    fn take(&mut self) -> Option<Taken> {
        let job = self.jobs.pop_front()?;
        let number = self.taken;
        self.taken += 1;
        let buffer = match job {
            Job::Chunk(_) => self.spare_buffers.pop().unwrap_or_default(),
            _ => Vec::new(),
        };
        Some(Taken { number, job, buffer })
    }

    /// What is to be written next, where it is packed.
    fn next_ready(&mut self) -> Option<Ready> {
        self.ready.remove(&self.done)
    }

    fn finished(&mut self, emptied: Option<Emptied>) {
        self.done += 1;
        let Some(Emptied { mut chunk, mut buffer }) = emptied else { return };
        self.waiting_bytes -= chunk.len();
        // Memory that one huge message took isn't kept.
        let most = 2 * self.room;
        if self.spare.len() < SPARE && chunk.capacity() <= most {
            chunk.clear();
            self.spare.push(chunk);
        }
        if self.spare_buffers.len() < SPARE && buffer.capacity() <= most {
            buffer.clear();
            self.spare_buffers.push(buffer);
        }
    }
}

/// Tells of a thread that panicked.
struct Watch<'a>(&'a Shared);

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.fail("write", io::Error::other("the thread that writes it panicked"));
        }
    }
}

fn wait<'a>(condition: &Condvar, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
    condition.wait(state).unwrap_or_else(PoisonError::into_inner)
}
