//! What comparing two large files takes of memory. Only where it is asked for
//! by name: it writes 4 GB.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{fs, thread};

use crate::data;
use crate::measure::Table;

/// As many as make a file of 2 GB.
const MESSAGES: u32 = 6_500_000;

pub fn run(table: &mut Table) {
    const MEMORY: &str = "memory/diff-2GB-each";
    if !table.is_named(MEMORY) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder for files");
    let (a, b) = (folder.path().join("a.mcap"), folder.path().join("b.mcap"));
    let messages = || {
        let mut random = fastrand::Rng::with_seed(1);
        (0..MESSAGES).map(move |i| data::imu(i, &mut random))
    };
    data::write(&a, messages());
    data::write(&b, messages().map(|payload| data::changed(&payload)));
    let gigabytes = fs::metadata(&a).expect("just written").len() as f64 / 1e9;
    table.record(MEMORY, "one of the files", gigabytes, "GB");
    for threads in ["1", "2", "8"] {
        let subject = format!("lk diff -j {threads}, all different in one field, peak");
        table.record(MEMORY, &subject, peak_mib(&a, &b, threads), "MiB");
    }
}

/// The largest resident memory of `lk diff` as it runs.
fn peak_mib(a: &Path, b: &Path, threads: &str) -> f64 {
    let lk = std::env::var("LK_BENCH_BINARY").expect("run by `cargo xtask bench`");
    let mut command = Command::new(lk);
    command.args(["diff", "-j", threads]).args([a, b]).stdout(Stdio::null());
    let mut child = command.spawn().expect("built by `cargo xtask bench`");
    let mut peak_kib = 0.0_f64;
    let status = loop {
        // The kernel keeps the peak: what matters is to look late.
        let text = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let field = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = field.and_then(|field| field.trim().strip_suffix(" kB")?.parse().ok());
        peak_kib = peak_kib.max(kib.unwrap_or(0.0));
        if let Some(status) = child.try_wait().expect("a child of ours") {
            break status;
        }
        thread::sleep(Duration::from_millis(10));
    };
    assert!(status.success(), "nothing differs by more than the tolerance");
    peak_kib / 1024.0
}
