//! What is whole of a database that has broken pages.

use std::collections::BTreeMap;

use rusqlite::{Connection, ErrorCode, OptionalExtension, Row};

use super::rows::{MAX_UNINDEXED, SOUND};
use crate::dataset::ChannelStats;
use crate::time::Time;

/// Numbers of rows that are tried, of all that lie in broken pages: a file can
/// number its rows so that there is no end to it.
const MAX_TRIED: u64 = 1 << 20;

/// A row that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct WholeRow {
    pub(super) time: i64,
    pub(super) number: i64,
    pub(super) topic: i64,
}

/// What can be read of the table of messages, row by row.
#[derive(Debug, Default)]
pub(super) struct Salvage {
    /// Sound rows in the order of their times, then of their numbers.
    pub(super) rows: Vec<WholeRow>,
    /// Rows that are no messages.
    pub(super) unsound: u64,
    /// Numbers whose rows lie in broken pages; `None` where nobody can tell
    /// how far they go.
    pub(super) lost: Option<u64>,
}

/// Whether an error says that the file is damaged, rather than that it can't
/// be read just now.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::DatabaseCorrupt | ErrorCode::TooBig))
}

impl Salvage {
    /// Reads every row in the order of their numbers; where that fails, tries
    /// one number after another until a row is found again. `None` where the
    /// rows are more than can be put in order.
    ///
    /// # Errors
    /// Where the file can't be read at all.
    pub(super) fn run(connection: &Connection) -> rusqlite::Result<Option<Salvage>> {
        // Numbers are given from 1 on; lower ones only on purpose.
        let mut salvage = Salvage { lost: Some(0), ..Salvage::default() };
        let mut last = i64::MIN;
        let highest = highest(connection)?;
        let mut tried = 0;
        loop {
            match salvage.read_on(connection, &mut last) {
                Ok(()) => break,
                Err(error) if !is_damage(&error) => return Err(error),
                Err(_) if salvage.rows.len() > MAX_UNINDEXED => return Ok(None),
                Err(_) => {}
            }
            if !salvage.skip(connection, &mut last, highest, &mut tried)? {
                break;
            }
        }
        salvage.rows.sort_unstable();
        Ok((salvage.rows.len() <= MAX_UNINDEXED).then_some(salvage))
    }

    /// Takes rows after number `last` until one can't be read.
    fn read_on(&mut self, connection: &Connection, last: &mut i64) -> rusqlite::Result<()> {
        let sql = format!("{} WHERE rowid > ? ORDER BY rowid", columns());
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query([*last])?;
        while self.rows.len() <= MAX_UNINDEXED
            && let Some(row) = rows.next()?
        {
            // A broken tree can lead back to where it was read before.
            if row.get::<_, i64>(0)? <= *last {
                return Err(corrupt());
            }
            self.take(row, last)?;
        }
        Ok(())
    }

    /// Passes over rows that can't be read; whether there is one behind them.
    fn skip(
        &mut self,
        connection: &Connection,
        last: &mut i64,
        highest: Option<i64>,
        tried: &mut u64,
    ) -> rusqlite::Result<bool> {
        let mut statement = connection.prepare(&format!("{} WHERE rowid = ?", columns()))?;
        let mut number = (*last).max(0);
        while let Some(next) = number.checked_add(1)
            && highest.is_none_or(|highest| next <= highest)
        {
            number = next;
            *tried += 1;
            if *tried > MAX_TRIED {
                break;
            }
            match statement.query_row([number], |row| self.take(row, last)).optional() {
                Ok(Some(())) => return Ok(true),
                Ok(None) => {}
                Err(error) if is_damage(&error) => {
                    self.lost = self.lost.map(|lost| lost + 1);
                }
                Err(error) => return Err(error),
            }
        }
        if highest.is_none_or(|highest| number < highest) {
            self.lost = None;
        }
        Ok(false)
    }

    fn take(&mut self, row: &Row<'_>, last: &mut i64) -> rusqlite::Result<()> {
        let number = row.get(0)?;
        // Asked for, since only that reads the pages that a long one goes on in.
        let _ = row.get_ref(1)?;
        match row.get(2)? {
            true => {
                let (time, topic) = (row.get(3)?, row.get(4)?);
                self.rows.push(WholeRow { time, number, topic });
            }
            false => self.unsound += 1,
        }
        *last = number;
        Ok(())
    }

    /// Counts and extents by the topic's number.
    pub(super) fn stats(&self) -> BTreeMap<i64, ChannelStats> {
        let mut stats: BTreeMap<i64, ChannelStats> = BTreeMap::new();
        for row in &self.rows {
            stats.entry(row.topic).or_default().add(Time::from_nanos(row.time));
        }
        stats
    }
}

fn columns() -> String {
    format!("SELECT rowid, data, {SOUND}, timestamp, topic_id FROM messages")
}

/// The highest number of a row: by the table, or by its index where the end
/// of the table is broken. `None` where neither says it.
fn highest(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    for sql in ["SELECT max(rowid) FROM messages", "SELECT max(rowid + 0) FROM messages"] {
        match connection.query_row(sql, [], |row| row.get::<_, Option<i64>>(0)) {
            Ok(highest) => return Ok(Some(highest.unwrap_or(0))),
            Err(error) if is_damage(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

fn corrupt() -> rusqlite::Error {
    let error = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
    rusqlite::Error::SqliteFailure(error, None)
}
