//! Scaffolds in `lk.toml`.

use std::fs;
use std::path::Path;

use super::names::identifier;
use super::{Language, rust};
use crate::{ComponentSpec, Error, Result};

/// A candidate that `lk init` adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCandidate {
    /// Its language.
    pub language: Language,
    /// Its name in `lk.toml`.
    pub name: String,
    /// The scaffold's folder, relative to `lk.toml`.
    pub dir: String,
}

impl NewCandidate {
    /// Named by the language, in a folder of that name.
    pub fn new(language: Language) -> NewCandidate {
        let name = language.name().to_owned();
        NewCandidate { language, dir: name.clone(), name }
    }
}

/// The table `[candidates.NAME]` of a scaffold.
pub fn manifest_entry(spec: &ComponentSpec, candidate: &NewCandidate) -> String {
    let (build, run): (&[&str], Vec<String>) = match candidate.language {
        Language::Cpp => (&["sh", "build.sh"], vec![format!("./build/{}", identifier(&spec.name))]),
        // Named, since the user's settings could move it elsewhere.
        Language::Rust => (
            &["cargo", "build", "--release", "--target-dir", "target"],
            vec![format!("./target/release/{}", rust::package(spec))],
        ),
        Language::Python => {
            (&[], ["python3", "lk_harness.py", "component:Component"].map(str::to_owned).into())
        }
    };
    let mut text = format!("[candidates.{}]\n", key(&candidate.name));
    text += &format!("dir = {}\n", string(&candidate.dir));
    text += &format!("scaffold = {}\n", string(candidate.language.name()));
    if !build.is_empty() {
        text += &format!("build = {}\n", array(build.iter().copied()));
    }
    text + &format!("run = {}\n", array(run.iter().map(String::as_str)))
}

/// Adds the candidate at the end of an `lk.toml`, whose text stays as the user
/// wrote it; `false` where a candidate of that name is there already.
///
/// # Errors
///
/// A file that can't be read or written or is no TOML, or one whose form lets
/// no table be added.
pub fn add_to_manifest(
    path: &Path,
    spec: &ComponentSpec,
    candidate: &NewCandidate,
) -> Result<bool> {
    let text = fs::read_to_string(path).map_err(Error::io("read", path))?;
    match added(&text, spec, candidate) {
        Ok(None) => Ok(false),
        Ok(Some(text)) => {
            fs::write(path, text).map_err(Error::io("write", path))?;
            Ok(true)
        }
        Err(error) => Err(Error::Manifest {
            path: path.to_path_buf(),
            line: None,
            message: format!("can't add [candidates.{}]: {}", candidate.name, error.message()),
            hint: Some(format!("add it by hand:\n{}", manifest_entry(spec, candidate))),
        }),
    }
}

fn added(
    text: &str,
    spec: &ComponentSpec,
    candidate: &NewCandidate,
) -> Result<Option<String>, toml::de::Error> {
    let table: toml::Table = toml::from_str(text)?;
    if table.get("candidates").and_then(|all| all.get(&candidate.name)).is_some() {
        return Ok(None);
    }
    let gap = match text {
        "" => "",
        _ if text.ends_with("\n\n") => "",
        _ if text.ends_with('\n') => "\n",
        _ => "\n\n",
    };
    let text = format!("{text}{gap}{}", manifest_entry(spec, candidate));
    // An inline table `candidates = {}` can't be continued, for one.
    toml::from_str::<toml::Table>(&text)?;
    Ok(Some(text))
}

/// A key, bare where TOML lets it be.
pub(super) fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.chars().all(bare) { name.to_owned() } else { string(name) }
}

/// Text as a TOML string.
pub(super) fn string(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out + "\""
}

fn array<'a>(items: impl Iterator<Item = &'a str>) -> String {
    format!("[{}]", items.map(string).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaffold::tests::small_spec;

    fn add(text: &str, candidate: &NewCandidate) -> Result<Option<String>, toml::de::Error> {
        added(text, &small_spec(), candidate)
    }

    #[test]
    fn an_entry_goes_to_the_end_and_the_rest_stays() {
        let text = "# mine\n[component]\nname = 'filter'   # odd  spacing\n";
        let cpp = NewCandidate::new(Language::Cpp);
        let once = add(text, &cpp).unwrap().unwrap();
        let expected = "\n[candidates.cpp]\ndir = \"cpp\"\nscaffold = \"cpp\"\n\
                        build = [\"sh\", \"build.sh\"]\nrun = [\"./build/filter\"]\n";
        assert_eq!(once, format!("{text}{expected}"));
        assert_eq!(add(&once, &cpp).unwrap(), None);
        let twice = add(&once, &NewCandidate::new(Language::Python)).unwrap().unwrap();
        assert!(twice.starts_with(&once));
        assert!(twice.ends_with(
            "\n\n[candidates.python]\ndir = \"python\"\nscaffold = \"python\"\n\
             run = [\"python3\", \"lk_harness.py\", \"component:Component\"]\n"
        ));
    }

    #[test]
    fn a_text_without_a_last_newline_is_continued_on_a_new_line() {
        let rust = NewCandidate::new(Language::Rust);
        let text = add("[component]\nname = \"filter\"", &rust).unwrap().unwrap();
        assert!(text.starts_with("[component]\nname = \"filter\"\n\n[candidates.rust]\n"));
    }

    #[test]
    fn names_and_folders_are_quoted_where_needed() {
        let candidate = NewCandidate {
            language: Language::Cpp,
            name: "by \"hand\"".into(),
            dir: "ports/c++ \\ 17".into(),
        };
        let text = add("", &candidate).unwrap().unwrap();
        let table: toml::Table = toml::from_str(&text).unwrap();
        let entry = &table["candidates"]["by \"hand\""];
        assert_eq!(entry["dir"].as_str(), Some("ports/c++ \\ 17"));
        assert_eq!(add(&text, &candidate).unwrap(), None);
    }

    #[test]
    fn an_inline_table_is_refused_with_the_text_to_add() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lk.toml");
        fs::write(&path, "candidates = { a = { run = [\"x\"] } }\n").unwrap();
        let error =
            add_to_manifest(&path, &small_spec(), &NewCandidate::new(Language::Cpp)).unwrap_err();
        assert!(error.to_string().contains("can't add [candidates.cpp]"), "{error}");
        assert!(error.hint().unwrap().contains("run = [\"./build/filter\"]"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "candidates = { a = { run = [\"x\"] } }\n");
    }
}
