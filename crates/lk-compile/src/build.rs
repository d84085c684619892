//! Building a program: its command, its output, its end.

use std::time::{Duration, Instant};

use lk::outcome::Failure;

use crate::error::{Error, Result};
use crate::process::{Ending, Log, Process, Program, Streams, seconds};

/// How often an end is looked for that the output doesn't announce: a build
/// may leave a server behind that keeps the pipe open.
const LOOK: Duration = Duration::from_millis(20);

/// Builds `program`, where it has a build command. Its output is kept, the
/// last `log_lines` of it, for the failure.
///
/// # Errors
/// Where its output can't be read; a build that fails is a [`Failure`].
pub fn build(program: &Program, log_lines: usize) -> Result<Result<(), Failure>> {
    build_watched(program, log_lines, &mut || true)
}

/// As [`build`]; `watch` is asked meanwhile, and ends it by `false`.
pub(crate) fn build_watched(
    program: &Program,
    log_lines: usize,
    watch: &mut dyn FnMut() -> bool,
) -> Result<Result<(), Failure>> {
    let Some(command) = &program.build else { return Ok(Ok(())) };
    let pipe_error = |source| Error::Pipe { program: program.label.clone(), source };
    let log = Log::new(log_lines);
    let started = Process::start(&program.dir, command, Streams::Log, log);
    let (mut process, mut pipes) = match started {
        Ok(started) => started,
        Err(error) => return Ok(Err(program.start_failure("build", command, &error))),
    };
    let limit_s = program.limits.build_s;
    let deadline = Instant::now() + seconds(limit_s);
    let (status, interrupted) = loop {
        let look = deadline.min(Instant::now() + LOOK);
        let status = if pipes.log_ended() {
            process.wait(look).map_err(pipe_error)?
        } else {
            pipes.wait(false, look).map_err(pipe_error)?;
            process.wait(Instant::now()).map_err(pipe_error)?
        };
        let interrupted = status.is_none() && !watch();
        if status.is_some() || interrupted || Instant::now() >= deadline {
            break (status, interrupted);
        }
    };
    drop(process);
    let log = pipes.rest_of_log(Instant::now() + LOOK).map_err(pipe_error)?;
    let command = command.join(" ");
    let label = &program.label;
    let (message, hint) = match status {
        Some(status) if status.success() => return Ok(Ok(())),
        Some(status) => (format!("{label} doesn't build: `{command}` {}", Ending(status)), None),
        None if interrupted => {
            (format!("{label} doesn't build: `{command}` was interrupted"), None)
        }
        None => (
            format!("{label} doesn't build: `{command}` didn't end within {limit_s} s"),
            Some("if it needs longer, raise `limits.build_s` in lk.toml".to_owned()),
        ),
    };
    Ok(Err(Failure { message, hint, tick: None, log }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::LimitsTable;

    fn failure(command: &[&str], build_s: f64) -> Failure {
        let program = Program {
            label: "candidate cpp".into(),
            dir: std::env::temp_dir(),
            build: Some(command.iter().map(|&part| part.to_owned()).collect()),
            run: Vec::new(),
            scaffold: None,
            limits: LimitsTable { build_s, ..LimitsTable::default() },
        };
        build(&program, 3).unwrap().expect_err("it fails")
    }

    #[test]
    fn a_build_that_fails_shows_the_last_lines_of_its_output_in_order() {
        let script = "echo one; echo two >&2; echo three; echo four >&2; exit 3";
        let failure = failure(&["sh", "-c", script], 20.0);
        let message = format!("candidate cpp doesn't build: `sh -c {script}` exited with code 3");
        assert_eq!(failure.message, message);
        assert_eq!(failure.log, ["(1 lines before these)", "two", "three", "four"]);
    }

    #[test]
    fn a_build_that_hangs_is_ended_with_all_that_it_started() {
        let failure = failure(&["sh", "-c", "echo begun; sleep 60 & wait"], 0.3);
        assert!(failure.message.ends_with("didn't end within 0.3 s"), "{}", failure.message);
        assert!(failure.hint.unwrap().contains("limits.build_s"));
        assert_eq!(failure.log, ["begun"]);
    }

    #[test]
    fn a_build_that_cannot_start_says_why() {
        let failure = failure(&["no-such-compiler", "x"], 20.0);
        let start = "can't build candidate cpp: `no-such-compiler` in ";
        assert!(failure.message.starts_with(start), "{}", failure.message);
    }

    #[test]
    fn a_build_may_leave_a_server_behind_and_ends_all_the_same() {
        let program = Program {
            label: "candidate cpp".into(),
            dir: std::env::temp_dir(),
            build: Some(["sh", "-c", "sleep 60 & true"].map(str::to_owned).to_vec()),
            run: Vec::new(),
            scaffold: None,
            limits: LimitsTable::default(),
        };
        let start = Instant::now();
        build(&program, 3).unwrap().unwrap();
        assert!(start.elapsed() < Duration::from_secs(30));
    }
}
