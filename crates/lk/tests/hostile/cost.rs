//! What reading a file takes of CPU and memory, from Linux's /proc; elsewhere
//! nothing is known, and nothing is refused.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Where the process stood before.
pub(super) struct Before {
    cpu_s: f64,
}

impl Before {
    pub(super) fn now() -> Before {
        // Resets the peak (proc_pid_clear_refs(5)); where that is not allowed
        // the peak is that of all files so far, which is no less strict.
        let _ = fs::write("/proc/self/clear_refs", "5");
        Before { cpu_s: cpu_s() }
    }

    /// Seconds of CPU since then, and the most memory of the process, in KiB.
    pub(super) fn cost(&self) -> (f64, u64) {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).map(str::trim);
        (cpu_s() - self.cpu_s, kib.and_then(|kib| kib.parse().ok()).unwrap_or(0))
    }
}

fn cpu_s() -> f64 {
    // Fields 14 and 15, in hundredths (proc_pid_stat(5)).
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    ticks as f64 / 100.0
}

/// Ends the process when it has taken too much, unless dropped before.
pub(super) struct Watched(Arc<AtomicBool>);

impl Watched {
    pub(super) fn start(most_s: f64) -> Watched {
        let done = Arc::new(AtomicBool::new(false));
        let (seen, before_s) = (done.clone(), cpu_s());
        std::thread::spawn(move || {
            while !seen.load(Ordering::Relaxed) {
                if cpu_s() - before_s > most_s {
                    eprintln!("more than {most_s} s of CPU");
                    std::process::exit(1);
                }
                std::thread::park_timeout(Duration::from_millis(20));
            }
        });
        Watched(done)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
