//! Nodes: when their components run, and on what thread.

use super::graph::refused;
use crate::error::Result;
use crate::time::{Span, Time};

/// How the components of a node run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct NodeConfig {
    /// How often, in ticks per second of the system's time. `None` for those
    /// that run when a message has come to one of their inputs, and for
    /// sources, which say themselves when.
    pub rate_hz: Option<f64>,
    /// Whether they may run on a thread of their own, beside other nodes. What
    /// comes out is the same.
    pub threaded: bool,
}

/// A node of a system that runs.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) rate: Option<Rate>,
    pub(super) threaded: bool,
    /// Number of the next tick at its rate, and when that is.
    pub(super) next: u64,
    pub(super) next_time: Option<Time>,
    /// Whether it runs in this tick.
    pub(super) due: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Rate {
    /// Whole nanoseconds between ticks.
    Period(i64),
    Hertz(f64),
}

impl Node {
    pub(super) fn new(name: &str, config: NodeConfig) -> Result<Node> {
        let rate = match config.rate_hz {
            None => None,
            // Faster than a nanosecond no two ticks can be told apart.
            Some(hz) if hz > 0.0 && hz <= 1e9 => {
                let period = 1e9 / hz;
                Some(match period == period.round() {
                    true => Rate::Period(period as i64),
                    false => Rate::Hertz(hz),
                })
            }
            Some(hz) => {
                return Err(refused(format!(
                    "node {name}: {hz} Hz is no rate; it must be above 0 and at most 1e9"
                )));
            }
        };
        let mut node =
            Node { rate, threaded: config.threaded, next: 0, next_time: None, due: false };
        node.plan(Time::ZERO);
        Ok(node)
    }

    /// Works out when it runs next by its rate; never where it has none.
    pub(super) fn plan(&mut self, start: Time) {
        self.next_time = self.rate.map(|rate| {
            // Counted from the start, so that nothing adds up to a drift.
            let after = match rate {
                Rate::Period(period) => {
                    period.saturating_mul(self.next.min(i64::MAX as u64) as i64)
                }
                Rate::Hertz(hz) => (self.next as f64 / hz * 1e9).round() as i64,
            };
            start + Span::from_nanos(after)
        });
    }

    pub(super) fn runs_on_data(&self) -> bool {
        self.rate.is_none()
    }

    /// Notes whether it runs at `now`, and goes on to its next time.
    pub(super) fn advance(&mut self, start: Time, now: Time) {
        self.due = self.next_time == Some(now);
        if self.due {
            self.next += 1;
            self.plan(start);
        }
    }
}
