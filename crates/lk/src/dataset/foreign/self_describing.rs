//! Formats whose messages say what they hold: names, kinds, lengths.

use std::cell::Cell;

use serde::de::DeserializeSeed;

use super::cbor::Cbor;
use super::msgpack::Msgpack;
use super::{binary, json};
use crate::dataset::shape::{Shape, ShapeSeed};

/// Such a format, by MCAP's name of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Msgpack,
    Cbor,
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
        let all = [Format::Json, Format::Msgpack, Format::Cbor];
        all.into_iter().find(|format| format.name() == message_encoding)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Format::Json => "json",
            Format::Msgpack => "msgpack",
            Format::Cbor => "cbor",
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
            Format::Msgpack => binary::read(payload, Msgpack, seed),
            Format::Cbor => binary::read(payload, Cbor, seed),
        }
    }

    fn without_place(self, reason: &str) -> &str {
        match self {
            Format::Json => json::without_place(reason),
            _ => reason.rfind(" at byte ").map_or(reason, |at| &reason[..at]),
        }
    }

    /// What one message says of its type.
    pub(super) fn shape(self, payload: &[u8]) -> Result<Shape, Unshaped> {
        let refused = Cell::new(false);
        let shape = self.read(payload, ShapeSeed::new(&refused));
        let shape = shape.map_err(|reason| match refused.get() {
            // Where in the message the type was known to be none says nothing.
            true => Unshaped::Refused(self.without_place(&reason).to_owned()),
            false => Unshaped::Malformed,
        })?;
        // Only now: text that is no JSON may look as if it had numbers.
        if self == Format::Json {
            json::check_integers(payload).map_err(Unshaped::Refused)?;
        }
        Ok(shape)
    }
}
