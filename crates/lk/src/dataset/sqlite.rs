//! SQLite files of rosbag2, `.db3`, of all versions of its tables.
//!
//! Files are only read, and nothing is ever written beside them. They carry
//! no checksums: what they hold is called unverified. The order within one
//! time is that of the rows' numbers, as they were recorded. They have no
//! sequence numbers either: samples are counted per key, from 0.

mod channels;
mod database;
mod reader;
mod rows;
mod salvage;

pub use reader::Reader;

#[cfg(test)]
pub(crate) mod tests;
