//! What is generated, without building it; building and running is in
//! `tests/scaffold`.

use std::fs;

use lk::{Schema, Value};

use super::*;
use crate::{ConfigSpec, PortSpec};

fn port(name: &str, schema: &Schema) -> PortSpec {
    PortSpec { name: name.into(), key: name.into(), schema: schema.clone() }
}

/// A component with an input, an output, a state and a config.
pub(super) fn small_spec() -> ComponentSpec {
    let imu = "uint8 GOOD=0\nuint8 BAD=1\nfloat64 stamp_s\nVector gyro\nstring[] notes\n\
               ===\nMSG: filter/Vector\nfloat64 x\nfloat64 y\nfloat64 z";
    let imu = Schema::parse("filter/msg/Imu", imu).unwrap();
    let attitude = Schema::parse("filter/msg/Attitude", "float64 w 1.0\nfloat64[3] v").unwrap();
    let config = Schema::parse("filter/msg/Config", "float64 gain 0.5").unwrap();
    ComponentSpec {
        name: "filter".into(),
        description: Some("Follows the attitude.".into()),
        inputs: vec![port("imu", &imu)],
        outputs: vec![port("attitude", &attitude)],
        states: vec![port("bias", &attitude)],
        config: Some(ConfigSpec { value: Value::default_of(&config), schema: config }),
    }
}

#[test]
fn languages_go_by_their_names() {
    for language in Language::ALL {
        assert_eq!(language.name().parse::<Language>().unwrap(), language);
    }
    let error = "pyhton".parse::<Language>().unwrap_err();
    assert_eq!(error.to_string(), "there is no scaffold for \"pyhton\"");
    assert_eq!(error.hint().unwrap(), "did you mean `python`?");
}

#[test]
fn refreshing_leaves_what_the_user_wrote() {
    for language in Language::ALL {
        let dir = tempfile::tempdir().unwrap();
        let mut spec = small_spec();
        let files = generate(&spec, language).unwrap();
        let outcome = write(&files, dir.path(), false).unwrap();
        assert_eq!(outcome.written.len(), files.len());
        check_current(&spec, language, dir.path()).unwrap();
        let users: Vec<_> = files.iter().filter(|file| !file.refresh).collect();
        assert!(!users.is_empty());
        for file in &users {
            fs::write(dir.path().join(&file.path), "mine").unwrap();
        }
        check_current(&spec, language, dir.path()).unwrap();

        let other = Schema::parse("filter/msg/Attitude", "float64 w 1.0\nfloat64[4] v").unwrap();
        spec.outputs = vec![port("attitude", &other)];
        spec.states.clear();
        let error = check_current(&spec, language, dir.path()).unwrap_err();
        assert!(error.to_string().ends_with("is not what lk generates for this component"));
        assert!(error.hint().unwrap().contains("lk init --refresh"));
        let files = generate(&spec, language).unwrap();
        for refresh_only in [true, false] {
            let outcome = write(&files, dir.path(), refresh_only).unwrap();
            assert_eq!(outcome.kept.len(), users.len());
            assert_eq!(outcome.written.len(), if refresh_only { 2 } else { 0 });
        }
        check_current(&spec, language, dir.path()).unwrap();
        for file in &users {
            assert_eq!(fs::read_to_string(dir.path().join(&file.path)).unwrap(), "mine");
        }
    }
}

#[test]
fn refreshing_an_empty_folder_writes_no_component() {
    let dir = tempfile::tempdir().unwrap();
    let files = generate(&small_spec(), Language::Cpp).unwrap();
    let error = check_current(&small_spec(), Language::Cpp, dir.path()).unwrap_err();
    assert!(error.to_string().ends_with("types.hpp is missing"), "{error}");
    let outcome = write(&files, dir.path(), true).unwrap();
    assert_eq!(outcome.written, [PathBuf::from("types.hpp"), PathBuf::from("harness.cpp")]);
    assert!(!dir.path().join("component.cpp").exists());
}

#[test]
fn the_hash_follows_ports_and_types() {
    let hash = |spec: &ComponentSpec| {
        let files = generate(spec, Language::Python).unwrap();
        files[0].contents.lines().nth(1).unwrap().to_owned()
    };
    let spec = small_spec();
    assert_eq!(hash(&spec), hash(&small_spec()));
    let mut renamed = small_spec();
    renamed.inputs[0].name = "imu2".into();
    assert_ne!(hash(&spec), hash(&renamed));
    let mut retyped = small_spec();
    let schema = Schema::parse("filter/msg/Attitude", "float64 w 2.0\nfloat64[3] v").unwrap();
    retyped.outputs[0].schema = schema.clone();
    retyped.states[0].schema = schema;
    assert_ne!(hash(&spec), hash(&retyped));
    let mut described = small_spec();
    described.description = None;
    assert_eq!(hash(&spec), hash(&described));
}

#[test]
fn two_definitions_of_one_type_are_refused() {
    let mut spec = small_spec();
    let other = Schema::parse("filter/msg/Attitude", "float64 w").unwrap();
    spec.states = vec![port("bias", &other)];
    for language in Language::ALL {
        let error = generate(&spec, language).unwrap_err();
        assert_eq!(
            error.to_string(),
            "port attitude and port bias both use filter/msg/Attitude, and mean different types"
        );
    }
}

#[test]
fn examples_have_current_scaffolds() {
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");
    let mut checked = 0;
    for entry in fs::read_dir(examples).unwrap() {
        let dir = entry.unwrap().path();
        if !dir.join(crate::manifest::FILE_NAME).exists() {
            continue;
        }
        let manifest = crate::Manifest::load(&dir).unwrap();
        let spec = manifest.component().unwrap();
        let reference = manifest.file.reference.iter().map(|table| (&table.dir, table.scaffold));
        let candidates = manifest.file.candidates.values();
        for (dir, language) in reference.chain(candidates.map(|table| (&table.dir, table.scaffold)))
        {
            let Some(language) = language else { continue };
            let dir = manifest.dir.join(dir.as_deref().unwrap_or("."));
            check_current(&spec, language, &dir).expect("run `lk init --refresh` for it");
            checked += 1;
        }
    }
    assert!(checked >= 6, "{checked} scaffolds found in {examples}");
}

/// What a user sees and fills in: all but the harness.
fn shown(language: Language) -> String {
    let files = generate(&small_spec(), language).unwrap();
    let is_harness = |file: &GeneratedFile| {
        let name = file.path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        ["harness", "main", "lk_harness"].contains(&name)
    };
    let shown = files.iter().filter(|file| !is_harness(file));
    shown.map(|file| format!("==> {} <==\n{}", file.path.display(), file.contents)).collect()
}

#[test]
fn cpp_reads_well() {
    insta::assert_snapshot!(shown(Language::Cpp));
}

#[test]
fn rust_reads_well() {
    insta::assert_snapshot!(shown(Language::Rust));
}

#[test]
fn python_reads_well() {
    insta::assert_snapshot!(shown(Language::Python));
}
