//! `lk init`: what a port is written into.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;
use lk::Dataset;
use lk_compile::manifest::FILE_NAME;
use lk_compile::scaffold::{self, FromDataset, NewCandidate, WriteOutcome};
use lk_compile::{ComponentSpec, Language, Manifest};
use lk_report::printable;

use crate::context::{Context, Exit};
use crate::error::{Error, Result};

/// Generate types, harness and an empty component for a port, and its entry in lk.toml
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder of lk.toml
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// The language of the port
    #[arg(long, value_name = "LANGUAGE", required_unless_present_any = ["from", "refresh"])]
    to: Option<Target>,
    /// Name of the candidate and of its folder: the language unless said otherwise
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Make lk.toml and msg/ from a dataset, whose outputs are the reference
    #[arg(long, value_name = "DATASET", conflicts_with = "refresh")]
    from: Option<PathBuf>,
    /// Name of the component: the folder's unless said otherwise
    #[arg(long, value_name = "NAME", requires = "from")]
    component: Option<String>,
    /// A key that is an input, where its role doesn't say so
    #[arg(long, value_name = "KEY", requires = "from")]
    input: Vec<String>,
    /// A key that is an output, where its role doesn't say so
    #[arg(long, value_name = "KEY", requires = "from")]
    output: Vec<String>,
    /// Renew types and harnesses after a type changed, and leave the rest alone
    #[arg(long)]
    refresh: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Target {
    Cpp,
    Rust,
    Python,
}

impl From<Target> for Language {
    fn from(target: Target) -> Language {
        match target {
            Target::Cpp => Language::Cpp,
            Target::Rust => Language::Rust,
            Target::Python => Language::Python,
        }
    }
}

pub(crate) fn run(ctx: &Context, args: &Args) -> Result<ExitCode> {
    let mut done = Done::default();
    if let Some(dataset) = &args.from {
        from_dataset(args, dataset, &mut done)?;
    }
    if args.refresh {
        refresh(args, &mut done)?;
    } else if let Some(target) = args.to {
        candidate(args, target.into(), &mut done)?;
    }
    ctx.print(&done.text)?;
    Ok(Exit::Equal.into())
}

/// What was done, a line each.
#[derive(Default)]
struct Done {
    text: String,
}

impl Done {
    fn line(&mut self, what: &str, path: &Path) {
        self.text += &format!("{what:<10}  {}\n", printable(&path.to_string_lossy()));
    }

    fn files(&mut self, dir: &Path, outcome: &WriteOutcome) {
        for (what, files) in [("written", &outcome.written), ("kept", &outcome.kept)] {
            files.iter().for_each(|file| self.line(what, &plain(&dir.join(file))));
        }
        let n = outcome.unchanged.len();
        if n > 0 {
            let files = if n == 1 { "file" } else { "files" };
            let dir = plain(dir);
            let dir = dir.to_string_lossy();
            self.text += &format!("{:<10}  {n} {files} in {}\n", "unchanged", printable(&dir));
        }
    }
}

/// Without the `./` that the default folder gives.
fn plain(path: &Path) -> PathBuf {
    path.strip_prefix(".").unwrap_or(path).to_path_buf()
}

fn from_dataset(args: &Args, path: &Path, done: &mut Done) -> Result<()> {
    let manifest = args.dir.join(FILE_NAME);
    if manifest.exists() {
        return Err(Error::Usage {
            message: format!("file exists: {}", manifest.display()),
            hint: "leave out --from to add a candidate to it".to_owned(),
        });
    }
    let dataset = Dataset::open(path)?;
    let absolute = |path: &Path| path.canonicalize().map_err(Error::io("find", path));
    std::fs::create_dir_all(&args.dir).map_err(Error::io("create", &args.dir))?;
    let dir = absolute(&args.dir)?;
    let from = absolute(path)?;
    let component = args.component.clone().unwrap_or_else(|| {
        let folder = dir.file_name().map(|name| name.to_string_lossy().to_lowercase());
        folder.unwrap_or_default().replace(|c: char| !c.is_ascii_alphanumeric(), "_")
    });
    let options = FromDataset {
        component,
        path: from.strip_prefix(&dir).unwrap_or(&from).to_string_lossy().into_owned(),
        inputs: args.input.clone(),
        outputs: args.output.clone(),
    };
    let files = scaffold::from_dataset(&dataset, &options)?;
    done.files(&args.dir, &scaffold::write(&files, &args.dir, false)?);
    Ok(())
}

fn candidate(args: &Args, language: Language, done: &mut Done) -> Result<()> {
    let manifest = Manifest::load(&args.dir).map_err(|error| match error {
        lk_compile::Error::NoManifest { dir } => Error::Usage {
            message: format!("no {FILE_NAME} in {}", dir.display()),
            hint: "write one, or have it made from a recording with --from".to_owned(),
        },
        other => other.into(),
    })?;
    let spec = manifest.component()?;
    let mut new = NewCandidate::new(language);
    if let Some(name) = &args.name {
        (new.name, new.dir) = (name.clone(), name.clone());
    }
    if let Some(known) = manifest.file.candidates.get(&new.name) {
        if known.scaffold != Some(language) {
            return Err(Error::Usage {
                message: format!(
                    "there is a candidate {} already, and not in {language}",
                    new.name
                ),
                hint: "choose another name with --name".to_owned(),
            });
        }
        new.dir = known.dir.clone().unwrap_or_else(|| ".".to_owned());
    }
    let dir = manifest.dir.join(&new.dir);
    let files = scaffold::generate(&spec, language)?;
    let outcome = scaffold::write(&files, &dir, false)?;
    done.files(&dir, &outcome);
    if scaffold::add_to_manifest(&manifest.path, &spec, &new)? {
        done.line("added", &plain(&manifest.path));
    }
    let component = files.iter().map(|file| &file.path).rfind(|path| {
        path.file_stem().is_some_and(|stem| stem == "component")
            && path.extension().is_some_and(|extension| extension != "hpp")
    });
    if let Some(component) = component {
        let component = plain(&dir.join(component));
        let dir = args.dir.to_string_lossy();
        let dir = if dir == "." { String::new() } else { format!("{dir} ") };
        let command = format!("lk verify {dir}--candidate {}", new.name);
        done.text += &format!(
            "\nNext: fill in {}, then\n  {}\n",
            printable(&component.to_string_lossy()),
            printable(&command),
        );
    }
    Ok(())
}

/// Renews what lk generated: of the candidate that is named, of those in the
/// language that is given, or of all, the reference too.
fn refresh(args: &Args, done: &mut Done) -> Result<()> {
    let manifest = Manifest::load(&args.dir)?;
    let spec = manifest.component()?;
    let wanted = args.to.map(Language::from);
    let mut found = false;
    let mut renew = |spec: &ComponentSpec, dir: Option<&str>, language: Option<Language>| {
        let Some(language) = language.filter(|l| wanted.is_none_or(|wanted| wanted == *l)) else {
            return Ok(());
        };
        found = true;
        let dir = dir.map_or_else(|| manifest.dir.clone(), |dir| manifest.dir.join(dir));
        let outcome = scaffold::write(&scaffold::generate(spec, language)?, &dir, true)?;
        done.files(&dir, &outcome);
        Ok::<(), Error>(())
    };
    match &args.name {
        Some(name) => {
            manifest.candidate_program(name)?;
            let table = &manifest.file.candidates[name];
            renew(&spec, table.dir.as_deref(), table.scaffold)?;
        }
        None => {
            if let Some(table) = &manifest.file.reference {
                renew(&spec, table.dir.as_deref(), table.scaffold)?;
            }
            for table in manifest.file.candidates.values() {
                renew(&spec, table.dir.as_deref(), table.scaffold)?;
            }
        }
    }
    if found {
        return Ok(());
    }
    Err(Error::Usage {
        message: format!("nothing to refresh: no such `scaffold` in {}", manifest.path.display()),
        hint: "generate one with `lk init --to cpp`".to_owned(),
    })
}
