//! A program and its pipes, without a runner: all is sent at once, and all
//! that comes back is looked at.

use std::io::{Read, Write};
use std::process::{Command, ExitStatus, Stdio};

use lk::Time;
use lk_compile::ComponentSpec;
use lk_compile::protocol::{self, Answer, Direction, FrameBuffer, HelloPort};

/// Frames to a program.
#[derive(Clone, Default)]
pub(crate) struct Script(pub(crate) Vec<u8>);

impl Script {
    /// Begins with the `hello` that belongs to the component.
    pub(crate) fn hello(spec: &ComponentSpec) -> Script {
        let config = spec.config.as_ref().map(|config| {
            let plan = lk::codec::Plan::new(&config.schema);
            plan.encode(&config.value).unwrap()
        });
        let mut script = Script::default();
        protocol::encode_hello(&mut script.0, 0, &ports(spec), &config.unwrap_or_default());
        script
    }

    pub(crate) fn input(&mut self, port: u16, time_ns: i64, payload: &[u8]) {
        protocol::encode_input(&mut self.0, port, Time::from_nanos(time_ns), 0, payload);
    }

    pub(crate) fn step(&mut self, tick: u64, time_ns: i64) {
        protocol::encode_step(&mut self.0, tick, Time::from_nanos(time_ns));
    }

    pub(crate) fn reset(&mut self) {
        protocol::encode_reset(&mut self.0);
    }

    pub(crate) fn bye(&mut self) {
        protocol::encode_bye(&mut self.0);
    }
}

/// The ports that `hello` names.
pub(crate) fn ports(spec: &ComponentSpec) -> Vec<HelloPort> {
    let inputs = spec.inputs.iter().map(|port| (Direction::Input, port));
    let outputs = spec.outputs.iter().map(|port| (Direction::Output, port));
    let states = spec.states.iter().map(|port| (Direction::State, port));
    let number = |(index, (direction, port)): (usize, (Direction, &lk_compile::PortSpec))| {
        let fingerprint = port.schema.fingerprint();
        HelloPort { direction, index: u16::try_from(index).unwrap(), fingerprint }
    };
    inputs.enumerate().chain(outputs.chain(states).enumerate()).map(number).collect()
}

/// What came back.
pub(crate) struct Said {
    pub(crate) answers: Vec<Answer<'static>>,
    pub(crate) log: String,
    pub(crate) status: ExitStatus,
}

impl Said {
    /// Outputs as port, time and payload.
    pub(crate) fn outputs(&self) -> Vec<(u16, i64, &[u8])> {
        let output = |answer: &'_ Answer<'static>| match answer {
            Answer::Output { port, time, payload } => Some((*port, time.as_nanos(), *payload)),
            _ => None,
        };
        self.answers.iter().filter_map(output).collect()
    }

    /// Errors as tick and text.
    pub(crate) fn errors(&self) -> Vec<(u64, String)> {
        let error = |answer: &Answer<'static>| match answer {
            Answer::Error { tick, text } => Some((*tick, text.to_string())),
            _ => None,
        };
        self.answers.iter().filter_map(error).collect()
    }

    /// Ticks that were answered by `done`.
    pub(crate) fn done(&self) -> Vec<u64> {
        let done = |answer: &Answer<'static>| match answer {
            Answer::Done { tick, .. } => Some(*tick),
            _ => None,
        };
        self.answers.iter().filter_map(done).collect()
    }

    /// Checks that it went to its end.
    pub(crate) fn ended_well(&self) -> &Said {
        assert!(self.status.success(), "{}: {:?}\n{}", self.status, self.errors(), self.log);
        self
    }
}

/// Runs a program on a script, which is sent in pieces of so many bytes.
pub(crate) fn run(command: &mut Command, script: &Script, piece: usize) -> Said {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let sent = script.0.clone();
    let sender = std::thread::spawn(move || {
        // A program that refuses closes its pipe early.
        let _ = sent.chunks(piece).try_for_each(|piece| stdin.write_all(piece));
    });
    let logger = std::thread::spawn(move || {
        let mut log = Vec::new();
        stderr.read_to_end(&mut log).unwrap();
        String::from_utf8_lossy(&log).into_owned()
    });
    let mut bytes = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut bytes).unwrap();
    sender.join().unwrap();
    let log = logger.join().unwrap();
    Said { answers: answers(bytes), log, status: child.wait().unwrap() }
}

fn answers(bytes: Vec<u8>) -> Vec<Answer<'static>> {
    let mut buffer = FrameBuffer::new(bytes.len() + 64, 1 << 30);
    buffer.room()[..bytes.len()].copy_from_slice(&bytes);
    buffer.received(bytes.len());
    let mut answers = Vec::new();
    while let Some(answer) = buffer.next_answer().expect("whole frames") {
        answers.push(match answer {
            Answer::Ready { version, harness } => {
                Answer::Ready { version, harness: harness.into_owned().into() }
            }
            Answer::Output { port, time, payload } => {
                Answer::Output { port, time, payload: payload.to_vec().leak() }
            }
            Answer::Error { tick, text } => Answer::Error { tick, text: text.into_owned().into() },
            Answer::Done { tick, step_ns } => Answer::Done { tick, step_ns },
        });
    }
    assert_eq!(buffer.rest(), b"", "half a frame at the end");
    answers
}
