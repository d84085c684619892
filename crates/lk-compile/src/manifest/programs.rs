//! The programs that `lk.toml` names, ready to be built and run.

use super::{Manifest, TickOn};
use crate::error::{Error, Result};
use crate::process::Program;
use crate::suggest;
use crate::ticks::TickRule;

impl Manifest {
    /// The reference, where it is a program.
    pub fn reference_program(&self) -> Option<Program> {
        let reference = self.file.reference.as_ref()?;
        Some(Program {
            label: "the reference".to_owned(),
            dir: self.program_dir(reference.dir.as_deref()),
            build: reference.build.clone(),
            run: reference.run.clone()?,
            scaffold: reference.scaffold,
            limits: reference.limits,
        })
    }

    /// A candidate by its name.
    ///
    /// # Errors
    /// [`Error::UnknownCandidate`].
    pub fn candidate_program(&self, name: &str) -> Result<Program> {
        let candidates = &self.file.candidates;
        let Some(candidate) = candidates.get(name) else {
            let hint = suggest::hint(name, candidates.keys().map(String::as_str));
            let (name, path) = (name.to_owned(), self.path.clone());
            return Err(Error::UnknownCandidate { name, path, hint });
        };
        Ok(Program {
            label: format!("candidate {name}"),
            dir: self.program_dir(candidate.dir.as_deref()),
            build: candidate.build.clone(),
            run: candidate.run.clone(),
            scaffold: candidate.scaffold,
            limits: candidate.limits,
        })
    }

    /// One implementation: `reference`; `candidate`, which is the only one that
    /// is run by default; or a candidate by its name.
    ///
    /// # Errors
    /// A reference that is no program; no candidate, or more than one, where
    /// none is named; [`Error::UnknownCandidate`].
    pub fn implementation(&self, name: &str) -> Result<Program> {
        if name == "reference" {
            return self.reference_program().ok_or_else(|| {
                let hint = "give `[reference]` a `run`, or name a candidate";
                let message = "the reference is no program";
                self.error_at(&["reference"], message, Some(hint.to_owned()))
            });
        }
        if name != "candidate" || self.file.candidates.contains_key(name) {
            return self.candidate_program(name);
        }
        match self.select_candidates(&[])?.as_slice() {
            [only] => self.candidate_program(only),
            several => {
                let message = format!("there are {} candidates", several.len());
                let hint = format!("name one of them: {}", several.join(", "));
                Err(self.error_at(&["candidates"], message, Some(hint)))
            }
        }
    }

    /// The candidates to run, in the order of `lk.toml`: those named, or,
    /// where none is, all that don't say `default = false`.
    ///
    /// # Errors
    /// [`Error::UnknownCandidate`]; that there is none to run.
    pub fn select_candidates(&self, named: &[String]) -> Result<Vec<String>> {
        for name in named {
            self.candidate_program(name)?;
        }
        let is_chosen = |name: &String, default: bool| match named {
            [] => default,
            named => named.contains(name),
        };
        let chosen = self.file.candidates.iter();
        let chosen = chosen.filter(|(name, candidate)| is_chosen(name, candidate.default));
        let chosen: Vec<_> = chosen.map(|(name, _)| name.clone()).collect();
        if !chosen.is_empty() {
            return Ok(chosen);
        }
        let (message, hint) = if self.file.candidates.is_empty() {
            ("there is no candidate to verify", "write one with `lk init --to cpp`")
        } else {
            ("every candidate says `default = false`", "name one with `--candidate`")
        };
        Err(self.error_at(&["candidates"], message, Some(hint.to_owned())))
    }

    /// What makes a tick.
    pub fn tick_rule(&self) -> TickRule {
        let tick = &self.file.tick;
        match (&tick.on, tick.rate_hz) {
            (Some(TickOn::Ports(ports)), _) => {
                let numbers = (0..).zip(self.file.inputs.keys());
                let chosen = numbers.filter(|(_, name)| ports.contains(name));
                TickRule::On(chosen.map(|(number, _)| number).collect())
            }
            (_, Some(rate_hz)) => TickRule::Rate(rate_hz),
            _ => TickRule::Any,
        }
    }

    fn program_dir(&self, dir: Option<&str>) -> std::path::PathBuf {
        dir.map_or_else(|| self.dir.clone(), |dir| self.dir.join(dir))
    }
}
