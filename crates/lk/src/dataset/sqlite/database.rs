//! A SQLite file that is not trusted, opened so that it stays as it is.

use std::path::PathBuf;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags, OptionalExtension};

use crate::dataset::packed::RecordingFile;
use crate::error::{Error, Result};

/// The largest message that is read: 512 MiB.
const MAX_BYTES: i32 = 512 << 20;

/// Where a database is, from which connections are made.
#[derive(Clone, Debug)]
pub(super) struct Database {
    place: RecordingFile,
}

impl Database {
    pub(super) fn at(place: RecordingFile) -> Database {
        Database { place }
    }

    pub(super) fn location(&self) -> String {
        self.place.name.clone()
    }

    /// Why not all of it was unpacked.
    pub(super) fn unpacked_in_part(&self) -> Option<String> {
        self.place.problem.clone()
    }

    /// A connection that can only read. `immutable` keeps SQLite from writing
    /// anything at all: no lock, no journal, no shared memory.
    pub(super) fn connect(&self) -> Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_URI
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connect = || {
            let connection = Connection::open_with_flags(self.uri(), flags)?;
            connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, MAX_BYTES)?;
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
            connection.pragma_update(None, "cell_size_check", true)?;
            Ok(connection)
        };
        connect().map_err(|error| self.failed(error))
    }

    fn uri(&self) -> String {
        let path = &self.place.path;
        let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
        let mut uri = String::from("file:");
        for &byte in path.as_os_str().as_encoded_bytes() {
            match byte {
                b'/' | b'.' | b'-' | b'_' => uri.push(char::from(byte)),
                _ if byte.is_ascii_alphanumeric() => uri.push(char::from(byte)),
                _ => uri.push_str(&format!("%{byte:02x}")),
            }
        }
        uri + "?immutable=1"
    }

    pub(super) fn failed(&self, error: rusqlite::Error) -> Error {
        Error::Database { reason: error.to_string(), path: self.location() }
    }

    pub(super) fn refused(&self, reason: impl Into<String>) -> Error {
        Error::Database { reason: reason.into(), path: self.location() }
    }

    /// Says so where the file is shorter than it says that it is. SQLite finds
    /// that out where it comes to it, if at all.
    pub(super) fn cut_off(&self) -> Option<String> {
        use std::io::Read;
        let mut header = [0; 100];
        let mut file = std::fs::File::open(&self.place.path).ok()?;
        file.read_exact(&mut header).ok()?;
        let there = file.metadata().ok()?.len();
        let number = |at: usize| header.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes);
        // <https://sqlite.org/fileformat2.html>: a page of 64 KiB is a 1, and
        // the count of pages holds where the two change counters agree.
        let page = match u16::from_be_bytes([header[16], header[17]]) {
            1 => 65_536,
            bytes => u64::from(bytes).max(1),
        };
        let pages = number(28).filter(|_| number(24) == number(92)).map(u64::from);
        let wanted = pages.map_or(there.next_multiple_of(page), |pages| pages * page);
        (there < wanted).then(|| format!("it is cut off: {there} bytes of {wanted} are there"))
    }

    /// A journal beside the file, and what it means.
    pub(super) fn journal(&self) -> Option<String> {
        ["-wal", "-journal"].into_iter().find_map(|suffix| {
            let mut path = self.place.path.clone().into_os_string();
            path.push(suffix);
            let path = PathBuf::from(path);
            let bytes = std::fs::metadata(&path).ok()?.len();
            let name = path.file_name()?.to_string_lossy();
            (bytes > 0).then(|| {
                format!(
                    "{name} holds {bytes} bytes that are not in the file and are not read: its \
                     recorder did not end; `sqlite3 FILE .tables` on a copy of both takes them in"
                )
            })
        })
    }
}

/// The columns of a table, which must be a plain one: a view could be any
/// computation. `None` where there is no table of the name.
pub(super) fn columns(
    database: &Database,
    connection: &Connection,
    table: &str,
) -> Result<Option<Vec<String>>> {
    let failed = |error| database.failed(error);
    let sql: Option<(String, Option<String>)> = connection
        .query_row("SELECT type, sql FROM sqlite_schema WHERE name = ?", [table], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()
        .map_err(failed)?;
    let Some((kind, sql)) = sql else { return Ok(None) };
    let sql = sql.unwrap_or_default().to_ascii_uppercase();
    let is_plain = kind == "table"
        && sql.starts_with("CREATE TABLE")
        && !["GENERATED", "WITHOUT ROWID", " AS ("].iter().any(|word| sql.contains(word));
    if !is_plain {
        return Err(database.refused(format!("`{table}` is no plain table")));
    }
    let mut statement =
        connection.prepare("SELECT name FROM pragma_table_info(?)").map_err(failed)?;
    let names = statement.query_map([table], |row| row.get(0)).map_err(failed)?;
    Ok(Some(names.collect::<Result<_, _>>().map_err(failed)?))
}
