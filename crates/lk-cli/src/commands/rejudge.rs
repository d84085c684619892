//! `lk rejudge`: would it pass under another policy, as far as a report tells?

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lk::diff::{Answer, DiffResult, Policy, REPORT_VERSION, Rejudgement};
use lk::outcome::{CandidateResult, VerifyOutcome};
use lk_report::{json, text};

use super::diff::{PolicyArgs, RULES};
use crate::context::{Context, Exit};
use crate::error::{Error, Result};
use crate::files;

/// Judge a report again under another policy, without the recordings: exit code 0 where it would
/// pass, 1 where not, 4 where the report can't tell
#[derive(Debug, clap::Args)]
#[command(after_help = RULES)]
pub(crate) struct Args {
    /// A report of lk diff --json or -o, or the report.json of lk verify
    report: PathBuf,
    #[command(flatten)]
    policy: PolicyArgs,
    /// Print the whole answer as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(ctx: &Context, args: &Args) -> Result<ExitCode> {
    let mut answers = Vec::new();
    for (name, result) in results(&args.report)? {
        let Some(result) = result else {
            answers.push((name, None));
            continue;
        };
        // What the report was made under, unless a file says otherwise: then
        // what --tol adds is the question.
        let base = result.policy.clone().unwrap_or_default();
        let policy: Policy = args.policy.read(base)?;
        answers.push((name, Some(result.rejudge(&policy)?)));
    }
    let passes = overall(&answers);
    if args.json {
        ctx.print(&match answers.as_slice() {
            [(None, Some(answer))] => json::rejudgement(answer),
            answers => json::rejudgements(passes, answers),
        })?;
    } else {
        for (name, answer) in &answers {
            let name = name.as_deref().unwrap_or_default();
            ctx.print(&text::rejudgement(name, answer.as_ref(), ctx.style))?;
        }
    }
    let exit = match passes {
        Answer::Yes => Exit::Equal,
        Answer::No => Exit::Different,
        Answer::Unknown => Exit::Unknown,
    };
    Ok(exit.into())
}

/// A candidate by name, where the report has several; `None` for one that was
/// not compared.
type Named<T> = (Option<String>, Option<T>);

fn overall(answers: &[Named<Rejudgement>]) -> Answer {
    let of = |answer: &Option<Rejudgement>| answer.as_ref().map_or(Answer::No, |a| a.passes);
    let all: Vec<Answer> = answers.iter().map(|(_, answer)| of(answer)).collect();
    match () {
        () if all.is_empty() || all.contains(&Answer::No) => Answer::No,
        () if all.contains(&Answer::Unknown) => Answer::Unknown,
        () => Answer::Yes,
    }
}

/// The comparisons in a report.
fn results(path: &Path) -> Result<Vec<Named<DiffResult>>> {
    /// What both kinds of report have, and what tells them apart.
    #[derive(serde::Deserialize)]
    struct Head {
        version: u32,
        candidates: Option<serde::de::IgnoredAny>,
    }

    let text = files::read_text(path)?;
    let not_one = |source| Error::Report { path: path.to_owned(), source };
    let head: Head = serde_json::from_str(&text).map_err(not_one)?;
    if head.version != REPORT_VERSION {
        return Err(Error::Usage {
            message: format!("the report has version {}: {}", head.version, path.display()),
            hint: format!("this lk reads version {REPORT_VERSION}; use the lk that wrote it"),
        });
    }
    if head.candidates.is_none() {
        let result = serde_json::from_str(&text).map_err(not_one)?;
        return Ok(vec![(None, Some(result))]);
    }
    let outcome: VerifyOutcome = serde_json::from_str(&text).map_err(not_one)?;
    let diff = |result| match result {
        CandidateResult::Compared { diff, .. } => Some(*diff),
        _ => None,
    };
    Ok(outcome.candidates.into_iter().map(|c| (Some(c.name), diff(c.result))).collect())
}
