//! A SQLite file of rosbag2 as a dataset.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::Connection;

use super::channels::Topics;
use super::database::{Database, columns};
use super::rows::{Rows, SOUND};
use super::salvage::{Salvage, WholeRow, is_damage};
use crate::dataset::packed::{Payloads, RecordingFile};
use crate::dataset::{
    Backend, Channel, ChannelId, ChannelStats, Facts, Integrity, Query, Sample, Samples,
};
use crate::error::{Error, Result};
use crate::time::Time;

/// Findings of SQLite's own check that are kept.
const FINDINGS: u32 = 10;

/// Reads a `.db3` file; a [`Backend`] that can't be written to.
///
/// Opening counts the messages. Where broken pages don't let it, it reads every
/// row that is whole; where they show only later, reading comes to an error
/// and ends, and [`Backend::check`] finds what is whole.
#[derive(Debug)]
pub struct Reader {
    pub(super) database: Database,
    pub(super) topics: Topics,
    /// By channel.
    pub(super) stats: Vec<ChannelStats>,
    /// Whether rows can be had in the order of their times.
    pub(super) is_indexed: bool,
    /// The rows that can be read, where pages of the file are broken.
    pub(super) salvaged: Option<Vec<WholeRow>>,
    /// Messages that are there and can't be given.
    lost: u64,
    /// Whether there is more than what is in the file.
    is_open_ended: bool,
    problems: Vec<String>,
    facts: Facts,
}

impl Reader {
    /// Opens the file at `path`.
    ///
    /// # Errors
    /// [`Error::NotADataset`] where it isn't a recording;
    /// [`Error::Database`] where SQLite can't read it.
    pub fn open(path: &Path) -> Result<Reader> {
        Reader::open_at(RecordingFile::of(path), Payloads::Plain)
    }

    /// `payloads` says what types are held against. Samples have the payloads
    /// as they are.
    pub(in crate::dataset) fn open_at(place: RecordingFile, payloads: Payloads) -> Result<Reader> {
        let database = Database::at(place);
        let connection = database.connect()?;
        let there = columns(&database, &connection, "messages")?.unwrap_or_default();
        let is_missing = |name: &&str| !there.iter().any(|column| column == name);
        if let Some(missing) = ["topic_id", "timestamp", "data"].iter().find(|c| is_missing(c)) {
            return Err(Error::NotADataset {
                expected: "a recording of rosbag2",
                reason: format!("it is a SQLite file without `messages.{missing}`"),
                advice: None,
                path: database.location(),
            });
        }
        let failed = |error| database.failed(error);
        let (salvage, (by_topic, unsound)) = match counted(&connection) {
            Err(error) if is_damage(&error) => {
                let salvage = salvage(&database, &connection)?;
                let counts = (salvage.stats(), salvage.unsound);
                (Some(salvage), counts)
            }
            counted => (None, counted.map_err(failed)?),
        };
        let topics = Topics::read(&database, &connection, &by_topic, payloads)?;
        let (stats, orphans) = topics.stats(&by_topic);
        let mut problems: Vec<String> = database.unpacked_in_part().into_iter().collect();
        problems.extend(database.cut_off().into_iter().chain(database.journal()));
        let mut is_open_ended = !problems.is_empty();
        if orphans > 0 {
            problems.push(format!("{orphans} messages are of topics that it doesn't define"));
        }
        if unsound > 0 {
            let text = format!("{unsound} messages have no time, no topic or no data");
            problems.push(text);
        }
        let mut lost = orphans + unsound;
        if let Some(salvage) = &salvage {
            problems.push(broken(salvage.lost));
            is_open_ended |= salvage.lost.is_none();
            lost += salvage.lost.unwrap_or(0);
        }
        let salvaged = salvage.map(|salvage| salvage.rows);
        let is_indexed = is_indexed(&connection).map_err(failed)?;
        let facts = Facts::default();
        Ok(Reader {
            database,
            topics,
            stats,
            is_indexed,
            salvaged,
            lost,
            is_open_ended,
            problems,
            facts,
        })
    }

    /// From now on gives the rows that are whole, and says how many aren't.
    fn salvage(&mut self, connection: &Connection) -> Result<()> {
        let counted: u64 = self.stats.iter().map(|stats| stats.count).sum();
        let salvage = salvage(&self.database, connection)?;
        (self.stats, _) = self.topics.stats(&salvage.stats());
        let whole: u64 = self.stats.iter().map(|stats| stats.count).sum();
        let lost = counted.saturating_sub(whole);
        self.problems.push(match lost {
            0 => "its index is broken: its messages are read without it".to_owned(),
            lost => broken(Some(lost)),
        });
        self.lost += lost;
        self.salvaged = Some(salvage.rows);
        Ok(())
    }

    fn read_only<T>(&self) -> Result<T> {
        let reason = "it was opened for reading";
        Err(Error::State { action: "write to", reason, location: self.location() })
    }
}

fn salvage(database: &Database, connection: &Connection) -> Result<Salvage> {
    let salvage = Salvage::run(connection).map_err(|error| database.failed(error))?;
    salvage.ok_or_else(|| database.refused("its pages are broken, and its messages too many"))
}

/// What is said of broken pages, in which so many messages are.
fn broken(lost: Option<u64>) -> String {
    match lost {
        Some(lost) => format!("pages of it are broken, with {lost} messages in them"),
        None => "pages of it are broken, with nobody knows how many messages in them".to_owned(),
    }
}

/// Counts and extents of sound messages, by the topic's number, and how many
/// others there are.
fn counted(connection: &Connection) -> rusqlite::Result<(BTreeMap<i64, ChannelStats>, u64)> {
    let sql = format!(
        "SELECT topic_id, {SOUND}, count(*), min(timestamp), max(timestamp) FROM messages \
         GROUP BY 1, 2"
    );
    let (mut sound, mut unsound) = (BTreeMap::new(), 0);
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let count = row.get::<_, i64>(2)?.unsigned_abs();
        if row.get(1)? {
            let time = |nanos: i64| Some(Time::from_nanos(nanos));
            let (first, last) = (time(row.get(3)?), time(row.get(4)?));
            sound.insert(row.get(0)?, ChannelStats { count, first, last });
        } else {
            unsound += count;
        }
    }
    Ok((sound, unsound))
}

/// Whether `messages` has an index of its times.
fn is_indexed(connection: &Connection) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM pragma_index_list('messages') AS list \
               JOIN pragma_index_info(list.name) AS info \
               WHERE list.partial = 0 AND info.seqno = 0 AND info.name = 'timestamp'";
    connection.prepare(sql)?.exists([])
}

impl Backend for Reader {
    fn location(&self) -> String {
        self.database.location()
    }

    fn channels(&self) -> &[Channel] {
        &self.topics.channels
    }

    fn add_channel(&mut self, _channel: Channel) -> Result<ChannelId> {
        self.read_only()
    }

    fn write(&mut self, _channel: ChannelId, _sample: Sample) -> Result<()> {
        self.read_only()
    }

    fn samples(&self, query: &Query) -> Result<Samples<'_>> {
        Ok(Box::new(Rows::new(self, query)?))
    }

    fn stats(&self) -> Result<Vec<ChannelStats>> {
        Ok(self.stats.clone())
    }

    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn set_facts(&mut self, _facts: Facts) -> Result<()> {
        self.read_only()
    }

    /// SQLite files have no checksums.
    fn integrity(&self) -> Integrity {
        Integrity {
            verified: false,
            lost_samples: (!self.is_open_ended).then_some(self.lost),
            problems: self.problems.clone(),
            notes: self.topics.notes.clone(),
            ..Integrity::default()
        }
    }

    /// Has SQLite check the file's structure, and reads every message.
    fn check(&mut self) -> Result<Integrity> {
        let connection = self.database.connect()?;
        let sql = format!("PRAGMA quick_check({FINDINGS})");
        let check = || {
            let mut statement = connection.prepare(&sql)?;
            let rows = statement.query_map([], |row| row.get(0))?;
            rows.collect::<Result<Vec<String>, _>>()
        };
        let mut found = check().unwrap_or_else(|error| vec![error.to_string()]);
        found.retain(|finding| finding != "ok");
        let counted: u64 = self.stats.iter().map(|stats| stats.count).sum();
        let (mut read, mut failed) = (0, false);
        for sample in self.samples(&Query::default())? {
            match sample {
                Ok(_) => read += 1,
                Err(_) => failed = true,
            }
        }
        if self.salvaged.is_none() && (failed || read != counted) {
            self.salvage(&connection)?;
        }
        found.retain(|finding| !self.problems.contains(finding));
        self.problems.extend(found);
        Ok(self.integrity())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }

    fn sync(&mut self) -> Result<()> {
        Ok(())
    }

    /// Nothing to end: the file stays readable.
    fn close(&mut self) -> Result<()> {
        Ok(())
    }
}
