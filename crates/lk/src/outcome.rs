//! What running and verifying implementations came to: plain facts that the
//! runner gives and reports render.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::diff::DiffResult;

/// What `verify` found out about one component.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VerifyOutcome {
    /// Version of the JSON form, [`crate::diff::REPORT_VERSION`].
    pub version: u32,
    /// Name of the component.
    pub component: String,
    /// Where the inputs come from: a path.
    pub inputs: String,
    /// Ticks that were run.
    pub ticks: u64,
    /// The reference.
    pub reference: ReferenceOutcome,
    /// The candidates, in the order of `lk.toml`.
    pub candidates: Vec<CandidateOutcome>,
    /// What a reader should know that is no difference: programs that ran
    /// unconfined, an unverified input.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// Where the reference recording came from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReferenceOutcome {
    /// The dataset.
    pub recording: String,
    /// Program hash, inputs hash, seed and the like, by name.
    pub provenance: BTreeMap<String, String>,
    /// The run, an earlier one where it is cached; `None` where `lk.toml` gives
    /// a recording.
    pub run: Option<RunOutcome>,
    /// Taken from the cache.
    pub cached: bool,
}

/// One candidate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CandidateOutcome {
    /// Its name in `lk.toml`.
    pub name: String,
    /// What became of it.
    #[serde(flatten)]
    pub result: CandidateResult,
}

/// What became of a candidate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum CandidateResult {
    /// It did not build.
    BuildFailed(Failure),
    /// It did not run to the end.
    RunFailed(Failure),
    /// It ran, and was compared.
    Compared {
        /// The run.
        run: RunOutcome,
        /// The comparison with the reference.
        diff: Box<DiffResult>,
    },
}

/// Why a program did not build, or did not run to the end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// What happened, naming the thing: `candidate cpp exited with 3 at tick
    /// 812`.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The tick that it was at, where it ran.
    pub tick: Option<u64>,
    /// The last lines of its log (standard error, or the build's output).
    pub log: Vec<String>,
}

/// A program's run over all ticks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunOutcome {
    /// Language and version of the harness, as the program says.
    pub harness: String,
    /// Ticks stepped.
    pub ticks: u64,
    /// Samples written, by output port.
    pub outputs: BTreeMap<String, u64>,
    /// Ticks that ended in an error of the component, with its text, the
    /// first ten.
    pub component_errors: Vec<(u64, String)>,
    /// All ticks that ended in an error.
    pub n_component_errors: u64,
    /// Time inside `step`, as the program measured it.
    pub step: StepTimes,
    /// From the first tick to the last answer, in nanoseconds.
    pub wall_ns: u64,
    /// Largest resident memory in bytes; `None` where the system can't tell.
    pub peak_memory_bytes: Option<u64>,
    /// The last lines of its log.
    pub log: Vec<String>,
}

/// Quantiles of the time inside `step`, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepTimes {
    /// Median.
    pub p50_ns: u64,
    /// 99th percentile.
    pub p99_ns: u64,
    /// Longest.
    pub max_ns: u64,
}
