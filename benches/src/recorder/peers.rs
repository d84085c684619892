//! Two usual ways to record: in the caller, and into a buffer that a thread
//! exchanges for an empty one.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use mcap::records::MessageHeader;

use super::{Offer, calls};

type Writer = mcap::Writer<BufWriter<File>>;

fn create(path: &Path) -> (Writer, u16) {
    let file = BufWriter::new(File::create(path).expect("room on the disk"));
    let options = mcap::WriteOptions::new()
        .profile("ros2")
        .chunk_size(Some(1 << 20))
        .compression(Some(mcap::Compression::Lz4));
    let mut writer = options.create(file).expect("room on the disk");
    let channel = writer.add_channel(0, "floats", "", &Default::default());
    let channel = channel.expect("a new channel");
    (writer, channel)
}

fn write(writer: &mut Writer, channel_id: u16, n: usize, time: i64, payload: &[u8]) {
    let (sequence, time) = (n as u32, time as u64);
    let header = MessageHeader { channel_id, sequence, log_time: time, publish_time: time };
    writer.write_to_known_channel(&header, payload).expect("room on the disk");
}

/// Writes in the caller; several take turns.
pub struct InThread<'a> {
    writer: &'a Mutex<Writer>,
    channel: u16,
    messages: &'a [Bytes],
}

impl InThread<'_> {
    pub fn calls(path: &Path, threads: usize, messages: &[Bytes]) -> Vec<u64> {
        let (writer, channel) = create(path);
        let writer = Mutex::new(writer);
        let offers = (0..threads).map(|_| InThread { writer: &writer, channel, messages });
        let nanos = calls(offers.collect());
        let mut writer = writer.into_inner().unwrap_or_else(PoisonError::into_inner);
        writer.finish().expect("room on the disk");
        nanos
    }
}

impl Offer for InThread<'_> {
    fn offer(&mut self, n: usize, time: i64) {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let payload = &self.messages[n % self.messages.len()];
        write(&mut writer, self.channel, n, time, payload);
    }
}

/// Number, time and end of each message, and the bytes of all.
#[derive(Default)]
struct Buffer {
    messages: Vec<(usize, i64, usize)>,
    bytes: Vec<u8>,
}

/// Copies into a buffer, which another thread exchanges each 10 ms and writes.
pub struct Buffered<'a> {
    front: &'a Mutex<Buffer>,
    messages: &'a [Bytes],
}

impl Buffered<'_> {
    pub fn calls(path: &Path, threads: usize, messages: &[Bytes]) -> Vec<u64> {
        let (mut writer, channel) = create(path);
        let front = Mutex::new(Buffer::default());
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut back = Buffer::default();
                loop {
                    let last = done.load(Ordering::Acquire);
                    let mut locked = front.lock().unwrap_or_else(PoisonError::into_inner);
                    std::mem::swap(&mut *locked, &mut back);
                    drop(locked);
                    let mut begin = 0;
                    for (n, time, end) in back.messages.drain(..) {
                        write(&mut writer, channel, n, time, &back.bytes[begin..end]);
                        begin = end;
                    }
                    back.bytes.clear();
                    if last {
                        break;
                    }
                    thread::sleep(Duration::from_millis(10));
                }
                writer.finish().expect("room on the disk");
            });
            let offers = (0..threads).map(|_| Buffered { front: &front, messages });
            let nanos = calls(offers.collect());
            done.store(true, Ordering::Release);
            nanos
        })
    }
}

impl Offer for Buffered<'_> {
    fn offer(&mut self, n: usize, time: i64) {
        let mut front = self.front.lock().unwrap_or_else(PoisonError::into_inner);
        let payload = &self.messages[n % self.messages.len()];
        front.bytes.extend_from_slice(payload);
        let end = front.bytes.len();
        front.messages.push((n, time, end));
    }
}
