//! From recorded inputs to ticks: what a program is stepped by.

use lk::Dataset;
use lk::Time;
use lk::dataset::{Encoding, Sample};

use crate::component::ComponentSpec;
use crate::error::{Error, Result};
use crate::suggest;

/// The most ticks of a run. A tick at a rate needs no sample, so that one
/// wrong time would otherwise ask for any amount of memory; this is 2 GiB.
const MAX_TICKS: usize = 1 << 27;

/// What makes a tick.
#[derive(Clone, Debug, PartialEq)]
pub enum TickRule {
    /// Every distinct input time; a second sample of one port at one time
    /// starts another tick.
    Any,
    /// As `Any`, for samples of these input ports (by number) alone. What
    /// comes in between is delivered with the next tick.
    On(Vec<u16>),
    /// At each multiple of the period, in hertz, from the first that is not
    /// before the first sample to the first that is not before the last.
    Rate(f64),
}

/// Inputs in the order in which they are delivered, cut into ticks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ticks {
    samples: Vec<TickSample>,
    /// Time of each tick, and where its samples end; those of the first begin
    /// at 0.
    ends: Vec<(Time, usize)>,
    undelivered: u64,
}

/// One input sample of a tick.
#[derive(Clone, Debug, PartialEq)]
pub struct TickSample {
    /// Number of the input port.
    pub port: u16,
    /// The sample as it was recorded.
    pub sample: Sample,
}

impl Ticks {
    /// The ticks of a dataset's inputs, which are found by the keys of the
    /// component's input ports.
    ///
    /// # Errors
    /// A key that the dataset lacks, or that has another type; a sample that
    /// can't be read; no tick at all, or more than 2^27.
    pub fn read(inputs: &Dataset, component: &ComponentSpec, rule: &TickRule) -> Result<Ticks> {
        let location = inputs.location();
        let keys: Vec<&str> = component.inputs.iter().map(|port| port.key.as_str()).collect();
        let mut ports = vec![None; inputs.channels().len()];
        for (number, port) in (0..).zip(&component.inputs) {
            let Some(id) = inputs.channel_id(&port.key) else {
                return Err(Error::Data {
                    message: format!("the inputs lack key {:?} of port {}", port.key, port.name),
                    path: location,
                    hint: suggest::hint(&port.key, inputs.keys().collect::<Vec<_>>()),
                });
            };
            let id = id.0 as usize;
            let actual = match &inputs.channels()[id].encoding {
                Encoding::Cdr(schema) if schema.fingerprint() == port.schema.fingerprint() => None,
                Encoding::Cdr(schema) => Some(schema.name().to_owned()),
                Encoding::Foreign(foreign) => Some(foreign.message_encoding.clone()),
            };
            if let Some(actual) = actual {
                return Err(Error::Data {
                    message: format!(
                        "key {:?} holds {actual} with other fields than {} of port {}",
                        port.key,
                        port.schema.name(),
                        port.name
                    ),
                    path: location,
                    hint: Some("compare the two with `lk info`, and correct `msg/`".into()),
                });
            }
            ports[id] = Some(number);
        }
        let samples = inputs.samples(&inputs.select(&keys)?)?.map(|item| {
            let (id, sample) = item?;
            let port = ports[id.0 as usize].expect("only the ports' channels are selected");
            Ok(TickSample { port, sample })
        });
        let ticks = Ticks::new(rule, samples)?;
        if ticks.is_empty() {
            return Err(Error::Data {
                message: "the inputs hold no tick".into(),
                path: location,
                hint: Some(format!("record samples of {}", keys.join(", "))),
            });
        }
        Ok(ticks)
    }

    /// The ticks of samples in time order.
    ///
    /// # Errors
    /// What the iterator brings; more ticks than 2^27.
    pub fn new(
        rule: &TickRule,
        samples: impl IntoIterator<Item = Result<TickSample>>,
    ) -> Result<Ticks> {
        let samples = samples.into_iter();
        match rule {
            TickRule::Any => Ticks::on(samples, |_| true),
            TickRule::On(ports) => Ticks::on(samples, |port| ports.contains(&port)),
            TickRule::Rate(rate_hz) => Ticks::at_rate(samples, *rate_hz),
        }
    }

    fn on(
        samples: impl Iterator<Item = Result<TickSample>>,
        makes_tick: impl Fn(u16) -> bool,
    ) -> Result<Ticks> {
        let mut ticks = Ticks::default();
        // Ports that the open tick got a sample of at its own time: the next
        // one of the same port starts another tick.
        let mut seen = Vec::new();
        // What came since the last tick and waits for the next.
        let mut waiting = Vec::new();
        for item in samples {
            let item = item?;
            let (time, port) = (item.sample.time, item.port);
            let open = ticks.ends.last().is_some_and(|&(at, _)| at == time);
            if open && !seen.contains(&port) {
                seen.push(port);
                ticks.extend([item]);
            } else if makes_tick(port) {
                seen.clear();
                seen.push(port);
                ticks.open(time)?;
                ticks.extend(waiting.drain(..));
                ticks.extend([item]);
            } else {
                waiting.push(item);
            }
        }
        ticks.undelivered = waiting.len() as u64;
        Ok(ticks)
    }

    fn at_rate(samples: impl Iterator<Item = Result<TickSample>>, rate_hz: f64) -> Result<Ticks> {
        let grid = Grid::new(rate_hz);
        let mut ticks = Ticks::default();
        let mut index = None;
        for item in samples {
            let item = item?;
            let due = grid.first_at_or_after(item.sample.time);
            let first = index.map_or(due, |index| index + 1);
            if due - first >= MAX_TICKS as i128 {
                return Err(Error::TooManyTicks { max: MAX_TICKS });
            }
            // The tick that takes this sample is opened last.
            for next in first..=due {
                ticks.open(grid.time(next))?;
            }
            index = Some(due);
            ticks.extend([item]);
        }
        Ok(ticks)
    }

    fn open(&mut self, time: Time) -> Result<()> {
        if self.ends.len() == MAX_TICKS {
            return Err(Error::TooManyTicks { max: MAX_TICKS });
        }
        self.ends.push((time, self.samples.len()));
        Ok(())
    }

    fn extend(&mut self, samples: impl IntoIterator<Item = TickSample>) {
        self.samples.extend(samples);
        if let Some((_, end)) = self.ends.last_mut() {
            *end = self.samples.len();
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Samples in all ticks.
    pub fn samples(&self) -> usize {
        self.samples.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Time and samples of a tick; `None` past the last.
    pub fn get(&self, tick: usize) -> Option<(Time, &[TickSample])> {
        let &(time, end) = self.ends.get(tick)?;
        let start = tick.checked_sub(1).map_or(0, |before| self.ends[before].1);
        Some((time, &self.samples[start..end]))
    }

    /// Keeps only the first `count` ticks; the samples of the others count as
    /// undelivered.
    pub fn truncate(&mut self, count: usize) {
        if count >= self.len() {
            return;
        }
        let end = count.checked_sub(1).map_or(0, |last| self.ends[last].1);
        self.undelivered += (self.samples.len() - end) as u64;
        self.samples.truncate(end);
        self.ends.truncate(count);
    }

    /// Samples that no tick delivers: those after the last one.
    pub fn undelivered(&self) -> u64 {
        self.undelivered
    }
}

/// Multiples of a period, exactly: `rate_hz` is a dyadic fraction, and the
/// `k`-th time is `k * 10^9 / rate_hz`, rounded to the nearest nanosecond.
/// Through floats, times since 1970 would be off by a hundred nanoseconds.
struct Grid {
    /// `rate_hz = numerator / denominator`.
    numerator: i128,
    denominator: i128,
}

impl Grid {
    /// `rate_hz` from 1e-6 to 1e9 (the manifest checks it). The largest
    /// product below is a time (64 bits) times the numerator (53 digits, and
    /// 20 zeros at most), which fits.
    fn new(rate_hz: f64) -> Grid {
        let mut numerator = rate_hz.clamp(1e-6, 1e9);
        let mut denominator = 1;
        while numerator.fract() != 0.0 {
            numerator *= 2.0;
            denominator *= 2;
        }
        Grid { numerator: numerator as i128, denominator }
    }

    fn nanos(&self, index: i128) -> i128 {
        let scaled = index * 1_000_000_000 * self.denominator;
        (2 * scaled + self.numerator).div_euclid(2 * self.numerator)
    }

    /// Saturates at the ends of the range.
    fn time(&self, index: i128) -> Time {
        let range = i128::from(i64::MIN)..=i128::from(i64::MAX);
        let nanos = self.nanos(index).clamp(*range.start(), *range.end());
        Time::from_nanos(i64::try_from(nanos).expect("clamped to its range"))
    }

    fn first_at_or_after(&self, time: Time) -> i128 {
        let time = i128::from(time.as_nanos());
        let below = (time * self.numerator).div_euclid(1_000_000_000 * self.denominator);
        // Rounding moves a multiple by half a nanosecond at most, so that this
        // is the first or the second.
        if self.nanos(below) >= time { below } else { below + 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lk::Span;
    use lk::dataset::Sample;

    /// Ticks of `(port, time)` samples, written as `time: port@time ...`.
    fn check(rule: &TickRule, samples: &[(u16, i64)], expected: &[&str], undelivered: u64) {
        let samples = samples.iter().zip(0..).map(|(&(port, time), sequence)| {
            let time = Time::from_nanos(time);
            let sample = Sample { time, publish_time: time, sequence, payload: Default::default() };
            Ok(TickSample { port, sample })
        });
        let ticks = Ticks::new(rule, samples).unwrap();
        let text: Vec<_> = (0..ticks.len())
            .map(|tick| {
                let (time, samples) = ticks.get(tick).unwrap();
                let samples: Vec<_> = samples
                    .iter()
                    .map(|s| format!("{}@{}", s.port, s.sample.time.as_nanos()))
                    .collect();
                format!("{}: {}", time.as_nanos(), samples.join(" "))
            })
            .collect();
        assert_eq!(text, expected);
        assert_eq!(ticks.undelivered(), undelivered);
        assert_eq!(ticks.get(ticks.len()), None);
    }

    #[test]
    fn every_time_is_a_tick_and_a_second_sample_of_a_port_starts_another() {
        let samples = [(0, 1), (1, 1), (0, 2), (0, 3), (1, 3), (0, 3), (1, 3)];
        let expected = ["1: 0@1 1@1", "2: 0@2", "3: 0@3 1@3", "3: 0@3 1@3"];
        check(&TickRule::Any, &samples, &expected, 0);
        check(&TickRule::Any, &[], &[], 0);
    }

    #[test]
    fn what_comes_between_ticks_of_a_port_is_delivered_with_the_next() {
        let samples = [(1, 1), (1, 2), (0, 3), (1, 3), (1, 4), (0, 5), (0, 5), (1, 6)];
        let expected = ["3: 1@1 1@2 0@3 1@3", "5: 1@4 0@5", "5: 0@5"];
        check(&TickRule::On(vec![0]), &samples, &expected, 1);
        // All of one time is one tick, whatever the order among them.
        check(&TickRule::On(vec![0]), &[(1, 3), (0, 3)], &["3: 1@3 0@3"], 0);
    }

    #[test]
    fn a_rate_ticks_at_its_multiples_and_delivers_everything() {
        let rule = TickRule::Rate(1e8);
        let samples = [(0, 1), (0, 9), (0, 10), (0, 11), (0, 35)];
        check(&rule, &samples, &["10: 0@1 0@9 0@10", "20: 0@11", "30: ", "40: 0@35"], 0);
        check(&rule, &[(0, -15), (0, -5)], &["-10: 0@-15", "0: 0@-5"], 0);
    }

    #[test]
    fn multiples_are_exact_far_from_zero() {
        // 2026 in nanoseconds, at 3 Hz: the period is no whole number.
        let grid = Grid::new(3.0);
        let start = Time::from_nanos(1_790_000_000_000_000_000);
        let index = grid.first_at_or_after(start);
        assert_eq!(grid.time(index), start);
        assert_eq!(grid.time(index + 1) - start, Span::from_nanos(333_333_333));
        assert_eq!(grid.time(index + 2) - start, Span::from_nanos(666_666_667));
        assert_eq!(grid.time(index + 3) - start, Span::from_nanos(1_000_000_000));
        for rate_hz in [1e-6, 0.1, 33.3, 1000.1, 1e9] {
            let grid = Grid::new(rate_hz);
            for nanos in [i64::MIN, -7, 0, 7, i64::MAX] {
                let index = grid.first_at_or_after(Time::from_nanos(nanos));
                let (before, at) = (grid.nanos(index - 1), grid.nanos(index));
                assert!(before < nanos.into() && at >= nanos.into(), "{rate_hz} {nanos}");
            }
        }
    }

    #[test]
    fn one_wrong_time_is_an_error_and_no_flood_of_ticks() {
        let sample = |seconds: i64| {
            let time = Time::from_nanos(seconds * 1_000_000_000);
            let sample =
                Sample { time, publish_time: time, sequence: 0, payload: Default::default() };
            Ok(TickSample { port: 0, sample })
        };
        let error = Ticks::new(&TickRule::Rate(1.0), [0, 1_790_000_000].map(sample)).unwrap_err();
        assert_eq!(error.to_string(), "the inputs make more than 134217728 ticks");
        assert!(error.hint().is_some());
    }

    #[test]
    fn the_first_ticks_can_be_kept_and_the_rest_is_counted() {
        let sample = |time| {
            let time = Time::from_nanos(time);
            let sample =
                Sample { time, publish_time: time, sequence: 0, payload: Default::default() };
            Ok(TickSample { port: 0, sample })
        };
        let mut ticks = Ticks::new(&TickRule::Any, (0..10).map(sample)).unwrap();
        ticks.truncate(20);
        assert_eq!((ticks.len(), ticks.undelivered()), (10, 0));
        ticks.truncate(4);
        assert_eq!((ticks.len(), ticks.undelivered()), (4, 6));
        ticks.truncate(0);
        assert_eq!((ticks.len(), ticks.undelivered()), (0, 10));
    }
}
