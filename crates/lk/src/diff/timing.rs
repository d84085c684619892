//! What a policy asks of times and their order, held against the datasets.

use super::policy::{AlignBy, Policy};
use super::stream::Unreadable;
use crate::dataset::{Dataset, SequenceMeaning};
use crate::error::{Error, Result};
use crate::time::{Span, Time};

/// Whether messages can be paired as the policy says.
///
/// # Errors
///
/// [`Error::Policy`] where neither side has a key that it names, or messages
/// shall be paired by ticks that a side doesn't have.
pub(super) fn check(sides: [&Dataset; 2], policy: &Policy) -> Result<()> {
    for key in policy.align_keys.keys() {
        if sides.iter().all(|side| side.channel_id(key).is_none()) {
            let keys = sides.iter().flat_map(|side| side.keys());
            return Err(Error::Policy {
                rule: format!("align_keys.{key}"),
                reason: "neither side has this key".to_owned(),
                suggestions: near(key, keys),
            });
        }
    }
    let mut asked = std::iter::once(&policy.align).chain(policy.align_keys.values());
    if asked.any(|by| *by == AlignBy::Tick) {
        let names = ["reference", "candidate"].iter().zip(sides);
        for (name, side) in names {
            if side.facts().sequence != SequenceMeaning::Tick {
                let reason = format!(
                    "the {name} has no ticks, since lk's runner didn't write it; \
                     `sequence` pairs by sequence numbers"
                );
                return Err(Error::policy("tick", reason));
            }
        }
    }
    Ok(())
}

/// Keys that have the same letters in another case, or begin or end alike.
fn near<'k>(written: &str, keys: impl Iterator<Item = &'k str>) -> Vec<String> {
    let plain = |key: &str| key.trim_matches(['/', '"']).to_lowercase();
    let written = plain(written);
    let like = |key: &&str| {
        let key = plain(key);
        let length = written.len().min(key.len()).clamp(1, 3);
        let begins = written.get(..length) == key.get(..length);
        begins || key.ends_with(&written) || written.ends_with(&key)
    };
    let mut near: Vec<String> = keys.filter(like).map(str::to_owned).collect();
    near.sort();
    near.dedup();
    near.truncate(3);
    near
}

/// What is added to the candidate's times, so that it starts when the
/// reference does; nothing where times are taken as they are, or a side has no
/// messages.
pub(super) fn moved(sides: [&Dataset; 2], policy: &Policy) -> Result<Span, Unreadable> {
    if !policy.relative_time {
        return Ok(Span::ZERO);
    }
    let first =
        |side: usize| first(sides[side]).map_err(|error| Unreadable { side, error: Some(error) });
    Ok(match (first(0)?, first(1)?) {
        (Some(a), Some(b)) => a - b,
        _ => Span::ZERO,
    })
}

/// The earliest time of all messages.
fn first(dataset: &Dataset) -> Result<Option<Time>> {
    Ok(dataset.stats()?.iter().filter_map(|stats| stats.first).min())
}
