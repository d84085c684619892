//! Which samples of a dataset a command is asked for: keys by pattern, times
//! in seconds.

use std::ops::Bound::{Excluded, Included, Unbounded};

use lk::dataset::{ChannelId, ChannelView, Query};
use lk::{Dataset, Time};

use crate::error::{Error, Result};

/// Keys and times to take.
#[derive(Debug, clap::Args)]
pub(crate) struct Selection {
    /// Only keys that match; `*` stands for anything, and may be given again
    #[arg(long, value_name = "GLOB")]
    pub(crate) key: Vec<String>,
    /// From this time on, in seconds on the dataset's clock
    #[arg(long, value_name = "SECONDS", value_parser = seconds, allow_negative_numbers = true)]
    start: Option<Time>,
    /// Up to this time, itself left out
    #[arg(long, value_name = "SECONDS", value_parser = seconds, allow_negative_numbers = true)]
    end: Option<Time>,
}

impl Selection {
    /// The query that this is in `dataset`. A pattern that matches no key is a
    /// mistake: it is mistyped.
    pub(crate) fn query(&self, dataset: &Dataset) -> Result<Query> {
        let channels: Vec<ChannelId> = (0..)
            .map(ChannelId)
            .zip(dataset.channels())
            .filter(|(_, channel)| self.takes(&channel.key))
            .map(|(id, _)| id)
            .collect();
        let unmatched = self.key.iter().find(|glob| !dataset.keys().any(|key| matches(glob, key)));
        if let Some(glob) = unmatched {
            let known: Vec<&str> = dataset.keys().collect();
            return Err(Error::Usage {
                message: format!("no key matches {glob} in {}", dataset.location()),
                hint: match known.as_slice() {
                    [] => "the dataset has no keys".to_owned(),
                    known => format!("its keys are {}", known.join(", ")),
                },
            });
        }
        Ok(Query { channels: Some(channels), start: self.start, end: self.end })
    }

    /// Channels whose keys match one of `globs`, each of which must match one.
    pub(crate) fn excluded(globs: &[String], dataset: &Dataset) -> Result<Vec<ChannelId>> {
        let excluded = Selection { key: globs.to_vec(), start: None, end: None };
        match globs {
            [] => Ok(Vec::new()),
            _ => Ok(excluded.query(dataset)?.channels.unwrap_or_default()),
        }
    }

    /// Keys that match one of `globs`, each of which must match one; none where
    /// there are no globs.
    pub(crate) fn keys(globs: &[String], dataset: &Dataset) -> Result<Vec<String>> {
        let chosen = Selection::excluded(globs, dataset)?;
        let key = |id: &ChannelId| dataset.channels().get(id.0 as usize).map(|c| c.key.clone());
        Ok(chosen.iter().filter_map(key).collect())
    }

    /// The one channel that the query takes, from which a table can be made.
    pub(crate) fn view<'a>(&self, dataset: &'a Dataset, query: &Query) -> Result<ChannelView<'a>> {
        let view = only_channel(dataset, query)?;
        Ok(view.between((
            query.start.map_or(Unbounded, Included),
            query.end.map_or(Unbounded, Excluded),
        )))
    }

    fn takes(&self, key: &str) -> bool {
        self.key.is_empty() || self.key.iter().any(|glob| matches(glob, key))
    }
}

/// The channel for a table of CSV, which holds one key.
pub(crate) fn only_channel<'a>(dataset: &'a Dataset, query: &Query) -> Result<ChannelView<'a>> {
    let all = (0..).map(ChannelId).take(dataset.channels().len());
    let taken = |id: &ChannelId| query.channels.as_ref().is_none_or(|taken| taken.contains(id));
    let keys: Vec<&str> = all
        .filter(taken)
        .map(|ChannelId(id)| dataset.channels()[id as usize].key.as_str())
        .collect();
    match keys.as_slice() {
        [key] => Ok(dataset.channel(key)?),
        [] => Err(Error::Usage {
            message: format!("no key to make a table of in {}", dataset.location()),
            hint: "a table of CSV holds one key".to_owned(),
        }),
        keys => Err(Error::Usage {
            message: format!(
                "a table of CSV holds one key, and {} has {}",
                dataset.location(),
                keys.len()
            ),
            hint: format!("choose one with --key: {}", keys.join(", ")),
        }),
    }
}

/// Whether `*`, for any text at all, makes `glob` read as `key`.
fn matches(glob: &str, key: &str) -> bool {
    let Some((head, rest)) = glob.split_once('*') else { return glob == key };
    let Some(mut key) = key.strip_prefix(head) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let tail = parts.pop().unwrap_or_default();
    for part in parts {
        // The first occurrence leaves the most for what follows.
        match key.find(part) {
            Some(at) => key = &key[at + part.len()..],
            None => return false,
        }
    }
    key.ends_with(tail)
}

/// A decimal number of seconds, exactly: a float would round what lies far
/// from zero.
pub(crate) fn seconds(text: &str) -> Result<Time, String> {
    const NANOS: i64 = 1_000_000_000;
    let magnitude = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = magnitude.split_once('.').unwrap_or((magnitude, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return Err("it is no number of seconds, such as 12.5".to_owned());
    }
    if fraction.len() > 9 {
        return Err("a nanosecond has nine decimals".to_owned());
    }
    let fraction: i64 = format!("{fraction:0<9}").parse().unwrap_or(0);
    let nanos = whole.parse::<i64>().ok().and_then(|s| s.checked_mul(NANOS)?.checked_add(fraction));
    let nanos = nanos.ok_or("it is more than 292 years from zero")?;
    Ok(Time::from_nanos(if text.starts_with('-') { -nanos } else { nanos }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_exact() {
        let nanos = |text| seconds(text).map(Time::as_nanos);
        assert_eq!(nanos("3"), Ok(3_000_000_000));
        assert_eq!(nanos("-0.5"), Ok(-500_000_000));
        assert_eq!(nanos("1700000000.123456789"), Ok(1_700_000_000_123_456_789));
        for bad in ["", "-", "noon", "1e3", "1.2.3", ".5", "0.1234567891", "99999999999", "+1"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_star_stands_for_anything() {
        for (glob, key, expected) in [
            ("imu", "imu", true),
            ("imu", "imu2", false),
            ("imu*", "imu/data", true),
            ("*data", "imu/data", true),
            ("/*/raw", "/mag/raw", true),
            ("/*/raw", "/raw", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("*", "", true),
            ("aa*aa", "aaa", false),
        ] {
            assert_eq!(matches(glob, key), expected, "{glob} {key}");
        }
    }
}
