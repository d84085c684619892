//! Ours and the peers in turn, round by round, so that a machine whose speed
//! drifts moves them all; the median of each, and the ratio round by round.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// Rounds that count; one more before them warms up.
const ROUNDS: usize = 7;

/// One thing to measure: its name, and what does the work once and says how
/// many units it did.
pub struct Subject<'a> {
    pub name: &'a str,
    pub is_peer: bool,
    pub work: Box<dyn FnMut() -> u64 + 'a>,
}

impl<'a> Subject<'a> {
    pub fn new(name: &'a str, work: impl FnMut() -> u64 + 'a) -> Subject<'a> {
        Subject { name, is_peer: false, work: Box::new(work) }
    }

    pub fn peer(name: &'a str, work: impl FnMut() -> u64 + 'a) -> Subject<'a> {
        Subject { is_peer: true, ..Subject::new(name, work) }
    }
}

struct Row {
    bench: String,
    subject: String,
    measured: String,
    /// The first of ours over this peer; `None` for ours.
    ratio: Option<f64>,
}

pub struct Table {
    wanted: Vec<String>,
    rows: Vec<Row>,
}

impl Table {
    pub fn new(wanted: Vec<String>) -> Table {
        Table { wanted, rows: Vec::new() }
    }

    pub fn wants(&self, bench: &str) -> bool {
        self.wanted.is_empty() || self.wanted.iter().any(|name| bench.starts_with(name.as_str()))
    }

    /// Whether it was asked for, rather than everything.
    pub fn is_named(&self, bench: &str) -> bool {
        !self.wanted.is_empty() && self.wants(bench)
    }

    /// Takes down a value that is no rate.
    pub fn record(&mut self, bench: &str, subject: &str, value: f64, unit: &str) {
        self.text(bench, subject, format!("{value:.1} {unit}"));
    }

    /// Takes down what was measured elsewhere.
    pub fn text(&mut self, bench: &str, subject: &str, measured: String) {
        let (bench, subject) = (bench.to_owned(), subject.to_owned());
        self.rows.push(Row { bench, subject, measured, ratio: None });
    }

    /// Measures the subjects in turn; ratios are of the first one.
    pub fn measure(&mut self, bench: &str, unit: &'static str, subjects: Vec<Subject<'_>>) {
        let begin = Instant::now();
        self.measure_by(&|| begin.elapsed(), bench, unit, subjects);
    }

    /// As [`Table::measure`], in processor time of this thread: for work on
    /// one thread that waits for nothing, whatever else the machine does.
    pub fn measure_cpu(&mut self, bench: &str, unit: &'static str, subjects: Vec<Subject<'_>>) {
        let used = || {
            let time = clock_gettime(ClockId::ThreadCPUTime);
            Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
        };
        self.measure_by(&used, bench, unit, subjects);
    }

    fn measure_by(
        &mut self,
        time: &dyn Fn() -> Duration,
        bench: &str,
        unit: &'static str,
        subjects: Vec<Subject<'_>>,
    ) {
        if !self.wants(bench) {
            return;
        }
        eprintln!("{bench}");
        let mut subjects = subjects;
        let mut rates = vec![Vec::with_capacity(ROUNDS); subjects.len()];
        for round in 0..=ROUNDS {
            for (subject, rates) in subjects.iter_mut().zip(&mut rates) {
                let start = time();
                let units = (subject.work)();
                let seconds = (time() - start).as_secs_f64();
                if round > 0 {
                    rates.push(units as f64 / seconds);
                }
            }
        }
        for (i, subject) in subjects.iter().enumerate() {
            let ratio = subject.is_peer.then(|| {
                median(rates[0].iter().zip(&rates[i]).map(|(ours, theirs)| ours / theirs).collect())
            });
            self.rows.push(Row {
                bench: bench.to_owned(),
                subject: subject.name.to_owned(),
                measured: format!("{}{unit}", scaled(median(rates[i].clone()))),
                ratio,
            });
        }
    }

    /// What single calls took, given in nanoseconds.
    pub fn calls(&mut self, bench: &str, subject: &str, mut nanos: Vec<u64>) {
        nanos.sort_unstable();
        let at = |part: f64| nanos[((nanos.len() - 1) as f64 * part) as usize] as f64 / 1e3;
        let measured = format!("p50 {:.2}, p99 {:.2}, max {:.0} us", at(0.5), at(0.99), at(1.0));
        self.text(bench, subject, measured);
    }

    /// A Markdown table.
    pub fn print(&self) {
        println!("| benchmark | what | median | ours / peer |");
        println!("| --- | --- | ---: | ---: |");
        for Row { bench, subject, measured, ratio } in &self.rows {
            let ratio = ratio.map_or(String::new(), |r| format!("{r:.2}"));
            println!("| {bench} | {subject} | {measured} | {ratio} |");
        }
    }
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn scaled(rate: f64) -> String {
    match rate {
        r if r >= 1e9 => format!("{:.2} G", r / 1e9),
        r if r >= 1e6 => format!("{:.2} M", r / 1e6),
        r if r >= 1e3 => format!("{:.1} k", r / 1e3),
        r => format!("{r:.1} "),
    }
}
