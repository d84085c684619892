//! Distributions over a message's fields, for making inputs.

mod config;
mod distribution;
mod elementary;
mod leaf;
mod plan;
mod random;

pub use config::{DistConfig, FieldDist, Fill};
pub use distribution::Distribution;
pub use random::Random;

use plan::{Planner, RecordPlan};

use crate::error::Result;
use crate::schema::Schema;
use crate::time::Time;
use crate::value::{Datum, Value};

/// Messages of one type, their fields drawn from distributions.
///
/// A seed gives the same messages on every machine: bits come from a
/// generator of lk's own ([`Random`]), numbers from them by operations that
/// IEEE 754 defines exactly. Each field has a stream of its own, made from the
/// seed, the name of the stream (a port) and the field's path, so that another
/// port or field changes nothing in those that were there.
///
/// ```
/// use lk::Schema;
/// use lk::dist::{DataDist, DistConfig, Distribution};
///
/// let schema = Schema::parse("demo/Imu", "geometry_msgs/Vector3 gyro\nuint8 status")?;
/// let config = DistConfig::default()
///     .with("gyro.x", Distribution::Normal { mean: 0.0, std: 0.5 })
///     .with("gyro.y", Distribution::uniform(-1.0, 1.0))
///     .with("gyro.z", Distribution::constant(0.0))
///     .with("status", Distribution::grid([0u8, 1, 4]));
/// let mut imu = DataDist::new(&schema, &config, "imu")?;
/// imu.seed(7);
/// let message = imu.sample();
/// assert!(imu.contains(&message));
/// assert_eq!(imu.permute().count(), 3);
/// # Ok::<(), lk::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct DataDist {
    schema: Schema,
    stream: String,
    root: RecordPlan,
    edge_cases: f64,
    grids: Vec<usize>,
    /// A field that holds the time in seconds of 32 bits.
    stamps: Option<String>,
}

/// How one message is drawn.
struct Draw<'a> {
    edge_cases: f64,
    time: Time,
    /// The index of each grid's value, where they are permuted.
    grid_point: Option<&'a [usize]>,
}

impl DataDist {
    /// Distributions for the messages of a port, or whatever `stream` names,
    /// with the seed 0.
    ///
    /// # Errors
    ///
    /// [`Error::Distribution`](crate::Error::Distribution), naming the field:
    /// without a distribution, unless they are filled; with one that doesn't
    /// fit its type, or makes no sense; that isn't there.
    pub fn new(schema: &Schema, config: &DistConfig, stream: &str) -> Result<DataDist> {
        if !(0.0..=1.0).contains(&config.edge_cases) {
            let reason = format!("{:?} is no share from 0 to 1", config.edge_cases);
            return Err(config::refuse("edge_cases", reason, None));
        }
        let mut planner = Planner::new(config);
        let root = planner.plan(schema.root())?;
        let mut dist = DataDist {
            schema: schema.clone(),
            stream: stream.to_owned(),
            root,
            edge_cases: config.edge_cases,
            grids: planner.grids,
            stamps: planner.stamps,
        };
        dist.seed(0);
        Ok(dist)
    }

    /// What the messages mean.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Begins anew with this seed.
    pub fn seed(&mut self, seed: u64) {
        self.root.seed(seed, &self.stream);
    }

    /// The next message, for the time zero.
    pub fn sample(&mut self) -> Value {
        self.draw(Time::ZERO, None)
    }

    /// The next message, for a time: what fields hold that follow it.
    ///
    /// # Errors
    /// [`Error::Distribution`](crate::Error::Distribution) for a time that such
    /// a field can't hold: a `builtin_interfaces/Time` counts seconds in 32
    /// bits.
    pub fn sample_at(&mut self, time: Time) -> Result<Value> {
        self.check(time)?;
        Ok(self.draw(time, None))
    }

    fn check(&self, time: Time) -> Result<()> {
        match &self.stamps {
            Some(field) if plan::stamp(time).is_none() => {
                let reason = format!("{time} s is more than a builtin_interfaces/Time holds");
                Err(config::refuse(field, reason, None))
            }
            _ => Ok(()),
        }
    }

    /// Whether a message could be drawn: of this type, every number in its
    /// field's range (ends included), NaN and infinity only where the field
    /// allows them, fields that are filled at their default, any time where a
    /// field follows it.
    pub fn contains(&self, message: &Value) -> bool {
        message.schema().fingerprint() == self.schema.fingerprint()
            && self.root.contains(message.record())
    }

    /// The least and the greatest number that a field can have, in the field's
    /// type; `None` for texts, truth values and what has no distribution. The
    /// path is as in [`DistConfig`]; of an array all of whose elements have
    /// their own, it names one of them.
    pub fn range(&self, path: &str) -> Option<(Datum, Datum)> {
        self.root.leaf(path)?.range()
    }

    /// How many combinations of grid values there are; 1 without a grid, and
    /// `None` where they are more than a `u64` counts.
    pub fn combinations(&self) -> Option<u64> {
        self.grids.iter().try_fold(1u64, |product, len| product.checked_mul(*len as u64))
    }

    /// A message for each combination of the grids' values, the last field of
    /// the message changing fastest; all other fields are drawn. Elements of
    /// an array have the same of a grid's values.
    pub fn permute(&mut self) -> Permutations<'_> {
        let point = vec![0; self.grids.len()];
        Permutations { dist: self, point: Some(point) }
    }

    fn draw(&mut self, time: Time, grid_point: Option<&[usize]>) -> Value {
        let record = self.root.draw(&Draw { edge_cases: self.edge_cases, time, grid_point });
        Value::new_unchecked(self.schema.clone(), record)
    }
}

/// The messages of [`DataDist::permute`].
#[derive(Debug)]
pub struct Permutations<'a> {
    dist: &'a mut DataDist,
    /// The next combination; `None` after the last.
    point: Option<Vec<usize>>,
}

impl Permutations<'_> {
    /// The next message, for a time: as [`DataDist::sample_at`]; `None` after
    /// the last.
    ///
    /// # Errors
    /// As [`DataDist::sample_at`].
    pub fn next_at(&mut self, time: Time) -> Result<Option<Value>> {
        self.dist.check(time)?;
        Ok(self.draw(time))
    }

    fn draw(&mut self, time: Time) -> Option<Value> {
        let mut point = self.point.take()?;
        let message = self.dist.draw(time, Some(&point));
        for (index, len) in point.iter_mut().zip(&self.dist.grids).rev() {
            *index += 1;
            if *index < *len {
                self.point = Some(point);
                break;
            }
            *index = 0;
        }
        Some(message)
    }
}

impl Iterator for Permutations<'_> {
    type Item = Value;

    fn next(&mut self) -> Option<Value> {
        self.draw(Time::ZERO)
    }
}

#[cfg(test)]
mod tests;
