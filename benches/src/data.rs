//! Messages to measure on: `sensor_msgs/Imu` of 324 bytes, seeded.

use std::path::Path;

use bytes::Bytes;
use lk::dataset::{Channel, Encoding, ForeignEncoding, Role};
use lk::{Dataset, Schema, Time};

/// Frame name that makes the payload 324 bytes.
const FRAME: &[u8] = b"imu_link\0";

/// A payload of `sensor_msgs/Imu`, header included: stamp, frame, and 37
/// float64 (orientation, angular velocity and linear acceleration with their
/// covariances).
pub fn imu(index: u32, random: &mut fastrand::Rng) -> Vec<u8> {
    let mut payload = vec![0, 1, 0, 0];
    payload.extend((index / 100).to_le_bytes());
    payload.extend((index % 100 * 10_000_000).to_le_bytes());
    payload.extend((FRAME.len() as u32).to_le_bytes());
    payload.extend(FRAME);
    payload.resize(4 + 24, 0);
    for _ in 0..37 {
        payload.extend((random.f64() - 0.5).to_le_bytes());
    }
    assert_eq!(payload.len(), 324);
    payload
}

/// `count` payloads.
pub fn imus(count: u32, seed: u64) -> Vec<Vec<u8>> {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..count).map(|i| imu(i, &mut random)).collect()
}

/// Where `linear_acceleration.x` lies in a payload.
const CHANGED: usize = 4 + 24 + 8 * (4 + 9 + 3 + 9);

/// The same message, one field of it off by 1e-9, which is within the default
/// tolerance.
pub fn changed(payload: &[u8]) -> Vec<u8> {
    let mut payload = payload.to_owned();
    let field = &mut payload[CHANGED..CHANGED + 8];
    let value = f64::from_le_bytes(field.try_into().expect("eight bytes"));
    field.copy_from_slice(&(value + 1e-9).to_le_bytes());
    payload
}

/// `count` payloads of so many bytes: random floats between -0.5 and 0.5.
pub fn floats(bytes: usize, count: u32, seed: u64) -> Vec<Vec<u8>> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut payload = || {
        let mut payload = vec![0, 1, 0, 0];
        while payload.len() < bytes {
            payload.extend((random.f64() - 0.5).to_le_bytes());
        }
        payload.truncate(bytes);
        payload
    };
    (0..count).map(|_| payload()).collect()
}

/// A channel of payloads without a type.
pub fn untyped(key: &str) -> Channel {
    Channel {
        key: key.to_owned(),
        encoding: Encoding::Foreign(ForeignEncoding::untyped("")),
        role: Role::None,
        metadata: Default::default(),
    }
}

/// The definition of those messages, without the built-in types it names.
pub const IMU_TEXT: &str = "\
std_msgs/Header header
geometry_msgs/Quaternion orientation
float64[9] orientation_covariance
geometry_msgs/Vector3 angular_velocity
float64[9] angular_velocity_covariance
geometry_msgs/Vector3 linear_acceleration
float64[9] linear_acceleration_covariance
";

/// A new file with those messages under one key, at 100 Hz.
pub fn write(path: &Path, payloads: impl IntoIterator<Item = impl AsRef<[u8]>>) {
    let schema = Schema::parse("sensor_msgs/msg/Imu", IMU_TEXT).expect("a known type");
    let mut dataset = Dataset::create(path).expect("a new file");
    let channel = Channel {
        key: "imu".to_owned(),
        encoding: Encoding::Cdr(schema),
        role: Role::Output,
        metadata: Default::default(),
    };
    let id = dataset.add_channel(channel).expect("a new key");
    for (i, payload) in payloads.into_iter().enumerate() {
        let time = Time::from_nanos(i as i64 * 10_000_000);
        let payload = Bytes::copy_from_slice(payload.as_ref());
        dataset.write_payload(id, payload, time).expect("a payload of the type");
    }
    dataset.close().expect("room on the disk");
}
