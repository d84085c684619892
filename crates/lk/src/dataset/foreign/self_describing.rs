//! Formats whose messages say what they hold: names, kinds, lengths.

use std::cell::Cell;

use serde::de::DeserializeSeed;

use super::json;
use crate::dataset::shape::{Shape, ShapeSeed};

/// Such a format, by MCAP's name of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Json,
}

/// Why a message says nothing about the type of its channel.
#[derive(Debug, PartialEq)]
pub(super) enum Unshaped {
    /// It is malformed: an error of that message alone.
    Malformed,
    /// It is well formed, and has no message type.
    Refused(String),
}

impl Format {
    pub(super) fn of(message_encoding: &str) -> Option<Format> {
        [Format::Json].into_iter().find(|format| format.name() == message_encoding)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Format::Json => "json",
        }
    }

    /// Reads one message, which is the whole payload; a reason where it isn't
    /// one.
    pub(super) fn read<'de, S: DeserializeSeed<'de>>(
        self,
        payload: &'de [u8],
        seed: S,
    ) -> Result<S::Value, String> {
        match self {
            Format::Json => json::read(payload, seed),
        }
    }

    /// What one message says of its type.
    pub(super) fn shape(self, payload: &[u8]) -> Result<Shape, Unshaped> {
        let refused = Cell::new(false);
        let shape = self.read(payload, ShapeSeed::new(&refused));
        let shape = shape.map_err(|reason| match refused.get() {
            // Where in the message the type was known to be none says nothing.
            true => Unshaped::Refused(json::without_place(&reason).to_owned()),
            false => Unshaped::Malformed,
        })?;
        match self {
            // Only now: text that is no JSON may look as if it had numbers.
            Format::Json => json::check_integers(payload).map_err(Unshaped::Refused)?,
        }
        Ok(shape)
    }
}
