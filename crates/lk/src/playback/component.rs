//! Playing within a system.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::player::Place;
use super::{PlaybackConfig, Player, Seek};
use crate::component::{Component, Encoded, Io, OutAny, Ports, SaveResult, StepResult};
use crate::dataset::{Dataset, Encoding, Sample};
use crate::error::{Error, Result};
use crate::time::{Span, Time};

/// The component that plays a dataset: an output port for each of its keys.
///
/// Messages come at the times when they were recorded, plus what the config
/// says, in the system's own time: what paces them is the clock that the
/// system runs by, so that `rate` is heeded by scaling the times, and a rate
/// of 2 plays a second of the recording in half a second of the system.
/// Without recorded times it gives one row at each step of its node.
///
/// A port holds one message at a time. Where a key has several at one time, the
/// further ones come a nanosecond after each other, and are counted as
/// `shifted` in its diagnostics.
pub struct DataPlayback {
    /// In its system.
    name: String,
    player: Player,
    outputs: Vec<OutAny>,
    playing: bool,
    /// A recorded time, and what it is in the system's; `None` until the next
    /// tick after a start or a seek settles it.
    anchor: Option<(Time, Time)>,
    /// When the next messages are due in the system's time.
    due: Option<Time>,
    /// Messages of a key that share a time with others of it.
    held: Vec<super::Message>,
}

impl DataPlayback {
    /// Declares a port for each key, and stands before the first tick.
    ///
    /// # Errors
    /// As [`Player::new`]; [`Error::Opaque`] for a key whose messages can't be
    /// decoded: leave it out by `keys`.
    pub fn new(
        dataset: Arc<Dataset>,
        config: PlaybackConfig,
        ports: &mut Ports,
    ) -> Result<DataPlayback> {
        let playing = config.auto_play;
        let name = ports.component().to_owned();
        let player = Player::new(dataset, config).map_err(|error| error.of_component(&name))?;
        let mut outputs = Vec::new();
        for key in player.keys() {
            let channel = &player.dataset().channels()[key.channel.0 as usize];
            match &channel.encoding {
                Encoding::Cdr(schema) => outputs.push(ports.output_any(&key.name, schema)?),
                Encoding::Foreign(foreign) => {
                    return Err(Error::Opaque {
                        key: channel.key.clone(),
                        reason: foreign.reason.clone(),
                        location: player.dataset().location(),
                    });
                }
            }
        }
        let (anchor, due, held) = (None, None, Vec::new());
        let mut playback = DataPlayback { name, player, outputs, playing, anchor, due, held };
        playback.plan(None)?;
        Ok(playback)
    }

    /// Plays once the system is active, whatever `auto_play` says. In a system
    /// that runs, it is the system's clock that pauses and moves.
    pub fn play(&mut self) {
        self.playing = true;
    }

    /// Begins elsewhere.
    ///
    /// # Errors
    /// As [`Player::seek`].
    pub fn seek(&mut self, to: Seek) -> Result<()> {
        self.held.clear();
        self.anchor = None;
        self.player.seek(to).map_err(|error| error.of_component(&self.name))?;
        self.plan(None)
    }

    /// How much of it was played, from 0 to 1.
    pub fn progress(&self) -> f64 {
        self.player.progress()
    }

    /// Whether its end was reached.
    pub fn done(&self) -> bool {
        self.player.done()
    }

    /// Those of the next tick; of the first where it ends and repeats.
    fn next_messages(&mut self) -> Result<Vec<super::Message>> {
        let mut tick = self.player.step()?;
        if tick.is_none() && self.player.config().repeat {
            self.player.reset();
            tick = self.player.step()?;
        }
        Ok(tick.map_or_else(Vec::new, |tick| tick.messages))
    }

    /// Works out when it is due next; `now` is `None` before the first step.
    fn plan(&mut self, now: Option<Time>) -> Result<()> {
        const NANOSECOND: Span = Span::from_nanos(1);
        self.due = None;
        let after = now.map(|now| now + NANOSECOND);
        if !self.player.config().use_recorded_timestamps {
            return Ok(());
        }
        if !self.held.is_empty() {
            self.due = after;
            return Ok(());
        }
        let mut next = self.player.next_time()?;
        if next.is_none() && self.player.config().repeat {
            // The next round begins a nanosecond after the end of this one.
            self.player.reset();
            self.anchor = None;
            next = self.player.next_time()?;
        }
        let Some(next) = next else {
            // It is done once it has seen that there is no more.
            return self.player.step().map(drop);
        };
        let config = self.player.config();
        let begin = after.unwrap_or(next + config.delay);
        let (recorded, shown) = *self.anchor.get_or_insert((next, begin));
        let due = shown + Span::from_nanos(scaled(next - recorded, config.effective_rate()));
        self.due = Some(after.map_or(due, |after| due.max(after)));
        Ok(())
    }
}

fn scaled(span: Span, rate: f64) -> i64 {
    match rate {
        1.0 => span.as_nanos(),
        rate => (span.as_nanos() as f64 / rate).round() as i64,
    }
}

impl Component for DataPlayback {
    fn step(&mut self, io: &mut Io<'_>) -> StepResult {
        // Of a node with a rate, ticks come before messages are due.
        if !self.playing || self.due.is_some_and(|due| io.now() < due) {
            return Ok(());
        }
        let messages = match self.held.is_empty() {
            false => std::mem::take(&mut self.held),
            true => self.next_messages()?,
        };
        let mut given = vec![false; self.outputs.len()];
        for message in messages {
            if std::mem::replace(&mut given[message.key], true) {
                io.dx().count("shifted", 1);
                self.held.push(message);
            } else {
                io.set_payload(&self.outputs[message.key], message.sample.payload);
            }
        }
        self.plan(Some(io.now()))?;
        Ok(())
    }

    fn next_time(&self, _: Time) -> Option<Time> {
        self.due.filter(|_| self.playing)
    }

    fn save(&self) -> SaveResult {
        let nanos = |time: Time| time.as_nanos();
        let state = State {
            place: self.player.place(),
            playing: self.playing,
            anchor: self.anchor.map(|(recorded, shown)| [nanos(recorded), nanos(shown)]),
            due: self.due.map(nanos),
            held: self.held.iter().map(|m| (m.key as u64, m.sample.payload.to_vec())).collect(),
        };
        Ok(Some(Encoded::of(&state)?))
    }

    fn restore(&mut self, state: &Encoded) -> StepResult {
        let state: State = state.to()?;
        self.player.go_to(&state.place);
        self.playing = state.playing;
        self.anchor = state.anchor.map(|at| at.map(Time::from_nanos).into());
        self.due = state.due.map(Time::from_nanos);
        self.held.clear();
        for (key, payload) in state.held {
            let key = usize::try_from(key)?;
            if key >= self.outputs.len() {
                return Err("the state is of a playback of other keys".into());
            }
            // Their times were theirs to the player alone.
            let (time, payload) = (Time::ZERO, payload.into());
            let sample = Sample { time, publish_time: time, sequence: 0, payload };
            self.held.push(super::Message { key, sample });
        }
        Ok(())
    }
}

/// What a playback goes on from; times in nanoseconds.
#[derive(Serialize, Deserialize)]
struct State {
    place: Place,
    playing: bool,
    anchor: Option<[i64; 2]>,
    due: Option<i64>,
    held: Vec<(u64, Vec<u8>)>,
}
