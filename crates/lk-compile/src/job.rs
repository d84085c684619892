//! Running programs of one component on one dataset.
//!
//! Until the sandbox exists, programs run unconfined: with the caller's
//! rights, environment and network.

use std::path::{Path, PathBuf};

use lk::dataset::{CreateOptions, Integrity};
use lk::outcome::Failure;
use lk::{Dataset, Time};

use crate::component::ComponentSpec;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::process::Program;
use crate::provenance;
use crate::runner::{self, Recorded, RunOptions};
use crate::scaffold;
use crate::ticks::Ticks;

/// A component and the ticks that its programs are run on.
#[derive(Debug)]
pub struct Job {
    /// The component.
    pub component: ComponentSpec,
    /// The ticks.
    pub ticks: Ticks,
    /// Where the inputs come from.
    pub inputs: PathBuf,
    /// What could not be read of them.
    pub inputs_integrity: Integrity,
    /// [`provenance::inputs_hash`] of the ticks.
    pub inputs_hash: String,
    /// What was left out of the ticks; `None` where all are there.
    pub cut: Option<Cut>,
    /// How to run; the seed is that of `lk.toml`.
    pub options: RunOptions,
    /// Where lk keeps its results, which are no part of a program.
    output_dir: PathBuf,
}

/// Ticks that were left out on request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Time of the first of them.
    pub from: Time,
    /// All ticks, with them.
    pub total: usize,
    /// [`provenance::inputs_hash`] of all ticks.
    pub whole_hash: String,
}

/// A program that is built.
#[derive(Clone, Debug)]
pub struct Built {
    /// The program.
    pub program: Program,
    /// [`provenance::program_hash`].
    pub hash: String,
}

/// What is being done, for a progress bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// A program is being built.
    Building {
        /// `the reference`, `candidate cpp`.
        program: &'a str,
    },
    /// A program is running.
    Running {
        /// `the reference`, `candidate cpp`.
        program: &'a str,
        /// Ticks that are answered.
        done: u64,
        /// All ticks.
        total: u64,
    },
    /// A candidate's recording is being compared.
    Comparing {
        /// `candidate cpp`.
        program: &'a str,
    },
}

/// Where results go unless the caller says otherwise: `target/lk` beside
/// `lk.toml`.
pub fn default_output_dir(manifest: &Manifest) -> PathBuf {
    manifest.dir.join("target").join("lk")
}

impl Job {
    /// Reads types and inputs. `inputs` is the dataset of `lk.toml` where it
    /// is `None`; of its ticks the first `max_ticks` (at least one) are kept.
    ///
    /// # Errors
    /// As [`Manifest::component`] and [`Ticks::read`]; no such dataset.
    pub fn new(
        manifest: &Manifest,
        inputs: Option<&Path>,
        max_ticks: Option<usize>,
        options: RunOptions,
    ) -> Result<Job> {
        let path = match inputs {
            Some(path) => path.to_path_buf(),
            None => manifest.inputs_path()?,
        };
        let dataset = Dataset::open_with(&path, &manifest.open_options())
            .map_err(Error::context("can't read the inputs"))?;
        Job::on(manifest, &dataset, path, max_ticks, options)
    }

    /// As [`Job::new`], for a dataset that comes from `path`.
    ///
    /// # Errors
    /// As [`Job::new`].
    pub fn on(
        manifest: &Manifest,
        dataset: &Dataset,
        path: PathBuf,
        max_ticks: Option<usize>,
        options: RunOptions,
    ) -> Result<Job> {
        let component = manifest.component()?;
        let mut ticks = Ticks::read(dataset, &component, &manifest.tick_rule())?;
        let max_ticks = max_ticks.unwrap_or(usize::MAX).max(1);
        let cut = match ticks.get(max_ticks) {
            Some((from, _)) => {
                let whole_hash = provenance::inputs_hash(&component, &ticks)?;
                Some(Cut { from, total: ticks.len(), whole_hash })
            }
            None => None,
        };
        ticks.truncate(max_ticks);
        Ok(Job {
            inputs_hash: provenance::inputs_hash(&component, &ticks)?,
            // After reading, which is when damage is found.
            inputs_integrity: dataset.integrity(),
            component,
            ticks,
            cut,
            inputs: path,
            options: RunOptions { seed: manifest.seed(), ..options },
            output_dir: default_output_dir(manifest),
        })
    }

    /// Checks that a generated harness is as it would be generated now.
    ///
    /// # Errors
    /// [`Error::StaleScaffold`].
    pub fn check_scaffold(&self, program: &Program) -> Result<()> {
        match program.scaffold {
            Some(language) => scaffold::check_current(&self.component, language, &program.dir),
            None => Ok(()),
        }
    }

    /// Builds a program, where it has a build command.
    ///
    /// # Errors
    /// As [`Job::check_scaffold`]; files of the program that can't be read. A
    /// build that fails is a [`Failure`].
    pub fn build(
        &self,
        program: Program,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Result<Built, Failure>> {
        self.check_scaffold(&program)?;
        if program.build.is_some() {
            progress(Progress::Building { program: &program.label });
        }
        if let Err(failure) = crate::build::build(&program, self.options.log_lines)? {
            return Ok(Err(failure));
        }
        if !program.dir.is_dir() {
            let error = std::io::ErrorKind::NotADirectory.into();
            return Ok(Err(program.start_failure("start", &program.run, &error)));
        }
        let hash = provenance::program_hash(&program, &self.output_dir)?;
        Ok(Ok(Built { program, hash }))
    }

    /// Runs a program over all ticks. The recording's facts say what it came
    /// from.
    ///
    /// # Errors
    /// As [`runner::run`].
    pub fn run(
        &self,
        built: &Built,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Result<Recorded, Failure>> {
        let options = self.options_for(built);
        let (program, total) = (built.program.label.as_str(), self.ticks.len() as u64);
        let mut running = |done| progress(Progress::Running { program, done, total });
        running(0);
        runner::run(&built.program, &self.component, &self.ticks, &options, &mut running)
    }

    /// As [`Job::run`], each tick when it is `due`. A recording that ends before
    /// the last tick says that it came from those before its end.
    ///
    /// # Errors
    /// As [`runner::run_paced`].
    pub fn run_paced(
        &self,
        built: &Built,
        due: &mut runner::Due<'_>,
    ) -> Result<Result<Recorded, Failure>> {
        let options = self.options_for(built);
        let run = runner::run_paced(&built.program, &self.component, &self.ticks, &options, due)?;
        let Ok(mut recorded) = run else { return Ok(run) };
        let answered = usize::try_from(recorded.outcome.ticks).unwrap_or(usize::MAX);
        if answered < self.ticks.len() {
            let mut ticks = self.ticks.clone();
            ticks.truncate(answered);
            let hash = provenance::inputs_hash(&self.component, &ticks)?;
            let mut facts = recorded.dataset.facts().clone();
            facts.entries.insert(provenance::INPUTS_HASH.to_owned(), hash);
            recorded.dataset.set_facts(facts)?;
        }
        Ok(Ok(recorded))
    }

    fn options_for(&self, built: &Built) -> RunOptions {
        let mut options = self.options.clone();
        for (name, value) in
            [(provenance::PROGRAM_HASH, &built.hash), (provenance::INPUTS_HASH, &self.inputs_hash)]
        {
            options.facts.insert(name.to_owned(), value.clone());
        }
        options
    }
}

impl Job {
    /// What a reader of its results should know.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = vec!["programs ran unconfined, with your rights".to_owned()];
        let Integrity { verified, lost_bytes, lost_samples, problems, .. } = &self.inputs_integrity;
        if !verified {
            notes.push("the inputs are unverified: not all of them has a checksum".to_owned());
        }
        if !self.inputs_integrity.is_whole() || !problems.is_empty() {
            let (lost, problems) = (lost(*lost_samples, *lost_bytes), problems.join("; "));
            notes.push(format!(
                "the inputs are damaged, and what is whole of them was used: {lost} ({problems})"
            ));
        }
        let undelivered = self.ticks.undelivered();
        match &self.cut {
            Some(cut) => {
                let (count, total) = (self.ticks.len(), cut.total);
                notes.push(format!("only the first {count} of {total} ticks were run"));
            }
            None if undelivered > 0 => notes.push(format!(
                "{undelivered} input samples come after the last tick, and were not delivered"
            )),
            None => {}
        }
        notes
    }
}

/// What is lost of inputs; `None` for a number of samples that nothing tells.
fn lost(samples: Option<u64>, bytes: u64) -> String {
    match (samples, bytes) {
        (Some(0), 0) => "nothing is lost".to_owned(),
        (Some(0), bytes) => format!("{bytes} bytes are lost, which held no sample"),
        (None, 0) => "an unknown number of samples may be lost".to_owned(),
        (None, bytes) => format!("{bytes} bytes are lost, with an unknown number of samples"),
        (Some(samples), bytes) => format!("{samples} samples and {bytes} bytes are lost"),
    }
}

/// Writes a dataset to a file, over one that is there, making its folder. The
/// file has its name once it is whole.
///
/// # Errors
/// Where the folder or the file can't be written.
pub fn save(dataset: &Dataset, path: &Path) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let part = path.with_file_name(format!(".part-{}-{name}", std::process::id()));
    let written = write(dataset, &part)
        .and_then(|()| std::fs::rename(&part, path).map_err(Error::io("write", path)));
    if written.is_err() {
        // The first error is what is told.
        let _ = std::fs::remove_file(&part);
    }
    written
}

fn write(dataset: &Dataset, path: &Path) -> Result<()> {
    let options = CreateOptions { overwrite: true, ..CreateOptions::default() };
    let mut file = Dataset::create_with(path, options)?;
    file.copy_from(dataset)?;
    file.sync()?;
    Ok(file.close()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_written_whole_leaves_the_old_one_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("saved.mcap");
        let at = |nanos| Time::from_nanos(nanos);
        let mut dataset = Dataset::memory();
        dataset.write("n", &1_u64, at(1)).unwrap();
        save(&dataset, &path).unwrap();
        let before = std::fs::read(&path).unwrap();
        // MCAP has no times before zero; the first sample is written first.
        dataset.write("m", &1_u64, at(-1)).unwrap();
        assert!(save(&dataset, &path).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), before);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn lost_samples_are_counted_only_where_they_are_known() {
        assert_eq!(lost(Some(2), 70), "2 samples and 70 bytes are lost");
        assert_eq!(lost(Some(0), 70), "70 bytes are lost, which held no sample");
        assert_eq!(lost(None, 70), "70 bytes are lost, with an unknown number of samples");
        assert_eq!(lost(None, 0), "an unknown number of samples may be lost");
        assert_eq!(lost(Some(0), 0), "nothing is lost");
    }
}
