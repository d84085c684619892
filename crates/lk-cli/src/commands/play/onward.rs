//! Times that go on where playing goes back, so that what comes out is in
//! order.

use lk::dataset::Sample;
use lk::{Span, Time};

/// The times that were given out.
pub(super) struct Onward {
    /// From the recorded time to the one that is given out.
    shift: Span,
    last: Option<Time>,
    /// Between the last two recorded times: what comes between the end and the
    /// beginning.
    gap: Span,
}

/// From the recorded times of one tick to those that are given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shift(Span);

impl Default for Onward {
    fn default() -> Onward {
        Onward { shift: Span::ZERO, last: None, gap: Span::from_nanos(1) }
    }
}

impl Onward {
    /// For the tick that was recorded at `time`.
    pub(super) fn shift(&mut self, time: Time) -> Shift {
        let given = time + self.shift;
        if let Some(last) = self.last {
            if given > last {
                self.gap = given - last;
            } else {
                self.shift = last + self.gap - time;
            }
        }
        self.last = Some(time + self.shift);
        Shift(self.shift)
    }
}

impl Shift {
    pub(super) fn of(self, sample: &Sample) -> Sample {
        let time = sample.time + self.0;
        let publish_time = sample.publish_time + self.0;
        Sample { time, publish_time, ..sample.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_go_on_after_a_way_back() {
        let mut onward = Onward::default();
        let times = [10, 12, 15, 10, 12, 15, 12, 40].map(Time::from_nanos);
        let given = times.map(|time| (time + onward.shift(time).0).as_nanos());
        assert_eq!(given, [10, 12, 15, 18, 20, 23, 26, 54]);
    }
}
