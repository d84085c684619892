//! Comparing long arrays of float64 in memory, where it is the inner loop that
//! counts: bytes of both inputs in a second, on one core.

use std::cell::RefCell;
use std::hint::black_box;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use lk::dataset::{Channel, Encoding, Query, Role};
use lk::diff::{DiffOptions, Policy, Tolerance, Verdict, diff_with};
use lk::{Dataset, Schema, Time};

use crate::measure::{Subject, Table};

/// Messages of one array each, of 2 MiB.
const MESSAGES: usize = 16;
const ELEMENTS: usize = 1 << 18;
/// Of both sides.
const BYTES: u64 = 2 * (MESSAGES * ELEMENTS * 8) as u64;
/// What lies before the first element: encapsulation, length, padding.
const HEAD: usize = 4 + 4 + 4;

struct Case {
    name: &'static str,
    /// How far elements are apart, at most.
    apart: f64,
    abs: f64,
    rel: f64,
    verdict: Verdict,
}

const CASES: [Case; 3] = [
    Case {
        name: "diff/float64-arrays/equal",
        apart: 0.0,
        abs: 1e-6,
        rel: 0.0,
        verdict: Verdict::Identical,
    },
    Case {
        name: "diff/float64-arrays/within-abs",
        apart: 1e-7,
        abs: 1e-6,
        rel: 0.0,
        verdict: Verdict::Equal,
    },
    Case {
        name: "diff/float64-arrays/within-abs-rel",
        apart: 1e-7,
        abs: 1e-6,
        rel: 1e-6,
        verdict: Verdict::Equal,
    },
];

pub fn run(table: &mut Table) {
    for case in &CASES {
        if table.wants(case.name) {
            measure(table, case);
        }
    }
}

fn measure(table: &mut Table, case: &Case) {
    // Other numbers in each run: nothing hangs on lucky ones.
    let seed = fastrand::u64(..);
    let [a, b] = [dataset(seed, 0.0), dataset(seed, case.apart)];
    let policy = Policy { default: Tolerance::sum(case.abs, case.rel), ..Policy::default() };
    let python = RefCell::new(Python::start(case));
    let peer = |name: &'static str| {
        let python = &python;
        move || python.borrow_mut().compare(name)
    };
    let mut subjects = vec![
        Subject::new("lk, full statistics", || compare(&a, &b, &policy, case.verdict)),
        Subject::peer("one pass in Rust, the largest error alone", || one_pass(&a, &b)),
        Subject::peer("NumPy 2.4.6 assert_allclose", peer("assert_allclose")),
        Subject::peer("xarray 2026.9.0 assert_allclose", peer("xarray")),
        Subject::peer("polars 2.1.0 assert_series_equal", peer("polars")),
    ];
    if case.verdict == Verdict::Identical {
        subjects.push(Subject::peer("NumPy 2.4.6 array_equal", peer("array_equal")));
    }
    table.measure(case.name, "B/s", subjects);
}

fn compare(a: &Dataset, b: &Dataset, policy: &Policy, expected: Verdict) -> u64 {
    let options = DiffOptions { threads: 1 };
    let result = diff_with(a, b, policy, &options).expect("a policy that fits");
    assert_eq!(result.verdict, expected);
    black_box(result);
    BYTES
}

/// What a hand-written loop does that keeps nothing but the largest error.
fn one_pass(a: &Dataset, b: &Dataset) -> u64 {
    let payloads = |dataset: &Dataset| -> Vec<_> {
        let samples = dataset.samples(&Query::default()).expect("it is in memory");
        samples.map(|sample| sample.expect("it is in memory").1.payload).collect()
    };
    let mut largest = [0.0_f64; 4];
    for (a, b) in payloads(a).iter().zip(&payloads(b)) {
        let ((a, _), (b, _)) = (a[HEAD..].as_chunks::<32>(), b[HEAD..].as_chunks::<32>());
        for (a, b) in a.iter().zip(b) {
            for (lane, largest) in largest.iter_mut().enumerate() {
                let value = |bytes: &[u8; 32]| {
                    let bytes = &bytes[8 * lane..8 * lane + 8];
                    f64::from_le_bytes(bytes.try_into().expect("eight bytes"))
                };
                let error = (value(b) - value(a)).abs();
                *largest = if error > *largest { error } else { *largest };
            }
        }
    }
    black_box(largest);
    BYTES
}

/// Numbers from -1 to 1, each off by up to `apart`.
fn dataset(seed: u64, apart: f64) -> Dataset {
    let mut dataset = Dataset::memory();
    let channel = Channel {
        key: "y".to_owned(),
        encoding: Encoding::Cdr(Schema::parse("test/msg/Array", "float64[] v").expect("a type")),
        role: Role::Output,
        metadata: Default::default(),
    };
    let id = dataset.add_channel(channel).expect("a new key");
    let mut random = fastrand::Rng::with_seed(seed);
    let mut noise = fastrand::Rng::with_seed(!seed);
    for n in 0..MESSAGES {
        let mut payload = vec![0, 1, 0, 0];
        payload.extend((ELEMENTS as u32).to_le_bytes());
        payload.resize(HEAD, 0);
        for _ in 0..ELEMENTS {
            let value = 2.0 * random.f64() - 1.0;
            let error = apart * (2.0 * noise.f64() - 1.0);
            payload.extend((value + error).to_le_bytes());
        }
        let time = Time::from_nanos(n as i64 * 1_000_000_000);
        dataset.write_payload(id, payload, time).expect("a payload of the type");
    }
    dataset
}

/// The peers in Python, in a process that has its arrays already: neither its
/// start nor making them counts.
struct Python {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Python {
    fn start(case: &Case) -> Python {
        let python = std::env::var("LK_BENCH_PYTHON").expect("run by `cargo xtask bench`");
        let mut child = Command::new(python)
            .args(["-c", include_str!("arrays/peers.py"), &(MESSAGES * ELEMENTS).to_string()])
            .args([case.apart, case.abs, case.rel].map(|number| number.to_string()))
            // One core, as lk.
            .envs([("POLARS_MAX_THREADS", "1"), ("OMP_NUM_THREADS", "1")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("installed by `cargo xtask bench`");
        let stdin = child.stdin.take().expect("a pipe");
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut python = Python { child, stdin, stdout };
        python.answer("ready");
        python
    }

    fn compare(&mut self, peer: &str) -> u64 {
        writeln!(self.stdin, "{peer}").expect("it listens");
        self.answer("equal");
        BYTES
    }

    fn answer(&mut self, expected: &str) {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("it answers");
        assert_eq!(line.trim(), expected);
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        // It is of no use any more, whatever it does.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
