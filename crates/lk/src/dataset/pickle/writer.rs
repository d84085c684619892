//! Writing datasets as pickles.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::dump::{self, Dumper, Names};
use super::opcode as op;
use super::sidecar::{self, Stamp};
use crate::codec::Plan;
use crate::dataset::folder::sync_folder;
use crate::dataset::{
    Backend, Channel, ChannelId, ChannelStats, Encoding, Facts, Integrity, Query, Sample, Samples,
};
use crate::error::{Error, Result};

/// Values between a mark and the APPENDS that takes them, as Python has it.
const BATCH: usize = 1000;

/// Writes a pickle; a [`Backend`] that can't be read from.
///
/// A pickle can't be appended to. What is written is kept in memory, already
/// pickled; `flush` and `close` put the whole file, written anew beside it, in
/// its place: what is there under its name is whole at all times, and before
/// the first `flush` there is nothing, or what was there before. Flushing after
/// every message is slow: record long runs to MCAP.
pub struct Writer {
    path: PathBuf,
    /// Whether a file of that name may be replaced: one of others, or ours.
    overwrite: bool,
    channels: Vec<Channel>,
    series: Vec<Series>,
    facts: Facts,
    next_memo: u32,
    next_place: u64,
    state: State,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    /// With something that the file doesn't have yet.
    Dirty,
    Flushed,
    Closed,
}

#[derive(Default)]
struct Series {
    plan: Option<Plan>,
    /// The pickled values, with an open batch at the end.
    data: Vec<u8>,
    names: Names,
    stamps: Vec<Stamp>,
    stats: ChannelStats,
}

impl Writer {
    /// Will write the file at `path`.
    ///
    /// # Errors
    /// [`Error::FileExists`] unless told to overwrite, here or where it came
    /// to be before the first `flush`; [`Error::Io`] where the folder takes no
    /// file.
    pub fn create(path: &Path, overwrite: bool) -> Result<Writer> {
        let writer = Writer {
            path: path.to_owned(),
            overwrite,
            channels: Vec::new(),
            series: Vec::new(),
            facts: Facts::default(),
            next_memo: 0,
            next_place: 0,
            state: State::Dirty,
        };
        writer.check_name()?;
        // Told now, not after an hour of recording.
        if let Err(source) = File::create(writer.part()) {
            return Err(Error::Io { action: "create", path: writer.location(), source });
        }
        Ok(writer)
    }

    /// The file that is written beside the one that it will be.
    fn part(&self) -> PathBuf {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        self.path.with_file_name(format!(".part-{}-{name}", std::process::id()))
    }

    fn check_name(&self) -> Result<()> {
        if self.overwrite || !self.path.exists() {
            return Ok(());
        }
        Err(Error::FileExists { path: self.location() })
    }

    fn check_open(&self) -> Result<()> {
        if self.state == State::Closed {
            let reason = "it is closed";
            return Err(Error::State { action: "write to", reason, location: self.location() });
        }
        Ok(())
    }

    /// Writes the whole file, and puts it in its place.
    fn replace(&mut self, sync: bool) -> Result<()> {
        self.check_name()?;
        let part = self.part();
        let written = self.write_to(&part, sync).and_then(|()| std::fs::rename(&part, &self.path));
        if let Err(source) = written {
            // The first error is what is told.
            let _ = std::fs::remove_file(&part);
            return Err(Error::Io { action: "write", path: self.location(), source });
        }
        if sync {
            sync_folder(&self.path).map_err(|source| Error::Io {
                action: "sync",
                path: self.location(),
                source,
            })?;
        }
        self.overwrite = true;
        self.state = State::Flushed;
        Ok(())
    }

    fn write_to(&self, path: &Path, sync: bool) -> io::Result<()> {
        let mut file = BufWriter::new(File::create(path)?);
        let mut crc = crc32fast::Hasher::new();
        let mut put = |bytes: &[u8]| {
            crc.update(bytes);
            file.write_all(bytes)
        };
        put(&dump::HEADER)?;
        put(&[op::EMPTY_DICT])?;
        let mut out = Vec::new();
        for (channel, series) in self.channels.iter().zip(&self.series) {
            out.clear();
            dump::text(&mut out, &channel.key);
            out.extend([op::EMPTY_DICT, op::MARK]);
            dump::text(&mut out, "data");
            out.push(op::EMPTY_LIST);
            put(&out)?;
            put(&series.data)?;
            out.clear();
            if !series.data.is_empty() {
                out.push(op::APPENDS);
            }
            dump::text(&mut out, "timestamps");
            out.push(op::EMPTY_LIST);
            for batch in series.stamps.chunks(BATCH) {
                out.push(op::MARK);
                for stamp in batch {
                    let time = crate::time::Time::from_nanos(stamp.time);
                    dump::float(&mut out, time.as_secs_f64());
                }
                out.push(op::APPENDS);
            }
            out.extend([op::SETITEMS, op::SETITEM]);
            put(&out)?;
        }
        put(&[op::STOP])?;
        let stamps = self.series.iter().map(|series| series.stamps.as_slice());
        let channels: Vec<_> = self.channels.iter().zip(stamps).collect();
        file.write_all(&sidecar::write(&self.facts, &channels, crc))?;
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        if sync { file.sync_all() } else { Ok(()) }
    }
}

impl Series {
    /// Appends one value, which follows all before it.
    fn dump(&mut self, payload: &[u8], next_memo: &mut u32) -> Result<()> {
        // Decoded before anything is written, so that an error leaves nothing.
        let value = self.plan.as_ref().map(|plan| plan.decode(payload)).transpose()?;
        if self.stamps.len().is_multiple_of(BATCH) {
            if !self.stamps.is_empty() {
                self.data.push(op::APPENDS);
            }
            self.data.push(op::MARK);
        }
        match value {
            Some(value) => {
                let mut dumper = Dumper { names: &mut self.names, next_memo };
                dumper.message(&mut self.data, value.schema().root(), value.record());
            }
            None => dump::bytes(&mut self.data, payload),
        }
        Ok(())
    }
}

impl Backend for Writer {
    fn location(&self) -> String {
        self.path.display().to_string()
    }

    fn channels(&self) -> &[Channel] {
        &self.channels
    }

    fn add_channel(&mut self, channel: Channel) -> Result<ChannelId> {
        self.check_open()?;
        let plan = match &channel.encoding {
            Encoding::Cdr(schema) => Some(Plan::new(schema)),
            Encoding::Foreign(_) => None,
        };
        let id = ChannelId(self.channels.len() as u32);
        self.channels.push(channel);
        self.series.push(Series { plan, ..Series::default() });
        self.state = State::Dirty;
        Ok(id)
    }

    fn write(&mut self, channel: ChannelId, sample: Sample) -> Result<()> {
        self.check_open()?;
        let location = || self.path.display().to_string();
        let count = self.channels.len();
        let Some(series) = self.series.get_mut(channel.0 as usize) else {
            return Err(Error::UnknownChannel { channel: channel.0, count, location: location() });
        };
        series.dump(&sample.payload, &mut self.next_memo).map_err(|e| Error::Unstorable {
            key: self.channels[channel.0 as usize].key.clone(),
            reason: e.to_string(),
            location: location(),
        })?;
        series.stats.add(sample.time);
        series.stamps.push(Stamp {
            time: sample.time.as_nanos(),
            publish_time: sample.publish_time.as_nanos(),
            sequence: sample.sequence,
            place: self.next_place,
        });
        self.next_place += 1;
        self.state = State::Dirty;
        Ok(())
    }

    fn samples(&self, _: &Query) -> Result<Samples<'_>> {
        let reason = "it is being written; open it anew";
        Err(Error::State { action: "read from", reason, location: self.location() })
    }

    fn stats(&self) -> Result<Vec<ChannelStats>> {
        Ok(self.series.iter().map(|series| series.stats).collect())
    }

    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn set_facts(&mut self, facts: Facts) -> Result<()> {
        self.check_open()?;
        self.facts = facts;
        self.state = State::Dirty;
        Ok(())
    }

    fn integrity(&self) -> Integrity {
        Integrity { verified: true, ..Integrity::default() }
    }

    fn flush(&mut self) -> Result<()> {
        if self.state == State::Dirty { self.replace(false) } else { Ok(()) }
    }

    /// Writes the file again, since what was flushed may not be on the disk.
    fn sync(&mut self) -> Result<()> {
        self.check_open()?;
        self.replace(true)
    }

    fn close(&mut self) -> Result<()> {
        self.check_open()?;
        self.flush()?;
        self.state = State::Closed;
        Ok(())
    }
}

/// What was written is put in the file, which is then whole.
impl Drop for Writer {
    fn drop(&mut self) {
        // Whoever wants to know of an error closes.
        if self.flush().is_err() {
            let _ = std::fs::remove_file(self.part());
        }
    }
}
