//! Comparing two recordings: all messages different, or none.

use std::hint::black_box;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use lk::Dataset;
use lk::diff::{DiffOptions, Policy, Verdict, diff_with};

use crate::data;
use crate::measure::{Subject, Table};
use crate::unpack::unpack;

const MESSAGES: u32 = 100_000;

pub fn run(table: &mut Table) {
    const RAW: &str = "diff/imu-files/324B";
    const IDENTICAL: [&str; 2] = ["diff/imu-identical/1-thread", "diff/imu-identical/2-threads"];
    const DIFFERENT: &str = "diff/imu-different/2-threads";
    if ![RAW, IDENTICAL[0], IDENTICAL[1], DIFFERENT].iter().any(|name| table.wants(name)) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder for files");
    let files = ["a", "same", "b"].map(|name| folder.path().join(name).with_extension("mcap"));
    let [a, same, b] = files.each_ref().map(|path| path.as_path());
    let reference = data::imus(MESSAGES, 1);
    data::write(a, &reference);
    data::write(b, reference.iter().map(|payload| data::changed(payload)));
    std::fs::copy(a, same).expect("room on the disk");

    let compare = |b: &Path, threads: usize, expected: Verdict| {
        let [a, b] = [a, b].map(|path| Dataset::open(path).expect("a file of lk"));
        let options = DiffOptions { threads };
        let result = diff_with(&a, &b, &Policy::default(), &options).expect("a policy that fits");
        assert_eq!(result.verdict, expected);
        black_box(result);
        u64::from(MESSAGES)
    };
    let different = |threads| move || compare(b, threads, Verdict::Equal);
    let identical = |threads| move || compare(same, threads, Verdict::Identical);
    if table.wants(RAW) {
        let python = std::env::var("LK_BENCH_PYTHON").expect("run by `cargo xtask bench`");
        let peer = Path::new(&python).with_file_name("pymcap-cli");
        let subjects = vec![
            Subject::new("lk, all different in one field", different(1)),
            Subject::peer("pymcap-cli 0.34.0, raw bytes, its start included", || {
                let mut command = Command::new(&peer);
                command.args(["diff", "--compare-payloads"]).args([a, b]);
                command.stdout(Stdio::null()).stderr(Stdio::null());
                command.status().expect("installed by `cargo xtask bench`");
                u64::from(MESSAGES)
            }),
        ];
        table.measure(RAW, "pairs/s", subjects);
    }
    let subjects = vec![
        Subject::new("lk, identical", identical(1)),
        Subject::peer("only unpacking both, nothing checked or looked at", || {
            black_box((unpack(a), unpack(same)));
            u64::from(MESSAGES)
        }),
    ];
    table.measure(IDENTICAL[0], "pairs/s", subjects);
    let subjects = vec![
        Subject::new("lk, identical", identical(2)),
        Subject::peer("only unpacking both, each in a thread", || {
            thread::scope(|scope| {
                let other = scope.spawn(|| unpack(same));
                black_box((unpack(a), other.join().expect("it unpacks")));
            });
            u64::from(MESSAGES)
        }),
    ];
    table.measure(IDENTICAL[1], "pairs/s", subjects);
    let subjects = vec![
        Subject::new("lk, all different in one field", different(2)),
        Subject::peer("lk, the same in one thread", different(1)),
    ];
    table.measure(DIFFERENT, "pairs/s", subjects);
}
