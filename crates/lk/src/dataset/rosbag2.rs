//! Recordings of rosbag2: a folder of MCAP files with a `metadata.yaml`.
//!
//! A recording that was split over several files is one dataset: keys are
//! united, samples come in time order with ties as recorded, and sequence
//! numbers that begin anew with a file are counted on. What the messages say
//! wins over `metadata.yaml`; where the two disagree, [`Integrity`] says so.
//!
//! [`Integrity`]: super::Integrity

mod agreement;
mod files;
mod merge;
mod metadata;
mod parts;
mod reader;
mod sequence;
mod writer;
mod yaml;

pub use reader::Reader;
pub use writer::Writer;

pub(super) use files::bag_files;

/// The name of the file that describes a recording.
const METADATA: &str = "metadata.yaml";

#[cfg(test)]
mod tests;
