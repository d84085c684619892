//! What a program answers, checked against what it was asked.

use lk::codec::Plan;
use lk::{Time, Value};

use super::fault::{Fault, shortened};
use crate::component::{ComponentSpec, PortSpec};
use crate::protocol::{Answer, NO_TICK};

/// The state of a conversation between two answers.
pub(crate) struct Answers {
    ports: Vec<Outgoing>,
    limits: AnswerLimits,
    /// Ticks that were answered: the number of the one that is running.
    answered: u64,
    /// Whether the running tick ended in an error of the component.
    erred: bool,
    tick_bytes: u64,
    total_bytes: u64,
}

/// What a program may write, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AnswerLimits {
    pub(crate) tick_bytes: u64,
    pub(crate) total_bytes: u64,
}

/// An output or state port.
struct Outgoing {
    name: String,
    plan: Plan,
    scratch: Value,
    last: Time,
    count: u64,
}

/// An answer that is right.
pub(crate) enum Checked<'a> {
    /// A sample of an output or state port, which the port's type holds.
    Output { port: usize, time: Time, payload: &'a [u8] },
    /// The running tick ended in an error of the component.
    Error(String),
    /// The running tick has ended.
    Done { step_ns: u64 },
}

impl Answers {
    pub(crate) fn new(component: &ComponentSpec, limits: AnswerLimits) -> Answers {
        let port = |port: &PortSpec| Outgoing {
            name: port.name.clone(),
            plan: Plan::new(&port.schema),
            scratch: Value::default_of(&port.schema),
            last: Time::MIN,
            count: 0,
        };
        Answers {
            ports: component.outgoing().map(port).collect(),
            limits,
            answered: 0,
            erred: false,
            tick_bytes: 0,
            total_bytes: 0,
        }
    }

    /// Ticks that were answered.
    pub(crate) fn answered(&self) -> u64 {
        self.answered
    }

    /// Samples written, by the number of the port.
    pub(crate) fn counts(&self) -> impl Iterator<Item = u64> {
        self.ports.iter().map(|port| port.count)
    }

    /// As before the first tick.
    pub(crate) fn restart(&mut self) {
        self.ports.iter_mut().for_each(|port| port.last = Time::MIN);
        (self.answered, self.erred, self.tick_bytes) = (0, false, 0);
    }

    /// Checks one answer; `running` is the time of the tick that is running.
    pub(crate) fn check<'a>(
        &mut self,
        answer: Answer<'a>,
        running: Option<Time>,
    ) -> Result<Checked<'a>, Fault> {
        match answer {
            Answer::Output { port, time, payload } => self.output(port, time, payload, running),
            Answer::Done { tick, step_ns } => self.done(tick, step_ns, running),
            Answer::Error { tick, text } => self.error(tick, &text, running),
            Answer::Ready { .. } => Err(Fault::new("said twice that it is ready")),
        }
    }

    fn output<'a>(
        &mut self,
        port: u16,
        time: Time,
        payload: &'a [u8],
        running: Option<Time>,
    ) -> Result<Checked<'a>, Fault> {
        let Some(tick_time) = running else {
            let fault = Fault::new("wrote an output while no tick was running");
            return Err(fault.hint("outputs of a tick come before its `done`"));
        };
        let index = usize::from(port);
        let count = self.ports.len();
        let Some(state) = self.ports.get_mut(index) else {
            let fault = Fault::new(format!(
                "wrote to output port {port}, and there are {count} of them, from 0"
            ));
            return Err(fault.hint("`lk init --refresh` renews its harness"));
        };
        let name = &state.name;
        if time < tick_time {
            let fault = Fault::new(format!(
                "wrote {name} at {time} s, before the tick's own time {tick_time} s"
            ));
            return Err(fault.hint("an output has its tick's time, or a later one"));
        }
        if time < state.last {
            let last = state.last;
            let fault = Fault::new(format!(
                "wrote {name} at {time} s after it wrote that at {last} s: time goes back"
            ));
            return Err(fault.hint("a port's times must not go back"));
        }
        if let Err(error) = state.plan.decode_into(payload, &mut state.scratch) {
            let fault = Fault::new(format!("wrote {name} in bytes that are no message: {error}"));
            return Err(fault.hint("`lk init --refresh` renews its types"));
        }
        state.last = time;
        state.count += 1;
        let bytes = payload.len() as u64;
        self.tick_bytes += bytes;
        self.total_bytes = self.total_bytes.saturating_add(bytes);
        let limits = [
            (self.tick_bytes, self.limits.tick_bytes, "in one tick"),
            (self.total_bytes, self.limits.total_bytes, "in all"),
        ];
        for (written, limit, when) in limits {
            if written > limit {
                let what = format!("wrote {written} bytes {when}, and {limit} are allowed");
                return Err(Fault::new(what));
            }
        }
        Ok(Checked::Output { port: index, time, payload })
    }

    fn done(
        &mut self,
        tick: u64,
        step_ns: u64,
        running: Option<Time>,
    ) -> Result<Checked<'static>, Fault> {
        let expected = self.answered;
        if tick < expected {
            return Err(Fault::new(format!("answered tick {tick} twice")));
        }
        if running.is_none() {
            return Err(Fault::new(format!("answered tick {tick}, which was not sent")));
        }
        if tick != expected {
            let what = format!("answered tick {tick} while tick {expected} was running");
            return Err(Fault::new(what));
        }
        self.answered += 1;
        self.erred = false;
        self.tick_bytes = 0;
        Ok(Checked::Done { step_ns })
    }

    fn error(
        &mut self,
        tick: u64,
        text: &str,
        running: Option<Time>,
    ) -> Result<Checked<'static>, Fault> {
        if tick == NO_TICK {
            return Err(Fault::new(format!("gave up: {}", shortened(text))));
        }
        if running.is_none() || tick != self.answered {
            let what = format!("reported an error for tick {tick}, which was not running");
            return Err(Fault::new(what));
        }
        if std::mem::replace(&mut self.erred, true) {
            return Err(Fault::new(format!("reported two errors for tick {tick}")));
        }
        Ok(Checked::Error(shortened(text)))
    }
}
