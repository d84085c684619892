//! Reading and writing MCAP files beside the crate `mcap`.

use std::fs;
use std::hint::black_box;
use std::io::BufWriter;
use std::path::Path;

use lk::Dataset;
use lk::dataset::Query;
use mcap::records::MessageHeader;

use crate::data;
use crate::measure::{Subject, Table};

const MESSAGES: u32 = 100_000;

pub fn run(table: &mut Table) {
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
