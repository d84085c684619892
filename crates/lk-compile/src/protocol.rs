//! `lk-run/1`: the frames between lk and a program.
//!
//! A frame is `u32 length` (of what follows), `u8 kind` and a body of fixed
//! fields, little-endian, with payloads in CDR as the dataset has them. What
//! comes from a program is outside data: nothing here trusts it, and no
//! memory is taken because of a number that it gives.

use std::borrow::Cow;

use lk::Time;
use lk::schema::Fingerprint;

/// Version of the protocol.
pub const VERSION: u16 = 1;

/// The tick of an `error` that is in no tick, and of the `done` after `reset`.
pub const NO_TICK: u64 = u64::MAX;

/// Kinds of frames.
pub mod kind {
    /// To the program: version, seed, ports, config.
    pub const HELLO: u8 = 1;
    /// To the program: one input sample.
    pub const INPUT: u8 = 2;
    /// To the program: all inputs of this tick have been sent.
    pub const STEP: u8 = 3;
    /// To the program: back to the state after hello.
    pub const RESET: u8 = 4;
    /// To the program: end.
    pub const BYE: u8 = 5;
    /// From the program: it can take ticks.
    pub const READY: u8 = 129;
    /// From the program: one output or state sample.
    pub const OUTPUT: u8 = 130;
    /// From the program: the tick has ended.
    pub const DONE: u8 = 131;
    /// From the program: the component failed in a tick, or the program is
    /// unable to run.
    pub const ERROR: u8 = 132;
}

/// Which way a port goes, as `hello` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Direction {
    /// Fed to the component.
    Input = 0,
    /// Produced by it.
    Output = 1,
    /// Internal to it.
    State = 2,
}

/// A port in `hello`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HelloPort {
    /// Which way it goes.
    pub direction: Direction,
    /// Its number: inputs from 0; outputs from 0 and states after them.
    pub index: u16,
    /// Of its type, so that a harness made for another type refuses.
    pub fingerprint: Fingerprint,
}

/// Appends `hello`. `config` is the config's CDR payload, empty where the
/// component has none.
pub fn encode_hello(out: &mut Vec<u8>, seed: u64, ports: &[HelloPort], config: &[u8]) {
    let body = 2 + 8 + 2 + ports.len() * 19 + 4 + config.len();
    header(out, kind::HELLO, body);
    out.extend_from_slice(&VERSION.to_le_bytes());
    out.extend_from_slice(&seed.to_le_bytes());
    let count = u16::try_from(ports.len()).expect("a manifest has no more ports than a u16 counts");
    out.extend_from_slice(&count.to_le_bytes());
    for port in ports {
        out.push(port.direction as u8);
        out.extend_from_slice(&port.index.to_le_bytes());
        out.extend_from_slice(&port.fingerprint.0);
    }
    let length = u32::try_from(config.len()).expect("a config is far smaller than 4 GiB");
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(config);
}

/// Length of the `input` frame around a payload.
pub const fn input_len(payload: usize) -> usize {
    5 + 2 + 8 + 8 + payload
}

/// Appends `input`. The caller has checked that the frame's length fits `u32`.
pub fn encode_input(out: &mut Vec<u8>, port: u16, time: Time, sequence: u64, payload: &[u8]) {
    header(out, kind::INPUT, 2 + 8 + 8 + payload.len());
    out.extend_from_slice(&port.to_le_bytes());
    out.extend_from_slice(&time.as_nanos().to_le_bytes());
    out.extend_from_slice(&sequence.to_le_bytes());
    out.extend_from_slice(payload);
}

/// Appends `step`.
pub fn encode_step(out: &mut Vec<u8>, tick: u64, time: Time) {
    header(out, kind::STEP, 8 + 8);
    out.extend_from_slice(&tick.to_le_bytes());
    out.extend_from_slice(&time.as_nanos().to_le_bytes());
}

/// Appends `reset`.
pub fn encode_reset(out: &mut Vec<u8>) {
    header(out, kind::RESET, 0);
}

/// Appends `bye`.
pub fn encode_bye(out: &mut Vec<u8>) {
    header(out, kind::BYE, 0);
}

fn header(out: &mut Vec<u8>, kind: u8, body: usize) {
    let length = u32::try_from(body + 1).expect("the caller checks payloads against the limit");
    out.reserve(body + 5);
    out.extend_from_slice(&length.to_le_bytes());
    out.push(kind);
}

/// What a program says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer<'a> {
    /// It can take ticks.
    Ready {
        /// The protocol's version that it speaks.
        version: u16,
        /// Language and version of its harness: `c++ 1`.
        harness: Cow<'a, str>,
    },
    /// One output or state sample.
    Output {
        /// Number of the port.
        port: u16,
        /// Time of the sample.
        time: Time,
        /// CDR, unchecked.
        payload: &'a [u8],
    },
    /// The tick has ended.
    Done {
        /// Its number, or [`NO_TICK`] after `reset`.
        tick: u64,
        /// Time inside `step`, in nanoseconds.
        step_ns: u64,
    },
    /// The component failed in a tick; with [`NO_TICK`] the program can't run.
    Error {
        /// Number of the tick.
        tick: u64,
        /// What the component says.
        text: Cow<'a, str>,
    },
}

/// Bytes that are no frame of a program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// A length outside of what is allowed.
    #[error("a frame of {length} bytes, where 1 to {max} are allowed")]
    Length {
        /// What it says.
        length: u32,
        /// What is allowed.
        max: u32,
    },
    /// A kind that no program sends.
    #[error("a frame of unknown kind {0}")]
    Kind(u8),
    /// A body that is too short or too long for its kind.
    #[error("a frame `{kind}` of {length} bytes")]
    Body {
        /// Name of the kind.
        kind: &'static str,
        /// The frame's length.
        length: u32,
    },
}

/// Received bytes, out of which whole frames are taken.
///
/// The buffer grows only when it is full of bytes that were received.
#[derive(Debug)]
pub struct FrameBuffer {
    bytes: Vec<u8>,
    /// Where the first byte that was not taken is.
    start: usize,
    /// Where the received bytes end.
    end: usize,
    max_frame: u32,
}

impl FrameBuffer {
    /// A buffer of `capacity` bytes that takes frames up to `max_frame` bytes.
    pub fn new(capacity: usize, max_frame: u32) -> FrameBuffer {
        FrameBuffer { bytes: vec![0; capacity.max(64)], start: 0, end: 0, max_frame }
    }

    /// Room to receive into, never empty; [`FrameBuffer::received`] says how
    /// much came.
    pub fn room(&mut self) -> &mut [u8] {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.start > 0 && self.end == self.bytes.len() {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.end == self.bytes.len() {
            self.bytes.resize(self.bytes.len() * 2, 0);
        }
        &mut self.bytes[self.end..]
    }

    /// That `count` bytes of the room were filled.
    pub fn received(&mut self, count: usize) {
        self.end = (self.end + count).min(self.bytes.len());
    }

    /// Received bytes that are not taken yet.
    pub fn rest(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// The next frame, once it is whole.
    ///
    /// # Errors
    /// Bytes that are no frame; they are then still in [`FrameBuffer::rest`].
    pub fn next_answer(&mut self) -> Result<Option<Answer<'_>>, FrameError> {
        let rest = &self.bytes[self.start..self.end];
        let Some((length, rest)) = take_u32(rest) else { return Ok(None) };
        if length == 0 || length > self.max_frame {
            return Err(FrameError::Length { length, max: self.max_frame });
        }
        // The kind is looked at before the frame is whole, so that garbage
        // which happens to be a fair length is known as such.
        let Some((&kind, rest)) = rest.split_first() else { return Ok(None) };
        if !(kind::READY..=kind::ERROR).contains(&kind) {
            return Err(FrameError::Kind(kind));
        }
        let Some(body) = rest.get(..length as usize - 1) else { return Ok(None) };
        let answer = parse(kind, body).ok_or(FrameError::Body { kind: name(kind), length })?;
        self.start += 4 + length as usize;
        Ok(Some(answer))
    }
}

fn name(kind: u8) -> &'static str {
    match kind {
        kind::READY => "ready",
        kind::OUTPUT => "output",
        kind::DONE => "done",
        _ => "error",
    }
}

fn parse(kind: u8, body: &[u8]) -> Option<Answer<'_>> {
    match kind {
        kind::READY => {
            let (version, text) = take(body)?;
            let version = u16::from_le_bytes(version);
            Some(Answer::Ready { version, harness: String::from_utf8_lossy(text) })
        }
        kind::OUTPUT => {
            let (port, rest) = take(body)?;
            let (time, payload) = take(rest)?;
            let time = Time::from_nanos(i64::from_le_bytes(time));
            Some(Answer::Output { port: u16::from_le_bytes(port), time, payload })
        }
        kind::DONE => {
            let (tick, rest) = take(body)?;
            let (step_ns, rest) = take(rest)?;
            let answer = Answer::Done {
                tick: u64::from_le_bytes(tick),
                step_ns: u64::from_le_bytes(step_ns),
            };
            rest.is_empty().then_some(answer)
        }
        _ => {
            let (tick, text) = take(body)?;
            let text = String::from_utf8_lossy(text);
            Some(Answer::Error { tick: u64::from_le_bytes(tick), text })
        }
    }
}

fn take<const N: usize>(bytes: &[u8]) -> Option<([u8; N], &[u8])> {
    bytes.split_first_chunk().map(|(head, rest)| (*head, rest))
}

fn take_u32(bytes: &[u8]) -> Option<(u32, &[u8])> {
    take(bytes).map(|(head, rest)| (u32::from_le_bytes(head), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, body: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        header(&mut out, kind, body.len());
        out.extend_from_slice(body);
        out
    }

    fn done(tick: u64) -> Vec<u8> {
        frame(kind::DONE, &[tick.to_le_bytes(), 7u64.to_le_bytes()].concat())
    }

    fn output(payload: &[u8]) -> Vec<u8> {
        frame(kind::OUTPUT, &[&3u16.to_le_bytes()[..], &(-5i64).to_le_bytes(), payload].concat())
    }

    /// All frames of `bytes`, received in pieces of `step`.
    fn receive(bytes: &[u8], step: usize) -> Result<Vec<String>, FrameError> {
        let mut buffer = FrameBuffer::new(0, 1 << 20);
        let mut answers = Vec::new();
        for piece in bytes.chunks(step) {
            let mut piece = piece;
            while !piece.is_empty() {
                let room = buffer.room();
                let count = room.len().min(piece.len());
                room[..count].copy_from_slice(&piece[..count]);
                buffer.received(count);
                piece = &piece[count..];
            }
            while let Some(answer) = buffer.next_answer()? {
                answers.push(format!("{answer:?}"));
            }
        }
        assert!(buffer.rest().is_empty());
        Ok(answers)
    }

    #[test]
    fn frames_are_the_same_however_they_are_cut() {
        let mut stream = frame(kind::READY, b"\x01\x00c++ 1");
        for tick in 0..9 {
            stream.extend(output(&[tick; 100]));
            stream.extend(done(u64::from(tick)));
        }
        stream.extend(output(&[9; 5_000]));
        stream.extend(frame(kind::ERROR, b"\x01\0\0\0\0\0\0\0it broke"));
        let whole = receive(&stream, stream.len()).unwrap();
        assert_eq!(whole.len(), 21);
        assert_eq!(whole[0], r#"Ready { version: 1, harness: "c++ 1" }"#);
        assert_eq!(whole[2], "Done { tick: 0, step_ns: 7 }");
        assert_eq!(whole[20], r#"Error { tick: 1, text: "it broke" }"#);
        for step in [1, 2, 3, 5, 63, 64, 65, 1000] {
            assert_eq!(receive(&stream, step).unwrap(), whole, "{step}");
        }
    }

    #[test]
    fn text_in_place_of_a_frame_is_an_error_at_once() {
        // Four characters are a length beyond the limit; fewer, with the next
        // frame's beginning after them, leave an impossible kind.
        let hello = receive(b"hello world", 11).unwrap_err();
        assert_eq!(hello, FrameError::Length { length: 0x6c6c_6568, max: 1 << 20 });
        let hi = receive(&[b"\n\n", &done(0)[..]].concat(), 1).unwrap_err();
        assert!(matches!(hi, FrameError::Length { .. } | FrameError::Kind(0)), "{hi:?}");
    }

    #[test]
    fn a_frame_is_refused_by_its_first_bytes_before_memory_is_taken() {
        let mut buffer = FrameBuffer::new(64, u32::MAX);
        let head = [&u32::MAX.to_le_bytes()[..], &[kind::OUTPUT]].concat();
        buffer.room()[..5].copy_from_slice(&head);
        buffer.received(5);
        assert_eq!(buffer.next_answer(), Ok(None));
        assert_eq!(buffer.room().len(), 59, "a promise of 4 GiB takes nothing");
        assert_eq!(receive(&frame(6, b""), 9), Err(FrameError::Kind(6)));
        assert_eq!(receive(&[0; 8], 9), Err(FrameError::Length { length: 0, max: 1 << 20 }));
    }

    #[test]
    fn any_bytes_are_frames_or_an_error() {
        // A generator by Marsaglia, xorshift64, so that a failure repeats.
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut random = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[0]
        };
        let mut errors = 0;
        for round in 0..2_000 {
            let mut stream = [output(&[1; 20]), done(7), frame(kind::ERROR, &[0; 12])].concat();
            for _ in 0..1 + round % 4 {
                let at = usize::from(random()) % stream.len();
                stream[at] ^= random();
            }
            let mut buffer = FrameBuffer::new(stream.len(), 1 << 20);
            buffer.room()[..stream.len()].copy_from_slice(&stream);
            buffer.received(stream.len());
            errors += usize::from(loop {
                match buffer.next_answer() {
                    Ok(Some(_)) => {}
                    Ok(None) => break false,
                    Err(_) => break true,
                }
            });
        }
        assert!((200..2_000).contains(&errors), "{errors}");
    }

    #[test]
    fn a_body_of_the_wrong_size_is_an_error_that_names_the_kind() {
        for (kind, body) in [
            (kind::READY, &b"\x01"[..]),
            (kind::OUTPUT, &[0; 9]),
            (kind::DONE, &[0; 15]),
            (kind::DONE, &[0; 17]),
            (kind::ERROR, &[0; 7]),
        ] {
            let length = u32::try_from(body.len()).unwrap() + 1;
            let expected = FrameError::Body { kind: name(kind), length };
            assert_eq!(receive(&frame(kind, body), 99), Err(expected));
        }
    }

    #[test]
    fn what_is_sent_has_the_documented_bytes() {
        let mut out = Vec::new();
        let port = HelloPort {
            direction: Direction::State,
            index: 258,
            fingerprint: Fingerprint([0xab; 16]),
        };
        encode_hello(&mut out, 5, &[port], b"cfg!");
        let mut expected = vec![40, 0, 0, 0, 1, 1, 0, 5, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 2, 1];
        expected.extend([0xab; 16]);
        expected.extend(b"\x04\0\0\0cfg!");
        assert_eq!(out, expected);

        out.clear();
        encode_input(&mut out, 1, Time::from_nanos(-1), 2, b"xy");
        assert_eq!(out.len(), input_len(2));
        assert_eq!(out[..7], [21, 0, 0, 0, 2, 1, 0]);
        assert_eq!(out[7..15], [0xff; 8]);
        assert_eq!(out[15..], *b"\x02\0\0\0\0\0\0\0xy");

        out.clear();
        encode_step(&mut out, 3, Time::from_nanos(4));
        encode_reset(&mut out);
        encode_bye(&mut out);
        assert_eq!(
            out,
            *b"\x11\0\0\0\x03\x03\0\0\0\0\0\0\0\x04\0\0\0\0\0\0\0\x01\0\0\0\x04\x01\0\0\0\x05"
        );
    }
}
