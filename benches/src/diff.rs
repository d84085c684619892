//! Comparing two recordings, every message decoded and different.

use std::hint::black_box;
use std::path::Path;
use std::process::{Command, Stdio};

use lk::Dataset;
use lk::diff::{Policy, Verdict, diff};

use crate::data;
use crate::measure::{Subject, Table};

const MESSAGES: u32 = 100_000;
/// Where `linear_acceleration.x` lies in a payload.
const CHANGED: usize = 4 + 24 + 8 * (4 + 9 + 3 + 9);

pub fn run(table: &mut Table) {
    const IMU: &str = "diff/imu-files/324B";
    if !table.wants(IMU) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder for files");
    let (a, b) = (folder.path().join("a.mcap"), folder.path().join("b.mcap"));
    let reference = data::imus(MESSAGES, 1);
    data::write(&a, &reference);
    data::write(&b, &changed(&reference));
    let policy = Policy::default();

    let compare = |b: &Path, expected: Verdict| {
        let [a, b] = [a.as_path(), b].map(|path| Dataset::open(path).expect("a file of lk"));
        let result = diff(&a, &b, &policy).expect("a policy that fits");
        assert_eq!(result.verdict, expected);
        black_box(result);
        u64::from(MESSAGES)
    };
    let python = std::env::var("LK_BENCH_PYTHON").expect("run by `cargo xtask bench`");
    let peer = Path::new(&python).with_file_name("pymcap-cli");
    table.measure(
        IMU,
        "pairs/s",
        vec![
            Subject::new("lk, all different in one field", || compare(&b, Verdict::Equal)),
            Subject::new("lk, identical", || compare(&a, Verdict::Identical)),
            Subject::peer("pymcap-cli 0.34.0, raw bytes, its start included", || {
                let mut command = Command::new(&peer);
                command.args(["diff", "--compare-payloads"]).args([&a, &b]);
                command.stdout(Stdio::null()).stderr(Stdio::null());
                command.status().expect("installed by `cargo xtask bench`");
                u64::from(MESSAGES)
            }),
        ],
    );
}

/// The same messages, one field of each off by 1e-9, which is within the
/// default tolerance.
fn changed(payloads: &[Vec<u8>]) -> Vec<Vec<u8>> {
    payloads
        .iter()
        .map(|payload| {
            let mut payload = payload.clone();
            let field = &mut payload[CHANGED..CHANGED + 8];
            let value = f64::from_le_bytes(field.try_into().expect("eight bytes"));
            field.copy_from_slice(&(value + 1e-9).to_le_bytes());
            payload
        })
        .collect()
}
