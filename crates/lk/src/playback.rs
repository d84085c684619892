//! Recorded messages played again, at their times.
//!
//! A [`Player`] goes over a dataset tick by tick and waits before each until
//! its time has come; a [`DataPlayback`] is the component that gives the same
//! messages to a system, in the system's own time.
//!
//! ```
//! use std::sync::Arc;
//! use lk::playback::{PlaybackConfig, Player};
//! use lk::{Dataset, Time};
//!
//! let mut dataset = Dataset::memory();
//! dataset.write("a", &1.5_f64, Time::from_nanos(10))?;
//! dataset.write("b", &2.5_f64, Time::from_nanos(10))?;
//! dataset.write("a", &3.5_f64, Time::from_nanos(20))?;
//! let mut player = Player::new(Arc::new(dataset), PlaybackConfig::default())?;
//! let tick = player.step()?.expect("the first");
//! assert_eq!((tick.time, tick.messages.len()), (Time::from_nanos(10), 2));
//! assert_eq!(player.progress(), 0.0);
//! # Ok::<(), lk::Error>(())
//! ```

mod component;
mod feed;
mod player;
mod rows;

#[cfg(test)]
mod tests;

pub use component::DataPlayback;
pub use player::{Message, PlayReport, Played, Player, Playing, Seek, Tick};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::clock;
use crate::dataset::{ChannelId, Dataset, Sample};
use crate::error::{Error, Result};
use crate::time::{Span, Time};

/// How a dataset is played.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlaybackConfig {
    /// How many times as fast as it was recorded: 1 unless said otherwise.
    pub rate: f64,
    /// The real-time factor, another word for `rate`, which it goes before.
    pub rtf: Option<f64>,
    /// Whether it begins again at its end.
    #[serde(rename = "loop")]
    pub repeat: bool,
    /// How far after its first message it begins; in configs in nanoseconds.
    pub start_offset: Span,
    /// Whether messages come at the times when they were recorded. Otherwise
    /// they come row by row: the first of each key, then the second; what says
    /// a time is refused then.
    pub use_recorded_timestamps: bool,
    /// Whether a [`DataPlayback`] plays from the start; otherwise it waits to
    /// be told.
    pub auto_play: bool,
    /// Ends before the first message at or after this time; in configs in
    /// nanoseconds.
    #[serde(with = "crate::time::optional_nanos")]
    pub until: Option<Time>,
    /// Keys to play; empty for all.
    pub keys: Vec<String>,
    /// New names of keys.
    pub rename: BTreeMap<String, String>,
    /// Which of a message's times it is played at.
    pub order: Order,
    /// How much later than it was recorded everything is played.
    pub delay: Span,
}

/// Which of a message's times it is played at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// When it was recorded.
    #[default]
    Log,
    /// When it was published. Such a playback reads the whole dataset into
    /// memory to sort it.
    Publish,
}

impl Order {
    fn time(self, sample: &Sample) -> Time {
        match self {
            Order::Log => sample.time,
            Order::Publish => sample.publish_time,
        }
    }
}

impl Default for PlaybackConfig {
    fn default() -> PlaybackConfig {
        PlaybackConfig {
            rate: 1.0,
            rtf: None,
            repeat: false,
            start_offset: Span::ZERO,
            use_recorded_timestamps: true,
            auto_play: false,
            until: None,
            keys: Vec::new(),
            rename: BTreeMap::new(),
            order: Order::Log,
            delay: Span::ZERO,
        }
    }
}

impl PlaybackConfig {
    /// The rate that holds.
    pub fn effective_rate(&self) -> f64 {
        self.rtf.unwrap_or(self.rate)
    }

    /// That something lies between the beginning and the end, of what is played
    /// from `first` to `last`.
    fn check_extent(&self, first: Time, last: Time) -> Result<()> {
        let begin = first + self.start_offset;
        let reason = if begin > last {
            let offset = self.start_offset;
            format!("start_offset {offset} s is past the end; {} s were recorded", last - first)
        } else if let Some(until) = self.until.filter(|until| *until <= begin) {
            format!("until {until} s is not after {begin} s, where it begins")
        } else {
            return Ok(());
        };
        Err(Error::Config { component: "playback".to_owned(), reason })
    }

    /// The channels that it plays, with the names that they get.
    fn channels(&self, dataset: &Dataset) -> Result<Vec<(ChannelId, String)>> {
        clock::check_rate("playback", self.effective_rate())?;
        let refuse =
            |reason: String| Err(Error::Config { component: "playback".to_owned(), reason });
        if self.start_offset < Span::ZERO {
            return refuse(format!("start_offset {} s is before the start", self.start_offset));
        }
        let by_time = self.start_offset > Span::ZERO || self.until.is_some();
        if by_time && !self.use_recorded_timestamps {
            let reason = "start_offset and until are times, and rows have none: seek to an index";
            return refuse(reason.to_owned());
        }
        for key in self.keys.iter().chain(self.rename.keys()) {
            dataset.channel(key)?;
        }
        let plays = |key: &String| self.keys.is_empty() || self.keys.contains(key);
        if let Some(key) = self.rename.keys().find(|key| !plays(key)) {
            return refuse(format!("{key} gets another name, and isn't played"));
        }
        let mut channels: Vec<(ChannelId, String)> = Vec::new();
        for (n, channel) in (0..).zip(dataset.channels()) {
            if !plays(&channel.key) {
                continue;
            }
            let name = self.rename.get(&channel.key).unwrap_or(&channel.key);
            if channels.iter().any(|(_, taken)| taken == name) {
                return refuse(format!("two keys would be called {name}"));
            }
            channels.push((ChannelId(n), name.clone()));
        }
        if dataset.is_empty()? || channels.is_empty() {
            return refuse(format!("there is nothing to play in {}", dataset.location()));
        }
        Ok(channels)
    }
}
