//! Rows of `messages` in time order.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use rusqlite::{Connection, Row};

use super::database::Database;
use super::reader::Reader;
use super::salvage::WholeRow;
use crate::dataset::{ChannelId, Query, Sample};
use crate::error::{Error, Result};
use crate::time::Time;

/// Rows and bytes that are read at once.
const PAGE_ROWS: usize = 1024;
const PAGE_BYTES: usize = 1 << 20;

/// Rows of a file without the index that rosbag2 makes, whose order must be
/// held in memory.
pub(super) const MAX_UNINDEXED: usize = 32 << 20;

/// Whether a row is a message: SQLite holds columns to no type.
pub(super) const SOUND: &str = "(typeof(timestamp) = 'integer' AND typeof(topic_id) = 'integer' \
                                AND typeof(data) = 'blob')";

/// Samples in time order, ties in the order of the rows' numbers. Memory holds
/// a page of rows, whatever the file's size.
pub(super) struct Rows<'a> {
    reader: &'a Reader,
    connection: Connection,
    /// By the topic's number, those that are asked for.
    wanted: BTreeMap<i64, ChannelId>,
    /// What all pages ask for beside their place.
    condition: String,
    place: Place,
    page: VecDeque<Result<(ChannelId, Sample)>>,
    /// Per channel, the number of the next sample.
    counts: Vec<u32>,
}

/// Where the next page begins.
enum Place {
    /// From a row of this time and number on, by the index.
    From {
        time: i64,
        row: i64,
    },
    /// Rows by number; there is no index.
    Rows(std::vec::IntoIter<i64>),
    End,
}

impl<'a> Rows<'a> {
    pub(super) fn new(reader: &'a Reader, query: &Query) -> Result<Rows<'a>> {
        let connection = reader.database.connect()?;
        let is_wanted = |id: &ChannelId| query.channels.as_ref().is_none_or(|c| c.contains(id));
        let wanted: BTreeMap<i64, ChannelId> = reader
            .topics
            .ids
            .iter()
            .filter(|(_, id)| is_wanted(id))
            .map(|(&n, &id)| (n, id))
            .collect();
        let mut condition = format!(" AND {SOUND}");
        if query.channels.is_some() {
            let numbers: Vec<String> = wanted.keys().map(i64::to_string).collect();
            condition.push_str(&format!(" AND topic_id IN ({})", numbers.join(",")));
        }
        if let Some(end) = query.end {
            condition.push_str(&format!(" AND timestamp < {}", end.as_nanos()));
        }
        let start = query.start.map_or(i64::MIN, Time::as_nanos);
        let mut rows = Rows {
            reader,
            connection,
            wanted,
            condition,
            place: Place::From { time: start, row: i64::MIN },
            page: VecDeque::new(),
            counts: vec![0; reader.topics.channels.len()],
        };
        match &reader.salvaged {
            Some(whole) => rows.place_whole(whole, start, query.end),
            None => {
                rows.count_before(start)?;
                if !reader.is_indexed {
                    rows.sort(start)?;
                }
            }
        }
        Ok(rows)
    }

    /// Samples that were read and not yet given.
    #[cfg(test)]
    pub(super) fn buffered(&self) -> usize {
        self.page.len()
    }

    fn database(&self) -> &'a Database {
        &self.reader.database
    }

    /// Samples keep their numbers whatever time is asked for.
    fn count_before(&mut self, start: i64) -> Result<()> {
        let earlier = |stats: &crate::dataset::ChannelStats| {
            stats.first.is_some_and(|first| first.as_nanos() < start)
        };
        if !self.reader.stats.iter().any(earlier) {
            return Ok(());
        }
        let database = self.database();
        let counted = || {
            let sql = format!(
                "SELECT topic_id, count(*) FROM messages WHERE timestamp < ? AND {SOUND} GROUP BY 1"
            );
            let mut statement = self.connection.prepare(&sql)?;
            let rows = statement.query_map([start], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect::<Result<Vec<(i64, i64)>, _>>()
        };
        for (topic, count) in counted().map_err(|error| database.failed(error))? {
            if let Some(id) = self.reader.topics.ids.get(&topic) {
                let number = &mut self.counts[id.0 as usize];
                *number = number.wrapping_add(count as u32);
            }
        }
        Ok(())
    }

    /// Takes the rows that are known to be whole.
    fn place_whole(&mut self, whole: &[WholeRow], start: i64, end: Option<Time>) {
        let from = whole.partition_point(|row| row.time < start);
        let to = end.map_or(whole.len(), |end| {
            whole.partition_point(|row| row.time < end.as_nanos()).max(from)
        });
        for row in &whole[..from] {
            if let Some(id) = self.reader.topics.ids.get(&row.topic) {
                let number = &mut self.counts[id.0 as usize];
                *number = number.wrapping_add(1);
            }
        }
        let wanted = whole[from..to].iter().filter(|row| self.wanted.contains_key(&row.topic));
        self.place = Place::Rows(wanted.map(|row| row.number).collect::<Vec<_>>().into_iter());
    }

    /// Puts the rows in order in memory.
    fn sort(&mut self, start: i64) -> Result<()> {
        let sql = format!(
            "SELECT rowid FROM messages WHERE timestamp >= ? {} ORDER BY timestamp, rowid LIMIT {}",
            self.condition,
            MAX_UNINDEXED + 1
        );
        let sorted = || {
            let mut statement = self.connection.prepare(&sql)?;
            let rows = statement.query_map([start], |row| row.get(0))?;
            rows.collect::<Result<Vec<i64>, _>>()
        };
        let sorted = sorted().map_err(|error| self.database().failed(error))?;
        if sorted.len() > MAX_UNINDEXED {
            let reason = format!("more than {MAX_UNINDEXED} messages without an index of times");
            return Err(self.database().refused(reason));
        }
        self.place = Place::Rows(sorted.into_iter());
        Ok(())
    }

    fn read_page(&mut self) {
        let mut page = Page { bytes: 0, rows: VecDeque::new(), last: None };
        let condition = &self.condition;
        let columns = "SELECT rowid, timestamp, topic_id, data FROM messages";
        let read = match &mut self.place {
            Place::End => return,
            Place::From { time, row } => {
                let same = format!(
                    "{columns} WHERE timestamp = ? AND rowid >= ?{condition} ORDER BY rowid"
                );
                let later =
                    format!("{columns} WHERE timestamp > ?{condition} ORDER BY timestamp, rowid");
                page.read(&self.connection, &same, &[*time, *row])
                    .and_then(|()| page.read(&self.connection, &later, &[*time]))
            }
            Place::Rows(numbers) => {
                let one = format!("{columns} WHERE rowid = ?");
                let mut read = Ok(());
                while read.is_ok()
                    && !page.is_full()
                    && let Some(number) = numbers.next()
                {
                    read = page.read(&self.connection, &one, &[number]);
                }
                read
            }
        };
        let is_full = page.is_full();
        for found in page.rows {
            self.take(found);
        }
        match (&mut self.place, page.last) {
            (Place::From { time, row }, Some((last, number))) if is_full => {
                match number.checked_add(1) {
                    Some(next) => (*time, *row) = (last, next),
                    None => match last.checked_add(1) {
                        Some(next) => (*time, *row) = (next, i64::MIN),
                        None => self.place = Place::End,
                    },
                }
            }
            (Place::Rows(_), _) if is_full => {}
            _ => self.place = Place::End,
        }
        if let Err(error) = read {
            self.page.push_back(Err(self.database().failed(error)));
            self.place = Place::End;
        }
    }

    fn take(&mut self, found: Found) {
        let Some(&id) = self.wanted.get(&found.topic) else { return };
        let count = &mut self.counts[id.0 as usize];
        let sequence = *count;
        *count = count.wrapping_add(1);
        let time = Time::from_nanos(found.time);
        let sample = Sample { time, publish_time: time, sequence, payload: found.payload };
        self.page.push_back(Ok((id, sample)));
    }
}

/// A row of `messages`.
struct Found {
    row: i64,
    time: i64,
    topic: i64,
    payload: Bytes,
}

struct Page {
    bytes: usize,
    rows: VecDeque<Found>,
    /// Time and number of the last row.
    last: Option<(i64, i64)>,
}

impl Page {
    fn is_full(&self) -> bool {
        self.rows.len() >= PAGE_ROWS || self.bytes >= PAGE_BYTES
    }

    fn read(&mut self, connection: &Connection, sql: &str, place: &[i64]) -> rusqlite::Result<()> {
        if self.is_full() {
            return Ok(());
        }
        let mut statement = connection.prepare(sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(place))?;
        while !self.is_full()
            && let Some(row) = rows.next()?
        {
            let found = found(row)?;
            self.last = Some((found.time, found.row));
            self.bytes += found.payload.len();
            self.rows.push_back(found);
        }
        Ok(())
    }
}

fn found(row: &Row<'_>) -> rusqlite::Result<Found> {
    let payload = Bytes::copy_from_slice(row.get_ref(3)?.as_blob()?);
    Ok(Found { row: row.get(0)?, time: row.get(1)?, topic: row.get(2)?, payload })
}

impl Iterator for Rows<'_> {
    type Item = Result<(ChannelId, Sample), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.page.is_empty() && !matches!(self.place, Place::End) {
            self.read_page();
        }
        self.page.pop_front()
    }
}
