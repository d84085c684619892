//! Reading and writing MCAP files beside the crate `mcap`.

use std::fs;
use std::hint::black_box;
use std::io::BufWriter;
use std::path::Path;
use std::time::Instant;

use bytes::Bytes;
use lk::dataset::{Backend, CreateOptions, Query, Sample};
use lk::{Dataset, Time};
use mcap::records::MessageHeader;

use crate::data;
use crate::measure::{Subject, Table};

const MESSAGES: u32 = 100_000;

pub fn run(table: &mut Table) {
    imu(table);
    for (name, bytes, count) in [("100B", 100, 300_000), ("10KiB", 10 << 10, 4_000)] {
        write(table, name, bytes, count);
    }
}

/// What writing costs as a whole, and what it costs the caller.
fn write(table: &mut Table, name: &str, bytes: usize, count: u32) {
    let (whole, calls) = (format!("mcap/write/{name}"), format!("mcap/write-call/{name}"));
    if !table.wants(&whole) && !table.wants(&calls) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder for files");
    let path = folder.path().join("written.mcap");
    let payloads: Vec<Bytes> = data::floats(bytes, count, 2).into_iter().map(Bytes::from).collect();
    let all = bytes as u64 * u64::from(count);
    let in_caller = || peer_options().compression_threads(0);
    table.measure(
        &whole,
        "B/s",
        vec![
            Subject::new("lk, zstd, checksums, 2 threads", || {
                write_each(&path, CreateOptions::default(), &payloads, &mut |_| {});
                all
            }),
            Subject::peer("mcap 0.26.0, zstd, checksums, its defaults", || {
                write_each_peer(&path, peer_options(), &payloads, &mut |_| {});
                all
            }),
            Subject::peer("mcap 0.26.0, the same in the caller", || {
                write_each_peer(&path, in_caller(), &payloads, &mut |_| {});
                all
            }),
        ],
    );
    let size = |write: &dyn Fn()| {
        write();
        fs::metadata(&path).expect("a written file").len() as f64 / all as f64
    };
    let ours = size(&|| write_each(&path, CreateOptions::default(), &payloads, &mut |_| {}));
    let theirs = size(&|| write_each_peer(&path, peer_options(), &payloads, &mut |_| {}));
    let sizes = format!("mcap/write-size/{name}");
    table.text(&sizes, "lk, zstd, of the payloads", format!("{ours:.3}"));
    table.text(&sizes, "mcap 0.26.0, its defaults", format!("{theirs:.3}"));
    if !table.wants(&calls) {
        return;
    }
    let mut nanos = Vec::with_capacity(payloads.len());
    let (plain, live) = (CreateOptions::default(), CreateOptions::live());
    for (what, options) in [("lk, zstd", plain), ("lk, live: lz4", live)] {
        nanos.clear();
        write_each(&path, options, &payloads, &mut |took| nanos.push(took));
        table.calls(&calls, what, nanos.clone());
    }
    nanos.clear();
    write_each_peer(&path, peer_options(), &payloads, &mut |took| nanos.push(took));
    table.calls(&calls, "mcap 0.26.0, its defaults", nanos);
}

/// Writes and closes a file, and tells what each call took.
fn write_each(path: &Path, options: CreateOptions, payloads: &[Bytes], took: &mut dyn FnMut(u64)) {
    let options = CreateOptions { overwrite: true, ..options };
    let mut writer = lk::dataset::mcap::Writer::create(path, options).expect("a new file");
    let id = writer.add_channel(data::untyped("floats")).expect("a new key");
    for (i, payload) in payloads.iter().enumerate() {
        let time = Time::from_nanos(i as i64 * 1_000);
        let payload = payload.clone();
        let sample = Sample { time, publish_time: time, sequence: i as u32, payload };
        let start = Instant::now();
        writer.write(id, sample).expect("room on the disk");
        took(start.elapsed().as_nanos() as u64);
    }
    writer.close().expect("room on the disk");
}

fn peer_options() -> mcap::WriteOptions {
    mcap::WriteOptions::new().profile("ros2").chunk_size(Some(1 << 20))
}

fn write_each_peer(
    path: &Path,
    options: mcap::WriteOptions,
    payloads: &[Bytes],
    took: &mut dyn FnMut(u64),
) {
    let file = BufWriter::new(fs::File::create(path).expect("room on the disk"));
    let mut writer = options.create(file).expect("room on the disk");
    let channel = writer.add_channel(0, "floats", "", &Default::default());
    let channel_id = channel.expect("a new channel");
    for (i, payload) in payloads.iter().enumerate() {
        let (sequence, time) = (i as u32, i as u64 * 1_000);
        let header = MessageHeader { channel_id, sequence, log_time: time, publish_time: time };
        let start = Instant::now();
        writer.write_to_known_channel(&header, payload).expect("room on the disk");
        took(start.elapsed().as_nanos() as u64);
    }
    writer.finish().expect("room on the disk");
}

fn imu(table: &mut Table) {
    const READ: &str = "mcap/read-imu/324B";
    const WRITE: &str = "mcap/write-imu/324B";
    if !table.wants(READ) && !table.wants(WRITE) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder for files");
    let path = folder.path().join("imu.mcap");
    let payloads = data::imus(MESSAGES, 1);
    data::write(&path, &payloads);
    table.measure(
        READ,
        "msg/s",
        vec![
            Subject::new("lk, checksums checked", || read(&path)),
            Subject::peer("mcap 0.26.0, its defaults", || read_peer(&path)),
        ],
    );

    let written = folder.path().join("written.mcap");
    table.measure(
        WRITE,
        "msg/s",
        vec![
            Subject::new("lk, zstd, checksums", || {
                fs::remove_file(&written).ok();
                data::write(&written, &payloads);
                u64::from(MESSAGES)
            }),
            Subject::peer("mcap 0.26.0, zstd, checksums", || write_peer(&written, &payloads)),
        ],
    );
}

fn read(path: &Path) -> u64 {
    let dataset = Dataset::open(path).expect("a file of lk");
    let samples = dataset.samples(&Query::default()).expect("a file of lk");
    samples.map(|sample| black_box(sample).is_ok() as u64).sum()
}

fn read_peer(path: &Path) -> u64 {
    let bytes = fs::read(path).expect("a file of lk");
    let messages = mcap::MessageStream::new(&bytes).expect("a file of lk");
    messages.map(|message| black_box(message).is_ok() as u64).sum()
}

fn write_peer(path: &Path, payloads: &[Vec<u8>]) -> u64 {
    let file = BufWriter::new(fs::File::create(path).expect("room on the disk"));
    let options = mcap::WriteOptions::new().profile("ros2").chunk_size(Some(1 << 20));
    let mut writer = options.create(file).expect("room on the disk");
    let schema = writer.add_schema("sensor_msgs/msg/Imu", "ros2msg", data::IMU_TEXT.as_bytes());
    let channel = writer
        .add_channel(schema.expect("a new schema"), "imu", "cdr", &Default::default())
        .expect("a new channel");
    for (i, payload) in payloads.iter().enumerate() {
        let time = i as u64 * 10_000_000;
        let header = MessageHeader {
            channel_id: channel,
            sequence: i as u32,
            log_time: time,
            publish_time: time,
        };
        writer.write_to_known_channel(&header, payload).expect("room on the disk");
    }
    writer.finish().expect("room on the disk");
    payloads.len() as u64
}
