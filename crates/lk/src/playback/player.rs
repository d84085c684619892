//! Playing outside of a system.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use serde::{Deserialize, Serialize};

use super::feed::Feed;
use super::rows::Rows;
use super::{Order, PlaybackConfig};
use crate::clock::{Clock, Lateness, Remote, Wait};
use crate::dataset::{ChannelId, Dataset, Query, Sample};
use crate::error::{Error, Result};
use crate::time::{Span, Time};

/// A dataset that is being played.
pub struct Player {
    dataset: Arc<Dataset>,
    config: PlaybackConfig,
    keys: Vec<Played>,
    source: Source,
    /// Of all messages that are played, those after the end left out.
    first: Time,
    last: Time,
    /// Messages of the key that has the most.
    rows: u64,
    /// The time of the last tick; `None` before the first.
    at: Option<Time>,
    /// Where it was before the first tick.
    from: Time,
    done: bool,
}

/// Where a playback stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Place {
    /// Nanoseconds; all up to this time was played.
    at: Option<i64>,
    from: i64,
    /// Of rows, the next.
    row: u64,
    done: bool,
}

enum Source {
    Times(Feed),
    Rows(Rows),
}

/// A key that is played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Played {
    /// In the dataset.
    pub channel: ChannelId,
    /// What it is called here.
    pub name: String,
}

/// All messages of one time.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    /// When they were recorded; of a row, when its first message was.
    pub time: Time,
    /// In the order in which they were recorded.
    pub messages: Vec<Message>,
}

/// A message of a tick.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Index in [`Player::keys`].
    pub key: usize,
    /// As it was recorded.
    pub sample: Sample,
}

/// Where to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seek {
    /// At the first tick at or after a time.
    Time(Time),
    /// At a row; where messages come at their times, at the time of the message
    /// of this index in the key that has the most.
    Index(u64),
}

/// How playing went.
#[derive(Clone, Debug, Default)]
pub struct PlayReport {
    /// Ticks played.
    pub ticks: u64,
    /// Messages played.
    pub messages: u64,
    /// How late ticks were; empty where nothing waited.
    pub lateness: Lateness,
    /// Recorded time over the time that it took, from when the first tick was
    /// done to when the last was; `None` for less than two ticks, and where
    /// pauses, moves or loops leave nothing to divide.
    pub rate: Option<f64>,
    /// Whether it was stopped before its end.
    pub stopped: bool,
}

impl Player {
    /// A playback of `dataset` that stands before its first tick.
    ///
    /// # Errors
    /// [`Error::Config`] for a config that makes no sense, and where there is
    /// nothing to play; [`Error::UnknownKey`]; whatever reading brings.
    pub fn new(dataset: Arc<Dataset>, config: PlaybackConfig) -> Result<Player> {
        let keys = config.channels(&dataset)?;
        let keys: Vec<Played> =
            keys.into_iter().map(|(channel, name)| Played { channel, name }).collect();
        let channels: Vec<ChannelId> = keys.iter().map(|key| key.channel).collect();
        let stats = dataset.stats()?;
        let played = || channels.iter().filter_map(|id| stats.get(id.0 as usize));
        let extent = match config.order {
            Order::Log => {
                let first = played().filter_map(|stats| stats.first).min();
                first.zip(played().filter_map(|stats| stats.last).max())
            }
            // Published is before it is recorded: the one extent says nothing
            // of the other.
            Order::Publish => published(&dataset, &channels)?,
        };
        let (first, last) = extent.unwrap_or_default();
        config.check_extent(first, last)?;
        let last = config.until.map_or(last, |until| last.min(until));
        let rows = played().map(|stats| stats.count).max().unwrap_or(0);
        let source = match config.use_recorded_timestamps {
            true => Source::Times(Feed::new(&channels, &config)),
            false => Source::Rows(Rows::new(&channels)),
        };
        let mut player = Player {
            dataset,
            config,
            keys,
            source,
            first,
            last,
            rows,
            at: None,
            from: first,
            done: false,
        };
        player.reset();
        Ok(player)
    }

    /// What is played.
    pub fn dataset(&self) -> &Arc<Dataset> {
        &self.dataset
    }

    /// The keys that are played, in the order of the dataset's channels.
    pub fn keys(&self) -> &[Played] {
        &self.keys
    }

    /// How it is played.
    pub fn config(&self) -> &PlaybackConfig {
        &self.config
    }

    /// The first and the last time of what is played.
    pub fn extent(&self) -> (Time, Time) {
        (self.first, self.last)
    }

    /// The time of the next tick; `None` at the end. Of rows it is that of the
    /// last one.
    ///
    /// # Errors
    /// Whatever reading brings.
    pub fn next_time(&mut self) -> Result<Option<Time>> {
        match &mut self.source {
            Source::Times(feed) => feed.peek(&self.dataset),
            Source::Rows(rows) => {
                Ok((rows.row() < self.rows).then_some(self.at.unwrap_or(self.first)))
            }
        }
    }

    /// The next tick; `None` at the end, also of one that repeats.
    ///
    /// # Errors
    /// Whatever reading brings.
    pub fn step(&mut self) -> Result<Option<Tick>> {
        let tick = match &mut self.source {
            Source::Times(feed) => feed.next(&self.dataset)?,
            Source::Rows(rows) => rows.next(&self.dataset)?,
        };
        match &tick {
            Some(tick) => self.at = Some(tick.time),
            None => self.done = true,
        }
        Ok(tick)
    }

    /// Goes on elsewhere.
    ///
    /// # Errors
    /// [`Error::Seek`] for what lies outside of what is played, and for a time
    /// where rows have none.
    pub fn seek(&mut self, to: Seek) -> Result<()> {
        let refused = |to: String, reason: String| {
            let component = "playback".to_owned();
            Err(Error::Seek { component, to, reason })
        };
        let time = match to {
            Seek::Index(index) if index >= self.rows => {
                let reason = format!("there are {}, counted from 0", self.rows);
                return refused(format!("message {index}"), reason);
            }
            Seek::Index(index) => {
                if let Source::Rows(rows) = &mut self.source {
                    rows.seek(index);
                    (self.at, self.done) = (None, false);
                    return Ok(());
                }
                self.time_of(index)?
            }
            Seek::Time(time) if time < self.first || time > self.last => {
                let (first, last) = (self.first, self.last);
                return refused(
                    format!("{time} s"),
                    format!("it plays from {first} s to {last} s"),
                );
            }
            Seek::Time(time) => time,
        };
        match &mut self.source {
            Source::Times(feed) => feed.seek(Some(time)),
            Source::Rows(_) => {
                return refused(format!("{time} s"), "rows have no times, say an index".to_owned());
            }
        }
        (self.at, self.from, self.done) = (None, time, false);
        Ok(())
    }

    /// The time of a message of the key that has the most.
    fn time_of(&self, index: u64) -> Result<Time> {
        let stats = self.dataset.stats()?;
        let count = |key: &&Played| stats.get(key.channel.0 as usize).map_or(0, |s| s.count);
        // The first of those with the most.
        let longest = self.keys.iter().rev().max_by_key(count).expect("something is played");
        let name = &self.dataset.channels()[longest.channel.0 as usize].key;
        let sample = self.dataset.channel(name)?.slice(index..=index).samples()?.next();
        sample.map_or(Ok(self.last), |sample| Ok(self.config.order.time(&sample?)))
    }

    /// Goes back to the start.
    pub fn reset(&mut self) {
        let start = self.start();
        match &mut self.source {
            Source::Times(feed) => feed.seek(Some(start)),
            Source::Rows(rows) => rows.seek(0),
        }
        (self.at, self.from, self.done) = (None, start, false);
    }

    pub(super) fn place(&self) -> Place {
        let row = match &self.source {
            Source::Times(_) => 0,
            Source::Rows(rows) => rows.row(),
        };
        let at = self.at.map(Time::as_nanos);
        Place { at, from: self.from.as_nanos(), row, done: self.done }
    }

    /// Goes on from a place of a playback like this one.
    pub(super) fn go_to(&mut self, place: &Place) {
        let (at, from) = (place.at.map(Time::from_nanos), Time::from_nanos(place.from));
        match &mut self.source {
            Source::Times(feed) => {
                feed.seek(Some(at.map_or(from, |at| at + Span::from_nanos(1))));
            }
            Source::Rows(rows) => rows.seek(place.row),
        }
        (self.at, self.from, self.done) = (at, from, place.done);
    }

    /// Where it begins.
    fn start(&self) -> Time {
        self.first + self.config.start_offset
    }

    /// How much of it was played, from 0 to 1.
    pub fn progress(&self) -> f64 {
        if self.done {
            return 1.0;
        }
        match &self.source {
            Source::Rows(rows) => rows.row() as f64 / self.rows.max(1) as f64,
            Source::Times(_) => {
                let whole = (self.last - self.first).as_nanos() as f64;
                let part = self.at.map_or(0, |at| (at - self.first).as_nanos()) as f64;
                if whole > 0.0 { (part / whole).clamp(0.0, 1.0) } else { 0.0 }
            }
        }
    }

    /// Whether its end was reached.
    pub fn done(&self) -> bool {
        self.done
    }

    /// Plays to the end, at the rate of its config. `sink` gets each tick at
    /// its time; a tick that is late isn't waited for. With `loop` it ends when
    /// it is stopped.
    ///
    /// # Errors
    /// The first error of `sink`; whatever reading brings.
    pub fn play(&mut self, sink: impl FnMut(&Tick) -> Result<()>) -> Result<PlayReport> {
        let start = self.next_time()?.unwrap_or(self.first);
        let clock = Clock::paced(start, self.config.effective_rate())?;
        self.play_by(clock, sink)
    }

    /// Plays to the end without waiting. With `loop` it ends when `sink` fails.
    ///
    /// # Errors
    /// As [`Player::play`].
    pub fn play_unpaced(&mut self, sink: impl FnMut(&Tick) -> Result<()>) -> Result<PlayReport> {
        self.play_by(Clock::virtual_at(Time::MIN), sink)
    }

    /// Plays by a clock of yours.
    ///
    /// # Errors
    /// As [`Player::play`].
    pub fn play_by(
        &mut self,
        mut clock: Clock,
        mut sink: impl FnMut(&Tick) -> Result<()>,
    ) -> Result<PlayReport> {
        let mut report = PlayReport::default();
        let paced = clock.remote().is_some();
        let wall = Clock::wall();
        let mut stretch: Option<(Time, Time)> = None;
        let mut reached: Option<(Span, f64)> = None;
        loop {
            let Some(due) = self.next_time()? else {
                self.done = true;
                if !self.config.repeat || report.ticks == 0 {
                    break;
                }
                self.reset();
                match clock.remote() {
                    Some(remote) => remote.seek(self.start() + self.config.delay),
                    None => clock = Clock::virtual_at(Time::MIN),
                }
                stretch = None;
                continue;
            };
            let late = match clock.wait_until(due + self.config.delay) {
                Wait::Reached { late } => late,
                // Its own way back to the start, or someone's wish.
                Wait::Moved(to) => {
                    let to = to + Span::from_nanos(-self.config.delay.as_nanos());
                    let to = to.max(self.first).min(self.last);
                    if let Source::Times(feed) = &mut self.source {
                        feed.seek(Some(to));
                        (self.at, self.from) = (None, to);
                    }
                    stretch = None;
                    continue;
                }
                Wait::Stopped => {
                    report.stopped = true;
                    break;
                }
            };
            let Some(tick) = self.step()? else { continue };
            // First the message, then what is said of it.
            sink(&tick)?;
            if paced {
                report.lateness.add(late);
            }
            let now = wall.now();
            let (from, since) = *stretch.get_or_insert((tick.time, now));
            let took = (now - since).as_nanos() as f64 / 1e9;
            if tick.time > from && took > 0.0 {
                reached = Some((tick.time - from, took));
            }
            report.ticks += 1;
            report.messages += tick.messages.len() as u64;
        }
        report.rate = reached.map(|(span, took)| span.as_nanos() as f64 / 1e9 / took);
        Ok(report)
    }

    /// Plays on a thread of its own, as [`Player::play`] does.
    ///
    /// # Errors
    /// Whatever reading the first tick brings.
    pub fn spawn(
        mut self,
        sink: impl FnMut(&Tick) -> Result<()> + Send + 'static,
    ) -> Result<Playing> {
        let start = self.next_time()?.unwrap_or(self.first);
        let clock = Clock::paced(start, self.config.effective_rate())?;
        let remote = clock.remote().expect("a paced clock has one");
        let progress = Arc::new(Mutex::new(self.progress()));
        let shown = Arc::clone(&progress);
        let thread = std::thread::spawn(move || {
            let mut sink = sink;
            let (first, last) = (self.first, self.last);
            let whole = (last - first).as_nanos().max(1) as f64;
            let report = self.play_by(clock, |tick| {
                let part = (tick.time - first).as_nanos() as f64 / whole;
                *shown.lock().unwrap_or_else(PoisonError::into_inner) = part.clamp(0.0, 1.0);
                sink(tick)
            });
            (self, report)
        });
        Ok(Playing { remote, progress, thread })
    }
}

/// The first and the last time at which something was published.
fn published(dataset: &Dataset, channels: &[ChannelId]) -> Result<Option<(Time, Time)>> {
    let query = Query { channels: Some(channels.to_vec()), ..Query::default() };
    let mut extent: Option<(Time, Time)> = None;
    for item in dataset.samples(&query)? {
        let time = item?.1.publish_time;
        let (first, last) = extent.unwrap_or((time, time));
        extent = Some((first.min(time), last.max(time)));
    }
    Ok(extent)
}

/// A playback on a thread of its own.
pub struct Playing {
    remote: Remote,
    progress: Arc<Mutex<f64>>,
    thread: JoinHandle<(Player, Result<PlayReport>)>,
}

impl Playing {
    /// Pauses, resumes, moves and stops it, from any thread. Moved to a time
    /// outside of what is played, it goes to the nearest within.
    pub fn remote(&self) -> &Remote {
        &self.remote
    }

    /// How much of it was played, from 0 to 1.
    pub fn progress(&self) -> f64 {
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it has ended, by itself or stopped.
    pub fn is_done(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits for the end, and gives the player back.
    ///
    /// # Errors
    /// As [`Player::play`].
    ///
    /// # Panics
    /// Where the sink did.
    pub fn join(self) -> Result<(Player, PlayReport)> {
        match self.thread.join() {
            Ok((player, report)) => Ok((player, report?)),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}
