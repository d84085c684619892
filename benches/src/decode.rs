//! Decoding messages by a schema that is known only at run time.

use std::hint::black_box;

use lk::codec::Plan;
use lk::{Schema, Value};
use re_ros_msg::MessageSchema;
use re_ros_msg::deserialize::{MapResolver, decode_message};

use crate::data;
use crate::measure::{Subject, Table};

const MESSAGES: u32 = 100_000;

pub fn run(table: &mut Table) {
    const IMU: &str = "decode/imu/324B";
    if !table.wants(IMU) {
        return;
    }
    let payloads = data::imus(MESSAGES, 1);
    let schema =
        Schema::parse("sensor_msgs/msg/Imu", data::IMU_TEXT).expect("a type of built-in ones");
    let plan = Plan::new(&schema);

    let text = schema.to_msg_text();
    let theirs = MessageSchema::parse("sensor_msgs/msg/Imu", &text).expect("text that lk printed");
    let resolver =
        MapResolver::new(theirs.dependencies.iter().map(|spec| (spec.name.clone(), spec)));

    let mut kept = Value::default_of(&schema);
    table.measure(
        IMU,
        "msg/s",
        vec![
            Subject::new("lk, a new value each", || {
                for payload in &payloads {
                    black_box(plan.decode(payload).expect("a whole message"));
                }
                u64::from(MESSAGES)
            }),
            Subject::new("lk, into one value", || {
                for payload in &payloads {
                    plan.decode_into(payload, &mut kept).expect("a whole message");
                    black_box(&kept);
                }
                u64::from(MESSAGES)
            }),
            Subject::peer("re_ros_msg 0.36.3", || {
                for payload in &payloads {
                    let mut reader = re_cdr::CdrReader::<re_cdr::LittleEndian>::new(&payload[4..]);
                    let value = decode_message(&mut reader, &theirs.spec, &resolver);
                    black_box(value.expect("a whole message"));
                }
                u64::from(MESSAGES)
            }),
        ],
    );
}
