//! Rules: what is read prints as text that reads back as the same, and any
//! rules can be applied, or refused.

use std::sync::LazyLock;

use lk::diff::{DiffOptions, Policy, Rule, Verdict, diff_with};
use lk::{Dataset, Schema, Time, Value};

/// Datasets with every kind of field, the same but for a message. What could be
/// a rotation is one: no quaternion of norm 0 is equal to itself.
static SIDES: LazyLock<[Dataset; 2]> = LazyLock::new(|| {
    let texts = [
        (
            "pose",
            "geometry_msgs/Pose pose\nfloat64 yaw\nint32 n\nfloat32[4] q [0, 0, 0, 1]\nstring s",
        ),
        (
            "/imu/data",
            "sensor_msgs/Imu imu\nP[] parts\nbool b\n===\nMSG: fuzz/P\nfloat64 x\nuint8[] raw",
        ),
        ("odd key:[0]", "float64 data"),
    ];
    [3, 4].map(|count| {
        let mut dataset = Dataset::memory();
        for (key, text) in texts {
            let schema = Schema::parse("fuzz/msg/Root", text).expect("the text is right");
            for n in 0..count {
                let time = Time::from_nanos(n * 1_000_000);
                dataset
                    .write_value(key, &Value::default_of(&schema), time)
                    .expect("memory takes it");
            }
        }
        dataset
    })
});

/// The bytes are lines, each a rule; a first line that begins with a brace is
/// a policy as JSON.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut policy = Policy::default();
    for line in text.lines().take(16) {
        if line.starts_with('{') {
            let Ok(read) = serde_json::from_str::<Policy>(line) else { continue };
            let printed = serde_json::to_string(&read).expect("a policy is plain data");
            match serde_json::from_str::<Policy>(&printed) {
                Ok(again) => assert_eq!(again, read, "{printed}"),
                Err(e) => panic!("{e}: {printed}"),
            }
            policy = read;
            continue;
        }
        let Ok(rule) = line.parse::<Rule>() else { continue };
        let printed = rule.to_string();
        match printed.parse::<Rule>() {
            Ok(again) => assert_eq!(again, rule, "{line:?} as {printed:?}"),
            Err(e) => panic!("{line:?} as {printed:?}: {e}"),
        }
        policy.rules.push(rule);
    }
    let [a, b] = &*SIDES;
    let options = DiffOptions { threads: 1 };
    if let Ok(result) = diff_with(a, a, &policy, &options) {
        // Equal where something is ignored, incomparable where all is.
        assert_ne!(result.verdict, Verdict::Different, "{policy:?}");
    }
    if let Ok(result) = diff_with(a, b, &policy, &options) {
        let passes = matches!(result.verdict, Verdict::Identical | Verdict::Equal);
        let ignores = result.rules.iter().any(|rule| rule.rule.contains("ignore"));
        assert!(!passes || ignores, "a missing message passes under {policy:?}");
    }
}
