//! `lk graph`: what `lk.toml` describes, as a picture.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lk::Dataset;
use lk_compile::Manifest;
use lk_compile::manifest::{PortEntry, TickOn};
use lk_report::graph::{Arrow, End, Graph, GraphBox, GraphPort, Tone, html, mermaid, svg};
use lk_report::{counted, printable};

use crate::context::{Context, Exit};
use crate::error::{Error, Result};
use crate::files;
use crate::output::check_output;

/// Draw what lk.toml describes: inputs, reference and candidates, what is compared
#[derive(Debug, clap::Args)]
#[command(after_help = FORMS)]
pub(crate) struct Args {
    /// The folder of lk.toml; or a graph that was saved as .json
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// The picture to write, as its name says: .svg, .html, .mmd, or .json to draw it later; by
    /// default Mermaid is printed
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Overwrite the file where it exists
    #[arg(long)]
    force: bool,
}

const FORMS: &str = "\
GitHub and many editors draw Mermaid in a block of Markdown that begins with
```mermaid. An SVG is drawn by browsers, and by GitHub as an image.

A system of components in Rust is saved as a graph by `lk_report::graph::of_system`
and serde, and drawn by `lk graph system.json -o system.svg`.";

/// Values of a config, and rules, that are shown; the rest are counted.
const SHOWN: usize = 8;

/// Letters of a line; what is longer is cut.
const LONGEST: usize = 60;

pub(crate) fn run(ctx: &Context, args: &Args) -> Result<ExitCode> {
    let graph = args.graph()?;
    let Some(output) = &args.output else {
        ctx.print(&mermaid(&graph))?;
        return Ok(Exit::Equal.into());
    };
    let text = match extension(output).as_deref() {
        Some("svg") => svg(&graph),
        Some("html") => html(&graph),
        Some("json") => format!("{:#}\n", serde_json::json!(graph)),
        Some("mmd" | "mermaid") => mermaid(&graph),
        _ => {
            return Err(Error::Usage {
                message: format!("can't tell by its name what {} is to be", output.display()),
                hint: "name a file that ends in .svg, .html, .mmd or .json".to_owned(),
            });
        }
    };
    check_output(output, &[&args.dir], args.force)?;
    files::write_text(output, &text)?;
    let arrows = counted(graph.arrows.len() as u64, "arrow");
    let (output, name) = (output.to_string_lossy(), printable(&graph.title));
    ctx.print(&format!("{}: {name} with {arrows}\n", printable(&output)))?;
    Ok(Exit::Equal.into())
}

impl Args {
    fn graph(&self) -> Result<Graph> {
        if extension(&self.dir).as_deref() != Some("json") {
            return Ok(picture(&Manifest::load(&self.dir)?));
        }
        let refused = |reason: String| Error::Usage {
            message: format!("not a graph: {} ({reason})", self.dir.display()),
            hint: "`lk graph -o graph.json` writes one".to_owned(),
        };
        let graph: Graph = serde_json::from_str(&files::read_text(&self.dir)?)
            .map_err(|error| refused(error.to_string()))?;
        match graph.loose_arrow() {
            None => Ok(graph),
            Some(place) => {
                Err(refused(format!("an end of arrows[{place}] is at no box or port of it")))
            }
        }
    }
}

fn extension(path: &Path) -> Option<String> {
    path.extension().map(|extension| extension.to_string_lossy().to_lowercase())
}

/// Data to the left, programs in the middle, what is compared to the right.
fn picture(manifest: &Manifest) -> Graph {
    let file = &manifest.file;
    let mut graph = Graph {
        title: file.component.name.clone(),
        subtitle: file.component.description.clone().unwrap_or_default(),
        ..Graph::default()
    };
    let data = add(&mut graph, inputs(manifest));
    let config = config(manifest).map(|config| add(&mut graph, config));
    let verdict = outputs(manifest);
    let mut programs = Vec::new();
    if let Some(recording) = file.reference.as_ref().and_then(|r| r.recording.as_ref()) {
        let reference = GraphBox {
            kind: "reference · recording".to_owned(),
            title: recording.clone(),
            tone: Tone::Reference,
            lines: messages(&manifest.dir.join(recording)),
            ..GraphBox::default()
        };
        // It was made before: nothing feeds it.
        programs.push((add(&mut graph, reference), false));
    } else if let Some(reference) = &file.reference {
        let language = reference.scaffold.map(|language| language.to_string());
        let reference = GraphBox {
            kind: language.unwrap_or_else(|| "program".to_owned()),
            title: "reference".to_owned(),
            tone: Tone::Reference,
            lines: commands(reference.build.as_deref(), reference.run.as_deref()),
            ..GraphBox::default()
        };
        programs.push((add(&mut graph, reference), true));
    }
    for (name, candidate) in &file.candidates {
        let language = candidate.scaffold.map(|language| format!(" · {language}"));
        let only = if candidate.default { "" } else { " · only by name" };
        let candidate = GraphBox {
            kind: format!("candidate{}{only}", language.unwrap_or_default()),
            title: name.clone(),
            tone: Tone::Candidate,
            aside: !candidate.default,
            lines: commands(candidate.build.as_deref(), Some(&candidate.run)),
            ..GraphBox::default()
        };
        programs.push((add(&mut graph, candidate), true));
    }
    let verdict = add(&mut graph, verdict);
    let whole = |at: usize| End { at, port: None };
    for (program, is_fed) in programs {
        let mut arrow = |from: usize, to: usize, dashed: bool| {
            graph.arrows.push(Arrow { from: whole(from), to: whole(to), dashed });
        };
        if is_fed {
            arrow(data, program, false);
            // Once, before the first tick.
            config.into_iter().for_each(|config| arrow(config, program, true));
        }
        arrow(program, verdict, false);
    }
    graph
}

fn add(graph: &mut Graph, node: GraphBox) -> usize {
    graph.boxes.push(node);
    graph.boxes.len() - 1
}

fn inputs(manifest: &Manifest) -> GraphBox {
    let file = &manifest.file;
    let ports = file.inputs.iter().map(|(name, entry)| port(name, entry));
    let mut lines = Vec::new();
    let title = match &file.data {
        Some(data) => {
            lines.extend(messages(&manifest.dir.join(&data.inputs)));
            data.inputs.clone()
        }
        None => "not said where from".to_owned(),
    };
    lines.push(match (&file.tick.on, file.tick.rate_hz) {
        (_, Some(rate_hz)) => format!("a tick at {rate_hz} Hz"),
        (Some(TickOn::Ports(ports)), _) => format!("a tick with each {}", ports.join(", ")),
        _ => "a tick at each time of an input".to_owned(),
    });
    if !file.distributions.is_empty() {
        let drawn: Vec<&str> = file.distributions.keys().map(String::as_str).collect();
        lines.push(format!("lk sample draws {}", drawn.join(", ")));
    }
    GraphBox {
        kind: "inputs".to_owned(),
        title,
        tone: Tone::Data,
        fields: ports.collect(),
        lines: lines.into_iter().map(|line| cut(&line)).collect(),
        ..GraphBox::default()
    }
}

/// How much a dataset holds, where it is there.
fn messages(path: &Path) -> Vec<String> {
    match Dataset::open(path).and_then(|dataset| dataset.len()) {
        Ok(count) => vec![counted(count, "message")],
        Err(_) => vec!["not there yet, or unreadable".to_owned()],
    }
}

fn config(manifest: &Manifest) -> Option<GraphBox> {
    let config = manifest.file.config.as_ref()?;
    let values = config.values.iter().map(|(name, value)| cut(&format!("{name} = {value}")));
    let mut lines = first(values.collect(), "value");
    if lines.is_empty() {
        lines.push("the type's defaults".to_owned());
    }
    Some(GraphBox {
        kind: "config".to_owned(),
        title: config.ty.replacen("/msg/", "/", 1),
        tone: Tone::Data,
        lines,
        ..GraphBox::default()
    })
}

fn outputs(manifest: &Manifest) -> GraphBox {
    let file = &manifest.file;
    let outputs = file.outputs.iter().map(|(name, entry)| port(name, entry));
    let states = file.state.iter().map(|(name, entry)| {
        let port = port(name, entry);
        GraphPort { detail: format!("{} · state", port.detail), ..port }
    });
    let rules = file.tolerance.rules.iter().map(|rule| cut(&rule.to_string()));
    let mut lines = first(rules.collect(), "rule");
    if lines.is_empty() {
        lines.push("exactly equal".to_owned());
    }
    GraphBox {
        kind: "compared".to_owned(),
        title: "verdict".to_owned(),
        tone: Tone::Verdict,
        fields: outputs.chain(states).collect(),
        lines,
        ..GraphBox::default()
    }
}

fn port(name: &str, entry: &PortEntry) -> GraphPort {
    let ty = entry.ty.replacen("/msg/", "/", 1);
    let detail = match entry.key.as_deref().filter(|key| *key != name) {
        Some(key) => format!("{ty} · key {key}"),
        None => ty,
    };
    GraphPort { name: name.to_owned(), detail }
}

fn commands(build: Option<&[String]>, run: Option<&[String]>) -> Vec<String> {
    let line = |words: &[String]| cut(&words.join(" "));
    let build = build.map(|words| cut(&format!("build: {}", line(words))));
    let run = run.map(|words| cut(&format!("run: {}", line(words))));
    build.into_iter().chain(run).collect()
}

/// The first of many.
fn first(mut lines: Vec<String>, what: &str) -> Vec<String> {
    let more = lines.len().saturating_sub(SHOWN);
    if more > 0 {
        lines.truncate(SHOWN);
        lines.push(format!("and {}", counted(more as u64, &format!("more {what}"))));
    }
    lines
}

fn cut(line: &str) -> String {
    match line.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}
