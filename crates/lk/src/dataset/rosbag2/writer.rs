//! A folder that rosbag2 takes for its own.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::METADATA;
use super::metadata::{VERSION, qos_of_text};
use super::yaml::{Node, quote};
use crate::dataset::{
    Backend, Channel, ChannelId, ChannelStats, CreateOptions, Encoding, Extra, Facts, Integrity,
    Query, Sample, Samples, mcap,
};
use crate::error::{Error, Result};

/// Writes a folder with one MCAP file and the `metadata.yaml` of ROS 2 Jazzy;
/// a [`Backend`] that can't be read from.
///
/// `metadata.yaml` is written by [`Backend::close`]: a folder that never came
/// to that reads as one without it. Of type hashes it has those that the
/// channels carry as `topic_type_hash`, and else none.
pub struct Writer {
    folder: PathBuf,
    /// Of the file in the folder.
    file: String,
    inner: mcap::Writer,
}

impl Writer {
    /// Creates the folder at `path`, its file named after it.
    ///
    /// # Errors
    /// [`Error::FileExists`] where anything is there, whatever the options
    /// say; [`Error::Io`].
    pub fn create(path: &Path, options: CreateOptions) -> Result<Writer> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Writer::create_named(path, &name, options)
    }

    /// As [`Writer::create`], with another name for the file: `name_0.mcap`.
    ///
    /// # Errors
    /// As [`Writer::create`].
    pub fn create_named(path: &Path, name: &str, options: CreateOptions) -> Result<Writer> {
        std::fs::create_dir(path).map_err(|source| match source.kind() {
            std::io::ErrorKind::AlreadyExists => {
                Error::FileExists { path: path.display().to_string() }
            }
            _ => Error::Io { action: "create", path: path.display().to_string(), source },
        })?;
        let file = format!("{name}_0.mcap");
        let inner = mcap::Writer::create(&path.join(&file), options)?;
        Ok(Writer { folder: path.to_owned(), file, inner })
    }

    fn metadata(&self) -> Result<String> {
        let stats = self.inner.stats()?;
        let count: u64 = stats.iter().map(|stats| stats.count).sum();
        let first = stats.iter().filter_map(|stats| stats.first).min();
        let last = stats.iter().filter_map(|stats| stats.last).max();
        let start = first.map_or(0, |first| first.as_nanos());
        let duration = last.zip(first).map_or(0, |(last, first)| (last - first).as_nanos());
        let file = quote(&self.file);
        let mut topics = String::new();
        for (channel, stats) in self.inner.channels().iter().zip(&stats) {
            topics.push_str(&topic(channel, stats));
        }
        let topics = if topics.is_empty() { " []\n".to_owned() } else { format!("\n{topics}") };
        Ok(format!(
            "rosbag2_bagfile_information:
  version: {VERSION}
  storage_identifier: mcap
  duration:
    nanoseconds: {duration}
  starting_time:
    nanoseconds_since_epoch: {start}
  message_count: {count}
  topics_with_message_count:{topics}  compression_format: \"\"
  compression_mode: \"\"
  relative_file_paths:
    - {file}
  files:
    - path: {file}
      starting_time:
        nanoseconds_since_epoch: {start}
      duration:
        nanoseconds: {duration}
      message_count: {count}
  custom_data: ~
  ros_distro: lk
"
        ))
    }
}

fn topic(channel: &Channel, stats: &ChannelStats) -> String {
    let (type_name, format) = match &channel.encoding {
        Encoding::Cdr(schema) => (schema.name(), "cdr"),
        Encoding::Foreign(foreign) => {
            (foreign.schema_name.as_str(), foreign.message_encoding.as_str())
        }
    };
    let fact = |name: &str| channel.metadata.get(name).map_or("", String::as_str);
    let qos = match qos_of_text(fact("offered_qos_profiles")) {
        None => " []\n".to_owned(),
        Some(Node::Text(text)) => format!(" {}\n", quote(&text)),
        Some(profiles) => {
            let mut text = "\n".to_owned();
            put(&profiles, 10, &mut text);
            text
        }
    };
    format!(
        "    - topic_metadata:
        name: {}
        type: {}
        serialization_format: {}
        offered_qos_profiles:{qos}        type_description_hash: {}
      message_count: {}
",
        quote(&channel.key),
        quote(type_name),
        quote(format),
        quote(fact("topic_type_hash")),
        stats.count
    )
}

/// A list or map, one entry a line.
fn put(node: &Node, indent: usize, out: &mut String) {
    let mut entry = |head: &str, node: &Node| {
        let _ = write!(out, "{:indent$}{head}", "");
        match node {
            Node::Text(text) => {
                let _ = writeln!(out, " {}", plain(text));
            }
            Node::List(nodes) if nodes.is_empty() => out.push_str(" []\n"),
            Node::Map(entries) if entries.is_empty() => out.push_str(" {}\n"),
            nested => {
                out.push('\n');
                put(nested, indent + 2, out);
            }
        }
    };
    match node {
        Node::Text(_) => {}
        Node::List(nodes) => nodes.iter().for_each(|node| entry("-", node)),
        Node::Map(entries) => {
            entries.iter().for_each(|(key, node)| entry(&format!("{}:", plain(key)), node));
        }
    }
}

/// Numbers and words as they are, so that they stay numbers and words.
fn plain(text: &str) -> String {
    let is_number = text.parse::<i64>().is_ok() && !text.starts_with('+');
    let is_word = !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    if is_number || is_word { text.to_owned() } else { quote(text) }
}

impl Backend for Writer {
    fn location(&self) -> String {
        self.folder.display().to_string()
    }

    fn channels(&self) -> &[Channel] {
        self.inner.channels()
    }

    fn add_channel(&mut self, channel: Channel) -> Result<ChannelId> {
        self.inner.add_channel(channel)
    }

    fn write(&mut self, channel: ChannelId, sample: Sample) -> Result<()> {
        self.inner.write(channel, sample)
    }

    fn samples(&self, query: &Query) -> Result<Samples<'_>> {
        self.inner.samples(query)
    }

    /// Of what was written so far.
    fn stats(&self) -> Result<Vec<ChannelStats>> {
        self.inner.stats()
    }

    fn facts(&self) -> &Facts {
        self.inner.facts()
    }

    fn set_facts(&mut self, facts: Facts) -> Result<()> {
        self.inner.set_facts(facts)
    }

    fn integrity(&self) -> Integrity {
        self.inner.integrity()
    }

    fn add_extra(&mut self, extra: Extra) -> Result<()> {
        self.inner.add_extra(extra)
    }

    fn flush(&mut self) -> Result<()> {
        self.inner.flush()
    }

    fn sync(&mut self) -> Result<()> {
        self.inner.sync()
    }

    fn close(&mut self) -> Result<()> {
        self.inner.close()?;
        let text = self.metadata()?;
        let path = self.folder.join(METADATA);
        std::fs::write(&path, text).map_err(|source| {
            let path = path.display().to_string();
            Error::Io { action: "write", path, source }
        })
    }
}
