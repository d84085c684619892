//! Build, run, compare: does a candidate behave like the reference?

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lk::Dataset;
use lk::dataset::{Query, Role, SequenceMeaning};
use lk::diff::{self, DiffResult, Policy, REPORT_VERSION, Scope};
use lk::outcome::{CandidateOutcome, CandidateResult, ReferenceOutcome, VerifyOutcome};

use crate::cache::Cache;
use crate::error::{Error, Result};
use crate::job::{Built, Job, Progress, default_output_dir, save};
use crate::manifest::{ERROR_KEY, Manifest};
use crate::provenance;
use crate::runner::RunOptions;
use crate::suggest;

/// How to verify.
#[derive(Clone, Debug, Default)]
pub struct VerifyOptions {
    /// Candidates by name; all that `lk.toml` runs by default where empty.
    pub candidates: Vec<String>,
    /// The folder of the user's cached files; no cache where `None`.
    pub cache_dir: Option<PathBuf>,
    /// Where recordings and the report go; `target/lk` beside `lk.toml` where
    /// `None`.
    pub output_dir: Option<PathBuf>,
    /// Only the first so many ticks.
    pub max_ticks: Option<usize>,
    /// How to run; the seed is that of `lk.toml`.
    pub run: RunOptions,
}

/// Builds and runs the reference and the candidates of a component on its
/// inputs, in lock-step, and compares outputs and state.
///
/// Into the output folder go `reference.mcap` (where the reference is a
/// program), `candidate-NAME.mcap` for each, and `report.json`, the outcome.
/// Programs run unconfined.
///
/// # Errors
/// Whatever is wrong with `lk.toml`, types, inputs or policy; a reference that
/// fails ([`Error::Reference`]) or that isn't one; files that can't be read or
/// written. A candidate that fails is an outcome.
pub fn verify(
    manifest: &Manifest,
    options: &VerifyOptions,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<VerifyOutcome> {
    let names = manifest.select_candidates(&options.candidates)?;
    let job = Job::new(manifest, None, options.max_ticks, options.run.clone())?;
    let mut programs = Vec::new();
    for name in names {
        programs.push((manifest.candidate_program(&name)?, name));
    }
    let reference_program = manifest.reference_program();
    // What is out of date is said before anything is built.
    for program in reference_program.iter().chain(programs.iter().map(|(program, _)| program)) {
        job.check_scaffold(program)?;
    }
    let output_dir = options.output_dir.clone().unwrap_or_else(|| default_output_dir(manifest));
    let written = Written::new(&output_dir, reference_program.is_some(), &programs);
    written.check_spares(&job.inputs)?;
    if let Some(path) = manifest.recording_path() {
        written.check_spares(&path)?;
    }
    let mut notes = job.notes();
    let reference = match reference_program {
        Some(program) => {
            let dir = program.dir.display().to_string();
            let cache = options.cache_dir.as_deref().map(Cache::new);
            let path = output_dir.join(REFERENCE_FILE);
            let reference = Reference::run(&job, program, cache.as_ref(), path, progress)?;
            if reference.outcome.cached {
                notes.push(format!(
                    "the reference's recording is from the cache, which doesn't see files \
                     outside of {dir}: --no-cache runs it anew"
                ));
            }
            reference
        }
        None => Reference::recorded(&job, manifest)?,
    };
    let mut candidates = Vec::new();
    for (program, name) in programs {
        let path = output_dir.join(candidate_file(&name));
        let result = candidate(&job, &reference, program, manifest, &path, progress)?;
        candidates.push(CandidateOutcome { name, result });
    }
    let outcome = VerifyOutcome {
        version: REPORT_VERSION,
        component: job.component.name.clone(),
        inputs: job.inputs.display().to_string(),
        ticks: job.ticks.len() as u64,
        reference: reference.outcome,
        candidates,
        notes,
    };
    let path = output_dir.join(REPORT_FILE);
    let mut json = serde_json::to_string_pretty(&outcome).map_err(Error::report(&path))?;
    json.push('\n');
    std::fs::create_dir_all(&output_dir).map_err(Error::io("create", &output_dir))?;
    std::fs::write(&path, json).map_err(Error::io("write", &path))?;
    Ok(outcome)
}

const REFERENCE_FILE: &str = "reference.mcap";
const REPORT_FILE: &str = "report.json";

fn candidate_file(name: &str) -> String {
    format!("candidate-{name}.mcap")
}

/// The files that a verification writes, whatever was there before.
struct Written(Vec<PathBuf>);

impl Written {
    fn new(dir: &Path, has_reference: bool, programs: &[(crate::Program, String)]) -> Written {
        let candidates = programs.iter().map(|(_, name)| candidate_file(name));
        let reference = has_reference.then(|| REFERENCE_FILE.to_owned());
        let names = candidates.chain(reference).chain([REPORT_FILE.to_owned()]);
        Written(names.map(|name| dir.join(name)).collect())
    }

    /// That a file which is read is none of those that are written.
    fn check_spares(&self, read: &Path) -> Result<()> {
        let Ok(read) = read.canonicalize() else { return Ok(()) };
        let is_read = |path: &&PathBuf| path.canonicalize().is_ok_and(|path| path == read);
        let Some(path) = self.0.iter().find(is_read) else { return Ok(()) };
        Err(Error::Data {
            message: "what is read here would be overwritten by a result".to_owned(),
            path: path.display().to_string(),
            hint: Some("name another folder for the results with `--out`".to_owned()),
        })
    }
}

/// The exit code of a verification that came to its end: 3 where a candidate
/// failed to build or run, else 1 where one does not pass, or there is none, else
/// 0. What comes to no outcome is 2.
pub fn exit_code(outcome: &VerifyOutcome) -> u8 {
    let code = |candidate: &CandidateOutcome| match &candidate.result {
        CandidateResult::BuildFailed(_) | CandidateResult::RunFailed(_) => 3,
        CandidateResult::Compared { diff, .. } if diff.passes() => 0,
        CandidateResult::Compared { .. } => 1,
    };
    outcome.candidates.iter().map(code).max().unwrap_or(1)
}

fn candidate(
    job: &Job,
    reference: &Reference,
    program: crate::Program,
    manifest: &Manifest,
    path: &Path,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<CandidateResult> {
    let built = match job.build(program, progress)? {
        Ok(built) => built,
        Err(failure) => return Ok(CandidateResult::BuildFailed(failure)),
    };
    reference.check_is_not_by(&built)?;
    let recorded = match job.run(&built, progress)? {
        Ok(recorded) => recorded,
        Err(failure) => return Ok(CandidateResult::RunFailed(failure)),
    };
    save(&recorded.dataset, path)?;
    progress(Progress::Comparing { program: &built.program.label });
    let policy = policy(&manifest.file.tolerance, [&reference.dataset, &recorded.dataset])?;
    let mut diff = DiffResult {
        reference: reference.outcome.recording.clone(),
        candidate: path.display().to_string(),
        ..diff::diff(&reference.dataset, &recorded.dataset, &policy)?
    };
    let (errors, ticks) = (recorded.outcome.n_component_errors, recorded.outcome.ticks);
    if errors > ticks / 2 {
        diff.notes.push(format!(
            "the component erred at {errors} of {ticks} ticks, so few outputs were compared"
        ));
    }
    Ok(CandidateResult::Compared { run: recorded.outcome, diff: Box::new(diff) })
}

/// The manifest's policy, for outputs and state alone; and where a component
/// erred, that both did at that tick is what counts, whatever they said.
fn policy(given: &Policy, sides: [&Dataset; 2]) -> Result<Policy> {
    let mut policy = given.clone();
    policy.scope = Scope::Outputs;
    if sides.iter().any(|side| side.channel_id(ERROR_KEY).is_some()) {
        let rule = format!("{ERROR_KEY}.text:ignore,reason=an error counts, not its text");
        policy.rules.extend(Policy::parse_rules(&[rule])?.rules);
    }
    Ok(policy)
}

/// The reference's recording.
struct Reference {
    dataset: Dataset,
    outcome: ReferenceOutcome,
    /// Whether `lk.toml` gave it as a recording.
    is_given: bool,
}

impl Reference {
    fn run(
        job: &Job,
        program: crate::Program,
        cache: Option<&Cache>,
        path: PathBuf,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Reference> {
        let failed = |failure| Error::Reference(Box::new(failure));
        let built = job.build(program, progress)?.map_err(failed)?;
        let recording = path.display().to_string();
        if let Some((dataset, run)) = cache.and_then(|cache| cache.find(&built, job)) {
            save(&dataset, &path)?;
            let provenance = provenance_of(&dataset);
            let outcome = ReferenceOutcome { recording, provenance, run: Some(run), cached: true };
            return Ok(Reference { dataset, outcome, is_given: false });
        }
        let recorded = job.run(&built, progress)?.map_err(failed)?;
        let dataset = recorded.dataset;
        save(&dataset, &path)?;
        let mut provenance = provenance_of(&dataset);
        // A cache that can't be written costs time and no result.
        if let Some(Err(error)) =
            cache.map(|cache| cache.store(&built, job, &dataset, &recorded.outcome))
        {
            provenance.insert("cache".to_owned(), format!("not written: {error}"));
        }
        let run = Some(recorded.outcome);
        let outcome = ReferenceOutcome { recording, provenance, run, cached: false };
        Ok(Reference { dataset, outcome, is_given: false })
    }

    /// The recording that `lk.toml` names.
    fn recorded(job: &Job, manifest: &Manifest) -> Result<Reference> {
        let Some(path) = manifest.recording_path() else {
            let hint = "add `[reference]` with `run = [...]`, or `recording = \"reference.mcap\"`";
            let message = "there is no reference to compare with";
            return Err(manifest.error_at(&[], message, Some(hint.to_owned())));
        };
        let recording = path.display().to_string();
        let dataset = Dataset::open_with(&path, &manifest.open_options())
            .map_err(Error::context("can't read the reference"))?;
        let checked = job.component.outputs.iter().chain(&job.component.states);
        let is_input =
            |key: &str| dataset.channel(key).is_ok_and(|view| view.channel().role == Role::Input);
        if let Some(port) = checked.clone().find(|port| is_input(&port.key)) {
            // It would be left out of the comparison, as inputs are.
            return Err(Error::Data {
                message: format!(
                    "the reference calls key {:?} an input, which is what {} writes",
                    port.key, port.name
                ),
                path: recording,
                hint: Some("record it again, or correct the role of that key".to_owned()),
            });
        }
        for port in &job.component.outputs {
            if dataset.channel_id(&port.key).is_none() {
                return Err(Error::Data {
                    message: format!("the reference lacks key {:?} of {}", port.key, port.name),
                    path: recording,
                    hint: suggest::hint(&port.key, dataset.keys().collect::<Vec<_>>()),
                });
            }
        }
        let facts = &dataset.facts().entries;
        if let Some(by) = facts.get(provenance::PROGRAM).filter(|by| by.starts_with("candidate")) {
            return Err(made_by(by, recording));
        }
        let whole_hash = job.cut.as_ref().map(|cut| &cut.whole_hash);
        let is_of_these = |hash: &String| *hash == job.inputs_hash || Some(hash) == whole_hash;
        if !facts.get(provenance::INPUTS_HASH).is_none_or(is_of_these) {
            return Err(Error::Data {
                message: "the reference was recorded from other inputs, or another config"
                    .to_owned(),
                path: recording,
                hint: Some(format!(
                    "record it again from {}, or name the inputs that it came from",
                    job.inputs.display()
                )),
            });
        }
        let provenance = provenance_of(&dataset);
        let dataset = first_ticks(dataset, job)?;
        let outcome = ReferenceOutcome { recording, provenance, run: None, cached: false };
        Ok(Reference { dataset, outcome, is_given: true })
    }

    /// That a recording which was given isn't this candidate's own work.
    fn check_is_not_by(&self, candidate: &Built) -> Result<()> {
        let by = self.outcome.provenance.get(provenance::PROGRAM_HASH);
        if self.is_given && by == Some(&candidate.hash) {
            return Err(made_by(&candidate.program.label, self.outcome.recording.clone()));
        }
        Ok(())
    }
}

/// The facts that say what a recording came from.
fn provenance_of(dataset: &Dataset) -> BTreeMap<String, String> {
    let mut facts = dataset.facts().entries.clone();
    for told_elsewhere in [provenance::COMPONENT, provenance::PROGRAM, provenance::UNDELIVERED] {
        facts.remove(told_elsewhere);
    }
    facts
}

fn made_by(candidate: &str, path: String) -> Error {
    Error::Data {
        message: format!("the reference is a recording of {candidate}, which it is to judge"),
        path,
        hint: Some("record the original: `lk run --program reference`".to_owned()),
    }
}

/// A recording as far as the job's ticks go.
fn first_ticks(dataset: Dataset, job: &Job) -> Result<Dataset> {
    let Some(cut) = &job.cut else { return Ok(dataset) };
    let mut first = Dataset::memory();
    for channel in dataset.channels() {
        first.add_channel(channel.clone())?;
    }
    let by_tick = dataset.facts().sequence == SequenceMeaning::Tick;
    for item in dataset.samples(&Query::default())? {
        let (id, sample) = item?;
        let is_before = match by_tick {
            true => (sample.sequence as usize) < job.ticks.len(),
            false => sample.time < cut.from,
        };
        if is_before {
            first.write_sample(id, sample)?;
        }
    }
    first.set_facts(dataset.facts().clone())?;
    Ok(first)
}

#[cfg(test)]
mod tests;
